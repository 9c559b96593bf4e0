/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at network interfaces and changing single things of them. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/hmac.h"
#include "net/link.h"

#define LINKS_MAX 1024

static bool copy_name(char *to, size_t size, const struct rtattr *t)
{
	size_t n = t ? RTA_PAYLOAD(t) : 0;

	if (!n || n > size || ((const char *) RTA_DATA(t))[n - 1])
		return false;
	memcpy(to, RTA_DATA(t), n);
	return true;
}

static int parse_link(const struct nlmsghdr *h, struct net_link *l)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const struct rtattr *t;

	*l = (struct net_link){0};
	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	if (!copy_name(l->name, sizeof(l->name), rtnl_find(h, sizeof(*m), IFLA_IFNAME)))
		return -EBADMSG;
	l->index = m->ifi_index;
	l->flags = m->ifi_flags;
	l->type = m->ifi_type;
	(void) rtnl_find_u32(h, sizeof(*m), IFLA_MTU, &l->mtu);
	t = rtnl_find(h, sizeof(*m), IFLA_ADDRESS);
	l->has_mac = t && RTA_PAYLOAD(t) == sizeof(l->mac);
	if (l->has_mac)
		memcpy(l->mac, RTA_DATA(t), sizeof(l->mac));
	t = rtnl_find(h, sizeof(*m), IFLA_LINKINFO);
	if (t)
		(void) copy_name(l->kind, sizeof(l->kind), rtnl_find_in(t, IFLA_INFO_KIND));
	return 0;
}

static int take_one(const struct nlmsghdr *h, void *arg)
{
	return parse_link(h, arg);
}

int net_link_get(struct rtnl *s, const char *name, int index, struct net_link *ret)
{
	struct ifinfomsg m = {.ifi_index = name ? 0 : index};
	struct net_link l = {0};
	struct rtnl_req q;
	int r;

	rtnl_begin(&q, RTM_GETLINK, 0, &m, sizeof(m));
	if (name)
		rtnl_put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	r = rtnl_talk(s, &q, take_one, &l);
	if (r == 0 && !l.index)
		r = -EBADMSG;
	if (r == 0)
		*ret = l;
	return r;
}

struct taking {
	struct arena *a;
	struct net_links l;
	size_t cap;
};

static int take_each(const struct nlmsghdr *h, void *arg)
{
	struct taking *t = arg;
	struct net_link l;
	int r = parse_link(h, &l);

	if (r < 0)
		return r;
	if (t->l.n == LINKS_MAX)
		return -E2BIG;
	t->l.v = arena_room(t->a, t->l.v, t->l.n, &t->cap, sizeof(l));
	t->l.v[t->l.n++] = l;
	return 0;
}

int net_links_get(struct rtnl *s, struct arena *a, struct net_links *ret)
{
	struct ifinfomsg m = {.ifi_family = AF_UNSPEC};
	struct taking t = {.a = a};
	struct rtnl_req q;
	int r;

	rtnl_begin(&q, RTM_GETLINK, NLM_F_DUMP, &m, sizeof(m));
	r = rtnl_talk(s, &q, take_each, &t);
	if (r == 0)
		*ret = t.l;
	return r;
}

int net_link_up(struct rtnl *s, int index)
{
	struct ifinfomsg m = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct rtnl_req q;

	rtnl_begin(&q, RTM_NEWLINK, 0, &m, sizeof(m));
	return rtnl_talk(s, &q, NULL, NULL);
}

static int set_one(struct rtnl *s, int index, uint16_t type, const void *p, size_t n)
{
	struct ifinfomsg m = {.ifi_index = index};
	struct rtnl_req q;

	rtnl_begin(&q, RTM_NEWLINK, 0, &m, sizeof(m));
	rtnl_put(&q, type, p, n);
	return rtnl_talk(s, &q, NULL, NULL);
}

int net_link_set_mtu(struct rtnl *s, int index, uint32_t mtu)
{
	return set_one(s, index, IFLA_MTU, &mtu, sizeof(mtu));
}

int net_link_set_mac(struct rtnl *s, int index, const uint8_t mac[6])
{
	return set_one(s, index, IFLA_ADDRESS, mac, 6);
}

int net_link_rename(struct rtnl *s, int index, const char *name)
{
	size_t n = strlen(name);

	return n && n < IFNAMSIZ ? set_one(s, index, IFLA_IFNAME, name, n + 1) : -EINVAL;
}

int net_link_quiet(struct rtnl *s, int index)
{
	const uint8_t none = IN6_ADDR_GEN_MODE_NONE;
	struct ifinfomsg m = {.ifi_index = index};
	struct rtnl_req q;
	size_t spec, inet6;
	int r;

	rtnl_begin(&q, RTM_NEWLINK, 0, &m, sizeof(m));
	spec = rtnl_nest(&q, IFLA_AF_SPEC);
	inet6 = rtnl_nest(&q, AF_INET6);
	rtnl_put(&q, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	rtnl_nest_end(&q, inet6);
	rtnl_nest_end(&q, spec);
	r = rtnl_talk(s, &q, NULL, NULL);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r; /* no IPv6 here: quiet already */
}

void net_mac_format(char ret[NET_MAC_TEXT], const uint8_t mac[6])
{
	snprintf(ret, NET_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}

int net_mac_parse(const char *s, uint8_t ret[6])
{
	for (int i = 0; i < 6; i++) {
		if (!hex_parse(s + 3 * i, 1, ret + i))
			return -EINVAL;
		if (s[3 * i + 2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
	}
	return 0;
}

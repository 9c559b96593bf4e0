/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine has set up in a network namespace, as a description for a guest. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "net/nics.h"

#define ENTRIES_MAX 4096 /* of one kind, of one guest */

struct scan {
	struct arena *a;
	struct wire_net *net;
	const int *index;
	size_t cap[NET_NICS_MAX];
	size_t entries;
	const char *odd; /* what a guest cannot have */
};

static int nic_of(const struct scan *c, int index)
{
	for (size_t i = 0; i < c->net->nics.n; i++)
		if (c->index[i] == index)
			return (int) i;
	return -1;
}

/* An address in text, or NULL when there is none. */
static char *address(const struct nlmsghdr *h, size_t head, uint16_t type, int family,
		     struct arena *a)
{
	const struct rtattr *t = rtnl_find(h, head, type);
	char text[INET6_ADDRSTRLEN];

	if (!t || RTA_PAYLOAD(t) != (family == AF_INET ? 4 : 16) ||
	    !inet_ntop(family, RTA_DATA(t), text, sizeof(text)))
		return NULL;
	return arena_strdup(a, text);
}

static bool known_family(int family)
{
	return family == AF_INET || family == AF_INET6;
}

/* ---- addresses ---- */

static int take_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	struct wire_addr d = {0};
	struct scan *c = arg;
	struct wire_nic *nic;
	int i;

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	i = nic_of(c, (int) m->ifa_index);
	/* the guest's kernel gives itself a link-local one, from the same MAC */
	if (i < 0 || !known_family(m->ifa_family) ||
	    (m->ifa_family == AF_INET6 && m->ifa_scope == RT_SCOPE_LINK))
		return 0;
	if (c->entries++ == ENTRIES_MAX)
		return -E2BIG;
	/* of a point-to-point address, IFA_ADDRESS is the other end's */
	d.addr = address(h, sizeof(*m), IFA_LOCAL, m->ifa_family, c->a);
	if (!d.addr)
		d.addr = address(h, sizeof(*m), IFA_ADDRESS, m->ifa_family, c->a);
	if (!d.addr)
		return -EBADMSG;
	d.prefix = m->ifa_prefixlen;
	d.broadcast = address(h, sizeof(*m), IFA_BROADCAST, m->ifa_family, c->a);
	nic = &c->net->nics.v[i];
	nic->addrs.v = arena_room(c->a, nic->addrs.v, nic->addrs.n, &c->cap[i], sizeof(d));
	nic->addrs.v[nic->addrs.n++] = d;
	return 0;
}

/* ---- routes ---- */

static int take_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	uint32_t table, oif;
	struct wire_route d = {0};
	struct scan *c = arg;
	struct wire_nic *nic;
	int i;

	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	table = m->rtm_table;
	(void) rtnl_find_u32(h, sizeof(*m), RTA_TABLE, &table);
	if (table != RT_TABLE_MAIN || m->rtm_type != RTN_UNICAST || m->rtm_flags & RTM_F_CLONED ||
	    m->rtm_protocol == RTPROT_KERNEL || !known_family(m->rtm_family))
		return 0;
	if (rtnl_find(h, sizeof(*m), RTA_MULTIPATH)) {
		c->odd = "a route with several next hops";
		return 0;
	}
	if (!rtnl_find_u32(h, sizeof(*m), RTA_OIF, &oif))
		return 0;
	i = nic_of(c, (int) oif);
	if (i < 0)
		return 0;
	if (c->entries++ == ENTRIES_MAX)
		return -E2BIG;
	d.family = m->rtm_family;
	d.prefix = m->rtm_dst_len;
	d.scope = m->rtm_scope;
	d.protocol = m->rtm_protocol;
	d.onlink = m->rtm_flags & RTNH_F_ONLINK;
	d.dest = address(h, sizeof(*m), RTA_DST, m->rtm_family, c->a);
	d.gateway = address(h, sizeof(*m), RTA_GATEWAY, m->rtm_family, c->a);
	d.source = address(h, sizeof(*m), RTA_PREFSRC, m->rtm_family, c->a);
	(void) rtnl_find_u32(h, sizeof(*m), RTA_PRIORITY, &d.metric);
	if (rtnl_find(h, sizeof(*m), RTA_VIA))
		c->odd = "a route through a gateway of another family";
	nic = &c->net->nics.v[i];
	nic->routes.v = arena_room(c->a, nic->routes.v, nic->routes.n, &c->cap[i], sizeof(d));
	nic->routes.v[nic->routes.n++] = d;
	return 0;
}

/* ---- neighbours ---- */

static int take_neigh(const struct nlmsghdr *h, void *arg)
{
	const struct ndmsg *m = NLMSG_DATA(h);
	const struct rtattr *t;
	struct wire_neigh d = {0};
	char mac[NET_MAC_TEXT];
	struct scan *c = arg;
	struct wire_nic *nic;
	int i;

	if (h->nlmsg_type != RTM_NEWNEIGH || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	i = nic_of(c, m->ndm_ifindex);
	if (i < 0 || !(m->ndm_state & NUD_PERMANENT) || !known_family(m->ndm_family))
		return 0;
	t = rtnl_find(h, sizeof(*m), NDA_LLADDR);
	d.addr = address(h, sizeof(*m), NDA_DST, m->ndm_family, c->a);
	if (!d.addr || !t || RTA_PAYLOAD(t) != 6)
		return 0;
	if (c->entries++ == ENTRIES_MAX)
		return -E2BIG;
	net_mac_format(mac, RTA_DATA(t));
	d.mac = arena_strdup(c->a, mac);
	nic = &c->net->nics.v[i];
	nic->neighs.v = arena_room(c->a, nic->neighs.v, nic->neighs.n, &c->cap[i], sizeof(d));
	nic->neighs.v[nic->neighs.n++] = d;
	return 0;
}

/* ---- links ---- */

/* Devices that a new namespace has of itself, and what we make. */
static bool is_not_the_containers(const struct net_link *l)
{
	static const char *const templates[] = {"tunl0",    "gre0", "gretap0", "erspan0", "ip_vti0",
						"ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"};

	if (l->flags & IFF_LOOPBACK || strncmp(l->name, "kvtap", 5) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(templates); i++)
		if (str_eq(l->name, templates[i]))
			return true;
	return false;
}

static int take_links(struct rtnl *s, struct arena *a, struct wire_net *net, int *index,
		      struct err *e)
{
	char mac[NET_MAC_TEXT];
	struct net_links l;
	int r = net_links_get(s, a, &l);

	if (r < 0)
		return err_neg(e, r, "reading the container's network interfaces");
	*net = (struct wire_net){.nics.v = arena_array(a, NET_NICS_MAX, sizeof(struct wire_nic))};
	for (size_t i = 0; i < l.n; i++) {
		if (is_not_the_containers(&l.v[i]))
			continue;
		if (l.v[i].type != ARPHRD_ETHER || !l.v[i].has_mac)
			return err_set(
				e, -ENOTSUP,
				"network interface %s: expected an Ethernet device, which a guest "
				"can have, found one without a MAC (type %u)",
				l.v[i].name, l.v[i].type);
		if (net->nics.n == NET_NICS_MAX)
			return err_set(e, -E2BIG,
				       "more than %d network interfaces: a guest can have no more",
				       NET_NICS_MAX);
		net_mac_format(mac, l.v[i].mac);
		index[net->nics.n] = l.v[i].index;
		net->nics.v[net->nics.n++] = (struct wire_nic){
			.name = arena_strdup(a, l.v[i].name),
			.set_mac = arena_strdup(a, mac),
			.mtu = l.v[i].mtu,
			.up = l.v[i].flags & IFF_UP,
		};
	}
	return 0;
}

int net_scan(struct rtnl *s, struct arena *a, struct wire_net *ret, int ret_index[NET_NICS_MAX],
	     struct err *e)
{
	static const struct {
		uint16_t type;
		size_t head;
		int (*take)(const struct nlmsghdr *h, void *arg);
		const char *what;
	} dumps[] = {
		{RTM_GETADDR, sizeof(struct ifaddrmsg), take_address, "addresses"},
		{RTM_GETROUTE, sizeof(struct rtmsg), take_route, "routes"},
		{RTM_GETNEIGH, sizeof(struct ndmsg), take_neigh, "neighbours"},
	};
	const char zero[16] = {0}; /* AF_UNSPEC, everything */
	struct scan c = {.a = a, .net = ret, .index = ret_index};
	struct rtnl_req q;
	int r = take_links(s, a, ret, ret_index, e);

	if (r < 0 || !ret->nics.n)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
		memset(c.cap, 0, sizeof(c.cap));
		rtnl_begin(&q, dumps[i].type, NLM_F_DUMP, zero, dumps[i].head);
		r = rtnl_talk(s, &q, dumps[i].take, &c);
		if (r < 0)
			return err_neg(e, r, "reading the %s of the container's network interfaces",
				       dumps[i].what);
	}
	if (c.odd)
		return err_set(e, -ENOTSUP,
			       "the container's network has %s, which a guest cannot have", c.odd);
	return 0;
}

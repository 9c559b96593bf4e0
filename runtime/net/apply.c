/* SPDX-License-Identifier: Apache-2.0 */
/* Making the interfaces of a guest as they were on the host. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>

#include "net/nics.h"

struct ip {
	int family;
	size_t n;
	uint8_t v[16];
};

/* What the host says is checked here: it may be hostile (confidential mode), and a wrong text is an error, not a guess. */
static int parse_ip(const char *s, struct ip *ret)
{
	if (s && inet_pton(AF_INET, s, ret->v) == 1) {
		ret->family = AF_INET;
		ret->n = 4;
		return 0;
	}
	if (s && inet_pton(AF_INET6, s, ret->v) == 1) {
		ret->family = AF_INET6;
		ret->n = 16;
		return 0;
	}
	return -EINVAL;
}

static int fail(const struct rtnl *s, int r, const struct wire_nic *nic, const char *what,
		const char *which, struct err *e)
{
	return err_neg(e, r, "network interface %s: %s%s%s%s%s", nic->name, what, which ? " " : "",
		       which ? which : "", s->said[0] ? ": " : "", s->said);
}

/* ---- what was there before ---- */

static int set_up(struct rtnl *s, int index, bool up)
{
	struct ifinfomsg m = {
		.ifi_index = index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP};
	struct rtnl_req q;

	rtnl_begin(&q, RTM_NEWLINK, 0, &m, sizeof(m));
	return rtnl_talk(s, &q, NULL, NULL);
}

struct old {
	int index;
	bool found;
	struct ifaddrmsg m;
	struct ip local;
};

static int find_old(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	const struct rtattr *t;
	struct old *o = arg;

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	if ((int) m->ifa_index != o->index || m->ifa_scope == RT_SCOPE_LINK || o->found)
		return 0;
	t = rtnl_find(h, sizeof(*m), IFA_LOCAL);
	if (!t)
		t = rtnl_find(h, sizeof(*m), IFA_ADDRESS);
	if (!t || RTA_PAYLOAD(t) > sizeof(o->local.v))
		return 0;
	o->found = true;
	o->m = *m;
	o->local.n = RTA_PAYLOAD(t);
	memcpy(o->local.v, RTA_DATA(t), o->local.n);
	return 0;
}

/* Down, which takes its routes, and without addresses: IPv4's outlive that. */
static int clear(struct rtnl *s, int index)
{
	struct ifaddrmsg all = {.ifa_family = AF_UNSPEC};
	struct rtnl_req q;
	struct old o;
	int r = set_up(s, index, false);

	while (r == 0) {
		o = (struct old){.index = index};
		rtnl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &all, sizeof(all));
		r = rtnl_talk(s, &q, find_old, &o);
		if (r < 0 || !o.found)
			break;
		rtnl_begin(&q, RTM_DELADDR, 0, &o.m, sizeof(o.m));
		rtnl_put(&q, IFA_LOCAL, o.local.v, o.local.n);
		r = rtnl_talk(s, &q, NULL, NULL);
	}
	return r;
}

/* ---- one thing each ---- */

static int add_address(struct rtnl *s, int index, const struct wire_addr *d)
{
	struct ifaddrmsg m = {.ifa_index = (uint32_t) index};
	/* it was the interface's on the host: nobody else has it */
	const uint32_t flags = IFA_F_NODAD;
	struct ip local, broadcast;
	struct rtnl_req q;
	int r = parse_ip(d->addr, &local);

	if (r < 0 || d->prefix > 8 * local.n)
		return -EINVAL;
	m.ifa_family = (unsigned char) local.family;
	m.ifa_prefixlen = (unsigned char) d->prefix;
	rtnl_begin(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &m, sizeof(m));
	rtnl_put(&q, IFA_LOCAL, local.v, local.n);
	rtnl_put(&q, IFA_ADDRESS, local.v, local.n);
	if (d->broadcast) {
		if (parse_ip(d->broadcast, &broadcast) < 0 || broadcast.family != local.family)
			return -EINVAL;
		rtnl_put(&q, IFA_BROADCAST, broadcast.v, broadcast.n);
	}
	if (local.family == AF_INET6)
		rtnl_put(&q, IFA_FLAGS, &flags, sizeof(flags));
	return rtnl_talk(s, &q, NULL, NULL);
}

static int put_ip(struct rtnl_req *q, uint16_t type, const char *s, int family)
{
	struct ip ip;

	if (!s)
		return 0;
	if (parse_ip(s, &ip) < 0 || ip.family != family)
		return -EINVAL;
	rtnl_put(q, type, ip.v, ip.n);
	return 0;
}

static int add_route(struct rtnl *s, int index, const struct wire_route *d)
{
	const int32_t oif = index;
	struct rtmsg m = {.rtm_family = (unsigned char) d->family,
			  .rtm_dst_len = (unsigned char) d->prefix,
			  .rtm_table = RT_TABLE_MAIN,
			  .rtm_type = RTN_UNICAST,
			  .rtm_scope = (unsigned char) d->scope,
			  .rtm_protocol = (unsigned char) d->protocol,
			  .rtm_flags = d->onlink ? RTNH_F_ONLINK : 0};
	struct rtnl_req q;

	if ((d->family != AF_INET && d->family != AF_INET6) ||
	    d->prefix > (d->family == AF_INET ? 32 : 128) || (d->prefix && !d->dest))
		return -EINVAL;
	rtnl_begin(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &m, sizeof(m));
	if ((d->prefix && put_ip(&q, RTA_DST, d->dest, m.rtm_family) < 0) ||
	    put_ip(&q, RTA_GATEWAY, d->gateway, m.rtm_family) < 0 ||
	    put_ip(&q, RTA_PREFSRC, d->source, m.rtm_family) < 0)
		return -EINVAL;
	rtnl_put(&q, RTA_OIF, &oif, sizeof(oif));
	if (d->metric)
		rtnl_put(&q, RTA_PRIORITY, &d->metric, sizeof(d->metric));
	return rtnl_talk(s, &q, NULL, NULL);
}

static int add_neigh(struct rtnl *s, int index, const struct wire_neigh *d)
{
	struct ndmsg m = {.ndm_ifindex = index, .ndm_state = NUD_PERMANENT};
	struct rtnl_req q;
	uint8_t mac[6];
	struct ip ip;

	if (parse_ip(d->addr, &ip) < 0 || !d->mac || net_mac_parse(d->mac, mac) < 0)
		return -EINVAL;
	m.ndm_family = (unsigned char) ip.family;
	rtnl_begin(&q, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &m, sizeof(m));
	rtnl_put(&q, NDA_DST, ip.v, ip.n);
	rtnl_put(&q, NDA_LLADDR, mac, sizeof(mac));
	return rtnl_talk(s, &q, NULL, NULL);
}

/* ---- one interface ---- */

static int shape_link(struct rtnl *s, const struct net_link *l, const struct wire_nic *nic,
		      struct err *e)
{
	uint8_t mac[6];
	int r = clear(s, l->index);

	if (r < 0)
		return fail(s, r, nic, "clearing it", NULL, e);
	if (nic->set_mac) {
		if (net_mac_parse(nic->set_mac, mac) < 0)
			return fail(s, -EINVAL, nic, "malformed MAC", nic->set_mac, e);
		r = net_link_set_mac(s, l->index, mac);
		if (r < 0)
			return fail(s, r, nic, "setting its MAC", nic->set_mac, e);
	}
	r = net_link_rename(s, l->index, nic->name);
	if (r < 0)
		return fail(s, r, nic, "renaming", l->name, e);
	r = nic->mtu && nic->mtu != l->mtu ? net_link_set_mtu(s, l->index, nic->mtu) : 0;
	if (r == 0 && nic->up)
		r = set_up(s, l->index, true);
	return r < 0 ? fail(s, r, nic, "setting its MTU, or setting it up", NULL, e) : 0;
}

/* Routes through a gateway need the route to it first. */
static int add_routes(struct rtnl *s, int index, const struct wire_nic *nic, struct err *e)
{
	for (unsigned with_gateway = 0; with_gateway < 2; with_gateway++)
		for (size_t i = 0; i < nic->routes.n; i++) {
			const struct wire_route *d = &nic->routes.v[i];
			int r;

			if ((d->gateway != NULL) != with_gateway)
				continue;
			r = add_route(s, index, d);
			if (r < 0)
				return fail(s, r, nic, "adding the route to",
					    d->dest ? d->dest : "default", e);
		}
	return 0;
}

static int apply_nic(struct rtnl *s, const struct net_link *l, const struct wire_nic *nic,
		     struct err *e)
{
	int r = shape_link(s, l, nic, e);

	for (size_t i = 0; r == 0 && i < nic->addrs.n; i++) {
		r = add_address(s, l->index, &nic->addrs.v[i]);
		if (r < 0)
			return fail(s, r, nic, "adding the address", nic->addrs.v[i].addr, e);
	}
	for (size_t i = 0; r == 0 && nic->up && i < nic->neighs.n; i++) {
		r = add_neigh(s, l->index, &nic->neighs.v[i]);
		if (r < 0)
			return fail(s, r, nic, "adding the neighbour", nic->neighs.v[i].addr, e);
	}
	return r == 0 && nic->up ? add_routes(s, l->index, nic, e) : r;
}

static const struct net_link *by_mac(const struct net_links *l, const uint8_t mac[6])
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].has_mac && !(l->v[i].flags & IFF_LOOPBACK) &&
		    memcmp(l->v[i].mac, mac, 6) == 0)
			return &l->v[i];
	return NULL;
}

/* The device's own MAC, or the one that it was given when this was said before. */
static const struct net_link *find_device(const struct net_links *l, const struct wire_nic *nic)
{
	const struct net_link *found = NULL;
	uint8_t mac[6];

	if (nic->mac && net_mac_parse(nic->mac, mac) == 0)
		found = by_mac(l, mac);
	if (!found && nic->set_mac && net_mac_parse(nic->set_mac, mac) == 0)
		found = by_mac(l, mac);
	return found;
}

static int loopback_up(struct rtnl *s, const struct net_links *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].flags & IFF_LOOPBACK)
			return net_link_up(s, l->v[i].index);
	return 0;
}

/* The kernel numbers its devices in the order in which it finds them: out of the way with names that another one is to have. */
static int free_names(struct rtnl *s, const struct net_link *const *dev, const struct wire_net *n,
		      struct err *e)
{
	char name[IFNAMSIZ];
	int r;

	for (size_t i = 0; i < n->nics.n; i++) {
		if (strcmp(dev[i]->name, n->nics.v[i].name) == 0)
			continue;
		snprintf(name, sizeof(name), "kvnic%u", (unsigned) i % NET_NICS_MAX);
		r = set_up(s, dev[i]->index, false);
		if (r == 0)
			r = net_link_rename(s, dev[i]->index, name);
		if (r < 0)
			return fail(s, r, &n->nics.v[i], "renaming", dev[i]->name, e);
	}
	return 0;
}

int net_apply(struct rtnl *s, const struct wire_net *n, struct err *e)
{
	const struct net_link *dev[NET_NICS_MAX];
	arena_auto a = {0};
	struct net_links l;
	int r = net_links_get(s, &a, &l);

	if (r == 0)
		r = loopback_up(s, &l);
	if (r < 0)
		return err_neg(e, r, "network: looking at the interfaces");
	if (n->nics.n > NET_NICS_MAX)
		return err_set(e, -E2BIG, "network: %zu interfaces, at most %d", n->nics.n,
			       NET_NICS_MAX);
	for (size_t i = 0; i < n->nics.n; i++) {
		const struct wire_nic *nic = &n->nics.v[i];

		dev[i] = nic->name ? find_device(&l, nic) : NULL;
		if (!dev[i])
			return err_set(e, -ENODEV,
				       "network interface %s: the guest has no device with MAC %s",
				       nic->name ? nic->name : "without a name",
				       nic->mac ? nic->mac : "none");
	}
	r = free_names(s, dev, n, e);
	for (size_t i = 0; r == 0 && i < n->nics.n; i++)
		r = apply_nic(s, dev[i], &n->nics.v[i], e);
	return r;
}

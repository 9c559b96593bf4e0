/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices (S-36): interfaces of the host that become the container's.
 *
 * Theory of operation. Everything that can be refused is looked at first: a device that is not there before anything is
 * made, a name that is taken before the first device moves. The kernel moves and renames in one request; what it drops on
 * the way are the addresses, so those that are meant to last (permanent, global scope) are read before and put back
 * after. We enter the container's network namespace for that and come back: hooks and what follows are the host's.
 * Nothing is moved back, neither after a failure nor at the end: the namespace goes, and the kernel gives a physical device
 * to the host and removes a virtual one. That is what the spec demands for the end.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/link.h"
#include "process/process.h"

#define ADDRESSES_MAX 4096 /* of one device; more is a mistake of somebody's */
#define INDEX_TRIES 4096

static int refused(const struct rtnl *s, const char *host, int r, const char *what, struct err *e)
{
	return err_neg(e, r, "linux.netDevices[\"%s\"]: %s%s%s", host, what, s->said[0] ? ": " : "",
		       s->said);
}

/* ---- addresses ---- */

struct address {
	struct ifaddrmsg m;
	uint32_t flags, metric;
	struct bytes local, address, broadcast;
	bool has_metric;
};

struct addresses {
	int index;
	struct arena *a;
	struct address *v;
	size_t n, cap;
};

static struct bytes copy_attr(const struct nlmsghdr *h, uint16_t type, struct arena *a)
{
	const struct rtattr *t = rtnl_find(h, sizeof(struct ifaddrmsg), type);

	if (!t)
		return (struct bytes){0};
	return (struct bytes){.v = arena_memdup(a, RTA_DATA(t), RTA_PAYLOAD(t)),
			      .n = RTA_PAYLOAD(t)};
}

/* How an address came to be is not ours to say again; how it behaves is. */
#define ADDRESS_FLAGS                                                                              \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |            \
	 IFA_F_MCAUTOJOIN)

static int take_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	struct addresses *l = arg;
	struct address d = {0};

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	d.m = *m;
	if (!rtnl_find_u32(h, sizeof(*m), IFA_FLAGS, &d.flags))
		d.flags = m->ifa_flags;
	if ((int) m->ifa_index != l->index || m->ifa_scope != RT_SCOPE_UNIVERSE ||
	    !(d.flags & IFA_F_PERMANENT))
		return 0;
	if (l->n == ADDRESSES_MAX)
		return -E2BIG;
	d.has_metric = rtnl_find_u32(h, sizeof(*m), IFA_RT_PRIORITY, &d.metric);
	d.local = copy_attr(h, IFA_LOCAL, l->a);
	d.address = copy_attr(h, IFA_ADDRESS, l->a);
	d.broadcast = copy_attr(h, IFA_BROADCAST, l->a);
	l->v = arena_room(l->a, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = d;
	return 0;
}

static int addresses_get(struct rtnl *s, int index, struct arena *a, struct addresses *ret)
{
	struct ifaddrmsg m = {.ifa_family = AF_UNSPEC};
	struct addresses l = {.index = index, .a = a};
	struct rtnl_req q;
	int r;

	rtnl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m));
	r = rtnl_talk(s, &q, take_address, &l);
	if (r == 0)
		*ret = l;
	return r;
}

static void put_bytes(struct rtnl_req *q, uint16_t type, const struct bytes *b)
{
	if (b->n && b->n <= 16)
		rtnl_put(q, type, b->v, b->n);
}

static int address_add(struct rtnl *s, const struct address *d, int index)
{
	struct ifaddrmsg m = {.ifa_family = d->m.ifa_family,
			      .ifa_prefixlen = d->m.ifa_prefixlen,
			      .ifa_scope = d->m.ifa_scope,
			      .ifa_index = (uint32_t) index};
	uint32_t flags = d->flags & ADDRESS_FLAGS;
	struct rtnl_req q;

	rtnl_begin(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	put_bytes(&q, IFA_LOCAL, &d->local);
	put_bytes(&q, IFA_ADDRESS, &d->address);
	put_bytes(&q, IFA_BROADCAST, &d->broadcast);
	if (flags)
		rtnl_put(&q, IFA_FLAGS, &flags, sizeof(flags));
	if (d->has_metric)
		rtnl_put(&q, IFA_RT_PRIORITY, &d->metric, sizeof(d->metric));
	return rtnl_talk(s, &q, NULL, NULL);
}

/* ---- one device ---- */

struct move {
	const struct pol_netdev *d;
	int index; /* on the host */
	struct addresses addresses;
};

static bool is_pattern(const char *name)
{
	return str_has_suffix(name, "%d");
}

/* An index that is free there: the kernel would choose another one than the device's own without telling us. */
static int free_index(struct rtnl *there, int wanted, struct err *e)
{
	struct net_link l;

	for (int i = wanted; i < wanted + INDEX_TRIES && i > 0; i++) {
		int r = net_link_get(there, NULL, i, &l);

		if (r == -ENODEV)
			return i;
		if (r < 0)
			return err_neg(e, r, "linux.netDevices: looking at interface %d", i);
	}
	return err_set(e, -ENFILE, "linux.netDevices: no free interface number");
}

static int find_moved(struct rtnl *there, const struct move *m, int index, struct net_link *ret,
		      struct err *e)
{
	const char *name = m->d->name;
	int r = net_link_get(there, is_pattern(name) ? NULL : name, index, ret);

	/* Linux before 5.13 does not let us choose the number. */
	if (r == 0 && is_pattern(name) && strncmp(ret->name, name, strlen(name) - 2) != 0)
		r = -ENODEV;
	return r < 0 ? refused(there, m->d->host, r, "finding it in the container", e) : 0;
}

static int move_one(struct rtnl *here, struct rtnl *there, const struct move *m, int netns,
		    struct err *e)
{
	struct ifinfomsg head = {.ifi_index = m->index};
	const char *host = m->d->host, *name = m->d->name;
	int32_t index = free_index(there, m->index, e);
	struct rtnl_req q;
	struct net_link l;
	int r;

	if (index < 0)
		return index;
	rtnl_begin(&q, RTM_NEWLINK, 0, &head, sizeof(head));
	rtnl_put(&q, IFLA_NET_NS_FD, &netns, sizeof(netns));
	rtnl_put(&q, IFLA_NEW_IFINDEX, &index, sizeof(index));
	rtnl_put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	r = rtnl_talk(here, &q, NULL, NULL);
	if (r < 0)
		return refused(here, host, r, "moving it to the container", e);
	r = find_moved(there, m, index, &l, e);
	for (size_t i = 0; r == 0 && i < m->addresses.n; i++) {
		r = address_add(there, &m->addresses.v[i], l.index);
		if (r < 0)
			refused(there, host, r, "giving it its address in the container", e);
	}
	if (r < 0)
		return r;
	r = net_link_up(there, l.index);
	return r < 0 ? refused(there, host, r, "setting it up in the container", e) : 0;
}

/* ---- all of them ---- */

static int find_host(struct rtnl *here, const struct pol_netdev *d, struct net_link *ret,
		     struct err *e)
{
	int r = net_link_get(here, d->host, 0, ret);

	if (r == -ENODEV)
		return err_set(e, r, "linux.netDevices[\"%s\"]: the host has no such device",
			       d->host);
	if (r < 0)
		return refused(here, d->host, r, "looking at it", e);
	if (ret->flags & IFF_LOOPBACK)
		return err_set(e, -EINVAL,
			       "linux.netDevices[\"%s\"]: the loopback device cannot be moved",
			       d->host);
	return 0;
}

int netdevs_check(const struct policy *p, const struct spawn *s, struct err *e)
{
	rtnl_auto here = {.fd = -EBADF};
	struct stat ours, theirs;
	struct net_link l;
	int r;

	if (!p->netdevs.n)
		return 0;
	for (size_t i = 0; i < s->n_joins; i++)
		if (s->join[i].flag == CLONE_NEWNET && stat("/proc/self/ns/net", &ours) == 0 &&
		    fstat(s->join[i].fd, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
		    ours.st_dev == theirs.st_dev)
			return err_set(e, -EINVAL,
				       "linux.netDevices: the container's network namespace is the "
				       "host's own, where the devices are already");
	r = rtnl_open(&here, e);
	for (size_t i = 0; r == 0 && i < p->netdevs.n; i++)
		r = find_host(&here, &p->netdevs.v[i], &l, e);
	return r;
}

static int plan(struct rtnl *here, struct rtnl *there, const struct pol_netdev *d, struct arena *a,
		struct move *ret, struct err *e)
{
	struct net_link l;
	int r = find_host(here, d, &l, e);

	if (r < 0)
		return r;
	*ret = (struct move){.d = d, .index = l.index};
	r = addresses_get(here, l.index, a, &ret->addresses);
	if (r < 0)
		return refused(here, d->host, r, "reading its addresses", e);
	if (is_pattern(d->name))
		return 0;
	r = net_link_get(there, d->name, 0, &l);
	if (r == 0)
		return err_set(
			e, -EEXIST,
			"linux.netDevices[\"%s\"].name: the container has a device \"%s\" already",
			d->host, d->name);
	return r == -ENODEV ? 0 : refused(there, d->host, r, "looking for its name", e);
}

static int move_all(const struct policy *p, struct rtnl *here, struct rtnl *there, int netns,
		    struct err *e)
{
	size_t n = p->netdevs.n;
	arena_auto a = {0};
	struct move *m = arena_array(&a, n, sizeof(*m));
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = plan(here, there, &p->netdevs.v[i], &a, &m[i], e);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = move_one(here, there, &m[i], netns, e);
	return r;
}

int netdevs_move(const struct policy *p, int pidfd, struct err *e)
{
	rtnl_auto here = {.fd = -EBADF}, there = {.fd = -EBADF};
	fd_auto int netns = -EBADF;
	int r;

	if (!p->netdevs.n)
		return 0;
	r = rtnl_open(&here, e);
	if (r == 0)
		r = rtnl_open_in(pidfd, &there, &netns, e);
	return r < 0 ? r : move_all(p, &here, &there, netns, e);
}

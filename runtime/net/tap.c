/* SPDX-License-Identifier: Apache-2.0 */
/* A tap that is joined to an interface by traffic control: what comes in at the one goes out at the other. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <poll.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "net/nics.h"

#define QDISC_TRIES 10	/* another one's request holds the kernel's list: EBUSY */
#define OUR_PRIO 0x6b76 /* of our filters: how they are told from anybody else's */

int net_tap(struct rtnl *s, int tun, struct net_tap *ret, struct err *e)
{
	/* the kernel fills in the first number that is free */
	struct ifreq ifr = {.ifr_name = "kvtap%d", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	struct net_link l;
	int r;

	if (ioctl(tun, TUNSETIFF, &ifr) < 0)
		return err_sys(e, "making the tap %s", ifr.ifr_name);
	r = net_link_get(s, ifr.ifr_name, 0, &l);
	if (r == 0)
		r = net_link_quiet(s, l.index);
	if (r < 0)
		return err_neg(e, r, "setting up the tap %s", ifr.ifr_name);
	*ret = (struct net_tap){.fd = tun, .index = l.index};
	return 0;
}

static int add_ingress(struct rtnl *s, int index)
{
	struct tcmsg m = {.tcm_family = AF_UNSPEC,
			  .tcm_ifindex = index,
			  .tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0),
			  .tcm_parent = TC_H_INGRESS};
	struct rtnl_req q;
	int r = -EBUSY;

	for (int i = 0; r == -EBUSY && i < QDISC_TRIES; i++) {
		if (i)
			poll(NULL, 0, 5); /* no other way to sleep behind the monitor's filter */
		rtnl_begin(&q, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
		rtnl_put(&q, TCA_KIND, "ingress", sizeof("ingress"));
		r = rtnl_talk(s, &q, NULL, NULL);
	}
	return r;
}

/* Where frames of an interface go now. */
struct target {
	int index; /* of the interface; of all the answers only some are about it */
	unsigned ours, others;
	bool alive; /* one of ours leads to a device that is there */
};

static int take_filter(const struct nlmsghdr *h, void *arg)
{
	const struct tcmsg *m = NLMSG_DATA(h);
	struct target *t = arg;
	const struct rtattr *at;
	struct tc_mirred mirred;

	if (h->nlmsg_type != RTM_NEWTFILTER || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    m->tcm_ifindex != t->index)
		return 0;
	if (TC_H_MAJ(m->tcm_info) >> 16 != OUR_PRIO) {
		t->others++;
		return 0;
	}
	t->ours++;
	/* one filter is three messages: its two tables have no action */
	at = rtnl_find(h, sizeof(*m), TCA_OPTIONS);
	at = at ? rtnl_find_in(at, TCA_U32_ACT) : NULL;
	at = at ? rtnl_find_in(at, 1) : NULL;
	at = at ? rtnl_find_in(at, TCA_ACT_OPTIONS) : NULL;
	at = at ? rtnl_find_in(at, TCA_MIRRED_PARMS) : NULL;
	if (at && RTA_PAYLOAD(at) >= sizeof(mirred)) {
		memcpy(&mirred, RTA_DATA(at), sizeof(mirred));
		t->alive |= mirred.ifindex != 0; /* the kernel forgets a device that has gone */
	}
	return 0;
}

/* An interface has an ingress qdisc already. A VM that was there before us, in a namespace that others keep (a pod's, or
 * another container's), has left one: it goes. One that still has a VM behind it, or that somebody else made, stays. */
static int remove_stale(struct rtnl *s, int index)
{
	struct tcmsg m = {.tcm_family = AF_UNSPEC,
			  .tcm_ifindex = index,
			  .tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0)};
	struct target t = {.index = index};
	struct rtnl_req q;
	int r;

	rtnl_begin(&q, RTM_GETTFILTER, NLM_F_DUMP, &m, sizeof(m));
	r = rtnl_talk(s, &q, take_filter, &t);
	if (r < 0)
		return r;
	if (!t.ours || t.others || t.alive)
		return -EEXIST;
	m.tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
	m.tcm_parent = TC_H_INGRESS;
	rtnl_begin(&q, RTM_DELQDISC, 0, &m, sizeof(m));
	return rtnl_talk(s, &q, NULL, NULL);
}

static int add_ingress_anew(struct rtnl *s, int index)
{
	int r = add_ingress(s, index);

	if (r != -EEXIST)
		return r;
	r = remove_stale(s, index);
	return r < 0 ? r : add_ingress(s, index);
}

/* u32 with a key that every frame has, because matchall is a module that not every kernel comes with. */
static int redirect(struct rtnl *s, int from, int to)
{
	struct tcmsg m = {.tcm_family = AF_UNSPEC,
			  .tcm_ifindex = from,
			  .tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0),
			  .tcm_info = TC_H_MAKE(OUR_PRIO << 16, htons(ETH_P_ALL))};
	const struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (uint32_t) to};
	union {
		struct tc_u32_sel sel;
		char raw[sizeof(struct tc_u32_sel) + sizeof(struct tc_u32_key)];
	} match = {.sel = {.flags = TC_U32_TERMINAL, .nkeys = 1}};
	struct rtnl_req q;
	size_t options, actions, first, parms;

	rtnl_begin(&q, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	rtnl_put(&q, TCA_KIND, "u32", sizeof("u32"));
	options = rtnl_nest(&q, TCA_OPTIONS);
	rtnl_put(&q, TCA_U32_SEL, &match, sizeof(match));
	actions = rtnl_nest(&q, TCA_U32_ACT);
	first = rtnl_nest(&q, 1);
	rtnl_put(&q, TCA_ACT_KIND, "mirred", sizeof("mirred"));
	parms = rtnl_nest(&q, TCA_ACT_OPTIONS);
	rtnl_put(&q, TCA_MIRRED_PARMS, &mirred, sizeof(mirred));
	rtnl_nest_end(&q, parms);
	rtnl_nest_end(&q, first);
	rtnl_nest_end(&q, actions);
	rtnl_nest_end(&q, options);
	return rtnl_talk(s, &q, NULL, NULL);
}

static int fail(const struct rtnl *s, int r, const char *name, const char *what, struct err *e)
{
	return err_neg(e, r, "network interface %s: %s%s%s", name, what, s->said[0] ? ": " : "",
		       s->said);
}

int net_tap_join(struct rtnl *s, struct net_tap *t, int index, struct err *e)
{
	struct net_link l;
	int r = net_link_get(s, NULL, index, &l);

	if (r < 0)
		return err_neg(e, r, "network interface %d", index);
	r = net_link_set_mtu(s, t->index, l.mtu);
	if (r < 0)
		return fail(s, r, l.name, "giving its MTU to the tap", e);
	r = add_ingress_anew(s, index);
	if (r == -EEXIST)
		return err_set(
			e, -EBUSY,
			"network interface %s: it is another VM's already, or has an ingress "
			"qdisc of somebody else's: one interface leads to one VM",
			l.name);
	if (r == 0)
		r = add_ingress(s, t->index);
	if (r < 0)
		return fail(s, r, l.name, "adding an ingress qdisc (kernel module sch_ingress)", e);
	r = redirect(s, index, t->index);
	if (r == 0)
		r = redirect(s, t->index, index);
	if (r < 0)
		return fail(s, r, l.name,
			    "redirecting its frames (kernel modules cls_u32, act_mirred)", e);
	r = net_link_up(s, t->index);
	if (r == 0)
		r = net_link_up(s, index);
	if (r < 0)
		return fail(s, r, l.name, "setting it up", e);
	t->joined = index;
	return 0;
}

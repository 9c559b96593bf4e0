/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's network interfaces, and how they get into a guest.
 *
 * On the host, in the container's network namespace, net_scan() reads what the engine has set up, and net_tap() makes a
 * tap whose frames go to an interface and come from it (tc: ingress and mirred on both): the guest is then at that end of
 * the wire, with the interface's own MAC, and what the host's kernel had for addresses there never answers. In the guest,
 * net_apply() gives the virtio device the name, MAC, MTU, addresses, routes and neighbours that were read.
 *
 * Nobody has to know in advance what the engine will do: a tap can be made first and joined to an interface later.
 */
#ifndef KAVACH_NET_NICS_H
#define KAVACH_NET_NICS_H

#include "base/arena.h"
#include "base/err.h"
#include "net/link.h"
#include "net/rtnl.h"
#include "wire/body.h"

#define NET_NICS_MAX 8 /* of one guest */

/* net_scan: the interfaces of the namespace that `s` belongs to, but loopback, tunnels that stand by themselves and our
 * own taps, in the order of their numbers: nics[i] has everything but `mac`, which is the virtio device's and set by whoever
 * knows it; ret_index[i] is its number. An interface without a MAC (tun, ipip) is an error: the guest's is an Ethernet card.
 * Left out is what the guest's kernel makes itself: IPv6 link-local addresses, routes of the kernel's own. -E2BIG: more than
 * NET_NICS_MAX. */
int net_scan(struct rtnl *s, struct arena *a, struct wire_net *ret, int ret_index[NET_NICS_MAX],
	     struct err *e);

struct net_tap {
	int fd; /* of /dev/net/tun, with IFF_TAP, IFF_NO_PI, IFF_VNET_HDR; close-on-exec; -EBADF */
	int index;
	int joined; /* the interface that it is joined to; 0: none yet */
};
#define NET_TAP_INIT ((struct net_tap){.fd = -EBADF})

/* net_tap: a new tap "kvtapN" in our network namespace, down and quiet; it goes when the last fd of it is closed. tun: an fd
 * of /dev/net/tun, which becomes ret->fd. */
int net_tap(struct rtnl *s, int tun, struct net_tap *ret, struct err *e);
/* net_tap_join: frames go between the tap and the interface, which gives it its MTU; both are up afterwards. What a VM that
 * has ended left on the interface is replaced; -EBUSY: it leads to another one, or somebody else has an ingress qdisc there. */
int net_tap_join(struct rtnl *s, struct net_tap *t, int index, struct err *e);

/* net_apply: makes the interfaces of our network namespace as they stand in *n: each is found by `mac`; loopback comes up
 * too. What was there on an interface of the list before is removed first, so that it can be said again. */
int net_apply(struct rtnl *s, const struct wire_net *n, struct err *e);

#endif

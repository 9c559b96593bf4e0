/* SPDX-License-Identifier: Apache-2.0 */
/* Network interfaces of the namespace that a netlink socket belongs to. */
#ifndef KAVACH_NET_LINK_H
#define KAVACH_NET_LINK_H

#include <linux/if.h>

#include "base/arena.h"
#include "base/err.h"
#include "net/rtnl.h"

#define NET_MAC_TEXT 18 /* "02:00:00:00:00:01" */

struct net_link {
	int index;
	unsigned flags; /* IFF_* */
	unsigned type;	/* ARPHRD_* */
	uint32_t mtu;
	uint8_t mac[6];
	bool has_mac;
	char name[IFNAMSIZ];
	char kind[16]; /* "veth", "tun", ...; "" for devices of hardware */
};

struct net_links {
	struct net_link *v;
	size_t n;
};

/* net_link_get: by name, or with NULL by its index. -ENODEV. */
int net_link_get(struct rtnl *s, const char *name, int index, struct net_link *ret);
/* net_links_get: all of them, by index. */
int net_links_get(struct rtnl *s, struct arena *a, struct net_links *ret);
int net_link_up(struct rtnl *s, int index);
/* net_link_set_mtu, net_link_set_mac, net_link_rename: one attribute; the device must be down for the latter two. */
int net_link_set_mtu(struct rtnl *s, int index, uint32_t mtu);
int net_link_set_mac(struct rtnl *s, int index, const uint8_t mac[6]);
int net_link_rename(struct rtnl *s, int index, const char *name);
/* net_link_quiet: no IPv6 address of its own making: a device that only passes on frames is not to speak itself. */
int net_link_quiet(struct rtnl *s, int index);

void net_mac_format(char ret[NET_MAC_TEXT], const uint8_t mac[6]);
/* net_mac_parse: six pairs of hex digits with colons. -EINVAL. */
int net_mac_parse(const char *s, uint8_t ret[6]);

#endif

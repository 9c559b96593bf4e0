/* SPDX-License-Identifier: Apache-2.0 */
/* The little of rtnetlink(7) that network devices of containers need: moving, reading, setting up, redirecting. */
#ifndef KAVACH_NET_RTNL_H
#define KAVACH_NET_RTNL_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RTNL_SAID_MAX 128

struct rtnl {
	int fd; /* -EBADF: not open */
	uint32_t seq;
	char said[RTNL_SAID_MAX]; /* the kernel's own words about the last refusal, or "" */
};

/* One request: its header, a fixed structure that depends on the type, attributes. */
struct rtnl_req {
	union {
		struct nlmsghdr h;
		char raw[1024];
	} u;
};

/* rtnl_open: a socket of the network namespace that we are in; it stays one of that when we go elsewhere. */
int rtnl_open(struct rtnl *ret, struct err *e);
/* rtnl_open_in: one of the network namespace that `ns` names: an fd of it, or a pidfd; ret_ns, when not NULL, gets an fd of the
 * namespace itself. We are in our own again afterwards, or it is an error. */
int rtnl_open_in(int ns, struct rtnl *ret, int *ret_ns, struct err *e);
void rtnl_close(struct rtnl *s);
#define rtnl_auto __attribute__((cleanup(rtnl_close))) struct rtnl

/* rtnl_begin: starts a request of a type (RTM_*) with flags (NLM_F_*) and its fixed structure. */
void rtnl_begin(struct rtnl_req *q, uint16_t type, uint16_t flags, const void *head, size_t n);
/* rtnl_put: appends an attribute; there is room for what one request of ours has (asserted). */
void rtnl_put(struct rtnl_req *q, uint16_t type, const void *p, size_t n);

/* rtnl_nest, rtnl_nest_end: an attribute that holds those which are put between the two; `at` is what rtnl_nest() gave. */
size_t rtnl_nest(struct rtnl_req *q, uint16_t type);
void rtnl_nest_end(struct rtnl_req *q, size_t at);

/* rtnl_talk: sends the request and reads until the kernel has said that this was all; `each`, if there is one, gets every
 * message that answers it, and ends it with a negative result. Returns 0 or -errno: the kernel's (s->said has its words),
 * -EBADMSG for an answer that is none. */
int rtnl_talk(struct rtnl *s, struct rtnl_req *q, int (*each)(const struct nlmsghdr *h, void *arg),
	      void *arg);

/* rtnl_find: an attribute of a message behind its fixed structure of `head` bytes, or NULL. */
const struct rtattr *rtnl_find(const struct nlmsghdr *h, size_t head, uint16_t type);
/* rtnl_find_in: an attribute within one that holds others, or NULL. */
const struct rtattr *rtnl_find_in(const struct rtattr *nest, uint16_t type);
/* rtnl_find_u32: the same, of exactly 32 bits. */
bool rtnl_find_u32(const struct nlmsghdr *h, size_t head, uint16_t type, uint32_t *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink(7): requests and their answers. The other end is the kernel (nobody else can send to a socket that is bound to
 * the port of its own: the address of each packet is looked at), but lengths are checked all the same.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/types.h"
#include "net/rtnl.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define ANSWER_MAX 32768 /* the kernel's largest packet of a dump */

int rtnl_open(struct rtnl *ret, struct err *e)
{
	int one = 1;

	*ret = (struct rtnl){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
	if (ret->fd < 0) {
		ret->fd = -EBADF;
		return err_sys(e, "opening a netlink socket");
	}
	/* Words instead of numbers, without our request in each answer; a kernel before 4.12 goes without. */
	(void) setsockopt(ret->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	(void) setsockopt(ret->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return 0;
}

int rtnl_open_in(int ns, struct rtnl *ret, int *ret_ns, struct err *e)
{
	fd_auto int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	ret->fd = -EBADF;
	if (home < 0)
		return err_sys(e, "opening our network namespace");
	if (setns(ns, CLONE_NEWNET) < 0)
		return err_sys(e, "entering the container's network namespace");
	r = rtnl_open(ret, e);
	if (ret_ns) {
		*ret_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (r == 0 && *ret_ns < 0)
			r = err_sys(e, "opening the container's network namespace");
	}
	/* what would run in the wrong namespace from here on are hooks of the host */
	if (setns(home, CLONE_NEWNET) < 0)
		r = err_sys(e, "coming back to our network namespace");
	return r;
}

void rtnl_close(struct rtnl *s)
{
	s->fd = fd_close(s->fd);
}

void rtnl_begin(struct rtnl_req *q, uint16_t type, uint16_t flags, const void *head, size_t n)
{
	memset(q, 0, sizeof(*q));
	assert(NLMSG_SPACE(n) <= sizeof(q->u.raw));
	q->u.h.nlmsg_type = type;
	q->u.h.nlmsg_flags = NLM_F_REQUEST | flags;
	q->u.h.nlmsg_len = (uint32_t) NLMSG_LENGTH(n);
	memcpy(NLMSG_DATA(&q->u.h), head, n);
}

void rtnl_put(struct rtnl_req *q, uint16_t type, const void *p, size_t n)
{
	size_t at = NLMSG_ALIGN(q->u.h.nlmsg_len);
	struct rtattr a = {.rta_type = type, .rta_len = (unsigned short) RTA_LENGTH(n)};

	assert(n <= UINT16_MAX - RTA_LENGTH(0) && at + RTA_SPACE(n) <= sizeof(q->u.raw));
	memcpy(q->u.raw + at, &a, sizeof(a));
	if (n)
		memcpy(q->u.raw + at + RTA_LENGTH(0), p, n);
	q->u.h.nlmsg_len = (uint32_t) (at + RTA_LENGTH(n));
}

size_t rtnl_nest(struct rtnl_req *q, uint16_t type)
{
	size_t at = NLMSG_ALIGN(q->u.h.nlmsg_len);

	rtnl_put(q, type, NULL, 0);
	return at;
}

void rtnl_nest_end(struct rtnl_req *q, size_t at)
{
	uint16_t len = (uint16_t) (NLMSG_ALIGN(q->u.h.nlmsg_len) - at);

	q->u.h.nlmsg_len = NLMSG_ALIGN(q->u.h.nlmsg_len);
	memcpy(q->u.raw + at + offsetof(struct rtattr, rta_len), &len, sizeof(len));
}

static const struct rtattr *find_in(const char *p, size_t n, uint16_t type)
{
	while (n >= sizeof(struct rtattr)) {
		const struct rtattr *a = (const void *) p;
		size_t whole = RTA_ALIGN(a->rta_len);

		if (a->rta_len < sizeof(*a) || a->rta_len > n)
			return NULL;
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
		if (whole >= n)
			return NULL;
		p += whole;
		n -= whole;
	}
	return NULL;
}

const struct rtattr *rtnl_find(const struct nlmsghdr *h, size_t head, uint16_t type)
{
	size_t at = NLMSG_LENGTH(NLMSG_ALIGN(head));

	return h->nlmsg_len < at
		       ? NULL
		       : find_in((const char *) (const void *) h + at, h->nlmsg_len - at, type);
}

const struct rtattr *rtnl_find_in(const struct rtattr *nest, uint16_t type)
{
	return find_in(RTA_DATA(nest), RTA_PAYLOAD(nest), type);
}

bool rtnl_find_u32(const struct nlmsghdr *h, size_t head, uint16_t type, uint32_t *ret)
{
	const struct rtattr *t = rtnl_find(h, head, type);

	if (!t || RTA_PAYLOAD(t) != sizeof(*ret))
		return false;
	memcpy(ret, RTA_DATA(t), sizeof(*ret));
	return true;
}

/* What the kernel says besides the number. */
static void keep_words(struct rtnl *s, const struct nlmsghdr *h)
{
	size_t at = NLMSG_LENGTH(sizeof(struct nlmsgerr));
	const struct nlmsgerr *m = NLMSG_DATA(h);
	const struct rtattr *a;
	size_t n;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		at += NLMSG_ALIGN(m->msg.nlmsg_len) - sizeof(m->msg);
	if (h->nlmsg_len <= at)
		return;
	a = find_in((const char *) (const void *) h + at, h->nlmsg_len - at, NLMSGERR_ATTR_MSG);
	n = a ? RTA_PAYLOAD(a) : 0;
	if (!n)
		return;
	n = n < sizeof(s->said) ? n : sizeof(s->said) - 1;
	memcpy(s->said, RTA_DATA(a), n);
	s->said[n] = '\0';
}

/* One message: 1 = that was all, 0 = go on, or -errno. */
static int take(struct rtnl *s, const struct nlmsghdr *h,
		int (*each)(const struct nlmsghdr *h, void *arg), void *arg)
{
	const struct nlmsgerr *m = NLMSG_DATA(h);
	int r;

	if (h->nlmsg_seq != s->seq)
		return 0; /* of a request that was given up */
	switch (h->nlmsg_type) {
	case NLMSG_DONE: return 1;
	case NLMSG_ERROR:
		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
			return -EBADMSG;
		if (m->error < 0)
			keep_words(s, h);
		return m->error < 0 ? m->error : 1;
	default: r = each ? each(h, arg) : 0; return r < 0 ? r : 0;
	}
}

static int receive(struct rtnl *s, char *buf, size_t size, size_t *ret)
{
	struct sockaddr_nl from = {0};
	socklen_t n = sizeof(from);
	ssize_t got;

	do {
		got = recvfrom(s->fd, buf, size, MSG_TRUNC, (struct sockaddr *) &from, &n);
	} while ((got < 0 && errno == EINTR) || (got >= 0 && from.nl_pid != 0));
	if (got < 0)
		return -errno;
	if (got == 0 || (size_t) got > size)
		return -EBADMSG;
	*ret = (size_t) got;
	return 0;
}

int rtnl_talk(struct rtnl *s, struct rtnl_req *q, int (*each)(const struct nlmsghdr *h, void *arg),
	      void *arg)
{
	static _Alignas(struct nlmsghdr) char buf[ANSWER_MAX];
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	size_t n, len;
	int r = 0;

	s->said[0] = '\0';
	q->u.h.nlmsg_seq = ++s->seq;
	if ((q->u.h.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) /* shares a bit with NLM_F_EXCL */
		q->u.h.nlmsg_flags |= NLM_F_ACK;
	if (sendto(s->fd, q->u.raw, q->u.h.nlmsg_len, 0, (struct sockaddr *) &kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	while (r == 0) {
		r = receive(s, buf, sizeof(buf), &n);
		for (char *p = buf; r == 0 && n > 0; p += len, n -= len) {
			const struct nlmsghdr *h = (const void *) p;

			if (n < sizeof(*h) || h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n)
				return -EBADMSG;
			len = NLMSG_ALIGN(h->nlmsg_len) < n ? NLMSG_ALIGN(h->nlmsg_len) : n;
			r = take(s, h, each, arg);
		}
	}
	return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/control.h"

#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "vm/boot.h"

#define HEAD 8 /* version, type, two zero bytes, length of the body (32 bits) */
#define CTL_VERSION 1

/* Of each type: the length of its body, and how many descriptors come with it, from and to. */
struct row {
	uint8_t type, fds, fds_max;
	uint32_t min, max;
};
static const struct row rows[] = {
	{CTL_EXEC, 4, 5, 0, 0},
	{CTL_SIGNAL, 0, 0, sizeof(struct ctl_signal), sizeof(struct ctl_signal)},
	{CTL_RESIZE, 0, 0, sizeof(struct ctl_size), sizeof(struct ctl_size)},
	{CTL_PAUSE, 0, 0, 0, 0},
	{CTL_RESUME, 0, 0, 0, 0},
	{CTL_UPDATE, 1, 1, 0, 0},
	{CTL_STATS, 0, 0, 0, 0},
	{CTL_PS, 0, 0, 0, 0},
	{CTL_INSPECT, 0, 0, 0, 0},
	{CTL_KILL, 0, 0, 0, 0},
	{CTL_NET, 0, 0, 0, 0},
	{CTL_LAUNCH, 0, 0, 0, 0},
	{CTL_RELEASE, 0, 0, 0, CTL_BODY_MAX},
	{CTL_ATTEST, 0, 0, 32, 64},
	{CTL_OK, 0, 0, 0, 0},
	{CTL_FAIL, 0, 0, offsetof(struct err, msg) + 1, sizeof(struct err)},
	{CTL_STARTED, 0, 0, 0, 0},
	{CTL_EXIT, 0, 0, 4, 4},
	{CTL_BODY, 0, 0, 0, CTL_BODY_MAX},
	{CTL_ENDS, 0, 0, 4, 4},
};

static const struct row *find(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

int ctl_send(int sock, enum ctl_type t, const void *body, size_t n, const int *fds, size_t n_fds)
{
	uint8_t head[HEAD] = {CTL_VERSION, (uint8_t) t};
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(CTL_FDS_MAX * sizeof(int))];
	} c = {0};
	uint32_t len = (uint32_t) n;
	struct iovec v[2] = {{head, HEAD}, {(void *) (uintptr_t) body, n}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = n ? 2 : 1};

	if (n > CTL_BODY_MAX || n_fds > CTL_FDS_MAX)
		return -EMSGSIZE;
	memcpy(head + 4, &len, sizeof(len));
	if (n_fds) {
		m.msg_control = c.space;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c.h.cmsg_level = SOL_SOCKET;
		c.h.cmsg_type = SCM_RIGHTS;
		c.h.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&c.h), fds, n_fds * sizeof(int));
	}
	while (sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int ctl_send_err(int sock, const struct err *e)
{
	return ctl_send(sock, CTL_FAIL, e, offsetof(struct err, msg) + strlen(e->msg) + 1, NULL, 0);
}

void ctl_close_fds(struct ctl_msg *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		fd_close(m->fds[i]);
	m->n_fds = 0;
}

int ctl_recv(int sock, struct ctl_msg *ret)
{
	uint8_t packet[HEAD + CTL_BODY_MAX];
	const struct row *row;
	uint32_t len;
	ssize_t n;

	ret->n_fds = 0;
	do
		n = fd_recv(sock, packet, sizeof(packet), ret->fds, CTL_FDS_MAX, &ret->n_fds);
	while (n == -EINTR);
	if (n <= 0)
		return n == -ECONNRESET ? 0 : (int) n;
	row = n >= HEAD ? find(packet[1]) : NULL;
	len = 0;
	if (row)
		memcpy(&len, packet + 4, sizeof(len));
	if (!row || packet[0] != CTL_VERSION || packet[2] || packet[3] ||
	    len != (size_t) n - HEAD || len < row->min || len > row->max || ret->n_fds < row->fds ||
	    ret->n_fds > row->fds_max) {
		ctl_close_fds(ret);
		return -EBADMSG;
	}
	ret->type = (enum ctl_type) packet[1];
	ret->n = len;
	memcpy(ret->body, packet + HEAD, len);
	ret->body[len] = 0;
	return 1;
}

void ctl_err(const struct ctl_msg *m, struct err *e)
{
	struct err in = {0};

	memcpy(&in, m->body, m->n < sizeof(in) ? m->n : sizeof(in));
	in.msg[sizeof(in.msg) - 1] = 0;
	err_set_id(e, in.id < ERR_ID_MAX ? in.id : ERR_OTHER,
		   in.code < 0 && in.code > -4096 ? in.code : -EIO, "%s", in.msg);
}

static int not_running(struct err *e)
{
	return err_set_id(e, ERR_NOT_RUNNING, -ESRCH, "container not running");
}

int ctl_call(int state_dir, enum ctl_type t, const void *body, size_t n, const int *fds,
	     size_t n_fds, int timeout_ms, enum ctl_type want, struct ctl_msg *ret, struct err *e)
{
	fd_auto int sock = unix_connect_at(state_dir, MONITOR_SOCK, SOCK_SEQPACKET, e);
	struct pollfd p = {.fd = sock, .events = POLLIN};
	int r;

	if (sock < 0) {
		err_clear(e);
		return not_running(e);
	}
	r = ctl_send(sock, t, body, n, fds, n_fds);
	if (r == -EPIPE || r == -ECONNRESET)
		return not_running(e);
	if (r < 0)
		return err_neg(e, r, "asking the VM's monitor");
	do
		r = poll(&p, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(e, -ETIMEDOUT, "the VM's monitor does not answer");
	r = ctl_recv(sock, ret);
	if (r == 0)
		return not_running(e);
	if (r < 0)
		return err_neg(e, r, "reading the answer of the VM's monitor");
	if (ret->type == CTL_FAIL) {
		ctl_err(ret, e);
		return e->code;
	}
	return ret->type == want ? 0 : err_set(e, -EPROTO, "the VM's monitor gave another answer");
}

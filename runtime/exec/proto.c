/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between the stage and whoever started it. A message is MSG_HEAD bytes (version, type, two zero
 * bytes, length of the body as a little-endian 32-bit number) and the body.
 *
 * The peer of kavach is a process that has been near hostile files, and the peer of a stage may be anybody
 * who reached its socket; so each type has its own bounds, everything else is -EBADMSG, text is made
 * printable before anybody logs it, and descriptors that come along are dropped by the kernel because no
 * receiver here offers room for them.
 */
#include "exec/proto.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/io.h"
#include "base/log.h"
#include "base/types.h"

#define WARN_MAX 1024
#define ERR_HEAD offsetof(struct err, msg)

static const struct {
	uint32_t min, max;
} body_size[MSG_TYPE_MAX] = {
	[MSG_IDS] = {0, 0},
	[MSG_MOUNTS] = {0, 0},
	[MSG_READY] = {0, 0},
	[MSG_ACK] = {0, 8},
	[MSG_GO] = {0, 0},
	[MSG_EXEC] = {0, 0},
	[MSG_SECCOMP] = {4, 4},
	[MSG_ERROR] = {ERR_HEAD + 2, sizeof(struct err)}, /* code, kind, one character, NUL */
	[MSG_WARN] = {1, WARN_MAX},
	[MSG_MOUNT] = {sizeof(struct msg_mount), sizeof(struct msg_mount)},
};

static bool size_fits(unsigned t, size_t n)
{
	return t > 0 && t < MSG_TYPE_MAX && n >= body_size[t].min && n <= body_size[t].max;
}

ssize_t msg_pack(void *buf, size_t size, enum msg_type t, const void *body, size_t n)
{
	uint8_t *p = buf;

	if (!size_fits(t, n) || size < MSG_HEAD + n)
		return -EMSGSIZE;
	memcpy(p,
	       (const uint8_t[MSG_HEAD]){MSG_VERSION, (uint8_t) t, 0, 0, (uint8_t) n,
					 (uint8_t) (n >> 8)},
	       MSG_HEAD);
	if (n)
		memcpy(p + MSG_HEAD, body, n);
	return (ssize_t) (MSG_HEAD + n);
}

ssize_t msg_pack_err(void *buf, size_t size, const struct err *e)
{
	return msg_pack(buf, size, MSG_ERROR, e,
			ERR_HEAD + strnlen(e->msg, sizeof(e->msg) - 1) + 1);
}

int msg_parse_head(const void *buf, size_t *ret_len)
{
	const uint8_t *p = buf;
	size_t n = p[4] | (size_t) p[5] << 8 | (size_t) p[6] << 16 | (size_t) p[7] << 24;

	if (p[0] != MSG_VERSION || p[2] || p[3] || !size_fits(p[1], n))
		return -EBADMSG;
	*ret_len = n;
	return p[1];
}

static void make_printable(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char) s[i] < 0x20 || s[i] == 0x7f)
			s[i] = '?';
}

/* code: an errno; id: a row of the catalogue; text: ends where the body ends and nowhere before. */
static int check_err(char *body, size_t n)
{
	int32_t code;
	uint32_t id;

	memcpy(&code, body + offsetof(struct err, code), sizeof(code));
	memcpy(&id, body + offsetof(struct err, id), sizeof(id));
	if (code >= 0 || code < -4095 || id >= ERR_ID_MAX)
		return -EBADMSG;
	if (strnlen(body + ERR_HEAD, n - ERR_HEAD) != n - ERR_HEAD - 1)
		return -EBADMSG;
	make_printable(body + ERR_HEAD, n - ERR_HEAD - 1);
	return 0;
}

int msg_parse_body(enum msg_type t, void *body, size_t n)
{
	if (!size_fits(t, n))
		return -EBADMSG;
	if (t == MSG_ERROR)
		return check_err(body, n);
	if (t == MSG_WARN)
		make_printable(body, n);
	return 0;
}

int msg_parse(void *buf, size_t n, void **ret_body, size_t *ret_len)
{
	size_t len;
	int t;

	if (n < MSG_HEAD)
		return -EBADMSG;
	t = msg_parse_head(buf, &len);
	if (t < 0)
		return t;
	if (n != MSG_HEAD + len ||
	    msg_parse_body((enum msg_type) t, (uint8_t *) buf + MSG_HEAD, len) < 0)
		return -EBADMSG;
	*ret_body = (uint8_t *) buf + MSG_HEAD;
	*ret_len = len;
	return t;
}

/* ---- over a socket ---- */

static int send_all(int sock, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t r = send(sock, p, n, MSG_NOSIGNAL);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		p += r;
		n -= (size_t) r;
	}
	return 0;
}

int msg_send(int sock, enum msg_type t, const void *body, size_t n)
{
	uint8_t buf[MSG_MAX];
	ssize_t len = msg_pack(buf, sizeof(buf), t, body, n);

	return len < 0 ? (int) len : send_all(sock, buf, (size_t) len);
}

int msg_send_err(int sock, const struct err *e)
{
	uint8_t buf[MSG_MAX];
	ssize_t len = msg_pack_err(buf, sizeof(buf), e);

	return len < 0 ? (int) len : send_all(sock, buf, (size_t) len);
}

/* A packet of a SOCK_SEQPACKET socket: whole or not at all. */
static ssize_t recv_packet(int sock, uint8_t *buf, size_t size)
{
	struct iovec iov = {.iov_base = buf, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	do
		n = recvmsg(sock, &m, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return m.msg_flags & MSG_TRUNC ? -EBADMSG : n;
}

int msg_recv(int sock, void *body, size_t size, size_t *ret_n)
{
	uint8_t buf[MSG_MAX];
	void *got = NULL;
	size_t len = 0;
	int t;
	ssize_t n;

	n = recv_packet(sock, buf, sizeof(buf));
	if (n <= 0)
		return (int) n;
	t = msg_parse(buf, (size_t) n, &got, &len);
	if (t < 0)
		return t;
	if (len > size)
		return -EBADMSG; /* nothing that our caller waits for is that long */
	if (len)
		memcpy(body, got, len);
	if (ret_n)
		*ret_n = len;
	return t;
}

/* The error that came in a message, which msg_recv() has checked. */
static int take_err(const uint8_t *body, size_t n, struct err *e)
{
	struct err got = ERR_INIT;

	memcpy(&got, body, n);
	return err_set_id(e, (enum err_id) got.id, got.code, "%s", got.msg);
}

int msg_expect(int sock, enum msg_type t, void *body, size_t size, struct err *e)
{
	uint8_t got[MSG_BODY_MAX];
	size_t n = 0;

	for (;;) {
		int r = msg_recv(sock, got, sizeof(got), &n);

		if (r == 0)
			return err_set(e, -EPIPE,
				       "the container's first process ended before it was ready");
		if (r == -EBADMSG)
			return err_set(e, -EBADMSG,
				       "malformed message from the container's first process");
		if (r < 0)
			return err_neg(e, r, "waiting for the container's first process");
		if (r == MSG_WARN && t != MSG_WARN) {
			log_warn("%.*s", (int) n, (const char *) got);
			continue;
		}
		if (r == MSG_ERROR)
			return take_err(got, n, e);
		if (r != (int) t || n > size)
			return err_set(e, -EBADMSG,
				       "unexpected message %d from the container's first process",
				       r);
		if (n)
			memcpy(body, got, n);
		return r;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-keeper FD: makes a key, keeps it, and opens the answer of a broker with it. The agent starts it when the policy has
 * secrets from a broker, and is the only one that it talks to. It is a program of its own because it is the only one in
 * the guest with a crypto library, and so that no other process has ever seen the key: its memory is locked and in no core
 * dump, nobody can trace it, and it can do nothing but compute and use the one descriptor.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "attest/bytes.h"
#include "attest/confine.h"
#include "attest/crypto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "keeper/keeper.h"
#include "keeper/proto.h"

#define ROOM (16u << 20) /* of what is made of one frame; beyond it there is the heap */
#define NAMES_MAX 64u

static uint8_t room[ROOM] __attribute__((aligned(64)));
static uint8_t frame[KEEPER_FRAME_MAX];

static int send_frame(int fd, enum keeper_type type, const void *p, size_t n)
{
	uint8_t head[KEEPER_HEAD] = {(uint8_t) type};

	put_le32(head + 1, (uint32_t) n);
	return io_write_all(fd, head, sizeof(head)) < 0 || (n && io_write_all(fd, p, n) < 0)
		       ? -EPIPE
		       : 0;
}

/* >0: the type of a frame, whose payload is in `frame`; 0: the agent has closed; -EPROTO. */
static int get_frame(int fd, size_t *ret_n)
{
	uint8_t head[KEEPER_HEAD];
	ssize_t n = io_read_full(fd, head, sizeof(head));

	if (n == 0)
		return 0;
	*ret_n = n == (ssize_t) sizeof(head) ? get_le32(head + 1) : SIZE_MAX;
	if (*ret_n > sizeof(frame) || io_read_full(fd, frame, *ret_n) != (ssize_t) *ret_n)
		return -EPROTO;
	return head[0] ? head[0] : -EPROTO;
}

static int on_challenge(int fd, size_t n, struct arena *a, struct err *e)
{
	struct bytes nonce;
	int r = keeper_challenge((struct bytes){frame, n}, a, &nonce, e);

	return r < 0 ? r : send_frame(fd, KEEPER_NONCE, nonce.v, nonce.n);
}

static struct bytes get_bytes(struct buf *b)
{
	uint32_t n = buf_get_u32(b);

	return (struct bytes){(uint8_t *) (uintptr_t) buf_get(b, n), b->bad ? 0 : n};
}

static int send_values(int fd, const struct bytes *v, size_t n, struct arena *a)
{
	size_t all = 0;
	uint8_t *p, *at;
	int r;

	for (size_t i = 0; i < n; i++)
		all += 4 + v[i].n;
	at = p = arena_alloc(a, all + 1);
	for (size_t i = 0; i < n; i++) {
		put_le32(at, (uint32_t) v[i].n);
		memcpy(at + 4, v[i].v, v[i].n);
		at += 4 + v[i].n;
	}
	r = send_frame(fd, KEEPER_VALUES, p, all);
	crypto_wipe(p, all);
	return r;
}

static int on_answer(int fd, const struct p256 *key, size_t n, struct arena *a, struct err *e)
{
	struct buf in = BUF_READER(frame, n);
	const char *pin = buf_get_str(&in, a);
	struct keeper_question q = {.key = key, .nonce = get_bytes(&in)};
	struct bytes values[NAMES_MAX], line;
	p256_auto *broker = NULL;
	uint32_t count = buf_get_u32(&in);
	int r = 0;

	if (in.bad || count == 0 || count > NAMES_MAX)
		return err_set(e, -EPROTO, "the agent asked for nothing");
	q.names.v = arena_array(a, count, sizeof(*q.names.v));
	for (; q.names.n < count; q.names.n++) {
		char *name = buf_get_str(&in, a);

		q.names.v[q.names.n] = name ? name : arena_strdup(a, "");
	}
	line = get_bytes(&in);
	if (in.bad || buf_left(&in))
		return err_set(e, -EPROTO, "the agent's question is malformed");
	if (pin)
		r = p256_from_spki(pin, "vm.brokerKey", &broker, e);
	q.broker = broker;
	if (r == 0)
		r = keeper_open(line, &q, a, values, e);
	return r < 0 ? r : send_values(fd, values, count, a);
}

/* Whatever the questions had in them is gone when this is left. */
static int serve(int fd, const struct p256 *key)
{
	bool done = false;
	int r = 0;

	while (r == 0 && !done) {
		struct arena a = {0};
		struct err e = ERR_INIT;
		size_t n = 0;

		arena_give(&a, room, sizeof(room));
		switch (get_frame(fd, &n)) {
		case 0: return 0;
		case KEEPER_CHALLENGE: r = on_challenge(fd, n, &a, &e); break;
		case KEEPER_ANSWER:
			r = on_answer(fd, key, n, &a, &e);
			done = r == 0;
			break;
		default: return 1;
		}
		if (r < 0 && e.code)
			r = send_frame(fd, KEEPER_FAIL, e.msg, strlen(e.msg));
		arena_free(&a); /* clears what it was given */
		crypto_wipe(frame, n);
	}
	return r < 0;
}

static int hide(struct err *e)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "keeping the key out of core dumps");
	/* In a guest there is nothing to swap to; elsewhere, as far as the limit goes. */
	(void) mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t point[KEEPER_KEY_LEN];
	struct p256 *key = NULL;
	struct err e = ERR_INIT;
	uint32_t fd;
	int r;

	if (argc != 2 || num_parse_u32(argv[1], &fd) < 0 || fd < 3 || fd > INT32_MAX) {
		fprintf(stderr,
			"kavach-keeper is started by kavach-agent: kavach-keeper DESCRIPTOR\n");
		return 2;
	}
	r = hide(&e);
	if (r == 0) {
		crypto_ready();
		key = p256_new();
		r = confine_self(&e);
	}
	if (r < 0) {
		fprintf(stderr, "kavach-keeper: %s\n", e.msg);
		return 1;
	}
	p256_point(key, point);
	r = send_frame((int) fd, KEEPER_KEY, point, sizeof(point)) < 0 || serve((int) fd, key);
	p256_free(key);
	return r;
}

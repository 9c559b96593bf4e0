/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec policy base */
/* Messages between kavach and the stage: framing, and a peer that does not play by the rules. */
#include "exec/proto.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/types.h"
#include "tests/unit/tap.h"

static int sv[2];

static void open_pair(void)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		bail_out("socketpair");
}

static void close_pair(void)
{
	close(sv[0]);
	close(sv[1]);
}

/* Raw bytes to the receiver, as one packet. */
static int recv_raw(const void *p, size_t n)
{
	char body[MSG_BODY_MAX];
	size_t len;
	int r;

	open_pair();
	if (n && write(sv[0], p, n) != (ssize_t) n)
		bail_out("write");
	shutdown(sv[0], SHUT_WR);
	r = msg_recv(sv[1], body, sizeof(body), &len);
	close_pair();
	return r;
}

static void test_exchange(void)
{
	struct err out = ERR_INIT, e = ERR_INIT;
	int32_t pid = 4711, got = 0;
	char body[MSG_BODY_MAX];
	size_t n = 99;

	open_pair();
	is_int(msg_send(sv[0], MSG_READY, NULL, 0), 0, "sends a message without body");
	is_int(msg_send(sv[0], MSG_SECCOMP, &pid, sizeof(pid)), 0, "sends one with a body");
	is_int(msg_recv(sv[1], body, sizeof(body), &n), MSG_READY, "the first comes first");
	is_int(n, 0, "without a body");
	is_int(msg_expect(sv[1], MSG_SECCOMP, &got, sizeof(got), &e), MSG_SECCOMP,
	       "the second is not eaten by it");
	is_int(got, 4711, "with its body");

	err_set_id(&out, ERR_NO_EXECUTABLE, -ENOENT, "exec: \"foo\": not there");
	msg_send(sv[0], MSG_WARN, "careful", 7);
	is_int(msg_send_err(sv[0], &out), 0, "sends an error");
	is_int(msg_expect(sv[1], MSG_READY, NULL, 0, &e), -ENOENT,
	       "an error ends the wait with its code");
	is_str(e.msg, "exec: \"foo\": not there", "and its text, past a warning");
	is_int(e.id, ERR_NO_EXECUTABLE, "and its kind");

	close(sv[0]);
	e = ERR_INIT;
	is_int(msg_expect(sv[1], MSG_READY, NULL, 0, &e), -EPIPE,
	       "end of file is an error while waiting");
	is_str(e.msg, "the container's first process ended before it was ready",
	       "that says what it means");
	is_int(msg_send(sv[1], MSG_ACK, NULL, 0), -EPIPE,
	       "sending to nobody is EPIPE and no signal");
	close(sv[1]);
}

static void test_longest_error(void)
{
	struct err out = ERR_INIT, e = ERR_INIT;
	char text[ERR_MSG_MAX];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&out, -EIO, "%s", text);
	open_pair();
	msg_send_err(sv[0], &out);
	is_int(msg_expect(sv[1], MSG_ACK, NULL, 0, &e), -EIO, "the longest error text passes");
	is_str(e.msg, text, "unchanged");
	close_pair();
}

static void put_head(uint8_t *b, unsigned version, unsigned type, uint32_t len)
{
	memset(b, 0, MSG_HEAD);
	b[0] = (uint8_t) version;
	b[1] = (uint8_t) type;
	for (int i = 0; i < 4; i++)
		b[4 + i] = (uint8_t) (len >> (8 * i));
}

static void test_hostile(void)
{
	static const struct {
		const char *what;
		unsigned version, msg;
		uint32_t claimed;
		size_t sent; /* of the body */
	} rows[] = {
		{"another version", 2, MSG_ACK, 0, 0},
		{"type 0", 1, 0, 0, 0},
		{"a type above the last", 1, MSG_TYPE_MAX, 0, 0},
		{"type 255", 1, 255, 0, 0},
		{"a body where none belongs", 1, MSG_READY, 4, 4},
		{"an fd of 3 bytes", 1, MSG_SECCOMP, 3, 3},
		{"an fd of 5 bytes", 1, MSG_SECCOMP, 5, 5},
		{"a body shorter than it says", 1, MSG_SECCOMP, 4, 2},
		{"a warning without text", 1, MSG_WARN, 0, 0},
		{"a warning that is too long", 1, MSG_WARN, 1025, 1025},
		{"an error without text", 1, MSG_ERROR, 8, 8},
		{"an error that claims 4 GiB", 1, MSG_ERROR, UINT32_MAX, 8},
	};
	uint8_t b[MSG_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(b, 1, sizeof(b));
		put_head(b, rows[i].version, rows[i].msg, rows[i].claimed);
		is_int(recv_raw(b, MSG_HEAD + rows[i].sent), -EBADMSG, "refuses %s", rows[i].what);
	}
	put_head(b, 1, MSG_ACK, 0);
	b[3] = 1;
	is_int(recv_raw(b, MSG_HEAD), -EBADMSG, "refuses reserved bits");
	is_int(recv_raw(b, 3), -EBADMSG, "refuses half a head");
	is_int(recv_raw(b, 0), 0, "end of file is 0");
}

static int parse_error(int32_t code, uint32_t id, const char *text, size_t n, char *ret_text)
{
	uint8_t b[MSG_MAX];
	void *body;
	size_t len;
	int r;

	put_head(b, 1, MSG_ERROR, (uint32_t) (8 + n));
	memcpy(b + MSG_HEAD, &code, 4);
	memcpy(b + MSG_HEAD + 4, &id, 4);
	memcpy(b + MSG_HEAD + 8, text, n);
	r = msg_parse(b, MSG_HEAD + 8 + n, &body, &len);
	if (r > 0 && ret_text)
		memcpy(ret_text, (char *) body + 8, n);
	return r;
}

static void test_hostile_errors(void)
{
	char text[32];
	uint8_t b[MSG_MAX];
	void *body;
	size_t len;

	is_int(parse_error(-5, 0, "", 1, NULL), -EBADMSG, "an error must have a text");
	is_int(parse_error(0, 0, "x", 2, NULL), -EBADMSG, "and a code");
	is_int(parse_error(5, 0, "x", 2, NULL), -EBADMSG, "that is negative");
	is_int(parse_error(-4096, 0, "x", 2, NULL), -EBADMSG, "and an errno");
	is_int(parse_error(-5, ERR_ID_MAX, "x", 2, NULL), -EBADMSG,
	       "its kind is one of the catalogue");
	is_int(parse_error(-5, 0, "xy", 2, NULL), -EBADMSG, "its text is terminated");
	is_int(parse_error(-5, 0, "x\0y", 4, NULL), -EBADMSG, "at the end and nowhere else");
	is_int(parse_error(-5, 0, "a\nb\033[31m", 9, text), MSG_ERROR,
	       "control characters are accepted");
	is_str(text, "a?b?[31m", "and made harmless");
	put_head(b, 1, MSG_WARN, 3);
	memcpy(b + MSG_HEAD, "a\nb", 3);
	is_int(msg_parse(b, MSG_HEAD + 3, &body, &len), MSG_WARN, "the same in warnings");
	ok(len == 3 && !memcmp(body, "a?b", 3), "which cannot forge a line of the log");
	put_head(b, 1, MSG_ACK, 0);
	is_int(msg_parse(b, MSG_HEAD + 1, &body, &len), -EBADMSG,
	       "refuses bytes behind the message");
}

static void test_wrong_order(void)
{
	struct err e = ERR_INIT;
	int32_t fd = 3;

	open_pair();
	msg_send(sv[0], MSG_EXEC, NULL, 0);
	is_int(msg_expect(sv[1], MSG_READY, NULL, 0, &e), -EBADMSG,
	       "a message out of order ends the start");
	msg_send(sv[0], MSG_SECCOMP, &fd, sizeof(fd));
	is_int(msg_recv(sv[1], NULL, 0, NULL), -EBADMSG,
	       "a body longer than the caller has room for is refused");
	close_pair();
}

static void test_descriptors_are_dropped(void)
{
	uint8_t b[MSG_HEAD];
	int before, after, fds[2] = {0, 1};
	char body[8];
	size_t n;

	open_pair();
	before = dup(0);
	close(before);
	put_head(b, 1, MSG_ACK, 0);
	is_int(fd_send(sv[0], b, sizeof(b), fds, 2), 0, "a message may come with descriptors");
	is_int(msg_recv(sv[1], body, sizeof(body), &n), MSG_ACK, "it is received");
	after = dup(0);
	close(after);
	is_int(after, before, "the descriptors are not");
	close_pair();
}

static void test_pack(void)
{
	uint8_t b[MSG_MAX];

	is_int(msg_pack(b, sizeof(b), MSG_GO, NULL, 0), MSG_HEAD, "packs a message for write(2)");
	is_int(msg_pack(b, 4, MSG_GO, NULL, 0), -EMSGSIZE, "not into too little room");
	is_int(msg_pack(b, sizeof(b), MSG_SECCOMP, b, 8), -EMSGSIZE,
	       "not with a body that its type does not have");
	is_int(msg_pack(b, sizeof(b), (enum msg_type) 77, NULL, 0), -EMSGSIZE,
	       "not of an unknown type");
}

int main(void)
{
	struct err e = ERR_INIT;

	log_init("/dev/null", false, LOG_LEVEL_ERROR, &e);
	test_exchange();
	test_longest_error();
	test_hostile();
	test_hostile_errors();
	test_wrong_order();
	test_descriptors_are_dropped();
	test_pack();
	return done();
}

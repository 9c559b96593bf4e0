/* SPDX-License-Identifier: Apache-2.0 */
/* libs: criu policy base */
/* CRIU's messages as bytes: what goes over the wire, compared with bytes written by hand from CRIU's rpc.proto. */
#include <errno.h>

#include "criu/criu.h"
#include "tests/unit/tap.h"

static bool same(const struct buf *b, const char *want, size_t n)
{
	return !b->bad && b->n == n && memcmp(b->p, want, n) == 0;
}

static void test_encode(void)
{
	struct rpc_opts o = {.images_fd = {true, 5}};
	struct rpc_req req = {.type = {true, RPC_DUMP}, .opts = &o};
	arena_auto a = {0};
	buf_auto b = BUF_WRITER(RPC_MAX);

	rpc_encode(&b, &rpc_req_table, &req);
	ok(same(&b, "\x08\x01\x12\x02\x08\x05", 6),
	   "type and images_dir_fd; what is not set is not there");
	b.n = 0;
	o = (struct rpc_opts){
		.images_fd = {true, -1}, .leave_running = true, .log_file = (char *) "d"};
	rpc_encode(&b, &rpc_req_table, &req);
	ok(same(&b,
		"\x08\x01\x12\x10\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x18\x01\x52\x01"
		"d",
		20),
	   "a negative int32 has ten bytes, as protobuf wants it");
	b.n = 0;
	o = (struct rpc_opts){.lsm_mount_context = (char *) "c"};
	*rpc_add(&a, &o.mounts) = (struct rpc_mount){(char *) "/k", (char *) "/v"};
	*rpc_add(&a, &o.external) = (char *) "e";
	rpc_encode(&b, &rpc_req_table, &req);
	ok(same(&b,
		"\x08\x01\x12\x13\xba\x01\x08\x0a\x02/k\x12\x02/v\xaa\x02\x01"
		"e\xfa\x03\x01"
		"c",
		23),
	   "lists, and field numbers of two bytes");
	buf_free(&b);
	b = (struct buf) BUF_WRITER(3);
	rpc_encode(&b, &rpc_req_table, &req);
	ok(b.bad, "a message that does not fit makes the buffer bad");
}

static int decode(const char *p, size_t n, struct rpc_resp *r, struct arena *a)
{
	return rpc_decode(p, n, &rpc_resp_table, r, a);
}

static void test_decode(void)
{
	arena_auto a = {0};
	struct rpc_resp r;

	is_int(decode("\x08\x06\x10\x01\x2a\x0a\x0a\x05hello\x10\x96\x01", 16, &r, &a), 0,
	       "a notification");
	is_int(r.type.v, RPC_NOTIFY, "its type");
	is_str(r.notify->script, "hello", "its script");
	is_int(r.notify->pid.v, 150, "its pid");
	is_int(decode("\x08\x01\x10\x00\x38\x16\x4a\x03why", 11, &r, &a), 0, "a failure");
	ok(!r.success && r.cr_errno.set && r.cr_errno.v == 22, "with an errno");
	is_str(r.cr_errmsg, "why", "and a text");
	is_int(decode("\x08\x01\x9a\x06\x01z\xfd\x06\x01\x02\x03\x04\xf9\x06\x31\x32\x33\x34\x35\x36\x37\x38"
		      "\x10\x01",
		      24, &r, &a),
	       0, "fields of a newer CRIU are skipped, whatever their type");
	ok(r.success, "and what follows is read");
	is_int(decode("", 0, &r, &a), 0, "nothing is a message");
	ok(!r.type.set && !r.success, "that says nothing");
}

static void test_refused(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *what;
	} rows[] = {
		{"\x08", 1, "a field without a value"},
		{"\x2a\x7f", 2, "a message longer than the packet"},
		{"\x2a\x02\x0a\x05", 4, "a string longer than its message"},
		{"\x4a\x03"
		 "a\0b",
		 5, "a string with a NUL in it"},
		{"\x0a\x01x", 3, "a number that is a string"},
		{"\x48\x01", 2, "a string that is a number"},
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11,
		 "a number of more than 64 bits"},
		{"\x08\xff\xff\xff\xff\xff\x01", 7, "a number that is no 32-bit one"},
		{"\x0b\x0c", 2, "a group"},
	};
	arena_auto a = {0};
	struct rpc_resp r;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		is_int(decode(rows[i].bytes, rows[i].n, &r, &a), -EBADMSG, "refuses %s",
		       rows[i].what);
}

static void test_excerpt(void)
{
	static const char log[] = "(00.01) Warn  (criu/a.c:1): no\n"
				  "(00.02) Error (criu/a.c:2): one\n"
				  "(00.02)   7: Error (criu/a.c:3): two: Permission denied\n"
				  "(00.03) Error (criu/a.c:4): three\n"
				  "(00.03) Error (criu/a.c:5): four: No such file or directory\n"
				  "(00.04) Error (criu/a.c:6): Restoring FAILED.\n";
	arena_auto a = {0};

	is_str(criu_log_excerpt(log, sizeof(log) - 1, &a),
	       "two: access refused; three; four: not found",
	       "the last errors, in words that no engine matches on");
	is_str(criu_log_excerpt("(0) Error (x", 12, &a), NULL, "half a line is none");
	is_str(criu_log_excerpt("", 0, &a), NULL, "an empty log says nothing");
}

int main(void)
{
	test_encode();
	test_decode();
	test_refused();
	test_excerpt();
	return done();
}

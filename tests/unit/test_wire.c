/* SPDX-License-Identifier: Apache-2.0 */
/* libs: wire policy base */
/*
 * The wire between monitor and agent: every frame that can be written is read back, whatever is no frame is refused at its
 * head; phases; parts; credit; and the payloads: every member of every structure is in its table, and decoding is the
 * inverse of encoding.
 */
#include "tests/unit/codec_gen.h"
#include "tests/unit/tap.h"
#include "wire/body.h"
#include "wire/wire.h"

#define G WIRE_TO_GUEST
#define H WIRE_TO_HOST

static const struct {
	uint8_t type;
	enum wire_dir dir;
	uint32_t stream;
	uint8_t sub;
	uint32_t min, max;
} good[] = {
	{WIRE_HELLO, G, 0, 0, 1, 4096},	   {WIRE_POLICY, G, 0, 1, 1, 65536},
	{WIRE_NET, G, 0, 0, 1, 65536},	   {WIRE_CLOCK, G, 0, 0, 8, 8},
	{WIRE_PREPARE, G, 0, 1, 1, 65536}, {WIRE_START, G, 0, 0, 0, 0},
	{WIRE_EXEC, G, 2, 1, 1, 65536},	   {WIRE_SIGNAL, G, 1, 0, 1, 4096},
	{WIRE_RESIZE, G, 1, 0, 1, 4096},   {WIRE_STATS, G, 0, 0, 8, 8},
	{WIRE_PS, G, 0, 0, 8, 8},	   {WIRE_UPDATE, G, 0, 1, 1, 65536},
	{WIRE_SYNC, G, 0, 0, 8, 8},	   {WIRE_SHUTDOWN, G, 0, 0, 0, 0},
	{WIRE_ATTEST, G, 0, 0, 1, 4096},   {WIRE_PING, G, 0, 0, 1, 64},
	{WIRE_SECRET, G, 1, 1, 1, 65536},  {WIRE_INSPECT, G, 0, 0, 8, 8},
	{WIRE_DATA, G, 7, 0, 1, 32768},	   {WIRE_EOF, G, 1, 0, 0, 0},
	{WIRE_CREDIT, G, 1, 2, 4, 4},	   {WIRE_HELLO_BACK, H, 0, 0, 1, 4096},
	{WIRE_VERDICT, H, 0, 0, 1, 65536}, {WIRE_PREPARED, H, 0, 0, 0, 0},
	{WIRE_STARTED, H, 1, 0, 0, 0},	   {WIRE_FAIL, H, 0, 0, 1, 4096},
	{WIRE_EXIT, H, 1, 0, 1, 4096},	   {WIRE_DRAINED, H, 2, 0, 0, 0},
	{WIRE_REPLY, H, 0, 1, 1, 65536},   {WIRE_EVENT, H, 0, 0, 8, 8},
	{WIRE_DONE, H, 0, 0, 8, 8},	   {WIRE_PONG, H, 0, 0, 1, 64},
	{WIRE_LOG, H, 0, 0, 1, 4096},	   {WIRE_DATA, H, 7, 2, 1, 32768},
	{WIRE_EOF, H, 7, 1, 0, 0},	   {WIRE_CREDIT, H, 7, 0, 4, 4},
	{WIRE_RELAYED, G, 0, 1, 1, 65536}, {WIRE_RELAY, H, 0, 1, 1, 65536},
};

static long parse(uint8_t type, enum wire_dir dir, uint32_t stream, uint8_t sub, uint32_t len)
{
	uint8_t head[WIRE_HEAD];
	struct wire_head h = {len, stream, type, sub}, back = {0};
	long r;

	wire_put_head(head, &h);
	r = wire_parse(head, sizeof(head), dir, &back);
	if (r >= 0 &&
	    (back.length != len || back.stream != stream || back.type != type || back.sub != sub))
		return -1000;
	return r;
}

static void test_types(void)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *name = wire_type_name(good[i].type);
		uint8_t t = good[i].type, sub = good[i].sub;
		enum wire_dir dir = good[i].dir;
		uint32_t s = good[i].stream, min = good[i].min, max = good[i].max;

		is_int(parse(t, dir, s, sub, min), min ? 0 : WIRE_HEAD, "%s: the shortest", name);
		ok(parse(t, dir, s, sub, max) >= 0, "%s: the longest", name);
		is_int(parse(t, dir, s, sub, max + 1), -EBADMSG, "%s: one byte longer", name);
		if (min)
			is_int(parse(t, dir, s, sub, min - 1), -EBADMSG, "%s: one byte shorter",
			       name);
		is_int(parse(t, dir, s, 3, min), -EBADMSG, "%s: a sub of 3", name);
		is_int(parse(t, dir, UINT32_MAX, sub, min) >= 0, s > 0 || t == WIRE_FAIL,
		       "%s: the highest stream", name);
		is_int(parse(t, dir, 0, sub, min) >= 0, s == 0, "%s: stream 0", name);
		if (t != WIRE_DATA && t != WIRE_EOF && t != WIRE_CREDIT)
			is_int(parse(t, dir == G ? H : G, s, sub, min), -EBADMSG,
			       "%s: in the wrong direction", name);
	}
	is_int(parse(WIRE_EXEC, G, 1, 0, 10), -EBADMSG, "EXEC: on the first process's stream");
	is_int(parse(WIRE_DATA, G, 1, 1, 10), -EBADMSG, "DATA: to the guest's stdout");
	is_int(parse(WIRE_DATA, H, 1, 0, 10), -EBADMSG, "DATA: from the guest's stdin");
	is_int(parse(WIRE_CREDIT, H, 1, 1, 4), -EBADMSG, "CREDIT: for what the guest sends itself");
}

static void test_every_type_byte(void)
{
	int known = 0;

	for (unsigned t = 0; t < 256; t++)
		for (unsigned s = 0; s < 3; s++)
			for (unsigned sub = 0; sub < 3; sub++)
				for (unsigned d = 1; d <= 2; d++)
					for (unsigned len = 0; len < 10; len++)
						known += parse((uint8_t) t, d, s, (uint8_t) sub,
							       len) >= 0
								 ? 1 << 0
								 : 0;
	ok(known > 100, "some heads are frames (%d)", known);
	for (unsigned t = 0; t < 256; t++) {
		bool in_list = t == WIRE_FILE;

		for (size_t i = 0; i < ARRAY_LEN(good); i++)
			in_list |= good[i].type == t;
		if (in_list != (strcmp(wire_type_name((uint8_t) t), "?") != 0))
			ok(false, "type %#x is known to both lists", t);
	}
}

static void test_bytes(void)
{
	static const uint8_t want[] = {3, 0, 0, 0, 5, 4, 3, 2, WIRE_DATA, 2, 0, 0, 'a', 'b', 'c'};
	buf_auto b = BUF_WRITER(100);
	struct wire_head h;
	uint8_t bad[sizeof(want)];

	wire_put(&b, WIRE_DATA, 2, 0x02030405, "abc", 3);
	ok(b.n == sizeof(want) && !memcmp(b.p, want, b.n), "a frame, byte for byte");
	is_int(wire_parse(b.p, b.n, H, &h), (long) b.n, "and back");
	for (size_t n = 0; n < b.n; n++)
		if (wire_parse(b.p, n, H, &h) != 0)
			ok(false, "%zu bytes of it are not enough", n);
	memcpy(bad, want, sizeof(bad));
	bad[10] = 1;
	is_int(wire_parse(bad, sizeof(bad), H, &h), -EBADMSG, "a reserved byte that is not 0");
	bad[10] = 0;
	bad[11] = 0x80;
	is_int(wire_parse(bad, sizeof(bad), H, &h), -EBADMSG, "the other reserved byte");
}

/* What comes in a phase, at the guest. */
static void test_phases(void)
{
	static const struct {
		uint8_t type;
		enum wire_dir dir;
		uint32_t stream;
		const char *phases; /* Boot Hello policY Prepared Running Exited */
	} rows[] = {
		{WIRE_HELLO, G, 0, "B"},
		{WIRE_POLICY, G, 0, "H"},
		{WIRE_FILE, G, 0, ""},
		{WIRE_NET, G, 0, "YP"},
		{WIRE_PREPARE, G, 0, "Y"},
		{WIRE_SECRET, G, 1, "YRE"},
		{WIRE_START, G, 0, "P"},
		{WIRE_EXEC, G, 2, "RE"},
		{WIRE_SIGNAL, G, 1, "PRE"},
		{WIRE_DATA, G, 1, "YPRE"},
		{WIRE_SYNC, G, 0, "HYPRE"},
		{WIRE_SHUTDOWN, G, 0, "BHYPRE"},
		{WIRE_ATTEST, G, 0, "PRE"},
		{WIRE_UPDATE, G, 0, "PRE"},
		{WIRE_HELLO_BACK, H, 0, "B"},
		{WIRE_VERDICT, H, 0, "H"},
		{WIRE_PREPARED, H, 0, "Y"},
		{WIRE_STARTED, H, 1, "P"},
		{WIRE_STARTED, H, 2, "RE"},
		{WIRE_EXIT, H, 1, "R"},
		{WIRE_EXIT, H, 2, "RE"},
		{WIRE_FAIL, H, 0, "BHYPRE"},
		{WIRE_LOG, H, 0, "BHYPRE"},
		{WIRE_DRAINED, H, 1, "RE"},
		{WIRE_DATA, H, 1, "YPRE"},
		{WIRE_HELLO_BACK, G, 0, ""},
		{0x77, G, 0, ""},
	};
	static const char names[] = "?BHYPRE";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_head h = {0, rows[i].stream, rows[i].type, 0};
		char got[WIRE_PH_MAX] = "";

		for (unsigned ph = 0, n = 0; ph <= WIRE_PH_MAX; ph++)
			if (wire_allowed(ph, rows[i].dir, &h))
				got[n++] = names[ph];
		is_str(got, rows[i].phases, "%s on stream %u: its phases",
		       wire_type_name(rows[i].type), rows[i].stream);
	}
}

static void test_walk(void)
{
	static const struct {
		uint8_t type;
		enum wire_dir dir;
		uint32_t stream;
		enum wire_phase then;
	} walk[] = {
		{WIRE_HELLO, G, 0, WIRE_PH_BOOT},	 {WIRE_HELLO_BACK, H, 0, WIRE_PH_HELLO},
		{WIRE_POLICY, G, 0, WIRE_PH_HELLO},	 {WIRE_VERDICT, H, 0, WIRE_PH_POLICY},
		{WIRE_NET, G, 0, WIRE_PH_POLICY},	 {WIRE_PREPARE, G, 0, WIRE_PH_POLICY},
		{WIRE_PREPARED, H, 0, WIRE_PH_PREPARED}, {WIRE_START, G, 0, WIRE_PH_PREPARED},
		{WIRE_STARTED, H, 1, WIRE_PH_RUNNING},	 {WIRE_EXEC, G, 2, WIRE_PH_RUNNING},
		{WIRE_STARTED, H, 2, WIRE_PH_RUNNING},	 {WIRE_EXIT, H, 2, WIRE_PH_RUNNING},
		{WIRE_EXIT, H, 1, WIRE_PH_EXITED},	 {WIRE_DRAINED, H, 1, WIRE_PH_EXITED},
	};
	enum wire_phase ph = WIRE_PH_BOOT;

	for (size_t i = 0; i < ARRAY_LEN(walk); i++) {
		struct wire_head h = {0, walk[i].stream, walk[i].type, 0};

		ok(wire_allowed(ph, walk[i].dir, &h), "a container's life: %s may come",
		   wire_type_name(h.type));
		ph = wire_next(ph, walk[i].dir, &h);
		is_int(ph, walk[i].then, "and leads on");
	}
}

static void test_parts(void)
{
	static uint8_t big[3 * WIRE_PAYLOAD_MAX + 5];
	buf_auto b = BUF_WRITER(1u << 20);
	struct wire_parts p = WIRE_PARTS_INIT;
	struct wire_head h;
	size_t at = 0;
	int frames = 0, whole = 0;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t) (i * 7 >> 3);
	wire_put_parts(&b, WIRE_POLICY, 0, big, sizeof(big));
	while (at < b.n) {
		long n = wire_parse(b.p + at, b.n - at, G, &h);

		if (n <= 0)
			bail_out("a part is no frame");
		frames++;
		whole += wire_parts_add(&p, &h, b.p + at + WIRE_HEAD);
		if (frames == 2)
			is_int(wire_parts_add(&p, &(struct wire_head){1, 1, WIRE_DATA, 0}, "x"), 0,
			       "data may come between parts");
		at += (size_t) n;
	}
	is_int(frames, 4, "what is long comes in parts");
	ok(whole == 1 && p.b.n == sizeof(big) && !memcmp(p.b.p, big, sizeof(big)),
	   "and is put together");
	is_int(wire_parts_add(&p, &(struct wire_head){2, 0, WIRE_UPDATE, WIRE_LAST}, "hi"), 1,
	       "a whole thing in one part");
	ok(p.b.n == 2 && !memcmp(p.b.p, "hi", 2), "without what was there before");
	is_int(wire_parts_add(&p, &(struct wire_head){1, 0, WIRE_PING, 0}, "x"), 0,
	       "what is never in parts goes by");
	is_int(wire_parts_add(&p, &(struct wire_head){2, 2, WIRE_EXEC, WIRE_MORE}, "ab"), 0,
	       "the first part");
	is_int(wire_parts_add(&p, &(struct wire_head){1, 0, WIRE_PING, 0}, "x"), -EBADMSG,
	       "another control frame between parts");
	is_int(wire_parts_add(&p, &(struct wire_head){2, 3, WIRE_EXEC, WIRE_MORE}, "ab"), -EBADMSG,
	       "the next part on another stream");
	is_int(wire_parts_add(&p, &(struct wire_head){2, 2, WIRE_EXEC, WIRE_LAST}, "cd"), 1,
	       "the right one");
	ok(p.b.n == 4 && !memcmp(p.b.p, "abcd", 4), "both parts are there");
	h = (struct wire_head){WIRE_PAYLOAD_MAX, 0, WIRE_POLICY, WIRE_MORE};
	for (at = 0; wire_parts_add(&p, &h, big) == 0 && at < 10000;)
		at++;
	is_int(at, WIRE_PARTS_MAX / WIRE_PAYLOAD_MAX, "parts without end are refused");
	wire_parts_free(&p);
}

static void test_flow(void)
{
	struct wire_flow f = WIRE_FLOW_INIT;

	is_int(wire_flow_give(&f, 1), -EBADMSG, "credit for what was never sent");
	is_int(wire_flow_take(&f, WIRE_WINDOW), 0, "all of the window");
	is_int(wire_flow_take(&f, 1), -EBADMSG, "a byte more");
	is_int(wire_flow_give(&f, 0), -EBADMSG, "credit of nothing");
	is_int(wire_flow_give(&f, 100), 0, "some is given back");
	is_int(wire_flow_take(&f, 101), -EBADMSG, "more than that");
	is_int(wire_flow_take(&f, 100), 0, "just that");
	is_int(wire_flow_give(&f, UINT32_MAX), -EBADMSG, "credit that would wrap");
	is_int(wire_flow_give(&f, WIRE_WINDOW), 0, "all of it");
	is_int(f.window, WIRE_WINDOW, "as at first");
}

/* ---- payloads ---- */

static const struct ctable *const tables[] = {
	&wire_hello_table,  &wire_hello_back_table, &wire_verdict_table, &wire_clock_table,
	&wire_net_table,    &wire_prepare_table,    &wire_exec_table,	 &wire_signal_table,
	&wire_resize_table, &wire_ask_table,	    &wire_update_table,	 &wire_reply_table,
	&wire_event_table,  &wire_exit_table,	    &wire_fail_table,	 &wire_facts_table,
	&wire_attest_table,
};

#ifdef CODEC_COVERAGE
#define COVERED(st, table)                                                                         \
	do {                                                                                       \
		static uint8_t want[sizeof(struct st)], got[sizeof(struct st)];                    \
		VALUE_BYTES(struct st, want);                                                      \
		mark_obj(table, got);                                                              \
		ok((table)->size == sizeof(struct st) && !memcmp(want, got, sizeof(want)),         \
		   "every member of struct " #st " is in its table");                              \
	} while (0)

static const struct ctable *sub(const struct ctable *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->f[i].name, name))
			return t->f[i].sub;
	bail_out("no such row");
	return NULL;
}

static void test_coverage(void)
{
	const struct ctable *nic = sub(&wire_net_table, "nics");

	COVERED(wire_hello, &wire_hello_table);
	COVERED(wire_hello_back, &wire_hello_back_table);
	COVERED(wire_verdict, &wire_verdict_table);
	COVERED(wire_clock, &wire_clock_table);
	COVERED(wire_net, &wire_net_table);
	COVERED(wire_nic, nic);
	COVERED(wire_addr, sub(nic, "addrs"));
	COVERED(wire_route, sub(nic, "routes"));
	COVERED(wire_neigh, sub(nic, "neighs"));
	COVERED(wire_prepare, &wire_prepare_table);
	COVERED(wire_volume, sub(&wire_prepare_table, "volumes"));
	COVERED(wire_filter, sub(&wire_prepare_table, "filters"));
	COVERED(wire_exec, &wire_exec_table);
	COVERED(wire_signal, &wire_signal_table);
	COVERED(wire_resize, &wire_resize_table);
	COVERED(wire_ask, &wire_ask_table);
	COVERED(wire_update, &wire_update_table);
	COVERED(wire_reply, &wire_reply_table);
	COVERED(wire_event, &wire_event_table);
	COVERED(wire_exit, &wire_exit_table);
	COVERED(wire_fail, &wire_fail_table);
	COVERED(wire_facts, &wire_facts_table);
	COVERED(wire_seen, sub(&wire_facts_table, "procs"));
	COVERED(wire_limit, sub(&wire_facts_table, "limits"));
	COVERED(wire_attest, &wire_attest_table);
}
#else
static void test_coverage(void)
{
	skip("this compiler has no __builtin_clear_padding", "every member is in its table");
}
#endif

static bool round_trip(const struct ctable *t, struct arena *a)
{
	void *obj = arena_alloc(a, t->size), *back = arena_alloc(a, t->size);
	struct err e = ERR_INIT;
	buf_auto b = BUF_WRITER(1u << 20);
	buf_auto again = BUF_WRITER(1u << 20);

	gen_obj(t, obj, a, 3);
	codec_encode(&b, t, obj);
	if (b.bad || wire_body(b.p, b.n, t, back, a, &e) < 0 || !same_obj(t, obj, back))
		return false;
	codec_encode(&again, t, back);
	if (again.n != b.n || memcmp(again.p, b.p, b.n))
		return false;
	/* one byte too few, one too many */
	buf_put_u8(&b, 0);
	if (wire_body(b.p, b.n, t, back, a, &e) != -EBADMSG)
		return false;
	return wire_body(b.p, b.n - 2, t, back, a, &e) == -EBADMSG;
}

static void test_bodies(void)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		int bad = 0;

		for (unsigned seed = 1; seed <= 200; seed++) {
			arena_auto a = {0};

			rng = seed * 0x9e3779b97f4a7c15u;
			bad += !round_trip(tables[i], &a);
		}
		is_int(bad, 0, "%s: decoding is the inverse of encoding", tables[i]->name);
	}
}

int main(void)
{
	test_types();
	test_every_type_byte();
	test_bytes();
	test_phases();
	test_walk();
	test_parts();
	test_flow();
	test_coverage();
	test_bodies();
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* The bounded buffer: byte layout, limits, and what a hostile input cannot make it do. */
#include "base/buf.h"

#include "tests/unit/tap.h"

static void test_layout(void)
{
	static const uint8_t want[] = {
		0x01, 0x04, 0x03, 0x02, 0x01, 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02,
		0x01, 0x02, 0x00, 0x00, 0x00, 'h',  'i',  0xff, 0xff, 0xff, 0xff,
	};
	buf_auto b = BUF_WRITER(100);

	buf_put_u8(&b, 1);
	buf_put_u32(&b, 0x01020304);
	buf_put_u64(&b, 0x0102030405060708);
	buf_put_str(&b, "hi");
	buf_put_str(&b, NULL);
	ok(!b.bad && b.n == sizeof(want) && !memcmp(b.p, want, sizeof(want)),
	   "integers are little-endian, strings have their length in front");
}

static void test_round_trip(void)
{
	buf_auto b = BUF_WRITER(1 << 20);
	arena_auto a = {0};
	struct buf r;
	int bad = 0;

	for (uint32_t i = 0; i < 5000; i++) {
		buf_put_u32(&b, i);
		buf_put_str(&b, i % 3 ? "text" : NULL);
		buf_put_u64(&b, (uint64_t) i << 33);
		buf_put_bytes(&b, "\0\1", 2);
	}
	ok(!b.bad, "grows by itself");
	r = BUF_READER(b.p, b.n);
	for (uint32_t i = 0; i < 5000; i++) {
		char *s;

		bad += buf_get_u32(&r) != i;
		s = buf_get_str(&r, &a);
		bad += i % 3 ? !s || strcmp(s, "text") : s != NULL;
		bad += buf_get_u64(&r) != (uint64_t) i << 33;
		bad += buf_get_u32(&r) != 2 || memcmp(buf_get(&r, 2), "\0\1", 2);
	}
	ok(!bad && !r.bad && buf_left(&r) == 0, "what was written is read back");
	buf_put_u8(&r, 1);
	ok(r.bad, "a reader cannot be written to");
	buf_free(&r);
}

static void test_limits(void)
{
	buf_auto b = BUF_WRITER(8);

	buf_put_u64(&b, 1);
	ok(!b.bad && b.n == 8, "max can be reached");
	buf_put_u8(&b, 1);
	ok(b.bad && b.n == 8, "and not exceeded");
	buf_put(&b, "", 0);
	ok(b.bad, "bad stays bad");
	buf_free(&b);
	b = BUF_WRITER(1000);
	buf_put(&b, "x", SIZE_MAX);
	ok(b.bad, "a length that wraps is refused");
}

static void test_hostile(void)
{
	static const uint8_t long_str[] = {0xfe, 0xff, 0xff, 0xff, 'a'};
	static const uint8_t nul_str[] = {3, 0, 0, 0, 'a', 0, 'b'};
	static const uint8_t empty_str[] = {0, 0, 0, 0};
	arena_auto a = {0};
	struct buf r = BUF_READER(long_str, sizeof(long_str));

	ok(!buf_get_str(&r, &a) && r.bad, "a string longer than the input is refused");
	is_int(a.used, 0, "before memory is taken for it");
	r = BUF_READER(nul_str, sizeof(nul_str));
	ok(!buf_get_str(&r, &a) && r.bad, "a NUL inside a string is refused");
	r = BUF_READER(empty_str, sizeof(empty_str));
	is_str(buf_get_str(&r, &a), "", "the empty string is not NULL");
	r = BUF_READER(empty_str, 3);
	ok(buf_get_u32(&r) == 0 && r.bad, "a short integer is 0 and bad");
	ok(!buf_get(&r, 1) && buf_left(&r) == 0, "nothing can be read from a bad buffer");
	r = BUF_READER(empty_str, 4);
	ok(!buf_get(&r, SIZE_MAX) && r.bad, "a huge get is refused");
}

/* What realloc() leaves behind cannot be looked at; that the memory in use is overwritten can. */
static void test_wipe(void)
{
	struct buf b = BUF_WRITER(1u << 20);
	const uint8_t *p;
	bool left = false;

	b.wipe = true;
	for (int i = 0; i < 1000; i++)
		buf_put(&b, "secret", 6);
	ok(!b.bad && b.n == 6000 && !memcmp(b.p + 5994, "secret", 6), "what is to be wiped grows");
	p = b.p;
	buf_wipe(&b);
	for (size_t i = 0; i < b.cap; i++)
		left |= p[i] != 0;
	ok(!left && b.n == 0 && !b.bad, "wiped: empty, and nothing is left");
	buf_put(&b, "more", 4);
	ok(!b.bad && b.n == 4, "and can be used again");
	buf_free(&b);
}

int main(void)
{
	test_layout();
	test_round_trip();
	test_limits();
	test_hostile();
	test_wipe();
	return done();
}

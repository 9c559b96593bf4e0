/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* Strings, name tables and the arena under them. */
#include "base/str.h"

#include "tests/unit/tap.h"

static void test_prefix_suffix(void)
{
	is_str(str_prefix("file:/x", "file:"), "/x", "prefix: the rest");
	ok(!str_prefix("fil", "file:"), "prefix: longer than the string");
	is_str(str_prefix("abc", ""), "abc", "prefix: the empty one");
	ok(str_has_suffix("a.scope", ".scope") && !str_has_suffix("scope", ".scope"), "suffix");
	ok(str_eq0(NULL, NULL) && !str_eq0(NULL, "") && !str_eq0("", NULL) && str_eq0("a", "a"),
	   "str_eq0: NULL equals only NULL");
}

static void test_split(void)
{
	arena_auto a = {0};
	struct strs l = str_split(&a, "/usr/bin::/bin:", ':');

	is_int(l.n, 2, "split: empty parts do not count");
	is_str(l.v[0], "/usr/bin", "split: first");
	is_str(l.v[1], "/bin", "split: second");
	is_int(str_split(&a, "", ':').n, 0, "split: nothing");
	is_int(str_split(&a, "::", ':').n, 0, "split: only separators");
	is_int(str_split(&a, "one", ':').n, 1, "split: no separator");
	ok(strs_has(&l, "/bin") && !strs_has(&l, "/bi"), "strs_has compares whole strings");
}

static void test_env(void)
{
	arena_auto a = {0};
	struct strs env = str_split(&a, "PATH=/bin,A=1,AB=2,A=3,EMPTY=,BARE", ',');

	is_str(env_get(&env, "A"), "3", "env: the last one wins");
	is_str(env_get(&env, "AB"), "2", "env: whole names");
	is_str(env_get(&env, "EMPTY"), "", "env: an empty value");
	ok(!env_get(&env, "BARE") && !env_get(&env, "PAT"), "env: NULL when it is not there");
}

static void test_names(void)
{
	static const struct name_val t[] = {{"pid", 1}, {"network", 2}, {"net", 2}};

	is_int(name_find(t, 3, "network")->val, 2, "name_find");
	ok(!name_find(t, 3, "netw"), "name_find: whole names");
	is_str(name_of(t, 3, 2), "network", "name_of: the first row of the value");
	ok(!name_of(t, 3, 9), "name_of: NULL for an unknown value");
}

/* Against the definition: encode every code point, and count what is taken of all 3-byte strings. */
static void test_utf8(void)
{
	unsigned char b[4];
	int bad = 0;
	long three = 0;

	for (unsigned c = 0; c < 0x110000; c++) {
		size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		for (size_t i = n; i-- > 1;)
			b[i] = (unsigned char) (0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
		b[0] = (unsigned char) (n == 1 ? c
					       : (0xf0u << (4 - n) & 0xff) | c >> (6 * (n - 1)));
		bad += str_utf8_len(b, n) != (c >= 0xd800 && c <= 0xdfff ? 0 : n);
		bad += n > 1 && str_utf8_len(b, n - 1) != 0;
	}
	is_int(bad, 0, "utf8: every character is taken, surrogates and cut ones are not");
	for (unsigned c = 0; c < 1u << 24; c++) {
		b[0] = (unsigned char) (c >> 16);
		b[1] = (unsigned char) (c >> 8);
		b[2] = (unsigned char) c;
		three += str_utf8_len(b, 3) == 3;
	}
	is_int(three, 0x10000 - 0x800 - 0x800, "utf8: nothing else of three bytes is taken");
}

static void test_arena_given(void)
{
	static _Alignas(max_align_t) char memory[512];
	char *in, *out;

	for (int round = 0; round < 2; round++) {
		struct arena a = {0};

		arena_give(&a, memory, sizeof(memory));
		in = arena_alloc(&a, 300);
		ok(in >= memory && in + 300 <= memory + sizeof(memory) && !in[0] && !in[299],
		   "arena: begins in the memory that was given, zeroed");
		memset(in, 'x', 300);
		out = arena_alloc(&a, 300);
		ok(out < memory || out >= memory + sizeof(memory),
		   "arena: goes on elsewhere when it is full");
		arena_free(&a);
	}
}

static void test_arena(void)
{
	arena_auto a = {0};
	unsigned char *p, *last = NULL;
	int misaligned = 0, dirty = 0, overlap = 0;

	for (size_t i = 0; i < 3000; i++) {
		size_t n = i * 7 % 1000 + (i % 500 == 0 ? 300000 : 0);

		p = arena_alloc(&a, n);
		misaligned += (uintptr_t) p % _Alignof(max_align_t) != 0;
		for (size_t k = 0; k < n; k++)
			dirty += p[k] != 0;
		memset(p, 0xa5, n);
		overlap += p == last;
		last = p;
	}
	ok(!misaligned && !dirty && !overlap, "arena: zeroed, aligned, distinct pieces");
	is_str(arena_printf(&a, "%s-%d", "x", 7), "x-7", "arena_printf");
	is_str(arena_strndup(&a, "hello", 3), "hel", "arena_strndup cuts");
	is_str(arena_strndup(&a, "hi", 30), "hi", "arena_strndup stops at the end");
	arena_free(&a);
	ok(!a.head && a.used == 0, "arena_free leaves an empty arena");
	is_str(arena_strdup(&a, "again"), "again", "which can be used again");
}

int main(void)
{
	test_prefix_suffix();
	test_split();
	test_env();
	test_names();
	test_utf8();
	test_arena();
	test_arena_given();
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* The JSON writer: layout as runc prints it, and valid JSON whatever the bytes are. */
#include "base/jsonw.h"

#include "base/types.h"
#include "tests/unit/tap.h"

static const char *text(struct buf *b)
{
	buf_put_u8(b, 0);
	return (const char *) b->p;
}

static void write_sample(struct jsonw *w)
{
	char first[] = "a", second[] = "b", key[] = "k", val[] = "v", *args[] = {first, second};
	struct strs l = {.v = args, .n = 2, .set = true}, none = {0};
	struct kv kv = {key, val};
	struct kvs m = {.v = &kv, .n = 1}, empty = {0};

	jw_obj(w);
	jw_kstr(w, "id", "c1");
	jw_ku64(w, "big", UINT64_MAX);
	jw_ki64(w, "neg", INT64_MIN);
	jw_kbool(w, "yes", true);
	jw_kstr(w, "none", NULL);
	jw_kstrs(w, "args", &l);
	jw_kstrs(w, "noargs", &none);
	jw_kkvs(w, "map", &m);
	jw_kkvs(w, "nomap", &empty);
	jw_key(w, "list");
	jw_arr(w);
	jw_obj(w);
	jw_obj_end(w);
	jw_arr(w);
	jw_u64(w, 1);
	jw_raw(w, "[2]");
	jw_arr_end(w);
	jw_null(w);
	jw_arr_end(w);
	jw_obj_end(w);
}

static void test_compact(void)
{
	buf_auto b = BUF_WRITER(10000);
	struct jsonw w;

	jw_init(&w, &b, false);
	write_sample(&w);
	is_str(text(&b),
	       "{\"id\":\"c1\",\"big\":18446744073709551615,\"neg\":-9223372036854775808,\"yes\":true,"
	       "\"none\":null,\"args\":[\"a\",\"b\"],\"noargs\":[],\"map\":{\"k\":\"v\"},\"nomap\":{},"
	       "\"list\":[{},[1,[2]],null]}",
	       "compact");
}

static void test_pretty(void)
{
	buf_auto b = BUF_WRITER(10000);
	struct jsonw w;

	jw_init(&w, &b, true);
	write_sample(&w);
	is_str(text(&b),
	       "{\n  \"id\": \"c1\",\n  \"big\": 18446744073709551615,\n"
	       "  \"neg\": -9223372036854775808,\n  \"yes\": true,\n  \"none\": null,\n"
	       "  \"args\": [\n    \"a\",\n    \"b\"\n  ],\n  \"noargs\": [],\n"
	       "  \"map\": {\n    \"k\": \"v\"\n  },\n  \"nomap\": {},\n"
	       "  \"list\": [\n    {},\n    [\n      1,\n      [2]\n    ],\n    null\n  ]\n}",
	       "pretty: two blanks, empty containers on one line");
}

static void test_escapes(void)
{
	static const struct {
		const char *in, *out, *what;
	} t[] = {
		{"a\"b\\c/", "\"a\\\"b\\\\c/\"", "quote and backslash"},
		{"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"", "controls"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
		 "valid UTF-8 stays"},
		{"\xff"
		 "a\xc3",
		 "\"\xef\xbf\xbd"
		 "a\xef\xbf\xbd\"",
		 "stray and cut bytes"},
		{"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "overlong NUL"},
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "encoded surrogate"},
		{"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		 "above U+10FFFF"},
		{"\xf0\x8f\xbf\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		 "overlong of four"},
		{"", "\"\"", "the empty string"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_auto b = BUF_WRITER(1000);
		struct jsonw w;

		jw_init(&w, &b, false);
		jw_str(&w, t[i].in);
		is_str(text(&b), t[i].out, "escapes: %s", t[i].what);
	}
}

int main(void)
{
	test_compact();
	test_pretty();
	test_escapes();
	return done();
}

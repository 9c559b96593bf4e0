/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup policy host json base */
#include "tap.h"

#include "base/str.h"
#include "cgroup/gvariant.h"

static struct arena a;

static const struct {
	const char *text, *sig;
} good[] = {
	{"true", "b"},
	{" false ", "b"},
	{"5", "i"},
	{"-5", "i"},
	{"0x1f", "i"},
	{"017", "i"},
	{"1.5", "d"},
	{"1e3", "d"},
	{"byte 255", "y"},
	{"int16 -32768", "n"},
	{"uint16 65535", "q"},
	{"int32 -2147483648", "i"},
	{"uint32 4294967295", "u"},
	{"int64 -9223372036854775808", "x"},
	{"uint64 18446744073709551615", "t"},
	{"double 3", "d"},
	{"'text'", "s"},
	{"\"it's\"", "s"},
	{"objectpath '/a/b_1'", "o"},
	{"signature 'a{sv}'", "g"},
	{"['a', 'b']", "as"},
	{"[1, 2]", "ai"},
	{"[byte 1, 2]", "ay"},
	{"[1, byte 2]", "ay"},
	{"[1, uint64 2, 3]", "at"},
	{"@as []", "as"},
	{"@a{sv} {}", "a{sv}"},
	{"@a(ss) []", "a(ss)"},
	{"@(qt) (1, 2)", "(qt)"},
	{"@t 7", "t"},
	{"(1, 'a', true)", "(isb)"},
	{"(1,)", "(i)"},
	{"[('/dev/null', 'rw')]", "a(ss)"},
	{"[('a', 1), ('b', uint64 2)]", "a(st)"},
	{"{'a': 1, 'b': 2}", "a{si}"},
	{"{'a': <1>, 'b': <'x'>}", "a{sv}"},
	{"[[1], [uint32 2]]", "aau"},
	{"<uint32 5>", "v"},
	{"b'ab\\001'", "ay"},
	{"[<1>, <@as []>]", "av"},
};

static const char *const bad[] = {
	"",
	"oops",
	"[]",
	"{}",
	"()",
	"[1, 'a']",
	"[1",
	"(1, 2",
	"'open",
	"1 2",
	"byte 256",
	"byte -1",
	"uint16 65536",
	"int16 32768",
	"2147483648",
	"uint64 18446744073709551616",
	"int64 9223372036854775808",
	"uint32 'a'",
	"objectpath 'a'",
	"objectpath '/a/'",
	"objectpath '/a//b'",
	"signature 'a'",
	"nothing",
	"just 5",
	"handle 5",
	"@mi 5",
	"@a 5",
	"@s5",
	"@{ss} {}",
	"{[1]: 2}",
	"{'a' 1}",
	"<1",
	"inf",
	"1e999",
	"1-2",
	"0x",
	"+-5",
	"--5",
	".",
	"'\\u0000'",
	"'\\ud800'",
	"'\\uzz'",
	"'\xff'",
	"b'\\000'",
	"b'\\777'",
	"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
	"@aaaaaaaaaaaaaaaaaaaaaaai []",
};

static struct gv *parse(const char *text)
{
	struct err e = ERR_INIT;
	struct gv *v;

	return gv_parse(text, &a, &v, &e) == 0 ? v : NULL;
}

static char *seconds(const char *text)
{
	struct err e = ERR_INIT;
	struct gv *v = parse(text);
	char *s;

	return v && gv_seconds(v, &a, &s, &e) == 0 ? s : NULL;
}

int main(void)
{
	struct err e = ERR_INIT;
	struct gv *v;
	char *many;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		v = parse(good[i].text);
		is_str(v ? v->sig : NULL, good[i].sig, "%s has type %s", good[i].text, good[i].sig);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ok(!parse(bad[i]), "refuses text %zu of what is not a value", i);

	v = parse("int64 -7");
	ok(v && v->i == -7, "keeps the sign");
	v = parse("'a\\tb\\u00e9\\'\\\\'");
	is_str(v ? v->s : NULL, "a\tb\xc3\xa9'\\", "undoes escapes");
	v = parse("{'a': 1, 'b': 2}");
	ok(v && v->n == 2 && v->sub[1]->type == '{' && v->sub[1]->sub[1]->i == 2,
	   "a dictionary is an array of entries");
	v = parse("b'ab'");
	ok(v && v->n == 3 && v->sub[2]->u == 0, "a byte string ends with a NUL");
	v = parse(gv_quote(&a, "it's \\ \"x\""));
	is_str(v ? v->s : NULL, "it's \\ \"x\"", "what was quoted is read back");

	is_str(seconds("5"), "uint64 5000000", "seconds become microseconds");
	is_str(seconds("uint32 1"), "uint64 1000000", "whatever the type");
	is_str(seconds("0.25"), "uint64 250000", "also fractions");
	is_str(seconds("-1"), NULL, "refuses negative seconds");
	is_str(seconds("-0.5"), NULL, "refuses negative fractions");
	is_str(seconds("uint64 18446744073709551615"), NULL, "refuses seconds that overflow");
	is_str(seconds("'5'"), NULL, "refuses seconds as text");

	ok(gv_parse("[1, 'a']", &a, &v, &e) == -EINVAL && strstr(e.msg, "type"),
	   "says that the types differ");
	err_clear(&e);
	many = arena_alloc(&a, GV_TEXT_MAX + 2);
	memset(many, ' ', GV_TEXT_MAX + 1);
	ok(gv_parse(many, &a, &v, &e) == -EFBIG, "refuses a text that is too long");
	err_clear(&e);
	many[0] = '(';
	for (size_t i = 1; i + 2 < GV_TEXT_MAX; i += 2)
		memcpy(many + i, "1,", 2);
	strcpy(many + GV_TEXT_MAX - 2, ")");
	ok(gv_parse(many, &a, &v, &e) == -EINVAL, "refuses a structure whose type is too long");
	arena_free(&a);
	return done();
}

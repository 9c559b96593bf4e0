/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base json */
/* The JSON reader: what it refuses, with which words and where, and the nodes that it makes. */
#include "json/read.h"

#include "base/str.h"
#include "tests/unit/tap.h"

/* Reads text of n bytes; from the heap without a NUL, so that a sanitizer sees a read beyond the end. */
static int read_n(const char *text, size_t n, struct arena *a, struct json_doc *d, struct err *e)
{
	char *copy = malloc(n ? n : 1);
	int r;

	memcpy(copy, text, n);
	r = json_read("c.json", copy, n, a, d, e);
	if (r == 0) /* keep what the doc points to */
		d->text = arena_memdup(a, text, n);
	free(copy);
	return r;
}

static void refuses(const char *text, size_t n, const char *want)
{
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct json_doc d;
	int r = read_n(text, n, &a, &d, &e);

	ok(r == -EINVAL && e.code == r && e.id == ERR_CONFIG, "refuses: %.60s", want);
	is_str(e.msg, want, "says: %.60s", want);
}

static const struct {
	const char *text, *want;
} bad[] = {
	{"", "c.json:1:1: expected a value, found the end of the document"},
	{" \n\t ", "c.json:2:3: expected a value, found the end of the document"},
	{"{", "c.json:1:2: expected a member name or '}', found the end of the document"},
	{"{\"a\"", "c.json:1:5: expected ':', found the end of the document"},
	{"{\"a\":", "c.json:1:6: expected a value, found the end of the document"},
	{"{\"a\":1", "c.json:1:7: expected ',' or '}', found the end of the document"},
	{"{\"a\":1,", "c.json:1:8: expected a member name, found the end of the document"},
	{"[1,", "c.json:1:4: expected a value, found the end of the document"},
	{"[1", "c.json:1:3: expected ',' or ']', found the end of the document"},
	{"{\"a\":1,}", "c.json:1:8: expected a member name, found '}'"},
	{"[1,]", "c.json:1:4: expected a value, found ']'"},
	{"[1 2]", "c.json:1:4: expected ',' or ']', found 2"},
	{"{\"a\" 1}", "c.json:1:6: expected ':', found 1"},
	{"{\"a\":1 \"b\":2}", "c.json:1:8: expected ',' or '}', found a string"},
	{"{a:1}", "c.json:1:2: expected a member name or '}', found a"},
	{"{'a':1}", "c.json:1:2: expected a member name or '}', found '''"},
	{"{1:1}", "c.json:1:2: expected a member name or '}', found 1"},
	{"{]", "c.json:1:2: expected a member name or '}', found ']'"},
	{"[}", "c.json:1:2: expected a value or ']', found '}'"},
	{"{\"a\":tru}", "c.json:1:6: expected a value, found tru"},
	{"{\"a\":True}", "c.json:1:6: expected a value, found True"},
	{"{\"a\":NaN}", "c.json:1:6: expected a value, found NaN"},
	{"{\"a\":01}", "c.json:1:7: expected ',' or '}', found 1"},
	{"{\"a\":1.}", "c.json:1:6: expected a value, found 1."},
	{"{\"a\":.5}", "c.json:1:6: expected a value, found .5"},
	{"{\"a\":+1}", "c.json:1:6: expected a value, found +1"},
	{"{\"a\":-}", "c.json:1:6: expected a value, found -"},
	{"{\"a\":1e}", "c.json:1:6: expected a value, found 1e"},
	{"{\"a\":0x10}", "c.json:1:7: expected ',' or '}', found x10"},
	{"{} {}", "c.json:1:4: expected the end of the document, found '{'"},
	{"{}x", "c.json:1:3: expected the end of the document, found x"},
	{"[]]", "c.json:1:3: expected the end of the document, found ']'"},
	{"1 2", "c.json:1:3: expected the end of the document, found 2"},
	{"{}\n// no\n", "c.json:2:1: expected the end of the document, found '/'"},
	{"/* no */ {}", "c.json:1:1: expected a value, found '/'"},
	{"\xef\xbb\xbf{}", "c.json:1:1: expected a value, found a byte order mark"},
	{"{\"a\":\"b", "c.json:1:8: expected '\"', found the end of the document"},
	{"{\"a\":\"b\\", "c.json:1:9: expected '\"', found the end of the document"},
	{"{\"a\":\"b\nc\"}", "c.json:1:8: expected text, found control character 0x0a"},
	{"{\"a\":\"\x01\"}", "c.json:1:7: expected text, found control character 0x01"},
	{"{\"a\":\"\\x\"}", "c.json:1:7: expected an escape of JSON, found \\x"},
	{"{\"a\":\"\\u12g4\"}",
	 "c.json:1:7: expected four hex digits after \\u, found something else"},
	{"{\"a\":\"\\u12", "c.json:1:7: expected four hex digits after \\u, found something else"},
	{"{\"a\":\"x\\u0000y\"}", "c.json:1:8: expected text without NUL, found \\u0000"},
	{"{\"a\\u0000\":1}", "c.json:1:4: expected text without NUL, found \\u0000"},
	{"[\"\\ud800\"]",
	 "c.json:1:3: expected a whole surrogate pair, found its first half: \\ud800"},
	{"[\"\\ud800\\n\"]",
	 "c.json:1:3: expected a whole surrogate pair, found its first half: \\ud800"},
	{"[\"\\ud800\\u0041\"]",
	 "c.json:1:3: expected a whole surrogate pair, found its first half: \\ud800"},
	{"[\"\\uD83D\\uD83D\"]",
	 "c.json:1:3: expected a whole surrogate pair, found its first half: \\ud83d"},
	{"[\"\\ude00\"]",
	 "c.json:1:3: expected a whole surrogate pair, found its second half: \\ude00"},
	{"[\"\xff\"]", "c.json:1:3: expected UTF-8, found byte 0xff"},
	{"[\"\xc0\xaf\"]", "c.json:1:3: expected UTF-8, found byte 0xc0"},
	{"[\"\xed\xa0\x80\"]", "c.json:1:3: expected UTF-8, found byte 0xed"},
	{"[\"\xf4\x90\x80\x80\"]", "c.json:1:3: expected UTF-8, found byte 0xf4"},
	{"[\"abcdefgh\xe2\x82\"]", "c.json:1:11: expected UTF-8, found byte 0xe2"},
	{"[\xc3\xa4]", "c.json:1:2: expected a value or ']', found byte 0xc3"},
	{"[1,\f2]", "c.json:1:4: expected JSON, found byte 0x0c"},
	{"[1]\v", "c.json:1:4: expected JSON, found byte 0x0b"},
	{"{\"a\":1,\"a\":2}", "c.json:1:8: member \"a\" is there twice"},
	{"{\"x\":{\"y\":[{\"a\":1,\n \"b\":2, \"\\u0061\":3}]}}",
	 "c.json:2:9: x.y[0]: member \"a\" is there twice"},
	{"{\"\":1,\"\":2}", "c.json:1:7: member \"\" is there twice"},
};

static void test_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuses(bad[i].text, strlen(bad[i].text), bad[i].want);
	refuses("{}\0", 3, "c.json:1:3: expected the end of the document, found byte 0x00");
	refuses("\0", 1, "c.json:1:1: expected a value, found byte 0x00");
	refuses("[\"a\0b\"]", 7, "c.json:1:4: expected text, found control character 0x00");
}

static char *repeat(const char *head, const char *part, size_t n, const char *tail)
{
	size_t h = strlen(head), p = strlen(part);
	char *s = malloc(h + p * n + strlen(tail) + 1);

	memcpy(s, head, h);
	for (size_t i = 0; i < n; i++)
		memcpy(s + h + i * p, part, p);
	strcpy(s + h + n * p, tail);
	return s;
}

static void test_limits(void)
{
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct json_doc d;
	char *s;

	s = repeat("", "[", 65, "");
	refuses(s, strlen(s), "c.json:1:65: expected at most 64 levels, found more");
	free(s);
	s = repeat("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "]", 64, "");
	is_int(read_n(s, strlen(s), &a, &d, &e), 0, "takes 64 levels");
	free(s);
	s = repeat("", "[", 1 << 20, "");
	refuses(s, strlen(s), "c.json:1:65: expected at most 64 levels, found more");
	free(s);
	s = repeat("[\"", "a", JSON_MAX_STRING, "\"]");
	is_int(read_n(s, strlen(s), &a, &d, &e), 0, "takes a string of 1 MiB");
	free(s);
	s = repeat("[\"", "a", JSON_MAX_STRING + 1, "\"]");
	refuses(s, strlen(s), "c.json:1:2: expected at most 1048576 bytes, found 1048577");
	free(s);
	s = repeat("{\"", "k", JSON_MAX_STRING + 1, "\":1}");
	refuses(s, strlen(s), "c.json:1:2: expected at most 1048576 bytes, found 1048577");
	free(s);
	s = repeat("[", "1", JSON_MAX_STRING + 1, "]");
	refuses(s, strlen(s), "c.json:1:2: expected at most 1048576 bytes, found 1048577");
	free(s);
	s = repeat("[]", " ", JSON_MAX_SIZE - 2, "");
	is_int(read_n(s, strlen(s), &a, &d, &e), 0, "takes 4 MiB");
	free(s);
	s = repeat("[]", " ", JSON_MAX_SIZE - 1, "");
	refuses(s, strlen(s), "c.json:1:1: expected at most 4194304 bytes, found 4194305");
	free(s);
}

/* A hundred thousand members, all different but the last: neither slow nor missed. */
static void test_many_members(void)
{
	const size_t n = 100000;
	char *s = malloc(n * 32), *p = s;
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct json_doc d;

	for (size_t i = 0; i < n; i++)
		p += sprintf(p, "%c\"member%zu\":%zu", i ? ',' : '{', (i * 7919) % n, i);
	strcpy(p, "}");
	is_int(read_n(s, strlen(s), &a, &d, &e), 0, "takes 100000 members");
	is_int(d.root->n, n, "all of them");
	strcpy(p, ",\"member5\":0}");
	is_int(read_n(s, strlen(s), &a, &d, &e), -EINVAL, "finds one of them twice");
	ok(strstr(e.msg, "member \"member5\" is there twice"), "by name");
	free(s);
}

static void check_offsets(const struct json_doc *d, const struct json_node *n, int *wrong)
{
	static const char first[] = {
		[JSON_NULL] = 'n', [JSON_STRING] = '"', [JSON_ARRAY] = '[', [JSON_OBJECT] = '{'};
	char c = d->text[n->offset];

	if (n->type == JSON_BOOL)
		*wrong += c != (n->b ? 't' : 'f');
	else if (n->type == JSON_NUMBER)
		*wrong += strncmp(d->text + n->offset, n->s, n->n) != 0;
	else
		*wrong += c != first[n->type];
	if (n->key)
		*wrong += d->text[n->key_offset] != '"';
	for (const struct json_node *k = n->child; k; k = k->next) {
		*wrong += k->parent != n;
		check_offsets(d, k, wrong);
	}
}

static void test_nodes(void)
{
	static const char text[] =
		"{ \"process\" : {\"user\":{\"uid\" :18446744073709551615,\n\t\"gid\":-0}, \"args\": [ "
		"\"a\\u00e4\\ud83d\\ude00\\n\\\"\\/\" ,\"\", true,false ,null, 1.50e+3 ] } ,\r\n"
		"\"annotations\":{\"org.x/y\":\"v,:\",\"plain_1\":\"\\\\u0000\"},\"empty\":{},\"none\":[]}";
	struct json_node *n, *args;
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct json_doc d;
	unsigned line, col;
	int wrong = 0;

	is_int(read_n(text, sizeof(text) - 1, &a, &d, &e), 0, "reads a document");
	check_offsets(&d, d.root, &wrong);
	is_int(wrong, 0, "every offset points to the first byte of its value");
	is_int(d.root->n, 4, "members are counted");
	n = json_get(json_get(json_get(d.root, "process"), "user"), "uid");
	is_str(n->s, "18446744073709551615", "numbers stay as they are written");
	is_str(json_path(&a, n), "process.user.uid", "path of a member");
	n = json_get(n->parent, "gid");
	is_str(n->s, "-0", "even odd ones");
	json_pos(&d, n->offset, &line, &col);
	ok(line == 2 && col == 8, "line and column");
	args = json_get(json_get(d.root, "process"), "args");
	is_int(args->n, 6, "elements are counted");
	is_str(args->child->s, "a\xc3\xa4\xf0\x9f\x98\x80\n\"/", "escapes are decoded");
	is_int(args->child->n, strlen(args->child->s), "with their length");
	is_str(args->child->next->s, "", "an empty string");
	n = args->child->next->next;
	ok(n->type == JSON_BOOL && n->b && n->next->type == JSON_BOOL && !n->next->b, "booleans");
	ok(n->next->next->type == JSON_NULL, "null");
	n = n->next->next->next;
	is_str(n->s, "1.50e+3", "a number with all parts");
	is_str(json_path(&a, n), "process.args[5]", "path of an element");
	n = json_get(json_get(d.root, "annotations"), "org.x/y");
	is_str(n->s, "v,:", "separators inside strings are text");
	is_str(json_path(&a, n), "annotations[\"org.x/y\"]", "path of an odd member");
	is_str(json_get(n->parent, "plain_1")->s, "\\u0000",
	       "an escaped backslash starts no escape");
	is_str(json_path(&a, d.root), "", "path of the root");
	ok(!json_get(d.root, "absent") && !json_get(args, "x"),
	   "json_get: NULL when there is none");
	ok(!json_get(d.root, "empty")->child && !json_get(d.root, "none")->child,
	   "empty containers");
}

static void test_scalars(void)
{
	static const char *const texts[] = {"1", " -12.5 ", "\"x\"", "true", "null", "[]", "{}"};
	static const enum json_type types[] = {JSON_NUMBER, JSON_NUMBER, JSON_STRING, JSON_BOOL,
					       JSON_NULL,   JSON_ARRAY,	 JSON_OBJECT};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err e = ERR_INIT;
		arena_auto a = {0};
		struct json_doc d = {0};
		int wrong = 0, r = read_n(texts[i], strlen(texts[i]), &a, &d, &e);

		if (r == 0)
			check_offsets(&d, d.root, &wrong);
		ok(r == 0 && d.root->type == types[i] && !wrong, "%s alone is a document: %s",
		   texts[i], json_type_name(types[i]));
	}
}

int main(void)
{
	test_refused();
	test_limits();
	test_many_members();
	test_nodes();
	test_scalars();
	return done();
}

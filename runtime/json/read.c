/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text to nodes, through yajl's streaming parser.
 *
 * Theory of operation: the text is checked as a whole before yajl sees it, for what yajl lets pass or
 * has had bugs with: invalid UTF-8 (overlong forms, encoded surrogates), \u0000, lone surrogates, a
 * byte order mark, vertical tabs and form feeds as blanks. Then it goes in as one chunk; each callback
 * makes one node.
 *
 * Positions: inside a callback yajl tells where the present token ends. Between two tokens that have a
 * callback there are only blanks, ',' and ':', so a token starts at the first other byte after the
 * one before it. The same knowledge turns yajl's "unallowed token" into what was expected and what was
 * found: describe_syntax().
 *
 * yajl's own limits are none, so size, depth and string length are checked here.
 */
#include "json/read.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/str.h"

#define WORD_MAX 32    /* bytes of what was found that a message shows */
#define FEW_MEMBERS 16 /* up to here comparing all pairs is cheaper than sorting */

struct reader {
	struct json_doc *doc;
	struct arena *arena;
	struct err *err;
	yajl_handle yajl;
	struct json_node *stack[JSON_MAX_DEPTH]; /* open containers */
	struct json_node *tail[JSON_MAX_DEPTH];	 /* their last children */
	unsigned depth;
	size_t end; /* of the token before */
	char *key;  /* of the member whose value comes next */
	uint32_t key_offset;
};

static int fail_at(struct reader *r, size_t offset, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

static int fail_at(struct reader *r, size_t offset, const char *fmt, ...)
{
	unsigned line, col;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_pos(r->doc, offset, &line, &col);
	return err_set_id(r->err, ERR_CONFIG, -EINVAL, "%s:%u:%u: %s", r->doc->name, line, col,
			  text);
}

static int check_utf8(struct reader *r, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *) text;
	size_t i = 0, n;

	while (i < len) {
		uint64_t eight;

		if (len - i >= sizeof(eight)) {
			memcpy(&eight, p + i, sizeof(eight));
			if (!(eight & 0x8080808080808080u)) {
				i += sizeof(eight);
				continue;
			}
		}
		n = str_utf8_len(p + i, len - i);
		if (n == 0)
			return fail_at(r, i, "expected UTF-8, found byte 0x%02x", p[i]);
		i += n;
	}
	return 0;
}

/* The value of four hex digits, or -1. */
static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = (char) (p[i] | 0x20);

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (c - 'a' + 10);
		else
			return -1;
	}
	return v;
}

#define HALF "expected a whole surrogate pair, found its "

/* A backslash has no meaning outside strings, so all of them can be looked at without a lexer. */
static int check_escapes(struct reader *r, const char *text, size_t len)
{
	const char *end = text + len, *p = text;

	while (p < end && (p = memchr(p, '\\', (size_t) (end - p)))) {
		int v, low;

		if (end - p < 2 || p[1] != 'u' || (v = hex4(p + 2, end)) < 0) {
			p += 2; /* yajl finds what is wrong with it, if anything is */
			continue;
		}
		if (v == 0)
			return fail_at(r, (size_t) (p - text),
				       "expected text without NUL, found \\u0000");
		if (v >= 0xdc00 && v <= 0xdfff)
			return fail_at(r, (size_t) (p - text), HALF "second half: \\u%04x", v);
		if (v >= 0xd800 && v <= 0xdbff) {
			low = end - p >= 8 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, end) : -1;
			if (low < 0xdc00 || low > 0xdfff)
				return fail_at(r, (size_t) (p - text), HALF "first half: \\u%04x",
					       v);
			p += 6;
		}
		p += 6;
	}
	return 0;
}

/* yajl takes them for blanks; JSON has no place for them, inside strings or outside. */
static int check_blanks(struct reader *r, const char *text, size_t len)
{
	static const char not_blank[] = {'\v', '\f'};

	for (size_t i = 0; i < sizeof(not_blank); i++) {
		const char *p = memchr(text, not_blank[i], len);

		if (p)
			return fail_at(r, (size_t) (p - text), "expected JSON, found byte 0x%02x",
				       not_blank[i]);
	}
	return 0;
}

static int check_text(struct reader *r, const char *text, size_t len)
{
	int ret;

	if (len > JSON_MAX_SIZE)
		return fail_at(r, 0, "expected at most %u bytes, found %zu", JSON_MAX_SIZE, len);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return fail_at(r, 0, "expected a value, found a byte order mark");
	ret = check_blanks(r, text, len);
	if (ret == 0)
		ret = check_utf8(r, text, len);
	return ret < 0 ? ret : check_escapes(r, text, len);
}

static size_t skip_blanks(const struct json_doc *d, size_t i)
{
	while (i < d->len && (d->text[i] == ' ' || d->text[i] == '\n' || d->text[i] == '\t' ||
			      d->text[i] == '\r'))
		i++;
	return i;
}

/* Where the present token starts. Syntax is yajl's business: what stands between may be skipped. */
static size_t token_start(const struct reader *r)
{
	size_t i = skip_blanks(r->doc, r->end);

	while (i < r->doc->len && (r->doc->text[i] == ',' || r->doc->text[i] == ':'))
		i = skip_blanks(r->doc, i + 1);
	return i;
}

/* Yajl callbacks return 1 to go on, 0 to stop. */

static struct json_node *add_node(struct reader *r, enum json_type type)
{
	struct json_node *parent = r->depth ? r->stack[r->depth - 1] : NULL;
	struct json_node *n = arena_new(r->arena, struct json_node);

	n->type = type;
	n->offset = (uint32_t) token_start(r);
	r->end = yajl_get_bytes_consumed(r->yajl);
	n->parent = parent;
	n->key = r->key;
	n->key_offset = r->key_offset;
	r->key = NULL;
	if (!parent) {
		r->doc->root = n;
		return n;
	}
	n->index = parent->n++;
	if (r->tail[r->depth - 1])
		r->tail[r->depth - 1]->next = n;
	else
		parent->child = n;
	r->tail[r->depth - 1] = n;
	return n;
}

static int on_null(void *ctx)
{
	add_node(ctx, JSON_NULL);
	return 1;
}

static int on_bool(void *ctx, int v)
{
	add_node(ctx, JSON_BOOL)->b = v;
	return 1;
}

static char *copy_text(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, s, n);
	return p;
}

static int check_length(struct reader *r, size_t offset, size_t n)
{
	if (n <= JSON_MAX_STRING)
		return 1;
	fail_at(r, offset, "expected at most %u bytes, found %zu", JSON_MAX_STRING, n);
	return 0;
}

static int on_number(void *ctx, const char *s, size_t n)
{
	struct reader *r = ctx;
	struct json_node *node = add_node(r, JSON_NUMBER);

	/* A number at the very end is delivered after the text, when "consumed" counts something else. */
	r->end = node->offset + n;
	if (!check_length(r, node->offset, n))
		return 0;
	node->s = copy_text(r->arena, s, n);
	node->n = (uint32_t) n;
	return 1;
}

static int on_string(void *ctx, const unsigned char *s, size_t n)
{
	struct reader *r = ctx;
	struct json_node *node = add_node(r, JSON_STRING);

	if (!check_length(r, node->offset, n))
		return 0;
	node->s = copy_text(r->arena, (const char *) s, n);
	node->n = (uint32_t) n;
	return 1;
}

static int on_key(void *ctx, const unsigned char *s, size_t n)
{
	struct reader *r = ctx;

	r->key_offset = (uint32_t) token_start(r);
	r->end = yajl_get_bytes_consumed(r->yajl);
	if (!check_length(r, r->key_offset, n))
		return 0;
	r->key = copy_text(r->arena, (const char *) s, n);
	return 1;
}

static int open_container(struct reader *r, enum json_type type)
{
	struct json_node *n = add_node(r, type);

	if (r->depth == JSON_MAX_DEPTH) {
		fail_at(r, n->offset, "expected at most %d levels, found more", JSON_MAX_DEPTH);
		return 0;
	}
	r->stack[r->depth] = n;
	r->tail[r->depth++] = NULL;
	return 1;
}

static int on_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int on_object(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_array_end(void *ctx)
{
	struct reader *r = ctx;

	r->end = yajl_get_bytes_consumed(r->yajl);
	r->depth--;
	return 1;
}

static int compare_keys(const void *a, const void *b)
{
	const struct json_node *x = *(struct json_node *const *) a;
	const struct json_node *y = *(struct json_node *const *) b;
	int c = strcmp(x->key, y->key);

	return c ? c : x->index < y->index ? -1 : 1;
}

/* The second of two members with one name, or NULL. Sorting keeps a hostile object of a million
 * members from costing their square, and unlike a hash table it has no worst case to be aimed at. */
static struct json_node *find_duplicate(const struct json_node *obj, struct arena *a)
{
	struct json_node **v, *n, *m;
	size_t i = 0;

	if (obj->n <= FEW_MEMBERS) {
		for (n = obj->child; n; n = n->next)
			for (m = obj->child; m != n; m = m->next)
				if (str_eq(n->key, m->key))
					return n;
		return NULL;
	}
	v = arena_array(a, obj->n, sizeof(struct json_node *));
	for (n = obj->child; n; n = n->next)
		v[i++] = n;
	qsort(v, i, sizeof(struct json_node *), compare_keys);
	for (i = 1; i < obj->n; i++)
		if (str_eq(v[i - 1]->key, v[i]->key))
			return v[i];
	return NULL;
}

static int on_object_end(void *ctx)
{
	struct reader *r = ctx;
	struct json_node *twice = find_duplicate(r->stack[r->depth - 1], r->arena);

	if (twice) {
		const char *path = json_path(r->arena, twice->parent);

		fail_at(r, twice->key_offset, "%s%smember \"%.64s\" is there twice", path,
			*path ? ": " : "", twice->key);
		return 0;
	}
	return on_array_end(ctx);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number, /* instead of integer and double: the literal as it stands */
	.yajl_string = on_string,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_object_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_array_end,
};

/* What may stand at *i, which is moved over the separators that are right. */
static const char *expected_at(const struct reader *r, size_t *i)
{
	const struct json_node *in = r->depth ? r->stack[r->depth - 1] : NULL;
	const struct json_doc *d = r->doc;
	char c;

	*i = skip_blanks(d, r->end);
	c = *i < d->len ? d->text[*i] : '\0';
	if (r->key) {
		if (c != ':')
			return "':'";
		*i = skip_blanks(d, *i + 1);
		return "a value";
	}
	if (!in)
		return d->root ? "the end of the document" : "a value";
	if (in->n == 0)
		return in->type == JSON_OBJECT ? "a member name or '}'" : "a value or ']'";
	if (c != ',')
		return in->type == JSON_OBJECT ? "',' or '}'" : "',' or ']'";
	*i = skip_blanks(d, *i + 1);
	return in->type == JSON_OBJECT ? "a member name" : "a value";
}

/* A string that yajl did not take, at i: where is it wrong? */
static int describe_string(struct reader *r, size_t i)
{
	const struct json_doc *d = r->doc;

	for (i++; i < d->len && d->text[i] != '"'; i++) {
		unsigned char c = (unsigned char) d->text[i];

		if (c < 0x20)
			return fail_at(r, i, "expected text, found control character 0x%02x", c);
		if (c != '\\')
			continue;
		if (i + 1 < d->len && d->text[i + 1] == 'u' &&
		    hex4(d->text + i + 2, d->text + d->len) < 0)
			return fail_at(r, i,
				       "expected four hex digits after \\u, found something else");
		if (i + 1 < d->len && !strchr("\"\\/bfnrtu", d->text[i + 1]))
			return fail_at(r, i, "expected an escape of JSON, found \\%c",
				       d->text[i + 1]);
		i++;
	}
	return 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char) c) || (c && strchr("+-._", c));
}

/* yajl refused the text after the last token that it delivered. */
static int describe_syntax(struct reader *r)
{
	const struct json_doc *d = r->doc;
	const char *expected;
	size_t i, n = 0;

	expected = expected_at(r, &i);
	if (i >= d->len)
		return fail_at(r, d->len, "expected %s, found the end of the document", expected);
	if (d->text[i] == '"') {
		int ret = describe_string(r, i);

		if (ret < 0)
			return ret;
		if (!memchr(d->text + i + 1, '"', d->len - i - 1))
			return fail_at(r, d->len, "expected '\"', found the end of the document");
		return fail_at(r, i, "expected %s, found a string", expected);
	}
	while (i + n < d->len && n < WORD_MAX && is_word(d->text[i + n]))
		n++;
	if (n > 0)
		return fail_at(r, i, "expected %s, found %.*s", expected, (int) n, d->text + i);
	if ((unsigned char) d->text[i] <= ' ' || (unsigned char) d->text[i] >= 0x7f)
		return fail_at(r, i, "expected %s, found byte 0x%02x", expected,
			       (unsigned char) d->text[i]);
	return fail_at(r, i, "expected %s, found '%c'", expected, d->text[i]);
}

static int parse(struct reader *r)
{
	const struct json_doc *d = r->doc;
	yajl_status s = yajl_parse(r->yajl, (const unsigned char *) d->text, d->len);

	if (s == yajl_status_ok)
		s = yajl_complete_parse(r->yajl);
	if (s == yajl_status_client_canceled) /* a callback has set the error */
		return r->err->code;
	if (s != yajl_status_ok || !d->root || r->depth)
		return describe_syntax(r);
	return 0;
}

int json_read(const char *name, const char *text, size_t len, struct arena *a, struct json_doc *ret,
	      struct err *e)
{
	struct json_doc doc = {.name = name, .text = text, .len = len};
	struct reader r = {.doc = &doc, .arena = a, .err = e};
	int ret_code = check_text(&r, text, len);

	if (ret_code < 0)
		return ret_code;
	r.yajl = yajl_alloc(&callbacks, NULL, &r);
	if (!r.yajl)
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	/* Strict by default: no comments, no trailing text, no second value, no partial one. */
	/* UTF-8 is checked already, and better. */
	yajl_config(r.yajl, yajl_dont_validate_strings, 1);
	ret_code = parse(&r);
	yajl_free(r.yajl);
	if (ret_code == 0)
		*ret = doc;
	return ret_code;
}

struct json_node *json_get(const struct json_node *obj, const char *key)
{
	struct json_node *n;

	if (obj->type != JSON_OBJECT)
		return NULL;
	for (n = obj->child; n; n = n->next)
		if (str_eq(n->key, key))
			return n;
	return NULL;
}

static bool is_identifier(const char *s)
{
	if (!isalpha((unsigned char) *s) && *s != '_')
		return false;
	while (isalnum((unsigned char) *s) || *s == '_')
		s++;
	return !*s;
}

char *json_path(struct arena *a, const struct json_node *n)
{
	const struct json_node *parent = n->parent;
	char *before;

	if (!parent)
		return arena_strdup(a, "");
	before = json_path(a, parent); /* at most JSON_MAX_DEPTH deep */
	if (parent->type == JSON_ARRAY)
		return arena_printf(a, "%s[%u]", before, n->index);
	if (!is_identifier(n->key))
		return arena_printf(a, "%s[\"%s\"]", before, n->key);
	return arena_printf(a, "%s%s%s", before, *before ? "." : "", n->key);
}

void json_pos(const struct json_doc *d, size_t offset, unsigned *ret_line, unsigned *ret_col)
{
	const char *start = d->text, *end = d->text + (offset < d->len ? offset : d->len), *nl;
	unsigned line = 1;

	while (start < end && (nl = memchr(start, '\n', (size_t) (end - start)))) {
		start = nl + 1;
		line++;
	}
	*ret_line = line;
	*ret_col = (unsigned) (end - start) + 1;
}

const char *json_type_name(enum json_type t)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	  [JSON_BOOL] = "boolean", [JSON_NUMBER] = "number",
		[JSON_STRING] = "string", [JSON_ARRAY] = "array",  [JSON_OBJECT] = "object",
	};

	return names[t];
}

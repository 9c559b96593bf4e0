/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes to C structures. The tables say what is allowed; this file is the only one that says so to the
 * user. One row of `kinds` per enum jkind: what to call it, which JSON type it must have, how to store it.
 */
#include "json/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"

#define FOUND_MAX 64 /* bytes of a value that a message shows */

struct ctx {
	const struct json_doc *doc;
	struct arena *arena;
	struct err *err;
};

/* Stores node n as the field f says at `to`. */
typedef int decode_fn(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to);

int json_err(const struct json_doc *d, const struct json_node *n, struct err *e, const char *fmt,
	     ...)
{
	arena_auto tmp = {0};
	const char *path = json_path(&tmp, n);
	char text[ERR_MSG_MAX];
	unsigned line, col;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_pos(d, n->offset, &line, &col);
	return err_set_id(e, ERR_CONFIG, -EINVAL, "%s:%u:%u: %s%s%s", d->name, line, col, path,
			  *path ? ": " : "", text);
}

/* How much of s to show: all, or up to FOUND_MAX bytes that end with a whole character. */
static int shown_len(const char *s, size_t n)
{
	if (n <= FOUND_MAX)
		return (int) n;
	n = FOUND_MAX;
	while (n > 0 && ((unsigned char) s[n] & 0xc0) == 0x80)
		n--;
	return (int) n;
}

char *json_found(struct arena *a, const struct json_node *n)
{
	const char *name = json_type_name(n->type), *more;
	int len;

	switch (n->type) {
	case JSON_BOOL: return arena_printf(a, "%s %s", name, n->b ? "true" : "false");
	case JSON_NUMBER:
	case JSON_STRING:
		len = shown_len(n->s, n->n);
		more = (uint32_t) len < n->n ? "..." : "";
		return arena_printf(a, n->type == JSON_STRING ? "%s \"%.*s\"%s" : "%s %.*s%s", name,
				    len, n->s, more);
	default: return arena_strdup(a, name);
	}
}

static int expected(struct ctx *c, const struct json_node *n, const char *what)
{
	return json_err(c->doc, n, c->err, "expected %s, found %s", what, json_found(c->arena, n));
}

static int parse_enum(struct ctx *c, const struct jfield *f, const struct json_node *n, long *ret)
{
	const struct name_val *row;
	char *all;

	if (n->type != JSON_STRING)
		return expected(c, n, "a string");
	row = name_find(f->names, f->n_names, n->s);
	if (row) {
		*ret = row->val;
		return 0;
	}
	all = arena_strdup(c->arena, "");
	for (size_t i = 0; i < f->n_names; i++)
		all = arena_printf(c->arena, "%s%s%s", all, i ? ", " : "", f->names[i].name);
	return json_err(c->doc, n, c->err, "expected one of %s; found \"%.*s\"", all,
			shown_len(n->s, n->n), n->s);
}

static int decode_str(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	long v;
	int r;

	if (f->flags & J_NONEMPTY && n->n == 0)
		return expected(c, n, "a string that is not empty");
	if (f->names) {
		r = parse_enum(c, f, n, &v);
		if (r < 0)
			return r;
	}
	*(char **) to = n->s;
	return 0;
}

static int decode_abspath(struct ctx *c, const struct jfield *f, const struct json_node *n,
			  void *to)
{
	(void) f;
	if (n->s[0] != '/')
		return expected(c, n, "an absolute path");
	*(char **) to = n->s;
	return 0;
}

static int decode_bool(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	(void) c;
	(void) f;
	*(struct opt_bool *) to = (struct opt_bool){.set = true, .v = n->b};
	return 0;
}

/* 1.0 and 1e3 are numbers to JSON, but no two parsers agree on what integer they are. */
static bool is_integer(const char *s)
{
	return s[strspn(s, "-0123456789")] == '\0';
}

static int parse_uint(struct ctx *c, const struct jfield *f, const struct json_node *n,
		      uint64_t *ret)
{
	uint64_t max = f->max ? f->max : UINT64_MAX;

	if (n->type != JSON_NUMBER)
		return expected(c, n, "a number");
	if (!is_integer(n->s))
		return expected(c, n, "an integer");
	if (num_parse_u64(n->s, max, ret) < 0)
		return json_err(c->doc, n, c->err, "expected a number from 0 to %llu, found %s",
				(unsigned long long) max, json_found(c->arena, n));
	return 0;
}

static int decode_uint(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	uint64_t v;
	int r = parse_uint(c, f, n, &v);

	if (r == 0)
		*(struct opt_u64 *) to = (struct opt_u64){.set = true, .v = v};
	return r;
}

static int decode_int(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	bool all = f->min == 0 && f->max == 0;
	int64_t v, min = all ? INT64_MIN : f->min;
	int64_t max = all || f->max > INT64_MAX ? INT64_MAX : (int64_t) f->max;

	if (!is_integer(n->s))
		return expected(c, n, "an integer");
	if (num_parse_i64(n->s, min, max, &v) < 0)
		return json_err(c->doc, n, c->err, "expected a number from %lld to %lld, found %s",
				(long long) min, (long long) max, json_found(c->arena, n));
	*(struct opt_i64 *) to = (struct opt_i64){.set = true, .v = v};
	return 0;
}

static int check_not_empty(struct ctx *c, const struct jfield *f, const struct json_node *n)
{
	if (!(f->flags & J_NONEMPTY) || n->n > 0)
		return 0;
	return json_err(c->doc, n, c->err, "expected at least one %s, found none",
			n->type == JSON_ARRAY ? "element" : "member");
}

static int decode_strs(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	/* what holds for one string of the list: the names that are allowed */
	const struct jfield each = {.names = f->names, .n_names = f->n_names};
	struct strs l = {.set = true, .n = n->n};
	const struct json_node *k;
	int r = check_not_empty(c, f, n);

	l.v = n->n ? arena_array(c->arena, n->n, sizeof(*l.v)) : NULL;
	for (k = n->child; k && r == 0; k = k->next) {
		if (k->type != JSON_STRING)
			return expected(c, k, "a string");
		r = decode_str(c, &each, k, &l.v[k->index]);
	}
	if (r == 0)
		*(struct strs *) to = l;
	return r;
}

static int decode_uints(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	struct u64s l = {.n = n->n};
	const struct json_node *k;
	int r = check_not_empty(c, f, n);

	l.v = n->n ? arena_array(c->arena, n->n, sizeof(*l.v)) : NULL;
	for (k = n->child; k && r == 0; k = k->next)
		r = parse_uint(c, f, k, &l.v[k->index]);
	if (r == 0)
		*(struct u64s *) to = l;
	return r;
}

static int decode_enum(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	long v;
	int r = parse_enum(c, f, n, &v);

	if (r == 0)
		*(int *) to = (int) v;
	return r;
}

static int decode_enums(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	struct u64s l = {.n = n->n};
	const struct json_node *k;
	int r = check_not_empty(c, f, n);

	l.v = n->n ? arena_array(c->arena, n->n, sizeof(*l.v)) : NULL;
	for (k = n->child; k && r == 0; k = k->next) {
		long v = 0;

		r = parse_enum(c, f, k, &v);
		l.v[k->index] = (uint64_t) v;
	}
	if (r == 0)
		*(struct u64s *) to = l;
	return r;
}

static int decode_members(struct ctx *c, const struct json_node *n, const struct jtable *t,
			  void *obj);

static int decode_obj(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	void *obj = arena_alloc(c->arena, f->sub->size);
	int r = decode_members(c, n, f->sub, obj);

	if (r == 0)
		memcpy(to, &obj, sizeof(obj)); /* it is a pointer to a type that we do not know */
	return r;
}

static int decode_objs(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	struct jlist l = {.set = true, .n = n->n};
	const struct json_node *k;
	int r = check_not_empty(c, f, n);

	l.v = n->n ? arena_array(c->arena, n->n, f->sub->size) : NULL;
	for (k = n->child; k && r == 0; k = k->next)
		r = decode_members(c, k, f->sub, (char *) l.v + k->index * f->sub->size);
	if (r == 0)
		*(struct jlist *) to = l;
	return r;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(struct json_node *const *) a)->key, (*(struct json_node *const *) b)->key);
}

/* The members of an object in the order of their names (which are unique: read.c). */
static struct json_node **sorted_members(struct arena *a, const struct json_node *n)
{
	struct json_node **v = arena_array(a, n->n, sizeof(struct json_node *)), *k;

	for (k = n->child; k; k = k->next)
		v[k->index] = k;
	qsort(v, n->n, sizeof(struct json_node *), compare_keys);
	return v;
}

static int decode_map(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	struct json_node **v = sorted_members(c->arena, n);
	struct kvs m = {.n = n->n};
	int r = check_not_empty(c, f, n);

	if (r < 0)
		return r;
	m.v = n->n ? arena_array(c->arena, n->n, sizeof(*m.v)) : NULL;
	for (size_t i = 0; i < m.n; i++) {
		if (v[i]->type != JSON_STRING)
			return expected(c, v[i], "a string");
		m.v[i] = (struct kv){.key = v[i]->key, .val = v[i]->s};
	}
	*(struct kvs *) to = m;
	return 0;
}

static int decode_map_obj(struct ctx *c, const struct jfield *f, const struct json_node *n,
			  void *to)
{
	struct json_node **v = sorted_members(c->arena, n);
	struct jlist l = {.set = true, .n = n->n};
	int r = check_not_empty(c, f, n);

	l.v = n->n ? arena_array(c->arena, n->n, f->sub->size) : NULL;
	for (size_t i = 0; i < l.n && r == 0; i++) {
		char *obj = (char *) l.v + i * f->sub->size;

		*(char **) (void *) obj = v[i]->key; /* first, so that sub->check can use it */
		r = decode_members(c, v[i], f->sub, obj);
	}
	if (r == 0)
		*(struct jlist *) to = l;
	return r;
}

static int decode_strss(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	static const struct jfield inner = {.kind = J_STRS};
	struct jlist l = {.set = true, .n = n->n};
	const struct json_node *k;
	struct strs *v;
	int r = check_not_empty(c, f, n);

	v = n->n ? arena_array(c->arena, n->n, sizeof(*v)) : NULL;
	for (k = n->child; k && r == 0; k = k->next) {
		if (k->type != JSON_ARRAY)
			return expected(c, k, "an array of strings");
		r = decode_strs(c, &inner, k, &v[k->index]);
	}
	l.v = v;
	if (r == 0)
		*(struct jlist *) to = l;
	return r;
}

static int decode_any(struct ctx *c, const struct jfield *f, const struct json_node *n, void *to)
{
	(void) c;
	(void) f;
	memcpy(to, &n, sizeof(n));
	return 0;
}

static const struct {
	const char *what; /* as in "expected ..., found ..." */
	enum json_type type;
	decode_fn *decode;
} kinds[] = {
	[J_STR] = {"a string", JSON_STRING, decode_str},
	[J_ABSPATH] = {"an absolute path", JSON_STRING, decode_abspath},
	[J_BOOL] = {"true or false", JSON_BOOL, decode_bool},
	[J_UINT] = {"a number", JSON_NUMBER, decode_uint},
	[J_INT] = {"a number", JSON_NUMBER, decode_int},
	[J_STRS] = {"an array of strings", JSON_ARRAY, decode_strs},
	[J_UINTS] = {"an array of numbers", JSON_ARRAY, decode_uints},
	[J_ENUM] = {"a string", JSON_STRING, decode_enum},
	[J_ENUMS] = {"an array of strings", JSON_ARRAY, decode_enums},
	[J_OBJ] = {"an object", JSON_OBJECT, decode_obj},
	[J_OBJS] = {"an array of objects", JSON_ARRAY, decode_objs},
	[J_MAP] = {"an object of strings", JSON_OBJECT, decode_map},
	[J_MAP_OBJ] = {"an object of objects", JSON_OBJECT, decode_map_obj},
	[J_STRSS] = {"an array of arrays of strings", JSON_ARRAY, decode_strss},
	[J_ANY] = {"a value", JSON_NULL, decode_any},
};

_Static_assert(ARRAY_LEN(kinds) == J_ANY + 1, "one row per kind");

static const struct jfield *find_field(const struct jtable *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->f[i].name, name))
			return &t->f[i];
	return NULL;
}

/* How many letters have to be put in, left out or changed to make b of a; 99 when either is long. */
static unsigned edit_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned row[40], diag, up;

	if (n >= ARRAY_LEN(row) || m >= ARRAY_LEN(row))
		return 99;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned) j;
	for (size_t i = 1; i <= n; i++) {
		diag = row[0];
		row[0] = (unsigned) i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = diag + (a[i - 1] != b[j - 1]);

			up = row[j];
			best = up + 1 < best ? up + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diag = up;
			row[j] = best;
		}
	}
	return row[m];
}

static int unknown_member(struct ctx *c, const struct jtable *t, const struct json_node *n)
{
	const char *near = NULL;
	unsigned best, d;

	if (!(t->flags & J_STRICT)) {
		/* runtime-spec, config.md "Extensibility": must be ignored */
		if (log_get_level() >= LOG_LEVEL_DEBUG)
			log_debug("%s: %s: unknown member, ignored", c->doc->name,
				  json_path(c->arena, n));
		return 0;
	}
	best = (unsigned) (strlen(n->key) / 3 + 1); /* further away is no typing error */
	for (size_t i = 0; i < t->n; i++) {
		d = edit_distance(n->key, t->f[i].name);
		if (d < best) {
			best = d;
			near = t->f[i].name;
		}
	}
	if (near)
		return json_err(c->doc, n, c->err, "unknown member; did you mean \"%s\"?", near);
	return json_err(c->doc, n, c->err, "unknown member");
}

static int decode_members(struct ctx *c, const struct json_node *n, const struct jtable *t,
			  void *obj)
{
	const struct json_node *k;
	int r;

	if (n->type != JSON_OBJECT)
		return expected(c, n, "an object");
	for (k = n->child; k; k = k->next) {
		const struct jfield *f = find_field(t, k->key);

		if (!f) {
			r = unknown_member(c, t, k);
		} else if (k->type == JSON_NULL && !(f->flags & J_REQUIRED)) {
			r = 0;
		} else if (k->type != kinds[f->kind].type &&
			   (f->kind != J_ANY || k->type == JSON_NULL)) {
			r = expected(c, k, kinds[f->kind].what);
		} else {
			r = kinds[f->kind].decode(c, f, k, (char *) obj + f->off);
		}
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < t->n; i++)
		if (t->f[i].flags & J_REQUIRED && !json_get(n, t->f[i].name))
			return json_err(c->doc, n, c->err, "required member \"%s\" is missing",
					t->f[i].name);
	return t->check ? t->check(c->doc, n, obj, c->arena, c->err) : 0;
}

int json_decode(const struct json_doc *d, const struct json_node *n, const struct jtable *t,
		void *obj, struct arena *a, struct err *e)
{
	struct ctx c = {.doc = d, .arena = a, .err = e};

	return decode_members(&c, n, t, obj);
}

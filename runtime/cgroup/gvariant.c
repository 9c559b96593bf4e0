/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text notation of GVariant, as far as D-Bus can carry it.
 *
 * Theory of operation: a literal such as 5 has no type of its own: it becomes what its place asks for (a type
 * keyword in front, an @type, the other elements of its array), else int32, as a string becomes a string. So values are
 * parsed first and typed afterwards: gv_as() gives a value the type that is wanted, with a check of its range, and
 * fails when that cannot be. The type of an array is that of its first element that has one.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/str.h"
#include "cgroup/gvariant.h"

struct gvp {
	const char *text, *p;
	struct arena *a;
	struct err *e;
	unsigned depth;
};

static int bad(struct gvp *x, const char *why)
{
	return err_set(x->e, -EINVAL, "%s at \"%.20s\" (character %zu)", why, x->p,
		       (size_t) (x->p - x->text) + 1);
}

static struct gv *new_gv(struct gvp *x, char type)
{
	struct gv *v = arena_new(x->a, struct gv);

	v->type = type;
	return v;
}

static void skip_blanks(struct gvp *x)
{
	x->p += strspn(x->p, " \t\r\n");
}

static bool take(struct gvp *x, char c)
{
	skip_blanks(x);
	if (*x->p != c)
		return false;
	x->p++;
	return true;
}

/* ---- types ---- */

#define SIG_MAX 255 /* D-Bus */
#define BASIC "bynqiuxtdsog"

/* One complete type of a signature; moves on behind it. */
static int type_skip(const char **p, unsigned depth)
{
	char c = **p;

	if (!c || depth > GV_DEPTH_MAX)
		return -EINVAL;
	(*p)++;
	if (strchr(BASIC "v", c))
		return 0;
	if (c == 'a' && **p == '{') {
		(*p)++;
		if (!**p || !strchr(BASIC, **p))
			return -EINVAL;
		(*p)++;
		if (type_skip(p, depth + 1) < 0 || **p != '}')
			return -EINVAL;
		(*p)++;
		return 0;
	}
	if (c == 'a')
		return type_skip(p, depth + 1);
	if (c != '(' || **p == ')')
		return -EINVAL;
	while (**p != ')')
		if (type_skip(p, depth + 1) < 0)
			return -EINVAL;
	(*p)++;
	return 0;
}

static int as(struct gvp *x, struct gv *v, const char **sig);

static const char *or_char(struct gvp *x)
{
	return arena_printf(x->a, "character %zu", (size_t) (x->p - x->text) + 1);
}

static int mismatch(struct gvp *x, const char *sig)
{
	return err_set(x->e, -EINVAL,
		       "value before %s: is not of the type \"%s\" or out of its range", or_char(x),
		       sig);
}

static int number_as(struct gv *v, char type)
{
	static const struct {
		char type;
		uint64_t max, min; /* min: of the negative numbers' magnitude */
	} rows[] = {
		{'y', UINT8_MAX, 0},  {'n', INT16_MAX, 1u << 15},
		{'q', UINT16_MAX, 0}, {'i', INT32_MAX, 1u << 31},
		{'u', UINT32_MAX, 0}, {'x', INT64_MAX, (uint64_t) 1 << 63},
		{'t', UINT64_MAX, 0},
	};

	if (type == 'd') {
		v->d = v->negative ? -(double) v->magnitude : (double) v->magnitude;
		v->type = type;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].type != type)
			continue;
		if (v->magnitude > (v->negative ? rows[i].min : rows[i].max))
			return -ERANGE;
		v->u = v->negative ? -v->magnitude : v->magnitude;
		v->type = type;
		return 0;
	}
	return -EINVAL;
}

/* A literal, or one whose type was given already. */
static int basic_as(struct gvp *x, struct gv *v, char type)
{
	const char sig[] = {type, 0};

	if (!v->soft)
		return v->type == type ? 0 : mismatch(x, sig);
	if (v->type == 's') {
		const char *p = v->s;

		if (type != 's' && type != 'o' && type != 'g')
			return mismatch(x, sig);
		if (type == 'o' &&
		    (*p != '/' || (p[1] && str_has_suffix(p, "/")) || strstr(p, "//") ||
		     strspn(p, "/_0123456789abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(p)))
			return mismatch(x, "o");
		while (type == 'g' && *p)
			if (type_skip(&p, 0) < 0)
				return mismatch(x, "g");
		if (type == 'g' && strlen(v->s) > SIG_MAX)
			return mismatch(x, "g");
		v->type = type;
	} else if (number_as(v, type) < 0) {
		return mismatch(x, sig);
	}
	v->soft = false;
	return 0;
}

static int array_as(struct gvp *x, struct gv *v, const char **sig)
{
	const char *elem = *sig;
	int r = 0;

	for (size_t i = 0; r == 0 && i < v->n; i++) {
		*sig = elem;
		r = as(x, v->sub[i], sig);
	}
	if (v->n == 0) {
		*sig = elem - 1; /* with the 'a', for "a{" is one thing */
		if (type_skip(sig, 0) < 0)
			return mismatch(x, elem);
	}
	v->soft = false;
	return r;
}

static int fields_as(struct gvp *x, struct gv *v, const char **sig, char end)
{
	for (size_t i = 0; i < v->n; i++) {
		int r = **sig && **sig != end ? as(x, v->sub[i], sig) : mismatch(x, *sig);

		if (r < 0)
			return r;
	}
	if (**sig != end)
		return mismatch(x, *sig);
	(*sig)++;
	v->soft = false;
	return 0;
}

/* Gives v the one type that *sig begins with. */
static int as(struct gvp *x, struct gv *v, const char **sig)
{
	const char *begin = *sig;
	int r;

	if (strchr("a({v", **sig) == NULL) {
		r = strchr("a({v", v->type) ? mismatch(x, *sig) : basic_as(x, v, **sig);
		(*sig)++;
	} else {
		/* {} and [] are the same when they are empty */
		if (**sig != v->type)
			return mismatch(x, *sig);
		(*sig)++;
		r = v->type == 'a'   ? array_as(x, v, sig)
		    : v->type == '(' ? fields_as(x, v, sig, ')')
		    : v->type == '{' ? fields_as(x, v, sig, '}')
				     : 0;
	}
	if (r == 0)
		v->sig = arena_strndup(x->a, begin, (size_t) (*sig - begin));
	return r;
}

/* Whether any part has a type of its own. */
static bool has_type(const struct gv *v)
{
	if (v->type == 'v')
		return true;
	for (size_t i = 0; i < v->n; i++)
		if (has_type(v->sub[i]))
			return true;
	return v->n == 0 && !v->soft;
}

/* The types that all literals get when nothing asks for others. */
static int settle(struct gvp *x, struct gv *v)
{
	const char *sig = v->type == 's' ? "s" : "i";
	char *all;
	int r = 0;

	if (v->type == 'v' || v->sig)
		return 0;
	if (v->type == 'a') {
		struct gv *first;

		if (v->n == 0)
			return bad(x, "the type of an empty array is not known (as in \"@as []\")");
		first = v->sub[0];
		for (size_t i = 0; i < v->n; i++)
			if (has_type(v->sub[i])) {
				first = v->sub[i];
				break;
			}
		r = settle(x, first);
		if (r < 0)
			return r;
		sig = all = arena_printf(x->a, "a%s", first->sig);
		return as(x, v, &sig);
	}
	if (v->type != '(' && v->type != '{') {
		const char own[] = {v->type, 0};

		sig = v->soft ? sig : own;
		return as(x, v, &sig);
	}
	all = arena_strdup(x->a, v->type == '(' ? "(" : "{");
	for (size_t i = 0; r == 0 && i < v->n; i++) {
		r = settle(x, v->sub[i]);
		if (r == 0)
			all = arena_printf(x->a, "%s%s", all, v->sub[i]->sig);
		if (strlen(all) > SIG_MAX)
			return bad(x, "too many fields, before this");
	}
	if (r == 0) {
		v->sig = arena_printf(x->a, "%s%c", all, v->type == '(' ? ')' : '}');
		v->soft = false;
	}
	return r;
}

/* ---- literals ---- */

static int value(struct gvp *x, struct gv **ret);

static int hex(struct gvp *x, unsigned digits, uint32_t *ret)
{
	uint32_t v = 0;

	while (digits--) {
		const char *all = "0123456789abcdef", *d = *x->p ? strchr(all, *x->p | 0x20) : NULL;

		if (!d || (*x->p < '0'))
			return bad(x, "expected a hexadecimal digit");
		v = v << 4 | (uint32_t) (d - all);
		x->p++;
	}
	*ret = v;
	return 0;
}

static size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char) c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char) (0xc0 | c >> 6);
		out[1] = (char) (0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char) (0xe0 | c >> 12);
		out[1] = (char) (0x80 | (c >> 6 & 63));
		out[2] = (char) (0x80 | (c & 63));
		return 3;
	}
	out[0] = (char) (0xf0 | c >> 18);
	out[1] = (char) (0x80 | (c >> 12 & 63));
	out[2] = (char) (0x80 | (c >> 6 & 63));
	out[3] = (char) (0x80 | (c & 63));
	return 4;
}

/* Behind a backslash. The result is never longer than the escape was. */
static int escape(struct gvp *x, char *out, size_t *n, bool bytes)
{
	static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
	char c = *x->p;
	const char *f = c ? strchr(from, c) : NULL;
	uint32_t u = 0;
	int r;

	if (bytes && c >= '0' && c <= '7') {
		for (unsigned i = 0; i < 3 && *x->p >= '0' && *x->p <= '7'; i++)
			u = u << 3 | (uint32_t) (*x->p++ - '0');
		if (u == 0 || u > 255)
			return bad(x, "a byte must be 1 to 255");
		out[(*n)++] = (char) u;
		return 0;
	}
	if (!bytes && (c == 'u' || c == 'U')) {
		x->p++;
		r = hex(x, c == 'u' ? 4 : 8, &u);
		if (r < 0)
			return r;
		if (u == 0 || u > 0x10ffff || (u >= 0xd800 && u < 0xe000))
			return bad(x, "not a character of Unicode before this");
		*n += utf8_put(out + *n, u);
		return 0;
	}
	if (!c)
		return bad(x, "the string has no end");
	x->p++;
	if (c != '\n')
		out[(*n)++] = f ? to[f - from] : c;
	return 0;
}

/* A string in either kind of quotes. */
static int string(struct gvp *x, bool bytes, char **ret, size_t *ret_n)
{
	char quote = *x->p++, *out = arena_alloc(x->a, strlen(x->p) + 1);
	size_t n = 0;
	int r;

	while (*x->p != quote) {
		size_t len;

		if (!*x->p)
			return bad(x, "the string has no end");
		if (*x->p == '\\') {
			x->p++;
			r = escape(x, out, &n, bytes);
			if (r < 0)
				return r;
			continue;
		}
		len = bytes ? 1 : str_utf8_len((const unsigned char *) x->p, strlen(x->p));
		if (!len)
			return bad(x, "not UTF-8");
		memcpy(out + n, x->p, len);
		n += len;
		x->p += len;
	}
	x->p++;
	out[n] = '\0';
	*ret = out;
	*ret_n = n;
	return 0;
}

/* b'...': an array of bytes with a NUL at its end */
static int bytestring(struct gvp *x, struct gv **ret)
{
	struct gv *v = new_gv(x, 'a');
	char *s;
	size_t n;
	int r;

	x->p++;
	r = string(x, true, &s, &n);
	if (r < 0)
		return r;
	v->sub = arena_array(x->a, n + 1, sizeof(*v->sub));
	v->n = n + 1;
	for (size_t i = 0; i <= n; i++) {
		v->sub[i] = new_gv(x, 'y');
		v->sub[i]->u = (unsigned char) s[i];
		v->sub[i]->sig = arena_strdup(x->a, "y");
	}
	v->sig = arena_strdup(x->a, "ay");
	*ret = v;
	return 0;
}

/* [+-] digits of C, or a fraction */
static int number(struct gvp *x, struct gv **ret)
{
	const char *begin = x->p;
	struct gv *v = new_gv(x, 'i');
	size_t len = strspn(begin, "+-.0123456789abcdefABCDEFxX"), digits;
	char *copy, *end;

	v->soft = true;
	v->negative = *begin == '-';
	begin += *begin == '-' || *begin == '+';
	digits = strspn(begin, "0123456789");
	if (!digits && *begin != '.')
		return bad(x, "expected a value");
	copy = arena_strndup(x->a, x->p, len);
	errno = 0;
	/* a fraction or an exponent, but not 0x1e5 */
	if (begin[digits] == '.' || begin[digits] == 'e' || begin[digits] == 'E') {
		v->type = 'd';
		v->soft = false;
		v->d = strtod(copy, &end);
		if (errno || !isfinite(v->d))
			return bad(x, "the number is out of range");
	} else {
		copy += copy[0] == '-' || copy[0] == '+';
		v->magnitude = strtoull(copy, &end, 0);
		if (errno)
			return bad(x, "the number is out of range");
	}
	if (*end)
		return bad(x, "not a number");
	x->p += len;
	*ret = v;
	return 0;
}

/* ---- what holds others ---- */

static int append(struct gvp *x, struct gv *v, size_t *cap, struct gv *more)
{
	v->sub = arena_room(x->a, v->sub, v->n, cap, sizeof(*v->sub));
	v->sub[v->n++] = more;
	return 0;
}

/* key: value */
static int entry(struct gvp *x, struct gv **ret)
{
	struct gv *v = new_gv(x, '{');
	size_t cap = 0;

	v->soft = true;
	for (int i = 0; i < 2; i++) {
		struct gv *part;
		int r;

		if (i && !take(x, ':'))
			return bad(x, "expected \":\"");
		r = value(x, &part);
		if (r < 0)
			return r;
		if (!i && strchr("a({v", part->type))
			return bad(x, "a key must be a basic value, before this");
		append(x, v, &cap, part);
	}
	*ret = v;
	return 0;
}

static int many(struct gvp *x, char type, char end, int (*one)(struct gvp *x, struct gv **ret),
		struct gv **ret)
{
	struct gv *v = new_gv(x, type);
	size_t cap = 0;

	x->p++;
	v->soft = true;
	if (!take(x, end)) {
		do {
			struct gv *part;
			int r;

			skip_blanks(x);
			if (type == '(' && v->n && *x->p == end) /* (1,) */
				break;
			r = one(x, &part);
			if (r < 0)
				return r;
			append(x, v, &cap, part);
		} while (take(x, ','));
		if (!take(x, end))
			return bad(x, "expected \",\" or the end of the list");
	}
	if (type == '(' && !v->n)
		return bad(x, "a structure must have fields, before this");
	*ret = v;
	return 0;
}

static int variant(struct gvp *x, struct gv **ret)
{
	struct gv *v = new_gv(x, 'v'), *inner;
	size_t cap = 0;
	int r;

	x->p++;
	r = value(x, &inner);
	if (r == 0)
		r = settle(x, inner);
	if (r < 0)
		return r;
	if (!take(x, '>'))
		return bad(x, "expected \">\"");
	append(x, v, &cap, inner);
	v->sig = arena_strdup(x->a, "v");
	*ret = v;
	return 0;
}

/* @as [...] */
static int typed(struct gvp *x, struct gv **ret)
{
	const char *sig = ++x->p, *end = sig;
	int r;

	if (type_skip(&end, 0) < 0)
		return bad(x, "not a type that D-Bus has");
	x->p = end;
	if (*end && !strchr(" \t\r\n", *end))
		return bad(x, "expected a blank behind the type");
	sig = arena_strndup(x->a, sig, (size_t) (end - sig));
	r = value(x, ret);
	return r < 0 ? r : as(x, *ret, &sig);
}

static int word(struct gvp *x, struct gv **ret)
{
	static const struct name_val types[] = {
		{"boolean", 'b'}, {"byte", 'y'},   {"int16", 'n'},	{"uint16", 'q'},
		{"int32", 'i'},	  {"uint32", 'u'}, {"int64", 'x'},	{"uint64", 't'},
		{"double", 'd'},  {"string", 's'}, {"objectpath", 'o'}, {"signature", 'g'},
	};
	size_t len = strspn(x->p, "abcdefghijklmnopqrstuvwxyz0123456789");
	char *w = arena_strndup(x->a, x->p, len);
	const struct name_val *t = name_find(types, ARRAY_LEN(types), w);
	char sig[2] = "";
	const char *want = sig;
	int r;

	if (str_eq(w, "true") || str_eq(w, "false")) {
		*ret = new_gv(x, 'b');
		(*ret)->u = w[0] == 't';
		x->p += len;
		return 0;
	}
	if (!t)
		return bad(x, "expected a value");
	x->p += len;
	sig[0] = (char) t->val;
	r = value(x, ret);
	return r < 0 ? r : as(x, *ret, &want);
}

static int value_of(struct gvp *x, struct gv **ret)
{
	size_t n;
	int r;

	switch (*x->p) {
	case '[': return many(x, 'a', ']', value, ret);
	case '(': return many(x, '(', ')', value, ret);
	case '{': return many(x, 'a', '}', entry, ret);
	case '<': return variant(x, ret);
	case '@': return typed(x, ret);
	case '\'':
	case '"':
		*ret = new_gv(x, 's');
		(*ret)->soft = true;
		r = string(x, false, &(*ret)->s, &n);
		return r;
	case 'b':
		if (x->p[1] == '\'' || x->p[1] == '"')
			return bytestring(x, ret);
		break;
	default: break;
	}
	return *x->p >= 'a' && *x->p <= 'z' ? word(x, ret) : number(x, ret);
}

static int value(struct gvp *x, struct gv **ret)
{
	int r;

	skip_blanks(x);
	if (x->depth == GV_DEPTH_MAX)
		return bad(x, "too deep");
	x->depth++;
	r = value_of(x, ret);
	x->depth--;
	return r;
}

int gv_parse(const char *text, struct arena *a, struct gv **ret, struct err *e)
{
	struct gvp x = {.text = text, .p = text, .a = a, .e = e};
	struct gv *v;
	int r;

	if (strlen(text) > GV_TEXT_MAX)
		return err_set(e, -EFBIG, "the value is longer than %d bytes", GV_TEXT_MAX);
	r = value(&x, &v);
	if (r < 0)
		return r;
	skip_blanks(&x);
	if (*x.p)
		return bad(&x, "unexpected text");
	r = settle(&x, v);
	if (r < 0)
		return r;
	if (strlen(v->sig) > SIG_MAX)
		return err_set(e, -EINVAL, "the type of the value is too long");
	*ret = v;
	return 0;
}

char *gv_quote(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, 2 * strlen(s) + 3), *o = out;

	*o++ = '\'';
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			*o++ = '\\';
		*o++ = *s;
	}
	*o++ = '\'';
	*o = '\0';
	return out;
}

int gv_seconds(const struct gv *v, struct arena *a, char **ret, struct err *e)
{
	uint64_t u;

	switch (v->type) {
	case 'd':
		if (!(v->d >= 0 && v->d < 18446744073709.0))
			return err_set(e, -EINVAL, "seconds out of range");
		u = (uint64_t) (v->d * 1000000);
		break;
	case 'n':
	case 'i':
	case 'x':
	case 'y':
	case 'q':
	case 'u':
	case 't':
		/* signed kinds are stored in full width, so that a negative one is too large here */
		if (__builtin_mul_overflow(v->u, (uint64_t) 1000000, &u))
			return err_set(e, -EINVAL, "seconds out of range");
		break;
	default:
		return err_set(e, -EINVAL, "expected a number of seconds, found type \"%s\"",
			       v->sig);
	}
	*ret = arena_printf(a, "uint64 %llu", (unsigned long long) u);
	return 0;
}

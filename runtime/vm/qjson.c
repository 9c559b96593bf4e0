/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/qjson.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

struct cursor {
	const char *p, *end;
};

static bool at_end(const struct cursor *c)
{
	return c->p == c->end;
}

static void blanks(struct cursor *c)
{
	while (!at_end(c) && (*c->p == ' ' || *c->p == '\t' || *c->p == '\r' || *c->p == '\n'))
		c->p++;
}

static bool take(struct cursor *c, char want)
{
	if (at_end(c) || *c->p != want)
		return false;
	c->p++;
	return true;
}

static bool word(struct cursor *c, const char *want)
{
	size_t n = strlen(want);

	if ((size_t) (c->end - c->p) < n || memcmp(c->p, want, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* ---- strings ---- */

static int hex(char ch)
{
	return ch >= '0' && ch <= '9'	? ch - '0'
	       : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
	       : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
					: -1;
}

/* The four digits after \u; -1 when they are none. */
static int32_t unit(struct cursor *c)
{
	int32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int d = at_end(c) ? -1 : hex(*c->p++);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* What follows a backslash. *ret: the character it stands for, as far as it is ASCII, else '?'. */
static bool escape(struct cursor *c, char *ret)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;
	int32_t v;

	if (at_end(c))
		return false;
	if (*c->p != 'u') {
		name = memchr(names, *c->p, sizeof(names) - 1);
		if (!name)
			return false;
		c->p++;
		*ret = values[name - names];
		return true;
	}
	c->p++;
	v = unit(c);
	if (v < 0 || (v >= 0xdc00 && v <= 0xdfff))
		return false;
	*ret = v < 0x80 ? (char) v : '?';
	if (v < 0xd800 || v > 0xdbff)
		return true;
	/* the other half of a character beyond the first plane */
	if (!take(c, '\\') || !take(c, 'u'))
		return false;
	v = unit(c);
	return v >= 0xdc00 && v <= 0xdfff;
}

/* One character of a string, not its end. */
static bool character(struct cursor *c, char *ret)
{
	const unsigned char *u = (const unsigned char *) c->p;
	size_t n;

	if (at_end(c) || *u < 0x20)
		return false;
	if (*u == '\\') {
		c->p++;
		return escape(c, ret);
	}
	n = str_utf8_len(u, (size_t) (c->end - c->p));
	*ret = n == 1 ? *c->p : '?';
	c->p += n;
	return n > 0;
}

static bool skip_string(struct cursor *c)
{
	char ch;

	if (!take(c, '"'))
		return false;
	while (!take(c, '"'))
		if (!character(c, &ch))
			return false;
	return true;
}

/* ---- numbers, values ---- */

static bool digits(struct cursor *c)
{
	const char *from = c->p;

	while (!at_end(c) && *c->p >= '0' && *c->p <= '9')
		c->p++;
	return c->p > from;
}

static bool skip_number(struct cursor *c)
{
	take(c, '-');
	if (!take(c, '0') && !digits(c))
		return false;
	if (take(c, '.') && !digits(c))
		return false;
	if (take(c, 'e') || take(c, 'E')) {
		if (!take(c, '+'))
			take(c, '-');
		return digits(c);
	}
	return true;
}

static bool skip_value(struct cursor *c, unsigned depth);

static bool skip_members(struct cursor *c, unsigned depth, char end, bool named)
{
	blanks(c);
	if (take(c, end))
		return true;
	do {
		blanks(c);
		if (named) {
			if (!skip_string(c))
				return false;
			blanks(c);
			if (!take(c, ':'))
				return false;
			blanks(c);
		}
		if (!skip_value(c, depth + 1))
			return false;
		blanks(c);
	} while (take(c, ','));
	return take(c, end);
}

static bool skip_value(struct cursor *c, unsigned depth)
{
	if (at_end(c) || depth > QJ_DEPTH)
		return false;
	switch (*c->p) {
	case '{': c->p++; return skip_members(c, depth, '}', true);
	case '[': c->p++; return skip_members(c, depth, ']', false);
	case '"': return skip_string(c);
	case 't': return word(c, "true");
	case 'f': return word(c, "false");
	case 'n': return word(c, "null");
	default: return skip_number(c);
	}
}

/* ---- what others call ---- */

bool qj_check(const char *p, size_t n, struct qj *ret)
{
	struct cursor c = {p, p + n};
	const char *from;

	blanks(&c);
	from = c.p;
	if (!skip_value(&c, 1))
		return false;
	*ret = (struct qj){from, (size_t) (c.p - from)};
	blanks(&c);
	return at_end(&c);
}

bool qj_is_object(struct qj v)
{
	return v.n > 0 && v.p[0] == '{';
}

int qj_get(struct qj v, const char *name, struct qj *ret)
{
	struct cursor c = {v.p, v.p + v.n};
	size_t len = strlen(name);
	struct qj found = {NULL, 0};

	if (!take(&c, '{'))
		return -EBADMSG;
	blanks(&c);
	while (!at_end(&c) && *c.p == '"') {
		const char *key = c.p + 1, *from;
		bool same;

		if (!skip_string(&c))
			return -EBADMSG;
		same = (size_t) (c.p - 1 - key) == len && memcmp(key, name, len) == 0;
		blanks(&c);
		if (!take(&c, ':'))
			return -EBADMSG;
		blanks(&c);
		from = c.p;
		if (!skip_value(&c, 1))
			return -EBADMSG;
		if (same && found.p)
			return -EBADMSG;
		if (same)
			found = (struct qj){from, (size_t) (c.p - from)};
		blanks(&c);
		if (!take(&c, ','))
			break;
		blanks(&c);
	}
	if (!found.p)
		return -ENOENT;
	*ret = found;
	return 0;
}

bool qj_bool(struct qj v, bool *ret)
{
	bool yes = v.n == 4 && memcmp(v.p, "true", 4) == 0;

	if (!yes && !(v.n == 5 && memcmp(v.p, "false", 5) == 0))
		return false;
	*ret = yes;
	return true;
}

bool qj_u64(struct qj v, uint64_t max, uint64_t *ret)
{
	char text[24];

	if (!v.n || v.n >= sizeof(text))
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	return num_parse_u64(text, max, ret) == 0;
}

bool qj_text(struct qj v, char *ret, size_t size)
{
	struct cursor c = {v.p, v.p + v.n};
	size_t n = 0;
	char ch;

	if (!size || !take(&c, '"'))
		return false;
	while (!take(&c, '"')) {
		if (!character(&c, &ch))
			return false;
		if (n + 1 < size)
			ret[n++] = ch >= ' ' && ch <= '~' ? ch : '?';
	}
	ret[n] = '\0';
	return true;
}

bool qj_plain(struct qj v, const char **ret, size_t *ret_n)
{
	if (v.n < 2 || v.p[0] != '"' || memchr(v.p, '\\', v.n))
		return false;
	*ret = v.p + 1;
	*ret_n = v.n - 2;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Small string helpers: prefixes, lists of strings, environment lists, name tables. */
#include "base/str.h"

const char *str_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

size_t str_utf8_len(const unsigned char *p, size_t left)
{
	unsigned char lo = 0x80, hi = 0xbf; /* of the second byte */
	size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	if (p[0] == 0xe0 || p[0] == 0xf0) /* overlong */
		lo = p[0] == 0xe0 ? 0xa0 : 0x90;
	if (p[0] == 0xed || p[0] == 0xf4) /* surrogates; above U+10FFFF */
		hi = p[0] == 0xed ? 0x9f : 0x8f;
	if (left < n || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool strs_has(const struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], s))
			return true;
	return false;
}

struct strs str_split(struct arena *a, const char *s, char sep)
{
	struct strs l = {.set = true};
	const char *p, *end;
	size_t max = 1;

	for (p = s; *p; p++)
		max += *p == sep;
	l.v = arena_array(a, max, sizeof(*l.v));
	for (p = s; *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, sep);
		if (end > p)
			l.v[l.n++] = arena_strndup(a, p, (size_t) (end - p));
	}
	return l;
}

const char *env_get(const struct strs *env, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = env->n; i-- > 0;)
		if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=')
			return env->v[i] + n + 1;
	return NULL;
}

const struct name_val *name_find(const struct name_val *t, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(t[i].name, name))
			return &t[i];
	return NULL;
}

const char *name_of(const struct name_val *t, size_t n, long val)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].val == val)
			return t[i].name;
	return NULL;
}

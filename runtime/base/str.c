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

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAVACH_BASE_STR_H
#define KAVACH_BASE_STR_H

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/types.h"

static inline bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* str_eq0: like str_eq, but NULL equals only NULL. */
static inline bool str_eq0(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool str_empty(const char *s)
{
	return !s || !*s;
}

/* str_prefix: the rest of s after prefix, or NULL when s does not start with it. */
const char *str_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);

/* str_utf8_len: length of the UTF-8 sequence at p, of which `left` >= 1 bytes are there; 0 when it is
 * none by RFC 3629 (no overlong forms, no surrogates, nothing above U+10FFFF). */
size_t str_utf8_len(const unsigned char *p, size_t left);

/* strs_has: whether the list holds s. */
bool strs_has(const struct strs *l, const char *s);

/* str_split: the non-empty parts of s between separators. Parts are copies in the arena. */
struct strs str_split(struct arena *a, const char *s, char sep);

/* env_get: the value of NAME in a list of NAME=value strings (last one wins), or NULL. */
const char *env_get(const struct strs *env, const char *name);

/* name_lookup: value for a name in a {name, value} table. */
struct name_val {
	const char *name;
	long val;
};
/* Returns the row, or NULL. */
const struct name_val *name_find(const struct name_val *t, size_t n, const char *name);
/* Returns the name of a value, or NULL. */
const char *name_of(const struct name_val *t, size_t n, long val);

#endif

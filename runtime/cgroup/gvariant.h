/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of systemd properties as text, in the notation of GVariant (GLib documentation, "GVariant Text Format"):
 * what annotations org.systemd.property.* hold and what kavach and kavach-scope say to each other. Types that
 * D-Bus does not have (maybe) or that no property has (handles) are refused.
 */
#ifndef KAVACH_CGROUP_GVARIANT_H
#define KAVACH_CGROUP_GVARIANT_H

#include "base/arena.h"
#include "base/err.h"

#define GV_TEXT_MAX (64 * 1024)
#define GV_DEPTH_MAX 16

/* One value. `type` is D-Bus's code for basic types (b y n q i u x t d s o g), 'a' array, '(' structure, '{' entry of
 * a dictionary, 'v' variant. */
struct gv {
	char type;
	char *sig; /* D-Bus signature of the whole value, e.g. "a(ss)"; set once parsing is done */
	union {
		uint64_t u; /* b y q u t */
		int64_t i;  /* n i x */
		double d;
		char *s; /* s o g; UTF-8 */
	};
	struct gv **sub; /* elements, fields, key and value, or the one value of a variant */
	size_t n;

	/* the parser's */
	bool soft; /* a literal without a type of its own: 5, "text" or [] */
	bool negative;
	uint64_t magnitude; /* soft numbers, and those with a sign */
};

/* gv_parse: the whole text as one value. -EINVAL says where and why; -EFBIG. */
int gv_parse(const char *text, struct arena *a, struct gv **ret, struct err *e);

/* gv_quote: a string as text, "'it\\'s'". */
char *gv_quote(struct arena *a, const char *s);

/* gv_seconds: a number of seconds (integer or fraction) as "uint64 MICROSECONDS". -EINVAL: not a number, negative,
 * or too large. */
int gv_seconds(const struct gv *v, struct arena *a, char **ret, struct err *e);

#endif

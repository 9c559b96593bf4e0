/* SPDX-License-Identifier: Apache-2.0 */
/* Checks on single values that several field tables share (fields.h). */
#include "spec/fields.h"

#include <inttypes.h>

static const struct json_node *member_node(const struct json_node *n, const char *member)
{
	const struct json_node *m = json_get(n, member);

	return m && m->type != JSON_NULL ? m : NULL;
}

static int refuse(const struct json_doc *d, const struct json_node *m, const char *expected,
		  struct arena *a, struct err *e)
{
	return json_err(d, m, e, "expected %s, found %s", expected, json_found(a, m));
}

int spec_refuse(const struct json_doc *d, const struct json_node *n, const char *member,
		const char *expected, struct arena *a, struct err *e)
{
	const struct json_node *m = member_node(n, member);

	return refuse(d, m ? m : n, expected, a, e);
}

int spec_need(const struct json_doc *d, const struct json_node *n, const char *member,
	      const char *when, struct err *e)
{
	return json_err(d, n, e, "required member \"%s\" is missing (%s)", member, when);
}

int spec_check_each(const struct json_doc *d, const struct json_node *n, const char *member,
		    bool (*ok)(const char *text), const char *expected, struct arena *a,
		    struct err *e)
{
	const struct json_node *m = member_node(n, member);

	if (!m)
		return 0;
	if (m->type == JSON_STRING)
		return ok(m->s) ? 0 : refuse(d, m, expected, a, e);
	for (const struct json_node *c = m->child; c; c = c->next) {
		if (m->type == JSON_OBJECT && !ok(c->key))
			return json_err(d, c, e, "bad name, expected %s", expected);
		if (m->type == JSON_ARRAY && !ok(c->s))
			return refuse(d, c, expected, a, e);
	}
	return 0;
}

bool spec_is_path(const char *s)
{
	return s[0] == '/';
}

bool spec_is_named(const char *s)
{
	return s[0] != '\0';
}

/*
 * The spec gives env the semantics of environ, whose strings have the form name=value. A string without
 * '=' would reach the program as a variable that getenv() cannot see; runc refuses both forms as well.
 * What stands there is not shown: it may be a secret, and messages end up in logs.
 */
int spec_check_env(const struct json_doc *d, const struct json_node *n, struct err *e)
{
	const struct json_node *m = member_node(n, "env"), *c;

	for (c = m ? m->child : NULL; c; c = c->next)
		if (c->s[0] == '=' || !strchr(c->s, '='))
			return json_err(d, c, e, "expected NAME=value");
	return 0;
}

/* One number of a list; moves *s behind it. */
static bool list_number(const char **s, uint64_t *ret)
{
	const char *p = *s;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (uint64_t) (*p - '0');
		if (v > UINT32_MAX)
			return false;
	}
	if (p == *s)
		return false;
	*s = p;
	*ret = v;
	return true;
}

/*
 * The list format of cpuset(7): numbers and ranges between commas. The kernel checks again when it is
 * written, but by then the container is half made. What the kernel takes beyond that ("0-31:2/8",
 * "all") is in no engine's vocabulary and cannot be compared or explained, so it is refused.
 */
bool spec_is_cpu_list(const char *s)
{
	uint64_t first, last;

	if (!*s)
		return true;
	for (;;) {
		if (!list_number(&s, &first))
			return false;
		if (*s == '-') {
			s++;
			if (!list_number(&s, &last) || last < first)
				return false;
		}
		if (!*s)
			return true;
		if (*s++ != ',')
			return false;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers of the texts in /proc/PID. The kernel escapes newlines in names, so a line that begins with a key is the kernel's. */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "inspect/seen.h"

#define WORDS_MAX 8

static char *next_line(char **at)
{
	char *line = *at, *end = line + strcspn(line, "\n");

	*at = *end ? end + 1 : end;
	*end = 0;
	return line;
}

/* The words of a line, at most WORDS_MAX. */
static size_t words(char *line, char *ret[WORDS_MAX])
{
	char *save, *w = strtok_r(line, " \t", &save);
	size_t n = 0;

	for (; w && n < WORDS_MAX; w = strtok_r(NULL, " \t", &save))
		ret[n++] = w;
	return n;
}

/* ---- status ---- */

/* The 16 digits of a capability set. */
static bool parse_caps(const char *s, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;

	if (strlen(s) != 16)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		const char *d = strchr(digits, s[i]);

		if (!d)
			return false;
		v = v << 4 | (uint64_t) (d - digits);
	}
	*ret = v;
	return true;
}

static bool parse_ids(char *text, uint32_t ret[4])
{
	char *w[WORDS_MAX];

	if (words(text, w) != 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (num_parse_u32(w[i], &ret[i]) < 0)
			return false;
	return true;
}

static bool parse_groups(const char *text, struct arena *a, struct u64s *ret)
{
	struct strs s = str_split(a, text, ' ');

	ret->v = arena_array(a, s.n, sizeof(*ret->v));
	ret->n = s.n;
	for (size_t i = 0; i < s.n; i++)
		if (num_parse_u64(s.v[i], UINT32_MAX, &ret->v[i]) < 0)
			return false;
	return true;
}

static void parse_number(const char *text, struct opt_u64 *ret)
{
	if (!ret->set)
		ret->set = num_parse_u64(text, UINT32_MAX, &ret->v) == 0;
}

static void status_line(const char *key, char *value, struct arena *a, struct seen_status *s)
{
	static const char *const sets[SEEN_CAPS_MAX] = {"CapInh", "CapPrm", "CapEff", "CapBnd",
							"CapAmb"};

	for (size_t i = 0; i < SEEN_CAPS_MAX; i++)
		if (str_eq(key, sets[i]) && !s->has_caps[i])
			s->has_caps[i] = parse_caps(value, &s->caps[i]);
	if (str_eq(key, "State") && !s->state)
		s->state = *value;
	else if (str_eq(key, "Uid") && !s->has_ids)
		s->has_ids = parse_ids(value, s->uid);
	else if (str_eq(key, "Gid"))
		s->has_ids &= parse_ids(value, s->gid);
	else if (str_eq(key, "Groups") && !s->has_groups)
		s->has_groups = parse_groups(value, a, &s->groups);
	else if (str_eq(key, "NoNewPrivs"))
		parse_number(value, &s->no_new_privs);
	else if (str_eq(key, "Seccomp"))
		parse_number(value, &s->seccomp);
	else if (str_eq(key, "Seccomp_filters"))
		parse_number(value, &s->filters);
}

void seen_parse_status(char *text, struct arena *a, struct seen_status *ret)
{
	struct seen_status s = {0};

	while (*text) {
		char *line = next_line(&text), *value = strchr(line, ':');

		if (!value)
			continue;
		*value++ = 0;
		value += strspn(value, " \t");
		status_line(line, value, a, &s);
	}
	s.set = s.state != 0;
	*ret = s;
}

/* ---- limits ---- */

static const char *const limit_names[RLIMIT_NAMES_N] = {
	"Max cpu time",	      "Max file size",	   "Max data size",	    "Max stack size",
	"Max core file size", "Max resident set",  "Max processes",	    "Max open files",
	"Max locked memory",  "Max address space", "Max file locks",	    "Max pending signals",
	"Max msgqueue size",  "Max nice priority", "Max realtime priority", "Max realtime timeout",
};

static bool parse_limit(const char *s, uint64_t *ret)
{
	if (str_eq(s, "unlimited")) {
		*ret = UINT64_MAX;
		return true;
	}
	return num_parse_u64(s, UINT64_MAX, ret) == 0;
}

/* The kernel prints them in the order of rlimit_names, but their numbers differ among architectures. */
void seen_parse_limits(char *text, struct seen_limit ret[RLIMIT_NAMES_N])
{
	memset(ret, 0, RLIMIT_NAMES_N * sizeof(*ret));
	while (*text) {
		char *line = next_line(&text), *w[WORDS_MAX];

		for (size_t i = 0; i < RLIMIT_NAMES_N; i++) {
			size_t n = strlen(limit_names[i]);

			if (strncmp(line, limit_names[i], n) != 0 || line[n] != ' ' || ret[i].set)
				continue;
			ret[i].set = words(line + n, w) >= 2 && parse_limit(w[0], &ret[i].soft) &&
				     parse_limit(w[1], &ret[i].hard);
			break;
		}
	}
}

/* ---- cgroup ---- */

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* "4:memory:/a/b", "0::/c". A path may have colons. */
void seen_parse_cgroups(char *text, struct arena *a, seen_cgroups *ret)
{
	ret->n = 0;
	ret->v = arena_array(a, count_lines(text), sizeof(*ret->v));
	while (*text) {
		char *line = next_line(&text), *name = strchr(line, ':'), *path;

		if (!name)
			continue;
		path = strchr(++name, ':');
		if (!path || path[1] != '/')
			continue;
		*path++ = 0;
		ret->v[ret->n++] = (struct seen_cgroup){arena_strdup(a, name),
							arena_strdup(a, path)};
	}
}

/* ---- id maps and namespaces ---- */

static int by_inside(const void *x, const void *y)
{
	const struct pol_idmap *a = x, *b = y;

	return (a->container > b->container) - (a->container < b->container);
}

bool seen_parse_idmap(char *text, struct arena *a, pol_idmaps *ret)
{
	pol_idmaps m = {.v = arena_array(a, count_lines(text), sizeof(*m.v))};

	while (*text) {
		struct pol_idmap *row = &m.v[m.n];
		char *w[WORDS_MAX];
		size_t n = words(next_line(&text), w);

		if (n == 0)
			continue;
		if (n != 3 || num_parse_u64(w[0], UINT32_MAX, &row->container) < 0 ||
		    num_parse_u64(w[1], UINT32_MAX, &row->host) < 0 ||
		    num_parse_u64(w[2], UINT32_MAX, &row->size) < 0)
			return false;
		m.n++;
	}
	if (m.n)
		qsort(m.v, m.n, sizeof(*m.v), by_inside);
	*ret = m;
	return true;
}

uint64_t seen_parse_ns(const char *text)
{
	const char *open = strstr(text, ":[");
	char number[24] = "";
	uint64_t v = 0;
	size_t n;

	if (!open)
		return 0;
	n = strcspn(open + 2, "]");
	if (n == 0 || n >= sizeof(number) || !str_eq(open + 2 + n, "]"))
		return 0;
	memcpy(number, open + 2, n);
	return num_parse_u64(number, UINT64_MAX, &v) == 0 ? v : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of the kernel's statistics files. */
#include "base/num.h"
#include "cgroup/stats.h"

#define LIST_MAX 65536 /* CPUs or memory nodes that a list may name */

/* The next line, cut off at its end in place, or NULL. */
static char *next_line(char **rest)
{
	char *line = *rest;
	size_t n;

	if (!line || !*line)
		return NULL;
	n = strcspn(line, "\n");
	*rest = line[n] ? line + n + 1 : line + n;
	line[n] = '\0';
	return line;
}

static bool is_average(const char *s)
{
	return *s && s[strspn(s, "0123456789.")] == '\0' && *s != '.';
}

static void parse_psi_line(char *line, struct cg_psi_line *ret)
{
	struct {
		const char *key;
		char *to;
	} avg[] = {{"avg10=", ret->avg10}, {"avg60=", ret->avg60}, {"avg300=", ret->avg300}};
	char *word;

	while ((word = strsep(&line, " "))) {
		const char *v;

		for (size_t i = 0; i < ARRAY_LEN(avg); i++) {
			v = str_prefix(word, avg[i].key);
			if (v && is_average(v) && strlen(v) < sizeof(ret->avg10))
				memcpy(avg[i].to, v, strlen(v) + 1);
		}
		v = str_prefix(word, "total=");
		if (v)
			(void) !num_parse_u64(v, UINT64_MAX,
					      &ret->total); /* stays 0 if it is no number */
	}
}

void cg_parse_psi(const char *text, struct cg_psi *ret)
{
	arena_auto a = {0};
	char *rest = arena_strdup(&a, text), *line;

	while ((line = next_line(&rest))) {
		struct cg_psi_line *l = str_prefix(line, "some ")   ? &ret->some
					: str_prefix(line, "full ") ? &ret->full
								    : NULL;

		if (!l)
			continue;
		ret->set = true;
		parse_psi_line(line, l);
	}
}

void cg_parse_list(const char *text, struct arena *a, struct u64s *ret)
{
	struct strs parts = str_split(a, text, ',');
	size_t n = 0;

	for (int pass = 0; pass < 2; pass++) { /* count, then fill */
		if (pass == 1)
			ret->v = arena_array(a, n, sizeof(*ret->v));
		for (size_t i = 0; i < parts.n; i++) {
			struct strs ends = str_split(a, parts.v[i], '-');
			uint64_t from, to;

			if (ends.n == 0 || num_parse_u64(ends.v[0], LIST_MAX, &from) < 0 ||
			    num_parse_u64(ends.v[ends.n - 1], LIST_MAX, &to) < 0)
				continue;
			for (; from <= to && ret->n <= LIST_MAX; from++) {
				if (pass == 1)
					ret->v[ret->n++] = from;
				else
					n++;
			}
		}
	}
}

void cg_parse_flat(const char *text, struct arena *a, cg_nameds *ret)
{
	struct strs lines = str_split(a, text, '\n');

	ret->v = arena_array(a, lines.n + 1, sizeof(*ret->v));
	ret->n = 0;
	for (size_t i = 0; i < lines.n; i++) {
		char *value = strchr(lines.v[i], ' ');
		uint64_t v;

		if (!value || num_parse_u64(value + 1, UINT64_MAX, &v) < 0)
			continue;
		*value = '\0';
		ret->v[ret->n++] = (struct cg_named){lines.v[i], v};
	}
}

static void add_io(struct arena *a, struct cg_stats *s, enum cg_io_list l, struct cg_io_entry x)
{
	size_t n = s->io.list[l].n;

	if ((n & (n - 1)) == 0) { /* 0, 1, 2, 4, ...: full */
		struct cg_io_entry *v = arena_array(a, n ? 2 * n : 1, sizeof(*v));

		if (n)
			memcpy(v, s->io.list[l].v, n * sizeof(*v));
		s->io.list[l].v = v;
	}
	s->io.list[l].v[s->io.list[l].n++] = x;
}

static bool parse_dev(const char *s, struct arena *a, struct cg_io_entry *ret)
{
	struct strs p = str_split(a, s, ':');

	return p.n == 2 && num_parse_u64(p.v[0], UINT32_MAX, &ret->major) == 0 &&
	       num_parse_u64(p.v[1], UINT32_MAX, &ret->minor) == 0;
}

void cg_parse_blkio(const char *text, struct arena *a, enum cg_io_list l, struct cg_stats *s)
{
	struct strs lines = str_split(a, text, '\n');
	static char none[] = "";

	for (size_t i = 0; i < lines.n; i++) {
		struct strs w = str_split(a, lines.v[i], ' ');
		struct cg_io_entry x = {.op = none};

		if (w.n < 2 || w.n > 3 || !parse_dev(w.v[0], a, &x) ||
		    num_parse_u64(w.v[w.n - 1], UINT64_MAX, &x.value) < 0)
			continue;
		if (w.n == 3)
			x.op = w.v[1];
		add_io(a, s, l, x);
	}
}

void cg_parse_io_stat(const char *text, struct arena *a, struct cg_stats *s)
{
	static const struct {
		const char *key, *op;
		enum cg_io_list list;
	} keys[] = {
		{"rbytes=", "Read", IO_BYTES},	  {"wbytes=", "Write", IO_BYTES},
		{"dbytes=", "Discard", IO_BYTES}, {"rios=", "Read", IO_OPS},
		{"wios=", "Write", IO_OPS},	  {"dios=", "Discard", IO_OPS},
	};
	struct strs lines = str_split(a, text, '\n');

	for (size_t i = 0; i < lines.n; i++) {
		struct strs w = str_split(a, lines.v[i], ' ');
		struct cg_io_entry x = {0};

		if (w.n < 2 || !parse_dev(w.v[0], a, &x))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			for (size_t j = 1; j < w.n; j++) {
				const char *v = str_prefix(w.v[j], keys[k].key);

				if (!v || num_parse_u64(v, UINT64_MAX, &x.value) < 0)
					continue;
				x.op = arena_strdup(a, keys[k].op);
				add_io(a, s, keys[k].list, x);
			}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See mountinfo.h. */
#include <string.h>

#include "base/mountinfo.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

static char *next_field(char **at)
{
	char *s = *at, *blank = strchr(s, ' ');

	if (blank)
		*blank = 0;
	*at = blank ? blank + 1 : s + strlen(s);
	return s;
}

/* The kernel writes blank, tab, newline and backslash as three octal digits. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char) ((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

/* Up to the lone dash there is any number of optional fields. */
static bool parse_optional(char **line, struct mountinfo *m)
{
	m->optional = *line;
	for (;;) {
		char *field = *line, *end = field + strcspn(field, " ");

		if (!*field)
			return false;
		if (end - field == 1 && *field == '-' && *end) {
			if (field > m->optional)
				field[-1] = 0;
			*field = 0;
			*line = end + 1;
			return true;
		}
		*line = *end ? end + 1 : end;
	}
}

static bool parse_line(char *line, struct mountinfo *m)
{
	char *id = next_field(&line), *parent = next_field(&line);

	next_field(&line); /* device */
	m->root = next_field(&line);
	m->place = next_field(&line);
	m->options = next_field(&line);
	if (!parse_optional(&line, m))
		return false;
	m->type = next_field(&line);
	m->source = next_field(&line);
	m->super = next_field(&line);
	unescape(m->root);
	unescape(m->place);
	unescape(m->type);
	unescape(m->source);
	return num_parse_u32(id, &m->id) == 0 && num_parse_u32(parent, &m->parent) == 0 &&
	       m->place[0] == '/' && m->type[0];
}

size_t mountinfo_parse(const char *text, size_t n, struct arena *a, struct mountinfo **ret)
{
	struct strs lines = str_split(a, arena_strndup(a, text ? text : "", n), '\n');
	size_t count = 0;

	*ret = arena_array(a, lines.n, sizeof(**ret));
	for (size_t i = 0; i < lines.n; i++)
		if (parse_line(lines.v[i], &(*ret)[count]))
			count++;
	return count;
}

static const struct mountinfo *root_of(const struct mountinfo *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool inner = false;

		if (!str_eq(v[i].place, "/"))
			continue;
		for (size_t k = 0; k < n && !inner; k++)
			inner = k != i && v[k].id == v[i].parent;
		if (!inner)
			return &v[i];
	}
	return NULL;
}

/* Who walks to a path meets the mount points on the way in their order: of the mounts on `on`, the one with the shortest
 * place. A mount is on another one only once. */
static const struct mountinfo *step(const struct mountinfo *v, size_t n, const struct mountinfo *on,
				    const char *path)
{
	const struct mountinfo *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (v[i].parent == on->id && &v[i] != on && path_below(path, v[i].place) &&
		    (!best || strlen(v[i].place) <= strlen(best->place)))
			best = &v[i];
	return best;
}

const struct mountinfo *mountinfo_at(const struct mountinfo *v, size_t n, const char *path)
{
	const struct mountinfo *at = root_of(v, n), *next;

	/* no more steps than mounts: the kernel makes no circles, a text may */
	for (size_t i = 0; at && i < n && (next = step(v, n, at, path)); i++)
		at = next;
	return at;
}

bool mountinfo_has(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (; list; list = strchr(list, ','), list = list ? list + 1 : NULL)
		if (strncmp(list, word, n) == 0 && (list[n] == ',' || !list[n]))
			return true;
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ids that an ordinary user may give away: rows "USER:FIRST:COUNT" of /etc/subuid and /etc/subgid, where USER is
 * a name or a number (subuid(5)). The name comes from /etc/passwd: a static program cannot ask the name services. Nothing
 * here decides what the user may do; newuidmap and newgidmap do, and they ask for themselves.
 */
#include <fcntl.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "host/host.h"

#define FILE_MAX (4u << 20)

/* Cuts the next line off *rest and splits it at colons into at most n fields; the count of them, 0 for a blank line. */
static size_t next_row(char **rest, char **field, size_t n)
{
	char *line = strsep(rest, "\n"), *f;
	size_t got = 0;

	while (got < n && (f = strsep(&line, ":")))
		field[got++] = f;
	return got;
}

const char *host_user_name(char *passwd, uint32_t uid)
{
	char *field[3];
	uint32_t id;

	while (passwd)
		if (next_row(&passwd, field, 3) == 3 && num_parse_u32(field[2], &id) == 0 &&
		    id == uid && *field[0])
			return field[0];
	return NULL;
}

static bool row_is_of(const char *user, const char *name, uint32_t uid)
{
	uint32_t id;

	return (name && str_eq(user, name)) || (num_parse_u32(user, &id) == 0 && id == uid);
}

void host_subids_parse(char *text, const char *name, uint32_t uid, struct host_ranges *ret)
{
	struct host_range row;
	char *field[4]; /* one more than a row has */

	*ret = (struct host_ranges){0};
	while (text && ret->n < HOST_RANGES_MAX)
		if (next_row(&text, field, 4) == 3 && row_is_of(field[0], name, uid) &&
		    num_parse_u32(field[1], &row.first) == 0 &&
		    num_parse_u32(field[2], &row.n) == 0 && row.n > 0 &&
		    row.n <= UINT32_MAX - row.first)
			ret->v[ret->n++] = row;
}

static char *text_of(const char *file, struct arena *a)
{
	struct bytes text;

	return io_read_at(AT_FDCWD, file, 0, FILE_MAX, a, &text) < 0 ? NULL : (char *) text.v;
}

void host_probe_subids(struct host *h)
{
	arena_auto a = {0};
	const char *name = host_user_name(text_of("/etc/passwd", &a), h->euid);

	host_subids_parse(text_of("/etc/subuid", &a), name, h->euid, &h->subuid);
	host_subids_parse(text_of("/etc/subgid", &a), name, h->euid, &h->subgid);
}

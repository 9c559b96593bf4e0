/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that stay looked up. In a guest whose root is a share (9p) the kernel keeps no name that nobody has open: each look-up
 * of a path asks the host twice for each of its parts, and once more for a link, and to look for a program, to look at it and
 * to execute it are four such look-ups. While a name is open, the kernel knows it without asking.
 *
 * They are kept from the search of a program until it runs, which for `exec` is the same moment. In a container that is
 * created, and started at some other time, they are closed with all the rest before that (stage.c): what is at that
 * place then is what counts.
 */
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "exec/ctx.h"

static const struct stage_held *find(const struct stage *s, const char *path)
{
	for (size_t i = 0; i < s->n_held; i++)
		if (str_eq0(s->held[i].path, path))
			return &s->held[i];
	return NULL;
}

static int keep(struct stage *s, const char *path, const char *name, int flags)
{
	int fd;

	if (s->n_held == ARRAY_LEN(s->held))
		return -EMFILE;
	fd = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC | flags);
	if (fd < 0)
		return -errno;
	s->held[s->n_held++] = (struct stage_held){name, fd};
	return fd;
}

/* The folders on the way. Links among them are looked up each time, which they seldom are. */
static int keep_folders(struct stage *s, const char *path)
{
	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		char *dir = arena_printf(s->a, "%.*s", (int) (p - path), path);
		int fd = find(s, dir) ? 0 : keep(s, dir, dir, 0);

		if (fd < 0)
			return fd;
	}
	return 0;
}

int hold_path(struct stage *s, const char *path)
{
	const char *name = arena_strdup(s->a, path);
	int r = *path ? keep_folders(s, path) : -ENOENT;

	if (r == 0)
		r = keep(s, path, name, O_NOFOLLOW);
	return r < 0 ? r : keep(s, path, NULL, 0);
}

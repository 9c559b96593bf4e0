/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes are in the container's cgroup and below. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "cgroup/internal.h"

#define PROCS_MAX (32u << 20)

struct collected {
	struct arena *a;
	uint64_t *v;
	size_t n, cap;
};

static void collect_one(struct collected *c, uint64_t pid)
{
	if (pid == 0) /* lives in a pid namespace that we do not see into */
		return;
	c->v = arena_room(c->a, c->v, c->n, &c->cap, sizeof(*c->v));
	c->v[c->n++] = pid;
}

static int collect_dir(struct collected *c, int dir)
{
	struct bytes text;
	uint64_t pid = 0;
	int r = io_read_at(dir, "cgroup.procs", 0, PROCS_MAX, c->a, &text);

	/* In a threaded cgroup the file cannot be read; its processes are listed in the domain above. */
	if (r == -EOPNOTSUPP || r == -ENODEV || r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < text.n; i++) {
		if (text.v[i] >= '0' && text.v[i] <= '9') {
			pid = pid * 10 + (uint64_t) (text.v[i] - '0');
			continue;
		}
		collect_one(c, pid);
		pid = 0;
	}
	return 0;
}

/* Takes over the descriptor. */
static int collect_tree(struct collected *c, int taken)
{
	fd_auto int fd = taken;
	struct dirent *d;
	struct stat st;
	DIR *dir;
	int r = collect_dir(c, fd);

	/* "." and the name in the parent are two links, each directory inside is one more: the usual
	 * container has none, and its forty files need not be listed. */
	if (r < 0 || (fstat(fd, &st) == 0 && st.st_nlink == 2))
		return r;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	fd = -EBADF; /* closedir() closes it */
	while (r == 0 && (d = readdir(dir))) {
		int sub;

		if (d->d_type != DT_DIR || d->d_name[0] == '.')
			continue;
		sub = openat(dirfd(dir), d->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			r = collect_tree(c, sub);
		else if (errno != ENOENT && errno != ENODEV)
			r = -errno;
	}
	closedir(dir);
	return r;
}

static int by_pid(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

const struct cg_hier *cg_main(const struct cg *cg)
{
	const struct cg_hier *h = cg_unified(cg);

	return h || cg->hier.n == 0 ? h : &cg->hier.v[0];
}

int cg_hier_pids(const struct cg_hier *h, struct arena *a, struct u64s *ret, struct err *e)
{
	struct collected c = {.a = a};
	char path[PATH_MAX];
	size_t n = 0;
	int r = cg_path(path, h, NULL);

	if (r == 0) {
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		r = fd >= 0 ? collect_tree(&c, fd) : errno == ENOENT ? 0 : -errno;
	}
	if (r < 0)
		return err_neg(e, r, "list the processes in %s%s", h->mount, h->path);
	if (c.n)
		qsort(c.v, c.n, sizeof(*c.v), by_pid);
	/* v1 may list a process twice while it moves */
	for (size_t i = 0; i < c.n; i++)
		if (n == 0 || c.v[n - 1] != c.v[i])
			c.v[n++] = c.v[i];
	*ret = (struct u64s){c.v, n};
	return 0;
}

int cgroup_pids(const struct cg *cg, struct arena *a, struct u64s *ret, struct err *e)
{
	const struct cg_hier *h = cg_main(cg);

	*ret = (struct u64s){0};
	return h ? cg_hier_pids(h, a, ret, e) : 0;
}

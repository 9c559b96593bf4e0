/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How processes get into the container's cgroup.
 *
 * Writing somebody else's pid, or any pid into cgroup.procs, takes the kernel's lock on all thread groups,
 * which on a quiet machine waits for an RCU grace period: 5 to 16 ms. Two ways avoid it: to be cloned
 * into a cgroup2 directory, and, on v1, a single thread's own write of "0" to `tasks`. Everything on the
 * start path uses these two; cgroup_join_pid() is for what is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "cgroup/internal.h"

#define DELEGATE_MAX 4096

static int open_dir(const char *mount, const char *rel, struct err *e)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s%s", mount, rel), fd;

	if (n < 0 || (size_t) n >= sizeof(path))
		return err_set(e, -ENAMETOOLONG, "open cgroup %s%s: the path is too long", mount,
			       rel);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open cgroup %s", path) : fd;
}

/* Where the container's processes are: the cgroup itself, or the one below it that leaves the scope to systemd. */
static int open_leaf(const struct cg *cg, const struct cg_hier *h, struct err *e)
{
	char rel[PATH_MAX];
	int n = snprintf(rel, sizeof(rel), "%s%s", h->path, cg->sub ? cg->sub : "");

	if (n < 0 || (size_t) n >= sizeof(rel))
		return err_set(e, -ENAMETOOLONG, "open cgroup %s%s: the path is too long", h->path,
			       cg->sub);
	return open_dir(h->mount, rel, e);
}

int cgroup_clone_fd(const struct cg *cg, struct err *e)
{
	const struct cg_hier *h = cg_unified(cg);

	return h ? open_leaf(cg, h, e) : -EBADF;
}

int cgroup_clone_fd_of(const struct cg *cg, pid_t init, struct err *e)
{
	const struct cg_hier *h = cg_unified(cg);
	arena_auto a = {0};
	struct bytes text;
	char file[64], *line;
	int r;

	if (!h)
		return -EBADF;
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int) init);
	r = io_read_at(AT_FDCWD, file, 0, 64 * 1024, &a, &text);
	if (r < 0)
		return err_neg(e, r, "read %s", file);
	for (line = (char *) text.v; line; line = strchr(line, '\n')) {
		char *path;

		line += *line == '\n';
		path = (char *) (uintptr_t) str_prefix(line, "0::");
		if (!path)
			continue;
		path = arena_strndup(&a, path, strcspn(path, "\n"));
		/* Whoever moved init elsewhere took it out of our limits; we do not follow there. */
		if (path_below(path, h->path))
			return open_dir(h->mount, path, e);
		break;
	}
	return open_leaf(cg, h, e);
}

int cgroup_tasks_fds(const struct cg *cg, int fds[CG_MAX_HIER], struct err *e)
{
	char path[PATH_MAX];
	int n = 0;

	for (size_t i = 0; i < cg->hier.n; i++) {
		const struct cg_hier *h = &cg->hier.v[i];
		int r;

		if (cg_hier_is_v2(h))
			continue;
		r = cg_path(path, h, "tasks");
		if (r == 0) {
			fds[n] = open(path, O_WRONLY);
			r = fds[n] < 0 ? -errno : 0;
		}
		if (r < 0) {
			while (n > 0)
				fd_close(fds[--n]);
			return err_neg(e, r, "open %s%s/tasks", h->mount, h->path);
		}
		n++;
	}
	return n;
}

int cgroup_join_pid(const struct cg *cg, pid_t pid, struct err *e)
{
	char num[24], file[NAME_MAX + 16];

	snprintf(num, sizeof(num), "%d", (int) pid);
	snprintf(file, sizeof(file), "%s/cgroup.procs", cg->sub ? cg->sub : "");
	for (size_t i = 0; i < cg->hier.n; i++) {
		const struct cg_hier *h = &cg->hier.v[i];
		int r = cg_write(h, file + 1, num, NULL);

		if (r < 0)
			return err_neg(e, r, "move process %d to cgroup %s%s", (int) pid, h->mount,
				       h->path);
	}
	return 0;
}

/* ---- delegation (S-39) ---- */

static int give(int dir, const char *file, uint32_t uid, uint32_t gid)
{
	/* The list may name files of controllers that this cgroup does not have. */
	return fchownat(dir, file, uid, gid, AT_SYMLINK_NOFOLLOW | (*file ? 0 : AT_EMPTY_PATH)) <
				       0 &&
			       errno != ENOENT
		       ? -errno
		       : 0;
}

int cgroup_delegate(const struct cg *cg, uint32_t uid, uint32_t gid, struct err *e)
{
	static const char always[] =
		"cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"; /* before 4.15 */
	const struct cg_hier *h = cg_unified(cg);
	fd_auto int dir = -EBADF;
	char list[DELEGATE_MAX], *name, *rest = list;
	int r;

	if (!h || cg->layout != CG_V2)
		return 0;
	dir = open_leaf(cg, h, e);
	if (dir < 0)
		return dir;
	if (io_read_small(AT_FDCWD, "/sys/kernel/cgroup/delegate", list, sizeof(list)) <= 0)
		memcpy(list, always, sizeof(always));
	r = give(dir, "", uid, gid);
	while (r == 0 && (name = strsep(&rest, "\n")))
		if (*name && !strchr(name, '/'))
			r = give(dir, name, uid, gid);
	return r < 0 ? err_neg(e, r, "give cgroup %s%s to user %u", h->mount, h->path, uid) : 0;
}

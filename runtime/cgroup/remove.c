/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing the container's directories.
 *
 * Theory of operation: a directory without processes and sub-directories goes away with one rmdir, and
 * after a clean end that is all. If it is busy, sub-cgroups that the container made are removed first,
 * deepest first. If it still is, its last processes are on their way out: cgroup2 notifies when it is
 * empty (the same moment counts for the v1 hierarchies beside it, as all of them hold the same
 * processes), on pure v1 the pidfds of those processes tell. Only when neither works is there a sleep.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "base/log.h"
#include "cgroup/internal.h"
#include "cgroup/scope.h"

#define REMOVE_TIMEOUT_MS 10000
#define POLL_MAX 64

/* Removes what is below the directory; takes over the descriptor. What is busy stays. */
static void remove_below(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		fd_close(fd);
		return;
	}
	while ((d = readdir(dir))) {
		int sub;

		if (d->d_type != DT_DIR || d->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR) == 0)
			continue;
		sub = openat(dirfd(dir), d->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			remove_below(sub);
		unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

/* Returns 0 (gone), -EBUSY, or another -errno. */
static int remove_dir(const struct cg_hier *h, bool below)
{
	char path[PATH_MAX];
	int r = cg_path(path, h, NULL);

	if (r < 0)
		return r;
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	if (below) {
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			remove_below(fd);
		if (rmdir(path) == 0 || errno == ENOENT)
			return 0;
	}
	return errno == ENOTEMPTY ? -EBUSY : -errno;
}

/* Waits until all processes that are in the v1 directory now have ended, or the time is over. */
static int wait_pids(const struct cg_hier *h, int timeout_ms)
{
	struct err ignored = ERR_INIT; /* the caller looks again, and knows what to say then */
	struct pollfd p[POLL_MAX];
	arena_auto a = {0};
	struct u64s pids;
	size_t n = 0;
	int r = cg_hier_pids(h, &a, &pids, &ignored);

	for (size_t i = 0; r == 0 && i < pids.n && n < POLL_MAX; i++) {
		int fd = sys_pidfd_open((pid_t) pids.v[i], 0);

		if (fd >= 0)
			p[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	if (n == 0)
		return -EAGAIN;
	/* one by one: each wait ends when that process does */
	for (size_t i = 0; i < n; i++) {
		int64_t start = cg_now_ms();

		poll(&p[i], 1, timeout_ms > 0 ? timeout_ms : 0);
		timeout_ms -= (int) (cg_now_ms() - start);
		fd_close(p[i].fd);
	}
	return 0;
}

/* Sleeps only if nothing can notify us. */
static void wait_empty(const struct cg *cg, const struct cg_hier *busy, int timeout_ms,
		       unsigned round)
{
	const struct cg_hier *u = cg_unified(cg);

	/* Twice at most: when the unified one says it is empty already, it is something else. */
	if (u && round < 2 && cg_wait_key(u, "populated", 0, timeout_ms) == 0)
		return;
	if (wait_pids(busy, timeout_ms) == 0)
		return;
	cg_sleep_ms(round < 6 ? 1u << round : 50);
}

static int still_busy(const struct cg_hier *h, struct err *e)
{
	arena_auto a = {0};
	struct u64s pids = {0};
	struct err ignored = ERR_INIT;
	char list[256] = "";
	size_t n = 0;

	if (cg_hier_pids(h, &a, &pids, &ignored) == 0)
		for (size_t i = 0; i < pids.n && n < sizeof(list) - 24; i++)
			n += (size_t) snprintf(list + n, sizeof(list) - n, " %llu",
					       (unsigned long long) pids.v[i]);
	return err_set(e, -EBUSY, "remove cgroup %s%s: still in use after %d s (processes:%s)",
		       h->mount, h->path, REMOVE_TIMEOUT_MS / 1000,
		       n ? list : " none that we can see");
}

static int remove_hier(const struct cg *cg, const struct cg_hier *h, int64_t end, struct err *e)
{
	for (unsigned round = 0;; round++) {
		int r = remove_dir(h, true);
		int64_t left = end - cg_now_ms();

		if (r == 0)
			return 0;
		if (r != -EBUSY)
			return err_neg(e, r, "remove cgroup %s%s", h->mount, h->path);
		if (left <= 0)
			return still_busy(h, e);
		wait_empty(cg, h, (int) left, round);
	}
}

int cgroup_remove(const struct cg *cg, struct err *e)
{
	int64_t end = cg_now_ms() + REMOVE_TIMEOUT_MS;
	int r = 0;

	if (!cg->made_by_us) {
		cg_scope_release(cg->holder);
		return 0;
	}
	if (cg->scope) {
		struct err sub = ERR_INIT;

		/* A scope that is empty goes by itself, so that a bus that is gone by now (the user logged out)
		 * is no reason to keep the container's record. What is left of the directory is. */
		if (cg_scope_stop(cg, &sub) < 0)
			log_warn("%s", sub.msg);
	}
	/* The unified one last: it can tell when the others are empty. An error in one does not leave the
	 * rest behind; the first is reported. */
	for (int unified = 0; unified < 2; unified++)
		for (size_t i = 0; i < cg->hier.n; i++) {
			struct err next = ERR_INIT;

			if (cg_hier_is_v2(&cg->hier.v[i]) != (unified == 1))
				continue;
			if (remove_hier(cg, &cg->hier.v[i], end, r < 0 ? &next : e) < 0 && r == 0)
				r = e->code;
		}
	return r;
}

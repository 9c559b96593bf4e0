/* SPDX-License-Identifier: Apache-2.0 */
/* What several commands need. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/box.h"

int cmd_probe_host(struct globals *g, struct err *e)
{
	int r;

	if (g->host.machine[0])
		return 0;
	r = host_probe(&g->host, e);
	if (r < 0)
		return r;
	/* engines may say what they know better: podman's "rootless" is true inside its user namespace */
	if (str_eq0(g->rootless, "true"))
		g->host.rootless = true;
	return 0;
}

const char *cmd_root(struct globals *g)
{
	struct err ignored = ERR_INIT;

	if (g->root)
		return g->root;
	(void) cmd_probe_host(g, &ignored);
	g->root = state_root_default(g->host.rootless, g->a);
	return g->root;
}

int cmd_print(const struct buf *b, struct err *e)
{
	int r;

	if (b->bad)
		return err_set(e, -EFBIG, "the output is too large");
	r = io_write_all(STDOUT_FILENO, b->p, b->n);
	return r < 0 ? err_neg(e, r, "writing to standard output") : 0;
}

int cmd_write_pid_file(const char *path, pid_t pid, struct err *e)
{
	arena_auto a = {0};
	fd_auto int dir = -EBADF;
	char num[24];
	size_t n = num_fmt_u64(num, (uint64_t) pid);
	int r;

	dir = open(dirname(arena_strdup(&a, path)), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "--pid-file: directory of %s", path);
	r = io_replace_at(dir, basename(arena_strdup(&a, path)), 0644, num, n);
	return r < 0 ? err_neg(e, r, "--pid-file: writing %s", path) : 0;
}

uint32_t cmd_cg_manager(const struct globals *g, struct err *e)
{
	if (g->systemd_cgroup)
		return POL_CG_SYSTEMD;
	if (!g->cgroup_manager || str_eq(g->cgroup_manager, "cgroupfs"))
		return POL_CG_CGROUPFS;
	if (str_eq(g->cgroup_manager, "systemd"))
		return POL_CG_SYSTEMD;
	if (str_eq(g->cgroup_manager, "disabled"))
		return POL_CG_DISABLED;
	err_set_id(e, ERR_USAGE, -EINVAL,
		   "--cgroup-manager: expected cgroupfs, systemd or disabled, found \"%s\"",
		   g->cgroup_manager);
	return 0;
}

/* A path as the user gave it, made absolute and clean. */
int cmd_abs_path(struct arena *a, const char *path, char **ret, struct err *e)
{
	char cwd[4096];

	if (path[0] == '/') {
		*ret = path_clean(a, path);
		return 0;
	}
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(e, "finding the current directory");
	*ret = path_clean(a, path_join(a, cwd, path));
	return 0;
}

/* Reads a file that the user names; "-" is standard input. */
int cmd_read_file(struct arena *a, const char *path, size_t max, struct bytes *ret, struct err *e)
{
	int r;

	if (str_eq(path, "-"))
		r = io_read_fd(STDIN_FILENO, max, a, ret);
	else
		r = io_read_at(AT_FDCWD, path, 0, max, a, ret);
	return r < 0 ? err_neg(e, r, "reading %s", path) : 0;
}

char **cmd_environ(void)
{
	extern char **environ;

	return environ;
}

int cmd_each_match(struct globals *g, const char *pattern,
		   int (*fn)(struct globals *g, const char *id, const void *arg, struct err *e),
		   const void *arg, struct err *e)
{
	struct strs ids;
	regex_t re;
	int r, first = 0;

	r = state_ids(cmd_root(g), g->a, &ids, e);
	if (r < 0)
		return r;
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--regex: \"%s\" is not a regular expression", pattern);
	for (size_t i = 0; i < ids.n; i++) {
		struct err next = ERR_INIT;

		if (regexec(&re, ids.v[i], 0, NULL, 0) != 0)
			continue;
		r = fn(g, ids.v[i], arg, first < 0 ? &next : e);
		if (first == 0 && r < 0)
			first = r;
	}
	regfree(&re);
	return first;
}

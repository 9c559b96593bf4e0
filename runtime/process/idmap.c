/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id maps of a new user namespace. Whoever has CAP_SETUID/CAP_SETGID in the parent namespace writes them directly;
 * an ordinary user may map only itself, so everything else goes through the set-user-ID helpers newuidmap and
 * newgidmap, found in PATH or, when the engine gave us none, in the usual places.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/hint.h"
#include "process/process.h"

#define MAP_LINES_MAX 340 /* the kernel's limit of extents */

static char *map_text(const pol_idmaps *m, struct arena *a)
{
	char *t = arena_alloc(a, m->n * 64 + 1), *c = t;

	for (size_t i = 0; i < m->n; i++)
		c += sprintf(c, "%llu %llu %llu\n", (unsigned long long) m->v[i].container,
			     (unsigned long long) m->v[i].host, (unsigned long long) m->v[i].size);
	return t;
}

static bool map_is_self(const pol_idmaps *m, uint32_t id)
{
	return m->n == 1 && m->v[0].host == id && m->v[0].size == 1;
}

static bool has_cap(const struct host *h, int cap)
{
	return h->caps >> cap & 1;
}

/* newuidmap PID container host size ... */
static int run_helper(const char *name, pid_t pid, const pol_idmaps *m, struct arena *a,
		      struct err *e)
{
	char **argv = arena_array(a, m->n * 3 + 3, sizeof(*argv));
	size_t n = 0;
	int st;
	pid_t child;

	argv[n++] = arena_strdup(a, name);
	argv[n++] = arena_printf(a, "%d", (int) pid);
	for (size_t i = 0; i < m->n; i++) {
		argv[n++] = arena_printf(a, "%llu", (unsigned long long) m->v[i].container);
		argv[n++] = arena_printf(a, "%llu", (unsigned long long) m->v[i].host);
		argv[n++] = arena_printf(a, "%llu", (unsigned long long) m->v[i].size);
	}
	child = fork();
	if (child < 0)
		return err_sys(e, "starting %s", name);
	if (child == 0) {
		/* what is open for the stage (process.h) is not for a helper */
		(void) sys_close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
		/* engines call delete and kill without PATH; the helpers live in system folders */
		if (str_empty(getenv("PATH")))
			setenv("PATH",
			       "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
		execvp(name, argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (waitpid(child, &st, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "waiting for %s", name);
	if (WIFEXITED(st) && WEXITSTATUS(st) == 0)
		return 0;
	if (WIFEXITED(st) && WEXITSTATUS(st) == 127)
		err_set(e, -ENOENT, "%s is not installed: id maps of more than one id need it",
			name);
	else
		err_set(e, -EPERM,
			"%s refused the id map: compare linux.uidMappings and linux.gidMappings with "
			"/etc/subuid and /etc/subgid",
			name);
	return err_hint_idhelper(e, name);
}

static int write_proc(pid_t pid, const char *file, const char *text, struct err *e)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
	r = io_write_at(AT_FDCWD, path, 0, text, strlen(text));
	return r < 0 ? err_neg(e, r, "writing \"%.*s\" to %s of the container's process",
			       (int) strcspn(text, "\n"), text, file)
		     : 0;
}

static int maps_write(pid_t pid, const pol_idmaps *u, const pol_idmaps *g, const struct host *h,
		      struct err *e)
{
	arena_auto a = {0};
	int r;

	if (u->n > MAP_LINES_MAX || g->n > MAP_LINES_MAX)
		return err_set(e, -EINVAL, "linux.uidMappings: more than %d ranges", MAP_LINES_MAX);
	if (has_cap(h, CAP_SETGID)) {
		r = write_proc(pid, "gid_map", map_text(g, &a), e);
	} else if (map_is_self(g, h->egid)) {
		/* an unprivileged map needs setgroups off first, else group deny ACLs could be dodged */
		r = write_proc(pid, "setgroups", "deny", e);
		if (r == 0)
			r = write_proc(pid, "gid_map", map_text(g, &a), e);
	} else {
		r = run_helper("newgidmap", pid, g, &a, e);
	}
	if (r < 0)
		return err_context(e, "linux.gidMappings");
	if (has_cap(h, CAP_SETUID) || map_is_self(u, h->euid))
		r = write_proc(pid, "uid_map", map_text(u, &a), e);
	else
		r = run_helper("newuidmap", pid, u, &a, e);
	return r < 0 ? err_context(e, "linux.uidMappings") : 0;
}

int idmap_write(pid_t pid, const struct policy *p, const struct host *h, struct err *e)
{
	return maps_write(pid, &p->uid_map, &p->gid_map, h, e);
}

/* A namespace needs an inhabitant until its file is open. If we are killed first, nobody else would end it, and it holds
 * all that we have open, the lock of the container among it. */
static void __attribute__((noreturn)) idle(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	for (;;)
		pause();
}

int idmap_userns(const pol_idmaps *u, const pol_idmaps *g, const struct host *h, struct err *e)
{
	fd_auto int pidfd = -EBADF;
	char path[48];
	int fd, r;
	pid_t pid, self = getpid();

	pid = sys_clone3(CLONE_NEWUSER, -EBADF, &pidfd);
	if (pid == 0)
		idle(self);
	if (pid < 0) {
		err_neg(e, pid, "creating a user namespace for an idmapped mount");
		return err_hint_namespaces(e, CLONE_NEWUSER);
	}

	r = maps_write(pid, u, g, h, e);
	fd = -EBADF;
	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			r = err_sys(e, "opening the user namespace of an idmapped mount");
	}
	spawn_kill(pid, pidfd);
	return r < 0 ? r : fd;
}

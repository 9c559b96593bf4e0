/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INSPECT: what the guest's kernel shows of the container, as it is. Judging it is the host's part, with the code that
 * compares containers that are processes; here files are read and nothing is known of a policy but which limits and paths it names.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

#define OTHERS_MAX 8
#define FILE_MAX (256u << 10)
#define FACTS_MAX 60000 /* one packet of the monitor's */

static void add(struct wire_seen *s, const char *name, char *text)
{
	s->files.v[s->files.n++] = (struct kv){(char *) (uintptr_t) name, text};
}

static char *text_of(int dir, const char *name, struct arena *t)
{
	char text[PATH_MAX];
	struct bytes b;
	ssize_t n;

	if (!str_eq(name, "exe") && !str_prefix(name, "ns/"))
		return io_read_at(dir, name, 0, FILE_MAX, t, &b) == 0 ? (char *) b.v : NULL;
	n = readlinkat(dir, name, text, sizeof(text));
	return n > 0 && n < (ssize_t) sizeof(text) ? arena_strndup(t, text, (size_t) n) : NULL;
}

static void see(struct arena *t, pid_t pid, bool mounts, struct wire_seen *s)
{
	fd_auto int dir = -EBADF;
	char path[64];

	*s = (struct wire_seen){.pid = (uint32_t) pid};
	s->files.v = arena_array(t, 32, sizeof(*s->files.v));
	snprintf(path, sizeof(path), "/proc/%d", (int) pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (const char *const *name = wire_seen_names; *name && dir >= 0; name++) {
		char *text = mounts || !str_eq(*name, "mountinfo") ? text_of(dir, *name, t) : NULL;

		if (text)
			add(s, *name, text);
	}
}

static int see_all(struct agent *a, pid_t init, struct arena *t, struct wire_facts *f,
		   struct err *e)
{
	struct u64s pids = {0};
	int r = a->cg.layout == CG_NONE ? 0 : cgroup_pids(&a->cg, t, &pids, e);

	if (r < 0)
		return r;
	f->procs.v = arena_array(t, 2 + OTHERS_MAX, sizeof(*f->procs.v));
	see(t, getpid(), false, &f->procs.v[0]);
	see(t, init, true, &f->procs.v[1]);
	f->procs.n = 2;
	for (size_t i = 0; i < pids.n; i++) {
		if (pids.v[i] == (uint64_t) init)
			continue;
		f->more |= f->procs.n == 2 + OTHERS_MAX;
		if (!f->more)
			see(t, (pid_t) pids.v[i], false, &f->procs.v[f->procs.n++]);
	}
	return 0;
}

static int see_limits(struct agent *a, struct arena *t, struct wire_facts *f, struct err *e)
{
	struct cg_seen *v = NULL;
	size_t n = 0;
	int r;

	if (a->cg.layout == CG_NONE)
		return 0;
	f->cgroup = a->cg.hier.v[0].path;
	r = cgroup_inspect(&a->cg, &a->part.resources, t, &v, &n, e);
	f->limits.v = arena_array(t, n, sizeof(*f->limits.v));
	for (size_t i = 0; i < n && r == 0; i++)
		f->limits.v[f->limits.n++] = (struct wire_limit){
			.field = (char *) (uintptr_t) v[i].field,
			.want = (char *) (uintptr_t) v[i].want,
			.have = (char *) (uintptr_t) v[i].have,
			.verdict = v[i].verdict,
		};
	return r;
}

/* The root is the container's: no link in it is followed. */
static void see_missing(int root, const struct strs *paths, struct strs *ret)
{
	for (size_t i = 0; i < paths->n; i++) {
		fd_auto int fd = path_open_in(root, paths->v[i], O_PATH | O_NOFOLLOW, 0,
					      PATH_NO_SYMLINKS);

		if (fd == -ENOENT || fd == -ENOTDIR)
			ret->v[ret->n++] = paths->v[i];
	}
}

int agent_facts(struct agent *a, struct buf *out, struct err *e)
{
	const struct proc *first = proc_find(a, 1);
	fd_auto int root = -EBADF;
	struct wire_facts f = {0};
	arena_auto t = {0};
	char path[64];
	int r;

	if (!first || first->pid <= 0)
		return err_set_id(e, ERR_NOT_RUNNING, -ESRCH, "container not running");
	snprintf(path, sizeof(path), "/proc/%d/root", (int) first->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	f.missing.v = arena_array(&t, a->part.masked.n + a->part.readonly.n, sizeof(char *));
	f.missing.set = true;
	if (root >= 0) {
		see_missing(root, &a->part.masked, &f.missing);
		see_missing(root, &a->part.readonly, &f.missing);
	}
	r = see_all(a, first->pid, &t, &f, e);
	if (r == 0)
		r = see_limits(a, &t, &f, e);
	if (r == 0)
		codec_encode(out, &wire_facts_table, &f);
	if (r == 0 && out->n > FACTS_MAX)
		return err_set(e, -EFBIG, "the guest has more to show than one answer takes");
	return r;
}

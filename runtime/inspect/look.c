/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading /proc/PID. The directory is opened once: from there on its files are those of this process, and fail when it has
 * ended, whoever has its number then. The start time, which is looked up by the number, is its own if the directory still
 * gives something afterwards.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "base/sys.h"
#include "inspect/seen.h"

#ifndef NS_GET_PARENT
#define NS_GET_PARENT _IO(0xb7, 0x2)
#endif

#define TEXT_MAX (1u << 20)
#define MOUNTINFO_MAX (64u << 20) /* 100000 mounts (fs.mount-max) of long names */

const char *const seen_ns_links[POL_NS_MAX] = {
	[POL_NS_USER] = "user",	    [POL_NS_PID] = "pid",   [POL_NS_NET] = "net",
	[POL_NS_MNT] = "mnt",	    [POL_NS_IPC] = "ipc",   [POL_NS_UTS] = "uts",
	[POL_NS_CGROUP] = "cgroup", [POL_NS_TIME] = "time",
};

/* Where the texts are: a directory of /proc, or what somebody else has read there. */
struct src {
	int dir;
	const struct kvs *texts;
};

static char *told(const struct kvs *l, const char *name, struct arena *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].key, name))
			return l->v[i].val ? arena_strdup(a, l->v[i].val) : NULL;
	return NULL;
}

/* NULL: it cannot be read. */
static char *text_of(const struct src *s, const char *file, size_t max, struct arena *a)
{
	struct bytes b;

	if (s->texts)
		return told(s->texts, file, a);
	return io_read_at(s->dir, file, 0, max, a, &b) < 0 ? NULL : (char *) b.v;
}

static char *line_of(const struct src *src, const char *file, struct arena *a)
{
	char *s = text_of(src, file, TEXT_MAX, a);

	if (s)
		s[strcspn(s, "\n")] = 0;
	return s;
}

static char *link_of(const struct src *s, const char *name, struct arena *a)
{
	char text[PATH_MAX];
	ssize_t n;

	if (s->texts)
		return told(s->texts, name, a);
	n = readlinkat(s->dir, name, text, sizeof(text));
	return n <= 0 || n == (ssize_t) sizeof(text) ? NULL : arena_strndup(a, text, (size_t) n);
}

static void look_namespaces(const struct src *src, struct arena *a, struct seen_proc *s)
{
	fd_auto int user = src->texts
				   ? -EBADF
				   : openat(src->dir, "ns/user", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	fd_auto int parent = user < 0 ? -EBADF : ioctl(user, NS_GET_PARENT);
	struct stat st;

	for (size_t i = 1; i < POL_NS_MAX; i++) {
		char *text = link_of(src, arena_printf(a, "ns/%s", seen_ns_links[i]), a);

		s->ns[i] = text ? seen_parse_ns(text) : 0;
	}
	if (parent >= 0 && fstat(parent, &st) == 0)
		s->userns_parent = st.st_ino;
}

static void look_maps(const struct src *src, struct arena *a, struct seen_proc *s)
{
	char *u = text_of(src, "uid_map", TEXT_MAX, a), *g = text_of(src, "gid_map", TEXT_MAX, a);

	s->has_maps = u && g && seen_parse_idmap(u, a, &s->uid_map) &&
		      seen_parse_idmap(g, a, &s->gid_map);
}

static void look_numbers(const struct src *src, struct arena *a, struct seen_proc *s)
{
	char *text = text_of(src, "limits", TEXT_MAX, a), *oom = line_of(src, "oom_score_adj", a);

	if (text)
		seen_parse_limits(text, s->limits);
	s->oom_score_adj.set = oom && num_parse_i64(oom, -1000, 1000, &s->oom_score_adj.v) == 0;
	text = text_of(src, "cgroup", TEXT_MAX, a);
	s->has_cgroups = text != NULL;
	if (text)
		seen_parse_cgroups(text, a, &s->cgroups);
}

static void look_mounts(const struct src *src, struct arena *a, struct seen_proc *s)
{
	const char *text = text_of(src, "mountinfo", MOUNTINFO_MAX, a);

	s->has_mnt = text != NULL;
	if (s->has_mnt)
		s->n_mnt = mountinfo_parse(text, strlen(text), a, &s->mnt);
}

static bool has_ended(const struct seen_status *s)
{
	return !s->set || s->state == 'Z' || s->state == 'X';
}

static int fill(const struct src *src, unsigned what, struct arena *a, struct seen_proc *s,
		struct err *e)
{
	char *text;

	s->comm = line_of(src, "comm", a);
	s->exe = link_of(src, "exe", a);
	look_namespaces(src, a, s);
	look_maps(src, a, s);
	look_numbers(src, a, s);
	s->apparmor = line_of(src, "attr/apparmor/current", a);
	s->label = line_of(src, "attr/current", a);
	if (what & SEEN_MOUNTS)
		look_mounts(src, a, s);
	/* last: it is still there */
	text = text_of(src, "status", TEXT_MAX, a);
	if (text)
		seen_parse_status(text, a, &s->st);
	return has_ended(&s->st) ? err_set(e, -ESRCH, "process %d has ended", (int) s->pid) : 0;
}

int seen_told(const struct kvs *texts, pid_t pid, struct arena *a, struct seen_proc *ret,
	      struct err *e)
{
	struct seen_proc s = {.pid = pid};
	int r = fill(&(struct src){.dir = -EBADF, .texts = texts}, SEEN_MOUNTS, a, &s, e);

	if (r == 0)
		*ret = s;
	return r;
}

int seen_look(int procfd, pid_t pid, uint64_t start, unsigned what, struct arena *a,
	      struct seen_proc *ret, struct err *e)
{
	char name[24];
	struct seen_proc s = {.pid = pid};
	struct proc_stat stat;
	int r;

	snprintf(name, sizeof(name), "%d", (int) pid);
	fd_auto int dir = openat(procfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? err_set(e, -ESRCH, "there is no process %d", (int) pid)
				       : err_sys(e, "opening /proc/%d", (int) pid);
	r = proc_read_stat(procfd, pid, &stat);
	if (r < 0 || (start && stat.start != start))
		return err_set(e, -ESRCH, "process %d has ended", (int) pid);
	s.start = stat.start;
	r = fill(&(struct src){.dir = dir}, what, a, &s, e);
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}

uint64_t seen_ns_file(const char *path, uint64_t not_after)
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *rest = str_prefix(path, "/proc/");
	struct proc_stat ps;
	struct stat st;
	uint64_t pid;
	char number[16] = "";
	size_t n = rest ? strspn(rest, "0123456789") : 0;

	if (fd < 0 || ioctl(fd, NS_GET_NSTYPE) < 0 || fstat(fd, &st) < 0)
		return 0;
	if (n && n < sizeof(number) && rest[n] == '/') {
		memcpy(number, rest, n);
		if (num_parse_u64(number, INT32_MAX, &pid) < 0 ||
		    proc_read_stat(AT_FDCWD, (pid_t) pid, &ps) < 0 || ps.start > not_after)
			return 0;
	}
	return st.st_ino;
}

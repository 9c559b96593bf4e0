/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory on disk. One directory per container is also its lock: mkdir() decides who creates,
 * flock() on the open directory keeps commands on one container apart; there is no lock over the root, so
 * parallel starts of different containers never wait for each other.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "state/state.h"

#define RECORD_MAX (16u << 20)

void state_close(struct state *s)
{
	s->root_fd = fd_close(s->root_fd);
	s->dir_fd = fd_close(s->dir_fd);
	s->pidfd = fd_close(s->pidfd);
}

char *state_root_default(bool rootless, struct arena *a)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	if (!rootless)
		return arena_strdup(a, "/run/kavach");
	if (!str_empty(xdg))
		return arena_printf(a, "%s/kavach", xdg);
	return arena_printf(a, "/tmp/kavach-%u", (unsigned) sys_euid());
}

static int mkdir_all(const char *path, struct arena *a)
{
	char *p = arena_strdup(a, path);

	for (char *c = p + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = 0;
		if (mkdir(p, 0755) < 0 && errno != EEXIST)
			return -errno;
		*c = '/';
	}
	/* sticky: cleaners of temporary directories leave such a directory alone */
	if (mkdir(p, 0700) == 0)
		return chmod(p, 01700) < 0 ? -errno : 0;
	return errno == EEXIST ? 0 : -errno;
}

/* A record names the process that we signal, the directories that we remove and the hooks that we run. */
static int check_owner(int fd, struct stat *st, const char *path, struct err *e)
{
	if (fstat(fd, st) < 0)
		return err_sys(e, "state directory %s", path);
	if (st->st_uid != sys_euid() && st->st_uid != 0)
		return err_set(e, -EPERM, "state directory %s belongs to uid %u: expected uid %u",
			       path, (unsigned) st->st_uid, (unsigned) sys_euid());
	return 0;
}

int state_open_root(const char *root, bool make, struct err *e)
{
	arena_auto a = {0};
	struct stat st;
	int fd, r;

	if (str_eq(path_clean(&a, root), "/"))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--root: \"/\" cannot be the state directory");
	fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make) {
		r = mkdir_all(root, &a);
		if (r < 0)
			return err_neg(e, r, "creating state directory %s", root);
		fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(e, "state directory %s", root);
	r = check_owner(fd, &st, root, e);
	if (r == 0 && (st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		r = err_set(e, -EPERM, "state directory %s: everybody may write to it", root);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int no_container(struct err *e, const char *id)
{
	return err_set_id(e, ERR_NO_CONTAINER, -ENOENT, "container \"%s\" does not exist", id);
}

static int already_exists(struct err *e, const char *id)
{
	return err_set_id(e, ERR_EXISTS, -EEXIST, "container with given ID already exists: %s", id);
}

/* Opens <root>/<id>, which must be ours: in a root with the sticky bit everybody may make directories. */
static int open_dir(struct state *s, const char *root, const char *id, struct err *e)
{
	struct stat st;
	int r;

	s->dir_fd = openat(s->root_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->dir_fd < 0)
		return errno == ENOENT ? no_container(e, id)
				       : err_sys(e, "opening %s/%s", root, id);
	r = check_owner(s->dir_fd, &st, id, e);
	if (r == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)))
		r = err_set(e, -EPERM, "state directory %s/%s: others may write to it", root, id);
	return r;
}

/* A directory that was removed while we waited for its lock. */
static bool is_gone(const struct state *s)
{
	struct stat st;

	return fstat(s->dir_fd, &st) == 0 && st.st_nlink == 0;
}

/*
 * Between mkdir() and flock() a `delete --force` may have removed our directory, and another create may have made the
 * one that we have opened. So who has the lock of a directory without a record may make the container.
 */
static int claim(struct state *s, const char *root, const char *id, struct err *e)
{
	int r = open_dir(s, root, id, e);

	if (r == 0 && flock(s->dir_fd, LOCK_EX) < 0)
		r = err_sys(e, "locking container %s", id);
	if (e->id == ERR_NO_CONTAINER || (r == 0 && is_gone(s)))
		return err_set(e, -ENOENT, "container %s was deleted while it was being created",
			       id);
	if (r < 0) {
		(void) unlinkat(s->root_fd, id,
				AT_REMOVEDIR); /* fails if it is somebody else's by now */
		return r;
	}
	if (faccessat(s->dir_fd, "record", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return already_exists(e, id);
	return 0;
}

int state_new(const char *root, const char *id, struct arena *a, struct state *ret, struct err *e)
{
	state_auto s = STATE_INIT;
	int r;

	r = state_check_id(id, e);
	if (r < 0)
		return r;
	s.root_fd = state_open_root(root, true, e);
	if (s.root_fd < 0)
		return s.root_fd;
	if (mkdirat(s.root_fd, id, 0700) < 0)
		return errno == EEXIST ? already_exists(e, id)
				       : err_sys(e, "creating %s/%s", root, id);
	r = claim(&s, root, id, e);
	if (r < 0)
		return r;
	s.rec = arena_new(a, struct state_record);
	s.rec->id = arena_strdup(a, id);
	s.a = a;
	s.fresh = true;
	*ret = s;
	s = STATE_INIT;
	return 0;
}

static int record_read(struct state *s, struct err *e)
{
	struct bytes raw;
	int r;

	r = io_read_at(s->dir_fd, "record", O_NOFOLLOW, RECORD_MAX, s->a, &raw);
	if (r == 0 && raw.n == 0)
		r = -ENOENT; /* a create that was killed, or is just about to write */
	if (r < 0)
		return err_neg(e, r, "reading the state record");
	return state_record_decode(raw.v, raw.n, s->a, s->rec, e);
}

/*
 * The process is only ours if it has the start time that we noted: a pid can be another program's by now.
 * The pidfd is opened before the look at the start time, so it cannot change in between. Whether it has ended is
 * asked of the pidfd: /proc also shows the state Z for a process whose first thread alone has ended, and that one
 * would never be signalled again.
 */
static int process_find(struct state *s, struct err *e)
{
	struct pollfd ended = {.events = POLLIN};
	fd_auto int fd = -EBADF;
	struct proc_stat st;
	int r;

	if (s->rec->pid <= 0)
		return 0;
	fd = sys_pidfd_open((pid_t) s->rec->pid, 0);
	/* No such process; or a thread of somebody else's has the number by now. */
	if (fd == -ESRCH || fd == -EINVAL || fd == -ENOENT)
		return 0;
	/* That it cannot be looked at does not mean that it has ended: it would be deleted while it runs. */
	if (fd < 0)
		return err_neg(e, fd, "container %s: looking at its process", s->rec->id);
	r = proc_read_stat(AT_FDCWD, (pid_t) s->rec->pid, &st);
	if (r == -ESRCH || r == -ENOENT)
		return 0;
	if (r < 0)
		return err_neg(e, r, "container %s: looking at its process", s->rec->id);
	if (st.start != s->rec->pid_start)
		return 0;
	ended.fd = fd;
	if ((st.state == 'Z' || st.state == 'X') && poll(&ended, 1, 0) != 0)
		return 0;
	s->pidfd = fd_take(&fd);
	return 0;
}

static int take_lock(struct state *s, const char *id, enum state_lock lock, struct err *e)
{
	if (lock == STATE_NO_LOCK ||
	    flock(s->dir_fd, LOCK_EX | (lock == STATE_TRY_LOCK ? LOCK_NB : 0)) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, -EWOULDBLOCK, "container %s: another command is working on it",
			       id);
	return err_sys(e, "locking container %s", id);
}

/* What there is to know without a readable record. */
static int without_record(struct state *s, const char *id, bool force, int why,
			  const struct err *sub, struct err *e)
{
	if (is_gone(s))
		return no_container(e, id);
	if (why != -ENOENT && !force) {
		*e = *sub;
		return err_context(e, "container %s", id);
	}
	if (!force)
		return err_set_id(
			e, ERR_NO_CONTAINER, -ENOENT,
			"container \"%s\" does not exist: a command that was killed has left its state "
			"directory; use delete --force",
			id);
	s->damaged = why != -ENOENT;
	return 0;
}

int state_load(const char *root, const char *id, enum state_lock lock, bool force, struct arena *a,
	       struct state *ret, struct err *e)
{
	state_auto s = STATE_INIT;
	struct err sub = ERR_INIT;
	int r;

	r = state_check_id(id, e);
	if (r < 0)
		return r;
	s.root_fd = state_open_root(root, false, &sub);
	if (s.root_fd == -ENOENT)
		return no_container(e, id);
	if (s.root_fd < 0) {
		*e = sub;
		return s.root_fd;
	}
	r = open_dir(&s, root, id, e);
	if (r == 0)
		r = take_lock(&s, id, lock, e);
	if (r < 0)
		return r;
	s.a = a;
	s.rec = arena_new(a, struct state_record);
	r = record_read(&s, &sub);
	if (r < 0) {
		r = without_record(&s, id, force, r, &sub, e);
		if (r < 0)
			return r;
		*s.rec = (struct state_record){0};
	}
	s.rec->id = arena_strdup(a, id);
	r = process_find(&s, e);
	if (r < 0)
		return r;
	*ret = s;
	s = STATE_INIT;
	return 0;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 00:19:2531 0 EOF": pid, device in hexadecimal, inode. */
pid_t state_lock_owner(const struct state *s)
{
	unsigned maj, min;
	char line[256];
	unsigned long ino;
	struct stat st;
	int pid, owner = 0;
	FILE *f;

	if (fstat(s->dir_fd, &st) < 0)
		return 0;
	f = fopen("/proc/locks", "re");
	while (f && !owner && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: FLOCK ADVISORY WRITE %d %x:%x:%lu", &pid, &maj, &min,
			   &ino) == 4 &&
		    pid > 0 && makedev(maj, min) == st.st_dev && ino == st.st_ino)
			owner = pid;
	if (f)
		fclose(f);
	return owner;
}

void state_unlock(struct state *s)
{
	(void) flock(s->dir_fd, LOCK_UN);
}

int state_relock(struct state *s, struct err *e)
{
	int r = take_lock(s, s->rec->id, STATE_LOCK, e);

	return r == 0 && is_gone(s) ? no_container(e, s->rec->id) : r;
}

static int write_failed(const struct state *s, const char *name, int r, struct err *e)
{
	return err_neg(e, r, "writing %s of container %s", name, s->rec->id);
}

int state_save(struct state *s, struct err *e)
{
	buf_auto b = BUF_WRITER(RECORD_MAX);
	int r;

	state_record_encode(&b, s->rec);
	if (b.bad)
		return err_set(e, -EFBIG, "container %s: the state record is too large",
			       s->rec->id);
	/* An empty first record is as good as none, which is what there was a moment ago. */
	r = s->fresh ? io_create_at(s->dir_fd, "record", 0600, b.p, b.n)
		     : io_replace_at(s->dir_fd, "record", 0600, b.p, b.n);
	s->fresh = false;
	return r < 0 ? write_failed(s, "record", r, e) : 0;
}

int state_add_file(struct state *s, const char *name, const void *p, size_t n, struct err *e)
{
	int r = io_create_at(s->dir_fd, name, 0600, p, n);

	return r < 0 ? write_failed(s, name, r, e) : 0;
}

enum status state_status(const struct state *s)
{
	struct stat st;

	if (s->rec->pid <= 0)
		return ST_CREATING;
	if (s->pidfd < 0)
		return ST_STOPPED;
	if (cgroup_frozen(&s->rec->cg) == 1)
		return ST_PAUSED;
	if (fstatat(s->dir_fd, "start.sock", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return ST_CREATED;
	return ST_RUNNING;
}

/* Whatever is in a directory, and what is in folders there: nothing of ours is deeper. */
static int empty_dir(int at, const char *name, bool below)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	while (r == 0 && (d = readdir(dir))) {
		if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
			continue;
		if (unlinkat(fd, d->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR || !below)
			r = -errno;
		else
			r = empty_dir(fd, d->d_name, false);
		if (r == 0 && unlinkat(fd, d->d_name, AT_REMOVEDIR) < 0)
			r = -errno;
	}
	closedir(dir);
	return r;
}

/* A container that has run has these two files and mostly no others. What is left without a record by a kill in between
 * is cleaned by delete --force. */
int state_remove(struct state *s, struct err *e)
{
	static const char *const names[] = {"policy", "record"};
	int r;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (unlinkat(s->dir_fd, names[i], 0) < 0 && errno != ENOENT)
			return err_sys(e, "removing %s of container %s", names[i], s->rec->id);
	if (unlinkat(s->root_fd, s->rec->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST) {
		r = empty_dir(s->dir_fd, ".", true);
		if (r < 0)
			return err_neg(e, r, "emptying the state directory of container %s",
				       s->rec->id);
		if (unlinkat(s->root_fd, s->rec->id, AT_REMOVEDIR) == 0)
			return 0;
	}
	return err_sys(e, "removing the state directory of %s", s->rec->id);
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(char *const *) x, *(char *const *) y);
}

int state_ids(const char *root, struct arena *a, struct strs *ret, struct err *e)
{
	struct strs l = {.set = true};
	struct err sub = ERR_INIT;
	size_t cap = 0;
	struct dirent *d;
	DIR *dir;

	dir = opendir(root);
	if (!dir) {
		if (errno != ENOENT)
			return err_sys(e, "state directory %s", root);
		*ret = l;
		return 0;
	}
	while ((d = readdir(dir))) {
		/* names that are no ids (".cache") are not containers */
		if (state_check_id(d->d_name, &sub) < 0) {
			err_clear(&sub);
			continue;
		}
		l.v = arena_room(a, l.v, l.n, &cap, sizeof(*l.v));
		l.v[l.n++] = arena_strdup(a, d->d_name);
	}
	closedir(dir);
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_name);
	*ret = l;
	return 0;
}

char *state_created_rfc3339(const struct state_record *r, struct arena *a)
{
	time_t t = (time_t) (r->created / 1000000000u);
	struct tm tm;

	gmtime_r(&t, &tm);
	return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ", tm.tm_year + 1900,
			    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			    (unsigned) (r->created % 1000000000u));
}

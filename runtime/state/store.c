/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory on disk. One directory per container is also its lock: mkdir() decides who creates,
 * flock() on the open directory keeps commands on one container apart; there is no lock over the root, so
 * parallel starts of different containers never wait for each other.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "policy/codec.h"
#include "state/state.h"

#define RECORD_MAX (16u << 20)
#define RECORD_MAGIC "KVCHST1\n"
#define MAGIC_LEN 8

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
	return arena_printf(a, "/tmp/kavach-%u", (unsigned) geteuid());
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

int state_open_root(const char *root, bool make, struct err *e)
{
	arena_auto a = {0};
	struct stat st;
	int fd, r;

	if (str_eq(path_clean(&a, root), "/"))
		return err_set_id(e, ERR_USAGE, -EINVAL, "--root: \"/\" cannot be the state directory");
	fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make) {
		r = mkdir_all(root, &a);
		if (r < 0)
			return err_neg(e, r, "creating state directory %s", root);
		fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(e, "state directory %s", root);
	/* who can rename entries here controls which processes we signal as root */
	if (fstat(fd, &st) == 0 && (st.st_uid != geteuid() && st.st_uid != 0)) {
		close(fd);
		return err_set(e, -EPERM, "state directory %s belongs to uid %u: expected uid %u", root,
			       (unsigned) st.st_uid, (unsigned) geteuid());
	}
	return fd;
}

static int no_container(struct err *e, const char *id)
{
	return err_set_id(e, ERR_NO_CONTAINER, -ENOENT, "container \"%s\" does not exist", id);
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
	if (mkdirat(s.root_fd, id, 0700) < 0) {
		if (errno == EEXIST)
			return err_set_id(e, ERR_EXISTS, -EEXIST, "container with given ID already exists: %s",
					  id);
		return err_sys(e, "creating %s/%s", root, id);
	}
	s.dir_fd = openat(s.root_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s.dir_fd < 0 || flock(s.dir_fd, LOCK_EX) < 0) {
		r = err_sys(e, "opening %s/%s", root, id);
		unlinkat(s.root_fd, id, AT_REMOVEDIR);
		return r;
	}
	s.rec = arena_new(a, struct state_record);
	s.rec->id = arena_strdup(a, id);
	s.a = a;
	*ret = s;
	s = STATE_INIT;
	return 0;
}

static int record_read(struct state *s, struct err *e)
{
	struct bytes raw;
	struct buf b;
	int r;

	r = io_read_at(s->dir_fd, "record", O_NOFOLLOW, RECORD_MAX, s->a, &raw);
	if (r < 0)
		return err_neg(e, r, "reading the state record");
	if (raw.n < MAGIC_LEN || memcmp(raw.v, RECORD_MAGIC, MAGIC_LEN) != 0)
		return err_set(e, -EINVAL, "the state record was not written by this version of kavach");
	b = BUF_READER(raw.v + MAGIC_LEN, raw.n - MAGIC_LEN);
	codec_decode(&b, &state_table, s->rec, s->a);
	if (b.bad || buf_left(&b))
		return err_set(e, -EINVAL, "the state record is damaged");
	return 0;
}

/*
 * The process is only ours if it has the start time that we noted: a pid can be another program's by now.
 * The pidfd is opened before the look at the start time, so it cannot change in between.
 */
static void process_find(struct state *s)
{
	uint64_t start;
	char st;
	int fd;

	if (s->rec->pid <= 0)
		return;
	fd = sys_pidfd_open((pid_t) s->rec->pid, 0);
	if (fd < 0)
		return;
	if (proc_start_time(AT_FDCWD, (pid_t) s->rec->pid, &start, &st) < 0 || start != s->rec->pid_start ||
	    st == 'Z' || st == 'X')
		fd = fd_close(fd);
	s->pidfd = fd < 0 ? -EBADF : fd;
}

int state_load(const char *root, const char *id, bool lock, bool force, struct arena *a, struct state *ret,
	       struct err *e)
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
	s.dir_fd = openat(s.root_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s.dir_fd < 0) {
		if (errno == ENOENT)
			return no_container(e, id);
		return err_sys(e, "opening %s/%s", root, id);
	}
	if (lock && flock(s.dir_fd, LOCK_EX) < 0)
		return err_sys(e, "locking container %s", id);
	s.a = a;
	s.rec = arena_new(a, struct state_record);
	r = record_read(&s, &sub);
	if (r < 0) {
		struct stat st;

		/* deleted by somebody else while we waited for the lock */
		if (fstat(s.dir_fd, &st) == 0 && st.st_nlink == 0)
			return no_container(e, id);
		if (!force) {
			*e = sub;
			return err_context(e, "container %s", id);
		}
		*s.rec = (struct state_record){0};
	}
	s.rec->id = arena_strdup(a, id);
	process_find(&s);
	*ret = s;
	s = STATE_INIT;
	return 0;
}

int state_save(struct state *s, struct err *e)
{
	buf_auto b = BUF_WRITER(RECORD_MAX);

	buf_put(&b, RECORD_MAGIC, MAGIC_LEN);
	codec_encode(&b, &state_table, s->rec);
	if (b.bad)
		return err_set(e, -EFBIG, "container %s: the state record is too large", s->rec->id);
	return state_save_file(s, "record", b.p, b.n, e);
}

int state_save_file(struct state *s, const char *name, const void *p, size_t n, struct err *e)
{
	int r = io_replace_at(s->dir_fd, name, 0600, p, n);

	return r < 0 ? err_neg(e, r, "writing %s of container %s", name, s->rec->id) : 0;
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

int state_remove(struct state *s, struct err *e)
{
	arena_auto a = {0};
	struct dirent *d;
	DIR *dir;
	int fd;

	fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		fd_close(fd);
		return err_sys(e, "reading the state directory of %s", s->rec->id);
	}
	(void) unlinkat(s->dir_fd, "notify/notify.sock", 0);
	if (unlinkat(s->dir_fd, "notify", AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTDIR) {
		closedir(dir);
		return err_sys(e, "removing the notify directory of container %s", s->rec->id);
	}
	/* the record goes last: until then a second delete --force knows what to clean */
	while ((d = readdir(dir)))
		if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, "..") && !str_eq(d->d_name, "record") &&
		    unlinkat(s->dir_fd, d->d_name, 0) < 0 && errno != ENOENT) {
			closedir(dir);
			return err_sys(e, "removing %s of container %s", d->d_name, s->rec->id);
		}
	closedir(dir);
	if (unlinkat(s->dir_fd, "record", 0) < 0 && errno != ENOENT)
		return err_sys(e, "removing the record of container %s", s->rec->id);
	if (unlinkat(s->root_fd, s->rec->id, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "removing the state directory of %s", s->rec->id);
	return 0;
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
		if (l.n == cap) {
			char **v = arena_array(a, cap = cap ? cap * 2 : 64, sizeof(*v));

			if (l.n)
				memcpy(v, l.v, l.n * sizeof(*v));
			l.v = v;
		}
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
	return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ", tm.tm_year + 1900, tm.tm_mon + 1,
			    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned) (r->created % 1000000000u));
}

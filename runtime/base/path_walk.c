/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path resolution inside a root directory without openat2().
 *
 * Theory of operation: every component is opened by its name alone, relative to the directory before
 * it, with O_PATH|O_NOFOLLOW, and then looked at through that descriptor: nothing can be exchanged
 * between the look and the next step. Symlinks are followed here by putting their text in front of the
 * rest of the path; an absolute one starts again at the root. ".." never reaches the kernel: it goes
 * back to the descriptor of the directory that we came from, so that no rename can make it lead
 * outside, and at the root it stays there.
 *
 * Stricter than the kernel: at most STACK_MAX directories deep, and each holds a descriptor meanwhile.
 */
#include "base/path_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

#define STACK_MAX 128
#define LINKS_MAX 40 /* as the kernel's MAXSYMLINKS */
#define REST_MAX (2 * PATH_MAX)
#define RACES_MAX 64 /* how often one name may change under us */

struct walk {
	int stack[STACK_MAX]; /* [0] is the caller's root; the others are ours */
	unsigned depth;	      /* of the current directory */
	unsigned links, races;
	unsigned flags;
	int oflags;
	mode_t mode;
	enum path_make make;
	uint64_t mount_id;	 /* of root, for PATH_NO_XDEV */
	char rest[REST_MAX];	 /* what is still to be walked */
	char name[NAME_MAX + 1]; /* the present component */
	bool last;		 /* nothing after it, not even a slash */
	bool want_dir;		 /* only slashes after it */
};

static int here(const struct walk *w)
{
	return w->stack[w->depth];
}

static void go_to(struct walk *w, unsigned depth)
{
	while (w->depth > depth)
		fd_close(w->stack[w->depth--]);
}

static int mount_id_of(int fd, uint64_t *ret)
{
	char path[40], text[1024], *p;
	ssize_t n;

	/* statx() tells it only since 5.8, when openat2() was there already. */
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	n = io_read_small(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return (int) n;
	p = strstr(text, "mnt_id:");
	if (!p)
		return -EBADMSG;
	p += strlen("mnt_id:");
	p += strspn(p, "\t ");
	p[strcspn(p, "\n")] = '\0';
	return num_parse_u64(p, UINT64_MAX, ret);
}

/* PATH_NO_XDEV: not knowing the mount counts as crossing. */
static int check_mount(const struct walk *w, int fd)
{
	uint64_t id;

	if (!(w->flags & PATH_NO_XDEV))
		return 0;
	return mount_id_of(fd, &id) == 0 && id == w->mount_id ? 0 : -EXDEV;
}

/* Takes the next component off the rest. Returns 1, 0 when there is none left, or -errno. */
static int next_name(struct walk *w)
{
	char *p = w->rest + strspn(w->rest, "/"), *after;
	size_t n = strcspn(p, "/");

	if (n == 0)
		return 0;
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(w->name, p, n);
	w->name[n] = '\0';
	w->last = p[n] == '\0';
	after = p + n + strspn(p + n, "/");
	w->want_dir = !w->last && !*after;
	memmove(w->rest, after, strlen(after) + 1);
	return 1;
}

/*
 * The links of procfs that jump to an object without a path (fd, exe, cwd, root, ns) read as an
 * absolute path or "type:[number]"; its ordinary ones (self, thread-self, mounts, net) are relative.
 */
static bool is_magic_link(int fd, const char *text)
{
	return fd_is_fs(fd, PROC_SUPER_MAGIC) && (text[0] == '/' || strchr(text, ':'));
}

/* Puts the text of the symlink fd in front of the rest. */
static int follow_link(struct walk *w, int fd)
{
	char text[PATH_MAX];
	size_t n, rest = strlen(w->rest);
	ssize_t r;

	if (w->flags & PATH_NO_SYMLINKS || w->links++ >= LINKS_MAX)
		return -ELOOP;
	r = readlinkat(fd, "", text, sizeof(text));
	if (r < 0)
		return -errno;
	n = (size_t) r;
	if (n == 0)
		return -ENOENT;
	if (n >= sizeof(text))
		return -ENAMETOOLONG;
	text[n] = '\0';
	if (is_magic_link(fd, text))
		return -ELOOP;
	if (text[0] == '/') {
		if (w->flags & PATH_BENEATH)
			return -EXDEV;
		go_to(w, 0);
	}
	/* "link/": the slash asks that the target be a directory, wherever it ends. */
	if (n + 1 + rest + 1 > sizeof(w->rest))
		return -ENAMETOOLONG;
	if (rest || w->want_dir) {
		memmove(w->rest + n + 1, w->rest, rest + 1);
		w->rest[n] = '/';
	} else {
		w->rest[n] = '\0';
	}
	memcpy(w->rest, text, n);
	return 0;
}

static int enter(struct walk *w, int *fd)
{
	if (w->depth + 1 >= STACK_MAX)
		return -ENAMETOOLONG;
	w->stack[++w->depth] = fd_take(fd);
	return 0;
}

static int go_up(struct walk *w)
{
	if (w->depth == 0)
		return w->flags & PATH_BENEATH ? -EXDEV : 0;
	go_to(w, w->depth - 1);
	return 0;
}

/* Makes the missing component, if that is asked for. A name that appears meanwhile is as good. */
static int make_name(struct walk *w)
{
	bool end = w->last || w->want_dir;
	int r;

	if (w->make == PATH_MAKE_NOTHING || (end && w->make == PATH_MAKE_PARENTS))
		return -ENOENT;
	if (end && w->make == PATH_MAKE_FILE && w->want_dir)
		return -EISDIR;
	if (end && w->make == PATH_MAKE_FILE)
		r = mknodat(here(w), w->name, S_IFREG | w->mode, 0);
	else
		r = mkdirat(here(w), w->name, end ? w->mode : 0755);
	return r < 0 && errno != EEXIST ? -errno : 0;
}

/* Opens the present component as it is, makes it if asked to. */
static int open_name(struct walk *w)
{
	for (unsigned i = 0; i < RACES_MAX; i++) {
		int fd = openat(here(w), w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		int r;

		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			return -errno;
		r = make_name(w);
		if (r < 0)
			return r;
	}
	return -EAGAIN; /* somebody removes it each time */
}

/* The descriptor that the caller asked for. O_NOFOLLOW: what became a symlink meanwhile is -ELOOP. */
static int open_final(struct walk *w, const char *name)
{
	fd_auto int fd = -EBADF;
	int r;

	do
		fd = openat(here(w), name, w->oflags | O_NOFOLLOW | O_CLOEXEC, w->mode);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	r = check_mount(w, fd);
	return r < 0 ? r : fd_take(&fd);
}

static int open_here(struct walk *w)
{
	if (w->oflags & O_CREAT)
		return w->oflags & O_EXCL ? -EEXIST : -EISDIR;
	return open_final(w, ".");
}

/* The last component, which is no symlink to follow (fd, st), or is to be made by O_CREAT (fd < 0).
 * Returns as step(). */
static int step_last(struct walk *w, int *fd, const struct stat *st, int *ret_fd)
{
	int r;

	if (*fd >= 0 && w->oflags & O_PATH) {
		if (w->oflags & O_DIRECTORY && !S_ISDIR(st->st_mode))
			return -ENOTDIR;
		*ret_fd = fd_take(fd);
		return 1;
	}
	r = open_final(w, w->name);
	/* It was no symlink when we looked and is one now: look again. */
	if (r == -ELOOP && !(w->oflags & O_NOFOLLOW) && w->races++ < RACES_MAX) {
		strcpy(w->rest, w->name);
		return 0;
	}
	if (r < 0)
		return r;
	*ret_fd = r;
	return 1;
}

/* One named component. Returns 0 when the walk goes on, 1 when *ret_fd is the answer, or -errno. */
static int step(struct walk *w, int *ret_fd)
{
	bool create = w->oflags & O_CREAT;
	fd_auto int fd = -EBADF;
	struct stat st = {0};
	int r;

	if (create && w->want_dir)
		return -EISDIR;
	/* O_EXCL neither follows nor opens what is there, so there is nothing to look at. */
	if (create && w->last && w->oflags & O_EXCL)
		return step_last(w, &fd, &st, ret_fd);
	fd = open_name(w);
	if (fd == -ENOENT && create && w->last)
		return step_last(w, &fd, &st, ret_fd);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	r = check_mount(w, fd);
	if (r < 0)
		return r;
	if (S_ISLNK(st.st_mode) && !(w->last && w->oflags & O_NOFOLLOW))
		return follow_link(w, fd);
	if (w->last)
		return step_last(w, &fd, &st, ret_fd);
	return S_ISDIR(st.st_mode) ? enter(w, &fd) : -ENOTDIR;
}

static int walk_all(struct walk *w)
{
	int r, fd = -EBADF;

	for (;;) {
		r = next_name(w);
		if (r < 0)
			return r;
		if (r == 0)
			return open_here(w);
		if (str_eq(w->name, "."))
			r = 0;
		else if (str_eq(w->name, ".."))
			r = go_up(w);
		else
			r = step(w, &fd);
		if (r != 0)
			return r < 0 ? r : fd;
	}
}

int path_walk(int root, const char *path, int oflags, mode_t mode, unsigned flags,
	      enum path_make make)
{
	struct walk w = {
		.stack = {root},
		.flags = flags,
		.oflags = oflags | (flags & PATH_NOFOLLOW ? O_NOFOLLOW : 0),
		.mode = mode,
		.make = make,
	};
	size_t n = strlen(path);
	int r = 0;

	if (n == 0)
		return -ENOENT;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (path[0] == '/' && flags & PATH_BENEATH)
		return -EXDEV;
	memcpy(w.rest, path, n + 1);
	if (flags & PATH_NO_XDEV) {
		/* root may be AT_FDCWD, which has no fdinfo */
		fd_auto int fd = openat(root, ".", O_PATH | O_CLOEXEC);

		r = fd < 0 || mount_id_of(fd, &w.mount_id) < 0 ? -EXDEV : 0;
	}
	if (r == 0)
		r = walk_all(&w);
	go_to(&w, 0);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of the container: from a directory of the host to "/".
 *
 * Theory of operation: our mount namespace starts as a copy of the host's. First the copies stop
 * telling the host what we do (slave; nothing is mounted before that, R-15). Then a private copy of
 * the rootfs tree is put onto the rootfs directory; its fd is the root that everything below is
 * resolved from. When all is assembled, pivot_root(".", ".") swaps it with "/", and the host's
 * tree, now stacked on top, goes.
 */
#include "exec/mount.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

/* What the host's mounts get in our namespace. Unbindable would forbid the bind mounts themselves;
 * it is for the finished root (rootfs_seal). */
static uint64_t host_propagation(const struct policy *p)
{
	switch (p->rootfs_propagation & MNT_PROPAGATION) {
	case MS_SHARED: return MS_SHARED;
	case MS_PRIVATE:
	case MS_UNBINDABLE: return MS_PRIVATE;
	default: return MS_SLAVE;
	}
}

static void make_state(struct stage *s)
{
	struct stage_fs *fs = arena_new(s->a, struct stage_fs);
	size_t n = s->p->mounts.n;

	fs->propagation = host_propagation(s->p);
	fs->null_tree = fs->idmap_ns = fs->parent_fd = -EBADF;
	fs->trees = arena_array(s->a, n, sizeof(*fs->trees));
	for (size_t i = 0; i < n; i++)
		fs->trees[i] = -EBADF;
	fs->late = arena_array(s->a, n, sizeof(*fs->late));
	s->fs = fs;
}

/* ENOSYS: an old kernel. EPERM: a filter (then mount(2) works), or a missing privilege (then it
 * says so, too). */
static bool is_missing(int r)
{
	return r == -ENOSYS || r == -EPERM;
}

/* Takes the host's mounts out of the host's peer groups. With a shared root the user wants
 * container mounts on some volumes to reach the host: copies of those are taken before. */
static int leave_peers(struct stage *s, struct err *e)
{
	struct mount_attr nothing = {0}, a = {.propagation = s->fs->propagation};
	int r;

	if (a.propagation == MS_SHARED) {
		r = sys_mount_setattr(AT_FDCWD, "/", 0, &nothing);
		if (is_missing(r))
			return r;
		r = mounts_open_sources(s, e);
		if (r < 0)
			return r;
		a.propagation = MS_SLAVE;
	}
	return sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &a);
}

/* The parent opens the tree where we could not: a rootfs below a directory that the container's
 * user must not pass. Then its path is of no use to us either, and the tree is stacked onto "/":
 * look-ups that start at our root still see the host's, because they start below it. */
static int attach_root(struct stage *s, int tree, int dir, struct err *e)
{
	int r;

	if (dir >= 0)
		r = mnt_attach(tree, dir);
	else
		r = sys_move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? err_neg(e, r, "root.path: attach %s", s->p->rootfs) : 0;
}

static int new_root(struct stage *s, struct err *e)
{
	struct mount_attr a = {.propagation = MS_PRIVATE};
	fd_late int dir = openat(AT_FDCWD, s->p->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int given = s->boot->rootfs_fd, r;
	fd_late int tree = -EBADF;

	if (dir < 0 && (given < 0 || errno != EACCES))
		return err_sys(e, "root.path: open %s", s->p->rootfs);
	if (given >= 0) {
		tree = given;
		r = mnt_set(tree, &a, true);
		if (r < 0)
			return err_neg(e, r, "make the root private");
	} else {
		tree = mnt_clone_set(s, dir, "", AT_EMPTY_PATH | AT_RECURSIVE, &a);
		if (tree < 0)
			return err_neg(e, tree, "root.path: copy the mounts of %s", s->p->rootfs);
	}
	r = attach_root(s, tree, dir, e);
	return r < 0 ? r : fd_take(&tree);
}

int rootfs_prepare(struct stage *s, struct err *e)
{
	int r;

	make_state(s);
	r = leave_peers(s, e);
	if (r < 0 && e->code)
		return r;
	s->fs->legacy = is_missing(r);
	if (r == -EINVAL) /* / is no mount point */
		return err_set(
			e, r,
			"kavach runs in a chroot: a container needs a root that is a mount point "
			"(bind mount the chroot's folder on itself and pivot_root there)");
	if (r < 0 && !s->fs->legacy)
		return err_neg(e, r, "set the propagation of the host's mounts");
	r = s->fs->legacy ? legacy_root(s, e) : new_root(s, e);
	if (r < 0)
		return r;
	s->root_fd = r;
	return s->p->masked.n > 0 ? masks_open_null(s, e) : 0;
}

int rootfs_use(struct stage *s, struct err *e)
{
	struct mount_attr nothing = {0};
	int r;

	make_state(s);
	r = sys_mount_setattr(AT_FDCWD, "/", 0, &nothing);
	if (is_missing(r))
		return err_set(e, -ENOSYS,
			       "mounts of a container that lives need mount_setattr (Linux 5.12)");
	s->root_fd = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->root_fd < 0 ? err_sys(e, "opening the root") : 0;
}

/* ---- entering ---- */

/* With no_pivot (a root that is an initramfs) the host's tree stays below ours. A task with
 * CAP_SYS_ADMIN that gets out of the chroot must at least not find a complete procfs or sysfs: in a
 * user namespace their presence is what the kernel asks for before it allows new ones. */
static int cover_one(char *point)
{
	if (umount2(point, MNT_DETACH) == 0 || errno == EINVAL || errno == ENOENT)
		return 0;
	if (errno != EPERM)
		return -errno;
	/* locked: part of what we inherited */
	return mount("tmpfs", point, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		     "size=0,mode=0") < 0
		       ? -errno
		       : 0;
}

/* Undoes the \ooo of mountinfo for blanks, tabs, newlines and backslashes, in place. */
static void unescape(char *p)
{
	char *out = p;

	for (; *p; p++, out++) {
		*out = *p;
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*out = (char) ((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 3;
		}
	}
	*out = '\0';
}

static int cover_line(struct stage *s, char *line, struct err *e)
{
	char *dash = strstr(line, " - "), *point = line, *end;
	int r;

	if (!dash || (!str_prefix(dash + 3, "proc ") && !str_prefix(dash + 3, "sysfs ")))
		return 0;
	for (int i = 0; i < 4 && point; i++) { /* the fifth field */
		point = strchr(point, ' ');
		point = point ? point + 1 : NULL;
	}
	end = point ? strchr(point, ' ') : NULL;
	if (!end)
		return 0;
	*end = '\0';
	unescape(point);
	if (path_below(point, s->p->rootfs))
		return 0;
	r = cover_one(point);
	return r < 0 ? err_neg(e, r, "take away the host's %s", point) : 0;
}

static int cover_host(struct stage *s, struct err *e)
{
	fd_late int fd = proc_open(s, "self/mountinfo", O_RDONLY, e);
	struct bytes text;
	char *line, *next;
	int r;

	if (fd < 0)
		return fd;
	r = io_read_fd(fd, 16 << 20, s->a, &text);
	if (r < 0)
		return err_neg(e, r, "read the mount table");
	for (line = (char *) text.v; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		r = cover_line(s, line, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool still_peers(const struct stage *s)
{
	return s->fs->legacy && s->fs->propagation == MS_SHARED;
}

static int enter_by_move(struct stage *s, struct err *e)
{
	int r;

	if (still_peers(s)) /* what is taken away here would be taken away there */
		return err_set(
			e, -ENOSYS,
			"linux.rootfsPropagation: shared without pivot_root needs mount_setattr "
			"(Linux 5.12)");
	r = cover_host(s, e);
	if (r < 0)
		return r;
	if (fchdir(s->root_fd) < 0)
		return err_sys(e, "enter the root");
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return err_sys(e, "move the root to /");
	if (chroot(".") < 0)
		return err_sys(e, "change the root");
	return 0;
}

/* With mount(2) only, a shared root means that the host's mounts are still peers of the host's own:
 * detaching them as they are would unmount everything there. */
static int leave_peers_late(int old, struct err *e)
{
	if (fchdir(old) < 0 || mount(NULL, ".", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "set the propagation of the host's mounts");
	return 0;
}

static int enter_by_pivot(struct stage *s, struct err *e)
{
	fd_late int old = -EBADF;
	int r;

	if (still_peers(s)) {
		old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (old < 0)
			return err_sys(e, "open the host's root");
	}
	if (fchdir(s->root_fd) < 0)
		return err_sys(e, "enter the root");
	r = sys_pivot_root(".", ".");
	if (r < 0)
		return err_neg(e, r, "pivot_root into %s", s->p->rootfs);
	if (old >= 0) {
		r = leave_peers_late(old, e);
		if (r < 0)
			return r;
	}
	/* "." is our root with the host's tree mounted over it, or that tree: this takes it away.
	 * Its mounts are slaves or private, so the host does not notice. */
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "detach the host's root");
	return 0;
}

/* The present root must be the directory that was prepared, and nothing may be mounted over it. */
static int check_entered(struct stage *s, struct err *e)
{
	struct stat want, root;

	if (fstat(s->root_fd, &want) < 0 || stat("/", &root) < 0)
		return err_sys(e, "look at the new root");
	if (want.st_dev != root.st_dev || want.st_ino != root.st_ino)
		return err_set(e, -EXDEV, "the new root is not the one that was prepared");
	return 0;
}

int rootfs_enter(struct stage *s, struct err *e)
{
	int r;

	if (s->fs->legacy) { /* the host's /dev/null can be bound only while it is in our ns */
		r = masks_run(s, e);
		if (r < 0)
			return r;
		s->fs->masks_done = true;
		fd_closep(&s->fs->null_tree);
	}
	r = s->p->no_pivot ? enter_by_move(s, e) : enter_by_pivot(s, e);
	if (r < 0)
		return r;
	if (chdir("/") < 0)
		return err_sys(e, "enter the new root");
	/* pivot_root takes nothing but the very mount whose root our working directory was */
	return s->p->no_pivot ? check_entered(s, e) : 0;
}

/* ---- sealing ---- */

int rootfs_seal(struct stage *s, struct err *e)
{
	uint64_t type = s->p->rootfs_propagation & MNT_PROPAGATION;
	bool rec = s->p->rootfs_propagation & MS_REC;
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY}, prop = {.propagation = type};
	int r = 0;

	if (s->p->rootfs_readonly) {
		r = s->fs->legacy ? legacy_set(s, s->root_fd, MOUNT_ATTR_RDONLY, 0)
				  : mnt_set(s->root_fd, &ro, false);
		if (r < 0)
			return err_neg(e, r, "root.readonly: make the root read-only");
	}
	if (type) {
		r = s->fs->legacy ? legacy_raw(s, -EBADF, NULL, s->root_fd, NULL,
					       (unsigned long) s->p->rootfs_propagation, NULL)
				  : mnt_set(s->root_fd, &prop, rec);
		if (r < 0)
			return err_neg(e, r, "linux.rootfsPropagation");
	}
	return 0;
}

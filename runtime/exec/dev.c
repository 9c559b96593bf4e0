/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev: device nodes and the links that programs expect.
 *
 * /dev is opened once, as a directory and not through a symlink: an image whose /dev leads
 * elsewhere is refused before anything is made (CVE-2026-41579). Nodes are made with mknod; in a
 * user namespace the kernel forbids that, and the host's node is bound onto an empty file instead,
 * checked on the fd that is bound.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "exec/mount.h"

static const struct {
	const char *name, *to;
} links[] = {
	{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

/* A node as the policy wants it, and where it goes. */
struct node {
	const struct pol_device *d;
	dev_t rdev;
	int dir;	  /* the directory that it is made in */
	const char *name; /* in it */
};

static char type_letter(uint32_t type)
{
	return S_ISCHR(type) ? 'c' : S_ISBLK(type) ? 'b' : 'p';
}

static bool is_node(const struct node *n, const struct stat *st)
{
	if ((st->st_mode & S_IFMT) != n->d->type)
		return false;
	return S_ISFIFO(st->st_mode) || st->st_rdev == n->rdev;
}

static int wrong_node(const struct node *n, struct err *e)
{
	return err_set(e, -EEXIST, "%s exists and is not the device %c %u:%u", n->d->path,
		       type_letter(n->d->type), n->d->major, n->d->minor);
}

/* ---- by bind ---- */

/* The place for a bind: a new empty file, or a regular file that is there. *ret_done: the right
 * node is there. */
static int bind_target(const struct node *n, bool *ret_done, struct err *e)
{
	fd_late int fd = openat(n->dir, n->name,
				O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd >= 0)
		return fd_take(&fd);
	if (errno != EEXIST)
		return err_sys(e, "make %s", n->d->path);
	fd = openat(n->dir, n->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", n->d->path);
	*ret_done = is_node(n, &st);
	return *ret_done || S_ISREG(st.st_mode) ? fd_take(&fd) : wrong_node(n, e);
}

/* The stage still has the host's root: the device is the host's node of the same name. */
static int open_host_node(struct stage *s, const struct node *n, struct err *e)
{
	fd_late int fd = -EBADF;
	struct stat st;

	if (s->fs->legacy)
		fd = open(n->d->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	else
		fd = sys_open_tree(AT_FDCWD, n->d->path,
				   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (fd < 0)
		return err_neg(e, s->fs->legacy ? -errno : fd, "open the host's %s", n->d->path);
	if (fstat(fd, &st) < 0 || !is_node(n, &st))
		return err_set(e, -ENODEV, "the host's %s is not the device %c %u:%u", n->d->path,
			       type_letter(n->d->type), n->d->major, n->d->minor);
	return fd_take(&fd);
}

static int bind_node(struct stage *s, const struct node *n, struct err *e)
{
	fd_late int src = open_host_node(s, n, e), target = -EBADF;
	bool done = false;
	int r;

	if (src < 0)
		return src;
	target = bind_target(n, &done, e);
	if (target < 0 || done)
		return target < 0 ? target : 0;
	r = s->fs->legacy ? legacy_raw(s, src, NULL, target, NULL, MS_BIND, NULL)
			  : mnt_attach(src, target);
	return r < 0 ? err_neg(e, r, "bind %s", n->d->path) : 0;
}

/* ---- by mknod ---- */

static int check_node(const struct node *n, struct err *e)
{
	struct stat st;

	if (fstatat(n->dir, n->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look at %s", n->d->path);
	return is_node(n, &st) ? 0 : wrong_node(n, e);
}

/* In a directory that the container shares with others the name may be another file by now: checked
 * on the fd. */
static int chown_node(const struct node *n, struct err *e)
{
	fd_late int fd = openat(n->dir, n->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", n->d->path);
	if (!is_node(n, &st))
		return wrong_node(n, e);
	if (fchownat(fd, "", n->d->uid, n->d->gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "give %s to %u:%u", n->d->path, n->d->uid, n->d->gid);
	return 0;
}

/* 1: the kernel does not let us, bind it instead */
static int make_node(const struct node *n, struct err *e)
{
	if (mknodat(n->dir, n->name, n->d->type | (n->d->mode & 07777), n->rdev) < 0) {
		if (errno == EEXIST || errno == EROFS)
			return check_node(n, e);
		if (errno == EPERM && !S_ISFIFO(n->d->type))
			return 1;
		return err_sys(e, "make the device %s", n->d->path);
	}
	return n->d->uid || n->d->gid ? chown_node(n, e) : 0;
}

/* ---- all of it ---- */

static int add_device(struct stage *s, int dev, const struct pol_device *d, bool *bind,
		      struct err *e)
{
	struct node n = {.d = d, .rdev = makedev(d->major, d->minor), .dir = dev};
	fd_late int dir = -EBADF;
	int r = 1;

	n.name = str_prefix(d->path, "/dev/");
	if (!n.name || strchr(n.name, '/')) {
		/* Below /dev the held directory is the root of the look-up; a link in it cannot
		 * leave it. */
		dir = path_open_parent_in(n.name ? dev : s->root_fd, n.name ? n.name : d->path,
					  true, &n.name);
		if (dir < 0)
			return err_neg(e, dir, "open the directory of %s", d->path);
		n.dir = dir;
	}
	if (!*bind) {
		r = make_node(&n, e);
		*bind = r == 1;
	}
	return r == 1 ? bind_node(s, &n, e) : r;
}

static int add_links(int dev, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].to, dev, links[i].name) < 0 && errno != EEXIST &&
		    errno != EROFS)
			return err_sys(e, "make the link /dev/%s", links[i].name);
	return 0;
}

/* With the host's whole /dev in the container nothing may be made in it: it would be made on the
 * host. */
static bool dev_is_bound(const struct policy *p)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if ((p->mounts.v[i].kind == POL_MOUNT_BIND ||
		     p->mounts.v[i].kind == POL_MOUNT_RBIND) &&
		    str_eq(p->mounts.v[i].destination, "/dev"))
			return true;
	return false;
}

int devices_apply(struct stage *s, struct err *e)
{
	fd_late int dev = -EBADF;
	bool bind = false;
	int r = 0;

	if (dev_is_bound(s->p))
		return 0;
	dev = path_open_in(s->root_fd, "/dev", O_PATH | O_DIRECTORY, 0, PATH_NO_SYMLINKS);
	if (dev == -ENOENT) {
		dev = path_mkdir_in(s->root_fd, "/dev", 0755);
		if (dev >= 0) {
			fd_close(dev);
			dev = path_open_in(s->root_fd, "/dev", O_PATH | O_DIRECTORY, 0,
					   PATH_NO_SYMLINKS);
		}
	}
	if (dev == -ELOOP)
		return err_set(e, dev, "/dev of the root is a symlink, which is refused");
	if (dev < 0)
		return err_neg(e, dev, "open /dev");
	for (size_t i = 0; i < s->p->devices.n && r == 0; i++)
		/* Among a privileged container's devices is the host's ptmx, which belongs to the
		 * host's devpts; the spec wants a link to that of the container here. */
		if (!str_eq(s->p->devices.v[i].path, "/dev/ptmx"))
			r = add_device(s, dev, &s->p->devices.v[i], &bind, e);
	return r < 0 ? r : add_links(dev, e);
}

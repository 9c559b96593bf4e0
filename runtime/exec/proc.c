/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A procfs that nothing in the container can put something over.
 *
 * The files below /proc decide about security: exec labels, sysctls, id maps. A container that
 * shares a volume with this one could make /proc/self/attr/exec lead to another file while we set
 * up (CVE-2025-52881), so no path that starts with /proc is ever used: there is one directory fd,
 * look-ups below it neither leave the file system nor follow magic links, and the file that comes
 * out is checked once more.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "exec/ctx.h"

#define PROC_ROOT_INODE 1 /* PROC_ROOT_INO of the kernel's linux/proc_ns.h */

static bool is_proc_root(int fd)
{
	struct stat st;

	return fd_is_fs(fd, PROC_SUPER_MAGIC) && fstat(fd, &st) == 0 &&
	       st.st_ino == PROC_ROOT_INODE;
}

/* A new instance of our pid namespace's procfs, attached nowhere. In a user namespace the kernel
 * refuses it (EPERM) when the procfs that we see already has something mounted over parts of it. */
static int proc_new(void)
{
	fd_late int ctx = sys_fsopen("proc", FSOPEN_CLOEXEC);
	int r;

	if (ctx < 0)
		return ctx;
	r = sys_fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	return sys_fsmount(ctx, FSMOUNT_CLOEXEC,
			   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* A private copy of /proc. Without what is mounted over parts of it, if the kernel lets us look
 * under that; with it otherwise: a look-up that meets such a mount fails (PATH_NO_XDEV). */
static int proc_copy(void)
{
	int fd = sys_open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd == -EINVAL)
		fd = sys_open_tree(AT_FDCWD, "/proc",
				   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return fd;
}

int proc_open_private(struct stage *s, struct err *e)
{
	fd_late int fd = proc_new();

	if (fd >= 0) {
		s->proc_fd = fd_take(&fd);
		return 0;
	}
	if (s->boot->proc_fd >= 0 && is_proc_root(s->boot->proc_fd))
		fd = fcntl(s->boot->proc_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		fd = proc_copy();
	if (fd < 0)
		fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the proc file system");
	if (!is_proc_root(fd))
		return err_set(e, -EXDEV, "/proc is not the root of a proc file system");
	s->proc_fd = fd_take(&fd);
	return 0;
}

int proc_use_given(struct stage *s, struct err *e)
{
	if (s->boot->proc_fd < 0 || !is_proc_root(s->boot->proc_fd))
		return err_set(e, -EXDEV, "/proc is not the root of a proc file system");
	s->proc_fd = s->boot->proc_fd;
	return 0;
}

int proc_open(struct stage *s, const char *path, int oflags, struct err *e)
{
	fd_late int fd = path_open_in(s->proc_fd, path, oflags | O_CLOEXEC, 0,
				      PATH_BENEATH | PATH_NO_XDEV);

	if (fd < 0)
		return err_neg(e, fd, "open /proc/%s", path);
	if (!fd_is_fs(fd, PROC_SUPER_MAGIC))
		return err_set(e, -EXDEV, "/proc/%s is not a file of the proc file system", path);
	return fd_take(&fd);
}

int proc_write(struct stage *s, const char *path, const char *data, struct err *e)
{
	fd_late int fd = proc_open(s, path, O_WRONLY, e);
	size_t len = strlen(data);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, data, len); /* these files take a value in one write or not at all */
	if (n < 0)
		return err_sys(e, "write \"%.64s\" to /proc/%s", data, path);
	if ((size_t) n != len)
		return err_set(e, -EIO, "write \"%.64s\" to /proc/%s: only a part was taken", data,
			       path);
	return 0;
}

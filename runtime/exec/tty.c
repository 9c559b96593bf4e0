/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal: a pty of the container's own devpts, /dev/console, and the way of the master to
 * whoever asked for it.
 *
 * A container that shares /dev/pts or a volume with us can swap names while we work
 * (CVE-2025-52565), so the slave is never opened by name: TIOCGPTPEER gives it for the master, and
 * /dev/console is bound by fd.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/tiocl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/path.h"
#include "base/sys.h"
#include "exec/mount.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441 /* _IO('T', 0x41) */
#endif

static int open_master(struct stage *s, struct err *e)
{
	fd_auto int fd = path_open_in(s->root_fd, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0,
				      PATH_NO_SYMLINKS);
	struct stat st;

	if (fd == -ENOENT)
		return err_set(e, fd, "process.terminal needs a devpts file system at /dev/pts");
	if (fd < 0)
		return err_neg(e, fd, "open /dev/pts/ptmx");
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) ||
	    !fd_is_fs(fd, DEVPTS_SUPER_MAGIC))
		return err_set(e, -ENODEV, "/dev/pts/ptmx is not that of a devpts file system");
	return fd_take(&fd);
}

static int open_slave(int master, unsigned *ret_number, struct err *e)
{
	int unlock = 0, fd;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "unlock the terminal");
	if (ioctl(master, TIOCGPTN, ret_number) < 0)
		return err_sys(e, "number of the terminal");
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the terminal") : fd;
}

/* The program may ask before its master has reached us: the size of a terminal in front of somebody comes with the boot
 * block. */
static int set_size(const struct stage *s, int fd, struct err *e)
{
	struct winsize w = {.ws_row = (unsigned short) s->proc->console_height,
			    .ws_col = (unsigned short) s->proc->console_width};

	if (s->boot->console_rows && s->boot->console_columns) {
		w.ws_row = (unsigned short) s->boot->console_rows;
		w.ws_col = (unsigned short) s->boot->console_columns;
	}
	if (w.ws_row == 0 && w.ws_col == 0)
		return 0;
	return ioctl(fd, TIOCSWINSZ, &w) < 0 ? err_sys(e, "set the size of the terminal") : 0;
}

/* The file that the terminal is bound onto: made by us, or a file or device that is there. Never a
 * symlink (CVE-2026-88264). */
static int console_target(struct stage *s, struct err *e)
{
	fd_auto int dev = path_open_in(s->root_fd, "/dev", O_PATH | O_DIRECTORY, 0,
				       PATH_NO_SYMLINKS);
	fd_auto int fd = -EBADF;
	struct stat st;

	if (dev < 0)
		return err_neg(e, dev, "open /dev");
	fd = openat(dev, "console", O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd_take(&fd);
	if (errno != EEXIST && errno != EROFS)
		return err_sys(e, "make /dev/console");
	fd = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open /dev/console");
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return err_set(e, -ENODEV, "/dev/console is neither a file nor a character device");
	return fd_take(&fd);
}

static int bind_console(struct stage *s, int slave, struct err *e)
{
	fd_auto int target = console_target(s, e), tree = -EBADF;
	int r;

	if (target < 0)
		return target;
	if (s->fs->legacy) {
		r = legacy_raw(s, slave, NULL, target, NULL, MS_BIND, NULL);
	} else {
		tree = mnt_clone(slave, false);
		r = tree < 0 ? tree : mnt_attach(tree, target);
	}
	return r < 0 ? err_neg(e, r, "bind the terminal at /dev/console") : 0;
}

static int send_master(struct stage *s, unsigned number, struct err *e)
{
	char name[40] = "/dev/pts/";
	int r;

	num_fmt_u64(name + strlen(name), number);
	r = fd_send(s->boot->console_fd, name, strlen(name), &s->pty_master, 1);
	if (r < 0)
		return err_neg(e, r, "send the terminal to the console socket");
	fd_closep(&s->pty_master);
	return 0;
}

int tty_setup(struct stage *s, struct err *e)
{
	unsigned number = 0;
	struct stat st;
	int r;

	s->pty_slave = -EBADF;
	s->pty_master = open_master(s, e);
	if (s->pty_master < 0)
		return s->pty_master;
	s->pty_slave = open_slave(s->pty_master, &number, e);
	if (s->pty_slave < 0)
		return s->pty_slave;
	r = set_size(s, s->pty_slave, e);
	if (r < 0)
		return r;
	/* The group stays the one that the devpts mount gives (tty). */
	if (fstat(s->pty_slave, &st) < 0)
		return err_sys(e, "look at the terminal");
	if (st.st_uid != s->proc->uid && fchown(s->pty_slave, s->proc->uid, (gid_t) -1) < 0)
		return err_sys(e, "give the terminal to user %u", s->proc->uid);
	if (s->fs) { /* in a root that is not ours to make, the console is its first process's */
		r = bind_console(s, s->pty_slave, e);
		if (r < 0)
			return r;
	}
	return s->boot->console_fd >= 0 ? send_master(s, number, e) : 0;
}

int tty_make_stdio(struct stage *s, struct err *e)
{
	int fd = s->pty_slave;

	if (setsid() < 0 && getsid(0) != getpid())
		return err_sys(e, "start a session");
	if (ioctl(fd, TIOCSCTTY, 0) < 0)
		return err_sys(e, "take the terminal as the controlling one");
	for (int i = 0; i < 3; i++)
		if (fd != i && dup2(fd, i) < 0)
			return err_sys(e, "make the terminal the standard input and output");
	if (fd > 2)
		fd_closep(&s->pty_slave);
	else
		fd_cloexec(fd, 0);
	return 0;
}

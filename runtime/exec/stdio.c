/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors 0, 1 and 2.
 *
 * Engines close some of them, and hand over the host's /dev/null for others. A closed one would be filled by the next
 * open, with something that the workload must not have, so all three are filled first. The host's null device would
 * let root in the container change the mode of the host's node through /proc/self/fd, so it is exchanged for the
 * container's, which is opened inside the root and checked on the descriptor (the image may have a symlink or another
 * device there: CVE-2026-88265). The owner of a device node on the host is never changed.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "exec/ctx.h"

#define NULL_DEV makedev(1, 3)

static bool is_null_dev(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == NULL_DEV;
}

/* Asks for all three with one call; POLLNVAL: there is no such descriptor. */
static bool is_complete(void)
{
	struct pollfd p[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

	return poll(p, 3, 0) >= 0 && !((p[0].revents | p[1].revents | p[2].revents) & POLLNVAL);
}

int stdio_open_missing(struct err *e)
{
	if (is_complete())
		return 0;
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;
		int got;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		got = open("/dev/null",
			   O_RDWR | O_CLOEXEC | O_NOCTTY); /* gets the lowest number: fd */
		if (got < 0 || fstat(got, &st) < 0 || !is_null_dev(&st))
			return err_set(
				e, -EIO,
				"descriptor %d is closed and /dev/null is not there to fill it",
				fd);
		if (got != fd)
			return err_set(e, -EIO, "descriptor %d changed under us", fd);
		if (fd_cloexec(fd, 0) < 0)
			return err_sys(e, "descriptor %d", fd);
	}
	return 0;
}

/* The container's null device, or -errno when it has none that is one. */
static int open_null(int root, int mode)
{
	fd_auto int fd = path_open_in(root, "dev/null", mode | O_NOCTTY | O_NONBLOCK, 0, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return is_null_dev(&st) ? fd_take(&fd) : -ENODEV;
}

static int replace_null(int root, int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);
	fd_late int null = open_null(root, flags < 0 ? O_RDWR : flags & O_ACCMODE);

	if (null < 0)
		return 0; /* a container without a null device keeps what it was given */
	if (dup3(null, fd, 0) < 0)
		return err_sys(e, "giving the container its own null device as descriptor %d", fd);
	return 0;
}

int stdio_adopt(struct stage *s, struct err *e)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			return err_sys(e, "looking at descriptor %d", fd);
		if (is_null_dev(&st)) {
			int r = replace_null(s->root_fd, fd, e);

			if (r < 0)
				return r;
		}
		/* Device nodes are the host's; the terminal that was made for this container has its owner already. */
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			continue;
		if (!s->boot->chown_stdio || !s->proc || st.st_uid == s->proc->uid)
			continue;
		if (fchown(fd, s->proc->uid, (gid_t) -1) == 0)
			continue;
		/* Read-only file system; not mapped in our user namespace; not ours. The program can still use it, only
		 * not open it again by name. */
		if (errno != EROFS && errno != EINVAL && errno != EPERM)
			return err_sys(e, "making user %u the owner of descriptor %d", s->proc->uid,
				       fd);
	}
	return 0;
}

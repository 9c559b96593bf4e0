/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and systemd credentials. What is opened is what is checked: a regular file of root's, or of the caller's own
 * where that is not root, which nobody else can read or write, and on the way to which there is no symlink.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "secrets/secrets.h"

static int check(int fd, const char *path, mode_t others, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s: expected a regular file", path);
	if (st.st_uid != 0 && st.st_uid != sys_euid())
		return err_set(e, -EPERM, "%s: owned by user %u, expected root", path,
			       (unsigned) st.st_uid);
	if (st.st_mode & others)
		return err_set(e, -EPERM, "%s: others than its owner have access (mode %04o)", path,
			       (unsigned) st.st_mode & 07777);
	return 0;
}

static ssize_t read_file(const struct source *s, const char *path, mode_t others, struct err *e)
{
	fd_auto int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd_auto int fd = -EBADF;
	ssize_t r;

	if (root < 0)
		return err_sys(e, "open /");
	/* O_NONBLOCK: a FIFO in the place of the file must not stop us */
	fd = path_open_in(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, PATH_NO_SYMLINKS);
	if (fd == -ELOOP)
		return err_set(e, -ELOOP,
			       "%s: a part of the path is a symlink; name the file itself", path);
	if (fd == -EACCES && sys_euid() != 0)
		return err_set(e, -EACCES,
			       "open %s: access refused; it is root's, and this kavach runs as "
			       "user %u",
			       path, (unsigned) sys_euid());
	if (fd < 0)
		return err_neg(e, fd, "open %s", path);
	r = check(fd, path, others, e);
	if (r < 0)
		return r;
	r = source_read(fd, s, 0);
	if (r == -EFBIG)
		return err_set(e, -EFBIG, "%s: more than %zu bytes", path, s->room);
	if (r == -ENODATA)
		return err_set(e, -ENODATA, "%s: it is empty", path);
	return r < 0 ? err_neg(e, (int) r, "read %s", path) : r;
}

ssize_t source_file(const struct source *s, struct err *e)
{
	return read_file(s, s->secret->from.v[0], S_IRWXG | S_IRWXO, e);
}

/* systemd tells a unit where its credentials are; those of the machine are there for all that runs as root. It lets a
 * unit's user read them through an access list, whose mask shows as group access. */
ssize_t source_credential(const struct source *s, struct err *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY"), *name = s->secret->from.v[0];
	char path[4096];
	int n;

	if (str_empty(dir))
		dir = "/run/credentials/@system";
	if (dir[0] != '/')
		return err_set(e, -EINVAL,
			       "CREDENTIALS_DIRECTORY: expected an absolute path, found \"%s\"",
			       dir);
	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t) n >= sizeof(path))
		return err_set(e, -ENAMETOOLONG, "CREDENTIALS_DIRECTORY: too long");
	return read_file(s, path, S_IWGRP | S_IXGRP | S_IRWXO, e);
}

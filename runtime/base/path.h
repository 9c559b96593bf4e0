/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place that walks paths below a directory that others can change (rule R-01): openat2()
 * with RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS, and where the kernel or a filter does not have it
 * (ENOSYS, EPERM) a component walk with O_PATH|O_NOFOLLOW that follows symlinks itself inside the
 * root and honours the same flags. Keep the fd, not the string.
 */
#ifndef KAVACH_BASE_PATH_H
#define KAVACH_BASE_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

enum {
	PATH_NOFOLLOW =
		1 << 0, /* the last component may be a symlink and is not followed (O_NOFOLLOW) */
	PATH_NO_SYMLINKS = 1 << 1, /* any symlink is -ELOOP */
	PATH_NO_XDEV = 1 << 2,	   /* do not cross into another mount (RESOLVE_NO_XDEV) */
	PATH_BENEATH =
		1 << 3, /* RESOLVE_BENEATH instead of IN_ROOT: an absolute path or link and a ".."
				    * that would leave root are -EXDEV */
};

/* path_open_in: opens path below root (leading slashes and ".." stay inside). oflags: open(2) flags,
 * O_CLOEXEC is added. Creates nothing unless O_CREAT is given (then mode). Retries EAGAIN.
 * Returns the fd or -errno. */
int path_open_in(int root, const char *path, int oflags, mode_t mode, unsigned flags);

/* path_open_real: O_PATH fd of an absolute path of the host in which no component is a symlink: -ELOOP if one is. */
int path_open_real(const char *path);

/* path_force_fallback: for tests: from now on only the component walk is used (or no more). */
void path_force_fallback(bool on);

/* path_mkdir_in: makes the missing directories of path one by one inside root and returns an O_PATH
 * fd of the last one. Existing ones are kept as they are. -ENOTDIR when a component is a file. */
int path_mkdir_in(int root, const char *path, mode_t mode);

/* path_make_file_in: makes missing parents (0755) and an empty file (0644 &~umask); returns an O_PATH
 * fd. An existing non-directory is returned as is (symlinks followed inside root); a directory is
 * -EISDIR. */
int path_make_file_in(int root, const char *path, mode_t mode);

/* path_open_parent_in: O_PATH fd of the parent directory of path inside root, making it (0755) when
 * `make`; *ret_name points into `path` at the last component (never "", "." or "..": -EINVAL). */
int path_open_parent_in(int root, const char *path, bool make, const char **ret_name);

/* path_clean: lexical clean-up: absolute, no "//", ".", "..", no trailing slash ("/" stays). */
char *path_clean(struct arena *a, const char *path);
/* path_join: "dir/name", or name itself when it is absolute; not cleaned. */
char *path_join(struct arena *a, const char *dir, const char *name);
/* path_below: whether clean path p is dir itself or below it. */
bool path_below(const char *p, const char *dir);

/* fd_is_proc / fd_is_cgroup..: file system checks by magic on an fd. Returns true/false. */
bool fd_is_fs(int fd, unsigned long magic);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAVACH_BASE_IO_H
#define KAVACH_BASE_IO_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/types.h"

/* io_write_all: all n bytes, retrying short writes and EINTR. Returns 0 or -errno. */
int io_write_all(int fd, const void *p, size_t n);
/* io_read_full: up to n bytes until EOF. Returns the count or -errno. */
ssize_t io_read_full(int fd, void *p, size_t n);

/* io_read_fd: everything from fd, at most max bytes (-EFBIG beyond), NUL-terminated in the arena
 * (the NUL is not counted). */
int io_read_fd(int fd, size_t max, struct arena *a, struct bytes *ret);
/* io_read_at: the same for a file below dirfd (O_NOFOLLOW is the caller's choice via flags). */
int io_read_at(int dirfd, const char *path, int flags, size_t max, struct arena *a,
	       struct bytes *ret);

/* io_read_small: a short kernel file (cgroup, proc) into buf, NUL-terminated, trailing newline cut.
 * Returns the length or -errno; -EFBIG when the text fills buf, for then there may be more. No heap. */
ssize_t io_read_small(int dirfd, const char *path, char *buf, size_t size);

/* io_write_at: opens an existing file (O_WRONLY|O_CLOEXEC|flags), writes once, closes.
 * Returns 0 or -errno; a short write is -EIO. */
int io_write_at(int dirfd, const char *path, int flags, const char *data, size_t n);

/* io_replace_at: writes a temporary file in dirfd and renames it to name: readers see the old or the
 * new content. mode as given (umask ignored, unless it takes bits of the owner away). */
int io_replace_at(int dirfd, const char *name, mode_t mode, const void *data, size_t n);

/* io_create_at: makes a new file, for names that nobody looks for before it is complete; -EEXIST if there is one. The umask
 * applies to mode. Returns 0 or -errno; a part of the file may be left then. */
int io_create_at(int dirfd, const char *name, mode_t mode, const void *data, size_t n);

/* io_memfd: a memfd with these bytes, sealed against any change (F_SEAL_WRITE|GROW|SHRINK|SEAL),
 * read position 0, cloexec. Returns the fd or -errno. */
int io_memfd(const char *name, const void *data, size_t n);

#endif

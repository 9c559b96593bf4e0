/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes, atomic replacement, sealed memory files. */
#include "base/io.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#endif

int io_write_all(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n > 0) {
		ssize_t r = write(fd, s, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			return -EIO;
		s += r;
		n -= (size_t) r;
	}
	return 0;
}

ssize_t io_read_full(int fd, void *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = read(fd, (char *) p + have, n - have);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		have += (size_t) r;
	}
	return (ssize_t) have;
}

static ssize_t read_once(int fd, void *p, size_t n)
{
	ssize_t r;

	do
		r = read(fd, p, n);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* Reads on to the end behind what is in *p, which is on the heap and grows. */
static int read_growing(int fd, size_t max, char **p, size_t *have)
{
	size_t cap = *have;

	for (;;) {
		ssize_t n;

		if (*have == cap) {
			char *bigger;

			cap = cap < 2048 ? 4096 : cap * 2;
			if (cap > max + 1)
				cap = max + 1;
			bigger = realloc(*p, cap);
			if (!bigger)
				return -ENOMEM;
			*p = bigger;
		}
		n = read_once(fd, *p + *have, cap - *have);
		if (n <= 0)
			return (int) n;
		*have += (size_t) n;
		if (*have > max)
			return -EFBIG;
	}
}

/* Pipes and proc files, whose size is only known at the end. */
static int read_unsized(int fd, size_t max, struct arena *a, struct bytes *ret)
{
	char *p = NULL;
	size_t n = 0;
	int r = read_growing(fd, max, &p, &n);

	if (r == 0) {
		ret->v = arena_alloc(a, n + 1);
		memcpy(ret->v, p, n);
		ret->n = n;
	}
	free(p);
	return r;
}

int io_read_fd(int fd, size_t max, struct arena *a, struct bytes *ret)
{
	struct stat st;
	uint8_t *p;
	ssize_t n;
	size_t size;

	if (max >= SSIZE_MAX)
		return -EINVAL;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return read_unsized(fd, max, a, ret);
	if ((uint64_t) st.st_size > max)
		return -EFBIG;
	/* One byte more than the size: a read that leaves room has seen the end of a regular file. */
	size = (size_t) st.st_size;
	p = arena_alloc(a, size + 2);
	n = read_once(fd, p, size + 1);
	if (n >= 0 && (size_t) n < size) { /* rare: a signal, or the file is being cut */
		ssize_t more = io_read_full(fd, p + n, size + 1 - (size_t) n);

		n = more < 0 ? more : n + more;
	}
	if (n < 0)
		return (int) n;
	if ((size_t) n > size) { /* it grows, or the file system lied about the size */
		if (lseek(fd, -(off_t) n, SEEK_CUR) < 0)
			return -errno;
		return read_unsized(fd, max, a, ret);
	}
	p[n] = '\0';
	ret->v = p;
	ret->n = (size_t) n;
	return 0;
}

int io_read_at(int dirfd, const char *path, int flags, size_t max, struct arena *a,
	       struct bytes *ret)
{
	fd_auto int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | flags);

	return fd < 0 ? -errno : io_read_fd(fd, max, a, ret);
}

ssize_t io_read_small(int dirfd, const char *path, char *buf, size_t size)
{
	fd_auto int fd = -EBADF;
	size_t have = 0;
	ssize_t n;

	if (size < 2)
		return -EINVAL;
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/*
	 * A kernel file ends its answer early only when its page is nearly full, so a short answer is all
	 * there is and the read that would return 0 is saved.
	 */
	do {
		if (have == size - 1)
			return -EFBIG;
		n = read_once(fd, buf + have, size - 1 - have);
		if (n < 0)
			return n;
		have += (size_t) n;
	} while (n >= 1024 || (n > 0 && have == size - 1));
	if (have > 0 && buf[have - 1] == '\n')
		have--;
	buf[have] = '\0';
	return (ssize_t) have;
}

int io_write_at(int dirfd, const char *path, int flags, const char *data, size_t n)
{
	fd_auto int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | flags);
	ssize_t r;

	if (fd < 0)
		return -errno;
	/* One write: kernel files take each write as a whole command. */
	do
		r = write(fd, data, n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return (size_t) r == n ? 0 : -EIO;
}

/* A new file beside name that nobody else has. tmp gets its path. */
static int open_temporary(int dirfd, const char *name, mode_t mode, char *tmp, size_t size)
{
	const char *base = strrchr(name, '/');
	int dir_len, fd, n;

	base = base ? base + 1 : name;
	dir_len = (int) (base - name);
	for (unsigned i = 0; i < 100; i++) {
		n = snprintf(tmp, size, "%.*s.%.200s.%u", dir_len, name, base, i);
		if (n < 0 || (size_t) n >= size)
			return -ENAMETOOLONG;
		fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
		if (fd >= 0)
			return fd;
		/* Another process's, or left behind by one: take the next. */
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

int io_replace_at(int dirfd, const char *name, mode_t mode, const void *data, size_t n)
{
	fd_auto int fd = -EBADF;
	char tmp[PATH_MAX];
	int r;

	if (strlen(name) >= sizeof(tmp))
		return -ENAMETOOLONG;
	fd = open_temporary(dirfd, name, mode & 0700, tmp, sizeof(tmp));
	if (fd < 0)
		return fd;
	r = io_write_all(fd, data, n);
	if (r == 0 && (mode & 077) && fchmod(fd, mode) < 0) /* no umask takes the owner's bits */
		r = -errno;
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, tmp, 0);
	return r;
}

int io_create_at(int dirfd, const char *name, mode_t mode, const void *data, size_t n)
{
	fd_auto int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				mode);

	return fd < 0 ? -errno : io_write_all(fd, data, n);
}

static int fill_and_seal(int fd, const char *data, size_t n)
{
	/* pwrite: the read position stays 0 */
	for (size_t done = 0; done < n;) {
		ssize_t r = pwrite(fd, data + done, n - done, (off_t) done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		done += (size_t) r;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

int io_memfd(const char *name, const void *data, size_t n)
{
	/* Without MFD_EXEC, kernels since 6.3 may make it non-executable (sysctl vm.memfd_noexec). */
	fd_auto int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	int r;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = fill_and_seal(fd, data, n);
	return r < 0 ? r : fd_take(&fd);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: whoever opens closes. An fd that is not open is -EBADF. */
#ifndef KAVACH_BASE_FD_H
#define KAVACH_BASE_FD_H

#include <errno.h>
#include <sys/types.h>

#include "base/err.h"

/* fd_close: closes fd if it is >= 0, keeps errno; returns -EBADF for `fd = fd_close(fd)`. */
int fd_close(int fd);

static inline void fd_closep(int *fd)
{
	if (*fd >= 0)
		*fd = fd_close(*fd);
}
#define fd_auto __attribute__((cleanup(fd_closep)))

/* fd_close_all: closes those of n descriptors that are >= 0 and sets all to -EBADF, with one system call for each run of
 * neighbours rather than one for each descriptor. Sorts the list. */
void fd_close_all(int *fds, size_t n);

/* fd_take: hands the descriptor over to the caller. */
static inline int fd_take(int *fd)
{
	int r = *fd;

	*fd = -EBADF;
	return r;
}

/* fd_cloexec: sets or clears FD_CLOEXEC. Returns 0 or -errno. */
int fd_cloexec(int fd, int on);

/* fd_send: one message with one byte or more of payload and n (at most 16) descriptors attached.
 * Works on stream and seqpacket AF_UNIX sockets. Returns 0 or -errno. */
int fd_send(int sock, const void *data, size_t len, const int *fds, size_t n);
/* fd_recv: one message; received descriptors are close-on-exec. *ret_n is their number (at most max;
 * more than max are closed and make it -EMSGSIZE). Returns bytes received or -errno. */
ssize_t fd_recv(int sock, void *data, size_t len, int *fds, size_t max, size_t *ret_n);

/* unix_connect: connects a SOCK_STREAM AF_UNIX socket to path, of any length (long ones through
 * /proc/self/fd). Returns a cloexec fd or -errno with *e set. */
int unix_connect(const char *path, struct err *e);
/* unix_connect_at / unix_listen_at: the same for a name in a directory that is open, with a socket of this type
 * (SOCK_STREAM, SOCK_SEQPACKET). */
int unix_connect_at(int dirfd, const char *name, int type, struct err *e);
int unix_listen_at(int dirfd, const char *name, int type, struct err *e);

#endif

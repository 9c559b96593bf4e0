/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: closing, flags, passing them over sockets, and AF_UNIX addresses of any length. */
#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/sys.h"

#define SEND_MAX 16
#define KERNEL_MAX 253 /* SCM_MAX_FD: no message can carry more */

int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd); /* Linux frees the number even on EINTR: never twice */
	errno = saved;
	return -EBADF;
}

static int by_number(const void *x, const void *y)
{
	int a = *(const int *) x, b = *(const int *) y;

	return (a > b) - (a < b);
}

static void close_run(int first, int last)
{
	if (first < last && sys_close_range((unsigned) first, (unsigned) last, 0) == 0)
		return;
	for (int fd = first; fd <= last; fd++)
		close(fd);
}

void fd_close_all(int *fds, size_t n)
{
	int saved = errno, first = -1, last = -1;

	if (n > 1)
		qsort(fds, n, sizeof(*fds), by_number);
	for (size_t i = 0; i < n; i++) {
		int fd = fds[i];

		fds[i] = -EBADF;
		if (fd < 0 || fd == last)
			continue;
		if (last >= 0 && fd != last + 1) {
			close_run(first, last);
			last = -1;
		}
		if (last < 0)
			first = fd;
		last = fd;
	}
	if (last >= 0)
		close_run(first, last);
	errno = saved;
}

int fd_cloexec(int fd, int on)
{
	int flags = fcntl(fd, F_GETFD), want;

	if (flags < 0)
		return -errno;
	want = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	if (want != flags && fcntl(fd, F_SETFD, want) < 0)
		return -errno;
	return 0;
}

int fd_send(int sock, const void *data, size_t len, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(SEND_MAX * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = (void *) (uintptr_t) data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t r;

	/* Without payload, a stream socket would not carry the descriptors at all. */
	if (len == 0 || n > SEND_MAX)
		return -EINVAL;
	if (n) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	do
		r = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	/* A stream socket may take less than all; the descriptors went with the first byte. */
	for (size_t done = (size_t) r; done < len; done += (size_t) r) {
		r = send(sock, (const char *) data + done, len - done, MSG_NOSIGNAL);
		if (r < 0 && errno == EINTR)
			r = 0;
		else if (r < 0)
			return -errno;
	}
	return 0;
}

/* Takes the descriptors out of a message, so that every one has an owner before anything is judged. */
static size_t take_fds(struct msghdr *msg, int *got)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t k;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < k && n < KERNEL_MAX; i++)
			memcpy(&got[n++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return n;
}

ssize_t fd_recv(int sock, void *data, size_t len, int *fds, size_t max, size_t *ret_n)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(KERNEL_MAX * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = data, .iov_len = len};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	int got[KERNEL_MAX];
	ssize_t r;
	size_t n;

	do
		r = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	n = take_fds(&msg, got);
	if (n > max || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		while (n > 0)
			fd_close(got[--n]);
		return -EMSGSIZE;
	}
	if (n)
		memcpy(fds, got, n * sizeof(int));
	*ret_n = n;
	return r;
}

static int unix_socket(int type, struct err *e)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? err_sys(e, "make a unix socket") : fd;
}

static int connect_to(const struct sockaddr_un *sa, const char *shown, int type, struct err *e)
{
	fd_auto int sock = unix_socket(type, e);
	int r;

	if (sock < 0)
		return sock;
	do
		r = connect(sock, (const struct sockaddr *) sa, sizeof(*sa));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, "connect to socket %s", shown);
	return fd_take(&sock);
}

/* Through an O_PATH descriptor of the socket itself: no length limit, and it cannot be exchanged. */
static int connect_fd(int fd, const char *shown, int type, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d", fd);
	return connect_to(&sa, shown, type, e);
}

int unix_connect(const char *path, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	fd_auto int fd = -EBADF;

	if (strlen(path) < sizeof(sa.sun_path)) {
		memcpy(sa.sun_path, path, strlen(path) + 1);
		return connect_to(&sa, path, SOCK_STREAM, e);
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open socket %s", path);
	return connect_fd(fd, path, SOCK_STREAM, e);
}

int unix_connect_at(int dirfd, const char *name, int type, struct err *e)
{
	fd_auto int fd = openat(dirfd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(e, "open socket %s", name);
	return connect_fd(fd, name, type, e);
}

int unix_listen_at(int dirfd, const char *name, int type, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	fd_auto int sock = -EBADF;
	int n;

	if (dirfd == AT_FDCWD)
		n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", name);
	else
		n = snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	if (n < 0 || (size_t) n >= sizeof(sa.sun_path))
		return err_set(e, -ENAMETOOLONG, "listen on socket %s: the name is too long", name);
	sock = unix_socket(type, e);
	if (sock < 0)
		return sock;
	if (bind(sock, (const struct sockaddr *) &sa, sizeof(sa)) < 0)
		return err_sys(e, "make socket %s", name);
	if (listen(sock, SOMAXCONN) < 0)
		return err_sys(e, "listen on socket %s", name);
	return fd_take(&sock);
}

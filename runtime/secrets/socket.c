/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service behind an AF_UNIX stream socket: we write one line, the secret's name, a blank and the container's id; it
 * answers with the secret and closes. There is nothing to parse: an answer is what came until the end, none is a refusal.
 * The service has to be root's, or the caller's own: anybody else's could hand out anything under the name.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "secrets/secrets.h"

static int check_peer(int fd, const char *path, struct err *e)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return err_sys(e, "%s: asking who listens", path);
	if (peer.uid != 0 && peer.uid != sys_euid())
		return err_set(e, -EPERM, "%s: user %u listens, expected root", path,
			       (unsigned) peer.uid);
	return 0;
}

/* Without waiting for one whose queue is full: it would be full again. */
static int connect_to(const char *path, int64_t deadline, struct err *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	fd_auto int fd = -EBADF;

	if (strlen(path) >= sizeof(to.sun_path))
		return err_set(e, -ENAMETOOLONG, "%s: a socket's path has at most %zu bytes", path,
			       sizeof(to.sun_path) - 1);
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "%s: making a socket", path);
	while (connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0) {
		struct timespec pause = {.tv_nsec = 10000000};

		if (errno != EAGAIN && errno != EINTR)
			return err_sys(e, "%s: connecting", path);
		/* the queue of a stream socket is full, and nothing tells when it is not */
		if (source_now_ms() >= deadline)
			return err_set(e, -ETIMEDOUT, "%s: nobody accepts for %d s", path,
				       SOURCE_SECONDS);
		nanosleep(&pause, NULL);
	}
	return fd_take(&fd);
}

ssize_t source_socket(const struct source *s, struct err *e)
{
	const char *path = s->secret->from.v[0];
	int64_t deadline = source_now_ms() + SOURCE_SECONDS * 1000;
	fd_auto int fd = connect_to(path, deadline, e);
	char line[1200];
	ssize_t r;
	int n;

	if (fd < 0)
		return fd;
	r = check_peer(fd, path, e);
	if (r < 0)
		return r;
	n = snprintf(line, sizeof(line), "%s %s\n", s->secret->name, s->id);
	/* in one piece: the buffer of a new socket is empty */
	if (send(fd, line, (size_t) n, MSG_NOSIGNAL) != n)
		return err_sys(e, "%s: asking", path);
	(void) shutdown(fd, SHUT_WR);
	r = source_read(fd, s, deadline);
	switch (r) {
	case -ETIMEDOUT:
		return err_set(e, -ETIMEDOUT, "%s: no complete answer within %d s", path,
			       SOURCE_SECONDS);
	case -EFBIG:
		return err_set(e, -EFBIG, "%s: the answer is more than %zu bytes", path, s->room);
	case -ENODATA: return err_set(e, -ENODATA, "%s: closed without an answer", path);
	default: return r < 0 ? err_neg(e, (int) r, "%s: reading the answer", path) : r;
	}
}

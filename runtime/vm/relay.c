/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting to the broker, by kavach: the monitor is in the container's network namespace and can open nothing. Whoever listens at
 * a unix socket must be root, or the caller: what is answered is for the guest to judge, but that it can be only with a key that
 * was pinned (vm.brokerKey).
 */
#include "vm/relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"
#include "base/sys.h"

#define RULE "the site's rules: vm.broker: "

static int check_peer(int fd, const char *where, struct err *e)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return err_sys(e, RULE "%s: asking who listens", where);
	if (peer.uid != 0 && peer.uid != sys_euid())
		return err_set(e, -EPERM, RULE "%s: user %u listens, expected root", where,
			       (unsigned) peer.uid);
	return 0;
}

/* The queue of a unix socket that is full tells nobody when it is not any more. */
static int connect_unix(int fd, const char *where, struct err *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const struct timespec pause = {.tv_nsec = 20000000};

	if (strlen(where) >= sizeof(to.sun_path))
		return err_set(e, -ENAMETOOLONG, RULE "%s: a socket's path has at most %zu bytes",
			       where, sizeof(to.sun_path) - 1);
	strcpy(to.sun_path, where);
	for (int tries = RELAY_SECONDS * 50; connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0;
	     tries--) {
		if (errno != EAGAIN && errno != EINTR)
			return err_sys(e, RULE "%s: connecting", where);
		if (tries == 0)
			return err_set(e, -ETIMEDOUT, RULE "%s: nobody accepts for %d s", where,
				       RELAY_SECONDS);
		nanosleep(&pause, NULL);
	}
	return check_peer(fd, where, e);
}

static int connect_tcp(int fd, const char *where, const union addr *to, socklen_t to_n,
		       struct err *e)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t n = sizeof(int);
	int failed = 0;

	if (connect(fd, &to->any, to_n) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return err_sys(e, RULE "%s: connecting", where);
	if (poll(&p, 1, RELAY_SECONDS * 1000) == 0)
		return err_set(e, -ETIMEDOUT, RULE "%s: no connection within %d s", where,
			       RELAY_SECONDS);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) < 0)
		return err_sys(e, RULE "%s: connecting", where);
	return failed ? err_sys_at(e, failed, RULE "%s: connecting", where) : 0;
}

int relay_connect(const char *where, struct err *e)
{
	fd_auto int fd = -EBADF;
	bool path = where[0] == '/';
	socklen_t n = 0;
	union addr to;
	int r;

	to.any.sa_family = AF_UNIX;
	if (!path && addr_parse(where, &to, &n) < 0)
		return err_set_id(e, ERR_CONFIG, -EINVAL, RULE "%s: no address and port", where);
	fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, RULE "%s: making a socket", where);
	r = path ? connect_unix(fd, where, e) : connect_tcp(fd, where, &to, n, e);
	return r < 0 ? r : fd_take(&fd);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See notify.h. The protocol is sd_notify(3): datagrams of NAME=VALUE lines. */
#include "cmd/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"

#define BARRIER_MS 30000

const char *notify_wanted(void)
{
	const char *s = getenv("NOTIFY_SOCKET");

	return str_empty(s) ? NULL : s;
}

int notify_make_dir(int state_dir, struct err *e)
{
	if (mkdirat(state_dir, "notify", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "making the directory of the notify socket");
	/* any user of the container may speak */
	return fchmodat(state_dir, "notify", 0755, 0) < 0
		       ? err_sys(e, "the directory of the notify socket")
		       : 0;
}

/* The path through our own fd: state directories may be longer than a socket address holds. */
static int bind_at(int sock, int state_dir, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/notify/notify.sock",
		 state_dir);
	if (unlinkat(state_dir, "notify/notify.sock", 0) < 0 && errno != ENOENT)
		return err_sys(e, "replacing the notify socket");
	if (bind(sock, (struct sockaddr *) &sa, sizeof(sa)) < 0 ||
	    fchmodat(state_dir, "notify/notify.sock", 0777, 0) < 0)
		return err_sys(e, "making the notify socket");
	return 0;
}

int notify_bind(int state_dir, struct err *e)
{
	fd_auto int sock = -EBADF;
	int r;

	if (!notify_wanted() || faccessat(state_dir, "notify", F_OK, 0) < 0)
		return -EBADF;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_sys(e, "making the notify socket");
	r = bind_at(sock, state_dir, e);
	return r < 0 ? r : fd_take(&sock);
}

static int manager_connect(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	fd_auto int sock = -EBADF;

	if (n >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, n);
	if (path[0] == '@')
		sa.sun_path[0] = 0;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *) &sa,
				(socklen_t) (offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return -errno;
	return fd_take(&sock);
}

/* The manager closes its copy of the pipe once it has read everything before: then MAINPID is known to it. */
static int barrier(int sock)
{
	fd_auto int rd = -EBADF, wr = -EBADF;
	struct pollfd p;
	int pipe_fds[2], r;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	rd = pipe_fds[0];
	wr = pipe_fds[1];
	r = fd_send(sock, "BARRIER=1", 9, &wr, 1);
	wr = fd_close(wr);
	if (r < 0)
		return r;
	p = (struct pollfd){.fd = rd};
	return poll(&p, 1, BARRIER_MS) == 0 ? -ETIMEDOUT : 0;
}

static int tell_manager(pid_t pid)
{
	fd_auto int sock = manager_connect(notify_wanted());
	char text[64];

	if (sock < 0)
		return sock;
	if (send(sock, "READY=1\n", 8, MSG_NOSIGNAL) < 0)
		return -errno;
	snprintf(text, sizeof(text), "MAINPID=%d", (int) pid);
	if (send(sock, text, strlen(text), MSG_NOSIGNAL) < 0)
		return -errno;
	return barrier(sock);
}

static bool says_ready(char *text)
{
	char *save, *line = strtok_r(text, "\n", &save);

	for (; line; line = strtok_r(NULL, "\n", &save))
		if (str_eq(line, "READY=1"))
			return true;
	return false;
}

void notify_forward(int sock, int pidfd, pid_t pid)
{
	char text[4097];
	ssize_t n;
	int r;

	for (;;) {
		struct pollfd p[2] = {{.fd = sock, .events = POLLIN},
				      {.fd = pidfd, .events = POLLIN}};

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents & POLLIN) {
			n = recv(sock, text, sizeof(text) - 1, MSG_DONTWAIT);
			text[n > 0 ? n : 0] = 0;
			if (says_ready(text))
				break;
		} else if (p[1].revents) {
			return; /* ended without a word */
		}
	}
	r = tell_manager(pid);
	if (r < 0)
		log_warn("NOTIFY_SOCKET: telling the service manager: %s", err_errno_text(-r));
}

pid_t notify_forward_aside(int sock, int pidfd, pid_t pid)
{
	pid_t child, self = getpid();

	if (sock < 0)
		return 0;
	child = fork();
	if (child == 0) {
		/* nothing would end it, and it holds our copy of the state directory with its lock */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self)
			_exit(1);
		notify_forward(sock, pidfd, pid);
		_exit(0);
	}
	return child > 0 ? child : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a supervisor, and its loop: see watch.h. */
#include "seccomp/watch.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "seccomp/filter.h"

union request {
	struct seccomp_notif n;
	char room[512]; /* of newer kernels */
};

uint32_t watch_token(const struct seccomp_notif *n)
{
	return n->data.arch == AUDIT_ARCH_X86_64 && (uint32_t) n->data.nr & FILTER_X32_BIT
		       ? FILTER_TOKEN_X32
		       : n->data.arch;
}

static int answer_one(struct watch *w)
{
	union request req;
	union {
		struct seccomp_notif_resp r;
		char room[512];
	} resp;

	memset(&req, 0, sizeof(req));
	memset(&resp, 0, sizeof(resp));
	if (ioctl(w->listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return errno == ENOENT || errno == EINTR ? 0 : -errno;
	resp.r.id = req.n.id;
	w->answer(w, &req.n, &resp.r);
	return ioctl(w->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) < 0 && errno != ENOENT ? -errno
											  : 0;
}

static void serve(struct watch *w)
{
	struct pollfd p = {.fd = w->listener, .events = POLLIN};
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0 ||
	    sizes.seccomp_notif > sizeof(union request))
		return;
	for (;;) {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return;
		if (p.revents & POLLIN) {
			if (answer_one(w) < 0)
				return;
		} else if (p.revents) {
			return; /* nobody is under the filter any more */
		}
	}
}

/* Nothing of kavach's stays open: the engine waits for the end of its pipes, and a lock is held as long as a copy is. */
static int settle(struct watch *w)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[2];

	fds[0] = fcntl(w->listener, F_DUPFD_CLOEXEC, 5);
	fds[1] = fcntl(w->out, F_DUPFD_CLOEXEC, 5);
	if (null < 0 || fds[0] < 0 || fds[1] < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    (!w->loud && dup2(null, 2) < 0) || dup2(fds[0], 3) < 0 || dup2(fds[1], 4) < 0)
		return -errno;
	w->listener = 3;
	w->out = 4;
	return sys_close_range(5, UINT_MAX, 0);
}

static void __attribute__((noreturn)) child(struct watch *w)
{
	sigset_t none;

	/* neither the terminal's signals nor those that kavach forwards end it: calls would fail otherwise than they do */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	(void) prctl(PR_SET_NAME, w->name);
	(void) prctl(PR_SET_PDEATHSIG, 0);
	if (setsid() >= 0 && chdir("/") == 0 && settle(w) == 0) {
		if (w->begin)
			w->begin(w);
		serve(w);
	}
	_exit(0);
}

int watch_start(struct watch *w, struct err *e)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "starting a supervisor of system calls");
	if (pid == 0) {
		/* twice: nobody waits for it */
		pid = fork();
		if (pid != 0)
			_exit(pid < 0);
		child(w);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, -EAGAIN, "starting a supervisor of system calls failed");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder.
 *
 * Theory of operation: the program starts under a filter that asks a supervisor about every call, and we are it: note the
 * call, let it go on (SECCOMP_USER_NOTIF_FLAG_CONTINUE). Filters are inherited and cannot be taken off, so nothing that
 * descends from the program gets by, whatever it forks, execs or whichever ABI it calls; no tracer is in its way, and
 * neither an audit daemon nor eBPF is needed. Each call costs two switches to us and back.
 *
 * The child loads the filter and must then hand over its listener, though each call of its own waits for the listener's
 * owner already. So one call is let through: sendmsg(2) with MAGIC in the upper half of the descriptor, which the kernel
 * ignores and no program sets.
 *
 * Nothing is decided here, so it does not matter that a program can change what pointers lead to: what clone3 is asked
 * for is read from its memory only to write the profile.
 *
 * We end when all descendants have: we are their subreaper, and a call that nobody answers would not return.
 */
#include "seccomp/record.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/types.h"
#include "seccomp/filter.h"
#include "seccomp/watch.h"

#define MAGIC 0x6b617661U
#define EXIT_SETUP 125
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* ---- the child ---- */

static int load_filter(void)
{
	/* the upper half of the first argument, little- or big-endian */
	const uint32_t half = offsetof(struct seccomp_data, args) +
			      (__BYTE_ORDER == __LITTLE_ENDIAN ? 4 : 0);
	struct sock_filter prog[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filter_native(), 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, half),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAGIC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog p = {ARRAY_LEN(prog), prog};
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
			      SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);

	if (fd < 0 &&
	    errno == EINVAL) { /* before Linux 5.19: signals can make a call start twice */
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
	}
	if (fd < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
	return (int) fd;
}

/* One sendmsg(2), the one that the filter lets through. */
static long hand_over(int sock, int listener)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char byte = 'L';
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.buf,
			   .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &listener, sizeof(listener));
	return syscall(SYS_sendmsg, (uint64_t) MAGIC << 32 | (uint32_t) sock, &m, 0);
}

/* The socket is close-on-exec: what comes through it after the listener says why the program did not start. */
static void child(int sock, char *const argv[], const sigset_t *mask)
{
	int listener, code;

	sigprocmask(SIG_SETMASK, mask, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	listener = load_filter();
	if (listener < 0) {
		code = errno;
		(void) !write(sock, &code, sizeof(code));
		_exit(EXIT_SETUP);
	}
	if (hand_over(sock, listener) != 1)
		_exit(EXIT_SETUP);
	execvp(argv[0], argv);
	code = errno;
	(void) !write(sock, &code, sizeof(code));
	_exit(EXIT_SETUP);
}

/* ---- the recorder ---- */

/* The first member of struct clone_args: flags. */
uint64_t record_clone3_flags(uint32_t token, const struct seccomp_notif *n)
{
	char path[32];
	fd_auto int fd = -EBADF;
	uint64_t flags;

	if (n->data.nr != filter_call_nr(token, "clone3"))
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/mem", n->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 ||
	    pread(fd, &flags, sizeof(flags), (off_t) n->data.args[0]) != (ssize_t) sizeof(flags))
		return UINT64_MAX;
	return flags;
}

static int answer(struct record *rec, int listener, size_t size, struct err *e)
{
	union {
		struct seccomp_notif n;
		char room[512]; /* of newer kernels */
	} req;
	union {
		struct seccomp_notif_resp r;
		char room[512];
	} resp;
	uint32_t token;

	if (size > sizeof(req))
		return err_set(e, -E2BIG, "this kernel's notifications are too large");
	memset(&req, 0, sizeof(req));
	memset(&resp, 0, sizeof(resp));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return errno == ENOENT || errno == EINTR ? 0 : err_sys(e, "receive a call");
	token = watch_token(&req.n);
	record_add(rec, token, req.n.data.nr, (const uint64_t *) (const void *) req.n.data.args,
		   record_clone3_flags(token, &req.n));
	resp.r.id = req.n.id;
	resp.r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) < 0 && errno != ENOENT)
		return err_sys(e, "let a call go on"); /* ENOENT: the process is gone */
	return 0;
}

/* Ends the program and what it started that we can still name: nobody would answer them. */
static int give_up(pid_t pid, int r)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

/* Returns false when no process of ours is left. */
static bool reap(pid_t pid, int *ret_status)
{
	int status;
	pid_t p;

	while ((p = waitpid(-1, &status, WNOHANG)) > 0)
		if (p == pid)
			*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
							  : WEXITSTATUS(status);
	return p == 0;
}

static int supervise(struct record *rec, pid_t pid, int listener, int sigfd, int *ret_status,
		     struct err *e)
{
	struct pollfd p[] = {{.fd = listener, .events = POLLIN}, {.fd = sigfd, .events = POLLIN}};
	struct seccomp_notif_sizes sizes;
	struct signalfd_siginfo si;
	int r = 0;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return err_sys(e, "ask for the size of notifications");
	while (r == 0) {
		if (poll(p, ARRAY_LEN(p), -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "wait for calls");
		}
		if (p[0].revents & POLLIN)
			r = answer(rec, listener, sizes.seccomp_notif, e);
		else if (p[0].revents)
			p[0].fd = -1; /* no process has the filter any more */
		if (!(p[1].revents & POLLIN) || read(sigfd, &si, sizeof(si)) != sizeof(si))
			continue;
		if (si.ssi_signo == SIGCHLD && !reap(pid, ret_status))
			return r;
		if (si.ssi_signo != SIGCHLD)
			kill(pid, (int) si.ssi_signo);
	}
	return r;
}

/* What the child says before its program runs, or did not. */
static int take_listener(int sock, int *ret, struct err *e)
{
	size_t n = 0;
	int code = 0;
	ssize_t len = fd_recv(sock, &code, sizeof(code), ret, 1, &n);

	if (n == 1)
		return 0;
	if (len == (ssize_t) sizeof(code))
		return err_sys_at(
			e, code,
			code == EBUSY
				? "load the recording filter: another supervisor has one already"
				: "load the recording filter");
	return err_set(e, -EPROTO, "the program ended before it started");
}

static int watch(char *const argv[], struct record *rec, int sigfd, const sigset_t *mask,
		 int *ret_status, struct err *e)
{
	fd_auto int ours = -EBADF;
	fd_auto int theirs = -EBADF;
	fd_auto int listener = -EBADF;
	int pair[2], code = 0, r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a pair of sockets");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return err_sys(e, "start a process");
	if (pid == 0)
		child(theirs, argv, mask);
	theirs = fd_close(theirs);
	r = take_listener(ours, &listener, e);
	if (r == 0)
		r = supervise(rec, pid, listener, sigfd, ret_status, e);
	if (r < 0)
		return give_up(pid, r);
	if (read(ours, &code, sizeof(code)) == (ssize_t) sizeof(code))
		return err_sys_at(e, code, "start %s", argv[0]);
	return 0;
}

int record_run(char *const argv[], struct record *rec, int *ret_status, struct err *e)
{
	fd_auto int sigfd = -EBADF;
	sigset_t set, before;

	if (sizeof(long) < 8)
		return err_set(e, -ENOTSUP, "recording needs a 64-bit machine");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(e, "become the parent of orphans");
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGINT, SIG_IGN); /* the terminal sends these to the program too */
	signal(SIGQUIT, SIG_IGN);
	sigfd = signalfd(-1, &set, SFD_CLOEXEC);
	if (sigfd < 0)
		return err_sys(e, "make a signal descriptor");
	return watch(argv, rec, sigfd, &before, ret_status, e);
}

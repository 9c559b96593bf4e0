/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that prints the secret. It is started without a shell, with an environment of its own, in a session of its
 * own, with nothing open but a pipe as its output; it has to end with 0 in time. Its error output goes nowhere: it is not
 * ours to judge whether that tells the secret.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "secrets/secrets.h"

#define ARGS_MAX 64

/* Whoever can write the program decides what the secret is, and runs as us. */
static int check(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s: expected a program", path);
	if (st.st_uid != 0 && st.st_uid != sys_euid())
		return err_set(e, -EPERM, "%s: owned by user %u, expected root", path,
			       (unsigned) st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, -EPERM, "%s: others than its owner can write it (mode %04o)",
			       path, (unsigned) st.st_mode & 07777);
	return 0;
}

/* Mount sources and sockets of the stage are not close-on-exec (process.h), and are not for this program. */
static void close_others(void)
{
	if (sys_close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	/* before Linux 5.11, or filtered */
	for (int fd = 3; fd < 65536; fd++)
		(void) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void __attribute__((noreturn))
become_program(const struct source *s, int null, int out, int report)
{
	static const int to_default[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD};
	char *argv[ARGS_MAX + 1] = {NULL}, name[128], id[1100];
	char *const env[] = {(char *) (uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", name, id,
			     NULL};
	const struct strs *from = &s->secret->from;
	sigset_t none;
	int err;

	for (size_t i = 0; i < from->n && i < ARGS_MAX; i++)
		argv[i] = from->v[i];
	snprintf(name, sizeof(name), "KAVACH_SECRET=%s", s->secret->name);
	snprintf(id, sizeof(id), "KAVACH_CONTAINER=%s", s->id);
	setsid();
	for (size_t i = 0; i < ARRAY_LEN(to_default); i++)
		signal(to_default[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	close_others();
	if (chdir("/") == 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(null, 2) >= 0)
		execve(from->v[0], argv, env);
	err = errno;
	(void) !write(report, &err, sizeof(err));
	_exit(127);
}

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

static ssize_t judge(const struct source *s, ssize_t n, int status, struct err *e)
{
	const char *path = s->secret->from.v[0];

	if (n == -ETIMEDOUT)
		return err_set(e, -ETIMEDOUT, "%s: ended, for it took more than %d s", path,
			       SOURCE_SECONDS);
	if (n == -EFBIG)
		return err_set(e, -EFBIG, "%s: ended, for it wrote more than %zu bytes", path,
			       s->room);
	if (status < 0)
		return err_neg(e, status, "%s: waiting for it", path);
	if (WIFSIGNALED(status))
		return err_set(e, -EIO, "%s: ended by signal %d", path, WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(e, -EIO, "%s: failed with exit status %d", path,
			       WEXITSTATUS(status));
	if (n == -ENODATA)
		return err_set(e, -ENODATA, "%s: wrote nothing", path);
	return n < 0 ? err_neg(e, (int) n, "%s: reading what it writes", path) : n;
}

/* The output has ended, or the time has: does the program end, too? */
static ssize_t finish(pid_t pid, int pidfd, ssize_t n, int64_t deadline, int *ret_status)
{
	if ((n >= 0 || n == -ENODATA) && source_wait(pidfd, POLLIN, deadline) < 0)
		n = -ETIMEDOUT;
	if (n < 0 && n != -ENODATA) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL); /* if it has not got to its setsid yet */
	}
	*ret_status = reap(pid);
	return n;
}

ssize_t source_program(const struct source *s, struct err *e)
{
	const char *path = s->secret->from.v[0];
	fd_auto int null = open("/dev/null", O_RDWR | O_CLOEXEC), pidfd = -EBADF;
	int out[2], report[2], err = 0, status = 0, r = check(path, e);
	int64_t deadline = source_now_ms() + SOURCE_SECONDS * 1000;
	ssize_t n;
	pid_t pid;

	if (r < 0)
		return r;
	if (null < 0 || pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "%s: a pipe for its output", path);
	if (pipe2(report, O_CLOEXEC) < 0) {
		r = err_sys(e, "%s: a pipe", path);
		close(out[0]);
		close(out[1]);
		return r;
	}
	pid = sys_clone3(0, -EBADF, &pidfd);
	if (pid == 0)
		become_program(s, null, out[1], report[1]);
	close(out[1]);
	close(report[1]);
	if (pid < 0) {
		n = err_neg(e, pid, "%s: starting it", path);
	} else if (read(report[0], &err, sizeof(err)) == (ssize_t) sizeof(err)) {
		(void) reap(pid);
		n = err_neg(e, -err, "%s: starting it", path);
	} else {
		n = finish(pid, pidfd, source_read(out[0], s, deadline), deadline, &status);
		n = judge(s, n, status, e);
	}
	close(out[0]);
	close(report[0]);
	return n;
}

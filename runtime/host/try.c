/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tries run in a child: a filter may kill whoever calls what it does not know, a device may hang whoever opens it, and
 * what a try makes (namespaces, detached mounts, a guest) ends with the child. The child gets a limit of time and takes
 * what it started along.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/try.h"

#define LIMIT_MS 10000

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Everything until the end of the pipe or the limit; -ETIMEDOUT then. */
static ssize_t read_until(int fd, char *p, size_t size, int64_t end)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	size_t n = 0;

	while (n < size) {
		int64_t left = end - now_ms();
		int r = left > 0 ? poll(&pfd, 1, (int) left) : 0;
		ssize_t got;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return -ETIMEDOUT;
		got = read(fd, p + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t) got;
	}
	return (ssize_t) n;
}

static void reap(pid_t pid, int *st)
{
	while (waitpid(pid, st, 0) < 0 && errno == EINTR)
		;
}

void try_child_begin(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

void see_real(const struct look *l, enum sight what, const char *arg, struct seen *ret)
{
	pid_t parent = getpid(), pid;
	struct seen s = {.r = -EAGAIN};
	ssize_t n;
	int p[2], st;

	*ret = s;
	if (pipe2(p, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		try_child_begin(parent);
		close(p[0]);
		s.r = 0;
		tries[what](l, arg, &s);
		s.text[sizeof(s.text) - 1] = '\0';
		text_clean(s.text);
		(void) io_write_all(p[1], &s, sizeof(s));
		_exit(0);
	}
	close(p[1]);
	if (pid > 0) {
		n = read_until(p[0], (char *) &s, sizeof(s), now_ms() + LIMIT_MS);
		if (n == sizeof(s))
			*ret = s;
		else
			ret->r = n == -ETIMEDOUT ? -ETIMEDOUT : -ECHILD;
		(void) kill(pid, SIGKILL);
		reap(pid, &st);
	}
	close(p[0]);
}

int try_program(char *const argv[], char *text, size_t size, bool errors)
{
	pid_t parent = getpid(), pid;
	ssize_t n;
	int p[2], st = 0, null;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		try_child_begin(parent);
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (dup2(null, STDIN_FILENO) < 0 || dup2(errors ? null : p[1], STDOUT_FILENO) < 0 ||
		    dup2(errors ? p[1] : null, STDERR_FILENO) < 0)
			_exit(127);
		/* what is open for others (a container's stage, in an error's hint) is not for this program */
		(void) sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execv(argv[0], argv);
		_exit(127);
	}
	close(p[1]);
	n = pid > 0 ? io_read_full(p[0], text, size - 1) : -EAGAIN;
	close(p[0]);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (pid < 0)
		return -EAGAIN;
	reap(pid, &st);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128;
}

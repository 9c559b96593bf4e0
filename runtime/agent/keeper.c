/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's side of kavach-keeper (keeper/proto.h): starting it, and asking. It is a part of the guest like the agent and
 * answers at once, so it is waited for; the limit is for one that has hung itself up over what came from the host.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "keeper/proto.h"

#define SECONDS 30 /* an emulated processor takes its time for a key */

static const char *find(struct agent *a, struct arena *tmp)
{
	char self[4096];
	ssize_t n;
	char *slash;

	if (a->guest)
		return KEEPER_PATH;
	/* as an ordinary process: beside our own program */
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return KEEPER_NAME;
	*slash = '\0';
	return arena_printf(tmp, "%s/" KEEPER_NAME, self);
}

static void __attribute__((noreturn)) run(const char *path, int fd)
{
	char number[24];
	char *argv[] = {(char *) (uintptr_t) KEEPER_NAME, number, NULL};
	char *env[] = {NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	num_fmt_u64(number, (uint64_t) fd);
	if (fcntl(fd, F_SETFD, 0) == 0)
		execve(path, argv, env);
	_exit(127);
}

static int get(int fd, uint8_t *type, void *p, size_t room, size_t *ret_n)
{
	uint8_t head[KEEPER_HEAD];
	uint32_t n;

	if (io_read_full(fd, head, sizeof(head)) != (ssize_t) sizeof(head))
		return -EPIPE;
	n = head[1] | (uint32_t) head[2] << 8 | (uint32_t) head[3] << 16 | (uint32_t) head[4] << 24;
	if (n > room || io_read_full(fd, p, n) != (ssize_t) n)
		return -EPROTO;
	*type = head[0];
	*ret_n = n;
	return 0;
}

int keeper_start(struct agent *a, struct err *e)
{
	const struct timeval limit = {.tv_sec = SECONDS};
	fd_auto int ours = -EBADF, theirs = -EBADF;
	arena_auto tmp = {0};
	const char *path = find(a, &tmp);
	uint8_t type = 0;
	int v[2];
	pid_t pid;
	size_t n;

	if (access(path, X_OK) < 0)
		return err_sys(e,
			       "secrets from a broker need " KEEPER_NAME
			       ", which this guest's initrd does not have: %s",
			       path);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, v) < 0)
		return err_sys(e, "making a socket for " KEEPER_NAME);
	ours = v[0];
	theirs = v[1];
	if (setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(ours, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return err_sys(e, "making a socket for " KEEPER_NAME);
	pid = fork();
	if (pid == 0)
		run(path, theirs);
	if (pid < 0)
		return err_sys(e, "starting " KEEPER_NAME);
	theirs = fd_close(theirs);
	a->key.v = arena_alloc(&a->a, KEEPER_KEY_LEN);
	if (get(ours, &type, a->key.v, KEEPER_KEY_LEN, &n) < 0 || type != KEEPER_KEY ||
	    n != KEEPER_KEY_LEN)
		return err_set(e, -EPIPE, KEEPER_NAME " did not make a key");
	a->key.n = n;
	a->keeper = fd_take(&ours);
	return 0;
}

int keeper_ask(struct agent *a, uint8_t type, const void *p, size_t n, uint8_t want, void *ret,
	       size_t room, size_t *ret_n, struct err *e)
{
	uint8_t head[KEEPER_HEAD] = {type, (uint8_t) n, (uint8_t) (n >> 8), (uint8_t) (n >> 16),
				     (uint8_t) (n >> 24)};
	uint8_t got = 0;
	int r;

	if (a->keeper < 0)
		return err_set(e, -EPIPE, KEEPER_NAME " has ended");
	if (n > KEEPER_FRAME_MAX || io_write_all(a->keeper, head, sizeof(head)) < 0 ||
	    io_write_all(a->keeper, p, n) < 0)
		r = -EPIPE;
	else
		r = get(a->keeper, &got, ret, room, ret_n);
	if (r == 0 && got == want)
		return 0;
	if (r == 0 && got == KEEPER_FAIL)
		return err_set(e, -EACCES, "%.*s", (int) *ret_n, (const char *) ret);
	a->keeper = fd_close(a->keeper);
	return err_set(e, -EPIPE, KEEPER_NAME " did not answer");
}

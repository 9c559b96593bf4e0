/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One hook after the other.
 *
 * Theory of operation. stdin is a sealed memory file with the state: a hook that does not read it, or closes it early,
 * can neither block us nor get us a SIGPIPE. stdout and stderr are pipes that we read until the hook itself ends, not
 * until their end of file, which a daemon that a hook leaves behind would delay for ever; of each the last
 * TAIL_MAX bytes are kept for the message. The hook is a process group of its own, so that a timeout ends all of it;
 * the group is killed before the hook is reaped, as long as its number cannot belong to anybody else. Why a hook could
 * not be executed comes back over a close-on-exec pipe. No /proc is needed, and between fork and exec nothing but
 * system calls happens, so this works in the stage as well.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/errcat.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "hooks/hooks.h"
#include "policy/names.h"

#define TAIL_MAX 4096
#define TAIL_SHOWN 1024 /* of it in the message, which has room for ERR_MSG_MAX */
#define ARGS_SHOWN 256

struct tail {
	int fd;	  /* our end of the pipe, -EBADF: not captured or at its end */
	size_t n; /* in text */
	char text[TAIL_MAX + 1];
};

struct hook_run {
	const struct pol_hook *hook;
	char **argv, **env;
	int in, out, err; /* the hook's */
	int report;	  /* errno of a failed exec arrives here */
	pid_t pid;
	int pidfd;
	int64_t begin_ms, end_ms;
	const struct hook_stop *stop;
	bool timed_out;
	const char *stopped; /* why it was ended though it was in time */
	int status;	     /* of waitpid */
	struct tail tail[2];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the hook's side ---- */

static void close_between(unsigned first, unsigned last)
{
	if (first > last || sys_close_range(first, last, 0) == 0)
		return;
	/* Before 5.9, or filtered. Our own are close-on-exec; what a caller passes to the container has low numbers. */
	for (unsigned fd = first; fd <= last && fd < 65536; fd++)
		close((int) fd);
}

/* Nothing but 0, 1, 2 and the report pipe reaches the hook. */
static void close_others(unsigned report)
{
	close_between(report + 1, UINT_MAX);
	close_between(3, report - 1);
}

static void __attribute__((noreturn)) become_hook(const struct hook_run *h, int report)
{
	static const int to_default[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD};
	const int fds[3] = {h->in, h->out, h->err};
	sigset_t none;
	int err, moved[3];

	setpgid(0, 0);
	for (size_t i = 0; i < ARRAY_LEN(to_default); i++)
		signal(to_default[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* First out of the way of 0, 1, 2, then there: the numbers may cross. */
	for (int i = 0; i < 3; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (moved[i] < 0)
			goto fail;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(moved[i], i) < 0)
			goto fail;
	close_others((unsigned) report);
	execve(h->hook->path, h->argv, h->env);
fail:
	err = errno;
	(void) !write(report, &err, sizeof(err));
	_exit(127);
}

/* ---- our side ---- */

static void tail_add(struct tail *t, const char *p, size_t n)
{
	if (n > TAIL_MAX) {
		p += n - TAIL_MAX;
		n = TAIL_MAX;
	}
	if (t->n + n > TAIL_MAX) {
		size_t drop = t->n + n - TAIL_MAX;

		memmove(t->text, t->text + drop, t->n - drop);
		t->n -= drop;
	}
	memcpy(t->text + t->n, p, n);
	t->n += n;
	t->text[t->n] = '\0';
}

/* What is in the pipe now. */
static void tail_read(struct tail *t)
{
	char part[TAIL_MAX];
	ssize_t n;

	while (t->fd >= 0) {
		n = read(t->fd, part, sizeof(part));
		if (n > 0)
			tail_add(t, part, (size_t) n);
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno == EAGAIN)
			return;
		else
			t->fd = fd_close(t->fd);
		if (n > 0 && (size_t) n < sizeof(part))
			return; /* a hook that writes faster than we read must not keep us from its timeout */
	}
}

/* How long poll may wait: until the timeout, in pieces that fit an int. */
static int wait_ms(const struct hook_run *h)
{
	int64_t left;

	if (h->hook->timeout == 0)
		return -1;
	/* 10^9 s are 31 years; more would overflow */
	left = h->begin_ms +
	       (int64_t) (h->hook->timeout < 1000000000 ? h->hook->timeout : 1000000000) * 1000 -
	       now_ms();
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int) left;
}

static void look_at_stop(struct hook_run *h, const struct pollfd *ended, const struct pollfd *sig)
{
	if (ended->revents)
		h->stopped = "the container's process has ended";
	else if (sig->revents && sys_stop_signal(sig->fd) > 0)
		h->stopped = "kavach was told to end";
}

static int follow_hook(struct hook_run *h)
{
	struct pollfd p[5] = {
		{.fd = h->pidfd, .events = POLLIN},
		{.events = POLLIN},
		{.events = POLLIN},
		{.fd = h->stop ? h->stop->ended_fd : -1, .events = POLLIN},
		{.fd = h->stop ? h->stop->signal_fd : -1, .events = POLLIN},
	};

	for (;;) {
		int ms = wait_ms(h), r;

		for (int i = 0; i < 2; i++)
			p[1 + i].fd = h->tail[i].fd; /* negative ones are ignored */
		r = poll(p, 5, ms);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0) {
			if (h->hook->timeout && wait_ms(h) == 0) {
				h->timed_out = true;
				return 0;
			}
			continue;
		}
		for (int i = 0; i < 2; i++)
			if (p[1 + i].revents)
				tail_read(&h->tail[i]);
		if (p[0].revents)
			return 0;
		look_at_stop(h, &p[3], &p[4]);
		if (h->stopped)
			return 0;
		if (h->hook->timeout && wait_ms(h) == 0) {
			h->timed_out = true;
			return 0;
		}
	}
}

static int reap(struct hook_run *h)
{
	int r = 0;

	if (h->timed_out || h->stopped) {
		kill(-h->pid, SIGKILL);
		kill(h->pid, SIGKILL); /* if it has not got to its setpgid yet, or left the group */
	}
	while (waitpid(h->pid, &h->status, 0) < 0) {
		if (errno == EINTR)
			continue;
		r = -errno; /* SIGCHLD is ignored: how it ended is not known, so it did not succeed */
		break;
	}
	h->end_ms = now_ms();
	for (int i = 0; i < 2; i++)
		tail_read(&h->tail[i]);
	return r;
}

/* A pipe for one of the hook's outputs, unless the caller has a place for it. */
static int make_output(int given, struct tail *t, int *ret_theirs)
{
	int p[2];

	if (given >= 0) {
		*ret_theirs = given;
		return 0;
	}
	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(p[0], F_SETFL, O_NONBLOCK) < 0) {
		int r = -errno;

		close(p[0]);
		close(p[1]);
		return r;
	}
	t->fd = p[0];
	*ret_theirs = p[1];
	return 0;
}

static int start_hook(struct hook_run *h)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	h->report = p[0];
	h->begin_ms = now_ms();
	h->pid = fork();
	if (h->pid == 0)
		become_hook(h, p[1]);
	if (h->pid < 0) {
		int r = -errno;

		close(p[1]);
		return r;
	}
	close(p[1]);
	setpgid(h->pid, h->pid); /* whoever of both comes first; refused after the exec */
	h->pidfd = sys_pidfd_open(h->pid, 0);
	return h->pidfd < 0 ? h->pidfd : 0;
}

/* 0, or the -errno of its execve. */
static int exec_result(const struct hook_run *h)
{
	int err = 0;
	ssize_t n = io_read_full(h->report, &err, sizeof(err));

	return n == sizeof(err) && err > 0 ? -err : 0;
}

/* ---- what is said about it ---- */

/* " (a b c)", cut to what a message has room for */
static void show_args(const struct pol_hook *h, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 1; i < h->args.n && n < size; i++)
		n += (size_t) snprintf(buf + n, size - n, "%s%s", i == 1 ? " (" : " ",
				       h->args.v[i]);
	if (n >= size - 1)
		memcpy(buf + size - sizeof("...)"), "...)", sizeof("...)"));
	else if (n)
		memcpy(buf + n, ")", 2);
}

static const char *shown_tail(struct tail *t)
{
	while (t->n > 0 && (t->text[t->n - 1] == '\n' || t->text[t->n - 1] == ' '))
		t->text[--t->n] = '\0';
	/* a NUL in the output would hide the rest */
	for (size_t i = 0; i < t->n; i++)
		if (t->text[i] == '\0')
			t->text[i] = '?';
	return t->n > TAIL_SHOWN ? t->text + t->n - TAIL_SHOWN : t->text;
}

static int explain(struct hook_run *h, enum hook_phase phase, size_t i, struct err *e)
{
	const char *name = hook_phases[phase].name, *path = h->hook->path;
	const char *out = shown_tail(&h->tail[0]), *err = shown_tail(&h->tail[1]);
	char args[ARGS_SHOWN], how[96];
	const char *tail = *err ? err : out, *which = *err   ? "; stderr: "
						      : *out ? "; stdout: "
							     : "";
	int64_t ms = h->end_ms - h->begin_ms;

	if (h->stopped) {
		snprintf(how, sizeof(how), "stopped after %lld ms: %s", (long long) ms, h->stopped);
	} else if (h->timed_out) {
		snprintf(how, sizeof(how), "hook ran past specified timeout of %llus",
			 (unsigned long long) h->hook->timeout);
	} else if (WIFSIGNALED(h->status)) {
		const char *sig = name_of(signal_names, signal_names_n, WTERMSIG(h->status));

		snprintf(how, sizeof(how), "killed by signal %d (%s) after %lld ms",
			 WTERMSIG(h->status), sig ? sig : "?", (long long) ms);
	} else {
		snprintf(how, sizeof(how), "exit status %d after %lld ms", WEXITSTATUS(h->status),
			 (long long) ms);
	}
	show_args(h->hook, args, sizeof(args));
	return err_set_id(e, ERR_HOOK, h->timed_out ? -ETIMEDOUT : -ECANCELED,
			  ERRCAT_HOOK ": %s%s: %s%s%s", name, i, path, args, how, which, tail);
}

static void close_run(struct hook_run *h, int out_fd, int err_fd)
{
	fd_close(h->in);
	if (out_fd < 0)
		fd_close(h->out);
	if (err_fd < 0)
		fd_close(h->err);
	fd_close(h->report);
	fd_close(h->pidfd);
	fd_close(h->tail[0].fd);
	fd_close(h->tail[1].fd);
}

/* From the pipes to the reaped hook. -errno: we could not run it at all. */
static int perform(struct hook_run *h, const char *state, size_t state_len, int out_fd, int err_fd)
{
	int r, reaped;

	h->in = io_memfd("state", state, state_len);
	if (h->in < 0)
		return h->in;
	r = make_output(out_fd, &h->tail[0], &h->out);
	if (r == 0)
		r = make_output(err_fd, &h->tail[1], &h->err);
	if (r == 0)
		r = start_hook(h);
	/* Our copies of its ends, so that a pipe's end is seen. */
	if (out_fd < 0)
		h->out = fd_close(h->out);
	if (err_fd < 0)
		h->err = fd_close(h->err);
	if (h->pid <= 0)
		return r;
	if (r == 0)
		r = follow_hook(h);
	if (r < 0)
		h->timed_out = true; /* cannot be followed, so must not go on */
	reaped = reap(h);
	if (r == 0)
		r = reaped;
	return r < 0 ? r : exec_result(h);
}

static char **list_of(const struct strs *l, struct arena *a)
{
	char **v = arena_array(a, l->n + 1, sizeof(*v));

	if (l->n)
		memcpy(v, l->v, l->n * sizeof(*v));
	return v;
}

static int run_one(enum hook_phase phase, size_t i, const struct pol_hook *hook, const char *state,
		   size_t state_len, char *const env[], int out_fd, int err_fd,
		   const struct hook_stop *stop, struct err *e)
{
	static char *empty[] = {NULL};
	arena_auto a = {0};
	struct hook_run *h = arena_new(&a, struct hook_run);
	int r;

	*h = (struct hook_run){.hook = hook,
			       .stop = stop,
			       .in = -EBADF,
			       .out = -EBADF,
			       .err = -EBADF,
			       .report = -EBADF,
			       .pidfd = -EBADF};
	h->tail[0].fd = h->tail[1].fd = -EBADF;
	h->argv = list_of(&hook->args, &a);
	if (!hook->args.n) {
		h->argv = arena_array(&a, 2, sizeof(char *));
		h->argv[0] = hook->path;
	}
	/* A list that is there and empty means: no environment. */
	h->env = hook->env.set ? list_of(&hook->env, &a) : env ? (char **) (uintptr_t) env : empty;
	r = perform(h, state, state_len, out_fd, err_fd);
	if (r < 0)
		r = err_set_id(e, ERR_HOOK, r, ERRCAT_HOOK ": %s: cannot be run: %s",
			       hook_phases[phase].name, i, hook->path, err_errno_text(-r));
	else if (h->timed_out || h->stopped || h->status != 0)
		r = explain(h, phase, i, e);
	close_run(h, out_fd, err_fd);
	return r;
}

int hooks_run(enum hook_phase phase, const pol_hooks *hooks, const char *state, size_t state_len,
	      char *const env[], int out_fd, int err_fd, const struct hook_stop *stop,
	      struct err *e)
{
	for (size_t i = 0; i < hooks->n; i++) {
		int r = run_one(phase, i, &hooks->v[i], state, state_len, env, out_fd, err_fd, stop,
				e);

		if (r == 0)
			continue;
		if (hook_phases[phase].fatal)
			return r;
		log_warn("%s", e->msg);
		err_clear(e);
	}
	return 0;
}

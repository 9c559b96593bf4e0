/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor of filters that report (report.c): a process outside of the container, that lives as long as a process is
 * under the filter.
 *
 * What is denied a thousand times is one line, and some more that count: a workload must not fill the disk of the host. The line is
 * written before the call is answered, so what a program tells about its failure comes after it.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "base/sys.h"
#include "seccomp/filter.h"
#include "seccomp/report.h"

#define KINDS_MAX 256 /* different lines of one report */
#define TEXT_MAX 2048

struct kind {
	char *text;
	uint64_t times;
};

struct watch {
	const struct bytes *from;
	size_t n;
	int listener, out;
	bool loud;
	struct arena *a;
	struct kind kind[KINDS_MAX];
	size_t n_kinds;
	bool full;
};

/* ---- who it was ---- */

static size_t read_proc(uint32_t pid, const char *name, char *text, size_t room)
{
	char path[64];
	fd_auto int fd = -EBADF;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, room - 1);
	n = n < 0 ? 0 : n;
	text[n] = 0;
	return (size_t) n;
}

/* The last number of NSpid: is the one in the container. */
static uint64_t inner_pid(uint32_t pid)
{
	char text[4096], *line, *end;
	uint64_t ret;

	read_proc(pid, "status", text, sizeof(text));
	line = strstr(text, "\nNSpid:");
	if (!line)
		return pid;
	end = strchr(line + 1, '\n');
	if (end)
		*end = 0;
	line = strrchr(line, '\t');
	return line && num_parse_u64(line + 1, UINT32_MAX, &ret) == 0 ? ret : pid;
}

static void put_who(struct buf *b, uint32_t pid)
{
	char comm[64], exe[PATH_MAX], path[64];
	size_t n = read_proc(pid, "comm", comm, sizeof(comm));
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	len = readlink(path, exe, sizeof(exe));
	report_quote(b, comm, n && comm[n - 1] == '\n' ? n - 1 : n, false);
	if (len > 0) {
		report_put(b, " (");
		report_quote(b, exe, (size_t) len, false);
		report_put(b, ")");
	}
}

/* ---- lines ---- */

static void say(const struct watch *w, uint32_t pid, const char *text, uint64_t times)
{
	buf_auto b = BUF_WRITER(2 * TEXT_MAX);
	time_t now = time(NULL);
	struct tm tm;
	uint64_t inner = pid ? inner_pid(pid) : 0;

	gmtime_r(&now, &tm);
	report_put(&b, "%04d-%02d-%02dT%02d:%02d:%02dZ ", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (pid)
		report_put(&b, "pid %llu ", (unsigned long long) inner);
	if (pid && inner != pid)
		report_put(&b, "(%u outside) ", pid);
	report_put(&b, "%s", text);
	if (times > 1)
		report_put(&b, ", %llu times so far", (unsigned long long) times);
	report_put(&b, "\n");
	if (b.bad)
		return;
	(void) io_write_all(w->out, b.p, b.n);
	if (w->loud) {
		(void) io_write_all(2, "kavach: ", 8);
		(void) io_write_all(2, b.p, b.n);
	}
}

static bool is_round(uint64_t n)
{
	while (n % 10 == 0)
		n /= 10;
	return n == 1;
}

static void note(struct watch *w, uint32_t pid, const char *text)
{
	for (size_t i = 0; i < w->n_kinds; i++)
		if (str_eq(w->kind[i].text, text)) {
			if (is_round(++w->kind[i].times))
				say(w, pid, text, w->kind[i].times);
			return;
		}
	if (w->n_kinds < KINDS_MAX) {
		w->kind[w->n_kinds++] = (struct kind){arena_strdup(w->a, text), 1};
		say(w, pid, text, 1);
	} else if (!w->full) {
		w->full = true;
		say(w, 0, "more kinds of calls are denied than this report can hold", 1);
	}
}

/* ---- answers ---- */

union request {
	struct seccomp_notif n;
	char room[512]; /* of newer kernels */
};

static void describe(struct watch *w, const struct seccomp_notif *n, uint32_t token, int err)
{
	buf_auto b = BUF_WRITER(TEXT_MAX);
	struct arena a = {0};

	put_who(&b, n->pid);
	report_put(&b, ": ");
	report_call(&b, token, n->data.nr, (const uint64_t *) (const void *) n->data.args, n->pid,
		    &a);
	report_put(&b, " is denied: %s", report_errno_name(err, &a));
	buf_put(&b, "", 1);
	/* the process may be gone, and its number another's: then nothing of this is true */
	if (!b.bad && ioctl(w->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n->id) == 0)
		note(w, n->pid, (const char *) b.p);
	arena_free(&a);
}

static int answer(struct watch *w)
{
	union request req;
	union {
		struct seccomp_notif_resp r;
		char room[512];
	} resp;
	const struct seccomp_notif *n = &req.n;
	uint32_t token;

	memset(&req, 0, sizeof(req));
	memset(&resp, 0, sizeof(resp));
	if (ioctl(w->listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return errno == ENOENT || errno == EINTR ? 0 : -errno;
	token = n->data.arch == AUDIT_ARCH_X86_64 && (uint32_t) n->data.nr & FILTER_X32_BIT
			? FILTER_TOKEN_X32
			: n->data.arch;
	resp.r.id = n->id;
	resp.r.error = -report_errno(w->from, w->n, n->data.arch, n->data.nr,
				     (const uint64_t *) (const void *) n->data.args);
	describe(w, n, token, -resp.r.error);
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
			if (answer(w) < 0)
				return;
		} else if (p.revents) {
			return; /* nobody is under the filter any more */
		}
	}
}

/* ---- the process ---- */

/* Nothing of kavach's stays open: the engine waits for the end of its pipes, and a lock is held as long as a copy is. */
static int settle(int *listener, int *out, bool loud)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[2];

	fds[0] = fcntl(*listener, F_DUPFD_CLOEXEC, 5);
	fds[1] = fcntl(*out, F_DUPFD_CLOEXEC, 5);
	if (null < 0 || fds[0] < 0 || fds[1] < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    (!loud && dup2(null, 2) < 0) || dup2(fds[0], 3) < 0 || dup2(fds[1], 4) < 0)
		return -errno;
	*listener = 3;
	*out = 4;
	return sys_close_range(5, UINT_MAX, 0);
}

static void __attribute__((noreturn)) child(struct watch *w)
{
	sigset_t none;

	/* neither the terminal's signals nor those that kavach forwards end it: calls would fail otherwise than they do */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	(void) prctl(PR_SET_NAME, "kavach-denied");
	(void) prctl(PR_SET_PDEATHSIG, 0);
	if (setsid() >= 0 && chdir("/") == 0 && settle(&w->listener, &w->out, w->loud) == 0)
		serve(w);
	_exit(0);
}

int report_start(const struct bytes *from, size_t n, int listener, int out, bool loud,
		 struct err *e)
{
	struct arena a = {0};
	struct watch *w;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "starting the report of denied calls");
	if (pid == 0) {
		/* twice: nobody waits for it */
		pid = fork();
		if (pid != 0)
			_exit(pid < 0);
		w = arena_new(&a, struct watch);
		*w = (struct watch){.from = from,
				    .n = n,
				    .listener = listener,
				    .out = out,
				    .loud = loud,
				    .a = &a};
		child(w);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, -EAGAIN, "starting the report of denied calls failed");
	return 0;
}

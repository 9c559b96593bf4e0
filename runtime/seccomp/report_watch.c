/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor of filters that report (report.c).
 *
 * What is denied a thousand times is one line, and some more that count: a workload must not fill the disk of the host. The line is
 * written before the call is answered, so what a program tells about its failure comes after it.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "seccomp/filter.h"
#include "seccomp/report.h"
#include "seccomp/watch.h"

#define KINDS_MAX 256 /* different lines of one report */
#define TEXT_MAX 2048

struct kind {
	char *text;
	uint64_t times;
};

struct report {
	struct watch watch;
	const struct bytes *from;
	size_t n;
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

static void say(const struct report *w, uint32_t pid, const char *text, uint64_t times)
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
	(void) io_write_all(w->watch.out, b.p, b.n);
	if (w->watch.loud) {
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

static void note(struct report *w, uint32_t pid, const char *text)
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

static void describe(struct report *w, const struct seccomp_notif *n, uint32_t token, int err)
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
	if (!b.bad && ioctl(w->watch.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n->id) == 0)
		note(w, n->pid, (const char *) b.p);
	arena_free(&a);
}

static void answer(struct watch *watch, const struct seccomp_notif *n,
		   struct seccomp_notif_resp *resp)
{
	struct report *w = (void *) ((char *) watch - offsetof(struct report, watch));

	resp->error = -report_errno(w->from, w->n, n->data.arch, n->data.nr,
				    (const uint64_t *) (const void *) n->data.args);
	describe(w, n, watch_token(n), -resp->error);
}

int report_start(const struct bytes *from, size_t n, int listener, int out, bool loud,
		 struct err *e)
{
	struct arena a = {0};
	struct report *w = arena_new(&a, struct report);
	int r;

	*w = (struct report){.watch = {.name = "kavach-denied",
				       .listener = listener,
				       .out = out,
				       .loud = loud,
				       .answer = answer},
			     .from = from,
			     .n = n,
			     .a = &a};
	r = watch_start(&w->watch, e);
	arena_free(&a);
	return r < 0 ? err_context(e, "the report of denied calls") : 0;
}

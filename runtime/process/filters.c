/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp filters of a process, as the kernel has them, against those of the policy.
 *
 * The kernel gives them to a tracer with CAP_SYS_ADMIN of the machine that is under no filter itself (ptrace(2),
 * PTRACE_SECCOMP_GET_FILTER), of a process that is stopped. PTRACE_SEIZE sends no signal that the process could notice;
 * whatever happens to us, the kernel lets it go on.
 */
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/sha256.h"
#include "base/str.h"
#include "process/inspect.h"
#include "process/process.h"
#include "seccomp/record.h"
#include "seccomp/report.h"
#include "seccomp/seccomp.h"

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

#define FILTERS_MAX 64
#define STOP_TRIES 200
#define STOP_WAIT_MS 10

struct filter {
	struct sock_filter *v;
	size_t n;
};

/* A process in an uninterruptible sleep, or in a frozen cgroup of v1, does not stop. */
static int wait_stop(pid_t pid)
{
	int status;

	for (int i = 0; i < STOP_TRIES; i++) {
		pid_t r = waitpid(pid, &status, WNOHANG | __WALL);

		if (r == pid)
			return WIFSTOPPED(status) ? 0 : -ESRCH;
		if (r < 0 && errno != EINTR)
			return -errno;
		(void) poll(NULL, 0, STOP_WAIT_MS);
	}
	return -ETIMEDOUT;
}

static int get_all(pid_t pid, struct arena *a, struct filter ret[FILTERS_MAX], size_t *ret_n)
{
	for (*ret_n = 0; *ret_n < FILTERS_MAX; (*ret_n)++) {
		struct filter *f = &ret[*ret_n];
		uintptr_t nth = *ret_n;
		long len = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *) nth, NULL);

		if (len < 0)
			return errno == ENOENT || (errno == EINVAL && *ret_n == 0) ? 0 : -errno;
		f->n = (size_t) len;
		f->v = arena_array(a, f->n, sizeof(*f->v));
		if (ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *) nth, f->v) < 0)
			return -errno;
	}
	return 0;
}

static int read_filters(pid_t pid, struct arena *a, struct filter ret[FILTERS_MAX], size_t *ret_n)
{
	int r;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return -errno;
	r = ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ? -errno : wait_stop(pid);
	if (r == 0)
		r = get_all(pid, a, ret, ret_n);
	/* not stopped: it cannot be detached from; our end does it */
	(void) ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return r;
}

static const char *digest(const void *p, size_t n, struct arena *a)
{
	uint8_t d[SHA256_LEN];
	char hex[SHA256_HEX];

	sha256(p, n, d);
	sha256_hex(d, hex);
	return arena_strndup(a, hex, 16);
}

static void compare(struct inspect *in, size_t i, const struct bytes *want, int r,
		    const struct filter *have, size_t n)
{
	const char *what = arena_printf(in->a, "filter %zu", i);
	const char *text = digest(want->v, want->n, in->a);

	if (r < 0) {
		inspect_add(in, "filters", what, INSPECT_UNSEEN, text, "?",
			    arena_printf(in->a, "reading the filters: %s", err_errno_text(-r)));
		return;
	}
	for (size_t k = 0; k < n; k++)
		if (have[k].n * sizeof(*have->v) == want->n &&
		    memcmp(have[k].v, want->v, want->n) == 0) {
			inspect_add(in, "filters", what, INSPECT_OK, text, text, NULL);
			return;
		}
	inspect_add(in, "filters", what, INSPECT_DRIFT, text,
		    n == 1 ? digest(have[0].v, have[0].n * sizeof(*have->v), in->a)
			   : arena_printf(in->a, "none of %zu", n),
		    "this program is not loaded");
	in->measured.seccomp.set = false;
	in->measured.stacked.n = 0;
}

/* What create loads, launch_seccomp(). */
static int wanted(struct box *b, const struct policy *p, struct bytes *ret, struct arena *a,
		  struct err *e)
{
	size_t n = p->stacked.n + p->seccomp.set;
	struct bytes *own = pol_reports_denied(p) ? arena_array(a, n, sizeof(*own)) : ret;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_get(i < p->stacked.n ? &p->stacked.v[i] : &p->seccomp, b->cache_dir, a,
				&own[i], e);
	if (r == 0 && pol_records_calls(p))
		record_filter(a, &ret[n]);
	return r < 0 || own == ret ? r : report_filters(own, n, ret, a, e);
}

int filters_inspect(struct box *b, pid_t pid, struct inspect *in, struct err *e)
{
	const struct policy *p = in->p;
	size_t n = pol_filters(p), have_n = 0;
	struct bytes *want = arena_array(in->a, n, sizeof(*want));
	struct filter have[FILTERS_MAX];
	int r, got;

	if (n == 0 || !p->has_process)
		return 0;
	got = read_filters(pid, in->a, have, &have_n);
	if (got == -ESRCH)
		return err_set(e, got, "process %d has ended", (int) pid);
	r = wanted(b, p, want, in->a, e);
	for (size_t i = 0; i < n && r == 0; i++)
		compare(in, i, &want[i], got, have, have_n);
	return r;
}

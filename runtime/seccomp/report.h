/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Denied calls, reported: which call it was, with what arguments, and who made it. Filters that answer a call with an errno are
 * changed so that the kernel asks us instead; we give the same errno, after we have written a line about it. A report
 * never lets a call go on: see report.c.
 */
#ifndef KAVACH_SECCOMP_REPORT_H
#define KAVACH_SECCOMP_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

struct seccomp_notif;

/* report_filters: the programs to load instead of the n of `from`, in the order in which they are loaded: ret[0] to ret[n-1]
 * are these without their errnos, ret[n] is the one that asks, and has to be loaded with a listener. Errors: the filters
 * deny what is called after they are loaded, or are too long together. */
int report_filters(const struct bytes *from, size_t n, struct bytes *ret, struct arena *a,
		   struct err *e);

/* report_check: whether the listener of one more filter can be handed over under these; -EINVAL, with `what` before the reason. */
int report_check(const struct bytes *from, size_t n, const char *what, struct err *e);

/* report_errno: what the filters (as above, before they were changed) answer to a call. */
int report_errno(const struct bytes *from, size_t n, uint32_t arch, int nr, const uint64_t *args);

/* report_start: a process of its own that answers the listener until nobody is under the filter any more. It writes lines to
 * `out`; with `loud` to standard error as well. It holds nothing else of ours. */
int report_start(const struct bytes *from, size_t n, int listener, int out, bool loud,
		 struct err *e);

/* report_call: "mount("none", "/mnt", "tmpfs", 0, NULL)": pid is that of a process whose memory can be looked at, 0 = none. Text
 * from there is quoted, and only what is printable comes through. */
void report_call(struct buf *b, uint32_t token, int nr, const uint64_t *args, uint32_t pid,
		 struct arena *a);
/* report_errno_name: "EPERM", or "errno 600". In the arena. */
const char *report_errno_name(int err, struct arena *a);
/* report_put: formatted text to the end of a buffer; report_quote: text of others in quotes. */
void report_put(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report_quote(struct buf *b, const char *s, size_t n, bool cut);

/* report_log: one line of the kernel's log or of auditd about seccomp as a line for people; false: it is about something
 * else. Source of the form: kernel/auditsc.c, audit_seccomp(). */
bool report_log(struct buf *b, const char *line, size_t n, struct arena *a);

#endif

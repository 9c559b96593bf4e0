/* SPDX-License-Identifier: Apache-2.0 */
/* What commands put into the audit log, and when a command may not go on without it. Private to cmd/. */
#ifndef KAVACH_CMD_AUDITED_H
#define KAVACH_CMD_AUDITED_H

#include "audit/audit.h"
#include "cmd/box.h"
#include "policy/rules.h"

#define AUDITED_BY "kavach " PACKAGE_VERSION
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* audited_by_rules: what the site rules ask for, if they speak of it; before anything is recorded. */
void audited_by_rules(struct globals *g, const struct rules_audit *r, bool spoken);
/* audited_by_record: the same for a container that exists; audited_note: what its record is to keep of it. */
void audited_by_record(struct globals *g, const struct state_record *r);
void audited_note(const struct globals *g, struct state_record *r);

/* audited_on: whether records are kept. The first call looks for the log: one system call when there is none. */
bool audited_on(struct globals *g);

/* audited_ready: 0 when a start may go on: records are kept, or nothing demands them. */
int audited_ready(struct globals *g, struct err *e);

/* audited: puts an event on record. rec: of the container, may be NULL. A failure is a warning, but an error where rules
 * demand the log: to be called before what must not happen unrecorded. */
int audited(struct globals *g, enum audit_event_kind kind, enum audit_outcome outcome,
	    const char *id, const struct state_record *rec, const struct audit_field *f, size_t n,
	    struct err *e);

/* audited_result: what became of something that was tried: ok, or failed because of *why (a negative r). Returns r: it is
 * done by now, so a log that cannot be written is a warning. */
int audited_result(struct globals *g, enum audit_event_kind kind, const char *id,
		   const struct state_record *rec, const struct audit_field *f, size_t n, int r,
		   const struct err *why);

/* audited_failure: the same for failures only: a configuration that was refused and a hook that failed are events of
 * their own. Returns why->code. */
int audited_failure(struct globals *g, enum audit_event_kind kind, const char *id,
		    const struct state_record *rec, const struct err *why);

/* audited_exit: a process that this command was the parent of has ended, with a status as a shell gives it; of: "run" or
 * "exec". audited_gone: the container's has ended by now, unless that is on record already; with which status, its
 * parent knows, and kavach is not resident. */
void audited_exit(struct globals *g, const struct state_record *r, const char *of, pid_t pid,
		  int status);
void audited_gone(struct globals *g, const struct state_record *r);
/* audited_oom: before the cgroup goes: how often the kernel has killed in it for want of memory, and another kernel in the
 * workload (more; -errno counts as none). */
void audited_oom(struct globals *g, const struct state_record *r, int64_t more);

/* audited_args: SHA-256 of the arguments, each with the NUL that ends it, as hex in the arena: they may hold secrets. */
char *audited_args(struct globals *g, const struct strs *args);

/* audited_secrets: "NAME file PATH, NAME env VARIABLE, NAME stdin": which secrets a process of this policy gets, and how; exec:
 * one that is added. NULL: none. In the arena. */
const char *audited_secrets(struct globals *g, const struct policy *p, bool exec);

#endif

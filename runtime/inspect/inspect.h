/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed policy against what the kernel says of the running workload.
 *
 * Theory of operation: functions here are given facts (struct seen_proc, struct inspect_world) and add rows to a report; they
 * look at nothing themselves, so a test can describe any workload. Each row has one of five verdicts. What the kernel does
 * not confirm, because it says otherwise or because it cannot be seen, is also taken out of a copy of the policy; the score
 * of this copy is the strength that was measured. It is never above the one that was decided: what a process has given up
 * by itself, the next one may still have.
 *
 * A running workload may differ from its policy for good reasons: execve(2) computes capabilities, a process may lower
 * its own limits, exec adds processes that may do more. Where the kernel's rules let the workload itself get there, that
 * is no drift; where only somebody outside, or a broken kernel, can have done it, it is.
 */
#ifndef KAVACH_INSPECT_INSPECT_H
#define KAVACH_INSPECT_INSPECT_H

#include "base/buf.h"
#include "inspect/seen.h"
#include "policy/build.h"

enum inspect_verdict {
	INSPECT_OK = 1,	  /* as the policy has it */
	INSPECT_STRICTER, /* less than the policy allows */
	INSPECT_KNOWN,	  /* another value, for a reason that is no drift; the note says which */
	INSPECT_UNSEEN,	  /* the kernel does not show it, or not to us */
	INSPECT_DRIFT,
	INSPECT_VERDICT_MAX
};
/* inspect_verdict_name: "ok", "stricter", "known", "not seen", "DRIFT". */
const char *inspect_verdict_name(enum inspect_verdict v);

struct inspect_row {
	const char *group; /* "namespaces" */
	const char *what;  /* "pid" */
	const char *policy, *kernel;
	const char *note; /* NULL, or why */
	enum inspect_verdict verdict;
	pid_t pid; /* of another process than the one that was inspected; else 0 */
};

struct inspect {
	const struct policy *p; /* as sealed, with what `update` has changed since */
	struct policy measured; /* without what is not confirmed */
	struct arena *a;
	POL_LIST(struct inspect_row) rows;
	size_t cap, n_verdict[INSPECT_VERDICT_MAX];
	/* while another process is compared: only what differs becomes a row */
	pid_t other;
	bool all;     /* no: everything */
	bool is_exec; /* it may have been added by exec, which may allow more */
	size_t others;
};

/* What is to be known beside the processes. */
struct inspect_world {
	const struct seen_proc *self; /* kavach */
	const struct seen_proc *one;  /* process 1 of kavach's procfs; NULL: not seen */
	uint64_t joined[POL_NS_MAX];  /* of the namespaces that the policy joins; 0: not seen */
	seen_cgroups cgroups;	      /* where the container's processes are to be */
	const char *cgroup_error;     /* why limits could not be applied at the creation; NULL */
	bool rootless;
	/* mounts: where policy.mounts[i] is, with the symlinks of the root resolved; NULL: as in the policy */
	char *const *places;
	struct strs added; /* places of what `mounts add` has made */
	struct strs below; /* places of mounts that the root had already */
	/* present: whether there is anything at a path of the container: 1, 0, or -errno: it cannot be told */
	int (*present)(void *arg, const char *path);
	void *arg;
};

void inspect_begin(struct inspect *in, const struct policy *p, struct arena *a);

/* inspect_add: a row; texts live as long as the arena. Returns whether the kernel confirms it: if not, what the policy says
 * there is to be taken out of in->measured. */
bool inspect_add(struct inspect *in, const char *group, const char *what, enum inspect_verdict v,
		 const char *policy, const char *kernel, const char *note);

/* inspect_process: namespaces, ids, capabilities, filters, labels, limits, cgroups of the process `s`. init: NULL, or the
 * container's first process when this is another one. */
void inspect_process(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s,
		     const struct seen_proc *init);
/* inspect_other: a further process of the container: what exec may not change, and what nobody may. Returns the number of
 * its rows that are drift. */
size_t inspect_other(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s,
		     const struct seen_proc *init);
/* inspect_mounts: root, mounts, masked and read-only paths, and mounts that nobody knows of. */
void inspect_mounts(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s);

/* inspect_guard: the first thing in which a process is less confined than the policy says, of what no process can have made
 * so by itself: namespaces, filters, no_new_privs, capability bound. NULL: none. For processes that come from somewhere else. */
const struct inspect_row *inspect_guard(const struct policy *p, const struct inspect_world *w,
					const struct seen_proc *s, struct arena *a);

/* ---- parts for the above ---- */

void inspect_namespaces(struct inspect *in, const struct inspect_world *w,
			const struct seen_proc *s, const struct seen_proc *init);
void inspect_filters(struct inspect *in, const struct seen_proc *s);
void inspect_caps(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s);
void inspect_cgroups(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s);
/* inspect_ids_known: whether ids of the process are shown as the policy has them: kavach is where it was at the creation. */
bool inspect_ids_known(const struct inspect *in, const struct inspect_world *w,
		       const struct seen_proc *s);

/* What is asked of a backend. */
struct inspect_opts {
	pid_t pid;    /* which process; 0 = the container's first one */
	bool all;     /* rows for all processes, not only for what differs in them */
	bool filters; /* compare the filters' programs: stops the process for a moment */
	const struct pol_resources *updated; /* by `update`; NULL = nothing */
	struct strs added;		     /* places of `mounts add` */
};

/* ---- the result (show.c) ---- */

struct inspect_result {
	const char *id, *status;
	pid_t pid;
	const struct inspect *in;
	struct score decided, measured;
};
/* inspect_end: reckons both scores; `decided` is of the policy as it was sealed. */
void inspect_end(const struct inspect *in, const struct policy *sealed, struct arena *a,
		 struct inspect_result *ret);
void inspect_show(struct buf *b, const struct inspect_result *r);
void inspect_json(struct buf *b, const struct inspect_result *r);
/* inspect_drift_text: what has drifted, in a line: "read-only root, memory.limit and 2 more". In the arena. */
char *inspect_drift_text(const struct inspect *in, struct arena *a);

#endif

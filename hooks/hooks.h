/* SPDX-License-Identifier: Apache-2.0 */
/* Running OCI hooks: which phase runs where (phase.c), and how one hook is run (run.c). */
#ifndef KAVACH_HOOKS_HOOKS_H
#define KAVACH_HOOKS_HOOKS_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

struct hook_phase_row {
	const char *name; /* "createRuntime", the OCI member */
	const char *
		status; /* what the state document says: "creating", "created", "running", "stopped" */
	bool in_container_ns;	/* runs in the container's namespaces */
	bool in_container_root; /* path resolved there too */
	bool fatal;		/* failure stops the container; poststop only warns and goes on */
};
extern const struct hook_phase_row hook_phases[HOOK_PHASE_MAX];

/* What makes a hook that runs pointless; -EBADF: nothing. */
struct hook_stop {
	int ended_fd; /* readable when the container's process has ended (its pidfd) */
	int signal_fd; /* signalfd of those that end the command that runs the hook (sys_stop_signal) */
};

/* hooks_run: runs the hooks of a phase in order, with `state` (the state JSON) on stdin. env: environment for hooks
 * without one (NULL-terminated environ style). A hook that closes stdin early is fine. On timeout its process group is
 * killed, and so it is when `stop` (may be NULL) says that there is no sense in going on. Failure of a fatal phase: stops there with
 *   error running createRuntime hook #0: /path (args...): exit status 3 after 12 ms; stderr: <tail>
 * of id ERR_HOOK (timeout: "hook ran past specified timeout of 1s"; signal: "killed by signal 9 (KILL)"). Non-fatal: log_warn, go on, 0.
 * Works without /proc, uses no malloc after fork. out_fd/err_fd: -EBADF or files for hook output (run.oci.hooks.stdout). */
int hooks_run(enum hook_phase phase, const pol_hooks *hooks, const char *state, size_t state_len,
	      char *const env[], int out_fd, int err_fd, const struct hook_stop *stop,
	      struct err *e);

/* What the state document says of a container; pid as the reader sees it, 0 when there is no process any more. */
struct hook_state {
	const char *oci_version, *id, *bundle;
	int64_t pid;
	const struct kvs *annotations; /* NULL or empty: left out */
};

/* hook_state_json: the document as the next value of w. */
struct jsonw;
void hook_state_json(struct jsonw *w, const struct hook_state *s, const char *status);

/* hooks_run_phase: hooks_run() with the document that the phase asks for. */
int hooks_run_phase(enum hook_phase phase, const pol_hooks *hooks, const struct hook_state *s,
		    char *const env[], int out_fd, int err_fd, const struct hook_stop *stop,
		    struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one table of commands, each with a table of options (base/opt.h). The parser, --help, the usage
 * texts, shell completion and the man page check all read these tables.
 */
#ifndef KAVACH_CMD_CMD_H
#define KAVACH_CMD_CMD_H

#include "audit/audit.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/types.h"
#include "policy/build.h"
#include "state/state.h"
#include "vm/pack.h"

/* The audit log, as far as this command uses it (audited.c). */
struct audit_use {
	struct audit log;
	const char *dir; /* from the rules; NULL = the default */
	struct audit_settings more;
	bool wanted, required, off, looked, on;
	bool end_seen; /* of the container: this command saw it and has put it on record */
};

struct globals {
	const char *root, *log, *log_format, *log_level, *cgroup_manager, *rootless, *rules, *criu;
	bool debug, systemd_cgroup, version, help;
	uint32_t backend_floor;
	const char *argv0;
	struct arena *a;
	struct host host;
	struct audit_use audit;
};

struct command {
	const char *name;
	const char *args; /* "CONTAINER [SIGNAL]" */
	const char *help; /* one line */
	const struct opt *opts;
	size_t n_opts;
	size_t opts_size;	/* of the options struct, <= CMD_OPTS_MAX */
	int min_args, max_args; /* max -1: any */
	bool stop_at_args;	/* options end at the first argument (exec) */
	bool forward;		/* another program's: argv whole, its name first, --help included */
	int failure;		/* exit status when it fails; 0: the error's own */
	/* usable: NULL, or what --help fails with when the command cannot work on this machine: engines ask that way */
	int (*usable)(struct globals *g, struct err *e);
	/* run: returns the exit status; -errno with *e set on failure */
	int (*run)(struct globals *g, void *opts, int argc, char **argv, struct err *e);
};
#define CMD_OPTS_MAX 512

extern const struct command *const commands[]; /* NULL-terminated, table.c */
extern const struct opt global_opts[];
extern const size_t global_opts_n;

void cmd_help_main(struct buf *b);
void cmd_help(struct buf *b, const struct command *c);

/* ---- shared by commands (common.c) ---- */
/* The state root that applies. */
const char *cmd_root(struct globals *g);
/* Fills host facts once. */
int cmd_probe_host(struct globals *g, struct err *e);
/* Writes a buffer to stdout; -errno on failure. */
int cmd_print(const struct buf *b, struct err *e);
/* pid file by rename, digits only, no newline (C-08). */
int cmd_write_pid_file(const char *path, pid_t pid, struct err *e);

/* A bundle read and decided: what create, run and policy share (bundle.c). */
struct box;
struct bundle {
	const char *path; /* absolute */
	struct bytes config;
	const struct spec *spec;
	const struct policy *policy;
	struct bytes policy_enc;
	char policy_digest[65], config_digest[65];
	bool packed; /* `image` is open */
	struct packed image;
	struct opt_u64 timeout[RULES_VM_T_MAX]; /* of the rules: seconds */
};
int bundle_load(struct globals *g, const char *path, const char *config,
		const struct policy_input *in, struct bundle *ret, struct err *e);
/* bundle_pack: where the policy wants a packed root: packs it, or finds it packed, and seals that into the policy. Else nothing. */
int bundle_pack(struct globals *g, struct bundle *bd, struct err *e);
/* bundle_mounts: mounts to add to a container that lives (name: where they come from), decided by its policy, b->policy, and
 * the site rules that are in force now. */
int bundle_mounts(struct globals *g, const struct box *b, const char *name, const spec_mounts *m,
		  const struct policy **ret, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spec + site rules + host facts -> policy. Pure and total: no syscalls, no clock, no environment;
 * everything is accepted or refused here, before the first side effect, with the place in config.json.
 */
#ifndef KAVACH_POLICY_BUILD_H
#define KAVACH_POLICY_BUILD_H

#include "base/buf.h"
#include "host/host.h"
#include "policy/names.h"
#include "policy/policy.h"
#include "policy/rules.h"
#include "spec/spec.h"

/* A root that was packed (vm/pack.h), as the policy has it. */
struct policy_root {
	const char *hash, *salt; /* hex */
	uint64_t blocks;	 /* of 4096 bytes */
};

/* What the command line says and the config does not. */
struct policy_input {
	const char *bundle;	 /* absolute, clean path */
	const char *config_name; /* for messages: "config.json" */
	uint32_t backend_floor;	 /* from argv[0]; POL_BACKEND_PROCESS by default */
	uint32_t cg_manager; /* enum pol_cg_manager from --cgroup-manager / --systemd-cgroup; 0 = cgroupfs */
	const char *notify_dir; /* host directory with the container's notify socket; NULL = none */
	bool no_pivot, no_new_keyring;
	bool need_process; /* run: S-09 */
	bool console_socket,
		detach; /* C-09 exclusion rules are checked in cmd/; here only for messages */
	uint32_t guest_landlock; /* ABI of the kernel of the installed guest image; 0: none, or not looked up */
	const char *guest_dir; /* of the guest image that is installed; NULL = not looked up */
	bool measuring; /* as root of a machine with KVM, whoever and wherever we are: for a launch digest */
	struct opt_u64 as_uid;	/* the caller, for rules; not set: host.euid */
	struct kvs annotations; /* count before those of the config (`rules test --annotation`) */
	const struct kvs *
		real_sources; /* bind sources and root -> their paths without symlinks; NULL = not looked up */
	struct rules_report *report; /* gets what the rules decided; NULL = not wanted */
};

/*
 * policy_build: decides everything; refuses with ERR_CONFIG and "FILE: PATH: what was expected, what was
 * found". The policy points into the strings of *s: both must live as long. Besides *e, the only effect
 * are warnings in the log (what the spec says to log and to go on with).
 */
int policy_build(const struct spec *s, const struct rules *r, const struct host *h,
		 const struct policy_input *in, struct arena *a, const struct policy **ret,
		 struct err *e);

/* policy_with_root: the same policy with what its root was packed to: packing waits for the decision, and comes before the
 * sealing. Only where p->vm.root is POL_VM_ROOT_PACKED. */
const struct policy *policy_with_root(const struct policy *p, const struct policy_root *root,
				      struct arena *a);

/* policy_build_process: the process of `exec`. base is the container's policy: its user namespace decides
 * what can be mapped and granted, and what the object leaves out (labels, capabilities, rlimits,
 * oomScoreAdj, scheduler, ioPriority) is the container's, as in runc; so is the session keyring. */
int policy_build_process(const struct spec_process *s, const struct policy *base,
			 const struct host *h, const char *config_name, struct arena *a,
			 struct pol_process *ret, struct err *e);

/* policy_check_process: whether a process to add to a container, however it came about, stays within the rules that the container
 * was created under. what: for messages, "exec". */
int policy_check_process(const struct pol_process *p, const struct policy *base,
			 const struct host *h, const char *what, struct arena *a, struct err *e);

/* policy_build_resources: for `update`. Device rules are never touched (left empty). */
int policy_build_resources(const struct spec_resources *s, const struct host *h,
			   const char *config_name, struct arena *a, struct pol_resources *ret,
			   struct err *e);

/* policy_merge_resources: *to with what *from sets; device rules are added. *to points into *from and the arena then. */
void policy_merge_resources(struct pol_resources *to, const struct pol_resources *from,
			    struct arena *a);

/* policy_seccomp: a filter by itself, as config.json would have it: the object *s of the file `name`, or one of our profiles,
 * basic or strict (s is NULL). -ENOENT for a name that is none of ours. *ret points into *s. */
int policy_seccomp(const struct spec_seccomp *s, const char *name, const struct host *h,
		   struct arena *a, struct pol_seccomp *ret, struct err *e);

/* policy_build_mounts: mounts to add to a container that lives, through the same rules as those of its config. s: the mounts,
 * and the annotations that it was created with; base: its policy. *ret has these mounts and what they depend on, for the
 * backend. What would put something over its masked or read-only paths, or shows file systems without them, is refused. */
int policy_build_mounts(const struct spec *s, const struct policy *base, const struct rules *r,
			const struct host *h, const struct policy_input *in, struct arena *a,
			const struct policy **ret, struct err *e);

/* policy_host_path: a host path of the config as the policy has it: absolute, or below the bundle; ".." is not resolved. For
 * who looks up policy_input.real_sources. */
char *policy_host_path(struct arena *a, const char *bundle, const char *path);

/* mount_option_name: the i-th option string of the mount option table for `features`, NULL at the end;
 * only options that do not go to the file system. */
const char *mount_option_name(size_t i);

/* ---- strength (policy/score.c) ---- */
struct score_row {
	const char *what; /* "seccomp filter" */
	int points;	  /* may be negative or 0 (not earned) */
	int most; /* points if everything was done; the difference is what the hint is worth */
	const char *evidence; /* what in the policy this stands on */
	const char *hint;     /* what would raise it; NULL = nothing */
};
struct score {
	int total; /* 0..100 */
	const char *label;
	struct score_row *rows;
	size_t n;
};
void policy_score(const struct policy *p, struct arena *a, struct score *ret);

/* ---- explanation (policy/explain.c) ---- */
/* The page that `kavach policy` prints. digest_hex may be NULL. */
void policy_explain(struct buf *b, const struct policy *p, const struct score *s,
		    const char *digest_hex, bool score_only);
/* JSON form: {"digest":..,"policy":{..},"strength":{..},"explain":{..},"site":{..},"machine":{..}}; rep: what the rules
 * decided, machine: JSON of the VM's shape; NULL = left out. */
void policy_explain_json(struct buf *b, const struct policy *p, const struct score *s,
			 const char *digest_hex, const struct rules_report *rep,
			 const char *machine);

#endif

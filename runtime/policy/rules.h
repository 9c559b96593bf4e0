/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Site rules: what an operator demands of the containers of this machine, read from the *.json files of one
 * directory (rules.c) and handed to policy_build() as data. kavach-rules(5) describes them for users.
 *
 * A file is one rule for all containers and a list of further ones, each with a match. All rules that match a container
 * are in force at once: each is checked by itself, so the strictest wins and none can loosen another. What is there once for
 * the machine (audit, vm, attestation) is combined when the files are read.
 */
#ifndef KAVACH_POLICY_RULES_H
#define KAVACH_POLICY_RULES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "host/host.h"
#include "policy/policy.h"
#include "spec/spec.h"

/* Where a demand stands, for messages: file "/etc/kavach/rules.d/50-site.json", key "rules[2].preset". NULL: nowhere. */
struct rule_at {
	const char *file, *key;
};

/* ---- one rule ---- */

/* What a rule can require or forbid: what the decided policy has, or has not. Rows: p_rules.c. */
enum rule_feature {
	RULE_ALL_DEVICES = 1,
	RULE_CAPABILITIES,
	RULE_CPU_LIMIT,
	RULE_FOREIGN_FILESYSTEMS,
	RULE_HOOKS,
	RULE_HOST_CGROUP,
	RULE_HOST_IPC,
	RULE_HOST_MOUNT,
	RULE_HOST_NETWORK,
	RULE_HOST_PID,
	RULE_HOST_ROOT,
	RULE_HOST_TIME,
	RULE_HOST_USER,
	RULE_HOST_UTS,
	RULE_LANDLOCK,
	RULE_MEMORY_LIMIT,
	RULE_MOUNT_PROPAGATION,
	RULE_NETWORK,
	RULE_NEW_PRIVILEGES,
	RULE_PIDS_LIMIT,
	RULE_PRIVILEGED,
	RULE_READ_ONLY_ROOT,
	RULE_ROOT_USER,
	RULE_SECCOMP,
	RULE_SECCOMP_DENIES,
	RULE_SECCOMP_LISTENER,
	RULE_SECURITY_LABEL,
	RULE_SYSCTL,
	RULE_TERMINAL,
	RULE_UNMASKED_PROC,
	RULE_USER_NAMESPACE,
	RULE_FEATURE_MAX
};
extern const struct name_val rule_features[]; /* "hostNetwork" -> RULE_HOST_NETWORK, sorted */
extern const size_t rule_features_n;

enum rule_access { RULE_BIND_FORBIDDEN = 1, RULE_BIND_READ_ONLY, RULE_BIND_READ_WRITE };
extern const struct name_val rule_accesses[];
extern const size_t rule_accesses_n;

/* A directory of the host (or a file) with all below it; the longest source that fits a mount counts. */
struct rule_bind {
	char *source; /* absolute, clean */
	int access;   /* enum rule_access */
};

/* Numbers of device nodes that may be there and used, beside those that every container has. */
struct rule_device {
	char type;	      /* 'b', 'c' */
	int64_t major, minor; /* -1 = any */
};

/* Which containers a rule is about: what is given must hold, all of it. Annotations, and namespaces by annotation, are
 * the word of whoever wrote config.json. Patterns: '*' stands for any text. */
struct rule_match {
	struct opt_bool
		otherwise;	/* "default": containers that no other rule with a match is about */
	struct kvs annotations; /* name -> pattern of the value */
	struct strs namespaces; /* patterns for rule_namespaces(), one of them fits */
	struct u64s uids;	/* of the caller, one of them */
	struct u64s backends;	/* enum pol_backend, one of them */
};

/* A profile that is loaded beside the config's own. */
struct rule_seccomp {
	const char *name; /* "basic", "strict" or the path of a file */
	uint32_t preset;  /* enum pol_preset whose profile it is; 0 = from the file */
	const struct spec_seccomp *file;
};

/* A secret that containers get, or may ask for. */
struct rule_secret {
	char *name;
	uint32_t source; /* enum pol_secret_source */
	struct strs from;
	uint32_t give; /* enum pol_secret_give */
	char *target;
	uint32_t mode;
	struct opt_u64 uid, gid; /* not set: the process's */
	bool required, exec;
	bool on_request; /* only for containers whose annotation asks for it */
};

struct rule {
	struct rule_at at;		 /* key: "" for the file's own members, else "rules[2]" */
	char *name;			 /* for people; may be NULL */
	const struct rule_match *match;	 /* NULL: all containers */
	struct opt_u64 min_strength;	 /* 0..100 */
	uint32_t preset, default_preset; /* enum pol_preset; 0 = none */
	struct u64s require, forbid;	 /* enum rule_feature, in the order of the file */
	struct u64s caps_forbidden;	 /* numbers, in the order of the file */
	struct opt_u64 caps_allowed;	 /* bit mask */
	POL_LIST(struct rule_bind) binds;
	POL_LIST(struct rule_device) devices;
	bool devices_set;
	struct strs
		annotations; /* patterns of annotations that may be there; .set: nothing else may */
	const struct rule_seccomp *seccomp;
	const struct policy_landlock *landlock;
	POL_LIST(struct rule_secret) secrets;
};

/* ---- once for the machine ---- */

/* Where and how the audit log is written (runtime/audit). Zeroed: no rule speaks of it. Several files add up: what any of
 * them turns on is on, the smallest file size and the largest number of kept files count; two directories, or one file that says
 * "enabled": false while another has the log on, are an error. */
struct rules_audit {
	bool enabled;	 /* there is an "audit" object and it does not say "enabled": false */
	bool required;	 /* a record that cannot be written ends the command that it is about */
	const char *dir; /* absolute; NULL = the default of the audit log */
	bool fsync;	 /* each record is on the disk before the command goes on */
	bool journald, syslog; /* sinks beside the file */
	uint64_t rotate_bytes; /* a file that is larger is rotated; 0 = the default of the audit log */
	uint32_t keep;	       /* rotated files that are kept; 0 = all */
};

/* A file that a VM may be made of, and what must be in it. */
struct rules_file {
	char *path;   /* absolute, clean */
	char *sha256; /* 64 lower-case hex digits */
};
/* .set: only these. Several files: what all of them list. */
struct rules_files {
	struct rules_file *v;
	size_t n;
	bool set;
	struct rule_at at;
};

enum rules_vm_kind {
	RULES_VM_HYPERVISOR,
	RULES_VM_KERNEL,
	RULES_VM_INITRD,
	RULES_VM_FIRMWARE,
	RULES_VM_VIRTIOFSD,
	RULES_VM_KIND_MAX
};

enum rules_vm_timeout {
	RULES_VM_T_HELLO,
	RULES_VM_T_PREPARED,
	RULES_VM_T_SHUTDOWN,
	RULES_VM_T_QMP,
	RULES_VM_T_LAUNCH,
	RULES_VM_T_MAX
};
extern const char *const rules_vm_timeout_names[RULES_VM_T_MAX]; /* "hello"; rules_machine.c */

struct rules_vm {
	bool set;
	struct rules_files allowed[RULES_VM_KIND_MAX];
	const char *file[RULES_VM_KIND_MAX]; /* defaults; absolute, in the list if there is one */
	const char *machine;		     /* QEMU's name of it */
	const char *root;		     /* "shared" or "packed": what roots are */
	const char *share;		     /* "9p" or "virtiofs"; NULL: what there is */
	struct opt_u64 vcpus, memory;	     /* defaults; memory in bytes */
	struct opt_u64 max_vcpus, max_memory;
	struct strs kernel_params, hypervisor_params; /* words that a bundle may ask for */
	struct opt_u64 uid_first, uid_count;	      /* ids that hypervisors run as */
	const char *
		broker; /* who gives secrets to confidential guests: a socket's path, or ADDRESS:PORT */
	const char *broker_key;	 /* that its answers must be signed with; see policy.h */
	struct opt_u64 host_may; /* the most that a confidential guest may allow: POL_HOST_* */
	struct opt_u64 timeout[RULES_VM_T_MAX]; /* seconds */
	struct rule_at timeout_at[RULES_VM_T_MAX];
	struct rule_at file_at[RULES_VM_KIND_MAX], machine_at, vcpus_at, memory_at, uids_at,
		root_at, share_at, host_may_at, broker_at, broker_key_at;
};

/* What a confidential VM has to show before it gets a secret. */
struct rules_attest {
	bool set;
	struct strs
		measurements; /* launch digests, lower-case hex (48 bytes SNP, 32 bytes SEV); .set: one of these */
	struct opt_u64 policy_set,
		policy_clear;	/* bits of the guest policy that must, and must not, be set */
	struct opt_u64 min_tcb; /* as in the report, a byte per component */
	const char *kds_cache;	/* directory with certificates; absolute */
	struct rule_at measurements_at, policy_at, kds_at;
};

/* Zeroed = none. */
struct rules {
	const struct rule *v; /* in the order of files, the file's own members before its list */
	size_t n;
	struct strs files; /* that were read */
	struct rules_audit audit;
	struct rule_at audit_at, audit_dir_at;
	struct rules_vm vm;
	struct rules_attest attest;
};

/*
 * rules_read: reads the *.json files of a rules directory (NULL: /etc/kavach/rules.d; a missing one = no rules) in name
 * order, and the seccomp profiles that they name. Strict: unknown keys, values that cannot be and demands that no container
 * can fulfil are ERR_CONFIG with the file and the place. A file must be root's, or ours when we are not root, and writable by
 * its owner only. h says who we are; without rules it costs one system call.
 */
int rules_read(const char *dir, const struct host *h, struct arena *a, struct rules *ret,
	       struct err *e);
/* rules_read_files: these instead of a directory's, for `kavach rules check FILE`: without the question whose they are. */
int rules_read_files(char *const *paths, size_t n, struct arena *a, struct rules *ret,
		     struct err *e);
/* rules_decode: one file's text added to *ret, without any I/O; src->profile gives the text of a seccomp profile by its
 * path.
 * For rules_read() and the fuzzer. */
struct rules_source {
	int (*profile)(void *arg, const char *path, struct arena *a, struct bytes *ret,
		       struct err *e);
	void *arg;
};
int rules_decode(const char *file, const char *text, size_t n, const struct rules_source *src,
		 struct arena *a, struct rules *ret, struct err *e);
/* rules_have_binds: whether the answer depends on where bind sources really are (policy_input.real_sources). */
bool rules_have_binds(const struct rules *r);
/* rules_have_uids: whether it depends on who the caller is outside of a user namespace. */
bool rules_have_uids(const struct rules *r);
/* rules_have_landlock: whether it depends on the Landlock of the host (host_probe_landlock). */
bool rules_have_landlock(const struct rules *r);
/* rules_explain: the page of `kavach rules check`: what is in force. rules_json: the same as JSON. */
void rules_explain(struct buf *b, const struct rules *r);
void rules_json(struct buf *b, const struct rules *r);

/* ---- what they decided ---- */

enum verdict_kind {
	VERDICT_MATCHES = 1, /* the rule is about this container */
	VERDICT_OTHER,	     /* it is not */
	VERDICT_SETS,	     /* it raised the preset, stacked a filter or a Landlock layer */
	VERDICT_HOLDS,	     /* the container is as demanded */
	VERDICT_BREAKS,	     /* it is not: refused */
};

struct rule_verdict {
	enum verdict_kind kind;
	const char *file, *key; /* "rules[2].forbid[0]" */
	const char *what;	/* "hostNetwork is forbidden" */
	const char *place;	/* "linux.namespaces"; NULL = none */
	const char *found;	/* BREAKS: what is there; NULL = nothing to say */
	const char *remedy;	/* BREAKS: what would satisfy it */
};

/* Filled by policy_build() when the caller gives one (policy_input.report): every verdict, not only the first refusal. */
struct rules_report {
	struct rule_verdict *v;
	size_t n, cap;
	bool refused;
	const char *preset; /* that came out; NULL = none */
};

void rules_report_explain(struct buf *b, const struct rules_report *r);
/* rules_report_json: the members "preset", "refused", "rules" of an object that is open. */
struct jsonw;
void rules_report_json(struct jsonw *w, const struct rules_report *r);

#endif

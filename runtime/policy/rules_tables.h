/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON form of a rules file: structures as the decoder fills them, and their tables. Private to the reader of the
 * rules and to the test that holds the JSON schema against the tables.
 */
#ifndef KAVACH_POLICY_RULES_TABLES_H
#define KAVACH_POLICY_RULES_TABLES_H

#include "policy/rules.h"
#include "spec/fields.h"

/* Caps. A site has some ten rules; these stop accidents. */
#define RULES_TEXT_MAX (256 << 10) /* bytes of one file */
#define RULES_PROFILE_MAX (1 << 20)
#define RULES_FILES_MAX 64
#define RULES_MAX 512	     /* rules of all files */
#define RULES_LIST_MAX 512   /* entries of one list */
#define RULES_SECRETS_MAX 64 /* secrets of one container */

/* A row of a J_ENUM or J_ENUMS, which fields.h does not have. */
#define R_ENUM(t, m, tab, count) F_ROW(t, m, J_ENUM, int, .names = (tab), .n_names = (count))
#define R_ENUMS(t, m, tab, count, ...)                                                             \
	F_ROW(t, m, J_ENUMS, struct u64s, .names = (tab), .n_names = (count), __VA_ARGS__)

struct rj_landlock {
	struct opt_u64 requiredAbi;
	struct opt_bool fromMounts;
	struct strs readOnly, readWrite, execute;
	struct u64s tcpBind, tcpConnect, scopes;
};

struct rj_secret_source {
	char *file, *credential, *socket, *broker;
	struct strs program;
};

struct rj_secret {
	char *name;
	struct rj_secret_source *source;
	char *file, *env;
	struct opt_bool from_stdin; /* "stdin", which is a macro */
	char *mode;
	struct opt_u64 uid, gid;
	struct opt_bool required, exec, onRequest;
};

/* What a rule can demand: at the top of a file and in each of its "rules". */
struct rj_demands {
	struct opt_u64 minimumStrength;
	int preset, defaultPreset;
	struct u64s require, forbid, forbiddenCapabilities, allowedCapabilities;
	SPEC_LIST(struct rule_bind) binds;
	struct strs allowedDevices, allowedAnnotations;
	char *seccompProfile;
	struct rj_landlock *landlock;
	SPEC_LIST(struct rj_secret) secrets;
};

struct rj_rule {
	struct rj_demands d; /* first: the rows of the demands are shared */
	char *name;
	struct rule_match *match;
};

struct rj_audit {
	struct opt_bool enabled, required, fsync;
	char *directory;
	struct strs sinks;
	struct opt_u64 rotateBytes, keep;
};

struct rj_file_digest {
	char *path, *sha256;
};

typedef SPEC_LIST(struct rj_file_digest) rj_files;

struct rj_vm_defaults {
	char *hypervisor, *kernel, *initrd, *firmware, *virtiofsd, *machine;
	struct opt_u64 vcpus, memory;
};

struct rj_vm_maximum {
	struct opt_u64 vcpus, memory;
};

struct rj_vm_uids {
	struct opt_u64 first, count;
};

struct rj_vm_timeouts {
	struct opt_u64 hello, prepared, shutdown, qmp, launch;
};

struct rj_vm {
	struct strs kernelParameters, hypervisorParameters, hostMay;
	struct rj_vm_uids *uids;
	char *root, *share, *broker, *brokerKey;
	rj_files hypervisors, kernels, initrds, firmware, virtiofsd;
	struct rj_vm_defaults *defaults;
	struct rj_vm_maximum *maximum;
	struct rj_vm_timeouts *timeouts;
};

struct rj_guest_policy {
	struct opt_u64 mustSet, mustClear;
};

struct rj_attest {
	struct strs measurements;
	struct rj_guest_policy *guestPolicy;
	struct opt_u64 minimumTcb;
	char *kdsCache;
};

struct rj_file {
	struct rj_demands d; /* first */
	char *schema;	     /* "$schema", for editors */
	SPEC_LIST(struct rj_rule) rules;
	struct rj_audit *audit;
	struct rj_vm *vm;
	struct rj_attest *attestation;
};

extern const struct jtable rules_table;				      /* struct rj_file */
extern const struct jtable rules_t_audit, rules_t_vm, rules_t_attest; /* rules_machine.c */

extern const struct jtable rules_t_secret; /* rules_secrets.c */

/* What the reader of a file passes around. */
struct rules_in {
	const struct json_doc *doc;
	struct arena *a;
	struct err *e;
	struct rules *rules;
};

/* rules_conflict: "rules file FILE: KEY and FILE: KEY contradict each other: <what>". */
int rules_conflict(struct err *e, struct rule_at a, struct rule_at b, const char *what);

/* rules_machine.c: adds what is there once for the machine. */
int rules_add_audit(struct rules_in *in, const struct rj_audit *j);
int rules_add_vm(struct rules_in *in, const struct rj_vm *j);
int rules_add_attest(struct rules_in *in, const struct rj_attest *j);

/* rules_secrets.c: what tables cannot say of the list "secrets" of the object n; from the JSON form to struct rule. */
int rules_check_secrets(const struct json_doc *d, const struct json_node *n,
			const struct rj_demands *j, struct err *e);
void rules_to_secrets(struct arena *a, const struct rj_demands *j, struct rule *ret);

/* Checks for table check functions: each string of a member. */
bool rules_is_clean_path(const char *s); /* absolute, without "." and ".." */
#define RULES_CLEAN_PATH "an absolute path without \".\" and \"..\""

#endif

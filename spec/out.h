/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI documents that we write. */
#ifndef KAVACH_SPEC_OUT_H
#define KAVACH_SPEC_OUT_H

#include "base/buf.h"
#include "base/str.h"
#include "base/types.h"

#define OCI_VERSION "1.3.0"
#define OCI_VERSION_MIN "1.0.0"

/* What is asked for with an option only; it is not in the spec. */
struct out_strength {
	int decided, measured; /* measured: -1 = null, nothing runs */
	const char *label;     /* of the one that was measured, if it was */
	uint64_t drift, not_seen;
};

/* What goes into a state document. */
struct out_state {
	const char *oci_version, *id, *status, *bundle;
	int64_t pid; /* 0 = stopped or not there yet */
	/* Below: not for hooks, only for `state` and `list`; NULL leaves them out. */
	const char *rootfs, *created, *owner;
	const struct kvs *annotations; /* NULL or empty: left out */
	const struct out_strength *strength;
	/* Of a confidential VM; the measurement is the one that is expected, and may be unknown. */
	const char *backend, *measurement, *policy_digest;
};

/* out_state: the state JSON (runtime.md, "State"), pretty (with a final newline) for people and engines,
 * compact for hooks. */
void out_state(struct buf *b, const struct out_state *s, bool pretty);

struct out_names {
	const struct name_val *v; /* the names are printed, in this order */
	size_t n;
};

/* What the build can do, from the modules that do it: the features document claims nothing else. All of it
 * is known when we are compiled, nothing comes from the host. */
struct out_features_in {
	const char *version; /* ours */
	const char *commit;  /* NULL leaves it out */
	const char *
		libseccomp; /* "2.5.4"; NULL: built without seccomp, the lists below are not printed */
	const char *(*mount_option)(size_t i); /* i-th recognized mount option, NULL at the end */
	struct out_names namespaces, capabilities;
	struct out_names seccomp_actions, seccomp_operators, seccomp_archs, seccomp_flags;
	bool cgroup_v1, cgroup_v2, cgroup_rdma, cgroup_systemd, cgroup_systemd_user;
	bool apparmor, selinux, rdt, memory_policy, idmap, net_devices;
};

/* out_features: the features document (features.md and features-linux.md), pretty, with a final newline.
 * Hooks come from the decoder's table, the unsafe annotations from the registry in annot.c. */
void out_features(struct buf *b, const struct out_features_in *in);

/* out_spec_template: a config.json that runs `sh` in ./rootfs (`kavach spec`), pretty, with a final newline.
 * rootless: in a user namespace where root is uid and gid of the host, without network namespace and
 * limits; otherwise uid and gid are not used. */
void out_spec_template(struct buf *b, bool rootless, uint32_t uid, uint32_t gid);

#endif

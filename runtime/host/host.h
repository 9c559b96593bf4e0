/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts about the machine and the caller that may influence a decision, probed once. policy_build()
 * takes this as data, so a golden test can describe any host. Only cheap facts are probed on the start
 * path; everything else belongs to the code that acts.
 */
#ifndef KAVACH_HOST_HOST_H
#define KAVACH_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* How VMs run; the numbers are those of enum pol_accel. */
enum host_accel { HOST_ACCEL_KVM = 1, HOST_ACCEL_TCG };

enum cg_layout { CG_NONE, CG_V1, CG_HYBRID, CG_V2 };

/* Ids that the caller may give away, from /etc/subuid or /etc/subgid; those who have more use the first ones. */
#define HOST_RANGES_MAX 8
struct host_range {
	uint32_t first, n; /* n > 0, first + n fits */
};
struct host_ranges {
	uint32_t n;
	struct host_range v[HOST_RANGES_MAX];
};

struct host {
	uint32_t euid, egid;
	bool in_userns; /* uid 0 here is not uid 0 of the machine (uid_map is not the identity) */
	bool rootless;	/* euid != 0, or in a user namespace we do not own the machine from */
	uint64_t caps;	/* our effective capabilities */
	uint32_t last_cap; /* highest capability the kernel knows */
	enum cg_layout cgroup;
	bool apparmor, selinux;		   /* LSM active */
	uint32_t kernel;		   /* KERNEL_VERSION(major, minor, 0) */
	char machine[16];		   /* uname -m */
	uint32_t landlock;		   /* version of its ABI, 0 = none (host_probe_landlock) */
	bool resctrl;			   /* mounted at its place (host_probe_resctrl) */
	bool time_ns, cgroup_ns, user_ns;  /* /proc/self/ns has them (host_probe_ns) */
	uint32_t accel;			   /* enum host_accel (host_probe_kvm); 0: not looked */
	struct host_ranges subuid, subgid; /* host_probe_subids */
};

/* host_probe: fills *ret but for the namespaces and the ranges of ids; never fails for a missing optional facility. */
int host_probe(struct host *ret, struct err *e);
/* host_probe_ns: the kinds of namespaces that a kernel may lack, for a config that has one of them. */
void host_probe_ns(struct host *h);
/* host_probe_landlock: for rules with Landlock layers. */
void host_probe_landlock(struct host *h);
/* host_probe_resctrl: /sys/fs/resctrl, for a config with linux.intelRdt. */
void host_probe_resctrl(struct host *h);
/* host_probe_kvm: whether a small guest runs under KVM, for a container in a VM. It runs in a child: a broken KVM may kill it. */
void host_probe_kvm(struct host *h);
/* host_probe_subids: the ranges of ids of h->euid, for a caller without privileges whose config has no id maps. */
void host_probe_subids(struct host *h);

/* host_subids_parse: the rows of a subuid(5) file that are the user's, by name (may be NULL) or number; rows that are not
 * well-formed are somebody else's concern. Both write into the text, which ends with a NUL and may be NULL. */
void host_subids_parse(char *text, const char *name, uint32_t uid, struct host_ranges *ret);
/* host_user_name: the first name of uid in a passwd(5) file, a part of the text; NULL when there is none. */
const char *host_user_name(char *passwd, uint32_t uid);

#endif

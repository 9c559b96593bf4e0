/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features that a site can require or forbid: one row each, with how the decided policy is asked for it and what a
 * refusal says. Rows and names are in the order of enum rule_feature, which
 * is the alphabet's.
 */
#include <sys/mount.h>

#include "policy/landlock.h"
#include "policy/p_rules.h"

/* ---- how the policy is asked ---- */

static bool all_devices(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return fact_devices_open(b->p);
}

static bool any_caps(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return fact_caps(b->p) != 0;
}

static bool cpu_limit(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->resources.cpu_quota.v > 0;
}

bool rule_is_foreign(const struct pol_mount *m)
{
	/* not devtmpfs: that is the host's /dev */
	static const char *const made_up[] = {"proc",	"sysfs",  "tmpfs",   "devpts",
					      "mqueue", "cgroup", "cgroup2", "ramfs"};

	if (m->kind != POL_MOUNT_FS)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(made_up); i++)
		if (str_eq0(m->type, made_up[i]))
			return false;
	return true;
}

static bool foreign(const struct pb *b, uint32_t arg)
{
	(void) arg;
	for (size_t i = 0; i < b->p->mounts.n; i++)
		if (rule_is_foreign(&b->p->mounts.v[i]))
			return true;
	return false;
}

static bool hooks(const struct pb *b, uint32_t arg)
{
	(void) arg;
	for (size_t i = 0; i < HOOK_PHASE_MAX; i++)
		if (b->p->hooks[i].n)
			return true;
	return false;
}

static bool host_ns(const struct pb *b, uint32_t type)
{
	return fact_ns(b->p, (enum pol_ns_type) type) == FACT_NS_HOST;
}

static bool host_root(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return str_eq(b->p->rootfs, "/");
}

static bool landlock(const struct pb *b, uint32_t arg)
{
	(void) arg;
	for (size_t i = 0; i < b->p->landlock.n; i++)
		if (landlock_walls(&b->p->landlock.v[i]))
			return true;
	return false;
}

static bool memory_limit(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->resources.memory.v > 0;
}

static bool propagation(const struct pb *b, uint32_t arg)
{
	bool shared = b->p->rootfs_propagation & MS_SHARED;

	(void) arg;
	for (size_t i = 0; i < b->p->mounts.n; i++)
		shared |= (b->p->mounts.v[i].propagation & MS_SHARED) != 0;
	return shared;
}

static bool network(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return !fact_no_network(b->p);
}

static bool new_privileges(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->has_process && !b->p->process.no_new_privs;
}

static bool pids_limit(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->resources.pids.v > 0;
}

static bool privileged(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return fact_devices_open(b->p) ||
	       __builtin_popcountll(fact_caps(b->p)) >= RULE_NEARLY_ALL_CAPS;
}

static bool readonly_root(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->rootfs_readonly;
}

/* In a user namespace that is joined nothing is known of the map: then 0 counts as root. */
bool rule_is_root(const struct policy *p, const struct host *h, uint32_t uid)
{
	uint64_t outside;

	if (fact_ns(p, POL_NS_USER) == FACT_NS_OWN && p->uid_map.n)
		return pb_map_id(&p->uid_map, uid, 1, &outside) && outside == 0 && !h->rootless;
	return uid == 0 && !h->rootless;
}

static bool root_user(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->has_process && rule_is_root(b->p, b->h, b->p->process.uid);
}

static bool seccomp(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return fact_filtered(b->p);
}

static bool seccomp_denies(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return fact_filters_deny(b->p);
}

static bool listener(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->seccomp.listener_path && !pol_reports_denied(b->p) && !pol_records_calls(b->p);
}

static bool label(const struct pb *b, uint32_t arg)
{
	const struct pol_process *p = &b->p->process;

	(void) arg;
	return (p->apparmor && !str_eq(p->apparmor, "unconfined")) || p->selinux;
}

static bool sysctl(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->sysctl.n;
}

static bool terminal(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return b->p->has_process && b->p->process.terminal;
}

static bool unmasked(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return fact_proc_open(b->p, 0) != NULL;
}

static bool user_namespace(const struct pb *b, uint32_t arg)
{
	(void) arg;
	return fact_userns_unprivileged(b->p);
}

/* ---- the table; rule_features has the names ---- */

#define HOST_NS(type, word, drop_text)                                                             \
	.place = "linux.namespaces", .has = host_ns, .arg = (type),                                \
	.present = "the " word " namespace is the host's",                                         \
	.absent = "the " word " namespace is not the host's",                                      \
	.add = "share the host's " word " namespace", .drop = drop_text

const struct rule_feature_row rule_feature_rows[RULE_FEATURE_MAX] = {
	[RULE_ALL_DEVICES] =
		{.place = "linux.resources.devices",
		 .has = all_devices,
		 .present = "every device may be used",
		 .absent = "only the devices that are named may be used",
		 .add = "allow all devices",
		 .drop = "name the devices that are needed (--device, not --privileged)"},
	[RULE_CAPABILITIES] = {.place = "process.capabilities",
			       .has = any_caps,
			       .present = "the process has capabilities",
			       .absent = "the process has no capabilities",
			       .add = "leave it some capabilities",
			       .drop = "drop all of them (--cap-drop=all)"},
	[RULE_CPU_LIMIT] = {.place = "linux.resources.cpu.quota",
			    .has = cpu_limit,
			    .present = "CPU time is limited",
			    .absent = "CPU time is not limited",
			    .add = "limit it (--cpus)",
			    .drop = "do not limit it"},
	[RULE_FOREIGN_FILESYSTEMS] =
		{.place = "mounts",
		 .has = foreign,
		 .present = "one is of a type that brings in files of the host or of a device",
		 .absent = "all are of types that the kernel makes up",
		 .add = "mount one",
		 .drop = "use bind mounts, tmpfs, and the engine's volumes"},
	[RULE_HOOKS] = {.place = "hooks",
			.has = hooks,
			.present = "there are hooks",
			.absent = "there are no hooks",
			.add = "add them",
			.drop = "leave them out"},
	[RULE_HOST_CGROUP] = {HOST_NS(POL_NS_CGROUP, "cgroup",
				      "give it its own (--cgroupns=private)")},
	[RULE_HOST_IPC] = {HOST_NS(POL_NS_IPC, "ipc", "give it its own (--ipc=private)")},
	[RULE_HOST_MOUNT] = {HOST_NS(POL_NS_MNT, "mount", "give it its own")},
	[RULE_HOST_NETWORK] = {HOST_NS(POL_NS_NET, "network",
				       "give it its own (--network=bridge or none)")},
	[RULE_HOST_PID] = {HOST_NS(POL_NS_PID, "pid", "give it its own (--pid=private)")},
	[RULE_HOST_ROOT] = {.place = "root.path",
			    .has = host_root,
			    .present = "the root is the host's own",
			    .absent = "the root is not the host's own",
			    .add = "use the host's root",
			    .drop = "use the root of an image"},
	[RULE_HOST_TIME] = {HOST_NS(POL_NS_TIME, "time", "give it its own")},
	[RULE_HOST_USER] = {HOST_NS(POL_NS_USER, "user", "give it its own (--userns=auto)")},
	[RULE_HOST_UTS] = {HOST_NS(POL_NS_UTS, "uts", "give it its own (--uts=private)")},
	[RULE_LANDLOCK] = {.place = "the preset and the site's rules",
			   .has = landlock,
			   .present = "a Landlock layer limits what can be written",
			   .absent = "no Landlock layer limits what can be written",
			   .add = "use the preset strict, on a kernel with Landlock",
			   .drop = "leave it out"},
	[RULE_MEMORY_LIMIT] = {.place = "linux.resources.memory.limit",
			       .has = memory_limit,
			       .present = "memory is limited",
			       .absent = "memory is not limited",
			       .add = "limit it (--memory)",
			       .drop = "do not limit it"},
	[RULE_MOUNT_PROPAGATION] =
		{.place = "mounts",
		 .has = propagation,
		 .present = "mounts that are made inside appear on the host (shared)",
		 .absent = "mounts that are made inside stay inside",
		 .add = "mount one with \"rshared\"",
		 .drop = "mount with \"rslave\" or \"rprivate\""},
	[RULE_NETWORK] =
		{.place = "linux.namespaces",
		 .has = network,
		 .present = "the network is more than a loopback of its own",
		 .absent = "there is only a loopback",
		 .add = "give it a network",
		 .drop = "run it without one (--network=none), and without hooks that add one"},
	[RULE_NEW_PRIVILEGES] = {.place = "process.noNewPrivileges",
				 .has = new_privileges,
				 .present = "set-user-id programs give privileges",
				 .absent = "no program gives privileges",
				 .add = "set it to false",
				 .drop = "set it to true (--security-opt=no-new-privileges)"},
	[RULE_PIDS_LIMIT] = {.place = "linux.resources.pids.limit",
			     .has = pids_limit,
			     .present = "the number of processes is limited",
			     .absent = "the number of processes is not limited",
			     .add = "limit it (--pids-limit)",
			     .drop = "do not limit it"},
	[RULE_PRIVILEGED] = {.place = "process.capabilities, linux.resources.devices",
			     .has = privileged,
			     .present = "all devices or nearly all capabilities",
			     .absent = "neither all devices nor nearly all capabilities",
			     .add = "--privileged",
			     .drop = "run it without --privileged; --cap-add and --device give "
				     "what is needed"},
	[RULE_READ_ONLY_ROOT] = {.place = "root.readonly",
				 .has = readonly_root,
				 .present = "the root is read-only",
				 .absent = "the root can be written",
				 .add = "set it to true (--read-only)",
				 .drop = "set it to false"},
	[RULE_ROOT_USER] = {.place = "process.user.uid",
			    .has = root_user,
			    .present = "the process is root of the host, too",
			    .absent = "the process is not root of the host",
			    .add = "run it as root",
			    .drop = "use another user (--user) or a user namespace (--userns=auto)"},
	[RULE_SECCOMP] =
		{.place = "linux.seccomp",
		 .has = seccomp,
		 .present = "there is a filter",
		 .absent = "there is no filter",
		 .add = "keep the engine's profile (not --security-opt=seccomp=unconfined), or "
			"use a preset",
		 .drop = "leave it out"},
	[RULE_SECCOMP_DENIES] = {.place = "linux.seccomp.defaultAction",
				 .has = seccomp_denies,
				 .present = "calls that are not named are denied",
				 .absent = "calls that are not named are allowed",
				 .add = "use a profile that names what is allowed",
				 .drop = "use a profile that allows by default"},
	[RULE_SECCOMP_LISTENER] = {.place = "linux.seccomp.listenerPath",
				   .has = listener,
				   .present = "an agent outside decides about calls",
				   .absent = "no agent decides about calls",
				   .add = "name an agent",
				   .drop = "use a profile without SCMP_ACT_NOTIFY"},
	[RULE_SECURITY_LABEL] =
		{.place = "process",
		 .has = label,
		 .present = "there is an AppArmor profile or an SELinux label",
		 .absent = "there is neither an AppArmor profile nor an SELinux label",
		 .add = "set apparmorProfile or selinuxLabel (--security-opt=apparmor=, label=)",
		 .drop = "leave it out"},
	[RULE_SYSCTL] = {.place = "linux.sysctl",
			 .has = sysctl,
			 .present = "kernel parameters are changed",
			 .absent = "no kernel parameters are changed",
			 .add = "change one",
			 .drop = "leave it out"},
	[RULE_TERMINAL] = {.place = "process.terminal",
			   .has = terminal,
			   .present = "there is a terminal",
			   .absent = "there is no terminal",
			   .add = "set it to true (-t)",
			   .drop = "set it to false (no -t)"},
	[RULE_UNMASKED_PROC] = {.place = "linux.maskedPaths, linux.readonlyPaths",
				.has = unmasked,
				.present = "parts of /proc or /sys that are the host's are open",
				.absent = "what is the host's in /proc and /sys is covered",
				.add = "leave them out",
				.drop = "keep the engine's (not --security-opt=unmask)"},
	[RULE_USER_NAMESPACE] = {.place = "linux.namespaces",
				 .has = user_namespace,
				 .present = "its root is an ordinary user of the host",
				 .absent = "there is no user namespace whose root is an ordinary "
					   "user of the host",
				 .add = "give it one (--userns=auto)",
				 .drop = "use the host's user namespace"},
};

#define N(id, name) [id - 1] = {name, id}
const struct name_val rule_features[] = {
	N(RULE_ALL_DEVICES, "allDevices"),
	N(RULE_CAPABILITIES, "capabilities"),
	N(RULE_CPU_LIMIT, "cpuLimit"),
	N(RULE_FOREIGN_FILESYSTEMS, "foreignFilesystems"),
	N(RULE_HOOKS, "hooks"),
	N(RULE_HOST_CGROUP, "hostCgroup"),
	N(RULE_HOST_IPC, "hostIpc"),
	N(RULE_HOST_MOUNT, "hostMount"),
	N(RULE_HOST_NETWORK, "hostNetwork"),
	N(RULE_HOST_PID, "hostPid"),
	N(RULE_HOST_ROOT, "hostRoot"),
	N(RULE_HOST_TIME, "hostTime"),
	N(RULE_HOST_USER, "hostUser"),
	N(RULE_HOST_UTS, "hostUts"),
	N(RULE_LANDLOCK, "landlock"),
	N(RULE_MEMORY_LIMIT, "memoryLimit"),
	N(RULE_MOUNT_PROPAGATION, "mountPropagation"),
	N(RULE_NETWORK, "network"),
	N(RULE_NEW_PRIVILEGES, "newPrivileges"),
	N(RULE_PIDS_LIMIT, "pidsLimit"),
	N(RULE_PRIVILEGED, "privileged"),
	N(RULE_READ_ONLY_ROOT, "readOnlyRoot"),
	N(RULE_ROOT_USER, "rootUser"),
	N(RULE_SECCOMP, "seccomp"),
	N(RULE_SECCOMP_DENIES, "seccompDeniesByDefault"),
	N(RULE_SECCOMP_LISTENER, "seccompListener"),
	N(RULE_SECURITY_LABEL, "securityLabel"),
	N(RULE_SYSCTL, "sysctl"),
	N(RULE_TERMINAL, "terminal"),
	N(RULE_UNMASKED_PROC, "unmaskedProc"),
	N(RULE_USER_NAMESPACE, "userNamespace"),
};
const size_t rule_features_n = ARRAY_LEN(rule_features);
_Static_assert(ARRAY_LEN(rule_features) == RULE_FEATURE_MAX - 1, "one name per feature");

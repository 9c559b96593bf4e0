/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of struct host, some fifteen system calls in all: this stands on the path of every start. A
 * facility whose probe fails for whatever reason counts as not there.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/version.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/sys.h"
#include "host/host.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

#define CG_ROOT "/sys/fs/cgroup"

static bool is_fs(const char *path, long magic)
{
	struct statfs st;

	return statfs(path, &st) == 0 && (unsigned long) st.f_type == (unsigned long) magic;
}

static enum cg_layout probe_cgroup(void)
{
	/* Any one of the v1 hierarchies shows that they are mounted; the common ones first. */
	static const char *const v1[] = {CG_ROOT "/pids", CG_ROOT "/memory",  CG_ROOT "/devices",
					 CG_ROOT "/cpu",  CG_ROOT "/freezer", CG_ROOT "/systemd"};

	if (is_fs(CG_ROOT, CGROUP2_SUPER_MAGIC))
		return CG_V2;
	for (size_t i = 0; i < sizeof(v1) / sizeof(v1[0]); i++)
		if (is_fs(v1[i], CGROUP_SUPER_MAGIC))
			return is_fs(CG_ROOT "/unified", CGROUP2_SUPER_MAGIC) ? CG_HYBRID : CG_V1;
	return CG_NONE;
}

/* CAP_CHECKPOINT_RESTORE came with Linux 5.9, and up to 6.18 none after it. Else we ask: the kernel answers EINVAL for a
 * capability that it does not know, two calls where reading /proc/sys/kernel/cap_last_cap takes three. */
static uint32_t probe_last_cap(uint32_t kernel)
{
	unsigned long cap = 40;

	if (kernel >= KERNEL_VERSION(5, 9, 0) && kernel <= KERNEL_VERSION(6, 18, 0))
		return (uint32_t) cap;
	while (cap > 0 && prctl(PR_CAPBSET_READ, cap) < 0)
		cap--;
	while (cap < 63 && prctl(PR_CAPBSET_READ, cap + 1) >= 0)
		cap++;
	return (uint32_t) cap;
}

/* Whether the ids here are not the machine's: the initial namespace, whose inode number is the same on all kernels
 * (PROC_USER_INIT_INO in the kernel's linux/proc_ns.h), maps all of them onto themselves. */
static bool probe_in_userns(void)
{
	static const char initial[] = "user:[4026531837]";
	char map[128];
	unsigned long long inside, outside, n;

	if (readlink("/proc/self/ns/user", map, sizeof(map)) == (ssize_t) sizeof(initial) - 1 &&
	    memcmp(map, initial, sizeof(initial) - 1) == 0)
		return false;
	if (io_read_small(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) < 0)
		return false;
	return sscanf(map, "%llu %llu %llu", &inside, &outside, &n) != 3 || inside != 0 ||
	       outside != 0 || n != UINT32_MAX;
}

static bool probe_apparmor(void)
{
	char v[8];

	return io_read_small(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", v, sizeof(v)) ==
		       1 &&
	       v[0] == 'Y';
}

static void probe_kernel(struct host *h)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	if (uname(&u) < 0)
		return;
	if (sscanf(u.release, "%u.%u", &major, &minor) == 2)
		h->kernel = KERNEL_VERSION(major, minor, 0);
	snprintf(h->machine, sizeof(h->machine), "%.15s", u.machine);
}

void host_probe_ns(struct host *h)
{
	h->time_ns = access("/proc/self/ns/time_for_children", F_OK) == 0;
	h->cgroup_ns = access("/proc/self/ns/cgroup", F_OK) == 0;
	h->user_ns = access("/proc/self/ns/user", F_OK) == 0;
}

void host_probe_resctrl(struct host *h)
{
	h->resctrl = is_fs("/sys/fs/resctrl", RDTGROUP_SUPER_MAGIC);
}

void host_probe_landlock(struct host *h)
{
	/* LANDLOCK_CREATE_RULESET_VERSION. EOPNOTSUPP: built in, but not switched on. */
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	h->landlock = abi < 0 ? 0 : (uint32_t) abi;
}

int host_probe(struct host *ret, struct err *e)
{
	struct host h = {.euid = sys_euid(), .egid = (uint32_t) getauxval(AT_EGID)};
	uint64_t permitted, inheritable;

	(void) e;
	h.in_userns = h.euid == 0 && probe_in_userns();
	h.rootless = h.euid != 0 || h.in_userns;
	if (sys_capget(&h.caps, &permitted, &inheritable) < 0)
		h.caps = 0;
	h.cgroup = probe_cgroup();
	h.apparmor = probe_apparmor();
	h.selinux = is_fs("/sys/fs/selinux", SELINUX_MAGIC);
	probe_kernel(&h);
	h.last_cap = probe_last_cap(h.kernel);
	*ret = h;
	return 0;
}

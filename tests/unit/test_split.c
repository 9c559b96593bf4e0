/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm policy base */
/* Which part of a policy is the host's and which the guest's: nothing twice, nothing lost. */
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/unit/tap.h"
#include "vm/split.h"

#define S(s) ((char *) (uintptr_t) (s))

static struct pol_mount mounts[] = {
	{.kind = POL_MOUNT_FS, .destination = S("/proc"), .type = S("proc")},
	{.kind = POL_MOUNT_FS, .destination = S("/dev"), .type = S("tmpfs")},
	{.kind = POL_MOUNT_FS, .destination = S("/dev/pts"), .type = S("devpts")},
	{.kind = POL_MOUNT_BIND, .destination = S("/etc/hosts"), .source = S("/srv/hosts")},
	{.kind = POL_MOUNT_RBIND,
	 .destination = S("/dev/shm"),
	 .source = S("/srv/mem"),
	 .rattr_set = MOUNT_ATTR_NOEXEC,
	 .flags = POL_MOUNT_SRC_REAL},
	{.kind = POL_MOUNT_RBIND,
	 .destination = S("/data"),
	 .source = S("/srv/d"),
	 .attr_set = MOUNT_ATTR_NOSUID},
	{.kind = POL_MOUNT_BIND, .destination = S("/data/in"), .source = S("/srv/in")},
	{.kind = POL_MOUNT_FS, .destination = S("/data/tmp"), .type = S("tmpfs")},
	{.kind = POL_MOUNT_FS, .destination = S("/nfs"), .type = S("nfs"), .source = S("h:/x")},
	{.kind = POL_MOUNT_BIND,
	 .destination = S("/ro"),
	 .source = S("/srv/ro"),
	 .attr_set = MOUNT_ATTR_RDONLY},
	{.kind = POL_MOUNT_REMOUNT, .destination = S("/ro")},
	{.kind = POL_MOUNT_REMOUNT, .destination = S("/proc")},
	{.kind = POL_MOUNT_CGROUP, .destination = S("/sys/fs/cgroup")},
	{.kind = POL_MOUNT_FS, .destination = S("/dev/shm/x"), .type = S("tmpfs")},
};

/* host, guest, place, volume of each */
static const char *const want[] = {
	"-gp -", "-gp -", "-g- -", "h-- -", "-g- 0", "hg- 1", "hg- 2",
	"-gp -", "h-- -", "h-- -", "h-- -", "-g- -", "-gp -", "-g- -",
};

static void test_plan(struct arena *a)
{
	const struct policy p = {.mounts = {mounts, ARRAY_LEN(mounts)}};
	struct split s;

	split_plan(&p, a, &s);
	is_int((long long) s.n, (long long) ARRAY_LEN(want), "one row for each mount");
	is_int((long long) s.volumes, 3, "volumes are counted");
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct split_mount *m = &s.mounts[i];
		char have[16];

		snprintf(have, sizeof(have), "%c%c%c ", m->host ? 'h' : '-', m->guest ? 'g' : '-',
			 m->place ? 'p' : '-');
		if (m->volume == SPLIT_NO_VOLUME)
			strcat(have, "-");
		else
			snprintf(have + 4, sizeof(have) - 4, "%u", m->volume);
		is_str(have, want[i], "%s", mounts[i].destination);
	}
}

static struct pol_ns namespaces[] = {
	{POL_NS_PID, NULL}, {POL_NS_NET, S("/run/netns/x")}, {POL_NS_MNT, NULL},
	{POL_NS_UTS, NULL}, {POL_NS_CGROUP, NULL},	     {POL_NS_TIME, NULL},
};
static struct pol_hook hook = {.path = S("/h")};
static struct pol_device_rule rule = {true, 'c', 1, 3, 7};
static struct pol_secret secret = {.name = S("s"), .give = POL_SECRET_STDIN};
static char *masked[] = {S("/proc/kcore")};

static struct policy whole(void)
{
	struct policy p = {
		.version = POLICY_VERSION,
		.backend = POL_BACKEND_VM,
		.ns = {namespaces, ARRAY_LEN(namespaces)},
		.rootfs = S("/b/rootfs"),
		.rootfs_readonly = true,
		.mounts = {mounts, ARRAY_LEN(mounts)},
		.masked = {masked, 1, true},
		.secrets = {&secret, 1},
		.hostname = S("box"),
		.has_process = true,
		.process = {.oom_score_adj = {true, 100}},
		.seccomp = {.set = true},
		.cgroup = {.path = S("/x"), .delegate = true},
		.resources = {.devices = {&rule, 1},
			      .memory = {true, 1 << 20},
			      .cpu_quota = {true, 5000},
			      .cpus = S("0-1"),
			      .pids = {true, 9},
			      .blkio_weight = {true, 10}},
	};

	for (int i = 0; i < HOOK_PHASE_MAX; i++)
		p.hooks[i] = (pol_hooks){&hook, 1};
	return p;
}

static bool has_ns(const struct policy *p, uint32_t type)
{
	return pol_ns_find(p, type) != NULL;
}

static void test_host(struct arena *a)
{
	struct policy p = whole(), h;
	struct split s;
	size_t volumes;

	split_plan(&p, a, &s);
	split_host(&p, &s, a, &h, &volumes);
	ok(has_ns(&h, POL_NS_PID) && has_ns(&h, POL_NS_MNT) && has_ns(&h, POL_NS_IPC) &&
		   has_ns(&h, POL_NS_UTS),
	   "host: the monitor has its own namespaces, asked for or not");
	ok(!has_ns(&h, POL_NS_CGROUP) && !has_ns(&h, POL_NS_TIME),
	   "host: cgroup and time namespaces are the guest's");
	is_str(pol_ns_find(&h, POL_NS_NET)->path, "/run/netns/x",
	       "host: a network namespace is joined there");
	is_int((long long) volumes, 6, "host: the mounts of the root come first");
	is_int((long long) h.mounts.n, 9, "host: then the volumes");
	is_str(h.mounts.v[2].destination, "/data/in", "host: ... in their order");
	is_str(h.mounts.v[6].destination, "/vol/0", "host: a volume has a place of its own");
	is_str(h.mounts.v[6].source, "/srv/mem", "host: ... and its source");
	is_int(h.mounts.v[6].flags, POL_MOUNT_SRC_REAL, "host: ... which is checked here");
	ok(!h.has_process && !h.seccomp.set && !h.masked.n, "host: nothing of the process");
	ok(h.hostname == p.hostname, "host: the name, in a namespace that others may join");
	ok(h.secrets.n == 1, "host: secrets are fetched here");
	ok(h.rootfs_readonly, "host: a read-only root is so on the host");
	ok(!h.hooks[HOOK_START_CONTAINER].n && h.hooks[HOOK_PRESTART].n &&
		   h.hooks[HOOK_CREATE_CONTAINER].n && h.hooks[HOOK_POSTSTOP].n,
	   "host: all hooks but startContainer");
	ok(!h.cgroup.delegate && str_eq(h.cgroup.path, "/x"), "host: its cgroup is not delegated");
	ok(h.resources.cpu_quota.set && h.resources.cpus && h.resources.blkio_weight.set,
	   "host: processor time and I/O are limited here");
	ok(!h.resources.memory.set && !h.resources.pids.set,
	   "host: memory and processes are the guest's");
	ok(h.resources.devices.n > 1 && !h.resources.devices.v[0].allow,
	   "host: no device but what the VM needs");
}

static void test_guest(struct arena *a)
{
	struct policy p = whole(), g;
	const struct pol_mount *m;
	struct split s;

	split_plan(&p, a, &s);
	split_guest(&p, &s, "/run/share", a, &g);
	ok(!has_ns(&g, POL_NS_NET) && has_ns(&g, POL_NS_PID) && has_ns(&g, POL_NS_CGROUP),
	   "guest: all namespaces but the network's");
	is_str(g.rootfs, "/run/share/root", "guest: the root is in the share");
	is_int((long long) g.mounts.n, 10, "guest: its mounts");
	m = &g.mounts.v[3];
	is_str(m->destination, "/dev/shm", "guest: ... in their order");
	is_str(m->source, "/run/share/vol/0", "guest: a volume comes from the share");
	ok(m->kind == POL_MOUNT_BIND && m->attr_set == MOUNT_ATTR_NOEXEC && !m->rattr_set &&
		   !m->flags,
	   "guest: ... as one mount, with its flags");
	ok(g.has_process && g.seccomp.set && g.masked.n == 1 && str_eq(g.hostname, "box"),
	   "guest: the process and what confines it");
	ok(g.hooks[HOOK_START_CONTAINER].n && !g.hooks[HOOK_PRESTART].n &&
		   !g.hooks[HOOK_POSTSTART].n,
	   "guest: startContainer hooks only");
	ok(g.resources.memory.set && g.resources.pids.set && g.resources.devices.n == 1,
	   "guest: memory, processes and devices are limited here");
	ok(!g.resources.cpu_quota.set && !g.resources.cpus && !g.resources.blkio_weight.set,
	   "guest: nothing that is the host's");
	ok(g.secrets.n == 1, "guest: ... and used there");
	ok(g.cgroup.delegate, "guest: the delegation of its cgroup");
}

/* podman and containerd make a tmpfs for each container and bind it. */
static void test_shm(struct arena *a)
{
	static struct pol_mount rows[] = {
		{.kind = POL_MOUNT_FS, .destination = S("/dev"), .type = S("tmpfs")},
		{.kind = POL_MOUNT_BIND,
		 .destination = S("/dev/shm"),
		 .source = S("/run/c/userdata/shm"),
		 .propagation = 1 << 18,
		 .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV},
		{.kind = POL_MOUNT_BIND, .destination = S("/data"), .source = S("/srv/shm")},
	};
	struct policy p = whole(), g, h;
	const struct pol_mount *m;
	struct split s;
	size_t volumes;

	p.mounts.v = rows;
	p.mounts.n = ARRAY_LEN(rows);
	split_plan(&p, a, &s);
	split_guest(&p, &s, "/run/share", a, &g);
	split_host(&p, &s, a, &h, &volumes);
	is_int((long long) s.volumes, 0, "shm: an engine's is no volume");
	m = &g.mounts.v[1];
	ok(g.mounts.n == 2 && m->kind == POL_MOUNT_FS && str_eq(m->type, "tmpfs") &&
		   str_eq(m->destination, "/dev/shm"),
	   "shm: but a tmpfs of the guest's");
	ok(m->attr_set == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) && !m->propagation &&
		   m->data.n == 1 && str_eq(m->data.v[0], "mode=1777"),
	   "shm: ... with the flags of the bind, for everybody");
	ok(h.mounts.n == 1 && str_eq(h.mounts.v[0].destination, "/data"),
	   "shm: ... and nothing of the host's; another folder of that name is one");
}

/* What engines mount, and a volume, over an image: nothing of it is in the image. */
static void test_packed(struct arena *a)
{
	static struct pol_mount rows[] = {
		{.kind = POL_MOUNT_FS, .destination = S("/proc"), .type = S("proc")},
		{.kind = POL_MOUNT_BIND,
		 .destination = S("/etc/hosts"),
		 .source = S("/c/hosts"),
		 .rattr_set = MOUNT_ATTR_RDONLY,
		 .propagation = 1 << 18},
		{.kind = POL_MOUNT_RBIND, .destination = S("/data"), .source = S("/srv/d")},
		{.kind = POL_MOUNT_REMOUNT, .destination = S("/data")},
		{.kind = POL_MOUNT_BIND, .destination = S("/dev/shm"), .source = S("/c/shm")},
		{.kind = POL_MOUNT_RBIND,
		 .destination = S("/run/.containerenv"),
		 .source = S("/c/env")},
		{.kind = POL_MOUNT_BIND, .destination = S("/etc/passwd"), .source = S("/c/passwd")},
		{.kind = POL_MOUNT_FS, .destination = S("/etc/resolv.conf"), .type = S("nfs")},
	};
	/* host, guest, place, copy */
	static const char *const plan[] = {"-g--", "-g-c", "-g--", "-g--",
					   "-g--", "-g-c", "-g--", "-g--"};
	struct policy p = whole(), g, h;
	struct split s;
	size_t volumes;

	p.mounts.v = rows;
	p.mounts.n = ARRAY_LEN(rows);
	p.rootfs_readonly = false;
	p.vm.root = POL_VM_ROOT_PACKED;
	split_plan(&p, a, &s);
	for (size_t i = 0; i < ARRAY_LEN(plan); i++) {
		const struct split_mount *m = &s.mounts[i];
		const char have[] = {m->host ? 'h' : '-', m->guest ? 'g' : '-',
				     m->place ? 'p' : '-', m->copy ? 'c' : '-', '\0'};

		is_str(have, plan[i], "packed: %s", rows[i].destination);
	}
	is_int((long long) s.volumes, 3, "packed: folders, files and file systems are volumes");
	is_int((long long) s.copies, 2, "packed: an engine's small files are copied");
	split_host(&p, &s, a, &h, &volumes);
	is_int((long long) volumes, 0, "packed: nothing is mounted in the host's root");
	is_int((long long) h.mounts.n, 3, "packed: but for the volumes");
	ok(h.rootfs_readonly, "packed: whoever writes into it there is told that this is lost");
	split_guest(&p, &s, "/run/share", a, &g);
	ok(!g.rootfs_readonly && str_eq(g.rootfs, "/run/share/root"),
	   "packed: the guest's root can be written to");
	is_int((long long) g.mounts.n, (long long) ARRAY_LEN(rows),
	       "packed: the guest makes all mounts");
	is_str(g.mounts.v[1].source, "/run/copies/1", "packed: from its copy");
	ok(g.mounts.v[1].kind == POL_MOUNT_BIND && g.mounts.v[1].attr_set == MOUNT_ATTR_RDONLY &&
		   !g.mounts.v[1].propagation,
	   "packed: ... with its flags");
	is_str(g.mounts.v[2].source, "/run/share/vol/0", "packed: from the share");
	is_str(g.mounts.v[7].source, "/run/share/vol/2",
	       "packed: ... a file system of the host's, too");
	is_str(g.mounts.v[4].type, "tmpfs", "packed: /dev/shm is the guest's as ever");
	p.vm.root = POL_VM_ROOT_SHARED;
	split_plan(&p, a, &s);
	is_int((long long) s.copies, 0, "shared: nothing is copied");
}

int main(void)
{
	struct arena a = {0};

	test_plan(&a);
	test_host(&a);
	test_guest(&a);
	test_shm(&a);
	test_packed(&a);
	arena_free(&a);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/split.h"

#include <linux/mount.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"

/* What the kernel that runs the programs has to know of. Access times: a client of the share keeps its own. */
static bool has_guest_flags(const struct pol_mount *m)
{
	return (m->attr_set | m->rattr_set) &
	       (uint64_t) ~(MOUNT_ATTR_RDONLY | MOUNT_ATTR_RELATIME | MOUNT_ATTR_IDMAP);
}

/* Whether a mount of the guest's among the first n is at this place or above it; `fs`: one that hides what the host has
 * there. */
static bool below_guest(const struct policy *p, const struct split *s, size_t n, const char *place,
			bool fs)
{
	for (size_t i = 0; i < n; i++)
		if (s->mounts[i].guest && (!fs || !s->mounts[i].host) &&
		    path_below(place, p->mounts.v[i].destination))
			return true;
	return false;
}

/* What is under a shared root as well: the host makes it in root/, where it can be seen from there. */
static void plan_shared(const struct policy *p, struct split *s, size_t i, enum pol_vm_from from)
{
	const struct pol_mount *m = &p->mounts.v[i];
	bool below = below_guest(p, s, i, m->destination, false),
	     hidden = below_guest(p, s, i, m->destination, true);
	struct split_mount *to = &s->mounts[i];

	if (from == POL_VM_FROM_GUEST || from == POL_VM_FROM_SHM) {
		to->guest = true;
		to->place = !hidden;
		return;
	}
	to->host = !hidden;
	if (from == POL_VM_FROM_MOUNTS) {
		to->guest = below;
	} else if (below || has_guest_flags(m)) {
		to->guest = true;
		to->volume = (uint32_t) s->volumes++;
	}
}

void split_plan(const struct policy *p, struct arena *a, struct split *ret)
{
	struct split s = {.mounts = arena_array(a, p->mounts.n, sizeof(*s.mounts)),
			  .n = p->mounts.n};

	for (size_t i = 0; i < s.n; i++) {
		enum pol_vm_from from = pol_vm_from(p, &p->mounts.v[i]);

		s.mounts[i].volume = SPLIT_NO_VOLUME;
		if (p->vm.root != POL_VM_ROOT_PACKED) {
			plan_shared(p, &s, i, from);
			continue;
		}
		/* nothing of the host's is in the root: the guest makes all of it */
		s.mounts[i].guest = true;
		s.mounts[i].copy = from == POL_VM_FROM_COPY;
		s.copies += s.mounts[i].copy;
		if (from == POL_VM_FROM_HOST)
			s.mounts[i].volume = (uint32_t) s.volumes++;
	}
	*ret = s;
}

/* ---- limits ---- */

/*
 * The host's cgroup holds the whole VM: processor time and I/O are limited there, where they are spent. The rest is about
 * processes and memory of the guest, and its device rules are about the guest's nodes: the monitor and QEMU need others.
 */
enum { ALLOW_RW = 3, ALLOW_ALL = 7, ANY = -1 };
static const struct pol_device_rule host_devices[] = {
	{false, 'a', ANY, ANY, ALLOW_ALL}, {true, 'c', 1, 3, ALLOW_RW}, /* null */
	{true, 'c', 1, 5, ALLOW_RW},					/* zero */
	{true, 'c', 1, 8, ALLOW_RW},					/* random */
	{true, 'c', 1, 9, ALLOW_RW},					/* urandom */
	{true, 'c', 5, 0, ALLOW_RW},					/* tty */
	{true, 'c', 5, 2, ALLOW_RW},					/* ptmx */
	{true, 'c', 136, ANY, ALLOW_RW},				/* pts */
	{true, 'c', 10, 200, ALLOW_RW},					/* net/tun */
	{true, 'c', 10, 229, ALLOW_RW}, /* fuse: a rootfs may be one */
	{true, 'c', 10, 232, ALLOW_RW}, /* kvm */
	{true, 'c', 10, 238, ALLOW_RW}, /* vhost-net */
};

void split_resources_host(const struct pol_resources *r, struct arena *a, struct pol_resources *ret)
{
	struct pol_resources h = {
		.check_before_update = r->check_before_update,
		.cpu_shares = r->cpu_shares,
		.cpu_period = r->cpu_period,
		.cpu_quota = r->cpu_quota,
		.cpu_burst = r->cpu_burst,
		.cpu_idle = r->cpu_idle,
		.cpu_rt_period = r->cpu_rt_period,
		.cpu_rt_runtime = r->cpu_rt_runtime,
		.cpus = r->cpus,
		.mems = r->mems,
		.blkio_weight = r->blkio_weight,
		.blkio_leaf_weight = r->blkio_leaf_weight,
		.net_classid = r->net_classid,
		.net_prio = r->net_prio,
	};

	h.blkio.v = r->blkio.v;
	h.blkio.n = r->blkio.n;
	h.rdma.v = r->rdma.v;
	h.rdma.n = r->rdma.n;
	if (r->devices.n) {
		h.devices.v = arena_memdup(a, host_devices, sizeof(host_devices));
		h.devices.n = ARRAY_LEN(host_devices);
	}
	*ret = h;
}

void split_resources_guest(const struct pol_resources *r, struct arena *a,
			   struct pol_resources *ret)
{
	struct pol_resources g = {
		.memory = r->memory,
		.memory_reservation = r->memory_reservation,
		.memory_swap = r->memory_swap,
		.kernel_memory = r->kernel_memory,
		.kernel_memory_tcp = r->kernel_memory_tcp,
		.swappiness = r->swappiness,
		.disable_oom_killer = r->disable_oom_killer,
		.check_before_update = r->check_before_update,
		.pids = r->pids,
		.unified = r->unified,
	};

	(void) a;
	g.devices.v = r->devices.v;
	g.devices.n = r->devices.n;
	g.hugepages.v = r->hugepages.v;
	g.hugepages.n = r->hugepages.n;
	*ret = g;
}

/* ---- the host's part ---- */

static void host_namespaces(const struct policy *p, struct arena *a, struct policy *ret)
{
	ret->ns.v = arena_array(a, p->ns.n + 3, sizeof(*ret->ns.v));
	for (uint32_t t = POL_NS_USER; t < POL_NS_MAX; t++) {
		const struct pol_ns *ns = pol_ns_find(p, t);

		/* the monitor has these whatever the container shares: they are what ends QEMU and hides its mounts */
		if (t == POL_NS_PID || t == POL_NS_MNT || t == POL_NS_IPC)
			ret->ns.v[ret->ns.n++] = (struct pol_ns){.type = t};
		else if (ns && (t == POL_NS_NET || t == POL_NS_UTS))
			ret->ns.v[ret->ns.n++] = *ns;
	}
}

static void host_mounts(const struct policy *p, const struct split *s, struct arena *a,
			struct policy *ret, size_t *ret_volumes)
{
	ret->mounts.v = arena_array(a, 2 * p->mounts.n, sizeof(*ret->mounts.v));
	for (size_t i = 0; i < s->n; i++)
		if (s->mounts[i].host)
			ret->mounts.v[ret->mounts.n++] = p->mounts.v[i];
	*ret_volumes = ret->mounts.n;
	for (size_t i = 0; i < s->n; i++) {
		struct pol_mount m = p->mounts.v[i];

		if (s->mounts[i].volume == SPLIT_NO_VOLUME)
			continue;
		m.destination = arena_printf(a, "/vol/%u", s->mounts[i].volume);
		ret->mounts.v[ret->mounts.n++] = m;
	}
}

void split_host(const struct policy *p, const struct split *s, struct arena *a, struct policy *ret,
		size_t *ret_volumes)
{
	struct policy h = {
		.version = p->version,
		.backend = p->backend,
		.backend_floor = p->backend_floor,
		.preset = p->preset,
		.rootfs = p->rootfs,
		/* what is written there would not be in the image: better an error */
		.rootfs_readonly = p->rootfs_readonly || p->vm.root == POL_VM_ROOT_PACKED,
		.mount_label = p->mount_label,
		.mount_label_kind = p->mount_label_kind,
		.cgroup = p->cgroup,
		.hostname = p->hostname, /* of a pod: others join the namespace */
		.domainname = p->domainname,
		.rdt = p->rdt,
		.vm = p->vm,
	};

	host_namespaces(p, a, &h);
	host_mounts(p, s, a, &h, ret_volumes);
	split_resources_host(&p->resources, a, &h.resources);
	h.cgroup.delegate = false; /* what the container gets is its cgroup of the guest */
	for (int i = 0; i < HOOK_PHASE_MAX; i++)
		if (i != HOOK_START_CONTAINER)
			h.hooks[i] = p->hooks[i];
	h.secrets.v = p->secrets.v; /* kavach fetches them; the monitor hands them on */
	h.secrets.n = p->secrets.n;
	h.netdevs.v = p->netdevs.v;
	h.netdevs.n = p->netdevs.n;
	*ret = h;
}

/* ---- the guest's part ---- */

static void guest_namespaces(const struct policy *p, struct arena *a, struct policy *ret)
{
	ret->ns.v = arena_array(a, p->ns.n, sizeof(*ret->ns.v));
	ret->ns.n = 0;
	for (size_t i = 0; i < p->ns.n; i++)
		if (p->ns.v[i].type != POL_NS_USER && p->ns.v[i].type != POL_NS_NET)
			ret->ns.v[ret->ns.n++] = (struct pol_ns){.type = p->ns.v[i].type};
}

/* Its source is the share's, and what had to be done to that is done: id maps, and everything below it is in it. */
static struct pol_mount volume_mount(const struct pol_mount *m, char *source)
{
	struct pol_mount v = *m;

	v.kind = POL_MOUNT_BIND;
	v.type = NULL;
	v.source = source;
	v.attr_set = (m->attr_set | m->rattr_set) & ~(uint64_t) MOUNT_ATTR_IDMAP;
	v.attr_clr = m->attr_clr | m->rattr_clr;
	v.rattr_set = v.rattr_clr = 0;
	v.propagation = v.sb_flags = 0;
	v.data = (struct strs){0};
	v.flags &= POL_MOUNT_COPY_SYMLINK | POL_MOUNT_DEST_NOFOLLOW | POL_MOUNT_OPTIONAL;
	v.uid_map = v.gid_map = (pol_idmaps){0};
	return v;
}

/* Without a size it may grow to half of the guest's memory; what it holds counts as the container's. */
static struct pol_mount shm_mount(const struct pol_mount *m, struct arena *a)
{
	struct pol_mount v = *m;

	v.kind = POL_MOUNT_FS;
	v.type = arena_strdup(a, "tmpfs");
	v.source = arena_strdup(a, "shm");
	v.attr_set = m->attr_set | m->rattr_set;
	v.attr_clr = m->attr_clr | m->rattr_clr;
	v.rattr_set = v.rattr_clr = 0;
	v.propagation = 0;
	v.data = (struct strs){.v = arena_array(a, 2, sizeof(char *)), .n = 1, .set = true};
	v.data.v[0] = arena_strdup(a, "mode=1777");
	v.flags &= POL_MOUNT_DEST_NOFOLLOW;
	v.uid_map = v.gid_map = (pol_idmaps){0};
	return v;
}

static struct pol_mount guest_mount(const struct policy *p, const struct split *s, size_t i,
				    const char *share, struct arena *a)
{
	const struct pol_mount *m = &p->mounts.v[i];

	if (pol_vm_from(p, m) == POL_VM_FROM_SHM)
		return shm_mount(m, a);
	if (s->mounts[i].copy)
		return volume_mount(m, arena_printf(a, SPLIT_COPIES "/%zu", i));
	if (s->mounts[i].volume == SPLIT_NO_VOLUME)
		return *m;
	return volume_mount(m, arena_printf(a, "%s/vol/%u", share, s->mounts[i].volume));
}

static void guest_mounts(const struct policy *p, const struct split *s, const char *share,
			 struct arena *a, struct policy *ret)
{
	ret->mounts.v = arena_array(a, p->mounts.n, sizeof(*ret->mounts.v));
	ret->mounts.n = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (s->mounts[i].guest)
			ret->mounts.v[ret->mounts.n++] = guest_mount(p, s, i, share, a);
	}
}

void split_guest(const struct policy *p, const struct split *s, const char *share, struct arena *a,
		 struct policy *ret)
{
	struct policy g = *p;

	guest_namespaces(p, a, &g);
	guest_mounts(p, s, share, a, &g);
	split_resources_guest(&p->resources, a, &g.resources);
	g.uid_map = g.gid_map = (pol_idmaps){0};
	g.rootfs = arena_printf(a, "%s/root", share);
	g.rootfs_propagation = 0;
	g.no_pivot = false;
	g.mount_label = NULL;
	g.mount_label_kind = 0;
	for (int i = 0; i < HOOK_PHASE_MAX; i++)
		if (i != HOOK_START_CONTAINER)
			g.hooks[i] = (pol_hooks){0};
	g.netdevs.v = NULL;
	g.netdevs.n = 0;
	g.rdt = (struct pol_rdt){0};
	g.vm = (struct pol_vm){0};
	*ret = g;
}

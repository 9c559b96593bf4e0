/* SPDX-License-Identifier: Apache-2.0 */
/* The control group itself, hooks, and what stands by itself in the linux and vm objects. */
#include <linux/capability.h>
#include <linux/mount.h>

#include "policy/pb.h"

/* ---- control group ---- */

#define SYSTEMD_PROP "org.systemd.property."
#define SYSTEMD_SUBGROUP "run.oci.systemd.subgroup"
#define SUBGROUP_PROP "DelegateSubgroup"
#define SUBGROUP_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* crun's name for what systemd calls DelegateSubgroup; as text of a property. NULL: not asked for. */
static int systemd_subgroup(struct pb *b, char **ret, struct err *e)
{
	const char *name = pb_annotation(b, SYSTEMD_SUBGROUP);

	*ret = NULL;
	if (str_empty(name) || b->p->cgroup.manager != POL_CG_SYSTEMD)
		return 0;
	if (strspn(name, SUBGROUP_CHARS) != strlen(name))
		return pb_refuse(b, e,
				 "annotations[\"" SYSTEMD_SUBGROUP
				 "\"]: expected letters, digits, \"_\" and \"-\", found \"%s\"",
				 name);
	*ret = arena_printf(b->a, "'%s'", name);
	return 0;
}

static int systemd_props(struct pb *b, struct kvs *ret, struct err *e)
{
	const struct kvs *m = &b->s->annotations;
	char *subgroup;
	int r = systemd_subgroup(b, &subgroup, e);

	if (r < 0)
		return r;
	ret->v = arena_array(b->a, m->n + 1, sizeof(*ret->v));
	for (size_t i = 0; i < m->n; i++) {
		const char *name = str_prefix(m->v[i].key, SYSTEMD_PROP);

		if (str_empty(name))
			continue;
		/* The map is sorted by key, so what is left after the common start is, too. */
		if (subgroup && strcmp(name, SUBGROUP_PROP) >= 0) {
			if (!str_eq(name, SUBGROUP_PROP))
				ret->v[ret->n++] = (struct kv){(char *) (uintptr_t) SUBGROUP_PROP,
							       subgroup};
			subgroup = NULL;
		}
		ret->v[ret->n++] = (struct kv){(char *) (uintptr_t) name, m->v[i].val};
	}
	if (subgroup)
		ret->v[ret->n++] = (struct kv){(char *) (uintptr_t) SUBGROUP_PROP, subgroup};
	return 0;
}

static bool has_dotdot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (!p[2] || p[2] == '/'))
			return true;
	return false;
}

/* S-39: only on v2, with a cgroup namespace of its own and its file system mounted writable. */
static bool delegated(const struct pb *b)
{
	const struct pol_ns *ns = pol_ns_find(b->p, POL_NS_CGROUP);

	if (b->h->cgroup != CG_V2 || !ns || ns->path)
		return false;
	for (size_t i = 0; i < b->p->mounts.n; i++)
		if (b->p->mounts.v[i].kind == POL_MOUNT_CGROUP &&
		    !(b->p->mounts.v[i].attr_set & MOUNT_ATTR_RDONLY))
			return true;
	return false;
}

int pb_cgroup(struct pb *b, struct err *e)
{
	struct pol_cgroup *p = &b->p->cgroup;

	p->manager = b->in->cg_manager ? b->in->cg_manager : POL_CG_CGROUPFS;
	p->path = pb_given(b->l->cgroupsPath);
	if (p->path && has_dotdot(p->path))
		return pb_refuse(b, e,
				 "linux.cgroupsPath: expected a path without \"..\", found \"%s\"",
				 p->path);
	if (p->path && p->manager == POL_CG_SYSTEMD && !strchr(p->path, ':'))
		return pb_refuse(
			b, e,
			"linux.cgroupsPath: expected \"slice:prefix:name\" with the systemd manager, "
			"found \"%s\"",
			p->path);
	p->delegate = delegated(b);
	return systemd_props(b, &p->systemd_props, e);
}

/* ---- hooks ---- */

static int add_hooks(struct pb *b, const char *phase, const spec_hooks_list *s, pol_hooks *ret,
		     struct err *e)
{
	ret->v = arena_array(b->a, s->n, sizeof(*ret->v));
	for (size_t i = 0; i < s->n; i++) {
		const struct spec_hook *h = &s->v[i];

		if (str_empty(h->path) || h->path[0] != '/')
			return pb_refuse(
				b, e, "hooks.%s[%zu].path: expected an absolute path, found \"%s\"",
				phase, i, h->path ? h->path : "");
		if (h->timeout.set && h->timeout.v <= 0)
			return pb_refuse(
				b, e,
				"hooks.%s[%zu].timeout: expected more than 0 seconds, found %lld",
				phase, i, (long long) h->timeout.v);
		ret->v[ret->n++] = (struct pol_hook){h->path, h->args, h->env,
						     (uint64_t) h->timeout.v};
	}
	return 0;
}

int pb_hooks(struct pb *b, struct err *e)
{
	const struct spec_hooks *h = b->s->hooks;
	int r = 0;

	if (!h)
		return 0;

	const struct {
		const char *name;
		const spec_hooks_list *list;
	} phases[HOOK_PHASE_MAX] = {
		[HOOK_PRESTART] = {"prestart", &h->prestart},
		[HOOK_CREATE_RUNTIME] = {"createRuntime", &h->createRuntime},
		[HOOK_CREATE_CONTAINER] = {"createContainer", &h->createContainer},
		[HOOK_START_CONTAINER] = {"startContainer", &h->startContainer},
		[HOOK_POSTSTART] = {"poststart", &h->poststart},
		[HOOK_POSTSTOP] = {"poststop", &h->poststop},
	};

	for (size_t i = 0; i < HOOK_PHASE_MAX && r == 0; i++)
		r = add_hooks(b, phases[i].name, phases[i].list, &b->p->hooks[i], e);
	return r;
}

/* ---- what this build decides but cannot carry out: refused, not ignored (S-03) ---- */

int pb_netdevs(struct pb *b, struct err *e)
{
	size_t n = b->l->netDevices.n;

	if (!n)
		return 0;
	if (!pol_ns_find(b->p, POL_NS_NET))
		return pb_refuse(b, e,
				 "linux.netDevices: needs a network namespace in linux.namespaces");
	if (b->h->rootless)
		return pb_refuse(b, e, "linux.netDevices: needs root privileges on the host");
	if (!(b->h->caps >> CAP_NET_ADMIN & 1))
		return pb_refuse(b, e, "linux.netDevices: needs CAP_NET_ADMIN on the host");
	b->p->netdevs.v = arena_array(b->a, n, sizeof(*b->p->netdevs.v));
	for (size_t i = 0; i < n; i++) {
		const struct spec_netdev *d = &b->l->netDevices.v[i];
		char *name = pb_given(d->name) ? d->name : d->host;

		/* the kernel takes any "%" for a pattern; the spec has one, at the end */
		if (strcspn(name, "%") < strlen(name) - (str_has_suffix(name, "%d") ? 2 : 0))
			return pb_refuse(
				b, e,
				"linux.netDevices[\"%s\"].name: expected \"%%\" only in \"%%d\" at "
				"the end, found \"%s\"",
				d->host, name);
		for (size_t j = 0; j < i; j++)
			if (str_eq(b->p->netdevs.v[j].name, name) && !str_has_suffix(name, "%d"))
				return pb_refuse(
					b, e,
					"linux.netDevices[\"%s\"].name: \"%s\" is given twice",
					d->host, name);
		b->p->netdevs.v[b->p->netdevs.n++] = (struct pol_netdev){d->host, name};
	}
	return 0;
}

int pb_rdt(struct pb *b, struct err *e)
{
	const struct spec_rdt *s = b->l->intelRdt;

	if (!s)
		return 0;
	b->p->rdt = (struct pol_rdt){
		.set = true,
		.clos_id = pb_given(s->closID),
		.l3 = pb_given(s->l3CacheSchema),
		.mb = pb_given(s->memBwSchema),
		.schemata = s->schemata,
		.monitoring = s->enableMonitoring.v,
	};
	/* An empty object asks for nothing; engines that know RDT write one. */
	if (!b->p->rdt.clos_id && !b->p->rdt.l3 && !b->p->rdt.mb && !s->schemata.n &&
	    !s->enableMonitoring.v) {
		b->p->rdt = (struct pol_rdt){0};
		return 0;
	}
	if (!b->h->resctrl)
		return pb_refuse(
			b, e,
			"linux.intelRdt: resctrl is not mounted at /sys/fs/resctrl on this "
			"host");
	return 0;
}

/* ---- memory policy ---- */

/* linux/mempolicy.h */
enum {
	MODE_DEFAULT,
	MODE_PREFERRED,
	MODE_BIND,
	MODE_INTERLEAVE,
	MODE_LOCAL,
	MODE_PREFERRED_MANY,
	MODE_WEIGHTED
};
enum { NUMA_BALANCING = 1 << 13, RELATIVE_NODES = 1 << 14, STATIC_NODES = 1 << 15 };

static const struct name_val mempolicy_modes[] = {
	{"MPOL_DEFAULT", MODE_DEFAULT},
	{"MPOL_PREFERRED", MODE_PREFERRED},
	{"MPOL_BIND", MODE_BIND},
	{"MPOL_INTERLEAVE", MODE_INTERLEAVE},
	{"MPOL_LOCAL", MODE_LOCAL},
	{"MPOL_PREFERRED_MANY", MODE_PREFERRED_MANY},
	{"MPOL_WEIGHTED_INTERLEAVE", MODE_WEIGHTED},
};
static const struct name_val mempolicy_flags[] = {
	{"MPOL_F_NUMA_BALANCING", NUMA_BALANCING},
	{"MPOL_F_RELATIVE_NODES", RELATIVE_NODES},
	{"MPOL_F_STATIC_NODES", STATIC_NODES},
};

/* set_mempolicy(2): which modes take nodes, which flags go together. */
static int check_mempolicy(struct pb *b, const struct spec_mempolicy *s, long mode, long flags,
			   struct err *e)
{
	bool nodes = pb_given(s->nodes);

	if ((mode == MODE_DEFAULT || mode == MODE_LOCAL) && (nodes || flags))
		return pb_refuse(b, e, "linux.memoryPolicy: %s takes no nodes and no flags",
				 s->mode);
	if (mode != MODE_DEFAULT && mode != MODE_LOCAL && mode != MODE_PREFERRED && !nodes)
		return pb_refuse(b, e, "linux.memoryPolicy.nodes: required with %s", s->mode);
	if (!nodes && flags)
		return pb_refuse(b, e, "linux.memoryPolicy.flags: need nodes");
	if ((flags & STATIC_NODES) && (flags & RELATIVE_NODES))
		return pb_refuse(
			b, e,
			"linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude "
			"each other");
	if ((flags & NUMA_BALANCING) && mode != MODE_BIND && mode != MODE_PREFERRED_MANY)
		return pb_refuse(
			b, e,
			"linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING is only for MPOL_BIND and "
			"MPOL_PREFERRED_MANY");
	return 0;
}

int pb_mempolicy(struct pb *b, struct err *e)
{
	const struct spec_mempolicy *s = b->l->memoryPolicy;
	long mode, flags = 0, bit;
	int r;

	if (!s)
		return 0;
	r = PB_WORD(b, mempolicy_modes, s->mode, &mode, e, "linux.memoryPolicy.mode");
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->flags.n; i++) {
		r = PB_WORD(b, mempolicy_flags, s->flags.v[i], &bit, e,
			    "linux.memoryPolicy.flags[%zu]", i);
		if (r < 0)
			return r;
		flags |= bit;
	}
	r = check_mempolicy(b, s, mode, flags, e);
	if (r < 0)
		return r;
	b->p->mempolicy = (struct pol_mempolicy){true, (uint32_t) (mode | flags),
						 pb_given(s->nodes)};
	return 0;
}

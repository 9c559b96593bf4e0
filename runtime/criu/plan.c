/* SPDX-License-Identifier: Apache-2.0 */
/* See plan.h. */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "criu/plan.h"

/* ---- mounts ---- */

static bool is_bind(const struct pol_mount *m)
{
	return m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
}

/* The mount of the configuration in which a place is; of several at one place, the last. -1: the root. `not`: that one
 * does not count. */
static long cover_of(const struct plan *in, const char *place, size_t not )
{
	size_t best_len = 0;
	long best = -1;

	for (size_t i = 0; i < in->p->mounts.n; i++) {
		size_t len = strlen(in->places[i]);

		if (i == not || in->p->mounts.v[i].kind == POL_MOUNT_REMOUNT || len < best_len ||
		    !path_below(place, in->places[i]))
			continue;
		best = (long) i;
		best_len = len;
	}
	return best;
}

static bool has_device(const struct policy *p, const char *place)
{
	for (size_t i = 0; i < p->devices.n; i++)
		if (str_eq(p->devices.v[i].path, place))
			return true;
	return false;
}

static void add(const struct plan *in, struct rpc_opts *o, const char *key, const char *val)
{
	struct rpc_mount *m;

	for (size_t i = 0; i < o->mounts.n; i++)
		if (str_eq(o->mounts.v[i].key, key))
			return;
	m = rpc_add(in->a, &o->mounts);
	m->key = arena_strdup(in->a, key);
	m->val = arena_strdup(in->a, val);
}

int plan_check(const struct policy *p, struct err *e)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if (p->mounts.v[i].flags & (POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC))
			return err_set(
				e, -ENOTSUP,
				"mounts[%u] (%s) has mapped ids: CRIU cannot save or restore such a mount",
				p->mounts.v[i].config_index, p->mounts.v[i].destination);
	if (p->netdevs.n)
		return err_set(
			e, -ENOTSUP,
			"linux.netDevices: %s is an interface of the machine: CRIU cannot save or "
			"restore it",
			p->netdevs.v[0].host);
	/* its processes would read the images as the user whom root is there, who must not */
	for (size_t i = 0; i < p->ns.n; i++)
		if (p->ns.v[i].type == POL_NS_USER)
			return err_set(
				e, -ENOTSUP,
				"linux.namespaces[%zu]: CRIU cannot restore a container with a user "
				"namespace",
				i);
	return 0;
}

/* A mask over a directory is the root of a tmpfs of the container; one over a file is the null device of the host. */
static void dump_mask(const struct plan *in, const struct mountinfo *m, struct rpc_opts *o)
{
	if (!str_eq(m->root, "/"))
		add(in, o, m->place, "/dev/null");
}

void plan_dump(const struct plan *in, struct rpc_opts *o)
{
	for (size_t i = 0; i < in->n_mnt; i++) {
		const struct mountinfo *m = &in->mnt[i];
		const struct pol_mount *c;
		long at;

		if (str_eq(m->place, "/"))
			continue;
		if (strs_has(&in->p->masked, m->place)) {
			dump_mask(in, m, o);
			continue;
		}
		at = cover_of(in, m->place, SIZE_MAX);
		c = at < 0 ? NULL : &in->p->mounts.v[at];
		if ((c && is_bind(c)) || has_device(in->p, m->place))
			add(in, o, m->place, m->place);
		else if (c && c->kind == POL_MOUNT_CGROUP &&
			 (str_eq(m->place, in->places[at]) ? in->cgroup_bound : in->cgroup_below))
			add(in, o, m->place, m->place);
	}
}

/* What is mounted on the host below the source of a recursive bind. */
static void restore_below(const struct plan *in, size_t i, struct rpc_opts *o)
{
	const char *source = in->p->mounts.v[i].source;

	for (size_t k = 0; k < in->n_mnt; k++) {
		const char *place = in->mnt[k].place;

		if (path_below(place, source) && !str_eq(place, source) && !str_eq(source, "/"))
			add(in, o,
			    arena_printf(in->a, "%s%s", in->places[i], place + strlen(source)),
			    place);
	}
}

/* A read-only path in a bind mount is a mount of its own. */
static void restore_readonly(const struct plan *in, const char *path, struct rpc_opts *o)
{
	long at = cover_of(in, path, SIZE_MAX);

	if (at >= 0 && is_bind(&in->p->mounts.v[at]))
		add(in, o, path,
		    arena_printf(in->a, "%s%s", in->p->mounts.v[at].source,
				 path + strlen(in->places[at])));
}

void plan_restore(const struct plan *in, struct rpc_opts *o)
{
	const struct policy *p = in->p;

	/* from the last: of several at one place, that is the one which is seen */
	for (size_t i = p->mounts.n; i-- > 0;) {
		if (!is_bind(&p->mounts.v[i]))
			continue;
		add(in, o, in->places[i], p->mounts.v[i].source);
		if (p->mounts.v[i].kind == POL_MOUNT_RBIND)
			restore_below(in, i, o);
	}
	for (size_t i = 0; i < p->readonly.n; i++)
		restore_readonly(in, p->readonly.v[i], o);
	for (size_t i = 0; i < p->devices.n; i++)
		add(in, o, p->devices.v[i].path, p->devices.v[i].path);
	for (size_t i = 0; i < in->n_cg; i++)
		add(in, o, in->cg[i].key, in->cg[i].val);
	if (p->masked.n)
		add(in, o, "/dev/null", "/dev/null");
}

const char *plan_place(const struct plan *in, size_t i, const char **ret_dir)
{
	const char *place = in->places[i];
	long at = cover_of(in, place, i);
	const struct pol_mount *c = at < 0 ? NULL : &in->p->mounts.v[at];

	*ret_dir = c ? c->source : in->p->rootfs;
	if (!c)
		return place;
	return is_bind(c) && !str_eq(place, in->places[at]) ? place + strlen(in->places[at]) : NULL;
}

/* ---- descriptors ---- */

char *plan_stdio(const struct plan *in, const char *link, bool regular, uint32_t mount,
		 uint64_t inode, bool *ret_external)
{
	*ret_external = false;
	if (plan_inherit(link))
		return arena_strdup(in->a, link);
	if (!regular)
		return NULL;
	for (size_t i = 0; i < in->n_mnt; i++)
		if (in->mnt[i].id == mount)
			return NULL; /* a file of the container */
	*ret_external = true;
	return arena_printf(in->a, "file[%x:%llx]", mount, (unsigned long long) inode);
}

bool plan_inherit(const char *name)
{
	return str_prefix(name, "pipe:[") || str_prefix(name, "file[");
}

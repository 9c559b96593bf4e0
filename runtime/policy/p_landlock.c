/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of Landlock: what the preset strict and the site's rules put around the workload.
 *
 * A layer "from the mounts" says once more what the mounts say: what is mounted read-only can be read and executed, what is
 * mounted writable can be written. It is a second wall: it holds for what is below a mount that only seems to be read-only, for
 * a file system that somebody manages to make writable, and for a directory of the host to which a descriptor was left open,
 * since nothing outside of the root can be opened at all.
 *
 * What can be reached through several entries of a layer has the rights of all of them: a layer cannot take back below a
 * writable directory what it gave to that. So with a writable root it limits no writing; the page and the strength
 * say so.
 */
#include <linux/mount.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/path.h"
#include "policy/facts.h"
#include "policy/landlock.h"
#include "policy/pb.h"

/* ---- what the kernel has ---- */

/* Of the kernel that will run the workload. What one of the site's own has nobody here knows. */
static uint32_t has_abi(const struct pb *b)
{
	if (b->p->backend == POL_BACKEND_PROCESS)
		return b->h->landlock;
	return b->p->vm.kernel ? 0 : b->in->guest_landlock;
}

/* here: what the kernel of this machine is called in the sentence. */
static const char *found_text(const struct pb *b, const char *here, uint32_t has)
{
	bool host = b->p->backend == POL_BACKEND_PROCESS, own = !host && b->p->vm.kernel;
	const char *who = host ? here : own ? "the guest's own kernel" : "the guest's";

	return has ? arena_printf(b->a, "%s has ABI %u", who, has)
		   : arena_printf(b->a, "%s has no Landlock%s", who,
				  own ? " that is known of" : "");
}

/* What the kernel lacks is an error, unless the layer asks for less than it names: then a warning says what is missing. */
static int settle(const struct pb *b, struct policy_landlock *l, struct err *e)
{
	uint32_t full = landlock_abi_full(l), has = has_abi(b);
	struct landlock_handled h;

	if (has < l->required_abi)
		return err_set_id(e, ERR_CONFIG, -ENOTSUP,
				  "%s%s: needs a kernel with Landlock ABI %u; %s", landlock_of(l),
				  l->source, l->required_abi, found_text(b, "this one", has));
	l->required_abi = l->required_abi > full ? l->required_abi : has < full ? has : full;
	h = landlock_handled(l);
	if (has >= landlock_abi_safe(l))
		return 0;
	log_warn("%s%s: %s; not limited:%s%s%s%s", landlock_of(l), l->source,
		 found_text(b, "this kernel", has),
		 !l->paths_limited	 ? ""
		 : !h.fs		 ? " paths"
		 : h.fs & LL_FS_TRUNCATE ? ""
					 : " truncation",
		 l->bind_limited && !(h.net & LL_NET_BIND_TCP) ? " tcpBind" : "",
		 l->connect_limited && !(h.net & LL_NET_CONNECT_TCP) ? " tcpConnect" : "",
		 h.scopes != l->scopes ? " scopes" : "");
	return 0;
}

/* ---- from the mounts ---- */

static void append(struct pb *b, struct strs *l, const char *path)
{
	char **v = arena_array(b->a, l->n + 1, sizeof(*v));

	if (l->n)
		memcpy(v, l->v, l->n * sizeof(*v));
	v[l->n++] = (char *) (uintptr_t) path;
	l->v = v;
	l->set = true;
}

/* Whether a place can be written once all mounts are made: the last one there decides. */
static bool ends_writable(const struct policy *p, size_t i)
{
	const char *place = p->mounts.v[i].destination;
	bool writable = false;

	for (size_t k = 0; k < p->mounts.n; k++) {
		const struct pol_mount *m = &p->mounts.v[k];

		if (!str_eq(m->destination, place))
			continue;
		if (m->kind != POL_MOUNT_REMOUNT ||
		    ((m->attr_set | m->attr_clr) & MOUNT_ATTR_RDONLY))
			writable = !((m->attr_set | m->rattr_set) & MOUNT_ATTR_RDONLY);
	}
	return writable;
}

/* Only if nothing above can be written: a workload that changes the way to a mount gains no other place. */
static bool is_topmost(const struct policy *p, const struct policy_landlock *l, size_t i)
{
	const char *place = p->mounts.v[i].destination;

	for (size_t k = 0; k < p->mounts.n; k++)
		if (!str_eq(p->mounts.v[k].destination, place) &&
		    !str_eq(p->mounts.v[k].destination, "/") &&
		    path_below(place, p->mounts.v[k].destination) && ends_writable(p, k))
			return false;
	return !strs_has(&l->mounts, place) && !strs_has(&l->read_write, place);
}

/* What comes from the host into a VM is no mount of the guest's, mostly (vm/split.c). */
static bool is_shared(const struct policy *p, size_t i)
{
	const struct pol_mount *m = &p->mounts.v[i];

	return p->backend != POL_BACKEND_PROCESS &&
	       (m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND);
}

static void add_mounts(struct pb *b, struct policy_landlock *l)
{
	const struct policy *p = b->p;

	for (size_t i = 0; i < p->mounts.n; i++)
		if (!str_eq(p->mounts.v[i].destination, "/") && ends_writable(p, i) &&
		    is_topmost(p, l, i))
			append(b, is_shared(p, i) ? &l->read_write : &l->mounts,
			       p->mounts.v[i].destination);
	/* A read-only file system does not keep anybody from writing to a device. */
	for (size_t i = 0; i < p->devices.n; i++)
		if (!landlock_writable(l, p->devices.v[i].path))
			append(b, &l->read_write, p->devices.v[i].path);
	if (p->process.terminal && !landlock_writable(l, "/dev/console"))
		append(b, &l->mounts, "/dev/console");
}

static int from_mounts(struct pb *b, struct policy_landlock *l, struct err *e)
{
	bool programs_named = l->execute.set;

	if (fact_ns(b->p, POL_NS_MNT) != FACT_NS_OWN)
		return err_set_id(e, ERR_CONFIG, -ENOTSUP,
				  "%s%s.fromMounts: what is mounted in the mount namespace \"%s\", "
				  "which is joined, is not known",
				  landlock_of(l), l->source, pol_ns_find(b->p, POL_NS_MNT)->path);
	l->paths_limited = true;
	if (!b->p->rootfs_readonly)
		append(b, &l->read_write, "/");
	else if (programs_named)
		append(b, &l->read_only, "/");
	if (!programs_named)
		append(b, &l->execute, "/");
	if (b->p->rootfs_readonly)
		add_mounts(b, l);
	return 0;
}

/* ---- layers ---- */

int pb_landlock(struct pb *b, const struct policy_landlock *l, struct err *e)
{
	size_t n = b->p->landlock.n;
	struct policy_landlock *v = arena_array(b->a, n + 1, sizeof(*v));
	int r = 0;

	if (n == LANDLOCK_LAYERS_MAX)
		return err_set_id(e, ERR_CONFIG, -E2BIG,
				  "%s%s: a process can have %d Landlock layers at most",
				  landlock_of(l), l->source, LANDLOCK_LAYERS_MAX);
	if (n)
		memcpy(v, b->p->landlock.v, n * sizeof(*v));
	v[n] = *l;
	b->p->landlock.v = v;
	b->p->landlock.n = n + 1;
	/* before the lists are complete: which rights are limited does not depend on them */
	r = settle(b, &v[n], e);
	if (r == 0 && v[n].from_mounts)
		r = from_mounts(b, &v[n], e);
	return r;
}

/*
 * Paths and scopes, as far as the kernel has them: a site that wants more than a warning requires the feature "landlock" or
 * has a layer of its own. A process that exec adds is in a domain beside the container's: scopes would only keep it from the
 * container's processes where nobody else can be seen anyway, so that no engine could send a signal by `exec kill`.
 */
int pb_landlock_strict(struct pb *b, struct err *e)
{
	const struct policy_landlock l = {
		.paths_limited = true,
		.from_mounts = true,
		.scopes = POL_SCOPE_ABSTRACT_UNIX | POL_SCOPE_SIGNAL,
		.exec_scopes = (fact_ns(b->p, POL_NS_NET) == FACT_NS_OWN
					? 0
					: POL_SCOPE_ABSTRACT_UNIX) |
			       (fact_ns(b->p, POL_NS_PID) == FACT_NS_OWN ? 0 : POL_SCOPE_SIGNAL),
		.source = (char *) (uintptr_t) LANDLOCK_PRESET,
	};

	/* In a guest, the guest's kernel decides; a joined mount namespace is refused for its root (p_joined.c). */
	if (b->p->backend != POL_BACKEND_PROCESS || fact_ns(b->p, POL_NS_MNT) != FACT_NS_OWN)
		return 0;
	return pb_landlock(b, &l, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU has to be told about a container, because it cannot know: which mounts come from outside and where they
 * are to be had again, and which descriptors are the engine's. Decides from the policy and from text that the kernel
 * gave; touches nothing.
 *
 * An external mount is known to CRIU by a cookie. As runc does, ours is the mount's place in the container, and
 * "/dev/null" for masked files, so that either runtime restores what the other has saved.
 */
#ifndef KAVACH_CRIU_PLAN_H
#define KAVACH_CRIU_PLAN_H

#include "base/err.h"
#include "base/mountinfo.h"
#include "criu/rpc.h"
#include "policy/policy.h"

#define CRIU_NET_KEY "extRootNetNS" /* cookies of joined namespaces, runc's too */
#define CRIU_PID_KEY "extRootPidNS"

struct plan {
	const struct policy *p;
	char *const *places;	     /* of mounts[i], with symlinks of the root resolved */
	const struct mountinfo *mnt; /* dump: of the container; restore: of the host */
	size_t n_mnt;
	bool cgroup_bound; /* v2: a cgroup mount is a bind, not a file system of the container's namespace */
	bool cgroup_below;	    /* v1: it has binds in it */
	const struct rpc_mount *cg; /* restore: those: place, source */
	size_t n_cg;
	struct arena *a;
};

/* plan_check: refuses what CRIU cannot bring back as it was: mounts with mapped ids, interfaces of the machine, and
 * user namespaces. */
int plan_check(const struct policy *p, struct err *e);

/* plan_dump, plan_restore: fill o->mounts. */
void plan_dump(const struct plan *in, struct rpc_opts *o);
void plan_restore(const struct plan *in, struct rpc_opts *o);

/* plan_place: on restore, where the mount point of mounts[i] has to be: *ret_dir is a directory of the host and the result
 * the path in it. NULL: in a file system that CRIU makes, with what is in it. */
const char *plan_place(const struct plan *in, size_t i, const char **ret_dir);

/* plan_stdio: how descriptor 0, 1 or 2 that leads out of the container is called in the images: `link` is its
 * /proc/PID/fd link, mount and inode say where a file is. "pipe:[12]", "file[2a:1f]", or NULL: nothing special.
 * *ret_external: CRIU must be told at dump, too. */
char *plan_stdio(const struct plan *in, const char *link, bool regular, uint32_t mount,
		 uint64_t inode, bool *ret_external);

/* plan_inherit: whether a line of descriptors.json names one of those. */
bool plan_inherit(const char *name);

#endif

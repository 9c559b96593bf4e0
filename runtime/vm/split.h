/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container in a microVM is made in two places: its root is assembled on the host and shared with the guest, and all
 * else is done in the guest. This decides which part of a sealed policy is whose. Both ends call it, the monitor for its own
 * part and the agent for the guest's, on the same bytes: what one leaves out the other does. Pure.
 *
 * The share has root/, the container's root, and vol/N, the volumes. A bind mount (or a file system of the host's, NFS
 * say) is in root/ already, with two exceptions, which the guest binds from vol/N:
 *  - it lies below a file system that the guest makes, /dev/shm in /dev, say, and so would be hidden;
 *  - it has flags that the guest's kernel has to know of: nosuid, nodev, noexec, access times. Read-only is the host's.
 * With a packed root nothing of the host's is in it: every bind mount is a volume, but for the few small files of which the guest
 * gets copies (policy/vm_root.h), at SPLIT_COPIES/INDEX.
 * And one more: the folder "shm" that an engine binds to /dev/shm becomes a tmpfs of the guest's, because programs map its files.
 */
#ifndef KAVACH_VM_SPLIT_H
#define KAVACH_VM_SPLIT_H

#include "base/arena.h"
#include "policy/policy.h"
#include "policy/vm_root.h"

#define SPLIT_NO_VOLUME UINT32_MAX
#define SPLIT_COPIES "/run/copies" /* of the guest */

/* What becomes of policy.mounts[i]. */
struct split_mount {
	bool host;	 /* the host makes it in root/ */
	bool guest;	 /* the guest makes it: a file system of its own, or the bind of a volume */
	bool place;	 /* ... on a place in root/, which the host has to make if it is missing */
	bool copy;	 /* the guest binds its copy of the file */
	uint32_t volume; /* N of vol/N, which the host makes and the guest binds; or SPLIT_NO_VOLUME */
};

struct split {
	struct split_mount *mounts; /* one for each of policy.mounts */
	size_t n, volumes, copies;
};

void split_plan(const struct policy *p, struct arena *a, struct split *ret);

/* split_host: the policy of the host's part: the container's namespaces but those of users and time, the root, the mounts of
 * root/ and, behind them, from mounts.v[*ret_volumes] on, those of the volumes with "/vol/N" as destination; hooks that run on
 * the host; limits of the host's cgroup, all but memory, which depends on the VM's size. It has no process. Its lists
 * share memory with p's. */
void split_host(const struct policy *p, const struct split *s, struct arena *a, struct policy *ret,
		size_t *ret_volumes);

/* split_guest: the policy of the guest's part, where the share is at the path `share`. It has no user and no network
 * namespace: the guest's own is the container's. Its lists share memory with p's. */
void split_guest(const struct policy *p, const struct split *s, const char *share, struct arena *a,
		 struct policy *ret);

/* split_resources: the part of new limits (`update`) that is one side's. */
void split_resources_host(const struct pol_resources *r, struct arena *a,
			  struct pol_resources *ret);
void split_resources_guest(const struct pol_resources *r, struct arena *a,
			   struct pol_resources *ret);

#endif

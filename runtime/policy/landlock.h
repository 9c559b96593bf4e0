/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer of Landlock (struct policy_landlock) is to the kernel: which rights it limits under which version of
 * the kernel's ABI, and what its lists give back. The decision, the strength and the stage read it here, so that what is
 * counted is what is enforced.
 *
 * Source: linux/landlock.h. The numbers are here because the headers that we build with may be older than the kernel.
 */
#ifndef KAVACH_POLICY_LANDLOCK_H
#define KAVACH_POLICY_LANDLOCK_H

#include "policy/policy.h"

enum {
	LL_FS_EXECUTE = 1 << 0,
	LL_FS_WRITE_FILE = 1 << 1,
	LL_FS_READ_FILE = 1 << 2,
	LL_FS_READ_DIR = 1 << 3,
	LL_FS_REMOVE_DIR = 1 << 4,
	LL_FS_REMOVE_FILE = 1 << 5,
	LL_FS_MAKE_CHAR = 1 << 6,
	LL_FS_MAKE_DIR = 1 << 7,
	LL_FS_MAKE_REG = 1 << 8,
	LL_FS_MAKE_SOCK = 1 << 9,
	LL_FS_MAKE_FIFO = 1 << 10,
	LL_FS_MAKE_BLOCK = 1 << 11,
	LL_FS_MAKE_SYM = 1 << 12,
	LL_FS_REFER = 1 << 13,	   /* ABI 2 */
	LL_FS_TRUNCATE = 1 << 14,  /* ABI 3 */
	LL_FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
};
enum { LL_NET_BIND_TCP = 1 << 0, LL_NET_CONNECT_TCP = 1 << 1 }; /* ABI 4 */

/* What can be allowed for something that is no directory; the kernel refuses a rule that allows more. */
#define LL_FS_OF_FILES                                                                             \
	(LL_FS_EXECUTE | LL_FS_WRITE_FILE | LL_FS_READ_FILE | LL_FS_TRUNCATE | LL_FS_IOCTL_DEV)

#define LANDLOCK_LAYERS_MAX 16 /* of one process, with those that it adds itself */

/* The kernel's struct landlock_ruleset_attr: what is denied unless a rule allows it. */
struct landlock_handled {
	uint64_t fs, net, scopes;
};

enum landlock_list {
	LANDLOCK_READ_ONLY,
	LANDLOCK_READ_WRITE,
	LANDLOCK_EXECUTE,
	LANDLOCK_MOUNTS,
	LANDLOCK_LISTS
};

/* What the source of a layer says that the preset strict brings. */
#define LANDLOCK_PRESET "preset strict"

/* landlock_abi_full: the first ABI that knows everything that the layer could limit; 1 at least. */
uint32_t landlock_abi_full(const struct policy_landlock *l);
/* landlock_abi_safe: the first one under which the layer keeps its word: without TRUNCATE, a file that can only be read
 * could be emptied; without ports or scopes, those lists would be empty promises. */
uint32_t landlock_abi_safe(const struct policy_landlock *l);
/* landlock_handled: what the layer limits under l->required_abi; all 0 when that is nothing. */
struct landlock_handled landlock_handled(const struct policy_landlock *l);
/* landlock_allowed: which of those rights the paths of a list have. */
uint64_t landlock_allowed(const struct policy_landlock *l, enum landlock_list list);
/* landlock_paths: the paths of a list. */
const struct strs *landlock_paths(const struct policy_landlock *l, enum landlock_list list);
/* landlock_writable: whether a layer lets a place be written that its lists name, or that is below one of these. */
bool landlock_writable(const struct policy_landlock *l, const char *path);
/* landlock_walls: whether it leaves anything in the way of a process that wants to write everywhere. */
bool landlock_walls(const struct policy_landlock *l);
/* landlock_of: what stands before a layer's source in a message: it may be a rules file. */
const char *landlock_of(const struct policy_landlock *l);

#endif

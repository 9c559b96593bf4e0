/* SPDX-License-Identifier: Apache-2.0 */
/* The rights of Landlock by version of its ABI. Also part of kavach-init. */
#include "policy/landlock.h"

#include "base/path.h"
#include "base/str.h"
#include "base/types.h"

#define FS_READ (LL_FS_READ_FILE | LL_FS_READ_DIR)
/* Ioctls of devices: a terminal that was opened by its path needs them. Making devices is for nobody. */
#define FS_WRITE                                                                                   \
	(LL_FS_WRITE_FILE | LL_FS_REMOVE_DIR | LL_FS_REMOVE_FILE | LL_FS_MAKE_DIR |                \
	 LL_FS_MAKE_REG | LL_FS_MAKE_SOCK | LL_FS_MAKE_FIFO | LL_FS_MAKE_SYM | LL_FS_REFER |       \
	 LL_FS_TRUNCATE | LL_FS_IOCTL_DEV)

/* What each ABI brought. ABI 7 brought flags of the log of denials, of which the kernel's default is right: what a program
 * does after an execve is not logged, or any workload could fill the host's audit log. */
static const struct landlock_handled brought[] = {
	[1] = {.fs = LL_FS_REFER - 1}, [2] = {.fs = LL_FS_REFER},
	[3] = {.fs = LL_FS_TRUNCATE},  [4] = {.net = LL_NET_BIND_TCP | LL_NET_CONNECT_TCP},
	[5] = {.fs = LL_FS_IOCTL_DEV}, [6] = {.scopes = POL_SCOPE_ABSTRACT_UNIX | POL_SCOPE_SIGNAL},
};

static uint32_t needs(const struct policy_landlock *l, uint32_t for_paths)
{
	if (l->scopes)
		return 6;
	if (l->paths_limited && for_paths > 4)
		return for_paths;
	if (l->bind_limited || l->connect_limited)
		return 4;
	return l->paths_limited ? for_paths : 1;
}

uint32_t landlock_abi_full(const struct policy_landlock *l)
{
	return needs(l, 5);
}

uint32_t landlock_abi_safe(const struct policy_landlock *l)
{
	return needs(l, 3);
}

struct landlock_handled landlock_handled(const struct policy_landlock *l)
{
	struct landlock_handled h = {0};

	for (uint32_t abi = 1; abi < ARRAY_LEN(brought) && abi <= l->required_abi; abi++) {
		h.fs |= brought[abi].fs;
		h.net |= brought[abi].net;
		h.scopes |= brought[abi].scopes;
	}
	if (!l->paths_limited)
		h.fs = 0;
	if (!l->bind_limited)
		h.net &= ~(uint64_t) LL_NET_BIND_TCP;
	if (!l->connect_limited)
		h.net &= ~(uint64_t) LL_NET_CONNECT_TCP;
	h.scopes &= l->scopes;
	return h;
}

uint64_t landlock_allowed(const struct policy_landlock *l, enum landlock_list list)
{
	static const uint64_t rights[LANDLOCK_LISTS] = {
		[LANDLOCK_READ_ONLY] = FS_READ,
		[LANDLOCK_READ_WRITE] = FS_READ | FS_WRITE,
		[LANDLOCK_EXECUTE] = FS_READ | LL_FS_EXECUTE,
		[LANDLOCK_MOUNTS] = FS_READ | FS_WRITE,
	};

	return rights[list] & landlock_handled(l).fs;
}

const struct strs *landlock_paths(const struct policy_landlock *l, enum landlock_list list)
{
	switch (list) {
	case LANDLOCK_READ_WRITE: return &l->read_write;
	case LANDLOCK_EXECUTE: return &l->execute;
	case LANDLOCK_MOUNTS: return &l->mounts;
	case LANDLOCK_READ_ONLY:
	case LANDLOCK_LISTS: break;
	}
	return &l->read_only;
}

bool landlock_writable(const struct policy_landlock *l, const char *path)
{
	const struct strs *lists[] = {&l->read_write, &l->mounts};

	if (!landlock_handled(l).fs)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			if (path_below(path, lists[i]->v[k]))
				return true;
	return false;
}

bool landlock_walls(const struct policy_landlock *l)
{
	return !landlock_writable(l, "/");
}

const char *landlock_of(const struct policy_landlock *l)
{
	return str_eq0(l->source, LANDLOCK_PRESET) ? "" : "rules file ";
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and names of calls: libseccomp's, and those that came after it. A profile that denies a call by a name that the
 * library does not know would leave it open; the number of a new call is the same on all machines since Linux 5.1, so a
 * list of names is all that is needed. The library is asked first.
 */
#include "seccomp/view.h"

#include <seccomp.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/types.h"

#define LATE_FIRST 451

/* From LATE_FIRST on, Linux 6.5 to 6.17. */
static const char *const late[] = {
	"cachestat",	     "fchmodat2",	  "map_shadow_stack", "futex_wake",
	"futex_wait",	     "futex_requeue",	  "statmount",	      "listmount",
	"lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal",
	"setxattrat",	     "getxattrat",	  "listxattrat",      "removexattrat",
	"open_tree_attr",    "file_getattr",	  "file_setattr",
};

int filter_late_call(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(late); i++)
		if (str_eq(late[i], name))
			return LATE_FIRST + (int) i;
	return -1;
}

const char *filter_call_name(uint32_t token, int nr, struct arena *a)
{
	char *name = seccomp_syscall_resolve_num_arch(token, nr);
	const char *ret = name ? arena_strdup(a, name) : NULL;
	size_t i = ((uint32_t) nr & ~FILTER_X32_BIT) - LATE_FIRST;

	free(name);
	return ret || i >= ARRAY_LEN(late) ? ret : late[i];
}

int filter_call_nr(uint32_t token, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(token, name), at = filter_late_call(name);

	if (nr != __NR_SCMP_ERROR || at < 0)
		return nr;
	return token == FILTER_TOKEN_X32 ? (int) (FILTER_X32_BIT + (uint32_t) at) : at;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and names of calls, as libseccomp has them, for those who look at a filter. */
#include "seccomp/view.h"

#include <seccomp.h>
#include <stdlib.h>

const char *filter_call_name(uint32_t token, int nr, struct arena *a)
{
	char *name = seccomp_syscall_resolve_num_arch(token, nr);
	const char *ret = name ? arena_strdup(a, name) : NULL;

	free(name);
	return ret;
}

int filter_call_nr(uint32_t token, const char *name)
{
	return seccomp_syscall_resolve_name_arch(token, name);
}

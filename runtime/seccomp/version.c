/* SPDX-License-Identifier: Apache-2.0 */
/* Which libseccomp this build carries, for --version and features. */
#include "seccomp/filter.h"
#include "seccomp/seccomp.h"

const char *seccomp_library(struct arena *a)
{
	uint32_t v[3];

	filter_library(v);
	return arena_printf(a, "%u.%u.%u", v[0], v[1], v[2]);
}

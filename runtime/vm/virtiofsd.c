/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/virtiofsd.h"

#include <string.h>

#include "base/types.h"

char **virtiofsd_argv(const char *path, const struct vm_names *names, struct arena *a,
		      size_t *ret_n)
{
	const char *const words[] = {
		path,
		arena_printf(a, "--fd=%d", VIRTIOFSD_FD),
		arena_printf(a, "--shared-dir=%s", names->share),
		/* The jail is its sandbox. Of the capabilities that it takes, the one for device nodes is not there. */
		"--sandbox=none",
		"--modcaps=-mknod",
		"--seccomp=kill",
		/* An open of a guest sees what the host wrote before; attributes may be a second old. */
		"--cache=auto",
		/* By handle, files outside of the share could be opened. */
		"--inode-file-handles=never",
		/* Volumes are file systems of their own: their files may have the numbers of others. */
		"--announce-submounts",
		/* file capabilities, and what programs keep in user attributes */
		"--xattr",
		/* that is the jail's */
		"--rlimit-nofile=0",
		"--log-level=error",
	};
	char **v = arena_array(a, ARRAY_LEN(words) + 1, sizeof(*v));

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		v[i] = arena_strdup(a, words[i]);
	*ret_n = ARRAY_LEN(words);
	return v;
}

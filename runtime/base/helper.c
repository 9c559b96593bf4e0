/* SPDX-License-Identifier: Apache-2.0 */
#include "base/helper.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/types.h"

/* In a user namespace root is "nobody", but so is the owner of our own program, whom we trust already. */
static int check(const char *path, struct err *e)
{
	struct stat st, own;

	if (stat(path, &st) < 0)
		return -ENOENT;
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return -ENOENT;
	if (stat("/proc/self/exe", &own) < 0)
		return err_sys(e, "looking at our own program");
	if ((st.st_uid != 0 && st.st_uid != own.st_uid && st.st_uid != geteuid()) ||
	    (st.st_mode & 022))
		return err_set(
			e, -EPERM,
			"%s: somebody other than root and you can write to it; it is not run",
			path);
	return 0;
}

int helper_find(const char *name, struct arena *a, char **ret, struct err *e)
{
	char self[PATH_MAX], *beside = NULL, *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *places[2];
	int r;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash)
			beside = arena_printf(a, "%.*s/%s", (int) (slash - self), self, name);
	}
	places[0] = beside;
	places[1] = arena_printf(a, KAVACH_LIBEXECDIR "/%s", name);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (!places[i])
			continue;
		r = check(places[i], e);
		if (r == 0)
			*ret = arena_strdup(a, places[i]);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

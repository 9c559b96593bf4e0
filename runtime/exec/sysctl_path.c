/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of sysctls. A key's first separator decides how it is read, as sysctl(8) does: in "net.ipv4.conf.eth0/1.arp"
 * dots separate and the slash stands for a dot (interface eth0.1), "net/ipv4/conf/eth0.1/arp" is a path as it
 * is. Which keys a container may have is the policy's decision; that a key cannot walk to another one ("..",
 * which "net.//.kernel" would become) is checked here once more, where the path is made.
 */
#include "base/str.h"
#include "exec/stage.h"

static bool path_is_plain(const char *p)
{
	for (;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[n])
			return true;
		p += n + 1;
	}
}

char *sysctl_path(struct arena *a, const char *key)
{
	char *path = arena_printf(a, "sys/%s", key), *p = path + 4;

	if (p[strcspn(p, "./")] == '.')
		for (; *p; p++)
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return path_is_plain(path) ? path : NULL;
}

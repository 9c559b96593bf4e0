/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl. A key's first separator decides how it is read, as sysctl(8) does: in "net.ipv4.conf.eth0/1.arp"
 * dots separate and the slash stands for a dot (interface eth0.1), "net/ipv4/conf/eth0.1/arp" is a path as it
 * is. Which keys a container may have is the policy's decision; that a key cannot walk to another one ("..",
 * which "net.//.kernel" would become) is checked here once more, where the path is made.
 */
#include "base/str.h"
#include "exec/ctx.h"

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

/* "sys/" and the key as a path, or NULL. */
static char *key_path(struct arena *a, const char *key)
{
	char *path = arena_printf(a, "sys/%s", key), *p = path + 4;

	if (p[strcspn(p, "./")] == '.')
		for (; *p; p++)
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return path_is_plain(path) ? path : NULL;
}

int sysctl_apply(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->p->sysctl.n; i++) {
		const struct kv *kv = &s->p->sysctl.v[i];
		char *path = key_path(s->a, kv->key);
		int r;

		if (!path)
			return err_set_id(e, ERR_CONFIG, -EINVAL,
					  "linux.sysctl[\"%s\"]: not a sysctl name", kv->key);
		r = proc_write(s, path, kv->val, e);
		if (r < 0)
			return err_context(e, "linux.sysctl[\"%s\"]: writing \"%s\"", kv->key,
					   kv->val);
	}
	return 0;
}

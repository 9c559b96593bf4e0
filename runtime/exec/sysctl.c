/* SPDX-License-Identifier: Apache-2.0 */
/* linux.sysctl: written through the private procfs (names: sysctl_path.c). */
#include "exec/ctx.h"

int sysctl_apply(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->p->sysctl.n; i++) {
		const struct kv *kv = &s->p->sysctl.v[i];
		char *path = sysctl_path(s->a, kv->key);
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels that take effect at the exec. They are written to files of our own process, through the private procfs:
 * a container image could otherwise put something else over /proc/self/attr and start unconfined
 * (CVE-2019-16884, CVE-2025-52881). An attribute that cannot be set ends the start (rule R-11). The file is named
 * in backticks because podman recognises label errors by that (E-09).
 */
#include "base/str.h"
#include "exec/ctx.h"

static int write_attr(struct stage *s, const char *file, const char *value, struct err *e)
{
	char *path = arena_printf(s->a, "thread-self/attr/%s", file);

	return proc_write(s, path, value, e);
}

static int set_apparmor(struct stage *s, struct err *e)
{
	char *value = arena_printf(s->a, "exec %s", s->proc->apparmor);

	/* attr/apparmor/ is there since 5.8 and is AppArmor's also when another LSM is the first one. */
	if (write_attr(s, "apparmor/exec", value, e) == 0)
		return 0;
	if (e->code == -ENOENT) {
		err_clear(e);
		if (write_attr(s, "exec", value, e) == 0)
			return 0;
	}
	return err_context(
		e, "process.apparmorProfile: setting \"%s\" in `/proc/thread-self/attr/exec`",
		s->proc->apparmor);
}

static int set_selinux(struct stage *s, struct err *e)
{
	if (write_attr(s, "exec", s->proc->selinux, e) == 0)
		return 0;
	return err_context(e,
			   "process.selinuxLabel: setting \"%s\" in `/proc/thread-self/attr/exec`",
			   s->proc->selinux);
}

int lsm_apply(struct stage *s, struct err *e)
{
	int r = 0;

	if (!str_empty(s->proc->apparmor))
		r = set_apparmor(s, e);
	if (r == 0 && !str_empty(s->proc->selinux))
		r = set_selinux(s, e);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource limits inside. They come into force right before the exec, so that a small NOFILE, AS or FSIZE hits the
 * program and not our own work. A hard limit that has to rise is raised earlier, while we still are who we were, and
 * only the hard one, which changes nothing for us. In a user namespace of our own the kernel does not let us; the
 * parent does it at MSG_READY (outside.c), and what it could not do fails there.
 */
#include <sys/resource.h>

#include "base/num.h"
#include "exec/ctx.h"
#include "exec/rlimit.h"
#include "policy/names.h"

static const char *limit_text(uint64_t v, char buf[24])
{
	if (v == RLIM_INFINITY)
		return "unlimited";
	num_fmt_u64(buf, v);
	return buf;
}

int rlimit_refused(size_t i, const struct pol_rlimit *want, uint64_t allowed, struct err *e)
{
	const char *name = name_of(rlimit_names, rlimit_names_n, (long) want->resource);
	char text[2][24];

	return err_set(
		e, -EPERM,
		"process.rlimits[%zu]: %s: raising the hard limit to %s needs CAP_SYS_RESOURCE, which this "
		"runtime does not have; it may be at most %s",
		i, name ? name : "?", limit_text(want->hard, text[0]),
		limit_text(allowed, text[1]));
}

int rlimits_raise(struct stage *s, struct err *e)
{
	bool userns = s->boot->new_userns || s->boot->joined_userns;

	for (size_t i = 0; i < s->proc->rlimits.n; i++) {
		const struct pol_rlimit *want = &s->proc->rlimits.v[i];
		struct rlimit l;

		if (getrlimit((int) want->resource, &l) < 0)
			return err_sys(e, "process.rlimits[%zu]", i);
		if (want->hard <= l.rlim_max)
			continue;
		if (setrlimit((int) want->resource, &(struct rlimit){l.rlim_cur, want->hard}) == 0)
			continue;
		if (errno != EPERM)
			return err_sys(e, "process.rlimits[%zu]", i);
		if (!userns)
			return rlimit_refused(i, want, l.rlim_max, e);
	}
	return 0;
}

int rlimits_apply(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->proc->rlimits.n; i++) {
		const struct pol_rlimit *want = &s->proc->rlimits.v[i];

		if (setrlimit((int) want->resource, &(struct rlimit){want->soft, want->hard}) < 0)
			return err_sys(e, "process.rlimits[%zu]", i);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cgroup code may ask for and a guest does not have: systemd, and advice for a person at a shell. The agent's cgroup
 * has no unit (agent_cgroup_make), so nothing here is reached; whatever it might have been asked for is refused.
 */
#include "cgroup/scope.h"
#include "host/hint.h"

static int no_systemd(struct err *e)
{
	return err_set(e, -ENOTSUP, "there is no systemd in a guest");
}

int cg_scope_start(struct cg *cg, const struct kvs *props, const struct kvs *limits, struct err *e)
{
	(void) cg;
	(void) props;
	(void) limits;
	return no_systemd(e);
}

int cg_scope_enter_sub(struct cg *cg, struct err *e)
{
	(void) cg;
	return no_systemd(e);
}

int cg_scope_stop(const struct cg *cg, struct err *e)
{
	(void) cg;
	return no_systemd(e);
}

int cg_scope_set(const struct cg *cg, const struct kvs *limits, struct err *e)
{
	(void) cg;
	(void) limits;
	return no_systemd(e);
}

int cg_unit_limits(const struct cg_knobs *k, struct arena *a, struct kvs *ret, struct err *e)
{
	(void) k;
	(void) a;
	(void) ret;
	return no_systemd(e);
}

void cg_scope_hold_pids(struct cg_holder *h, uint64_t limit)
{
	(void) h;
	(void) limit;
}

void cg_scope_release(struct cg_holder *h)
{
	(void) h;
}

int err_hint_cgroup(struct err *e)
{
	return e->code;
}

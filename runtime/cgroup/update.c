/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New limits for a container that lives (B-13).
 *
 * Only what is set changes. Where one file holds two values, or one limit may not pass another, knobs.c
 * gets the present values and decides. Device rules are not touched: other programs (GPU plugins) have
 * added devices to a running container by then, and an update that rewrote the list would take them away.
 */
#include <errno.h>

#include "cgroup/internal.h"

int cgroup_update(const struct cg *cg, const struct pol_resources *r, const struct host *h,
		  struct err *e)
{
	struct cg_world world;
	struct cg_knobs knobs;
	arena_auto a = {0};
	int rc;

	(void) h; /* an update asks for something now: also without privilege, what cannot be done is an error */
	rc = cg_world_of(cg, r, true, &world, &a, e);
	if (rc == 0)
		rc = cgroup_knobs(r, &world, &a, &knobs, e);
	if (rc < 0 || knobs.n == 0)
		return rc;
	if (cg->hier.n == 0)
		return err_set(e, -EOPNOTSUPP, "%s: the container has no cgroup to apply it to",
			       knobs.v[0].field);
	rc = cg_enable(cg, &knobs, NULL, e);
	return rc < 0 ? rc : cg_apply(cg, &knobs, NULL, e);
}

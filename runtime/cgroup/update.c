/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New limits for a container that lives (B-13).
 *
 * Only what is set changes. Where one file holds two values, or one limit may not pass another, knobs.c
 * gets the present values and decides. Device rules are not touched: other programs (GPU plugins) have
 * added devices to a running container by then, and an update that rewrote the list would take them away.
 */
#include <errno.h>

#include "base/str.h"
#include "cgroup/internal.h"
#include "cgroup/scope.h"

/* A quota without a period keeps the present one, which systemd does not know. */
static void add_period(const struct cg *cg, struct cg_knobs *k, struct arena *a)
{
	char now[64], *period;

	for (size_t i = 0; i < k->n; i++) {
		struct cg_knob *knob = &k->v[i];

		if (!str_eq(knob->file, "cpu.max") || strchr(knob->value, ' ') ||
		    cg_read(&cg->hier.v[0], "cpu.max", now, sizeof(now)) < 0)
			continue;
		period = strchr(now, ' ');
		if (period)
			knob->value = arena_printf(a, "%s%s", knob->value, period);
	}
}

/* systemd first: it writes what it is told in steps of its own, and our exact values come after. */
static int update_unit(const struct cg *cg, struct cg_knobs *k, struct arena *a, struct err *e)
{
	struct kvs props = {.v = arena_array(a, CG_UNIT_PROPS_MAX, sizeof(struct kv))};
	int r;

	add_period(cg, k, a);
	r = cg_unit_limits(k, a, &props, e);
	return r < 0 ? r : cg_scope_set(cg, &props, e);
}

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
	if (cg->scope) {
		rc = update_unit(cg, &knobs, &a, e);
		if (rc < 0)
			return rc;
	}
	rc = cg_enable(cg, &knobs, NULL, e);
	return rc < 0 ? rc : cg_apply(cg, &knobs, NULL, e);
}

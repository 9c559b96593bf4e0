/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freezing and thawing.
 *
 * v2: cgroup.freeze says what is wanted, cgroup.events says when it is so, with a notification. v1: the
 * one file freezer.state, no notification, and a task that is just being forked or sleeps in the kernel
 * can make the attempt hang in FREEZING for ever; it is then thawed for a moment and tried again. A freeze
 * that does not succeed in time is taken back: a container that stops at some later moment, when nobody
 * waits for it any more, is worse than an error (B-04).
 */
#include <errno.h>
#include <sched.h>

#include "cgroup/internal.h"

#define FREEZE_TIMEOUT_MS 10000

static const struct cg_hier *freezer(const struct cg *cg, struct err *e)
{
	const struct cg_hier *h = cg_where(cg, CTL_FREEZER);

	if (!h)
		err_set(e, -EOPNOTSUPP, "the container cannot be frozen: %s",
			cg->hier.n ? "no freezer controller" : "it has no cgroup");
	return h;
}

static int write_state(const struct cg_hier *h, bool frozen, struct err *e)
{
	bool v2 = cg_hier_is_v2(h);
	const char *file = v2 ? "cgroup.freeze" : "freezer.state";
	const char *value = v2 ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED");
	int r = cg_write(h, file, value, NULL);

	return r < 0 ? err_neg(e, r, "writing \"%s\" to %s%s/%s", value, h->mount, h->path, file)
		     : 0;
}

/* The state that is wanted was written already. Returns 0, -ETIMEDOUT, or -errno. */
static int wait_v1(const struct cg_hier *h, bool frozen, struct err *e)
{
	const char *wanted = frozen ? "FROZEN" : "THAWED";
	int64_t end = cg_now_ms() + FREEZE_TIMEOUT_MS;
	char state[32];

	for (unsigned round = 0;; round++) {
		ssize_t n = cg_read(h, "freezer.state", state, sizeof(state));

		if (n < 0)
			return err_neg(e, (int) n, "read %s%s/freezer.state", h->mount, h->path);
		if (str_eq(state, wanted))
			return 0;
		if (cg_now_ms() >= end)
			return err_set(e, -ETIMEDOUT, "%s%s is still %s after %d s", h->mount,
				       h->path, state, FREEZE_TIMEOUT_MS / 1000);
		if (round <
		    20) { /* nearly always enough: the tasks only have to get to their next exit to user mode */
			sched_yield();
			continue;
		}
		cg_sleep_ms(round < 40 ? 1 : 10);
		if (frozen && round % 50 == 0) {
			int r = write_state(h, false, e);

			if (r == 0)
				r = write_state(h, true, e);
			if (r < 0)
				return r;
		}
	}
}

static int wait_state(const struct cg_hier *h, bool frozen, struct err *e)
{
	int r;

	if (!cg_hier_is_v2(h))
		return wait_v1(h, frozen, e);
	/* An empty cgroup, or one below a frozen one, need not change its state at all when it is thawed. */
	if (!frozen)
		return 0;
	r = cg_wait_key(h, "frozen", 1, FREEZE_TIMEOUT_MS);
	return r < 0 ? err_neg(e, r, "waiting for %s%s to freeze", h->mount, h->path) : 0;
}

int cgroup_freeze(const struct cg *cg, bool frozen, struct err *e)
{
	const struct cg_hier *h = freezer(cg, e);
	struct err ignored = ERR_INIT;
	int r;

	if (!h)
		return e->code;
	r = write_state(h, frozen, e);
	if (r == 0)
		r = wait_state(h, frozen, e);
	if (r < 0 && frozen)
		write_state(
			h, false,
			&ignored); /* nothing more can be done; the first error is the one to report */
	return r;
}

int cgroup_frozen(const struct cg *cg)
{
	const struct cg_hier *h = cg_where(cg, CTL_FREEZER);
	char buf[256];
	uint64_t v;
	ssize_t n;

	if (!h)
		return 0;
	if (!cg_hier_is_v2(h)) {
		n = cg_read(h, "freezer.state", buf, sizeof(buf));
		return n < 0 ? (int) n : !str_eq(buf, "THAWED");
	}
	/* cgroup.events tells the effective state: also that of a container below a frozen cgroup */
	n = cg_read(h, "cgroup.events", buf, sizeof(buf));
	if (n < 0)
		return (int) n;
	return cg_flat_get(buf, "frozen", &v) && v == 1;
}

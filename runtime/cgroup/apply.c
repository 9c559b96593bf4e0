/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what knobs.c decided, and says exactly what was refused. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "cgroup/internal.h"

/* The memory in use and the limits that decide the order of the writes (knobs.c). A file that does not
 * exist leaves its value unknown; for checkBeforeUpdate that is a refusal. */
static int read_memory(const struct cg *cg, const struct pol_resources *r, struct cg_world *w,
		       struct err *e)
{
	const struct cg_hier *h = cg_where(cg, CTL_MEMORY);
	bool v2 = w->version[CTL_MEMORY] == 2;
	int rc;

	if (!h || (!r->memory.set && !r->memory_swap.set))
		return 0;
	if (r->check_before_update.v) {
		rc = cg_read_u64(h, v2 ? "memory.current" : "memory.usage_in_bytes",
				 &w->mem_usage.v);
		if (rc < 0)
			return err_neg(
				e, rc,
				"linux.resources.memory.checkBeforeUpdate: read the memory in use");
		w->mem_usage.set = true;
	}
	if (v2 && !r->memory.set)
		w->mem_limit.set = cg_read_u64(h, "memory.max", &w->mem_limit.v) == 0;
	if (!v2 && r->memory.set)
		w->memsw_limit.set = cg_read_u64(h, "memory.memsw.limit_in_bytes",
						 &w->memsw_limit.v) == 0;
	return 0;
}

static void read_cpu(const struct cg *cg, const struct pol_resources *r, struct cg_world *w,
		     struct arena *a)
{
	char buf[64];

	if (w->version[CTL_CPU] != 2 || !r->cpu_period.set || (r->cpu_quota.set && r->cpu_quota.v))
		return;
	if (cg_read(cg_where(cg, CTL_CPU), "cpu.max", buf, sizeof(buf)) < 0)
		return;
	w->cpu_quota = arena_strndup(a, buf, strcspn(buf, " "));
}

int cg_world_of(const struct cg *cg, const struct pol_resources *r, bool update,
		struct cg_world *ret, struct arena *a, struct err *e)
{
	struct cg_world w = {.update = update};

	for (enum cg_ctl c = 0; c < CTL_MAX; c++) {
		const struct cg_hier *h = cg_where(cg, c);

		w.version[c] = !h ? 0 : cg_hier_is_v2(h) ? 2 : 1;
	}
	if (update) {
		int rc = read_memory(cg, r, &w, e);

		if (rc < 0)
			return rc;
		read_cpu(cg, r, &w, a);
	}
	*ret = w;
	return 0;
}

void cg_note(struct cg *cg, struct err *e)
{
	log_warn("%s (rootless: goes on without it)", e->msg);
	if (cg->arena)
		cg->error = cg->error ? arena_printf(cg->arena, "%s; %s", cg->error, e->msg)
				      : arena_strdup(cg->arena, e->msg);
	err_clear(e);
}

/* Says what there is instead of the controller. */
static int no_controller(const struct cg *cg, const struct cg_knob *k, struct err *e)
{
	const struct cg_hier *u = k->v2 ? cg_unified(cg) : NULL;
	char list[512] = "";
	size_t n = 0;

	if (u && cg_read(u, "cgroup.controllers", list, sizeof(list)) > 0)
		n = strlen(list);
	for (size_t i = 0; i < cg->hier.n && n < sizeof(list); i++)
		if (!cg_hier_is_v2(&cg->hier.v[i]))
			n += (size_t) snprintf(list + n, sizeof(list) - n, "%s%s", n ? " " : "",
					       cg->hier.v[i].name);
	return err_set(e, -EOPNOTSUPP, "%s: controller %s is not available in %s (available: %s)",
		       k->field, k->ctl ? k->ctl : "cgroup2",
		       cg->hier.n ? cg->hier.v[0].path : "any cgroup", n ? list : "none");
}

/* Whether a missing file means that the whole controller is missing. */
static bool lacks_controller(const struct cg_hier *h, const struct cg_knob *k)
{
	char list[512];

	return k->v2 && k->ctl && cg_read(h, "cgroup.controllers", list, sizeof(list)) >= 0 &&
	       !cg_has_word(list, k->ctl, ' ');
}

/* One write. *ret_reached: there is such a file, and we may write to it. */
static int write_knob(const struct cg *cg, const struct cg_knob *k, bool *ret_reached,
		      struct err *e)
{
	const struct cg_hier *h = k->v2 ? cg_unified(cg) : cg_hier_v1(cg, k->ctl);
	const char *file = k->file, *value = k->value;
	char path[PATH_MAX];
	int r;

	*ret_reached = false;
	if (!h)
		return no_controller(cg, k, e);
	r = cg_write(h, file, value, ret_reached);
	if (r == -ENOENT && !*ret_reached && k->alt_file) {
		file = k->alt_file;
		value = k->alt_value;
		r = cg_write(h, file, value, ret_reached);
	}
	if (r == 0 || (r == -ENOENT && !*ret_reached && (k->flags & CGK_OPTIONAL)))
		return 0;
	if (r == -ENOENT && !*ret_reached && lacks_controller(h, k))
		return no_controller(cg, k, e);
	if (cg_path(path, h, file) < 0)
		return err_neg(e, r, "%s: writing \"%s\" to %s", k->field, value, file);
	if (r == -EBUSY && str_eq(k->field, "linux.resources.memory.limit")) {
		uint64_t used;

		if (cg_read_u64(h, k->v2 ? "memory.current" : "memory.usage_in_bytes", &used) == 0)
			return err_neg(e, r, "%s: writing \"%s\" to %s (in use: %llu)", k->field,
				       value, path, (unsigned long long) used);
	}
	return err_neg(e, r, "%s: writing \"%s\" to %s", k->field, value, path);
}

static int apply_round(const struct cg *cg, struct cg_knobs *k, bool last, struct cg *note,
		       struct err *e)
{
	for (size_t i = 0; i < k->n; i++) {
		struct cg_knob *knob = &k->v[i];
		bool reached;
		int r;

		if (knob->done)
			continue;
		r = write_knob(cg, knob, &reached, e);
		if (r == -EINVAL && (knob->flags & CGK_RETRY) && !last) {
			err_clear(e);
			continue;
		}
		if (r < 0 && (reached || !note))
			return r;
		if (r < 0)
			cg_note(note, e);
		knob->done = true;
	}
	return 0;
}

int cg_apply(const struct cg *cg, struct cg_knobs *k, struct cg *note, struct err *e)
{
	int r = apply_round(cg, k, false, note, e);

	return r < 0 ? r : apply_round(cg, k, true, note, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: what the kernel says of a running container, against the policy it was started with. Drift is put on record
 * and has an exit status of its own; so that a timer can watch over the containers of a machine.
 */
#include <errno.h>

#include "base/str.h"
#include "cmd/audited.h"
#include "cmd/inspected.h"
#include "inspect/inspect.h"
#include "spec/out.h"

#define EXIT_DRIFT 2

struct cmd_inspect_opts {
	bool json, all, filters;
	struct opt_u64 process;
};

static void fill_opts(struct globals *g, const struct state_record *rec, struct inspect_opts *ret)
{
	ret->updated = rec->updated.n ? &rec->updated.v[0] : NULL;
	ret->added = (struct strs){.v = arena_array(g->a, rec->mounts.n, sizeof(char *))};
	for (size_t i = 0; i < rec->mounts.n; i++)
		ret->added.v[ret->added.n++] = rec->mounts.v[i].destination;
}

/* Whether there is something to look at, and a way to. */
static bool runs(const struct loaded *l)
{
	return l->ops->inspect && (l->status == ST_RUNNING || l->status == ST_PAUSED);
}

static int compare(struct globals *g, struct loaded *l, struct inspect_opts *o,
		   struct inspect_result *ret, struct err *e)
{
	struct inspect *in = arena_new(g->a, struct inspect);
	int r = box_read_policy(g, &l->st, &l->box, e);

	if (r < 0)
		return r;
	fill_opts(g, l->st.rec, o);
	r = l->ops->inspect(&l->box, o, in, e);
	if (r < 0)
		return r;
	*ret = (struct inspect_result){.id = l->box.id,
				       .status = state_status_name(l->status),
				       .pid = o->pid ? o->pid : l->box.pid};
	inspect_end(in, l->box.policy, g->a, ret);
	return 0;
}

/* Containers are not locked for looking at them. But `update` and `mounts` change things first and their record then, so
 * drift is looked at once more when nobody is at work on the container. */
static int inspected(struct globals *g, const char *id, enum op op, struct inspect_opts *o,
		     struct loaded *l, struct inspect_result *ret, struct err *e)
{
	int r = box_load(g, id, op, STATE_NO_LOCK, false, l, e);

	if (r == 0 && runs(l))
		r = compare(g, l, o, ret, e);
	if (r < 0 || !ret->in || !ret->in->n_verdict[INSPECT_DRIFT])
		return r;
	box_close(l);
	*l = LOADED_INIT;
	*ret = (struct inspect_result){0};
	r = box_load(g, id, op, STATE_LOCK, false, l, e);
	return r == 0 && runs(l) ? compare(g, l, o, ret, e) : r;
}

int strength_of(struct globals *g, const char *id, struct out_strength *ret, struct err *e)
{
	struct inspect_result res = {0};
	struct inspect_opts o = {0};
	box_auto l = LOADED_INIT;
	struct score decided;
	int r = inspected(g, id, 0, &o, &l, &res, e);

	if (r < 0)
		return r;
	if (!res.in) {
		r = box_read_policy(g, &l.st, &l.box, e);
		if (r < 0)
			return r;
		policy_score(l.box.policy, g->a, &decided);
		*ret = (struct out_strength){
			.decided = decided.total, .measured = -1, .label = decided.label};
		return 0;
	}
	ret->decided = res.decided.total;
	ret->measured = res.measured.total;
	ret->label = res.measured.label;
	ret->drift = res.in->n_verdict[INSPECT_DRIFT];
	ret->not_seen = res.in->n_verdict[INSPECT_UNSEEN];
	return 0;
}

/* The score in the record is the decided one, as everywhere. */
static int put_drift(struct globals *g, const struct loaded *l, const struct inspect_result *res,
		     struct err *e)
{
	const struct audit_field f[] = {
		{.name = "drifts", .n = (int64_t) res->in->n_verdict[INSPECT_DRIFT]},
		{.name = "what", .s = inspect_drift_text(res->in, g->a)},
		{.name = "measured", .n = res->measured.total},
	};

	return audited(g, AUDIT_DRIFT, AUDIT_OK, l->box.id, l->st.rec, f, ARRAY_LEN(f), e);
}

static int cmd_inspect(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct cmd_inspect_opts *o = opts;
	struct inspect_opts io = {.all = o->all, .filters = o->filters};
	struct inspect_result res = {0};
	box_auto l = LOADED_INIT;
	buf_auto b = BUF_WRITER(64u << 20);
	bool drift;
	int r;

	(void) argc;
	if (o->process.set && (o->process.v == 0 || o->process.v > INT32_MAX))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--process: expected the number of a process");
	io.pid = (pid_t) o->process.v;
	r = inspected(g, argv[0], OP_INSPECT, &io, &l, &res, e);
	if (r < 0)
		return r;
	if (!res.in)
		return err_set(e, -EOPNOTSUPP,
			       "container %s: the backend %s does not let its processes be seen",
			       l.box.id, l.ops->name);
	drift = res.in->n_verdict[INSPECT_DRIFT] > 0;
	if (o->json)
		inspect_json(&b, &res);
	else
		inspect_show(&b, &res);
	r = cmd_print(&b, e);
	/* after it was shown: a log that cannot be written hides nothing */
	if (drift && (r < 0 || put_drift(g, &l, &res, e) < 0))
		return r < 0 ? r : e->code;
	return r < 0 ? r : drift ? EXIT_DRIFT : 0;
}

#define O(field) offsetof(struct cmd_inspect_opts, field)

static const struct opt opts_table[] = {
	{"json", 0, OPT_FLAG, NULL, "print the report as JSON", O(json)},
	{"process", 0, OPT_U32, "PID", "this process of the container instead of its first one",
	 O(process)},
	{"all", 0, OPT_FLAG, NULL, "show all rows of all processes", O(all)},
	{"filters", 0, OPT_FLAG, NULL,
	 "compare the seccomp programs, too: stops the process for a moment", O(filters)},
};

const struct command command_inspect = {
	.name = "inspect",
	.args = "CONTAINER",
	.help = "compare a running container with its policy",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct cmd_inspect_opts),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_inspect,
};

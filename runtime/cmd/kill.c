/* SPDX-License-Identifier: Apache-2.0 */
/* kill: a signal to the first process, or to all (B-04). */
#include <errno.h>
#include <signal.h>

#include "cmd/audited.h"
#include "cmd/box.h"

struct kill_opts {
	bool all, regex;
};

static int kill_one(struct globals *g, const char *id, int sig, bool all, struct err *e)
{
	const struct audit_field f[] = {
		{.name = "signal", .n = sig},
		{.name = "all", .n = all},
	};
	box_auto l = LOADED_INIT;
	int r;

	r = box_load(g, id, 0, STATE_NO_LOCK, false, &l, e);
	if (r < 0)
		return r;
	/* leftovers of a shared pid namespace; none is success (B-04) */
	if (l.status == ST_STOPPED && all) {
		if (l.box.cg->layout == CG_NONE)
			return 0;
	} else {
		r = state_allow(OP_KILL, l.status, id, e);
		if (r < 0)
			return r;
	}
	r = l.ops->signal(&l.box, sig, all, e);
	return audited_result(g, AUDIT_KILL, id, l.st.rec, f, ARRAY_LEN(f), r, e);
}

struct request {
	int sig;
	bool all;
};

static int kill_match(struct globals *g, const char *id, const void *arg, struct err *e)
{
	const struct request *q = arg;

	return kill_one(g, id, q->sig, q->all, e);
}

static int cmd_kill(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct kill_opts *o = opts;
	struct request q = {.sig = argc > 1 ? signal_parse(argv[1]) : SIGTERM, .all = o->all};

	if (q.sig < 0)
		return err_set_id(e, ERR_USAGE, -EINVAL, "unknown signal \"%s\"", argv[1]);
	return o->regex ? cmd_each_match(g, argv[0], kill_match, &q, e)
			: kill_match(g, argv[0], &q, e);
}

static const struct opt kill_table[] = {
	{"all", 'a', OPT_FLAG, NULL, "signal every process of the container",
	 offsetof(struct kill_opts, all)},
	{"regex", 'r', OPT_FLAG, NULL, "CONTAINER is a regular expression",
	 offsetof(struct kill_opts, regex)},
};

const struct command command_kill = {
	.name = "kill",
	.args = "CONTAINER [SIGNAL]",
	.help = "send a signal (default TERM) to the container's first process",
	.opts = kill_table,
	.n_opts = ARRAY_LEN(kill_table),
	.opts_size = sizeof(struct kill_opts),
	.min_args = 1,
	.max_args = 2,
	.run = cmd_kill,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* kill: a signal to the first process, or to all (B-04). */
#include <errno.h>
#include <regex.h>
#include <signal.h>
#include "cmd/box.h"

struct kill_opts {
	bool all, regex;
};

static int kill_one(struct globals *g, const char *id, int sig, bool all, struct err *e)
{
	box_auto l = LOADED_INIT;
	int r;

	r = box_load(g, id, 0, false, false, &l, e);
	if (r < 0)
		return r;
	if (l.status == ST_STOPPED && all) /* leftovers of a shared pid namespace; none is success (B-04) */
		return l.box.cg->layout == CG_NONE ? 0 : l.ops->signal(&l.box, sig, true, e);
	r = state_allow(OP_KILL, l.status, id, e);
	return r < 0 ? r : l.ops->signal(&l.box, sig, all, e);
}

static int cmd_kill(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct kill_opts *o = opts;
	int sig = argc > 1 ? signal_parse(argv[1]) : SIGTERM;
	struct strs ids;
	regex_t re;
	int r;

	if (sig < 0)
		return err_set_id(e, ERR_USAGE, -EINVAL, "unknown signal \"%s\"", argv[1]);
	if (!o->regex)
		return kill_one(g, argv[0], sig, o->all, e);
	if (regcomp(&re, argv[0], REG_EXTENDED | REG_NOSUB) != 0)
		return err_set_id(e, ERR_USAGE, -EINVAL, "--regex: \"%s\" is not a regular expression", argv[0]);
	r = state_ids(cmd_root(g), g->a, &ids, e);
	for (size_t i = 0; r == 0 && i < ids.n; i++)
		if (regexec(&re, ids.v[i], 0, NULL, 0) == 0)
			r = kill_one(g, ids.v[i], sig, o->all, e);
	regfree(&re);
	return r;
}

static const struct opt kill_table[] = {
	{"all", 'a', OPT_FLAG, NULL, "signal every process of the container", offsetof(struct kill_opts, all)},
	{"regex", 'r', OPT_FLAG, NULL, "CONTAINER is a regular expression", offsetof(struct kill_opts, regex)},
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

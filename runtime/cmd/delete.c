/* SPDX-License-Identifier: Apache-2.0 */
/* delete: see B-05. With --force also what never got further than a directory. */
#include <errno.h>
#include <regex.h>

#include "base/log.h"
#include "cmd/box.h"

struct delete_opts {
	bool force, regex;
};

static int delete_one(struct globals *g, const char *id, bool force, struct err *e)
{
	box_auto l = LOADED_INIT;
	int r;

	r = box_load(g, id, force ? OP_DELETE_FORCE : OP_DELETE, true, force, &l, e);
	if (r < 0) {
		if (force && e->id == ERR_NO_CONTAINER) {
			err_clear(e); /* B: engines call it to make sure */
			return 0;
		}
		return r;
	}
	return box_delete(g, &l.st, &l.box, l.ops, e);
}

static int delete_matching(struct globals *g, const char *pattern, bool force, struct err *e)
{
	struct strs ids;
	regex_t re;
	int r;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set_id(e, ERR_USAGE, -EINVAL, "--regex: \"%s\" is not a regular expression", pattern);
	r = state_ids(cmd_root(g), g->a, &ids, e);
	for (size_t i = 0; r == 0 && i < ids.n; i++)
		if (regexec(&re, ids.v[i], 0, NULL, 0) == 0)
			r = delete_one(g, ids.v[i], force, e);
	regfree(&re);
	return r;
}

static int cmd_delete(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct delete_opts *o = opts;

	(void) argc;
	if (o->regex)
		return delete_matching(g, argv[0], o->force, e);
	return delete_one(g, argv[0], o->force, e);
}

static const struct opt opts_table[] = {
	{"force", 'f', OPT_FLAG, NULL, "kill the container if it still runs", offsetof(struct delete_opts, force)},
	{"regex", 'r', OPT_FLAG, NULL, "CONTAINER is a regular expression", offsetof(struct delete_opts, regex)},
};

const struct command command_delete = {
	.name = "delete",
	.args = "CONTAINER",
	.help = "remove a stopped container",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct delete_opts),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_delete,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* pause and resume: the freezer. */
#include "cmd/audited.h"
#include "cmd/box.h"

static int freeze(struct globals *g, const char *id, bool on, struct err *e)
{
	box_auto l = LOADED_INIT;
	int r = box_load(g, id, on ? OP_PAUSE : OP_RESUME, STATE_LOCK, false, &l, e);

	if (r < 0)
		return r;
	r = l.ops->pause(&l.box, on, e);
	return audited_result(g, on ? AUDIT_PAUSE : AUDIT_RESUME, id, l.st.rec, NULL, 0, r, e);
}

static int cmd_pause(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	(void) opts, (void) argc;
	return freeze(g, argv[0], true, e);
}

static int cmd_resume(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	(void) opts, (void) argc;
	return freeze(g, argv[0], false, e);
}

const struct command command_pause = {
	.name = "pause",
	.args = "CONTAINER",
	.help = "stop all processes of a container for a while",
	.min_args = 1,
	.max_args = 1,
	.run = cmd_pause,
};
const struct command command_resume = {
	.name = "resume",
	.args = "CONTAINER",
	.help = "let a paused container go on",
	.min_args = 1,
	.max_args = 1,
	.run = cmd_resume,
};

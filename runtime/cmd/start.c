/* SPDX-License-Identifier: Apache-2.0 */
/* start: releases the parked process of a created container, then the poststart hooks. */
#include <errno.h>

#include "base/fd.h"
#include "cmd/audited.h"
#include "cmd/box.h"
#include "cmd/lifecycle.h"
#include "cmd/notify.h"

/* A poststart hook that fails stops the container (runtime-spec 1.3). */
int container_poststart(struct globals *g, struct loaded *l, struct err *e)
{
	struct err sub = ERR_INIT;
	int r;

	(void) g;
	if (!l->st.rec->poststart.n)
		return 0;
	r = box_hook_files(l->st.rec, &l->box, e);
	if (r == 0)
		r = box_hooks(&l->box, HOOK_POSTSTART, &l->st.rec->poststart, e);
	if (r < 0)
		(void) l->ops->signal(&l->box, 9, false, &sub);
	return r;
}

static int cmd_start(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	box_auto l = LOADED_INIT;
	fd_auto int notify = -EBADF;
	int r;

	(void) opts, (void) argc;
	r = box_load(g, argv[0], OP_START, STATE_LOCK, false, &l, e);
	if (r < 0)
		return r;
	if (!l.st.rec->has_process)
		return err_set(e, -EINVAL,
			       "cannot start container %s: its config.json has no process",
			       argv[0]);
	notify = notify_bind(l.st.dir_fd, e);
	if (notify < 0 && notify != -EBADF)
		return notify;
	if (str_eq0(l.st.rec->listener_path, POL_LISTENER_REPORT)) {
		r = box_read_policy(g, &l.st, &l.box, e);
		if (r < 0)
			return r;
	}
	l.box.status = "created";
	r = audited(g, AUDIT_START, AUDIT_ATTEMPT, argv[0], l.st.rec, NULL, 0, e);
	if (r < 0)
		return r;
	r = l.ops->start(&l.box, true, e);
	if (r == 0)
		r = container_poststart(g, &l, e);
	if (r < 0)
		return audited_failure(g, AUDIT_START, argv[0], l.st.rec, e);
	if (r == 0 && notify >= 0) {
		state_unlock(&l.st); /* it may take a while */
		notify_forward(notify, l.st.pidfd, l.box.pid);
	}
	return r;
}

const struct command command_start = {
	.name = "start",
	.args = "CONTAINER",
	.help = "run the process of a created container",
	.min_args = 1,
	.max_args = 1,
	.run = cmd_start,
};

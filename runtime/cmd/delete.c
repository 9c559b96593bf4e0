/* SPDX-License-Identifier: Apache-2.0 */
/* delete: see B-05. With --force also what never got further than a directory. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"
#include "cmd/box.h"

#define LOCK_STEP_MS 20
#define LOCK_TIMEOUT_MS 10000

struct delete_opts {
	bool force, regex;
};

/* A creation without a cgroup of its own: what it has made dies with it. It has the lock, so it is looked at again once
 * we have a hold of it: the number could be somebody else's by then. */
static void end_creator(const struct state *s)
{
	pid_t pid = state_lock_owner(s);
	fd_auto int pidfd = pid > 0 && pid != getpid() ? sys_pidfd_open(pid, 0) : -EBADF;

	if (pidfd >= 0 && state_lock_owner(s) == pid)
		(void) sys_pidfd_send_signal(pidfd, SIGTERM);
}

/* Ends what a command that has the lock may be waiting for: the container's process, or, while there is none on record,
 * whatever is in a cgroup that was made for it. */
static void end_holder(struct loaded *l)
{
	struct err ignored = ERR_INIT;
	bool creating = l->st.rec->pid <= 0;

	if (creating && (!l->st.rec->cg.made_by_us || l->st.rec->cg.layout == CG_NONE))
		end_creator(&l->st);
	else if (creating || l->st.pidfd >= 0)
		(void) l->ops->signal(&l->box, SIGKILL, creating, &ignored);
}

/*
 * --force does not wait for a command that may never end: one that is inside a hook, or waits for a process that does
 * not answer. The end of the container's process ends most of them.
 */
static int load_by_force(struct globals *g, const char *id, struct loaded *l, struct err *e)
{
	int r;

	for (unsigned waited = 0;; waited += LOCK_STEP_MS) {
		box_auto held = LOADED_INIT;
		struct err sub = ERR_INIT;

		r = box_load(g, id, OP_DELETE_FORCE, STATE_TRY_LOCK, true, l, e);
		if (r != -EWOULDBLOCK || waited >= LOCK_TIMEOUT_MS)
			return r;
		err_clear(e);
		if (box_load(g, id, 0, STATE_NO_LOCK, true, &held, &sub) == 0)
			end_holder(&held);
		(void) poll(NULL, 0, LOCK_STEP_MS);
	}
}

static int delete_one(struct globals *g, const char *id, bool force, struct err *e)
{
	box_auto l = LOADED_INIT;
	int r;

	r = force ? load_by_force(g, id, &l, e)
		  : box_load(g, id, OP_DELETE, STATE_LOCK, false, &l, e);
	if (r < 0) {
		if (force && e->id == ERR_NO_CONTAINER) {
			err_clear(e); /* B: engines call it to make sure */
			return 0;
		}
		return r;
	}
	if (l.st.damaged)
		log_warn(
			"container %s: its record is damaged; what it may have left of processes and cgroups is not "
			"known",
			id);
	return box_delete(g, &l.st, &l.box, l.ops, e);
}

static int delete_match(struct globals *g, const char *id, const void *force, struct err *e)
{
	return delete_one(g, id, *(const bool *) force, e);
}

static int cmd_delete(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct delete_opts *o = opts;

	(void) argc;
	if (o->regex)
		return cmd_each_match(g, argv[0], delete_match, &o->force, e);
	return delete_one(g, argv[0], o->force, e);
}

static const struct opt opts_table[] = {
	{"force", 'f', OPT_FLAG, NULL, "kill the container if it still runs",
	 offsetof(struct delete_opts, force)},
	{"regex", 'r', OPT_FLAG, NULL, "CONTAINER is a regular expression",
	 offsetof(struct delete_opts, regex)},
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

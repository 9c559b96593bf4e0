/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lifecycle table: which command is allowed in which state, and what engines expect to read when it is
 * not. The texts are the ones that containerd, CRI-O and runc's own tests match on.
 */
#include <errno.h>

#include "base/types.h"
#include "state/state.h"

#define IN(st) (1u << (st))
#define ALIVE (IN(ST_CREATED) | IN(ST_RUNNING) | IN(ST_PAUSED))
#define ANY (ALIVE | IN(ST_CREATING) | IN(ST_STOPPED))

struct rule {
	unsigned allowed; /* bit set of states */
	enum err_id id;
	const char *text; /* the state's name follows */
};

static const struct rule rules[OP_MAX] = {
	[OP_START] = {IN(ST_CREATED), ERR_OTHER, "cannot start a container that is not created"},
	[OP_KILL] = {ALIVE | IN(ST_CREATING), ERR_NOT_RUNNING, "container not running"},
	[OP_DELETE] = {IN(ST_STOPPED) | IN(ST_CREATED), ERR_OTHER,
		       "cannot delete container that is not stopped"},
	[OP_DELETE_FORCE] = {ANY, ERR_OTHER, "cannot delete container"},
	[OP_EXEC] = {IN(ST_CREATED) | IN(ST_RUNNING), ERR_NOT_RUNNING,
		     "cannot exec: container not running"},
	[OP_PAUSE] = {IN(ST_CREATED) | IN(ST_RUNNING), ERR_NOT_RUNNING,
		      "cannot pause: container not running"},
	[OP_RESUME] = {IN(ST_PAUSED), ERR_OTHER, "cannot resume: container not paused"},
	[OP_UPDATE] = {ALIVE, ERR_NOT_RUNNING, "cannot update: container not running"},
	[OP_PS] = {ALIVE, ERR_NOT_RUNNING, "container not running"},
	[OP_EVENTS] = {ALIVE, ERR_NOT_RUNNING, "container not running"},
	[OP_CHECKPOINT] = {IN(ST_RUNNING) | IN(ST_PAUSED), ERR_NOT_RUNNING,
			   "cannot checkpoint: container not running"},
	[OP_MOUNTS] = {IN(ST_CREATED) | IN(ST_RUNNING), ERR_NOT_RUNNING,
		       "cannot change mounts: container not running"},
	/* before its start it is not confined yet, and there is nothing to look at after its end */
	[OP_INSPECT] = {IN(ST_RUNNING) | IN(ST_PAUSED), ERR_NOT_RUNNING,
			"cannot inspect: container not running"},
	[OP_ATTEST] = {IN(ST_CREATED) | IN(ST_RUNNING), ERR_NOT_RUNNING,
		       "cannot be asked for evidence: container not running"},
};

static const char *const names[ST_MAX] = {
	[ST_CREATING] = "creating", [ST_CREATED] = "created", [ST_RUNNING] = "running",
	[ST_PAUSED] = "paused",	    [ST_STOPPED] = "stopped",
};

const char *state_status_name(enum status st)
{
	return st > 0 && st < ST_MAX ? names[st] : "unknown";
}

int state_allow(enum op op, enum status st, const char *id, struct err *e)
{
	const struct rule *r = &rules[op];

	if (r->allowed & IN(st))
		return 0;
	if (op == OP_EXEC && st == ST_PAUSED)
		return err_set_id(
			e, ERR_PAUSED, -EBUSY,
			"cannot exec in a paused container (use --ignore-paused to override)");
	/* whoever has frozen it, for a snapshot or a checkpoint, counts on it */
	if (op == OP_MOUNTS && st == ST_PAUSED)
		return err_set_id(e, ERR_PAUSED, -EBUSY,
				  "container %s: cannot change the mounts of a paused container, "
				  "which is to stay as it is: resume it first",
				  id);
	err_set_id(e, r->id, -EINVAL, "%s: it is %s", r->text, state_status_name(st));
	return err_context(e, "container %s", id);
}

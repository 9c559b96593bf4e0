/* SPDX-License-Identifier: Apache-2.0 */
/* libs: state cgroup policy host json base */
/* The lifecycle table: every command in every state, with the words and kinds that engines know. */
#include "state/state.h"

#include "base/types.h"
#include "tests/unit/tap.h"

#define C "C" /* allowed */

struct row {
	const char *name;
	enum op op;
	enum err_id id;		    /* of refusals */
	const char *answer[ST_MAX]; /* C, or the text after "container x: " */
};

static const char paused[] = "cannot exec in a paused container (use --ignore-paused to override)";

static const char frozen[] =
	"cannot change the mounts of a paused container, which is to stay as it is: resume it first";

static const struct row rows[] = {
	{"start",
	 OP_START,
	 ERR_OTHER,
	 {[ST_CREATING] = "cannot start a container that is not created: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = "cannot start a container that is not created: it is running",
	  [ST_PAUSED] = "cannot start a container that is not created: it is paused",
	  [ST_STOPPED] = "cannot start a container that is not created: it is stopped"}},
	{"kill",
	 OP_KILL,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = C,
	  [ST_CREATED] = C,
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = C,
	  [ST_STOPPED] = "container not running: it is stopped"}},
	{"delete",
	 OP_DELETE,
	 ERR_OTHER,
	 {[ST_CREATING] = "cannot delete container that is not stopped: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = "cannot delete container that is not stopped: it is running",
	  [ST_PAUSED] = "cannot delete container that is not stopped: it is paused",
	  [ST_STOPPED] = C}},
	{"delete --force",
	 OP_DELETE_FORCE,
	 ERR_OTHER,
	 {[ST_CREATING] = C, [ST_CREATED] = C, [ST_RUNNING] = C, [ST_PAUSED] = C, [ST_STOPPED] = C}},
	{"exec",
	 OP_EXEC,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "cannot exec: container not running: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = paused,
	  [ST_STOPPED] = "cannot exec: container not running: it is stopped"}},
	{"pause",
	 OP_PAUSE,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "cannot pause: container not running: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = "cannot pause: container not running: it is paused",
	  [ST_STOPPED] = "cannot pause: container not running: it is stopped"}},
	{"resume",
	 OP_RESUME,
	 ERR_OTHER,
	 {[ST_CREATING] = "cannot resume: container not paused: it is creating",
	  [ST_CREATED] = "cannot resume: container not paused: it is created",
	  [ST_RUNNING] = "cannot resume: container not paused: it is running",
	  [ST_PAUSED] = C,
	  [ST_STOPPED] = "cannot resume: container not paused: it is stopped"}},
	{"update",
	 OP_UPDATE,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "cannot update: container not running: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = C,
	  [ST_STOPPED] = "cannot update: container not running: it is stopped"}},
	{"ps",
	 OP_PS,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "container not running: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = C,
	  [ST_STOPPED] = "container not running: it is stopped"}},
	{"events",
	 OP_EVENTS,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "container not running: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = C,
	  [ST_STOPPED] = "container not running: it is stopped"}},
	{"checkpoint",
	 OP_CHECKPOINT,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "cannot checkpoint: container not running: it is creating",
	  [ST_CREATED] = "cannot checkpoint: container not running: it is created",
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = C,
	  [ST_STOPPED] = "cannot checkpoint: container not running: it is stopped"}},
	{"mounts",
	 OP_MOUNTS,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "cannot change mounts: container not running: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = frozen,
	  [ST_STOPPED] = "cannot change mounts: container not running: it is stopped"}},
	{"inspect",
	 OP_INSPECT,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "cannot inspect: container not running: it is creating",
	  [ST_CREATED] = "cannot inspect: container not running: it is created",
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = C,
	  [ST_STOPPED] = "cannot inspect: container not running: it is stopped"}},
	{"attest",
	 OP_ATTEST,
	 ERR_NOT_RUNNING,
	 {[ST_CREATING] = "cannot be asked for evidence: container not running: it is creating",
	  [ST_CREATED] = C,
	  [ST_RUNNING] = C,
	  [ST_PAUSED] = "cannot be asked for evidence: container not running: it is paused",
	  [ST_STOPPED] = "cannot be asked for evidence: container not running: it is stopped"}},
};
_Static_assert(ARRAY_LEN(rows) == OP_MAX - 1, "a row for every command");

static void try(const struct row *row, enum status st)
{
	const char *want = row->answer[st];
	struct err e = ERR_INIT;
	char full[256];
	int r = state_allow(row->op, st, "x", &e);

	if (want == NULL) {
		ok(0, "%s: the table has an answer for %s", row->name, state_status_name(st));
		return;
	}
	if (!strcmp(want, C)) {
		ok(r == 0 && e.code == 0, "%s is allowed when it is %s", row->name,
		   state_status_name(st));
		return;
	}
	snprintf(full, sizeof(full), "%s%s", want == paused ? "" : "container x: ", want);
	ok(r < 0 && e.code == r, "%s is refused when it is %s", row->name, state_status_name(st));
	is_str(e.msg, full, "... in these words");
	is_int(e.id, want == paused || want == frozen ? ERR_PAUSED : row->id,
	       "... and of this kind");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (enum status st = ST_CREATING; st < ST_MAX; st++)
			try(&rows[i], st);
	is_str(state_status_name((enum status) 0), "unknown", "no status is unknown");
	is_str(state_status_name(ST_MAX), "unknown", "what does not exist is unknown");
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kavach knows about containers between two commands: <root>/<id>/ with
 *   record      codec-encoded struct state_record, replaced by rename
 *   policy      the sealed policy
 *   start.sock  listening socket of a created container's stage; gone once `start` took it
 * The directory and the first record are written before the first irreversible step and the record is
 * written again before the container's process may outlive us, so that `delete --force` can always clean
 * up after a `create` that was killed (B-12). Until then that process dies with its parent.
 */
#ifndef KAVACH_STATE_STATE_H
#define KAVACH_STATE_STATE_H

#include "backend.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "cgroup/rdt.h"
#include "policy/policy.h"

enum status { ST_CREATING = 1, ST_CREATED, ST_RUNNING, ST_PAUSED, ST_STOPPED, ST_MAX };

struct state_record {
	char *id, *bundle, *rootfs, *oci_version;
	struct kvs annotations;
	uint64_t created; /* ns since the epoch */
	uint32_t owner_uid;
	uint32_t backend;   /* enum pol_backend */
	int64_t pid;	    /* 0: not there yet */
	uint64_t pid_start; /* start time of pid, clock ticks since boot */
	uint64_t ns_flags;  /* CLONE_NEW* of the namespaces it does not share with the host */
	bool shared_pidns; /* its pid namespace is not its own: SIGKILL must go to the whole cgroup */
	bool rootless;
	bool has_process;
	char *policy_digest, *config_digest; /* hex */
	char *measurement; /* hex: the launch digest that is expected of a confidential guest; NULL */
	char *listener_path, *listener_metadata; /* seccomp notify: `start` hands the fd over */
	char *hook_out, *hook_err;		 /* run.oci.hooks.stdout/stderr */
	char *audit_dir;   /* of the rules; NULL: the audit log's usual place */
	uint32_t audit;	   /* what the rules ask of the audit log (cmd/audited.c) */
	uint32_t strength; /* of the policy, plus 1; 0: not reckoned */
	struct cg cg;
	struct rdt rdt;
	pol_hooks poststart, poststop;
	POL_LIST(struct box_mount) mounts; /* made by `mounts add`, oldest first */
	POL_LIST(struct pol_resources)
	updated; /* none or one: what `update` has set, all of them together */
};
extern const struct ctable state_table; /* state/record.c */

/* state_record_encode, state_record_decode: the record as bytes, with the version in front. -EINVAL: written by another
 * version, damaged, or one that no command could act on: no process number, cgroups without a path of their own, hooks
 * without an absolute path. Strings are in the arena; *ret is written on success only. */
void state_record_encode(struct buf *out, const struct state_record *r);
int state_record_decode(const void *p, size_t n, struct arena *a, struct state_record *ret,
			struct err *e);

struct state {
	int root_fd;  /* the state root */
	int dir_fd;   /* <root>/<id> */
	int pidfd;    /* of record.pid, verified by start time; -EBADF when it is gone */
	bool damaged; /* there is a record, but it cannot be read (loaded by force) */
	bool fresh;   /* made by us a moment ago, there is no record yet */
	struct state_record *rec;
	struct arena *a;
};
#define STATE_INIT ((struct state){.root_fd = -EBADF, .dir_fd = -EBADF, .pidfd = -EBADF})
void state_close(struct state *s);
#define state_auto __attribute__((cleanup(state_close))) struct state

/* state_check_id: B-01: [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, at most 255 bytes, as it names directories. */
int state_check_id(const char *id, struct err *e);

/* state_root_default: /run/kavach, or $XDG_RUNTIME_DIR/kavach when not root of the machine. In the arena. */
char *state_root_default(bool rootless, struct arena *a);

/* state_open_root: opens (with `make`: creates, 0700, sticky) the state root. "/" is refused, and a directory in which others
 * could plant or exchange records. -ENOENT without make. */
int state_open_root(const char *root, bool make, struct err *e);

/* state_new: makes <root>/<id> and locks it; ERR_EXISTS when it is there. */
int state_new(const char *root, const char *id, struct arena *a, struct state *ret, struct err *e);

enum state_lock {
	STATE_NO_LOCK,
	STATE_LOCK,	/* waits for whoever has it */
	STATE_TRY_LOCK, /* -EWOULDBLOCK when somebody has it */
};

/* state_load: opens an existing container, reads its record, checks that its process is the same one. The lock is held until
 * state_unlock() or state_close(). ERR_NO_CONTAINER when there is none, or only what a killed create or delete left; with
 * `force` that is loaded all the same, with rec->pid 0 (status creating), and so is a directory with a damaged record. */
int state_load(const char *root, const char *id, enum state_lock lock, bool force, struct arena *a,
	       struct state *ret, struct err *e);

/* state_unlock: for a command that from here on only waits: others may work on the container meanwhile. */
void state_unlock(struct state *s);
/* state_relock: takes the lock again. ERR_NO_CONTAINER when somebody has deleted the container meanwhile. */
int state_relock(struct state *s, struct err *e);

/* state_lock_owner: the process that has the lock of a container, or 0: nobody, or one that we cannot see (/proc/locks). */
pid_t state_lock_owner(const struct state *s);

/* state_save: writes the record; readers see the old or the new one. state_add_file: a further file of the directory,
 * 0600, before the first record. */
int state_save(struct state *s, struct err *e);
int state_add_file(struct state *s, const char *name, const void *p, size_t n, struct err *e);

/* state_status: what the container is right now (looks at the process, start.sock and the freezer). */
enum status state_status(const struct state *s);
const char *state_status_name(enum status st);

/* state_remove: removes the directory. */
int state_remove(struct state *s, struct err *e);

/* state_ids: ids in a root, sorted; a missing root gives none. */
int state_ids(const char *root, struct arena *a, struct strs *ret, struct err *e);

/* state_created_rfc3339: the creation time as engines want it (nanoseconds, Z). In the arena. */
char *state_created_rfc3339(const struct state_record *r, struct arena *a);

/* ---- lifecycle (machine.c): the only place that decides what may be done when ---- */
enum op {
	OP_START = 1,
	OP_KILL,
	OP_DELETE,
	OP_DELETE_FORCE,
	OP_EXEC,
	OP_PAUSE,
	OP_RESUME,
	OP_UPDATE,
	OP_PS,
	OP_EVENTS,
	OP_CHECKPOINT,
	OP_MOUNTS,
	OP_INSPECT,
	OP_ATTEST,
	OP_MAX
};
/* state_allow: 0, or the error that engines know for this command in this state (texts of 2.4). */
int state_allow(enum op op, enum status st, const char *id, struct err *e);

/* ---- undo log (undo.c): side effects of create, unwound in reverse order on failure ---- */
#define UNDO_MAX 16
struct undo {
	struct {
		void (*fn)(void *arg);
		void *arg;
	} v[UNDO_MAX];
	unsigned n;
};
/* undo_push: registers what reverts a side effect that just happened. */
void undo_push(struct undo *u, void (*fn)(void *arg), void *arg);
/* undo_run: reverts all, newest first; the log is empty afterwards. undo_forget: it succeeded, keep everything. */
void undo_run(struct undo *u);
void undo_forget(struct undo *u);

#endif

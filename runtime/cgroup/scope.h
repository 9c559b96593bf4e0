/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kavach and its helper kavach-scope say to each other, and kavach's end of it.
 *
 * Theory of operation. A scope lives as long as a process is in it, and systemd makes one only around a
 * process. The container's process cannot be that one: it has to be created into a cgroup whose limits and device
 * rules are in force, not be moved there later. So the helper is: it asks systemd for a scope around itself
 * and stays until we let it go. Meanwhile the scope's directory is an ordinary cgroup: limits that systemd does not
 * know are written, the device program is attached, and the container's process is cloned into it as with the cgroupfs
 * manager. Then we close the socket, the helper ends, and the container's process keeps the scope. If we die before,
 * the helper ends too, the scope is empty, and systemd removes it: no step leaves anything behind.
 *
 * The helper is a child of ours that we wait for (no orphan for an engine to wonder about). It speaks packets over a
 * socket that is its standard input: one request, one reply, until the socket closes.
 */
#ifndef KAVACH_CGROUP_SCOPE_H
#define KAVACH_CGROUP_SCOPE_H

#include "cgroup/cgroup.h"
#include "policy/codec.h"

#define SCOPE_VERSION 1
#define SCOPE_PACKET_MAX (160 * 1024)

enum scope_op {
	SCOPE_START = 1, /* the unit, around the helper if it is a scope */
	SCOPE_STOP,	 /* and forget a failure of it */
	SCOPE_SET,	 /* properties, for as long as the unit lives */
	SCOPE_ATTACH,	 /* `pid` goes to `sub` below the unit's cgroup */
};

struct scope_req {
	uint32_t version, op;
	bool user;	  /* the user's manager, else the system's */
	uint32_t owner;	  /* uid of that user outside of user namespaces */
	char *unit;	  /* "kavach-abc.scope" */
	struct kvs props; /* name -> GVariant text */
	struct kvs
		limits; /* the same, of values that are written to the cgroup's files anyhow: what a systemd is too
			      old for is left out */
	uint64_t pid;
	char *sub; /* "/x"; "" is the unit's own */
};

struct scope_reply {
	int32_t code; /* 0 or -errno; -ENOTCONN: there is no such manager to talk to; -EREMOTEIO: it tried and failed */
	char *error;
	char *path; /* SCOPE_START: the unit's cgroup as the helper sees it, "/system.slice/x.scope" */
	bool existed; /* SCOPE_START: a slice that was there before; it is not ours to stop */
};

extern const struct ctable scope_req_table, scope_reply_table;

/* cg_scope_find: where the helper is: beside our own program, or as it was configured. In the arena. -ENOENT: says what
 * to install. Nobody but root and ourselves may be able to write to it. */
int cg_scope_find(struct arena *a, char **ret, struct err *e);

/* cg_scope_start: fills cg->hier.v[0].path and made_by_us, and keeps the helper in cg->holder. Errors as above. */
int cg_scope_start(struct cg *cg, const struct kvs *props, const struct kvs *limits, struct err *e);
/* cg_scope_enter_sub: makes the sub-cgroup for the container's process, and moves the helper there, so that the scope
 * can hand controllers down. Nothing without cg->sub. */
int cg_scope_enter_sub(struct cg *cg, struct err *e);
/* cg_scope_stop: also of a unit that is gone: then nothing. */
int cg_scope_stop(const struct cg *cg, struct err *e);
int cg_scope_set(const struct cg *cg, const struct kvs *limits, struct err *e);
int cg_scope_attach(const struct cg *cg, const char *sub, pid_t pid, struct err *e);
/* cg_scope_hold_pids: the limit on processes once the helper is gone: until then it needs room too. */
void cg_scope_hold_pids(struct cg_holder *h, uint64_t limit);
/* cg_scope_release: lets the helper go and waits for its end. Nothing without one. */
void cg_scope_release(struct cg_holder *h);

/* ---- decisions (systemd.c), pure ---- */

struct cg_unit {
	char *slice; /* "system.slice"; "-.slice" is the root; NULL when the unit is a slice itself */
	char *unit;
	char *path; /* below the manager's own cgroup: "/a.slice/a-b.slice/kavach-x.scope" */
};

/* cg_unit_name: from cgroupsPath "slice:prefix:name" (NULL: ":kavach:ID"). What a unit's name may not hold is escaped as
 * systemd-escape does. -EINVAL. */
int cg_unit_name(const char *path, const char *id, bool user, struct arena *a, struct cg_unit *ret,
		 struct err *e);

/* cg_unit_basics: what every unit of ours has. `about` is GVariant text. Into ret, which has room. */
int cg_unit_basics(const struct cg_unit *u, char *about, struct arena *a, struct kvs *ret,
		   struct err *e);
struct cg_knobs;
/* cg_unit_limits: the properties that say the same as the knobs (cgroup v2), so that a daemon-reload, at which systemd
 * writes all that it knows, changes nothing. Appended to ret, which has room. -EINVAL. */
int cg_unit_limits(const struct cg_knobs *k, struct arena *a, struct kvs *ret, struct err *e);
/* cg_unit_limit_known: whether a systemd of that version has what cg_unit_limits() said. */
bool cg_unit_limit_known(const struct kv *p, unsigned version);
/* cg_systemd_version: 257 of "257.8-1", "v257" or "systemd 257 (257.8)"; 0: it says nothing. */
unsigned cg_systemd_version(const char *text);
/* cg_unit_annotations: those of org.systemd.property.*, checked, "XSec" as "XUSec". Appended; what is there is replaced.
 * DelegateSubgroup is ours to do: "/name" goes to *ret_sub. -EINVAL, and for what is not a container's to choose (Slice,
 * PIDs, Delegate, devices) -EPERM. */
int cg_unit_annotations(const struct kvs *annotations, struct arena *a, struct kvs *ret,
			char **ret_sub, struct err *e);
#define CG_UNIT_PROPS_MAX 128 /* room that ret must have */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource director technology (linux.intelRdt, S-50): cache and memory bandwidth of groups of tasks, through the
 * resctrl file system (Documentation/filesystems/resctrl.rst of the kernel).
 */
#ifndef KAVACH_CGROUP_RDT_H
#define KAVACH_CGROUP_RDT_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "policy/codec.h"
#include "policy/policy.h"

#define RDT_ROOT "/sys/fs/resctrl"

/* What a container has there; part of its record, so that delete knows what is ours. */
struct rdt {
	char *group; /* directory below the root, "." is the root group; NULL: none */
	char *mon;   /* monitoring group of its own, below mon_groups of the group; NULL: none */
	bool made;   /* the group was not there before */
	bool named;  /* by closID: others may be in it */
};
extern const struct ctable rdt_table;

/* Where the tree is. `made` is called with each new directory: a test has files put in there, as the kernel does. */
struct rdt_root {
	const char *path;
	void (*made)(int dir);
};

extern const struct rdt_root host_rdt; /* that of the machine */

/* rdt_plan: what is to be made for a container, and whether that can be: nothing is changed. Refused: a closID without a
 * schema that is not there; one that is there with another schema; a group of the container's own name that is there. */
int rdt_plan(const struct rdt_root *root, const struct pol_rdt *p, const char *id, struct arena *a,
	     struct rdt *ret, struct err *e);
/* rdt_make: makes the group with its schema, and the monitoring group. */
int rdt_make(const struct rdt_root *root, const struct rdt *r, const struct pol_rdt *p,
	     struct err *e);
/* rdt_enter: puts a process into both; what it starts later is in them, too. */
int rdt_enter(const struct rdt_root *root, const struct rdt *r, pid_t pid, struct err *e);
/* rdt_update: new schemata (NULL: none) for a group that the container has for itself. */
int rdt_update(const struct rdt_root *root, const struct rdt *r, const char *l3, const char *mb,
	       struct err *e);
/* rdt_remove: removes what was made for the container. A closID in which others are stays. */
int rdt_remove(const struct rdt_root *root, const struct rdt *r, struct err *e);
/* rdt_stats: the member "intel_rdt" of the statistics, as runc has it; nothing without a group. */
void rdt_stats(struct jsonw *w, const struct rdt_root *root, const struct rdt *r);

/* rdt_schema_differs: whether `have`, the text of a schemata file, says something else than a line of `want` does. */
bool rdt_schema_differs(const char *have, const char *want);

#endif

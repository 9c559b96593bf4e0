/* SPDX-License-Identifier: Apache-2.0 */
/* The mount option strings of the spec (config.md, "Linux mount options") and of crun. */
#ifndef KAVACH_POLICY_MNTOPT_H
#define KAVACH_POLICY_MNTOPT_H

#include <linux/mount.h>

#include "policy/policy.h"

struct mntopt {
	bool bind, rbind, remount;
	bool atime_undone; /* "atime" and the like took a choice back, and none came after */
	const char *idmap; /* value of "idmap=..." or "ridmap=...", NULL when there was none */
};

/* mntopt_apply: one option string into m; later options win over earlier ones. What is no option of the
 * mount itself goes to m->data, which has room for one more string. */
void mntopt_apply(const char *option, struct pol_mount *m, struct mntopt *o);

#endif

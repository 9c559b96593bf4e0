/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/mountinfo (proc(5), proc_pid_mountinfo(5)): text of the kernel's, with names of whoever made the mounts in it. */
#ifndef KAVACH_BASE_MOUNTINFO_H
#define KAVACH_BASE_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* One line: "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue". */
struct mountinfo {
	uint32_t id, parent;
	char *root, *place; /* in the file system; as the process sees it. Escapes are undone */
	char *options;	    /* of this mount: "rw,noatime" */
	char *optional;	    /* "shared:1 master:2", or "" */
	char *type, *source, *super; /* options of the file system */
};

/* mountinfo_parse: lines that are none are left out. text may be NULL. Returns the number; *ret is in the arena. */
size_t mountinfo_parse(const char *text, size_t n, struct arena *a, struct mountinfo **ret);

/* mountinfo_at: the mount in which a clean, absolute path is, for who walks there: mounts that others cover do not count.
 * NULL: the root is not there, because the process has changed it for a part of a mount. */
const struct mountinfo *mountinfo_at(const struct mountinfo *v, size_t n, const char *path);

/* mountinfo_has: whether a list with commas holds the word. */
bool mountinfo_has(const char *list, const char *word);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The programs that come with kavach and are run by it: they link what kavach itself must not. */
#ifndef KAVACH_BASE_HELPER_H
#define KAVACH_BASE_HELPER_H

#include "base/arena.h"
#include "base/err.h"

#ifndef KAVACH_LIBEXECDIR
#define KAVACH_LIBEXECDIR "/usr/local/libexec/kavach"
#endif

/* helper_find: the path of a helper ("kavach-scope"), which stands beside our own program or in KAVACH_LIBEXECDIR; PATH is
 * never searched. -ENOENT with *e not set when it is in neither; -EPERM with *e set when somebody other than root, the
 * owner of our own program and the caller could have written it. */
int helper_find(const char *name, struct arena *a, char **ret, struct err *e);

#endif

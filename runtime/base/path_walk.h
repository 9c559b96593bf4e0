/* SPDX-License-Identifier: Apache-2.0 */
/* The component walk behind path.c: for path.c only. */
#ifndef KAVACH_BASE_PATH_WALK_H
#define KAVACH_BASE_PATH_WALK_H

#include <sys/types.h>

/* What the walk makes of a name that is not there. */
enum path_make {
	PATH_MAKE_NOTHING, /* -ENOENT, or what O_CREAT does with the last one */
	PATH_MAKE_PARENTS, /* directories (0755) for all but the last */
	PATH_MAKE_DIRS,	   /* directories for all */
	PATH_MAKE_FILE, /* directories (0755) for all but the last, which becomes an empty file */
};

/* path_walk: as path_open_in(); mode is that of the last component when it is made. */
int path_walk(int root, const char *path, int oflags, mode_t mode, unsigned flags,
	      enum path_make make);

#endif

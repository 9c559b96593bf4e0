/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp profile that the command line names. Private to cmd/. */
#ifndef KAVACH_CMD_PROFILE_H
#define KAVACH_CMD_PROFILE_H

#include "cmd/cmd.h"

struct profile {
	const char *title;
	struct pol_seccomp seccomp;
	const char *engine; /* what was decided for a container engine, for people; NULL = nothing */
};

/*
 * profile_load: `what` is basic or strict, a bundle, a config.json, or a file with a linux.seccomp object; also in the form
 * that engines keep their default in (archMap, includes, excludes), which is taken as for a container without added
 * capabilities. For the machine of g->host.
 */
int profile_load(struct globals *g, const char *what, struct profile *ret, struct err *e);

#endif

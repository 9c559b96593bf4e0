/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the lifecycle that more than one command takes. Private to cmd/. */
#ifndef KAVACH_CMD_LIFECYCLE_H
#define KAVACH_CMD_LIFECYCLE_H

#include "cmd/box.h"

/* container_poststart: runs the poststart hooks; on failure the container is killed and the error returned. */
int container_poststart(struct globals *g, struct loaded *l, struct err *e);

#endif

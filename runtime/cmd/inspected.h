/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring a container, for inspect, state and list. Private to cmd/. */
#ifndef KAVACH_CMD_INSPECTED_H
#define KAVACH_CMD_INSPECTED_H

#include "cmd/box.h"

/* strength_of: the strength of a container, measured if it runs. For lists, in which one container that cannot be measured
 * is not the end. */
struct out_strength;
int strength_of(struct globals *g, const char *id, struct out_strength *ret, struct err *e);

#endif

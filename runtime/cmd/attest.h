/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAVACH_CMD_ATTEST_H
#define KAVACH_CMD_ATTEST_H

#include "cmd/cmd.h"

/* attest_forward: becomes the program kavach-attest with these arguments; comes back only with an error. */
int attest_forward(struct globals *g, char **argv, struct err *e);

#endif

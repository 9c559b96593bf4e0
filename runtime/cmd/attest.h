/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAVACH_CMD_ATTEST_H
#define KAVACH_CMD_ATTEST_H

#include "cmd/cmd.h"

/* attest_forward: becomes the program kavach-attest with these arguments; comes back only with an error. */
int attest_forward(struct globals *g, char **argv, struct err *e);

/* attest_container: "[OPTION...] CONTAINER": the evidence of a running guest; returns the exit status. attest_usage: the help of
 * that. */
int attest_container(struct globals *g, int argc, char **argv, struct err *e);
void attest_usage(struct buf *b);

/* attest_launch: "launch OPTION... ID": of a guest of SEV that waits for its owner; returns the exit status. */
int attest_launch(struct globals *g, int argc, char **argv, struct err *e);

#endif

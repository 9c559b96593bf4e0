/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAVACH_CMD_VERSION_H
#define KAVACH_CMD_VERSION_H

#include "base/buf.h"

/* cmd_version: the text of --version. The first line is "kavach version X" because engines split on it (C-01). */
void cmd_version(struct buf *b);

#endif

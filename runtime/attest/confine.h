/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates, reports and firmware images come from anywhere, and their parsers are the likeliest place for a mistake.
 * So a command reads its input files first, then calls this, and only then looks at what it has read.
 */
#ifndef KAVACH_ATTEST_CONFINE_H
#define KAVACH_ATTEST_CONFINE_H

#include "base/err.h"

/* confine_self: from here on this process can compute, use memory and read and write what is open, and nothing else: no
 * user of its own (started by root it becomes nobody), no capabilities, no new file, socket or process. Fails closed;
 * the caller ends then. */
int confine_self(struct err *e);
/* confine_service: the same for one that serves: it can still take connections on sockets that listen already. */
int confine_service(struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What inspect.c is made of. Private to process/. */
#ifndef KAVACH_PROCESS_INSPECT_H
#define KAVACH_PROCESS_INSPECT_H

#include "backend.h"
#include "inspect/inspect.h"

/* filters_inspect: adds a row for each filter of the policy: whether this very program is loaded. Stops the process with
 * ptrace(2) for as long as it takes to read its filters. What does not work (privilege, a kernel without it, a process
 * that is frozen or traced) is a row that is not seen. */
int filters_inspect(struct box *b, pid_t pid, struct inspect *in, struct err *e);

/* sysctls_inspect: rows for the policy's sysctls, read in a child that has joined the container's namespaces. */
void sysctls_inspect(struct box *b, struct inspect *in);

#endif

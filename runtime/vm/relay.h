/* SPDX-License-Identifier: Apache-2.0 */
/* The host's way to the broker of a confidential guest: kavach connects, the monitor passes lines on (monitor_relay.c). */
#ifndef KAVACH_VM_RELAY_H
#define KAVACH_VM_RELAY_H

#include "base/err.h"

#define RELAY_SECONDS 10 /* to connect, and for each answer */

/* relay_connect: where: vm.broker of the rules. A non-blocking descriptor; errors name the rule. */
int relay_connect(const char *where, struct err *e);

#endif

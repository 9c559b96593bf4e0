/* SPDX-License-Identifier: Apache-2.0 */
/* The launch of a guest of SEV or SEV-ES that stands still for its owner: what `kavach attest launch` asks of the monitor. */
#ifndef KAVACH_VM_LAUNCH_H
#define KAVACH_VM_LAUNCH_H

#include "backend.h"

/* vm_launch_show: the document that the owner judges (JSON, attest/launchdoc.h), in the box's arena; waits until there is one.
 * ERR_NOT_RUNNING: the container is not being launched, or does not wait for anybody. */
int vm_launch_show(struct box *b, struct bytes *ret, struct err *e);
/* vm_launch_release: lets the guest run; header and secret: base64, both or neither (NULL), for the firmware's secret area. 0
 * when it has begun to run. */
int vm_launch_release(struct box *b, const char *header, const char *secret, struct err *e);

#endif

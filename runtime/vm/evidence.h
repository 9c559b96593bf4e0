/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence of a confidential guest that runs: what `kavach attest ID` asks of the monitor. */
#ifndef KAVACH_VM_EVIDENCE_H
#define KAVACH_VM_EVIDENCE_H

#include "backend.h"

/* vm_attest: an evidence document (attest/evidence.h) for a nonce of 32 to 64 bytes, in the box's arena, as the guest wrote it:
 * nothing of it is checked. */
int vm_attest(struct box *b, struct bytes nonce, struct bytes *ret, struct err *e);

/* vm_measurement: the launch digest of a confidential shape as `kavach measure` predicts it, in hexadecimal, in the arena. It
 * is kavach-attest that reckons it; NULL, with a warning, where that cannot. */
struct vm_shape;
char *vm_measurement(const struct vm_shape *s, struct arena *a);

#endif

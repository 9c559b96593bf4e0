/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the owner of a confidential guest has made for its launch, as annotations of the container: all of it is public, and
 * useless for another guest.
 *
 *   io.kavach.id-block, io.kavach.id-auth	SNP: base64 of 96 and 4096 bytes (`kavach attest id-block`)
 *   io.kavach.dh-cert, io.kavach.session	SEV, SEV-ES: base64 of 2084 and 128 bytes (`kavach attest session`)
 */
#ifndef KAVACH_VM_OWNER_H
#define KAVACH_VM_OWNER_H

#include "vm/shape.h"

/* vm_owner_apply: into the shape that vm_shape_decide() made. ERR_CONFIG: one without the other, of a wrong length, for another
 * kind of guest or another guest policy than that of the shape. Pure. */
int vm_owner_apply(struct vm_shape *s, const struct kvs *annotations, struct arena *a,
		   struct err *e);

#endif

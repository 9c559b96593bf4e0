/* SPDX-License-Identifier: Apache-2.0 */
/* What a host must have before a guest with encrypted memory is started on it. */
#ifndef KAVACH_HOST_SEV_H
#define KAVACH_HOST_SEV_H

#include "base/err.h"
#include "host/look.h"

#define HOST_SEV_DEVICE "/dev/sev" /* behind hw_root() */

enum host_sev { HOST_SEV = 1, HOST_SEV_ES, HOST_SEV_SNP };

/* host_sev_need: 0, or -ENOTSUP (ERR_CONFIG) with each thing that this machine lacks for such a guest, and what to do about it:
 * the processor, KVM, kvm_amd's parameters and kinds of VM, /dev/sev. host_sev_need_of: of another machine, for tests. */
int host_sev_need(enum host_sev kind, struct err *e);
int host_sev_need_of(const struct look *l, enum host_sev kind, struct err *e);

#endif

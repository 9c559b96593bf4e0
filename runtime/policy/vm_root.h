/* SPDX-License-Identifier: Apache-2.0 */
/* Where what a mount shows comes from, when the container is in a VM: one answer for what is refused (p_vm.c) and for who does it
 * (vm/split.c). Pure; of the policy alone, so host and guest give the same. */
#ifndef KAVACH_POLICY_VM_ROOT_H
#define KAVACH_POLICY_VM_ROOT_H

#include "policy/policy.h"

enum pol_vm_from {
	POL_VM_FROM_GUEST = 1, /* a file system that the guest's kernel makes */
	POL_VM_FROM_SHM, /* an engine's folder for /dev/shm, in place of which the guest makes a tmpfs */
	POL_VM_FROM_MOUNTS, /* a remount of what other mounts have made */
	POL_VM_FROM_COPY, /* a small file of the engine's, which the guest gets a copy of: only with a packed root */
	POL_VM_FROM_HOST, /* a folder, file or file system of the host's */
};

/* What a copied file may have at most. */
#define POL_VM_COPY_MAX 65536u

enum pol_vm_from pol_vm_from(const struct policy *p, const struct pol_mount *m);

/* pol_vm_copied: whether a file at this place of a packed root is copied. */
bool pol_vm_copied(const char *destination);

#endif

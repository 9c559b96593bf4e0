/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's shape as the arguments of QEMU 9.1 to 11. QEMU opens nothing that comes from outside: sockets, taps and disks are
 * descriptors with fixed numbers (jail_exec() puts them there), and the files that it boots have fixed names in its
 * jail. So the arguments depend on the shape alone, can be compared with golden files, and hold nothing of the host.
 */
#ifndef KAVACH_VM_QEMU_H
#define KAVACH_VM_QEMU_H

#include "vm/shape.h"

/* Descriptors of QEMU. */
enum vm_fd {
	VM_FD_CHANNEL = 3, /* stream socket: the virtio-serial port WIRE_PORT_NAME */
	VM_FD_QMP,	   /* stream socket */
	VM_FD_CONSOLE,	   /* stream socket: the guest's console; QEMU only writes */
	VM_FD_VFS,	   /* root or volumes over VM_ROOT_VIRTIOFS: connected to virtiofsd */
	VM_FD_KVM,	   /* VM_KVM: /dev/kvm, for reading and writing */
	VM_FD_DISK = 8,	   /* and VM_DISKS_MAX - 1 more, opened for reading only */
	VM_FD_TAP = 16,	   /* and VM_NICS_MAX - 1 more */
	VM_FD_END = VM_FD_TAP + VM_NICS_MAX,
};

/* Names of files in the jail. */
struct vm_names {
	const char *kernel, *initrd, *firmware;
	const char *share;	       /* over VM_ROOT_9P: directory with root/ and vol/N/ */
	const char *dh_cert, *session; /* SEV, SEV-ES with a session */
};
extern const struct vm_names vm_names_jail; /* "/kernel", "/initrd", "/firmware", "/share", ... */

#define VM_ROOT_TAG "root" /* mount tag of the share */
/* serial number of the i-th disk, by which the agent finds it */
#define VM_DISK_SERIAL "kavach%u"

/* vm_qemu_argv: the program's path and its arguments, NULL-terminated, in the arena; *ret_n without the NULL. paused: with
 * -S, until QMP says `cont`; a confidential guest is always. -EINVAL when the shape contradicts itself (kernel-hashes without a kernel, a confidential guest
 * without KVM or with a shared root). Pure. */
int vm_qemu_argv(const struct vm_shape *s, const struct vm_names *names, bool paused,
		 struct arena *a, char ***ret, size_t *ret_n, struct err *e);

#endif

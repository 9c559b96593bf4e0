/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest image and the hypervisor of this host: where they are, whether they are what the site allows, and what this
 * host can do for a VM. All of it is looked up at `create` of a VM container and for `kavach policy`, never for a process.
 *
 * The image is a directory (contrib/guest): vmlinux, vmlinuz, initrd and guest.json, which says what they are; where it is:
 * host/guest_image.h. Files that a VM is
 * made of must be root's and writable by nobody else; where the site's rules have a list, they must be in it, with the
 * digest that it says.
 */
#ifndef KAVACH_VM_IMAGE_H
#define KAVACH_VM_IMAGE_H

#include "vm/shape.h"

/* vm_image_find: the image in dir. -ENOENT with a hint how to make one when there is none; ERR_CONFIG when guest.json is not
 * what contrib/guest/README.md says. Firmware is looked for there, and where distributions put it. */
int vm_image_find(const char *dir, struct arena *a, struct vm_image *ret, struct err *e);

/* vm_host_probe: facts about this host. The frequency of the TSC is found out for an emulated VM only: asked of the processor
 * or, which takes 50 ms, measured and then kept in cache_fd (a directory; -EBADF: nowhere) for as long as the machine is up. */
int vm_host_probe(const struct policy *p, int cache_fd, struct arena *a, struct vm_host *ret,
		  struct err *e);

/* vm_file_check: opens a file that a VM is made of (O_RDONLY, close-on-exec): a regular file that only root may write. Where
 * the site has a list for this kind (policy.vm.files) it must be there, and have the SHA-256 that it says: ERR_CONFIG. */
int vm_file_check(const struct policy *p, enum pol_vm_kind kind, const char *path, int *ret_fd,
		  struct err *e);
/* vm_file_tree: the same as a detached mount, which a jail takes (struct jail_file): of the file that was checked. */
int vm_file_tree(const struct policy *p, enum pol_vm_kind kind, const char *path, int *ret_fd,
		 struct err *e);

#endif

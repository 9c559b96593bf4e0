/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest image and the hypervisor of this host: where they are, whether they are what the site allows, and what this
 * host can do for a VM. All of it is looked up at `create` of a VM container and for `kavach policy`, never for a process.
 *
 * The image is a directory (contrib/guest): vmlinux, bzImage, initrd and guest.json, which says what they are. Files that a VM is
 * made of must be root's and writable by nobody else; where the site's rules have a list, they must be in it, with the
 * digest that it says.
 */
#ifndef KAVACH_VM_IMAGE_H
#define KAVACH_VM_IMAGE_H

#include "vm/shape.h"

#ifndef KAVACH_GUESTDIR
#define KAVACH_GUESTDIR "/usr/local/lib/kavach/guest"
#endif

/* vm_image_find: the image in dir (NULL: $KAVACH_GUEST where the caller is root and owns it, else KAVACH_GUESTDIR). -ENOENT with a hint how to
 * make one. */
int vm_image_find(const char *dir, struct arena *a, struct vm_image *ret, struct err *e);

/* vm_host_probe: facts about this host. cache_dir (or NULL) keeps the frequency of the TSC, whose measurement takes 50 ms,
 * for as long as the machine is up. */
int vm_host_probe(const struct policy *p, const char *cache_dir, struct arena *a,
		  struct vm_host *ret, struct err *e);

/* vm_kvm_works: whether a small guest runs under KVM here, in a child that may die of it. why: of a no; in the arena. */
bool vm_kvm_works(struct arena *a, const char **ret_why);

/* vm_file_open: opens a file that a VM is made of (O_RDONLY|O_CLOEXEC), of a regular file that only root may write, and holds
 * it against the site's list (policy.vm.files): path and, from the descriptor that is returned, SHA-256. */
enum vm_file { VM_FILE_HYPERVISOR, VM_FILE_KERNEL, VM_FILE_INITRD, VM_FILE_FIRMWARE };
int vm_file_open(const struct policy *p, enum vm_file kind, const char *path, int *ret_fd,
		 struct err *e);

#endif

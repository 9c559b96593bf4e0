/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of virtiofsd 1.x (the Rust program; the C one that QEMU 7 came with has others), which serves the
 * container's root to a guest over vhost-user. It gets a listening socket as a descriptor and the share as a directory of its
 * jail, so the arguments are the same for all containers.
 */
#ifndef KAVACH_VM_VIRTIOFSD_H
#define KAVACH_VM_VIRTIOFSD_H

#include "base/arena.h"
#include "vm/qemu.h"

#define VIRTIOFSD_FD 3 /* its listening socket */

/* virtiofsd_argv: for the program at `path`, with names->share as what it serves; NULL-terminated, in the arena; *ret_n
 * without the NULL. Pure. */
char **virtiofsd_argv(const char *path, const struct vm_names *names, struct arena *a,
		      size_t *ret_n);

#endif

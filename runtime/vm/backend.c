/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the backend "vm". It has no checkpoint and no restore: CRIU does not look into a VM. */
#include "vm/vm.h"

#include "process/process.h"

static int no_mounts_add(struct box *b, const struct policy *p,
			 int (*ready)(void *arg, const struct box_mount *m, size_t n,
				      struct err *e),
			 void *arg, struct err *e)
{
	(void) p, (void) ready, (void) arg;
	return err_set(e, -ENOTSUP, "container %s is a VM: mounts cannot be added while it runs",
		       b->id);
}

static int no_mounts_remove(struct box *b, const struct box_mount *m, size_t n, size_t *ret_gone,
			    struct err *e)
{
	(void) m, (void) n;
	*ret_gone = 0;
	return err_set(e, -ENOTSUP, "container %s is a VM: it has no mounts that were added",
		       b->id);
}

/* A confidential guest is driven as any other: what it is made of differs, and what the guest lets the host do. */
#define VM_OPS(the_name, the_id)                                                                   \
	{                                                                                          \
		.name = (the_name), .id = (the_id), .able = vm_able, .create = vm_create,          \
		.start = process_start, .exec = vm_exec, .signal = vm_signal, .pause = vm_pause,   \
		.update = vm_update, .mounts_add = no_mounts_add,                                  \
		.mounts_remove = no_mounts_remove, .pids = process_pids, .stats = vm_stats,        \
		.destroy = vm_destroy, .ooms = vm_ooms, .oom_fd = vm_oom_fd,                       \
		.inspect = vm_inspect,                                                             \
	}

const struct backend_ops backend_vm = VM_OPS("vm", POL_BACKEND_VM);
const struct backend_ops backend_sev = VM_OPS("sev", POL_BACKEND_SEV);
const struct backend_ops backend_sev_es = VM_OPS("sev-es", POL_BACKEND_SEV_ES);
const struct backend_ops backend_sev_snp = VM_OPS("sev-snp", POL_BACKEND_SEV_SNP);

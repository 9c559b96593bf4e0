/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the backend "vm". Private to vm/. */
#ifndef KAVACH_VM_VM_H
#define KAVACH_VM_VM_H

#include "backend.h"

/* create.c */
int vm_able(const struct policy *p, struct err *e);
int vm_create(struct box *b, const struct box_io *io,
	      int (*ready)(struct box *b, void *arg, struct err *e), void *arg, struct err *e);
int vm_exec(struct box *b, const struct pol_process *p, const struct box_io *io,
	    int (*ready)(struct box *b, void *arg, struct err *e), void *arg, pid_t *ret_pid,
	    int *ret_pidfd, struct err *e);
/* ops.c */
int vm_signal(struct box *b, int sig, bool all, struct err *e);
int vm_pause(struct box *b, bool on, struct err *e);
int vm_update(struct box *b, const struct pol_resources *r, struct err *e);
int vm_stats(struct box *b, struct buf *out, struct err *e);
int vm_destroy(struct box *b, struct err *e);
int64_t vm_ooms(struct box *b);
/* inspect.c */
int vm_inspect(struct box *b, const struct inspect_opts *o, struct inspect *ret, struct err *e);
int vm_oom_fd(struct box *b, struct err *e);

#endif

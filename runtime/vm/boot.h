/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-monitor and what it is started with. The program is the container's process on the host (mode CREATE: PID 1 of a
 * pid namespace of its own, the parent of QEMU), and, once more, the one that stands for each process that `exec` adds
 * (mode PROXY). argv and the way of the boot block are those of the stage (exec/stage.h); the block is a struct
 * monitor_boot, which has the stage's in it.
 */
#ifndef KAVACH_VM_BOOT_H
#define KAVACH_VM_BOOT_H

#include "exec/stage.h"
#include "policy/codec.h"

#define MONITOR_NAME "kavach-monitor"
#define MONITOR_OOM                                                                                \
	"oom" /* in the state directory: a byte for each OOM kill that the guest has told of */
#define MONITOR_OOM_MAX 65536
#define MONITOR_SOCK "monitor.sock" /* in the state directory: its control socket (vm/control.h) */

enum monitor_mode { MONITOR_CREATE = 1, MONITOR_PROXY };

struct monitor_boot {
	uint32_t mode;
	struct bytes stage; /* stage_boot_table: of the host's part of the policy */
	int32_t control_fd; /* CREATE: the listening control socket; PROXY: connected to it */

	/* CREATE */
	struct bytes policy;  /* sealed, whole, byte for byte */
	struct bytes prepare; /* wire_prepare_table; ready to be sent */
	uint32_t volumes_at;  /* split_host(): where the volumes begin in the host's mounts */
	char *hypervisor;     /* absolute */
	struct strs argv;     /* vm_qemu_argv() */
	int32_t kernel_fd, initrd_fd, firmware_fd; /* as the site allowed them; -1: none */
	uint32_t uid;				   /* jail_uid() */
	int32_t root_fd;			   /* image of a packed root; -1: none */
	int32_t kvm_fd;				   /* /dev/kvm; -1: it is emulated */
	uint32_t nics;				   /* network devices in argv */
	bool keep_root;				   /* 9p: QEMU serves the root (JAIL_9P) */
	struct strs server; /* virtiofsd_argv(), and that program by its first word; empty: none */
	uint64_t memory;    /* of the guest, bytes: what an update may not go beyond */
	uint32_t sev; /* enum vm_sev_kind: QEMU starts paused and is launched (monitor_launch.c) */
	uint64_t sev_policy;		/* of the guest: what QEMU must say it is */
	uint64_t sev_dev;		/* device number of /dev/sev */
	int32_t dh_cert_fd, session_fd; /* the owner's files; -1: none */
	uint64_t memlock;		/* what QEMU may pin; 0: nothing */
	uint32_t launch_ms;		/* how long the owner of an SEV guest may take */
	uint32_t hello_ms, prepared_ms, shutdown_ms, qmp_ms;
	int32_t oom_fd;	   /* MONITOR_OOM, for appending */
	int32_t broker_fd; /* connected to vm.broker; -1: no secret is from there */
	uint32_t owner;	   /* who may use the control socket, beside root */

	/* PROXY */
	int32_t request_fd; /* sealed file: wire_exec_table */
	bool terminal;
	int32_t ptmx_fd; /* where `terminal`: /dev/ptmx, opened where the host's is seen */
};
extern const struct ctable monitor_boot_table;

/* monitor_boot_decode: both blocks from their encoding, strings in the arena. -EBADMSG. */
int monitor_boot_decode(const void *p, size_t n, struct arena *a, struct monitor_boot *ret,
			struct stage_boot *ret_stage, struct err *e);

#endif

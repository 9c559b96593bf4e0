/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where QEMU lives, and virtiofsd: the guest is hostile, and these are what it talks to. For the monitor's forked child,
 * before execve. Each has a jail of its own.
 *
 * Theory of operation. The monitor is root in the host's mount namespace (it has not pivoted yet) and PID 1 of the
 * container's pid namespace. The child makes network, IPC, UTS and mount namespaces of its own; its root is a tmpfs of
 * 1 MiB with /usr, the loader's cache, the files to boot and at most two device nodes, read-only; the host's root is
 * gone. It takes the ids of this container, gives up all capabilities (one that serves files: all but those that files of
 * several owners need), sets no_new_privs, limits, and Landlock over what is left. What QEMU works with comes as
 * descriptors. QEMU adds its own seccomp filter (-sandbox), and so does virtiofsd.
 */
#ifndef KAVACH_VM_JAIL_H
#define KAVACH_VM_JAIL_H

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

/* A descriptor that the program gets as this number. */
struct jail_fd {
	int fd, as;
};

/* A file or directory of the host that is seen in the jail at /name: a detached mount of it (open_tree(2) with
 * OPEN_TREE_CLONE, as vm_file_open() gives: so a file that was checked is the one that is used), or, when fd is negative, what
 * the path leads to. */
struct jail_file {
	const char *name; /* without a slash */
	int fd;
	const char *path;
	bool writable; /* a directory to serve: writing, no devices, no set-user-id */
};

/* What the program does with files of the host decides its user, its capabilities and its limits. */
enum jail_role {
	JAIL_NO_FILES, /* QEMU; uid of its own, no capabilities */
	/* QEMU with 9p: uid 0 with CHOWN, DAC_OVERRIDE, FOWNER, FSETID. Has a /proc */
	JAIL_9P,
	/* virtiofsd: SETUID, SETGID and SETFCAP too, for it makes files as the guest's users, and SETPCAP, which it gives up; many
	 * files. Has a /proc */
	JAIL_VIRTIOFS,
};

struct jail {
	const char *program; /* absolute, below /usr */
	char *const *argv;
	const struct jail_fd *fds; /* `as` from 3 on, each number once */
	size_t n_fds;
	const struct jail_file *files;
	size_t n_files;
	int log_fd; /* becomes 1 and 2; -EBADF: they are /dev/null. 0 is always */
	enum jail_role role;
	uint32_t uid, gid; /* of the program; with a role of uid 0 only its group's */
	uint64_t sev_dev; /* a confidential guest: the device that is its /dev/sev; 0: there is none */
	uint64_t memlock; /* bytes that may be locked: SEV and SEV-ES pin the guest's memory; else 0 */
};

/* jail_exec: in a child of its own: builds the jail and executes the program in it. Comes back only with an error; the process
 * must then end: it has lost most of what it was. The parent must be single-threaded. */
int jail_exec(const struct jail *j, struct err *e);

/* jail_spawn: forks, jails, executes. 0: the program runs (it was executed); *ret_pid and *ret_pidfd are our child's, which dies
 * with us. Else -errno with the child's own words in *e, and no child. */
int jail_spawn(const struct jail *j, pid_t *ret_pid, int *ret_pidfd, struct err *e);

/* jail_uid: the uid and gid of a container's VM: from a range of `count` beginning at `first` (policy.vm.uid_first; the
 * site's, or ours), by the SHA-256 of its id and state directory: equal ones cannot meet, for each lives in a pid and an IPC
 * namespace of its own and owns no file. */
uint32_t jail_uid(uint32_t first, uint32_t count, const char *state_dir, const char *id);

#endif

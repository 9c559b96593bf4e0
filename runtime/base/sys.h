/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel interfaces that glibc 2.36 or musl 1.2.3 lack or wrap badly: one thin wrapper each, returning
 * a value >= 0 or -errno. Constants that Debian 12's kernel headers (6.1) lack are defined here.
 * Structures follow the kernel's uapi headers.
 */
#ifndef KAVACH_BASE_SYS_H
#define KAVACH_BASE_SYS_H

#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/types.h>

/* The values are the same on all architectures. sys/mount.h, where a file needs it, comes after us. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* 6.3 */
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* 6.3 */
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200 /* 6.5 */
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

/* sys_euid: geteuid() of a process that never changes its ids, without a system call. */
static inline uid_t sys_euid(void)
{
	return (uid_t) getauxval(AT_EUID);
}

/* sys_clone3: as fork() with flags: no new stack. cgroup_fd < 0: not into a cgroup.
 * pidfd may be NULL. Returns the pid (0 in the child) or -errno. */
pid_t sys_clone3(uint64_t flags, int cgroup_fd, int *ret_pidfd);
int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
/* sys_open_tree_attr: open_tree and mount_setattr in one (Linux 6.15). */
int sys_open_tree_attr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr);
int sys_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags);
int sys_fsopen(const char *fs, unsigned flags);
int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fsfd, unsigned flags, unsigned attr);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_send_signal(int pidfd, int sig);
int sys_pidfd_getfd(int pidfd, int fd);
/* sys_stop_signal: takes the signals that wait in a non-blocking signalfd; returns the first that would end us, or 0 when
 * all of them are ones that our caller had us ignore (nohup). */
int sys_stop_signal(int sigfd);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_seccomp(unsigned op, unsigned flags, void *args);
int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
int sys_faccessat2(int dirfd, const char *path, int mode, int flags);
int sys_bpf(int cmd, void *attr, unsigned size);
int sys_keyctl_join(const char *name); /* key serial or -errno */
int sys_keyctl_setperm(int32_t key, uint32_t perm);
int32_t sys_keyctl_describe_perm(int32_t key,
				 uint32_t *ret_perm); /* reads the present permissions */
int sys_ioprio_set(int which, int who, int ioprio);
int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int sys_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);
int sys_set_mempolicy(int mode, const unsigned long *mask, unsigned long maxnode);

/* sys_mount_id: the mount that an fd is on. id: of a mount of this boot, never used again when it is `unique` (Linux 6.8);
 * root: the fd is the root of that mount. 0 or -errno; -ENOSYS before Linux 5.8. */
struct sys_mount_id {
	uint64_t id;
	bool unique, root;
};
int sys_mount_id(int fd, struct sys_mount_id *ret);
/* sys_mount_gone: whether a unique id is that of no mount of our mount namespace: 1 or 0; -errno: the kernel does not say
 * (statmount, Linux 6.8). */
int sys_mount_gone(uint64_t unique_id);

struct sys_sched_attr {
	uint32_t size;
	uint32_t sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime;
	uint64_t sched_deadline;
	uint64_t sched_period;
	uint32_t sched_util_min;
	uint32_t sched_util_max;
};
int sys_sched_setattr(pid_t pid, struct sys_sched_attr *attr);

/* Of a process: field 22 of /proc/PID/stat (clock ticks since boot), the state letter ('Z' = zombie), and field 33:
 * which of the signals 1 to 31 it ignores, as bits 0 to 30. */
struct proc_stat {
	uint64_t start, ignored;
	char state;
};

/* proc_read_stat: through procfd (an fd of /proc, or AT_FDCWD for "/proc"). Returns 0 or -errno. */
int proc_read_stat(int procfd, pid_t pid, struct proc_stat *ret);

#endif

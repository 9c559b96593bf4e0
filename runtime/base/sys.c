/* SPDX-License-Identifier: Apache-2.0 */
/* One wrapper per kernel interface: a value >= 0 or -errno, nothing cached, nothing emulated. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"

/* Calls since Linux 5.2 have one number on all architectures; musl 1.2.3 does not know the newest. */
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467 /* Linux 6.15; the same number on all architectures but alpha */
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig 431
#endif
#ifndef SYS_fsmount
#define SYS_fsmount 432
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static inline int ret_errno(long r)
{
	return r < 0 ? -errno : (int) r;
}

pid_t sys_clone3(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	struct clone_args args = {.flags = flags};
	size_t size = CLONE_ARGS_SIZE_VER0; /* what every kernel with clone3 takes */
	int pidfd = -EBADF;
	long r;

	/* a sister (CLONE_PARENT) ends with the signal of the process that it is a sister of */
	if (!(flags & CLONE_PARENT))
		args.exit_signal = SIGCHLD;
	if (ret_pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uintptr_t) &pidfd;
	}
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t) cgroup_fd;
		size = sizeof(args);
	}
	r = syscall(SYS_clone3, &args, size);
	if (r > 0 && ret_pidfd)
		*ret_pidfd = pidfd;
	return ret_errno(r);
}

int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	return ret_errno(syscall(SYS_openat2, dirfd, path, how, sizeof(*how)));
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return ret_errno(syscall(SYS_open_tree, dirfd, path, flags));
}

int sys_open_tree_attr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr)
{
	return ret_errno(syscall(SYS_open_tree_attr, dirfd, path, flags, attr, sizeof(*attr)));
}

int sys_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
	return ret_errno(syscall(SYS_move_mount, from_dirfd, from, to_dirfd, to, flags));
}

int sys_fsopen(const char *fs, unsigned flags)
{
	return ret_errno(syscall(SYS_fsopen, fs, flags));
}

int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return ret_errno(syscall(SYS_fsconfig, fd, cmd, key, value, aux));
}

int sys_fsmount(int fsfd, unsigned flags, unsigned attr)
{
	return ret_errno(syscall(SYS_fsmount, fsfd, flags, attr));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr)
{
	return ret_errno(syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr)));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return ret_errno(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return ret_errno(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return ret_errno(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

int sys_pidfd_getfd(int pidfd, int fd)
{
	return ret_errno(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return ret_errno(syscall(SYS_close_range, first, last, flags));
}

int sys_seccomp(unsigned op, unsigned flags, void *args)
{
	return ret_errno(syscall(SYS_seccomp, op, flags, args));
}

int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return ret_errno(syscall(SYS_execveat, fd, path, argv, envp, flags));
}

int sys_faccessat2(int dirfd, const char *path, int mode, int flags)
{
	return ret_errno(syscall(SYS_faccessat2, dirfd, path, mode, flags));
}

int sys_bpf(int cmd, void *attr, unsigned size)
{
	return ret_errno(syscall(SYS_bpf, cmd, attr, size));
}

int sys_keyctl_join(const char *name)
{
	return ret_errno(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0));
}

int sys_keyctl_setperm(int32_t key, uint32_t perm)
{
	return ret_errno(syscall(SYS_keyctl, KEYCTL_SETPERM, key, perm, 0, 0));
}

/* The answer is "type;uid;gid;perm;description", perm in hex (keyctl_describe(3)). */
int32_t sys_keyctl_describe_perm(int32_t key, uint32_t *ret_perm)
{
	char text[512], *p = text;
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof(text) - 1, 0);
	uint32_t perm = 0;

	if (n < 0)
		return -errno;
	/* The length is that of the whole answer, also when it did not fit. */
	text[(size_t) n < sizeof(text) ? (size_t) n : sizeof(text) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		p = strchr(p, ';');
		if (!p)
			return -EBADMSG;
		p++;
	}
	if (strspn(p, "0123456789abcdef") != 8 || p[8] != ';')
		return -EBADMSG;
	for (int i = 0; i < 8; i++)
		perm = perm << 4 | (uint32_t) (p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
	*ret_perm = perm;
	return 0;
}

int sys_ioprio_set(int which, int who, int ioprio)
{
	return ret_errno(syscall(SYS_ioprio_set, which, who, ioprio));
}

int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {
		{(uint32_t) effective, (uint32_t) permitted, (uint32_t) inheritable},
		{(uint32_t) (effective >> 32), (uint32_t) (permitted >> 32),
		 (uint32_t) (inheritable >> 32)},
	};

	return ret_errno(syscall(SYS_capset, &h, d));
}

int sys_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {0};
	long r = syscall(SYS_capget, &h, d);

	if (r < 0)
		return -errno;
	*effective = (uint64_t) d[1].effective << 32 | d[0].effective;
	*permitted = (uint64_t) d[1].permitted << 32 | d[0].permitted;
	*inheritable = (uint64_t) d[1].inheritable << 32 | d[0].inheritable;
	return 0;
}

int sys_set_mempolicy(int mode, const unsigned long *mask, unsigned long maxnode)
{
	return ret_errno(syscall(SYS_set_mempolicy, mode, mask, maxnode));
}

/* struct statx as far as it is asked for here: musl and older headers lack its newest members. */
#define STATX_MASK 0	   /* 32 bits */
#define STATX_ATTRIBUTES 1 /* in units of 64 bits from here on */
#define STATX_MNT_ID_AT 18
#define STATX_SIZE 32
#define WANT_MNT_ID 0x1000u	   /* STATX_MNT_ID, 5.8 */
#define WANT_MNT_ID_UNIQUE 0x4000u /* 6.8 */
#define ATTR_MOUNT_ROOT 0x2000u

int sys_mount_id(int fd, struct sys_mount_id *ret)
{
	uint64_t st[STATX_SIZE] = {0};
	uint32_t mask;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, WANT_MNT_ID | WANT_MNT_ID_UNIQUE, st) < 0)
		return -errno;
	memcpy(&mask, &st[STATX_MASK], sizeof(mask));
	if (!(mask & (WANT_MNT_ID | WANT_MNT_ID_UNIQUE)))
		return -ENOSYS;
	*ret = (struct sys_mount_id){
		.id = st[STATX_MNT_ID_AT],
		.unique = mask & WANT_MNT_ID_UNIQUE,
		.root = st[STATX_ATTRIBUTES] & ATTR_MOUNT_ROOT,
	};
	return 0;
}

#ifndef SYS_statmount
#define SYS_statmount 457 /* on all architectures */
#endif

int sys_mount_gone(uint64_t unique_id)
{
	struct {
		uint32_t size, spare;
		uint64_t id, param;
	} req = {24, 0, unique_id, 2 /* STATMOUNT_MNT_BASIC */};
	uint64_t answer[128];

	if (syscall(SYS_statmount, &req, answer, sizeof(answer), 0) == 0)
		return 0;
	return errno == ENOENT ? 1 : -errno;
}

int sys_sched_setattr(pid_t pid, struct sys_sched_attr *attr)
{
	attr->size = sizeof(*attr);
	return ret_errno(syscall(SYS_sched_setattr, pid, attr, 0));
}

/* "PID (comm) S ppid ...": comm is chosen by the process and may hold blanks and ')', so the fields
 * are counted from the last ')'. */
static int parse_stat(char *text, struct proc_stat *ret)
{
	char *p = strrchr(text, ')'), *save = NULL;
	struct proc_stat st = {0};

	if (!p || p[1] != ' ' || !p[2])
		return -EBADMSG;
	st.state = p[2];
	p = strtok_r(p + 2, " ", &save);
	for (int field = 3; p && field <= 33; field++, p = strtok_r(NULL, " ", &save))
		if ((field == 22 && num_parse_u64(p, UINT64_MAX, &st.start) < 0) ||
		    (field == 33 && num_parse_u64(p, UINT64_MAX, &st.ignored) < 0))
			return -EBADMSG;
	if (!p)
		return -EBADMSG;
	*ret = st;
	return 0;
}

int proc_read_stat(int procfd, pid_t pid, struct proc_stat *ret)
{
	char path[48], text[1024];
	ssize_t n;

	if (pid <= 0)
		return -EINVAL;
	snprintf(path, sizeof(path), "%s%d/stat", procfd == AT_FDCWD ? "/proc/" : "", pid);
	n = io_read_small(procfd, path, text, sizeof(text));
	if (n < 0)
		return (int) n;
	return parse_stat(text, ret);
}

int sys_stop_signal(int sigfd)
{
	struct signalfd_siginfo si;
	struct sigaction now;

	while (read(sigfd, &si, sizeof(si)) == (ssize_t) sizeof(si))
		if (sigaction((int) si.ssi_signo, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			return (int) si.ssi_signo;
	return 0;
}

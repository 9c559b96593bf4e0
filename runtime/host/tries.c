/* SPDX-License-Identifier: Apache-2.0 */
/* Short tries: calls, namespaces, filters, files. Each one is the body of a child that ends after it (try.c). */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/sha256.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/try.h"

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* ---- calls ---- */

/* Arguments that the kernel refuses, in its own way, before it does anything. ENOSYS: it does not have the call. */
static long call_clone3(void)
{
	pid_t pid = sys_clone3(0, -EBADF, NULL);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid;
}

static long call_pidfd(void)
{
	fd_auto int fd = sys_pidfd_open(getpid(), 0);

	return fd < 0 ? fd : sys_pidfd_send_signal(fd, 0);
}

/* A descriptor that is none is EBADF; a kernel that does not know the flag says EINVAL or E2BIG. */
static long call_into_cgroup(void)
{
	pid_t r = sys_clone3(0, 1 << 20, NULL);

	if (r == 0)
		_exit(0);
	return r == -EINVAL || r == -E2BIG ? -ENOSYS : r;
}

static long call_openat2(void)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	fd_auto int fd = sys_openat2(AT_FDCWD, "/", &how);

	return fd < 0 ? fd : 0;
}

static long call_mount_api(void)
{
	fd_auto int fd = sys_open_tree(AT_FDCWD, "/", O_CLOEXEC);

	return fd < 0 ? fd : 0;
}

/* A size of 0 is EINVAL, looked at before the caller's privilege is. */
static long call_mount_setattr(void)
{
	long r = syscall(SYS_mount_setattr, -1, "", 0, NULL, 0);

	return r < 0 && errno != EINVAL ? -errno : 0;
}

static long call_close_range(void)
{
	return sys_close_range(~0U, ~0U, 0);
}

static long (*const calls[CALL_MAX])(void) = {
	[CALL_CLONE3] = call_clone3,	       [CALL_PIDFD] = call_pidfd,
	[CALL_INTO_CGROUP] = call_into_cgroup, [CALL_OPENAT2] = call_openat2,
	[CALL_MOUNT_API] = call_mount_api,     [CALL_MOUNT_SETATTR] = call_mount_setattr,
	[CALL_CLOSE_RANGE] = call_close_range,
};

/* Each in a child of its own, for the filter that kills. */
static void try_calls(const struct look *l, const char *arg, struct seen *ret)
{
	(void) l, (void) arg;
	for (unsigned i = 0; i < CALL_MAX; i++) {
		pid_t pid = fork();
		int st = -1;

		if (pid == 0) {
			long r = calls[i]();

			_exit(r == -ENOSYS ? 1 : r == -EPERM ? 2 : 0);
		}
		if (pid > 0)
			waitpid(pid, &st, 0);
		if (WIFEXITED(st) && WEXITSTATUS(st) == 0)
			ret->v |= 1ULL << i;
		else if (!WIFEXITED(st) || WEXITSTATUS(st) == 2)
			ret->v |= 1ULL << (i + 32);
	}
}

/* ---- namespaces ---- */

static void try_namespaces(const struct look *l, const char *arg, struct seen *ret)
{
	static const int kinds[] = {CLONE_NEWNS,  CLONE_NEWUTS,	   CLONE_NEWIPC, CLONE_NEWNET,
				    CLONE_NEWPID, CLONE_NEWCGROUP, CLONE_NEWTIME};

	(void) arg;
	if (!look_has_cap(l, CAP_SYS_ADMIN)) {
		if (unshare(CLONE_NEWUSER) < 0) {
			ret->r = -errno;
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (unshare(kinds[i]) == 0)
			ret->v |= (uint64_t) kinds[i];
		else if (!ret->r)
			ret->r = -errno;
}

static int write_own(const char *file, const char *text)
{
	return io_write_at(AT_FDCWD, file, 0, text, strlen(text));
}

/* As an ordinary user's container begins: one id, and a mount namespace in which something is done. */
static void try_userns(const struct look *l, const char *arg, struct seen *ret)
{
	char map[64];

	(void) arg;
	if (unshare(CLONE_NEWUSER) < 0) {
		ret->r = -errno;
		return;
	}
	ret->v = 1;
	snprintf(map, sizeof(map), "0 %u 1\n", l->uid);
	ret->r = write_own("/proc/self/setgroups", "deny");
	if (ret->r == 0)
		ret->r = write_own("/proc/self/uid_map", map);
	if (ret->r < 0)
		return;
	ret->v = 2;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		ret->r = -errno;
}

/* ---- filters ---- */

static void try_seccomp(const struct look *l, const char *arg, struct seen *ret)
{
	static const uint32_t actions[SECCOMP_ACTIONS_N] = {
		SECCOMP_RET_ALLOW,	 SECCOMP_RET_ERRNO,	SECCOMP_RET_KILL_PROCESS,
		SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,	SECCOMP_RET_TRACE,
		SECCOMP_RET_LOG,	 SECCOMP_RET_USER_NOTIF};
	/* the last one means something only together with a listener */
	static const unsigned flags[SECCOMP_FLAGS_N] = {
		SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER};

	(void) l, (void) arg;
	for (size_t i = 0; i < SECCOMP_ACTIONS_N; i++) {
		uint32_t action = actions[i];

		if (sys_seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
			ret->v |= 1ULL << i;
	}
	/* a flag that the kernel knows gets as far as the filter, of which there is none */
	for (size_t i = 0; i < SECCOMP_FLAGS_N; i++)
		if (sys_seccomp(SECCOMP_SET_MODE_FILTER, flags[i], NULL) == -EFAULT)
			ret->v |= 1ULL << (i + 16);
}

static void try_landlock(const struct look *l, const char *arg, struct seen *ret)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, 0,
			 1 /* LANDLOCK_CREATE_RULESET_VERSION */);

	(void) l, (void) arg;
	if (r < 0)
		ret->r = -errno;
	else
		ret->v = (uint64_t) r;
}

/* ---- files ---- */

static void try_open(const struct look *l, const char *arg, struct seen *ret)
{
	(void) l;
	if (open(arg, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) < 0)
		ret->r = -errno;
}

static void try_read(const struct look *l, const char *arg, struct seen *ret)
{
	(void) l;
	if (open(arg, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) < 0)
		ret->r = -errno;
}

/* Whoever asks has a guest's kernel to compare: some dozen MiB. */
static void try_digest(const struct look *l, const char *arg, struct seen *ret)
{
	fd_auto int fd = open(arg, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	static char block[1 << 16];
	uint8_t digest[SHA256_LEN];
	struct sha256 s;
	ssize_t n;

	(void) l;
	if (fd < 0) {
		ret->r = -errno;
		return;
	}
	sha256_init(&s);
	while ((n = io_read_full(fd, block, sizeof(block))) > 0)
		sha256_add(&s, block, (size_t) n);
	ret->r = n < 0 ? (int) n : 0;
	sha256_end(&s, digest);
	sha256_hex(digest, ret->text);
}

static void try_write(const struct look *l, const char *arg, struct seen *ret)
{
	(void) l;
	if (faccessat(AT_FDCWD, arg, W_OK, AT_EACCESS) < 0)
		ret->r = -errno;
}

static void try_connect(const struct look *l, const char *arg, struct seen *ret)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	fd_auto int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void) l;
	if (strlen(arg) >= sizeof(sa.sun_path)) {
		ret->r = -ENAMETOOLONG;
		return;
	}
	strcpy(sa.sun_path, arg);
	if (fd < 0 || connect(fd, (const struct sockaddr *) &sa, sizeof(sa)) < 0)
		ret->r = -errno;
}

static void try_mount(const struct look *l, const char *arg, struct seen *ret)
{
	static const struct name_val names[] = {
		{"tmpfs", TMPFS_MAGIC},
		{"cgroup2", CGROUP2_SUPER_MAGIC},
		{"cgroup", CGROUP_SUPER_MAGIC},
		{"ext4", EXT4_SUPER_MAGIC},
		{"overlay", OVERLAYFS_SUPER_MAGIC},
		{"xfs", XFS_SUPER_MAGIC},
		{"btrfs", BTRFS_SUPER_MAGIC},
		{"f2fs", F2FS_SUPER_MAGIC},
		{"nfs", NFS_SUPER_MAGIC},
		{"fuse", 0x65735546},
		{"zfs", 0x2fc12fc1},
		{"9p", V9FS_MAGIC},
		{"ramfs", RAMFS_MAGIC},
		{"erofs", 0xe0f5e1e2},
		{"bcachefs", 0xca451a4e},
		{"virtiofs", 0x6a656a63},
		{"sysfs", SYSFS_MAGIC},
		{"squashfs", SQUASHFS_MAGIC},
	};
	struct statvfs v;
	struct statfs s;
	const char *name;

	(void) l;
	if (statvfs(arg, &v) < 0 || statfs(arg, &s) < 0) {
		ret->r = -errno;
		return;
	}
	ret->v = v.f_flag;
	name = name_of(names, ARRAY_LEN(names), (long) (uint32_t) s.f_type);
	if (name)
		snprintf(ret->text, sizeof(ret->text), "%s", name);
	else
		snprintf(ret->text, sizeof(ret->text), "type %#lx", (unsigned long) s.f_type);
}

static void try_version(const struct look *l, const char *arg, struct seen *ret)
{
	char *argv[] = {arena_strdup(l->a, arg), (char *) (uintptr_t) "--version", NULL};
	int r = try_program(argv, ret->text, sizeof(ret->text), false);

	ret->r = r < 0 ? r : r > 0 ? -EIO : 0;
}

void (*const tries[SEE_MAX])(const struct look *l, const char *arg, struct seen *ret) = {
	[SEE_CALLS] = try_calls,       [SEE_NAMESPACES] = try_namespaces,
	[SEE_USERNS] = try_userns,     [SEE_IDMAP] = try_idmap,
	[SEE_IDHELPER] = try_idhelper, [SEE_SECCOMP] = try_seccomp,
	[SEE_LANDLOCK] = try_landlock, [SEE_OPEN] = try_open,
	[SEE_READ] = try_read,	       [SEE_WRITE] = try_write,
	[SEE_CONNECT] = try_connect,   [SEE_MOUNT] = try_mount,
	[SEE_VERSION] = try_version,   [SEE_CPUID] = try_cpuid,
	[SEE_KVM] = try_kvm,	       [SEE_DIGEST] = try_digest,
};

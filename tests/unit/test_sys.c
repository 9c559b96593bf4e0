/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* The thin wrappers around system calls: arguments arrive, results are values or -errno. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/types.h"
#include "tests/unit/tap.h"

/* Runs fn in a child; returns its exit status. */
static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void test_clone3(void)
{
	int pidfd = -EBADF, status;
	siginfo_t si = {0};
	pid_t pid = sys_clone3(0, -EBADF, &pidfd);

	if (pid == -ENOSYS) {
		skip("no clone3 here", "clone3");
		return;
	}
	if (pid == 0)
		_exit(pidfd == -EBADF ? 42 : 1); /* the parent's variable, as it was */
	ok(pid > 0 && pidfd >= 0, "clone3 returns the child and its pidfd");
	ok(fcntl(pidfd, F_GETFD) & FD_CLOEXEC, "which is close-on-exec");
	ok(waitid((idtype_t) 3 /* P_PIDFD */, (id_t) pidfd, &si, WEXITED) == 0 &&
		   si.si_status == 42,
	   "the child runs on a copy of the stack");
	is_int(sys_pidfd_send_signal(pidfd, 0), -ESRCH, "a pidfd of a dead process says so");
	close(pidfd);
	pid = sys_clone3(0, -EBADF, NULL);
	if (pid == 0)
		_exit(7);
	ok(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7,
	   "without pidfd, SIGCHLD and wait");
	is_int(sys_clone3(0, 0, NULL), -EBADF, "stdin is no cgroup");
	is_int(sys_clone3(CLONE_NEWNS | CLONE_FS, -EBADF, NULL), -EINVAL,
	       "impossible flags are -errno");
}

static void test_pidfd(void)
{
	int pidfd = sys_pidfd_open(getpid(), 0), fd;

	ok(pidfd >= 0, "pidfd_open");
	is_int(sys_pidfd_send_signal(pidfd, 0), 0, "signal 0 reaches ourselves");
	fd = sys_pidfd_getfd(pidfd, 1);
	ok(fd >= 0 || fd == -EPERM, "pidfd_getfd");
	if (fd >= 0)
		close(fd);
	close(pidfd);
	is_int(sys_pidfd_open(-1, 0), -EINVAL, "no such thing as pid -1");
}

static int close_some(void)
{
	int a = dup(1), b = dup(1), c = dup(1);

	return sys_close_range((unsigned) b, (unsigned) b, 0) || fcntl(a, F_GETFD) < 0 ||
	       fcntl(b, F_GETFD) >= 0 ||
	       sys_close_range((unsigned) c, UINT32_MAX, CLOSE_RANGE_CLOEXEC) ||
	       !(fcntl(c, F_GETFD) & FD_CLOEXEC);
}

static uint64_t status_caps(const char *name)
{
	char text[8192], *p;
	uint64_t v = 0;

	if (io_read_small(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0)
		bail_out("status");
	p = strstr(text, name);
	if (!p || sscanf(p + strlen(name), "%" SCNx64, &v) != 1)
		bail_out(name);
	return v;
}

static int drop_caps(void)
{
	uint64_t e = 1, p = 1, i = 1;

	return sys_capset(0, 0, 0) || sys_capget(&e, &p, &i) || e || p || i ||
	       status_caps("CapPrm:") || sys_capset(1, 1, 0) != -EPERM;
}

static void test_caps(void)
{
	uint64_t e, p, i;

	is_int(sys_capget(&e, &p, &i), 0, "capget");
	ok(e == status_caps("CapEff:") && p == status_caps("CapPrm:") &&
		   i == status_caps("CapInh:"),
	   "tells what /proc tells, in 64 bits");
	is_int(in_child(drop_caps), 0, "capset drops all, and for good");
}

static int join_keyring(void)
{
	int key = sys_keyctl_join("kavach-test");
	uint32_t perm = 0;

	if (key < 0)
		return key == -ENOSYS || key == -EPERM || key == -EDQUOT ? 77 : 1;
	if (sys_keyctl_describe_perm(key, &perm) || !(perm & 0x3f000000))
		return 2;
	if (sys_keyctl_setperm(key, perm | 0x00080000))
		return 3;
	if (sys_keyctl_describe_perm(key, &perm) || !(perm & 0x00080000))
		return 4;
	return sys_keyctl_describe_perm(0x7fffffff, &perm) < 0 ? 0 : 5;
}

static int set_sched(void)
{
	struct sys_sched_attr attr = {.sched_policy = 3 /* SCHED_BATCH */, .sched_nice = 5};

	return sys_sched_setattr(0, &attr) || sched_getscheduler(0) != 3 ||
	       sys_ioprio_set(1, 0, 2 << 13 | 7);
}

static void test_mounts(void)
{
	struct mount_attr attr = {0};

	is_int(sys_open_tree(AT_FDCWD, "/no/such", 0), -ENOENT, "open_tree");
	is_int(sys_move_mount(-EBADF, "", -EBADF, "", 0) < 0, 1, "move_mount");
	ok(sys_fsopen("nosuchfs", 0) < 0, "fsopen");
	is_int(sys_fsconfig(-EBADF, 0, NULL, NULL, 0) < 0, 1, "fsconfig");
	ok(sys_fsmount(-EBADF, 0, 0) < 0, "fsmount");
	ok(sys_mount_setattr(AT_FDCWD, "/no/such", 0, &attr) <= 0, "mount_setattr");
	is_int(sys_pivot_root("/no/such", "/no/such") < 0, 1, "pivot_root");
}

static void test_files(void)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	char arg[] = "x", *argv[] = {arg, NULL};
	int fd = sys_openat2(AT_FDCWD, "/dev/null", &how);

	ok(fd >= 0 || fd == -ENOSYS || fd == -EPERM, "openat2");
	if (fd >= 0)
		close(fd);
	is_int(sys_faccessat2(AT_FDCWD, "/dev/null", W_OK, AT_EACCESS), 0, "faccessat2");
	is_int(sys_faccessat2(AT_FDCWD, "/no/such", F_OK, 0), -ENOENT, "faccessat2 of nothing");
	is_int(sys_execveat(AT_FDCWD, "/no/such", argv, argv, 0), -ENOENT, "execveat of nothing");
	ok(sys_bpf(-1, NULL, 0) < 0, "bpf");
	ok(sys_seccomp(99, 0, NULL) < 0, "seccomp");
	ok(sys_set_mempolicy(0 /* MPOL_DEFAULT */, NULL, 0) == 0 ||
		   sys_set_mempolicy(0, NULL, 0) == -ENOSYS,
	   "set_mempolicy");
}

int main(void)
{
	int r;

	fflush(stdout); /* children must not print what is buffered */
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_clone3();
	test_pidfd();
	is_int(in_child(close_some), 0, "close_range closes and marks");
	test_caps();
	r = in_child(join_keyring);
	if (r == 77)
		skip("no keyrings here", "keyring: join, describe, setperm");
	else
		is_int(r, 0, "keyring: join, describe, setperm");
	is_int(in_child(set_sched), 0, "sched_setattr and ioprio_set");
	test_mounts();
	test_files();
	return done();
}

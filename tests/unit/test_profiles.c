/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy host spec json base */
/* timeout: 120 */
/*
 * The named seccomp profiles, loaded: real programs run under them, and each call that they deny is made
 * by a process and denied. Needs no root: no_new_privs is enough to load a filter.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy_fixture.h"
#include "seccomp/seccomp.h"

static struct bytes compile(const char *preset)
{
	char *text = arena_printf(&arena, "'annotations':{'io.kavach.preset':'%s'}", preset);
	struct bytes bpf = {0};
	struct utsname u;

	reset();
	if (uname(&u) == 0)
		snprintf(host.machine, sizeof(host.machine), "%.15s", u.machine);
	if (seccomp_compile(&MUST(.top = text)->seccomp, &arena, &bpf, &err) < 0)
		bail_out(err.msg);
	return bpf;
}

static void load(const struct bytes *bpf)
{
	struct sock_fprog prog = {.len = (unsigned short) (bpf->n / sizeof(struct sock_filter)),
				  .filter = (struct sock_filter *) (void *) bpf->v};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		_exit(99);
}

/* ---- programs ---- */

static const struct {
	const char *name;
	const char *argv[4];
} programs[] = {
	{"a dynamic program", {"/bin/true"}},
	{"a shell with a pipeline",
	 {"/bin/sh", "-c", "echo hello | grep -q hell && test -d / && ls / >/dev/null"}},
	{"bash with jobs and substitution",
	 {"/bin/bash", "-c",
	  "sleep 0.01 & wait; x=$(uname -s); [[ $x = Linux ]] && cat <(echo y) >/dev/null"}},
	{"static busybox", {"/bin/busybox", "sh", "-c", "busybox ls / | busybox wc -l >/dev/null"}},
	{"a Go program", {"/usr/sbin/runc", "--version"}},
	{"python with threads, a process and a socket",
	 {"/usr/bin/python3", "-c",
	  "import threading,subprocess,socket,tempfile,os\n"
	  "t=threading.Thread(target=lambda: None); t.start(); t.join()\n"
	  "assert subprocess.run(['/bin/true']).returncode==0\n"
	  "a,b=socket.socketpair(); a.send(b'x'); assert b.recv(1)==b'x'\n"
	  "f=tempfile.TemporaryFile(); f.write(b'x'); f.flush(); os.fsync(f.fileno())\n"}},
	{"node with workers, timers and a child",
	 {"/usr/bin/node", "-e",
	  "const {Worker}=require('worker_threads');"
	  "new Worker('1',{eval:true}).on('exit',()=>{"
	  "require('child_process').execFileSync('/bin/true');"
	  "setTimeout(()=>require('fs').promises.readdir('/').then(()=>process.exit(0)),5)})"}},
};

static int run_program(const struct bytes *bpf, const char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, 0);
		dup2(null, 1);
		load(bpf);
		execv(argv[0], (char *const *) (uintptr_t) argv);
		_exit(98);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void test_programs(const char *preset, const struct bytes *bpf)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		if (access(programs[i].argv[0], X_OK) < 0) {
			skip("not installed", "%s runs %s", preset, programs[i].name);
			continue;
		}
		is_int(run_program(bpf, programs[i].argv), 0, "%s runs %s", preset,
		       programs[i].name);
	}
}

/* ---- denied calls ---- */

struct call {
	const char *name;
	long nr;
	long args[3];
	int error;
};

#define NONE -1 /* arguments that the kernel would refuse for another reason than the filter */
static const struct call denied[] = {
	{"mount", SYS_mount, {0, 0, 0}, EPERM},
	{"umount2", SYS_umount2, {0, 0, 0}, EPERM},
	{"pivot_root", SYS_pivot_root, {0, 0, 0}, EPERM},
	{"move_mount", SYS_move_mount, {NONE, 0, NONE}, EPERM},
	{"open_tree", SYS_open_tree, {NONE, 0, NONE}, EPERM},
	{"fsopen", SYS_fsopen, {0, NONE, 0}, EPERM},
	{"mount_setattr", SYS_mount_setattr, {NONE, 0, NONE}, EPERM},
	{"unshare", SYS_unshare, {CLONE_NEWUSER, 0, 0}, EPERM},
	{"setns", SYS_setns, {NONE, 0, 0}, EPERM},
	{"bpf", SYS_bpf, {NONE, 0, 0}, EPERM},
	{"init_module", SYS_init_module, {0, 0, 0}, EPERM},
	{"finit_module", SYS_finit_module, {NONE, 0, 0}, EPERM},
	{"kexec_load", SYS_kexec_load, {0, 0, 0}, EPERM},
	{"kexec_file_load", SYS_kexec_file_load, {NONE, NONE, 0}, EPERM},
	{"reboot", SYS_reboot, {0, 0, 0}, EPERM},
	{"ptrace", SYS_ptrace, {NONE, 0, 0}, EPERM},
	{"process_vm_readv", SYS_process_vm_readv, {0, 0, 0}, EPERM},
	{"process_vm_writev", SYS_process_vm_writev, {0, 0, 0}, EPERM},
	{"pidfd_getfd", SYS_pidfd_getfd, {NONE, NONE, 0}, EPERM},
	{"open_by_handle_at", SYS_open_by_handle_at, {NONE, 0, 0}, EPERM},
	{"keyctl", SYS_keyctl, {NONE, 0, 0}, EPERM},
	{"add_key", SYS_add_key, {0, 0, 0}, EPERM},
	{"request_key", SYS_request_key, {0, 0, 0}, EPERM},
	{"io_uring_setup", SYS_io_uring_setup, {0, 0, 0}, EPERM},
	{"io_uring_enter", SYS_io_uring_enter, {NONE, 0, 0}, EPERM},
	{"userfaultfd", SYS_userfaultfd, {NONE, 0, 0}, EPERM},
	{"perf_event_open", SYS_perf_event_open, {0, NONE, NONE}, EPERM},
	{"fanotify_init", SYS_fanotify_init, {NONE, NONE, 0}, EPERM},
	{"settimeofday", SYS_settimeofday, {0, 0, 0}, EPERM},
	{"clock_settime", SYS_clock_settime, {NONE, 0, 0}, EPERM},
	{"swapon", SYS_swapon, {0, 0, 0}, EPERM},
	{"acct", SYS_acct, {NONE, 0, 0}, EPERM},
	{"sethostname", SYS_sethostname, {0, NONE, 0}, EPERM},
	{"syslog", SYS_syslog, {NONE, 0, 0}, EPERM},
	{"quotactl", SYS_quotactl, {NONE, 0, 0}, EPERM},
	{"clone with a new user namespace", SYS_clone, {CLONE_NEWUSER | SIGCHLD, 0, 0}, EPERM},
	{"clone with a new network namespace", SYS_clone, {CLONE_NEWNET | SIGCHLD, 0, 0}, EPERM},
	{"clone3", SYS_clone3, {0, 0, 0}, ENOSYS},
};

/* Makes all calls in one child; the pipe brings back the errno of each. */
static void make_calls(const struct bytes *bpf, int *errors)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		bail_out("pipe");
	pid = fork();
	if (pid == 0) {
		load(bpf);
		for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
			const struct call *c = &denied[i];
			long r = syscall(c->nr, c->args[0], c->args[1], c->args[2], 0, 0, 0);
			int error = r < 0 ? errno : 0;

			if (r == 0 && c->nr == SYS_clone)
				_exit(0); /* a child that should not be */
			if (write(fds[1], &error, sizeof(error)) != sizeof(error))
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	for (size_t i = 0; i < ARRAY_LEN(denied); i++)
		if (read(fds[0], &errors[i], sizeof(errors[i])) != sizeof(errors[i]))
			errors[i] = -1;
	close(fds[0]);
	waitpid(pid, NULL, 0);
}

static void test_denied(const char *preset, const struct bytes *bpf, bool strict)
{
	int errors[ARRAY_LEN(denied)];

	make_calls(bpf, errors);
	for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
		int want = denied[i].error;

		/* strict allows clone without these flags and nothing else: its default answers */
		if (strict && denied[i].nr == SYS_clone)
			want = ENOSYS;
		is_int(errors[i], want, "%s denies %s", preset, denied[i].name);
	}
}

int main(void)
{
	struct bytes basic = compile("basic"), strict = compile("strict");

	test_programs("basic", &basic);
	test_denied("basic", &basic, false);
	test_programs("strict", &strict);
	test_denied("strict", &strict, true);
	arena_free(&arena);
	return done();
}

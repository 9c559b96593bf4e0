/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec hooks policy base */
/*
 * Ids and capabilities as the workload finds them after execve(), in particular that the CAP_SYS_ADMIN kept for the
 * seccomp filter is gone by then. Each case is a forked child that ends in an exec of this program, which prints what
 * it has. Needs root for real; as an ordinary user inside a user namespace of its own.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "exec/ctx.h"
#include "tests/unit/tap.h"

#define BIT(n) (1ull << (n))
#define SOME (BIT(CAP_CHOWN) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_KILL))

static struct arena a;
static const char *self;

struct result {
	uint64_t eff, per, inh, bnd, amb;
	uint32_t uid, gid, groups, umask;
	uint32_t ran; /* the exec happened */
};

static uint64_t read_set(int option, int sub)
{
	uint64_t set = 0;

	for (unsigned cap = 0; cap < 64; cap++)
		if (prctl(option, sub ? (unsigned long) sub : cap, sub ? cap : 0, 0, 0) == 1)
			set |= BIT(cap);
	return set;
}

/* After the exec: what we have, to stdout. */
static int report(void)
{
	struct result r = {.ran = 1, .uid = getuid(), .gid = getgid(), .umask = umask(0)};

	sys_capget(&r.eff, &r.per, &r.inh);
	r.bnd = read_set(PR_CAPBSET_READ, 0);
	r.amb = read_set(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET);
	r.groups = (uint32_t) getgroups(0, NULL);
	return io_write_all(1, &r, sizeof(r)) < 0;
}

/* The stage's steps in their order, then the exec. */
static void child(const struct pol_process *p, bool keep, int out)
{
	struct stage_boot boot = {0};
	struct stage s = {.boot = &boot, .proc = p, .a = &a, .umask = 027};
	char *argv[] = {(char *) (uintptr_t) "report", NULL}, *env[] = {NULL};
	struct err e = ERR_INIT;
	uint64_t eff, per, inh, had;
	int fd = open(self, O_PATH | O_CLOEXEC); /* also where the user may not walk to it */

	dup2(out, 1);
	sys_capget(&eff, &had, &inh);
	if (caps_drop_bounding(&p->caps, &e) < 0 || ids_apply(&s, &e) < 0 ||
	    caps_apply(&p->caps, keep, &e) < 0) {
		dprintf(2, "# %s\n", e.msg);
		_exit(1);
	}
	sys_capget(&eff, &per, &inh);
	if (keep && !(eff & BIT(CAP_SYS_ADMIN)))
		_exit(2); /* would not be able to load the filter */
	if (!keep && p->caps.set && eff != (p->caps.effective & had))
		_exit(3);
	sys_execveat(fd, "", argv, env, AT_EMPTY_PATH);
	_exit(4);
}

static struct result run(const struct pol_process *p, bool keep)
{
	struct result r = {0};
	int pipefd[2], st = 0;
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		bail_out("pipe");
	pid = fork();
	if (pid == 0)
		child(p, keep, pipefd[1]);
	close(pipefd[1]);
	if (io_read_full(pipefd[0], &r, sizeof(r)) != sizeof(r))
		r = (struct result){0};
	close(pipefd[0]);
	waitpid(pid, &st, 0);
	if (st)
		printf("# the child ended with status %#x\n", st);
	return r;
}

static struct pol_process process(uint32_t uid)
{
	return (struct pol_process){
		.uid = uid,
		.gid = uid,
		.caps = {.set = true, .bounding = SOME, .effective = SOME, .permitted = SOME},
	};
}

static void test_root(void)
{
	struct pol_process p = process(0);
	struct result r;

	for (int keep = 0; keep < 2; keep++) {
		const char *how = keep ? "filter without no_new_privs" : "no filter";

		r = run(&p, keep);
		ok(r.ran, "root, %s: runs", how);
		is_int(r.per, SOME, "root, %s: permitted is the config's", how);
		is_int(r.eff, SOME, "root, %s: effective is the config's", how);
		is_int(r.bnd, SOME, "root, %s: bounding is the config's", how);
		is_int(r.inh, 0, "root, %s: nothing is inheritable", how);
		is_int(r.amb, 0, "root, %s: nothing is ambient", how);
	}
	p.caps = (struct pol_caps){.set = true};
	r = run(&p, true);
	ok(r.ran && !r.per && !r.eff && !r.bnd, "root with empty sets has no capability");
	p.caps = (struct pol_caps){0};
	r = run(&p, false);
	ok(r.ran && (r.bnd & BIT(CAP_SYS_ADMIN)),
	   "root without capabilities in the config keeps what we have");
	is_int(r.inh, 0, "but nothing inheritable");
}

static void test_user(uint32_t uid)
{
	struct pol_process p = process(uid);
	struct result r;

	for (int keep = 0; keep < 2; keep++) {
		const char *how = keep ? "filter without no_new_privs" : "no filter";

		r = run(&p, keep);
		ok(r.ran && r.uid == uid && r.gid == uid, "user, %s: runs as that user", how);
		is_int(r.per, 0, "user, %s: permitted is empty after the exec", how);
		is_int(r.eff, 0, "user, %s: effective too", how);
		is_int(r.bnd, SOME, "user, %s: bounding is the config's", how);
	}
	p.caps.ambient = p.caps.inheritable = BIT(CAP_NET_BIND_SERVICE);
	r = run(&p, true);
	is_int(r.per, BIT(CAP_NET_BIND_SERVICE), "user: an ambient capability survives");
	is_int(r.eff, BIT(CAP_NET_BIND_SERVICE), "user: and is effective");
	is_int(r.amb, BIT(CAP_NET_BIND_SERVICE), "user: and nothing else is");
	p.caps.inheritable = 0;
	r = run(&p, true);
	ok(r.ran && !r.amb && !r.eff, "user: ambient without inheritable is not granted");
	p.caps = (struct pol_caps){0};
	r = run(&p, true);
	ok(r.ran && !r.eff && !r.per, "user: without capabilities in the config there are none");
}

static void test_ids(uint32_t uid)
{
	struct pol_process p = process(uid);
	uint64_t groups[] = {uid, 0};
	struct result r;

	r = run(&p, false);
	is_int(r.groups, 0, "no additional groups: the list is emptied");
	is_int(r.umask, 027, "umask: as inherited");
	p.groups.v = groups;
	p.groups.n = 2;
	p.umask = (struct opt_u64){true, 0077};
	r = run(&p, false);
	is_int(r.groups, 2, "additional groups are set");
	is_int(r.umask, 077, "umask: the config's");
}

/* What is not an id must not be taken for "no change" or be cut to another one. */
static void test_no_ids(void)
{
	struct stage_boot boot = {0};
	uint64_t group = 1ull << 32;
	struct pol_process p = process(0);
	struct stage s = {.boot = &boot, .proc = &p, .a = &a};
	struct err e = ERR_INIT;
	pid_t pid = fork();
	int st = 1;

	if (pid == 0) {
		p.uid = UINT32_MAX;
		if (ids_apply(&s, &e) == 0)
			_exit(1);
		p.uid = 0;
		p.gid = UINT32_MAX;
		if (ids_apply(&s, &e) == 0)
			_exit(2);
		p.gid = 0;
		p.groups.v = &group;
		p.groups.n = 1;
		_exit(ids_apply(&s, &e) == 0 ? 3 : 0);
	}
	waitpid(pid, &st, 0);
	is_int(st, 0, "a user, group or additional group that is no id is refused");
}

static void test_ungrantable(void)
{
	struct pol_process p = process(0);
	struct result r;
	uint64_t eff, per, inh;

	sys_capget(&eff, &per, &inh);
	p.caps.bounding = p.caps.effective = p.caps.permitted = p.caps.inheritable =
		SOME | BIT(CAP_SYS_RESOURCE) | BIT(63);
	r = run(&p, false);
	ok(r.ran, "a capability that we do not have is no error");
	is_int(r.eff, p.caps.effective & per, "it is just not there");
}

/* An ordinary user gets a user namespace in which it is root; nothing but 0 is mapped there. */
static bool become_root(void)
{
	char map[64];
	uid_t uid = geteuid();

	if (uid == 0)
		return true;
	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return io_write_at(AT_FDCWD, "/proc/self/uid_map", 0, map, strlen(map)) == 0;
}

int main(int argc, char **argv)
{
	bool real = geteuid() == 0;
	uint64_t eff = 0, per = 0, inh = 0;

	if (argc == 1 && str_eq(argv[0], "report"))
		return report();
	self = argv[0];
	if (!become_root() || sys_capget(&eff, &per, &inh) < 0 ||
	    (eff & (SOME | BIT(CAP_SYS_ADMIN) | BIT(CAP_SETPCAP))) !=
		    (SOME | BIT(CAP_SYS_ADMIN) | BIT(CAP_SETPCAP))) {
		skip("needs root or user namespaces", "capabilities of the workload");
		return done();
	}
	if (real) {
		test_root();
		test_user(12345);
		test_ids(12345);
		test_no_ids();
		test_ungrantable();
	} else {
		skip("needs root: no group is mapped", "capabilities of the workload");
	}
	return done();
}

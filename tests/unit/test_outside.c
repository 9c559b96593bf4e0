/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec hooks policy base */
/* What the parent sets on the process, and what the process does for itself; each case works on a child of ours. */
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "exec/ctx.h"
#include "tests/unit/tap.h"

static struct arena a;

static pid_t victim(uid_t uid)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
			_exit(1);
		for (;;)
			pause();
	}
	if (uid)
		usleep(50000); /* until it has its ids */
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct pol_process with_limit(uint32_t resource, uint64_t soft, uint64_t hard)
{
	struct pol_process p = {0};

	p.rlimits.v = arena_alloc(&a, sizeof(*p.rlimits.v));
	p.rlimits.v[0] = (struct pol_rlimit){resource, soft, hard};
	p.rlimits.n = 1;
	return p;
}

static void test_rlimits(void)
{
	struct pol_process p = with_limit(RLIMIT_CORE, 0, 1000);
	struct err e = ERR_INIT;
	struct rlimit l, mine;
	pid_t pid = victim(0);

	is_int(exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e), 0, "sets a limit: %s",
	       e.msg);
	prlimit(pid, RLIMIT_CORE, NULL, &l);
	ok(l.rlim_cur == 0 && l.rlim_max == 1000, "both values are in force");
	p = with_limit(RLIMIT_CORE, 2000, 2000);
	if (geteuid() == 0 && prlimit(pid, RLIMIT_CORE, &(struct rlimit){0, 2000}, NULL) == 0) {
		skip("we may raise limits", "raising a limit");
	} else {
		is_int(exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e), -EPERM,
		       "raising a hard limit needs privilege");
		is_str(e.msg,
		       "process.rlimits[0]: RLIMIT_CORE: raising the hard limit to 2000 needs CAP_SYS_RESOURCE, which this "
		       "runtime does not have; it may be at most 1000",
		       "and the message says what is allowed");
	}
	end(pid);

	if (geteuid() == 0) {
		pid = victim(12345);
		p = with_limit(RLIMIT_CORE, 0, 10);
		e = ERR_INIT;
		is_int(exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e), 0,
		       "a process with other ids, which we may not touch, is left to itself: %s",
		       e.msg);
		end(pid);
	} else {
		skip("needs root", "a process with other ids");
	}

	getrlimit(RLIMIT_NOFILE, &mine);
	struct pol_process own = with_limit(RLIMIT_NOFILE, 7, 9);
	struct stage_boot boot = {0};
	struct stage s = {.boot = &boot, .proc = &own, .a = &a};

	pid = fork();
	if (pid == 0) {
		if (rlimits_raise(&s, &e) < 0 || getrlimit(RLIMIT_NOFILE, &l) < 0 ||
		    l.rlim_cur != mine.rlim_cur)
			_exit(1);
		if (rlimits_apply(&s, &e) < 0 || getrlimit(RLIMIT_NOFILE, &l) < 0 ||
		    l.rlim_cur != 7 || l.rlim_max != 9)
			_exit(2);
		own.rlimits.v[0].hard = 20; /* not without privilege, any more */
		_exit(rlimits_raise(&s, &e) == 0 || (e.code == -EPERM && strstr(e.msg, "at most 9"))
			      ? 0
			      : 3);
	}
	int st;
	waitpid(pid, &st, 0);
	is_int(st, 0,
	       "in the stage: nothing sinks before its time, then both values, and refusals are early");
}

static void test_oom(void)
{
	struct pol_process p = {.oom_score_adj = {true, 500}};
	struct err e = ERR_INIT;
	char path[64], text[32];
	pid_t pid = victim(0);
	int procfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	snprintf(path, sizeof(path), "%d/oom_score_adj", pid);
	is_int(exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e), 0,
	       "oomScoreAdj is set");
	io_read_small(procfd, path, text, sizeof(text));
	is_str(text, "500", "to its value");
	p.oom_score_adj.v = 600;
	is_int(exec_outside(pid, procfd, &p, false, OUTSIDE_RLIMITS, &e), 0,
	       "also through a procfs that is given");
	io_read_small(procfd, path, text, sizeof(text));
	is_str(text, "600", "to its value");
	p.oom_score_adj.v = -900;
	r = exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e);
	if (r == 0) {
		skip("we may lower it", "lowering oomScoreAdj");
	} else {
		is_int(r, -EACCES, "lowering it without privilege is an error");
		is_str(e.msg,
		       "process.oomScoreAdj: lowering it to -900 needs CAP_SYS_RESOURCE, which this runtime does not have",
		       "that names the cause, and not in words that mean the program");
		is_int(exec_outside(pid, AT_FDCWD, &p, true, OUTSIDE_RLIMITS, &e), 0,
		       "for an ordinary user only a warning");
	}
	p.oom_score_adj.set = false;
	io_write_at(procfd, path, 0, "700", 3);
	exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e);
	io_read_small(procfd, path, text, sizeof(text));
	is_str(text, "700", "absent: not touched");
	close(procfd);
	end(pid);
}

static void test_scheduling(void)
{
	struct pol_process p = {.sched = {.set = true, .policy = SCHED_BATCH, .nice = 5}};
	struct err e = ERR_INIT;
	pid_t pid = victim(0);

	p.ioprio = (struct opt_u64){true, IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | 6};
	is_int(exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e), 0,
	       "scheduler and ioPriority are set: %s", e.msg);
	is_int(sched_getscheduler(pid), SCHED_BATCH, "the policy");
	is_int(getpriority(PRIO_PROCESS, (id_t) pid), 5, "the nice value");
	is_int(syscall(SYS_ioprio_get, 1, pid), IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | 6,
	       "the I/O priority");
	p.sched.policy = 77;
	ok(exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e) < 0 &&
		   strstr(e.msg, "process.scheduler: policy 77"),
	   "a policy that the kernel does not know is an error: %s", e.msg);
	end(pid);
}

static void test_affinity(void)
{
	struct pol_process p = {0};
	struct err e = ERR_INIT;
	pid_t pid = victim(0);
	cpu_set_t set, all;
	int first = 0;

	sched_getaffinity(0, sizeof(all), &all);
	while (!CPU_ISSET(first, &all))
		first++;
	is_int(exec_affinity(pid, arena_printf(&a, "%d", first), &e), 0, "binds to a CPU list: %s",
	       e.msg);
	sched_getaffinity(pid, sizeof(set), &set);
	is_int(CPU_COUNT(&set), 1, "of one CPU");
	is_int(exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_RLIMITS, &e), 0, "an affinity");
	sched_getaffinity(pid, sizeof(set), &set);
	is_int(CPU_COUNT(&set), 1, "stays, unless it is to be reset");
	is_int(exec_outside(pid, AT_FDCWD, &p, false, OUTSIDE_ALL_CPUS, &e), 0, "then");
	sched_getaffinity(pid, sizeof(set), &set);
	ok(CPU_COUNT(&set) >= CPU_COUNT(&all), "all CPUs are allowed");
	is_int(exec_affinity(pid, "5-", &e), -EINVAL, "a list that is none is refused");
	ok(strstr(e.msg, "execCPUAffinity") && e.id == ERR_CONFIG, "as an error of the config: %s",
	   e.msg);
	ok(exec_affinity(pid, "60000", &e) < 0, "a CPU that is not there is refused");
	end(pid);
}

int main(void)
{
	test_rlimits();
	test_oom();
	test_scheduling();
	test_affinity();
	arena_free(&a);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup policy host json base */
/*
 * The cgroup code on the kernel: on the host as it stands, and, in a private mount namespace, on what the
 * same host looks like with only v1 and with only v2. Everything happens below a directory of the test's
 * own in each hierarchy, which is removed at the end. Needs root; what the host lacks is skipped by name.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/sys.h"
#include "cgroup/internal.h"

#define RES(...) (&(struct pol_resources){__VA_ARGS__})
#define N(x)                                                                                       \
	{                                                                                          \
		true, (x)                                                                          \
	}
#define skip_rest(why, ...)                                                                        \
	do {                                                                                       \
		skip(why, __VA_ARGS__);                                                            \
		return;                                                                            \
	} while (0)

static const char *view; /* "host", "v1 only", "v2 only" */
static char parent[64];	 /* "/kavach-test-PID" */
static struct host host;
static struct arena arena; /* of the test that runs */
static struct err e;
static volatile unsigned *counter; /* shared with children */

/* ---- helpers ---- */

static char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *fmt, ...)
{
	va_list ap;
	char buf[512];

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return arena_strdup(&arena, buf);
}

static const char *path_of(const char *name)
{
	return text("%s/%s", parent, name);
}

static int plan(const char *path, struct cg *ret)
{
	struct pol_cgroup p = {.manager = POL_CG_CGROUPFS, .path = (char *) (uintptr_t) path};

	e = ERR_INIT;
	return cgroup_plan(&p, "test-id", &host, &arena, ret, &e);
}

static bool made(const char *name, const struct pol_resources *r, struct cg *ret)
{
	int rc = plan(path_of(name), ret);

	if (rc == 0)
		rc = cgroup_make(ret, r, &host, &e);
	if (rc < 0)
		printf("# %s: %s\n", name, e.msg);
	return rc == 0;
}

static bool removed(const struct cg *cg)
{
	e = ERR_INIT;
	if (cgroup_remove(cg, &e) == 0)
		return true;
	printf("# %s\n", e.msg);
	return false;
}

/* Whether the directory exists in any, or in all, hierarchies. */
static bool exists(const struct cg *cg, bool all)
{
	char path[PATH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < cg->hier.n; i++)
		n += cg_path(path, &cg->hier.v[i], NULL) == 0 && access(path, F_OK) == 0;
	return all ? n == cg->hier.n : n > 0;
}

static const char *value(const struct cg_hier *h, const char *file)
{
	char buf[4096];
	ssize_t n = h ? cg_read(h, file, buf, sizeof(buf)) : -ENOENT;

	return n < 0 ? text("(%s: %s)", file, strerror((int) -n)) : arena_strdup(&arena, buf);
}

static bool have(enum cg_ctl c)
{
	static char top[] = "";
	struct cg_hier root = {.name = top,
			       .mount = text(host.cgroup == CG_V2 ? CG_ROOT : CG_ROOT "/unified"),
			       .path = top};
	struct cg cg;

	if (plan("/x", &cg) < 0)
		return false;
	if (cg_hier_v1(&cg, cg_ctl_name(c, false)))
		return true;
	return cg_unified(&cg) && cg_ctl_name(c, true) &&
	       cg_has_word(value(&root, "cgroup.controllers"), cg_ctl_name(c, true), ' ');
}

/* "ID:CONTROLLERS:PATH" lines of a process. */
static void io_list(pid_t pid, char *buf, size_t size)
{
	if (io_read_small(AT_FDCWD, text("/proc/%d/cgroup", (int) pid), buf, size - 1) < 0)
		*buf = '\0';
	strcat(buf, "\n"); /* the last one has none after io_read_small() */
}

/* A child in the cgroup, joined as containers are. `f` runs in it; its return value is the exit status. */
static pid_t child(const struct cg *cg, int (*f)(void *arg), void *arg)
{
	int fds[CG_MAX_HIER], n = cgroup_tasks_fds(cg, fds, &e), dir = cgroup_clone_fd(cg, &e);
	pid_t pid;

	if (n < 0) {
		printf("# %s\n", e.msg);
		return -1;
	}
	fflush(stdout);
	pid = sys_clone3(0, dir, NULL);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < n; i++)
			if (write(fds[i], "0", 1) != 1)
				_exit(99);
		_exit(f(arg));
	}
	for (int i = 0; i < n; i++)
		fd_close(fds[i]);
	fd_close(dir);
	return pid;
}

/* The exit status, 128 + signal, or -1 when it does not end within five seconds. */
static int reap(pid_t pid)
{
	fd_auto int fd = sys_pidfd_open(pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int st;

	if (poll(&p, 1, 5000) != 1) {
		kill(pid, SIGKILL);
		return -1;
	}
	waitpid(pid, &st, 0);
	return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

static bool wait_for(bool (*f)(const void *), const void *arg)
{
	for (int i = 0; i < 500; i++) {
		if (f(arg))
			return true;
		cg_sleep_ms(10);
	}
	return false;
}

static bool counter_is_up(const void *arg)
{
	return *counter >= *(const unsigned *) arg;
}

static int wait_long(void *arg)
{
	(void) arg;
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return 0;
}

/* One child and `n` grandchildren that all wait. */
static int wait_many(void *arg)
{
	for (unsigned i = 0; i < *(unsigned *) arg; i++)
		if (fork() == 0)
			wait_long(NULL);
	return wait_long(NULL);
}

static int count_up(void *arg)
{
	(void) arg;
	for (;;) {
		(*counter)++;
		cg_sleep_ms(1);
	}
	return 0;
}

static pid_t waiting_child(const struct cg *cg, unsigned others)
{
	unsigned want = others + 1;
	pid_t pid;

	*counter = 0;
	pid = child(cg, wait_many, &others);
	if (pid > 0)
		wait_for(counter_is_up, &want);
	return pid;
}

/* ---- making ---- */

static void test_make(void)
{
	struct cg cg, again;

	ok(made("make", RES(.memory = {0}), &cg), "%s: make without limits", view);
	ok(exists(&cg, true), "%s: a directory in each of %zu hierarchies", view, cg.hier.n);
	ok(cg.layout == host.cgroup && cg.made_by_us, "%s: layout and made_by_us are noted", view);
	ok(made("make", RES(.memory = {0}), &again) && !again.made_by_us,
	   "%s: an empty one that exists is used, not owned", view);
	ok(removed(&again) && exists(&cg, true), "%s: what is not ours is not removed", view);
	ok(removed(&cg) && !exists(&cg, false), "%s: what is ours is removed", view);
	ok(removed(&cg), "%s: removing what is gone is fine", view);
}

static void test_limits_v1(void)
{
	struct cg_hier top = {(char[]){"cpuset"}, (char[]){CG_ROOT "/cpuset"}, (char[]){""}};
	struct cg cg;

	if (host.cgroup == CG_V2)
		return;
	if (!cg_hier_v1((plan("/x", &cg), &cg), "memory"))
		skip_rest("no v1 memory controller here", "%s: v1 limits", view);
	ok(made("limits",
		RES(.memory = N(64 << 20), .memory_reservation = N(32 << 20), .pids = N(77),
		    .cpu_shares = N(512), .cpu_quota = N(50000), .cpu_period = N(100000),
		    .cpu_burst = N(10000), .cpus = (char[]){"0"}),
		&cg),
	   "%s: make with limits", view);
	is_str(value(cg_where(&cg, CTL_MEMORY), "memory.limit_in_bytes"), "67108864",
	       "%s: memory limit", view);
	is_str(value(cg_where(&cg, CTL_MEMORY), "memory.soft_limit_in_bytes"), "33554432",
	       "%s: memory reservation", view);
	is_str(value(cg_where(&cg, CTL_PIDS), "pids.max"), "77", "%s: pids limit", view);
	is_str(value(cg_where(&cg, CTL_CPU), "cpu.shares"), "512", "%s: cpu shares", view);
	is_str(value(cg_where(&cg, CTL_CPU), "cpu.cfs_quota_us"), "50000", "%s: cpu quota", view);
	is_str(value(cg_where(&cg, CTL_CPU), "cpu.cfs_burst_us"), "10000",
	       "%s: cpu burst, though refused before the quota", view);
	is_str(value(cg_where(&cg, CTL_CPUSET), "cpuset.cpus"), "0", "%s: cpuset of the config",
	       view);
	is_str(value(cg_where(&cg, CTL_CPUSET), "cpuset.mems"), value(&top, "cpuset.mems"),
	       "%s: cpuset copied from above", view);

	e = ERR_INIT;
	ok(cgroup_update(&cg, RES(.memory = N(128 << 20), .memory_swap = N(256 << 20)), &host,
			 &e) == 0,
	   "%s: update memory up", view);
	ok(cgroup_update(&cg, RES(.memory = N(512 << 20), .memory_swap = N(600 << 20)), &host,
			 &e) == 0,
	   "%s: update memory beyond the old memory+swap", view);
	ok(cgroup_update(&cg, RES(.memory = N(64 << 20), .memory_swap = N(65 << 20)), &host, &e) ==
		   0,
	   "%s: update memory far down", view);
	is_str(value(cg_where(&cg, CTL_MEMORY), "memory.memsw.limit_in_bytes"), "68157440",
	       "%s: memory+swap after the updates", view);
	ok(cgroup_update(&cg, RES(.memory = N(-1)), &host, &e) == 0, "%s: update to unlimited",
	   view);
	ok(cgroup_update(&cg, RES(.cpu_period = N(20000)), &host, &e) == 0,
	   "%s: update of the period alone", view);
	is_str(value(cg_where(&cg, CTL_CPU), "cpu.cfs_quota_us"), "50000",
	       "%s: the quota is still there", view);
	is_str(value(cg_where(&cg, CTL_PIDS), "pids.max"), "77",
	       "%s: what an update does not name stays", view);
	ok(removed(&cg), "%s: removed", view);
}

static void test_limits_v2(void)
{
	struct pol_hugepage huge = {(char[]){"2MB"}, 4 << 20};
	struct kv depth = {(char[]){"cgroup.max.depth"}, (char[]){"3"}};
	struct cg cg;

	if (host.cgroup == CG_V1 || plan("/x", &cg) < 0)
		return;
	if (!have(CTL_HUGETLB) || cg_hier_v1(&cg, "hugetlb"))
		skip("no hugetlb controller in cgroup2", "%s: huge pages", view);
	else {
		ok(made("huge", RES(.hugepages = {&huge, 1}), &cg),
		   "%s: make with huge pages, controller handed down", view);
		is_str(value(cg_unified(&cg), "hugetlb.2MB.max"), "4194304", "%s: huge page limit",
		       view);
		ok(removed(&cg), "%s: removed", view);
	}
	ok(made("unified", RES(.unified = {&depth, 1}), &cg), "%s: make with unified", view);
	is_str(value(cg_unified(&cg), "cgroup.max.depth"), "3", "%s: unified value", view);
	ok(removed(&cg), "%s: removed", view);
	if (!have(CTL_MEMORY) || cg_hier_v1(&cg, "memory"))
		skip_rest("no memory controller in cgroup2", "%s: v2 memory", view);
	ok(made("memory", RES(.memory = N(64 << 20), .memory_swap = N(96 << 20)), &cg),
	   "%s: make with memory", view);
	is_str(value(cg_unified(&cg), "memory.max"), "67108864", "%s: memory.max", view);
	ok(cgroup_update(&cg, RES(.memory = N(32 << 20)), &host, &e) == 0, "%s: update memory",
	   view);
	is_str(value(cg_unified(&cg), "memory.max"), "33554432", "%s: memory.max after it", view);
	ok(removed(&cg), "%s: removed", view);
}

static void test_errors(void)
{
	struct kv odd = {(char[]){"cgroup.max.depth"}, (char[]){"many"}},
		  nowhere = {(char[]){"kavach.x"}, (char[]){"1"}};
	struct cg cg;

	plan(path_of("errors"), &cg);
	if (cg_hier_v1(&cg, "cpuset")) {
		ok(cgroup_make(&cg, RES(.cpus = (char[]){"4000"}), &host, &e) < 0 &&
			   strstr(e.msg, "linux.resources.cpu.cpus: writing \"4000\" to " CG_ROOT
					 "/cpuset/kavach-test-") &&
			   strstr(e.msg, "/errors/cpuset.cpus"),
		   "%s: an error names field, value and file", view);
		printf("# %s\n", e.msg);
		ok(!exists(&cg, false), "%s: nothing is left of a failed make", view);
	}
	plan(path_of("errors"), &cg);
	if (cg_unified(&cg)) {
		ok(cgroup_make(&cg, RES(.unified = {&odd, 1}), &host, &e) < 0 &&
			   strstr(e.msg, "cgroup.max.depth"),
		   "%s: a value that v2 refuses is an error", view);
		plan(path_of("errors"), &cg);
		ok(cgroup_make(&cg, RES(.unified = {&nowhere, 1}), &host, &e) < 0 &&
			   strstr(e.msg, "controller kavach is not available in /kavach-test-"),
		   "%s: a controller that v2 does not have is an error", view);
		printf("# %s\n", e.msg);
	} else {
		ok(cgroup_make(&cg, RES(.unified = {&odd, 1}), &host, &e) < 0 &&
			   strstr(e.msg, "not available"),
		   "%s: unified without cgroup2 is an error", view);
		printf("# %s\n", e.msg);
	}
	ok(!exists(&cg, false), "%s: nothing is left of it", view);
	if (have(CTL_MEMORY))
		return;
	plan(path_of("errors"), &cg);
	ok(cgroup_make(&cg, RES(.memory = N(4096)), &host, &e) < 0 &&
		   strstr(e.msg,
			  "linux.resources.memory.limit: controller memory is not available in /kavach-test-"),
	   "%s: a missing controller is an error that names it", view);
	printf("# %s\n", e.msg);
}

static void test_rootless(void)
{
	struct host h = host;
	struct cg cg;

	if (have(CTL_RDMA))
		skip_rest("the rdma controller is there", "%s: rootless goes on without", view);
	h.rootless = true;
	plan(path_of("rootless"), &cg);
	ok(cgroup_make(&cg, RES(.rdma = {&(struct pol_rdma){(char[]){"x"}, N(1), {0}}, 1}), &h,
		       &e) == 0 &&
		   cg.error && strstr(cg.error, "rdma"),
	   "%s: rootless goes on without a controller, and notes it", view);
	printf("# %s\n", cg.error ? cg.error : "(none)");
	ok(removed(&cg), "%s: removed", view);
	/* a file that can be written, but not with this value, stays an error */
	plan(path_of("rootless"), &cg);
	if (cg_hier_v1(&cg, "cpuset"))
		ok(cgroup_make(&cg, RES(.cpus = (char[]){"4000"}), &h, &e) < 0 &&
			   !exists(&cg, false),
		   "%s: rootless: a refused value is an error", view);
}

/* Rootless with the device controller out of reach, which is how it always is. */
static void test_rootless_devices(void)
{
	struct pol_device_rule deny = {false, 'a', -1, -1, 7};
	struct host h = host;
	struct cg cg;

	h.rootless = true;
	plan(path_of("devices"), &cg);
	cg.hier.n = 0;
	ok(cgroup_make(&cg, RES(.devices = {&deny, 1}), &h, &e) == 0 && !cg.error,
	   "%s: rootless goes on without device rules", view);
	h.rootless = false;
	plan(path_of("devices"), &cg);
	cg.hier.n = 0;
	ok(cgroup_make(&cg, RES(.devices = {&deny, 1}), &h, &e) < 0 &&
		   strstr(e.msg, "linux.resources.devices"),
	   "%s: root does not", view);
	plan(path_of("devices"), &cg);
	cg.hier.n = 0;
	ok(cgroup_make(&cg, RES(.pids = N(5)), &host, &e) < 0 &&
		   strstr(e.msg, "linux.resources.pids.limit"),
	   "%s: nor without limits", view);
}

/* A parent that has processes, or is threaded, hands no controller down; the message says why. */
static void test_blocked(void)
{
	struct pol_hugepage huge = {(char[]){"2MB"}, 4 << 20};
	char path[PATH_MAX];
	struct cg cg, above;
	pid_t pid;

	if (host.cgroup == CG_V1)
		return;
	if (plan("/x", &cg) < 0 || cg_hier_v1(&cg, "hugetlb") || !have(CTL_HUGETLB))
		skip_rest("no hugetlb controller in cgroup2", "%s: blocked controllers", view);
	made("above", RES(.memory = {0}), &above);
	pid = waiting_child(&above, 0);
	plan(path_of("above/c"), &cg);
	ok(cgroup_make(&cg, RES(.hugepages = {&huge, 1}), &host, &e) == -EBUSY &&
		   strstr(e.msg, "linux.resources.hugepageLimits[0]: writing \"+hugetlb\" to ") &&
		   strstr(e.msg,
			  text("/above/cgroup.subtree_control (processes in it: %d)", (int) pid)),
	   "%s: processes in the parent are named", view);
	printf("# %s\n", e.msg);
	cgroup_kill(&above, SIGKILL, &e);
	reap(pid);
	cg_path(path, cg_unified(&above), "threads");
	mkdir(path, 0755);
	cg_path(path, cg_unified(&above), "threads/cgroup.type");
	ok(io_write_at(AT_FDCWD, path, 0, "threaded", 8) == 0, "%s: a threaded cgroup", view);
	plan(path_of("above/threads/c"), &cg);
	ok(cgroup_make(&cg, RES(.hugepages = {&huge, 1}), &host, &e) < 0 &&
		   strstr(e.msg, "threaded"),
	   "%s: a threaded parent is named", view);
	printf("# %s\n", e.msg);
	if (host.cgroup == CG_V2) {
		plan(path_of("above/threads/c"), &cg);
		ok(cgroup_make(&cg, RES(.memory = {0}), &host, &e) == 0,
		   "%s: without such limits it is no obstacle", view);
		is_str(value(cg_unified(&cg), "cgroup.type"), "threaded",
		       "%s: the container's becomes threaded too", view);
		pid = waiting_child(&cg, 0);
		ok(pid > 0, "%s: and takes a process", view);
		cgroup_kill(&above, SIGKILL, &e);
		reap(pid);
	}
	ok(removed(&above), "%s: removed", view);
}

/* ---- joining ---- */

static bool member(const char *list, const struct cg_hier *h)
{
	return strstr(list, text(":%s:%s\n", h->name, h->path)) != NULL;
}

static void test_join(void)
{
	char list[4096];
	pid_t pid, other;
	struct u64s pids;
	struct cg cg, second;
	size_t n = 0;

	ok(made("join", RES(.memory = {0}), &cg), "%s: make", view);
	pid = waiting_child(&cg, 2);
	ok(pid > 0, "%s: a child joins by clone and by its own writes", view);
	io_list(pid, list, sizeof(list));
	for (size_t i = 0; i < cg.hier.n; i++)
		n += member(list, &cg.hier.v[i]);
	is_int(n, cg.hier.n, "%s: it is in every hierarchy", view);
	ok(cgroup_pids(&cg, &arena, &pids, &e) == 0 && pids.n == 3 && pids.v[0] < pids.v[1] &&
		   pids.v[1] < pids.v[2],
	   "%s: its processes are listed, sorted", view);
	plan(path_of("join"), &second);
	ok(cgroup_make(&second, RES(.memory = {0}), &host, &e) == -EBUSY &&
		   strstr(e.msg, "container's cgroup is not empty: 3 process(es) found"),
	   "%s: a cgroup with processes is not fit", view);
	ok(exists(&cg, true), "%s: and is left as it is", view);
	other = fork();
	if (other == 0)
		_exit(wait_long(NULL));
	ok(cgroup_join_pid(&cg, other, &e) == 0 && cgroup_pids(&cg, &arena, &pids, &e) == 0 &&
		   pids.n == 4,
	   "%s: a process that exists already is moved in", view);
	ok(cgroup_kill(&cg, SIGKILL, &e) == 0, "%s: kill", view);
	is_int(reap(pid), 128 + SIGKILL, "%s: the child is dead", view);
	is_int(reap(other), 128 + SIGKILL, "%s: the other one too", view);
	ok(removed(&cg) && !exists(&cg, false), "%s: removed", view);
}

static void test_clone_fd_of(void)
{
	struct cg cg;
	char path[PATH_MAX], list[4096];
	pid_t pid, second;
	fd_auto int fd = -EBADF;

	if (host.cgroup == CG_V1)
		return;
	made("exec", RES(.memory = {0}), &cg);
	pid = waiting_child(&cg, 0);
	cg_path(path, cg_unified(&cg), "inner");
	mkdir(path, 0755);
	cg_path(path, cg_unified(&cg), "inner/cgroup.procs");
	{
		FILE *f = fopen(path, "w");

		fprintf(f, "%d", (int) pid);
		fclose(f);
	}
	fd = cgroup_clone_fd_of(&cg, pid, &e);
	second = sys_clone3(0, fd, NULL);
	if (second == 0)
		_exit(wait_long(NULL));
	io_list(second, list, sizeof(list));
	ok(strstr(list, "/exec/inner\n") != NULL, "%s: exec follows init into its sub-cgroup",
	   view);
	ok(cgroup_kill(&cg, SIGKILL, &e) == 0 && reap(pid) == 128 + SIGKILL &&
		   reap(second) == 128 + SIGKILL,
	   "%s: kill reaches sub-cgroups", view);
	ok(removed(&cg) && !exists(&cg, false), "%s: removed with its sub-cgroup", view);
}

static void test_delegate(void)
{
	char path[PATH_MAX];
	struct stat dir, procs, freeze;
	struct cg cg;

	if (host.cgroup != CG_V2)
		return;
	made("delegate", RES(.memory = {0}), &cg);
	ok(cgroup_delegate(&cg, 4711, 4712, &e) == 0, "%s: delegate", view);
	cg_path(path, cg_unified(&cg), NULL);
	stat(path, &dir);
	cg_path(path, cg_unified(&cg), "cgroup.procs");
	stat(path, &procs);
	cg_path(path, cg_unified(&cg), "cgroup.freeze");
	stat(path, &freeze);
	ok(dir.st_uid == 4711 && dir.st_gid == 4712 && procs.st_uid == 4711,
	   "%s: directory and cgroup.procs are given away", view);
	is_int(freeze.st_uid, 0, "%s: the limits are not", view);
	removed(&cg);
}

/* ---- freezing and killing ---- */

static void test_freeze(void)
{
	struct cg cg, second;
	unsigned before, one = 1;
	pid_t pid;

	ok(made("freeze", RES(.memory = {0}), &cg), "%s: make", view);
	*counter = 0;
	pid = child(&cg, count_up, NULL);
	wait_for(counter_is_up, &one);
	is_int(cgroup_frozen(&cg), 0, "%s: not frozen", view);
	ok(cgroup_freeze(&cg, true, &e) == 0, "%s: freeze", view);
	is_int(cgroup_frozen(&cg), 1, "%s: frozen", view);
	before = *counter;
	cg_sleep_ms(50);
	is_int(*counter, before, "%s: nothing runs", view);
	ok(cgroup_freeze(&cg, false, &e) == 0, "%s: thaw", view);
	before++;
	ok(wait_for(counter_is_up, &before), "%s: it runs again", view);
	is_int(cgroup_frozen(&cg), 0, "%s: not frozen any more", view);
	ok(cgroup_freeze(&cg, true, &e) == 0 && cgroup_kill(&cg, SIGKILL, &e) == 0,
	   "%s: kill while frozen", view);
	is_int(reap(pid), 128 + SIGKILL, "%s: a frozen process dies by SIGKILL", view);
	ok(cgroup_freeze(&cg, true, &e) == 0, "%s: an empty cgroup can be frozen", view);
	plan(path_of("freeze"), &second);
	ok(cgroup_make(&second, RES(.memory = {0}), &host, &e) == -EBUSY && strstr(e.msg, "frozen"),
	   "%s: a frozen cgroup is not fit", view);
	ok(plan(path_of("freeze/below"), &second) == 0 &&
		   cgroup_make(&second, RES(.memory = {0}), &host, &e) == -EBUSY &&
		   strstr(e.msg, "frozen"),
	   "%s: nor is one below a frozen one", view);
	ok(cgroup_freeze(&cg, false, &e) == 0, "%s: thaw the empty one", view);
	ok(removed(&cg) && !exists(&cg, false), "%s: removed", view);
}

static int on_usr1(void *arg)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (unsigned i = 0; i < *(unsigned *) arg; i++)
		if (fork() == 0)
			break;
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
	sigwait(&set, &sig);
	__atomic_add_fetch(counter, 100, __ATOMIC_SEQ_CST);
	return wait_long(NULL);
}

static int fork_storm(void *arg)
{
	(void) arg;
	(*counter)++;
	for (;;)
		if (fork() == 0) {
			for (int i = 0; i < 3; i++)
				fork();
			cg_sleep_ms(5);
			_exit(0);
		}
	return 0;
}

static void test_kill(void)
{
	unsigned others = 9, up = 10, all = 1010, one = 1;
	struct u64s pids;
	struct cg cg;
	pid_t pid;

	made("kill", RES(.pids = have(CTL_PIDS) ? (struct opt_i64) N(400) : (struct opt_i64){0}),
	     &cg);
	*counter = 0;
	pid = child(&cg, on_usr1, &others);
	wait_for(counter_is_up, &up);
	ok(cgroup_kill(&cg, SIGUSR1, &e) == 0 && wait_for(counter_is_up, &all),
	   "%s: another signal reaches everybody, once", view);
	ok(cgroup_kill(&cg, SIGKILL, &e) == 0 && reap(pid) == 128 + SIGKILL, "%s: SIGKILL", view);
	ok(removed(&cg), "%s: processes on their way out are waited for", view);

	if (!have(CTL_PIDS))
		skip_rest("no pids controller to keep a fork storm small", "%s: kill a fork storm",
			  view);
	made("kill", RES(.pids = N(300)), &cg);
	*counter = 0;
	pid = child(&cg, fork_storm, NULL);
	wait_for(counter_is_up, &one);
	cg_sleep_ms(50);
	ok(cgroup_kill(&cg, SIGKILL, &e) == 0 && reap(pid) == 128 + SIGKILL,
	   "%s: kill a fork storm", view);
	ok(removed(&cg) && cgroup_pids(&cg, &arena, &pids, &e) == 0 && pids.n == 0,
	   "%s: nothing of it is left", view);
}

static int end_soon(void *arg)
{
	(*counter)++;
	cg_sleep_ms(*(unsigned *) arg);
	return 0;
}

static void test_remove(void)
{
	unsigned ms = 200, one = 1;
	int64_t start, took;
	char path[PATH_MAX];
	struct cg cg;
	pid_t pid;

	made("remove", RES(.memory = {0}), &cg);
	for (size_t i = 0; i < cg.hier.n; i++) {
		cg_path(path, &cg.hier.v[i], "a");
		mkdir(path, 0755);
		cg_path(path, &cg.hier.v[i], "a/b");
		mkdir(path, 0755);
		cg_path(path, &cg.hier.v[i], "c");
		mkdir(path, 0755);
	}
	ok(removed(&cg) && !exists(&cg, false), "%s: remove with sub-cgroups", view);
	made("remove", RES(.memory = {0}), &cg);
	*counter = 0;
	pid = child(&cg, end_soon, &ms);
	wait_for(counter_is_up, &one);
	start = cg_now_ms();
	ok(removed(&cg) && !exists(&cg, false), "%s: remove waits for the last process", view);
	took = cg_now_ms() - start;
	ok(took >= 100 && took < 2000, "%s: and not longer than it takes (%lld ms)", view,
	   (long long) took);
	reap(pid);
}

/* ---- devices ---- */

static int try_devices(void *arg)
{
	const char *dir = arg;
	int bad = 0, fd;

	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	bad |= fd < 0 ? 1 : 0;
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	bad |= fd >= 0 || errno != EPERM ? 2 : 0;
	fd = open("/dev/full", O_RDONLY | O_CLOEXEC); /* read is allowed, write is not */
	bad |= fd < 0 ? 4 : 0;
	fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	bad |= fd >= 0 || errno != EPERM ? 8 : 0;
	bad |= mknod(text("%s/good", dir), S_IFCHR | 0600, makedev(1, 3)) < 0 ? 16 : 0;
	bad |= mknod(text("%s/bad", dir), S_IFCHR | 0600, makedev(1, 5)) == 0 || errno != EPERM ? 32
												: 0;
	bad |= mknod(text("%s/disk", dir), S_IFBLK | 0600, makedev(7, 250)) == 0 || errno != EPERM
		       ? 64
		       : 0;
	return bad;
}

static void test_devices(void)
{
	struct pol_device_rule rules[] = {
		{false, 'a', -1, -1, 7}, {true, 'c', 1, 3, 7}, {true, 'c', 1, 7, 1}};
	struct pol_device_rule all[] = {{true, 'a', -1, -1, 7}};
	char dir[] = "/tmp/kavach-devices.XXXXXX";
	struct cg cg;

	if (!mkdtemp(dir))
		skip_rest("cannot make a directory in /tmp", "%s: devices", view);
	ok(made("devices", RES(.devices = {rules, ARRAY_LEN(rules)}), &cg),
	   "%s: make with device rules", view);
	is_int(reap(child(&cg, try_devices, dir)), 0,
	       "%s: devices are allowed and denied as the rules say", view);
	unlink(text("%s/good", dir));
	rmdir(dir);
	ok(cgroup_update(&cg, RES(.devices = {all, 1}), &host, &e) == 0,
	   "%s: an update with device rules", view);
	ok(mkdir(dir, 0700) == 0 && reap(child(&cg, try_devices, dir)) == 0,
	   "%s: leaves them as they are", view);
	unlink(text("%s/good", dir));
	rmdir(dir);
	ok(removed(&cg), "%s: removed", view);
	ok(made("devices", RES(.devices = {all, 1}), &cg) && removed(&cg), "%s: everything allowed",
	   view);
}

/* ---- statistics and OOM ---- */

static int burn(void *arg)
{
	volatile unsigned long x = 0;

	(void) arg;
	for (unsigned long i = 0; i < 50000000; i++)
		x += i;
	return wait_long(NULL);
}

static bool balanced(const char *s, size_t n)
{
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		depth += s[i] == '{' || s[i] == '[';
		depth -= s[i] == '}' || s[i] == ']';
		if (depth < 0)
			return false;
	}
	return depth == 0;
}

static void test_stats(void)
{
	static const char *const keys[] = {"\"cpu\":{\"usage\":{\"total\":",
					   "\"kernel\":",
					   "\"user\":",
					   "\"throttling\":{",
					   "\"cpuset\":{",
					   "\"memory\":{",
					   "\"kernelTCP\":{",
					   "\"pids\":{",
					   "\"blkio\":{",
					   "\"hugetlb\":{",
					   "\"intel_rdt\":{}"};
	buf_auto b = BUF_WRITER(1 << 20);
	struct cg_stats *s;
	unsigned one = 1;
	struct jsonw w;
	struct cg cg;
	pid_t pid;

	made("stats", RES(.pids = have(CTL_PIDS) ? (struct opt_i64) N(42) : (struct opt_i64){0}),
	     &cg);
	*counter = 0;
	pid = child(&cg, burn, NULL);
	wait_for(counter_is_up, &one);
	ok(cgroup_stats(&cg, &arena, &s, &e) == 0, "%s: statistics", view);
	jw_init(&w, &b, false);
	jw_obj(&w);
	cgroup_stats_json(&w, s);
	jw_obj_end(&w);
	buf_put(&b, "", 1);
	ok(!b.bad && balanced((char *) b.p, b.n), "%s: statistics are JSON", view);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ok(strstr((char *) b.p, keys[i]) != NULL, "%s: statistics have %s", view, keys[i]);
	if (cg_hier_v1(&cg, "memory"))
		ok(strstr((char *) b.p, "\"raw\":{\"cache\":") &&
			   strstr((char *) b.p, "\"usage\":{\"limit\":"),
		   "%s: statistics have memory", view);
	if (have(CTL_PIDS))
		ok(strstr((char *) b.p, "\"pids\":{\"current\":1,\"limit\":42}") != NULL,
		   "%s: statistics have pids", view);
	if (cg_unified(&cg) && access("/proc/pressure", F_OK) == 0)
		ok(strstr((char *) b.p, "\"psi\":{\"some\":{\"avg10\":") != NULL,
		   "%s: statistics have pressure", view);
	printf("# %s\n", (char *) b.p);
	cgroup_kill(&cg, SIGKILL, &e);
	reap(pid);
	removed(&cg);
	ok(cgroup_stats(&cg, &arena, &s, &e) < 0, "%s: no statistics of what is gone", view);
}

static int eat(void *arg)
{
	char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void) arg;
	for (size_t i = 0; i < 64u << 20; i += 4096)
		p[i] = 1;
	return 0;
}

static void test_oom(void)
{
	fd_auto int fd = -EBADF;
	struct pollfd p;
	short events;
	struct cg cg;

	if (!have(CTL_MEMORY))
		skip_rest("no memory controller here", "%s: OOM", view);
	ok(made("oom", RES(.memory = N(8 << 20), .memory_swap = N(8 << 20)), &cg),
	   "%s: make with little memory", view);
	fd = cgroup_oom_fd(&cg, &events, &e);
	is_int(cgroup_oom_count(&cg), 0, "%s: no OOM yet", view);
	p = (struct pollfd){.fd = fd, .events = events};
	ok(fd >= 0 && poll(&p, 1, 0) == 0, "%s: and nothing to hear", view);
	is_int(reap(child(&cg, eat, NULL)), 128 + SIGKILL, "%s: too much memory is death", view);
	ok(poll(&p, 1, 2000) == 1 && (p.revents & events), "%s: it is heard", view);
	ok(cgroup_oom_count(&cg) >= 1, "%s: and counted", view);
	e = ERR_INIT;
	ok(removed(&cg), "%s: removed", view);
}

static int sit(void *arg)
{
	char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < 16u << 20; i += 4096)
		p[i] = 1;
	return wait_long(arg);
}

static void test_check_usage(void)
{
	unsigned one = 1;
	struct cg cg;
	pid_t pid;

	if (!have(CTL_MEMORY))
		skip_rest("no memory controller here", "%s: checkBeforeUpdate", view);
	made("usage", RES(.memory = N(64 << 20)), &cg);
	*counter = 0;
	pid = child(&cg, sit, NULL);
	wait_for(counter_is_up, &one);
	ok(cgroup_update(&cg, RES(.memory = N(1 << 20), .check_before_update = N(true)), &host,
			 &e) == -EBUSY &&
		   strstr(e.msg, "checkBeforeUpdate"),
	   "%s: checkBeforeUpdate refuses a limit below the usage", view);
	cgroup_kill(&cg, SIGKILL, &e);
	reap(pid);
	removed(&cg);
}

/* ---- races ---- */

/* Makes and removes a container, and takes the parent away whenever it is empty. */
static int make_and_remove(int number)
{
	struct cg cg;

	for (int i = 0; i < 40; i++) {
		arena_free(&arena);
		if (plan(text("%s/race/c%d", parent, number), &cg) < 0 ||
		    cgroup_make(&cg, RES(.memory = {0}), &host, &e) < 0) {
			printf("# %s\n", e.msg);
			return 1;
		}
		if (!removed(&cg))
			return 1;
		for (size_t h = 0; h < cg.hier.n; h++)
			rmdir(text("%s%s/race", cg.hier.v[h].mount, parent));
	}
	return 0;
}

static void test_race(void)
{
	enum { CHILDREN = 6 };
	pid_t pids[CHILDREN];
	int bad = 0, st;

	fflush(stdout);
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			int r = make_and_remove(i);

			fflush(stdout);
			_exit(r);
		}
	}
	for (int i = 0; i < CHILDREN; i++)
		if (waitpid(pids[i], &st, 0) < 0 || st != 0)
			bad++;
	is_int(bad, 0, "%s: many at once, with parents that come and go", view);
}

/* ---- planning ---- */

static const char *only_path(const struct cg *cg)
{
	return cg_main(cg)->path;
}

static void test_plan(void)
{
	struct pol_cgroup p = {.manager = POL_CG_SYSTEMD};
	struct cg cg;

	ok(plan("/a/b/../c//d/", &cg) == 0 && !strcmp(only_path(&cg), "/a/c/d"),
	   "%s: an absolute path is cleaned", view);
	ok(plan("/../../x", &cg) == 0 && !strcmp(only_path(&cg), "/x"),
	   "%s: nothing leads out of the mount", view);
	ok(plan(NULL, &cg) == 0 && str_has_suffix(only_path(&cg), "/kavach/test-id"),
	   "%s: no path is kavach/<id>", view);
	ok(plan("rel/x", &cg) == 0 && str_has_suffix(only_path(&cg), "/rel/x"),
	   "%s: a relative path is below our own", view);
	ok(plan("/", &cg) < 0 && strstr(e.msg, "linux.cgroupsPath"), "%s: the root is refused",
	   view);
	/* a host may have all that it needs, and kavach-scope installed */
	ok(cgroup_plan(&p, "x", &host, &arena, &cg, &e) < 0
		   ? strstr(e.msg, "use --cgroup-manager=cgroupfs") != NULL
		   : str_eq(cg.scope, "kavach-x.scope"),
	   "%s: the systemd manager plans a scope, or says what to use instead", view);
	p.manager = POL_CG_DISABLED;
	ok(cgroup_plan(&p, "x", &host, &arena, &cg, &e) == 0 && cg.layout == CG_NONE &&
		   cg.hier.n == 0 && cgroup_make(&cg, RES(.pids = N(5)), &host, &e) == 0 &&
		   cgroup_clone_fd(&cg, &e) == -EBADF && cgroup_remove(&cg, &e) == 0,
	   "%s: disabled means no cgroup, and no error", view);
}

static void test_view(void)
{
	struct cg_bind *b;
	struct cg cg;
	size_t n;

	plan("/a/b", &cg);
	n = cgroup_mount_sources(&cg, &arena, &b);
	if (host.cgroup == CG_V2) {
		is_int(n, 0, "%s: no binds on v2", view);
		return;
	}
	ok(n >= cg.hier.n && b[0].source[0] == '/' && str_has_suffix(b[0].source, "/a/b") &&
		   !strchr(b[0].name, '/'),
	   "%s: a bind per hierarchy", view);
	cg = (struct cg){.layout = CG_V1};
	cg.hier.v = &(struct cg_hier){(char[]){"cpu,cpuacct"}, (char[]){CG_ROOT "/cpu,cpuacct"},
				      (char[]){"/a"}};
	cg.hier.n = 1;
	n = cgroup_mount_sources(&cg, &arena, &b);
	ok(n == 3 && !strcmp(b[0].source, CG_ROOT "/cpu,cpuacct/a") &&
		   !strcmp(b[0].name, "cpu,cpuacct") && !b[1].source && !strcmp(b[1].name, "cpu") &&
		   !b[2].source && !strcmp(b[2].name, "cpuacct"),
	   "%s: co-mounted controllers have symlinks", view);
}

/* ---- views ---- */

/* Also after a test that failed half-way. */
static void drop_parent(void)
{
	struct cg cg;

	if (plan(parent, &cg) < 0)
		return;
	if (exists(&cg, false))
		cgroup_kill(&cg, SIGKILL, &e);
	removed(&cg);
}

static void run_all(const char *name, enum cg_layout want)
{
	static void (*const tests[])(void) = {
		test_plan,	test_view,   test_make,	       test_limits_v1,
		test_limits_v2, test_errors, test_rootless,    test_rootless_devices,
		test_blocked,	test_join,   test_clone_fd_of, test_delegate,
		test_freeze,	test_kill,   test_remove,      test_devices,
		test_stats,	test_oom,    test_check_usage, test_race,
	};

	view = name;
	host = (struct host){.cgroup = cgroup_probe_layout()};
	if (want != CG_NONE && host.cgroup != want)
		skip_rest("the host does not have these hierarchies", "%s: everything", name);
	if (host.cgroup == CG_NONE)
		skip_rest("no cgroup file system", "%s: everything", name);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		e = ERR_INIT;
		tests[i]();
		arena_free(&arena);
	}
	drop_parent();
	arena_free(&arena);
}

int main(void)
{
	enum cg_layout real = cgroup_probe_layout();

	if (geteuid() != 0 || access(CG_ROOT, W_OK) < 0) {
		skip("needs root and a writable cgroup file system", "cgroups on the kernel");
		return done();
	}
	log_init("/dev/null", false, LOG_LEVEL_ERROR, &e);
	snprintf(parent, sizeof(parent), "/kavach-test-%d", (int) getpid());
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	run_all("host", CG_NONE);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		skip("cannot make a mount namespace", "other layouts");
		return done();
	}
	if (real == CG_HYBRID) {
		umount2(CG_ROOT "/unified", MNT_DETACH);
		run_all("v1 only", CG_V1);
	}
	if (real != CG_V2) {
		umount2(CG_ROOT, MNT_DETACH);
		mount("none", CG_ROOT, "cgroup2", 0, NULL);
		run_all("v2 only", CG_V2);
	}
	return done();
}

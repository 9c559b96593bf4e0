/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-agent. As PID 1 it takes the guest into its hands and waits on the virtio port; with --socket FD it serves that
 * descriptor, for tests; under the name kavach-init it is the stage.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"

static struct agent the_agent;

static void warn(const char *text)
{
	agent_log(&the_agent, text);
}

/* The stage is this very program. It runs from a sealed copy, so that nothing near the workload refers to a file that can
 * be written (CVE-2019-5736). */
static int open_stage(struct err *e)
{
	fd_auto int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "opening our own program");
	p = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, "reading our own program");
	r = io_memfd("kavach-init", p, (size_t) st.st_size);
	munmap(p, (size_t) st.st_size);
	return r < 0 ? err_neg(e, r, "making the sealed copy of the in-container stage") : r;
}

static int open_signals(struct err *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGPIPE); /* never read: a write says it */
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGPIPE);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, "watching for processes that end") : fd;
}

static int begin(struct agent *a, struct err *e)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	a->boot_ns = (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
	a->phase = WIRE_PH_BOOT;
	a->conn = a->sigfd = a->stage_fd = a->oom_fd = a->secrets.fd = a->keeper = -EBADF;
	a->out = BUF_WRITER(16u << 20);
	a->parts = WIRE_PARTS_INIT;
	a->late_at = INT64_MAX;
	a->in = arena_alloc(&a->a, 2 * WIRE_FRAME_MAX);
	stage_warn_to(warn);
	a->sigfd = open_signals(e);
	return a->sigfd < 0 ? a->sigfd : 0;
}

static int serve(struct agent *a, struct err *e)
{
	int flags = fcntl(a->conn, F_GETFL);

	if (flags < 0 || fcntl(a->conn, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fd_cloexec(a->conn, 1) < 0)
		return err_sys(e, "the wire");
	a->stage_fd = open_stage(e);
	if (a->stage_fd < 0)
		return a->stage_fd;
	return agent_run(a, e);
}

static int run_guest(struct agent *a)
{
	struct err e = ERR_INIT;
	int r;

	a->guest = true;
	r = guest_begin(&e);
	if (r == 0)
		r = begin(a, &e);
	if (r == 0) {
		a->conn = guest_open_port(&e);
		r = a->conn < 0 ? a->conn : serve(a, &e);
	}
	if (r < 0)
		dprintf(STDERR_FILENO, "kavach-agent: %s\n", e.code ? e.msg : "the host is gone");
	guest_end();
}

static int run_socket(struct agent *a, int fd)
{
	struct err e = ERR_INIT;
	int r = begin(a, &e);

	a->conn = fd;
	if (r == 0)
		r = serve(a, &e);
	agent_kill_all(a);
	for (int i = 0; i < 500 && a->procs;
	     i++) { /* their cgroup can be removed when they are gone */
		struct timespec t = {.tv_nsec = 10000000};

		procs_reap(a);
		procs_sweep(a);
		if (a->procs && !i)
			continue;
		if (a->procs)
			nanosleep(&t, NULL);
	}
	if (a->cg.layout != CG_NONE) {
		struct err sub = ERR_INIT;

		(void) cgroup_remove(&a->cg, &sub);
	}
	if (r < 0 && e.code) {
		dprintf(STDERR_FILENO, "kavach-agent: %s\n", e.msg);
		return 3;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
	uint32_t fd;

	name = name ? name + 1 : argc > 0 ? argv[0] : "";
	if (str_eq(name, "kavach-init"))
		return stage_main(argc, argv);
	/* no process of the container may look into us */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	umask(0);
	if (getpid() == 1 && argc < 3)
		return run_guest(&the_agent);
	if (argc == 3 && str_eq(argv[1], "--socket") && num_parse_u32(argv[2], &fd) == 0 &&
	    fd > 2 && fd < INT32_MAX)
		return run_socket(&the_agent, (int) fd);
	dprintf(STDERR_FILENO, "kavach-agent is the first process of a guest of kavach's; "
			       "for tests: kavach-agent --socket FD\n");
	return 2;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* kavach-monitor: from the boot block to the loop. */
#include "vm/monitor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "exec/proto.h"

#define OUT_MAX (2 * WIRE_PARTS_MAX + (1u << 20)) /* what may wait for a guest that does not read */

int64_t mon_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

void mon_wait_for(struct monitor *m, const char *key, uint32_t ms, const char *what)
{
	m->deadline = mon_now() + ms * NS_PER_MS;
	m->waits_for = what;
	m->waits_by = key;
	m->waits_ms = ms;
}

void mon_end(struct monitor *m, int status)
{
	struct wire_ask a;

	if (m->step == MON_ENDS)
		return;
	if (m->phase < WIRE_PH_HELLO)
		_exit(status);
	m->step = MON_ENDS;
	m->status = status;
	mon_wait(m, shutdown, "the guest to end");
	a.tag = m->sync_tag = ++m->last_tag;
	mon_send(m, WIRE_SYNC, 0, &wire_ask_table, &a);
}

void mon_fail(struct monitor *m, struct err *e)
{
	int to = m->step <= MON_READY ? m->s->sync : m->starter;

	if (to >= 0)
		(void) msg_send_err(to, e);
	_exit(m->step <= MON_READY || m->step == MON_STARTS ? err_exit_status(e) : STATUS_LOST);
}

/* Everybody who may start the container may use its control socket: see exec/wait.c. */
static int find_creator(struct monitor *m, struct err *e)
{
	struct ucred c;
	socklen_t n = sizeof(c);

	if (getsockopt(m->s->sync, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0)
		return err_sys(e, "looking at who created the container");
	m->creator = c.uid;
	return 0;
}

/* All of them wait until somebody reads them here, SIGKILL and SIGSTOP aside: as PID 1 we would ignore the rest. */
static int take_signals(struct monitor *m, struct err *e)
{
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return err_sys(e, "blocking signals");
	m->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signals < 0 ? err_sys(e, "making a signal descriptor") : 0;
}

/* Then ours is nobody's, as on a host. */
static bool has_secret_stdin(const struct policy *p)
{
	for (size_t i = 0; i < p->secrets.n; i++)
		if (p->secrets.v[i].give == POL_SECRET_STDIN)
			return true;
	return false;
}

/* The first process's stdio becomes ours under other numbers; 0 to 2 keep nobody's pipe open, and QEMU inherits none. */
static int take_stdio(struct monitor *m, struct err *e)
{
	bool terminal = m->full->has_process && m->full->process.terminal;
	fd_auto int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[3], r = 0;

	if (null < 0)
		return err_sys(e, "open /dev/null");
	if (terminal) {
		int ptmx = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

		r = ptmx < 0 ? err_sys(e, "open /dev/ptmx")
			     : mon_tty(m->s, &m->full->process, ptmx, &m->tty, e);
	}
	for (int i = 0; i < 3 && r == 0; i++) {
		fds[i] = i == 0 && has_secret_stdin(m->full) ? -EBADF
			 : !terminal			     ? stdio_own(m->s, i, e)
			 : i == 2			     ? -EBADF
							     : fcntl(m->tty, F_DUPFD_CLOEXEC, 3);
		r = fds[i] < 0 && fds[i] != -EBADF ? fds[i] : 0;
	}
	for (int i = 0; i < 3 && r == 0; i++)
		if (dup3(null, i, 0) < 0)
			return err_sys(e, "standard input and output");
	if (r < 0)
		return r;
	return stream_new(m, 1, fds[0], fds[1], fds[2]) ? 0 : err_set(e, -ENOMEM, "no memory");
}

/* What the loop works with. Everything else that was open, the caller's included, is nobody's here. */
static int close_the_rest(struct monitor *m, struct err *e)
{
	const struct stream *st = m->streams;
	const int keep[] = {m->chan,	   m->console, m->qmp_fd,   m->signals,
			    m->server,	   m->start,   m->s->sync,  m->control,
			    m->tty,	   m->rtnl.fd, st->in,	    st->out[0].fd,
			    st->out[1].fd, m->secrets, m->relay.fd, m->boot->oom_fd};

	return fds_close_except(keep, ARRAY_LEN(keep), e);
}

static int get_going(struct monitor *m, struct err *e)
{
	int share = -EBADF;
	int r = find_creator(m, e);

	if (r == 0)
		r = mon_assemble(m, e);
	if (r == 0)
		r = take_stdio(m, e);
	if (r == 0)
		r = mon_share(m, &share, e);
	if (r == 0)
		r = mon_net_make(m, e);
	if (r == 0)
		r = mon_spawn(m, share, e);
	if (r == 0)
		r = mon_enter(m, share, e);
	if (r == 0)
		r = take_signals(m, e);
	if (r == 0)
		r = close_the_rest(m, e);
	/* kavach's death is seen on its socket from here on: a `create` that has ended must not end us */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		r = err_sys(e, "outliving kavach");
	if (r == 0)
		r = mon_hello(m, e);
	/* `run` goes on at once: what is there now is the network */
	return r < 0 ? r : mon_confine(m->start >= 0 && m->rtnl.fd >= 0, e);
}

static void __attribute__((noreturn)) create(const struct monitor_boot *b, struct stage *s)
{
	static struct monitor m;
	struct err e = ERR_INIT;
	const struct policy *full;

	m.boot = b;
	m.s = s;
	m.step = MON_BOOTS;
	m.phase = WIRE_PH_BOOT;
	m.out = BUF_WRITER(OUT_MAX);
	m.parts = WIRE_PARTS_INIT;
	m.chan = m.console = m.qmp_fd = m.server = m.signals = m.starter = m.tty = -EBADF;
	m.rtnl.fd = -EBADF;
	m.start = s->boot->start_fd >= 0 ? s->boot->start_fd : -EBADF;
	m.control = b->control_fd;
	m.secrets = s->boot->secrets_fd >= 0 ? s->boot->secrets_fd : -EBADF;
	m.relay.fd = b->broker_fd >= 0 ? b->broker_fd : -EBADF;
	m.relay.deadline = INT64_MAX;
	m.last_stream = 1;
	if (policy_decode(s->boot->policy.v, s->boot->policy.n, s->a, &s->p, &e) < 0 ||
	    policy_decode(b->policy.v, b->policy.n, s->a, &full, &e) < 0)
		mon_fail(&m, &e);
	m.full = full;
	if (b->volumes_at > s->p->mounts.n) {
		err_set(&e, -EBADMSG, "boot block: volumes that are not there");
		mon_fail(&m, &e);
	}
	if (get_going(&m, &e) < 0)
		mon_fail(&m, &e);
	mon_wait(&m, hello, "the VM to boot");
	qmp_init(&m.qmp, m.qmp_fd, &mon_qmp_ops, &m, b->qmp_ms, mon_now());
	mon_launch_begin(&m);
	mon_loop(&m);
}

/* ---- the program ---- */

static const struct stage *the_stage;

static void warn(const char *text)
{
	if (the_stage && the_stage->sync >= 0)
		(void) msg_send(the_stage->sync, MSG_WARN, text, strlen(text));
}

int main(int argc, char **argv)
{
	static struct arena a;
	static struct stage_boot boot;
	static struct monitor_boot mon;
	static struct stage s = {
		.boot = &boot,
		.a = &a,
		.sync = -EBADF,
		.proc_fd = -EBADF,
		.root_fd = -EBADF,
		.old_root = -EBADF,
		.pty_master = -EBADF,
		.pty_slave = -EBADF,
	};
	static struct pol_process none;
	struct err e = ERR_INIT;
	struct bytes block;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return 1;
	s.umask = umask(0); /* modes below are meant as they are written */
	if (stage_read_boot(argc, argv, &a, &block, &e) < 0 ||
	    monitor_boot_decode(block.v, block.n, &a, &mon, &boot, &e) < 0) {
		dprintf(STDERR_FILENO, MONITOR_NAME ": %s\n", e.msg);
		return 1;
	}
	s.sync = boot.sync_fd;
	s.hook_env = stage_environ(&boot.hook_env, &a);
	the_stage = &s;
	stage_warn_to(warn);
	if (mon.mode == MONITOR_CREATE)
		create(&mon, &s);
	s.proc = &none; /* joining asks whether it has labels */
	proxy_run(&mon, &s, &e);
	(void) msg_send_err(s.sync, &e);
	return err_exit_status(&e);
}

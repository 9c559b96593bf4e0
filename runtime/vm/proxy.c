/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that stands on the host for one that `exec` adds in the guest: an engine waits for it and sends it signals. It
 * hands its stdio to the monitor and then does nothing but wait, forward signals, and end as that process ends. It is in
 * the namespaces of the monitor, so it cannot outlive the VM; and if it is killed, its connection ends, and the monitor has the
 * guest kill the process.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "exec/proto.h"
#include "vm/monitor.h"

#define ANSWER_MS 60000

static int wait_answer(int conn, struct ctl_msg *ret, struct err *e)
{
	struct pollfd p = {.fd = conn, .events = POLLIN};
	int r;

	do
		r = poll(&p, 1, ANSWER_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(e, -ETIMEDOUT, "the VM's monitor does not answer");
	r = ctl_recv(conn, ret);
	if (r <= 0)
		return err_set_id(e, ERR_NOT_RUNNING, -ESRCH, "container not running");
	return 0;
}

static int take_stdio(const struct monitor_boot *b, struct stage *s, const struct pol_process *p,
		      int fds[3], int *ret_tty, struct err *e)
{
	int r = proc_open_private(s, e);

	if (r == 0 && b->terminal)
		r = mon_tty(s, p, b->ptmx_fd, ret_tty, e);
	for (int i = 0; i < 3 && r == 0; i++) {
		fds[i] = b->terminal ? *ret_tty : stdio_own(s, i, e);
		r = fds[i] < 0 ? fds[i] : 0;
	}
	return r;
}

static int ask(const struct monitor_boot *b, const int fds[3], int secrets, struct err *e)
{
	const int all[5] = {b->request_fd, fds[0], fds[1], fds[2], secrets};
	struct ctl_msg m;
	int r = ctl_send(b->control_fd, CTL_EXEC, NULL, 0, all, secrets >= 0 ? 5 : 4);

	if (r < 0)
		return err_set_id(e, ERR_NOT_RUNNING, -ESRCH, "container not running");
	r = wait_answer(b->control_fd, &m, e);
	if (r < 0)
		return r;
	if (m.type == CTL_FAIL) {
		ctl_err(&m, e);
		return e->code;
	}
	return m.type == CTL_STARTED ? 0 : err_set(e, -EPROTO, "the VM's monitor gave no answer");
}

static void resize(int conn, int tty)
{
	struct winsize ws;

	if (tty >= 0 && ioctl(tty, TIOCGWINSZ, &ws) == 0 && ws.ws_row && ws.ws_col) {
		const struct ctl_size z = {ws.ws_row, ws.ws_col};

		(void) ctl_send(conn, CTL_RESIZE, &z, sizeof(z), NULL, 0);
	}
}

static void forward(int conn, int signals, int tty)
{
	struct signalfd_siginfo si;

	while (read(signals, &si, sizeof(si)) == (ssize_t) sizeof(si)) {
		const struct ctl_signal w = {.sig = si.ssi_signo};

		if (si.ssi_signo == SIGWINCH)
			resize(conn, tty);
		else if (si.ssi_signo != SIGCHLD)
			(void) ctl_send(conn, CTL_SIGNAL, &w, sizeof(w), NULL, 0);
	}
}

/* Its own words went to kavach; nobody waits for others. */
static void __attribute__((noreturn)) serve(int conn, int signals, int tty)
{
	struct pollfd p[2] = {{.fd = conn, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	struct ctl_msg m;
	uint32_t status;

	resize(conn, tty); /* it may have come before it could be told */
	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			forward(conn, signals, tty);
		if (!p[0].revents)
			continue;
		if (ctl_recv(conn, &m) <= 0 || m.type != CTL_EXIT)
			_exit(STATUS_LOST);
		__builtin_memcpy(&status, m.body, sizeof(status));
		_exit((int) (status & 0xff));
	}
}

static int get_ready(const struct monitor_boot *b, int *ret_signals, struct err *e)
{
	sigset_t all;

	(void) b;
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return err_sys(e, "blocking signals");
	*ret_signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return *ret_signals < 0 ? err_sys(e, "making a signal descriptor") : 0;
}

static int leave_stdio(int fds[3], struct err *e)
{
	int null = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3; i++) {
		if (fds[i] > 2)
			fds[i] = fd_close(fds[i]);
		if (null >= 0)
			(void) dup3(null, i, 0);
		else
			close(i); /* the root of the container need not have one */
	}
	fd_close(null);
	(void) e;
	return 0;
}

int proxy_run(const struct monitor_boot *b, struct stage *s, struct err *e)
{
	const struct pol_process none = {0};
	int fds[3] = {-EBADF, -EBADF, -EBADF}, signals = -EBADF, tty = -EBADF, keep[4];
	int r = stage_arrive(s, e);

	if (r == 0)
		r = take_stdio(b, s, &none, fds, &tty, e);
	if (r == 0)
		r = get_ready(b, &signals, e);
	if (r == 0 && prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		r = err_sys(e, "outliving kavach");
	if (r == 0) {
		r = msg_send(s->sync, MSG_READY, NULL, 0);
		if (r < 0)
			err_neg(e, r, "answering kavach");
	}
	if (r == 0)
		r = msg_expect(s->sync, MSG_ACK, NULL, 0, e);
	if (r >= 0)
		r = ask(b, fds, s->boot->secrets_fd, e);
	if (r < 0)
		return r;
	if (tty < 0)
		r = leave_stdio(fds, e);
	r = msg_send(s->sync, MSG_EXEC, NULL, 0);
	keep[0] = b->control_fd;
	keep[1] = signals;
	keep[2] = tty;
	if (r == 0)
		r = fds_close_except(keep, 3, e);
	if (r == 0)
		r = mon_confine(false, e);
	if (r < 0)
		return r;
	serve(b->control_fd, signals, tty);
}

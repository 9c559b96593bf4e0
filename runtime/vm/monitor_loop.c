/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: one poll over everything, and what is due when nothing happens. */
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "exec/proto.h"
#include "vm/monitor.h"

/* What is polled, in this order; then two outputs and the input of each stream, then the clients. */
enum {
	P_SERVER, /* before P_CHAN: when its end is seen, all that the guest said before that is there to be read */
	P_CHAN,
	P_CONSOLE,
	P_QMP,
	P_SIGNALS,
	P_SYNC,
	P_START,
	P_STARTER,
	P_CONTROL,
	P_BROKER,
	P_FIXED,
};

static size_t collect(struct monitor *m, struct pollfd *p)
{
	bool listens = m->step == MON_PARKED;
	size_t n = P_FIXED;
	struct stream *st;
	struct client *c;

	p[P_SERVER] = (struct pollfd){.fd = m->server, .events = POLLIN};
	p[P_CHAN] = (struct pollfd){.fd = m->chan,
				    .events = (short) ((mon_launch_held(m) ? 0 : POLLIN) |
						       (mon_wire_backlog(m) ? POLLOUT : 0))};
	p[P_CONSOLE] = (struct pollfd){.fd = m->console, .events = POLLIN};
	p[P_QMP] = (struct pollfd){.fd = qmp_events(&m->qmp) ? m->qmp_fd : -1,
				   .events = qmp_events(&m->qmp)};
	p[P_SIGNALS] = (struct pollfd){.fd = m->signals, .events = POLLIN};
	p[P_SYNC] = (struct pollfd){.fd = m->step <= MON_READY ? m->s->sync : -1, .events = POLLIN};
	p[P_START] = (struct pollfd){.fd = listens && m->starter < 0 ? m->start : -1,
				     .events = POLLIN};
	p[P_STARTER] = (struct pollfd){.fd = listens ? m->starter : -1, .events = POLLIN};
	p[P_CONTROL] = (struct pollfd){.fd = m->control, .events = POLLIN};
	p[P_BROKER] = (struct pollfd){.fd = mon_relay_events(m) ? m->relay.fd : -1,
				      .events = mon_relay_events(m)};
	for (st = m->streams; st; st = st->next) {
		for (int i = 0; i < 2; i++)
			p[n++] = (struct pollfd){.fd = st->out[i].q.n ? st->out[i].fd : -1,
						 .events = POLLOUT};
		p[n++] = (struct pollfd){.fd = stream_wants_input(m, st) ? st->in : -1,
					 .events = POLLIN};
	}
	for (c = m->clients; c; c = c->next)
		p[n++] = (struct pollfd){.fd = c->fd, .events = POLLIN};
	return n;
}

static int64_t next_deadline(const struct monitor *m)
{
	int64_t t = m->deadline, q = qmp_deadline(&m->qmp);

	t = q < t ? q : t;
	t = m->relay.deadline < t ? m->relay.deadline : t;
	for (const struct stream *st = m->streams; st; st = st->next)
		if (st->state == STREAM_EXITED && st->exit_deadline < t)
			t = st->exit_deadline;
	return t;
}

static int wait_ms(const struct monitor *m)
{
	int64_t t = next_deadline(m), ms;

	if (t == INT64_MAX)
		return -1;
	ms = (t - mon_now() + NS_PER_MS - 1) / NS_PER_MS;
	return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int) ms;
}

/* ---- signals ---- */

static bool ends_a_parked_one(int sig)
{
	return sig == SIGTERM || sig == SIGINT || sig == SIGHUP || sig == SIGQUIT;
}

void mon_resize(struct monitor *m)
{
	struct wire_resize w;
	struct winsize ws;

	if (m->tty < 0 || m->step < MON_PARKED || m->step > MON_RUNS ||
	    ioctl(m->tty, TIOCGWINSZ, &ws) < 0 || !ws.ws_row || !ws.ws_col)
		return;
	w = (struct wire_resize){.rows = ws.ws_row, .columns = ws.ws_col};
	mon_send(m, WIRE_RESIZE, 1, &wire_resize_table, &w);
}

static void on_signals(struct monitor *m)
{
	struct signalfd_siginfo si;

	while (read(m->signals, &si, sizeof(si)) == (ssize_t) sizeof(si)) {
		const struct wire_signal w = {.sig = si.ssi_signo};

		if (si.ssi_signo == SIGCHLD)
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
		else if (si.ssi_signo == SIGWINCH)
			mon_resize(m);
		else if (si.ssi_signo == SIGPIPE)
			continue; /* from our own writes */
		else if (m->step == MON_RUNS)
			mon_send(m, WIRE_SIGNAL, 1, &wire_signal_table, &w);
		else if (m->step < MON_STARTS && ends_a_parked_one((int) si.ssi_signo))
			_exit(128 + (int) si.ssi_signo);
	}
}

/* ---- kavach: create and start ---- */

/* create has put us on record; or it is gone, and then nobody has. */
static int on_sync(struct monitor *m, struct err *e)
{
	uint64_t ignored;
	int r = msg_expect(m->s->sync, MSG_ACK, &ignored, sizeof(ignored), e);

	if (r < 0)
		return r;
	if (m->step != MON_READY)
		return err_set(e, -EPROTO, "kavach answered before it was asked");
	if (m->start < 0) {
		m->starter = fd_take(&m->s->sync);
		return mon_start(m, e);
	}
	m->s->sync = fd_close(m->s->sync);
	m->step = MON_PARKED;
	return 0;
}

static void on_start(struct monitor *m)
{
	fd_auto int conn = accept4(m->start, NULL, NULL, SOCK_CLOEXEC);

	if (conn >= 0 && stage_may_start(conn, m->creator, false))
		m->starter = fd_take(&conn);
}

/* One that says something else, or nothing, costs nothing: the next one is waited for. */
static int on_starter(struct monitor *m, struct err *e)
{
	if (msg_recv(m->starter, NULL, 0, NULL) != MSG_GO) {
		m->starter = fd_close(m->starter);
		return 0;
	}
	m->start = fd_close(m->start);
	return mon_start(m, e);
}

/* ---- virtiofsd ---- */

/* It ends with QEMU. Before that, it has taken the guest's files with it. */
static int on_server(struct monitor *m, struct err *e)
{
	int r = 0;

	while (r == 0 && poll(&(struct pollfd){.fd = m->chan, .events = POLLIN}, 1, 0) > 0)
		r = mon_wire_in(m, e);
	return r < 0 ? r : err_set(e, -EPIPE, "virtiofsd, which serves the VM's files, ended");
}

/* ---- one round ---- */

static int fixed(struct monitor *m, const struct pollfd *p, struct err *e)
{
	int r = 0;

	if (p[P_CONSOLE].revents)
		mon_console(m);
	if (p[P_CHAN].revents & (POLLIN | POLLHUP | POLLERR))
		r = mon_wire_in(m, e);
	if (r == 0 && p[P_BROKER].revents)
		mon_relay_io(m, p[P_BROKER].revents);
	if (r == 0 && p[P_QMP].revents)
		r = qmp_io(&m->qmp, mon_now(), e);
	if (r == 0 && p[P_SIGNALS].revents)
		on_signals(m);
	if (r == 0 && p[P_SYNC].revents && m->step <= MON_READY)
		r = on_sync(m, e);
	if (r == 0 && p[P_STARTER].revents)
		r = on_starter(m, e);
	if (r == 0 && p[P_START].revents)
		on_start(m);
	if (r == 0 && p[P_SERVER].revents)
		r = on_server(m, e);
	return r;
}

/* Streams and clients are those of collect(): both lists only get shorter after all of them were looked at, and longer at
 * their beginning, which is why the new ones are skipped. */
static void serve(struct monitor *m, const struct pollfd *p, size_t streams, size_t clients)
{
	struct stream *st = m->streams;
	struct client *c = m->clients;
	size_t n = P_FIXED;

	for (; st && streams; st = st->next, streams--, n += 3) {
		for (int i = 0; i < 2; i++)
			if (p[n + (size_t) i].revents)
				stream_flush(m, st, i);
		if (p[n + 2].revents && stream_wants_input(m, st))
			stream_fill(m, st);
	}
	for (; c && clients; c = c->next, clients--, n++)
		if (p[n].revents)
			ctl_serve(m, c);
}

static void finish_streams(struct monitor *m)
{
	int64_t now = mon_now();
	struct stream *st = m->streams, *next;

	for (; st; st = next) {
		uint32_t status = st->status;

		next = st->next;
		if (m->step == MON_ENDS || !stream_done(st, now))
			continue;
		if (st->id == 1) {
			mon_end(m, (int) status);
			return;
		}
		if (st->client) {
			ctl_answer(st->client, CTL_EXIT, &status, sizeof(status));
			st->client->stream = NULL;
			st->client = NULL;
		}
		if (st->drained && !st->out[0].q.n && !st->out[1].q.n)
			stream_forget(m, st);
		else
			st->exit_deadline = INT64_MAX; /* nobody waits for what may still come */
	}
}

/* What the first process had to say has been said then, if it had. */
void mon_lost(struct monitor *m, struct err *e)
{
	const struct stream *first = stream_find(m, 1);
	const char *tail, *launch = mon_launch_words(m);

	if (m->step == MON_ENDS)
		_exit(m->status);
	if (first && first->state == STREAM_EXITED && e->code == -EPIPE)
		_exit((int) first->status);
	for (int i = 0; i < CONSOLE_KEEP / 1024 && m->console >= 0; i++)
		mon_console(m); /* its last words */
	tail = mon_console_tail(m);
	if (launch)
		err_context(e, "%s", launch);
	if (tail)
		err_set_id(e, e->id, e->code, "%.900s; %s ended with: %s",
			   arena_strdup(m->s->a, e->msg), launch ? "QEMU" : "the guest's console",
			   tail);
	mon_fail(m, e);
}

static void check_deadline(struct monitor *m)
{
	struct err e = ERR_INIT;

	mon_relay_late(m);
	if (mon_now() < m->deadline)
		return;
	if (m->step == MON_ENDS)
		_exit(m->status);
	err_set(&e, -ETIMEDOUT,
		"waited for %s: more than %u s, which is vm.timeouts.%s of the site's rules",
		m->waits_for, m->waits_ms / 1000, m->waits_by);
	mon_lost(m, &e);
}

void mon_loop(struct monitor *m)
{
	struct pollfd *p = NULL;
	size_t room = 0;

	for (;;) {
		size_t streams = m->n_streams, clients = m->n_clients;
		size_t need = P_FIXED + 3 * streams + clients;
		struct err e = ERR_INIT;
		int r;

		if (need > room) {
			free(p);
			room = 2 * need;
			p = calloc(room, sizeof(*p));
			if (!p)
				_exit(STATUS_LOST);
		}
		r = poll(p, (nfds_t) collect(m, p), wait_ms(m));
		if (r < 0 && errno != EINTR)
			_exit(STATUS_LOST);
		if (r < 0)
			continue;
		/* first, because what the guest says may end streams */
		serve(m, p, streams, clients);
		r = fixed(m, p, &e);
		if (r == 0 && qmp_deadline(&m->qmp) <= mon_now())
			r = qmp_io(&m->qmp, mon_now(), &e);
		if (r == -ETIMEDOUT)
			err_set(&e, r,
				"%s: more than %u s, which is vm.timeouts.qmp of the site's rules",
				arena_strdup(m->s->a, e.msg), m->boot->qmp_ms / 1000);
		if (r == 0)
			r = mon_wire_out(m, &e);
		if (r < 0)
			mon_lost(m, &e);
		if (p[P_CONTROL].revents)
			ctl_accept(m);
		finish_streams(m);
		ctl_drop_dead(m);
		check_deadline(m);
	}
}

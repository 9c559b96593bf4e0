/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's loop: what it waits for follows from the state alone, so nothing has to be registered and forgotten. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"

/* ---- to the host ---- */

static size_t pending(const struct agent *a)
{
	return a->out.n - a->out_at;
}

bool agent_room(const struct agent *a)
{
	return pending(a) < AGENT_DATA_HIGH;
}

void agent_put(struct agent *a, uint8_t type, uint8_t sub, uint32_t stream, const void *p, size_t n)
{
	struct wire_head h = {.stream = stream, .type = type, .sub = sub};

	wire_put(&a->out, type, sub, stream, p, n);
	a->phase = wire_next(a->phase, WIRE_TO_HOST, &h);
}

void agent_put_body(struct agent *a, uint8_t type, uint32_t stream, const struct ctable *t,
		    const void *obj)
{
	buf_auto b = BUF_WRITER(WIRE_PARTS_MAX);

	codec_encode(&b, t, obj);
	if (b.bad)
		a->out.bad = true;
	else if (wire_in_parts(type))
		wire_put_parts(&a->out, type, stream, b.p, b.n);
	else
		agent_put(a, type, 0, stream, b.p, b.n);
}

void agent_put_fail(struct agent *a, uint32_t stream, uint32_t tag, const struct err *e)
{
	const struct wire_fail f = {.code = e->code < 0 ? e->code : -EIO,
				    .id = e->id,
				    .tag = tag,
				    .text = (char *) (uintptr_t) e->msg};

	agent_put_body(a, WIRE_FAIL, stream, &wire_fail_table, &f);
}

void agent_log(struct agent *a, const char *text)
{
	size_t n = strnlen(text, 4096);

	if (a->guest)
		dprintf(STDERR_FILENO, "kavach-agent: %s\n", text);
	if (n && a->conn >= 0)
		agent_put(a, WIRE_LOG, 0, 0, text, n);
}

static int flush(struct agent *a, struct err *e)
{
	while (pending(a)) {
		ssize_t n = write(a->conn, a->out.p + a->out_at, pending(a));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno == EPIPE)
			return -EPIPE;
		if (n < 0)
			return err_sys(e, "writing to the host");
		a->out_at += (size_t) n;
	}
	if (!pending(a)) {
		a->out.n = a->out_at = 0;
	} else if (a->out_at > AGENT_OUT_HIGH) {
		memmove(a->out.p, a->out.p + a->out_at, pending(a));
		a->out.n -= a->out_at;
		a->out_at = 0;
	}
	return 0;
}

/* ---- from the host ---- */

static int one_frame(struct agent *a, const struct wire_head *h, const uint8_t *payload,
		     struct err *e)
{
	int r;

	if (!wire_allowed(a->phase, WIRE_TO_GUEST, h))
		return err_set(e, -EBADMSG, "the host sent %s, which it may not now",
			       wire_type_name(h->type));
	r = wire_parts_add(&a->parts, h, payload);
	if (r < 0)
		return err_set(e, r, "the host sent %s between the parts of something else",
			       wire_type_name(h->type));
	if (r == 1)
		r = agent_handle(a, h, a->parts.b.p, a->parts.b.n, e);
	else if (!wire_in_parts(h->type))
		r = agent_handle(a, h, payload, h->length, e);
	if (h->type == WIRE_SECRET) {
		a->wipe_in = true;
		if (!a->parts.open)
			wire_parts_wipe(&a->parts);
	}
	return r < 0 ? r : 0;
}

/* One that waited for room, perhaps. */
static bool has_frame(const struct agent *a)
{
	struct wire_head h;

	return pending(a) < AGENT_OUT_HIGH && wire_parse(a->in, a->in_n, WIRE_TO_GUEST, &h) != 0;
}

/* The frames that are there, as long as their answers have room. */
static int take_frames(struct agent *a, struct err *e)
{
	size_t at = 0;
	int r = 0;

	while (r == 0 && !a->over && pending(a) < AGENT_OUT_HIGH) {
		struct wire_head h;
		long n = wire_parse(a->in + at, a->in_n - at, WIRE_TO_GUEST, &h);

		if (n < 0)
			return err_set(e, -EBADMSG, "the host sent what is no frame");
		if (n == 0)
			break;
		r = one_frame(a, &h, a->in + at + WIRE_HEAD, e);
		at += (size_t) n;
	}
	a->in_n -= at;
	memmove(a->in, a->in + at, a->in_n);
	if (a->wipe_in)
		explicit_bzero(a->in + a->in_n, 2 * WIRE_FRAME_MAX - a->in_n);
	a->wipe_in = false;
	return r;
}

static int receive(struct agent *a, struct err *e)
{
	ssize_t n = read(a->conn, a->in + a->in_n, 2 * WIRE_FRAME_MAX - a->in_n);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n == 0 || (n < 0 && (errno == ECONNRESET || errno == EPIPE)))
		return -EPIPE; /* the monitor is gone, and with it the reason for the VM */
	if (n < 0)
		return err_sys(e, "reading from the host");
	a->in_n += (size_t) n;
	return 0;
}

/* ---- what is waited for ---- */

enum what { W_CONN, W_SIGNAL, W_OOM, W_SYNC, W_IN, W_OUT, W_ERR };
struct watch {
	struct pollfd *p;
	struct {
		struct proc *proc;
		enum what what;
	} * of;
	size_t n, cap;
};

static void add(struct watch *w, int fd, short events, struct proc *p, enum what what)
{
	w->p[w->n] = (struct pollfd){.fd = fd, .events = events};
	w->of[w->n].proc = p;
	w->of[w->n].what = what;
	w->n++;
}

static bool wants_output(const struct agent *a, const struct agent_out *o)
{
	return o->fd >= 0 && o->flow.window > 0 && agent_room(a);
}

static void add_proc(struct agent *a, struct watch *w, struct proc *p)
{
	if (p->state == PROC_GONE) /* it failed; only its end is waited for */
		return;
	if (p->sync >= 0)
		add(w, p->sync, POLLIN, p, W_SYNC);
	/* without events a pipe tells when nobody reads it any more; a terminal would tell that for ever */
	if (p->in.fd >= 0 && (p->in.n || !p->terminal))
		add(w, p->in.fd, p->in.n ? POLLOUT : 0, p, W_IN);
	for (unsigned i = 0; i < 2; i++)
		if (wants_output(a, &p->out[i]))
			add(w, p->out[i].fd, POLLIN, p, i ? W_ERR : W_OUT);
}

static void rebuild(struct agent *a, struct watch *w)
{
	size_t need = 3 + 4 * a->n_procs, i = 0;
	struct proc *p;

	if (need > w->cap) {
		w->cap = need * 2;
		w->p = arena_array(&a->a, w->cap, sizeof(*w->p));
		w->of = arena_array(&a->a, w->cap, sizeof(*w->of));
	}
	w->n = 0;
	add(w, a->conn,
	    (short) ((pending(a) < AGENT_OUT_HIGH ? POLLIN : 0) | (pending(a) ? POLLOUT : 0)), NULL,
	    W_CONN);
	add(w, a->sigfd, POLLIN, NULL, W_SIGNAL);
	if (a->oom_fd >= 0)
		add(w, a->oom_fd, POLLIN, NULL, W_OOM);
	/* whoever was first last time is last now */
	if (++a->turn >= a->n_procs)
		a->turn = 0;
	for (p = a->procs; p; p = p->next)
		if (i++ >= a->turn)
			add_proc(a, w, p);
	for (p = a->procs, i = 0; p; p = p->next)
		if (i++ < a->turn)
			add_proc(a, w, p);
}

static void drop_events(int fd)
{
	char buf[4096];

	(void) !read(fd, buf, sizeof(buf));
}

static int react(struct agent *a, const struct watch *w, size_t i, struct err *e)
{
	struct proc *p = w->of[i].proc;
	struct signalfd_siginfo si;
	int r = 0;

	switch (w->of[i].what) {
	case W_CONN:
		if (w->p[i].revents & POLLOUT)
			r = flush(a, e);
		if (r == 0 && w->p[i].revents & (POLLIN | POLLHUP | POLLERR))
			r = receive(a, e);
		break;
	case W_SIGNAL:
		while (read(a->sigfd, &si, sizeof(si)) > 0)
			;
		procs_reap(a);
		break;
	case W_OOM:
		drop_events(a->oom_fd);
		agent_oom(a);
		break;
	case W_SYNC: (void) proc_talk(a, p); break;
	case W_IN: stdio_feed(a, p); break;
	case W_OUT:
	case W_ERR:
		if (agent_room(a))
			stdio_pull(a, p, w->of[i].what == W_ERR);
		break;
	}
	return r;
}

int agent_run(struct agent *a, struct err *e)
{
	struct watch w = {0};
	int r = 0;

	while (r == 0 && !a->over) {
		rebuild(a, &w);
		if (poll(w.p, w.n, has_frame(a) ? 0 : agent_modules_due(a)) < 0 && errno != EINTR)
			return err_sys(e, "waiting");
		for (size_t i = 0; r == 0 && i < w.n; i++)
			if (w.p[i].revents)
				r = react(a, &w, i, e);
		if (r == 0)
			r = take_frames(a, e);
		procs_sweep(a);
		if (r == 0 && a->out.bad)
			r = err_set(e, -ENOBUFS, "the host asks for more than it takes");
		if (r == 0)
			r = flush(a, e);
	}
	return r;
}

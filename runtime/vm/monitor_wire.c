/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation with the guest's agent: each frame is judged by the table of wire/, then by what was asked. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "exec/proto.h"
#include "vm/monitor.h"

#define BODY_MAX (1u << 20) /* of what we encode ourselves: all but POLICY, PREPARE and EXEC */

/* ---- sending ---- */

static void made_room(struct monitor *m)
{
	if (m->out_at == m->out.n) {
		if (m->out.wipe && m->out.n) {
			buf_wipe(&m->out);
			m->out.wipe = false;
		}
		m->out_at = m->out.n = 0;
	} else if (m->out_at > WIRE_FRAME_MAX) {
		memmove(m->out.p, m->out.p + m->out_at, m->out.n - m->out_at);
		m->out.n -= m->out_at;
		if (m->out.wipe)
			explicit_bzero(m->out.p + m->out.n, m->out_at);
		m->out_at = 0;
	}
}

size_t mon_wire_backlog(const struct monitor *m)
{
	return m->out.n - m->out_at;
}

void mon_send_raw(struct monitor *m, uint8_t type, uint8_t sub, uint32_t stream, const void *p,
		  size_t n)
{
	made_room(m);
	wire_put(&m->out, type, sub, stream, p, n);
}

void mon_send_parts(struct monitor *m, uint8_t type, uint32_t stream, const void *p, size_t n)
{
	made_room(m);
	wire_put_parts(&m->out, type, stream, p, n);
}

void mon_send(struct monitor *m, uint8_t type, uint32_t stream, const struct ctable *t,
	      const void *body)
{
	buf_auto b = BUF_WRITER(BODY_MAX);

	if (t)
		codec_encode(&b, t, body);
	mon_send_raw(m, type, 0, stream, b.p, b.n);
}

int mon_send_secrets(struct monitor *m, uint32_t stream, int fd, struct err *e)
{
	static uint8_t block[SECRET_BLOCK_MAX];
	ssize_t got = 0;
	int n = 0;

	/* nobody writes to it any more, so what is there is all */
	if (ioctl(fd, FIONREAD, &n) < 0 || n <= 0 || (unsigned) n > sizeof(block))
		return err_set(e, -EBADMSG, "the secrets cannot be read");
	got = io_read_full(fd, block, (size_t) n);
	if (got == n) {
		made_room(m);
		m->out.wipe = true; /* until all of it was sent */
		mon_send_parts(m, WIRE_SECRET, stream, block, (size_t) n);
	}
	explicit_bzero(block, (size_t) n);
	return got == n ? 0 : err_set(e, -EIO, "the secrets cannot be read");
}

int mon_wire_out(struct monitor *m, struct err *e)
{
	ssize_t n;

	if (m->out.bad)
		return err_set(e, -ENOBUFS, "the VM does not take what it is sent");
	if (!mon_wire_backlog(m))
		return 0;
	n = send(m->chan, m->out.p + m->out_at, mon_wire_backlog(m), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		m->out_at += (size_t) n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		m->out_at = m->out.n; /* gone; what it has said before that is still to be read */
	made_room(m);
	return 0;
}

/* ---- the steps up to a program that runs ---- */

int mon_hello(struct monitor *m, struct err *e)
{
	struct wire_hello h = {.version_min = WIRE_VERSION,
			       .version_max = WIRE_VERSION,
			       .nonce = {m->nonce, sizeof(m->nonce)}};

	if (getentropy(m->nonce, sizeof(m->nonce)) < 0)
		return err_sys(e, "making a nonce");
	mon_send(m, WIRE_HELLO, 0, &wire_hello_table, &h);
	return 0;
}

static int on_hello(struct monitor *m, const struct buf *b, struct arena *a, struct err *e)
{
	struct wire_hello_back h;

	if (!mon_launched(m))
		return err_set(e, -EPROTO, "the guest ran before it was launched");
	if (wire_body(b->p, b->n, &wire_hello_back_table, &h, a, e) < 0)
		return e->code;
	if (h.version != WIRE_VERSION || h.nonce.n != sizeof(m->nonce) ||
	    memcmp(h.nonce.v, m->nonce, sizeof(m->nonce)) != 0)
		return err_set(e, -EPROTO,
			       "the guest's agent is none that this kavach can talk to");
	mon_send_parts(m, WIRE_POLICY, 0, m->boot->policy.v, m->boot->policy.n);
	mon_wait(m, prepared, "the guest to prepare the container");
	return 0;
}

void mon_send_clock(struct monitor *m)
{
	struct wire_clock c;
	struct timespec now;

	if (m->phase < WIRE_PH_POLICY)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	c.realtime_ns = (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
	mon_send(m, WIRE_CLOCK, 0, &wire_clock_table, &c);
}

static int on_verdict(struct monitor *m, const struct buf *b, struct arena *a, struct err *e)
{
	struct wire_verdict v;

	if (wire_body(b->p, b->n, &wire_verdict_table, &v, a, e) < 0)
		return e->code;
	if (!v.accepted)
		return err_set(e, -EKEYREJECTED,
			       "the guest does not accept the container's policy: %s",
			       v.why ? v.why : "it does not say why");
	m->phase = WIRE_PH_POLICY;
	mon_send_clock(m);
	mon_send(m, WIRE_NET, 0, &wire_net_table, &m->net);
	if (m->secrets >= 0) {
		int r = mon_send_secrets(m, 1, m->secrets, e);

		m->secrets = fd_close(m->secrets);
		if (r < 0)
			return r;
	}
	mon_send_parts(m, WIRE_PREPARE, 0, m->boot->prepare.v, m->boot->prepare.n);
	return 0;
}

static int on_prepared(struct monitor *m, struct err *e)
{
	int r = msg_send(m->s->sync, MSG_READY, NULL, 0);

	if (r < 0)
		return err_neg(e, r, "answering kavach");
	m->step = MON_READY;
	m->deadline = INT64_MAX;
	return 0;
}

int mon_start(struct monitor *m, struct err *e)
{
	m->step = MON_STARTS;
	/* since `create`, an engine may have added to the network, or changed it */
	if (m->rtnl.fd >= 0 && m->s->boot->start_fd >= 0) {
		if (mon_net_join(m, e) < 0 || mon_confine_net(e) < 0)
			mon_fail(m, e);
		mon_send(m, WIRE_NET, 0, &wire_net_table, &m->net);
		rtnl_close(&m->rtnl);
	}
	mon_resize(m); /* nor is anybody told of a size that a terminal got meanwhile */
	mon_send_raw(m, WIRE_START, 0, 0, NULL, 0);
	mon_wait(m, prepared, "the guest to start the container's program");
	return 0;
}

static int on_started(struct monitor *m, struct stream *st, struct err *e)
{
	if (!st || st->state != STREAM_ASKED || (st->id == 1 && m->step != MON_STARTS))
		return err_set(e, -EPROTO, "the guest started what nobody asked for");
	st->state = STREAM_RUNS;
	if (st->id != 1) {
		if (st->client)
			ctl_answer(st->client, CTL_STARTED, NULL, 0);
		return 0;
	}
	m->step = MON_RUNS;
	m->deadline = INT64_MAX;
	(void) msg_send(m->starter, MSG_EXEC, NULL, 0); /* `start` may have been killed */
	m->starter = fd_close(m->starter);
	return 0;
}

/* What went wrong in the guest, as the stage there says it. */
static int on_fail(struct monitor *m, const struct wire_head *h, const struct buf *b,
		   struct arena *a, struct err *e)
{
	struct stream *st = stream_find(m, h->stream);
	struct client *c;
	struct wire_fail f;
	struct err in = ERR_INIT;

	if (wire_body(b->p, b->n, &wire_fail_table, &f, a, e) < 0)
		return e->code;
	err_set_id(&in, f.id < ERR_ID_MAX ? f.id : ERR_OTHER,
		   f.code < 0 && f.code > -4096 ? f.code : -EIO, "%s",
		   f.text ? f.text : "the guest does not say what failed");
	if (f.tag) {
		c = ctl_of_tag(m, f.tag);
		if (f.tag > m->last_tag)
			return err_set(e, -EPROTO, "the guest answered what nobody asked");
		if (c)
			ctl_answer_err(c, &in);
		return 0;
	}
	if (h->stream > 1 && st && st->state == STREAM_ASKED) {
		if (st->client)
			ctl_answer_err(st->client, &in);
		stream_forget(m, st);
		return 0;
	}
	if (m->step != MON_BOOTS && m->step != MON_STARTS)
		return err_set(e, -EPROTO, "the guest failed at what nobody asked for");
	mon_fail(m, &in);
}

/* ---- while it runs ---- */

static int on_exit(struct monitor *m, struct stream *st, const struct buf *b, struct arena *a,
		   struct err *e)
{
	struct wire_exit x;
	int status;

	if (!st || st->state != STREAM_RUNS)
		return err_set(e, -EPROTO, "the guest ended what did not run");
	if (wire_body(b->p, b->n, &wire_exit_table, &x, a, e) < 0)
		return e->code;
	status = (int) x.status;
	if (x.status > 0xffff || !(WIFEXITED(status) || WIFSIGNALED(status)))
		return err_set(e, -EPROTO, "the guest sent a status that is none");
	st->status = (uint32_t) (WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						     : WEXITSTATUS(status));
	st->state = STREAM_EXITED;
	st->exit_deadline = mon_now() + m->boot->shutdown_ms * NS_PER_MS;
	st->in = fd_close(st->in);
	return 0;
}

static int on_drained(struct stream *st, struct err *e)
{
	if (!st || st->drained || st->state == STREAM_ASKED)
		return err_set(e, -EPROTO, "the guest ended the output of what does not run");
	st->drained = true;
	return 0;
}

static int on_reply(struct monitor *m, const struct buf *b, struct arena *a, struct err *e)
{
	struct wire_reply r;
	struct client *c;

	if (wire_body(b->p, b->n, &wire_reply_table, &r, a, e) < 0)
		return e->code;
	if (!r.tag || r.tag > m->last_tag)
		return err_set(e, -EPROTO, "the guest answered what nobody asked");
	c = ctl_of_tag(m, r.tag);
	if (!c)
		return 0; /* did not wait for it */
	if (c->asked == CTL_UPDATE)
		ctl_updated(m, c);
	else if (r.body.n > CTL_BODY_MAX)
		return err_set(e, -EPROTO, "the guest's answer is too long");
	else
		ctl_answer(c, CTL_BODY, r.body.v, r.body.n);
	return 0;
}

static int on_done(struct monitor *m, const struct buf *b, struct arena *a, struct err *e)
{
	struct wire_ask d;

	if (wire_body(b->p, b->n, &wire_ask_table, &d, a, e) < 0)
		return e->code;
	if (m->step != MON_ENDS || d.tag != m->sync_tag)
		return err_set(e, -EPROTO, "the guest answered what nobody asked");
	_exit(m->status);
}

static void on_log(const struct monitor *m, const void *p, size_t n)
{
	if (m->step == MON_BOOTS && n <= 512)
		(void) msg_send(m->s->sync, MSG_WARN, p, n);
}

/* Frames of a process's data. */
static int on_stream(struct monitor *m, const struct wire_head *h, const uint8_t *p, struct err *e)
{
	struct stream *st = stream_find(m, h->stream);
	uint32_t n;

	if (!st)
		return err_set(e, -EPROTO, "the guest sent data of a process that is not there");
	switch (h->type) {
	case WIRE_DATA: return stream_data(m, st, h->sub, p, h->length, e);
	case WIRE_EOF: return stream_eof(st, h->sub, e);
	default:
		n = p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
		return stream_credit(st, n, e);
	}
}

/* A file of the state directory, because it is asked for when we are gone; `kavach events` watches it (ops.c). The guest
 * can say it as often as it likes, but not fill the host's disk. */
static int on_event(struct monitor *m, const struct buf *b, struct arena *a, struct err *e)
{
	struct wire_event ev;

	if (wire_body(b->p, b->n, &wire_event_table, &ev, a, e) < 0)
		return e->code;
	if (ev.kind != 1)
		return err_set(e, -EPROTO, "the guest told of what does not exist");
	if (m->ooms < MONITOR_OOM_MAX && write(m->boot->oom_fd, "1", 1) == 1)
		m->ooms++;
	return 0;
}

static int dispatch(struct monitor *m, const struct wire_head *h, const struct buf *b,
		    struct arena *a, struct err *e)
{
	switch (h->type) {
	case WIRE_HELLO_BACK: return on_hello(m, b, a, e);
	case WIRE_VERDICT: return on_verdict(m, b, a, e);
	case WIRE_PREPARED: return on_prepared(m, e);
	case WIRE_STARTED: return on_started(m, stream_find(m, h->stream), e);
	case WIRE_FAIL: return on_fail(m, h, b, a, e);
	case WIRE_EXIT: return on_exit(m, stream_find(m, h->stream), b, a, e);
	case WIRE_DRAINED: return on_drained(stream_find(m, h->stream), e);
	case WIRE_REPLY: return on_reply(m, b, a, e);
	case WIRE_DONE: return on_done(m, b, a, e);
	case WIRE_RELAY: return mon_relay(m, b, a, e);
	case WIRE_EVENT: return on_event(m, b, a, e);
	default: return err_set(e, -EPROTO, "the guest answered what nobody asked");
	}
}

static int on_frame(struct monitor *m, const struct wire_head *h, const uint8_t *p, struct err *e)
{
	struct buf whole = BUF_READER(p, h->length);
	arena_auto a = {0};
	int r = wire_parts_add(&m->parts, h, p);

	if (r < 0 || !wire_allowed(m->phase, WIRE_TO_HOST, h))
		return err_set(e, -EPROTO, "the guest sent %s at a wrong moment",
			       wire_type_name(h->type));
	if (h->type == WIRE_DATA || h->type == WIRE_EOF || h->type == WIRE_CREDIT)
		return on_stream(m, h, p, e);
	if (h->type == WIRE_LOG) {
		on_log(m, p, h->length);
		return 0;
	}
	if (wire_in_parts(h->type)) {
		if (r == 0)
			return 0;
		whole = BUF_READER(m->parts.b.p, m->parts.b.n);
	}
	r = dispatch(m, h, &whole, &a, e);
	if (r == 0 && h->type != WIRE_VERDICT)
		m->phase = wire_next(m->phase, WIRE_TO_HOST, h);
	return r;
}

int mon_wire_in(struct monitor *m, struct err *e)
{
	ssize_t n = recv(m->chan, m->in + m->in_n, sizeof(m->in) - m->in_n, MSG_DONTWAIT);
	size_t at = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return err_set(e, -EPIPE, "the VM ended");
	m->in_n += (size_t) n;
	for (;;) {
		struct wire_head h;
		long len = wire_parse(m->in + at, m->in_n - at, WIRE_TO_HOST, &h);
		int r;

		if (len < 0)
			return err_set(e, -EPROTO, "the guest sent what is no message");
		if (len == 0)
			break;
		r = on_frame(m, &h, m->in + at + WIRE_HEAD, e);
		if (r < 0)
			return r;
		at += (size_t) len;
	}
	memmove(m->in, m->in + at, m->in_n - at);
	m->in_n -= at;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: what kavach's commands and the proxies of exec ask. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "policy/host_may.h"
#include "vm/monitor.h"

#define CLIENTS_MAX 2048
#define PAYLOAD_MAX WIRE_PARTS_MAX

void ctl_answer(struct client *c, enum ctl_type t, const void *body, size_t n)
{
	c->tag = 0;
	if (ctl_send(c->fd, t, body, n, NULL, 0) < 0)
		c->dead = true; /* gone, or does not read its answers */
}

void ctl_answer_err(struct client *c, const struct err *e)
{
	c->tag = 0;
	if (ctl_send_err(c->fd, e) < 0)
		c->dead = true;
}

struct client *ctl_of_tag(const struct monitor *m, uint32_t tag)
{
	struct client *c = m->clients;

	while (c && (c->tag != tag || c->dead))
		c = c->next;
	return c;
}

static void refuse(struct client *c, int code, const char *why)
{
	struct err e = ERR_INIT;

	err_set(&e, code, "%s", why);
	ctl_answer_err(c, &e);
}

void ctl_accept(struct monitor *m)
{
	fd_auto int fd = accept4(m->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;

	if (fd < 0 || m->n_clients >= CLIENTS_MAX || !stage_may_start(fd, m->creator, false))
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->fd = fd_take(&fd);
	c->next = m->clients;
	m->clients = c;
	m->n_clients++;
}

/* The proxy of a process is gone: so is the process. */
static void end_process(struct monitor *m, struct stream *st)
{
	const struct wire_signal kill = {.sig = SIGKILL};

	st->client = NULL;
	st->in = fd_close(st->in);
	for (int i = 0; i < 2; i++)
		st->out[i].fd = fd_close(st->out[i].fd);
	if (st->state != STREAM_EXITED)
		mon_send(m, WIRE_SIGNAL, st->id, &wire_signal_table, &kill);
}

void ctl_drop_dead(struct monitor *m)
{
	struct client **at = &m->clients;

	while (*at) {
		struct client *c = *at;

		if (!c->dead) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		m->n_clients--;
		if (c->stream)
			end_process(m, c->stream);
		close(c->fd);
		free(c);
	}
}

/* ---- requests ---- */

/* Sealed, so that it is the same when we look twice. */
static int read_payload(int fd, struct buf *ret)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || !(seals & F_SEAL_WRITE) || !(seals & F_SEAL_SHRINK) ||
	    fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > PAYLOAD_MAX)
		return -EBADMSG;
	*ret = BUF_WRITER((size_t) st.st_size);
	for (off_t at = 0; at < st.st_size;) {
		uint8_t part[16384];
		ssize_t n = pread(fd, part, sizeof(part), at);

		if (n <= 0) {
			buf_free(ret);
			return -EIO;
		}
		buf_put(ret, part, (size_t) n);
		at += n;
	}
	return ret->bad ? -ENOMEM : 0;
}

/* The guest would refuse it, too; here whoever asks is told why. */
static bool may(const struct monitor *m, struct client *c, uint32_t what)
{
	struct err e = ERR_INIT;

	if (host_may(m->full, what, &e) == 0)
		return true;
	ctl_answer_err(c, &e);
	return false;
}

static void on_exec(struct monitor *m, struct client *c, struct ctl_msg *q)
{
	buf_auto payload = BUF_WRITER(0);
	struct err e = ERR_INIT;

	if (m->step != MON_RUNS || c->execs) {
		refuse(c, -ESRCH, "container not running");
		return;
	}
	if (!may(m, c, POL_HOST_EXEC))
		return;
	if (m->n_streams >= WIRE_STREAMS_MAX || m->last_stream == UINT32_MAX) {
		refuse(c, -EAGAIN, "the container has too many processes that were added by exec");
		return;
	}
	if (read_payload(q->fds[0], &payload) < 0) {
		refuse(c, -EBADMSG, "the description of the process cannot be read");
		return;
	}
	c->stream = stream_new(m, ++m->last_stream, q->fds[1], q->fds[2], q->fds[3]);
	if (!c->stream) {
		refuse(c, -ENOMEM, "no memory for another process");
		return;
	}
	q->fds[1] = q->fds[2] = q->fds[3] = -EBADF; /* the stream has them */
	if (q->n_fds > 4 && mon_send_secrets(m, c->stream->id, q->fds[4], &e) < 0) {
		stream_forget(m, c->stream);
		c->stream = NULL;
		ctl_answer_err(c, &e);
		return;
	}
	c->execs = true;
	c->stream->client = c;
	mon_send_parts(m, WIRE_EXEC, c->stream->id, payload.p, payload.n);
}

static void on_signal(struct monitor *m, struct client *c, const struct ctl_msg *q)
{
	struct err e = ERR_INIT;
	struct wire_signal w;
	struct ctl_signal s;

	memcpy(&s, q->body, sizeof(s));
	w = (struct wire_signal){.sig = s.sig, .all = s.all != 0};
	if (!s.sig || s.sig > 64) {
		refuse(c, -EINVAL, "no such signal");
	} else if (c->execs) { /* is not answered: only its end is */
		if (c->stream)
			mon_send(m, WIRE_SIGNAL, c->stream->id, &wire_signal_table, &w);
	} else if (m->step != MON_RUNS) {
		refuse(c, -ESRCH, "container not running");
	} else if (host_may_signal(m->full, (int) s.sig, &e) < 0) {
		ctl_answer_err(c, &e);
	} else {
		mon_send(m, WIRE_SIGNAL, 1, &wire_signal_table, &w);
		ctl_answer(c, CTL_OK, NULL, 0);
	}
}

static void on_resize(struct monitor *m, struct client *c, const struct ctl_msg *q)
{
	struct wire_resize w;
	struct ctl_size s;

	memcpy(&s, q->body, sizeof(s));
	w = (struct wire_resize){.rows = s.rows, .columns = s.columns};
	if (c->stream)
		mon_send(m, WIRE_RESIZE, c->stream->id, &wire_resize_table, &w);
}

/* A question to the guest; its answer comes with the tag. */
static bool ask(struct monitor *m, struct client *c, enum ctl_type t)
{
	if (c->tag || c->execs || (m->step != MON_RUNS && m->step != MON_PARKED)) {
		refuse(c, -ESRCH, "container not running");
		return false;
	}
	c->tag = ++m->last_tag;
	c->asked = t;
	return true;
}

static void on_question(struct monitor *m, struct client *c, enum ctl_type t)
{
	struct wire_ask a;

	if (!may(m, c, POL_HOST_STATS) || !ask(m, c, t))
		return;
	a.tag = c->tag;
	mon_send(m,
		 t == CTL_STATS ? WIRE_STATS
		 : t == CTL_PS	? WIRE_PS
				: WIRE_INSPECT,
		 0, &wire_ask_table, &a);
}

static void on_attest(struct monitor *m, struct client *c, const struct ctl_msg *q)
{
	struct wire_attest w;

	if (!ask(m, c, CTL_ATTEST))
		return;
	w = (struct wire_attest){.tag = c->tag, .nonce = {(uint8_t *) (uintptr_t) q->body, q->n}};
	mon_send(m, WIRE_ATTEST, 0, &wire_attest_table, &w);
}

/* The rules of the size at the start (vm/shape.c), downwards: the kernel of the guest needs some beside the container. */
#define BESIDE (64ull << 20)
#define AT_LEAST (128ull << 20)

static uint64_t keeps(const struct monitor *m, const struct pol_resources *r)
{
	uint64_t n = r->memory.v > 0 ? (uint64_t) r->memory.v + BESIDE : m->boot->memory;

	if (!r->memory.set)
		return 0;
	n = n < AT_LEAST ? AT_LEAST : n;
	return n < m->boot->memory ? n : m->boot->memory;
}

/* A VM without a balloon says so, and keeps what it has: the limit in the guest is what counts. The balloon gives way when the
 * guest would run out of memory. */
void ctl_updated(struct monitor *m, struct client *c)
{
	const struct qmp_args args = {.number = c->keeps};
	struct err ignored = ERR_INIT;

	if (c->keeps)
		(void) qmp_send(&m->qmp, QMP_BALLOON, &args, ++m->last_tag, mon_now(), &ignored);
	c->keeps = 0;
	ctl_answer(c, CTL_OK, NULL, 0);
}

/* The guest has the memory that it was started with: its cgroup could be promised more, but there is none. */
static void on_update(struct monitor *m, struct client *c, const struct ctl_msg *q)
{
	buf_auto payload = BUF_WRITER(0), enc = BUF_WRITER(PAYLOAD_MAX);
	struct pol_resources r = {0};
	arena_auto a = {0};
	struct wire_update u;
	struct err e = ERR_INIT;

	if (read_payload(q->fds[0], &payload) < 0 ||
	    wire_body(payload.p, payload.n, &pol_resources_table, &r, &a, &e) < 0) {
		refuse(c, -EBADMSG, "the limits cannot be read");
		return;
	}
	if (r.memory.set && r.memory.v > 0 && (uint64_t) r.memory.v > m->boot->memory) {
		err_set(&e, -ENOSPC,
			"memory: expected at most %llu bytes, the size that the VM was started with, "
			"found %lld",
			(unsigned long long) m->boot->memory, (long long) r.memory.v);
		ctl_answer_err(c, &e);
		return;
	}
	if (!may(m, c, POL_HOST_UPDATE) || !ask(m, c, CTL_UPDATE))
		return;
	c->keeps = keeps(m, &r);
	u = (struct wire_update){.tag = c->tag, .resources = {payload.p, payload.n}};
	codec_encode(&enc, &wire_update_table, &u);
	mon_send_parts(m, WIRE_UPDATE, 0, enc.p, enc.n);
}

static void on_pause(struct monitor *m, struct client *c, enum ctl_type t)
{
	struct err e = ERR_INIT;

	if (!ask(m, c, t))
		return;
	if (qmp_send(&m->qmp, t == CTL_PAUSE ? QMP_STOP : QMP_CONT, NULL, c->tag, mon_now(), &e) <
	    0)
		ctl_answer_err(c, &e);
	else if (t ==
		 CTL_RESUME) /* its clock stood still; this waits in the channel until it runs */
		mon_send_clock(m);
}

static void on_qmp_reply(void *arg, const struct qmp_reply *r)
{
	struct client *c = r->tag ? ctl_of_tag(arg, r->tag) : NULL;

	if (!r->tag)
		mon_launch_reply(arg, r);
	if (!c)
		return;
	if (r->failed)
		refuse(c, -EIO, r->text);
	else
		ctl_answer(c, CTL_OK, NULL, 0);
}

static void on_qmp_event(void *arg, enum qmp_event ev, const char *text)
{
	(void) arg, (void) ev, (void) text; /* the end of QEMU is seen as such */
}
const struct qmp_ops mon_qmp_ops = {.reply = on_qmp_reply, .event = on_qmp_event};

void ctl_serve(struct monitor *m, struct client *c)
{
	struct ctl_msg q;
	int r = ctl_recv(c->fd, &q);

	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		c->dead = true;
		return;
	}
	switch (q.type) {
	case CTL_EXEC: on_exec(m, c, &q); break;
	case CTL_SIGNAL: on_signal(m, c, &q); break;
	case CTL_RESIZE: on_resize(m, c, &q); break;
	case CTL_PAUSE:
	case CTL_RESUME: on_pause(m, c, q.type); break;
	case CTL_UPDATE: on_update(m, c, &q); break;
	case CTL_STATS:
	case CTL_PS:
	case CTL_INSPECT: on_question(m, c, q.type); break;
	case CTL_ATTEST: on_attest(m, c, &q); break;
	case CTL_NET: ctl_answer(c, CTL_OK, NULL, 0); break;
	case CTL_LAUNCH: mon_launch_show(m, c); break;
	case CTL_RELEASE: mon_launch_release(m, c, (char *) q.body); break;
	case CTL_KILL:
		ctl_answer(c, CTL_ENDS, &m->boot->shutdown_ms, sizeof(m->boot->shutdown_ms));
		mon_end(m, 128 + SIGKILL);
		break;
	default: c->dead = true; break; /* an answer is no question */
	}
	ctl_close_fds(&q);
}

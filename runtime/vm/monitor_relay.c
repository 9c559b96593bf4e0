/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's lines, passed on between the guest's agent and a connection that kavach has made (relay.h). Neither side is
 * believed, nothing is understood, and nothing is tried again: one line out, one line back, each with a limit, and what goes wrong
 * is told to the guest, whose policy says whether it can go on.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "vm/monitor.h"
#include "vm/relay.h"

#define RELAYS_MAX 4u /* of one VM: the conversation has two */

static void answer(struct monitor *m, const uint8_t *p, size_t n, const char *fail)
{
	const struct wire_relayed x = {.tag = m->relay.tag,
				       .line = {(uint8_t *) (uintptr_t) p, n},
				       .fail = (char *) (uintptr_t) fail};
	buf_auto b = BUF_WRITER(WIRE_RELAYED_MAX + 4096);

	codec_encode(&b, &wire_relayed_table, &x);
	m->relay.open = false;
	m->relay.deadline = INT64_MAX;
	mon_send_parts(m, WIRE_RELAYED, 0, b.p, b.n);
	/* the guest has as much time for what comes next as it had for what came before */
	m->deadline = mon_now() + m->boot->prepared_ms * NS_PER_MS;
}

static void fail(struct monitor *m, const char *what)
{
	arena_auto a = {0};

	m->relay.fd = fd_close(m->relay.fd);
	answer(m, NULL, 0,
	       arena_printf(&a, "the site's rules: vm.broker: %s: %s",
			    m->full->vm.broker ? m->full->vm.broker : "not set", what));
}

int mon_relay(struct monitor *m, const struct buf *b, struct arena *a, struct err *e)
{
	struct wire_relay r;

	if (wire_body(b->p, b->n, &wire_relay_table, &r, a, e) < 0)
		return e->code;
	if (m->step != MON_BOOTS || m->relay.open || r.tag != m->relay.tag + 1 ||
	    r.tag > RELAYS_MAX || !r.line.n || r.line.n > WIRE_RELAY_MAX ||
	    memchr(r.line.v, '\n', r.line.n))
		return err_set(e, -EPROTO, "the guest sent what is no line for a broker");
	m->relay.tag = r.tag;
	m->relay.open = true;
	if (m->relay.fd < 0) {
		fail(m, "there is no connection");
		return 0;
	}
	buf_free(&m->relay.out); /* a broker may answer before it has heard all */
	m->relay.out = BUF_WRITER(WIRE_RELAY_MAX + 1);
	buf_put(&m->relay.out, r.line.v, r.line.n);
	buf_put(&m->relay.out, "\n", 1);
	m->relay.out_at = m->relay.in_n = 0;
	m->relay.deadline = mon_now() + RELAY_SECONDS * 1000 * NS_PER_MS;
	m->deadline = INT64_MAX; /* ours is nearer */
	if (!m->relay.in)
		m->relay.in = malloc(WIRE_RELAYED_MAX + 1);
	if (!m->relay.in || m->relay.out.bad)
		return err_set(e, -ENOMEM, "no memory");
	return 0;
}

short mon_relay_events(const struct monitor *m)
{
	if (!m->relay.open)
		return 0;
	return (short) (POLLIN | (m->relay.out_at < m->relay.out.n ? POLLOUT : 0));
}

static void send_out(struct monitor *m)
{
	struct relay *r = &m->relay;
	ssize_t n = send(r->fd, r->out.p + r->out_at, r->out.n - r->out_at,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		r->out_at += (size_t) n;
	/* what cannot be sent any more may have been answered already */
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->out_at = r->out.n;
	if (r->out_at == r->out.n)
		buf_free(&r->out);
}

static void receive(struct monitor *m)
{
	struct relay *r = &m->relay;
	ssize_t n = recv(r->fd, r->in + r->in_n, WIRE_RELAYED_MAX + 1 - r->in_n, MSG_DONTWAIT);
	const uint8_t *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(m, "it closed without an answer");
		return;
	}
	end = memchr(r->in + r->in_n, '\n', (size_t) n);
	r->in_n += (size_t) n;
	if (end && end + 1 != r->in + r->in_n)
		fail(m, "it answered more than a line");
	else if (end)
		answer(m, r->in, r->in_n - 1, NULL);
	else if (r->in_n > WIRE_RELAYED_MAX)
		fail(m, "its answer is too long");
}

void mon_relay_io(struct monitor *m, short got)
{
	if (m->relay.open && got & POLLOUT)
		send_out(m);
	if (m->relay.open && got & (POLLIN | POLLHUP | POLLERR))
		receive(m);
}

void mon_relay_late(struct monitor *m)
{
	arena_auto a = {0};

	if (m->relay.open && mon_now() >= m->relay.deadline)
		fail(m, arena_printf(&a, "no answer within %d s", RELAY_SECONDS));
}

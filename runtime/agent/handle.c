/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done for each type of frame. The phase, the length and the form of the head are right here (loop.c, wire.c). A
 * function returns <0 for a violation, which ends everything; what merely failed is told to the host and is 0.
 */
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "agent/agent.h"
#include "attest/evidence.h"
#include "base/str.h"
#include "policy/host_may.h"

struct ctx {
	struct agent *a;
	const struct wire_head *h;
	const uint8_t *p;
	size_t n;
	struct err *e;
};

#define BODY(c, table, obj, arena) wire_body((c)->p, (c)->n, &(table), (obj), (arena), (c)->e)

static int violation(struct ctx *c, const char *what)
{
	return err_set(c->e, -EBADMSG, "the host sent %s %s", wire_type_name(c->h->type), what);
}

/* The process that a frame is for; NULL: forgotten already, and the frame with it. */
static int find(struct ctx *c, struct proc **ret)
{
	*ret = proc_find(c->a, c->h->stream);
	if (!*ret && c->h->stream > c->a->last_stream)
		return violation(c, "for a stream that there never was");
	return 0;
}

/* ---- the beginning ---- */

/* What /proc/meminfo calls MemTotal, without the work of printing all the rest. */
static uint64_t memory_total(void)
{
	struct sysinfo si;

	return sysinfo(&si) == 0 ? (uint64_t) si.totalram * si.mem_unit : 0;
}

static int on_hello(struct ctx *c)
{
	arena_auto tmp = {0};
	struct wire_hello h;
	struct wire_hello_back back = {.version = WIRE_VERSION};
	struct utsname u;
	int r = BODY(c, wire_hello_table, &h, &tmp);

	if (r < 0)
		return r;
	if (h.version_min > WIRE_VERSION || h.version_max < WIRE_VERSION)
		return violation(c, "of a version that this agent does not know");
	if (h.nonce.n != AGENT_NONCE)
		return violation(c, "without a nonce");
	memcpy(c->a->nonce, h.nonce.v, AGENT_NONCE);
	uname(&u);
	back.nonce = h.nonce;
	back.kernel = u.release;
	back.memory = memory_total();
	back.boot_ns = c->a->boot_ns;
	agent_put_body(c->a, WIRE_HELLO_BACK, 0, &wire_hello_back_table, &back);
	return 0;
}

static int on_policy(struct ctx *c)
{
	struct agent *a = c->a;
	struct wire_verdict v = {.accepted = true};
	struct err why = ERR_INIT;
	int r;

	if (a->sealed.n) /* one was refused: that was the host's only chance */
		return violation(c, "twice");
	a->sealed.v = arena_memdup(&a->a, c->p, c->n);
	a->sealed.n = c->n;
	sha256(a->sealed.v, a->sealed.n, a->digest);
	r = policy_decode(a->sealed.v, a->sealed.n, &a->a, &a->policy, &why);
	/* before any evidence, which has its key */
	if (r == 0 && a->policy->backend == POL_BACKEND_SEV_SNP && broker_wanted(a->policy))
		r = keeper_start(a, &why);
	if (r == 0)
		r = agent_judge(a, &v.report, &why);
	if (r < 0) {
		v.accepted = false;
		v.why = why.msg;
	}
	agent_put_body(a, WIRE_VERDICT, 0, &wire_verdict_table, &v);
	if (r < 0)
		a->phase = WIRE_PH_HELLO; /* nothing can follow but the end */
	return 0;
}

static int on_secret(struct ctx *c)
{
	struct agent *a = c->a;
	bool first = c->h->stream == 1;

	/* the host of a confidential guest is whom its secrets are kept from */
	if (a->policy->backend != POL_BACKEND_VM)
		return violation(c, "to a guest that takes none from it");
	if (first ? a->preparing : c->h->stream <= a->last_stream || a->phase == WIRE_PH_POLICY)
		return violation(c, "for a process that is there already, or too early");
	if (a->secrets.stream)
		return violation(c, "twice");
	return agent_secrets_take(a, c->h->stream, c->p, c->n, c->e);
}

static int on_clock(struct ctx *c)
{
	arena_auto tmp = {0};
	struct wire_clock t;
	int r = BODY(c, wire_clock_table, &t, &tmp);

	if (r == 0 && c->a->guest)
		guest_set_clock(t.realtime_ns);
	return r;
}

static int on_net(struct ctx *c)
{
	struct err e = ERR_INIT;
	struct agent *a = c->a;
	int r;

	arena_free(&a->net_a);
	r = BODY(c, wire_net_table, &a->net, &a->net_a);
	/* before PREPARE it is only kept */
	if (r == 0 && a->preparing && agent_net(a, &e) < 0)
		agent_put_fail(a, 0, 0, &e);
	return r;
}

static int on_prepare(struct ctx *c)
{
	struct agent *a = c->a;
	struct err e = ERR_INIT;
	struct proc *p;
	int r;

	if (a->preparing)
		return violation(c, "twice");
	a->preparing = true;
	r = BODY(c, wire_prepare_table, &a->prepare, &a->a);
	if (r < 0)
		return r;
	if (str_empty(a->prepare.id) || !a->prepare.bundle || !a->prepare.oci_version)
		return violation(c, "for a container without a name");
	p = proc_new(a, 1);
	if (!p)
		return err_set(c->e, -ENOMEM, "no memory for the first process");
	if (broker_wanted(a->policy))
		broker_begin(a); /* agent_prepare() when that is over */
	else if (agent_prepare(a, &e) < 0)
		proc_fail(a, p, &e);
	return 0;
}

static int on_relayed(struct ctx *c)
{
	struct agent *a = c->a;
	struct proc *p = proc_find(a, 1);
	arena_auto tmp = {0};
	struct err e = ERR_INIT;
	struct wire_relayed x;
	bool done = false;
	int r = BODY(c, wire_relayed_table, &x, &tmp);

	if (r < 0)
		return r;
	if (!a->broker.step || a->broker.step == BROKER_IS_DONE || x.tag != a->broker.tag)
		return violation(c, "although nothing was asked, or something else");
	r = broker_relayed(a, &x, &done, &e);
	if (r == 0 && done && p)
		r = agent_prepare(a, &e);
	if (r < 0 && p)
		proc_fail(a, p, &e);
	return 0;
}

/* ---- processes ---- */

static int on_start(struct ctx *c)
{
	struct proc *p = proc_find(c->a, 1);
	struct err e = ERR_INIT;

	if (!p) /* it failed, or was killed, and the host has heard of it or will */
		return 0;
	if (p->state != PROC_READY)
		return violation(c, "twice");
	if (!p->process) {
		err_set(&e, -EINVAL, "this container has no process to start");
		proc_fail(c->a, p, &e);
		return 0;
	}
	proc_go(c->a, p);
	return 0;
}

static int on_exec(struct ctx *c)
{
	struct agent *a = c->a;
	arena_auto tmp = {0};
	struct err e = ERR_INIT;
	struct wire_exec x;
	struct proc *p;
	int r = BODY(c, wire_exec_table, &x, &tmp);

	if (r < 0)
		return r;
	if (c->h->stream <= a->last_stream)
		return violation(c, "on a stream that was there before");
	if (a->secrets.stream && a->secrets.stream != c->h->stream)
		return violation(c, "on another stream than that of the secrets before it");
	if (a->n_procs >= WIRE_STREAMS_MAX)
		return violation(c, "although there are as many processes as there can be");
	p = proc_new(a, c->h->stream);
	if (!p)
		return err_set(c->e, -ENOMEM, "no memory for another process");
	if (host_may(a->policy, POL_HOST_EXEC, &e) < 0 || agent_exec(a, p, &x, &e) < 0)
		proc_fail(a, p, &e);
	agent_secrets_drop(a);
	return 0;
}

static int on_signal(struct ctx *c)
{
	arena_auto tmp = {0};
	struct err e = ERR_INIT;
	struct wire_signal s;
	struct proc *p;
	int r = BODY(c, wire_signal_table, &s, &tmp);

	if (r == 0)
		r = find(c, &p);
	if (r < 0)
		return r;
	if (s.sig < 1 || s.sig > 64)
		return violation(c, "with a number that no signal has");
	if (host_may_signal(c->a->policy, (int) s.sig, &e) < 0)
		agent_log(c->a, e.msg); /* a signal has no answer */
	else if (p)
		proc_signal(c->a, p, (int) s.sig, s.all);
	return 0;
}

static int on_resize(struct ctx *c)
{
	arena_auto tmp = {0};
	struct wire_resize s;
	struct proc *p;
	int r = BODY(c, wire_resize_table, &s, &tmp);

	if (r == 0)
		r = find(c, &p);
	if (r == 0 && p && stdio_resize(p, s.rows, s.columns) < 0)
		return violation(c, "with a size that no terminal has");
	return r;
}

static int on_data(struct ctx *c)
{
	struct proc *p;
	int r = find(c, &p);

	if (r == 0 && p && stdio_data(c->a, p, c->p, c->n) < 0)
		return violation(c, "without credit, or behind its EOF");
	return r;
}

static int on_eof(struct ctx *c)
{
	struct proc *p;
	int r = find(c, &p);

	if (r == 0 && p)
		stdio_eof(c->a, p);
	return r;
}

static int on_credit(struct ctx *c)
{
	uint32_t n = c->p[0] | (uint32_t) c->p[1] << 8 | (uint32_t) c->p[2] << 16 |
		     (uint32_t) c->p[3] << 24;
	struct proc *p;
	int r = find(c, &p);

	if (r == 0 && p && wire_flow_give(&p->out[c->h->sub - 1].flow, n) < 0)
		return violation(c, "for more than was sent");
	return r;
}

/* ---- questions ---- */

static void answer(struct agent *a, uint32_t tag, const struct buf *body, int r, struct err *e)
{
	const struct wire_reply reply = {.tag = tag, .body = {body->p, body->n}};

	if (r == 0 && body->bad)
		r = err_set(e, -EFBIG, "the answer is too long");
	if (r < 0)
		agent_put_fail(a, 0, tag, e);
	else
		agent_put_body(a, WIRE_REPLY, 0, &wire_reply_table, &reply);
}

#define ANSWER_MAX (4u << 20)

static int on_look(struct ctx *c, int (*look)(struct agent *a, struct buf *out, struct err *e))
{
	arena_auto tmp = {0};
	buf_auto out = BUF_WRITER(ANSWER_MAX);
	struct err e = ERR_INIT;
	struct wire_ask ask;
	int r = BODY(c, wire_ask_table, &ask, &tmp);

	if (r < 0)
		return r;
	r = host_may(c->a->policy, POL_HOST_STATS, &e);
	if (r == 0)
		r = look(c->a, &out, &e);
	answer(c->a, ask.tag, &out, r, &e);
	return 0;
}

static int on_stats(struct ctx *c)
{
	return on_look(c, agent_stats);
}

static int on_ps(struct ctx *c)
{
	return on_look(c, agent_ps);
}

static int on_inspect(struct ctx *c)
{
	return on_look(c, agent_facts);
}

static int on_update(struct ctx *c)
{
	arena_auto tmp = {0};
	buf_auto none = BUF_WRITER(1);
	struct err e = ERR_INIT;
	struct pol_resources res = {0};
	struct wire_update u;
	int r = BODY(c, wire_update_table, &u, &tmp);

	if (r == 0)
		r = wire_body(u.resources.v, u.resources.n, &pol_resources_table, &res, &tmp, c->e);
	if (r < 0)
		return r;
	r = host_may(c->a->policy, POL_HOST_UPDATE, &e);
	if (r == 0)
		r = agent_update(c->a, &res, &e);
	answer(c->a, u.tag, &none, r, &e);
	return 0;
}

static int on_attest(struct ctx *c)
{
	arena_auto tmp = {0};
	buf_auto out = BUF_WRITER(ANSWER_MAX);
	struct err e = ERR_INIT;
	struct wire_attest q;
	int r = BODY(c, wire_attest_table, &q, &tmp);

	if (r < 0)
		return r;
	if (q.nonce.n < EVIDENCE_NONCE_MIN || q.nonce.n > EVIDENCE_NONCE_MAX)
		return violation(c, "with a nonce that is too short or too long");
	r = agent_attest(c->a, q.nonce, &out, &e);
	answer(c->a, q.tag, &out, r, &e);
	return 0;
}

static int on_sync(struct ctx *c)
{
	arena_auto tmp = {0};
	struct wire_ask ask;
	int r = BODY(c, wire_ask_table, &ask, &tmp);

	if (r < 0)
		return r;
	if (c->a->syncing)
		return violation(c, "twice");
	agent_kill_all(c->a);
	c->a->syncing = true;
	c->a->sync_tag = ask.tag;
	return 0;
}

static int on_shutdown(struct ctx *c)
{
	c->a->over = true;
	return 0;
}

static int on_ping(struct ctx *c)
{
	agent_put(c->a, WIRE_PONG, 0, 0, c->p, c->n);
	return 0;
}

static const struct {
	uint8_t type;
	int (*fn)(struct ctx *c);
} handlers[] = {
	{WIRE_DATA, on_data},	    {WIRE_CREDIT, on_credit},	  {WIRE_EOF, on_eof},
	{WIRE_HELLO, on_hello},	    {WIRE_POLICY, on_policy},	  {WIRE_NET, on_net},
	{WIRE_CLOCK, on_clock},	    {WIRE_SECRET, on_secret},	  {WIRE_PREPARE, on_prepare},
	{WIRE_START, on_start},	    {WIRE_EXEC, on_exec},	  {WIRE_SIGNAL, on_signal},
	{WIRE_RESIZE, on_resize},   {WIRE_STATS, on_stats},	  {WIRE_PS, on_ps},
	{WIRE_INSPECT, on_inspect}, {WIRE_UPDATE, on_update},	  {WIRE_SYNC, on_sync},
	{WIRE_PING, on_ping},	    {WIRE_SHUTDOWN, on_shutdown}, {WIRE_ATTEST, on_attest},
	{WIRE_RELAYED, on_relayed},
};

int agent_handle(struct agent *a, const struct wire_head *h, const uint8_t *p, size_t n,
		 struct err *e)
{
	struct ctx c = {a, h, p, n, e};

	for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
		if (handlers[i].type == h->type)
			return handlers[i].fn(&c);
	return violation(&c, "which this agent does not know");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets from a broker (kavach-broker(7)), got by the guest itself between PREPARE and the first process: hello, challenge,
 * evidence about the broker's nonce and the keeper's key, answer. The host passes the lines on and can do no more than not to
 * do it. What is in them is for the keeper: the agent has no parser for what comes from outside.
 *
 * A secret that may be missing is one that the container starts without, if nobody answers or the broker refuses.
 */
#include <string.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "exec/secret_block.h"
#include "keeper/proto.h"

#define HELLO "{\"type\":\"kavach-broker-hello\",\"version\":1}"

static bool is_brokers(const struct pol_secret *s)
{
	return s->source == POL_SECRET_FROM_BROKER && s->from.n == 1;
}

bool broker_wanted(const struct policy *p)
{
	for (size_t i = 0; i < p->secrets.n; i++)
		if (is_brokers(&p->secrets.v[i]))
			return true;
	return false;
}

/* What the broker calls them, each once. */
static void collect_names(struct agent *a)
{
	const struct policy *p = a->policy;
	struct strs *l = &a->broker.names;

	l->v = arena_array(&a->a, p->secrets.n, sizeof(*l->v));
	for (size_t i = 0; i < p->secrets.n; i++)
		if (is_brokers(&p->secrets.v[i]) && !strs_has(l, p->secrets.v[i].from.v[0]))
			l->v[l->n++] = p->secrets.v[i].from.v[0];
}

static void relay(struct agent *a, const void *line, size_t n)
{
	const struct wire_relay r = {.tag = ++a->broker.tag,
				     .line = {(uint8_t *) (uintptr_t) line, n}};

	agent_put_body(a, WIRE_RELAY, 0, &wire_relay_table, &r);
}

void broker_begin(struct agent *a)
{
	collect_names(a);
	a->broker.step = BROKER_GREETS;
	relay(a, HELLO, strlen(HELLO));
}

/* ---- the challenge ---- */

static int on_challenge(struct agent *a, struct bytes line, struct err *e)
{
	buf_auto doc = BUF_WRITER(WIRE_RELAY_MAX), q = BUF_WRITER(WIRE_RELAY_MAX);
	uint8_t reply[512];
	struct jsonw w;
	size_t n;
	int r = keeper_ask(a, KEEPER_CHALLENGE, line.v, line.n, KEEPER_NONCE, reply, sizeof(reply),
			   &n, e);

	if (r < 0)
		return r;
	if (n < KEEPER_NONCE_MIN || n > KEEPER_NONCE_MAX)
		return err_set(e, -EPROTO, KEEPER_NAME " gave no nonce");
	a->broker.nonce = (struct bytes){arena_memdup(&a->a, reply, n), n};
	r = agent_attest(a, a->broker.nonce, &doc, e);
	if (r < 0)
		return r;
	buf_put_u8(&doc, '\0');
	jw_init(&w, &q, false);
	jw_obj(&w);
	jw_kstr(&w, "type", "kavach-broker-request");
	jw_ku64(&w, "version", 1);
	jw_key(&w, "evidence");
	jw_raw(&w, doc.bad ? "null" : (const char *) doc.p);
	jw_kstrs(&w, "names", &a->broker.names);
	jw_obj_end(&w);
	if (doc.bad || q.bad)
		return err_set(e, -EFBIG, "the evidence is too long for a broker");
	a->broker.step = BROKER_ASKS;
	relay(a, q.p, q.n);
	return 0;
}

/* ---- the answer ---- */

/* The values in a block, each for the secrets that are called so: pointers into it, in the order of the names. */
static int split_values(const struct secret_block *b, size_t n, struct bytes *ret, struct err *e)
{
	struct buf in = BUF_READER(b->p, b->n);

	for (size_t i = 0; i < n; i++) {
		uint32_t len = buf_get_u32(&in);

		ret[i] = (struct bytes){(uint8_t *) (uintptr_t) buf_get(&in, len), len};
	}
	return in.bad || buf_left(&in) ? err_set(e, -EPROTO, KEEPER_NAME " gave no values") : 0;
}

static const struct bytes *value_of(const struct agent *a, const struct bytes *values,
				    const char *name)
{
	for (size_t i = 0; i < a->broker.names.n; i++)
		if (str_eq(a->broker.names.v[i], name))
			return &values[i];
	return NULL;
}

static int put_secret(struct secret_block *to, const struct pol_secret *s, const struct bytes *v,
		      struct err *e)
{
	struct secret_slot slot;
	uint8_t *at;
	size_t room;
	ssize_t n = v ? secret_fit(s, v->v, v->n, e) : err_set(e, -ENOKEY, "it did not come");

	if (n < 0)
		return (int) n;
	if (secret_begin(to, s, &slot, &at, &room) < 0 || (size_t) n > room)
		return err_set(e, -ENOSPC, "all secrets together are more than %u KiB",
			       SECRET_BLOCK_MAX >> 10);
	memcpy(at, v->v, (size_t) n);
	secret_end(to, &slot, (size_t) n);
	return 0;
}

static int fill_block(struct agent *a, const struct secret_block *from, struct secret_block *to,
		      struct err *e)
{
	const struct policy *p = a->policy;
	struct bytes values[SECRET_ITEMS_MAX];
	int r = a->broker.names.n > SECRET_ITEMS_MAX
			? err_set(e, -E2BIG, "too many secrets")
			: split_values(from, a->broker.names.n, values, e);

	for (size_t i = 0; i < p->secrets.n && r == 0; i++) {
		const struct pol_secret *s = &p->secrets.v[i];

		if (!is_brokers(s))
			continue;
		r = put_secret(to, s, value_of(a, values, s->from.v[0]), e);
		if (r < 0)
			err_context(e, "secret %s", s->name);
		if (r < 0 && !s->required) {
			agent_log(a, e->msg);
			err_clear(e);
			r = 0;
		}
	}
	return r;
}

/* What the keeper is asked: proto.h has the form. */
static void put_question(struct agent *a, struct bytes line, struct buf *q)
{
	buf_put_str(q, a->policy->vm.broker_key);
	buf_put_bytes(q, a->broker.nonce.v, a->broker.nonce.n);
	buf_put_u32(q, (uint32_t) a->broker.names.n);
	for (size_t i = 0; i < a->broker.names.n; i++)
		buf_put_str(q, a->broker.names.v[i]);
	buf_put_bytes(q, line.v, line.n);
}

static int on_answer(struct agent *a, struct bytes line, struct err *e)
{
	buf_auto q = BUF_WRITER(KEEPER_FRAME_MAX);
	secret_block_auto came = {0}, block = {0};
	int r;

	put_question(a, line, &q);
	if (q.bad)
		return err_set(e, -EFBIG, "the broker's answer is too long");
	r = secret_block_open(&came, e);
	if (r == 0)
		r = secret_block_open(&block, e);
	if (r == 0)
		r = keeper_ask(a, KEEPER_ANSWER, q.p, q.n, KEEPER_VALUES, came.p, SECRET_BLOCK_MAX,
			       &came.n, e);
	if (r == 0)
		r = fill_block(a, &came, &block, e);
	if (r == 0)
		r = agent_secrets_take(a, 1, block.p, block.n, e);
	if (r == 0)
		a->broker.step = BROKER_IS_DONE;
	return r;
}

/* ---- */

/* The exchange came to nothing. That is the end of a container that needs one of the secrets. */
static int without(struct agent *a, struct err *e)
{
	const struct policy *p = a->policy;

	a->broker.step = BROKER_IS_DONE;
	if (str_prefix(e->msg, "secret ")) /* one that is required was not fit to be given */
		return e->code;
	for (size_t i = 0; i < p->secrets.n; i++)
		if (is_brokers(&p->secrets.v[i]) && p->secrets.v[i].required)
			return err_context(e, "secret %s", p->secrets.v[i].name);
	err_context(e,
		    "the container goes without the broker's secrets, none of which is required");
	agent_log(a, e->msg);
	err_clear(e);
	return 0;
}

int broker_relayed(struct agent *a, const struct wire_relayed *r, bool *ret_done, struct err *e)
{
	struct err why = ERR_INIT;
	int err;

	if (r->fail)
		err = err_set(&why, -EIO, "%s", r->fail);
	else if (a->broker.step == BROKER_GREETS)
		err = on_challenge(a, r->line, &why);
	else
		err = on_answer(a, r->line, &why);
	if (err < 0) {
		*e = why;
		err = without(a, e);
	}
	*ret_done = a->broker.step == BROKER_IS_DONE;
	if (*ret_done) /* whatever came of it, nobody needs the private key any more */
		a->keeper = fd_close(a->keeper);
	return err;
}

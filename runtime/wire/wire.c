/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: one table says of each type which way it goes, how long it may be, on which streams, and in which phases.
 * Both ends read and judge by this table, so what one of them sends and the other refuses cannot be a matter of opinion.
 */
#include "wire/wire.h"

#include <errno.h>
#include <string.h>

/* Which streams a frame may be on. */
enum on { ON_CONTROL, ON_PROCESS /* 1... */, ON_EXEC /* 2... */, ON_ANY };
/* What its sub may be. */
enum sub { SUB_NONE, SUB_PART, SUB_IN /* fd 0 */, SUB_OUT /* fd 1 or 2 */ };

/* Phases as a set. */
#define IN(p) (1u << WIRE_PH_##p)
#define ANY_PHASE (IN(BOOT) | IN(HELLO) | FROM_POLICY)
#define FROM_HELLO (IN(HELLO) | FROM_POLICY)
#define FROM_POLICY (IN(POLICY) | FROM_PREPARED)
#define FROM_PREPARED (IN(PREPARED) | FROM_RUNNING)
#define FROM_RUNNING (IN(RUNNING) | IN(EXITED))

#define TEXT_MAX 4096
#define ASK 8 /* one number of the codec */

struct rule {
	const char *name;
	uint8_t type, dir;
	enum sub sub;
	enum on on;
	uint32_t min, max;
	unsigned phases;
	enum wire_phase next; /* where it leads to; 0: nowhere else */
};

#define G WIRE_TO_GUEST
#define H WIRE_TO_HOST
static const struct rule rules[] = {
	/* clang-format off */
	{"HELLO",      WIRE_HELLO,      G, SUB_NONE, ON_CONTROL, 1, TEXT_MAX,         IN(BOOT), 0},
	{"POLICY",     WIRE_POLICY,     G, SUB_PART, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, IN(HELLO), 0},
	{"FILE",       WIRE_FILE,       G, SUB_PART, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, 0, 0}, /* reserved */
	{"NET",        WIRE_NET,        G, SUB_NONE, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, IN(POLICY) | IN(PREPARED), 0},
	{"CLOCK",      WIRE_CLOCK,      G, SUB_NONE, ON_CONTROL, ASK, ASK,            FROM_POLICY, 0},
	{"PREPARE",    WIRE_PREPARE,    G, SUB_PART, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, IN(POLICY), 0},
	{"START",      WIRE_START,      G, SUB_NONE, ON_CONTROL, 0, 0,                IN(PREPARED), 0},
	{"EXEC",       WIRE_EXEC,       G, SUB_PART, ON_EXEC,    1, WIRE_PAYLOAD_MAX, FROM_RUNNING, 0},
	{"SIGNAL",     WIRE_SIGNAL,     G, SUB_NONE, ON_PROCESS, 1, TEXT_MAX,         FROM_PREPARED, 0},
	{"RESIZE",     WIRE_RESIZE,     G, SUB_NONE, ON_PROCESS, 1, TEXT_MAX,         FROM_PREPARED, 0},
	{"STATS",      WIRE_STATS,      G, SUB_NONE, ON_CONTROL, ASK, ASK,            FROM_PREPARED, 0},
	{"PS",         WIRE_PS,         G, SUB_NONE, ON_CONTROL, ASK, ASK,            FROM_PREPARED, 0},
	{"INSPECT",    WIRE_INSPECT,    G, SUB_NONE, ON_CONTROL, ASK, ASK,            FROM_PREPARED, 0},
	{"UPDATE",     WIRE_UPDATE,     G, SUB_PART, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, FROM_PREPARED, 0},
	{"SYNC",       WIRE_SYNC,       G, SUB_NONE, ON_CONTROL, ASK, ASK,            FROM_HELLO, 0},
	{"SHUTDOWN",   WIRE_SHUTDOWN,   G, SUB_NONE, ON_CONTROL, 0, 0,                ANY_PHASE, 0},
	{"PING",       WIRE_PING,       G, SUB_NONE, ON_CONTROL, 1, 64,               FROM_HELLO, 0},
	{"SECRET",     WIRE_SECRET,     G, SUB_PART, ON_PROCESS, 1, WIRE_PAYLOAD_MAX, IN(POLICY) | FROM_RUNNING, 0},
	{"ATTEST",     WIRE_ATTEST,     G, SUB_NONE, ON_CONTROL, 1, TEXT_MAX,         FROM_PREPARED, 0},
	{"RELAYED",    WIRE_RELAYED,    G, SUB_PART, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, IN(POLICY), 0},
	{"DATA",       WIRE_DATA,       G, SUB_IN,   ON_PROCESS, 1, WIRE_DATA_MAX,    FROM_POLICY, 0},
	{"EOF",        WIRE_EOF,        G, SUB_IN,   ON_PROCESS, 0, 0,                FROM_POLICY, 0},
	{"CREDIT",     WIRE_CREDIT,     G, SUB_OUT,  ON_PROCESS, 4, 4,                FROM_POLICY, 0},

	{"HELLO_BACK", WIRE_HELLO_BACK, H, SUB_NONE, ON_CONTROL, 1, TEXT_MAX,         IN(BOOT), WIRE_PH_HELLO},
	{"VERDICT",    WIRE_VERDICT,    H, SUB_NONE, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, IN(HELLO), WIRE_PH_POLICY},
	{"PREPARED",   WIRE_PREPARED,   H, SUB_NONE, ON_CONTROL, 0, 0,                IN(POLICY), WIRE_PH_PREPARED},
	{"STARTED",    WIRE_STARTED,    H, SUB_NONE, ON_PROCESS, 0, 0,                FROM_PREPARED, WIRE_PH_RUNNING},
	{"FAIL",       WIRE_FAIL,       H, SUB_NONE, ON_ANY,     1, TEXT_MAX,         ANY_PHASE, 0},
	{"EXIT",       WIRE_EXIT,       H, SUB_NONE, ON_PROCESS, 1, TEXT_MAX,         FROM_RUNNING, WIRE_PH_EXITED},
	{"DRAINED",    WIRE_DRAINED,    H, SUB_NONE, ON_PROCESS, 0, 0,                FROM_RUNNING, 0},
	{"REPLY",      WIRE_REPLY,      H, SUB_PART, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, FROM_PREPARED, 0},
	{"EVENT",      WIRE_EVENT,      H, SUB_NONE, ON_CONTROL, ASK, ASK,            FROM_PREPARED, 0},
	{"DONE",       WIRE_DONE,       H, SUB_NONE, ON_CONTROL, ASK, ASK,            FROM_HELLO, 0},
	{"PONG",       WIRE_PONG,       H, SUB_NONE, ON_CONTROL, 1, 64,               FROM_HELLO, 0},
	{"RELAY",      WIRE_RELAY,      H, SUB_PART, ON_CONTROL, 1, WIRE_PAYLOAD_MAX, IN(POLICY), 0},
	{"LOG",        WIRE_LOG,        H, SUB_NONE, ON_CONTROL, 1, TEXT_MAX,         ANY_PHASE, 0},
	{"DATA",       WIRE_DATA,       H, SUB_OUT,  ON_PROCESS, 1, WIRE_DATA_MAX,    FROM_POLICY, 0},
	{"EOF",        WIRE_EOF,        H, SUB_OUT,  ON_PROCESS, 0, 0,                FROM_POLICY, 0},
	{"CREDIT",     WIRE_CREDIT,     H, SUB_IN,   ON_PROCESS, 4, 4,                FROM_POLICY, 0},
	/* clang-format on */
};

static const struct rule *find(uint8_t type, enum wire_dir dir)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].type == type && rules[i].dir == dir)
			return &rules[i];
	return NULL;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t) (v >> 8 * i);
}

static uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

void wire_put_head(uint8_t buf[WIRE_HEAD], const struct wire_head *h)
{
	put_u32(buf, h->length);
	put_u32(buf + 4, h->stream);
	buf[8] = h->type;
	buf[9] = h->sub;
	buf[10] = buf[11] = 0;
}

static bool stream_fits(enum on on, uint32_t stream)
{
	switch (on) {
	case ON_CONTROL: return stream == 0;
	case ON_PROCESS: return stream >= 1;
	case ON_EXEC: return stream >= 2;
	case ON_ANY: return true;
	}
	return false;
}

static bool sub_fits(enum sub want, uint8_t sub)
{
	switch (want) {
	case SUB_NONE:
	case SUB_IN: return sub == 0;
	case SUB_PART: return sub == WIRE_LAST || sub == WIRE_MORE;
	case SUB_OUT: return sub == 1 || sub == 2;
	}
	return false;
}

long wire_parse(const void *buf, size_t n, enum wire_dir dir, struct wire_head *ret)
{
	const uint8_t *p = buf;
	const struct rule *r;
	struct wire_head h;

	if (n < WIRE_HEAD)
		return 0;
	h = (struct wire_head){get_u32(p), get_u32(p + 4), p[8], p[9]};
	r = find(h.type, dir);
	if (!r || p[10] || p[11] || h.length < r->min || h.length > r->max ||
	    !stream_fits(r->on, h.stream) || !sub_fits(r->sub, h.sub))
		return -EBADMSG;
	*ret = h;
	return n - WIRE_HEAD < h.length ? 0 : (long) (WIRE_HEAD + h.length);
}

bool wire_allowed(enum wire_phase ph, enum wire_dir dir, const struct wire_head *h)
{
	const struct rule *r = find(h->type, dir);

	if (!r || ph < WIRE_PH_BOOT || ph >= WIRE_PH_MAX || !(r->phases >> ph & 1))
		return false;
	/* The first process starts once and ends once; execs come and go while it runs, and their ends may be told after its. */
	if (dir == WIRE_TO_HOST && h->type == WIRE_STARTED)
		return (h->stream == 1) == (ph == WIRE_PH_PREPARED);
	if (dir == WIRE_TO_HOST && h->type == WIRE_EXIT && h->stream == 1)
		return ph == WIRE_PH_RUNNING;
	return true;
}

enum wire_phase wire_next(enum wire_phase ph, enum wire_dir dir, const struct wire_head *h)
{
	const struct rule *r = find(h->type, dir);

	if (!r || !r->next || (r->on == ON_PROCESS && h->stream != 1))
		return ph;
	return r->next;
}

const char *wire_type_name(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].type == type)
			return rules[i].name;
	return "?";
}

/* ---- writing ---- */

void wire_put(struct buf *b, uint8_t type, uint8_t sub, uint32_t stream, const void *p, size_t n)
{
	uint8_t head[WIRE_HEAD];

	if (n > WIRE_PAYLOAD_MAX) {
		b->bad = true;
		return;
	}
	wire_put_head(head, &(struct wire_head){(uint32_t) n, stream, type, sub});
	buf_put(b, head, sizeof(head));
	buf_put(b, p, n);
}

void wire_put_parts(struct buf *b, uint8_t type, uint32_t stream, const void *p, size_t n)
{
	const uint8_t *at = p;

	if (n > WIRE_PARTS_MAX)
		b->bad = true;
	for (; n > WIRE_PAYLOAD_MAX && !b->bad; at += WIRE_PAYLOAD_MAX, n -= WIRE_PAYLOAD_MAX)
		wire_put(b, type, WIRE_MORE, stream, at, WIRE_PAYLOAD_MAX);
	wire_put(b, type, WIRE_LAST, stream, at, n);
}

/* ---- parts ---- */

bool wire_in_parts(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].type == type)
			return rules[i].sub == SUB_PART;
	return false;
}

static bool comes_between(uint8_t type)
{
	return type == WIRE_DATA || type == WIRE_EOF || type == WIRE_CREDIT;
}

int wire_parts_add(struct wire_parts *p, const struct wire_head *h, const void *payload)
{
	if (comes_between(h->type))
		return 0;
	if (p->open && (h->type != p->type || h->stream != p->stream))
		return -EBADMSG;
	if (!wire_in_parts(h->type))
		return 0;
	if (!p->open) {
		p->b.n = p->b.pos = 0;
		p->b.bad = false;
	}
	p->b.wipe |= h->type == WIRE_SECRET;
	p->type = h->type;
	p->stream = h->stream;
	p->open = h->sub == WIRE_MORE;
	buf_put(&p->b, payload, h->length);
	if (p->b.bad)
		return -EBADMSG;
	return p->open ? 0 : 1;
}

void wire_parts_wipe(struct wire_parts *p)
{
	buf_wipe(&p->b);
}

void wire_parts_free(struct wire_parts *p)
{
	buf_free(&p->b);
	p->b = BUF_WRITER(WIRE_PARTS_MAX);
	p->open = false;
}

/* ---- credit ---- */

int wire_flow_take(struct wire_flow *f, uint32_t n)
{
	if (n > f->window)
		return -EBADMSG;
	f->window -= n;
	return 0;
}

int wire_flow_give(struct wire_flow *f, uint32_t n)
{
	if (n == 0 || n > WIRE_WINDOW - f->window)
		return -EBADMSG;
	f->window += n;
	return 0;
}

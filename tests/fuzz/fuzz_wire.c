/* SPDX-License-Identifier: Apache-2.0 */
/* libs: wire policy base */
/*
 * Any bytes as what came over the wire, at both ends. Whatever is taken for a frame is what would be written for its head;
 * parts come together to what they hold; each payload is malformed or encodes to the same bytes again.
 */
#include <assert.h>
#include <string.h>

#include "wire/body.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	uint8_t type;
	const struct ctable *t;
} bodies[] = {
	{WIRE_HELLO, &wire_hello_table},
	{WIRE_NET, &wire_net_table},
	{WIRE_CLOCK, &wire_clock_table},
	{WIRE_PREPARE, &wire_prepare_table},
	{WIRE_EXEC, &wire_exec_table},
	{WIRE_SIGNAL, &wire_signal_table},
	{WIRE_RESIZE, &wire_resize_table},
	{WIRE_STATS, &wire_ask_table},
	{WIRE_UPDATE, &wire_update_table},
	{WIRE_ATTEST, &wire_attest_table},
	{WIRE_HELLO_BACK, &wire_hello_back_table},
	{WIRE_VERDICT, &wire_verdict_table},
	{WIRE_FAIL, &wire_fail_table},
	{WIRE_EXIT, &wire_exit_table},
	{WIRE_REPLY, &wire_reply_table},
	{WIRE_EVENT, &wire_event_table},
	{WIRE_INSPECT, &wire_facts_table}, /* what is in the reply */
	{WIRE_RELAY, &wire_relay_table},
	{WIRE_RELAYED, &wire_relayed_table},
};

static void try_body(uint8_t type, const void *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		arena_auto a = {0};
		buf_auto b = BUF_WRITER(WIRE_PARTS_MAX);
		struct err e = ERR_INIT;
		union {
			struct wire_prepare prepare;
			struct wire_net net;
			struct wire_exec exec;
			struct wire_hello_back hello;
			struct wire_fail fail;
			struct wire_exit exit;
			struct wire_verdict verdict;
			uint8_t room[256];
		} u;

		if (bodies[i].type != type)
			continue;
		assert(bodies[i].t->size <= sizeof(u));
		if (wire_body(p, n, bodies[i].t, &u, &a, &e) < 0) {
			assert(e.code == -EBADMSG);
			continue;
		}
		codec_encode(&b, bodies[i].t, &u);
		assert(!b.bad && b.n == n && (n == 0 || !memcmp(b.p, p, n)));
	}
}

static void stream(const uint8_t *data, size_t size, enum wire_dir dir)
{
	struct wire_parts parts = WIRE_PARTS_INIT;
	enum wire_phase ph = WIRE_PH_BOOT;
	struct wire_head h;

	for (;;) {
		long n = wire_parse(data, size, dir, &h);
		uint8_t head[WIRE_HEAD];
		int r;

		if (n <= 0) {
			assert(n == 0 || n == -EBADMSG);
			break;
		}
		assert((size_t) n <= size && (size_t) n == WIRE_HEAD + h.length);
		wire_put_head(head, &h);
		assert(!memcmp(head, data, WIRE_HEAD));
		if (wire_allowed(ph, dir, &h))
			ph = wire_next(ph, dir, &h);
		r = wire_parts_add(&parts, &h, data + WIRE_HEAD);
		assert(r == 0 || r == 1 || r == -EBADMSG);
		if (r < 0)
			break;
		if (r == 1)
			try_body(h.type, parts.b.p, parts.b.n);
		else if (!wire_in_parts(h.type))
			try_body(h.type, data + WIRE_HEAD, h.length);
		data += n;
		size -= (size_t) n;
	}
	wire_parts_free(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stream(data, size, WIRE_TO_GUEST);
	stream(data, size, WIRE_TO_HOST);
	/* as a payload of each kind, which needs no frame around it */
	for (size_t i = 0; size && i < ARRAY_LEN(bodies); i++)
		if (data[0] % ARRAY_LEN(bodies) == i)
			try_body(bodies[i].type, data + 1, size - 1);
	return 0;
}

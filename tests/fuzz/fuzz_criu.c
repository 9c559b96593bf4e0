/* SPDX-License-Identifier: Apache-2.0 */
/* libs: criu policy base */
/*
 * Any bytes as an answer of CRIU and as a request: refused, or a message that gives the same one when it is encoded and
 * decoded again. The same bytes as its log and as a mountinfo: nothing but text comes out.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "criu/criu.h"
#include "criu/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const uint8_t *data, size_t size, const struct rpc_table *t)
{
	buf_auto first = BUF_WRITER(16u << 20), second = BUF_WRITER(16u << 20);
	_Alignas(16) char msg[1024], again[1024];
	arena_auto a = {0};
	int r;

	assert(t->size <= sizeof(msg));
	r = rpc_decode(data, size, t, msg, &a);
	if (r < 0) {
		assert(r == -EBADMSG);
		return;
	}
	rpc_encode(&first, t, msg);
	assert(!first.bad);
	assert(rpc_decode(first.p, first.n, t, again, &a) == 0);
	rpc_encode(&second, t, again);
	assert(!second.bad && first.n == second.n &&
	       (!first.n || !memcmp(first.p, second.p, first.n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mountinfo *m;
	arena_auto a = {0};
	char *text;

	if (size > 65536)
		return 0;
	round_trip(data, size, &rpc_resp_table);
	round_trip(data, size, &rpc_req_table);
	text = criu_log_excerpt((const char *) data, size, &a);
	assert(!text || strlen(text) <= size * 2 + 16);
	for (size_t n = mountinfo_parse((const char *) data, size, &a, &m); n-- > 0;)
		assert(m[n].place[0] == '/' && strlen(m[n].place) < size);
	return 0;
}

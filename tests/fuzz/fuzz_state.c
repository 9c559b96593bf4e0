/* SPDX-License-Identifier: Apache-2.0 */
/* libs: state cgroup exec hooks policy host json base */
/*
 * Any bytes as a container's state record. What is accepted is encoded to the very same bytes again, and later commands
 * can act on it: every path that they signal, remove or run is there and absolute.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "state/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_hooks(const pol_hooks *h)
{
	for (size_t i = 0; i < h->n; i++)
		assert(h->v[i].path[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	buf_auto again = BUF_WRITER(size + 1);
	struct state_record r = {.pid = -7};
	struct err e = ERR_INIT;
	arena_auto a = {0};

	if (state_record_decode(data, size, &a, &r, &e) < 0) {
		assert(e.code < 0 && e.msg[0] && r.pid == -7);
		return 0;
	}
	assert(r.pid >= 0);
	for (size_t i = 0; i < r.cg.hier.n; i++)
		assert(r.cg.hier.v[i].name && r.cg.hier.v[i].mount[0] == '/' &&
		       r.cg.hier.v[i].path[1]);
	check_hooks(&r.poststart);
	check_hooks(&r.poststop);
	state_record_encode(&again, &r);
	assert(!again.bad && again.n == size && !memcmp(again.p, data, size));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: state cgroup exec hooks policy host json base */
/*
 * Any bytes as one of the encoded documents: the policy, the stage's boot block, the state record; the
 * first byte says which. What is accepted is encoded to the very same bytes again: one encoding per value.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "exec/stage.h"
#include "policy/codec.h"
#include "state/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_policy(const uint8_t *data, size_t size)
{
	buf_auto again = BUF_WRITER(size + 1);
	arena_auto a = {0};
	const struct policy *p;
	struct err e = ERR_INIT;

	if (policy_decode(data, size, &a, &p, &e) < 0) {
		assert(e.code < 0 && e.msg[0]);
		return;
	}
	policy_encode(&again, p);
	assert(!again.bad && again.n == size && !memcmp(again.p, data, size));
}

static void try_table(const struct ctable *t, const uint8_t *data, size_t size)
{
	buf_auto again = BUF_WRITER(size + 1);
	struct buf in = BUF_READER(data, size);
	arena_auto a = {0};
	void *obj = arena_alloc(&a, t->size);

	codec_decode(&in, t, obj, &a);
	if (in.bad)
		return;
	codec_encode(&again, t, obj);
	assert(!again.bad && again.n == in.pos && !memcmp(again.p, data, in.pos));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0] & 3) {
	case 0: try_policy(data + 1, size - 1); break;
	case 1: try_table(&stage_boot_table, data + 1, size - 1); break;
	case 2: try_table(&state_table, data + 1, size - 1); break;
	case 3: try_table(&pol_process_table, data + 1, size - 1); break;
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/*
 * Any bytes as config.json, all the way to the sealed policy: refused with a message, or a policy that its
 * encoding gives back byte for byte, that has a score within bounds and can be explained.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "policy/build.h"
#include "policy/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const char *const fuzz_more_corpora[];
const char *const fuzz_more_corpora[] = {"tests/golden/ok", NULL};

/* A host that has everything, so that nothing is refused for want of it. */
static const struct host host = {
	.caps = UINT64_MAX >> 23,
	.last_cap = 40,
	.cgroup = CG_V2,
	.kernel = 0x060100,
	.machine = "x86_64",
	.time_ns = true,
	.cgroup_ns = true,
	.user_ns = true,
};

static void check_policy(const struct policy *p, struct arena *a)
{
	buf_auto once = BUF_WRITER(16u << 20), twice = BUF_WRITER(16u << 20),
		 text = BUF_WRITER(16u << 20);
	const struct policy *back;
	struct score score;
	struct err e = ERR_INIT;
	int r;

	policy_encode(&once, p);
	if (once.bad)
		return; /* larger than a policy may be: bundle_load() refuses that */
	r = policy_decode(once.p, once.n, a, &back, &e);
	assert(!r);
	policy_encode(&twice, back);
	assert(!twice.bad && twice.n == once.n && !memcmp(once.p, twice.p, once.n));

	policy_score(p, a, &score);
	assert(score.total >= 0 && score.total <= 100 && score.label);
	policy_explain(&text, p, &score, NULL, false);
	policy_explain_json(&text, p, &score, NULL, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct policy_input in = {
		.bundle = "/bundle",
		.config_name = "config.json",
		.backend_floor = POL_BACKEND_PROCESS,
	};
	const struct rules rules = {0};
	arena_auto a = {0};
	const struct spec *spec;
	const struct policy *policy;
	struct err e = ERR_INIT;
	int r;

	r = spec_parse("config.json", (const char *) data, size, &a, &spec, &e);
	if (!r)
		r = policy_build(spec, &rules, &host, &in, &a, &policy, &e);
	assert(r <= 0 && !r == !e.code);
	if (r < 0)
		assert(e.msg[0] && !strchr(e.msg, '\n'));
	else
		check_policy(policy, &a);
	return 0;
}

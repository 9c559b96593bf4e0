/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/*
 * A config on hosts of all kinds: the first byte chooses facts of the host, the second one what the command
 * line and the site say, the rest is config.json. A decision is the same when it is made twice, does not
 * depend on anything else, and what the site demands holds for whatever is accepted.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "policy/build.h"
#include "policy/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct host host_of(uint8_t bits)
{
	return (struct host){
		.euid = bits & 1 ? 1000 : 0,
		.rootless = bits & 1,
		.caps = bits & 2 ? UINT64_MAX >> 23 : 0x20fb,
		.last_cap = bits & 4 ? 40 : 37,
		.cgroup = (enum cg_layout)(bits >> 3 & 3),
		.apparmor = bits & 0x20,
		.selinux = bits & 0x20,
		.kernel = 0x060100,
		.machine = "x86_64",
		.time_ns = bits & 0x40,
		.cgroup_ns = bits & 0x40,
		.user_ns = !(bits & 0x80),
	};
}

static void encode(const char *text, size_t size, const struct rules *rules,
		   const struct host *host, const struct policy_input *in, struct buf *ret)
{
	arena_auto a = {0};
	const struct spec *spec;
	const struct policy *p;
	struct score score;
	struct err e = ERR_INIT;

	if (spec_parse("config.json", text, size, &a, &spec, &e) < 0)
		return;
	if (policy_build(spec, rules, host, in, &a, &p, &e) < 0) {
		assert(e.id == ERR_CONFIG && e.code == -EINVAL && e.msg[0]);
		buf_put(ret, e.msg, strlen(e.msg));
		return;
	}
	policy_score(p, &a, &score);
	assert(!rules->v[0].min_strength.set ||
	       (uint64_t) score.total >= rules->v[0].min_strength.v);
	assert(p->preset >= rules->v[0].preset && p->backend >= p->backend_floor);
	assert(!rules->v[0].forbid.n || p->process.no_new_privs || !p->has_process);
	assert(p->preset < POL_PRESET_BASIC || p->seccomp.set);
	assert(p->preset < POL_PRESET_STRICT || (p->rootfs_readonly && p->resources.pids.v <= 64));
	policy_encode(ret, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;

	const struct host host = host_of(data[0]);
	const struct policy_input in = {
		.bundle = "/bundle",
		.config_name = "config.json",
		.backend_floor = POL_BACKEND_PROCESS,
		.cg_manager = data[1] & 3,
		.need_process = data[1] & 4,
		.no_pivot = data[1] & 8,
	};
	uint64_t forbidden[] = {RULE_NEW_PRIVILEGES, RULE_PRIVILEGED, RULE_HOST_PID};
	const struct rule rule = {
		.at = {"p.json", ""},
		.preset = data[1] >> 4 & 3,
		.min_strength = {data[1] & 0x40, 50},
		.forbid = {forbidden, data[1] & 0x80 ? 3 : 0},
		.caps_allowed = {data[1] & 0x80, 0x20fb},
	};
	const struct rules rules = {.v = &rule, .n = 1};
	buf_auto once = BUF_WRITER(16u << 20), twice = BUF_WRITER(16u << 20);

	encode((const char *) data + 2, size - 2, &rules, &host, &in, &once);
	encode((const char *) data + 2, size - 2, &rules, &host, &in, &twice);
	assert(once.n == twice.n && (!once.n || !memcmp(once.p, twice.p, once.n)));
	return 0;
}

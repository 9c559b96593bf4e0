/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/*
 * A rules file, after one that is good. What is accepted can be printed, is the same when it is read twice, and decides
 * about a container without a fault; what is refused has said why. Each "seccompProfile" gets the same profile.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "policy/build.h"
#include "policy/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] =
	"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"/srv/root\"},\"annotations\":{\"a\":\"b\"},"
	"\"mounts\":[{\"destination\":\"/x\",\"source\":\"/etc/x\",\"options\":[\"rbind\"]}],"
	"\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],\"user\":{\"uid\":0,\"gid\":0}},"
	"\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}";

static int profile(void *arg, const char *path, struct arena *a, struct bytes *ret, struct err *e)
{
	static const char text[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}";

	(void) arg;
	(void) path;
	(void) e;
	*ret = (struct bytes){arena_memdup(a, text, sizeof(text)), sizeof(text) - 1};
	return 0;
}

static void decide(const struct rules *rules, struct arena *a, struct buf *ret)
{
	static const struct host host = {
		.caps = UINT64_MAX >> 23, .last_cap = 40, .cgroup = CG_V2, .machine = "x86_64"};
	struct rules_report report = {0};
	const struct policy_input in = {.bundle = "/b", .need_process = true, .report = &report};
	const struct policy *p;
	const struct spec *s;
	struct err e = ERR_INIT;

	if (spec_parse("config.json", config, sizeof(config) - 1, a, &s, &e) < 0)
		assert(!"the config is good");
	if (policy_build(s, rules, &host, &in, a, &p, &e) == 0) {
		assert(!report.refused);
		policy_encode(ret, p);
	} else {
		assert(e.code < 0 && e.msg[0]);
		buf_put(ret, e.msg, strlen(e.msg));
	}
	rules_report_explain(ret, &report);
}

static void read_all(const uint8_t *data, size_t size, struct buf *ret)
{
	static const char first[] = "{\"minimumStrength\":1,\"require\":[\"terminal\"],\"rules\":"
				    "[{\"match\":{\"uids\":[0]},\"forbid\":[\"hooks\"]}],\"audit\":"
				    "{\"directory\":\"/a\"}}";
	const struct rules_source src = {profile, NULL};
	struct rules rules = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};

	if (rules_decode("1.json", first, sizeof(first) - 1, &src, &a, &rules, &e) < 0)
		assert(!"the first file is good");
	if (rules_decode("2.json", (const char *) data, size, &src, &a, &rules, &e) < 0) {
		assert(e.code < 0 && e.msg[0]);
		buf_put(ret, e.msg, strlen(e.msg));
		return;
	}
	rules_explain(ret, &rules);
	rules_json(ret, &rules);
	decide(&rules, &a, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	buf_auto once = BUF_WRITER(16u << 20), twice = BUF_WRITER(16u << 20);

	read_all(data, size, &once);
	read_all(data, size, &twice);
	assert(once.n == twice.n && !memcmp(once.p, twice.p, once.n));
	return 0;
}

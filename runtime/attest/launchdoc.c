/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/launchdoc.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/crypto.h"
#include "json/decode.h"

struct doc {
	char *type, *kind, *measurement;
	struct opt_u64 version, major, minor, build, policy;
};

static const struct name_val types[] = {{"kavach-launch", 1}};
static const struct name_val kinds[] = {{"sev", 1}, {"sev-es", 2}};

#define F(what, the_kind, member, ...)                                                             \
	{                                                                                          \
		.name = (what), .kind = (the_kind), .flags = J_REQUIRED,                           \
		.off = offsetof(struct doc, member), __VA_ARGS__                                   \
	}
static const struct jfield fields[] = {
	F("type", J_STR, type, .names = types, .n_names = 1),
	F("version", J_UINT, version, .min = 1, .max = 1),
	F("kind", J_STR, kind, .names = kinds, .n_names = 2),
	F("apiMajor", J_UINT, major, .max = UINT8_MAX),
	F("apiMinor", J_UINT, minor, .max = UINT8_MAX),
	F("build", J_UINT, build, .max = UINT8_MAX),
	F("policy", J_UINT, policy, .max = UINT32_MAX),
	F("measurement", J_STR, measurement),
};
static const struct jtable table = {fields, ARRAY_LEN(fields), sizeof(struct doc), J_STRICT, NULL};

int launch_doc_parse(const char *name, struct bytes text, struct arena *a, struct launch_doc *ret,
		     struct err *e)
{
	struct doc d = {0};
	struct json_doc j;
	struct bytes m;
	int r = json_read(name, (const char *) text.v, text.n, a, &j, e);

	if (r == 0)
		r = json_decode(&j, j.root, &table, &d, a, e);
	if (r < 0)
		return r;
	if (!base64_bytes(d.measurement, a, &m) || m.n != MEASURE_LEN + sizeof(ret->mnonce))
		return json_err(&j, json_get(j.root, "measurement"), e,
				"expected base64 of 48 bytes: measure and nonce");
	ret->es = str_eq(d.kind, "sev-es");
	ret->api_major = (uint8_t) d.major.v;
	ret->api_minor = (uint8_t) d.minor.v;
	ret->build = (uint8_t) d.build.v;
	ret->policy = (uint32_t) d.policy.v;
	memcpy(ret->measure, m.v, MEASURE_LEN);
	memcpy(ret->mnonce, m.v + MEASURE_LEN, sizeof(ret->mnonce));
	return 0;
}

int launch_doc_judge(const struct launch_doc *d, const struct session_keys *k, uint32_t policy,
		     const uint8_t digest[32], struct err *e)
{
	struct measure_input in = {.api_major = d->api_major,
				   .api_minor = d->api_minor,
				   .build = d->build,
				   .policy = policy};
	uint8_t want[MEASURE_LEN];

	if (d->policy != policy)
		return err_set(e, -EBADMSG, "guest policy: expected 0x%x, found 0x%x", policy,
			       d->policy);
	memcpy(in.launch_digest, digest, sizeof(in.launch_digest));
	memcpy(in.mnonce, d->mnonce, sizeof(in.mnonce));
	session_measure(k, &in, want);
	return crypto_equal(want, d->measure, sizeof(want))
		       ? 0
		       : err_set(e, -EBADMSG,
				 "launch measure: not that of this digest, policy and session: it is "
				 "another guest, or another platform");
}

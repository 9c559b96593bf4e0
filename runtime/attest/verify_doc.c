/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence documents: is what stands around the report what the report is about? */
#include <string.h>

#include "attest/bytes.h"
#include "attest/verify_impl.h"
#include "base/hmac.h"

static bool equal64(const uint8_t *x, const uint8_t *y)
{
	return digest_equal(x, y) & digest_equal(x + SHA256_LEN, y + SHA256_LEN);
}

/* Without a nonce the check of the report data refuses, unless the policy has given up freshness. */
static enum verdict check_nonce(struct verifier *v, struct check *c, int arg)
{
	const struct bytes *want = &v->ev->nonce, *is = &v->ev->doc->nonce;

	(void) arg;
	c->seen = hex_text(v->a, is->v, is->n);
	if (!want->n)
		return VERDICT_OPEN;
	c->expected = hex_text(v->a, want->v, want->n);
	return check_that(want->n == is->n && memcmp(want->v, is->v, is->n) == 0);
}

static enum verdict check_binding(struct verifier *v, struct check *c, int arg)
{
	const struct evidence_doc *d = v->ev->doc;
	uint8_t data[EVIDENCE_DATA_LEN];
	enum verdict r;

	(void) arg;
	evidence_bind(d->nonce, d->key, d->policy, data);
	c->seen = hex_text(v->a, v->rep.report_data, EVIDENCE_DATA_LEN);
	c->expected = hex_text(v->a, data, EVIDENCE_DATA_LEN);
	r = check_that(equal64(data, v->rep.report_data));
	if (r == VERDICT_FAIL)
		c->why = "the report is not about this nonce, key and policy";
	return r;
}

static enum verdict check_policy_digest(struct verifier *v, struct check *c, int arg)
{
	const struct evidence_doc *d = v->ev->doc;
	enum verdict r;

	(void) arg;
	c->seen = hex_text(v->a, v->rep.host_data, EVIDENCE_DIGEST_LEN);
	c->expected = hex_text(v->a, d->policy, EVIDENCE_DIGEST_LEN);
	r = check_that(digest_equal(d->policy, v->rep.host_data));
	if (r == VERDICT_FAIL)
		c->why = "the guest was not launched for this policy";
	return r;
}

const struct check_row doc_rows[] = {
	{"evidence.nonce", "nonce of the evidence", check_nonce, 0, 0, 0},
	{"evidence.report-data", "report data of this nonce, key and policy", check_binding,
	 HAVE_REPORT, 0, 0},
	{"evidence.host-data", "host data of this policy", check_policy_digest, HAVE_REPORT, 0, 0},
};
const size_t doc_rows_n = sizeof(doc_rows) / sizeof(doc_rows[0]);

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest json base */
/*
 * Evidence documents, as the host of a guest may hand them over: reading one never faults, what is read is of the lengths that are
 * promised and is the same when it is written and read again; and judging it without a certificate never accepts it.
 */
#include <stdlib.h>
#include <string.h>

#include "attest/verify.h"

static bool same(struct bytes x, struct bytes y)
{
	return x.n == y.n && (!x.n || !memcmp(x.v, y.v, x.n));
}

static void check_lengths(const struct evidence_doc *d)
{
	if (d->report.n != EVIDENCE_REPORT_LEN || d->nonce.n < EVIDENCE_NONCE_MIN ||
	    d->nonce.n > EVIDENCE_NONCE_MAX || (d->key.n && d->key.n != EVIDENCE_KEY_LEN) ||
	    d->certs.n > EVIDENCE_CERTS_MAX)
		abort();
}

static void check_again(const struct evidence_doc *d, struct arena *a)
{
	buf_auto b = BUF_WRITER(EVIDENCE_MAX);
	struct err e = ERR_INIT;
	struct evidence_doc back;
	struct bytes peeked;

	evidence_write(&b, d, a);
	if (b.bad || evidence_read("again", (struct bytes){b.p, b.n}, a, &back, &e) < 0 ||
	    !same(back.report, d->report) || !same(back.certs, d->certs) ||
	    !same(back.nonce, d->nonce) || !same(back.key, d->key) ||
	    memcmp(back.policy, d->policy, sizeof(back.policy)) != 0)
		abort();
	if (!evidence_peek((struct bytes){b.p, b.n}, a, &peeked) || !same(peeked, d->report))
		abort();
}

static void judge(const struct evidence_doc *d, struct arena *a)
{
	struct evidence ev = {.report = d->report, .at = 1780272000, .doc = d, .nonce = d->nonce};
	struct judgement j;
	struct expect x;

	expect_default(&x);
	x.any_measurement = x.any_report_data = true;
	verify(&ev, &x, a, &j);
	if (j.accepted)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {(uint8_t *) (uintptr_t) data, size}, peeked;
	struct evidence_doc d;
	arena_auto a = {0};
	struct err e = ERR_INIT;

	(void) evidence_is(in);
	(void) evidence_peek(in, &a, &peeked);
	if (evidence_read("fuzz", in, &a, &d, &e) < 0) {
		if (e.code != -EBADMSG || !e.msg[0])
			abort();
		return 0;
	}
	check_lengths(&d);
	check_again(&d, &a);
	judge(&d, &a);
	return 0;
}

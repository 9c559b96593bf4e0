/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest json base */
/*
 * What an SEV platform and its host show the owner of a guest: certificates, and the document of a launch. Whatever they are,
 * reading and judging them never faults, and nothing but AMD's own roots is trusted.
 */
#include <stdlib.h>
#include <string.h>

#include "attest/launchdoc.h"
#include "attest/sevcert.h"

extern const char *const fuzz_more_corpora[];
const char *const fuzz_more_corpora[] = {"tests/vectors/sev/sev-legacy", NULL};

static void chains(struct bytes in)
{
	struct sev_chain c = {0};
	const char *product;
	eckey_auto *pdh = NULL, *again = NULL;
	struct err e = ERR_INIT;
	uint8_t root[CRYPTO_SHA256_LEN];

	if (sev_chain_add(&c, in, "input", &e) < 0)
		return;
	for (size_t i = 0; i < SEV_CERTS; i++)
		if (c.v[i].n && (c.v[i].v < in.v || c.v[i].v + c.v[i].n > in.v + in.n))
			abort();
	e = ERR_INIT;
	if (sev_chain_verify(&c, NULL, &product, &pdh, &e) < 0 && !e.msg[0])
		abort();
	if (!c.v[SEV_ARK].n)
		return;
	/* its own root, so that what comes behind that is looked at too */
	digest_of(DIGEST_SHA256, c.v[SEV_ARK].v, c.v[SEV_ARK].n, root);
	for (size_t i = 0; i < SEV_CERTS; i++)
		if (!c.v[i].n)
			c.v[i] = c.v[i <= SEV_CEK && c.v[SEV_PDH].n ? SEV_PDH : SEV_ARK];
	e = ERR_INIT;
	for (size_t i = 0; i < SEV_CERTS; i++)
		if (c.v[i].n < SEV_CERT_LEN && i <= SEV_CEK)
			return;
	(void) sev_chain_verify(&c, root, &product, &again, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct session_keys keys;
	struct bytes in = {(uint8_t *) (uintptr_t) data, size};
	struct launch_doc doc;
	uint8_t digest[32] = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};

	chains(in);
	if (launch_doc_parse("input", in, &a, &doc, &e) == 0) {
		/* by keys that nobody has wrapped: a measure of those would be a collision */
		if (launch_doc_judge(&doc, &keys, doc.policy, digest, &e) == 0)
			abort();
	} else if (!e.msg[0]) {
		abort();
	}
	return 0;
}

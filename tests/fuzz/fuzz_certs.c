/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest json base */
/*
 * Certificates, CRLs and certificate tables, which come from the host that a report is to be judged against: whatever they
 * are, reading them, AMD's extensions and the chain that they would make never faults.
 */
#include <stdlib.h>
#include <string.h>

#include "attest/certtable.h"
#include "attest/roots.h"
#include "attest/x509.h"

extern const char *const fuzz_more_corpora[];
const char *const fuzz_more_corpora[] = {"tests/vectors/sev/certs", NULL};

static void judge(const struct certs *c, size_t i)
{
	struct cert_chain chain = {c->v[0], c->v[i], c->v[i]};
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct vek_facts f;

	cert_validity(c->v[i], &a);
	vek_facts(c->v[i], &f, &e);
	chain_names(&chain, SNP_MILAN, CERT_VCEK, &e);
	chain_forms(&chain, &e);
	/* a chain whose intermediate is its VEK is none */
	if (i && chain_signatures(&chain, 1780272000, true, &e) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {(uint8_t *) (uintptr_t) data, size}, table[CERTTABLE_KINDS];
	struct bytes ark = {(uint8_t *) (uintptr_t) snp_roots[SNP_MILAN].ark,
			    strlen(snp_roots[SNP_MILAN].ark)};
	certs_auto c = {0};
	struct err e = ERR_INIT;

	if (certtable_parse(in, table, &e) == 0) {
		for (int k = 0; k < CERTTABLE_KINDS; k++)
			if (table[k].n && (table[k].v < data || table[k].n > size ||
					   table[k].v > data + size - table[k].n))
				abort();
	}
	e = ERR_INIT;
	if (certs_add(&c, ark, "root", &e) < 0)
		abort();
	if (certs_add(&c, in, "input", &e) < 0 && (!e.code || !e.msg[0]))
		abort();
	for (size_t i = 0; i < c.n; i++)
		judge(&c, i);
	for (size_t i = 0; i < c.n_crls; i++) {
		struct cert_chain chain = {c.v[0], c.v[0], c.v[0]};

		e = ERR_INIT;
		crl_check(c.crls[i], &chain, 1780272000, &e);
	}
	return 0;
}

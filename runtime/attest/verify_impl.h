/* SPDX-License-Identifier: Apache-2.0 */
/* For the verify*.c files alone: what the checks share. */
#ifndef KAVACH_ATTEST_VERIFY_IMPL_H
#define KAVACH_ATTEST_VERIFY_IMPL_H

#include "attest/verify.h"

/* What a check needs, and what one that passes gives to those behind it. */
enum {
	HAVE_BYTES = 1 << 0,  /* raw */
	HAVE_REPORT = 1 << 1, /* rep */
	HAVE_KEY = 1 << 2,    /* kind */
	HAVE_VEK = 1 << 3,    /* chain.vek */
	HAVE_PRODUCT = 1 << 4,
	HAVE_ROOT = 1 << 5,  /* chain.root */
	HAVE_CHAIN = 1 << 6, /* all of chain */
	HAVE_FACTS = 1 << 7,
};

struct verifier {
	const struct evidence *ev;
	const struct expect *x;
	struct arena *a;
	unsigned have;
	const uint8_t *raw;
	struct report rep;
	enum cert_kind kind; /* CERT_VCEK or CERT_VLEK */
	enum snp_product product;
	struct cert_chain chain;
	struct vek_facts facts;
	struct certs own; /* AMD's for this product */
};

struct check_row {
	const char *id, *what;
	enum verdict (*run)(struct verifier *v, struct check *c, int arg);
	unsigned needs, gives;
	int arg;
};

/* The checks of what the report says, behind those of whether it is one: verify_claims.c. */
extern const struct check_row claim_rows[];
extern const size_t claim_rows_n;
/* Of an evidence document: verify_doc.c. */
extern const struct check_row doc_rows[];
extern const size_t doc_rows_n;

/* check_error: pass when r is 0, else fail with the error's text. */
enum verdict check_error(struct verifier *v, struct check *c, int r, const struct err *e);
/* check_that: pass or fail. */
enum verdict check_that(bool good);

#endif

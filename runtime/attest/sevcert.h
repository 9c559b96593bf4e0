/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of an SEV platform (AMD 55766, appendices B and C): not X.509. The platform's PDH, with which an owner agrees
 * on keys, is signed by its PEK; that by the platform's owner (OCA) and by the chip (CEK); the chip's key by AMD: ASK, ARK. What
 * an ARK is, is pinned.
 */
#ifndef KAVACH_ATTEST_SEVCERT_H
#define KAVACH_ATTEST_SEVCERT_H

#include "attest/keys.h"

#define SEV_CERT_LEN 2084u

/* Certificates in the order of the chain, from the one that is wanted to the one that is trusted. */
enum sev_cert { SEV_PDH, SEV_PEK, SEV_OCA, SEV_CEK, SEV_ASK, SEV_ARK, SEV_CERTS };

/* Of one platform; each {NULL, 0} until it has been found. */
struct sev_chain {
	struct bytes v[SEV_CERTS];
};

/* sev_chain_add: the certificates in a file, one behind the other, in any order. -EBADMSG: something else is in it; -EEXIST: a
 * second one of a kind that is not the same. The bytes stay the caller's. */
int sev_chain_add(struct sev_chain *c, struct bytes file, const char *what, struct err *e);

/* sev_chain_verify: every signature, from the pinned root down to the PDH. root: SHA-256 of an ARK that is trusted instead of
 * AMD's, for tests, or NULL. *ret_product: "Naples", ...; *ret_pdh: the platform's key. -EBADMSG names the certificate. */
int sev_chain_verify(const struct sev_chain *c, const uint8_t *root, const char **ret_product,
		     struct eckey **ret_pdh, struct err *e);

/* sev_cert_of_key: the certificate in which an owner sends its key; it is not signed. */
void sev_cert_of_key(const struct eckey *k, uint8_t ret[SEV_CERT_LEN]);

#endif

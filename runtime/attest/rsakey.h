/* SPDX-License-Identifier: Apache-2.0 */
/* RSA signatures in the form of SEV's certificates: all integers little-endian. */
#ifndef KAVACH_ATTEST_RSAKEY_H
#define KAVACH_ATTEST_RSAKEY_H

#include "attest/crypto.h"
#include "base/err.h"

struct rsa_key {
	const uint8_t *modulus, *exponent;
	size_t len; /* of both, and of a signature: bytes */
};

/* rsa_pss_verify: RSASSA-PSS with MGF1 and a salt as long as the digest. 0 or -EBADMSG. */
int rsa_pss_verify(const struct rsa_key *k, enum digest_kind kind, const void *msg, size_t n,
		   const uint8_t *sig, struct err *e);

#endif

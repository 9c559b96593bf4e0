/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys on P-384, the only curve of SEV's keys, and signatures in AMD's form: r and s little-endian in 72
 * bytes each, the rest of 512 bytes zero (AMD 56860, chapter 10).
 */
#ifndef KAVACH_ATTEST_KEYS_H
#define KAVACH_ATTEST_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "attest/crypto.h"
#include "base/err.h"
#include "base/types.h"

#define SEV_SIG_LEN 512u
#define SEV_SIG_SCALAR 72u
#define SEV_PUBKEY_LEN 1028u

struct eckey;

/* eckey_from_pem: a private (PKCS#8 or SEC1, not encrypted) or a public key. `what` names it in errors. */
int eckey_from_pem(struct bytes pem, bool private_key, const char *what, struct eckey **ret,
		   struct err *e);
/* eckey_from_sev: a public key in AMD's form: curve 2, x and y little-endian in 72 bytes each, the rest zero. */
int eckey_from_sev(const uint8_t key[SEV_PUBKEY_LEN], struct eckey **ret, struct err *e);
/* eckey_from_der: a public key as SubjectPublicKeyInfo, for instance out of a certificate. */
int eckey_from_der(struct bytes spki, const char *what, struct eckey **ret, struct err *e);
void eckey_free(struct eckey *k);
#define eckey_auto __attribute__((cleanup(eckey_freep))) struct eckey
void eckey_freep(struct eckey **k);

void eckey_to_sev(const struct eckey *k, uint8_t ret[SEV_PUBKEY_LEN]);
/* eckey_digest: SHA-384 of the above: ID_KEY_DIGEST and AUTHOR_KEY_DIGEST of a report. */
void eckey_digest(const struct eckey *k, uint8_t ret[48]);

/* eckey_sign: ECDSA with SHA-384 over msg, in AMD's form. The key is a private one. */
int eckey_sign(const struct eckey *k, const void *msg, size_t n, uint8_t ret[SEV_SIG_LEN],
	       struct err *e);
/* eckey_verify: 0, or -EBADMSG with the reason: r or s not in 1..n-1, bytes behind them not zero, or not a signature of
 * msg by this key. */
int eckey_verify(const struct eckey *k, const void *msg, size_t n, const uint8_t sig[SEV_SIG_LEN],
		 struct err *e);
/* eckey_verify_as: the same with another digest than SHA-384. */
int eckey_verify_as(const struct eckey *k, enum digest_kind kind, const void *msg, size_t n,
		    const uint8_t sig[SEV_SIG_LEN], struct err *e);

/* eckey_new: a private key that nobody else has. */
int eckey_new(struct eckey **ret, struct err *e);
/* eckey_agree: ECDH, of a private key with another's public one: the x coordinate, big-endian. */
#define ECKEY_SHARED_LEN 48u
int eckey_agree(const struct eckey *mine, const struct eckey *theirs, uint8_t ret[ECKEY_SHARED_LEN],
		struct err *e);

#endif

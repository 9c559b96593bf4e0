/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys on P-256: the guest's, to which secrets are encrypted (ECDH), and the broker's, with which answers are signed
 * (ES256 of RFC 7518, section 3.4). A public key is an uncompressed point: 4, x, y.
 */
#ifndef KAVACH_ATTEST_P256_H
#define KAVACH_ATTEST_P256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/types.h"

#define P256_LEN 32u
#define P256_POINT_LEN 65u
#define P256_SIG_LEN 64u

struct p256;

/* p256_new: a new private key, from the operating system's random numbers. */
struct p256 *p256_new(void);
/* p256_from_point: a public key; -EINVAL when these bytes are no point of the curve. */
int p256_from_point(const uint8_t point[P256_POINT_LEN], struct p256 **ret, struct err *e);
/* p256_from_pair: a private key and the point that belongs to it; -EINVAL when it does not. */
int p256_from_pair(const uint8_t d[P256_LEN], const uint8_t point[P256_POINT_LEN],
		   struct p256 **ret, struct err *e);
/* p256_from_pem: a private key (PKCS#8 or SEC1, not encrypted); `what` names it in errors. */
int p256_from_pem(struct bytes pem, const char *what, struct p256 **ret, struct err *e);
/* p256_from_spki: a public key as SubjectPublicKeyInfo in base64, on one line: what is between the lines of its PEM. */
int p256_from_spki(const char *base64, const char *what, struct p256 **ret, struct err *e);
/* p256_spki: the way back, in the arena. */
char *p256_spki(const struct p256 *k, struct arena *a);
void p256_point(const struct p256 *k, uint8_t ret[P256_POINT_LEN]);
void p256_free(struct p256 *k);
#define p256_auto __attribute__((cleanup(p256_freep))) struct p256
void p256_freep(struct p256 **k);

/* p256_agree: the x coordinate of the shared point (ECDH); `own` is a private key. -EINVAL. */
int p256_agree(const struct p256 *own, const struct p256 *peer, uint8_t ret[P256_LEN],
	       struct err *e);

/* p256_sign: ECDSA with SHA-256: r and s, big-endian. */
int p256_sign(const struct p256 *k, const void *msg, size_t n, uint8_t ret[P256_SIG_LEN],
	      struct err *e);
bool p256_verify(const struct p256 *k, const void *msg, size_t n, const uint8_t sig[P256_SIG_LEN]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two envelopes of the exchange with a broker (kavach-broker(7)), each as flattened JSON:
 *	JWE (RFC 7516), alg ECDH-ES (direct key agreement on P-256 with the Concat KDF, RFC 7518 section 4.6), enc A256GCM
 *	JWS (RFC 7515), alg ES256
 * No other algorithm is written or read, so there is nothing to negotiate and nothing to downgrade. Opening is strict:
 * members that we do not write are refused, but for parameters of the protected header, which RFC 7515 wants ignored
 * (only "crit" and "zip" are refused: they say that ignoring is wrong).
 */
#ifndef KAVACH_ATTEST_JOSE_H
#define KAVACH_ATTEST_JOSE_H

#include "attest/p256.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include "json/read.h"

/* base64url without padding (RFC 7515, section 2). jose_bytes: strict; false otherwise. */
char *jose_text(struct arena *a, const uint8_t *p, size_t n);
bool jose_bytes(const char *text, struct arena *a, struct bytes *ret);

/* jose_kdf: the Concat KDF (NIST SP 800-56A) of RFC 7518 section 4.6.2: n (at most 32) bytes of key for `alg`. */
void jose_kdf(const uint8_t z[P256_LEN], const char *alg, struct bytes apu, struct bytes apv,
	      uint8_t *ret, size_t n);

/* jwe_seal: one JSON object at the end of *out: the n bytes for whoever has the private key of `to`. -errno. */
int jwe_seal(const struct p256 *to, const uint8_t *p, size_t n, struct arena *a, struct buf *out,
	     struct err *e);
/* jwe_open: what is in a JWE, in the arena. -EBADMSG with what is wrong with it. */
int jwe_open(const struct json_doc *d, const struct json_node *n, const struct p256 *key,
	     struct arena *a, struct bytes *ret, struct err *e);

/* jws_sign, jws_open: the same for a signature; the payload comes out as it went in. */
int jws_sign(const struct p256 *key, const uint8_t *p, size_t n, struct arena *a, struct buf *out,
	     struct err *e);
int jws_open(const struct json_doc *d, const struct json_node *n, const struct p256 *key,
	     struct arena *a, struct bytes *ret, struct err *e);

#endif

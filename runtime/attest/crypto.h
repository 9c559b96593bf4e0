/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cryptography that measuring and verifying need, from OpenSSL: the other files here know digests and keys, not
 * its types. All lengths are bytes. What can fail only for lack of memory ends the program: it has nothing to undo.
 */
#ifndef KAVACH_ATTEST_CRYPTO_H
#define KAVACH_ATTEST_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/types.h"

#define SHA384_LEN 48
#define SHA512_LEN 64
#define CRYPTO_SHA256_LEN 32
#define AES_BLOCK 16

/* crypto_ready: loads what libcrypto would load when it is first used (its configuration, its algorithms), for a process
 * that is about to lose the right to open files. */
void crypto_ready(void);

/* One digest over several pieces. */
struct digest;
enum digest_kind { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
struct digest *digest_new(enum digest_kind kind);
/* digest_reset: begins anew, with the same algorithm. */
void digest_reset(struct digest *d);
void digest_add(struct digest *d, const void *p, size_t n);
/* digest_end: 32, 48 or 64 bytes to ret; digest_reset() is due before the next use. */
void digest_end(struct digest *d, uint8_t *ret);
void digest_free(struct digest *d);

/* digest_of: one piece, at once. */
void digest_of(enum digest_kind kind, const void *p, size_t n, uint8_t *ret);

/* crypto_hmac_sha256: RFC 2104; a message of several parts, each {v, n}. */
void crypto_hmac_sha256(const void *key, size_t key_len, const struct bytes *parts, size_t n_parts,
			uint8_t ret[CRYPTO_SHA256_LEN]);

/* aes128_ctr: encrypts or decrypts n bytes (the same thing), counter block `iv`. out may be in. */
void aes128_ctr(const uint8_t key[16], const uint8_t iv[16], const uint8_t *in, size_t n,
		uint8_t *out);

/* aes256_gcm_seal, aes256_gcm_open: n bytes with a 96-bit iv and a 128-bit tag; out may be in. open: false when the tag is of
 * other bytes, and then out has been cleared. */
#define GCM_IV_LEN 12
#define GCM_TAG_LEN 16
void aes256_gcm_seal(const uint8_t key[32], const uint8_t iv[GCM_IV_LEN], struct bytes aad,
		     const uint8_t *in, size_t n, uint8_t *out, uint8_t ret_tag[GCM_TAG_LEN]);
bool aes256_gcm_open(const uint8_t key[32], const uint8_t iv[GCM_IV_LEN], struct bytes aad,
		     const uint8_t *in, size_t n, const uint8_t tag[GCM_TAG_LEN], uint8_t *out);

/* crypto_random: n bytes from the operating system. */
void crypto_random(void *p, size_t n);

/* crypto_equal: compares without telling by its time where the difference is. */
bool crypto_equal(const void *a, const void *b, size_t n);

/* crypto_wipe: a clearing that no compiler leaves out. */
void crypto_wipe(void *p, size_t n);

#endif

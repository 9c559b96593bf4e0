/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, MACs and the one cipher of the SEV formats: thin over OpenSSL's EVP. */
#include "attest/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

struct digest {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

static const char *const digest_names[] = {
	[DIGEST_SHA256] = "SHA2-256",
	[DIGEST_SHA384] = "SHA2-384",
	[DIGEST_SHA512] = "SHA2-512",
};

/* These calls fail when there is no memory or when libcrypto is broken; no caller could go on. */
static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "kavach-attest: OpenSSL: %s failed\n", what);
	exit(125);
}

void crypto_ready(void)
{
	uint8_t b[SHA512_LEN];
	struct bytes none = {b, 0};

	/* no configuration file: what it could name is code that we would load */
	must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS |
					 OPENSSL_INIT_ADD_ALL_CIPHERS |
					 OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
				 NULL) == 1,
	     "its set-up");
	digest_of(DIGEST_SHA384, b, 0, b);
	crypto_hmac_sha256(b, 1, &none, 1, b);
	crypto_random(b, 1);
}

struct digest *digest_new(enum digest_kind kind)
{
	struct digest *d = calloc(1, sizeof(*d));

	must(d != NULL, "memory");
	/* fetched once: a look-up by name for each page would cost as much as hashing it */
	d->md = EVP_MD_fetch(NULL, digest_names[kind], NULL);
	d->ctx = EVP_MD_CTX_new();
	must(d->md && d->ctx, digest_names[kind]);
	digest_reset(d);
	return d;
}

void digest_reset(struct digest *d)
{
	must(EVP_DigestInit_ex2(d->ctx, d->md, NULL) == 1, "EVP_DigestInit");
}

void digest_add(struct digest *d, const void *p, size_t n)
{
	must(EVP_DigestUpdate(d->ctx, p, n) == 1, "EVP_DigestUpdate");
}

void digest_end(struct digest *d, uint8_t *ret)
{
	must(EVP_DigestFinal_ex(d->ctx, ret, NULL) == 1, "EVP_DigestFinal");
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	EVP_MD_free(d->md);
	free(d);
}

void digest_of(enum digest_kind kind, const void *p, size_t n, uint8_t *ret)
{
	struct digest *d = digest_new(kind);

	digest_add(d, p, n);
	digest_end(d, ret);
	digest_free(d);
}

void crypto_hmac_sha256(const void *key, size_t key_len, const struct bytes *parts, size_t n_parts,
			uint8_t ret[CRYPTO_SHA256_LEN])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *) "SHA2-256", 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	size_t len;

	must(ctx && EVP_MAC_init(ctx, key, key_len, params) == 1, "HMAC");
	for (size_t i = 0; i < n_parts; i++)
		must(EVP_MAC_update(ctx, parts[i].v, parts[i].n) == 1, "HMAC");
	must(EVP_MAC_final(ctx, ret, &len, CRYPTO_SHA256_LEN) == 1, "HMAC");
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

void aes128_ctr(const uint8_t key[16], const uint8_t iv[16], const uint8_t *in, size_t n,
		uint8_t *out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	must(cipher && ctx && EVP_EncryptInit_ex2(ctx, cipher, key, iv, NULL) == 1, "AES-128-CTR");
	must(n <= INT32_MAX && EVP_EncryptUpdate(ctx, out, &len, in, (int) n) == 1, "AES-128-CTR");
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
}

/* both directions; whether the tag was right (opening) */
static bool aes256_gcm(bool seal, const uint8_t *key, const uint8_t *iv, struct bytes aad,
		       const uint8_t *in, size_t n, uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;
	bool good;

	must(cipher && ctx && n <= INT32_MAX && aad.n <= INT32_MAX, "AES-256-GCM");
	must(EVP_CipherInit_ex2(ctx, cipher, key, iv, seal, NULL) == 1 &&
		     (!aad.n || EVP_CipherUpdate(ctx, NULL, &len, aad.v, (int) aad.n) == 1) &&
		     (!n || EVP_CipherUpdate(ctx, out, &len, in, (int) n) == 1) &&
		     (seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_LEN, tag)),
	     "AES-256-GCM");
	good = EVP_CipherFinal_ex(ctx, out + n, &len) == 1;
	if (seal)
		must(good && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN, tag),
		     "AES-256-GCM");
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	ERR_clear_error();
	return good;
}

void aes256_gcm_seal(const uint8_t key[32], const uint8_t iv[GCM_IV_LEN], struct bytes aad,
		     const uint8_t *in, size_t n, uint8_t *out, uint8_t ret_tag[GCM_TAG_LEN])
{
	(void) aes256_gcm(true, key, iv, aad, in, n, out, ret_tag);
}

bool aes256_gcm_open(const uint8_t key[32], const uint8_t iv[GCM_IV_LEN], struct bytes aad,
		     const uint8_t *in, size_t n, const uint8_t tag[GCM_TAG_LEN], uint8_t *out)
{
	bool good = aes256_gcm(false, key, iv, aad, in, n, out, (uint8_t *) (uintptr_t) tag);

	if (!good)
		crypto_wipe(out, n);
	return good;
}

void crypto_random(void *p, size_t n)
{
	must(n <= INT32_MAX && RAND_bytes(p, (int) n) == 1, "random bytes");
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void crypto_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

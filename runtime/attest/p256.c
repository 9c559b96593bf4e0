/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/p256.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest/bytes.h"

struct p256 {
	EVP_PKEY *pkey;
};

void p256_free(struct p256 *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

void p256_freep(struct p256 **k)
{
	p256_free(*k);
}

static struct p256 *wrap(EVP_PKEY *pkey)
{
	struct p256 *k = pkey ? calloc(1, sizeof(*k)) : NULL;

	if (!k) {
		fprintf(stderr, "kavach: OpenSSL: a key on P-256 failed\n");
		exit(125);
	}
	k->pkey = pkey;
	return k;
}

static bool is_p256(EVP_PKEY *pkey)
{
	char group[64] = "";

	return EVP_PKEY_is_a(pkey, "EC") &&
	       EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group,
					      sizeof(group), NULL) == 1 &&
	       OBJ_sn2nid(group) == NID_X9_62_prime256v1;
}

/* takes pkey over, also when it refuses it */
static int take(EVP_PKEY *pkey, const char *what, struct p256 **ret, struct err *e)
{
	ERR_clear_error();
	if (!pkey || !is_p256(pkey)) {
		EVP_PKEY_free(pkey);
		return err_set(e, -EINVAL, "%s: expected a key on the curve P-256", what);
	}
	*ret = wrap(pkey);
	return 0;
}

struct p256 *p256_new(void)
{
	return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
}

static EVP_PKEY *from_params(int selection, const uint8_t *d, const uint8_t *point)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *n = d ? BN_secure_new() : NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL), *check = NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (b && ctx && (!d || (n && BN_bin2bn(d, P256_LEN, n))) &&
	    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, P256_POINT_LEN) &&
	    (!d || OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, n)))
		params = OSSL_PARAM_BLD_to_param(b);
	if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
		pkey = NULL;
	/* a point of another curve would give away the private key bit by bit */
	if (pkey)
		check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (pkey && (!check || EVP_PKEY_public_check(check) != 1 ||
		     (d && EVP_PKEY_pairwise_check(check) != 1))) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_clear_free(n);
	ERR_clear_error();
	return pkey;
}

int p256_from_point(const uint8_t point[P256_POINT_LEN], struct p256 **ret, struct err *e)
{
	EVP_PKEY *pkey = point[0] == POINT_CONVERSION_UNCOMPRESSED
				 ? from_params(EVP_PKEY_PUBLIC_KEY, NULL, point)
				 : NULL;

	if (!pkey)
		return err_set(e, -EINVAL, "no point of P-256");
	*ret = wrap(pkey);
	return 0;
}

int p256_from_pair(const uint8_t d[P256_LEN], const uint8_t point[P256_POINT_LEN],
		   struct p256 **ret, struct err *e)
{
	EVP_PKEY *pkey = from_params(EVP_PKEY_KEYPAIR, d, point);

	if (!pkey)
		return err_set(e, -EINVAL, "no pair of keys of P-256");
	*ret = wrap(pkey);
	return 0;
}

static int no_password(char *buf, int size, int rwflag, void *data)
{
	(void) buf, (void) size, (void) rwflag, (void) data;
	return -1;
}

int p256_from_pem(struct bytes pem, const char *what, struct p256 **ret, struct err *e)
{
	BIO *bio = pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.v, (int) pem.n) : NULL;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		return err_set(e, -EINVAL, "%s: expected a private key in PEM, not encrypted",
			       what);
	return take(pkey, what, ret, e);
}

int p256_from_spki(const char *base64, const char *what, struct p256 **ret, struct err *e)
{
	arena_auto a = {0};
	EVP_PKEY *pkey = NULL;
	const uint8_t *p;
	struct bytes der;

	if (base64_bytes(base64, &a, &der)) {
		p = der.v;
		pkey = d2i_PUBKEY(NULL, &p, (long) der.n);
		if (pkey && p != der.v + der.n) {
			EVP_PKEY_free(pkey);
			pkey = NULL;
		}
	}
	return take(pkey, what, ret, e);
}

char *p256_spki(const struct p256 *k, struct arena *a)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(k->pkey, &der);
	char *text = base64_text(a, der, n > 0 ? (size_t) n : 0);

	OPENSSL_free(der);
	return text;
}

void p256_point(const struct p256 *k, uint8_t ret[P256_POINT_LEN])
{
	BIGNUM *x = NULL, *y = NULL;

	/* asked for by coordinate, whatever form the key came in */
	memset(ret, 0, P256_POINT_LEN);
	ret[0] = POINT_CONVERSION_UNCOMPRESSED;
	if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	    EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1) {
		BN_bn2binpad(x, ret + 1, P256_LEN);
		BN_bn2binpad(y, ret + 1 + P256_LEN, P256_LEN);
	}
	BN_free(x);
	BN_free(y);
}

int p256_agree(const struct p256 *own, const struct p256 *peer, uint8_t ret[P256_LEN],
	       struct err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own->pkey, NULL);
	size_t n = P256_LEN;
	bool good = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
		    EVP_PKEY_derive_set_peer_ex(ctx, peer->pkey, 1) == 1 &&
		    EVP_PKEY_derive(ctx, ret, &n) == 1 && n == P256_LEN;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return good ? 0 : err_set(e, -EINVAL, "the keys do not agree on a secret");
}

int p256_sign(const struct p256 *k, const void *msg, size_t n, uint8_t ret[P256_SIG_LEN],
	      struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[128];
	const uint8_t *p = der;
	size_t len = sizeof(der);
	ECDSA_SIG *sig = NULL;

	if (ctx && EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, k->pkey, NULL) == 1 &&
	    EVP_DigestSign(ctx, der, &len, msg, n) == 1)
		sig = d2i_ECDSA_SIG(NULL, &p, (long) len);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (!sig)
		return err_set(e, -EIO, "signing failed");
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, P256_LEN);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + P256_LEN, P256_LEN);
	ECDSA_SIG_free(sig);
	return 0;
}

bool p256_verify(const struct p256 *k, const void *msg, size_t n, const uint8_t sig[P256_SIG_LEN])
{
	BIGNUM *r = BN_bin2bn(sig, P256_LEN, NULL), *s = BN_bin2bn(sig + P256_LEN, P256_LEN, NULL);
	ECDSA_SIG *both = ECDSA_SIG_new();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	bool good = false;
	int len;

	if (r && s && both && ctx && ECDSA_SIG_set0(both, r, s) == 1) {
		r = s = NULL;
		len = i2d_ECDSA_SIG(both, &der);
		good = len > 0 &&
		       EVP_DigestVerifyInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, k->pkey, NULL) ==
			       1 &&
		       EVP_DigestVerify(ctx, der, (size_t) len, msg, n) == 1;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(both);
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	ERR_clear_error();
	return good;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/keys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "attest/bytes.h"
#include "attest/crypto.h"

#define P384_LEN 48u
#define SEV_CURVE 2u
#define POINT_LEN (1 + 2 * P384_LEN)
#define SIG_S SEV_SIG_SCALAR
#define PUBKEY_X 4u
#define PUBKEY_Y (4u + SEV_SIG_SCALAR)
#define PUBKEY_END (4u + 2 * SEV_SIG_SCALAR)

struct eckey {
	EVP_PKEY *pkey;
};

void eckey_free(struct eckey *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	OPENSSL_free(k);
}

void eckey_freep(struct eckey **k)
{
	eckey_free(*k);
}

/* takes pkey over, also when it refuses it */
static int take(EVP_PKEY *pkey, const char *what, struct eckey **ret, struct err *e)
{
	char group[64] = "";
	struct eckey *k;

	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					   NULL) != 1 ||
	    OBJ_sn2nid(group) != NID_secp384r1) {
		EVP_PKEY_free(pkey);
		return err_set(e, -EINVAL, "%s: expected a key on the curve P-384, found %s", what,
			       group[0] ? group : "another kind of key");
	}
	k = OPENSSL_zalloc(sizeof(*k));
	if (!k) {
		EVP_PKEY_free(pkey);
		return err_set(e, -ENOMEM, "%s: no memory", what);
	}
	k->pkey = pkey;
	*ret = k;
	return 0;
}

/* An encrypted key asks for its password on the terminal: ours are not, so the answer is none. */
static int no_password(char *buf, int size, int rwflag, void *data)
{
	(void) buf;
	(void) size;
	(void) rwflag;
	(void) data;
	return -1;
}

int eckey_from_pem(struct bytes pem, bool private_key, const char *what, struct eckey **ret,
		   struct err *e)
{
	BIO *bio = pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.v, (int) pem.n) : NULL;
	EVP_PKEY *pkey = NULL;

	if (bio)
		pkey = private_key ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
				   : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		return err_set(e, -EINVAL, "%s: expected a %s key in PEM%s", what,
			       private_key ? "private" : "public",
			       private_key ? ", not encrypted" : "");
	return take(pkey, what, ret, e);
}

int eckey_from_der(struct bytes spki, const char *what, struct eckey **ret, struct err *e)
{
	const uint8_t *p = spki.v;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long) spki.n);

	ERR_clear_error();
	if (!pkey || p != spki.v + spki.n) {
		EVP_PKEY_free(pkey);
		return err_set(e, -EINVAL, "%s: no public key", what);
	}
	return take(pkey, what, ret, e);
}

static void reversed(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[n - 1 - i];
}

static EVP_PKEY *pkey_of_point(const uint8_t point[POINT_LEN])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *) "P-384", 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  (void *) (uintptr_t) point, POINT_LEN),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return pkey;
}

int eckey_from_sev(const uint8_t key[SEV_PUBKEY_LEN], struct eckey **ret, struct err *e)
{
	uint8_t point[POINT_LEN] = {POINT_CONVERSION_UNCOMPRESSED};
	size_t spare = SEV_SIG_SCALAR - P384_LEN;
	EVP_PKEY *pkey;

	if (get_le32(key) != SEV_CURVE)
		return err_set(e, -EINVAL, "SEV public key: expected curve 2 (P-384), found %u",
			       get_le32(key));
	if (!bytes_zero(key + PUBKEY_X + P384_LEN, spare) ||
	    !bytes_zero(key + PUBKEY_Y + P384_LEN, spare) ||
	    !bytes_zero(key + PUBKEY_END, SEV_PUBKEY_LEN - PUBKEY_END))
		return err_set(e, -EINVAL, "SEV public key: reserved bytes are not zero");
	reversed(point + 1, key + PUBKEY_X, P384_LEN);
	reversed(point + 1 + P384_LEN, key + PUBKEY_Y, P384_LEN);
	pkey = pkey_of_point(point);
	if (!pkey)
		return err_set(e, -EINVAL, "SEV public key: not a point of P-384");
	return take(pkey, "SEV public key", ret, e);
}

void eckey_to_sev(const struct eckey *k, uint8_t ret[SEV_PUBKEY_LEN])
{
	BIGNUM *x = NULL, *y = NULL;

	memset(ret, 0, SEV_PUBKEY_LEN);
	put_le32(ret, SEV_CURVE);
	if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	    EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1) {
		BN_bn2lebinpad(x, ret + PUBKEY_X, SEV_SIG_SCALAR);
		BN_bn2lebinpad(y, ret + PUBKEY_Y, SEV_SIG_SCALAR);
	}
	BN_free(x);
	BN_free(y);
}

void eckey_digest(const struct eckey *k, uint8_t ret[48])
{
	uint8_t key[SEV_PUBKEY_LEN];

	eckey_to_sev(k, key);
	digest_of(DIGEST_SHA384, key, sizeof(key), ret);
}

static int der_sign(EVP_PKEY *pkey, const void *msg, size_t n, uint8_t *der, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int good = ctx &&
		   EVP_DigestSignInit_ex(ctx, NULL, "SHA2-384", NULL, NULL, pkey, NULL) == 1 &&
		   EVP_DigestSign(ctx, der, len, msg, n) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

int eckey_sign(const struct eckey *k, const void *msg, size_t n, uint8_t ret[SEV_SIG_LEN],
	       struct err *e)
{
	uint8_t der[160];
	const uint8_t *p = der;
	size_t len = sizeof(der);
	ECDSA_SIG *sig = NULL;

	if (der_sign(k->pkey, msg, n, der, &len))
		sig = d2i_ECDSA_SIG(NULL, &p, (long) len);
	ERR_clear_error();
	if (!sig)
		return err_set(e, -EIO, "signing failed");
	memset(ret, 0, SEV_SIG_LEN);
	BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), ret, SEV_SIG_SCALAR);
	BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), ret + SIG_S, SEV_SIG_SCALAR);
	ECDSA_SIG_free(sig);
	return 0;
}

static int scalar_range(const EVP_PKEY *pkey, const BIGNUM *v)
{
	BIGNUM *order = NULL;
	int good = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_ORDER, &order) == 1 &&
		   !BN_is_zero(v) && BN_cmp(v, order) < 0;

	BN_free(order);
	return good;
}

static int der_verify(EVP_PKEY *pkey, enum digest_kind kind, const void *msg, size_t n,
		      const ECDSA_SIG *sig)
{
	static const char *const names[] = {[DIGEST_SHA256] = "SHA2-256",
					    [DIGEST_SHA384] = "SHA2-384",
					    [DIGEST_SHA512] = "SHA2-512"};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	int len = i2d_ECDSA_SIG(sig, &der);
	int good = ctx && len > 0 &&
		   EVP_DigestVerifyInit_ex(ctx, NULL, names[kind], NULL, NULL, pkey, NULL) == 1 &&
		   EVP_DigestVerify(ctx, der, (size_t) len, msg, n) == 1;

	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

int eckey_verify_as(const struct eckey *k, enum digest_kind kind, const void *msg, size_t n,
		    const uint8_t sig[SEV_SIG_LEN], struct err *e)
{
	ECDSA_SIG *s;
	BIGNUM *rr, *ss;
	int r = 0;

	if (!bytes_zero(sig + 2 * SEV_SIG_SCALAR, SEV_SIG_LEN - 2 * SEV_SIG_SCALAR))
		return err_set(e, -EBADMSG, "bytes behind the signature are not zero");
	s = ECDSA_SIG_new();
	rr = BN_lebin2bn(sig, SEV_SIG_SCALAR, NULL);
	ss = BN_lebin2bn(sig + SIG_S, SEV_SIG_SCALAR, NULL);
	if (!s || !rr || !ss || ECDSA_SIG_set0(s, rr, ss) != 1) {
		BN_free(rr);
		BN_free(ss);
		ECDSA_SIG_free(s);
		return err_set(e, -ENOMEM, "no memory for a signature");
	}
	if (!scalar_range(k->pkey, rr) || !scalar_range(k->pkey, ss))
		r = err_set(e, -EBADMSG, "r or s is 0 or not below the order of the curve");
	else if (!der_verify(k->pkey, kind, msg, n, s))
		r = err_set(e, -EBADMSG, "not a signature of this by that key");
	ECDSA_SIG_free(s);
	return r;
}

int eckey_verify(const struct eckey *k, const void *msg, size_t n, const uint8_t sig[SEV_SIG_LEN],
		 struct err *e)
{
	return eckey_verify_as(k, DIGEST_SHA384, msg, n, sig, e);
}

int eckey_new(struct eckey **ret, struct err *e)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-384");

	ERR_clear_error();
	return pkey ? take(pkey, "a new key", ret, e) : err_set(e, -EIO, "making a key failed");
}

int eckey_agree(const struct eckey *mine, const struct eckey *theirs, uint8_t ret[ECKEY_SHARED_LEN],
		struct err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine->pkey, NULL);
	size_t len = ECKEY_SHARED_LEN;
	bool good = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
		    EVP_PKEY_derive_set_peer(ctx, theirs->pkey) == 1 &&
		    EVP_PKEY_derive(ctx, ret, &len) == 1 && len == ECKEY_SHARED_LEN;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return good ? 0 : err_set(e, -EIO, "agreeing on a key failed");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/rsakey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#define SIG_MAX 512u

static EVP_PKEY *make_key(const struct rsa_key *k)
{
	BIGNUM *n = BN_lebin2bn(k->modulus, (int) k->len, NULL);
	BIGNUM *x = BN_lebin2bn(k->exponent, (int) k->len, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *ret = NULL;

	if (n && x && b && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, x) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &ret, EVP_PKEY_PUBLIC_KEY, params) != 1)
		ret = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(x);
	return ret;
}

int rsa_pss_verify(const struct rsa_key *k, enum digest_kind kind, const void *msg, size_t n,
		   const uint8_t *sig, struct err *e)
{
	static const char *const names[] = {[DIGEST_SHA256] = "SHA2-256",
					    [DIGEST_SHA384] = "SHA2-384",
					    [DIGEST_SHA512] = "SHA2-512"};
	uint8_t big[SIG_MAX];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *kctx = NULL;
	EVP_PKEY *pkey = NULL;
	bool good = false;

	if (k->len <= sizeof(big)) {
		for (size_t i = 0; i < k->len; i++)
			big[i] = sig[k->len - 1 - i];
		pkey = make_key(k);
	}
	good = pkey && ctx &&
	       EVP_DigestVerifyInit_ex(ctx, &kctx, names[kind], NULL, NULL, pkey, NULL) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(kctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(kctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	       EVP_DigestVerify(ctx, big, k->len, msg, n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return good ? 0 : err_set(e, -EBADMSG, "not a signature of this by that key");
}

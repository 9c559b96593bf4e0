/* SPDX-License-Identifier: Apache-2.0 */
/* Judges a chain of three certificates, and CRLs. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "attest/x509_impl.h"
#include "base/str.h"

#define RSA_BITS 4096
#define SALT_LEN 48

/* ---- names ---- */

static int expect_name(const char *what, const char *found, const char *want, struct err *e)
{
	if (str_eq(found, want))
		return 0;
	return err_set(e, -EINVAL, "%s: expected the common name %s, found \"%s\"", what, want,
		       found);
}

int chain_names(const struct cert_chain *c, enum snp_product p, enum cert_kind vek, struct err *e)
{
	bool vlek = vek == CERT_VLEK;
	char ark[CN_MAX], mid[CN_MAX];
	int r;

	snprintf(ark, sizeof(ark), "ARK-%s", snp_product_name(p));
	snprintf(mid, sizeof(mid), "SEV-%s%s", vlek ? "VLEK-" : "", snp_product_name(p));
	r = expect_name("root", c->root->subject, ark, e);
	if (r == 0)
		r = expect_name("root's issuer", c->root->issuer, ark, e);
	if (r == 0)
		r = expect_name("intermediate", c->intermediate->subject, mid, e);
	if (r == 0)
		r = expect_name("intermediate's issuer", c->intermediate->issuer, ark, e);
	if (r == 0)
		r = expect_name("VEK", c->vek->subject, vlek ? "SEV-VLEK" : "SEV-VCEK", e);
	return r < 0 ? r : expect_name("VEK's issuer", c->vek->issuer, mid, e);
}

/* ---- forms ---- */

static bool is_alg(const X509_ALGOR *a, int nid)
{
	const ASN1_OBJECT *o;

	if (!a)
		return false;
	X509_ALGOR_get0(&o, NULL, NULL, a);
	return OBJ_obj2nid(o) == nid;
}

static bool is_mgf1_sha384(const X509_ALGOR *a)
{
	X509_ALGOR *hash;
	bool good;

	if (!is_alg(a, NID_mgf1))
		return false;
	hash = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), a->parameter);
	good = is_alg(hash, NID_sha384);
	X509_ALGOR_free(hash);
	return good;
}

/* What DER leaves out is SHA-1 and 20: the fields must be there. */
static bool is_pss_sha384(const X509_ALGOR *a)
{
	RSA_PSS_PARAMS *p;
	bool good;

	if (!is_alg(a, NID_rsassaPss))
		return false;
	p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), a->parameter);
	good = p && is_alg(p->hashAlgorithm, NID_sha384) && is_mgf1_sha384(p->maskGenAlgorithm) &&
	       p->saltLength && ASN1_INTEGER_get(p->saltLength) == SALT_LEN &&
	       (!p->trailerField || ASN1_INTEGER_get(p->trailerField) == 1);
	RSA_PSS_PARAMS_free(p);
	ERR_clear_error();
	return good;
}

static int check_signature_form(const struct cert *c, struct err *e)
{
	const X509_ALGOR *outer;

	X509_get0_signature(NULL, &outer, c->x);
	if (is_pss_sha384(outer) && is_pss_sha384(X509_get0_tbs_sigalg(c->x)))
		return 0;
	return err_set(
		e, -EINVAL,
		"%s: expected a signature by RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a "
		"salt of %d bytes, found another one",
		c->subject, SALT_LEN);
}

/* root and intermediate: `below` is how many more CAs may follow */
static int check_ca(const struct cert *c, long below, struct err *e)
{
	const EVP_PKEY *key = X509_get0_pubkey(c->x);
	long pathlen = X509_get_pathlen(c->x);

	if (!key || !EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) != RSA_BITS)
		return err_set(e, -EINVAL, "%s: expected an RSA key of %d bits, found another one",
			       c->subject, RSA_BITS);
	if (X509_check_ca(c->x) != 1 || !(X509_get_key_usage(c->x) & KU_KEY_CERT_SIGN))
		return err_set(e, -EINVAL, "%s: may not sign certificates", c->subject);
	if (pathlen >= 0 && pathlen < below)
		return err_set(e, -EINVAL, "%s: allows %ld intermediates, not %ld", c->subject,
			       pathlen, below);
	return 0;
}

static int check_vek_form(const struct cert *c, struct err *e)
{
	struct eckey *key;
	int r;

	if (X509_get_version(c->x) != X509_VERSION_3)
		return err_set(e, -EINVAL, "%s: expected X.509 version 3, found version %ld",
			       c->subject, X509_get_version(c->x) + 1);
	if (X509_check_ca(c->x) != 0)
		return err_set(e, -EINVAL, "%s: may sign certificates, which no VEK may",
			       c->subject);
	r = cert_key(c, &key, e);
	if (r == 0)
		eckey_free(key);
	return r;
}

int chain_forms(const struct cert_chain *c, struct err *e)
{
	int r = check_signature_form(c->root, e);

	if (r == 0)
		r = check_signature_form(c->intermediate, e);
	if (r == 0)
		r = check_signature_form(c->vek, e);
	if (r == 0)
		r = check_ca(c->root, 1, e);
	if (r == 0)
		r = check_ca(c->intermediate, 0, e);
	ERR_clear_error();
	return r < 0 ? r : check_vek_form(c->vek, e);
}

/* ---- the path ---- */

static int run_verify(X509_STORE_CTX *ctx, const struct cert_chain *c, int64_t at, bool timeless,
		      struct err *e)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	STACK_OF(X509) * path;
	int why, depth;

	/* neither X509_STRICT, which wants what AMD's certificates do not have, nor PARTIAL_CHAIN */
	if (timeless)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
	else
		X509_VERIFY_PARAM_set_time(param, (time_t) at);
	X509_VERIFY_PARAM_set_depth(param, 1);
	if (X509_verify_cert(ctx) != 1) {
		why = X509_STORE_CTX_get_error(ctx);
		depth = X509_STORE_CTX_get_error_depth(ctx);
		return err_set(e, -EINVAL, "%s: %s",
			       depth == 0   ? c->vek->subject
			       : depth == 1 ? c->intermediate->subject
					    : c->root->subject,
			       X509_verify_cert_error_string(why));
	}
	path = X509_STORE_CTX_get0_chain(ctx);
	if (sk_X509_num(path) != 3 || X509_cmp(sk_X509_value(path, 1), c->intermediate->x) != 0 ||
	    X509_cmp(sk_X509_value(path, 2), c->root->x) != 0)
		return err_set(e, -EINVAL, "the path is not VEK, intermediate, root");
	return 0;
}

int chain_signatures(const struct cert_chain *c, int64_t at, bool timeless, struct err *e)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	int r;

	if (!store || !ctx || !between || X509_STORE_add_cert(store, c->root->x) != 1 ||
	    sk_X509_push(between, c->intermediate->x) <= 0 ||
	    X509_STORE_CTX_init(ctx, store, c->vek->x, between) != 1)
		r = err_set(e, -ENOMEM, "no memory for a chain");
	else
		r = run_verify(ctx, c, at, timeless, e);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(between);
	ERR_clear_error();
	return r;
}

/* ---- time ---- */

static bool seconds_of(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = timegm(&tm);
	return true;
}

static char *time_text(int64_t at, struct arena *a)
{
	time_t t = (time_t) at;
	struct tm tm;

	gmtime_r(&t, &tm);
	return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
			    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* from and to: either may be missing, which is refused */
static int check_times(const char *what, const ASN1_TIME *from, const ASN1_TIME *to, int64_t at,
		       struct err *e)
{
	arena_auto a = {0};
	int64_t first, last;

	if (!seconds_of(from, &first) || !seconds_of(to, &last))
		return err_set(e, -EINVAL, "%s: does not say from when to when it is valid", what);
	if (at < first)
		return err_set(e, -EINVAL, "%s: not yet valid at %s, only from %s", what,
			       time_text(at, &a), time_text(first, &a));
	if (at > last)
		return err_set(e, -EINVAL, "%s: expired at %s, was valid until %s", what,
			       time_text(at, &a), time_text(last, &a));
	return 0;
}

int cert_valid_at(const struct cert *c, int64_t at, struct err *e)
{
	return check_times(c->subject, X509_get0_notBefore(c->x), X509_get0_notAfter(c->x), at, e);
}

char *cert_validity(const struct cert *c, struct arena *a)
{
	int64_t first, last;

	if (!seconds_of(X509_get0_notBefore(c->x), &first) ||
	    !seconds_of(X509_get0_notAfter(c->x), &last))
		return arena_strdup(a, "no valid dates");
	return arena_printf(a, "%s to %s", time_text(first, a), time_text(last, a));
}

/* ---- CRLs ---- */

int crl_check(const struct crl *l, const struct cert_chain *c, int64_t at, struct err *e)
{
	const struct cert *both[] = {c->intermediate, c->root};
	const X509_ALGOR *alg;
	X509_REVOKED *rev;
	bool good;
	int r;

	if (!str_eq(l->issuer, c->root->subject))
		return err_set(e, -EINVAL, "expected a CRL by %s, found one by \"%s\"",
			       c->root->subject, l->issuer);
	X509_CRL_get0_signature(l->x, NULL, &alg);
	good = is_pss_sha384(alg) && X509_CRL_verify(l->x, X509_get0_pubkey(c->root->x)) == 1;
	ERR_clear_error();
	if (!good)
		return err_set(e, -EINVAL, "the CRL is not signed by %s", c->root->subject);
	/* a CRL of a part, or of changes, has a critical extension that says so */
	if (X509_CRL_get_ext_by_critical(l->x, 1, -1) >= 0)
		return err_set(e, -EINVAL,
			       "the CRL has a critical extension: it may not be complete");
	r = check_times("the CRL", X509_CRL_get0_lastUpdate(l->x), X509_CRL_get0_nextUpdate(l->x),
			at, e);
	for (size_t i = 0; i < ARRAY_LEN(both) && r == 0; i++)
		if (X509_CRL_get0_by_serial(l->x, &rev, X509_get_serialNumber(both[i]->x)) != 0)
			r = err_set(e, -EKEYREVOKED, "%s is revoked", both[i]->subject);
	return r;
}

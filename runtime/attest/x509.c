/* SPDX-License-Identifier: Apache-2.0 */
/* Reads certificates: which kind each is, and what AMD's extensions say. x509_chain.c judges them. */
#include "attest/x509.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attest/bytes.h"
#include "attest/certtable.h"
#include "attest/x509_impl.h"
#include "base/str.h"

/* ---- names ---- */

/* the one common name of a name; "" when there is none, more than one, or one that is no plain short text */
static void common_name(const X509_NAME *name, char ret[CN_MAX])
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *s;
	int n;

	ret[0] = '\0';
	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return;
	s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	n = ASN1_STRING_length(s);
	if (n <= 0 || n >= CN_MAX)
		return;
	for (int i = 0; i < n; i++)
		if (ASN1_STRING_get0_data(s)[i] < 0x20 || ASN1_STRING_get0_data(s)[i] > 0x7e)
			return;
	memcpy(ret, ASN1_STRING_get0_data(s), (size_t) n);
	ret[n] = '\0';
}

/* Longer prefixes first: "SEV-" is one of the others too. */
static const struct {
	const char *prefix;
	enum cert_kind kind;
} named[] = {
	{"ARK-", CERT_ARK},
	{"SEV-VLEK-", CERT_ASVK},
	{"SEV-", CERT_ASK},
};

static enum snp_product product_after(const char *name, enum cert_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		const char *rest = str_prefix(name, named[i].prefix);
		enum snp_product p = rest ? snp_product_find(rest) : SNP_PRODUCT_NONE;

		if (p == SNP_PRODUCT_NONE)
			continue;
		*ret_kind = named[i].kind;
		return p;
	}
	*ret_kind = CERT_OTHER;
	return SNP_PRODUCT_NONE;
}

static void classify(struct cert *c)
{
	enum cert_kind above;

	common_name(X509_get_subject_name(c->x), c->subject);
	common_name(X509_get_issuer_name(c->x), c->issuer);
	if (str_eq(c->subject, "SEV-VCEK") || str_eq(c->subject, "SEV-VLEK")) {
		c->kind = str_eq(c->subject, "SEV-VCEK") ? CERT_VCEK : CERT_VLEK;
		c->product = product_after(c->issuer, &above);
	} else {
		c->product = product_after(c->subject, &c->kind);
	}
}

enum cert_kind cert_kind(const struct cert *c)
{
	return c->kind;
}

enum snp_product cert_product(const struct cert *c)
{
	return c->product;
}

struct bytes cert_der(const struct cert *c)
{
	return (struct bytes){c->der, c->der_len};
}

const char *cert_subject(const struct cert *c)
{
	return c->subject;
}

const char *cert_issuer(const struct cert *c)
{
	return c->issuer;
}

/* ---- files ---- */

static void cert_free(struct cert *c)
{
	X509_free(c->x);
	OPENSSL_free(c->der);
	OPENSSL_free(c);
}

void certs_free(struct certs *c)
{
	for (size_t i = 0; i < c->n; i++)
		cert_free(c->v[i]);
	for (size_t i = 0; i < c->n_crls; i++) {
		X509_CRL_free(c->crls[i]->x);
		OPENSSL_free(c->crls[i]);
	}
	c->n = c->n_crls = 0;
}

static int no_memory(const char *what, struct err *e)
{
	return err_set(e, -ENOMEM, "%s: no memory", what);
}

/* takes x over */
static int add_cert(struct certs *c, X509 *x, const char *what, struct err *e)
{
	struct cert *new = c->n < CERTS_MAX ? OPENSSL_zalloc(sizeof(*new)) : NULL;
	int len;

	if (!new) {
		X509_free(x);
		return c->n < CERTS_MAX ? no_memory(what, e)
					: err_set(e, -E2BIG, "%s: more than %u certificates", what,
						  CERTS_MAX);
	}
	new->x = x;
	c->v[c->n++] = new;
	len = i2d_X509(x, &new->der);
	if (len <= 0)
		return no_memory(what, e);
	new->der_len = (size_t) len;
	classify(new);
	return 0;
}

static int add_crl(struct certs *c, X509_CRL *x, const char *what, struct err *e)
{
	struct crl *new = c->n_crls < CERTS_MAX ? OPENSSL_zalloc(sizeof(*new)) : NULL;

	if (!new) {
		X509_CRL_free(x);
		return c->n_crls < CERTS_MAX
			       ? no_memory(what, e)
			       : err_set(e, -E2BIG, "%s: more than %u CRLs", what, CERTS_MAX);
	}
	new->x = x;
	common_name(X509_CRL_get_issuer(x), new->issuer);
	c->crls[c->n_crls++] = new;
	return 0;
}

/* One object and nothing behind it. */
static int add_der(struct certs *c, struct bytes in, const char *what, struct err *e)
{
	const uint8_t *p = in.v;
	X509 *x = d2i_X509(NULL, &p, (long) in.n);
	X509_CRL *l = NULL;

	if (!x) {
		p = in.v;
		l = d2i_X509_CRL(NULL, &p, (long) in.n);
	}
	ERR_clear_error();
	if ((x || l) && p == in.v + in.n)
		return x ? add_cert(c, x, what, e) : add_crl(c, l, what, e);
	if (x || l) {
		X509_free(x);
		X509_CRL_free(l);
		return err_set(e, -EINVAL, "%s: %td bytes behind the certificate", what,
			       in.v + in.n - p);
	}
	return err_set(e, -EINVAL, "%s: expected a certificate or CRL, found something else", what);
}

static int add_pem(struct certs *c, struct bytes in, const char *what, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(in.v, (int) in.n);
	char *name, *header;
	uint8_t *der;
	size_t found = 0;
	long len;
	int r = bio ? 0 : no_memory(what, e);

	for (; r == 0 && PEM_read_bio(bio, &name, &header, &der, &len) == 1; found++) {
		if (str_eq(name, PEM_STRING_X509) || str_eq(name, PEM_STRING_X509_CRL))
			r = add_der(c, (struct bytes){der, (size_t) len}, what, e);
		else
			r = err_set(e, -EINVAL, "%s: expected certificates and CRLs, found a %.40s",
				    what, name);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	/* the loop ends at the end of the text or at something that is no PEM */
	if (r == 0 && (!found || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
		r = err_set(e, -EINVAL, "%s: not correct PEM", what);
	ERR_clear_error();
	BIO_free(bio);
	return r;
}

static bool is_pem(struct bytes in)
{
	return memmem(in.v, in.n, "-----BEGIN ", 11) != NULL;
}

static int add_one(struct certs *c, struct bytes in, const char *what, struct err *e)
{
	/* DER may hold any text, but it begins with a SEQUENCE */
	return in.n && in.v[0] != 0x30 && is_pem(in) ? add_pem(c, in, what, e)
						     : add_der(c, in, what, e);
}

int certs_add(struct certs *c, struct bytes in, const char *what, struct err *e)
{
	struct bytes table[CERTTABLE_KINDS];
	char entry[300];
	int r;

	if (in.n == 0 || in.n > INT32_MAX)
		return err_set(e, -EINVAL, "%s: expected certificates, found %zu bytes", what,
			       in.n);
	if (in.v[0] == 0x30 || is_pem(in))
		return add_one(c, in, what, e);
	r = certtable_parse(in, table, e);
	if (r < 0)
		return err_context(e, "%s: neither PEM nor DER", what);
	for (int k = 0; k < CERTTABLE_KINDS && r == 0; k++) {
		snprintf(entry, sizeof(entry), "%.200s: %s", what,
			 certtable_name((enum certtable_kind) k));
		if (table[k].n)
			r = add_one(c, table[k], entry, e);
	}
	return r;
}

int cert_key(const struct cert *c, struct eckey **ret, struct err *e)
{
	uint8_t *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x), &der), r;

	ERR_clear_error();
	if (len <= 0)
		return err_set(e, -EINVAL, "no public key");
	r = eckey_from_der((struct bytes){der, (size_t) len}, c->subject, ret, e);
	OPENSSL_free(der);
	return r;
}

/* ---- AMD's extensions ---- */

enum ext {
	EXT_STRUCT,
	EXT_PRODUCT,
	EXT_BOOT_LOADER,
	EXT_TEE,
	EXT_SNP,
	EXT_MICROCODE,
	EXT_FMC,
	EXT_RESERVED_4,
	EXT_RESERVED_5,
	EXT_RESERVED_6,
	EXT_RESERVED_7,
	EXT_HWID,
	EXT_CSP,
	EXT_N,
};

#define AMD_ARC "1.3.6.1.4.1.3704.1."

static const struct {
	const char *oid, *name;
	bool required;
} exts[] = {
	[EXT_STRUCT] = {AMD_ARC "1", "struct version", true},
	[EXT_PRODUCT] = {AMD_ARC "2", "product", true},
	[EXT_BOOT_LOADER] = {AMD_ARC "3.1", "boot loader level", true},
	[EXT_TEE] = {AMD_ARC "3.2", "TEE level", true},
	[EXT_SNP] = {AMD_ARC "3.3", "SNP level", true},
	[EXT_MICROCODE] = {AMD_ARC "3.8", "microcode level", true},
	[EXT_FMC] = {AMD_ARC "3.9", "FMC level", false},
	[EXT_RESERVED_4] = {AMD_ARC "3.4", "reserved level 4", false},
	[EXT_RESERVED_5] = {AMD_ARC "3.5", "reserved level 5", false},
	[EXT_RESERVED_6] = {AMD_ARC "3.6", "reserved level 6", false},
	[EXT_RESERVED_7] = {AMD_ARC "3.7", "reserved level 7", false},
	[EXT_HWID] = {AMD_ARC "4", "HWID", false},
	[EXT_CSP] = {AMD_ARC "5", "CSP id", false},
};
_Static_assert(ARRAY_LEN(exts) == EXT_N, "one row per extension");

static int bad_ext(enum ext x, const char *why, struct err *e)
{
	return err_set(e, -EINVAL, "extension %s (%s): %s", exts[x].oid, exts[x].name, why);
}

/* The raw value of each; {NULL, 0} for those that are not there. */
static int collect(const X509 *x, struct bytes ret[EXT_N], struct err *e)
{
	char oid[80];

	memset(ret, 0, EXT_N * sizeof(ret[0]));
	for (int i = 0; i < X509_get_ext_count(x); i++) {
		X509_EXTENSION *ext = X509_get_ext(x, i);
		const ASN1_OCTET_STRING *v = X509_EXTENSION_get_data(ext);

		if (OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(ext), 1) <= 0)
			continue;
		for (int k = 0; k < EXT_N; k++) {
			if (!str_eq(oid, exts[k].oid))
				continue;
			if (ret[k].v)
				return bad_ext((enum ext) k, "is there more than once", e);
			if (ASN1_STRING_length(v) <= 0)
				return bad_ext((enum ext) k, "is empty", e);
			ret[k] = (struct bytes){(uint8_t *) (uintptr_t) ASN1_STRING_get0_data(v),
						(size_t) ASN1_STRING_length(v)};
		}
	}
	for (int k = 0; k < EXT_N; k++)
		if (exts[k].required && !ret[k].v)
			return bad_ext((enum ext) k, "is missing", e);
	return 0;
}

/* INTEGER of 0 to 255 in DER: values from 128 up have a zero in front */
static int ext_u8(const struct bytes all[EXT_N], enum ext x, uint8_t *ret, struct err *e)
{
	const struct bytes b = all[x];

	if (b.n == 3 && b.v[0] == 2 && b.v[1] == 1 && b.v[2] < 0x80)
		*ret = b.v[2];
	else if (b.n == 4 && b.v[0] == 2 && b.v[1] == 2 && b.v[2] == 0 && b.v[3] >= 0x80)
		*ret = b.v[3];
	else
		return bad_ext(x, "expected an INTEGER from 0 to 255", e);
	return 0;
}

static int ext_text(const struct bytes all[EXT_N], enum ext x, char *ret, size_t size,
		    struct err *e)
{
	const struct bytes b = all[x];

	if (b.n < 3 || b.v[0] != V_ASN1_IA5STRING || b.v[1] >= 0x80 || b.v[1] != b.n - 2 ||
	    b.v[1] >= size)
		return bad_ext(x, "expected an IA5String", e);
	for (size_t i = 2; i < b.n; i++)
		if (b.v[i] < 0x20 || b.v[i] > 0x7e)
			return bad_ext(x, "expected printable text", e);
	memcpy(ret, b.v + 2, b.n - 2);
	ret[b.n - 2] = '\0';
	return 0;
}

/* the bytes themselves, as AMD makes them, or in an OCTET STRING */
static int ext_hwid(const struct bytes all[EXT_N], struct vek_facts *f, struct err *e)
{
	struct bytes b = all[EXT_HWID];

	if ((b.n == CHIP_ID_LEN + 2 || b.n == 8 + 2) && b.v[0] == V_ASN1_OCTET_STRING &&
	    b.v[1] == b.n - 2)
		b = (struct bytes){b.v + 2, b.n - 2};
	if (b.n != CHIP_ID_LEN && b.n != 8)
		return bad_ext(EXT_HWID, "expected 64 or 8 bytes", e);
	f->has_hwid = true;
	f->hwid_len = (unsigned) b.n;
	memcpy(f->hwid, b.v, b.n);
	return 0;
}

static int levels(const struct bytes all[EXT_N], struct vek_facts *f, struct err *e)
{
	static const struct {
		enum ext x;
		enum tcb_part part;
	} rows[] = {
		{EXT_BOOT_LOADER, TCB_BOOT_LOADER}, {EXT_TEE, TCB_TEE}, {EXT_SNP, TCB_SNP},
		{EXT_MICROCODE, TCB_MICROCODE},	    {EXT_FMC, TCB_FMC},
	};
	uint8_t v;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++)
		if (all[rows[i].x].v)
			r = ext_u8(all, rows[i].x, &f->tcb.v[rows[i].part], e);
	for (int x = EXT_RESERVED_4; x <= EXT_RESERVED_7 && r == 0; x++) {
		if (!all[x].v)
			continue;
		r = ext_u8(all, (enum ext) x, &v, e);
		if (r == 0 && v)
			r = bad_ext((enum ext) x, "expected 0", e);
	}
	f->has_fmc = all[EXT_FMC].v != NULL;
	return r;
}

int vek_facts(const struct cert *c, struct vek_facts *ret, struct err *e)
{
	struct vek_facts f = {0};
	struct bytes all[EXT_N];
	uint8_t v = 0;
	int r = collect(c->x, all, e);

	if (r == 0)
		r = ext_u8(all, EXT_STRUCT, &v, e);
	f.struct_version = v;
	if (r == 0)
		r = ext_text(all, EXT_PRODUCT, f.product, sizeof(f.product), e);
	if (r == 0)
		r = levels(all, &f, e);
	if (r == 0 && all[EXT_HWID].v)
		r = ext_hwid(all, &f, e);
	if (r == 0 && all[EXT_CSP].v) {
		f.has_csp = true;
		r = ext_text(all, EXT_CSP, f.csp, sizeof(f.csp), e);
	}
	if (r == 0)
		*ret = f;
	return r;
}

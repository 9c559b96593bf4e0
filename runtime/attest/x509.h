/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD's certificates: ARK (root), ASK or ASVK (intermediate), VCEK or VLEK (the key that signs reports). What is special
 * about them: RSASSA-PSS, serial number 0, no authority key identifier in the last, and facts about chip and firmware in
 * extensions of AMD's (AMD 57230, section 2). OpenSSL's strict mode refuses the real ones for the former.
 */
#ifndef KAVACH_ATTEST_X509_H
#define KAVACH_ATTEST_X509_H

#include <stdbool.h>
#include <stdint.h>

#include "attest/keys.h"
#include "attest/report.h"

struct cert;
struct crl;

enum cert_kind { CERT_OTHER, CERT_ARK, CERT_ASK, CERT_ASVK, CERT_VCEK, CERT_VLEK };

#define CERTS_MAX 64u

/* What was found in files and tables, in their order. Freed with certs_free(). */
struct certs {
	struct cert *v[CERTS_MAX];
	size_t n;
	struct crl *crls[CERTS_MAX];
	size_t n_crls;
};

/* certs_add: whatever certificates and CRLs these bytes hold: PEM with any number of them, one in DER, or a certificate
 * table (certtable.h). `what` names it in errors. -EINVAL for everything else, also for bytes that are left over. */
int certs_add(struct certs *c, struct bytes in, const char *what, struct err *e);
void certs_free(struct certs *c);
#define certs_auto __attribute__((cleanup(certs_free))) struct certs

/* cert_kind, cert_product: by the common name of the subject; for a VEK the product is that of its issuer's name. */
enum cert_kind cert_kind(const struct cert *c);
enum snp_product cert_product(const struct cert *c);
/* cert_der: the certificate's bytes, owned by it. */
struct bytes cert_der(const struct cert *c);
/* cert_subject, cert_issuer: the common name, "" when there is not exactly one. */
const char *cert_subject(const struct cert *c);
const char *cert_issuer(const struct cert *c);
/* cert_key: the public key; -EINVAL when it is not one on P-384. */
int cert_key(const struct cert *c, struct eckey **ret, struct err *e);
/* cert_valid_at: 0, or -EINVAL with the end of its validity that `at` (seconds since 1970) is beyond. */
int cert_valid_at(const struct cert *c, int64_t at, struct err *e);
/* cert_validity: "2022-09-24T00:55:28Z to 2029-09-24T00:55:28Z", in the arena. */
char *cert_validity(const struct cert *c, struct arena *a);

struct cert_chain {
	const struct cert *root, *intermediate, *vek;
};
/* chain_names: subjects and issuers are those of this product and this kind of key. */
int chain_names(const struct cert_chain *c, enum snp_product p, enum cert_kind vek, struct err *e);
/* chain_forms: RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes everywhere; RSA keys of 4096 bits in
 * root and intermediate, P-384 in the VEK; who may sign certificates and who may not. */
int chain_forms(const struct cert_chain *c, struct err *e);
/* chain_signatures: OpenSSL's path validation with nothing but the root to trust, at that time; `timeless` leaves
 * out the dates (to tell one reason from the other). */
int chain_signatures(const struct cert_chain *c, int64_t at, bool timeless, struct err *e);

/* AMD's extensions of a VEK. */
struct vek_facts {
	unsigned struct_version;
	char product[32]; /* as it stands there: "Milan-B0" */
	struct snp_tcb tcb;
	bool has_fmc, has_hwid, has_csp;
	uint8_t hwid[CHIP_ID_LEN]; /* zeros behind a short one */
	unsigned hwid_len;	   /* 8 or 64 */
	char csp[256];
};
/* vek_facts: -EINVAL when one that every VEK has is missing, one is there twice or one is not in the form that it has. */
int vek_facts(const struct cert *c, struct vek_facts *ret, struct err *e);

/* crl_check: whether the CRL (which `what` names) is of this root, signed by it, fresh at that time, and names neither
 * the intermediate nor the root. -EINVAL, or -EKEYREVOKED when it does. */
int crl_check(const struct crl *l, const struct cert_chain *c, int64_t at, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Is it a report, of which product, signed by which key, and does AMD vouch for that key? */
#include "attest/verify.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/policy.h"
#include "attest/roots.h"
#include "attest/verify_impl.h"
#include "base/str.h"

enum verdict check_error(struct verifier *v, struct check *c, int r, const struct err *e)
{
	if (r == 0)
		return VERDICT_PASS;
	c->why = arena_strdup(v->a, e->msg);
	return VERDICT_FAIL;
}

enum verdict check_that(bool good)
{
	return good ? VERDICT_PASS : VERDICT_FAIL;
}

static const char *hex_u64(struct verifier *v, uint64_t n)
{
	return arena_printf(v->a, "0x%llx", (unsigned long long) n);
}

/* ---- the report's form ---- */

static enum verdict check_size(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;

	(void) arg;
	c->seen = arena_printf(v->a, "%zu bytes", v->ev->report.n);
	c->expected = arena_printf(v->a, "%u bytes", REPORT_LEN);
	return check_error(v, c, report_find(v->ev->report, &v->raw, &e), &e);
}

static enum verdict check_version(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;

	(void) arg;
	c->seen = arena_printf(v->a, "%u", get_le32(v->raw));
	c->expected = arena_printf(v->a, "%u to %u", REPORT_VERSION_MIN, REPORT_VERSION_MAX);
	return check_error(v, c, report_parse(v->raw, &v->rep, &e), &e);
}

static enum verdict check_reserved(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;

	(void) arg;
	c->expected = "zero";
	return check_error(v, c, report_reserved(&v->rep, &e), &e);
}

static enum verdict check_key_info(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	c->seen = hex_u64(v, v->rep.key_info);
	c->expected = "bits 5 to 31 zero";
	return check_that(v->rep.key_info >> 5 == 0);
}

static enum verdict check_policy_bits(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;

	(void) arg;
	c->seen = hex_u64(v, v->rep.policy);
	c->expected = "bit 17 one, bits 26 to 63 zero";
	return check_error(v, c, snp_policy_check(v->rep.policy, &e), &e);
}

static enum verdict check_algorithm(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	c->seen = arena_printf(v->a, "%u", v->rep.sig_algo);
	c->expected = "1 (ECDSA on P-384 with SHA-384)";
	return check_that(v->rep.sig_algo == 1);
}

static enum verdict check_signing_key(struct verifier *v, struct check *c, int arg)
{
	bool vcek = v->rep.signing_key == SIGNING_VCEK, vlek = v->rep.signing_key == SIGNING_VLEK;

	(void) arg;
	c->seen = signing_key_text(v->rep.signing_key, v->a);
	c->expected = v->x->vcek ? (v->x->vlek ? "VCEK or VLEK" : "VCEK") : "VLEK";
	v->kind = vlek ? CERT_VLEK : CERT_VCEK;
	return check_that((vcek && v->x->vcek) || (vlek && v->x->vlek));
}

static enum verdict check_mask(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	c->seen = v->rep.mask_chip_key ? "set" : "not set";
	c->expected = "not set: a masked key signs nothing";
	return check_that(!v->rep.mask_chip_key);
}

/* ---- which certificates ---- */

/* Whether this VEK is the one that the report's chip has at the report's TCB; only for choosing among several. */
static bool fits(struct verifier *v, const struct cert *c)
{
	struct err e = ERR_INIT;
	struct vek_facts f;
	struct snp_tcb t;

	if (cert_product(c) == SNP_PRODUCT_NONE || vek_facts(c, &f, &e) < 0)
		return false;
	snp_tcb_read(cert_product(c), v->rep.tcb[TCB_REPORTED], &t);
	return memcmp(&t, &f.tcb, sizeof(t)) == 0 &&
	       (!f.has_hwid || report_chip_masked(&v->rep) ||
		memcmp(f.hwid, v->rep.chip_id, CHIP_ID_LEN) == 0);
}

/* the one that fits; without one the first of the right kind, so that the checks say what is wrong with it */
static const struct cert *pick_vek(struct verifier *v, const struct certs *from, bool must_fit)
{
	const struct cert *first = NULL;

	for (size_t i = 0; from && i < from->n; i++) {
		if (cert_kind(from->v[i]) != v->kind)
			continue;
		if (fits(v, from->v[i]))
			return from->v[i];
		if (!first)
			first = from->v[i];
	}
	return must_fit ? NULL : first;
}

static enum verdict check_vek_there(struct verifier *v, struct check *c, int arg)
{
	const char *kind = v->kind == CERT_VLEK ? "VLEK" : "VCEK";

	(void) arg;
	c->expected = arena_printf(v->a, "a %s", kind);
	v->chain.vek = pick_vek(v, v->ev->certs, true);
	if (!v->chain.vek)
		v->chain.vek = pick_vek(v, v->ev->cached, true);
	if (!v->chain.vek)
		v->chain.vek = pick_vek(v, v->ev->certs, false);
	if (v->chain.vek)
		c->seen = arena_printf(v->a, "%s by %s", cert_subject(v->chain.vek),
				       cert_issuer(v->chain.vek));
	else
		c->why = arena_printf(v->a,
				      "no certificate SEV-%s was given or is in the cache (kavach "
				      "attest fetch says where to get it)",
				      kind);
	return check_that(v->chain.vek);
}

/* Version 2 does not say it; there it is the one whose intermediate signed the VEK, which the chain proves. */
static enum verdict check_product(struct verifier *v, struct check *c, int arg)
{
	enum snp_product p = v->rep.has_cpuid ? report_product(&v->rep)
					      : cert_product(v->chain.vek);

	(void) arg;
	for (int i = SNP_MILAN; i < SNP_PRODUCTS; i++)
		if (v->x->product[i])
			c->expected = arena_printf(v->a, "%s%s%s", c->expected ? c->expected : "",
						   c->expected ? ", " : "",
						   snp_product_name((enum snp_product) i));
	c->seen = snp_product_name(p);
	if (v->rep.has_cpuid)
		c->seen = arena_printf(v->a, "%s (CPU %02x/%02x/%02x)", c->seen, v->rep.cpu_family,
				       v->rep.cpu_model, v->rep.cpu_stepping);
	v->product = p;
	return check_that(p != SNP_PRODUCT_NONE && v->x->product[p]);
}

static enum verdict check_tcb_reserved(struct verifier *v, struct check *c, int arg)
{
	struct snp_tcb t;

	(void) arg;
	c->expected = "zero";
	for (int i = 0; i < REPORT_TCBS; i++)
		if (!snp_tcb_read(v->product, v->rep.tcb[i], &t)) {
			c->why = arena_printf(v->a, "%s TCB %s has bytes that %s does not use",
					      report_tcb_name((enum report_tcb) i),
					      hex_text(v->a, v->rep.tcb[i], 8),
					      snp_product_name(v->product));
			return VERDICT_FAIL;
		}
	return VERDICT_PASS;
}

static const struct cert *find(const struct certs *from, enum cert_kind kind, enum snp_product p)
{
	for (size_t i = 0; from && i < from->n; i++)
		if (cert_kind(from->v[i]) == kind && cert_product(from->v[i]) == p)
			return from->v[i];
	return NULL;
}

static void add_own(struct verifier *v, const char *pem)
{
	struct err e = ERR_INIT;
	struct bytes b = {(uint8_t *) (uintptr_t) pem, strlen(pem)};

	/* a root that cannot be read is one that is not there: its check fails */
	certs_add(&v->own, b, "AMD's certificates", &e);
}

static bool same(const struct cert *x, const struct cert *y)
{
	struct bytes a = cert_der(x), b = cert_der(y);

	return a.n == b.n && memcmp(a.v, b.v, a.n) == 0;
}

static enum verdict check_root(struct verifier *v, struct check *c, int arg)
{
	const struct certs *given = v->ev->certs;

	(void) arg;
	add_own(v, snp_roots[v->product].ark);
	add_own(v, snp_roots[v->product].ask);
	add_own(v, snp_roots[v->product].asvk);
	v->chain.root = find(v->ev->roots ? v->ev->roots : &v->own, CERT_ARK, v->product);
	c->expected = v->ev->roots
			      ? "the given UNTRUSTED root"
			      : arena_printf(v->a, "AMD's ARK-%s", snp_product_name(v->product));
	if (!v->chain.root) {
		c->why = arena_printf(v->a, "there is no ARK-%s", snp_product_name(v->product));
		return VERDICT_FAIL;
	}
	for (size_t i = 0; given && i < given->n; i++) {
		if (cert_kind(given->v[i]) != CERT_ARK || cert_product(given->v[i]) != v->product ||
		    same(given->v[i], v->chain.root))
			continue;
		c->seen = "another certificate of that name";
		return VERDICT_FAIL;
	}
	c->seen = v->ev->roots ? "UNTRUSTED ROOT" : "AMD's";
	return VERDICT_PASS;
}

static enum verdict check_intermediate(struct verifier *v, struct check *c, int arg)
{
	enum cert_kind kind = v->kind == CERT_VLEK ? CERT_ASVK : CERT_ASK;

	(void) arg;
	c->expected = kind == CERT_ASVK ? "an ASVK" : "an ASK";
	v->chain.intermediate = find(v->ev->certs, kind, v->product);
	c->seen = "given";
	if (!v->chain.intermediate) {
		v->chain.intermediate = find(&v->own, kind, v->product);
		c->seen = "AMD's, none was given";
	}
	if (!v->chain.intermediate)
		c->seen = "none";
	return check_that(v->chain.intermediate);
}

/* ---- the chain ---- */

static enum verdict check_names(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;

	(void) arg;
	c->seen = arena_printf(v->a, "%s, %s, %s", cert_subject(v->chain.root),
			       cert_subject(v->chain.intermediate), cert_subject(v->chain.vek));
	return check_error(v, c, chain_names(&v->chain, v->product, v->kind, &e), &e);
}

static enum verdict check_forms(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;

	(void) arg;
	c->expected = "RSASSA-PSS with SHA-384, RSA 4096 and P-384 keys, two CAs";
	return check_error(v, c, chain_forms(&v->chain, &e), &e);
}

static enum verdict check_signatures(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;

	(void) arg;
	return check_error(v, c, chain_signatures(&v->chain, v->ev->at, true, &e), &e);
}

static enum verdict check_validity(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;
	int r = cert_valid_at(v->chain.root, v->ev->at, &e);

	(void) arg;
	c->seen = arena_printf(v->a, "VEK from %s", cert_validity(v->chain.vek, v->a));
	if (r == 0)
		r = cert_valid_at(v->chain.intermediate, v->ev->at, &e);
	if (r == 0)
		r = cert_valid_at(v->chain.vek, v->ev->at, &e);
	/* and once more as OpenSSL reads the dates; of anything else it has spoken above */
	if (r == 0 && chain_signatures(&v->chain, v->ev->at, true, &e) == 0)
		r = chain_signatures(&v->chain, v->ev->at, false, &e);
	return check_error(v, c, r, &e);
}

/* ---- what the VEK is for ---- */

static enum verdict check_extensions(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;

	(void) arg;
	return check_error(v, c, vek_facts(v->chain.vek, &v->facts, &e), &e);
}

static enum verdict check_struct_version(struct verifier *v, struct check *c, int arg)
{
	unsigned want = v->product == SNP_TURIN ? 1 : 0;

	(void) arg;
	c->seen = arena_printf(v->a, "%u, %s FMC", v->facts.struct_version,
			       v->facts.has_fmc ? "with" : "without");
	c->expected = want ? "1, with FMC" : "0, without FMC";
	return check_that(v->facts.struct_version == want && v->facts.has_fmc == (want == 1));
}

/* "Milan-B0" is a Milan of any stepping */
static enum verdict check_vek_product(struct verifier *v, struct check *c, int arg)
{
	size_t n = strcspn(v->facts.product, "-");

	(void) arg;
	c->seen = arena_strdup(v->a, v->facts.product);
	c->expected = snp_product_name(v->product);
	return check_that(n == strlen(c->expected) && memcmp(c->seen, c->expected, n) == 0);
}

static enum verdict check_holder(struct verifier *v, struct check *c, int arg)
{
	bool vlek = v->kind == CERT_VLEK;

	(void) arg;
	c->seen = v->facts.has_hwid ? (v->facts.has_csp ? "HWID and CSP id" : "HWID")
				    : (v->facts.has_csp ? "CSP id" : "neither");
	c->expected = vlek ? "CSP id" : "HWID";
	return check_that(v->facts.has_csp == vlek && v->facts.has_hwid == !vlek);
}

static enum verdict check_csp(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	if (v->kind != CERT_VLEK)
		return VERDICT_OPEN;
	c->seen = v->facts.has_csp ? arena_strdup(v->a, v->facts.csp) : "none";
	c->expected = "one of cspIds";
	if (!v->x->csp_ids.n)
		c->why = "a VLEK is whichever provider's AMD gave it to: the policy must name those "
			 "that are trusted (cspIds)";
	return check_that(v->facts.has_csp && strs_has(&v->x->csp_ids, v->facts.csp));
}

static enum verdict check_vek_tcb(struct verifier *v, struct check *c, int arg)
{
	struct snp_tcb t;

	(void) arg;
	snp_tcb_read(v->product, v->rep.tcb[TCB_REPORTED], &t);
	c->seen = snp_tcb_text(v->product, &v->facts.tcb, v->a);
	c->expected = arena_printf(v->a, "the reported %s", snp_tcb_text(v->product, &t, v->a));
	return check_that(memcmp(&t, &v->facts.tcb, sizeof(t)) == 0);
}

static enum verdict check_chip(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	if (v->kind == CERT_VLEK) {
		c->seen = report_chip_masked(&v->rep) ? "masked, as with any VLEK"
						      : "a chip id that no VLEK proves";
		return VERDICT_OPEN;
	}
	c->expected = arena_printf(v->a, "the VEK's %s",
				   hex_text(v->a, v->facts.hwid, v->facts.hwid_len));
	if (report_chip_masked(&v->rep)) {
		c->seen = "masked";
		c->why = v->x->masked_chip_ok ? NULL : "only with allowMaskedChipId";
		return v->x->masked_chip_ok ? VERDICT_OPEN : VERDICT_FAIL;
	}
	c->seen = hex_text(v->a, v->rep.chip_id, snp_hwid_len(v->product));
	return check_that(v->facts.hwid_len == snp_hwid_len(v->product) &&
			  memcmp(v->facts.hwid, v->rep.chip_id, CHIP_ID_LEN) == 0);
}

static enum verdict check_chip_allowed(struct verifier *v, struct check *c, int arg)
{
	/* a VCEK proves its chip also where the report hides it */
	const uint8_t *chip = v->kind == CERT_VCEK ? v->facts.hwid : v->rep.chip_id;

	(void) arg;
	c->seen = hex_text(v->a, chip, snp_hwid_len(v->product));
	if (!v->x->chip_ids.set)
		return VERDICT_OPEN;
	c->expected = "one of chipIds";
	return check_that(expect_has(&v->x->chip_ids, chip));
}

static enum verdict check_signature(struct verifier *v, struct check *c, int arg)
{
	struct err e = ERR_INIT;
	eckey_auto *key = NULL;
	int r = cert_key(v->chain.vek, &key, &e);

	(void) arg;
	if (r == 0)
		r = eckey_verify(key, v->raw, REPORT_SIGNED, v->rep.signature, &e);
	return check_error(v, c, r, &e);
}

static const struct check_row form_rows[] = {
	{"report.size", "length", check_size, 0, HAVE_BYTES, 0},
	{"report.version", "version", check_version, HAVE_BYTES, HAVE_REPORT, 0},
	{"report.reserved", "reserved bytes", check_reserved, HAVE_REPORT, 0, 0},
	{"report.key-info", "reserved bits of the key info", check_key_info, HAVE_REPORT, 0, 0},
	{"report.policy-bits", "reserved bits of the guest policy", check_policy_bits, HAVE_REPORT,
	 0, 0},
	{"signature.algorithm", "signature algorithm", check_algorithm, HAVE_REPORT, 0, 0},
	{"signature.key", "kind of signing key", check_signing_key, HAVE_REPORT, HAVE_KEY, 0},
	{"signature.mask", "masked signing key", check_mask, HAVE_REPORT, 0, 0},
	{"chain.vek", "certificate of the signing key", check_vek_there, HAVE_KEY, HAVE_VEK, 0},
	{"product", "product", check_product, HAVE_VEK, HAVE_PRODUCT, 0},
	{"report.tcb-bytes", "unused bytes of the TCBs", check_tcb_reserved, HAVE_PRODUCT, 0, 0},
	{"chain.root", "root of trust", check_root, HAVE_PRODUCT, HAVE_ROOT, 0},
	{"chain.intermediate", "intermediate", check_intermediate, HAVE_ROOT, HAVE_CHAIN, 0},
	{"chain.names", "names of the certificates", check_names, HAVE_CHAIN, 0, 0},
	{"chain.forms", "algorithms, keys and CA flags", check_forms, HAVE_CHAIN, 0, 0},
	{"chain.signatures", "signatures of the certificates", check_signatures, HAVE_CHAIN, 0, 0},
	{"chain.validity", "dates of the certificates", check_validity, HAVE_CHAIN, 0, 0},
	{"vek.extensions", "AMD's extensions", check_extensions, HAVE_VEK, HAVE_FACTS, 0},
	{"vek.struct-version", "form of the VEK", check_struct_version, HAVE_FACTS | HAVE_PRODUCT,
	 0, 0},
	{"vek.product", "product of the VEK", check_vek_product, HAVE_FACTS | HAVE_PRODUCT, 0, 0},
	{"vek.holder", "whose key it is", check_holder, HAVE_FACTS, 0, 0},
	{"vek.csp", "cloud provider", check_csp, HAVE_FACTS, 0, 0},
	{"vek.tcb", "TCB of the VEK", check_vek_tcb, HAVE_FACTS | HAVE_PRODUCT, 0, 0},
	{"vek.chip", "chip", check_chip, HAVE_FACTS | HAVE_PRODUCT, 0, 0},
	{"chip.allowed", "chips that are allowed", check_chip_allowed, HAVE_FACTS | HAVE_PRODUCT, 0,
	 0},
	{"signature.report", "signature of the report", check_signature, HAVE_VEK, 0, 0},
};

static void run_rows(struct verifier *v, const struct check_row *rows, size_t n,
		     struct judgement *j)
{
	for (size_t i = 0; i < n && j->n < CHECKS_MAX; i++) {
		struct check *c = &j->checks[j->n++];

		*c = (struct check){.id = rows[i].id, .what = rows[i].what};
		if ((v->have & rows[i].needs) != rows[i].needs)
			c->verdict = VERDICT_UNCHECKED;
		else
			c->verdict = rows[i].run(v, c, rows[i].arg);
		if (c->verdict == VERDICT_PASS)
			v->have |= rows[i].gives;
		if (c->verdict != VERDICT_PASS && c->verdict != VERDICT_OPEN)
			j->accepted = false;
	}
	if (j->n == CHECKS_MAX)
		j->accepted = false; /* our own bug: a row may have had no room */
}

void verify(const struct evidence *ev, const struct expect *x, struct arena *a,
	    struct judgement *ret)
{
	struct verifier v = {.ev = ev, .x = x, .a = a};
	struct judgement j = {.accepted = true, .untrusted_root = ev->roots != NULL};

	run_rows(&v, form_rows, ARRAY_LEN(form_rows), &j);
	if (ev->doc)
		run_rows(&v, doc_rows, doc_rows_n, &j);
	run_rows(&v, claim_rows, claim_rows_n, &j);
	j.has_report = v.have & HAVE_REPORT;
	j.report = v.rep;
	j.product = v.have & HAVE_PRODUCT ? v.product : SNP_PRODUCT_NONE;
	certs_free(&v.own);
	*ret = j;
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_PASS] = "pass",
		[VERDICT_FAIL] = "fail",
		[VERDICT_OPEN] = "open",
		[VERDICT_UNCHECKED] = "unchecked",
	};

	return names[v];
}

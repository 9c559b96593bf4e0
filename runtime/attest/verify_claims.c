/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a genuine report says what was expected? */
#include <string.h>

#include "attest/bytes.h"
#include "attest/policy.h"
#include "attest/verify_impl.h"

/* ---- what runs, and for whom ---- */

static const char *list_of(struct verifier *v, const struct hexes *h)
{
	if (h->n == 1)
		return hex_text(v->a, h->v, h->len);
	return arena_printf(v->a, "one of %zu values", h->n);
}

static enum verdict check_set(struct verifier *v, struct check *c, const struct hexes *h,
			      const uint8_t *found, size_t n)
{
	c->seen = hex_text(v->a, found, n);
	if (!h->set)
		return VERDICT_OPEN;
	c->expected = list_of(v, h);
	return check_that(expect_has(h, found));
}

static enum verdict check_report_data(struct verifier *v, struct check *c, int arg)
{
	enum verdict r = check_set(v, c, &v->x->report_data, v->rep.report_data, 64);

	(void) arg;
	if (r != VERDICT_OPEN || v->x->any_report_data)
		return r;
	c->why = "nothing was expected, so this may be an old report or somebody else's: give --nonce, "
		 "--report-data or a policy with reportData or anyReportData";
	return VERDICT_FAIL;
}

static enum verdict check_measurement(struct verifier *v, struct check *c, int arg)
{
	enum verdict r = check_set(v, c, &v->x->measurements, v->rep.measurement, 48);

	(void) arg;
	if (r != VERDICT_OPEN || v->x->any_measurement)
		return r;
	c->why = "nothing was expected, so this may be any guest: give --measurement or a policy with "
		 "measurements or anyMeasurement";
	return VERDICT_FAIL;
}

static enum verdict check_host_data(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	return check_set(v, c, &v->x->host_data, v->rep.host_data, 32);
}

static enum verdict check_id_key(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	return check_set(v, c, &v->x->id_keys, v->rep.id_key_digest, 48);
}

static enum verdict check_author_key(struct verifier *v, struct check *c, int arg)
{
	enum verdict r = check_set(v, c, &v->x->author_keys, v->rep.author_key_digest, 48);

	(void) arg;
	if (r == VERDICT_PASS && !v->rep.author_key_en) {
		c->why = "there was no author key at launch";
		return VERDICT_FAIL;
	}
	return r;
}

static enum verdict check_family(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	return check_set(v, c, &v->x->family_id, v->rep.family_id, 16);
}

static enum verdict check_image(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	return check_set(v, c, &v->x->image_id, v->rep.image_id, 16);
}

static enum verdict check_svn(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	c->seen = arena_printf(v->a, "%u", v->rep.guest_svn);
	if (!v->x->min_guest_svn.set)
		return VERDICT_OPEN;
	c->expected = arena_printf(v->a, "at least %llu",
				   (unsigned long long) v->x->min_guest_svn.v);
	return check_that(v->rep.guest_svn >= v->x->min_guest_svn.v);
}

/* 0 is the most privileged. Whoever asks names the level, but none above its own. */
static enum verdict check_vmpl(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	c->seen = arena_printf(v->a, "%u", v->rep.vmpl);
	c->expected = arena_printf(v->a, "%u", v->x->vmpl);
	return check_that(v->rep.vmpl == v->x->vmpl);
}

/* ---- the guest's policy ---- */

static bool policy_bit(const struct verifier *v, enum snp_policy_bit bit)
{
	return v->rep.policy >> bit & 1;
}

static enum verdict check_debug(struct verifier *v, struct check *c, int arg)
{
	bool on = policy_bit(v, SNP_POLICY_DEBUG);

	(void) arg;
	c->seen = on ? "allowed: the host can read and change the guest's memory" : "forbidden";
	if (on && v->x->debug_ok)
		return VERDICT_OPEN;
	c->expected = "forbidden";
	return check_that(!on);
}

static enum verdict check_migration(struct verifier *v, struct check *c, int arg)
{
	bool on = policy_bit(v, SNP_POLICY_MIGRATE_MA), agent = false;

	(void) arg;
	for (size_t i = 0; i < 32; i++)
		agent |= v->rep.report_id_ma[i] != 0xff;
	c->seen = agent ? (on ? "allowed, with an agent" : "forbidden, but with an agent")
			: (on ? "allowed, without an agent" : "forbidden, without an agent");
	if (on && v->x->migration_ok)
		return VERDICT_OPEN;
	c->expected = "forbidden, without an agent";
	return check_that(!on && !agent);
}

static enum verdict check_demand(struct verifier *v, struct check *c, int arg)
{
	enum demand d = (enum demand) arg;
	uint64_t bits = d < DEMAND_POLICY_N ? v->rep.policy : v->rep.platform_info;
	unsigned bit = demand_bit(d);

	c->seen = arena_printf(v->a, "bit %u is %u", bit, (unsigned) (bits >> bit & 1));
	if (!v->x->demand[d])
		return VERDICT_OPEN;
	c->expected = demand_name(d);
	return check_that(demand_met(d, bits));
}

static enum verdict check_abi(struct verifier *v, struct check *c, int arg)
{
	unsigned major = v->rep.policy >> 8 & 0xff, minor = v->rep.policy & 0xff;

	(void) arg;
	c->seen = arena_printf(v->a, "%u.%u", major, minor);
	if (!v->x->has_abi)
		return VERDICT_OPEN;
	c->expected = arena_printf(v->a, "at least %u.%u", v->x->abi_major, v->x->abi_minor);
	return check_that(major > v->x->abi_major ||
			  (major == v->x->abi_major && minor >= v->x->abi_minor));
}

/* ---- the firmware ---- */

static const struct floor *floor_of(const struct verifier *v)
{
	for (size_t i = 0; i < v->x->n_floors; i++)
		if (v->x->floors[i].product == v->product)
			return &v->x->floors[i];
	return NULL;
}

/* a policy with floors, but with none for this product */
static enum verdict no_floor(struct verifier *v, struct check *c)
{
	c->why = arena_printf(v->a, "the policy has floors, but none for %s",
			      snp_product_name(v->product));
	return VERDICT_FAIL;
}

static enum verdict check_tcb(struct verifier *v, struct check *c, int arg)
{
	const struct floor *f = floor_of(v);
	struct snp_tcb t;
	enum tcb_part low;

	snp_tcb_read(v->product, v->rep.tcb[arg], &t);
	c->seen = snp_tcb_text(v->product, &t, v->a);
	if (!f && v->x->n_floors)
		return no_floor(v, c);
	if (!f || !f->has_tcb[arg])
		return VERDICT_OPEN;
	c->expected = arena_printf(v->a, "at least %s",
				   snp_tcb_text(v->product, &f->tcb[arg], v->a));
	low = snp_tcb_below(&t, &f->tcb[arg]);
	if (low != TCB_PARTS)
		c->why = arena_printf(v->a, "%s is %u, below %u", tcb_part_name(low), t.v[low],
				      f->tcb[arg].v[low]);
	return check_that(low == TCB_PARTS);
}

static enum verdict check_tcb_order(struct verifier *v, struct check *c, int arg)
{
	struct snp_tcb now, committed;
	enum tcb_part low;

	(void) arg;
	snp_tcb_read(v->product, v->rep.tcb[TCB_CURRENT], &now);
	snp_tcb_read(v->product, v->rep.tcb[TCB_COMMITTED], &committed);
	low = snp_tcb_below(&now, &committed);
	c->expected = "the committed TCB and version at most the current ones";
	if (low != TCB_PARTS)
		c->why = arena_printf(v->a, "%s is %u, committed %u", tcb_part_name(low),
				      now.v[low], committed.v[low]);
	else if (snp_version_cmp(&v->rep.committed, &v->rep.current) > 0)
		c->why = arena_printf(v->a, "firmware %s, committed %s",
				      snp_version_text(&v->rep.current, v->a),
				      snp_version_text(&v->rep.committed, v->a));
	return check_that(!c->why);
}

/* What is not committed can be rolled back by the host. */
static enum verdict check_uncommitted(struct verifier *v, struct check *c, int arg)
{
	bool equal = memcmp(v->rep.tcb[TCB_CURRENT], v->rep.tcb[TCB_COMMITTED], 8) == 0 &&
		     snp_version_cmp(&v->rep.current, &v->rep.committed) == 0;

	(void) arg;
	c->seen = equal ? "all committed" : "current and committed differ";
	if (!equal && v->x->uncommitted_ok)
		return VERDICT_OPEN;
	c->expected = "all committed";
	c->why = equal ? NULL
		       : "the host can go back to the older firmware; allowUncommitted tolerates it";
	return check_that(equal);
}

static enum verdict check_firmware(struct verifier *v, struct check *c, int arg)
{
	const struct floor *f = floor_of(v);

	(void) arg;
	c->seen = arena_printf(v->a, "%s, committed %s", snp_version_text(&v->rep.current, v->a),
			       snp_version_text(&v->rep.committed, v->a));
	if (!f && v->x->n_floors)
		return no_floor(v, c);
	if (!f || !f->has_version)
		return VERDICT_OPEN;
	c->expected = arena_printf(v->a, "at least %s", snp_version_text(&f->version, v->a));
	return check_that(snp_version_cmp(&v->rep.current, &f->version) >= 0 &&
			  snp_version_cmp(&v->rep.committed, &f->version) >= 0);
}

/* Newer firmware has newer bits: that is worth a line, not a refusal. */
static enum verdict check_unknown_bits(struct verifier *v, struct check *c, int arg)
{
	(void) arg;
	c->seen = platform_text(v->rep.platform_info, v->a);
	return VERDICT_OPEN;
}

static enum verdict check_mitigations(struct verifier *v, struct check *c, int arg)
{
	const struct opt_u64 *want = arg ? &v->x->current_mitigations : &v->x->launch_mitigations;
	uint64_t found = arg ? v->rep.current_mitigations : v->rep.launch_mitigations;

	c->seen = v->rep.has_mitigations ? arena_printf(v->a, "0x%llx", (unsigned long long) found)
					 : "not in this version";
	if (!want->set)
		return VERDICT_OPEN;
	c->expected = arena_printf(v->a, "the bits of 0x%llx", (unsigned long long) want->v);
	return check_that(v->rep.has_mitigations && (found & want->v) == want->v);
}

/* ---- revocation ---- */

/* Each CRL by this root must be good: a stale one beside a fresh one would be somebody's trick. */
static enum verdict check_crl(struct verifier *v, struct check *c, int arg)
{
	const struct certs *given = v->ev->certs;
	size_t n = given ? given->n_crls : 0;
	struct err e = ERR_INIT;
	int r = 0;

	(void) arg;
	c->seen = arena_printf(v->a, "%zu given", n);
	if (!n && !v->x->crl_required)
		return VERDICT_OPEN;
	c->expected = "a fresh CRL by the root that does not name the intermediate";
	if (!n)
		c->why = "the policy demands a CRL: --crl";
	for (size_t i = 0; i < n && r == 0; i++)
		r = crl_check(given->crls[i], &v->chain, v->ev->at, &e);
	return n ? check_error(v, c, r, &e) : VERDICT_FAIL;
}

#define REP HAVE_REPORT
#define REP_PRODUCT (HAVE_REPORT | HAVE_PRODUCT)

const struct check_row claim_rows[] = {
	{"report-data", "report data", check_report_data, REP, 0, 0},
	{"measurement", "measurement", check_measurement, REP, 0, 0},
	{"host-data", "host data", check_host_data, REP, 0, 0},
	{"id-key", "ID key", check_id_key, REP, 0, 0},
	{"author-key", "author key", check_author_key, REP, 0, 0},
	{"family-id", "family id", check_family, REP, 0, 0},
	{"image-id", "image id", check_image, REP, 0, 0},
	{"guest-svn", "guest SVN", check_svn, REP, 0, 0},
	{"vmpl", "privilege level", check_vmpl, REP, 0, 0},
	{"policy.debug", "debugging", check_debug, REP, 0, 0},
	{"policy.migration", "migration agent", check_migration, REP, 0, 0},
	{"policy.abi", "ABI that the guest demands", check_abi, REP, 0, 0},
	{"policy.smt", "guest policy: SMT", check_demand, REP, 0, DEMAND_NO_SMT},
	{"policy.single-socket", "guest policy: single socket", check_demand, REP, 0,
	 DEMAND_SINGLE_SOCKET},
	{"policy.cxl", "guest policy: CXL", check_demand, REP, 0, DEMAND_NO_CXL},
	{"policy.aes-256-xts", "guest policy: AES-256-XTS", check_demand, REP, 0,
	 DEMAND_AES_256_XTS},
	{"policy.rapl", "guest policy: RAPL", check_demand, REP, 0, DEMAND_RAPL_OFF},
	{"policy.ciphertext-hiding", "guest policy: ciphertext hiding", check_demand, REP, 0,
	 DEMAND_CIPHERTEXT_HIDING},
	{"policy.page-swap", "guest policy: page swap", check_demand, REP, 0,
	 DEMAND_PAGE_SWAP_DISABLED},
	{"tcb.reported", "reported TCB", check_tcb, REP_PRODUCT, 0, TCB_REPORTED},
	{"tcb.launch", "TCB at launch", check_tcb, REP_PRODUCT, 0, TCB_LAUNCH},
	{"tcb.committed", "committed TCB", check_tcb, REP_PRODUCT, 0, TCB_COMMITTED},
	{"tcb.current", "current TCB", check_tcb, REP_PRODUCT, 0, TCB_CURRENT},
	{"tcb.order", "order of the TCBs", check_tcb_order, REP_PRODUCT, 0, 0},
	{"tcb.uncommitted", "firmware that is not committed", check_uncommitted, REP_PRODUCT, 0, 0},
	{"firmware.version", "firmware version", check_firmware, REP_PRODUCT, 0, 0},
	{"platform.smt", "platform: SMT", check_demand, REP, 0, DEMAND_P_SMT_OFF},
	{"platform.tsme", "platform: TSME", check_demand, REP, 0, DEMAND_P_TSME},
	{"platform.ecc", "platform: ECC", check_demand, REP, 0, DEMAND_P_ECC},
	{"platform.rapl", "platform: RAPL", check_demand, REP, 0, DEMAND_P_RAPL_OFF},
	{"platform.ciphertext-hiding", "platform: ciphertext hiding", check_demand, REP, 0,
	 DEMAND_P_CIPHERTEXT_HIDING},
	{"platform.alias-check", "platform: alias check", check_demand, REP, 0,
	 DEMAND_P_ALIAS_CHECK},
	{"platform.tio", "platform: TIO", check_demand, REP, 0, DEMAND_P_TIO},
	{"platform.bits", "platform: all bits", check_unknown_bits, REP, 0, 0},
	{"mitigations.launch", "mitigations at launch", check_mitigations, REP, 0, 0},
	{"mitigations.current", "mitigations now", check_mitigations, REP, 0, 1},
	{"crl", "revocation", check_crl, HAVE_CHAIN, 0, 0},
};
const size_t claim_rows_n = sizeof(claim_rows) / sizeof(claim_rows[0]);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verifier expects of a report: the verification policy, a JSON file (kavach-attest(1) describes it,
 * docs/schema/verification-policy.json is its schema). Whatever loosens a check has to be written down; what must be known
 * to mean anything (measurement, report data) has to be named or given up explicitly.
 */
#ifndef KAVACH_ATTEST_EXPECT_H
#define KAVACH_ATTEST_EXPECT_H

#include "attest/report.h"

/* Values of one length, any of which will do. */
struct hexes {
	bool set;
	uint8_t *v; /* n times len bytes */
	size_t n, len;
};

/* What can be demanded of the guest policy and of the platform; rows: expect.c. */
enum demand {
	DEMAND_NO_SMT,
	DEMAND_SINGLE_SOCKET,
	DEMAND_NO_CXL,
	DEMAND_AES_256_XTS,
	DEMAND_RAPL_OFF,
	DEMAND_CIPHERTEXT_HIDING,
	DEMAND_PAGE_SWAP_DISABLED,
	DEMAND_POLICY_N,
	PLATFORM_DEMANDS = DEMAND_POLICY_N,
	DEMAND_P_SMT_OFF = PLATFORM_DEMANDS,
	DEMAND_P_TSME,
	DEMAND_P_ECC,
	DEMAND_P_RAPL_OFF,
	DEMAND_P_CIPHERTEXT_HIDING,
	DEMAND_P_ALIAS_CHECK,
	DEMAND_P_TIO,
	DEMAND_N,
};

/* The lowest versions of one product's firmware that are trusted. */
struct floor {
	enum snp_product product;
	bool has_tcb[REPORT_TCBS];
	struct snp_tcb tcb[REPORT_TCBS];
	bool has_version;
	struct snp_version version;
};

struct expect {
	bool product[SNP_PRODUCTS]; /* those that are accepted */
	bool vcek, vlek;
	struct strs csp_ids; /* a VLEK must be of one of these */
	struct hexes chip_ids;
	bool masked_chip_ok;
	struct hexes report_data, measurements, host_data, id_keys, author_keys, family_id,
		image_id;
	bool any_report_data, any_measurement;
	struct opt_u64 min_guest_svn;
	uint32_t vmpl;
	bool debug_ok, migration_ok, uncommitted_ok, crl_required;
	bool demand[DEMAND_N];
	bool has_abi;
	uint8_t abi_major, abi_minor;
	struct floor *floors;
	size_t n_floors;
	struct opt_u64 launch_mitigations, current_mitigations; /* these bits */
};

/* expect_default: what is expected without a file: no measurement and no report data are named. */
void expect_default(struct expect *ret);
/* expect_read: a policy file's text (kept: strings point into the arena). Errors have line, column and path. */
int expect_read(const char *name, struct bytes text, struct arena *a, struct expect *ret,
		struct err *e);
/* expect_one: one more value of n bytes for a set. */
void expect_one(struct hexes *h, const uint8_t *v, size_t n, struct arena *a);
/* expect_has: whether a set has this value; in a time that tells nothing about where they differ. */
bool expect_has(const struct hexes *h, const uint8_t *v);
/* demand_name: "no-smt". */
const char *demand_name(enum demand d);
/* demand_bit: the bit that it is about. */
unsigned demand_bit(enum demand d);
/* demand_met: whether these bits (a guest policy, or PLATFORM_INFO for the platform's demands) fulfil it. */
bool demand_met(enum demand d, uint64_t bits);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy.h"

#include "base/types.h"

#define SNP_POLICY_KNOWN ((1ull << 26) - 1)

static const struct {
	unsigned bit;
	const char *on, *off; /* NULL: the usual case, not worth a word */
} snp_bits[] = {
	{SNP_POLICY_SMT, "SMT allowed", "SMT forbidden"},
	{SNP_POLICY_MIGRATE_MA, "migration agent allowed", NULL},
	{SNP_POLICY_DEBUG, "DEBUG ALLOWED", "no debug"},
	{SNP_POLICY_SINGLE_SOCKET, "single socket", NULL},
	{SNP_POLICY_CXL, "CXL allowed", NULL},
	{SNP_POLICY_AES_256_XTS, "AES-256-XTS required", NULL},
	{SNP_POLICY_RAPL_DIS, "RAPL must be off", NULL},
	{SNP_POLICY_CIPHERTEXT_HIDING, "ciphertext hiding required", NULL},
	{SNP_POLICY_PAGE_SWAP_DISABLE, "page swap disabled", NULL},
};

int snp_policy_check(uint64_t policy, struct err *e)
{
	if (!(policy & 1ull << SNP_POLICY_RESERVED_ONE))
		return err_set(e, -EINVAL,
			       "SNP guest policy 0x%llx: bit 17 is reserved and must be 1",
			       (unsigned long long) policy);
	if (policy & ~SNP_POLICY_KNOWN)
		return err_set(e, -EINVAL, "SNP guest policy 0x%llx: bits 26 to 63 must be 0",
			       (unsigned long long) policy);
	return 0;
}

char *snp_policy_text(uint64_t policy, struct arena *a)
{
	char *s = arena_printf(a, "ABI %u.%u", (unsigned) (policy >> 8 & 0xff),
			       (unsigned) (policy & 0xff));

	for (size_t i = 0; i < ARRAY_LEN(snp_bits); i++) {
		const char *word = policy >> snp_bits[i].bit & 1 ? snp_bits[i].on : snp_bits[i].off;

		if (word)
			s = arena_printf(a, "%s, %s", s, word);
	}
	return s;
}

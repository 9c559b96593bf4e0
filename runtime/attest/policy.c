/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy.h"

#include "base/types.h"

#define SNP_POLICY_KNOWN ((1ull << 26) - 1)

struct bit_words {
	unsigned bit;
	const char *on, *off; /* NULL: the usual case, not worth a word */
};

static const struct bit_words snp_bits[] = {
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

static char *add_words(char *s, uint64_t policy, const struct bit_words *v, size_t n,
		       struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		const char *word = policy >> v[i].bit & 1 ? v[i].on : v[i].off;

		if (word)
			s = arena_printf(a, "%s, %s", s, word);
	}
	return s;
}

char *snp_policy_text(uint64_t policy, struct arena *a)
{
	char *s = arena_printf(a, "ABI %u.%u", (unsigned) (policy >> 8 & 0xff),
			       (unsigned) (policy & 0xff));

	return add_words(s, policy, snp_bits, ARRAY_LEN(snp_bits), a);
}

static const struct bit_words sev_bits[] = {
	{SEV_POLICY_NO_DEBUG, "no debug", "DEBUG ALLOWED"},
	{SEV_POLICY_NO_KEY_SHARING, "no key sharing", "key sharing allowed"},
	{SEV_POLICY_ES, "registers encrypted", NULL},
	{SEV_POLICY_NO_SEND, "no sending away", "may be sent to another machine"},
	{SEV_POLICY_DOMAIN, "within the domain", NULL},
	{SEV_POLICY_SEV_ONLY, "to machines with SEV only", NULL},
};

int sev_policy_check(uint64_t policy, bool es, struct err *e)
{
	if (policy & 0xffc0u || policy >> 32)
		return err_set(e, -EINVAL,
			       "SEV guest policy 0x%llx: bits 6 to 15 and above 31 must be 0",
			       (unsigned long long) policy);
	if ((policy >> SEV_POLICY_ES & 1) != es)
		return err_set(e, -EINVAL, "SEV guest policy 0x%llx: bit 2 must be %d for %s",
			       (unsigned long long) policy, es, es ? "SEV-ES" : "SEV");
	return 0;
}

char *sev_policy_text(uint64_t policy, struct arena *a)
{
	char *s = arena_printf(a, "API %u.%u", (unsigned) (policy >> 16 & 0xff),
			       (unsigned) (policy >> 24 & 0xff));

	return add_words(s, policy, sev_bits, ARRAY_LEN(sev_bits), a);
}

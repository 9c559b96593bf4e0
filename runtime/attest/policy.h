/* SPDX-License-Identifier: Apache-2.0 */
/* Guest policies, bit by bit: AMD 56860, table 10 (SNP) and AMD 55766, table 2 (SEV, SEV-ES). */
#ifndef KAVACH_ATTEST_POLICY_H
#define KAVACH_ATTEST_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define SNP_POLICY_DEFAULT 0x30000u

enum snp_policy_bit {
	SNP_POLICY_SMT = 16,
	SNP_POLICY_RESERVED_ONE = 17,
	SNP_POLICY_MIGRATE_MA = 18,
	SNP_POLICY_DEBUG = 19,
	SNP_POLICY_SINGLE_SOCKET = 20,
	SNP_POLICY_CXL = 21,
	SNP_POLICY_AES_256_XTS = 22,
	SNP_POLICY_RAPL_DIS = 23,
	SNP_POLICY_CIPHERTEXT_HIDING = 24,
	SNP_POLICY_PAGE_SWAP_DISABLE = 25,
};

/* snp_policy_check: -EINVAL when bit 17 is 0 or one of 26 to 63 is 1: no firmware takes such a policy. */
int snp_policy_check(uint64_t policy, struct err *e);

/* snp_policy_kvm: -ENOTSUP when KVM of this Linux (KERNEL_VERSION()) refuses to launch with a policy that the firmware would
 * take: before 6.17 one that forbids SMT or demands a single socket, before 6.19 one with bits 21 to 25, always one with a
 * migration agent. */
int snp_policy_kvm(uint64_t policy, uint32_t kernel, struct err *e);

/* snp_policy_text: "ABI 0.0, SMT allowed, no debug, ...": every named bit in words, in the arena. */
char *snp_policy_text(uint64_t policy, struct arena *a);

#define SEV_POLICY_DEFAULT 0xbu

enum sev_policy_bit {
	SEV_POLICY_NO_DEBUG = 0,
	SEV_POLICY_NO_KEY_SHARING = 1,
	SEV_POLICY_ES = 2,
	SEV_POLICY_NO_SEND = 3,
	SEV_POLICY_DOMAIN = 4,
	SEV_POLICY_SEV_ONLY = 5,
};

/* sev_policy_check: -EINVAL when one of the bits 6 to 15 is 1, or beyond 31: they are reserved. es: of an SEV-ES guest,
 * which has bit 2, as no other has. */
int sev_policy_check(uint64_t policy, bool es, struct err *e);
/* guest_policy_parse: a policy in words, on top of the default: "smt,no-debug,abi=1.55"; a number ("0x30000") is the whole
 * policy. snp: SNP's words, else SEV's, of which es has "es" set by default. -EINVAL with the known words. What comes out is
 * checked as by snp_policy_check() or sev_policy_check(). */
int guest_policy_parse(const char *text, bool snp, bool es, struct arena *a, uint64_t *ret,
		       struct err *e);
/* guest_policy_words: the same way back: parsing them gives the same number. In the arena. */
char *guest_policy_words(uint64_t policy, bool snp, struct arena *a);

/* sev_policy_text: "API 0.0, no debug, no key sharing, ...", in the arena. */
char *sev_policy_text(uint64_t policy, struct arena *a);

#endif

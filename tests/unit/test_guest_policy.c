/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest base */
/* Guest policies in words: what each means bit by bit, the way back, and what a host's KVM refuses. */
#include "attest/policy.h"
#include "base/str.h"
#include "tap.h"

static struct arena arena;
static struct err err;

static const struct {
	const char *text;
	bool snp, es;
	uint64_t want; /* 0: refused */
} rows[] = {
	{"0x30000", true, false, 0x30000},
	{"196608", true, false, 0x30000},
	{"smt", true, false, 0x30000},
	{"no-smt", true, false, 0x20000},
	{"no-smt,smt", true, false, 0x30000},
	{"debug", true, false, 0xb0000},
	{"migration-agent", true, false, 0x70000},
	{"single-socket,cxl,aes-256-xts,rapl-off,ciphertext-hiding,page-swap-off", true, false,
	 0x3f30000},
	{"abi=1.55", true, false, 0x30137},
	{"abi=255.255,no-smt", true, false, 0x2ffff},
	{"abi=256.0", true, false, 0},
	{"abi=1", true, false, 0},
	{"abi=1.", true, false, 0},
	{"abi=1.5.5", true, false, 0},
	{"api=1.5", true, false, 0},
	{"", true, false, 0},
	{",", true, false, 0},
	{"SMT", true, false, 0},
	{"no-no-smt", true, false, 0},
	{"smt ", true, false, 0},
	{"0x10000", true, false, 0},   /* bit 17 must be 1 */
	{"0x4030000", true, false, 0}, /* bit 26 must be 0 */
	{"0x", true, false, 0},
	{"0x3000G", true, false, 0},
	{"0x00000000000030000", true, false, 0},
	{"-1", true, false, 0},
	{"0x30000,smt", true, false, 0},
	{"key-sharing", true, false, 0},
	{"api=1.55", false, false, 0x3701000b & 0xff01ffff},
	{"no-debug", false, false, 0xb},
	{"debug", false, false, 0xa},
	{"key-sharing", false, false, 0x9},
	{"send", false, false, 0x3},
	{"domain,sev-only", false, false, 0x3b},
	{"send,key-sharing", false, true, 0x5},
	{"no-debug", false, true, 0xf},
	{"0x5", false, true, 0x5},
	{"0x5", false, false, 0}, /* of SEV-ES */
	{"0x1", false, true, 0},
	{"0x40", false, false, 0},
	{"0x100000001", false, false, 0},
	{"smt", false, false, 0},
};

static void test_words(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t got = 0, again = 0;
		int r;

		err = ERR_INIT;
		r = guest_policy_parse(rows[i].text, rows[i].snp, rows[i].es, &arena, &got, &err);
		if (!rows[i].want) {
			ok(r == -EINVAL && *err.msg && !got, "refuses \"%s\"", rows[i].text);
			continue;
		}
		is_int(got, rows[i].want, "\"%s\" of %s", rows[i].text,
		       rows[i].snp  ? "SNP"
		       : rows[i].es ? "SEV-ES"
				    : "SEV");
		r = guest_policy_parse(guest_policy_words(got, rows[i].snp, &arena), rows[i].snp,
				       rows[i].es, &arena, &again, &err);
		ok(r == 0 && again == got, "... and back (%s)",
		   guest_policy_words(got, rows[i].snp, &arena));
	}
}

static void test_texts(void)
{
	err = ERR_INIT;
	is_str(sev_policy_text(0xb, &arena), "API 0.0, no debug, no key sharing, no sending away",
	       "SEV's default");
	is_str(sev_policy_text(0x37010004, &arena),
	       "API 1.55, DEBUG ALLOWED, key sharing allowed, registers encrypted, may be sent to "
	       "another machine",
	       "a weak one says so");
	is_int(guest_policy_parse("fast", true, false, &arena, &(uint64_t){0}, &err), -EINVAL,
	       "a word that is none");
	is_str(err.msg,
	       "guest policy: expected a number or words (abi=MAJOR.MINOR, smt, migration-agent, "
	       "debug, single-socket, cxl, aes-256-xts, rapl-off, ciphertext-hiding, page-swap-off; "
	       "no- before one turns it round), found \"fast\"",
	       "gets the known ones");
}

#define LINUX(a, b) ((a) << 16 | (b) << 8)

static void test_kvm(void)
{
	static const struct {
		uint64_t policy;
		uint32_t kernel;
		bool fits;
	} kvm[] = {
		{0x30000, LINUX(6, 11), true},	  {0x20000, LINUX(6, 16), false},
		{0x20000, LINUX(6, 17), true},	  {0x130000, LINUX(6, 16), false},
		{0x130000, LINUX(6, 17), true},	  {0x230000, LINUX(6, 18), false},
		{0x230000, LINUX(6, 19), true},	  {0x3f30000, LINUX(7, 0), true},
		{0x2030000, LINUX(6, 18), false}, {0x70000, LINUX(7, 0), false},
	};

	for (size_t i = 0; i < ARRAY_LEN(kvm); i++) {
		err = ERR_INIT;
		ok((snp_policy_kvm(kvm[i].policy, kvm[i].kernel, &err) == 0) == kvm[i].fits,
		   "0x%llx %s Linux %u.%u", (unsigned long long) kvm[i].policy,
		   kvm[i].fits ? "on" : "not on", kvm[i].kernel >> 16, kvm[i].kernel >> 8 & 255);
	}
	err = ERR_INIT;
	(void) snp_policy_kvm(0x20000, LINUX(6, 12), &err);
	is_str(err.msg,
	       "SNP guest policy 0x20000: forbidding SMT needs Linux 6.17 on the host, this is "
	       "6.12",
	       "says what it needs");
}

int main(void)
{
	test_words();
	test_texts();
	test_kvm();
	arena_free(&arena);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy.h"

#include <string.h>

#include "base/num.h"
#include "base/str.h"
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

/* ---- what KVM takes ---- */

#define LINUX(major, minor) ((major) << 16 | (minor) << 8)

int snp_policy_kvm(uint64_t policy, uint32_t kernel, struct err *e)
{
	static const struct {
		uint32_t since; /* 0: never */
		unsigned bit;
		bool value; /* of the bit, that is refused */
		const char *what;
	} rows[] = {
		{0, SNP_POLICY_MIGRATE_MA, true, "a migration agent"},
		{LINUX(6, 17), SNP_POLICY_SMT, false, "forbidding SMT"},
		{LINUX(6, 17), SNP_POLICY_SINGLE_SOCKET, true, "a single socket"},
		{LINUX(6, 19), SNP_POLICY_CXL, true, "CXL"},
		{LINUX(6, 19), SNP_POLICY_AES_256_XTS, true, "AES-256-XTS"},
		{LINUX(6, 19), SNP_POLICY_RAPL_DIS, true, "RAPL off"},
		{LINUX(6, 19), SNP_POLICY_CIPHERTEXT_HIDING, true, "ciphertext hiding"},
		{LINUX(6, 19), SNP_POLICY_PAGE_SWAP_DISABLE, true, "page swap disabled"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if ((policy >> rows[i].bit & 1) != rows[i].value)
			continue;
		if (!rows[i].since)
			return err_set(e, -ENOTSUP, "SNP guest policy 0x%llx: %s: KVM cannot do it",
				       (unsigned long long) policy, rows[i].what);
		if (kernel < rows[i].since)
			return err_set(e, -ENOTSUP,
				       "SNP guest policy 0x%llx: %s needs Linux %u.%u on the host, "
				       "this is %u.%u",
				       (unsigned long long) policy, rows[i].what,
				       rows[i].since >> 16, rows[i].since >> 8 & 0xff, kernel >> 16,
				       kernel >> 8 & 0xff);
	}
	return 0;
}

/* ---- words ---- */

/* "no-" before a word turns it round. */
struct policy_word {
	const char *name;
	unsigned bit;
	bool value; /* of the bit, that the word means */
};

static const struct policy_word snp_words[] = {
	{"smt", SNP_POLICY_SMT, true},
	{"migration-agent", SNP_POLICY_MIGRATE_MA, true},
	{"debug", SNP_POLICY_DEBUG, true},
	{"single-socket", SNP_POLICY_SINGLE_SOCKET, true},
	{"cxl", SNP_POLICY_CXL, true},
	{"aes-256-xts", SNP_POLICY_AES_256_XTS, true},
	{"rapl-off", SNP_POLICY_RAPL_DIS, true},
	{"ciphertext-hiding", SNP_POLICY_CIPHERTEXT_HIDING, true},
	{"page-swap-off", SNP_POLICY_PAGE_SWAP_DISABLE, true},
};

static const struct policy_word sev_words[] = {
	{"debug", SEV_POLICY_NO_DEBUG, false},	 {"key-sharing", SEV_POLICY_NO_KEY_SHARING, false},
	{"send", SEV_POLICY_NO_SEND, false},	 {"domain", SEV_POLICY_DOMAIN, true},
	{"sev-only", SEV_POLICY_SEV_ONLY, true},
};

struct vocabulary {
	const struct policy_word *v;
	size_t n;
	const char *version;   /* "abi" */
	unsigned major, minor; /* bits where its bytes begin */
};

static struct vocabulary vocabulary(bool snp)
{
	return snp ? (struct vocabulary){snp_words, ARRAY_LEN(snp_words), "abi", 8, 0}
		   : (struct vocabulary){sev_words, ARRAY_LEN(sev_words), "api", 16, 24};
}

static int bad_word(const struct vocabulary *d, const char *word, struct arena *a, struct err *e)
{
	char *known = arena_printf(a, "%s=MAJOR.MINOR", d->version);

	for (size_t i = 0; i < d->n; i++)
		known = arena_printf(a, "%s, %s", known, d->v[i].name);
	return err_set(e, -EINVAL,
		       "guest policy: expected a number or words (%s; no- before one turns it "
		       "round), found \"%s\"",
		       known, word);
}

/* "1.55" */
static bool version(const char *text, const struct vocabulary *d, struct arena *a, uint64_t *p)
{
	struct strs parts = str_split(a, text, '.');
	uint64_t major, minor;

	if (parts.n != 2 || num_parse_u64(parts.v[0], 255, &major) < 0 ||
	    num_parse_u64(parts.v[1], 255, &minor) < 0)
		return false;
	*p &= ~(0xffull << d->major | 0xffull << d->minor);
	*p |= major << d->major | minor << d->minor;
	return true;
}

static bool apply(const struct vocabulary *d, const char *word, struct arena *a, uint64_t *p)
{
	const char *rest = str_prefix(word, d->version), *off = str_prefix(word, "no-");

	if (rest && *rest == '=')
		return version(rest + 1, d, a, p);
	for (size_t i = 0; i < d->n; i++) {
		bool value = off ? !d->v[i].value : d->v[i].value;

		if (!str_eq(d->v[i].name, off ? off : word))
			continue;
		*p = (*p & ~(1ull << d->v[i].bit)) | (uint64_t) value << d->v[i].bit;
		return true;
	}
	return false;
}

static bool number(const char *text, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	const char *hex = str_prefix(text, "0x"), *d;
	uint64_t v = 0;

	if (!hex)
		return num_parse_u64(text, UINT64_MAX, ret) == 0;
	if (!*hex || strlen(hex) > 16)
		return false;
	for (; *hex; hex++) {
		d = strchr(digits, *hex);
		if (!d)
			return false;
		v = v << 4 | (uint64_t) (d - digits);
	}
	*ret = v;
	return true;
}

int guest_policy_parse(const char *text, bool snp, bool es, struct arena *a, uint64_t *ret,
		       struct err *e)
{
	const struct vocabulary d = vocabulary(snp);
	struct strs words = str_split(a, text, ',');
	uint64_t p = snp ? SNP_POLICY_DEFAULT : SEV_POLICY_DEFAULT | (uint64_t) es << SEV_POLICY_ES;
	int r;

	if (!words.n)
		return bad_word(&d, text, a, e);
	if (!(words.n == 1 && number(text, &p)))
		for (size_t i = 0; i < words.n; i++)
			if (!apply(&d, words.v[i], a, &p))
				return bad_word(&d, words.v[i], a, e);
	r = snp ? snp_policy_check(p, e) : sev_policy_check(p, es, e);
	if (r == 0)
		*ret = p;
	return r;
}

char *guest_policy_words(uint64_t policy, bool snp, struct arena *a)
{
	const struct vocabulary d = vocabulary(snp);
	char *s = arena_printf(a, "%s=%u.%u", d.version, (unsigned) (policy >> d.major & 0xff),
			       (unsigned) (policy >> d.minor & 0xff));

	for (size_t i = 0; i < d.n; i++)
		s = arena_printf(a, "%s,%s%s", s,
				 (policy >> d.v[i].bit & 1) == d.v[i].value ? "" : "no-",
				 d.v[i].name);
	return s;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/judge.h"

#include <errno.h>
#include <string.h>

#include "base/hmac.h"
#include "base/str.h"

#define WORD "kavach.policy="
#define WORD_SHA256 WORD "sha256:"

static int differs(struct err *e, const char *where, const uint8_t *found, const uint8_t *digest)
{
	char is[SHA256_HEX], came[SHA256_HEX];

	sha256_hex(found, is);
	sha256_hex(digest, came);
	return err_set(
		e, -EPERM,
		"this guest was launched for another policy: %s has %s, the policy that came "
		"is %s",
		where, is, came);
}

/* The firmware adds words of its own, so it is words that are compared; each of ours has to be right. */
static int check_cmdline(const char *cmdline, const uint8_t *digest, bool *ret_found, struct err *e)
{
	static const char blanks[] = " \t\n";
	uint8_t found[SHA256_LEN];

	*ret_found = false;
	if (!cmdline)
		return err_set(e, -EPERM, "the kernel's command line cannot be read");
	for (const char *at = cmdline; *at;) {
		size_t n = strcspn(at, blanks);
		const char *hex = str_prefix(at, WORD_SHA256);

		if (str_prefix(at, WORD)) {
			if (!hex || n != strlen(WORD_SHA256) + 2 * SHA256_LEN ||
			    !hex_parse(hex, SHA256_LEN, found))
				return err_set(e, -EPERM,
					       "the kernel's command line: expected " WORD_SHA256
					       " and 64 digits, found %.*s",
					       (int) (n < 120 ? n : 120), at);
			if (!digest_equal(found, digest))
				return differs(e, "the kernel's command line", found, digest);
			*ret_found = true;
		}
		at += n;
		at += strspn(at, blanks);
	}
	return 0;
}

static bool all_zero(const uint8_t *p)
{
	static const uint8_t zero[JUDGE_HOST_DATA_LEN];

	return digest_equal(p, zero);
}

int judge(const struct policy *p, const uint8_t digest[SHA256_LEN], const struct judge_facts *f,
	  struct err *e)
{
	bool bound;
	int r;

	if (p->backend < POL_BACKEND_VM || p->backend > POL_BACKEND_SEV_SNP)
		return err_set(e, -EPERM, "the policy is not for a VM");
	r = check_cmdline(f->cmdline, digest, &bound, e);
	if (r < 0)
		return r;
	if (p->backend == POL_BACKEND_SEV_SNP && !f->host_data)
		return err_set(e, -EPERM,
			       "the policy is for a guest of SEV-SNP, which proves what it is: %s",
			       f->no_report ? f->no_report : "this one has no attestation report");
	if ((p->backend == POL_BACKEND_SEV || p->backend == POL_BACKEND_SEV_ES) && !bound)
		return err_set(
			e, -EPERM,
			"the policy is for a guest of SEV, whose kernel's command line names "
			"its policy (" WORD_SHA256 "...): this one's does not");
	/* a guest that was bound to nothing may be given any policy of a plain VM; its reports say so */
	if (f->host_data && !(p->backend == POL_BACKEND_VM && all_zero(f->host_data)) &&
	    !digest_equal(f->host_data, digest))
		return differs(e, "HOST_DATA of its report", f->host_data, digest);
	return 0;
}

bool judge_trusts_host(const struct policy *p)
{
	return p->backend < POL_BACKEND_SEV;
}

int judge_filters(const struct policy *p, const struct wire_filter *v, size_t n, struct err *e)
{
	size_t want = p->stacked.n + p->seccomp.set;

	if (n != want)
		return err_set(e, -EPERM, "the policy has %zu seccomp filters, the host sent %zu",
			       want, n);
	if (judge_trusts_host(p))
		return 0;
	if (p->vm.filters.n != n)
		return err_set(e, -EPERM, "the policy does not say which seccomp filters it means");
	for (size_t i = 0; i < n; i++) {
		const struct pol_seccomp *s = i < p->stacked.n ? &p->stacked.v[i] : &p->seccomp;
		uint8_t digest[SHA256_LEN];
		char hex[SHA256_HEX];

		sha256(v[i].bpf.v, v[i].bpf.n, digest);
		sha256_hex(digest, hex);
		if (!str_eq0(p->vm.filters.v[i], hex) || v[i].flags != s->flags)
			return err_set(e, -EPERM,
				       "seccomp filter %zu is not the one that the policy means",
				       i);
	}
	return 0;
}

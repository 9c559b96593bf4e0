/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict on a policy that the host hands over: is it the one that this guest was launched for? Pure. What the launch was
 * bound to is in HOST_DATA of the guest's own report (SEV-SNP) or on the kernel's command line, which was measured (SEV, SEV-ES,
 * and SNP where it is there): the host cannot change either once the guest runs.
 */
#ifndef KAVACH_AGENT_JUDGE_H
#define KAVACH_AGENT_JUDGE_H

#include "base/err.h"
#include "base/sha256.h"
#include "policy/policy.h"
#include "wire/body.h"

#define JUDGE_HOST_DATA_LEN 32

struct judge_facts {
	const char *cmdline;	  /* of the kernel; NULL: it cannot be read */
	const uint8_t *host_data; /* of the guest's report; NULL: there is none */
	const char *no_report;	  /* why there is none */
};

/* judge: 0, or -EPERM with what does not fit. digest: SHA-256 of the policy's bytes as they came. */
int judge(const struct policy *p, const uint8_t digest[SHA256_LEN], const struct judge_facts *f,
	  struct err *e);

/* judge_trusts_host: a plain VM's host may say more than what is sealed (annotations, environment of hooks). */
bool judge_trusts_host(const struct policy *p);
/* judge_filters: 0, or -EPERM. A policy with filters is never performed without as many, whatever the host says; in a
 * confidential guest they are the very programs that the policy means, with its flags. */
int judge_filters(const struct policy *p, const struct wire_filter *v, size_t n, struct err *e);

#endif

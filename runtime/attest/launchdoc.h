/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host shows the owner of an SEV or SEV-ES guest that stands still (`kavach attest launch ID`), and whether it is the
 * guest that the owner wants.
 */
#ifndef KAVACH_ATTEST_LAUNCHDOC_H
#define KAVACH_ATTEST_LAUNCHDOC_H

#include "attest/session.h"

struct launch_doc {
	bool es;
	uint8_t api_major, api_minor, build; /* of the platform's firmware, by the host's word */
	uint32_t policy;
	uint8_t measure[MEASURE_LEN], mnonce[16];
};

/* launch_doc_parse: of untrusted text; `name` for messages. -EINVAL. */
int launch_doc_parse(const char *name, struct bytes text, struct arena *a, struct launch_doc *ret,
		     struct err *e);

/* launch_doc_judge: -EBADMSG unless the secure processor that has the session's keys says: a guest of this policy, which
 * measures this digest, and not yet running. The firmware's version is in the measure, so a false one is found, too. */
int launch_doc_judge(const struct launch_doc *d, const struct session_keys *k, uint32_t policy,
		     const uint8_t digest[32], struct err *e);

#endif

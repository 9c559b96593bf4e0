/* SPDX-License-Identifier: Apache-2.0 */
/* Verification line by line: what audit_verify_dir() does with the files of a directory, for tests and the fuzzer. */
#ifndef KAVACH_AUDIT_VERIFY_H
#define KAVACH_AUDIT_VERIFY_H

#include "audit/audit.h"

struct checker {
	const struct audit_verify *v;
	const struct audit_state *state; /* NULL: no good key block */
	uint8_t key[AUDIT_KEY_LEN];	 /* of record key_seq */
	uint64_t key_seq;
	uint64_t kept;	 /* records before this one were removed by a rotation */
	bool prev_known; /* ret.head is what the next record must carry */
	bool anchor_seen;
	struct audit_verdict ret;
};

/* verify_begin: first: number of the first record that is to be there. *v and *state must live on. */
void verify_begin(struct checker *c, const struct audit_verify *v, const struct audit_state *state,
		  uint64_t first);
/* verify_line: the next line, n bytes without its newline; file and line are for messages. */
void verify_line(struct checker *c, const char *file, uint64_t line, const char *p, size_t n);
/* verify_end: what only the end shows; wipes the key. */
void verify_end(struct checker *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Between range.c, which says what happens to each number, and emit.c, which writes the
 * instructions. */
#ifndef KAVACH_SECCOMP_RANGE_H
#define KAVACH_SECCOMP_RANGE_H

#include "seccomp/filter.h"

/* One condition on an argument, reduced to what the ABI compares: argument & mask OP value. */
struct cond {
	uint32_t index;
	uint32_t op;   /* enum filter_op */
	uint64_t mask; /* never 0; all bits that the ABI compares unless op is MASKED_EQ */
	uint64_t value;
};

struct branch {
	uint32_t ret;
	uint32_t n;
	struct cond cond[FILTER_ARGS]; /* all must hold */
};

/* What happens to a number: always `ret`, or the first branch whose conditions hold, else `ret`. */
struct leaf {
	uint32_t ret;
	uint32_t n;
	const struct branch *branch;
};

/* Numbers from lo to before the next span's lo. */
struct span {
	uint32_t lo;
	struct leaf leaf;
};

/* All numbers of one AUDIT_ARCH_*, ascending; the first span begins with 0. */
struct section {
	uint32_t audit;
	struct span *span;
	size_t n;
};

/* emit_program: returns false when it does not fit into BPF_MAXINSNS. */
bool emit_program(const struct section *s, size_t n, uint32_t badarch_ret, struct arena *a,
		  struct bytes *ret);

#endif

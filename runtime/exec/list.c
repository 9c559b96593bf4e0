/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's list format for CPUs and memory nodes: "0-3,7". */
#include <string.h>

#include "base/types.h"
#include "exec/stage.h"

#define NUMBER_MAX 65535 /* far above any kernel's limit; keeps the mask at 8 KiB */
#define WORD_BITS (8 * sizeof(unsigned long))

static int parse_number(const char **p, size_t *ret)
{
	size_t v = 0;

	if (**p < '0' || **p > '9')
		return -EINVAL;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		v = v * 10 + (size_t) (**p - '0');
		if (v > NUMBER_MAX)
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

int exec_parse_list(const char *s, struct arena *a, unsigned long **ret_mask, size_t *ret_bits)
{
	unsigned long mask[(NUMBER_MAX + 1) / WORD_BITS];
	size_t first, last, bits = 0;
	int r;

	memset(mask, 0, sizeof(mask));
	for (;;) {
		s += strspn(s, " \t");
		r = parse_number(&s, &first);
		if (r < 0)
			return r;
		last = first;
		if (*s == '-') {
			s++;
			r = parse_number(&s, &last);
			if (r < 0)
				return r;
			if (last < first)
				return -EINVAL;
		}
		for (size_t i = first; i <= last; i++)
			mask[i / WORD_BITS] |= 1UL << (i % WORD_BITS);
		if (last + 1 > bits)
			bits = last + 1;
		s += strspn(s, " \t\n");
		if (!*s)
			break;
		if (*s++ != ',')
			return -EINVAL;
	}
	*ret_mask = arena_memdup(a, mask, (bits + WORD_BITS - 1) / WORD_BITS * sizeof(long));
	*ret_bits = bits;
	return 0;
}

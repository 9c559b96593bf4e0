/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of a kernel's module, which stands behind it in its file (include/linux/module_signature.h): the signature,
 * 12 bytes that describe it, the last four of them its length, most significant first, and a mark.
 */
#ifndef KAVACH_AGENT_MODSIG_H
#define KAVACH_AGENT_MODSIG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MODSIG_MARK "~Module signature appended~\n"
#define MODSIG_INFO 12

/* modsig_bare: how many of a file's n bytes are the module; n when nothing that can be a signature is behind it. */
static inline size_t modsig_bare(const uint8_t *p, size_t n)
{
	const size_t mark = sizeof(MODSIG_MARK) - 1, behind = MODSIG_INFO + mark;
	const uint8_t *len;
	size_t sig;

	if (n < behind || memcmp(p + n - mark, MODSIG_MARK, mark) != 0)
		return n;
	len = p + n - mark - 4;
	sig = (size_t) len[0] << 24 | (size_t) len[1] << 16 | (size_t) len[2] << 8 | len[3];
	return sig <= n - behind ? n - behind - sig : n;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: audit base */
/*
 * Any bytes as a file of an audit log: what verification makes of lines that somebody else wrote, and of a key block. No
 * line that was made up verifies, for the key is not in the input; what the frame of a line says lies within it.
 */
#include <assert.h>
#include <string.h>

#include "audit/internal.h"
#include "audit/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *p, size_t n)
{
	struct audit_line l;

	if (!audit_line_parse(p, n, &l))
		return;
	assert(n < AUDIT_LINE_MAX && l.signed_len < n && strlen(l.log) == AUDIT_ID_HEX - 1);
	assert(!memcmp(p + l.signed_len, ",\"mac\":\"", 8));
	assert(p[l.signed_len - 1] == '"' && p[n - 1] == '}');
}

static void verify(const struct audit_verify *v, const struct audit_state *s, const uint8_t *data,
		   size_t size)
{
	struct checker c;
	uint64_t line = 0;

	verify_begin(&c, v, s, 0);
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t n = end ? (size_t) (end - data) - at : size - at;

		check_line((const char *) data + at, n);
		verify_line(&c, "file", ++line, (const char *) data + at, n);
		at += n + 1;
	}
	verify_end(&c);
	/* without a key block the end is unknown; with one, record 0 is missing or has no MAC of this key */
	assert(c.ret.problems > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t k0[AUDIT_KEY_LEN] = {1, 2, 3};
	struct audit_verify v = {.k0 = k0};
	struct audit_state s = {.log = "0123456789abcdef", .seq = 100, .size = size}, block;
	uint8_t again[AUDIT_BLOCK];

	verify(&v, &s, data, size);
	v.k0 = NULL;
	verify(&v, NULL, data, size);
	if (size >= AUDIT_BLOCK && audit_state_decode(data, &block)) {
		assert(block.first <= block.seq && block.set.rotate_bytes >= AUDIT_ROTATE_MIN);
		audit_state_encode(&block, again);
		assert(!memcmp(again, data, AUDIT_BLOCK - SHA256_LEN - 96));
	}
	return 0;
}

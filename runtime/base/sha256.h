/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), plain C: policy digests, cache keys, the audit chain. Not for secrets. */
#ifndef KAVACH_BASE_SHA256_H
#define KAVACH_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32
#define SHA256_HEX 65 /* with the NUL */

struct sha256 {
	uint32_t h[8];
	uint64_t total;
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *p, size_t n);
void sha256_end(struct sha256 *s, uint8_t ret[SHA256_LEN]);
void sha256(const void *p, size_t n, uint8_t ret[SHA256_LEN]);
/* sha256_hex: lower case, NUL-terminated. */
void sha256_hex(const uint8_t d[SHA256_LEN], char ret[SHA256_HEX]);

#endif

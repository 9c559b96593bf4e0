/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian fields of fixed layouts (AMD's tables have nothing else), hexadecimal and base64. */
#ifndef KAVACH_ATTEST_BYTES_H
#define KAVACH_ATTEST_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/types.h"

static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t) (p[0] | p[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t) get_le16(p) | (uint32_t) get_le16(p + 2) << 16;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return (uint64_t) get_le32(p) | (uint64_t) get_le32(p + 4) << 32;
}

static inline void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t) v;
	p[1] = (uint8_t) (v >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	put_le16(p, (uint16_t) v);
	put_le16(p + 2, (uint16_t) (v >> 16));
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t) v);
	put_le32(p + 4, (uint32_t) (v >> 32));
}

/* bytes_zero: whether all n bytes are 0. */
bool bytes_zero(const uint8_t *p, size_t n);

/* hex_digit: 0 to 15, or -1; both cases. */
int hex_digit(char c);
/* hex_put: 2 * n lower-case digits, no NUL. */
void hex_put(char *out, const uint8_t *p, size_t n);
/* hex_text: the same with a NUL, in the arena. */
char *hex_text(struct arena *a, const uint8_t *p, size_t n);
/* hex_bytes: exactly n bytes from exactly 2 * n digits of either case, "0x" in front allowed; false otherwise. */
bool hex_bytes(const char *text, uint8_t *ret, size_t n);

/* base64_text: RFC 4648 with padding, in the arena. */
char *base64_text(struct arena *a, const uint8_t *p, size_t n);
/* base64_bytes: strict: padded, no blanks, no stray bits. Returns false otherwise. */
bool base64_bytes(const char *text, struct arena *a, struct bytes *ret);

#endif

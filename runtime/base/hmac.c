/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC as RFC 2104 section 2 has it: H(K ^ opad, H(K ^ ipad, text)). */
#include "base/hmac.h"

#include <string.h>

#define BLOCK 64

void hmac_sha256(const void *key, size_t key_len, const void *p, size_t n, uint8_t ret[SHA256_LEN])
{
	uint8_t k[BLOCK] = {0}, pad[BLOCK], inner[SHA256_LEN];
	struct sha256 s;

	if (key_len > BLOCK)
		sha256(key, key_len, k);
	else if (key_len)
		memcpy(k, key, key_len);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] = k[i] ^ 0x36;
	sha256_init(&s);
	sha256_add(&s, pad, BLOCK);
	sha256_add(&s, p, n);
	sha256_end(&s, inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] = k[i] ^ 0x5c;
	sha256_init(&s);
	sha256_add(&s, pad, BLOCK);
	sha256_add(&s, inner, sizeof(inner));
	sha256_end(&s, ret);
	explicit_bzero(k, sizeof(k));
	explicit_bzero(pad, sizeof(pad));
	explicit_bzero(inner, sizeof(inner));
	explicit_bzero(&s, sizeof(s));
}

bool digest_equal(const uint8_t a[SHA256_LEN], const uint8_t b[SHA256_LEN])
{
	volatile uint8_t differ = 0;

	for (size_t i = 0; i < SHA256_LEN; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_parse(const char *s, size_t n, uint8_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		int hi = digit(s[2 * i]), lo = hi < 0 ? -1 : digit(s[2 * i + 1]);

		if (lo < 0)
			return false;
		ret[i] = (uint8_t) (hi << 4 | lo);
	}
	return true;
}

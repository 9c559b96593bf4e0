/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/bytes.h"

#include <string.h>

#include "base/str.h"

static const char digits[] = "0123456789abcdef";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool bytes_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void hex_put(char *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
}

char *hex_text(struct arena *a, const uint8_t *p, size_t n)
{
	char *s = arena_array(a, n + 1, 2);

	hex_put(s, p, n);
	return s;
}

bool hex_bytes(const char *text, uint8_t *ret, size_t n)
{
	const char *s = str_prefix(text, "0x");

	s = s ? s : text;
	if (strlen(s) != 2 * n || strspn(s, "0123456789abcdefABCDEF") != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++)
		ret[i] = (uint8_t) (hex_digit(s[2 * i]) << 4 | hex_digit(s[2 * i + 1]));
	return true;
}

char *base64_text(struct arena *a, const uint8_t *p, size_t n)
{
	char *s = arena_array(a, n / 3 + 2, 4), *at = s;

	for (; n; p += n < 3 ? n : 3, n -= n < 3 ? n : 3) {
		uint32_t v = (uint32_t) p[0] << 16 | (n > 1 ? (uint32_t) p[1] << 8 : 0) |
			     (n > 2 ? p[2] : 0);

		*at++ = base64[v >> 18];
		*at++ = base64[v >> 12 & 63];
		*at++ = n > 1 ? base64[v >> 6 & 63] : '=';
		*at++ = n > 2 ? base64[v & 63] : '=';
	}
	return s;
}

static int base64_value(char c)
{
	const char *at = c ? strchr(base64, c) : NULL;

	return at ? (int) (at - base64) : -1;
}

bool base64_bytes(const char *text, struct arena *a, struct bytes *ret)
{
	size_t n = strlen(text), pad = 0, len = 0;
	uint8_t *out = arena_array(a, n / 4 + 1, 3);

	if (n % 4)
		return false;
	while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < n; i += 4) {
		uint32_t v = 0;
		unsigned have = i + 4 == n ? 4 - (unsigned) pad : 4;

		for (unsigned k = 0; k < 4; k++) {
			int d = k < have ? base64_value(text[i + k]) : 0;

			if (d < 0)
				return false;
			v = v << 6 | (uint32_t) d;
		}
		if (have < 4 && (v & (have == 3 ? 0xff : 0xffff)))
			return false; /* bits that no byte holds */
		for (unsigned k = 0; k + 1 < have; k++)
			out[len++] = (uint8_t) (v >> (16 - 8 * k));
	}
	*ret = (struct bytes){out, len};
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from outside. strtoul() and friends take blanks, signs, prefixes and trailing text, wrap
 * negative numbers, and have made `exec -u 1` run as root elsewhere (CVE-2026-30892): not used.
 */
#include "base/num.h"

#include <errno.h>
#include <stdbool.h>

/* "Not a number" wins over "too large": "99999999999999999999x" is -EINVAL. */
static int parse_digits(const char *s, unsigned base, uint64_t max, uint64_t *ret)
{
	bool over = false;
	uint64_t v = 0;

	if (!s || !*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned d = (unsigned) (unsigned char) *s - '0';

		if (d >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			over = true;
	}
	if (over || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int num_parse_u64(const char *s, uint64_t max, uint64_t *ret)
{
	return parse_digits(s, 10, max, ret);
}

int num_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool neg = s && *s == '-';
	uint64_t v;
	int64_t n;
	int r;

	r = parse_digits(neg ? s + 1 : s, 10, neg ? (uint64_t) INT64_MAX + 1 : INT64_MAX, &v);
	if (r < 0)
		return r;
	n = neg ? (int64_t) (0 - v) : (int64_t) v;
	if (n < min || n > max)
		return -ERANGE;
	*ret = n;
	return 0;
}

int num_parse_u32(const char *s, uint32_t *ret)
{
	uint64_t v;
	int r = parse_digits(s, 10, UINT32_MAX, &v);

	if (r == 0)
		*ret = (uint32_t) v;
	return r;
}

int num_parse_octal(const char *s, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	int r = parse_digits(s, 8, max, &v);

	if (r == 0)
		*ret = (uint32_t) v;
	return r;
}

size_t num_fmt_u64(char *buf, uint64_t v)
{
	char tmp[20];
	size_t n = 0;

	do {
		tmp[n++] = (char) ('0' + v % 10);
		v /= 10;
	} while (v);
	for (size_t i = 0; i < n; i++)
		buf[i] = tmp[n - 1 - i];
	buf[n] = '\0';
	return n;
}

size_t num_fmt_i64(char *buf, int64_t v)
{
	if (v >= 0)
		return num_fmt_u64(buf, (uint64_t) v);
	*buf = '-';
	return 1 + num_fmt_u64(buf + 1, 0 - (uint64_t) v);
}

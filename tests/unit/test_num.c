/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* The strict number parser: everything that strtoul() would let pass is refused. */
#include "base/num.h"

#include <errno.h>
#include <inttypes.h>

#include "base/types.h"
#include "tests/unit/tap.h"

static void test_refused(void)
{
	static const char *const bad[] = {
		"",
		" ",
		" 1",
		"1 ",
		"+1",
		"-1",
		"1-",
		"0x10",
		"1e3",
		"1.0",
		"1,000",
		"١",
		"1\n",
		"\t1",
		"a",
		"1:",
		":1",
		"--1",
		"99999999999999999999x",
		"0b1",
		"1_0",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t v = 77;
		int r = num_parse_u64(bad[i], UINT64_MAX, &v);

		ok(r == -EINVAL && v == 77, "refuses number %zu and leaves the result alone", i);
	}
	is_int(num_parse_u64(NULL, 10, &(uint64_t){0}), -EINVAL, "refuses NULL");
}

static void test_unsigned(void)
{
	uint64_t v = 1;
	uint32_t u = 1;

	ok(num_parse_u64("0", 0, &v) == 0 && v == 0, "takes 0");
	ok(num_parse_u64("18446744073709551615", UINT64_MAX, &v) == 0 && v == UINT64_MAX,
	   "takes the largest u64");
	is_int(num_parse_u64("18446744073709551616", UINT64_MAX, &v), -ERANGE,
	       "u64 + 1 is out of range");
	is_int(num_parse_u64("184467440737095516150", UINT64_MAX, &v), -ERANGE,
	       "a digit more, too");
	is_int(num_parse_u64("101", 100, &v), -ERANGE, "max is respected");
	ok(num_parse_u64("007", 10, &v) == 0 && v == 7, "leading zeros are decimal");
	ok(num_parse_u32("4294967295", &u) == 0 && u == UINT32_MAX, "takes the largest u32");
	is_int(num_parse_u32("4294967296", &u), -ERANGE,
	       "u32 + 1 is out of range: no wrap to uid 0");
}

static void test_signed(void)
{
	int64_t v = 1;

	ok(num_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &v) == 0 && v == INT64_MIN,
	   "takes the smallest i64");
	ok(num_parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v) == 0 && v == INT64_MAX,
	   "takes the largest i64");
	is_int(num_parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &v), -ERANGE, "i64 + 1");
	is_int(num_parse_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &v), -ERANGE, "i64 - 1");
	is_int(num_parse_i64("-1001", -1000, 1000, &v), -ERANGE, "min is respected");
	is_int(num_parse_i64("1001", -1000, 1000, &v), -ERANGE, "max is respected");
	is_int(num_parse_i64("-", -1000, 1000, &v), -EINVAL, "a lone sign is no number");
	is_int(num_parse_i64("+1", -1000, 1000, &v), -EINVAL, "no plus");
	ok(num_parse_i64("-0", -1, 1, &v) == 0 && v == 0, "-0 is 0");
}

static void test_octal(void)
{
	uint32_t u = 1;

	ok(num_parse_octal("0755", 07777, &u) == 0 && u == 0755, "octal");
	is_int(num_parse_octal("8", 07777, &u), -EINVAL, "8 is no octal digit");
	is_int(num_parse_octal("10000", 07777, &u), -ERANGE, "octal max");
}

static void test_format(void)
{
	static const int64_t vals[] = {0, 1, -1, 9, 10, -10, 1234567890123, INT64_MAX, INT64_MIN};
	char got[24], want[32];

	for (size_t i = 0; i < ARRAY_LEN(vals); i++) {
		size_t n = num_fmt_i64(got, vals[i]);

		snprintf(want, sizeof(want), "%" PRId64, vals[i]);
		ok(n == strlen(want) && !strcmp(got, want), "formats %s", want);
	}
	num_fmt_u64(got, UINT64_MAX);
	is_str(got, "18446744073709551615", "formats the largest u64");
}

int main(void)
{
	test_refused();
	test_unsigned();
	test_signed();
	test_octal();
	test_format();
	return done();
}

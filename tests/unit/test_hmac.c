/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* HMAC-SHA256 against RFC 4231, and the two small helpers beside it. */
#include "base/hmac.h"

#include "base/types.h"
#include "tests/unit/tap.h"

static void fill(uint8_t *p, size_t n, uint8_t v)
{
	memset(p, v, n);
}

static const char *mac_of(const void *key, size_t k, const void *p, size_t n)
{
	static char hex[SHA256_HEX];
	uint8_t d[SHA256_LEN];

	hmac_sha256(key, k, p, n, d);
	sha256_hex(d, hex);
	return hex;
}

static void test_vectors(void)
{
	static const char larger[] =
		"This is a test using a larger than block-size key and a larger than block-size "
		"data. The key needs to be hashed before being used by the HMAC algorithm.";
	static const char larger_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	uint8_t key[131], data[50];

	fill(key, 20, 0x0b);
	is_str(mac_of(key, 20, "Hi There", 8),
	       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", "4231 case 1");
	is_str(mac_of("Jefe", 4, "what do ya want for nothing?", 28),
	       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "4231 case 2");
	fill(key, 20, 0xaa);
	fill(data, 50, 0xdd);
	is_str(mac_of(key, 20, data, 50),
	       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe", "4231 case 3");
	for (uint8_t i = 0; i < 25; i++)
		key[i] = i + 1;
	fill(data, 50, 0xcd);
	is_str(mac_of(key, 25, data, 50),
	       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b", "4231 case 4");
	fill(key, 20, 0x0c);
	is_str(mac_of(key, 20, "Test With Truncation", 20),
	       "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5",
	       "4231 case 5, in full");
	fill(key, 131, 0xaa);
	is_str(mac_of(key, 131, larger_key, sizeof(larger_key) - 1),
	       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "4231 case 6");
	is_str(mac_of(key, 131, larger, sizeof(larger) - 1),
	       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2", "4231 case 7");
	is_str(mac_of(NULL, 0, NULL, 0),
	       "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
	       "no key and no text");
}

static void test_equal(void)
{
	uint8_t a[SHA256_LEN] = {1, 2, 3}, b[SHA256_LEN] = {1, 2, 3};
	int wrong = 0;

	ok(digest_equal(a, b), "equal digests are equal");
	for (size_t i = 0; i < 8u * SHA256_LEN; i++) {
		b[i / 8] ^= (uint8_t) (1 << i % 8);
		wrong += digest_equal(a, b);
		b[i / 8] ^= (uint8_t) (1 << i % 8);
	}
	is_int(wrong, 0, "a bit anywhere makes a difference");
}

static void test_hex(void)
{
	uint8_t v[4] = {0};

	ok(hex_parse("00ff7fa9", 4, v) && !memcmp(v, "\x00\xff\x7f\xa9", 4), "digits become bytes");
	ok(hex_parse("12zz", 1, v) && v[0] == 0x12, "what follows is not looked at");
	ok(!hex_parse("0g", 1, v) && !hex_parse("A0", 1, v) && !hex_parse("0", 1, v) &&
		   !hex_parse("", 1, v),
	   "refuses other letters, upper case and a text that ends early");
}

int main(void)
{
	test_vectors();
	test_equal();
	test_hex();
	return done();
}

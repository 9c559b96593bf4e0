/* SPDX-License-Identifier: Apache-2.0 */
/* libs: keeper attest json base */
/* What golden/broker cannot reach: published vectors, and envelopes that only we can make. */
#include <errno.h>
#include <string.h>

#include "attest/bytes.h"
#include "attest/crypto.h"
#include "attest/jose.h"
#include "attest/release.h"
#include "keeper/keeper.h"
#include "tap.h"

static struct arena arena;

static struct bytes unb64(const char *text)
{
	struct bytes b = {NULL, 0};

	if (!jose_bytes(text, &arena, &b))
		bail_out("a vector is no base64url");
	return b;
}

static struct p256 *pair(const char *d, const char *x, const char *y)
{
	uint8_t point[P256_POINT_LEN] = {4};
	struct err e = ERR_INIT;
	struct p256 *k = NULL;

	memcpy(point + 1, unb64(x).v, 32);
	memcpy(point + 33, unb64(y).v, 32);
	if (p256_from_pair(unb64(d).v, point, &k, &e) < 0)
		bail_out(e.msg);
	return k;
}

/* RFC 7518, appendix C */
static void test_agreement(void)
{
	static const uint8_t z_want[] = {158, 86,  217, 29,  129, 113, 53,  211, 114, 131, 66,
					 131, 191, 132, 38,  156, 251, 49,  110, 163, 218, 128,
					 106, 72,  246, 218, 167, 121, 140, 254, 144, 196};
	p256_auto *alice = pair("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo",
				"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
				"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps");
	p256_auto *bob = pair("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
			      "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
			      "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck");
	uint8_t z[P256_LEN], key[16];
	struct err e = ERR_INIT;

	ok(p256_agree(alice, bob, z, &e) == 0 && memcmp(z, z_want, sizeof(z)) == 0,
	   "RFC 7518 C: Alice agrees on Z");
	memset(z, 0, sizeof(z));
	ok(p256_agree(bob, alice, z, &e) == 0 && memcmp(z, z_want, sizeof(z)) == 0,
	   "RFC 7518 C: Bob on the same");
	jose_kdf(z, "A128GCM", unb64("QWxpY2U"), unb64("Qm9i"), key, sizeof(key));
	is_str(jose_text(&arena, key, sizeof(key)), "VqqN6vgjbSBcIijNcacQGg",
	       "RFC 7518 C: and the derived key is the RFC's");
	jose_kdf(z, "A128GCM", unb64("QWxpY2U"), unb64("Qm9j"), key, sizeof(key));
	ok(strcmp(jose_text(&arena, key, sizeof(key)), "VqqN6vgjbSBcIijNcacQGg") != 0,
	   "with another party it is another");
}

/* RFC 7515, appendix A.3 */
static void test_signature(void)
{
	static const char input[] =
		"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l"
		"eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
	struct bytes sig = unb64("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISl"
				 "SApmWQxfKTUJqPP3-Kg6NU1Q");
	p256_auto *key = pair("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
			      "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
			      "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
	uint8_t own[P256_SIG_LEN];
	struct err e = ERR_INIT;

	ok(p256_verify(key, input, strlen(input), sig.v), "RFC 7515 A.3: the signature is good");
	sig.v[0] ^= 1;
	ok(!p256_verify(key, input, strlen(input), sig.v), "with a bit changed it is not");
	memset(sig.v, 0, sig.n);
	ok(!p256_verify(key, input, strlen(input), sig.v), "nor are zeros");
	ok(p256_sign(key, "text", 4, own, &e) == 0 && p256_verify(key, "text", 4, own),
	   "our own signature is good");
	ok(!p256_verify(key, "tex", 3, own), "of what was signed only");
}

static void test_points(void)
{
	uint8_t point[P256_POINT_LEN], back[P256_POINT_LEN];
	p256_auto *key = p256_new();
	struct p256 *other = NULL;
	struct err e = ERR_INIT;

	p256_point(key, point);
	ok(p256_from_point(point, &other, &e) == 0, "a point of the curve is taken");
	p256_point(other, back);
	ok(memcmp(point, back, sizeof(point)) == 0, "and given back");
	p256_free(other);
	other = NULL;
	is_str((p256_from_spki(p256_spki(key, &arena), "key", &other, &e),
		p256_spki(other, &arena)),
	       p256_spki(key, &arena), "also as SubjectPublicKeyInfo");
	p256_free(other);
	point[64] ^= 1;
	ok(p256_from_point(point, &other, &e) == -EINVAL, "a point beside the curve is refused");
	memset(point + 1, 0, 64);
	ok(p256_from_point(point, &other, &e) == -EINVAL, "so is zero");
	point[0] = 2;
	ok(p256_from_point(point, &other, &e) == -EINVAL, "and a compressed one");
	ok(p256_from_spki("AAAA", "key", &other, &e) == -EINVAL, "no SubjectPublicKeyInfo");
}

static int open_text(const struct buf *text, const struct p256 *key, struct bytes *ret,
		     struct err *e)
{
	struct json_doc d;

	if (json_read("jwe", (const char *) text->p, text->n, &arena, &d, e) < 0)
		return e->code;
	return jwe_open(&d, d.root, key, &arena, ret, e);
}

static void test_envelope(void)
{
	p256_auto *key = p256_new(), *other = p256_new();
	static uint8_t large[BROKER_VALUES_MAX];
	struct err e = ERR_INIT;
	struct bytes plain;

	for (size_t n = 0; n <= sizeof(large); n = n ? n * 8 : 1) {
		buf_auto b = BUF_WRITER(BROKER_ANSWER_MAX);

		memset(large, (int) n, n);
		ok(jwe_seal(key, large, n, &arena, &b, &e) == 0 &&
			   open_text(&b, key, &plain, &e) == 0 && plain.n == n &&
			   memcmp(plain.v, large, n) == 0,
		   "%zu bytes come out as they went in", n);
		ok(open_text(&b, other, &plain, &e) == -EBADMSG, "but not with another key");
	}
}

/* kavach-broker(7) has the definition; the number was computed with another program */
static void test_binding(void)
{
	uint8_t nonce[32], key[P256_POINT_LEN], digest[32], data[64];

	memset(nonce, 1, sizeof(nonce));
	memset(key, 2, sizeof(key));
	memset(digest, 3, sizeof(digest));
	evidence_bind((struct bytes){nonce, sizeof(nonce)}, (struct bytes){key, sizeof(key)},
		      digest, data);
	is_str(hex_text(&arena, data, 32),
	       "a7fdd767ce8245118e2c8b8a13bbd3eb8fe2878f4565f8afdf9581f6c9e9279f",
	       "report data is what the page says");
	ok(bytes_zero(data + 32, 32), "and zeros");
}

static int put(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
	return 0;
}

/* Envelopes with the right key and wrong contents: only a broker can make them. */
static void test_contents(void)
{
	static const struct {
		const char *name, *text, *why;
	} cases[] = {
		{"what is right",
		 "{\"type\":\"kavach-secrets\",\"version\":1,\"nonce\":\"NONCE\","
		 "\"secrets\":[{\"name\":\"a\",\"value\":\"eA==\"}]}",
		 NULL},
		{"another type",
		 "{\"type\":\"x\",\"version\":1,\"nonce\":\"NONCE\",\"secrets\":[]}",
		 "expected secrets of version 1"},
		{"another version",
		 "{\"type\":\"kavach-secrets\",\"version\":2,\"nonce\":\"NONCE\",\"secrets\":[]}",
		 "expected secrets of version 1"},
		{"another nonce",
		 "{\"type\":\"kavach-secrets\",\"version\":1,\"nonce\":\"00\",\"secrets\":[]}",
		 "another challenge"},
		{"no secrets",
		 "{\"type\":\"kavach-secrets\",\"version\":1,\"nonce\":\"NONCE\",\"secrets\":[]}",
		 "other secrets"},
		{"an empty value",
		 "{\"type\":\"kavach-secrets\",\"version\":1,\"nonce\":\"NONCE\","
		 "\"secrets\":[{\"name\":\"a\",\"value\":\"\"}]}",
		 "empty or no base64"},
		{"a value that is not base64",
		 "{\"type\":\"kavach-secrets\",\"version\":1,\"nonce\":\"NONCE\","
		 "\"secrets\":[{\"name\":\"a\",\"value\":\"hunter2!\"}]}",
		 "empty or no base64"},
		{"a value that is a number",
		 "{\"type\":\"kavach-secrets\",\"version\":1,\"nonce\":\"NONCE\","
		 "\"secrets\":[{\"name\":\"a\",\"value\":31337}]}",
		 "not as expected"},
		{"what is no JSON", "hunter2 31337", "not as expected"},
	};
	uint8_t nonce[32] = {0xaa};
	p256_auto *key = p256_new();
	char *a = arena_strdup(&arena, "a");
	const struct keeper_question q = {
		.key = key, .nonce = {nonce, sizeof(nonce)}, .names = {.v = &a, .n = 1}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *at = strstr(cases[i].text, "NONCE");
		buf_auto line = BUF_WRITER(BROKER_ANSWER_MAX);
		const char *text = cases[i].text;
		struct err e = ERR_INIT;
		struct bytes value;
		int r;

		if (at)
			text = arena_printf(&arena, "%.*s%s%s", (int) (at - text), text,
					    hex_text(&arena, nonce, sizeof(nonce)), at + 5);
		put(&line, "{\"type\":\"kavach-broker-secrets\",\"version\":1,\"jwe\":");
		r = jwe_seal(key, (const uint8_t *) text, strlen(text), &arena, &line, &e);
		put(&line, "}");
		if (r == 0)
			r = keeper_open((struct bytes){line.p, line.n}, &q, &arena, &value, &e);
		if (!cases[i].why)
			ok(r == 0 && value.n == 1 && value.v[0] == 'x', "%s is opened: %s",
			   cases[i].name, e.msg);
		else
			ok(r == -EBADMSG && strstr(e.msg, cases[i].why) &&
				   !strstr(e.msg, "hunter") && !strstr(e.msg, "31337"),
			   "%s is refused, and not quoted: %s", cases[i].name, e.msg);
	}
}

int main(void)
{
	crypto_ready();
	test_agreement();
	test_signature();
	test_points();
	test_envelope();
	test_binding();
	test_contents();
	arena_free(&arena);
	return done();
}

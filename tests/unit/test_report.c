/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest json base */
/* What golden/verify cannot reach: the certificates that are built in, and tables of layouts by themselves. */
#include <string.h>

#include "attest/bytes.h"
#include "attest/cache.h"
#include "attest/certtable.h"
#include "attest/crypto.h"
#include "attest/expect.h"
#include "attest/report.h"
#include "attest/roots.h"
#include "attest/x509.h"
#include "tap.h"

/* SHA-256 over DER, as several projects that pin them have published them */
static const struct {
	enum snp_product product;
	const char *ark, *ask, *asvk;
} published[] = {
	{SNP_MILAN, "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
	 "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b",
	 "c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5"},
	{SNP_GENOA, "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
	 "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521",
	 "197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372"},
	{SNP_TURIN, "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
	 "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185",
	 "104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c"},
};

static void is_published(const char *pem, const char *want, enum cert_kind kind, enum snp_product p)
{
	struct bytes in = {(uint8_t *) (uintptr_t) pem, strlen(pem)};
	uint8_t sha[CRYPTO_SHA256_LEN];
	struct err e = ERR_INIT;
	certs_auto c = {0};
	arena_auto a = {0};

	if (certs_add(&c, in, "built in", &e) < 0 || c.n != 1) {
		ok(false, "%s", e.msg);
		return;
	}
	digest_of(DIGEST_SHA256, cert_der(c.v[0]).v, cert_der(c.v[0]).n, sha);
	is_str(hex_text(&a, sha, sizeof(sha)), want, "%s is the one that is published",
	       cert_subject(c.v[0]));
	ok(cert_kind(c.v[0]) == kind && cert_product(c.v[0]) == p, "%s is told by its name",
	   cert_subject(c.v[0]));
}

static void test_roots(void)
{
	for (size_t i = 0; i < ARRAY_LEN(published); i++) {
		const struct snp_roots *r = &snp_roots[published[i].product];

		is_published(r->ark, published[i].ark, CERT_ARK, published[i].product);
		is_published(r->ask, published[i].ask, CERT_ASK, published[i].product);
		is_published(r->asvk, published[i].asvk, CERT_ASVK, published[i].product);
	}
}

static void test_tcb(void)
{
	static const uint8_t raw[8] = {1, 2, 3, 4, 0, 0, 0, 8}, milan[8] = {1, 2, 0, 0, 0, 0, 7, 8};
	struct snp_tcb t, floor = {{0}};
	uint8_t back[8];
	arena_auto a = {0};

	ok(snp_tcb_read(SNP_TURIN, raw, &t),
	   "Turin has four parts in front and microcode at the end");
	is_str(snp_tcb_text(SNP_TURIN, &t, &a), "FMC 1, boot loader 2, TEE 3, SNP 4, microcode 8",
	       "each is where it belongs");
	snp_tcb_raw(SNP_TURIN, &t, back);
	ok(memcmp(back, raw, 8) == 0, "and goes back there");
	ok(!snp_tcb_read(SNP_MILAN, raw, &t), "for a Milan, these bytes are not all used");
	ok(snp_tcb_read(SNP_GENOA, milan, &t), "a Genoa is laid out as a Milan");
	is_str(snp_tcb_text(SNP_GENOA, &t, &a), "boot loader 1, TEE 2, SNP 7, microcode 8",
	       "and has no FMC");
	ok(snp_tcb_below(&t, &floor) == TCB_PARTS, "nothing is below zero");
	floor.v[TCB_TEE] = 3;
	ok(snp_tcb_below(&t, &floor) == TCB_TEE,
	   "a part that is lower is named, however high the others");
}

static void product_is(uint8_t family, uint8_t model, enum snp_product want)
{
	struct report r = {.has_cpuid = true, .cpu_family = family, .cpu_model = model};

	ok(report_product(&r) == want, "CPU %02x/%02x is %s", family, model,
	   snp_product_name(want));
	r.has_cpuid = false;
	ok(report_product(&r) == SNP_PRODUCT_NONE, "which version 2 does not say");
}

static void test_products(void)
{
	product_is(0x19, 0x00, SNP_MILAN);
	product_is(0x19, 0x0f, SNP_MILAN);
	product_is(0x19, 0x10, SNP_GENOA);
	product_is(0x19, 0x1f, SNP_GENOA);
	product_is(0x19, 0x20, SNP_PRODUCT_NONE);
	product_is(0x19, 0xa0, SNP_GENOA);
	product_is(0x19, 0xb0, SNP_PRODUCT_NONE);
	product_is(0x1a, 0x02, SNP_TURIN);
	product_is(0x1a, 0x11, SNP_TURIN);
	product_is(0x1a, 0x12, SNP_PRODUCT_NONE);
	product_is(0x1a, 0x50, SNP_PRODUCT_NONE);
}

static void test_table_bounds(void)
{
	uint8_t b[3 * CERTTABLE_ENTRY] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
					  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
	struct bytes in = {b, sizeof(b)}, found[CERTTABLE_KINDS] = {{0}};
	struct err e = ERR_INIT;

	put_le32(b + 16, 2 * CERTTABLE_ENTRY);
	put_le32(b + 20, CERTTABLE_ENTRY);
	ok(certtable_parse(in, found, &e) == 0 &&
		   found[CERTTABLE_VCEK].v == b + 2 * CERTTABLE_ENTRY &&
		   found[CERTTABLE_VCEK].n == CERTTABLE_ENTRY,
	   "an entry up to the last byte is in the table");
	put_le32(b + 20, CERTTABLE_ENTRY + 1);
	ok(certtable_parse(in, found, &e) < 0, "one byte more is not");
	put_le32(b + 16, 2 * CERTTABLE_ENTRY - 1);
	put_le32(b + 20, 1);
	ok(certtable_parse(in, found, &e) < 0, "nor is one that begins in the header");
	put_le32(b + 16, UINT32_MAX);
	put_le32(b + 20, 2);
	ok(certtable_parse(in, found, &e) < 0, "nor one whose end wraps around");
	put_le32(b + 16, sizeof(b));
	put_le32(b + 20, 0);
	ok(certtable_parse(in, found, &e) == 0, "an empty one at the end is harmless");
}

static void test_sets(void)
{
	static const uint8_t one[2] = {1, 2}, two[2] = {1, 3}, three[2] = {3, 1};
	struct hexes h = {0};
	arena_auto a = {0};

	ok(!expect_has(&h, one), "an empty set has nothing");
	expect_one(&h, one, sizeof(one), &a);
	expect_one(&h, two, sizeof(two), &a);
	ok(expect_has(&h, one) && expect_has(&h, two), "a set has what was put in");
	ok(!expect_has(&h, three), "and nothing that is only made of its bytes");
}

int main(void)
{
	test_roots();
	test_tcb();
	test_products();
	test_table_bounds();
	test_sets();
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest json base */
/*
 * Reports, as a guest's host may hand them over: reading, showing and judging them never faults, and nothing that is not
 * one of the genuine reports at its time is ever accepted: there are no certificates here, so nothing is.
 */
#include <stdlib.h>

#include "attest/verify.h"

extern const char *const fuzz_more_corpora[];
const char *const fuzz_more_corpora[] = {"tests/vectors/sev/reports", NULL};

static void judge(struct bytes in)
{
	struct evidence ev = {.report = in, .at = 1780272000};
	arena_auto a = {0};
	struct judgement j;
	struct expect x;

	expect_default(&x);
	x.any_measurement = x.any_report_data = true;
	verify(&ev, &x, &a, &j);
	if (j.accepted || j.n == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {(uint8_t *) (uintptr_t) data, size};
	buf_auto b = BUF_WRITER(1u << 16);
	arena_auto a = {0};
	struct err e = ERR_INIT;
	const uint8_t *raw;
	struct report r;
	struct jsonw w;

	judge(in);
	if (report_find(in, &raw, &e) < 0 || report_parse(raw, &r, &e) < 0) {
		if (!e.code || !e.msg[0])
			abort();
		return 0;
	}
	for (int p = SNP_PRODUCT_NONE; p < SNP_PRODUCTS; p++) {
		report_show(&b, &r, (enum snp_product) p, &a);
		jw_init(&w, &b, false);
		report_json(&w, &r, (enum snp_product) p, &a);
	}
	if (b.bad)
		abort();
	return 0;
}

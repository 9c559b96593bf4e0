/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAVACH_ATTEST_ROOTS_H
#define KAVACH_ATTEST_ROOTS_H

#include "attest/report.h"

/* For each product, in PEM: the root, and the intermediates of VCEKs and of VLEKs. The row of no product is empty. */
struct snp_roots {
	const char *ark, *ask, *asvk;
};
extern const struct snp_roots snp_roots[SNP_PRODUCTS];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where certificates of signing keys are kept: PRODUCT/HWID/TCB/NAME.der below one folder, with the HWID and the TCB's 8
 * bytes in hexadecimal, and "vlek" for the HWID of a VLEK, which has none. What is read from here is judged like anything
 * else: the cache saves a download, it is not believed.
 */
#ifndef KAVACH_ATTEST_CACHE_H
#define KAVACH_ATTEST_CACHE_H

#include "attest/x509.h"

/* cache_default: kavach/attest in $XDG_CACHE_HOME or in ~/.cache; NULL when neither is known. */
char *cache_default(struct arena *a);

/* A file of the cache. */
struct cache_file {
	char *path;
	struct bytes data;
};

/* cache_read: the files that can hold the VEK of this report, at most `max`; their number, 0 when there are none. A report
 * of version 2 does not say its product: then those of every product. */
size_t cache_read(const char *base, const struct report *r, struct arena *a, struct cache_file *ret,
		  size_t max);

/* What the cache must know to store a VEK. */
struct cache_key {
	enum snp_product product;
	bool vlek;
	uint8_t hwid[CHIP_ID_LEN];
	struct snp_tcb tcb;
};

/* cache_key_of: of a VEK; -EINVAL when it is none that the cache can name. */
int cache_key_of(const struct cert *c, struct cache_key *ret, struct err *e);
/* cache_store: makes the folders. *ret_path is where it is now. */
int cache_store(const char *base, const struct cache_key *k, struct bytes der, struct arena *a,
		char **ret_path, struct err *e);

/* kds_url: where AMD gives out the VCEK of this report; the product must be known. -EINVAL for a VLEK, which only the cloud
 * provider has, and for a chip that is masked. */
int kds_url(const struct report *r, enum snp_product p, struct arena *a, char **ret, struct err *e);

#endif

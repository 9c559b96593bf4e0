/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SEV-SNP attestation report: 1184 bytes that the AMD firmware signs (AMD 56860, table 22 of chapter 7). Versions 2
 * to 5 have one layout; newer ones give meaning to bytes that were reserved. Here it is only read: whether to believe it
 * is verify.h's business.
 */
#ifndef KAVACH_ATTEST_REPORT_H
#define KAVACH_ATTEST_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/types.h"

#define REPORT_LEN 1184u
#define REPORT_SIGNED 0x2a0u   /* what the signature is over: everything in front of it */
#define REPORT_ANSWER_HEAD 32u /* status, size and 24 zeros: what SNP_GET_REPORT puts in front */
#define REPORT_VERSION_MIN 2u
#define REPORT_VERSION_MAX 5u
#define CHIP_ID_LEN 64u

enum snp_product { SNP_PRODUCT_NONE, SNP_MILAN, SNP_GENOA, SNP_TURIN, SNP_PRODUCTS };

/* Security version numbers, each of which counts by itself: they are no digits of one number. */
enum tcb_part { TCB_FMC, TCB_BOOT_LOADER, TCB_TEE, TCB_SNP, TCB_MICROCODE, TCB_PARTS };
struct snp_tcb {
	uint8_t v[TCB_PARTS]; /* TCB_FMC is 0 where a product has none */
};

/* The four TCBs of a report. */
enum report_tcb { TCB_REPORTED, TCB_LAUNCH, TCB_COMMITTED, TCB_CURRENT, REPORT_TCBS };

enum signing_key { SIGNING_VCEK = 0, SIGNING_VLEK = 1, SIGNING_NONE = 7 };

enum platform_bit {
	PLATFORM_SMT,
	PLATFORM_TSME,
	PLATFORM_ECC,
	PLATFORM_RAPL_DIS,
	PLATFORM_CIPHERTEXT_HIDING,
	PLATFORM_ALIAS_CHECK,
	PLATFORM_TIO = 7,
};

struct snp_version {
	uint8_t major, minor, build;
};

/* Pointers are into the bytes that were parsed. */
struct report {
	const uint8_t *raw; /* REPORT_LEN bytes */
	uint32_t version, guest_svn;
	uint64_t policy;
	const uint8_t *family_id, *image_id; /* 16 */
	uint32_t vmpl, sig_algo;
	uint64_t platform_info;
	uint32_t key_info;
	unsigned signing_key; /* enum signing_key, or what is reserved */
	bool author_key_en, mask_chip_key;
	const uint8_t *report_data;			  /* 64 */
	const uint8_t *measurement;			  /* 48 */
	const uint8_t *host_data;			  /* 32 */
	const uint8_t *id_key_digest, *author_key_digest; /* 48 */
	const uint8_t *report_id, *report_id_ma;	  /* 32 */
	const uint8_t *tcb[REPORT_TCBS];		  /* 8; snp_tcb_read() knows their order */
	const uint8_t *chip_id;				  /* CHIP_ID_LEN */
	bool has_cpuid;					  /* version 3 and later */
	uint8_t cpu_family, cpu_model, cpu_stepping;
	struct snp_version current, committed;
	bool has_mitigations; /* version 5 and later */
	uint64_t launch_mitigations, current_mitigations;
	const uint8_t *signature; /* 512: keys.h */
};

/* report_find: the report in what a file holds: 1184 bytes, or these behind the head of the guest driver's answer, which
 * must say that there was no error. -EINVAL otherwise. */
int report_find(struct bytes in, const uint8_t **ret, struct err *e);
/* report_parse: the fields of REPORT_LEN bytes; -EINVAL when the version is none of 2 to 5. */
int report_parse(const uint8_t raw[REPORT_LEN], struct report *ret, struct err *e);
/* report_reserved: -EINVAL with the place of the first byte that must be 0 in this version and is not. */
int report_reserved(const struct report *r, struct err *e);

/* report_product: by the CPU's family and model; SNP_PRODUCT_NONE when it is not known, as in version 2. */
enum snp_product report_product(const struct report *r);
/* report_chip_masked: whether the host hid which chip this is. */
bool report_chip_masked(const struct report *r);

/* snp_product_name: "Milan" and so on, as certificates and AMD's URLs have it; "unknown". */
const char *snp_product_name(enum snp_product p);
/* snp_product_find: by that name; SNP_PRODUCT_NONE when there is no such product. */
enum snp_product snp_product_find(const char *name);
/* snp_hwid_len: how many bytes name a chip: 64, on Turin 8. */
unsigned snp_hwid_len(enum snp_product p);

/* snp_tcb_read: the parts of a TCB as this product lays them out. False when a byte that no part has is not 0. */
bool snp_tcb_read(enum snp_product p, const uint8_t raw[8], struct snp_tcb *ret);
/* snp_tcb_raw: the other way. */
void snp_tcb_raw(enum snp_product p, const struct snp_tcb *t, uint8_t ret[8]);
/* snp_tcb_has: whether the product has this part: only Turin has FMC. */
bool snp_tcb_has(enum snp_product p, enum tcb_part part);
/* snp_tcb_text: "boot loader 4, TEE 0, SNP 24, microcode 219", in the arena. */
char *snp_tcb_text(enum snp_product p, const struct snp_tcb *t, struct arena *a);
/* snp_tcb_below: the first part in which t is lower than the floor, or TCB_PARTS. */
enum tcb_part snp_tcb_below(const struct snp_tcb *t, const struct snp_tcb *floor);
/* tcb_part_name: "bootLoader": as in JSON. report_tcb_name: "reported". */
const char *tcb_part_name(enum tcb_part part);
const char *report_tcb_name(enum report_tcb t);

/* snp_version_text: "1.55.29", in the arena. */
char *snp_version_text(const struct snp_version *v, struct arena *a);
int snp_version_cmp(const struct snp_version *x, const struct snp_version *y);
/* platform_text: the bits in words, those without a name by their number. */
char *platform_text(uint64_t platform_info, struct arena *a);
/* signing_key_text: "VCEK", "VLEK", "none", "reserved (2)". */
const char *signing_key_text(unsigned key, struct arena *a);

/* report_json: every field, as one object. `p` may be SNP_PRODUCT_NONE: TCBs are then hexadecimal only. */
void report_json(struct jsonw *w, const struct report *r, enum snp_product p, struct arena *a);
/* report_show: the same for people, with what the bits mean. */
void report_show(struct buf *b, const struct report *r, enum snp_product p, struct arena *a);

#endif

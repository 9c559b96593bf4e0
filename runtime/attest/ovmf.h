/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an OVMF image says about itself: the table of entries that stands, backwards, before the last 32 bytes of the
 * file, and the SEV metadata that one of them points to. Source: edk2, OvmfPkg/ResetVector (the table), QEMU,
 * hw/i386/pc_sysfw_ovmf.c and target/i386/sev.c (who reads it).
 *
 * The image is input: everything in it is checked against the file's size before it is used, and whatever QEMU would
 * have to guess about is refused.
 */
#ifndef KAVACH_ATTEST_OVMF_H
#define KAVACH_ATTEST_OVMF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/types.h"

#define OVMF_PAGE 4096u
/* QEMU maps at most this much below 4 GiB */
#define OVMF_MAX (64u << 20)

/* Section types of the SEV metadata. */
enum ovmf_section_type {
	OVMF_SEC_MEMORY = 1,
	OVMF_SEC_SECRETS = 2,
	OVMF_SEC_CPUID = 3,
	OVMF_SEC_SVSM_CAA = 4,
	OVMF_SEC_KERNEL_HASHES = 0x10,
};

struct ovmf_section {
	uint32_t gpa, size; /* bytes; multiples of a page */
	uint32_t type;	    /* enum ovmf_section_type */
};

/* An address range that a table entry names. */
struct ovmf_area {
	bool set;
	uint32_t base, size;
};

struct ovmf {
	struct bytes image; /* the caller's */
	bool has_reset;
	uint32_t reset_eip; /* where the other processors of an ES or SNP guest begin */
	struct ovmf_area
		hashes; /* where QEMU puts the kernel hash table; set only with a base and room for it */
	struct ovmf_area secret; /* where a launch secret goes */
	bool has_metadata;
	struct ovmf_section *sections; /* in the order of measurement */
	size_t n_sections;
};

/* ovmf_parse: reads the tables of an image. The image must stay as long as *ret; sections are in the arena. Fails with
 * -EINVAL when there is no table or when something in it is not what the format allows; an image without SEV metadata,
 * reset block or hash table is one with `false` there. Unknown entries are skipped, unknown section types refused. */
int ovmf_parse(struct bytes image, struct arena *a, struct ovmf *ret, struct err *e);

/* ovmf_section_name: "memory", "secrets", ...; NULL for a type that is not known. */
const char *ovmf_section_name(uint32_t type);

#endif

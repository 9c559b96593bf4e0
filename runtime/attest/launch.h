/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Launch digests: what the AMD firmware will say about a guest that QEMU starts with these inputs, computed without
 * running it. Sources: AMD 56860 (SNP ABI, section 8.17.2), AMD 55766 (SEV API), QEMU target/i386/sev.c (the order of
 * the pages), Linux arch/x86/kvm/svm/sev.c (the VMSA).
 */
#ifndef KAVACH_ATTEST_LAUNCH_H
#define KAVACH_ATTEST_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

#include "attest/ovmf.h"

#define LAUNCH_TABLE_LEN 176u /* the kernel hash table as QEMU pads it */
#define LAUNCH_VCPUS_MAX 4096u
#define LAUNCH_LD_MAX 48u
#define VMSA_LEN 4096u

enum launch_mode { LAUNCH_SEV, LAUNCH_SEV_ES, LAUNCH_SNP };

/* SHA-256 of what is booted directly. */
struct launch_hashes {
	uint8_t kernel[32];  /* of the file as it lies on disk */
	uint8_t initrd[32];  /* of nothing when there is none */
	uint8_t cmdline[32]; /* of the text and its NUL */
};

struct launch_input {
	enum launch_mode mode;
	const struct ovmf *firmware;
	const struct launch_hashes *hashes; /* NULL: started without kernel-hashes=on */
	uint32_t vcpus;			    /* 1 to LAUNCH_VCPUS_MAX; SEV does not measure them */
	uint32_t cpu_signature;		    /* CPUID(1).EAX of the model */
	uint64_t features;		    /* SEV_FEATURES: 1 for SNP under QEMU, 0 for SEV-ES */
	bool legacy_vmsa; /* SEV-ES by the old KVM interface: no FPU state in the VMSA */
	const uint8_t *
		seed; /* SNP: digest after the firmware's pages, 48 bytes, instead of hashing them; or NULL */
};

/* launch_digest: to ret, 48 bytes for SNP, else 32; *ret_len says which. Fails with -EINVAL when this firmware cannot
 * start such a guest (no metadata, no reset block for a second vCPU, no hash table). */
int launch_digest(const struct launch_input *in, uint8_t ret[LAUNCH_LD_MAX], size_t *ret_len,
		  struct err *e);

/* launch_firmware_seed: the SNP digest after the firmware's pages alone. */
void launch_firmware_seed(struct bytes image, uint8_t ret[48]);

/* launch_table: the kernel hash table, padded. */
void launch_table(const struct launch_hashes *h, uint8_t ret[LAUNCH_TABLE_LEN]);

/* launch_vmsa: the page with a vCPU's first state. */
void launch_vmsa(const struct launch_input *in, uint32_t vcpu, uint8_t ret[VMSA_LEN]);

/* launch_cpu_signature: CPUID(1).EAX of one of QEMU's EPYC models ("EPYC-Milan-v2"); 0 when it is not known. */
uint32_t launch_cpu_signature(const char *model);
/* launch_cpu_models: their names, NULL-terminated, for an error text. */
const char *const *launch_cpu_models(void);

#endif

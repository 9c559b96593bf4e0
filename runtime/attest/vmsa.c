/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VM save area of a vCPU before its first instruction, as QEMU sets the registers and KVM writes them down. All
 * that is not in the tables is 0. Offsets: AMD 24593 (APM volume 2), table B-4.
 */
#include <string.h>

#include "attest/bytes.h"
#include "attest/launch.h"
#include "base/str.h"

#define RESET_EIP 0xfffffff0u

struct segment {
	uint16_t off, selector, attributes;
};

/* limit 0xffff each, base 0 but for CS */
static const struct segment segments[] = {
	{0x00, 0, 0x93},      /* ES */
	{0x10, 0xf000, 0x9b}, /* CS */
	{0x20, 0, 0x93},      /* SS */
	{0x30, 0, 0x93},      /* DS */
	{0x40, 0, 0x93},      /* FS */
	{0x50, 0, 0x93},      /* GS */
	{0x60, 0, 0},	      /* GDTR */
	{0x70, 0, 0x82},      /* LDTR */
	{0x80, 0, 0},	      /* IDTR */
	{0x90, 0, 0x8b},      /* TR */
};
#define CS_BASE 0x18

static const struct {
	uint16_t off;
	uint64_t v;
} fields[] = {
	{0x0d0, 0x1000},	     /* EFER: SVME */
	{0x148, 0x40},		     /* CR4: MCE */
	{0x158, 0x10},		     /* CR0: ET */
	{0x160, 0x400},		     /* DR7 */
	{0x168, 0xffff0ff0},	     /* DR6 */
	{0x170, 2},		     /* RFLAGS */
	{0x268, 0x0007040600070406}, /* G_PAT */
	{0x3e8, 1},		     /* XCR0 */
};
#define VMSA_RIP 0x178
#define VMSA_RDX 0x310
#define VMSA_FEATURES 0x3b0
#define VMSA_MXCSR 0x408
#define VMSA_FCW 0x410

void launch_vmsa(const struct launch_input *in, uint32_t vcpu, uint8_t ret[VMSA_LEN])
{
	uint32_t eip = vcpu == 0 ? RESET_EIP : in->firmware->reset_eip;

	memset(ret, 0, VMSA_LEN);
	for (size_t i = 0; i < ARRAY_LEN(segments); i++) {
		put_le16(ret + segments[i].off, segments[i].selector);
		put_le16(ret + segments[i].off + 2, segments[i].attributes);
		put_le32(ret + segments[i].off + 4, 0xffff);
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		put_le64(ret + fields[i].off, fields[i].v);
	put_le64(ret + CS_BASE, eip & 0xffff0000u);
	put_le64(ret + VMSA_RIP, eip & 0xffffu);
	put_le64(ret + VMSA_RDX, in->cpu_signature);
	put_le64(ret + VMSA_FEATURES, in->features);
	if (in->legacy_vmsa)
		return;
	put_le32(ret + VMSA_MXCSR, 0x1f80);
	put_le16(ret + VMSA_FCW, 0x37f);
}

/* Family, model and stepping of QEMU's models; the version of a model changes its features, not these. */
static const struct {
	const char *model;
	uint32_t signature;
	unsigned versions; /* highest -vN of QEMU 9.1 to 11 */
} models[] = {
	{"EPYC", 0x00800f12, 5},       {"EPYC-IBPB", 0x00800f12, 0},  {"EPYC-Rome", 0x00830f10, 5},
	{"EPYC-Milan", 0x00a00f11, 4}, {"EPYC-Genoa", 0x00a10f10, 3}, {"EPYC-Turin", 0x00b00f00, 2},
};

uint32_t launch_cpu_signature(const char *model)
{
	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		const char *rest = str_prefix(model, models[i].model);

		if (!rest)
			continue;
		if (!*rest)
			return models[i].signature;
		if (rest[0] == '-' && rest[1] == 'v' && rest[2] >= '1' &&
		    rest[2] <= (char) ('0' + models[i].versions) && !rest[3])
			return models[i].signature;
	}
	return 0;
}

const char *const *launch_cpu_models(void)
{
	static const char *names[ARRAY_LEN(models) + 1];

	for (size_t i = 0; i < ARRAY_LEN(models); i++)
		names[i] = models[i].model;
	return names;
}

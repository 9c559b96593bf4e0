/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: for SNP the firmware keeps 48 bytes and, for each page that is added to the guest, hashes a
 * PAGE_INFO of them, the page's digest, its type and its address. So what counts is the order in which QEMU adds
 * pages: the firmware image, the sections of its metadata as they stand there, one VMSA a vCPU. SEV and SEV-ES hash the
 * bytes themselves.
 */
#include "attest/launch.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/crypto.h"
#include "attest/guid.h"

#define TABLE_HEAD "9438d606-4f22-4cc9-b479-a793d411fd21"
#define TABLE_CMDLINE "97d02dd8-bd20-4c94-aa78-e7714d36ab2a"
#define TABLE_INITRD "44baf731-3a2f-4bd7-9af1-41e29169781d"
#define TABLE_KERNEL "4de79437-abd2-427f-b835-d5b172d2045b"
#define TABLE_USED 168u
#define TABLE_ROW 50u

enum page_type {
	PAGE_NORMAL = 1,
	PAGE_VMSA = 2,
	PAGE_ZERO = 3,
	PAGE_SECRETS = 5,
	PAGE_CPUID = 6,
};

#define PAGE_INFO_LEN 0x70u
#define VMSA_GPA 0x0000fffffffff000ull
#define FOUR_GIB (1ull << 32)

struct snp {
	struct digest *sha;
	uint8_t ld[SHA384_LEN];
};

static void snp_add(struct snp *s, enum page_type type, uint64_t gpa, const uint8_t *digest)
{
	uint8_t info[PAGE_INFO_LEN] = {0};

	memcpy(info, s->ld, SHA384_LEN);
	if (digest)
		memcpy(info + 0x30, digest, SHA384_LEN);
	put_le16(info + 0x60, PAGE_INFO_LEN);
	info[0x62] = (uint8_t) type;
	put_le64(info + 0x68, gpa);
	digest_reset(s->sha);
	digest_add(s->sha, info, sizeof(info));
	digest_end(s->sha, s->ld);
}

static void snp_page_digest(struct snp *s, const uint8_t *page, uint8_t ret[SHA384_LEN])
{
	digest_reset(s->sha);
	digest_add(s->sha, page, OVMF_PAGE);
	digest_end(s->sha, ret);
}

static void snp_add_page(struct snp *s, enum page_type type, uint64_t gpa, const uint8_t *page)
{
	uint8_t digest[SHA384_LEN];

	snp_page_digest(s, page, digest);
	snp_add(s, type, gpa, digest);
}

static void snp_add_firmware(struct snp *s, struct bytes image)
{
	uint64_t base = FOUR_GIB - image.n;

	for (size_t off = 0; off < image.n; off += OVMF_PAGE)
		snp_add_page(s, PAGE_NORMAL, base + off, image.v + off);
}

static void snp_add_zeros(struct snp *s, const struct ovmf_section *sec)
{
	for (uint32_t off = 0; off < sec->size; off += OVMF_PAGE)
		snp_add(s, PAGE_ZERO, (uint64_t) sec->gpa + off, NULL);
}

static void snp_add_hashes(struct snp *s, const struct launch_input *in,
			   const struct ovmf_section *sec)
{
	uint8_t page[OVMF_PAGE] = {0};

	if (!in->hashes) {
		snp_add_zeros(s, sec);
		return;
	}
	launch_table(in->hashes, page + in->firmware->hashes.base % OVMF_PAGE);
	snp_add_page(s, PAGE_NORMAL, sec->gpa, page);
}

static void snp_add_section(struct snp *s, const struct launch_input *in,
			    const struct ovmf_section *sec)
{
	switch (sec->type) {
	case OVMF_SEC_SECRETS: snp_add(s, PAGE_SECRETS, sec->gpa, NULL); break;
	case OVMF_SEC_CPUID: snp_add(s, PAGE_CPUID, sec->gpa, NULL); break;
	case OVMF_SEC_KERNEL_HASHES: snp_add_hashes(s, in, sec); break;
	default: snp_add_zeros(s, sec); break;
	}
}

/* All vCPUs but the first begin alike, so two pages are hashed whatever their number. */
static void snp_add_vcpus(struct snp *s, const struct launch_input *in)
{
	uint8_t page[VMSA_LEN], digest[SHA384_LEN];

	for (uint32_t i = 0; i < in->vcpus; i++) {
		if (i < 2) {
			launch_vmsa(in, i, page);
			snp_page_digest(s, page, digest);
		}
		snp_add(s, PAGE_VMSA, VMSA_GPA, digest);
	}
}

static bool has_section(const struct ovmf *o, uint32_t type)
{
	for (size_t i = 0; i < o->n_sections; i++)
		if (o->sections[i].type == type)
			return true;
	return false;
}

static int check(const struct launch_input *in, struct err *e)
{
	const struct ovmf *o = in->firmware;

	if (in->hashes && !o->hashes.set)
		return err_set(
			e, -EINVAL,
			"the firmware has no kernel hash table (its base is 0): it would not "
			"check the kernel; use an AmdSev build of OVMF");
	if (in->mode == LAUNCH_SEV)
		return 0;
	if (in->vcpus < 1 || in->vcpus > LAUNCH_VCPUS_MAX)
		return err_set(e, -EINVAL, "expected 1 to %u vCPUs, found %u", LAUNCH_VCPUS_MAX,
			       in->vcpus);
	/* QEMU wants the block for one vCPU too */
	if (!o->has_reset)
		return err_set(e, -EINVAL,
			       "the firmware has no SEV-ES reset block: not a build for %s",
			       in->mode == LAUNCH_SNP ? "SEV-SNP" : "SEV-ES");
	if (in->mode != LAUNCH_SNP)
		return 0;
	if (!o->has_metadata)
		return err_set(e, -EINVAL,
			       "the firmware has no SEV metadata: not a build for SEV-SNP");
	if (in->hashes && !has_section(o, OVMF_SEC_KERNEL_HASHES))
		return err_set(e, -EINVAL,
			       "the firmware's SEV metadata has no section for kernel hashes: they "
			       "would not be measured");
	return 0;
}

static void digest_snp(const struct launch_input *in, uint8_t ret[SHA384_LEN])
{
	struct snp s = {.sha = digest_new(DIGEST_SHA384)};

	if (in->seed)
		memcpy(s.ld, in->seed, SHA384_LEN);
	else
		snp_add_firmware(&s, in->firmware->image);
	for (size_t i = 0; i < in->firmware->n_sections; i++)
		snp_add_section(&s, in, &in->firmware->sections[i]);
	snp_add_vcpus(&s, in);
	digest_free(s.sha);
	memcpy(ret, s.ld, SHA384_LEN);
}

static void digest_sev(const struct launch_input *in, uint8_t ret[CRYPTO_SHA256_LEN])
{
	struct digest *d = digest_new(DIGEST_SHA256);
	uint8_t table[LAUNCH_TABLE_LEN], page[VMSA_LEN];

	digest_add(d, in->firmware->image.v, in->firmware->image.n);
	if (in->hashes) {
		launch_table(in->hashes, table);
		digest_add(d, table, sizeof(table));
	}
	for (uint32_t i = 0; in->mode == LAUNCH_SEV_ES && i < in->vcpus; i++) {
		if (i < 2)
			launch_vmsa(in, i, page);
		digest_add(d, page, sizeof(page));
	}
	digest_end(d, ret);
	digest_free(d);
}

int launch_digest(const struct launch_input *in, uint8_t ret[LAUNCH_LD_MAX], size_t *ret_len,
		  struct err *e)
{
	int r = check(in, e);

	if (r < 0)
		return r;
	if (in->mode == LAUNCH_SNP)
		digest_snp(in, ret);
	else
		digest_sev(in, ret);
	*ret_len = in->mode == LAUNCH_SNP ? SHA384_LEN : CRYPTO_SHA256_LEN;
	return 0;
}

void launch_firmware_seed(struct bytes image, uint8_t ret[48])
{
	struct snp s = {.sha = digest_new(DIGEST_SHA384)};

	snp_add_firmware(&s, image);
	digest_free(s.sha);
	memcpy(ret, s.ld, SHA384_LEN);
}

static uint8_t *table_row(uint8_t *at, const char *guid, uint16_t len, const uint8_t *hash)
{
	guid_bytes(guid, GUID_EFI, at);
	put_le16(at + GUID_LEN, len);
	if (hash)
		memcpy(at + GUID_LEN + 2, hash, 32);
	return at + GUID_LEN + 2 + (hash ? 32 : 0);
}

void launch_table(const struct launch_hashes *h, uint8_t ret[LAUNCH_TABLE_LEN])
{
	uint8_t *at;

	memset(ret, 0, LAUNCH_TABLE_LEN);
	at = table_row(ret, TABLE_HEAD, TABLE_USED, NULL);
	at = table_row(at, TABLE_CMDLINE, TABLE_ROW, h->cmdline);
	at = table_row(at, TABLE_INITRD, TABLE_ROW, h->initrd);
	table_row(at, TABLE_KERNEL, TABLE_ROW, h->kernel);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/report.h"

#include <string.h>

#include "attest/bytes.h"
#include "base/str.h"

/* Where the fields are. */
enum {
	R_VERSION = 0x000,
	R_GUEST_SVN = 0x004,
	R_POLICY = 0x008,
	R_FAMILY_ID = 0x010,
	R_IMAGE_ID = 0x020,
	R_VMPL = 0x030,
	R_SIG_ALGO = 0x034,
	R_CURRENT_TCB = 0x038,
	R_PLATFORM_INFO = 0x040,
	R_KEY_INFO = 0x048,
	R_REPORT_DATA = 0x050,
	R_MEASUREMENT = 0x090,
	R_HOST_DATA = 0x0c0,
	R_ID_KEY = 0x0e0,
	R_AUTHOR_KEY = 0x110,
	R_REPORT_ID = 0x140,
	R_REPORT_ID_MA = 0x160,
	R_REPORTED_TCB = 0x180,
	R_CPUID = 0x188,
	R_CHIP_ID = 0x1a0,
	R_COMMITTED_TCB = 0x1e0,
	R_CURRENT_VERSION = 0x1e8,
	R_COMMITTED_VERSION = 0x1ec,
	R_LAUNCH_TCB = 0x1f0,
	R_LAUNCH_MIT = 0x1f8,
	R_CURRENT_MIT = 0x200,
	R_SIGNATURE = REPORT_SIGNED,
};

/* What is 0 up to and including this version. The tail of the signature is the signature check's. */
static const struct {
	uint16_t off, len;
	uint8_t until;
} reserved[] = {
	{0x04c, 4, REPORT_VERSION_MAX},	  {R_CPUID, 3, 2},
	{0x18b, 21, REPORT_VERSION_MAX},  {0x1eb, 1, REPORT_VERSION_MAX},
	{0x1ef, 1, REPORT_VERSION_MAX},	  {R_LAUNCH_MIT, 16, 4},
	{0x208, 152, REPORT_VERSION_MAX},
};

int report_find(struct bytes in, const uint8_t **ret, struct err *e)
{
	if (in.n == REPORT_LEN) {
		*ret = in.v;
		return 0;
	}
	if (in.n != REPORT_ANSWER_HEAD + REPORT_LEN)
		return err_set(
			e, -EINVAL,
			"expected a report of %u bytes, or the guest driver's answer of %u, found "
			"%zu bytes",
			REPORT_LEN, REPORT_ANSWER_HEAD + REPORT_LEN, in.n);
	if (get_le32(in.v) != 0)
		return err_set(e, -EINVAL,
			       "the firmware answered with error 0x%x, not with a report",
			       get_le32(in.v));
	if (get_le32(in.v + 4) != REPORT_LEN || !bytes_zero(in.v + 8, REPORT_ANSWER_HEAD - 8))
		return err_set(
			e, -EINVAL,
			"the head of the guest driver's answer is not that of a report of %u bytes",
			REPORT_LEN);
	*ret = in.v + REPORT_ANSWER_HEAD;
	return 0;
}

static struct snp_version version_at(const uint8_t *p)
{
	return (struct snp_version){.build = p[0], .minor = p[1], .major = p[2]};
}

static void parse_keys(const uint8_t *raw, struct report *r)
{
	r->key_info = get_le32(raw + R_KEY_INFO);
	r->author_key_en = r->key_info & 1;
	r->mask_chip_key = r->key_info >> 1 & 1;
	r->signing_key = r->key_info >> 2 & 7;
	r->id_key_digest = raw + R_ID_KEY;
	r->author_key_digest = raw + R_AUTHOR_KEY;
	r->signature = raw + R_SIGNATURE;
}

static void parse_platform(const uint8_t *raw, struct report *r)
{
	r->platform_info = get_le64(raw + R_PLATFORM_INFO);
	r->tcb[TCB_REPORTED] = raw + R_REPORTED_TCB;
	r->tcb[TCB_LAUNCH] = raw + R_LAUNCH_TCB;
	r->tcb[TCB_COMMITTED] = raw + R_COMMITTED_TCB;
	r->tcb[TCB_CURRENT] = raw + R_CURRENT_TCB;
	r->chip_id = raw + R_CHIP_ID;
	r->current = version_at(raw + R_CURRENT_VERSION);
	r->committed = version_at(raw + R_COMMITTED_VERSION);
	if (r->version >= 3) {
		r->has_cpuid = true;
		r->cpu_family = raw[R_CPUID];
		r->cpu_model = raw[R_CPUID + 1];
		r->cpu_stepping = raw[R_CPUID + 2];
	}
	if (r->version >= 5) {
		r->has_mitigations = true;
		r->launch_mitigations = get_le64(raw + R_LAUNCH_MIT);
		r->current_mitigations = get_le64(raw + R_CURRENT_MIT);
	}
}

int report_parse(const uint8_t raw[REPORT_LEN], struct report *ret, struct err *e)
{
	struct report r = {.raw = raw, .version = get_le32(raw + R_VERSION)};

	if (r.version < REPORT_VERSION_MIN || r.version > REPORT_VERSION_MAX)
		return err_set(e, -EINVAL,
			       "expected a report of version %u to %u, found version %u",
			       REPORT_VERSION_MIN, REPORT_VERSION_MAX, r.version);
	r.guest_svn = get_le32(raw + R_GUEST_SVN);
	r.policy = get_le64(raw + R_POLICY);
	r.family_id = raw + R_FAMILY_ID;
	r.image_id = raw + R_IMAGE_ID;
	r.vmpl = get_le32(raw + R_VMPL);
	r.sig_algo = get_le32(raw + R_SIG_ALGO);
	r.report_data = raw + R_REPORT_DATA;
	r.measurement = raw + R_MEASUREMENT;
	r.host_data = raw + R_HOST_DATA;
	r.report_id = raw + R_REPORT_ID;
	r.report_id_ma = raw + R_REPORT_ID_MA;
	parse_keys(raw, &r);
	parse_platform(raw, &r);
	*ret = r;
	return 0;
}

int report_reserved(const struct report *r, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		const uint8_t *p = r->raw + reserved[i].off;

		if (r->version > reserved[i].until)
			continue;
		for (size_t k = 0; k < reserved[i].len; k++)
			if (p[k])
				return err_set(e, -EINVAL, "0x%02x at offset 0x%zx", p[k],
					       reserved[i].off + k);
	}
	return 0;
}

bool report_chip_masked(const struct report *r)
{
	return bytes_zero(r->chip_id, CHIP_ID_LEN);
}

/* ---- products ---- */

/* Combined family and model, as CPUID gives them. Venice (family 0x1a, model 0x50 and up) has no root here yet. */
static const struct {
	uint8_t family, from, to;
	enum snp_product product;
} models[] = {
	{0x19, 0x00, 0x0f, SNP_MILAN},
	{0x19, 0x10, 0x1f, SNP_GENOA},
	{0x19, 0xa0, 0xaf, SNP_GENOA},
	{0x1a, 0x00, 0x11, SNP_TURIN},
};

/* Where the parts of a TCB are; NOWHERE for one that the product does not have. */
#define NOWHERE 0xff
static const struct {
	const char *name;
	uint8_t hwid_len, at[TCB_PARTS];
} products[] = {
	[SNP_PRODUCT_NONE] = {"unknown", CHIP_ID_LEN, {NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE}},
	[SNP_MILAN] = {"Milan", CHIP_ID_LEN, {NOWHERE, 0, 1, 6, 7}},
	[SNP_GENOA] = {"Genoa", CHIP_ID_LEN, {NOWHERE, 0, 1, 6, 7}},
	[SNP_TURIN] = {"Turin", 8, {0, 1, 2, 3, 7}},
};
_Static_assert(ARRAY_LEN(products) == SNP_PRODUCTS, "one row per product");

enum snp_product report_product(const struct report *r)
{
	for (size_t i = 0; r->has_cpuid && i < ARRAY_LEN(models); i++)
		if (r->cpu_family == models[i].family && r->cpu_model >= models[i].from &&
		    r->cpu_model <= models[i].to)
			return models[i].product;
	return SNP_PRODUCT_NONE;
}

const char *snp_product_name(enum snp_product p)
{
	return products[p].name;
}

enum snp_product snp_product_find(const char *name)
{
	for (int p = SNP_MILAN; p < SNP_PRODUCTS; p++)
		if (str_eq(products[p].name, name))
			return (enum snp_product) p;
	return SNP_PRODUCT_NONE;
}

unsigned snp_hwid_len(enum snp_product p)
{
	return products[p].hwid_len;
}

/* ---- TCBs ---- */

static const struct {
	const char *json, *text;
} parts[] = {
	[TCB_FMC] = {"fmc", "FMC"},
	[TCB_BOOT_LOADER] = {"bootLoader", "boot loader"},
	[TCB_TEE] = {"tee", "TEE"},
	[TCB_SNP] = {"snp", "SNP"},
	[TCB_MICROCODE] = {"microcode", "microcode"},
};
_Static_assert(ARRAY_LEN(parts) == TCB_PARTS, "one row per part");

bool snp_tcb_has(enum snp_product p, enum tcb_part part)
{
	return products[p].at[part] != NOWHERE;
}

bool snp_tcb_read(enum snp_product p, const uint8_t raw[8], struct snp_tcb *ret)
{
	struct snp_tcb t = {{0}};
	uint8_t rest[8];

	memcpy(rest, raw, sizeof(rest));
	for (int i = 0; i < TCB_PARTS; i++) {
		if (!snp_tcb_has(p, (enum tcb_part) i))
			continue;
		t.v[i] = raw[products[p].at[i]];
		rest[products[p].at[i]] = 0;
	}
	*ret = t;
	return bytes_zero(rest, sizeof(rest));
}

void snp_tcb_raw(enum snp_product p, const struct snp_tcb *t, uint8_t ret[8])
{
	memset(ret, 0, 8);
	for (int i = 0; i < TCB_PARTS; i++)
		if (snp_tcb_has(p, (enum tcb_part) i))
			ret[products[p].at[i]] = t->v[i];
}

char *snp_tcb_text(enum snp_product p, const struct snp_tcb *t, struct arena *a)
{
	char *s = arena_strdup(a, "");

	for (int i = 0; i < TCB_PARTS; i++)
		if (snp_tcb_has(p, (enum tcb_part) i))
			s = arena_printf(a, "%s%s%s %u", s, *s ? ", " : "", parts[i].text, t->v[i]);
	return s;
}

enum tcb_part snp_tcb_below(const struct snp_tcb *t, const struct snp_tcb *floor)
{
	int i = 0;

	while (i < TCB_PARTS && t->v[i] >= floor->v[i])
		i++;
	return (enum tcb_part) i;
}

const char *tcb_part_name(enum tcb_part part)
{
	return parts[part].json;
}

const char *report_tcb_name(enum report_tcb t)
{
	static const char *const names[] = {
		[TCB_REPORTED] = "reported",
		[TCB_LAUNCH] = "launch",
		[TCB_COMMITTED] = "committed",
		[TCB_CURRENT] = "current",
	};

	return names[t];
}

char *snp_version_text(const struct snp_version *v, struct arena *a)
{
	return arena_printf(a, "%u.%u.%u", v->major, v->minor, v->build);
}

int snp_version_cmp(const struct snp_version *x, const struct snp_version *y)
{
	int a = x->major << 16 | x->minor << 8 | x->build;
	int b = y->major << 16 | y->minor << 8 | y->build;

	return (a > b) - (a < b);
}

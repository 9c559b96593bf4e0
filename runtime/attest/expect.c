/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a verification policy: tables of what it may hold, then the values that the tables cannot check. */
#include "attest/expect.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/crypto.h"
#include "attest/policy.h"
#include "base/num.h"
#include "base/str.h"
#include "json/decode.h"
#include "json/read.h"

static const struct {
	const char *name;
	unsigned bit;
	bool on;
} demands[] = {
	[DEMAND_NO_SMT] = {"no-smt", SNP_POLICY_SMT, false},
	[DEMAND_SINGLE_SOCKET] = {"single-socket", SNP_POLICY_SINGLE_SOCKET, true},
	[DEMAND_NO_CXL] = {"no-cxl", SNP_POLICY_CXL, false},
	[DEMAND_AES_256_XTS] = {"aes-256-xts", SNP_POLICY_AES_256_XTS, true},
	[DEMAND_RAPL_OFF] = {"rapl-off", SNP_POLICY_RAPL_DIS, true},
	[DEMAND_CIPHERTEXT_HIDING] = {"ciphertext-hiding", SNP_POLICY_CIPHERTEXT_HIDING, true},
	[DEMAND_PAGE_SWAP_DISABLED] = {"page-swap-disabled", SNP_POLICY_PAGE_SWAP_DISABLE, true},
	[DEMAND_P_SMT_OFF] = {"smt-off", PLATFORM_SMT, false},
	[DEMAND_P_TSME] = {"tsme", PLATFORM_TSME, true},
	[DEMAND_P_ECC] = {"ecc", PLATFORM_ECC, true},
	[DEMAND_P_RAPL_OFF] = {"rapl-off", PLATFORM_RAPL_DIS, true},
	[DEMAND_P_CIPHERTEXT_HIDING] = {"ciphertext-hiding", PLATFORM_CIPHERTEXT_HIDING, true},
	[DEMAND_P_ALIAS_CHECK] = {"alias-check", PLATFORM_ALIAS_CHECK, true},
	[DEMAND_P_TIO] = {"tio", PLATFORM_TIO, true},
};
_Static_assert(ARRAY_LEN(demands) == DEMAND_N, "one row per demand");

const char *demand_name(enum demand d)
{
	return demands[d].name;
}

unsigned demand_bit(enum demand d)
{
	return demands[d].bit;
}

bool demand_met(enum demand d, uint64_t bits)
{
	return (bits >> demands[d].bit & 1) == demands[d].on;
}

void expect_default(struct expect *ret)
{
	*ret = (struct expect){.vcek = true, .vlek = true};
	for (int p = SNP_MILAN; p < SNP_PRODUCTS; p++)
		ret->product[p] = true;
}

void expect_one(struct hexes *h, const uint8_t *v, size_t n, struct arena *a)
{
	uint8_t *all = arena_array(a, h->n + 1, n);

	if (h->n)
		memcpy(all, h->v, h->n * n);
	memcpy(all + h->n * n, v, n);
	*h = (struct hexes){.set = true, .v = all, .n = h->n + 1, .len = n};
}

bool expect_has(const struct hexes *h, const uint8_t *v)
{
	bool found = false;

	for (size_t i = 0; i < h->n; i++)
		found |= crypto_equal(h->v + i * h->len, v, h->len);
	return found;
}

/* ---- the tables ---- */

struct file_tcb {
	struct opt_u64 part[TCB_PARTS];
};
struct file_floor {
	int product;
	struct file_tcb *tcb[REPORT_TCBS];
	char *version;
};
struct file_guest {
	struct strs allow, require;
	char *min_abi;
};
struct file_mitigations {
	char *launch, *current;
};
struct file {
	struct opt_u64 version, min_guest_svn, vmpl;
	struct strs products, keys, csp_ids, chip_ids, measurements, host_data, id_keys,
		author_keys;
	struct strs platform;
	char *report_data, *family_id, *image_id;
	struct opt_bool masked_chip, any_report_data, any_measurement, uncommitted, crl;
	struct file_guest *guest;
	struct file_mitigations *mitigations;
	struct jlist floors;
};

static const struct name_val products[] = {
	{"Milan", SNP_MILAN}, {"Genoa", SNP_GENOA}, {"Turin", SNP_TURIN}};
static const struct name_val keys[] = {{"vcek", 0}, {"vlek", 1}};
static const struct name_val allowances[] = {{"debug", 0}, {"migration-agent", 1}};
static const struct name_val guest_demands[] = {
	{"no-smt", DEMAND_NO_SMT},
	{"single-socket", DEMAND_SINGLE_SOCKET},
	{"no-cxl", DEMAND_NO_CXL},
	{"aes-256-xts", DEMAND_AES_256_XTS},
	{"rapl-off", DEMAND_RAPL_OFF},
	{"ciphertext-hiding", DEMAND_CIPHERTEXT_HIDING},
	{"page-swap-disabled", DEMAND_PAGE_SWAP_DISABLED},
};
static const struct name_val platform_demands[] = {
	{"smt-off", DEMAND_P_SMT_OFF},
	{"tsme", DEMAND_P_TSME},
	{"ecc", DEMAND_P_ECC},
	{"rapl-off", DEMAND_P_RAPL_OFF},
	{"ciphertext-hiding", DEMAND_P_CIPHERTEXT_HIDING},
	{"alias-check", DEMAND_P_ALIAS_CHECK},
	{"tio", DEMAND_P_TIO},
};

#define NAMES(t) .names = (t), .n_names = ARRAY_LEN(t)
#define T(fields, type)                                                                            \
	{                                                                                          \
		.f = (fields), .n = ARRAY_LEN(fields), .size = sizeof(type), .flags = J_STRICT     \
	}

#define P(name_, i)                                                                                \
	{                                                                                          \
		.name = name_, .kind = J_UINT, .max = 255,                                         \
		.off = offsetof(struct file_tcb, part[i])                                          \
	}
static const struct jfield tcb_f[] = {P("fmc", TCB_FMC), P("bootLoader", TCB_BOOT_LOADER),
				      P("tee", TCB_TEE), P("snp", TCB_SNP),
				      P("microcode", TCB_MICROCODE)};
static const struct jtable tcb_t = T(tcb_f, struct file_tcb);

#define F(field) .off = offsetof(struct file_floor, field)
static const struct jfield floor_f[] = {
	{.name = "product", .kind = J_ENUM, .flags = J_REQUIRED, F(product), NAMES(products)},
	{.name = "reported", .kind = J_OBJ, F(tcb[TCB_REPORTED]), .sub = &tcb_t},
	{.name = "launch", .kind = J_OBJ, F(tcb[TCB_LAUNCH]), .sub = &tcb_t},
	{.name = "committed", .kind = J_OBJ, F(tcb[TCB_COMMITTED]), .sub = &tcb_t},
	{.name = "current", .kind = J_OBJ, F(tcb[TCB_CURRENT]), .sub = &tcb_t},
	{.name = "firmware", .kind = J_STR, F(version)},
};
static const struct jtable floor_t = T(floor_f, struct file_floor);
#undef F

#define F(field) .off = offsetof(struct file_guest, field)
static const struct jfield guest_f[] = {
	{.name = "allow", .kind = J_STRS, F(allow), NAMES(allowances)},
	{.name = "require", .kind = J_STRS, F(require), NAMES(guest_demands)},
	{.name = "minAbi", .kind = J_STR, F(min_abi)},
};
static const struct jtable guest_t = T(guest_f, struct file_guest);
#undef F

#define F(field) .off = offsetof(struct file_mitigations, field)
static const struct jfield mitigations_f[] = {
	{.name = "launch", .kind = J_STR, F(launch)},
	{.name = "current", .kind = J_STR, F(current)},
};
static const struct jtable mitigations_t = T(mitigations_f, struct file_mitigations);
#undef F

#define F(field) .off = offsetof(struct file, field)
static const struct jfield file_f[] = {
	{.name = "version", .kind = J_UINT, .flags = J_REQUIRED, F(version)},
	{.name = "products", .kind = J_STRS, .flags = J_NONEMPTY, F(products), NAMES(products)},
	{.name = "keys", .kind = J_STRS, .flags = J_NONEMPTY, F(keys), NAMES(keys)},
	{.name = "cspIds", .kind = J_STRS, .flags = J_NONEMPTY, F(csp_ids)},
	{.name = "chipIds", .kind = J_STRS, .flags = J_NONEMPTY, F(chip_ids)},
	{.name = "allowMaskedChipId", .kind = J_BOOL, F(masked_chip)},
	{.name = "reportData", .kind = J_STR, F(report_data)},
	{.name = "anyReportData", .kind = J_BOOL, F(any_report_data)},
	{.name = "measurements", .kind = J_STRS, .flags = J_NONEMPTY, F(measurements)},
	{.name = "anyMeasurement", .kind = J_BOOL, F(any_measurement)},
	{.name = "hostData", .kind = J_STRS, .flags = J_NONEMPTY, F(host_data)},
	{.name = "idKeyDigests", .kind = J_STRS, .flags = J_NONEMPTY, F(id_keys)},
	{.name = "authorKeyDigests", .kind = J_STRS, .flags = J_NONEMPTY, F(author_keys)},
	{.name = "familyId", .kind = J_STR, F(family_id)},
	{.name = "imageId", .kind = J_STR, F(image_id)},
	{.name = "minGuestSvn", .kind = J_UINT, .max = UINT32_MAX, F(min_guest_svn)},
	{.name = "vmpl", .kind = J_UINT, .max = 3, F(vmpl)},
	{.name = "guestPolicy", .kind = J_OBJ, F(guest), .sub = &guest_t},
	{.name = "platform", .kind = J_STRS, F(platform), NAMES(platform_demands)},
	{.name = "floors", .kind = J_OBJS, .flags = J_NONEMPTY, F(floors), .sub = &floor_t},
	{.name = "allowUncommitted", .kind = J_BOOL, F(uncommitted)},
	{.name = "mitigations", .kind = J_OBJ, F(mitigations), .sub = &mitigations_t},
	{.name = "requireCrl", .kind = J_BOOL, F(crl)},
};
static const struct jtable file_t = T(file_f, struct file);
#undef F

/* ---- values ---- */

struct ctx {
	const struct json_doc *d;
	struct arena *a;
	struct err *e;
};

static int hex_value(struct ctx *c, const struct json_node *n, size_t len, struct hexes *ret)
{
	uint8_t *v = arena_alloc(c->a, len);

	if (!hex_bytes(n->s, v, len))
		return json_err(c->d, n, c->e,
				"expected %zu bytes as %zu hexadecimal digits, found %s", len,
				2 * len, json_found(c->a, n));
	expect_one(ret, v, len, c->a);
	return 0;
}

/* a string or an array of them, where there is one; null is absent */
static int hex_values(struct ctx *c, const char *name, size_t len, struct hexes *ret)
{
	const struct json_node *n = json_get(c->d->root, name);
	int r = 0;

	if (!n || n->type == JSON_NULL)
		return 0;
	if (n->type == JSON_STRING)
		return hex_value(c, n, len, ret);
	for (n = n->child; n && r == 0; n = n->next)
		r = hex_value(c, n, len, ret);
	return r;
}

/* Turin's are 8 bytes: kept with zeros behind, as reports have them */
static int chip_ids(struct ctx *c, struct expect *x)
{
	const struct json_node *n = json_get(c->d->root, "chipIds");
	uint8_t v[CHIP_ID_LEN];

	for (n = n && n->type == JSON_ARRAY ? n->child : NULL; n; n = n->next) {
		memset(v, 0, sizeof(v));
		if (!hex_bytes(n->s, v, CHIP_ID_LEN) && !hex_bytes(n->s, v, 8))
			return json_err(c->d, n, c->e,
					"expected 64 bytes (Turin: 8) in hexadecimal, found %s",
					json_found(c->a, n));
		expect_one(&x->chip_ids, v, sizeof(v), c->a);
	}
	return 0;
}

/* "1.55.29": at most n numbers up to 255, the missing ones 0 */
static bool dotted(const char *s, struct arena *a, uint8_t *ret, size_t n)
{
	struct strs l = str_split(a, s, '.');
	size_t len = l.n ? l.n - 1 : 0;
	uint64_t v;

	if (l.n == 0 || l.n > n)
		return false;
	memset(ret, 0, n);
	for (size_t i = 0; i < l.n; i++) {
		if (num_parse_u64(l.v[i], 255, &v) < 0)
			return false;
		ret[i] = (uint8_t) v;
		len += strlen(l.v[i]);
	}
	return len == strlen(s); /* no empty part */
}

static int mitigation_bits(struct ctx *c, const struct json_node *parent, const char *name,
			   const char *text, struct opt_u64 *ret)
{
	const char *hex = text ? str_prefix(text, "0x") : NULL;
	uint64_t v = 0;
	size_t n = hex ? strlen(hex) : 0;

	if (!text)
		return 0;
	for (size_t i = 0; i < n && n <= 16; i++) {
		if (hex_digit(hex[i]) < 0)
			n = 0;
		else
			v = v << 4 | (uint64_t) hex_digit(hex[i]);
	}
	if (n == 0 || n > 16)
		return json_err(c->d, json_get(parent, name), c->e,
				"expected bits like \"0x3f\", found \"%.40s\"", text);
	*ret = (struct opt_u64){true, v};
	return 0;
}

static int guest_policy(struct ctx *c, const struct file_guest *g, struct expect *x)
{
	const struct json_node *n = json_get(c->d->root, "guestPolicy");
	uint8_t abi[2];

	if (!g)
		return 0;
	x->debug_ok = strs_has(&g->allow, "debug");
	x->migration_ok = strs_has(&g->allow, "migration-agent");
	for (int d = 0; d < DEMAND_POLICY_N; d++)
		x->demand[d] = strs_has(&g->require, demands[d].name);
	if (!g->min_abi)
		return 0;
	if (!dotted(g->min_abi, c->a, abi, 2))
		return json_err(c->d, json_get(n, "minAbi"), c->e,
				"expected a version like \"1.51\", found \"%.40s\"", g->min_abi);
	x->has_abi = true;
	x->abi_major = abi[0];
	x->abi_minor = abi[1];
	return 0;
}

static int floor_tcb(struct ctx *c, const struct json_node *n, const struct file_tcb *t, int which,
		     struct floor *f)
{
	const struct json_node *part;

	if (!t)
		return 0;
	f->has_tcb[which] = true;
	for (int i = 0; i < TCB_PARTS; i++) {
		part = json_get(json_get(n, report_tcb_name((enum report_tcb) which)),
				tcb_part_name((enum tcb_part) i));
		if (t->part[i].set && !snp_tcb_has(f->product, (enum tcb_part) i))
			return json_err(c->d, part, c->e, "%s has no such part",
					snp_product_name(f->product));
		f->tcb[which].v[i] = (uint8_t) t->part[i].v;
	}
	return 0;
}

static int one_floor(struct ctx *c, const struct json_node *n, const struct file_floor *in,
		     struct floor *f)
{
	uint8_t v[3];
	int r = 0;

	f->product = (enum snp_product) in->product;
	for (int i = 0; i < REPORT_TCBS && r == 0; i++)
		r = floor_tcb(c, n, in->tcb[i], i, f);
	if (r < 0 || !in->version)
		return r;
	if (!dotted(in->version, c->a, v, 3))
		return json_err(c->d, json_get(n, "firmware"), c->e,
				"expected a version like \"1.55.29\", found \"%.40s\"",
				in->version);
	f->has_version = true;
	f->version = (struct snp_version){.major = v[0], .minor = v[1], .build = v[2]};
	return 0;
}

static int floors(struct ctx *c, const struct jlist *l, struct expect *x)
{
	const struct json_node *list = json_get(c->d->root, "floors");
	const struct json_node *n = list ? list->child : NULL;
	const struct file_floor *in = l->v;
	int r = 0;

	x->floors = l->n ? arena_array(c->a, l->n, sizeof(*x->floors)) : NULL;
	x->n_floors = l->n;
	for (size_t i = 0; i < l->n && r == 0; i++, n = n->next) {
		for (size_t k = 0; k < i; k++)
			if (in[k].product == in[i].product)
				return json_err(c->d, n, c->e, "a second floor for %s",
						snp_product_name((enum snp_product) in[i].product));
		r = one_floor(c, n, &in[i], &x->floors[i]);
	}
	return r;
}

static int contradictions(struct ctx *c, const struct file *f, const struct expect *x)
{
	if (f->version.v != 1)
		return json_err(c->d, json_get(c->d->root, "version"), c->e,
				"expected 1, found %llu", (unsigned long long) f->version.v);
	if (x->any_measurement && x->measurements.set)
		return json_err(c->d, json_get(c->d->root, "anyMeasurement"), c->e,
				"contradicts \"measurements\"");
	if (x->any_report_data && x->report_data.set)
		return json_err(c->d, json_get(c->d->root, "anyReportData"), c->e,
				"contradicts \"reportData\"");
	return 0;
}

static int from_file(struct ctx *c, const struct file *f, struct expect *x)
{
	const struct file_mitigations none = {NULL, NULL};
	const struct file_mitigations *m = f->mitigations ? f->mitigations : &none;
	const struct json_node *mn = json_get(c->d->root, "mitigations");
	int r;

	for (int p = SNP_MILAN; p < SNP_PRODUCTS && f->products.set; p++)
		x->product[p] = strs_has(&f->products, snp_product_name((enum snp_product) p));
	if (f->keys.set) {
		x->vcek = strs_has(&f->keys, "vcek");
		x->vlek = strs_has(&f->keys, "vlek");
	}
	x->csp_ids = f->csp_ids;
	x->masked_chip_ok = f->masked_chip.v;
	x->any_report_data = f->any_report_data.v;
	x->any_measurement = f->any_measurement.v;
	x->min_guest_svn = f->min_guest_svn;
	x->vmpl = (uint32_t) f->vmpl.v;
	x->uncommitted_ok = f->uncommitted.v;
	x->crl_required = f->crl.v;
	for (int d = PLATFORM_DEMANDS; d < DEMAND_N; d++)
		x->demand[d] = strs_has(&f->platform, demands[d].name);
	if ((r = hex_values(c, "reportData", 64, &x->report_data)) < 0 ||
	    (r = hex_values(c, "measurements", 48, &x->measurements)) < 0 ||
	    (r = hex_values(c, "hostData", 32, &x->host_data)) < 0 ||
	    (r = hex_values(c, "idKeyDigests", 48, &x->id_keys)) < 0 ||
	    (r = hex_values(c, "authorKeyDigests", 48, &x->author_keys)) < 0 ||
	    (r = hex_values(c, "familyId", 16, &x->family_id)) < 0 ||
	    (r = hex_values(c, "imageId", 16, &x->image_id)) < 0 || (r = chip_ids(c, x)) < 0 ||
	    (r = guest_policy(c, f->guest, x)) < 0 || (r = floors(c, &f->floors, x)) < 0 ||
	    (r = mitigation_bits(c, mn, "launch", m->launch, &x->launch_mitigations)) < 0 ||
	    (r = mitigation_bits(c, mn, "current", m->current, &x->current_mitigations)) < 0)
		return r;
	return contradictions(c, f, x);
}

int expect_read(const char *name, struct bytes text, struct arena *a, struct expect *ret,
		struct err *e)
{
	struct json_doc d;
	struct ctx c = {.d = &d, .a = a, .e = e};
	struct file f = {0};
	struct expect x;
	int r = json_read(name, (const char *) text.v, text.n, a, &d, e);

	if (r == 0)
		r = json_decode(&d, d.root, &file_t, &f, a, e);
	if (r < 0)
		return r;
	expect_default(&x);
	r = from_file(&c, &f, &x);
	if (r == 0)
		*ret = x;
	return r;
}

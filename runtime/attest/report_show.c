/* SPDX-License-Identifier: Apache-2.0 */
/* A report in JSON and in words. */
#include <stdio.h>

#include "attest/bytes.h"
#include "attest/policy.h"
#include "attest/report.h"
#include "base/str.h"

static const char *const platform_bits[] = {
	[PLATFORM_SMT] = "SMT on",
	[PLATFORM_TSME] = "TSME on",
	[PLATFORM_ECC] = "ECC memory",
	[PLATFORM_RAPL_DIS] = "RAPL off",
	[PLATFORM_CIPHERTEXT_HIDING] = "ciphertext hiding",
	[PLATFORM_ALIAS_CHECK] = "alias check complete",
	[PLATFORM_TIO] = "TIO on",
};

char *platform_text(uint64_t platform_info, struct arena *a)
{
	char *s = arena_printf(a, "0x%llx", (unsigned long long) platform_info);

	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = bit < ARRAY_LEN(platform_bits) ? platform_bits[bit] : NULL;

		if (!(platform_info >> bit & 1))
			continue;
		s = name ? arena_printf(a, "%s, %s", s, name)
			 : arena_printf(a, "%s, bit %u", s, bit);
	}
	return s;
}

const char *signing_key_text(unsigned key, struct arena *a)
{
	switch (key) {
	case SIGNING_VCEK: return "VCEK";
	case SIGNING_VLEK: return "VLEK";
	case SIGNING_NONE: return "none";
	default: return arena_printf(a, "reserved (%u)", key);
	}
}

static char *hex_number(uint64_t v, struct arena *a)
{
	return arena_printf(a, "0x%llx", (unsigned long long) v);
}

static void put_tcbs(struct jsonw *w, const struct report *r, enum snp_product p, struct arena *a)
{
	struct snp_tcb t;

	jw_key(w, "tcb");
	jw_obj(w);
	for (int i = 0; i < REPORT_TCBS; i++) {
		jw_key(w, report_tcb_name((enum report_tcb) i));
		jw_obj(w);
		jw_kstr(w, "raw", hex_text(a, r->tcb[i], 8));
		snp_tcb_read(p, r->tcb[i], &t);
		for (int k = 0; k < TCB_PARTS; k++)
			if (snp_tcb_has(p, (enum tcb_part) k))
				jw_ku64(w, tcb_part_name((enum tcb_part) k), t.v[k]);
		jw_obj_end(w);
	}
	jw_obj_end(w);
}

static void put_platform(struct jsonw *w, const struct report *r, enum snp_product p,
			 struct arena *a)
{
	jw_kstr(w, "product", p == SNP_PRODUCT_NONE ? NULL : snp_product_name(p));
	if (r->has_cpuid)
		jw_kstr(w, "cpu",
			arena_printf(a, "%02x/%02x/%02x", r->cpu_family, r->cpu_model,
				     r->cpu_stepping));
	jw_kstr(w, "chipId", hex_text(a, r->chip_id, CHIP_ID_LEN));
	jw_kstr(w, "platformInfo", hex_number(r->platform_info, a));
	jw_kstr(w, "currentVersion", snp_version_text(&r->current, a));
	jw_kstr(w, "committedVersion", snp_version_text(&r->committed, a));
	put_tcbs(w, r, p, a);
	if (r->has_mitigations) {
		jw_kstr(w, "launchMitigations", hex_number(r->launch_mitigations, a));
		jw_kstr(w, "currentMitigations", hex_number(r->current_mitigations, a));
	}
}

void report_json(struct jsonw *w, const struct report *r, enum snp_product p, struct arena *a)
{
	jw_obj(w);
	jw_ku64(w, "version", r->version);
	jw_ku64(w, "guestSvn", r->guest_svn);
	jw_kstr(w, "policy", hex_number(r->policy, a));
	jw_kstr(w, "familyId", hex_text(a, r->family_id, 16));
	jw_kstr(w, "imageId", hex_text(a, r->image_id, 16));
	jw_ku64(w, "vmpl", r->vmpl);
	jw_ku64(w, "signatureAlgorithm", r->sig_algo);
	jw_kstr(w, "signingKey", signing_key_text(r->signing_key, a));
	jw_kbool(w, "maskChipKey", r->mask_chip_key);
	jw_kbool(w, "authorKeyEnabled", r->author_key_en);
	jw_kstr(w, "reportData", hex_text(a, r->report_data, 64));
	jw_kstr(w, "measurement", hex_text(a, r->measurement, 48));
	jw_kstr(w, "hostData", hex_text(a, r->host_data, 32));
	jw_kstr(w, "idKeyDigest", hex_text(a, r->id_key_digest, 48));
	jw_kstr(w, "authorKeyDigest", hex_text(a, r->author_key_digest, 48));
	jw_kstr(w, "reportId", hex_text(a, r->report_id, 32));
	jw_kstr(w, "reportIdMa", hex_text(a, r->report_id_ma, 32));
	put_platform(w, r, p, a);
	jw_obj_end(w);
}

static void line(struct buf *b, struct arena *a, const char *name, const char *value)
{
	const char *s = arena_printf(a, "%-18s %s\n", name, value);

	buf_put(b, s, strlen(s));
}

/* zeros are said to be zeros: nobody counts 96 of them */
static const char *hex_or_none(const uint8_t *p, size_t n, struct arena *a)
{
	return bytes_zero(p, n) ? "zero" : hex_text(a, p, n);
}

static void show_guest(struct buf *b, const struct report *r, struct arena *a)
{
	line(b, a, "Guest SVN", arena_printf(a, "%u", r->guest_svn));
	line(b, a, "Guest policy",
	     arena_printf(a, "0x%llx: %s", (unsigned long long) r->policy,
			  snp_policy_text(r->policy, a)));
	line(b, a, "Family id", hex_or_none(r->family_id, 16, a));
	line(b, a, "Image id", hex_or_none(r->image_id, 16, a));
	line(b, a, "VMPL", arena_printf(a, "%u%s", r->vmpl, r->vmpl ? "" : " (most privileged)"));
	line(b, a, "Report data", hex_or_none(r->report_data, 64, a));
	line(b, a, "Measurement", hex_text(a, r->measurement, 48));
	line(b, a, "Host data", hex_or_none(r->host_data, 32, a));
	line(b, a, "ID key digest", hex_or_none(r->id_key_digest, 48, a));
	line(b, a, "Author key digest", hex_or_none(r->author_key_digest, 48, a));
	line(b, a, "Report id", hex_text(a, r->report_id, 32));
	line(b, a, "Migration agent", hex_text(a, r->report_id_ma, 32));
}

static void show_platform(struct buf *b, const struct report *r, enum snp_product p,
			  struct arena *a)
{
	struct snp_tcb t;

	if (r->has_cpuid)
		line(b, a, "CPU",
		     arena_printf(a, "family 0x%02x, model 0x%02x, stepping %u", r->cpu_family,
				  r->cpu_model, r->cpu_stepping));
	line(b, a, "Product", snp_product_name(p));
	line(b, a, "Chip id",
	     report_chip_masked(r) ? "masked" : hex_text(a, r->chip_id, snp_hwid_len(p)));
	line(b, a, "Platform", platform_text(r->platform_info, a));
	for (int i = 0; i < REPORT_TCBS; i++) {
		const char *raw = hex_text(a, r->tcb[i], 8);

		snp_tcb_read(p, r->tcb[i], &t);
		line(b, a, arena_printf(a, "TCB, %s", report_tcb_name((enum report_tcb) i)),
		     p == SNP_PRODUCT_NONE ? raw : snp_tcb_text(p, &t, a));
	}
	line(b, a, "Firmware",
	     arena_printf(a, "%s, committed %s", snp_version_text(&r->current, a),
			  snp_version_text(&r->committed, a)));
	if (r->has_mitigations)
		line(b, a, "Mitigations",
		     arena_printf(a, "0x%llx at launch, 0x%llx now",
				  (unsigned long long) r->launch_mitigations,
				  (unsigned long long) r->current_mitigations));
}

void report_show(struct buf *b, const struct report *r, enum snp_product p, struct arena *a)
{
	line(b, a, "Version", arena_printf(a, "%u", r->version));
	line(b, a, "Signed by",
	     arena_printf(a, "%s%s%s", signing_key_text(r->signing_key, a),
			  r->sig_algo == 1 ? "" : ", with an algorithm that is not known",
			  r->mask_chip_key ? ", but the key is masked: there is no signature"
					   : ""));
	show_guest(b, r, a);
	show_platform(b, r, p, a);
}

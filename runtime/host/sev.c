/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host must have for a guest with encrypted memory: the processor, KVM, the secure processor's device. Rows of
 * `kavach check` for the strongest kind, and the refusal of a container of any kind.
 */
#include "host/sev.h"

#include <stdio.h>

#include "base/str.h"
#include "host/check.h"

#define B_SNP (1u << CHECK_SNP)

/* Bits of CPUID 0x8000001f EAX; names of kvm_amd's parameters; KVM_X86_*_VM of KVM_CAP_VM_TYPES. */
static const struct {
	const char *name, *parameter, *since, *hardware;
	unsigned cpu_bit, vm_type;
} kinds[] = {
	[HOST_SEV] = {"SEV", "sev", "5.10", "EPYC", 1, 0},
	[HOST_SEV_ES] = {"SEV-ES", "sev_es", "6.10", "EPYC 7002", 3, 3},
	[HOST_SEV_SNP] = {"SEV-SNP", "sev_snp", "6.11", "EPYC 7003", 4, 4},
};

static void sev_cpu(const struct look *l, enum host_sev kind, struct finding *f)
{
	char have[64] = "";
	struct seen s;

	l->see(l, SEE_CPUID, NULL, &s);
	for (size_t i = HOST_SEV; s.r == 0 && i < ARRAY_LEN(kinds); i++)
		if (s.v >> kinds[i].cpu_bit & 1)
			snprintf(have + strlen(have), sizeof(have) - strlen(have), "%s%s",
				 *have ? " " : "", kinds[i].name);
	finding_value(f, "features", "%s", have);
	if (s.r == 0 && s.v >> kinds[kind].cpu_bit & 1) {
		finding_say(f, "%s; keys for %u guests", have, (unsigned) (s.v >> 32));
		return;
	}
	finding_is(f, CHECK_MISSING, B_SNP);
	if (*have)
		finding_say(f, "has %s, not %s", have, kinds[kind].name);
	else
		finding_say(f, "the processor (%s) shows no SEV (CPUID 0x8000001f)",
			    *s.text ? s.text : "not x86");
	if (str_eq(s.text, "AuthenticAMD"))
		finding_fix(f,
			    "use %s or later, with SMEE and %s on in the firmware; not a virtual "
			    "machine",
			    kinds[kind].hardware, kinds[kind].name);
	else
		finding_fix(f, "use an AMD %s or later", kinds[kind].hardware);
}

static void sev_kvm(const struct look *l, enum host_sev kind, struct finding *f)
{
	bool on = false;
	struct seen s;

	for (size_t i = HOST_SEV; i < ARRAY_LEN(kinds); i++) {
		const char *name = kinds[i].parameter;
		const char *v = look_text(
			l,
			look_hw(l, arena_printf(l->a, "/sys/module/kvm_amd/parameters/%s", name)));
		bool yes = v && (*v == 'Y' || *v == '1');

		if (i == kind)
			on = yes;
		finding_say(f, "%s %s", name, !v ? "is not there" : yes ? "on" : "off");
		finding_value(f, name, "%s", yes ? "true" : "false");
	}
	l->see(l, SEE_KVM, NULL, &s);
	finding_value(f, "vm_types", "%#x", (unsigned) (s.v >> 32));
	if (on && (!kinds[kind].vm_type || s.v >> 32 & 1u << kinds[kind].vm_type)) {
		finding_say(f, "KVM makes %s guests",
			    kind == HOST_SEV_SNP ? "SNP" : kinds[kind].name);
		return;
	}
	finding_is(f, CHECK_MISSING, B_SNP);
	if (!look_exists(l, look_hw(l, "/sys/module/kvm_amd"))) {
		f->fact = NULL;
		finding_say(f, "the module kvm_amd is not loaded");
		finding_fix(f, "modprobe kvm_amd, on an AMD machine");
	} else if (!on) {
		finding_fix(f,
			    "boot Linux %s or later, built with KVM_AMD_SEV, with kvm_amd.%s=1; "
			    "dmesg | grep -i sev says what is missing",
			    kinds[kind].since, kinds[kind].parameter);
	} else {
		finding_say(f, "KVM does not offer %s guests",
			    kind == HOST_SEV_SNP ? "SNP" : kinds[kind].name);
		finding_fix(f, "use Linux %s or later, with /dev/kvm open to %s", kinds[kind].since,
			    l->user);
	}
}

static void sev_device(const struct look *l, enum host_sev kind, struct finding *f)
{
	struct seen s;

	(void) kind;
	l->see(l, SEE_OPEN, look_hw(l, HOST_SEV_DEVICE), &s);
	if (s.r == 0) {
		finding_say(f, HOST_SEV_DEVICE " opens");
		return;
	}
	finding_is(f, CHECK_MISSING, B_SNP);
	finding_say(f, HOST_SEV_DEVICE ": %s", err_errno_text(-s.r));
	if (s.r == -ENOENT)
		finding_fix(
			f,
			"modprobe ccp; the firmware of the secure processor has to be switched on");
	else
		finding_fix(f, "let %s open " HOST_SEV_DEVICE " (a udev rule with a group)",
			    l->user);
}

/* ---- rows ---- */

void row_sev_cpu(const struct look *l, struct finding *f)
{
	sev_cpu(l, HOST_SEV_SNP, f);
}

void row_sev_kvm(const struct look *l, struct finding *f)
{
	sev_kvm(l, HOST_SEV_SNP, f);
}

void row_sev_device(const struct look *l, struct finding *f)
{
	sev_device(l, HOST_SEV_SNP, f);
}

/* ---- the refusal ---- */

static void kvm(const struct look *l, enum host_sev kind, struct finding *f)
{
	(void) kind;
	(void) check_kvm(l, f);
}

int host_sev_need_of(const struct look *l, enum host_sev kind, struct err *e)
{
	static void (*const needs[])(const struct look *l, enum host_sev kind,
				     struct finding *f) = {sev_cpu, kvm, sev_kvm, sev_device};
	const char *text = NULL;

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		struct finding f = {.a = l->a};
		const char *one;

		needs[i](l, kind, &f);
		if (f.state == CHECK_OK)
			continue;
		one = f.fixes.n ? arena_printf(l->a, "%s (%s)", f.fact, f.fixes.v[0]) : f.fact;
		text = text ? arena_printf(l->a, "%s; %s", text, one) : one;
	}
	return !text ? 0
		     : err_set_id(e, ERR_CONFIG, -ENOTSUP,
				  "this host cannot start a guest of %s: %s", kinds[kind].name,
				  text);
}

int host_sev_need(enum host_sev kind, struct err *e)
{
	arena_auto a = {0};
	struct look l;

	look_machine(&l, &a);
	return host_sev_need_of(&l, kind, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's shape for people and for programs: what `kavach policy` adds for a container in a VM. */
#include "attest/policy.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "policy/page.h"
#include "vm/qemu.h"
#include "vm/shape.h"

static const char *root_text(enum vm_root r)
{
	return r == VM_ROOT_9P	       ? "shared over 9p: what is written stays on the host"
	       : r == VM_ROOT_VIRTIOFS ? "shared over virtiofs: what is written stays on the host"
				       : "an image with a hash of every block; what is written is "
					 "gone with the VM";
}

static void sev_rows(struct page *pg, const struct vm_sev *v)
{
	arena_auto a = {0};

	if (!v->kind)
		return;
	page_row(pg, "confidential");
	page_text(pg, vm_sev_name(v->kind));
	page_printf(pg, "(memory encrypted, C-bit %u)", v->cbitpos);
	page_end(pg);
	page_row(pg, "guest policy");
	page_printf(pg, "0x%llx:", (unsigned long long) v->policy);
	page_text(pg, v->kind == VM_SEV_SNP ? snp_policy_text(v->policy, &a)
					    : sev_policy_text(v->policy, &a));
	page_end(pg);
}

void vm_shape_explain(struct page *pg, const struct vm_shape *s)
{
	page_head(pg, "The machine");
	page_row(pg, "machine");
	page_text(pg, vm_machine_name(s->machine));
	page_printf(pg, "under %s,", s->accel == VM_KVM ? "KVM" : "emulation (TCG)");
	page_printf(pg, "%u CPU%s (%s),", s->vcpus, s->vcpus == 1 ? "" : "s", s->cpu);
	page_bytes(pg, s->memory);
	page_end(pg);
	page_row(pg, "on the host");
	page_bytes(pg, s->memory_host);
	page_text(pg, "of memory for it and QEMU");
	page_end(pg);
	sev_rows(pg, &s->sev);
	page_row_value(pg, "hypervisor", s->hypervisor);
	page_row_value(pg, "firmware", s->firmware);
	page_row_value(pg, "kernel", s->kernel);
	page_row_value(pg, "initrd", s->initrd);
	page_row(pg, "command line");
	page_safe(pg, s->cmdline);
	page_end(pg);
	page_line(pg, "root", root_text(s->root));
	if (s->share) {
		page_row(pg, "volumes");
		page_printf(pg, "shared over %s", vm_root_name(s->share));
		page_end(pg);
	}
	page_row_value(pg, "", s->virtiofsd);
	page_row(pg, "network");
	if (s->nics)
		page_printf(pg, "%u interface%s", s->nics, s->nics == 1 ? "" : "s");
	else
		page_text(pg, "none");
	page_end(pg);
	if (s->warning)
		page_line(pg, "warning", s->warning);
}

void vm_shape_json(struct jsonw *w, const struct vm_shape *s)
{
	arena_auto a = {0};
	struct err e = ERR_INIT;
	struct strs args = {.set = true};

	jw_obj(w);
	jw_kstr(w, "machine", vm_machine_name(s->machine));
	jw_kstr(w, "accelerator", vm_accel_name(s->accel));
	jw_kstr(w, "cpu", s->cpu);
	jw_ku64(w, "vcpus", s->vcpus);
	jw_ku64(w, "memory", s->memory);
	jw_ku64(w, "memoryHost", s->memory_host);
	jw_kstr(w, "root", vm_root_name(s->root));
	if (s->virtiofsd)
		jw_kstr(w, "virtiofsd", s->virtiofsd);
	if (s->share)
		jw_kstr(w, "volumes", vm_root_name(s->share));
	jw_kstr(w, "hypervisor", s->hypervisor);
	jw_kstr(w, "firmware", s->firmware);
	jw_kstr(w, "kernel", s->kernel);
	jw_kstr(w, "initrd", s->initrd);
	jw_kstr(w, "commandLine", s->cmdline);
	jw_kstr(w, "modules", s->modules);
	jw_ku64(w, "interfaces", s->nics);
	jw_kbool(w, "balloon", s->balloon);
	jw_kbool(w, "rng", s->rng);
	if (s->sev.kind) {
		jw_key(w, "confidential");
		jw_obj(w);
		jw_kstr(w, "kind", vm_sev_name(s->sev.kind));
		jw_ku64(w, "policy", s->sev.policy);
		jw_ku64(w, "cbitpos", s->sev.cbitpos);
		jw_obj_end(w);
	}
	if (s->warning)
		jw_kstr(w, "warning", s->warning);
	if (vm_qemu_argv(s, &vm_names_jail, false, &a, &args.v, &args.n, &e) == 0)
		jw_kstrs(w, "arguments", &args);
	jw_obj_end(w);
}

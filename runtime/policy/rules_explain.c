/* SPDX-License-Identifier: Apache-2.0 */
/* What `kavach rules check` prints: the rules that are in force, as a page for people and as JSON. */
#include <inttypes.h>

#include "base/jsonw.h"
#include "policy/explain.h"
#include "policy/host_may.h"
#include "policy/names.h"
#include "policy/page.h"
#include "policy/rules.h"

static const char *const presets[] = {
	[POL_PRESET_MINIMAL] = "minimal",
	[POL_PRESET_BASIC] = "basic",
	[POL_PRESET_STRICT] = "strict",
};
static const char *const backends[] = {
	[POL_BACKEND_PROCESS] = "process", [POL_BACKEND_VM] = "vm",
	[POL_BACKEND_SEV] = "sev",	   [POL_BACKEND_SEV_ES] = "sev-es",
	[POL_BACKEND_SEV_SNP] = "sev-snp",
};
static const char *const vm_kinds[] = {
	[RULES_VM_HYPERVISOR] = "hypervisor", [RULES_VM_KERNEL] = "kernel",
	[RULES_VM_INITRD] = "initrd",	      [RULES_VM_FIRMWARE] = "firmware",
	[RULES_VM_VIRTIOFSD] = "virtiofsd",
};

/* ---- the page ---- */

static void match_rows(struct page *pg, const struct rule_match *m)
{
	if (!m) {
		page_line(pg, "for", "all containers");
		return;
	}
	if (m->otherwise.v)
		page_line(pg, "for", "containers that no other match fits");
	for (size_t i = 0; i < m->annotations.n; i++) {
		page_row(pg, "annotation");
		page_value(pg, m->annotations.v[i].key);
		page_text(pg, "=");
		page_value(pg, m->annotations.v[i].val);
		page_end(pg);
	}
	page_row_list(pg, "namespaces", &m->namespaces);
	for (size_t i = 0; i < m->uids.n; i++) {
		page_row(pg, i ? "" : "callers");
		page_printf(pg, "user %" PRIu64, m->uids.v[i]);
		page_end(pg);
	}
	for (size_t i = 0; i < m->backends.n; i++)
		page_line(pg, i ? "" : "backends", backends[m->backends.v[i]]);
}

static void feature_rows(struct page *pg, const char *label, const struct u64s *l)
{
	if (!l->n)
		return;
	page_row(pg, label);
	for (size_t i = 0; i < l->n; i++)
		page_text(pg, rule_features[l->v[i] - 1].name);
	page_end(pg);
}

static void cap_rows(struct page *pg, const struct rule *r)
{
	if (r->caps_forbidden.n)
		page_row(pg, "no caps");
	for (size_t i = 0; i < r->caps_forbidden.n; i++)
		page_text(pg, cap_names[r->caps_forbidden.v[i]].name + strlen("CAP_"));
	if (r->caps_forbidden.n)
		page_end(pg);
	if (!r->caps_allowed.set)
		return;
	page_row(pg, "only caps");
	if (!r->caps_allowed.v)
		page_text(pg, "none");
	for (size_t i = 0; i < cap_names_n; i++)
		if (r->caps_allowed.v >> i & 1)
			page_text(pg, cap_names[i].name + strlen("CAP_"));
	page_end(pg);
}

static void device_rows(struct page *pg, const struct rule *r)
{
	if (!r->devices_set)
		return;
	page_row(pg, "only devices");
	if (!r->devices.n)
		page_text(pg, "those that every container has");
	for (size_t i = 0; i < r->devices.n; i++) {
		const struct rule_device *d = &r->devices.v[i];

		if (i)
			page_break(pg);
		if (d->major < 0)
			page_printf(pg, "%c *:*", d->type);
		else if (d->minor < 0)
			page_printf(pg, "%c %" PRId64 ":*", d->type, d->major);
		else
			page_printf(pg, "%c %" PRId64 ":%" PRId64, d->type, d->major, d->minor);
	}
	page_end(pg);
}

static void landlock_rows(struct page *pg, const struct policy_landlock *l)
{
	page_row(pg, "Landlock");
	if (l->required_abi)
		page_printf(pg, "ABI %u is required", l->required_abi);
	else
		page_text(pg, "as far as the kernel has it");
	page_end(pg);
	explain_landlock_lists(pg, l);
}

static const char *const secret_sources[] = {
	[POL_SECRET_FROM_FILE] = "file",       [POL_SECRET_FROM_CREDENTIAL] = "credential",
	[POL_SECRET_FROM_PROGRAM] = "program", [POL_SECRET_FROM_SOCKET] = "socket",
	[POL_SECRET_FROM_BROKER] = "broker",
};

static void secret_rows(struct page *pg, const struct rule *r)
{
	for (size_t i = 0; i < r->secrets.n; i++) {
		const struct rule_secret *s = &r->secrets.v[i];

		page_row(pg, i ? "" : "secrets");
		page_value(pg, s->name);
		page_text(pg, s->give == POL_SECRET_FILE  ? "as"
			      : s->give == POL_SECRET_ENV ? "as variable"
							  : "as standard input");
		if (s->target)
			page_value(pg, s->target);
		page_printf(pg, "from %s", secret_sources[s->source]);
		page_value(pg, s->from.v[0]);
		if (s->on_request)
			page_text(pg, "(if it is asked for)");
		page_end(pg);
	}
}

static void rule_rows(struct page *pg, const struct rule *r)
{
	page_row(pg, "rule");
	page_value(pg, *r->at.key ? r->at.key : "(all of the file)");
	if (r->name)
		page_quoted(pg, r->name);
	page_end(pg);
	match_rows(pg, r->match);
	if (r->min_strength.set) {
		page_row(pg, "strength");
		page_printf(pg, "at least %" PRIu64, r->min_strength.v);
		page_end(pg);
	}
	if (r->preset) {
		page_row(pg, "preset");
		page_printf(pg, "at least %s", presets[r->preset]);
		page_end(pg);
	}
	if (r->default_preset) {
		page_row(pg, "preset");
		page_printf(pg, "%s, if the container names none", presets[r->default_preset]);
		page_end(pg);
	}
	feature_rows(pg, "required", &r->require);
	feature_rows(pg, "forbidden", &r->forbid);
	cap_rows(pg, r);
	for (size_t i = 0; i < r->binds.n; i++) {
		page_row(pg, i ? "" : "binds");
		page_value(pg, r->binds.v[i].source);
		page_text(pg, name_of(rule_accesses, rule_accesses_n, r->binds.v[i].access));
		page_end(pg);
	}
	device_rows(pg, r);
	if (r->annotations.set)
		page_row_list(pg, "settings", &r->annotations);
	if (r->annotations.set && !r->annotations.n)
		page_line(pg, "settings", "none by annotations");
	page_row_value(pg, "seccomp", r->seccomp ? r->seccomp->name : NULL);
	if (r->landlock)
		landlock_rows(pg, r->landlock);
	secret_rows(pg, r);
}

static void audit_rows(struct page *pg, const struct rules_audit *a)
{
	page_head(pg, "Audit log");
	page_line(pg, "written",
		  !a->enabled	? "no"
		  : a->required ? "always, or the command fails"
				: "yes");
	page_row_value(pg, "directory", a->dir);
	if (a->fsync)
		page_line(pg, "on disk", "before the command goes on");
	if (a->journald || a->syslog)
		page_line(pg, "also to",
			  a->journald && a->syslog ? "journald, syslog"
			  : a->journald		   ? "journald"
						   : "syslog");
	if (a->rotate_bytes) {
		page_row(pg, "files of");
		page_bytes(pg, a->rotate_bytes);
		page_end(pg);
	}
	if (a->keep) {
		page_row(pg, "files kept");
		page_printf(pg, "%u", a->keep);
		page_end(pg);
	}
}

static void vm_rows(struct page *pg, const struct rules_vm *vm)
{
	page_head(pg, "Virtual machines");
	for (size_t i = 0; i < RULES_VM_KIND_MAX; i++) {
		const struct rules_files *l = &vm->allowed[i];

		if (l->set && !l->n)
			page_line(pg, vm_kinds[i], "none is allowed");
		for (size_t k = 0; k < l->n; k++) {
			page_row(pg, k ? "" : vm_kinds[i]);
			page_value(pg, l->v[k].path);
			page_break(pg);
			page_value(pg, l->v[k].sha256);
			page_end(pg);
		}
		if (vm->file[i]) {
			page_row(pg, l->n ? "" : vm_kinds[i]);
			page_text(pg, "default:");
			page_value(pg, vm->file[i]);
			page_end(pg);
		}
	}
	page_row_value(pg, "machine", vm->machine);
	page_row_value(pg, "root", vm->root);
	page_row_value(pg, "broker", vm->broker);
	page_row_value(pg, "broker's key", vm->broker_key);
	page_row_value(pg, "share", vm->share);
	if (vm->kernel_params.set && !vm->kernel_params.n)
		page_line(pg, "kernel options", "none is allowed");
	page_row_list(pg, "kernel options", &vm->kernel_params);
	page_row_list(pg, "QEMU options", &vm->hypervisor_params);
	if (vm->uid_first.set) {
		page_row(pg, "QEMU runs as");
		page_printf(pg, "one of %" PRIu64 " ids from %" PRIu64 " on", vm->uid_count.v,
			    vm->uid_first.v);
		page_end(pg);
	}
	for (size_t i = 0; i < RULES_VM_T_MAX; i++)
		if (vm->timeout[i].set) {
			page_row(pg, "timeout");
			page_printf(pg, "%s: %" PRIu64 " s", rules_vm_timeout_names[i],
				    vm->timeout[i].v);
			page_end(pg);
		}
	if (vm->host_may.set) {
		char words[HOST_MAY_TEXT];

		page_row(pg, "the host may");
		page_printf(pg, "in a confidential guest at most: %s",
			    host_may_text((uint32_t) vm->host_may.v, words));
		page_end(pg);
	}
	if (vm->max_vcpus.set) {
		page_row(pg, "CPUs");
		page_printf(pg, "at most %" PRIu64, vm->max_vcpus.v);
		page_end(pg);
	}
	if (vm->max_memory.set) {
		page_row(pg, "memory");
		page_text(pg, "at most");
		page_bytes(pg, vm->max_memory.v);
		page_end(pg);
	}
}

static void attest_rows(struct page *pg, const struct rules_attest *r)
{
	page_head(pg, "Attestation");
	page_row_list(pg, "measurements", &r->measurements);
	if (r->measurements.set && !r->measurements.n)
		page_line(pg, "measurements", "none is accepted");
	if (r->policy_set.set || r->policy_clear.set) {
		page_row(pg, "guest policy");
		page_printf(pg, "%#" PRIx64 " set, %#" PRIx64 " clear", r->policy_set.v,
			    r->policy_clear.v);
		page_end(pg);
	}
	if (r->min_tcb.set) {
		page_row(pg, "TCB");
		page_printf(pg, "at least %#" PRIx64, r->min_tcb.v);
		page_end(pg);
	}
	page_row_value(pg, "certificates", r->kds_cache);
}

void rules_explain(struct buf *b, const struct rules *r)
{
	struct page pg = {.b = b};

	page_head(&pg, "Rules");
	if (!r->files.n)
		page_line(&pg, "files", "none");
	for (size_t i = 0; i < r->files.n; i++)
		page_row_value(&pg, i ? "" : "files", r->files.v[i]);
	for (size_t i = 0; i < r->n; i++) {
		if (i == 0 || !str_eq(r->v[i].at.file, r->v[i - 1].at.file))
			page_head(&pg, r->v[i].at.file);
		rule_rows(&pg, &r->v[i]);
	}
	if (r->audit_at.file)
		audit_rows(&pg, &r->audit);
	if (r->vm.set)
		vm_rows(&pg, &r->vm);
	if (r->attest.set)
		attest_rows(&pg, &r->attest);
}

/* ---- JSON: what is in force, in the words of the files ---- */

static void json_strs(struct jsonw *w, const char *key, const struct strs *l)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < l->n; i++)
		jw_str(w, l->v[i]);
	jw_arr_end(w);
}

static void json_names(struct jsonw *w, const char *key, const struct u64s *l,
		       const struct name_val *names, size_t base)
{
	if (!l->n)
		return;
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < l->n; i++)
		jw_str(w, names[l->v[i] - base].name);
	jw_arr_end(w);
}

static void json_match(struct jsonw *w, const struct rule_match *m)
{
	jw_key(w, "match");
	jw_obj(w);
	if (m->otherwise.v)
		jw_kbool(w, "default", true);
	if (m->annotations.n) {
		jw_key(w, "annotations");
		jw_obj(w);
		for (size_t i = 0; i < m->annotations.n; i++)
			jw_kstr(w, m->annotations.v[i].key, m->annotations.v[i].val);
		jw_obj_end(w);
	}
	if (m->namespaces.n)
		json_strs(w, "namespaces", &m->namespaces);
	if (m->uids.n) {
		jw_key(w, "uids");
		jw_arr(w);
		for (size_t i = 0; i < m->uids.n; i++)
			jw_u64(w, m->uids.v[i]);
		jw_arr_end(w);
	}
	if (m->backends.n) {
		jw_key(w, "backends");
		jw_arr(w);
		for (size_t i = 0; i < m->backends.n; i++)
			jw_str(w, backends[m->backends.v[i]]);
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

static void json_number(struct jsonw *w, const char *key, int64_t n)
{
	if (n < 0)
		jw_kstr(w, key, "*");
	else
		jw_ki64(w, key, n);
}

static void json_devices(struct jsonw *w, const struct rule *r)
{
	jw_key(w, "allowedDevices");
	jw_arr(w);
	for (size_t i = 0; i < r->devices.n; i++) {
		const char type[] = {r->devices.v[i].type, 0};

		jw_obj(w);
		jw_kstr(w, "type", type);
		json_number(w, "major", r->devices.v[i].major);
		json_number(w, "minor", r->devices.v[i].minor);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void json_secrets(struct jsonw *w, const struct rule *r)
{
	jw_key(w, "secrets");
	jw_arr(w);
	for (size_t i = 0; i < r->secrets.n; i++) {
		const struct rule_secret *s = &r->secrets.v[i];

		jw_obj(w);
		jw_kstr(w, "name", s->name);
		json_strs(w, secret_sources[s->source], &s->from);
		if (s->give == POL_SECRET_STDIN)
			jw_kbool(w, "stdin", true);
		else
			jw_kstr(w, s->give == POL_SECRET_ENV ? "env" : "target", s->target);
		jw_kbool(w, "required", s->required);
		jw_kbool(w, "onRequest", s->on_request);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void json_rule(struct jsonw *w, const struct rule *r)
{
	jw_obj(w);
	jw_kstr(w, "file", r->at.file);
	jw_kstr(w, "key", r->at.key);
	if (r->name)
		jw_kstr(w, "name", r->name);
	if (r->match)
		json_match(w, r->match);
	if (r->min_strength.set)
		jw_ku64(w, "minimumStrength", r->min_strength.v);
	if (r->preset)
		jw_kstr(w, "preset", presets[r->preset]);
	if (r->default_preset)
		jw_kstr(w, "defaultPreset", presets[r->default_preset]);
	json_names(w, "require", &r->require, rule_features, 1);
	json_names(w, "forbid", &r->forbid, rule_features, 1);
	json_names(w, "forbiddenCapabilities", &r->caps_forbidden, cap_names, 0);
	if (r->caps_allowed.set) {
		jw_key(w, "allowedCapabilities");
		jw_arr(w);
		for (size_t i = 0; i < cap_names_n; i++)
			if (r->caps_allowed.v >> i & 1)
				jw_str(w, cap_names[i].name);
		jw_arr_end(w);
	}
	if (r->binds.n) {
		jw_key(w, "binds");
		jw_arr(w);
		for (size_t i = 0; i < r->binds.n; i++) {
			jw_obj(w);
			jw_kstr(w, "source", r->binds.v[i].source);
			jw_kstr(w, "access",
				name_of(rule_accesses, rule_accesses_n, r->binds.v[i].access));
			jw_obj_end(w);
		}
		jw_arr_end(w);
	}
	if (r->devices_set)
		json_devices(w, r);
	if (r->annotations.set)
		json_strs(w, "allowedAnnotations", &r->annotations);
	if (r->seccomp)
		jw_kstr(w, "seccompProfile", r->seccomp->name);
	jw_kbool(w, "landlock", r->landlock != NULL);
	if (r->secrets.n)
		json_secrets(w, r);
	jw_obj_end(w);
}

static void json_audit(struct jsonw *w, const struct rules_audit *a)
{
	jw_key(w, "audit");
	jw_obj(w);
	jw_kbool(w, "enabled", a->enabled);
	jw_kbool(w, "required", a->required);
	if (a->dir)
		jw_kstr(w, "directory", a->dir);
	jw_kbool(w, "fsync", a->fsync);
	jw_kbool(w, "journald", a->journald);
	jw_kbool(w, "syslog", a->syslog);
	jw_ku64(w, "rotateBytes", a->rotate_bytes);
	jw_ku64(w, "keep", a->keep);
	jw_obj_end(w);
}

void rules_json(struct buf *b, const struct rules *r)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	json_strs(&w, "files", &r->files);
	jw_key(&w, "rules");
	jw_arr(&w);
	for (size_t i = 0; i < r->n; i++)
		json_rule(&w, &r->v[i]);
	jw_arr_end(&w);
	if (r->audit_at.file)
		json_audit(&w, &r->audit);
	jw_kbool(&w, "vm", r->vm.set);
	jw_kbool(&w, "attestation", r->attest.set);
	jw_obj_end(&w);
	buf_put(b, "\n", 1);
}

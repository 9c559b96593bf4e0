/* SPDX-License-Identifier: Apache-2.0 */
/* The table of rows, in the order in which they are shown, and running it. */
#include "host/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

const struct check_row check_rows[] = {
	{"kernel", GROUP_HOST, row_kernel},
	{"namespaces", GROUP_HOST, row_namespaces},
	{"userns", GROUP_HOST, row_userns},
	{"subids", GROUP_HOST, row_subids},
	{"idhelpers", GROUP_HOST, row_idhelpers},
	{"state", GROUP_HOST, row_state},
	{"cgroup", GROUP_HOST, row_cgroup},
	{"systemd", GROUP_HOST, row_systemd},
	{"seccomp", GROUP_HOST, row_seccomp},
	{"lsm", GROUP_HOST, row_lsm},
	{"privilege", GROUP_HOST, row_privilege},
	{"limits", GROUP_HOST, row_limits},
	{"devices", GROUP_HOST, row_devices},
	{"idmap", GROUP_HOST, row_idmap},
	{"criu", GROUP_HOST, row_criu},
	{"clock", GROUP_HOST, row_clock},
	{"build", GROUP_VM, row_build},
	{"kvm", GROUP_VM, row_kvm},
	{"qemu", GROUP_VM, row_qemu},
	{"firmware", GROUP_VM, row_firmware},
	{"guest", GROUP_VM, row_guest},
	{"virtiofsd", GROUP_VM, row_virtiofsd},
	{"mkfs.erofs", GROUP_VM, row_mkfs},
	{"vhost", GROUP_VM, row_vhost},
	{"tun", GROUP_VM, row_tun},
	{"sev-cpu", GROUP_SNP, row_sev_cpu},
	{"sev-kvm", GROUP_SNP, row_sev_kvm},
	{"sev-device", GROUP_SNP, row_sev_device},
	{"sev-firmware", GROUP_SNP, row_sev_firmware},
};
const size_t check_rows_n = ARRAY_LEN(check_rows);

static const char *const backend_names[CHECK_BACKENDS] = {
	[CHECK_PROCESS] = "process", [CHECK_VM] = "vm", [CHECK_SNP] = "snp"};

/* Groups that have to do with a backend. */
static const unsigned backend_groups[CHECK_BACKENDS] = {
	[CHECK_PROCESS] = 1u << GROUP_HOST,
	[CHECK_VM] = 1u << GROUP_HOST | 1u << GROUP_VM,
	[CHECK_SNP] = 1u << GROUP_HOST | 1u << GROUP_VM | 1u << GROUP_SNP,
};

const char *check_backend_name(enum check_backend b)
{
	return backend_names[b];
}

void finding_say(struct finding *f, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->fact = f->fact ? arena_printf(f->a, "%s; %s", f->fact, text) : arena_strdup(f->a, text);
}

void finding_is(struct finding *f, enum check_state state, unsigned stops)
{
	if (state > f->state)
		f->state = state;
	f->stops |= stops;
}

void finding_fix(struct finding *f, const char *fmt, ...)
{
	char text[512], **v = arena_array(f->a, f->fixes.n + 1, sizeof(*v));
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < f->fixes.n; i++)
		v[i] = f->fixes.v[i];
	v[f->fixes.n++] = arena_strdup(f->a, text);
	f->fixes.v = v;
}

void finding_hint(struct finding *f, const struct hint *h)
{
	if (h->cause)
		finding_say(f, "%s", h->cause);
	if (h->fix && !strs_has(&f->fixes, h->fix))
		finding_fix(f, "%s", h->fix);
}

void finding_value(struct finding *f, const char *key, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (f->n_values < ARRAY_LEN(f->values))
		f->values[f->n_values++] = (struct kv){.key = (char *) (uintptr_t) key,
						       .val = arena_strdup(f->a, text)};
}

int check_find(const char *name)
{
	for (size_t i = 0; i < check_rows_n; i++)
		if (str_eq(check_rows[i].name, name))
			return (int) i;
	return -1;
}

static int unknown(const struct look *l, const char *name, struct err *e)
{
	char *list = arena_strdup(l->a, check_rows[0].name);

	for (size_t i = 1; i < check_rows_n; i++)
		list = arena_printf(l->a, "%s %s", list, check_rows[i].name);
	return err_set_id(e, ERR_USAGE, -EINVAL, "check: unknown row \"%s\" (there are: %s)", name,
			  list);
}

int check_run(const struct look *l, char *const *names, size_t n, enum check_backend backend,
	      struct report *ret, struct err *e)
{
	struct report r = {.look = l, .partial = n > 0};

	r.shown = arena_array(l->a, check_rows_n, sizeof(*r.shown));
	r.found = arena_array(l->a, check_rows_n, sizeof(*r.found));
	r.asked = backend == CHECK_BACKENDS ? CHECK_ALL : 1u << backend;
	for (size_t i = 0; i < n; i++) {
		int at = check_find(names[i]);

		if (at < 0)
			return unknown(l, names[i], e);
		r.shown[at] = true;
	}
	for (size_t i = 0; i < check_rows_n; i++) {
		if (n == 0)
			r.shown[i] = backend == CHECK_BACKENDS ||
				     (backend_groups[backend] >> check_rows[i].group & 1);
		if (!r.shown[i])
			continue;
		r.found[i].a = l->a;
		check_rows[i].look(l, &r.found[i]);
		r.stopped |= r.found[i].stops;
		r.missing |= r.found[i].state == CHECK_MISSING;
	}
	/* unasked, nobody wants to read how to make a virtual machine encrypted */
	r.advise = n || backend != CHECK_BACKENDS ? ~0u : 1u << GROUP_HOST;
	*ret = r;
	return 0;
}

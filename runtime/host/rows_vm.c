/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: what a microVM needs of the machine. */
#include <stdio.h>

#include "base/num.h"
#include "base/str.h"
#include "host/check.h"

#define B_VM (1u << CHECK_VM | 1u << CHECK_SNP)
#define B_SNP (1u << CHECK_SNP)

/* ---- this program ---- */

void row_build(const struct look *l, struct finding *f)
{
	char have[64] = "", lack[64] = "";

	for (unsigned i = 0; i < CHECK_BACKENDS; i++) {
		char *list = l->backends >> i & 1 ? have : lack;

		snprintf(list + strlen(list), sizeof(have) - strlen(list), "%s%s", *list ? " " : "",
			 check_backend_name(i));
		finding_value(f, check_backend_name(i), "%s",
			      l->backends >> i & 1 ? "true" : "false");
	}
	finding_say(f, "backends of this kavach: %s", have);
	if (!*lack)
		return;
	finding_is(f, CHECK_MISSING, CHECK_ALL & ~l->backends);
	finding_say(f, "not in it: %s", lack);
	finding_fix(f, "use a kavach that has them");
}

/* ---- KVM ---- */

#define NESTED                                                                                     \
	"switch virtualisation on in the firmware; in a virtual machine, nested virtualisation "   \
	"on its host"

static const char *virt_flag(const struct look *l)
{
	char *cpu = arena_strdup(l->a, ""), *nl;
	const char *text = look_text(l, look_hw(l, "/proc/cpuinfo")), *flags;

	flags = text ? strstr(text, "\nflags") : NULL;
	if (flags) {
		cpu = arena_strdup(l->a, flags + 1);
		nl = strchr(cpu, '\n');
		if (nl)
			*nl = '\0';
	}
	return strstr(cpu, " svm ") ? "svm" : strstr(cpu, " vmx ") ? "vmx" : NULL;
}

static void kvm_not_open(const struct look *l, int r, struct finding *f)
{
	finding_say(f, "/dev/kvm: %s", err_errno_text(-r));
	if (r == -EACCES || r == -EPERM) {
		finding_fix(f, "usermod -aG kvm %s, and log in anew", l->user);
		return;
	}
	if (virt_flag(l))
		finding_fix(f, "modprobe %s",
			    str_eq(virt_flag(l), "svm") ? "kvm_amd" : "kvm_intel");
	else
		finding_fix(f, NESTED);
}

bool check_kvm(const struct look *l, struct finding *f)
{
	static const char *const steps[] = {
		[KVM_STEP_API] = "/dev/kvm is not of API version 12",
		[KVM_STEP_VM] = "no virtual machine can be made",
		[KVM_STEP_VCPU] = "no virtual processor can be made",
		[KVM_STEP_RUN] = "a small guest does not run",
	};
	struct seen s;
	unsigned step;

	l->see(l, SEE_KVM, NULL, &s);
	step = (unsigned) (s.v & 0xff);
	if (s.r == 0) {
		finding_say(f, "/dev/kvm works: API version 12, a small guest ran");
		if (str_eq(l->machine ? l->machine : "", "x86_64") && !virt_flag(l)) {
			finding_is(f, CHECK_LIMITED, 0);
			finding_say(
				f,
				"but the processor shows neither svm nor vmx: KVM without hardware, larger guests may fail");
			finding_fix(f, NESTED);
		}
		return true;
	}
	finding_is(f, CHECK_LIMITED, B_SNP);
	if (s.r == -ETIMEDOUT || s.r == -ECHILD) {
		finding_say(f, "/dev/kvm opens, but the try of a guest %s",
			    s.r == -ECHILD ? "was killed" : "has no end");
		finding_fix(f, "look into the kernel's log (dmesg)");
	} else if (step == KVM_STEP_OPEN || step >= ARRAY_LEN(steps)) {
		kvm_not_open(l, s.r, f);
	} else {
		finding_say(f, "%s (%s", steps[step], err_errno_text(-s.r));
		if (s.v >> 8 & 0xffff)
			f->fact = arena_printf(l->a, "%s, exit reason %u", f->fact,
					       (unsigned) (s.v >> 8 & 0xffff));
		f->fact = arena_printf(l->a, "%s)", f->fact);
		finding_fix(f,
			    "use a machine whose own processor virtualises, or a hypervisor that "
			    "nests; look into the kernel's log (dmesg)");
	}
	return false;
}

void row_kvm(const struct look *l, struct finding *f)
{
	if (!check_kvm(l, f))
		finding_say(f, "guests are emulated: slow, and nothing to isolate by");
}

/* ---- QEMU ---- */

/* "QEMU emulator version 9.1.2 (...)": 9001 */
static unsigned qemu_version(const char *text)
{
	const char *v = strstr(text, "version ");
	unsigned major = 0, minor = 0;

	if (!v || sscanf(v, "version %3u.%3u", &major, &minor) != 2)
		return 0;
	return major * 1000 + minor;
}

void row_qemu(const struct look *l, struct finding *f)
{
	const char *name = arena_printf(l->a, "qemu-system-%s", l->machine ? l->machine : "x86_64");
	const char *path = look_find(l, name);
	unsigned version;
	struct seen s;

	if (!path && look_exists(l, "/usr/libexec/qemu-kvm"))
		path = "/usr/libexec/qemu-kvm";
	if (!path) {
		finding_is(f, CHECK_MISSING, B_VM);
		finding_say(f, "%s is not in PATH", name);
		finding_fix(
			f,
			"install 9.1 or later (Debian: apt install qemu-system-x86; Debian 12 has it in bookworm-backports)");
		return;
	}
	l->see(l, SEE_VERSION, path, &s);
	version = s.r == 0 ? qemu_version(s.text) : 0;
	if (!version) {
		finding_is(f, CHECK_MISSING, B_VM);
		finding_say(f, "%s does not say its version", path);
		finding_fix(f, "install it anew");
		return;
	}
	finding_say(f, "%s, version %u.%u", path, version / 1000, version % 1000);
	finding_value(f, "path", "%s", path);
	finding_value(f, "version", "%u.%u", version / 1000, version % 1000);
	if (version >= 9001)
		return;
	finding_is(f, CHECK_LIMITED, B_SNP);
	finding_say(f, "kavach is tested with 9.1 and later, and snp needs that");
	finding_fix(f, "install QEMU 9.1 or later (Debian 13 and bookworm-backports have 10.0)");
}

/* ---- devices ---- */

static void device(const struct look *l, struct finding *f, const char *path, const char *module,
		   const char *without)
{
	struct seen s;

	/* asked, not opened: that would load the module */
	l->see(l, SEE_WRITE, path, &s);
	if (s.r == 0) {
		finding_say(f, "%s may be opened", path);
		return;
	}
	finding_is(f, s.r == -ENOENT ? CHECK_MISSING : CHECK_LIMITED, 0);
	finding_say(f, "%s: %s, %s", path, err_errno_text(-s.r), without);
	if (s.r == -ENOENT)
		finding_fix(f, "modprobe %s", module);
	else
		finding_fix(f, "let the group kvm open %s, and put %s into it (udev rule)", path,
			    l->user);
}

void row_vhost(const struct look *l, struct finding *f)
{
	device(l, f, "/dev/vhost-net", "vhost_net", "networks of guests are slower");
}

void row_tun(const struct look *l, struct finding *f)
{
	device(l, f, "/dev/net/tun", "tun", "no network for guests");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision what a VM is made of. Sizes: a guest needs some 40 MiB for its kernel and the agent beside what the
 * container may use, and does not start below 128 MiB; QEMU itself needs 128 MiB, and 256 MiB more for translated code.
 */
#include <stdio.h>
#include <string.h>

#include "attest/policy.h"
#include "base/sha256.h"
#include "base/str.h"
#include "vm/shape.h"
#include "vm/split.h"

#define MIB (1ull << 20)
#define GUEST_EXTRA (64 * MIB) /* beside the container's limit */
#define GUEST_DEFAULT (1024 * MIB)
#define GUEST_MOST (1ull << 40)
#define HOST_EXTRA (128 * MIB)
#define HOST_EXTRA_TCG (256 * MIB)
#define HOST_EXTRA_VIRTIOFSD                                                                       \
	(64 * MIB)	/* itself, and what the kernel keeps of files that it has open */
#define VCPUS_MOST 255u /* with an APIC id of 8 bits */

static const struct name_val machines[] = {{"microvm", VM_MICROVM}, {"q35", VM_Q35}};
static const struct name_val accels[] = {{"kvm", VM_KVM}, {"tcg", VM_TCG}};
static const struct name_val roots[] = {
	{"9p", VM_ROOT_9P}, {"virtiofs", VM_ROOT_VIRTIOFS}, {"erofs", VM_ROOT_EROFS}};
static const struct name_val sevs[] = {
	{"none", VM_SEV_NONE}, {"sev", VM_SEV}, {"sev-es", VM_SEV_ES}, {"sev-snp", VM_SEV_SNP}};

const char *vm_machine_name(enum vm_machine m)
{
	return name_of(machines, ARRAY_LEN(machines), m);
}

const char *vm_accel_name(enum vm_accel a)
{
	return name_of(accels, ARRAY_LEN(accels), a);
}

const char *vm_root_name(enum vm_root r)
{
	return name_of(roots, ARRAY_LEN(roots), r);
}

const char *vm_sev_name(enum vm_sev_kind k)
{
	return name_of(sevs, ARRAY_LEN(sevs), k);
}

/* What the steps share. */
struct making {
	const struct policy *p;
	const struct vm_host *h;
	const struct vm_image *im;
	struct arena *a;
	struct vm_shape *s;
	struct err *e;
};

__attribute__((format(printf, 2, 3), cold)) static int refuse(const struct making *m,
							      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(m->e, -EINVAL, fmt, ap);
	va_end(ap);
	m->e->id = ERR_CONFIG;
	return -EINVAL;
}

/* ---- machine ---- */

static int machine(const struct making *m)
{
	static const struct {
		uint32_t backend;
		enum vm_sev_kind kind;
		uint64_t policy;
	} kinds[] = {
		{POL_BACKEND_VM, VM_SEV_NONE, 0},
		/* no debugging, no key sharing, no sending away; with ES */
		{POL_BACKEND_SEV, VM_SEV, SEV_POLICY_DEFAULT},
		{POL_BACKEND_SEV_ES, VM_SEV_ES, SEV_POLICY_DEFAULT | 1u << SEV_POLICY_ES},
		{POL_BACKEND_SEV_SNP, VM_SEV_SNP, SNP_POLICY_DEFAULT},
	};
	struct vm_shape *s = m->s;
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) && kinds[i].backend != m->p->backend)
		i++;
	if (i == ARRAY_LEN(kinds))
		return refuse(m, "the policy is not one of a VM");
	s->sev.kind = kinds[i].kind;
	s->sev.policy = kinds[i].policy;
	s->machine = s->sev.kind || str_eq0(m->p->vm.machine, "q35") ? VM_Q35 : VM_MICROVM;
	if (s->sev.kind && str_eq0(m->p->vm.machine, "microvm"))
		return refuse(m,
			      "vm.defaults.machine: the site's rules say microvm, a confidential "
			      "guest needs q35");
	s->pci = s->machine == VM_Q35;
	if (m->p->vm.accel != POL_ACCEL_KVM && m->p->vm.accel != POL_ACCEL_TCG)
		return refuse(m, "it is not known whether this host has KVM");
	s->accel = (enum vm_accel) m->p->vm.accel;
	return 0;
}

/* The bundle's wish within what the site demands; where it has none, the default and what the site demands. */
static int guest_policy(const struct making *m)
{
	const struct pol_vm *vm = &m->p->vm;
	struct vm_sev *v = &m->s->sev;
	bool snp = v->kind == VM_SEV_SNP, es = v->kind == VM_SEV_ES;
	int r;

	if (vm->guest_policy) {
		r = guest_policy_parse(vm->guest_policy, snp, es, m->a, &v->policy, m->e);
		if (r < 0) {
			m->e->id = ERR_CONFIG;
			return err_context(m->e, "annotations[\"io.kavach.guest-policy\"]");
		}
	} else {
		v->policy = (v->policy | vm->policy_set) & ~vm->policy_clear;
	}
	if ((v->policy & vm->policy_set) != vm->policy_set || v->policy & vm->policy_clear)
		return refuse(
			m,
			"guest policy 0x%llx: the site's rules (attestation.guestPolicy) want "
			"the bits 0x%llx to be 1 and 0x%llx to be 0",
			(unsigned long long) v->policy, (unsigned long long) vm->policy_set,
			(unsigned long long) vm->policy_clear);
	r = snp ? snp_policy_check(v->policy, m->e) : sev_policy_check(v->policy, es, m->e);
	if (r == 0 && snp && m->h->kernel)
		r = snp_policy_kvm(v->policy, m->h->kernel, m->e);
	if (r < 0)
		m->e->id = ERR_CONFIG;
	return r;
}

/* A guest whose memory is encrypted is one on this processor, or there is none. */
static int confidential(const struct making *m)
{
	struct vm_shape *s = m->s;

	if (s->sev.kind == VM_SEV_NONE)
		return 0;
	if (s->accel != VM_KVM)
		return refuse(
			m,
			"a confidential guest (%s) needs KVM, which does not work on this host; "
			"see `kavach check --backend snp`",
			vm_sev_name(s->sev.kind));
	if (!m->h->cbitpos)
		return refuse(m,
			      "a confidential guest (%s) needs an AMD processor with SEV, and this "
			      "one shows none; see `kavach check --backend snp`",
			      vm_sev_name(s->sev.kind));
	s->sev.cbitpos = m->h->cbitpos;
	return guest_policy(m);
}

static void processor(const struct making *m)
{
	struct vm_shape *s = m->s;

	/* A versioned model: its signature is a part of the launch digest, which must not depend on the host. Under TCG,
	 * `max` is what the translator can do. */
	s->cpu = s->sev.kind ? "EPYC-v4" : s->accel == VM_KVM ? "host" : "max";
}

/* ---- sizes ---- */

/* CPUs of a list such as "0-3,7"; 0 when it is none or there is no list. */
static uint32_t count_cpus(const char *list)
{
	uint32_t n = 0;

	while (list && *list) {
		unsigned first, last;
		int used = 0;

		if (sscanf(list, "%5u-%5u%n", &first, &last, &used) < 2 || !used) {
			used = 0;
			if (sscanf(list, "%5u%n", &first, &used) < 1)
				return 0;
			last = first;
		}
		if (last < first)
			return 0;
		n += last - first + 1;
		list += used;
		if (*list == ',')
			list++;
	}
	return n;
}

/* As many as the container's share of time, and as its list of CPUs, can keep busy; one where nothing is said: each costs
 * a boot under TCG 0.3 s, and a confidential guest's digest has their number. */
static uint32_t vcpus_of_limits(const struct making *m)
{
	const struct pol_resources *r = &m->p->resources;
	uint64_t period = r->cpu_period.set && r->cpu_period.v ? r->cpu_period.v : 100000;
	uint32_t list = count_cpus(r->cpus), n = 0;

	if (r->cpu_quota.set && r->cpu_quota.v > 0) {
		uint64_t quota = (uint64_t) r->cpu_quota.v, whole = quota / period;

		whole += quota % period != 0;
		n = whole > VCPUS_MOST ? VCPUS_MOST : (uint32_t) whole;
	}
	if (list && (!n || list < n))
		n = list;
	if (n && m->h->cpus && n > m->h->cpus)
		n = m->h->cpus;
	return n ? n : 1;
}

static int vcpus(const struct making *m)
{
	const struct pol_vm *vm = &m->p->vm;
	bool asked = vm->vcpus.set;
	uint64_t n = asked ? vm->vcpus.v : vcpus_of_limits(m);

	if (!asked && vm->max_vcpus.set && n > vm->max_vcpus.v)
		n = vm->max_vcpus.v;
	if (n < 1 || n > VCPUS_MOST)
		return refuse(m, "vm.hwConfig.vcpus: expected 1 to %u, found %llu", VCPUS_MOST,
			      (unsigned long long) n);
	if (vm->max_vcpus.set && n > vm->max_vcpus.v)
		return refuse(m, "vm.hwConfig.vcpus: %llu, the site's rules allow at most %llu",
			      (unsigned long long) n, (unsigned long long) vm->max_vcpus.v);
	m->s->vcpus = (uint32_t) n;
	return 0;
}

static uint64_t memory_of_limits(const struct making *m)
{
	const struct opt_i64 *limit = &m->p->resources.memory;
	uint64_t n = GUEST_DEFAULT;

	if (limit->set && limit->v >= 0) {
		if ((uint64_t) limit->v > GUEST_MOST)
			return GUEST_MOST;
		n = (uint64_t) limit->v + GUEST_EXTRA;
	} else if (m->p->vm.sandbox) { /* it waits, and reaps */
		n = VM_MEMORY_FLOOR;
	} else if (m->h->memory && n > m->h->memory / 2) {
		n = m->h->memory / 2;
	}
	return n < VM_MEMORY_FLOOR ? VM_MEMORY_FLOOR : n;
}

static int memory(const struct making *m)
{
	const struct pol_vm *vm = &m->p->vm;
	struct vm_shape *s = m->s;
	uint64_t n = vm->memory.set ? vm->memory.v : memory_of_limits(m);

	if (n < VM_MEMORY_FLOOR || n > GUEST_MOST)
		return refuse(m, "vm.hwConfig.memory: expected %llu to %llu bytes, found %llu",
			      VM_MEMORY_FLOOR, GUEST_MOST, (unsigned long long) n);
	n = (n + MIB - 1) / MIB * MIB;
	if (vm->max_memory.set && n > vm->max_memory.v) {
		if (vm->memory.set || vm->max_memory.v < VM_MEMORY_FLOOR)
			return refuse(
				m,
				"vm.hwConfig.memory: %llu bytes, the site's rules allow at most %llu",
				(unsigned long long) n, (unsigned long long) vm->max_memory.v);
		/* Not asked for: the container's own limit holds in the guest too, and its kernel has less to spare. */
		n = vm->max_memory.v / MIB * MIB;
	}
	s->memory = n;
	s->memory_host = n + HOST_EXTRA + (s->accel == VM_TCG ? HOST_EXTRA_TCG : 0);
	return 0;
}

/* ---- files ---- */

static int files(const struct making *m)
{
	const struct pol_vm *vm = &m->p->vm;
	const struct vm_image *im = m->im;
	struct vm_shape *s = m->s;

	s->hypervisor = vm->hypervisor ? vm->hypervisor : m->h->hypervisor;
	if (!s->hypervisor)
		return refuse(m, "there is no QEMU on this host; see `kavach check --backend vm`");
	s->kernel = vm->kernel ? vm->kernel : s->machine == VM_MICROVM ? im->kernel : im->bzimage;
	if (!s->kernel)
		return refuse(m, "the guest image %s has no packed kernel (vmlinuz) for q35",
			      im->dir ? im->dir : "");
	/* A kernel of one's own with the image's modules would be a mix that nobody has tried. */
	if (vm->kernel && !vm->initrd)
		return refuse(m, "vm.kernel.initrd: required with vm.kernel.path: it holds the "
				 "agent and the modules of that kernel");
	s->initrd = vm->initrd			    ? vm->initrd
		    : s->sev.kind && im->initrd_sev ? im->initrd_sev
						    : im->initrd;
	if (!s->initrd)
		return refuse(m, "there is no guest image");
	if (m->p->vm.broker && !vm->initrd && !im->initrd_sev)
		return refuse(m,
			      "the guest image %s has no kavach-keeper (initrd-sev), which secrets "
			      "from a broker need",
			      im->dir ? im->dir : "");
	s->firmware = vm->firmware		 ? vm->firmware
		      : s->machine == VM_MICROVM ? im->microvm_firmware
		      : s->sev.kind		 ? im->uefi_sev
						 : im->uefi;
	if (!s->firmware)
		return refuse(m, "%s; or name one in the site's rules (vm.defaults.firmware)",
			      s->sev.kind ? "no firmware for confidential guests is installed "
					    "(Debian: ovmf-amdsev)"
			      : s->pci	  ? "no UEFI firmware is installed (Debian: ovmf)"
				       : "qboot.rom is not installed (Debian: qemu-system-data)");
	return 0;
}

/* ---- root, devices ---- */

static bool has_feature(const struct making *m, const char *name)
{
	/* of an image of one's own nothing is known: the agent will say */
	return m->p->vm.kernel || strs_has(&m->im->features, name);
}

static int need_feature(const struct making *m, enum vm_root kind, const char *what)
{
	return has_feature(m, vm_root_name(kind))
		       ? 0
		       : refuse(m,
				"the guest's kernel %s has no %s, which this container's %s need%s",
				m->im->release ? m->im->release : "", vm_root_name(kind), what,
				what[strlen(what) - 1] == 's' ? "" : "s");
}

/* How files of the host get into the guest: what: "root" or "volumes". */
static int share(const struct making *m, const char *what, enum vm_root *ret)
{
	uint32_t want = m->p->vm.share;
	struct vm_shape *s = m->s;
	int r;

	*ret = want == POL_SHARE_VIRTIOFS ||
			       (!want && m->h->virtiofsd && has_feature(m, "virtiofs"))
		       ? VM_ROOT_VIRTIOFS
		       : VM_ROOT_9P;
	r = need_feature(m, *ret, what);
	if (r < 0 || *ret != VM_ROOT_VIRTIOFS)
		return r;
	if (!m->h->virtiofsd)
		return refuse(m, "vm.share: the site's rules say virtiofs, and no virtiofsd is "
				 "installed (Debian 13: virtiofsd); or name one in them "
				 "(vm.defaults.virtiofsd)");
	s->virtiofsd = m->h->virtiofsd;
	s->memory_host += HOST_EXTRA_VIRTIOFSD;
	return 0;
}

static int root(const struct making *m)
{
	struct vm_shape *s = m->s;
	struct split plan;
	int r;

	if (m->p->vm.root != POL_VM_ROOT_PACKED) {
		/* What the host can change at any time is nothing that a confidential guest could run. */
		return s->sev.kind ? refuse(m, "the root of a confidential VM is shared")
				   : share(m, "root", &s->root);
	}
	s->root = VM_ROOT_EROFS;
	s->disks = 1;
	r = need_feature(m, s->root, "root");
	split_plan(m->p, m->a, &plan);
	if (r < 0 || !plan.volumes)
		return r;
	if (s->sev.kind)
		return refuse(m, "a confidential VM has volumes of the host's");
	return share(m, "volumes", &s->share);
}

static void add_word(const struct making *m, const char **list, const char *word)
{
	*list = **list ? arena_printf(m->a, "%s %s", *list, word) : word;
}

static void devices(const struct making *m)
{
	const struct pol_ns *net = pol_ns_find(m->p, POL_NS_NET);
	struct vm_shape *s = m->s;
	const char *modules = "";

	/* Engines bring interfaces late: a namespace that is empty now may have one at the start. */
	s->nics = !net || m->p->vm.sandbox ? 0 : m->h->nics < 1 ? 1 : m->h->nics;
	if (s->nics > VM_NICS_MAX)
		s->nics = VM_NICS_MAX;
	/* The host could take memory away from under a balloon, and knows what its generator gives. */
	s->balloon = !s->sev.kind && has_feature(m, "balloon");
	s->rng = !s->sev.kind && has_feature(m, "rng");
	/* Tables of ACPI are code from the host that the guest's kernel runs, and are not measured; more than one vCPU cannot
	 * be found without them. */
	s->acpi = !s->sev.kind || s->vcpus > 1;
	add_word(m, &modules, vm_root_name(s->root));
	if (s->share)
		add_word(m, &modules, vm_root_name(s->share));
	if (s->root == VM_ROOT_EROFS) {
		add_word(m, &modules, "block");
		add_word(m, &modules, "verity");
		add_word(m, &modules, "overlay");
	}
	if (s->nics)
		add_word(m, &modules, "net");
	if (s->rng)
		add_word(m, &modules, "rng");
	if (s->balloon)
		add_word(m, &modules, "balloon");
	if (s->sev.kind == VM_SEV_SNP)
		add_word(m, &modules, "sev");
	s->modules = modules;
}

/* ---- command line ---- */

static int cmdline(const struct making *m)
{
	struct vm_shape *s = m->s;
	/* What the host may read goes to the console: nothing, of a confidential guest. The tests of crypto
	 * algorithms take the Debian kernels half a second. init_on_alloc: where virtiofsd writes into pages that once held
	 * code, TCG would run its old translation of them if the guest did not write there first. */
	const char *line = s->sev.kind ? "quiet loglevel=0" : "console=ttyS0 quiet";

	add_word(m, &line, "reboot=t panic=-1 cryptomgr.notests 8250.nr_uarts=1 init_on_alloc=1");
	if (s->sev.kind) {
		add_word(m, &line, "random.trust_cpu=1 lockdown=confidentiality");
		if (!s->acpi)
			add_word(m, &line, "acpi=off");
	}
	/* Without it microvm's kernel finds nothing to measure its clock against, and hangs; with KVM the clock is kvmclock. */
	if (s->accel == VM_TCG) {
		if (!m->h->tsc_khz)
			return refuse(m, "the frequency of this host's TSC is not known");
		add_word(m, &line, arena_printf(m->a, "tsc_early_khz=%u", m->h->tsc_khz));
	}
	for (size_t i = 0; i < m->p->vm.kernel_params.n; i++)
		add_word(m, &line, m->p->vm.kernel_params.v[i]);
	if (strlen(line) > VM_CMDLINE_MAX)
		return refuse(m,
			      "vm.kernel.parameters: the kernel's command line would be %zu bytes "
			      "long, at most %u are possible",
			      strlen(line), VM_CMDLINE_MAX);
	s->cmdline = line;
	return 0;
}

static void remarks(const struct making *m)
{
	struct vm_shape *s = m->s;

	if (s->accel == VM_TCG)
		s->warning = "there is no usable KVM: the VM is emulated (TCG), which is slow and "
			     "which QEMU does not promise to keep a hostile guest in";
	s->hello_seconds = s->accel == VM_KVM ? 10 : s->pci ? 120 : 60;
	if (s->sev.kind == VM_SEV_SNP ? s->sev.policy >> SNP_POLICY_DEBUG & 1
				      : s->sev.kind && !(s->sev.policy >> SEV_POLICY_NO_DEBUG & 1))
		s->warning = "the guest policy allows debugging: this host can read all of the "
			     "guest's memory";
	/* the secure processor encrypts all of it first */
	if (s->sev.kind)
		s->hello_seconds = 60;
	s->hypervisor_params = m->p->vm.hypervisor_params;
}

int vm_shape_decide(const struct policy *p, const struct vm_host *h, const struct vm_image *im,
		    struct arena *a, struct vm_shape *ret, struct err *e)
{
	static int (*const steps[])(const struct making *m) = {machine, confidential, vcpus,
							       memory,	files,	      root};
	struct vm_shape s = {0};
	const struct making m = {p, h, im, a, &s, e};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(steps) && r == 0; i++)
		r = steps[i](&m);
	if (r < 0)
		return r;
	processor(&m);
	devices(&m);
	r = cmdline(&m);
	if (r < 0)
		return r;
	remarks(&m);
	*ret = s;
	return 0;
}

int vm_shape_bind(struct vm_shape *s, const uint8_t digest[32], struct arena *a, struct err *e)
{
	char hex[SHA256_HEX];

	if (s->sev.kind == VM_SEV_SNP)
		s->sev.host_data = (struct bytes){arena_memdup(a, digest, 32), 32};
	if (s->sev.kind != VM_SEV && s->sev.kind != VM_SEV_ES)
		return 0;
	sha256_hex(digest, hex);
	s->cmdline = arena_printf(a, "%s kavach.policy=sha256:%s", s->cmdline, hex);
	return strlen(s->cmdline) <= VM_CMDLINE_MAX
		       ? 0
		       : err_set_id(e, ERR_CONFIG, -EINVAL,
				    "vm.kernel.parameters: the kernel's command line would be %zu "
				    "bytes long, at most %u are possible",
				    strlen(s->cmdline), VM_CMDLINE_MAX);
}

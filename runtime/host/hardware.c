/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtualisation, tried for real: a guest of three instructions. That /dev/kvm opens says little where the machine is
 * itself a guest: the run says it. And what the processor says of encrypted guests.
 */
#include "host/hardware.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sys.h"
#include "host/try.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#ifndef KVM_CAP_VM_TYPES
#define KVM_CAP_VM_TYPES 235 /* Linux 6.8 */
#endif

const char *hw_root(void)
{
	return "";
}

uint32_t hw_cbitpos(void)
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned eax, ebx, ecx, edx;

	if (__get_cpuid_max(0x80000000, NULL) < 0x8000001f)
		return 0;
	__cpuid_count(0x8000001f, 0, eax, ebx, ecx, edx);
	return eax >> 1 & 1 ? ebx & 0x3f : 0;
#else
	return 0;
#endif
}

uint64_t hw_memlock(void)
{
	uint64_t caps, permitted, inheritable;
	struct rlimit l;

	if (sys_capget(&caps, &permitted, &inheritable) == 0 && caps >> CAP_SYS_RESOURCE & 1)
		return UINT64_MAX;
	return getrlimit(RLIMIT_MEMLOCK, &l) == 0 && l.rlim_max != RLIM_INFINITY ? l.rlim_max
										 : UINT64_MAX;
}

/* AMD's manual, volume 3, CPUID Fn8000_001F. Not privileged; a hypervisor shows its guests what it likes. */
void try_cpuid(const struct look *l, const char *arg, struct seen *ret)
{
	(void) l, (void) arg;
#if defined(__x86_64__) || defined(__i386__)
	unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
	char vendor[13] = "";

	if (__get_cpuid(0, &eax, &ebx, &ecx, &edx)) {
		memcpy(vendor, &ebx, 4);
		memcpy(vendor + 4, &edx, 4);
		memcpy(vendor + 8, &ecx, 4);
	}
	snprintf(ret->text, sizeof(ret->text), "%s", vendor);
	if (__get_cpuid_max(0x80000000, NULL) < 0x8000001f) {
		ret->r = -ENOENT;
		return;
	}
	__cpuid_count(0x8000001f, 0, eax, ebx, ecx, edx);
	ret->v = eax | (uint64_t) ecx << 32;
#else
	ret->r = -ENOENT;
#endif
}

static int fail(struct seen *ret, enum kvm_step at)
{
	ret->r = errno ? -errno : -EIO;
	ret->v |= at;
	return -1;
}

#if defined(__x86_64__)
/* What every guest soon is: in 64-bit mode, with pages. A KVM that only emulates real mode does not get that far. The
 * memory of the guest: its tables of pages, one for each level (the last maps 2 MiB), and a page of code. */
enum {
	AT_PML4 = 0x0000,
	AT_PDPT = 0x1000,
	AT_PD = 0x2000,
	AT_CODE = 0x3000,
	GUEST_MEMORY = 0x4000
};

static void guest_memory(uint8_t *mem)
{
	static const uint8_t code[] = {0x31, 0xc0, /* xor eax, eax */
				       0x0f, 0xa2, /* cpuid: KVM answers */
				       0xf4 /* hlt */};
	static const uint64_t present = 1, writable = 2, large = 0x80;
	uint64_t pml4 = AT_PDPT | present | writable, pdpt = AT_PD | present | writable,
		 pd = present | writable | large;

	memcpy(mem + AT_PML4, &pml4, sizeof(pml4));
	memcpy(mem + AT_PDPT, &pdpt, sizeof(pdpt));
	memcpy(mem + AT_PD, &pd, sizeof(pd));
	memcpy(mem + AT_CODE, code, sizeof(code));
}

static int guest_state(int vcpu)
{
	struct kvm_segment code = {.limit = UINT32_MAX,
				   .type = 11,
				   .present = 1,
				   .s = 1,
				   .l = 1,
				   .g = 1,
				   .selector = 8},
			   data = {.limit = UINT32_MAX,
				   .type = 3,
				   .present = 1,
				   .s = 1,
				   .db = 1,
				   .g = 1,
				   .selector = 16};
	struct kvm_regs regs = {.rip = AT_CODE, .rflags = 2};
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = 1u << 31 | 1u << 4 | 1; /* paging, extension type, protected mode */
	sregs.cr3 = AT_PML4;
	sregs.cr4 = 1u << 5;		 /* physical address extension */
	sregs.efer = 1u << 10 | 1u << 8; /* long mode, enabled and active */
	return ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0 ? -1
											      : 0;
}

static void guest_run(int kvm, int vm, int vcpu, struct seen *ret)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	uint8_t *guest = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region mem = {.memory_size = GUEST_MEMORY,
						  .userspace_addr = (uintptr_t) guest};
	struct kvm_run *run = MAP_FAILED;

	if (guest != MAP_FAILED && size >= (int) sizeof(*run)) {
		guest_memory(guest);
		run = mmap(NULL, (size_t) size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	}
	if (run == MAP_FAILED || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &mem) < 0 ||
	    guest_state(vcpu) < 0 || ioctl(vcpu, KVM_RUN, 0) < 0) {
		fail(ret, KVM_STEP_RUN);
		return;
	}
	ret->v |= (uint64_t) (run->exit_reason & 0xffff) << 8;
	if (run->exit_reason == KVM_EXIT_HLT) {
		ret->v |= KVM_STEP_DONE;
		return;
	}
	errno = EIO;
	fail(ret, KVM_STEP_RUN);
}
#else
static void guest_run(int kvm, int vm, int vcpu, struct seen *ret)
{
	(void) kvm, (void) vm, (void) vcpu;
	ret->v |= KVM_STEP_DONE;
}
#endif

void try_kvm(const struct look *l, const char *arg, struct seen *ret)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu, types;

	(void) l, (void) arg;
	if (kvm < 0) {
		fail(ret, KVM_STEP_OPEN);
		return;
	}
	errno = 0;
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
		fail(ret, KVM_STEP_API);
		return;
	}
	types = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);
	if (types > 0)
		ret->v |= (uint64_t) types << 32;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0) {
		fail(ret, KVM_STEP_VM);
		return;
	}
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0) {
		fail(ret, KVM_STEP_VCPU);
		return;
	}
	guest_run(kvm, vm, vcpu, ret);
}

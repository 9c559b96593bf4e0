/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM is made of, decided: from the policy (which has what the bundle asked for and what the site allows), facts
 * about this host and the guest image that is installed. Pure: no files, no processes, no clock. `kavach policy` shows it,
 * vm/qemu.c writes it as QEMU's arguments, `kavach measure` predicts its digest.
 *
 * Sizes and the kernel's command line follow measurements: docs/design.md, "The VM".
 */
#ifndef KAVACH_VM_SHAPE_H
#define KAVACH_VM_SHAPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"
#include "policy/policy.h"

#define VM_CMDLINE_MAX 2047u /* bytes without the NUL: COMMAND_LINE_SIZE of x86 is 2048 */
#define VM_MEMORY_FLOOR (128ull << 20)
#define VM_NICS_MAX 8u
#define VM_DISKS_MAX 4u

enum vm_machine { VM_MICROVM = 1, VM_Q35 };
enum vm_accel { VM_KVM = POL_ACCEL_KVM, VM_TCG = POL_ACCEL_TCG };
/* How the root gets there; the numbers are those of enum wire_root. */
enum vm_root { VM_ROOT_9P = 1, VM_ROOT_VIRTIOFS, VM_ROOT_EROFS };
enum vm_sev_kind { VM_SEV_NONE, VM_SEV, VM_SEV_ES, VM_SEV_SNP };

/* What makes a guest confidential. Encodings: AMD 56860 (SNP), 55766 (SEV, SEV-ES). */
struct vm_sev {
	enum vm_sev_kind kind;
	uint64_t policy;		/* of the guest, as the secure processor takes it */
	uint32_t cbitpos;		/* of this host: CPUID 0x8000001f EBX[5:0] */
	struct bytes host_data;		/* SNP: 32 bytes, or none */
	struct bytes id_block, id_auth; /* SNP: 96 and 4096 bytes, or none */
	bool author_key, vcek_disabled;
	/* SEV, SEV-ES: the owner's DH certificate and session, base64, as QEMU reads them from files; or none */
	const char *dh_cert, *session;
};

/* Facts about this host (vm/image.c finds them; a golden test writes them). */
struct vm_host {
	uint32_t cpus;		/* online; 0: not known */
	uint64_t memory;	/* bytes; 0: not known */
	uint32_t tsc_khz;	/* 0: not measured; needed under TCG */
	const char *virtiofsd;	/* the one that is named by the site or installed; NULL: none */
	const char *hypervisor; /* the first QEMU that is installed; NULL: none */
	uint32_t cbitpos;	/* 0: the processor shows no SEV */
	uint32_t kernel;	/* KERNEL_VERSION(major, minor, 0); 0: not known */
	uint32_t nics; /* interfaces beside lo in the container's network namespace, now; 0: not looked */
};

/* The guest image that is installed (vm/image.c), all paths absolute. */
struct vm_image {
	const char *dir;
	const char *kernel; /* uncompressed ELF, for microvm */
	const char *
		bzimage; /* the same kernel as it was packed: for firmware that boots by EFI; NULL: none */
	const char *initrd,
		*initrd_sev; /* the latter for confidential guests; NULL: the image has none */
	const char *release; /* of the kernel */
	const char *microvm_firmware; /* qboot.rom */
	const char *uefi, *uefi_sev;  /* OVMF; its AmdSev build; NULL: not installed */
	struct strs
		features; /* that its initrd has modules for or its kernel has built in: "9p", "virtiofs", "net", ... */
};

struct vm_shape {
	enum vm_machine machine;
	enum vm_accel accel;
	enum vm_root root;
	enum vm_root share; /* VM_ROOT_EROFS: how volumes come; 0: there are none */
	const char *cpu;    /* QEMU's model */
	uint32_t vcpus;
	uint64_t memory;      /* of the guest, bytes, whole MiB */
	uint64_t memory_host; /* what the VM's cgroup on the host gets: that and QEMU itself */
	const char *hypervisor, *kernel, *initrd, *firmware; /* paths on the host */
	const char *virtiofsd;	       /* VM_ROOT_VIRTIOFS: the program that serves the root */
	const char *cmdline;	       /* at most VM_CMDLINE_MAX bytes */
	struct strs hypervisor_params; /* words that the site allows, after all of ours */
	uint32_t nics, disks;
	bool pci; /* virtio devices are on a PCI bus (q35), else on virtio-mmio (microvm) */
	bool balloon, rng, acpi;
	struct vm_sev sev;
	const char *modules;	/* features whose modules the agent loads (wire_prepare.modules) */
	const char *warning;	/* for the log at the start; NULL: none */
	uint32_t hello_seconds; /* the longest that a boot may take */
};

/* vm_shape_decide: the shape of this policy on this host with this image; refuses (ERR_CONFIG, with the place in
 * config.json or in the rules) what cannot be: too little memory, a command line that is too long, no kernel, no QEMU.
 * A confidential policy gets a confidential shape or an error, never another. Strings are the inputs' or in the arena. */
int vm_shape_decide(const struct policy *p, const struct vm_host *h, const struct vm_image *im,
		    struct arena *a, struct vm_shape *ret, struct err *e);

/* vm_shape_bind: binds a confidential guest to its sealed policy, by the SHA-256 of it: SNP as host data, which every report of
 * the guest has; SEV and SEV-ES on the measured command line ("kavach.policy=sha256:..."). Nothing for others. -EINVAL when
 * that gets too long. */
int vm_shape_bind(struct vm_shape *s, const uint8_t digest[32], struct arena *a, struct err *e);

/* vm_nic_mac: the address of the i-th virtio network device, by which the agent finds it: "52:54:00:6b:76:00". */
#define VM_MAC_LEN 18
void vm_nic_mac(uint32_t i, char ret[VM_MAC_LEN]);

/* Names for people and JSON: "microvm", "kvm", "9p", "sev-snp". */
const char *vm_machine_name(enum vm_machine m);
const char *vm_accel_name(enum vm_accel a);
const char *vm_root_name(enum vm_root r);
const char *vm_sev_name(enum vm_sev_kind k);

/* vm_shape_explain: the section of `kavach policy`. vm_shape_json: the same as one object. */
struct page;
struct jsonw;
void vm_shape_explain(struct page *pg, const struct vm_shape *s);
void vm_shape_json(struct jsonw *w, const struct vm_shape *s);

#endif

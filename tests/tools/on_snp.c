/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine with encrypted guests, for those who have none: kavach-on-snp is kavach with this object where hardware.o has its
 * place (runtime/host/hardware.h), and nothing else in it differs. It is never installed. The folder KAVACH_HARDWARE is the
 * machine; what is not in it, the machine does not have:
 *
 *	cpuid			EAX, EBX and ECX of leaf 0x8000001f, in hexadecimal
 *	kvm			kinds of VM that KVM makes (KVM_CAP_VM_TYPES), in hexadecimal
 *	dev/kvm, dev/sev	nodes of devices
 *	memlock			bytes that may be pinned, in hexadecimal; without it: as many as one likes
 *	proc/cpuinfo, sys/module/kvm_amd/parameters/...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/hardware.h"
#include "host/try.h"

const char *hw_root(void)
{
	const char *dir = getenv("KAVACH_HARDWARE");

	return dir && *dir ? dir : "/nonexistent";
}

static int numbers(const char *name, unsigned v[3])
{
	char path[4096];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "%s/%s", hw_root(), name);
	f = fopen(path, "re");
	if (!f)
		return -ENOENT;
	n = fscanf(f, "%x %x %x", &v[0], &v[1], &v[2]);
	fclose(f);
	return n;
}

uint32_t hw_cbitpos(void)
{
	unsigned v[3];

	return numbers("cpuid", v) == 3 && v[0] >> 1 & 1 ? v[1] & 0x3f : 0;
}

uint64_t hw_memlock(void)
{
	unsigned v[3];

	return numbers("memlock", v) >= 1 ? v[0] : UINT64_MAX;
}

void try_cpuid(const struct look *l, const char *arg, struct seen *ret)
{
	unsigned v[3];

	(void) l, (void) arg;
	snprintf(ret->text, sizeof(ret->text), "AuthenticAMD");
	if (numbers("cpuid", v) == 3)
		ret->v = v[0] | (uint64_t) v[2] << 32;
	else
		ret->r = -ENOENT;
}

void try_kvm(const struct look *l, const char *arg, struct seen *ret)
{
	unsigned v[3];

	(void) l, (void) arg;
	if (numbers("kvm", v) < 1) {
		ret->r = -ENOENT;
		ret->v = KVM_STEP_OPEN;
		return;
	}
	ret->v = KVM_STEP_DONE | (uint64_t) v[0] << 32;
}

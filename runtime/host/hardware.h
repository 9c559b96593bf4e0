/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only hardware, the kernel's drivers for it and an administrator's limits can say of VMs. All of it is asked in hardware.c, and nowhere else: so a
 * program of the tests may have another object in its place, and with it a machine that is not at hand. Beside these, that
 * object has try_cpuid() and try_kvm() (host/try.h).
 */
#ifndef KAVACH_HOST_HARDWARE_H
#define KAVACH_HOST_HARDWARE_H

#include <stdint.h>

/* hw_root: what goes in front of the paths of its files: /dev/kvm, /dev/sev, /proc/cpuinfo, /sys/module/kvm_amd. "". */
const char *hw_root(void);

/* hw_cbitpos: the bit of an address that says "encrypted" (CPUID 0x8000001f EBX[5:0]); 0: the processor shows no SEV. */
uint32_t hw_cbitpos(void);

/* hw_memlock: bytes of memory that a program which we start may pin: the hard limit, or all with CAP_SYS_RESOURCE. */
uint64_t hw_memlock(void);

#endif

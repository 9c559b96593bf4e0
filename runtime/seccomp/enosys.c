/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ENOSYS answer: calls newer than the profile.
 *
 * Theory of operation: a profile that denies by default also denies calls that did not exist when
 * it was written. A libc that probes for such a call must see ENOSYS, then it falls back to an
 * older one; EPERM or a signal breaks the program. Nobody tells us how old a profile is, but
 * whoever wrote it named the calls of the time, and since Linux 5.1 all architectures number new
 * calls upwards. So for each ABI of the filter, numbers above the largest one that the profile
 * names for it get ENOSYS; a profile can never have meant anything about them. No rule is changed.
 *
 * Where numbers are not one ascending list:
 * - x86_64: 0x40000000 and up belong to x32 (or are refused).
 * - x32 has a second list, 512 to 547, for calls whose data differ from x86_64's.
 * - arm: 0xf0000 and up are private calls (cacheflush, set_tls), which profiles name; they would
 *   hide every new call below.
 * - x86, s390, ppc and others: libseccomp has no number for calls behind socketcall(2) and ipc(2),
 *   though they have numbers of their own too, up to 402. Whoever names one has named those.
 * - s390, s390x: 0 is what remains in the number when a call beyond svc's 8 bits is unknown to the
 *   kernel. The setup(2) that it once was is gone.
 */
#include "seccomp/filter.h"

#include <errno.h>
#include <string.h>

#define X32_HIGH 512
#define X32_HIGH_LAST 547 /* never grows: new calls get one number for both ABIs */
#define ARM_PRIVATE 0xf0000
#define MUX_FIRST (-101) /* libseccomp's pseudo numbers: socket to shmctl */
#define MUX_LAST (-224)
#define MUX_DIRECT 402 /* msgctl, the last of them to get its own, in 5.1 */

static bool has_muxes(uint32_t token)
{
	switch (token) {
	case AUDIT_ARCH_I386:
	case AUDIT_ARCH_S390:
	case AUDIT_ARCH_S390X:
	case AUDIT_ARCH_PPC:
	case AUDIT_ARCH_PPC64:
	case AUDIT_ARCH_PPC64LE:
	case AUDIT_ARCH_M68K:
	case AUDIT_ARCH_SH:
	case AUDIT_ARCH_SHEL: return true;
	default: return false;
	}
}

void enosys_note(struct filter_abi *abi, int nr)
{
	int64_t n = nr;

	if (nr <= MUX_FIRST && nr >= MUX_LAST && has_muxes(abi->token))
		n = MUX_DIRECT;
	if (n < 0)
		return;
	if (abi->token == AUDIT_ARCH_ARM && n >= ARM_PRIVATE)
		return;
	if (abi->token == FILTER_TOKEN_X32) {
		n &= ~(int64_t) FILTER_X32_BIT;
		if (n >= X32_HIGH) {
			if (n > abi->last_high)
				abi->last_high = n;
			return;
		}
	}
	if (n > abi->last)
		abi->last = n;
}

bool enosys_wanted(uint32_t default_ret)
{
	if (default_ret == (SECCOMP_RET_ERRNO | ENOSYS))
		return false;
	switch (default_ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO: return true;
	default: return false; /* allowed, or somebody looks at it who can answer for new calls */
	}
}

size_t enosys_ranges(const struct filter_abi *abi, struct nr_range ret[ENOSYS_RANGES])
{
	uint32_t above = (uint32_t) (abi->last + 1);
	int64_t high = abi->last_high > X32_HIGH_LAST ? abi->last_high : X32_HIGH_LAST;

	if (abi->last < 0) /* the profile says nothing about this ABI: nothing to go by */
		return 0;
	switch (abi->token) {
	case AUDIT_ARCH_X86_64: ret[0] = (struct nr_range){above, FILTER_X32_BIT - 1}; return 1;
	case FILTER_TOKEN_X32:
		ret[0] = (struct nr_range){FILTER_X32_BIT + above, FILTER_X32_BIT + X32_HIGH - 1};
		ret[1] = (struct nr_range){FILTER_X32_BIT + (uint32_t) high + 1,
					   2 * FILTER_X32_BIT - 1};
		if (above < X32_HIGH)
			return 2;
		ret[0] = ret[1];
		return 1;
	case AUDIT_ARCH_ARM: ret[0] = (struct nr_range){above, ARM_PRIVATE - 1}; return 1;
	case AUDIT_ARCH_S390:
	case AUDIT_ARCH_S390X:
		ret[0] = (struct nr_range){0, 0};
		ret[1] = (struct nr_range){above, UINT32_MAX};
		return 2;
	default: ret[0] = (struct nr_range){above, UINT32_MAX}; return 1;
	}
}

/* at most, for each ABI: test of arch, load of nr, 3 instructions for each range, jump to the end */
#define PROLOGUE_MAX (1 + FILTER_ABI_MAX * (3 + 3 * ENOSYS_RANGES))

static size_t put_ranges(const struct filter_abi *abi, struct sock_filter *p)
{
	struct nr_range r[ENOSYS_RANGES];
	size_t n = enosys_ranges(abi, r), len = 0;

	for (size_t i = 0; i < n; i++) {
		bool open = r[i].hi == UINT32_MAX;

		p[len++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, r[i].lo, 0,
							 open ? 1 : 2);
		if (!open)
			p[len++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, r[i].hi,
								 1, 0);
		p[len++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K,
							 SECCOMP_RET_ERRNO | ENOSYS);
	}
	return len;
}

/* The tests for all ABIs that share one AUDIT_ARCH_*; nothing when there are no ranges. Ends by
 * jumping to `end` instructions after itself, whose number the caller fills in: the last
 * instruction is the jump. */
static size_t put_section(const struct filter *f, uint32_t audit, struct sock_filter *p)
{
	size_t len = 2;

	for (size_t i = 0; i < f->n_abis; i++)
		if (f->abi[i].audit == audit)
			len += put_ranges(&f->abi[i], p + len);
	if (len == 2)
		return 0;
	p[0] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit, 0, (uint8_t) len);
	p[1] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, nr));
	p[len] = (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA, 0);
	return len + 1;
}

static bool audit_seen(const struct filter *f, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (f->abi[k].audit == f->abi[i].audit)
			return true;
	return false;
}

int enosys_prepend(const struct filter *f, struct arena *a, struct bytes *bpf, struct err *e)
{
	struct sock_filter p[PROLOGUE_MAX];
	size_t end[FILTER_ABI_MAX], n_end = 0, len = 1, n = bpf->n / sizeof(p[0]);
	struct bytes all;

	p[0] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < f->n_abis; i++) {
		size_t section = audit_seen(f, i) ? 0 : put_section(f, f->abi[i].audit, p + len);

		len += section;
		if (section)
			end[n_end++] = len - 1;
	}
	if (n_end == 0)
		return 0;
	for (size_t i = 0; i < n_end; i++)
		p[end[i]].k = (uint32_t) (len - end[i] - 1);
	if (len + n > BPF_MAXINSNS)
		return err_set(
			e, -E2BIG,
			"linux.seccomp: the filter needs %zu instructions, the kernel takes %d",
			len + n, BPF_MAXINSNS);
	all.n = (len + n) * sizeof(p[0]);
	all.v = arena_alloc(a, all.n);
	memcpy(all.v, p, len * sizeof(p[0]));
	memcpy(all.v + len * sizeof(p[0]), bpf->v, bpf->n);
	*bpf = all;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy's seccomp rules -> BPF. compile.c is the only user of libseccomp. The program contains the
 * ENOSYS answer: per architecture, calls newer than the newest one named in the profile return
 * ENOSYS when the default action is ERRNO, TRAP or a kill, so that a libc probing for a new call
 * falls back as on an old kernel (the fact: runc#2151, runc#2750).
 */
#ifndef KAVACH_SECCOMP_SECCOMP_H
#define KAVACH_SECCOMP_SECCOMP_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/policy.h"

/* seccomp_compile: ret gets an array of struct sock_filter as bytes (8 per instruction, at most
 * BPF_MAXINSNS). Unknown syscall names are skipped (log_debug) unless s->fail_unknown. Uncached:
 * 0.2 ms for an engine's profile on the ABIs in range.c, 20 ms on others. What a profile means:
 * compile.c. Errors name the rule: "linux.seccomp.syscalls[3]: ...". flags and listener are the
 * loader's. */
int seccomp_compile(const struct pol_seccomp *s, struct arena *a, struct bytes *ret, struct err *e);

/* seccomp_get: through the cache. cache_dir: directory for compiled filters (made 0700 if missing,
 * must be ours and not writable by others, else it is not used); NULL = no cache. The key is
 * SHA-256 over the canonical encoding of *s, the libseccomp version, our cache format version and
 * the native machine (flags, listener and source do not count). A cached file is used only if
 * regular, owned by us, 0600, and its own checksum matches. 0.05 ms for an engine's profile. */
int seccomp_get(const struct pol_seccomp *s, const char *cache_dir, struct arena *a,
		struct bytes *ret, struct err *e);

/* seccomp_unknown_names: names of syscalls in the profile that libseccomp does not know, once each.
 * For `kavach policy` and tests, not on the start path. */
struct strs seccomp_unknown_names(const struct pol_seccomp *s, struct arena *a);

/* seccomp_dangerous: which of the calls that matter (mount, bpf, kexec_load, ptrace, ...) the
 * filter denies for the native architecture, always or for some arguments, by simulation of the
 * program: rows in the arena, in the order of the table. Returns how many. The action is the
 * strictest possible one. */
struct seccomp_verdict {
	const char *name;
	uint32_t action;  /* SECCOMP_RET_* with data */
	bool conditional; /* differs with arguments */
};
size_t seccomp_dangerous(const struct bytes *bpf, struct arena *a, struct seccomp_verdict **ret);

/* seccomp_library: version of libseccomp, "2.5.4". In the arena. */
const char *seccomp_library(struct arena *a);

/* seccomp_sim: runs the program on one call; returns SECCOMP_RET_*. arch = AUDIT_ARCH_*; args NULL
 * = zeros. KILL_PROCESS for programs that the kernel would not load. */
uint32_t seccomp_sim(const struct bytes *bpf, uint32_t arch, int nr, const uint64_t args[6]);

#endif

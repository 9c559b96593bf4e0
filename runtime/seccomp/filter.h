/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share: a profile with its names resolved to numbers. compile.c
 * makes it, the only file that talks to libseccomp; the writers of programs (libseccomp's own in
 * compile.c, ours in range.c, the ENOSYS answer in enosys.c) take it from there.
 */
#ifndef KAVACH_SECCOMP_FILTER_H
#define KAVACH_SECCOMP_FILTER_H

#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "seccomp/seccomp.h"

#define FILTER_ABI_MAX 24 /* the specification has 23 names */
#define FILTER_ARGS 6
#define FILTER_X32_BIT 0x40000000U /* marks x32 calls of AUDIT_ARCH_X86_64 */
#define FILTER_TOKEN_X32 (EM_X86_64 | __AUDIT_ARCH_LE)

/* enum scmp_compare of libseccomp, which struct pol_seccomp_arg uses */
enum filter_op { OP_NE = 1, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ };

/* One calling convention. x86_64 and x32 are two that share one AUDIT_ARCH_*. */
struct filter_abi {
	const char *name; /* "SCMP_ARCH_X86" */
	uint32_t token;	  /* libseccomp's: AUDIT_ARCH_*, but x32 has a token of its own */
	uint32_t audit;	  /* what seccomp_data.arch holds */
	/* The largest number that the profile names (for any action), -1 = none: of the ordinary
	 * table, and of the second one that x32 has at 512. Without FILTER_X32_BIT. */
	int64_t last, last_high;
};

/* One name of one rule. Rules whose action is the default one are not in the list. */
struct filter_rule {
	const char *name;
	size_t config_index; /* linux.seccomp.syscalls[N] */
	uint32_t ret;	     /* SECCOMP_RET_* with data */
	uint32_t n_args;
	/* all must hold; at most one per index; sorted by index */
	const struct pol_seccomp_arg *args;
	/* by abi (0 is the native one), as libseccomp has it: negative = the ABI has no call of its
	 * own for this name; below -1 it may have it behind a multiplexer */
	const int *nr;
};

struct filter {
	uint32_t default_ret, badarch_ret;
	bool notify;			       /* some action asks a supervisor */
	struct filter_abi abi[FILTER_ABI_MAX]; /* the native one is first */
	size_t n_abis;
	struct filter_rule *rules;
	size_t n_rules;
};

/* filter_rank: actions by strictness, the strictest is the smallest: the order in which the kernel
 * chooses when several filters disagree. Data does not count. */
static inline int32_t filter_rank(uint32_t ret)
{
	return (int32_t) (ret & SECCOMP_RET_ACTION_FULL); /* KILL_PROCESS is the sign bit */
}

/* ---- enosys.c ---- */

/* Numbers lo to hi, both included. */
struct nr_range {
	uint32_t lo, hi;
};
#define ENOSYS_RANGES 2

/* enosys_note: counts nr, as libseccomp gives it for this ABI, among the numbers that the profile
 * names. */
void enosys_note(struct filter_abi *abi, int nr);
/* enosys_wanted: whether unknown calls get ENOSYS instead of this default action. */
bool enosys_wanted(uint32_t default_ret);
/* enosys_ranges: the numbers of this ABI that get ENOSYS, ascending; returns how many ranges. */
size_t enosys_ranges(const struct filter_abi *abi, struct nr_range ret[ENOSYS_RANGES]);
/* enosys_prepend: puts the answer in front of a program; -E2BIG when it becomes too long. */
int enosys_prepend(const struct filter *f, struct arena *a, struct bytes *bpf, struct err *e);

/* ---- range.c ---- */

/* range_compile: the whole program, ENOSYS answer included. Returns 1; 0 when it is left to
 * libseccomp, for an ABI without a row in range.c; or -E2BIG. */
int range_compile(const struct filter *f, struct arena *a, struct bytes *ret, struct err *e);
/* range_is_ours: whether it will not be left to libseccomp. */
bool range_is_ours(const struct filter *f);
/* filter_too_big: sets the error for a program of more than BPF_MAXINSNS instructions. */
int filter_too_big(struct err *e);

/* ---- compile.c ---- */

/* filter_resolve: *ret from the profile. */
int filter_resolve(const struct pol_seccomp *s, struct arena *a, struct filter *ret, struct err *e);
/* filter_libseccomp: the program as libseccomp writes it, without the ENOSYS answer. */
int filter_libseccomp(const struct filter *f, struct arena *a, struct bytes *ret, struct err *e);
/* filter_library: "2.5.4" as major, minor, micro: part of the cache key. */
void filter_library(uint32_t ret[3]);
/* filter_native: AUDIT_ARCH_* of this program. */
uint32_t filter_native(void);

/* ---- calls.c ---- */

/* filter_call_nr: negative = the ABI has none. */
int filter_call_nr(uint32_t token, const char *name);
/* filter_late_call: the number, on every machine, of a call that is younger than some libseccomp, or -1. */
int filter_late_call(const char *name);

/* ---- sim.c ---- */

/* What is known of one call: word i is bytes 4i to 4i+3 of struct seccomp_data. */
struct sim_call {
	uint32_t word[sizeof(struct seccomp_data) / 4];
	uint32_t unknown; /* bit i: word i may be anything */
};

/* sim_call: a call with this number and these arguments; args NULL: unknown ones. */
void sim_call(struct sim_call *c, uint32_t arch, int nr, const uint64_t *args);
/* sim_outcomes: which actions the program can end with; at most max different ones in ret, returns
 * how many there are (more than max: max + 1). Things that the kernel would not load, and searches
 * that do not end soon, count as SECCOMP_RET_KILL_PROCESS. */
size_t sim_outcomes(const struct bytes *bpf, const struct sim_call *c, uint32_t *ret, size_t max);

#endif

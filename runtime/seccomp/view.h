/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter looked at from outside: what it does with each call of each calling convention that the kernel of a
 * machine offers, and what its author should know about it. For `kavach seccomp`, not on the start path.
 *
 * What is said about calls comes from simulating the compiled program (sim.c). The rules are read only to say which
 * arguments are worth a try and which rule a remark is about.
 */
#ifndef KAVACH_SECCOMP_VIEW_H
#define KAVACH_SECCOMP_VIEW_H

#include "base/buf.h"
#include "seccomp/filter.h"

#define VIEW_OUTCOMES 8
#define VIEW_ABIS 3

enum view_verdict {
	VIEW_ALLOWED,	  /* whatever the arguments are; LOG counts */
	VIEW_CONDITIONAL, /* depends on them */
	VIEW_ASKED,	  /* a tracer or an agent decides */
	VIEW_DENIED,
	VIEW_VERDICTS
};

struct view_call {
	const char *name;
	int nr; /* with FILTER_X32_BIT for x32 */
	enum view_verdict verdict;
	uint32_t out[VIEW_OUTCOMES]; /* SECCOMP_RET_* with data, the strictest first */
	size_t n_out;
};

/* One calling convention of the machine. */
struct view_abi {
	const char *name; /* "x86_64" */
	uint32_t token, audit;
	bool covered;		/* the profile lists it */
	struct view_call *call; /* all that libseccomp knows, by number */
	size_t n_calls, count[VIEW_VERDICTS];
	bool uniform;	    /* all calls end in the same way: call[0].out[0] */
	int64_t newer_from; /* from this number on ENOSYS, -1 = no such rule */
};

enum view_kind {
	VIEW_HOLE,	/* what is denied can be had in another way */
	VIEW_BYPASS,	/* the kernel looks at 32 bits of an argument, the filter at 64 */
	VIEW_POINTER,	/* a condition on an address */
	VIEW_TRUNCATED, /* a value that a 32-bit ABI does not compare in full */
	VIEW_USELESS,	/* a rule that decides nothing */
	VIEW_FALLBACK,	/* an errno that C libraries do not take as "not there" */
	VIEW_UNKNOWN,	/* a name that libseccomp does not know */
	VIEW_KINDS
};

struct view_note {
	enum view_kind kind;
	const char *abi;  /* NULL = not of one */
	const char *call; /* NULL = of the whole filter */
	const char *text;
	struct view_note *next;
};

struct view {
	const char *title;   /* "profile strict", "seccomp.json" */
	const char *machine; /* "x86_64" */
	struct filter f;
	struct bytes bpf;
	struct view_abi abi[VIEW_ABIS]; /* the machine's own first */
	size_t n_abis;
	struct view_note *notes; /* by kind */
	size_t n_notes[VIEW_KINDS];
	struct arena *a;
};

/* view_at: compiles the profile and looks at it as the kernel of `machine` (uname -m) would run it. -EINVAL for a machine
 * that is not known, and errors of seccomp_compile(). */
int view_at(const struct pol_seccomp *s, const char *title, const char *machine, struct arena *a,
	    struct view *ret, struct err *e);
/* view_rules: the remarks (view_rules.c); view_at() has called it. */
void view_rules(struct view *l, const struct pol_seccomp *s);
/* view_note: adds one. */
void view_note(struct view *l, enum view_kind kind, const char *abi, const char *call,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* view_find: a call by name, or NULL when the ABI has none. */
const struct view_call *view_find(const struct view_abi *abi, const char *name);
/* view_abi_index: which one of f.abi it is, or -1. */
int view_abi_index(const struct filter *f, uint32_t token);
/* view_arch_word: "SCMP_ARCH_X86" of a token, or of one that has no row in view.c "SCMP_ARCH_?". In the arena. */
const char *view_arch_word(uint32_t token, struct arena *a);
/* view_verdict: what a set of actions comes to. */
enum view_verdict view_verdict(const uint32_t *out, size_t n);

/* view_corners: values of one argument at which a rule of the filter can change its mind about the call, and such that
 * differ from these in the upper half only; at most max, returns how many. abi: index in f->abi. */
size_t view_corners(const struct filter *f, size_t abi, int nr, uint32_t index, uint64_t *ret,
		    size_t max);

/* ---- in words (view_text.c) ---- */
/* view_action: "ALLOW", "EPERM", "KILL_PROCESS", "errno 4000". In the arena. */
const char *view_action(struct arena *a, uint32_t ret);
/* view_conditions: "arg 0 & 0x7e020000 == 0 and arg 1 == 0x5". In the arena. */
const char *view_conditions(struct arena *a, const struct filter_rule *r);
/* view_explain: the page of `kavach seccomp explain`; calls: with every call of every ABI. engine: what was left to a
 * container engine, NULL = nothing. view_json: the same as JSON, always with the calls. */
void view_explain(struct buf *b, const struct view *l, bool calls, const char *engine);
void view_json(struct buf *b, const struct view *l, const char *engine);

/* ---- two of them (view_diff.c) ---- */
/* view_diff: what two filters of the same machine do differently, as a page or as JSON. Returns how many differences. */
size_t view_diff(struct buf *b, const struct view *x, const struct view *y, bool json);

/* view_abi_name: "x86_64", "x86", "x32"; NULL = not known. */
const char *view_abi_name(uint32_t token);

/* ---- calls.c ---- */
/* filter_call_name: in the arena, NULL = libseccomp knows no such call. */
const char *filter_call_name(uint32_t token, int nr, struct arena *a);
/* dangerous.c: the names of its table one by one, NULL at the end. */
const char *seccomp_dangerous_name(size_t i);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy base */
/* timeout: 600 */
/*
 * The proof for runtime/seccomp/range.c: its program and libseccomp's, with the ENOSYS answer in
 * front, do the same on every number, ABI and corner of the arguments, for profiles of the shapes
 * that engines use and for random ones.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <time.h>

#include "seccomp_profile.h"
#include "seccomp/filter.h"
#include "tap.h"

#define VALUES_MAX 40
#define NUMBERS 620 /* from each base */
#define NAMES_AT_ONCE 20
#define RANDOM_PROFILES 500 /* more: KAVACH_TEST_PROFILES=N */

static struct err err;

static const char *const arch_sets[] = {
	"",
	"SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32",
	"SCMP_ARCH_X86_64 SCMP_ARCH_X86",
	"SCMP_ARCH_X86_64 SCMP_ARCH_X32",
	"SCMP_ARCH_AARCH64 SCMP_ARCH_ARM",
	"SCMP_ARCH_RISCV64 SCMP_ARCH_X86",
};

/* xorshift64: the same profiles in every run */
static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* ---- comparing ---- */

struct values {
	uint64_t v[VALUES_MAX];
	size_t n;
};

struct compare {
	struct filter f;
	struct bytes ours, theirs;
	unsigned long cases, bad; /* bad: ours is not what the rules say */
	unsigned long theirs_bad; /* libseccomp's is not ours */
};

static void add_value(struct values *vs, uint64_t v)
{
	for (size_t i = 0; i < vs->n; i++)
		if (vs->v[i] == v)
			return;
	if (vs->n < VALUES_MAX)
		vs->v[vs->n++] = v;
}

static void add_corners(struct values *vs, const struct pol_seccomp_arg *arg)
{
	uint64_t v = arg->op == SCMP_CMP_MASKED_EQ ? arg->value2 : arg->value;

	add_value(vs, v);
	add_value(vs, v + 1);
	add_value(vs, v - 1);
	add_value(vs, v ^ 1ULL << 32);
	add_value(vs, v ^ 1ULL << 63);
	add_value(vs, v ^ 0xffffffff);
	add_value(vs, v + (1ULL << 32));
	add_value(vs, v - (1ULL << 32));
	if (arg->op == SCMP_CMP_MASKED_EQ) {
		add_value(vs, v ^ ~arg->value);
		add_value(vs, v ^ (arg->value & -arg->value));
		add_value(vs, arg->value);
	}
}

/* ---- what the rules say ---- */

static bool cond_holds(const struct pol_seccomp_arg *arg, uint64_t v, bool wide)
{
	uint64_t all = wide ? ~0ULL : 0xffffffff, want = arg->value & all;

	v &= all;
	switch (arg->op) {
	case SCMP_CMP_NE: return v != want;
	case SCMP_CMP_LT: return v < want;
	case SCMP_CMP_LE: return v <= want;
	case SCMP_CMP_EQ: return v == want;
	case SCMP_CMP_GE: return v >= want;
	case SCMP_CMP_GT: return v > want;
	default: return (v & want) == (arg->value2 & want);
	}
}

static bool is_vacuous(const struct pol_seccomp_arg *arg, bool wide)
{
	return arg->op == SCMP_CMP_MASKED_EQ && !(wide ? arg->value : (uint32_t) arg->value);
}

/* x86's own numbers of calls behind socketcall and ipc, by libseccomp's pseudo number */
static uint32_t x86_direct(int pseudo)
{
	static const uint16_t sockets[] = {0,	359, 361, 362, 363, 0,	 367, 368, 360, 0,  0,
					   369, 371, 373, 366, 365, 370, 372, 364, 337, 345};
	static const uint16_t ipcs[] = {0,   0,	  393, 394, 0, 0, 0, 0, 0,   0,	  0,   400, 401,
					399, 402, 0,   0,   0, 0, 0, 0, 397, 398, 395, 396};

	return pseudo > -200 ? sockets[-pseudo - 100] : ipcs[-pseudo - 200];
}

/* Whether a rule is about this call; *ret_mux if because of the multiplexer's first argument. */
static bool rule_is_for(const struct filter_rule *r, size_t abi, bool x86, uint32_t nr,
			const uint64_t args[6], bool *ret_mux)
{
	int n = r->nr[abi];
	bool is_socket = n <= -101 && n >= -120, is_ipc = n <= -201 && n >= -224;

	*ret_mux = false;
	if (!x86 || (!is_socket && !is_ipc))
		return n >= 0 && (uint32_t) n == nr;
	if (nr > 0 && x86_direct(n) == nr)
		return true;
	*ret_mux = nr == (is_socket ? 102 : 117) && (uint32_t) args[0] == (uint32_t) -n % 100;
	return *ret_mux;
}

static uint32_t by_rules(const struct filter *f, size_t abi, uint32_t nr, const uint64_t args[6])
{
	uint32_t token = f->abi[abi].token, ret = f->default_ret;
	bool wide = token & __AUDIT_ARCH_64BIT, matched = false;

	for (size_t i = 0; i < f->n_rules; i++) {
		const struct filter_rule *r = &f->rules[i];
		bool mux, holds, always;

		if (!rule_is_for(r, abi, token == AUDIT_ARCH_I386, nr, args, &mux))
			continue;
		holds = true;
		always = !mux;
		for (uint32_t k = 0; k < r->n_args; k++) {
			if (mux && r->args[k].index == 0)
				continue;
			holds &= cond_holds(&r->args[k], args[r->args[k].index], wide);
			always &= is_vacuous(&r->args[k], wide);
		}
		if (always)
			return r->ret; /* decides alone */
		if (holds && (!matched || filter_rank(r->ret) < filter_rank(ret)))
			ret = r->ret;
		matched |= holds;
	}
	return ret;
}

static uint32_t expected(const struct filter *f, uint32_t audit, uint32_t nr,
			 const uint64_t args[6])
{
	struct nr_range no[ENOSYS_RANGES];
	size_t abi = 0, n;
	uint32_t token = audit;

	if (audit == AUDIT_ARCH_X86_64 && nr >= FILTER_X32_BIT)
		token = FILTER_TOKEN_X32;
	while (abi < f->n_abis && f->abi[abi].token != token)
		abi++;
	if (abi == f->n_abis)
		return token == FILTER_TOKEN_X32 && nr == UINT32_MAX ? f->default_ret
								     : f->badarch_ret;
	n = enosys_wanted(f->default_ret) ? enosys_ranges(&f->abi[abi], no) : 0;
	for (size_t i = 0; i < n; i++)
		if (nr >= no[i].lo && nr <= no[i].hi)
			return SECCOMP_RET_ERRNO | ENOSYS;
	return by_rules(f, abi, nr, args);
}

static void one(struct compare *c, uint32_t audit, uint32_t nr, const uint64_t args[6])
{
	uint32_t want = expected(&c->f, audit, nr, args);
	uint32_t a = seccomp_sim(&c->ours, audit, (int) nr, args);
	uint32_t b = seccomp_sim(&c->theirs, audit, (int) nr, args);

	c->cases++;
	if (a != want && c->bad++ < 5)
		printf("# arch %x call %u args %#jx %#jx %#jx %#jx %#jx %#jx: %x instead of %x\n",
		       audit, nr, (uintmax_t) args[0], (uintmax_t) args[1], (uintmax_t) args[2],
		       (uintmax_t) args[3], (uintmax_t) args[4], (uintmax_t) args[5], a, want);
	if (a != b && c->theirs.n > 0)
		c->theirs_bad++;
}

/* All combinations of the values of the arguments that rules for this number look at. */
static void combine(struct compare *c, uint32_t audit, uint32_t nr, struct values vs[6],
		    uint32_t arg, uint64_t args[6])
{
	if (arg == 6) {
		one(c, audit, nr, args);
		return;
	}
	for (size_t i = 0; i < (vs[arg].n ? vs[arg].n : 1); i++) {
		args[arg] = vs[arg].n ? vs[arg].v[i] : rnd(UINT64_MAX);
		combine(c, audit, nr, vs, arg + 1, args);
	}
}

/* Conditions on more than two arguments would be too many combinations: thin the values out. */
static void thin(struct values vs[6])
{
	size_t all = 1;

	for (size_t i = 0; i < 6; i++)
		all *= vs[i].n ? vs[i].n : 1;
	for (size_t i = 0; all > 20000; i = (i + 1) % 6)
		if (vs[i].n > 4) {
			all = all / vs[i].n * (vs[i].n - 1);
			vs[i].v[rnd(vs[i].n)] = vs[i].v[vs[i].n - 1];
			vs[i].n--;
		}
}

static void compare_conditional(struct compare *c, size_t abi, uint32_t nr)
{
	bool mux = c->f.abi[abi].token == AUDIT_ARCH_I386 && (nr == 102 || nr == 117);
	struct values vs[6] = {0};
	uint64_t args[6];
	bool any = mux;

	for (uint64_t i = 0; mux && i < 26; i++)
		add_value(&vs[0], i);
	for (size_t i = 0; i < c->f.n_rules; i++) {
		const struct filter_rule *r = &c->f.rules[i];

		if (!mux && r->nr[abi] != (int) nr)
			continue;
		if (mux && !strstr("socket semop shmat msgget", r->name) && r->nr[abi] != (int) nr)
			continue;
		for (uint32_t k = 0; k < r->n_args; k++) {
			any = true;
			add_corners(&vs[r->args[k].index], &r->args[k]);
		}
	}
	if (!any)
		return;
	thin(vs);
	combine(c, c->f.abi[abi].audit, nr, vs, 0, args);
}

static void compare_numbers(struct compare *c, size_t abi, uint32_t base, uint32_t n)
{
	static const uint64_t some[3][6] = {
		{0}, {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}, {1, 2, 3, 4, 5, 6}};

	for (uint32_t i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(some); k++)
			one(c, c->f.abi[abi].audit, base + i, some[k]);
		compare_conditional(c, abi, base + i);
	}
}

static bool compare_profile(const struct pol_seccomp *s, struct compare *c, bool *ret_ours)
{
	static const uint32_t bases[] = {0x10000,    0xeffff - 8, 0x3ffffffc, 0x40000000 + NUMBERS,
					 0x7ffffffc, 0x80000000,  0xbffffffc, 0xfffffffa};
	struct arena a = {0};
	uint64_t zeros[6] = {0};
	bool good = false;

	*ret_ours = false;
	if (filter_resolve(s, &a, &c->f, &err) < 0)
		goto out;
	*ret_ours = range_compile(&c->f, &a, &c->ours, &err) == 1;
	if (!*ret_ours)
		goto out;
	if (filter_libseccomp(&c->f, &a, &c->theirs, &err) <
	    0) { /* it cannot: nothing to compare */
		good = err.code == -EEXIST;
		err_clear(&err);
		goto out;
	}
	if (enosys_wanted(c->f.default_ret) && enosys_prepend(&c->f, &a, &c->theirs, &err) < 0)
		goto out;
	for (size_t i = 0; i < c->f.n_abis; i++) {
		compare_numbers(c, i, 0, NUMBERS);
		compare_numbers(c, i, FILTER_X32_BIT, NUMBERS);
		for (size_t k = 0; k < ARRAY_LEN(bases); k++)
			compare_numbers(c, i, bases[k], k + 1 < ARRAY_LEN(bases) ? 20 : 6);
	}
	one(c, AUDIT_ARCH_ALPHA, 0, zeros);
	one(c, 0, 0, zeros);
	one(c, ~0U, 0, zeros);
	good = c->bad == 0 && c->theirs_bad == 0;
out:
	if (err.code < 0)
		printf("# %s\n", err.msg);
	err_clear(&err);
	arena_free(&a);
	return good;
}

/* ---- profiles ---- */

static void test_engine(void)
{
	struct arena a = {0};

	for (size_t i = 0; i < ARRAY_LEN(arch_sets); i++) {
		static const uint32_t defaults[] = {EPERM, ENOSYS};

		for (size_t k = 0; k < ARRAY_LEN(defaults); k++) {
			struct pol_seccomp *s = profile_engine(&a, defaults[k], arch_sets[i]);
			struct compare c = {0};
			bool ours, good = compare_profile(s, &c, &ours);

			ok(ours, "an engine's profile is ours, default errno %u, \"%s\"",
			   defaults[k], arch_sets[i]);
			ok(good, "and does what libseccomp's does (%lu cases)", c.cases);
		}
	}
	arena_free(&a);
}

static const uint32_t all_actions[] = {POL_ACT_KILL_THREAD, POL_ACT_KILL_PROCESS, POL_ACT_TRAP,
				       POL_ACT_ERRNO,	    POL_ACT_TRACE,	  POL_ACT_ALLOW,
				       POL_ACT_LOG,	    POL_ACT_NOTIFY};

static void test_defaults(void)
{
	struct arena a = {0};

	for (size_t i = 0; i < ARRAY_LEN(all_actions); i++) {
		struct pol_seccomp *s = profile_new(&a, all_actions[i], 3, arch_sets[1]);
		struct compare c = {0};
		bool ours, good;

		for (size_t k = 0; k < ARRAY_LEN(all_actions); k++)
			profile_rule(s, &a, all_actions[k], (uint32_t) k + 5, profile_denied[k]);
		profile_rule(s, &a, POL_ACT_ALLOW, 0, "rt_sigaction set_tls openat2 setup");
		good = compare_profile(s, &c, &ours);
		ok(good && ours, "all actions with default action number %u (%lu cases)",
		   all_actions[i], c.cases);
	}
	arena_free(&a);
}

/* Every name that libseccomp has for any of these ABIs, alone and with a condition: numbers,
 * multiplexers. */
static void test_every_name(void)
{
	static const uint32_t abis[] = {SCMP_ARCH_X86_64,  SCMP_ARCH_X86, SCMP_ARCH_X32,
					SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, SCMP_ARCH_RISCV64};
	struct arena a = {0};
	struct strs names = {arena_array(&a, 4096, sizeof(char *)), 0, true};
	unsigned long cases = 0, bad = 0, foreign = 0;

	for (size_t i = 0; i < ARRAY_LEN(abis); i++)
		for (int nr = 0; nr < NUMBERS; nr++) {
			int bit = abis[i] == SCMP_ARCH_X32 ? (int) FILTER_X32_BIT : 0;
			char *name = seccomp_syscall_resolve_num_arch(abis[i], nr | bit);

			if (name && !strs_has(&names, name))
				names.v[names.n++] = arena_strdup(&a, name);
			free(name);
		}
	for (int conditional = 0; conditional < 2; conditional++)
		for (size_t i = 0; i < names.n; i += NAMES_AT_ONCE)
			for (size_t k = 0; k < ARRAY_LEN(arch_sets); k++) {
				struct pol_seccomp *s = profile_new(&a, POL_ACT_ERRNO, EPERM,
								    arch_sets[k]);
				struct pol_seccomp_rule *r = profile_rule(s, &a, POL_ACT_ALLOW, 0,
									  "");
				struct compare c = {0};
				bool ours;

				r->names.v = names.v + i;
				r->names.n = names.n - i < NAMES_AT_ONCE ? names.n - i
									 : NAMES_AT_ONCE;
				if (conditional)
					profile_arg(r, (uint32_t) (i / NAMES_AT_ONCE) % 3,
						    SCMP_CMP_NE, 5, 0);
				compare_profile(s, &c, &ours);
				cases += c.cases;
				bad += c.bad + c.theirs_bad;
				foreign += !ours;
			}
	ok(names.n > 400 && bad == 0, "each of %zu names by itself (%lu cases)", names.n, cases);
	is_int(foreign, 0, "none is left to libseccomp");
	arena_free(&a);
}

/* Profiles with one name, many of which most ABIs lack, through libseccomp as we use it. */
static void test_libseccomp_alone(void)
{
	static const char *const names[] = {"recv",    "semop",	  "ipc",  "socketcall",
					    "chown32", "bdflush", "mount"};
	struct arena a = {0};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t k = 0; k < ARRAY_LEN(arch_sets); k++) {
			struct pol_seccomp *s = profile_new(&a, POL_ACT_ALLOW, 0, arch_sets[k]);
			struct compare c = {0};
			bool ours, good;

			profile_rule(s, &a, POL_ACT_ERRNO, EPERM, names[i]);
			good = compare_profile(s, &c, &ours);
			ok(good && ours, "%s alone, \"%s\"", names[i], arch_sets[k]);
			profile_arg(profile_rule(s, &a, POL_ACT_ERRNO, EPERM, "ioctl"), 1,
				    SCMP_CMP_EQ, 5, 0);
			c = (struct compare){0};
			good = compare_profile(s, &c, &ours);
			ok(good && ours, "a list that begins with %s, \"%s\"", names[i],
			   arch_sets[k]);
		}
	arena_free(&a);
}

static const char *const random_names[] = {
	"ioctl", "socket", "personality", "clone",   "socketcall",   "accept",	"shmat",
	"ipc",	 "read",   "fcntl",	  "prctl",   "rt_sigaction", "openat2", "futex_waitv",
	"semop", "msgget", "bind",	  "accept4", "sendmsg",
};

/* Small values, powers of two and both halves set: where comparisons go wrong. */
static uint64_t random_value(void)
{
	switch (rnd(6)) {
	case 0: return rnd(4);
	case 1: return 1ULL << rnd(64);
	case 2: return (1ULL << rnd(64)) - 1;
	case 3: return rnd(3) << 32 | rnd(3);
	case 4: return ~0ULL - rnd(3);
	default: return rnd(UINT64_MAX);
	}
}

static void random_rule(struct pol_seccomp *s, struct arena *a, const char *name, size_t actions)
{
	size_t args = rnd(2) ? rnd(4) : rnd(2);
	uint32_t first = (uint32_t) rnd(6);
	struct pol_seccomp_rule *r;

	r = profile_rule(s, a, all_actions[(3 + rnd(actions)) % ARRAY_LEN(all_actions)],
			 (uint32_t) rnd(3) + 1, name);
	for (size_t k = 0; k < args; k++)
		profile_arg(r, (first + (uint32_t) k) % 6, 1 + (uint32_t) rnd(7), random_value(),
			    random_value());
}

static bool is_one_of(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], name))
			return true;
	return false;
}

static struct pol_seccomp *random_profile(struct arena *a, bool once)
{
	static const char *const shared[] = {"ipc", "socketcall", "semop"};
	struct pol_seccomp *s = profile_new(a, all_actions[rnd(ARRAY_LEN(all_actions))], EPERM,
					    arch_sets[rnd(ARRAY_LEN(arch_sets))]);
	size_t rules = 1 + rnd(rnd(4) ? 12 : 60), actions = 1 + rnd(3), n = ARRAY_LEN(random_names);

	if (once) {
		/* not the multiplexers, which on x86 many names share: libseccomp goes wrong there,
		 * and so it does when rules for semop stand beside those for another call behind
		 * ipc */
		for (size_t i = 0; i < n; i++)
			if (rnd(2) && !is_one_of(shared, ARRAY_LEN(shared), random_names[i]))
				random_rule(s, a, random_names[i], actions);
	} else {
		for (size_t i = 0; i < rules; i++)
			random_rule(s, a, random_names[rnd(n)], actions);
	}
	return s;
}

static void print_profile(const struct pol_seccomp *s)
{
	printf("# default action %u\n", s->default_action);
	for (size_t k = 0; k < s->rules.n; k++) {
		const struct pol_seccomp_rule *r = &s->rules.v[k];

		printf("#   %s action %u errno %u", r->names.v[0], r->action, r->errno_ret);
		for (size_t n = 0; n < r->args.n; n++)
			printf(" arg%u op%u %#jx %#jx", r->args.v[n].index, r->args.v[n].op,
			       (uintmax_t) r->args.v[n].value, (uintmax_t) r->args.v[n].value2);
		printf("\n");
	}
}

static void test_random(bool once)
{
	unsigned long cases = 0, ours = 0, bad = 0, theirs_bad = 0;
	const char *more = getenv("KAVACH_TEST_PROFILES"),
		   *what = once ? "each name once" : "any rules";
	long profiles = more ? strtol(more, NULL, 10) : RANDOM_PROFILES;

	for (long i = 0; i < profiles; i++) {
		struct arena a = {0};
		struct pol_seccomp *s = random_profile(&a, once);
		struct compare c = {0};
		bool made;

		compare_profile(s, &c, &made);
		cases += c.cases;
		ours += made;
		bad += c.bad > 0;
		theirs_bad += c.theirs_bad > 0;
		if ((c.bad || (once && c.theirs_bad)) && bad + theirs_bad < 5)
			print_profile(s);
		arena_free(&a);
	}
	ok(bad == 0, "random profiles, %s: %lu that are ours do what they say (%lu cases)", what,
	   ours, cases);
	ok(ours == (unsigned long) profiles, "random profiles, %s: all %ld are ours", what,
	   profiles);
	if (once)
		is_int(theirs_bad, 0, "random profiles, %s: libseccomp's do the same", what);
	else
		printf("# libseccomp is wrong about %lu of them\n", theirs_bad);
}

static uint32_t ioctl_result(const struct pol_seccomp *s, uint32_t arch, int nr, uint64_t arg1)
{
	const uint64_t args[6] = {0, arg1, 0, 0, 0, 0};
	struct arena a = {0};
	struct bytes b = {0};
	uint32_t ret = 0;

	if (seccomp_compile(s, &a, &b, &err) == 0)
		ret = seccomp_sim(&b, arch, nr, args);
	arena_free(&a);
	return ret;
}

static void test_disagreement(void)
{
	struct arena a = {0};
	struct pol_seccomp *s;

	s = profile_new(&a, POL_ACT_ALLOW, 0, "");
	profile_arg(profile_rule(s, &a, POL_ACT_LOG, 0, "ioctl"), 1, SCMP_CMP_GT, 5, 0);
	profile_arg(profile_rule(s, &a, POL_ACT_ERRNO, 3, "ioctl"), 1, SCMP_CMP_LT, 8, 0);
	profile_arg(profile_rule(s, &a, POL_ACT_ERRNO, 4, "ioctl"), 1, SCMP_CMP_LT, 7, 0);
	ok(ioctl_result(s, AUDIT_ARCH_X86_64, 16, 9) == SECCOMP_RET_LOG &&
		   ioctl_result(s, AUDIT_ARCH_X86_64, 16, 7) == (SECCOMP_RET_ERRNO | 3),
	   "of conditions that hold together the strictest action wins");
	ok(ioctl_result(s, AUDIT_ARCH_X86_64, 16, 6) == (SECCOMP_RET_ERRNO | 3),
	   "of equally strict ones the first");

	s = profile_new(&a, POL_ACT_ERRNO, EPERM, "");
	profile_arg(profile_rule(s, &a, POL_ACT_ALLOW, 0, "ioctl"), 1, SCMP_CMP_LT, 0x400000, 0);
	profile_arg(profile_rule(s, &a, POL_ACT_ALLOW, 0, "ioctl"), 1, SCMP_CMP_LT, 0x200000000, 0);
	ok(ioctl_result(s, AUDIT_ARCH_X86_64, 16, 0x400000) == SECCOMP_RET_ALLOW,
	   "ordering operators that meet in one call all count");
	s = profile_new(&a, POL_ACT_ERRNO, EPERM, "SCMP_ARCH_X86");
	profile_arg(profile_rule(s, &a, POL_ACT_ALLOW, 0, "ioctl"), 1, SCMP_CMP_MASKED_EQ,
		    1ULL << 32, 0);
	profile_rule(s, &a, POL_ACT_TRAP, 0, "ioctl");
	ok(ioctl_result(s, AUDIT_ARCH_I386, 54, 1) == SECCOMP_RET_ALLOW &&
		   ioctl_result(s, AUDIT_ARCH_X86_64, 16, 1) == SECCOMP_RET_TRAP,
	   "a condition on bits that a 32-bit ABI lacks is none there");
	arena_free(&a);
}

static void test_left_to_libseccomp(void)
{
	struct arena a = {0};
	struct pol_seccomp *s = profile_new(&a, POL_ACT_ERRNO, EPERM, "SCMP_ARCH_PPC64LE");
	struct compare c = {0};
	bool ours;

	profile_rule(s, &a, POL_ACT_ALLOW, 0, "ioctl");
	compare_profile(s, &c, &ours);
	ok(!ours && ioctl_result(s, AUDIT_ARCH_PPC64LE, 54, 0) == SECCOMP_RET_ALLOW,
	   "an ABI without a row is left to libseccomp");
	arena_free(&a);
}

int main(void)
{
	struct timespec t0, t1;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	if (filter_native() != AUDIT_ARCH_X86_64) {
		skip("the sets of ABIs are x86_64's", "range compiler against libseccomp");
		return done();
	}
	test_engine();
	test_defaults();
	test_every_name();
	test_libseccomp_alone();
	test_random(true);
	test_random(false);
	test_disagreement();
	test_left_to_libseccomp();
	clock_gettime(CLOCK_MONOTONIC, &t1);
	printf("# %ld s\n", (long) (t1.tv_sec - t0.tv_sec));
	return done();
}

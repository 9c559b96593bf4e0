/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup host json base */
/*
 * The cells, the v1 lists and the v2 programs are compared with the plain meaning of the rules ("the last
 * matching rule decides, bit by bit") for every kind of device and access, on fixed and on random rules.
 * The programs are run by a small interpreter, the v1 lists by a model of the kernel's list.
 */
#include "tap.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/stat.h>

#include "cgroup/internal.h"

typedef struct pol_device_rule rule;

/* ---- the reference ---- */

static uint8_t reference(const rule *r, size_t n, char type, int64_t major, int64_t minor)
{
	uint8_t got = 0;

	for (uint8_t bit = 1; bit < 8; bit = (uint8_t) (bit << 1))
		for (size_t i = n; i-- > 0;) {
			if (r[i].type != 'a' && r[i].type != (uint32_t) type)
				continue;
			if ((r[i].major >= 0 && r[i].major != major) ||
			    (r[i].minor >= 0 && r[i].minor != minor))
				continue;
			if (!(r[i].access & bit))
				continue;
			got |= r[i].allow ? bit : 0;
			break;
		}
	return got;
}

/* ---- v2: an interpreter for what devices_bpf.c emits ---- */

static int run(const struct bpf_insn *v, size_t n, char type, uint32_t access, uint32_t major,
	       uint32_t minor)
{
	struct bpf_cgroup_dev_ctx ctx = {
		.access_type = (type == 'b'   ? BPF_DEVCG_DEV_BLOCK
				: type == 'c' ? BPF_DEVCG_DEV_CHAR
					      : 7) |
			       ((access & 1 ? BPF_DEVCG_ACC_READ : 0) |
				(access & 2 ? BPF_DEVCG_ACC_WRITE : 0) |
				(access & 4 ? BPF_DEVCG_ACC_MKNOD : 0))
				       << 16,
		.major = major,
		.minor = minor,
	};
	uint64_t reg[11] = {0}, src;
	uint32_t word;
	bool jump;

	for (size_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &v[pc];

		src = BPF_SRC(i->code) == BPF_X ? reg[i->src_reg] : (uint64_t) (int64_t) i->imm;
		switch (BPF_CLASS(i->code)) {
		case BPF_LDX:
			memcpy(&word, (const char *) &ctx + i->off, sizeof(word));
			reg[i->dst_reg] = word;
			continue;
		case BPF_LD:
			reg[i->dst_reg] = (uint32_t) i->imm | (uint64_t) (uint32_t) v[pc + 1].imm
								      << 32;
			pc++;
			continue;
		case BPF_ALU64:
			switch (BPF_OP(i->code)) {
			case BPF_MOV: reg[i->dst_reg] = src; continue;
			case BPF_AND: reg[i->dst_reg] &= src; continue;
			case BPF_RSH:
				if (src > 63)
					return -1; /* undefined on the machine */
				reg[i->dst_reg] >>= src;
				continue;
			default: return -1;
			}
		case BPF_JMP:
			switch (BPF_OP(i->code)) {
			case BPF_JA: jump = true; break;
			case BPF_EXIT: return (int) reg[0];
			case BPF_JEQ: jump = reg[i->dst_reg] == src; break;
			case BPF_JNE: jump = reg[i->dst_reg] != src; break;
			case BPF_JGT: jump = reg[i->dst_reg] > src; break;
			case BPF_JSET: jump = reg[i->dst_reg] & src; break;
			default: return -1;
			}
			if (jump && i->off < 0)
				return -1;
			pc += jump ? (size_t) i->off : 0;
			continue;
		default: return -1;
		}
	}
	return -1; /* ran off the end */
}

/* Every instruction can be reached: the kernel's verifier insists. */
static bool all_reachable(const struct bpf_insn *v, size_t n)
{
	bool *seen = calloc(n + 1, 1);
	bool good = true;

	seen[0] = true;
	for (size_t pc = 0; pc < n; pc++) {
		uint8_t class = BPF_CLASS(v[pc].code), op = BPF_OP(v[pc].code);

		if (!seen[pc]) {
			good = false;
			break;
		}
		if (class == BPF_LD)
			seen[pc + 1] = seen[pc + 2] = true, pc++;
		else if (class == BPF_JMP && op == BPF_EXIT)
			continue;
		else if (class == BPF_JMP && op == BPF_JA)
			seen[pc + 1 + (size_t) v[pc].off] = true;
		else {
			seen[pc + 1] = true;
			if (class == BPF_JMP)
				seen[pc + 1 + (size_t) v[pc].off] = true;
		}
	}
	free(seen);
	return good;
}

/* ---- v1: a model of the kernel's list (security/device_cgroup.c) ---- */

struct v1_list {
	bool all_but;
	struct {
		char type;
		int64_t major, minor;
		uint8_t access;
	} v[512];
	size_t n;
};

static bool v1_write(struct v1_list *l, bool allow, const char *s)
{
	char type, major[16], minor[16], acc[8];

	if (strcmp(s, "a") == 0) {
		l->all_but = allow;
		l->n = 0;
		return true;
	}
	if (sscanf(s, "%c %15[0-9*]:%15[0-9*] %7[rwm]", &type, major, minor, acc) != 4 ||
	    l->n == ARRAY_LEN(l->v))
		return false;
	if (allow == l->all_but) /* would take an entry away, which we never ask for */
		return false;
	l->v[l->n].type = type;
	l->v[l->n].major = *major == '*' ? -1 : atoll(major);
	l->v[l->n].minor = *minor == '*' ? -1 : atoll(minor);
	l->v[l->n].access = (uint8_t) ((strchr(acc, 'r') ? 1 : 0) | (strchr(acc, 'w') ? 2 : 0) |
				       (strchr(acc, 'm') ? 4 : 0));
	l->n++;
	return true;
}

static bool v1_allows(const struct v1_list *l, char type, uint8_t access, int64_t major,
		      int64_t minor)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].type != type || (l->v[i].major >= 0 && l->v[i].major != major) ||
		    (l->v[i].minor >= 0 && l->v[i].minor != minor))
			continue;
		if (l->all_but && (access & l->v[i].access))
			return false;
		if (!l->all_but && !(access & ~l->v[i].access))
			return true;
	}
	return l->all_but;
}

/* ---- comparing ---- */

static const int64_t majors[] = {0, 1, 2, 5, 10, 63, 64, 136, 226, 4095};
static const int64_t minors[] = {0, 1, 3, 5, 8, 31, 32, 62, 63, 64, 65, 200, 255, 1048575};

/* Calls f for each device and access that the test knows; false on the first difference. */
static bool for_all(const rule *r, size_t n,
		    bool (*f)(void *arg, char type, uint8_t access, int64_t ma, int64_t mi,
			      bool want),
		    void *arg)
{
	for (const char *t = "bc"; *t; t++)
		for (size_t i = 0; i < ARRAY_LEN(majors); i++)
			for (size_t j = 0; j < ARRAY_LEN(minors); j++) {
				uint8_t mask = reference(r, n, *t, majors[i], minors[j]);

				for (uint8_t access = 1; access < 8; access++)
					if (!f(arg, *t, access, majors[i], minors[j],
					       !(access & ~mask)))
						return false;
			}
	return true;
}

struct program {
	struct bpf_insn *v;
	size_t n;
};

static bool same_v2(void *arg, char type, uint8_t access, int64_t ma, int64_t mi, bool want)
{
	struct program *p = arg;
	int got = run(p->v, p->n, type, access, (uint32_t) ma, (uint32_t) mi);

	if (got != want)
		printf("# %c %lld:%lld access %u: want %d, got %d\n", type, (long long) ma,
		       (long long) mi, access, want, got);
	return got == want;
}

static bool same_v1(void *arg, char type, uint8_t access, int64_t ma, int64_t mi, bool want)
{
	bool got = v1_allows(arg, type, access, ma, mi);

	if (got != want)
		printf("# %c %lld:%lld access %u: want %d, got %d\n", type, (long long) ma,
		       (long long) mi, access, want, got);
	return got == want;
}

static bool v2_agrees(const rule *r, size_t n, size_t *ret_len)
{
	struct err e = ERR_INIT;
	struct cg_dev_cells c;
	arena_auto a = {0};
	struct program p;

	cg_devices_resolve(r, n, &a, &c);
	if (cg_devices_bpf(&c, &a, &p.v, &p.n, &e) < 0) {
		printf("# %s\n", e.msg);
		return false;
	}
	if (ret_len)
		*ret_len = p.n;
	if (!all_reachable(p.v, p.n)) {
		printf("# an instruction is never reached\n");
		return false;
	}
	return run(p.v, p.n, '?', 1, 1, 3) == 0 && for_all(r, n, same_v2, &p);
}

/* 1: the list does what the rules say; 0: it does not; -1: refused. */
static int v1_agrees(const rule *r, size_t n)
{
	static struct v1_list l;
	struct err e = ERR_INIT;
	struct strs deny, allow;
	struct cg_dev_cells c;
	arena_auto a = {0};
	bool open;

	cg_devices_resolve(r, n, &a, &c);
	if (cg_devices_v1(&c, &a, &deny, &allow, &e) < 0)
		return -1;
	l = (struct v1_list){.all_but = true};
	open = allow.n == 1 && strcmp(allow.v[0], "a") == 0;
	for (size_t i = 0; i < (open ? allow.n : deny.n); i++)
		if (!v1_write(&l, open, open ? allow.v[i] : deny.v[i]))
			return 0;
	for (size_t i = 0; i < (open ? deny.n : allow.n); i++)
		if (!v1_write(&l, !open, open ? deny.v[i] : allow.v[i]))
			return 0;
	return for_all(r, n, same_v1, &l);
}

static char *v1_dump(struct arena *a, const rule *r, size_t n)
{
	struct err e = ERR_INIT;
	struct strs deny, allow;
	struct cg_dev_cells c;
	char *s = arena_strdup(a, "-");

	cg_devices_resolve(r, n, a, &c);
	if (cg_devices_v1(&c, a, &deny, &allow, &e) < 0)
		return e.code == -EOPNOTSUPP ? arena_strdup(a, "refused") : arena_strdup(a, e.msg);
	for (size_t i = 0; i < deny.n; i++)
		s = arena_printf(a, "%s %s;", s, deny.v[i]);
	s = arena_printf(a, "%s +", s);
	for (size_t i = 0; i < allow.n; i++)
		s = arena_printf(a, "%s %s;", s, allow.v[i]);
	return s;
}

/* ---- fixed rules ---- */

static const rule deny_all[] = {{false, 'a', -1, -1, 7}};
static const rule allow_all[] = {{true, 'a', -1, -1, 7}};
static const rule all_but_tty[] = {{true, 'a', -1, -1, 7}, {false, 'c', 5, -1, 3}};
static const rule hole[] = {{false, 'a', -1, -1, 7}, {true, 'c', -1, -1, 7}, {false, 'c', 1, 3, 2}};
static const rule taken_back[] = {{true, 'c', 1, 3, 7}, {false, 'c', 1, 3, 2}};
static const rule by_minor[] = {
	{false, 'a', -1, -1, 7}, {true, 'c', -1, 3, 1}, {true, 'c', 1, 3, 2}};
static const rule engine[] = {
	{false, 'a', -1, -1, 7}, {true, 'c', -1, -1, 4},  {true, 'b', -1, -1, 4},
	{true, 'c', 1, 3, 7},	 {true, 'c', 1, 8, 7},	  {true, 'c', 1, 7, 7},
	{true, 'c', 5, 0, 7},	 {true, 'c', 1, 5, 7},	  {true, 'c', 1, 9, 7},
	{true, 'c', 5, 1, 7},	 {true, 'c', 136, -1, 7}, {true, 'c', 5, 2, 7},
	{true, 'c', 10, 200, 7},
};

static void test_fixed(void)
{
	static const struct {
		const char *name;
		const rule *r;
		size_t n;
		const char *v1;
	} rows[] = {
		{"no rule", NULL, 0, "- a; +"},
		{"nothing allowed", deny_all, 1, "- a; +"},
		{"everything allowed", allow_all, 1, "- + a;"},
		{"all but terminals", all_but_tty, 2, "- c 5:* rw; + a;"},
		{"an exception from an exception", hole, 3, "refused"},
		{"a right that is taken back", taken_back, 2, "- a; + c 1:3 rm;"},
		{"a minor of all majors", by_minor, 3, "- a; + c 1:3 rw; c *:3 r;"},
		{"what an engine gives", engine, ARRAY_LEN(engine),
		 "- a; + b *:* m; c 1:3 rwm; c 1:5 rwm; c 1:7 rwm; c 1:8 rwm; c 1:9 rwm; c 5:0 rwm; c 5:1 rwm; c 5:2 rwm; "
		 "c 10:200 rwm; c 136:* rwm; c *:* m;"},
	};
	arena_auto a = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		is_str(v1_dump(&a, rows[i].r, rows[i].n), rows[i].v1, "%s: v1 list", rows[i].name);
		ok(v1_agrees(rows[i].r, rows[i].n) == (strcmp(rows[i].v1, "refused") ? 1 : -1),
		   "%s: v1 means the same", rows[i].name);
		ok(v2_agrees(rows[i].r, rows[i].n, NULL), "%s: v2 means the same", rows[i].name);
	}
}

static void test_size(void)
{
	size_t n = 0;

	ok(v2_agrees(engine, ARRAY_LEN(engine), &n) && n <= 45,
	   "the program of an engine's rules is small");
	printf("# %zu instructions\n", n);
}

/* ---- random rules ---- */

static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned pick(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned) (seed >> 33) % n;
}

static void random_rules(rule *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		r[i].allow = pick(3) != 0;
		r[i].type = (uint32_t) "abc"[pick(3)];
		r[i].major = pick(4) ? majors[pick(ARRAY_LEN(majors) - 2)] : -1;
		r[i].minor = pick(4) ? minors[pick(ARRAY_LEN(minors) - 2)] : -1;
		r[i].access = 1 + pick(7);
	}
}

static void test_random(void)
{
	unsigned wrong_v1 = 0, wrong_v2 = 0, refused = 0;
	enum { RULES = 24, TIMES = 400 };
	rule r[RULES];

	for (unsigned t = 0; t < TIMES; t++) {
		size_t n = 1 + pick(RULES);
		int v1;

		random_rules(r, n);
		wrong_v2 += !v2_agrees(r, n, NULL);
		v1 = v1_agrees(r, n);
		wrong_v1 += v1 == 0;
		refused += v1 < 0;
	}
	is_int(wrong_v2, 0, "random rules: every program means what the rules mean");
	is_int(wrong_v1, 0,
	       "random rules: every v1 list that is not refused means what the rules mean");
	ok(refused > 0 && refused < TIMES, "random rules: some, not all, are beyond v1");
}

static void test_limits(void)
{
	rule odd[] = {{true, 'c', INT64_MAX, 3, 7},
		      {true, 'c', 1, INT64_MAX, 7},
		      {true, 'c', 1, 3, 0xff}};
	enum { MANY = 3000 };
	rule *many = calloc(MANY, sizeof(*many));
	struct err e = ERR_INIT;
	struct cg_dev_cells c;
	struct bpf_insn *v;
	arena_auto a = {0};
	size_t n;

	ok(v2_agrees(odd, 3, NULL), "numbers and bits that no device has do no harm");
	for (size_t i = 0; i < MANY; i++)
		many[i] = (rule){true, 'c', 200, (int64_t) (2 * i), (uint32_t) (1 + i % 7)};
	cg_devices_resolve(many, MANY, &a, &c);
	ok(cg_devices_bpf(&c, &a, &v, &n, &e) == 0 && all_reachable(v, n),
	   "thousands of rules make a program");
	for (size_t i = 0; i < MANY; i++)
		many[i] = (rule){true, i & 1 ? 'c' : 'b', (int64_t) i, 3, (uint32_t) (1 + i % 7)};
	for (size_t i = 0; i < MANY / 2; i++)
		many[i].minor = 70 + (int64_t) i, many[i].major = -1;
	cg_devices_resolve(many, 200, &a, &c);
	ok(cg_devices_bpf(&c, &a, &v, &n, &e) == 0,
	   "hundreds of minors of all majors make a program");
	free(many);
}

int main(void)
{
	test_fixed();
	test_size();
	test_random();
	test_limits();
	return done();
}

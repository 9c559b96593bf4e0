/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/*
 * A preset is a floor: for each field that strict is about, what configs say on either side of it, and that the stricter
 * one comes out. Which preset it is, and what else it does: test_policy.c, test_rules_policy.c.
 */
#include "policy_fixture.h"

/* ---- the floor of strict, field by field: what the config says, and what comes out ---- */

#define STRICT "'annotations':{'io.kavach.preset':'strict'}"
#define MIB (1LL << 20)

static const struct {
	const char *what, *resources;
	int64_t memory, swap, quota, period, burst, pids; /* -7: not set */
} floors[] = {
	{"nothing given", "", 512 * MIB, -7, 100000, 100000, -7, 64},
	{"less memory", "'memory':{'limit':1048576}", MIB, -7, 100000, 100000, -7, 64},
	{"as much memory", "'memory':{'limit':536870912}", 512 * MIB, -7, 100000, 100000, -7, 64},
	{"a byte more memory", "'memory':{'limit':536870913}", 512 * MIB, -7, 100000, 100000, -7,
	 64},
	{"unlimited memory", "'memory':{'limit':-1,'swap':-1}", 512 * MIB, -1, 100000, 100000, -7,
	 64},
	{"1 GiB and no swap", "'memory':{'limit':1073741824,'swap':1073741824}", 512 * MIB,
	 512 * MIB, 100000, 100000, -7, 64},
	{"1 GiB and as much swap", "'memory':{'limit':1073741824,'swap':2147483648}", 512 * MIB,
	 1536 * MIB, 100000, 100000, -7, 64},
	{"less memory with swap", "'memory':{'limit':1048576,'swap':4194304}", MIB, 4 * MIB, 100000,
	 100000, -7, 64},
	{"half a CPU", "'cpu':{'quota':25000,'period':50000}", 512 * MIB, -7, 25000, 50000, -7, 64},
	{"one and a half CPUs", "'cpu':{'quota':300000,'period':200000}", 512 * MIB, -7, 200000,
	 200000, -7, 64},
	{"a quota alone", "'cpu':{'quota':50000}", 512 * MIB, -7, 50000, 100000, -7, 64},
	{"a period alone", "'cpu':{'period':20000}", 512 * MIB, -7, 20000, 20000, -7, 64},
	{"unlimited CPU time", "'cpu':{'quota':-1}", 512 * MIB, -7, 100000, 100000, -7, 64},
	{"a burst of two CPUs", "'cpu':{'quota':200000,'burst':150000}", 512 * MIB, -7, 100000,
	 100000, 100000, 64},
	{"a small burst", "'cpu':{'quota':200000,'burst':1000}", 512 * MIB, -7, 100000, 100000,
	 1000, 64},
	{"fewer processes", "'pids':{'limit':63}", 512 * MIB, -7, 100000, 100000, -7, 63},
	{"no process at all", "'pids':{'limit':0}", 512 * MIB, -7, 100000, 100000, -7, 0},
	{"more processes", "'pids':{'limit':65}", 512 * MIB, -7, 100000, 100000, -7, 64},
	{"unlimited processes", "'pids':{'limit':-1}", 512 * MIB, -7, 100000, 100000, -7, 64},
};

static int64_t given_i(struct opt_i64 v)
{
	return v.set ? v.v : -7;
}

static int64_t given_u(struct opt_u64 v)
{
	return v.set ? (int64_t) v.v : -7;
}

static void test_floor_of_limits(void)
{
	for (size_t i = 0; i < ARRAY_LEN(floors); i++) {
		const struct pol_resources *r = &MUST(.top = STRICT,
						      .linux_ = arena_printf(&arena,
									     "'resources':{%s}",
									     floors[i].resources))
							 ->resources;

		ok(given_i(r->memory) == floors[i].memory &&
			   given_i(r->memory_swap) == floors[i].swap,
		   "strict, %s: memory", floors[i].what);
		ok(given_i(r->cpu_quota) == floors[i].quota &&
			   given_u(r->cpu_period) == floors[i].period &&
			   given_u(r->cpu_burst) == floors[i].burst,
		   "strict, %s: CPU time", floors[i].what);
		is_int(given_i(r->pids), floors[i].pids, "strict, %s: processes", floors[i].what);
	}
}

/* unified is written last: what would lift a limit again is left out, what tightens it is not. */
static void test_floor_of_unified(void)
{
	static const struct {
		const char *file, *value;
		int kept; /* -1: refused */
	} rows[] = {
		{"memory.max", "max", 0},      {"memory.max", "536870913", 0},
		{"memory.max", "1G", 0},       {"memory.max", "513m", 0},
		{"memory.max", "64M", 1},      {"memory.max", "512M", 1},
		{"memory.max", "524288k", 1},  {"memory.max", "16777216T", 0},
		{"memory.max", "1000", 1},     {"memory.max", "0x100", -1},
		{"memory.max", "many", -1},    {"memory.max", "64M\\nmax", -1},
		{"pids.max", "max", 0},	       {"pids.max", "65", 0},
		{"pids.max", "64", 1},	       {"pids.max", "-1", -1},
		{"cpu.max", "max", 0},	       {"cpu.max", "max 100000", 0},
		{"cpu.max", "100000", 1},      {"cpu.max", "100001", 0},
		{"cpu.max", "50000 50000", 1}, {"cpu.max", "50000 40000", 0},
		{"cpu.max", "1 2 3", -1},      {"cpu.max", "1000\\nmax", -1},
		{"cpu.max.burst", "0", 1},     {"cpu.max.burst", "5", 0},
		{"memory.swap.max", "max", 1}, {"memory.high", "max", 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *row = arena_printf(&arena, "'resources':{'unified':{'%s':'%s'}}",
					 rows[i].file, rows[i].value);
		const struct config c = {.top = STRICT, .linux_ = row};
		const struct policy *p = build_text(config_text(&c));

		is_int(p ? (int) p->resources.unified.n : -1, rows[i].kept, "strict, unified %s %s",
		       rows[i].file, rows[i].value);
		if (!p)
			ok(strstr(err.msg, rows[i].file) && strstr(err.msg, "preset strict"),
			   "and says why: %s", err.msg);
	}
	ok(MUST(.top = "'annotations':{'io.kavach.preset':'basic'}",
		.linux_ = "'resources':{'unified':{'memory.max':'max'}}")
			   ->resources.unified.n == 1,
	   "basic leaves it alone");
}

static void test_floor_of_process(void)
{
	const struct policy *p = MUST(.top = STRICT, .proc = "'noNewPrivileges':false");
	struct pol_process exec;
	const struct spec_process *s;
	const char *text;

	ok(p->process.no_new_privs, "strict: no new privileges, whatever the config says");
	ok(MUST(.top = STRICT, .root = "{'path':'rootfs','readonly':false}")->rootfs_readonly,
	   "strict: the root is read-only, whatever the config says");
	text = quotes(arena_strdup(&arena, "{'cwd':'/','args':['sh'],'noNewPrivileges':false}"));
	ok(spec_parse_process("p.json", text, strlen(text), &arena, &s, &err) == 0 &&
		   policy_build_process(s, p, &host, "p.json", &arena, &exec, &err) == 0 &&
		   exec.no_new_privs,
	   "strict: nor for what exec adds");
	p = MUST(.top = "'annotations':{'io.kavach.preset':'basic'}",
		 .proc = "'noNewPrivileges':true");
	ok(p->process.no_new_privs, "a stricter config is kept");
	ok(policy_build_process(s, p, &host, "p.json", &arena, &exec, &err) == 0 &&
		   !exec.no_new_privs,
	   "without the preset, exec's own word counts");
}

int main(void)
{
	reset();
	test_floor_of_limits();
	test_floor_of_unified();
	test_floor_of_process();
	arena_free(&arena);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/* Resources with what updates have set: what is set replaces, what is not stays, lists are merged by what they are about. */
#include "policy_fixture.h"

#define S(s) ((char *) (uintptr_t) (s))

/* Kinds of members that merge.c knows; another one must not be forgotten. */
static void test_kinds(void)
{
	for (size_t i = 0; i < pol_resources_table.n; i++)
		switch (pol_resources_table.f[i].kind) {
		case C_OPT_U64:
		case C_OPT_I64:
		case C_OPT_BOOL:
		case C_STR:
		case C_KVS:
		case C_OBJS: break;
		default: ok(false, "%s can be merged", pol_resources_table.f[i].name);
		}
	ok(true, "all members can be merged");
}

static void test_numbers(void)
{
	struct pol_resources to = {.memory = {true, 5}, .pids = {true, 7}, .cpus = S("0")};
	struct pol_resources from = {.memory = {true, -1},
				     .cpu_shares = {true, 9},
				     .disable_oom_killer = {true, true},
				     .mems = S("1"),
				     .cpus = S("")};

	policy_merge_resources(&to, &from, &arena);
	is_int(to.memory.v, -1, "what is set replaces");
	is_int(to.pids.v, 7, "what is not stays");
	ok(to.cpu_shares.set && to.cpu_shares.v == 9, "and comes anew");
	ok(to.disable_oom_killer.v, "also yes and no");
	is_str(to.cpus, "0", "an empty text is none");
	is_str(to.mems, "1", "another one is");
}

static void test_lists(void)
{
	struct pol_blkio_dev old[] = {{POL_BLKIO_RBPS, 8, 0, 100}, {POL_BLKIO_WBPS, 8, 0, 200}};
	struct pol_blkio_dev new[] = {{POL_BLKIO_WBPS, 8, 0, 300}, {POL_BLKIO_RBPS, 8, 16, 400}};
	struct pol_hugepage big = {S("1GB"), 1}, small = {S("2MB"), 2}, smaller = {S("2MB"), 3};
	struct pol_hugepage pages[] = {small, big};
	struct kv a[] = {{S("b"), S("1")}, {S("d"), S("2")}},
		  b[] = {{S("c"), S("3")}, {S("d"), S("4")}};
	struct pol_resources to = {.blkio = {old, 2}, .hugepages = {pages, 2}, .unified = {a, 2}};
	struct pol_resources from = {
		.blkio = {new, 2}, .hugepages = {&smaller, 1}, .unified = {b, 2}};

	policy_merge_resources(&to, &from, &arena);
	is_int(to.blkio.n, 3, "a device and a kind are one thing");
	is_int(to.blkio.v[0].value, 100, "which stays");
	is_int(to.blkio.v[1].value, 300, "or is replaced");
	is_int(to.blkio.v[2].minor, 16, "or added");
	is_int(old[1].value, 200, "the old list is left as it was");
	is_int(to.hugepages.n, 2, "a size of pages is one thing");
	is_int(to.hugepages.v[0].limit, 3, "which is replaced");
	is_int(to.unified.n, 3, "a file is one thing");
	ok(str_eq(to.unified.v[0].key, "b") && str_eq(to.unified.v[1].key, "c") &&
		   str_eq(to.unified.v[2].val, "4"),
	   "and they stay sorted");
}

int main(void)
{
	test_kinds();
	test_numbers();
	test_lists();
	arena_free(&arena);
	return done();
}

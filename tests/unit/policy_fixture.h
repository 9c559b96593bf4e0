/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small config.json with places to put something into, a host that has everything, and policy_build() on
 * both. JSON is written with ' for " here.
 */
#ifndef KAVACH_TESTS_POLICY_FIXTURE_H
#define KAVACH_TESTS_POLICY_FIXTURE_H

#include "base/sha256.h"
#include "policy/build.h"
#include "policy/codec.h"
#include "tap.h"

struct config {
	const char *top;    /* members of the root object: "'hostname':'x'" */
	const char *root;   /* instead of the root object */
	const char *proc;   /* members of process */
	const char *args;   /* instead of "['sh']" */
	const char *ns;	    /* rows of linux.namespaces besides the mount namespace */
	const char *linux_; /* members of linux */
	const char *mounts; /* rows of mounts */
};

static const struct host full_host = {
	.caps = (1ULL << 41) - 1,
	.last_cap = 40,
	.cgroup = CG_V2,
	.kernel = 0x061200,
	.machine = "x86_64",
	.time_ns = true,
	.cgroup_ns = true,
	.user_ns = true,
	.landlock = 7,
};

static struct policy_input input = {
	.bundle = "/b",
	.config_name = "config.json",
	.backend_floor = POL_BACKEND_PROCESS,
	.need_process = true,
};

/* What roots are packed to here, for configs that want that. */
static const struct policy_root packed_root = {
	.hash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	.salt = "6b6176616368",
	.blocks = 2048,
};

static bool root_is_packed;
static struct host host;   /* full_host unless a test changes it */
static struct rules rules; /* none */
static struct arena arena;
static struct err err;

static inline void reset(void)
{
	host = full_host;
	rules = (struct rules){0};
	input.no_pivot = input.no_new_keyring = false;
	input.cg_manager = 0;
	root_is_packed = false;
	input.backend_floor = POL_BACKEND_PROCESS;
}

static inline char *quotes(char *s);

/* A digest for rules that only name a file. */
#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

/* The site's rules from the text of a file, added to what is there; JSON with ' for ". */
static inline bool site(const char *file, const char *text)
{
	static const struct rules_source none;
	char *json = quotes(arena_strdup(&arena, text));

	err = ERR_INIT;
	return rules_decode(file, json, strlen(json), &none, &arena, &rules, &err) == 0;
}
static inline void must_site(const char *text)
{
	if (!site("/etc/kavach/rules.d/10.json", text))
		bail_out(err.msg);
}

static inline char *quotes(char *s)
{
	for (char *p = s; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return s;
}

/* The text of a config; NULL members are left out. */
static inline char *config_text(const struct config *c)
{
#define PART(m) c->m ? "," : "", c->m ? c->m : ""
	return quotes(arena_printf(&arena,
				   "{'ociVersion':'1.3.0','root':%s,'mounts':[%s],"
				   "'process':{'cwd':'/','args':%s,'user':{'uid':0,'gid':0}%s%s},"
				   "'linux':{'namespaces':[{'type':'mount'}%s%s]%s%s}%s%s}",
				   c->root ? c->root : "{'path':'rootfs'}",
				   c->mounts ? c->mounts : "", c->args ? c->args : "['sh']",
				   PART(proc), PART(ns), PART(linux_), PART(top)));
#undef PART
}

/* The policy of a text, or NULL with `err`. */
static inline const struct policy *build_text(const char *text)
{
	const struct policy *p = NULL;
	const struct spec *s;

	err = ERR_INIT;
	if (spec_parse("config.json", text, strlen(text), &arena, &s, &err) < 0)
		return NULL;
	if (policy_build(s, &rules, &host, &input, &arena, &p, &err) < 0)
		return NULL;
	if (root_is_packed && p->vm.root == POL_VM_ROOT_PACKED)
		p = policy_with_root(p, &packed_root, &arena);
	return p;
}

static inline const struct policy *build_config(const struct config *c)
{
	const struct policy *p = build_text(config_text(c));

	if (!p)
		printf("# %s\n", err.msg);
	return p;
}
#define BUILD(...) build_config(&(struct config){__VA_ARGS__})

/* must_build: for tests that look into the result. */
static inline const struct policy *must_build(const struct config *c)
{
	const struct policy *p = build_config(c);

	if (!p)
		bail_out("a config of the test was refused");
	return p;
}
#define MUST(...) must_build(&(struct config){__VA_ARGS__})

/* "<digest>" of a policy, in the arena. */
static inline const char *digest_of(const struct policy *p)
{
	buf_auto b = BUF_WRITER(1u << 24);
	uint8_t d[SHA256_LEN];
	char *hex = arena_alloc(&arena, SHA256_HEX);

	policy_encode(&b, p);
	policy_digest(b.p, b.n, d);
	sha256_hex(d, hex);
	return hex;
}

#endif

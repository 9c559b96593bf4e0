/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy spec json base */
/*
 * Properties of the encoding: every member of every structure is in its table; whatever can be made is
 * encoded and decoded to itself; no byte string that the encoder would not write is accepted; what is
 * allocated is bounded by what came in. Structures are made at random, by the tables, from fixed seeds.
 */
#include "base/sha256.h"
#include "json/read.h"
#include "policy/build.h"
#include "policy/codec.h"
#include "tests/unit/codec_gen.h"
#include "tests/unit/tap.h"

/* ---- every member is in its table ---- */

#ifdef CODEC_COVERAGE
/* A table by its name, wherever policy_table refers to it. */
static const struct ctable *find_table(const struct ctable *t, const char *name)
{
	const struct ctable *r = str_eq(t->name, name) ? t : NULL;

	for (size_t i = 0; i < t->n && !r; i++)
		if (t->f[i].sub)
			r = find_table(t->f[i].sub, name);
	return r;
}

#define COVERED(st)                                                                                \
	do {                                                                                       \
		static uint8_t want[sizeof(struct st)], got[sizeof(struct st)];                    \
		const struct ctable *t_ = find_table(&policy_table, #st);                          \
		VALUE_BYTES(struct st, want);                                                      \
		if (t_)                                                                            \
			mark_obj(t_, got);                                                         \
		ok(t_ && t_->size == sizeof(struct st) && !memcmp(want, got, sizeof(want)),        \
		   "every member of struct " #st " is in its table");                              \
	} while (0)

/*
 * gcc 12 clears bytes behind an array of structures as if they were padding, so in struct policy the
 * builtin is believed up to hooks[] only. Behind it every member starts at a word of its own.
 */
static void cover_policy(void)
{
	static uint8_t want[sizeof(struct policy)], got[sizeof(struct policy)];
	const size_t hooks = offsetof(struct policy, hooks);
	size_t words = 0;

	VALUE_BYTES(struct policy, want);
	mark_obj(&policy_table, got);
	ok(!memcmp(want, got, hooks), "every member of struct policy up to hooks is in its table");
	for (size_t i = hooks; i < sizeof(got); i += 8)
		words += got[i] == 0xff;
	is_int(words, (sizeof(got) - hooks) / 8, "and every one behind it");
}

static void test_coverage(void)
{
	cover_policy();
	COVERED(pol_ns);
	COVERED(pol_idmap);
	COVERED(pol_time_offset);
	COVERED(pol_mount);
	COVERED(pol_device);
	COVERED(pol_rlimit);
	COVERED(pol_caps);
	COVERED(pol_scheduler);
	COVERED(pol_process);
	COVERED(pol_seccomp_arg);
	COVERED(pol_seccomp_rule);
	COVERED(pol_seccomp);
	COVERED(policy_landlock);
	COVERED(pol_exec_limits);
	COVERED(pol_device_rule);
	COVERED(pol_blkio_dev);
	COVERED(pol_hugepage);
	COVERED(pol_rdma);
	COVERED(pol_resources);
	COVERED(pol_cgroup);
	COVERED(pol_hook);
	COVERED(pol_netdev);
	COVERED(pol_rdt);
	COVERED(pol_mempolicy);
	COVERED(pol_vm_file);
	COVERED(pol_vm);
}
#else
static void test_coverage(void)
{
	skip("this compiler has no __builtin_clear_padding", "every member is in its table");
}
#endif

/* ---- round trips ---- */

#define SEEDS 400
#define LIMIT (1u << 22)

static struct policy *gen_policy(uint64_t seed, struct arena *a)
{
	struct policy *p = arena_new(a, struct policy);

	rng = seed * 0x9e3779b97f4a7c15ULL + 1;
	gen_obj(&policy_table, p, a, 3);
	p->version = POLICY_VERSION;
	p->seccomp.source = NULL;
	for (size_t i = 0; i < p->stacked.n; i++)
		p->stacked.v[i].source = NULL;
	for (size_t i = 0; i < p->landlock.n; i++)
		p->landlock.v[i].source = NULL;
	return p;
}

static void test_round_trip(void)
{
	size_t same = 0, equal_bytes = 0, json = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		arena_auto a = {0};
		buf_auto once = BUF_WRITER(LIMIT), twice = BUF_WRITER(LIMIT),
			 text = BUF_WRITER(LIMIT);
		struct policy *p = gen_policy(seed, &a);
		const struct policy *q = NULL;
		struct json_doc doc;
		struct err e = ERR_INIT;
		struct jsonw w;

		policy_encode(&once, p);
		if (policy_decode(once.p, once.n, &a, &q, &e) < 0) {
			printf("# seed %llu: %s\n", (unsigned long long) seed, e.msg);
			continue;
		}
		same += same_obj(&policy_table, p, q);
		policy_encode(&twice, q);
		equal_bytes += !once.bad && !twice.bad && once.n == twice.n &&
			       !memcmp(once.p, twice.p, once.n);
		jw_init(&w, &text, seed & 1);
		codec_json(&w, &policy_table, p);
		json += !text.bad && json_read("json", (char *) text.p, text.n, &a, &doc, &e) == 0;
	}
	is_int(same, SEEDS, "decode(encode(p)) == p for %d random policies", SEEDS);
	is_int(equal_bytes, SEEDS, "encode(decode(b)) == b for each of them");
	is_int(json, SEEDS, "the JSON form of each is valid JSON");
}

/* Every prefix and many changes of an encoding: refused, or exactly what the encoder writes for it. */
static void test_damage(void)
{
	size_t prefixes = 0, tried = 0, accepted = 0, wrong = 0;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		arena_auto a = {0};
		buf_auto enc = BUF_WRITER(LIMIT);
		const struct policy *q;
		struct err e = ERR_INIT;

		policy_encode(&enc, gen_policy(seed, &a));
		for (size_t n = 0; n < enc.n; n++)
			prefixes += policy_decode(enc.p, n, &a, &q, &e) == 0;
		for (size_t i = 0; i < 3000; i++) {
			arena_auto b = {0};
			buf_auto again = BUF_WRITER(LIMIT);
			size_t at = rnd(enc.n);
			uint8_t old = enc.p[at];

			enc.p[at] = rnd(2) ? (uint8_t) (old ^ (1 << rnd(8))) : (uint8_t) rnd(256);
			tried++;
			if (policy_decode(enc.p, enc.n, &b, &q, &e) == 0) {
				accepted++;
				policy_encode(&again, q);
				wrong += again.bad || again.n != enc.n ||
					 memcmp(again.p, enc.p, enc.n);
			}
			enc.p[at] = old;
		}
	}
	is_int(prefixes, 0, "no encoding that is cut short is accepted");
	ok(accepted > 0 && accepted < tried,
	   "some changed encodings are other policies, some are refused");
	is_int(wrong, 0, "what is accepted encodes to the same bytes again");
}

static void test_refusals(void)
{
	arena_auto a = {0};
	buf_auto enc = BUF_WRITER(LIMIT), more = BUF_WRITER(LIMIT);
	struct policy p = {.version = POLICY_VERSION};
	const struct policy *q;
	struct err e = ERR_INIT;

	policy_encode(&enc, &p);
	ok(policy_decode(enc.p, enc.n, &a, &q, &e) == 0, "accepts a policy of zeroes");
	ok(policy_decode("config.json", 11, &a, &q, &e) == -EBADMSG, "refuses what is no policy");
	is_str(e.msg, "the stored policy is not a kavach policy", "and says so");
	buf_put(&more, enc.p, enc.n);
	buf_put_u8(&more, 0);
	ok(policy_decode(more.p, more.n, &a, &q, &e) == -EBADMSG, "refuses a byte too many");
	enc.p[8] = 99;
	ok(policy_decode(enc.p, enc.n, &a, &q, &e) == -EPROTO, "refuses another version");
	is_str(e.msg, "the stored policy has version 99, this program knows version 6",
	       "and names both");
}

/* Bytes that say what could be said otherwise. */
static bool accepts(const struct ctable *t, const void *bytes, size_t n)
{
	arena_auto a = {0};
	struct buf b = BUF_READER(bytes, n);
	void *obj = arena_alloc(&a, t->size);

	codec_decode(&b, t, obj, &a);
	return !b.bad && !buf_left(&b);
}

static const struct cfield bool_row[] = {{.name = "b", .kind = C_BOOL}};
static const struct ctable bool_table = {"bool", bool_row, 1, sizeof(bool)};
static const struct cfield strs_row[] = {{.name = "l", .kind = C_STRS}};
static const struct ctable strs_table = {"strs", strs_row, 1, sizeof(struct strs)};
static const struct cfield kvs_row[] = {{.name = "m", .kind = C_KVS}};
static const struct ctable kvs_table = {"kvs", kvs_row, 1, sizeof(struct kvs)};
static const struct cfield u32_row[] = {{.name = "n", .kind = C_U32}};
static const struct ctable u32_table = {"u32", u32_row, 1, sizeof(uint32_t)};
static const struct cfield i32_row[] = {{.name = "n", .kind = C_I32}};
static const struct ctable i32_table = {"i32", i32_row, 1, sizeof(int32_t)};

static void test_one_way(void)
{
	ok(accepts(&bool_table, "\1", 1) && accepts(&bool_table, "\0", 1), "a bool is 0 or 1");
	ok(!accepts(&bool_table, "\2", 1), "a bool of 2 is refused");
	ok(accepts(&strs_table, "\xff\xff\xff\xff", 4), "an absent list of strings");
	ok(accepts(&strs_table, "\0\0\0\0", 4), "an empty list of strings");
	ok(!accepts(&strs_table, "\1\0\0\0\xff\xff\xff\xff", 8),
	   "a NULL in a list of strings is refused");
	ok(!accepts(&strs_table, "\1\0\0\0\1\0\0\0\0", 9), "a NUL in a string is refused");
	ok(accepts(&kvs_table, "\2\0\0\0\1\0\0\0a\0\0\0\0\1\0\0\0b\0\0\0\0", 22), "a sorted map");
	ok(!accepts(&kvs_table, "\2\0\0\0\1\0\0\0b\0\0\0\0\1\0\0\0a\0\0\0\0", 22),
	   "an unsorted map is refused");
	ok(!accepts(&kvs_table, "\2\0\0\0\1\0\0\0a\0\0\0\0\1\0\0\0a\0\0\0\0", 22),
	   "a key given twice is refused");
	ok(accepts(&u32_table, "\xff\xff\xff\xff\0\0\0\0", 8), "the largest 32-bit number");
	ok(!accepts(&u32_table, "\0\0\0\0\1\0\0\0", 8), "a number of more than 32 bits is refused");
	ok(accepts(&i32_table, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), "-1 as a signed number");
	ok(!accepts(&i32_table, "\xff\xff\xff\xff\0\0\0\0", 8),
	   "4294967295 as a signed 32-bit number is refused");
	ok(!accepts(&pol_cgroup_table, "\4\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0", 17),
	   "a number without a name in its table is refused");
	ok(accepts(&pol_cgroup_table, "\3\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0", 17),
	   "and one with a name is not");
}

static void test_allocation(void)
{
	static const uint8_t lengths[][4] = {
		{0xfe, 0xff, 0xff, 0xff}, {0, 0, 0, 0x80}, {0xff, 0xff, 0xff, 0x7f}, {0, 0, 1, 0}};
	struct err e = ERR_INIT;
	size_t most = 0;

	/* Every place in an encoding where a length may stand. */
	for (uint64_t seed = 1; seed <= 3; seed++) {
		arena_auto a = {0};
		buf_auto enc = BUF_WRITER(LIMIT);
		const struct policy *q;
		uint8_t old[4];

		policy_encode(&enc, gen_policy(seed, &a));
		for (size_t at = 16; at + 4 <= enc.n; at++) {
			memcpy(old, enc.p + at, 4);
			for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
				arena_auto b = {0};
				size_t used;

				memcpy(enc.p + at, lengths[i], 4);
				policy_decode(enc.p, enc.n, &b, &q, &e);
				used = b.used / (enc.n + sizeof(struct policy));
				most = used > most ? used : most;
			}
			memcpy(enc.p + at, old, 4);
		}
	}
	/* A list of strings takes 4 bytes for an element of 8, a list of rdma devices 6 for one of 40. */
	ok(most < 16, "a hostile length allocates no more than a small multiple of the input (%zu)",
	   most);
}

static void test_json(void)
{
	buf_auto text = BUF_WRITER(LIMIT);
	struct policy p = {.version = 3, .backend = POL_BACKEND_PROCESS};
	struct jsonw w;
	char *s;

	p.process.caps = (struct pol_caps){.set = true, .bounding = 1 << 21 | 1ULL << 50};
	p.process.oom_score_adj = (struct opt_i64){true, -1};
	p.process.args = (struct strs){.set = true};
	jw_init(&w, &text, false);
	codec_json(&w, &policy_table, &p);
	buf_put_u8(&text, 0);
	s = (char *) text.p;
	ok(strstr(s, "\"backend\":\"process\""), "a number with names is shown by name");
	ok(strstr(s, "\"bounding\":[\"CAP_SYS_ADMIN\",\"50\"]"),
	   "a mask is a list of names, unknown bits by number");
	ok(strstr(s, "\"oom_score_adj\":-1"), "a number that is set is shown");
	ok(!strstr(s, "umask"), "a number that is not set is left out");
	ok(strstr(s, "\"args\":[]") && !strstr(s, "\"env\""),
	   "an empty list is shown, an absent one is not");
	ok(!strstr(s, "seccomp"), "an embedded struct that is not set is left out");
	ok(!strstr(s, "hostname"), "a NULL string is left out");
}

/* SHA-256 of the encoding of the policy below. A new digest is a new POLICY_VERSION. */
#define STABLE_DIGEST "ce9c0d232092e5c97be949dbd525e90fcc0abf264a900a2b6f86f52d04a53ea0"

/* The bytes are part of what is attested and stored: they change only with the version. */
static void test_stable(void)
{
	char *args[] = {(char *) "sh"};
	buf_auto enc = BUF_WRITER(LIMIT);
	struct policy p = {.version = 3, .backend = POL_BACKEND_PROCESS, .has_process = true};
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];

	p.rootfs = (char *) "/bundle/rootfs";
	p.process.args = (struct strs){args, 1, true};
	policy_encode(&enc, &p);
	policy_digest(enc.p, enc.n, digest);
	sha256_hex(digest, hex);
	is_str(hex, STABLE_DIGEST, "the encoding of version 6 has not changed");
	p.seccomp.source = (char *) "somewhere else";
	enc.n = 0;
	policy_encode(&enc, &p);
	policy_digest(enc.p, enc.n, digest);
	sha256_hex(digest, hex);
	is_str(hex, STABLE_DIGEST, "what is only for people is not in the digest");
}

int main(void)
{
	test_coverage();
	test_round_trip();
	test_damage();
	test_refusals();
	test_one_way();
	test_allocation();
	test_json();
	test_stable();
	return done();
}

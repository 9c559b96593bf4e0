/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest json base */
/* The parts of kavach-attest against published values: encodings, digests, sessions, ID blocks, confinement. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attest/bytes.h"
#include "attest/confine.h"
#include "attest/crypto.h"
#include "attest/guid.h"
#include "attest/idblock.h"
#include "attest/launch.h"
#include "attest/launchdoc.h"
#include "attest/policy.h"
#include "attest/session.h"
#include "attest/sevcert.h"
#include "base/io.h"
#include "tests/unit/tap.h"

static struct arena arena;

static struct bytes hex(const char *s)
{
	size_t n = strlen(s) / 2;
	struct bytes b = {arena_alloc(&arena, n + 1), n};

	if (!hex_bytes(s, b.v, n))
		bail_out("bad hexadecimal in the test");
	return b;
}

static void is_hex(const uint8_t *got, size_t n, const char *want, const char *name)
{
	is_str(hex_text(&arena, got, n), want, "%s", name);
}

static struct bytes vector(const char *name)
{
	const char *src = getenv("KAVACH_SRC");
	struct bytes b;

	if (io_read_at(AT_FDCWD,
		       arena_printf(&arena, "%s/tests/vectors/sev/%s", src ? src : ".", name),
		       O_RDONLY, 1u << 20, &arena, &b) < 0)
		bail_out(arena_printf(&arena, "cannot read %s", name));
	return b;
}

static void encodings(void)
{
	static const char *const texts[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};
	static const char *const bad[] = {
		"Zg=", "Zg", "Zh==", "Zm9=", "Z===", "Zg==Zg==", "Zm 8", "====", "Zm9v\n"};
	uint8_t b[16], again[16];
	char text[GUID_TEXT];
	struct bytes out;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		size_t n = strlen(texts[i][0]);

		is_str(base64_text(&arena, (const uint8_t *) texts[i][0], n), texts[i][1],
		       "base64 of \"%s\" (RFC 4648)", texts[i][0]);
		ok(base64_bytes(texts[i][1], &arena, &out) && out.n == n &&
			   memcmp(out.v, texts[i][0], n) == 0,
		   "and back");
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ok(!base64_bytes(bad[i], &arena, &out), "refuses base64 \"%s\"", bad[i]);
	ok(guid_bytes("96b582de-1fb2-45f7-baea-a366c55a082d", GUID_EFI, b),
	   "a GUID in EFI's order");
	is_hex(b, 16, "de82b596b21ff745baeaa366c55a082d", "has three groups turned round");
	guid_text(b, GUID_EFI, text);
	is_str(text, "96b582de-1fb2-45f7-baea-a366c55a082d", "and back");
	ok(guid_bytes(text, GUID_RFC4122, again) &&
		   memcmp(again, hex("96b582de1fb245f7baeaa366c55a082d").v, 16) == 0,
	   "in RFC 4122's order it is as written");
	ok(!guid_bytes("96b582de-1fb2-45f7-baea-a366c55a082", GUID_EFI, b) &&
		   !guid_bytes("96b582de-1fb2-45f7-baea-a366c55a082d0", GUID_EFI, b) &&
		   !guid_bytes("96b582de01fb2-45f7-baea-a366c55a082d", GUID_EFI, b),
	   "other texts are none");
	ok(!hex_bytes("0g", b, 1) && !hex_bytes("000", b, 1) && hex_bytes("0xFf", b, 1) &&
		   b[0] == 255,
	   "hexadecimal has the right length and digits");
}

static void vmsa(void)
{
	/* tests/vectors/sev/measure.expected.json, "vmsa" */
	struct ovmf firmware = {.has_reset = true, .reset_eip = 0x80b004};
	struct launch_input in = {.firmware = &firmware, .cpu_signature = 0x800f12};
	uint8_t page[VMSA_LEN], sha[32];

	launch_vmsa(&in, 0, page);
	digest_of(DIGEST_SHA256, page, sizeof(page), sha);
	is_hex(sha, 32, "8295cef559b57130391d59605890ef93297720b48bef9a8c3c985b9c3fb0788c",
	       "VMSA of vCPU 0");
	in.legacy_vmsa = true;
	launch_vmsa(&in, 0, page);
	digest_of(DIGEST_SHA256, page, sizeof(page), sha);
	is_hex(sha, 32, "30a76bd1aa5adf81f02832d38c21e31b073cf0663dd2337455db2a3c210666af",
	       "VMSA of the old interface");
	ok(launch_cpu_signature("EPYC-Milan-v2") == 0xa00f11 &&
		   launch_cpu_signature("EPYC-v4") == 0x800f12 &&
		   launch_cpu_signature("EPYC-Genoa") == 0xa10f10 &&
		   launch_cpu_signature("EPYC-IBPB") == 0x800f12,
	   "CPU models with and without version");
	ok(!launch_cpu_signature("EPYC-v9") && !launch_cpu_signature("EPYC-Milan-v") &&
		   !launch_cpu_signature("host") && !launch_cpu_signature("EPYC-IBPB-v1") &&
		   !launch_cpu_signature("EPYC-v10"),
	   "and no others");
}

static void sessions(void)
{
	/* tests/vectors/sev/sev-session.expected.json */
	struct session_keys zero = {0}, k;
	uint8_t none[16] = {0}, blob[SESSION_BLOB_LEN], m[MEASURE_LEN], head[SECRET_HEAD_LEN];
	struct measure_input in = {.api_major = 1, .api_minor = 55, .build = 21, .policy = 1};
	struct secret_entry secret = {.guid = "736869e5-84f0-4973-92ec-06879ce3da0b"};
	struct bytes table, cipher;
	struct err e = ERR_INIT;

	session_blob(&zero, (struct bytes){none, 16}, none, none, 0, blob);
	is_hex(blob + 16, 32, "2137bc7f9bb8bd7c3e55a576a15d3454b3856b8ba27afadf46dcfee9f02c02c4",
	       "session: wrapped keys");
	is_hex(blob + 64, 32, "3176c0752738bd9d5e86689534020f528c088f16238826b000b327dee6aeed7d",
	       "session: MAC over them");
	is_hex(blob + 96, 32, "aa7855e13839dd767cd5da7c1ff5036540c9264b7a803029315e55375287b4af",
	       "session: MAC over the policy");

	memcpy(k.tek, hex("101112131415161718191a1b1c1d1e1f").v, 16);
	memcpy(k.tik, hex("000102030405060708090a0b0c0d0e0f").v, 16);
	memcpy(in.launch_digest,
	       hex("82a3ee5d537c3620628270c292ae30cb40c3c878666a7890ee7ef2a08fb535ff").v, 32);
	memcpy(in.mnonce, hex("202122232425262728292a2b2c2d2e2f").v, 16);
	session_measure(&k, &in, m);
	is_hex(m, 32, "3fbd94b5ff3a8322ebb0ccddcce1b5d28a1377d258160b97be17c17ff36bdb65",
	       "launch measure");
	in.policy = 3;
	session_measure(&k, &in, m);
	ok(m[0] != 0x3f || m[1] != 0xbd, "which depends on the policy");

	secret.data = (struct bytes){(uint8_t *) (uintptr_t) "correct horse battery staple", 28};
	is_int(session_secret_table(&secret, 1, &arena, &table, &e), 0, "a table with one secret");
	is_hex(table.v, table.n,
	       "42f5741edd71664d963eef4287ff173b44000000e5696873f084734992ec06879ce3da0b30000000"
	       "636f727265637420686f727365206261747465727920737461706c65000000000000000000000000",
	       "is padded to 16 bytes");
	session_secret_packet(
		&k, table, hex("303132333435363738393a3b3c3d3e3f").v, 0,
		hex("3fbd94b5ff3a8322ebb0ccddcce1b5d28a1377d258160b97be17c17ff36bdb65").v, &arena,
		head, &cipher);
	is_hex(cipher.v, 16, "aad032d198497e56a934cb7b86f8ea3b", "its packet is encrypted");
	is_hex(head, sizeof(head),
	       "00000000303132333435363738393a3b3c3d3e3f116e29c3c7757e1ec57a73e601f7999ac513c1436f"
	       "dbd5286badac180a2b9da4",
	       "and has the header of the vector");
	secret.guid = "no-guid";
	ok(session_secret_table(&secret, 1, &arena, &table, &e) == -EINVAL &&
		   strstr(e.msg, "no-guid"),
	   "a secret's name must be a GUID");
	secret.guid = "736869e5-84f0-4973-92ec-06879ce3da0b";
	secret.data.n = 1 << 20;
	is_int(session_secret_table(&secret, 1, &arena, &table, &e), -E2BIG,
	       "secrets have to fit a packet");
}

static void id_blocks(void)
{
	struct bytes block = vector("idblock/id_block.bin"), auth = vector("idblock/id_auth.bin");
	uint8_t id[48], author[48], copy[ID_AUTH_LEN];
	struct id_block b;
	struct eckey *k;
	struct err e = ERR_INIT;
	bool has_author = false;

	ok(block.n == ID_BLOCK_LEN && auth.n == ID_AUTH_LEN, "vectors of the right size");
	is_int(id_block_decode(block.v, &b, &e), 0, "a published ID block");
	ok(b.policy == 0x30000 && b.guest_svn == 0, "with its policy");
	id_block_encode(&b, copy);
	ok(memcmp(copy, block.v, ID_BLOCK_LEN) == 0, "encodes to the same bytes");
	is_int(id_auth_check(block.v, auth.v, id, author, &has_author, &e), 0,
	       "its signatures are good");
	ok(has_author, "there is an author key");
	is_hex(id, 48,
	       "59fb2c686dfa4fef49f38339aa775c90051c28d57383ddc3baf3b5eb4b1496df3b0dbbdcbae5fe27677a644820773fe2",
	       "digest of the ID key");
	is_hex(author, 48,
	       "eed81169fb0cb5e0ec34794f128fd4e0c4a46f67c65a1adfa81fcb24bcc088c272369b7ffc3eb2b6af6a4284a1b36c5f",
	       "digest of the author key");
	for (size_t at = 0; at < ID_BLOCK_LEN; at += 5) {
		memcpy(copy, block.v, ID_BLOCK_LEN);
		copy[at] ^= 1;
		if (id_auth_check(copy, auth.v, id, author, &has_author, &e) == 0)
			ok(false, "byte %zu of the block may be changed", at);
	}
	for (size_t i = 0; i < 4; i++) {
		static const size_t places[] = {0x40, 0x40 + 72, 0x680, 0x40 + 500};

		memcpy(copy, auth.v, ID_AUTH_LEN);
		copy[places[i]] ^= 0x80;
		err_clear(&e);
		ok(id_auth_check(block.v, copy, id, author, &has_author, &e) == -EBADMSG,
		   "a flipped bit at 0x%zx of the signatures is found: %s", places[i], e.msg);
	}
	memcpy(copy, auth.v, ID_AUTH_LEN);
	memset(copy + 0x40, 0, 72);
	ok(id_auth_check(block.v, copy, id, author, &has_author, &e) == -EBADMSG &&
		   strstr(e.msg, "r or s"),
	   "r must not be 0");
	memcpy(copy, auth.v, ID_AUTH_LEN);
	copy[0x240 + 4] ^= 1;
	ok(id_auth_check(block.v, copy, id, author, &has_author, &e) < 0 && strstr(e.msg, "point"),
	   "a key must be a point of the curve");
	is_int(eckey_from_pem(vector("idblock/ssm_id_key.pub.pem"), false, "key", &k, &e), 0,
	       "a key in PEM");
	eckey_digest(k, id);
	is_hex(id, 48,
	       "870b7e35c53f8a72d0d322f75ab2af8262792aaf6579622ce4131c3f21f289e77cb0560a5e3b90b3932e674ec709cb14",
	       "has the published digest");
	eckey_free(k);
	ok(eckey_from_pem(block, true, "--id-key", &k, &e) == -EINVAL && strstr(e.msg, "--id-key"),
	   "what is no key is refused by its name");
}

static void policies(void)
{
	struct err e = ERR_INIT;

	is_str(snp_policy_text(0x30000, &arena), "ABI 0.0, SMT allowed, no debug",
	       "the usual guest policy in words");
	is_str(snp_policy_text(0xb0137, &arena), "ABI 1.55, SMT allowed, DEBUG ALLOWED",
	       "debugging is not to be missed");
	ok(snp_policy_check(0x30000, &e) == 0 && snp_policy_check(0x3ff0000, &e) == 0,
	   "policies of firmware 1.58");
	ok(snp_policy_check(0x10000, &e) < 0 && snp_policy_check(1ull << 26 | 0x30000, &e) < 0 &&
		   snp_policy_check(1ull << 63 | 0x30000, &e) < 0,
	   "reserved bits are refused");
}

/* what is left to a confined process: 0, or the number of the first thing that it should not have been able to do */
static int confined(void)
{
	struct err e = ERR_INIT;
	uint8_t sha[48];

	if (confine_self(&e) < 0)
		return 1;
	digest_of(DIGEST_SHA384, "x", 1, sha);
	if (open("/dev/null", O_RDONLY) >= 0)
		return 2;
	if (socket(AF_INET, SOCK_DGRAM, 0) >= 0)
		return 3;
	if (fork() >= 0)
		return 4;
	if (setuid(0) == 0)
		return 5;
	return sha[0] ? 0 : 6;
}

/* Files of tests/vectors/sev/sev-legacy, in this order. */
static struct bytes chain_file(const char *platform, size_t i)
{
	static const char *const names[] = {"pdh", "pek", "oca", "cek", "ask", "ark"};

	return vector(arena_printf(&arena, "sev-legacy/%s-%s.cert", platform, names[i]));
}

static int judge(const struct sev_chain *c, struct err *e)
{
	const char *product = NULL;
	struct eckey *pdh = NULL;
	int r;

	err_clear(e);
	r = sev_chain_verify(c, NULL, &product, &pdh, e);
	eckey_free(pdh);
	return r;
}

static void platforms(void)
{
	static const char *const platform[] = {"naples", "rome"}, *const product[] = {"Naples",
										      "Rome"};
	static const size_t bits[] = {0,    5,	  10,	16,   30,   100, 180,
				      1000, 1043, 1044, 1052, 1130, 1564};
	struct err e = ERR_INIT;

	for (size_t p = 0; p < 2; p++) {
		struct sev_chain c = {0}, other;
		struct eckey *pdh = NULL;
		const char *found = "";
		size_t missed = 0;

		for (size_t i = SEV_CERTS; i-- > 0;)
			if (sev_chain_add(&c, chain_file(platform[p], i), "file", &e) < 0)
				bail_out(e.msg);
		is_int(sev_chain_verify(&c, NULL, &found, &pdh, &e), 0,
		       "a genuine platform's chain is good: %s", platform[p]);
		is_str(found, product[p], "and it is known whose it is");
		eckey_free(pdh);
		for (size_t i = 0; i < SEV_CERTS; i++) {
			other = c;
			other.v[i] = (struct bytes){0};
			ok(judge(&other, &e) == -ENOENT, "without one of them there is none: %s",
			   e.msg);
			other.v[i] = chain_file(platform[!p], i);
			ok(judge(&other, &e) == -EBADMSG, "one of another platform breaks it: %s",
			   e.msg);
		}
		/* each bit that counts, of each certificate of the platform; an unused second signature does not */
		for (size_t i = 0; i <= SEV_CEK; i++)
			for (size_t b = 0; b < ARRAY_LEN(bits); b++) {
				other = c;
				other.v[i].v = arena_memdup(&arena, c.v[i].v, c.v[i].n);
				other.v[i].v[bits[b]] ^= 1;
				missed += (bits[b] < 1564 || i == SEV_PEK) &&
					  judge(&other, &e) == 0;
			}
		for (size_t i = SEV_ASK; i < SEV_CERTS; i++)
			for (size_t at = 0; at < c.v[i].n; at += 37) {
				other = c;
				other.v[i].v = arena_memdup(&arena, c.v[i].v, c.v[i].n);
				other.v[i].v[at] ^= 1;
				missed += judge(&other, &e) == 0;
			}
		is_int((long) missed, 0, "no changed byte is overlooked: %s", platform[p]);
	}
}

static void roots_of_all(void)
{
	static const char *const names[] = {"naples", "rome", "milan", "genoa", "turin"};
	struct sev_chain c;
	struct err e = ERR_INIT;

	/* what is missing is the platform, not the trust: the rest of the chain is Rome's */
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		c = (struct sev_chain){0};
		for (size_t i = 0; i < SEV_CERTS; i++)
			c.v[i] = chain_file(i < SEV_ASK ? "rome" : names[n], i);
		judge(&c, &e);
		ok(n == 1 ? !e.code : strstr(e.msg, "CEK, as signed by the ASK") != NULL,
		   "AMD's root for %s is known, and has signed its ASK: %s", names[n], e.msg);
	}
	c = (struct sev_chain){0};
	is_int(sev_chain_add(&c, vector("idblock/id_auth.bin"), "file", &e), -EBADMSG,
	       "what is no certificate is refused");
}

static void launches(void)
{
	static const char text[] =
		"{\"type\":\"kavach-launch\",\"version\":1,\"kind\":\"sev\",\"apiMajor\":1,"
		"\"apiMinor\":55,\"build\":21,\"policy\":1,\"measurement\":"
		"\"P72Utf86gyLrsMzdzOG10ooTd9JYFguXvhfBf/Nr22UgISIjJCUmJygpKissLS4v\"}";
	struct bytes doc = {(uint8_t *) (uintptr_t) text, strlen(text)};
	const uint8_t
		*digest = hex("82a3ee5d537c3620628270c292ae30cb40c3c878666a7890ee7ef2a08fb535ff").v;
	struct session_keys k = {0};
	struct launch_doc d;
	struct err e = ERR_INIT;

	memcpy(k.tik, hex("000102030405060708090a0b0c0d0e0f").v, 16);
	is_int(launch_doc_parse("launch", doc, &arena, &d, &e), 0, "a launch, as a host shows it");
	is_int(launch_doc_judge(&d, &k, 1, digest, &e), 0, "is the one of its session and digest");
	ok(launch_doc_judge(&d, &k, 3, digest, &e) == -EBADMSG && strstr(e.msg, "0x3"),
	   "not of another policy: %s", e.msg);
	d.build++;
	err_clear(&e);
	ok(launch_doc_judge(&d, &k, 1, digest, &e) == -EBADMSG, "nor of other firmware: %s", e.msg);
	d.build--;
	k.tik[0] ^= 1;
	err_clear(&e);
	is_int(launch_doc_judge(&d, &k, 1, digest, &e), -EBADMSG, "nor of another session");
	for (size_t cut = 1; cut < 40; cut++) {
		err_clear(&e);
		if (launch_doc_parse("launch", (struct bytes){doc.v, doc.n - cut}, &arena, &d,
				     &e) == 0)
			ok(false, "%zu bytes short", cut);
	}
}

static void confinement(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(confined());
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status),
	   "a confined process ends by itself");
	is_int(WEXITSTATUS(status), 0,
	       "it can compute, and neither open, connect, fork nor become root");
}

int main(void)
{
	encodings();
	vmsa();
	sessions();
	id_blocks();
	policies();
	platforms();
	roots_of_all();
	launches();
	confinement();
	arena_free(&arena);
	return done();
}

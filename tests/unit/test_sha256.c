/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* SHA-256 against the vectors of FIPS 180-4 / NIST CAVP, and against OpenSSL for random input. */
#include "base/sha256.h"

#include <unistd.h>

#include "base/types.h"
#include "tests/unit/tap.h"

#define ORACLE_FILES 200

static const char *hex_of(const void *p, size_t n)
{
	static char hex[SHA256_HEX];
	uint8_t d[SHA256_LEN];

	sha256(p, n, d);
	sha256_hex(d, hex);
	return hex;
}

static void test_vectors(void)
{
	static const struct {
		const char *in, *hex;
	} t[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
		/* CAVP SHA256ShortMsg, Len = 8 and 16 */
		{"\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
		{"\x11\xaf", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		is_str(hex_of(t[i].in, strlen(t[i].in)), t[i].hex, "vector %zu", i);
}

static void test_million(void)
{
	uint8_t d[SHA256_LEN];
	char block[1000], hex[SHA256_HEX];
	struct sha256 s;

	memset(block, 'a', sizeof(block));
	sha256_init(&s);
	for (int i = 0; i < 1000; i++)
		sha256_add(&s, block, sizeof(block));
	sha256_end(&s, d);
	sha256_hex(d, hex);
	is_str(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	       "a million times 'a'");
}

static void test_pieces(void)
{
	uint8_t data[300], whole[SHA256_LEN], parts[SHA256_LEN];
	int bad = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t) (i * 31);
	for (size_t n = 0; n <= sizeof(data); n++)
		for (size_t cut = 0; cut <= n; cut += 1 + cut / 7) {
			struct sha256 s;

			sha256(data, n, whole);
			sha256_init(&s);
			sha256_add(&s, data, cut);
			sha256_add(&s, NULL, 0);
			sha256_add(&s, data + cut, n - cut);
			sha256_end(&s, parts);
			bad += memcmp(whole, parts, sizeof(whole)) != 0;
		}
	is_int(bad, 0, "the cuts between pieces do not matter");
}

/* Writes files of random length and content; ours[i] gets our digest of file i. */
static int write_files(const char *dir, char (*ours)[SHA256_HEX])
{
	static uint8_t data[70000];

	srand(20260101);
	for (int i = 0; i < ORACLE_FILES; i++) {
		size_t n = i < 130 ? (size_t) i : (size_t) rand() % sizeof(data);
		char path[64];
		FILE *f;

		for (size_t k = 0; k < n; k++)
			data[k] = (uint8_t) rand();
		snprintf(path, sizeof(path), "%s/%03d", dir, i);
		f = fopen(path, "w");
		if (!f || fwrite(data, 1, n, f) != n || fclose(f))
			return -1;
		strcpy(ours[i], hex_of(data, n));
	}
	return 0;
}

static void test_oracle(void)
{
	static char ours[ORACLE_FILES][SHA256_HEX];
	char dir[] = "/tmp/kavach-sha256-XXXXXX", cmd[128], line[256];
	int n = 0, bad = 0;
	FILE *p;

	if (system("openssl version >/dev/null 2>&1")) {
		skip("no openssl program", "equals OpenSSL for random input");
		return;
	}
	if (!mkdtemp(dir) || write_files(dir, ours))
		bail_out("cannot write files");
	snprintf(cmd, sizeof(cmd), "openssl dgst -sha256 -r %s/*", dir);
	p = popen(cmd, "r");
	while (p && n < ORACLE_FILES && fgets(line, sizeof(line), p)) {
		line[64] = '\0';
		bad += strcmp(line, ours[n++]) != 0;
	}
	ok(p && pclose(p) == 0 && n == ORACLE_FILES && bad == 0,
	   "equals OpenSSL for %d files of random length", ORACLE_FILES);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (system(cmd))
		printf("# %s is left behind\n", dir);
}

int main(void)
{
	test_vectors();
	test_million();
	test_pieces();
	test_oracle();
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: audit base */
/* What is done to a log afterwards is found, and named: every byte, every line, every file; and what an attacker with the
 * present key can do and cannot. */
#include "tests/unit/audit_log.h"

#include "base/hmac.h"
#include "base/types.h"

static struct image whole, key;

/* A small log, with copies to come back to. */
static void begin(void)
{
	log_new(AUDIT_ROTATE, 0);
	log_add(5);
	free(whole.p);
	free(key.p);
	whole = load(log_file(0));
	key = load(log_path("key"));
}

static void put_back(void)
{
	store(log_file(0), whole.p, whole.n);
	store(log_path("key"), key.p, key.n);
}

static void test_intact(void)
{
	begin();
	ok(log_verify() == 0 && verdict.first == 0 && verdict.next == 6 && verdict.files == 1,
	   "a log that nobody touched is intact");
	is_int(log_verify_chain(), 0, "... also without the key");
}

static void test_bytes(void)
{
	static const uint8_t changes[] = {0x01, 0x20, 0x80};
	int keyed = 0, chain = 0;

	begin();
	for (size_t i = 0; i < whole.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(changes); k++) {
			whole.p[i] ^= changes[k];
			store(log_file(0), whole.p, whole.n);
			whole.p[i] ^= changes[k];
			keyed += log_verify() <= 0;
			chain += log_verify_chain() <= 0;
		}
	is_int(keyed, 0, "a change of any of %zu bytes is found", whole.n);
	is_int(chain, 0, "... also without the key");
	put_back();
	is_int(log_verify(), 0, "... and the change only");
}

static void test_inserted_and_removed_bytes(void)
{
	int missed = 0;
	uint8_t *p;

	begin();
	p = malloc(whole.n + 1);
	if (!p)
		bail_out("no memory");
	for (size_t i = 0; i < whole.n; i++) {
		memcpy(p, whole.p, i);
		memcpy(p + i, whole.p + i + 1, whole.n - i - 1);
		store(log_file(0), p, whole.n - 1);
		missed += log_verify() <= 0;
		memcpy(p, whole.p, i);
		p[i] = i % 2 ? '\n' : 'x';
		memcpy(p + i + 1, whole.p + i, whole.n - i);
		store(log_file(0), p, whole.n + 1);
		/* behind the last record: a writer that did not finish */
		missed += log_verify() <= 0 && verdict.pending != 1;
	}
	is_int(missed, 0, "a byte removed or put in anywhere is found");
	free(p);
}

static void test_truncation(void)
{
	int keyed = 0, chain = 0;

	begin();
	for (size_t n = 0; n < whole.n; n++) {
		store(log_file(0), whole.p, n);
		keyed += log_verify() <= 0;
		chain += log_verify_chain() <= 0;
	}
	is_int(keyed + chain, 0, "truncation after any byte is found, with the key and without");
	store(log_file(0), whole.p, line_at(&whole, 4));
	log_verify();
	is_str(log_problems, "records 4 to 5 are missing at the end\n",
	       "... and says what is missing");
}

static void test_lines(void)
{
	char want[128];
	int wrong = 0;

	begin();
	for (unsigned i = 0; i < 6; i++) {
		size_t a = line_at(&whole, i), b = line_at(&whole, i + 1);
		uint8_t *p = malloc(whole.n);

		memcpy(p, whole.p, a);
		memcpy(p + a, whole.p + b, whole.n - b);
		store(log_file(0), p, whole.n - (b - a));
		log_verify();
		snprintf(want, sizeof(want), "record %u is missing", i);
		wrong += !strstr(log_problems, want) && i > 0;
		wrong += verdict.problems == 0;
		free(p);
	}
	is_int(wrong, 0, "a line that was removed is missed by its number");
}

static void test_swaps(void)
{
	int wrong = 0;

	begin();
	for (unsigned i = 0; i < 5; i++) {
		size_t a = line_at(&whole, i), b = line_at(&whole, i + 1),
		       c = line_at(&whole, i + 2);
		uint8_t *p = malloc(whole.n);

		memcpy(p, whole.p, whole.n);
		memcpy(p + a, whole.p + b, c - b);
		memcpy(p + a + (c - b), whole.p + a, b - a);
		store(log_file(0), p, whole.n);
		log_verify();
		wrong += !strstr(log_problems, "stands where record");
		store(log_file(0), p, a + (c - b)); /* and none of the rest */
		wrong += log_verify() <= 0;
		free(p);
	}
	is_int(wrong, 0, "lines that changed places are found");
}

static void test_named(void)
{
	uint8_t *at;

	begin();
	at = memmem(whole.p + line_at(&whole, 3), 600, "box2", 4);
	at[3] = '7';
	store(log_file(0), whole.p, whole.n);
	log_verify();
	is_str(log_problems,
	       "record 3 (audit-00000000000000000000.jsonl line 4) was changed, or not written with "
	       "its key\n",
	       "a change is named once, by number and place");
	log_verify_chain();
	is_str(log_problems,
	       "record 4 (audit-00000000000000000000.jsonl line 5) does not follow the record before "
	       "it\n",
	       "... without the key, by the record behind it");
}

static void test_key_file(void)
{
	int missed = 0;

	begin();
	for (size_t i = 0; i < key.n; i++) {
		key.p[i] ^= 4;
		store(log_path("key"), key.p, key.n);
		missed += log_verify() <= 0;
		key.p[i] ^= 4;
	}
	is_int(missed, 0, "a change of any byte of the key file is found");
	unlink(log_path("key"));
	ok(log_verify() > 0 && strstr(log_problems, "cannot be known"),
	   "a log without its key file is not called intact");
}

/* Cut, with a key file made up to fit: all that can be had without the old key. */
static void test_made_up_key(void)
{
	struct audit_state s;

	begin();
	if (!audit_state_decode(key.p, &s))
		bail_out("the key block cannot be read");
	s.seq = 4;
	s.size = line_at(&whole, 4);
	sha256(whole.p + line_at(&whole, 3), s.size - line_at(&whole, 3) - 1, s.head);
	audit_state_encode(&s, key.p);
	store(log_path("key"), key.p, key.n);
	store(log_file(0), whole.p, s.size);
	ok(log_verify() == 1 && strstr(log_problems, "the key file was replaced"),
	   "a log that was cut, with a key file made to fit, is found");
	is_int(log_verify_chain(), 0, "... which without the key it is not");
}

/* The key of today forges tomorrow, not yesterday. */
static void test_stolen_key(void)
{
	struct audit_state s;
	struct image m;

	begin();
	if (!audit_state_decode(key.p, &s))
		bail_out("the key block cannot be read");
	log_add(1);
	m = load(log_file(0));
	for (unsigned i = 0; i < 6; i++) {
		struct audit_line l;
		char *p = (char *) m.p + line_at(&m, i);
		size_t n = line_at(&m, i + 1) - line_at(&m, i) - 1;
		uint8_t mac[SHA256_LEN];
		char hex[SHA256_HEX];

		if (!audit_line_parse(p, n, &l))
			bail_out("no line");
		p[l.signed_len - 100] ^= 1;
		hmac_sha256(s.key, AUDIT_KEY_LEN, p, l.signed_len, mac);
		sha256_hex(mac, hex);
		memcpy(p + l.signed_len + 8, hex, 64);
	}
	store(log_file(0), m.p, m.n);
	ok(log_verify() >= 6, "the present key makes no MAC that fits an earlier record");
	free(m.p);
}

static void test_rollback(void)
{
	struct image log5, key5;
	struct audit_verify v = {.k0 = log_k0};
	struct audit_state s;
	struct err e = ERR_INIT;

	begin();
	log5 = load(log_file(0));
	key5 = load(log_path("key"));
	log_add(3);
	if (audit_head(log_dir, &s, &e) < 0)
		bail_out(e.msg);
	v.has_anchor = true;
	v.anchor_seq = s.seq - 1;
	memcpy(v.anchor, s.head, sizeof(v.anchor));
	is_int(log_verify_with(&v), 0, "a head that was noted elsewhere is found again");
	store(log_file(0), log5.p, log5.n);
	store(log_path("key"), key5.p, key5.n);
	is_int(log_verify(), 0, "an earlier state of all files looks intact by itself");
	ok(log_verify_with(&v) == 1 && strstr(log_problems, "record 8, which was seen elsewhere"),
	   "... but not to who has noted a head");
	v.anchor_seq = 3;
	ok(log_verify_with(&v) == 1 && strstr(log_problems, "record 3 is not the one"),
	   "a record that was seen to be another is found");
	free(log5.p);
	free(key5.p);
}

static void test_wrong_key(void)
{
	struct audit_verify v;
	uint8_t other[AUDIT_KEY_LEN] = {1};

	begin();
	v = (struct audit_verify){.k0 = other};
	ok(log_verify_with(&v) == -EKEYREJECTED && strstr(log_problems, "the key is that of log"),
	   "the key of another log is not taken for a forgery");
}

/* ---- several files ---- */

static void begin_rotated(uint32_t keep)
{
	log_new(AUDIT_ROTATE_MIN, keep);
	log_add(60);
}

static void files_now(struct u64s *ret, struct arena *a)
{
	int fd = open(log_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	if (fd < 0 || audit_files(fd, a, ret, &e) < 0)
		bail_out("no files");
	close(fd);
}

static void test_rotation(void)
{
	arena_auto a = {0};
	struct u64s f;

	begin_rotated(0);
	files_now(&f, &a);
	ok(f.n > 4 && f.v[0] == 0, "a log that grows has several files (%zu)", f.n);
	is_int(log_verify(), 0, "... with one chain through them");
	begin_rotated(2);
	files_now(&f, &a);
	is_int(f.n, 3, "two older files are kept");
	ok(log_verify() == 0 && verdict.first == f.v[0] && verdict.first > 0,
	   "... and it is known what rotation removed");
	is_int(log_verify_chain(), 0, "... also without the key");
}

static void test_files(void)
{
	arena_auto a = {0};
	struct image m;
	struct u64s f;
	char from[256];

	begin_rotated(2);
	files_now(&f, &a);
	unlink(log_file(f.v[0]));
	ok(log_verify() > 0 && strstr(log_problems, "no rotation removed them"),
	   "the oldest file that is kept is missed");

	begin_rotated(0);
	files_now(&f, &a);
	unlink(log_file(f.v[1]));
	ok(log_verify() > 0 && strstr(log_problems, "are missing before"),
	   "a file from the middle is missed");

	begin_rotated(0);
	unlink(log_file(f.v[f.n - 1]));
	ok(log_verify() > 0 && strstr(log_problems, "missing at the end"),
	   "the last file is missed");

	begin_rotated(0);
	m = load(log_file(f.v[1]));
	store(log_file(f.v[2]), m.p, m.n);
	ok(log_verify() > 0 && strstr(log_problems, "renamed or replaced"),
	   "a file in the place of another is found");
	free(m.p);

	begin_rotated(0);
	files_now(&f, &a);
	strcpy(from, log_file(f.v[2]));
	rename(from, log_file(f.v[2] + 1));
	ok(log_verify() > 0, "a file with another name is found");

	begin_rotated(0);
	store(log_file(1), "", 0);
	is_int(log_verify(), 0, "an empty file says nothing");
}

static void test_other_log(void)
{
	struct image m;

	begin();
	m = load(log_file(0));
	log_new(AUDIT_ROTATE, 0);
	log_add(5);
	store(log_file(0), m.p, m.n);
	ok(log_verify() > 0 && strstr(log_problems, "record of another log"),
	   "records of another log are found");
	free(m.p);
}

int main(void)
{
	logs_begin();
	test_intact();
	test_bytes();
	test_inserted_and_removed_bytes();
	test_truncation();
	test_lines();
	test_swaps();
	test_named();
	test_key_file();
	test_made_up_key();
	test_stolen_key();
	test_rollback();
	test_wrong_key();
	test_rotation();
	test_files();
	test_other_log();
	logs_end();
	return done();
}

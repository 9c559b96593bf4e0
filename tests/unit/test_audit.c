/* SPDX-License-Identifier: Apache-2.0 */
/* libs: audit base */
/*
 * The audit log as it is kept: keys, the frame of a line, and what the next writer makes of each state in which a writer
 * can have been killed. What changes of a log are found is test_audit_verify's.
 */
#include "tests/unit/audit_log.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/hmac.h"
#include "base/types.h"

static void test_keys(void)
{
	uint8_t key[AUDIT_KEY_LEN];
	char hex[SHA256_HEX], name[AUDIT_ID_HEX];

	/* computed with Python's hashlib */
	for (uint8_t i = 0; i < AUDIT_KEY_LEN; i++)
		key[i] = i;
	audit_log_name(key, name);
	is_str(name, "926549483ef8097e", "a log's name comes from its first key");
	audit_next_key(key);
	sha256_hex(key, hex);
	is_str(hex, "8958c9d7c9211ca06cea086d44403a8a9a4096c747c1852d0e9d1dba6531ef86",
	       "the second key");
	for (int i = 1; i < 1000; i++)
		audit_next_key(key);
	sha256_hex(key, hex);
	is_str(hex, "39594839e5e907002343c42dd1733bb801f8c855d710857299b7d00808187327",
	       "the thousandth key");
}

static void test_block(void)
{
	struct audit_state s = {.set = {.fsync = true, .rotate_bytes = 4096, .keep = 3},
				.log = "0123456789abcdef",
				.seq = 9,
				.first = 4,
				.size = 777},
			   back = {0};
	uint8_t block[AUDIT_BLOCK];
	int bad = 0;

	memset(s.key, 7, sizeof(s.key));
	audit_state_encode(&s, block);
	ok(audit_state_decode(block, &back) && back.seq == 9 && back.first == 4 &&
		   back.size == 777 && back.set.fsync && !back.set.syslog && back.set.keep == 3 &&
		   !strcmp(back.log, s.log) && !memcmp(back.key, s.key, sizeof(s.key)),
	   "a key block is read back as it was written");
	for (size_t i = 0; i < AUDIT_BLOCK; i++) {
		block[i] ^= 0x10;
		bad += audit_state_decode(block, &back);
		block[i] ^= 0x10;
	}
	is_int(bad, 0, "a key block with any byte changed is refused");
	s.first = 10;
	audit_state_encode(&s, block);
	ok(!audit_state_decode(block, &back), "refuses a file that begins after the next record");
}

static void test_time(void)
{
	char ours[AUDIT_TIME_MAX], libc[AUDIT_TIME_MAX];
	int bad = 0;

	audit_time(951782399, 5, ours);
	is_str(ours, "2000-02-28T23:59:59.000000005Z", "a time in UTC");
	/* steps of some 11 days, through leap years and the ends of centuries */
	for (int64_t t = 0; t < 253402300800; t += 950017) {
		const time_t sec = (time_t) t;
		struct tm tm;

		gmtime_r(&sec, &tm);
		strftime(libc, sizeof(libc), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
		audit_time(t, 0, ours);
		bad += strcmp(ours, libc) != 0;
	}
	is_int(bad, 0, "all days to the year 9999 are the C library's");
}

/* ---- lines ---- */

static struct buf line_of(const struct audit_event *ev)
{
	static const struct audit_caller c = {.uid = 1, .loginuid = -1, .comm = "a\"b\n"};
	struct audit_state s = {.log = "0123456789abcdef", .seq = 42};
	struct err e = ERR_INIT;
	struct buf b;

	if (audit_record(&s, ev, &c, &b, &e) < 0)
		bail_out(e.msg);
	return b;
}

static void test_line(void)
{
	const struct audit_event ev = {.kind = AUDIT_START, .outcome = AUDIT_OK, .by = "t"};
	struct buf b = line_of(&ev);
	uint8_t mac[SHA256_LEN], key[AUDIT_KEY_LEN] = {0};
	struct audit_line l;
	int good = 0;

	ok(audit_line_parse((char *) b.p, b.n - 1, &l) && l.seq == 42 &&
		   !strcmp(l.log, "0123456789abcdef"),
	   "the frame of a line is found");
	ok(!memcmp(b.p + l.signed_len, ",\"mac\":\"", 8), "what is signed ends before the MAC");
	hmac_sha256(key, sizeof(key), b.p, l.signed_len, mac);
	ok(digest_equal(mac, l.mac), "the MAC is of these bytes");
	for (size_t n = 0; n < b.n - 1; n++)
		good += audit_line_parse((char *) b.p, n, &l);
	is_int(good, 0, "no part of a line is a line");
	ok(!audit_line_parse((char *) b.p, b.n, &l), "a line has no newline in it");
	buf_free(&b);
}

static void test_foreign_text(void)
{
	char text[4 * AUDIT_TEXT_MAX];
	struct audit_event ev = {
		.kind = AUDIT_REFUSAL, .outcome = AUDIT_REFUSED, .by = "t", .reason = text};
	struct audit_line l;
	struct buf b;
	size_t control = 0;

	/* the worst: each byte takes six in JSON */
	memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	ev.id = ev.config_digest = ev.policy_digest = ev.backend = text;
	b = line_of(&ev);
	ok(b.n <= AUDIT_LINE_MAX && audit_line_parse((char *) b.p, b.n - 1, &l),
	   "texts of any length and content fit into a line (%zu bytes)", b.n);
	for (size_t i = 0; i < b.n - 1; i++)
		control += b.p[i] < 0x20;
	is_int(control, 0, "no control character is left in it");
	buf_free(&b);

	memset(text, 'x', AUDIT_TEXT_MAX - 1);
	strcpy(text + AUDIT_TEXT_MAX - 1, "\xc3\xa4");
	ev = (struct audit_event){.kind = AUDIT_KILL, .outcome = AUDIT_OK, .by = "t", .id = text};
	b = line_of(&ev);
	ok(!memmem(b.p, b.n, "\xef\xbf\xbd", 3), "a text is cut where a character ends");
	buf_free(&b);
}

/* ---- after a kill ---- */

static const char *last_line(uint64_t file)
{
	static struct image m;
	size_t at;

	free(m.p);
	m = load(log_file(file));
	for (at = m.n - 1; at && m.p[at - 1] != '\n'; at--)
		continue;
	m.p[m.n - 1] = 0;
	return (char *) m.p + at;
}

/* The line before the last. */
static bool recovery_says(uint64_t file, const char *text)
{
	struct image m = load(log_file(file));
	bool found = strstr((char *) m.p, "\"event\":\"recovery\"") && strstr((char *) m.p, text);

	if (!found)
		printf("# %s not in:\n# %s\n", text, (char *) m.p);
	free(m.p);
	return found;
}

static void intact(const char *what)
{
	int n = log_verify();

	is_int(n, 0, "%s", what);
	if (n)
		printf("# %s", log_problems);
}

static void test_adopt(unsigned lines)
{
	struct image key;
	char want[64];

	log_new(AUDIT_ROTATE, 0);
	log_add(3);
	key = load(log_path("key"));
	log_add(lines);
	store(log_path("key"), key.p, key.n);
	ok(log_verify() == 0 && verdict.pending > 0 && verdict.next == 4,
	   "key %u behind: intact, and what is pending is said", lines);
	log_add(1);
	snprintf(want, sizeof(want), "\"adopted\":%u,\"cut\":0", lines);
	ok(recovery_says(0, want), "key %u behind: the lines are adopted, on record", lines);
	intact("... and the log is intact");
	ok(verdict.next == 4u + lines + 2 && verdict.recoveries == 1, "... nothing is lost");
	free(key.p);
}

static void test_torn(const char *name, const void *tail, size_t n)
{
	char want[160], hex[SHA256_HEX];
	uint8_t d[SHA256_LEN];

	log_new(AUDIT_ROTATE, 0);
	log_add(3);
	add_bytes(log_file(0), tail, n);
	ok(log_verify() == 0 && verdict.pending == n, "%s: pending until the next writer", name);
	log_add(1);
	sha256(tail, n, d);
	sha256_hex(d, hex);
	snprintf(want, sizeof(want), "\"adopted\":0,\"cut\":%zu,\"digest\":\"%s\"", n, hex);
	ok(recovery_says(0, want), "%s: cut off, with size and digest on record", name);
	intact("... and the log is intact");
	is_int(verdict.next, 6, "... nothing is lost");
}

static void test_torn_tails(void)
{
	struct image m;
	char forged[2048];
	size_t n;

	log_new(AUDIT_ROTATE, 0);
	log_add(2);
	m = load(log_file(0));
	n = m.n - line_at(&m, 2);
	test_torn("half a line", m.p + line_at(&m, 2), n / 2);
	test_torn("a line without its newline", m.p + line_at(&m, 2), n - 1);
	test_torn("a line of another log", m.p + line_at(&m, 2), n);
	snprintf(forged, sizeof(forged), "%.*s", (int) n, (char *) m.p + line_at(&m, 2));
	test_torn("one newline", "\n", 1);
	test_torn("zeros, as a file system leaves them", memset(forged, 0, sizeof(forged)),
		  sizeof(forged));
	free(m.p);
}

/* An adopted line with a part of another behind it: power went during the second append. */
static void test_adopt_and_cut(void)
{
	struct image key;

	log_new(AUDIT_ROTATE, 0);
	log_add(1);
	key = load(log_path("key"));
	log_add(1);
	store(log_path("key"), key.p, key.n);
	add_bytes(log_file(0), "{\"v\":1,", 7);
	log_add(1);
	ok(recovery_says(0, "\"adopted\":1,\"cut\":7"), "one line adopted, the next cut off");
	intact("... and the log is intact");
	free(key.p);
}

/* A writer killed between the recovery's own line and the cut behind it. */
static void test_recovery_killed(void)
{
	struct image key, tail;
	size_t n;

	log_new(AUDIT_ROTATE, 0);
	log_add(1);
	key = load(log_path("key"));
	add_bytes(log_file(0), "torn", 4);
	log_add(0);
	/* what the recovery would leave: its line complete, the key not advanced, the file longer */
	log_add(1);
	tail = load(log_file(0));
	n = line_at(&tail, 3);
	store(log_file(0), tail.p, n);
	add_bytes(log_file(0), "rest", 4);
	store(log_path("key"), key.p, key.n);
	log_add(1);
	ok(recovery_says(0, "\"adopted\":1,\"cut\":4"), "a recovery that was killed is recovered");
	intact("... and the log is intact");
	is_int(verdict.recoveries, 2, "... both are on record");
	free(key.p);
	free(tail.p);
}

static void test_lost(void)
{
	struct image m, left;
	char want[64];

	log_new(AUDIT_ROTATE, 0);
	log_add(4);
	m = load(log_file(0));
	store(log_file(0), m.p, line_at(&m, 3));
	log_add(2);
	snprintf(want, sizeof(want), "\"expected\":%zu,\"found\":%zu", m.n, line_at(&m, 3));
	ok(recovery_says(5, want), "a shorter file: goes on in a new one, on record");
	is_int(log_verify(), 1, "... but is not intact ever after");
	ok(strstr(log_problems, "records 3 to 4 are missing before"),
	   "... and what is missing is named");
	left = load(log_file(0));
	is_int(left.n, line_at(&m, 3), "... and what is left is as it was");
	free(left.p);
	free(m.p);

	log_new(AUDIT_ROTATE, 0);
	log_add(4);
	unlink(log_file(0));
	log_add(1);
	ok(recovery_says(5, "\"found\":0"), "no file: goes on in a new one, on record");
	ok(log_verify() > 0 && strstr(log_problems, "records 0 to 4 are missing at the beginning"),
	   "... but is not intact ever after");
}

static void test_empty_next_file(void)
{
	struct image key;

	log_new(AUDIT_ROTATE_MIN, 0);
	log_add(5);
	/* killed after the next file was made, before the key names it; then after that */
	store(log_file(6), "", 0);
	intact("an empty file that the key does not name yet");
	log_add(10);
	intact("... which the rotation takes");
	key = load(log_path("key"));
	ok(verdict.files >= 2, "... there is more than one file");
	free(key.p);
}

static void test_full_disk(void)
{
	struct rlimit was, small;
	struct err e = ERR_INIT;
	struct image before, after;
	int r;

	log_new(AUDIT_ROTATE, 0);
	log_add(2);
	before = load(log_file(0));
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = before.n + 100;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	r = log_add_to(log_dir, "x", &e);
	setrlimit(RLIMIT_FSIZE, &was);
	after = load(log_file(0));
	ok(r == -EFBIG && strstr(e.msg, "writing to the audit log"),
	   "no room: an error that says so");
	is_int(after.n, before.n, "... and no part of a record stays");
	log_add(1);
	intact("... and the log is intact and goes on");
	free(before.p);
	free(after.p);
}

static void test_refused_directories(void)
{
	struct audit a = AUDIT_CLOSED;
	struct err e = ERR_INIT;

	ok(audit_open("/nowhere/at/all", &a, &e) == -ENOENT && !e.code,
	   "that there is no log is no error");
	log_new(AUDIT_ROTATE, 0);
	chmod(log_dir, 0770);
	ok(audit_open(log_dir, &a, &e) == -EPERM && strstr(e.msg, "others may write"),
	   "refuses a directory that others may write to");
	chmod(log_dir, 0700);
	chmod(log_path("key"), 0620);
	err_clear(&e);
	ok(audit_open(log_dir, &a, &e) == -EPERM, "refuses a key that others may write to");
	chmod(log_path("key"), 0600);
	store(log_path("key"), "x", 1);
	err_clear(&e);
	ok(log_add_to(log_dir, "x", &e) == -EUCLEAN && strstr(e.msg, "damaged"),
	   "refuses a key file that is damaged");
	err_clear(&e);
	ok(audit_init(log_dir, &(struct audit_settings){.rotate_bytes = 4096}, "t", log_k0, &e) ==
		   -EEXIST,
	   "a second log in the same place is refused");
	unlink(log_path("key"));
	err_clear(&e);
	ok(audit_init(log_dir, &(struct audit_settings){.rotate_bytes = 4096}, "t", log_k0, &e) ==
			   -EEXIST &&
		   strstr(e.msg, "records without a key"),
	   "records whose key is gone are not begun anew");
}

static void test_key_is_gone(void)
{
	struct image key;

	log_new(AUDIT_ROTATE, 0);
	key = load(log_path("key"));
	ok(!memmem(key.p, key.n, log_k0, AUDIT_KEY_LEN), "the first key is not in the key file");
	log_add(1);
	free(key.p);
	ok(strstr(last_line(0), "\"seq\":1,"), "records are numbered");
}

/* ---- many at once ---- */

static void test_parallel(void)
{
	enum { WRITERS = 200, EACH = 3 };
	int bad = 0;

	log_new(16u << 10, 0);
	for (int i = 0; i < WRITERS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct err e = ERR_INIT;
			int r = 0;

			for (int k = 0; k < EACH && r == 0; k++)
				r = log_add_to(log_dir, "p", &e);
			_exit(r != 0);
		}
		bad += pid < 0;
	}
	for (int st; wait(&st) > 0;)
		bad += st != 0;
	is_int(bad, 0, "%d writers at once all succeed", WRITERS);
	intact("... and the log is intact");
	ok(verdict.next >= 1 + WRITERS * EACH && verdict.recoveries == 0 && verdict.files > 5,
	   "... with every record, over %d files", (int) verdict.files);
}

/* Killed wherever it happens to be, which the moment decides: the log is intact whatever it is. */
static void test_killed(void)
{
	enum { ROUNDS = 100 };
	struct audit_settings set = log_settings(8u << 10, 4);
	struct audit a = AUDIT_CLOSED;
	struct err e = ERR_INIT;
	uint64_t least = 0;
	int bad = 0;

	log_new(8u << 10, 4);
	/* waiting for the disk between line and key is where most are caught */
	set.fsync = true;
	if (audit_open(log_dir, &a, &e) < 0 || audit_set(&a, &set, "test", &e) < 0)
		bail_out(e.msg);
	audit_close(&a);
	srand(20261121);
	for (int i = 0; i < ROUNDS; i++) {
		struct timespec t = {.tv_nsec = rand() % 20000000};
		pid_t pid = fork();

		if (pid == 0) {
			while (log_add_to(log_dir, "k", &e) == 0)
				continue;
			_exit(1);
		}
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (log_verify() != 0 || verdict.next < least) {
			bad++;
			printf("# %s", log_problems);
		}
		least = verdict.next;
	}
	is_int(bad, 0, "%d kills at any moment: intact after each, nothing lost", ROUNDS);
	log_add(1);
	intact("... and the next writer goes on");
	printf("# %llu records, %llu recoveries\n", (unsigned long long) verdict.next,
	       (unsigned long long) verdict.recoveries);
}

int main(void)
{
	logs_begin();
	test_keys();
	test_block();
	test_time();
	test_line();
	test_foreign_text();
	test_adopt(1);
	test_adopt(3);
	test_torn_tails();
	test_adopt_and_cut();
	test_recovery_killed();
	test_lost();
	test_empty_next_file();
	test_full_disk();
	test_refused_directories();
	test_key_is_gone();
	test_parallel();
	test_killed();
	logs_end();
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest policy json base */
/*
 * How a guest proves itself: what it binds, its verdict on a policy, how it gets its report, from trees and devices that lie,
 * and the document that it writes, read again and spoiled in each member. The agent's files are made for the guest only, so here
 * they are part of the test.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/judge.c"
#include "agent/report.c"
#include "attest/evidence.h"
#include "tests/unit/tap.h"

static struct arena arena;
static struct err err;

static const char *said(void)
{
	return err.code ? err.msg : "";
}

static struct bytes fill(uint8_t first, size_t n)
{
	struct bytes b = {arena_alloc(&arena, n), n};

	for (size_t i = 0; i < n; i++)
		b.v[i] = (uint8_t) (first + i);
	return b;
}

/* ---- what is bound ---- */

/* Computed by another program, from the text in kavach-attest(1). */
static void test_bind(void)
{
	struct bytes nonce = fill(1, 32), key = fill(7, 65), digest = fill(0xa0, 32), none = {0};
	uint8_t data[64], other[64];

	evidence_bind(nonce, key, digest.v, data);
	is_str(hex_text(&arena, data, 64),
	       "5cfecd57cedbfa02138fa5b2eb105ebc18ab5c6e0179be03f65769fc3263cbda"
	       "0000000000000000000000000000000000000000000000000000000000000000",
	       "report data of a nonce, a key and a policy");
	evidence_bind(nonce, none, digest.v, other);
	is_str(hex_text(&arena, other, 64),
	       "f0aae6168f1389d6f9b215031a4c8f032173f361cfd0f22ea8320dc898f36b7f"
	       "0000000000000000000000000000000000000000000000000000000000000000",
	       "without a key");
	nonce.n = 31;
	evidence_bind(nonce, key, digest.v, other);
	ok(memcmp(data, other, 64) != 0, "lengths count");
}

/* ---- the verdict ---- */

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define WORD_OK "kavach.policy=sha256:" HEX32

static bool accepts(uint32_t backend, const char *cmdline, const uint8_t *host_data)
{
	const struct policy p = {.backend = backend};
	const struct judge_facts f = {.cmdline = cmdline, .host_data = host_data};

	err_clear(&err);
	return judge(&p, fill(0, 32).v, &f, &err) == 0;
}

static void test_judge(void)
{
	static const uint8_t zero[32];
	const uint8_t *right = fill(0, 32).v, *wrong = fill(1, 32).v;
	const struct policy snp = {.backend = POL_BACKEND_SEV_SNP};

	ok(accepts(POL_BACKEND_SEV_SNP, "quiet", right), "SNP: HOST_DATA is the policy's digest");
	ok(!accepts(POL_BACKEND_SEV_SNP, "quiet", wrong), "another one is refused");
	is_str(said(),
	       "this guest was launched for another policy: HOST_DATA of its report has "
	       "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20, the policy that "
	       "came is " HEX32,
	       "with both digests");
	ok(!accepts(POL_BACKEND_SEV_SNP, "quiet", zero), "so is none");
	ok(!accepts(POL_BACKEND_SEV_SNP, WORD_OK, NULL),
	   "and a guest without a report, whatever its command line says");
	ok(judge(&snp, right,
		 &(struct judge_facts){.cmdline = "", .no_report = "the device is missing"},
		 &err) == -EPERM &&
		   strstr(said(), "the device is missing"),
	   "which says why it has none");
	ok(accepts(POL_BACKEND_SEV_SNP, "a " WORD_OK " b", right), "SNP with the word, too");
	ok(!accepts(POL_BACKEND_SEV_SNP, "kavach.policy=sha256:00" HEX32, right),
	   "which has to be a digest");
	ok(!accepts(POL_BACKEND_SEV_SNP,
		    "kavach.policy=sha256:"
		    "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		    right),
	   "and the right one");
	ok(accepts(POL_BACKEND_SEV, "initrd=initrd quiet " WORD_OK "\n", NULL),
	   "SEV: the command line, to which the firmware adds its own word");
	ok(accepts(POL_BACKEND_SEV_ES, WORD_OK " initrd=initrd", NULL), "SEV-ES, behind it");
	ok(!accepts(POL_BACKEND_SEV_ES, "quiet", NULL), "without the word: refused");
	is_str(said(),
	       "the policy is for a guest of SEV, whose kernel's command line names its policy "
	       "(kavach.policy=sha256:...): this one's does not",
	       "and told why");
	ok(!accepts(POL_BACKEND_SEV, WORD_OK " kavach.policy=sha256:" HEX32 "0", NULL),
	   "each such word has to be right");
	ok(!accepts(POL_BACKEND_SEV, WORD_OK " kavach.policy=md5:0", NULL),
	   "and of the one algorithm");
	ok(!accepts(POL_BACKEND_SEV, "xkavach.policy=sha256:" HEX32, NULL),
	   "a word that only ends like it is another one");
	ok(!accepts(POL_BACKEND_SEV, NULL, NULL), "a command line that cannot be read: refused");
	ok(accepts(POL_BACKEND_VM, "quiet", NULL), "a plain VM has nothing to compare");
	ok(accepts(POL_BACKEND_VM, "quiet", zero), "nor one that was bound to nothing");
	ok(!accepts(POL_BACKEND_VM, "quiet", wrong),
	   "a guest that was bound to a policy takes no other one, even of a plain VM");
	ok(!accepts(POL_BACKEND_VM,
		    "kavach.policy=sha256:"
		    "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		    NULL),
	   "nor one whose command line names one");
	ok(!accepts(POL_BACKEND_PROCESS, "", right), "a policy of no VM is refused");
	ok(!accepts(POL_BACKEND_SEV_SNP + 1, "", right), "and one of no backend that there is");
}

/* ---- a report, by the device ---- */

/* What the fake device does, call by call. */
struct fake {
	int busy;     /* calls before it answers */
	bool length;  /* certificates: more room */
	int fails;    /* errno of every call */
	uint32_t vmm; /* ... and what the VMM says */
	uint32_t status, len;
	bool other_data; /* a report about something else */
	const uint8_t *certs;
	size_t certs_n;
	int calls;
	unsigned long last;
};

static int fake_call(void *arg, unsigned long cmd, struct sev_call *c)
{
	struct fake *f = arg;
	const struct sev_request *q = (const void *) (uintptr_t) c->request;
	uint8_t *p = (uint8_t *) (uintptr_t) c->response;

	f->calls++;
	f->last = cmd;
	if (c->version != 1 || (cmd != SEV_GET_REPORT && cmd != SEV_GET_EXT_REPORT))
		return -ENOTTY;
	if (f->busy && f->calls <= f->busy) {
		c->vmm = SEV_VMM_BUSY;
		return -EIO;
	}
	if (f->length && cmd == SEV_GET_EXT_REPORT) {
		c->vmm = SEV_VMM_LENGTH;
		return -EIO;
	}
	if (f->fails) {
		c->vmm = f->vmm;
		return -f->fails;
	}
	put_le32(p, f->status);
	put_le32(p + 4, f->len);
	memcpy(p + SEV_RESPONSE_HEAD + REPORT_DATA, q->data, sizeof(q->data));
	if (f->other_data)
		p[SEV_RESPONSE_HEAD + REPORT_DATA] ^= 1;
	if (cmd == SEV_GET_EXT_REPORT && f->certs_n)
		memcpy((void *) (uintptr_t) q->certs, f->certs, f->certs_n);
	return 0;
}

static bool by_fake(struct fake f, struct guest_report *ret)
{
	static struct fake kept;

	kept = f;
	err_clear(&err);
	return report_by_device(fake_call, &kept, fill(3, 64).v, &arena, ret, &err) == 0 &&
	       (kept.calls == f.busy + 1 + f.length || (printf("# %d calls\n", kept.calls), false));
}

static void test_device(void)
{
	const struct fake good = {.len = EVIDENCE_REPORT_LEN};
	struct guest_report r = {0};
	uint8_t certs[200] = {0};
	struct fake f = good;

	ok(by_fake(good, &r) && r.report.n == EVIDENCE_REPORT_LEN && !r.certs.n,
	   "a report of the device");
	ok(!memcmp(r.report.v + REPORT_DATA, fill(3, 64).v, 64), "about what was asked");
	f.busy = 3;
	ok(by_fake(f, &r), "who is busy is asked again");
	f = good;
	f.length = true;
	ok(by_fake(f, &r) && !r.certs.n, "more certificates than the driver takes: none");
	f = good;
	memset(certs, 0xaa, 16);
	put_le32(certs + 16, 48);
	put_le32(certs + 20, 100);
	f.certs = certs;
	f.certs_n = sizeof(certs);
	ok(by_fake(f, &r) && r.certs.n == 148, "certificates, up to the end of the last one");
	put_le32(certs + 20, 0xffffffff);
	ok(by_fake(f, &r) && r.certs.n == CERTS_ROOM, "a table that lies is not followed");
	f = (struct fake){.len = EVIDENCE_REPORT_LEN - 1};
	ok(!by_fake(f, &r), "a short report is refused");
	is_str(said(), "attestation report: expected 1184 bytes, found 1183", "with its length");
	f.len = EVIDENCE_REPORT_LEN + 1;
	ok(!by_fake(f, &r), "so is a long one");
	f = (struct fake){.len = EVIDENCE_REPORT_LEN, .status = 0x16};
	ok(!by_fake(f, &r), "and an error in place of one");
	is_str(said(), "attestation report: the secure processor answers with error 0x16",
	       "with its number");
	f = (struct fake){.fails = ENOTTY};
	ok(!by_fake(f, &r) && err.code == -ENOTTY, "a device that is none");
	f = (struct fake){.fails = EIO, .vmm = 7};
	ok(!by_fake(f, &r), "a VMM that refuses");
	ok(strstr(said(), "VMM 0x7") != NULL, "is quoted");
	f = good;
	f.busy = TRIES + 5;
	ok(!by_fake(f, &r) && err.code == -EIO, "one that is busy for ever is given up");
}

/* ---- a report, by configfs ---- */

static char tree[64];

static void put_file(const char *name, const void *p, size_t n)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/kavach/%s", tree, name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t) n)
		bail_out("no fake tree");
	close(fd);
}

static void remove_tree(void)
{
	char cmd[96];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", tree);
	if (system(cmd) != 0)
		printf("# %s is left\n", tree);
}

/* The tree of a kernel whose provider answers with n bytes about data. */
static void make_tree(size_t n, const uint8_t *data)
{
	uint8_t *blob = arena_alloc(&arena, n + 1);
	char path[96];

	snprintf(path, sizeof(path), "%s/kavach", tree);
	(void) mkdir(path, 0700);
	if (n >= REPORT_DATA + 64)
		memcpy(blob + REPORT_DATA, data, 64);
	put_file("provider", "sev_guest\n", 10);
	put_file("generation", "4\n", 2);
	put_file("inblob", "", 0);
	put_file("outblob", blob, n);
	put_file("auxblob", "", 0);
}

static bool by_tree(struct guest_report *ret)
{
	const struct report_places w = {.tsm = tree, .device = "/nonexistent/sev-guest"};

	err_clear(&err);
	return report_get(&w, fill(3, 64).v, &arena, ret, &err) == 0;
}

/* Whoever opens the report finds that another question was asked meanwhile: `races` times. */
static pid_t racer(int races, const uint8_t *data)
{
	uint8_t blob[EVIDENCE_REPORT_LEN] = {0};
	char fifo[96], next[96], number[16];
	pid_t pid;

	memcpy(blob + REPORT_DATA, data, 64);
	snprintf(fifo, sizeof(fifo), "%s/kavach/outblob", tree);
	snprintf(next, sizeof(next), "%s/kavach/next", tree);
	unlink(next);
	unlink(fifo);
	if (mkfifo(fifo, 0600) < 0)
		bail_out("no fifo");
	pid = fork();
	if (pid)
		return pid;
	for (int i = 0;; i++) {
		int fd = open(fifo, O_WRONLY);
		int n = snprintf(number, sizeof(number), "%d\n", 5 + (i < races ? i : races - 1));

		put_file("generation", number, (size_t) n);
		/* each answer has a fifo of its own, so that the next question waits for its own */
		if (fd < 0 || mkfifo(next, 0600) < 0 || write(fd, blob, sizeof(blob)) < 0 ||
		    rename(next, fifo) < 0)
			_exit(1);
		close(fd);
	}
}

static void test_tree(void)
{
	const uint8_t *data = fill(3, 64).v;
	struct guest_report r = {0};
	struct bytes asked;
	char path[96];
	pid_t pid;

	strcpy(tree, "/tmp/kavach-tsm.XXXXXX");
	if (!mkdtemp(tree))
		bail_out("no folder");
	atexit(remove_tree);
	make_tree(EVIDENCE_REPORT_LEN, data);
	ok(by_tree(&r) && r.report.n == EVIDENCE_REPORT_LEN && !r.certs.n, "a report of configfs");
	snprintf(path, sizeof(path), "%s/kavach/inblob", tree);
	ok(io_read_at(AT_FDCWD, path, 0, 100, &arena, &asked) == 0 && asked.n == 64 &&
		   !memcmp(asked.v, data, 64),
	   "was asked for with all 64 bytes");
	put_file("auxblob", "certificates", 12);
	ok(by_tree(&r) && r.certs.n == 12, "with certificates");
	make_tree(EVIDENCE_REPORT_LEN - 1, data);
	ok(!by_tree(&r), "one that is short is refused");
	is_str(said(), "attestation report: expected 1184 bytes, found 1183", "and told");
	make_tree(EVIDENCE_REPORT_LEN + 1, data);
	ok(!by_tree(&r), "so is a long one");
	make_tree(0, data);
	ok(!by_tree(&r), "and an empty one");
	make_tree(EVIDENCE_REPORT_LEN, fill(4, 64).v);
	ok(!by_tree(&r), "a report about something else is refused");
	is_str(said(), "attestation report: it is about other data than it was asked for",
	       "and told");
	make_tree(EVIDENCE_REPORT_LEN, data);
	put_file("provider", "tdx_guest\n", 10);
	ok(!by_tree(&r), "so is another provider's");
	is_str(said(), "attestation report: expected the provider sev_guest, found \"tdx_guest\"",
	       "and told");
	make_tree(EVIDENCE_REPORT_LEN, data);
	snprintf(path, sizeof(path), "%s/kavach/outblob", tree);
	unlink(path);
	ok(!by_tree(&r) && err.code == -ENOENT && strstr(said(), "outblob"),
	   "an entry without a report is an error, not a reason to look elsewhere");
	make_tree(EVIDENCE_REPORT_LEN, data);
	pid = racer(3, data);
	ok(by_tree(&r) && r.report.n == EVIDENCE_REPORT_LEN,
	   "an answer to somebody else's question is asked for again");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	make_tree(EVIDENCE_REPORT_LEN, data);
	pid = racer(1000, data);
	ok(!by_tree(&r) && err.code == -EAGAIN, "but not for ever");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	remove_tree();
	ok(!by_tree(&r), "neither configfs nor a device");
	is_str(said(),
	       "this guest has no attestation report: neither configfs-tsm nor "
	       "/nonexistent/sev-guest is there",
	       "is told");
}

/* ---- the document ---- */

static struct bytes document(const struct evidence_doc *d)
{
	buf_auto b = BUF_WRITER(EVIDENCE_MAX);

	evidence_write(&b, d, &arena);
	if (b.bad)
		bail_out("the document is too long");
	return (struct bytes){arena_memdup(&arena, b.p, b.n), b.n};
}

static bool reads(struct bytes text, struct evidence_doc *ret)
{
	err_clear(&err);
	return evidence_read("e.json", text, &arena, ret, &err) == 0;
}

static bool same(struct bytes x, struct bytes y)
{
	return x.n == y.n && (!x.n || !memcmp(x.v, y.v, x.n));
}

/* The document with one text in place of another. */
static struct bytes with(struct bytes doc, const char *from, const char *to)
{
	const uint8_t *at = memmem(doc.v, doc.n, from, strlen(from));
	size_t head = at ? (size_t) (at - doc.v) : 0, rest = doc.n - head - strlen(from);
	uint8_t *v = arena_alloc(&arena, doc.n + strlen(to) + 1);

	if (!at)
		bail_out("the document has no such text");
	memcpy(v, doc.v, head);
	memcpy(v + head, to, strlen(to));
	memcpy(v + head + strlen(to), at + strlen(from), rest);
	return (struct bytes){v, head + strlen(to) + rest};
}

static void test_document(void)
{
	static const struct {
		const char *from, *to, *says;
	} bad[] = {
		{"\"kavach-evidence\"", "\"other\"",
		 "e.json:1:9: type: expected \"kavach-evidence\", found \"other\""},
		{"\"version\":1", "\"version\":2", "e.json:1:37: version: expected 1, found 2"},
		{"\"sev-snp\"", "\"tdx\"",
		 "e.json:1:46: kind: expected \"sev-snp\", found \"tdx\""},
		{"\"report\":\"AAAA", "\"report\":\"AAA", NULL},
		{"\"report\":\"AAAA", "\"report\":\"", NULL},
		{"\"report\":\"AAAA", "\"report\":\"A*AA", NULL},
		{"\"nonce\":\"01", "\"nonce\":\"", NULL},
		{"\"nonce\":\"01", "\"nonce\":\"0x", NULL},
		{"\"key\":\"", "\"key\":\"AAAA", NULL},
		{"\"policyDigest\":\"a0", "\"policyDigest\":\"", NULL},
		{"\"policyDigest\"", "\"policyDigests\"", NULL},
		{"\"type\"", "\"type\":1,\"type\"", NULL},
		{"{", "[{", NULL},
	};
	struct evidence_doc d = {.report = {arena_alloc(&arena, 1184), 1184},
				 .certs = fill(9, 100),
				 .nonce = fill(1, 32),
				 .key = fill(7, 65)},
			    back;
	struct bytes text, peeked;

	memcpy(d.policy, fill(0xa0, 32).v, 32);
	d.report.v[100] = 7;
	text = document(&d);
	ok(evidence_is(text) && !evidence_is(d.report), "a document is told from a bare report");
	ok(reads(text, &back) && same(back.report, d.report) && same(back.certs, d.certs) &&
		   same(back.nonce, d.nonce) && same(back.key, d.key) &&
		   !memcmp(back.policy, d.policy, 32),
	   "what is written is read again");
	ok(evidence_peek(text, &arena, &peeked) && same(peeked, d.report),
	   "the report is found at a glance, too");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ok(!reads(with(text, bad[i].from, bad[i].to), &back) && err.code == -EBADMSG,
		   "%s in place of %s is refused", bad[i].to, bad[i].from);
		if (bad[i].says)
			is_str(said(), bad[i].says, "with the place");
		else
			ok(str_prefix(said(), "e.json:1:") != NULL, "with the place: %s", said());
	}
	ok(!reads((struct bytes){text.v, text.n - 1}, &back), "half of a document is none");
	ok(!evidence_peek((struct bytes){text.v, 500}, &arena, &peeked), "nor has it a report");
	d.key = d.certs = (struct bytes){0};
	text = document(&d);
	ok(reads(text, &back) && !back.key.n && !back.certs.n,
	   "a document without key and certificates");
	d.nonce = fill(1, 64);
	ok(reads(document(&d), &back) && back.nonce.n == 64, "a nonce of 64 bytes");
	d.nonce = fill(1, 65);
	ok(!reads(document(&d), &back), "one of 65 is too long");
	d.nonce = fill(1, 31);
	ok(!reads(document(&d), &back), "one of 31 too short");
}

/* Who compiles filters is the host. */
static void test_filters(void)
{
	struct bytes bpf[2] = {fill(1, 64), fill(2, 16)};
	struct wire_filter sent[2] = {{bpf[0], 0}, {bpf[1], 4}};
	struct pol_seccomp stacked = {.set = true};
	struct policy p = {.backend = POL_BACKEND_SEV_SNP, .seccomp = {.set = true, .flags = 4}};
	char *digests[2];

	p.stacked.v = &stacked;
	p.stacked.n = 1;
	p.vm.filters = (struct strs){.v = digests, .n = 2, .set = true};
	for (int i = 0; i < 2; i++) {
		uint8_t d[SHA256_LEN];

		digests[i] = arena_alloc(&arena, SHA256_HEX);
		sha256(bpf[i].v, bpf[i].n, d);
		sha256_hex(d, digests[i]);
	}
	ok(judge_filters(&p, sent, 2, &err) == 0, "the filters that a policy means %s", said());
	ok(judge_filters(&p, sent, 1, &err) == -EPERM, "one too few: %s", said());
	err_clear(&err);
	bpf[1].v[15] ^= 1;
	ok(judge_filters(&p, sent, 2, &err) == -EPERM && strstr(err.msg, "filter 1"),
	   "another program: %s", said());
	err_clear(&err);
	p.backend = POL_BACKEND_VM;
	ok(judge_filters(&p, sent, 2, &err) == 0, "a plain VM takes what its host has compiled");
	ok(judge_filters(&p, sent, 0, &err) == -EPERM, "...but not none: %s", said());
	err_clear(&err);
	p.backend = POL_BACKEND_SEV;
	bpf[1].v[15] ^= 1;
	sent[1].flags = 0;
	ok(judge_filters(&p, sent, 2, &err) == -EPERM, "other flags: %s", said());
	err_clear(&err);
	sent[1].flags = 4;
	p.vm.filters.n = 0;
	ok(judge_filters(&p, sent, 2, &err) == -EPERM, "a policy that does not say which: %s",
	   said());
	err_clear(&err);
}

int main(void)
{
	test_bind();
	test_filters();
	test_judge();
	test_device();
	test_tree();
	test_document();
	arena_free(&arena);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec wire policy base */
/*
 * The guest's part of a conversation with a broker (agent/broker.c, here as it is): what goes out and in which order, what the
 * keeper is asked, and what becomes of the values. The keeper, the report and the wire are played by this test; the true ones
 * are in tests/golden/broker and tests/bats/attested.bats.
 */
#include "agent/broker.c"
#include "tap.h"

static struct agent a;
static struct arena arena;
static struct err err;

/* what was said */
static struct wire_relay said;
static unsigned relays;
static char logged[4096];
static struct buf question, block;

/* what is answered */
static struct err keeper_err, report_err;
static const char *keeper_reply;
static size_t keeper_n;

void agent_put_body(struct agent *x, uint8_t type, uint32_t stream, const struct ctable *t,
		    const void *obj)
{
	const struct wire_relay *r = obj;

	(void) x;
	if (type != WIRE_RELAY || stream != 0 || t != &wire_relay_table)
		bail_out("something else was sent");
	said = (struct wire_relay){r->tag, {arena_memdup(&arena, r->line.v, r->line.n), r->line.n}};
	relays++;
}

void agent_log(struct agent *x, const char *text)
{
	(void) x;
	snprintf(logged, sizeof(logged), "%s", text);
}

int agent_attest(struct agent *x, struct bytes nonce, struct buf *out, struct err *e)
{
	(void) x;
	if (report_err.code) {
		*e = report_err;
		return e->code;
	}
	buf_put(out, "{\"n\":", 5);
	buf_put_u8(out, (uint8_t) ('0' + nonce.v[0]));
	buf_put(out, "}", 1);
	return 0;
}

int agent_secrets_take(struct agent *x, uint32_t stream, const void *p, size_t n, struct err *e)
{
	(void) x, (void) e;
	is_int(stream, 1, "the block is for the first process");
	block.n = block.pos = 0;
	buf_put(&block, p, n);
	return 0;
}

int keeper_ask(struct agent *x, uint8_t type, const void *p, size_t n, uint8_t want, void *ret,
	       size_t room, size_t *ret_n, struct err *e)
{
	(void) x;
	question.n = question.pos = 0;
	buf_put(&question, p, n);
	ok((type == KEEPER_CHALLENGE && want == KEEPER_NONCE) ||
		   (type == KEEPER_ANSWER && want == KEEPER_VALUES),
	   "the keeper is asked what fits");
	if (keeper_err.code) {
		*e = keeper_err;
		return e->code;
	}
	if (keeper_n > room)
		bail_out("no room");
	memcpy(ret, keeper_reply, keeper_n);
	*ret_n = keeper_n;
	return 0;
}

static char *from[] = {(char *) "db", (char *) "tok", (char *) "db"};
static struct pol_secret secrets[] = {
	{.name = (char *) "a",
	 .source = POL_SECRET_FROM_BROKER,
	 .from = {&from[0], 1, true},
	 .give = POL_SECRET_FILE,
	 .target = (char *) "/run/secrets/a",
	 .mode = 0400,
	 .required = true},
	{.name = (char *) "b",
	 .source = POL_SECRET_FROM_BROKER,
	 .from = {&from[1], 1, true},
	 .give = POL_SECRET_ENV,
	 .target = (char *) "TOKEN"},
	{.name = (char *) "c",
	 .source = POL_SECRET_FROM_BROKER,
	 .from = {&from[2], 1, true},
	 .give = POL_SECRET_FILE,
	 .target = (char *) "/run/secrets/c",
	 .mode = 0440,
	 .uid = 7},
};
static struct policy pol = {.secrets = {.v = secrets, .n = 3}};

static void forget(void)
{
	arena_free(&a.a);
	buf_free(&question);
	buf_free(&block);
}

static void begin(void)
{
	static const char nonce[KEEPER_NONCE_MIN] = {5};

	forget();
	a = (struct agent){.policy = &pol, .keeper = -EBADF};
	keeper_err = report_err = err = (struct err) ERR_INIT;
	keeper_reply = nonce;
	keeper_n = sizeof(nonce);
	relays = 0;
	logged[0] = '\0';
	question = block = BUF_WRITER(4u << 20);
	broker_begin(&a);
}

static int come(const char *line, const char *fail, bool *done)
{
	const struct wire_relayed r = {.tag = a.broker.tag,
				       .line = {(uint8_t *) (uintptr_t) line, strlen(line)},
				       .fail = (char *) (uintptr_t) fail};

	err = (struct err) ERR_INIT;
	return broker_relayed(&a, &r, done, &err);
}

static bool is_line(const char *text)
{
	return said.line.n == strlen(text) && !memcmp(said.line.v, text, said.line.n);
}

#define VALUES "\4\0\0\0x\ny\n\3\0\0\0t0\n"

static void test_good(void)
{
	struct secret_item items[SECRET_ITEMS_MAX];
	struct secret_block b;
	struct buf q;
	bool done = true;
	size_t n = 0;

	ok(broker_wanted(&pol), "a policy with such secrets wants a broker");
	begin();
	ok(relays == 1 && said.tag == 1 && is_line(HELLO), "hello goes first");
	ok(come("challenge", NULL, &done) == 0 && !done, "the challenge is not the end");
	ok(question.n == 9 && !memcmp(question.p, "challenge", 9),
	   "it goes to the keeper as it is");
	ok(relays == 2 && said.tag == 2 &&
		   is_line("{\"type\":\"kavach-broker-request\",\"version\":1,\"evidence\":{\"n\":5},"
			   "\"names\":[\"db\",\"tok\"]}"),
	   "the request has evidence about the nonce, and each name once");
	pol.vm.broker_key = (char *) "KEY";
	keeper_reply = VALUES;
	keeper_n = sizeof(VALUES) - 1;
	ok(come("answer", NULL, &done) == 0 && done, "the answer is");
	pol.vm.broker_key = NULL;
	q = BUF_READER(question.p, question.n);
	is_str(buf_get_str(&q, &arena), "KEY", "the keeper is told the broker's key");
	ok(buf_get_u32(&q) == KEEPER_NONCE_MIN && *(const char *) buf_get(&q, 32) == 5 &&
		   buf_get_u32(&q) == 2,
	   "the nonce and the number of names");
	is_str(buf_get_str(&q, &arena), "db", "the first");
	is_str(buf_get_str(&q, &arena), "tok", "the second");
	is_str(buf_get_str(&q, &arena), "answer", "and the line");
	ok(!q.bad && buf_left(&q) == 0, "that is all");
	b = (struct secret_block){.p = block.p, .n = block.n};
	ok(secret_items(&b, items, &n) == 0 && n == 3, "there is a block of three");
	ok(items[0].n == 4 && !memcmp(items[0].value, "x\ny\n", 4) && items[0].mode == 0400,
	   "a file has all bytes");
	is_str((const char *) items[1].value, "TOKEN=t0", "a variable loses its newline");
	ok(items[2].n == 4 && items[2].uid == 7, "one value may be two secrets");
}

static void ends(const char *why, const char *what)
{
	ok(err.code < 0 && str_eq(err.msg, why) && a.broker.step == BROKER_IS_DONE && !block.n,
	   "%s: %s", what, err.msg);
}

static void test_bad(void)
{
	bool done;

	begin();
	(void) come("", "the site's rules: vm.broker: /b: no answer within 10 s", &done);
	ends("secret a: the site's rules: vm.broker: /b: no answer within 10 s",
	     "a broker that does not answer");
	begin();
	err_set(&keeper_err, -EACCES, "the broker refuses");
	(void) come("no", NULL, &done);
	ends("secret a: the broker refuses", "a challenge that is none");
	begin();
	err_set(&report_err, -ENODEV, "no report");
	(void) come("challenge", NULL, &done);
	ends("secret a: no report", "no report");
	begin();
	keeper_n = 8;
	(void) come("challenge", NULL, &done);
	ends("secret a: kavach-keeper gave no nonce", "a keeper with a short nonce");
	begin();
	(void) come("challenge", NULL, &done);
	err_set(&keeper_err, -EACCES, "it is not for this key");
	(void) come("answer", NULL, &done);
	ends("secret a: it is not for this key", "an answer that does not open");
	begin();
	(void) come("challenge", NULL, &done);
	keeper_reply = "\4\0\0\0x\ny\n";
	keeper_n = 8;
	(void) come("answer", NULL, &done);
	ends("secret a: kavach-keeper gave no values", "a value less than names");
	begin();
	(void) come("challenge", NULL, &done);
	keeper_reply = "\1\0\0\0x\2\0\0\0\0\n";
	keeper_n = 11;
	secrets[1].required = true;
	(void) come("answer", NULL, &done);
	secrets[1].required = false;
	ends("secret b: it has a NUL byte, which a variable cannot have; give it as a file",
	     "a variable with a NUL");
}

static void test_optional(void)
{
	struct secret_item items[SECRET_ITEMS_MAX];
	struct secret_block b;
	bool done = false;
	size_t n = 0;

	begin();
	(void) come("challenge", NULL, &done);
	keeper_reply = "\1\0\0\0x\2\0\0\0\0\n";
	keeper_n = 11;
	ok(come("answer", NULL, &done) == 0 && done && strstr(logged, "secret b: it has a NUL"),
	   "one that may be missing is left out, with a word: %s", logged);
	b = (struct secret_block){.p = block.p, .n = block.n};
	ok(secret_items(&b, items, &n) == 0 && n == 2, "and the others are there");

	secrets[0].required = false;
	begin();
	ok(come("", "nobody answers", &done) == 0 && done && !block.n,
	   "when no secret is required, the container goes without");
	ok(strstr(logged, "nobody answers") && strstr(logged, "none of which is required"),
	   "and says so: %s", logged);
	secrets[0].required = true;
	pol.secrets.n = 0;
	ok(!broker_wanted(&pol), "a policy without such secrets wants none");
	pol.secrets.n = 3;
}

int main(void)
{
	test_good();
	test_bad();
	test_optional();
	forget();
	arena_free(&arena);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm attest net cgroup seccomp exec wire hooks policy host spec json base */
/*
 * The host's part of a conversation between a guest and its broker: connecting, and passing lines on between two who are not
 * believed. The monitor's file is here as it is, with a clock that the test turns and a wire that it reads.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/str.h"
#include "vm/monitor_relay.c"
#include "tap.h"

static int64_t clock_ns;
static struct buf sent;
static struct monitor m;
static struct arena arena;
static struct err err;

int64_t mon_now(void)
{
	return clock_ns;
}

void mon_send_parts(struct monitor *mon, uint8_t type, uint32_t stream, const void *p, size_t n)
{
	(void) mon;
	if (type != WIRE_RELAYED || stream != 0)
		bail_out("something else was sent");
	sent.n = sent.pos = 0;
	buf_put(&sent, p, n);
}

/* ---- one conversation ---- */

static int theirs = -EBADF;

static void begin(bool connected)
{
	static struct monitor_boot boot = {.prepared_ms = 30000};
	static struct policy full;
	int v[2];

	fd_closep(&theirs);
	fd_closep(&m.relay.fd);
	free(m.relay.in);
	buf_free(&m.relay.out);
	full.vm.broker = (char *) (uintptr_t) "/run/b";
	m = (struct monitor){.boot = &boot, .full = &full, .step = MON_BOOTS};
	m.relay.fd = -EBADF;
	m.relay.deadline = INT64_MAX;
	buf_free(&sent);
	sent = BUF_WRITER(4u << 20);
	clock_ns = 1000;
	if (!connected)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, v) < 0)
		bail_out("no socketpair");
	m.relay.fd = v[0];
	theirs = v[1];
}

static int ask(uint32_t tag, const char *line, size_t n)
{
	const struct wire_relay r = {.tag = tag, .line = {(uint8_t *) (uintptr_t) line, n}};
	buf_auto b = BUF_WRITER(1u << 20);

	codec_encode(&b, &wire_relay_table, &r);
	err = (struct err) ERR_INIT;
	return mon_relay(&m, &b, &arena, &err);
}

/* until there is an answer, or nothing is left to do */
static void turn(void)
{
	for (int i = 0; i < 1000 && mon_relay_events(&m); i++) {
		struct pollfd p = {.fd = m.relay.fd, .events = mon_relay_events(&m)};

		if (poll(&p, 1, 0) <= 0)
			return;
		mon_relay_io(&m, p.revents);
	}
}

static struct wire_relayed answered(void)
{
	struct wire_relayed r = {0};

	if (sent.n == 0 || wire_body(sent.p, sent.n, &wire_relayed_table, &r, &arena, &err) < 0)
		r.fail = (char *) (uintptr_t) "nothing was sent";
	sent.n = 0;
	return r;
}

static void test_lines(void)
{
	struct wire_relayed r;
	char got[64];

	begin(true);
	ok(ask(1, "hello", 5) == 0 && m.relay.open, "a line of the guest is taken");
	turn();
	ok(read(theirs, got, sizeof(got)) == 6 && !memcmp(got, "hello\n", 6),
	   "and goes to the broker as a line");
	(void) !write(theirs, "cha", 3);
	turn();
	ok(sent.n == 0 && m.relay.open, "half an answer is none");
	(void) !write(theirs, "llenge\n", 7);
	clock_ns = 5000;
	turn();
	r = answered();
	ok(!r.fail && r.tag == 1 && r.line.n == 9 && !memcmp(r.line.v, "challenge", 9),
	   "the whole one goes to the guest, without its newline");
	ok(!m.relay.open && m.deadline == 5000 + 30000 * NS_PER_MS,
	   "and the guest has its time again");
	ok(ask(2, "more", 4) == 0, "then it may send the next one");
	ok(m.deadline == INT64_MAX && m.relay.deadline == 5000 + 10000 * NS_PER_MS,
	   "for which the broker has ten seconds");
}

static void test_long(void)
{
	static char line[WIRE_RELAY_MAX], back[WIRE_RELAYED_MAX + 1];
	size_t n = 0, at = 0;
	struct wire_relayed r;

	begin(true);
	memset(line, 'x', sizeof(line));
	memset(back, 'y', sizeof(back));
	ok(ask(1, line, sizeof(line)) == 0, "the longest line");
	while (n <= sizeof(line)) {
		static char got[65536];
		ssize_t k;

		turn();
		k = read(theirs, got, sizeof(got));
		if (k <= 0)
			break;
		n += (size_t) k;
	}
	is_int(n, sizeof(line) + 1, "arrives, in pieces");
	back[sizeof(back) - 1] = '\n';
	while (at < sizeof(back) && m.relay.open) {
		ssize_t k = write(theirs, back + at, sizeof(back) - at);

		at += k > 0 ? (size_t) k : 0;
		turn();
	}
	r = answered();
	ok(!r.fail && r.line.n == WIRE_RELAYED_MAX, "so does the longest answer");
	ok(ask(2, "x", 1) == 0, "another line");
	back[sizeof(back) - 1] = 'y';
	for (at = 0; at < sizeof(back) && m.relay.open;) {
		ssize_t k = write(theirs, back + at, sizeof(back) - at);

		at += k > 0 ? (size_t) k : 0;
		turn();
	}
	r = answered();
	ok(r.fail && str_eq(r.fail, "the site's rules: vm.broker: /run/b: its answer is too long"),
	   "an answer that is longer is an error: %s", r.fail);
	ok(m.relay.fd < 0, "and the end of the connection");
}

static void fails(const char *why, const char *what)
{
	struct wire_relayed r = answered();

	ok(r.fail && !r.line.n && strstr(r.fail, why) &&
		   str_prefix(r.fail, "the site's rules: vm.broker: /run/b: "),
	   "%s: %s", what, r.fail ? r.fail : "no error");
}

static void test_broker(void)
{
	begin(false);
	ok(ask(1, "x", 1) == 0, "without a connection");
	fails("there is no connection", "the guest hears of that");
	begin(true);
	(void) ask(1, "x", 1);
	turn();
	theirs = fd_close(theirs);
	turn();
	fails("closed without an answer", "a broker that goes");
	ok(ask(2, "x", 1) == 0, "what comes then");
	fails("there is no connection", "has no connection");
	begin(true);
	(void) ask(1, "x", 1);
	(void) !write(theirs, "one\ntwo\n", 8);
	turn();
	fails("more than a line", "a broker that says two lines");
	begin(true);
	(void) ask(1, "x", 1);
	turn();
	clock_ns = 1000 + 10000 * NS_PER_MS - 1;
	mon_relay_late(&m);
	ok(m.relay.open && sent.n == 0, "a broker may take nearly ten seconds");
	clock_ns++;
	mon_relay_late(&m);
	fails("no answer within 10 s", "and not more");
	mon_relay_late(&m);
	is_int(sent.n, 0, "which is said once");
}

static void test_guest(void)
{
	static char line[WIRE_RELAY_MAX + 1];
	static const struct {
		const char *name, *line;
		uint32_t tag;
		size_t n;
	} cases[] = {
		{"an empty line", "", 1, 0},
		{"two lines", "a\nb", 1, 3},
		{"a newline at the end", "a\n", 1, 2},
		{"a line that is too long", line, 1, sizeof(line)},
		{"the number 0", "a", 0, 1},
		{"the number 2 at first", "a", 2, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(true);
		ok(ask(cases[i].tag, cases[i].line, cases[i].n) == -EPROTO && !m.relay.open,
		   "ends a guest that sends %s", cases[i].name);
	}
	begin(true);
	(void) ask(1, "a", 1);
	is_int(ask(2, "b", 1), -EPROTO, "ends one that does not wait for the answer");
	begin(true);
	m.step = MON_RUNS;
	is_int(ask(1, "a", 1), -EPROTO, "ends one that asks when its container runs");
	begin(false);
	for (uint32_t i = 1; i <= 4; i++)
		ok(ask(i, "a", 1) == 0, "line %u", i);
	is_int(ask(5, "a", 1), -EPROTO, "ends one that has too much to say");
}

/* ---- connecting ---- */

static void test_connect(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	char dir[] = "/tmp/kavach-relay.XXXXXX", text[ADDR_TEXT_MAX];
	socklen_t n = sizeof(tcp);
	int listener, fd;

	if (!mkdtemp(dir))
		bail_out("no folder");
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
	ok(relay_connect(at.sun_path, &err) == -ENOENT &&
		   str_prefix(err.msg, "the site's rules: vm.broker: /tmp/"),
	   "nobody: %s", err.msg);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *) &at, sizeof(at)) < 0 || listen(listener, 1) < 0)
		bail_out("cannot listen");
	fd = relay_connect(at.sun_path, &err);
	ok(fd >= 0 && fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) & FD_CLOEXEC,
	   "a unix socket");
	close(fd);
	close(listener);
	err = (struct err) ERR_INIT;
	is_int(relay_connect(at.sun_path, &err), -ECONNREFUSED, "one that nobody listens at");
	unlink(at.sun_path);
	rmdir(dir);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *) &tcp, sizeof(tcp)) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *) &tcp, &n) < 0)
		bail_out("cannot listen");
	addr_text((const union addr *) &tcp, text);
	fd = relay_connect(text, &err);
	ok(fd >= 0, "a TCP port, %s", text);
	close(fd);
	close(listener);
	err = (struct err) ERR_INIT;
	is_int(relay_connect(text, &err), -ECONNREFUSED, "one that is closed");
	err = (struct err) ERR_INIT;
	ok(relay_connect("localhost:1", &err) == -EINVAL && err.id == ERR_CONFIG, "a name");
}

static void test_addresses(void)
{
	static const char *const good[] = {"192.0.2.1:7443", "[2001:db8::1]:1", "[::]:0",
					   "127.0.0.1:65535"};
	static const char *const wrong[] = {
		"",	 ":",	    "1.2.3.4", "1.2.3.4:",     "1.2.3.4:65536", "::1:80",
		"[::1]", "[::1:80", "[]:80",   "[1.2.3.4]:80", "1.2.3:80",	"a:80"};
	char text[ADDR_TEXT_MAX];
	union addr at;
	socklen_t n;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ok(addr_parse(good[i], &at, &n) == 0, "%s is an address", good[i]);
		addr_text(&at, text);
		is_str(text, good[i], "and is written so");
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ok(addr_parse(wrong[i], &at, &n) == -EINVAL, "\"%s\" is none", wrong[i]);
}

int main(void)
{
	m.relay.fd = -EBADF;
	test_lines();
	test_long();
	test_broker();
	test_guest();
	test_connect();
	test_addresses();
	begin(false);
	buf_free(&sent);
	arena_free(&arena);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm base */
/*
 * QMP's client against a QEMU that is played here: what it sends is compared, what it hears is written line by line, in
 * every way of cutting it up; and against everything that QEMU must not say, or not say in time.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "tap.h"
#include "vm/qjson.h"
#include "vm/qmp.h"

#define HELLO                                                                                      \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 2, \"minor\": 0, \"major\": 10}, "         \
	"\"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n"
#define OK_CAPS "{\"return\": {}, \"id\": 1}\r\n"
#define SECOND 1000000000ll

static struct qmp q;
static struct err err;
static int sock[2]; /* ours, QEMU's */
static char heard[4096];
static int64_t now;

static void heard_add(const char *text)
{
	if (strlen(heard) + strlen(text) < sizeof(heard))
		strcat(heard, text);
}

static void on_reply(void *arg, const struct qmp_reply *r)
{
	char line[512];

	ok(arg == &q, "the caller's argument comes back");
	snprintf(line, sizeof(line), "%s %u %s[%s]", qmp_cmd_name(r->cmd), r->tag,
		 r->failed ? "failed " : "", r->text);
	heard_add(line);
	if (r->cmd == QMP_QUERY_BALLOON)
		snprintf(line, sizeof(line), " %llu", (unsigned long long) r->number);
	else if (r->cmd == QMP_QUERY_SEV && !r->failed)
		snprintf(line, sizeof(line), " %s %u.%u.%u %s %s 0x%llx %u",
			 r->sev.enabled ? "on" : "off", r->sev.api_major, r->sev.api_minor,
			 r->sev.build_id, r->sev.state, r->sev.snp ? "snp" : "sev",
			 (unsigned long long) r->sev.policy, r->sev.handle);
	else if (r->cmd == QMP_QUERY_SEV_CAPABILITIES && !r->failed)
		snprintf(line, sizeof(line), " %.*s %.*s %.*s %u %u", (int) r->sev_caps.pdh.n,
			 r->sev_caps.pdh.p, (int) r->sev_caps.cert_chain.n,
			 r->sev_caps.cert_chain.p, (int) r->sev_caps.cpu0_id.n,
			 r->sev_caps.cpu0_id.p, r->sev_caps.cbitpos, r->sev_caps.reduced_phys_bits);
	else if (r->data.p)
		snprintf(line, sizeof(line), " %zu bytes of base64", r->data.n);
	else
		line[0] = '\0';
	heard_add(line);
	heard_add("\n");
}

static void on_event(void *arg, enum qmp_event ev, const char *text)
{
	static const char *const names[QMP_EV_MAX] = {
		[QMP_EV_SHUTDOWN] = "shutdown", [QMP_EV_GUEST_PANICKED] = "panic",
		[QMP_EV_STOP] = "stop",		[QMP_EV_RESUME] = "resume",
		[QMP_EV_OTHER] = "other",
	};

	(void) arg;
	heard_add("event ");
	heard_add(names[ev]);
	heard_add(*text ? " " : "");
	heard_add(text);
	heard_add("\n");
}

static const struct qmp_ops ops = {on_reply, on_event};

static void begin(void)
{
	if (sock[0] > 0)
		close(sock[0]), close(sock[1]);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sock) < 0)
		bail_out("no sockets");
	heard[0] = '\0';
	err = ERR_INIT;
	now = 5 * SECOND;
	qmp_init(&q, sock[0], &ops, &q, 2000, now);
}

static void say(const char *text)
{
	if (write(sock[1], text, strlen(text)) != (ssize_t) strlen(text))
		bail_out("cannot write to the socket");
}

static int go(void)
{
	return qmp_io(&q, now, &err);
}

/* What the client has sent since the last time. */
static const char *sent(void)
{
	static char buf[70000];
	ssize_t n = read(sock[1], buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void ready(void)
{
	begin();
	say(HELLO OK_CAPS);
	if (go() < 0 || q.state != QMP_ST_READY)
		bail_out("QMP does not begin");
	(void) go();
	(void) sent();
}

static int ask(enum qmp_cmd c, const struct qmp_args *a, uint32_t tag)
{
	return qmp_send(&q, c, a, tag, now, &err);
}

/* ---- as it should be ---- */

static void test_order(void)
{
	begin();
	is_int(qmp_events(&q), POLLIN, "first the greeting is waited for");
	ok(ask(QMP_STOP, NULL, 77) == 0, "a command before the greeting");
	ok(go() == 0 && !*sent(), "nothing is sent before it");
	say(HELLO);
	is_int(qmp_events(&q), POLLIN, "still so");
	ok(go() == 0 && q.state == QMP_ST_NEGOTIATING, "the greeting");
	is_str(sent(),
	       "{\"execute\":\"qmp_capabilities\",\"id\":1,\"arguments\":{}}\n"
	       "{\"execute\":\"stop\",\"id\":2,\"arguments\":{}}\n",
	       "capabilities first, then what was asked");
	is_int(qmp_events(&q), POLLIN, "nothing more to write");
	say(OK_CAPS);
	ok(go() == 0 && q.state == QMP_ST_READY, "negotiated");
	is_str(heard, "", "which is nobody's business");
	say("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n"
	    "{\"return\": {}, \"id\": 2}\r\n");
	ok(go() == 0, "an event between");
	is_str(heard, "event stop\nstop 77 []\n", "the answer has the caller's number");
	ok(qmp_deadline(&q) == INT64_MAX, "nothing is waited for");
}

static void test_commands(void)
{
	const struct qmp_args balloon = {.number = 134217728};
	const struct qmp_args report = {.data = "AAAAAAAAAAAAAAAAAAAAAA=="};
	const struct qmp_args secret = {.data = "aGVhZA==", .more = "c2VjcmV0"};

	ready();
	ok(ask(QMP_CONT, NULL, 1) == 0 && ask(QMP_QUERY_STATUS, NULL, 2) == 0 &&
		   ask(QMP_BALLOON, &balloon, 3) == 0 && ask(QMP_QUERY_BALLOON, NULL, 4) == 0 &&
		   ask(QMP_QUERY_SEV_REPORT, &report, 5) == 0 &&
		   ask(QMP_INJECT_SEV_SECRET, &secret, 6) == 0 && ask(QMP_QUIT, NULL, 7) == 0,
	   "seven commands");
	ok(go() == 0, "they go out");
	is_str(sent(),
	       "{\"execute\":\"cont\",\"id\":2,\"arguments\":{}}\n"
	       "{\"execute\":\"query-status\",\"id\":3,\"arguments\":{}}\n"
	       "{\"execute\":\"balloon\",\"id\":4,\"arguments\":{\"value\":134217728}}\n"
	       "{\"execute\":\"query-balloon\",\"id\":5,\"arguments\":{}}\n"
	       "{\"execute\":\"query-sev-attestation-report\",\"id\":6,\"arguments\":{\"mnonce\":"
	       "\"AAAAAAAAAAAAAAAAAAAAAA==\"}}\n"
	       "{\"execute\":\"sev-inject-launch-secret\",\"id\":7,\"arguments\":{"
	       "\"packet-header\":\"aGVhZA==\",\"secret\":\"c2VjcmV0\"}}\n"
	       "{\"execute\":\"quit\",\"id\":8,\"arguments\":{}}\n",
	       "as QEMU's schema has them");
	say("{\"return\": {}, \"id\": 2}\n"
	    "{\"return\": {\"status\": \"running\", \"running\": true}, \"id\": 3}\n"
	    "{\"id\": 4, \"error\": {\"class\": \"DeviceNotActive\", \"desc\": "
	    "\"No balloon\\u001b[2J\\n device\"}}\n"
	    "{\"return\": {\"actual\": 268435456}, \"id\": 5}\n"
	    "{\"id\": 6, \"error\": {\"class\": \"GenericError\", \"desc\": "
	    "\"SEV is not enabled\"}}\n"
	    "{\"return\": {}, \"id\": 7}\n{\"return\": {}, \"id\": 8}\n"
	    "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": "
	    "\"host-qmp-quit\"}}\n");
	ok(go() == 0, "and are answered");
	is_str(heard,
	       "cont 1 []\nquery-status 2 [running]\n"
	       "balloon 3 failed [No balloon?[2J? device]\nquery-balloon 4 [] 268435456\n"
	       "query-sev-attestation-report 5 failed [SEV is not enabled]\n"
	       "sev-inject-launch-secret 6 []\nquit 7 []\nevent shutdown host-qmp-quit\n",
	       "each with what it says, without control characters");
	shutdown(sock[1], SHUT_RDWR);
	ok(go() == 0 && q.state == QMP_ST_CLOSED && qmp_events(&q) == 0, "QEMU has ended");
	ok(ask(QMP_STOP, NULL, 1) == -EPIPE, "nobody to ask any more");
}

static void test_sev(void)
{
	char line[1024];
	char data[281];

	ready();
	(void) ask(QMP_QUERY_SEV, NULL, 1), (void) ask(QMP_QUERY_SEV, NULL, 2);
	(void) ask(QMP_QUERY_SEV_CAPABILITIES, NULL, 3);
	(void) ask(QMP_QUERY_SEV_MEASURE, NULL, 4);
	(void) ask(QMP_QUERY_SEV_REPORT, &(struct qmp_args){.data = "AAAA"}, 5);
	say("{\"return\": {\"enabled\": false, \"api-minor\": 0, \"handle\": 0, \"state\": "
	    "\"uninit\", \"api-major\": 0, \"sev-type\": \"sev\", \"build-id\": 0, \"policy\": 0}, "
	    "\"id\": 2}\n"
	    "{\"return\": {\"enabled\": true, \"api-minor\": 55, \"state\": \"running\", "
	    "\"api-major\": 1, \"sev-type\": \"sev-snp\", \"build-id\": 29, \"snp-policy\": "
	    "196608}, \"id\": 3}\n"
	    "{\"return\": {\"pdh\": \"cGRo\", \"cert-chain\": \"Y2VydA==\", \"cpu0-id\": "
	    "\"aWQ=\", \"cbitpos\": 51, \"reduced-phys-bits\": 1}, \"id\": 4}\n");
	memset(data, 'A', sizeof(data));
	snprintf(line, sizeof(line), "{\"return\": {\"data\": \"%.64s\"}, \"id\": 5}\n", data);
	say(line);
	memcpy(data + 278, "==", 3);
	snprintf(line, sizeof(line), "{\"return\": {\"data\": \"%s\"}, \"id\": 6}\n", data);
	say(line);
	ok(go() == 0, "what SEV answers");
	is_str(heard,
	       "query-sev 1 [] off 0.0.0 uninit sev 0x0 0\n"
	       "query-sev 2 [] on 1.55.29 running snp 0x30000 0\n"
	       "query-sev-capabilities 3 [] cGRo Y2VydA== aWQ= 51 1\n"
	       "query-sev-launch-measure 4 [] 64 bytes of base64\n"
	       "query-sev-attestation-report 5 [] 280 bytes of base64\n",
	       "is read");
}

static void test_pieces(void)
{
	static const char all[] = HELLO OK_CAPS
		"{\"return\": {\"status\": \"paused\"}, \"id\": 2}\r\n"
		"{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}\r\n";
	static const char want[] = "query-status 9 [paused]\nevent panic pause\n";
	size_t bad = 0, n = sizeof(all) - 1;

	for (size_t cut = 1; cut < n; cut++) {
		begin();
		(void) ask(QMP_QUERY_STATUS, NULL, 9);
		bad += qmp_feed(&q, all, cut, now, &err) < 0 ||
		       qmp_feed(&q, all + cut, n - cut, now, &err) < 0 || !str_eq(heard, want);
	}
	is_int(bad, 0, "cut in two at any place");
	begin();
	(void) ask(QMP_QUERY_STATUS, NULL, 9);
	for (size_t i = 0; i < n; i++)
		bad += qmp_feed(&q, all + i, 1, now, &err) < 0;
	ok(!bad && str_eq(heard, want), "byte by byte");
}

/* ---- as it must not be ---- */

static void test_broken(void)
{
	static const struct {
		const char *name, *text, *want;
		bool early; /* instead of the greeting */
	} rows[] = {
		{"no greeting", "{\"return\": {}, \"id\": 1}\n", "QMP: a greeting was expected",
		 true},
		{"a greeting of another protocol", "220 mail\r\n",
		 "QMP: a line that is no JSON object", true},
		{"an empty line", "\r\n", "QMP: a line that is no JSON object", false},
		{"an array", "[]\n", "QMP: a line that is no JSON object", false},
		{"text after the object", "{} x\n", "QMP: a line that is no JSON object", false},
		{"an answer to nothing", "{\"return\": {}, \"id\": 3}\n",
		 "QMP: an answer that nobody asked for", false},
		{"another's answer", "{\"return\": {}, \"id\": 1}\n",
		 "QMP: an answer that nobody asked for", false},
		{"an answer without number", "{\"return\": {\"status\": \"running\"}}\n",
		 "QMP: an answer that nobody asked for", false},
		{"a number as a string", "{\"return\": {\"status\": \"x\"}, \"id\": \"2\"}\n",
		 "QMP: an answer that nobody asked for", false},
		{"neither answer nor error", "{\"id\": 2}\n",
		 "QMP: query-status: an answer that is none", false},
		{"both", "{\"return\": {}, \"error\": {\"desc\": \"x\"}, \"id\": 2}\n",
		 "QMP: query-status: an error without a description", false},
		{"twice", "{\"return\": {\"status\": \"a\"}, \"return\": {}, \"id\": 2}\n",
		 "QMP: query-status: an answer that is none", false},
		{"an error twice",
		 "{\"error\": {\"desc\": \"a\"}, \"error\": {\"desc\": \"b\"}, \"id\": 2}\n",
		 "QMP: query-status: an answer that is none", false},
		{"an error without text", "{\"error\": {\"class\": \"x\"}, \"id\": 2}\n",
		 "QMP: query-status: an error without a description", false},
		{"an answer that is no object", "{\"return\": 5, \"id\": 2}\n",
		 "QMP: query-status: an answer that is none", false},
		{"a status that is missing", "{\"return\": {\"running\": true}, \"id\": 2}\n",
		 "QMP: query-status: an answer that is none", false},
		{"a status that is a number", "{\"return\": {\"status\": 1}, \"id\": 2}\n",
		 "QMP: query-status: an answer that is none", false},
		{"an event without a name", "{\"event\": {}}\n", "QMP: an event without a name",
		 false},
		{"a shutdown without a reason", "{\"event\": \"SHUTDOWN\", \"data\": {}}\n",
		 "QMP: the event SHUTDOWN without its reason", false},
		{"a control character", "{\"event\": \"a\001\"}\n",
		 "QMP: a line that is no JSON object", false},
		{"half a character", "{\"event\": \"\\ud800\"}\n",
		 "QMP: a line that is no JSON object", false},
		{"bytes that are no UTF-8", "{\"event\": \"\xc0\xaf\"}\n",
		 "QMP: a line that is no JSON object", false},
		{"too deep",
		 "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}\n",
		 "QMP: a line that is no JSON object", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r;

		if (rows[i].early)
			begin();
		else
			ready();
		(void) ask(QMP_QUERY_STATUS, NULL, 1);
		say(rows[i].text);
		r = go();
		is_str(r < 0 ? err.msg : "accepted", rows[i].want, "refuses %s", rows[i].name);
		if (q.state != QMP_ST_BROKEN || qmp_events(&q) || *heard)
			ok(0, "... and is done with it");
	}
}

static void test_sev_broken(void)
{
	static const struct {
		enum qmp_cmd cmd;
		const char *text;
	} rows[] = {
		{QMP_QUERY_SEV, "{\"enabled\": true}"},
		{QMP_QUERY_SEV,
		 "{\"enabled\": true, \"api-major\": 1, \"api-minor\": 1, \"build-id\": 1, "
		 "\"state\": \"running\", \"sev-type\": \"sev-snp\", \"policy\": 1}"},
		{QMP_QUERY_SEV,
		 "{\"enabled\": true, \"api-major\": 1, \"api-minor\": 1, \"build-id\": 1, "
		 "\"state\": \"running\", \"sev-type\": \"tdx\", \"policy\": 1, \"handle\": 1}"},
		{QMP_QUERY_SEV_CAPABILITIES,
		 "{\"pdh\": \"c\", \"cert-chain\": \"\", \"cpu0-id\": \"\", \"cbitpos\": 51, "
		 "\"reduced-phys-bits\": 1}"},
		{QMP_QUERY_SEV_MEASURE, "{\"data\": \"AAAA\"}"},
		{QMP_QUERY_SEV_MEASURE,
		 "{\"data\": \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"}"},
		{QMP_QUERY_SEV_MEASURE,
		 "{\"data\": \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*\"}"},
		{QMP_QUERY_SEV_REPORT, "{\"data\": \"\"}"},
		{QMP_QUERY_BALLOON, "{\"actual\": -1}"},
		{QMP_QUERY_BALLOON, "{\"actual\": 1.5}"},
		{QMP_QUERY_BALLOON, "{\"actual\": 99999999999999999999}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char line[1024];

		ready();
		(void) ask(rows[i].cmd, &(struct qmp_args){.data = "AAAA"}, 1);
		snprintf(line, sizeof(line), "{\"return\": %s, \"id\": 2}\n", rows[i].text);
		say(line);
		ok(go() == -EBADMSG && !*heard, "refuses %s: %.40s", qmp_cmd_name(rows[i].cmd),
		   rows[i].text);
	}
}

static void test_limits(void)
{
	static char big[QMP_LINE_MAX + 16];
	int n = 0;

	ready();
	memset(big, 'x', sizeof(big));
	ok(qmp_feed(&q, big, sizeof(big), now, &err) == -EBADMSG &&
		   str_eq(err.msg, "QMP: a line that is too long"),
	   "a line without end");
	ready();
	while (ask(QMP_STOP, NULL, 1) == 0)
		n++;
	is_int(n, QMP_QUEUE_MAX, "so many commands at once");
	is_int(err.code, -EBUSY, "and no more");
	ready();
	memset(big, 'A', sizeof(big) - 1);
	big[QMP_LINE_MAX] = '\0';
	is_int(ask(QMP_QUERY_SEV_REPORT, &(struct qmp_args){.data = big}, 1), -EMSGSIZE,
	       "an argument that is too long");
	ok(go() == 0 && !*sent(), "nothing of it is sent");
	is_int(ask(QMP_QUERY_SEV_REPORT, &(struct qmp_args){.data = "a\"},"}, 1), -EINVAL,
	       "an argument that is no base64");
	is_int(ask(QMP_QUERY_SEV_REPORT, NULL, 1), -EINVAL, "none where one is needed");
}

static void test_silence(void)
{
	begin();
	ok(go() == 0 && qmp_deadline(&q) == 7 * SECOND, "the greeting has its time");
	now = 7 * SECOND;
	ok(go() == -ETIMEDOUT && str_eq(err.msg, "QMP: QEMU does not answer qmp_capabilities"),
	   "no greeting");
	ready();
	now = 100 * SECOND;
	ok(go() == 0, "silence is fine when nothing was asked");
	(void) ask(QMP_STOP, NULL, 1);
	(void) ask(QMP_CONT, NULL, 1);
	now += SECOND;
	say("{\"return\": {}, \"id\": 2}\n");
	ok(go() == 0 && qmp_deadline(&q) == 103 * SECOND, "each answer gives the next its time");
	say("{\"return\": {}");
	now = 103 * SECOND;
	ok(go() == -ETIMEDOUT && str_eq(err.msg, "QMP: QEMU does not answer cont"),
	   "half an answer is none");
	ok(go() < 0, "and it stays so");
}

/* An answer may bring the next question. */
static void ask_again(void *arg, const struct qmp_reply *r)
{
	(void) arg;
	if (r->cmd == QMP_STOP)
		(void) ask(QMP_QUERY_STATUS, NULL, r->tag + 1);
	heard_add(qmp_cmd_name(r->cmd));
}

static void test_reentrant(void)
{
	static const struct qmp_ops again = {ask_again, on_event};

	ready();
	q.ops = &again;
	(void) ask(QMP_STOP, NULL, 1);
	say("{\"return\": {}, \"id\": 2}\n{\"return\": {\"status\": \"paused\"}, \"id\": 3}\n");
	ok(go() == 0 && str_eq(heard, "stopquery-status"), "a reply may ask for more");
}

static void test_full_socket(void)
{
	const struct qmp_args a = {.data = "AAAAAAAAAAAAAAAAAAAAAA=="};
	int small = 1, sent_all = 0;
	char buf[256];

	ready();
	setsockopt(sock[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	while (write(sock[0], "{}\n", 3) == 3) /* as if the socket were full of what was before */
		;
	for (int i = 0; i < 4; i++)
		(void) ask(QMP_QUERY_SEV_REPORT, &a, 1);
	ok(go() == 0 && (qmp_events(&q) & POLLOUT), "a full socket is waited for");
	for (int i = 0; i < 100000 && (qmp_events(&q) & POLLOUT); i++) {
		if (read(sock[1], buf, sizeof(buf)) > 0)
			sent_all++;
		(void) go();
	}
	ok(sent_all > 0 && qmp_events(&q) == POLLIN, "and written when there is room");
}

int main(void)
{
	test_order();
	test_commands();
	test_sev();
	test_pieces();
	test_broken();
	test_sev_broken();
	test_limits();
	test_silence();
	test_reentrant();
	test_full_socket();
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: wire policy host spec json base */
/*
 * kavach-agent as an ordinary process at the other end of a socketpair, with a true root file system: what a container does
 * and what the host hears of it, and in which order; streams that do not hold each other up; and a host that breaks the
 * rules, each in its way, upon which the agent ends with what it started. Needs root.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "tests/unit/policy_fixture.h"
#include "wire/body.h"
#include "wire/wire.h"

#define LIMIT_MS 60000
#define STREAMS 8

static char share[64]; /* root/ and vol/ */

/* ---- a root ---- */

static const char *const applets[] = {"sh",   "true", "false", "cat",	"echo",	   "sleep", "head",
				      "stty", "dd",   "kill",  "mkdir", "ls",	   "id",    "wc",
				      "ps",   "tr",   "touch", "mount", "hostname"};

static void make_root(void)
{
	char cmd[1024];
	size_t n;

	strcpy(share, "/tmp/kavach-agent.XXXXXX");
	if (!mkdtemp(share))
		bail_out("no folder for a root");
	n = (size_t) snprintf(
		cmd, sizeof(cmd),
		"set -e; cd %s; mkdir -p root vol; cd root; mkdir -p bin dev proc sys tmp etc data; "
		"cp \"$(command -v busybox)\" bin/busybox; echo text >etc/plain; "
		"chmod 755 bin/busybox; for a in",
		share);
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		n += (size_t) snprintf(cmd + n, sizeof(cmd) - n, " %s", applets[i]);
	snprintf(cmd + n, sizeof(cmd) - n, "; do ln -s busybox bin/$a; done");
	if (system(cmd) != 0)
		bail_out("no busybox to make a root of");
}

static void remove_root(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf --one-file-system %s", share);
	if (system(cmd) != 0)
		printf("# %s is left\n", share);
}

/* ---- the host's end ---- */

struct stream {
	struct buf out[2];
	struct wire_flow flow[2]; /* what the agent may send */
	struct wire_flow in;
	bool stalled; /* gives no credit back */
	bool started, failed, exited, drained, eof[2];
	unsigned drained_after; /* frames since EXIT */
	struct wire_exit exit;
	struct wire_fail fail;
};

struct vm {
	int fd;
	pid_t pid;
	enum wire_phase phase;
	struct buf in;
	struct wire_parts parts;
	struct stream s[STREAMS];
	struct arena a;
	struct wire_hello_back hello;
	struct wire_verdict verdict;
	struct wire_reply reply;
	struct buf log;
	bool hello_came, verdict_came, prepared, reply_came, pong, ended, broken, done, oom;
};

static struct vm vm;

static void send_bytes(const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t w = send(vm.fd, at, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return; /* it ended: that is looked at elsewhere */
		at += w;
		n -= (size_t) w;
	}
}

static void say(uint8_t type, uint8_t sub, uint32_t stream, const void *p, size_t n)
{
	buf_auto b = BUF_WRITER(1u << 20);

	wire_put(&b, type, sub, stream, p, n);
	send_bytes(b.p, b.n);
}

static void say_body(uint8_t type, uint32_t stream, const struct ctable *t, const void *obj)
{
	buf_auto b = BUF_WRITER(WIRE_PARTS_MAX);
	buf_auto f = BUF_WRITER(WIRE_PARTS_MAX);

	codec_encode(&b, t, obj);
	wire_put_parts(&f, type, stream, b.p, b.n);
	send_bytes(f.p, f.n);
}

static void give(uint32_t stream, unsigned fd, uint32_t n)
{
	uint8_t v[4] = {(uint8_t) n, (uint8_t) (n >> 8), (uint8_t) (n >> 16), (uint8_t) (n >> 24)};

	wire_flow_give(&vm.s[stream].flow[fd - 1], n);
	say(WIRE_CREDIT, (uint8_t) fd, stream, v, sizeof(v));
}

static void take(const struct wire_head *h, const uint8_t *p, size_t n)
{
	struct stream *s = h->stream < STREAMS ? &vm.s[h->stream] : NULL;
	struct wire_ask ask;
	struct wire_event ev;
	bool whole = true;

	if (!s || !wire_allowed(vm.phase, WIRE_TO_HOST, h)) {
		printf("# %s on stream %u came in phase %d\n", wire_type_name(h->type), h->stream,
		       vm.phase);
		vm.broken = true;
		return;
	}
	vm.phase = wire_next(vm.phase, WIRE_TO_HOST, h);
	if (h->type != WIRE_LOG && (s->drained || (s->failed && h->stream))) {
		printf("# %s behind the end\n", wire_type_name(h->type));
		vm.broken = true;
	}
	if (s->exited)
		s->drained_after++;
#define TAKE(table, to) whole = wire_body(p, n, &(table), (to), &vm.a, &err) == 0
	switch (h->type) {
	case WIRE_HELLO_BACK:
		TAKE(wire_hello_back_table, &vm.hello);
		vm.hello_came = true;
		break;
	case WIRE_VERDICT:
		TAKE(wire_verdict_table, &vm.verdict);
		vm.verdict_came = true;
		if (!vm.verdict.accepted)
			vm.phase = WIRE_PH_HELLO;
		break;
	case WIRE_PREPARED: vm.prepared = true; break;
	case WIRE_STARTED: s->started = true; break;
	case WIRE_FAIL:
		TAKE(wire_fail_table, &s->fail);
		s->failed = true;
		break;
	case WIRE_EXIT:
		TAKE(wire_exit_table, &s->exit);
		s->exited = true;
		break;
	case WIRE_DRAINED: s->drained = true; break;
	case WIRE_REPLY:
		TAKE(wire_reply_table, &vm.reply);
		vm.reply_came = true;
		break;
	case WIRE_EVENT:
		TAKE(wire_event_table, &ev);
		vm.oom |= ev.kind == 1;
		break;
	case WIRE_DONE:
		TAKE(wire_ask_table, &ask);
		vm.done = ask.tag == 77;
		break;
	case WIRE_PONG: vm.pong = n == 4 && !memcmp(p, "ping", 4); break;
	case WIRE_LOG: buf_put(&vm.log, p, n); break;
	case WIRE_EOF: s->eof[h->sub - 1] = true; break;
	case WIRE_CREDIT:
		whole = wire_flow_give(&s->in,
				       p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16) == 0;
		break;
	case WIRE_DATA:
		whole = wire_flow_take(&s->flow[h->sub - 1], (uint32_t) n) == 0;
		buf_put(&s->out[h->sub - 1], p, n);
		if (!s->stalled)
			give(h->stream, h->sub, (uint32_t) n);
		break;
	}
	if (!whole) {
		printf("# %s is malformed\n", wire_type_name(h->type));
		vm.broken = true;
	}
}

static void take_all(void)
{
	size_t at = 0;
	struct wire_head h;
	long n;

	while ((n = wire_parse(vm.in.p + at, vm.in.n - at, WIRE_TO_HOST, &h)) > 0) {
		const uint8_t *p = vm.in.p + at + WIRE_HEAD;
		int r = wire_parts_add(&vm.parts, &h, p);

		if (r == 1)
			take(&h, vm.parts.b.p, vm.parts.b.n);
		else if (r == 0 && !wire_in_parts(h.type))
			take(&h, p, h.length);
		else if (r < 0)
			vm.broken = true;
		at += (size_t) n;
	}
	if (n < 0)
		vm.broken = true;
	memmove(vm.in.p, vm.in.p + at, vm.in.n - at);
	vm.in.n -= at;
}

/* Reads once, if there is something; false: nothing for `ms`. */
static bool pump(int ms)
{
	static uint8_t buf[65536];
	struct pollfd p = {.fd = vm.fd, .events = POLLIN};
	ssize_t n;

	if (vm.ended || poll(&p, 1, ms) <= 0)
		return false;
	n = recv(vm.fd, buf, sizeof(buf), 0);
	if (n <= 0) {
		vm.ended = true;
		return false;
	}
	buf_put(&vm.in, buf, (size_t) n);
	take_all();
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the condition holds; false when it takes too long or the agent ended. */
#define UNTIL(cond)                                                                                \
	({                                                                                         \
		int64_t end_ = now_ms() + LIMIT_MS;                                                \
		while (!(cond) && !vm.ended && !vm.broken && now_ms() < end_)                      \
			pump(200);                                                                 \
		(cond) && !vm.broken;                                                              \
	})

static void boot(void)
{
	int sv[2];

	memset(&vm, 0, sizeof(vm));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		bail_out("no socketpair");
	vm.fd = sv[0];
	vm.phase = WIRE_PH_BOOT;
	vm.parts = WIRE_PARTS_INIT;
	vm.in = BUF_WRITER(4u << 20);
	vm.log = BUF_WRITER(1u << 20);
	for (unsigned i = 0; i < STREAMS; i++) {
		vm.s[i].out[0] = vm.s[i].out[1] = BUF_WRITER(64u << 20);
		vm.s[i].flow[0] = vm.s[i].flow[1] = vm.s[i].in = WIRE_FLOW_INIT;
	}
	vm.pid = fork();
	if (vm.pid == 0) {
		char num[16], path[4096];
		const char *dir = getenv("KAVACH_BUILD");

		snprintf(path, sizeof(path), "%s/kavach-agent", dir ? dir : ".");
		snprintf(num, sizeof(num), "%d", sv[1]);
		fcntl(sv[1], F_SETFD, 0);
		execl(path, "kavach-agent", "--socket", num, (char *) NULL);
		_exit(99);
	}
	close(sv[1]);
}

/* Ends it; its exit status. */
static int halt(void)
{
	int status = 0;

	while (pump(0))
		;
	close(vm.fd);
	while (waitpid(vm.pid, &status, 0) < 0 && errno == EINTR)
		;
	buf_free(&vm.in);
	buf_free(&vm.log);
	for (unsigned i = 0; i < STREAMS; i++) {
		buf_free(&vm.s[i].out[0]);
		buf_free(&vm.s[i].out[1]);
	}
	wire_parts_free(&vm.parts);
	arena_free(&vm.a);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define MOUNTS                                                                                     \
	"{'destination':'/proc','type':'proc','source':'proc'},"                                   \
	"{'destination':'/dev','type':'tmpfs','source':'tmpfs','options':['nosuid','mode=755']},"  \
	"{'destination':'/dev/pts','type':'devpts','source':'devpts',"                             \
	"'options':['nosuid','noexec','newinstance','ptmxmode=0666','mode=0620']},"                \
	"{'destination':'/data','type':'tmpfs','source':'tmpfs'}"
#define SPACES "{'type':'network'},{'type':'pid'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'}"

static void hello(void)
{
	uint8_t nonce[32] = "a nonce of thirty-two bytes.....";

	say_body(WIRE_HELLO, 0, &wire_hello_table,
		 &(struct wire_hello){WIRE_VERSION, WIRE_VERSION, {nonce, 32}});
}

static void send_policy(const char *args, const char *proc)
{
	buf_auto b = BUF_WRITER(1u << 20);
	buf_auto f = BUF_WRITER(1u << 20);
	const struct policy *p;

	reset();
	input.backend_floor = POL_BACKEND_VM;
	p = must_build(&(struct config){.args = args,
					.proc = proc,
					.ns = SPACES,
					.mounts = MOUNTS,
					.top = "'hostname':'guest'"});
	policy_encode(&b, p);
	wire_put_parts(&f, WIRE_POLICY, 0, b.p, b.n);
	send_bytes(f.p, f.n);
}

static struct wire_prepare prepare_body(void)
{
	return (struct wire_prepare){.root = WIRE_ROOT_DIR,
				     .root_tag = share,
				     .id = (char *) "box",
				     .bundle = (char *) "/b",
				     .oci_version = (char *) "1.3.0"};
}

static void prepare(void)
{
	const struct wire_prepare p = prepare_body();

	say_body(WIRE_PREPARE, 0, &wire_prepare_table, &p);
}

/* Up to PREPARED. */
static bool ready(const char *args, const char *proc)
{
	boot();
	hello();
	send_policy(args, proc);
	prepare();
	return UNTIL(vm.prepared || vm.s[1].failed) && vm.prepared;
}

static bool start(const char *args, const char *proc)
{
	if (!ready(args, proc)) {
		printf("# %s\n", vm.s[1].fail.text ? vm.s[1].fail.text : "no answer");
		return false;
	}
	say(WIRE_START, 0, 0, NULL, 0);
	return true;
}

#define ENV "'env':['PATH=/bin']"
#define TTY "'env':['PATH=/bin','TERM=vt100'],'terminal':true"

static bool ended_with(unsigned stream, int code)
{
	return UNTIL(vm.s[stream].drained) && WIFEXITED((int) vm.s[stream].exit.status) &&
	       WEXITSTATUS((int) vm.s[stream].exit.status) == code;
}

static const char *text(unsigned stream, unsigned fd)
{
	struct buf *b = &vm.s[stream].out[fd - 1];

	buf_put_u8(b, 0);
	b->n -= b->bad ? 0 : 1;
	return b->p ? (const char *) b->p : "";
}

/* ---- tests ---- */

static void test_true(void)
{
	boot();
	hello();
	ok(UNTIL(vm.hello_came), "HELLO is answered");
	ok(vm.hello.version == WIRE_VERSION && vm.hello.nonce.n == 32 &&
		   !memcmp(vm.hello.nonce.v, "a nonce of thirty-two bytes.....", 32),
	   "with the version and our nonce");
	ok(vm.hello.kernel && vm.hello.memory > 1 << 20, "and what the guest is");
	send_policy("['true']", ENV);
	ok(UNTIL(vm.verdict_came) && vm.verdict.accepted, "the policy is accepted");
	prepare();
	ok(UNTIL(vm.prepared), "the container is prepared");
	say(WIRE_PING, 0, 0, "ping", 4);
	ok(UNTIL(vm.pong), "PING is answered");
	ok(!vm.s[1].started, "nothing runs before START");
	say(WIRE_START, 0, 0, NULL, 0);
	ok(UNTIL(vm.s[1].started), "it runs");
	ok(ended_with(1, 0), "true: 0");
	ok(vm.s[1].drained_after >= 1, "EXIT came before DRAINED");
	is_int(vm.phase, WIRE_PH_EXITED, "that was the end of the container");
	say(WIRE_SHUTDOWN, 0, 0, NULL, 0);
	is_int(halt(), 0, "SHUTDOWN ends the agent");
}

static void exits(const char *args, int code, const char *what)
{
	ok(start(args, ENV) && ended_with(1, code), "%s: %d", what, code);
	halt();
}

static void test_exits(void)
{
	exits("['false']", 1, "false");
	exits("['sh','-c','exit 42']", 42, "exit 42");
}

static void test_not_found(void)
{
	ok(!ready("['/no/such']", ENV) && vm.s[1].failed, "a missing program fails PREPARE");
	ok(vm.s[1].fail.code == -ENOENT && vm.s[1].fail.id == ERR_NO_EXECUTABLE,
	   "as what gives 127");
	ok(strstr(vm.s[1].fail.text, "no such file or directory"), "with the words for it");
	halt();
	ok(!ready("['/etc/plain']", ENV) && vm.s[1].fail.id == ERR_EXEC_DENIED,
	   "a file that is no program, as what gives 126");
	halt();
	ok(!ready("['nothing-of-that-name']", ENV) && vm.s[1].fail.id == ERR_NO_EXECUTABLE,
	   "a name that is not in PATH, as what gives 127");
	halt();
}

static void test_stdio(void)
{
	ok(start("['sh','-c','echo out; echo err >&2; hostname']", ENV) && ended_with(1, 0),
	   "stdout and stderr");
	is_str(text(1, 1), "out\nguest\n", "what it wrote, and the container's host name");
	is_str(text(1, 2), "err\n", "what it complained");
	halt();
}

int main(void)
{
	if (geteuid() != 0) {
		skip("not root", "the agent and its containers");
		return done();
	}
	make_root();
	test_true();
	test_exits();
	test_not_found();
	test_stdio();
	remove_root();
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec wire policy host spec json base */
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

#include "attest/evidence.h"
#include "base/io.h"
#include "base/str.h"
#include "exec/secret_block.h"
#include "tests/unit/policy_fixture.h"
#include "wire/body.h"
#include "wire/wire.h"

#define LIMIT_MS 60000
#define STREAMS 8

static char share[64]; /* root/ and vol/ */

/* ---- a root ---- */

static const char *const applets[] = {"sh",	  "true", "false", "cat",  "echo",  "sleep",
				      "head",	  "stty", "dd",	   "kill", "mkdir", "ls",
				      "id",	  "wc",	  "ps",	   "tr",   "touch", "mount",
				      "hostname", "stat", "grep"};

static void remove_root(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf --one-file-system %s", share);
	if (system(cmd) != 0)
		printf("# %s is left\n", share);
}

static void make_root(void)
{
	char cmd[1024];
	size_t n;

	strcpy(share, "/tmp/kavach-agent.XXXXXX");
	if (!mkdtemp(share))
		bail_out("no folder for a root");
	atexit(remove_root);
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

/* With KAVACH_TEST_GUEST=PROGRAM all this is about the agent of a true guest: PROGRAM FD SHARE starts one whose port is FD and
 * that has the folder SHARE as the 9p share "root". */
static bool in_guest(void)
{
	return getenv("KAVACH_TEST_GUEST");
}

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
		if (in_guest())
			execl(getenv("KAVACH_TEST_GUEST"), "guest", num, share, (char *) NULL);
		else
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

static const char *host_may = "all";	/* of the next policy */
static struct pol_secret *with_secrets; /* that the policy gives, with_n_secrets of them */
static size_t with_n_secrets;
static uint32_t with_backend;	/* instead of "vm"; 0 */
static struct pol_vm with_root; /* root* of it, where .root is set */

static void send_policy(const char *args, const char *proc)
{
	buf_auto b = BUF_WRITER(1u << 20);
	buf_auto f = BUF_WRITER(1u << 20);
	struct policy *p;
	char top[128];

	snprintf(top, sizeof(top), "'hostname':'guest','annotations':{'io.kavach.host-may':'%s'}",
		 host_may);
	reset();
	input.backend_floor = POL_BACKEND_VM;
	p = (struct policy *) (uintptr_t) must_build(&(struct config){
		.args = args, .proc = proc, .ns = SPACES, .mounts = MOUNTS, .top = top});
	p->secrets.v = with_secrets;
	p->secrets.n = with_n_secrets;
	if (with_backend)
		p->backend = with_backend;
	if (with_root.root) {
		p->vm.root = with_root.root;
		p->vm.root_hash = with_root.root_hash;
		p->vm.root_salt = with_root.root_salt;
		p->vm.root_blocks = with_root.root_blocks;
	}
	policy_encode(&b, p);
	wire_put_parts(&f, WIRE_POLICY, 0, b.p, b.n);
	send_bytes(f.p, f.n);
}

static struct wire_prepare prepare_body(void)
{
	return (struct wire_prepare){.root = in_guest() ? WIRE_ROOT_9P : WIRE_ROOT_DIR,
				     .root_tag = in_guest() ? (char *) "root" : share,
				     .rows = 24,
				     .columns = 80,
				     .modules = (char *) "9p",
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

/* What the host has instead of the image, a true guest's share too, is nothing that the policy vouches for. */
static void test_packed_root(void)
{
	static const struct pol_vm whole = {
		.root = POL_VM_ROOT_PACKED,
		.root_hash = (char *) "00112233445566778899aabbccddeeff"
				      "00112233445566778899aabbccddeeff",
		.root_salt = (char *) "6b",
		.root_blocks = 2,
	};
	static const struct {
		const char *what, *words;
		const char *hash, *salt;
		uint64_t blocks;
	} rows[] = {
		{"another root", "the policy wants a packed root, the host has another", NULL, NULL,
		 2},
		{"a hash that is none", "the policy has no root hash", "0011", NULL, 2},
		{"a hash with something behind it", "the policy has no root hash",
		 "00112233445566778899aabbccddeeff00112233445566778899aabbccddee f", NULL, 2},
		{"no salt", "the policy has no salt", NULL, "", 2},
		{"no size", "the policy has no number of blocks", NULL, NULL, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		with_root = whole;
		with_root.root_blocks = rows[i].blocks;
		if (rows[i].hash)
			with_root.root_hash = (char *) (uintptr_t) rows[i].hash;
		if (rows[i].salt)
			with_root.root_salt = (char *) (uintptr_t) rows[i].salt;
		ok(!ready("['true']", ENV) && vm.s[1].failed, "packed root: %s fails PREPARE",
		   rows[i].what);
		ok(vm.s[1].fail.text && strstr(vm.s[1].fail.text, rows[i].words), "... with: %s",
		   rows[i].words);
		halt();
	}
	with_root = (struct pol_vm){0};
}

static void test_stdio(void)
{
	ok(start("['sh','-c','echo out; echo err >&2; hostname']", ENV) && ended_with(1, 0),
	   "stdout and stderr");
	is_str(text(1, 1), "out\nguest\n", "what it wrote, and the container's host name");
	is_str(text(1, 2), "err\n", "what it complained");
	halt();
}

/* ---- streams ---- */

static uint8_t pattern(size_t i)
{
	return (uint8_t) (i * 31 >> 5);
}

/* Sends as credit comes. */
static void feed(uint32_t stream, size_t total)
{
	static uint8_t part[WIRE_DATA_MAX];
	struct wire_flow *f = &vm.s[stream].in;
	int64_t end = now_ms() + LIMIT_MS;

	for (size_t sent = 0;
	     sent < total && !vm.s[stream].exited && !vm.ended && !vm.broken && now_ms() < end;) {
		size_t n = f->window < sizeof(part) ? f->window : sizeof(part);

		if (n > total - sent)
			n = total - sent;
		for (size_t i = 0; i < n; i++)
			part[i] = pattern(sent + i);
		if (n) {
			wire_flow_take(f, (uint32_t) n);
			say(WIRE_DATA, 0, stream, part, n);
			sent += n;
		}
		pump(n ? 0 : 200);
	}
	if (!vm.s[stream].exited)
		say(WIRE_EOF, 0, stream, NULL, 0);
}

static void test_stdin(void)
{
	const size_t total = in_guest() ? 4u << 20 : 20u << 20;
	const struct buf *out = &vm.s[1].out[0];
	size_t bad = 0;

	ok(start("['cat']", ENV), "cat");
	feed(1, total);
	ok(ended_with(1, 0), "ends at the end of its input");
	is_int(out->n, total, "20 MB go in and come out");
	for (size_t i = 0; i < out->n; i++)
		bad += out->p[i] != pattern(i);
	is_int(bad, 0, "unchanged");
	halt();
	ok(start("['sh','-c','exec <&-; sleep 0.2; exit 3']", ENV), "one that does not read");
	feed(1, 1u << 20);
	ok(ended_with(1, 3), "does not hold up its host");
	halt();
}

static void exec_process(uint32_t stream, const char *args, const char *proc)
{
	buf_auto b = BUF_WRITER(1u << 20);
	const struct policy *p;
	struct wire_exec x = {.rows = 30, .columns = 90};
	struct pol_process one;

	p = must_build(
		&(struct config){.args = args, .proc = proc, .ns = SPACES, .mounts = MOUNTS});
	one = p->process;
	one.uid = one.gid = 33;
	codec_encode(&b, &pol_process_table, &one);
	x.process = (struct bytes){b.p, b.n};
	say_body(WIRE_EXEC, stream, &wire_exec_table, &x);
}

#define FOREVER "['sleep','100000']"

static void test_exec(void)
{
	ok(start(FOREVER, ENV) && UNTIL(vm.s[1].started), "a container to look into");
	exec_process(2, "['sh','-c','echo $0 $X; hostname; cat; id -u; exit 5']",
		     "'env':['PATH=/bin','X=y']");
	ok(UNTIL(vm.s[2].started), "exec");
	feed(2, 0);
	ok(ended_with(2, 5), "its status");
	is_str(text(2, 1), "sh y\nguest\n33\n", "in the container, as another user");
	exec_process(3, "['/not/there']", ENV);
	ok(UNTIL(vm.s[3].failed) && vm.s[3].fail.id == ERR_NO_EXECUTABLE, "exec of nothing: 127");
	exec_process(4, "['sleep','100000']", ENV);
	exec_process(5, "['true']", ENV);
	ok(ended_with(5, 0) && UNTIL(vm.s[4].started) && !vm.s[4].exited, "while another one runs");
	say_body(WIRE_SIGNAL, 4, &wire_signal_table, &(struct wire_signal){SIGTERM, false});
	ok(UNTIL(vm.s[4].drained) && WTERMSIG((int) vm.s[4].exit.status) == SIGTERM,
	   "a signal is for the one that it names");
	exec_process(6, "['sleep','100000']", ENV);
	ok(UNTIL(vm.s[6].started), "one more");
	say_body(WIRE_PS, 0, &wire_ask_table, &(struct wire_ask){5});
	ok(UNTIL(vm.reply_came) && vm.reply.tag == 5 &&
		   strstr((char *) vm.reply.body.v, "\"command\":\"sleep\""),
	   "PS shows them");
	say_body(WIRE_SIGNAL, 1, &wire_signal_table, &(struct wire_signal){SIGKILL, false});
	ok(UNTIL(vm.s[1].drained) && WTERMSIG((int) vm.s[1].exit.status) == SIGKILL,
	   "the first process is killed");
	ok(UNTIL(vm.s[6].drained) && WTERMSIG((int) vm.s[6].exit.status) == SIGKILL,
	   "and with it everybody");
	exec_process(7, "['true']", ENV);
	ok(UNTIL(vm.s[7].failed) && vm.s[7].fail.id == ERR_NOT_RUNNING,
	   "exec after that: not running");
	halt();
}

static void test_stalled(void)
{
	ok(start(FOREVER, ENV) && UNTIL(vm.s[1].started), "a container for two");
	vm.s[2].stalled = true;
	exec_process(2, "['dd','if=/dev/zero','bs=65536','count=100']", ENV);
	ok(UNTIL(vm.s[2].out[0].n == WIRE_WINDOW), "a window of output comes without credit");
	exec_process(3, "['echo','hi']", ENV);
	ok(ended_with(3, 0), "a reader that stopped holds up nobody else");
	is_int(vm.s[2].out[0].n, WIRE_WINDOW, "and gets not a byte more");
	ok(!vm.s[2].exited, "its writer waits");
	vm.s[2].stalled = false;
	give(2, 1, WIRE_WINDOW);
	ok(ended_with(2, 0), "until there is credit again");
	is_int(vm.s[2].out[0].n, 6553600, "nothing is lost");
	vm.s[4].stalled = true;
	exec_process(4, "['dd','if=/dev/zero','bs=65536','count=3']", ENV);
	ok(UNTIL(vm.s[4].exited), "EXIT comes although the output is not read");
	ok(!vm.s[4].drained, "DRAINED does not");
	give(4, 1, WIRE_WINDOW);
	vm.s[4].stalled = false;
	ok(ended_with(4, 0) && vm.s[4].out[0].n == 3 * 65536, "it follows when it is");
	halt();
}

/* ---- terminals ---- */

static bool shows(unsigned stream, const char *what)
{
	return UNTIL(strstr(text(stream, 1), what));
}

static void type_in(uint32_t stream, const char *keys)
{
	wire_flow_take(&vm.s[stream].in, (uint32_t) strlen(keys));
	say(WIRE_DATA, 0, stream, keys, strlen(keys));
}

static void test_terminal(void)
{
	ok(start("['sh','-c','stty size; read x; stty size; echo got $x; cat; echo no']", TTY),
	   "a container with a terminal");
	ok(shows(1, "24 80\r\n"), "of the size that PREPARE says");
	say_body(WIRE_RESIZE, 1, &wire_resize_table, &(struct wire_resize){50, 132});
	type_in(1, "line\n");
	ok(shows(1, "line\r\n50 132\r\ngot line\r\n"), "it echoes, and was resized");
	type_in(1, "more\n");
	ok(shows(1, "more\r\nmore\r\n"), "cat");
	type_in(1, "\003");
	ok(shows(1, "^C"), "Ctrl-C");
	ok(ended_with(1, 130), "is a signal, and the end");
	is_int(vm.s[1].out[1].n, 0, "all on one stream");
	halt();
	ok(start(FOREVER, ENV) && UNTIL(vm.s[1].started), "a container without one");
	exec_process(2, "['sh','-c','stty size; read x; exit 4']", TTY);
	ok(shows(2, "30 90\r\n"), "exec with one, of the size that EXEC says");
	type_in(2, "\004");
	ok(ended_with(2, 4), "Ctrl-D");
	halt();
}

/* ---- the container as a whole ---- */

static void test_signals(void)
{
	ok(start("['sh','-c','trap \\\"exit 7\\\" TERM; echo up; while :; do sleep 1000 & wait $!; done']",
		 ENV) &&
		   shows(1, "up"),
	   "a first process with a handler");
	say_body(WIRE_SIGNAL, 1, &wire_signal_table, &(struct wire_signal){SIGTERM, false});
	ok(ended_with(1, 7), "handles it");
	halt();
	ok(start(FOREVER, ENV) && UNTIL(vm.s[1].started), "one that is killed with all others");
	exec_process(2, FOREVER, ENV);
	ok(UNTIL(vm.s[2].started), "and another");
	say_body(WIRE_SIGNAL, 1, &wire_signal_table, &(struct wire_signal){SIGKILL, true});
	ok(UNTIL(vm.s[1].drained && vm.s[2].drained) &&
		   WTERMSIG((int) vm.s[1].exit.status) == SIGKILL &&
		   WTERMSIG((int) vm.s[2].exit.status) == SIGKILL,
	   "are both");
	halt();
	ok(ready(FOREVER, ENV), "one that was not started");
	say_body(WIRE_SIGNAL, 1, &wire_signal_table, &(struct wire_signal){SIGKILL, false});
	ok(UNTIL(vm.s[1].failed), "is killed, which is no exit but a failure");
	say(WIRE_START, 0, 0, NULL, 0);
	say(WIRE_PING, 0, 0, "ping", 4);
	ok(UNTIL(vm.pong), "START of it is too late, and no offence");
	halt();
}

/* The machine lets us make no cgroup2: the agent has said so. */
static bool no_cgroup(void)
{
	buf_put_u8(&vm.log, 0);
	vm.log.n--;
	return strstr((const char *) vm.log.p, "the container has no cgroup");
}

static void test_questions(void)
{
	struct pol_resources res = {.pids = {true, 100}};
	buf_auto b = BUF_WRITER(65536);
	struct wire_update u = {.tag = 9};

	ok(start(FOREVER, ENV) && UNTIL(vm.s[1].started), "a container to be asked about");
	say_body(WIRE_STATS, 0, &wire_ask_table, &(struct wire_ask){8});
	if (no_cgroup()) {
		ok(UNTIL(vm.s[0].failed) && vm.s[0].fail.tag == 8, "STATS: there are none");
		vm.s[0].failed = false;
	} else {
		ok(UNTIL(vm.reply_came) && vm.reply.tag == 8 && vm.reply.body.n > 2 &&
			   vm.reply.body.v[0] == '{' &&
			   strstr((char *) vm.reply.body.v, "\"cpu\":{"),
		   "STATS: an object");
	}
	vm.reply_came = false;
	codec_encode(&b, &pol_resources_table, &res);
	u.resources = (struct bytes){b.p, b.n};
	say_body(WIRE_UPDATE, 0, &wire_update_table, &u);
	ok(UNTIL(vm.reply_came || vm.s[0].failed) &&
		   (vm.reply_came ? vm.reply.tag : vm.s[0].fail.tag) == 9,
	   "UPDATE: done, or why not");
	ok(vm.reply_came || !in_guest(), "done, in a guest");
	exec_process(2, FOREVER, ENV);
	ok(UNTIL(vm.s[2].started), "somebody else runs, too");
	say_body(WIRE_SYNC, 0, &wire_ask_table, &(struct wire_ask){77});
	ok(UNTIL(vm.done), "SYNC is answered");
	ok(vm.s[1].exited && vm.s[2].exited, "when all processes have ended");
	halt();
}

/* What the policy does not let the host do is answered, and not done. */
static void test_kept_out(void)
{
	struct pol_resources res = {.pids = {true, 100}};
	buf_auto b = BUF_WRITER(65536);
	struct wire_update u = {.tag = 9};

	host_may = "none";
	ok(start("['sh','-c','trap \\\"echo usr1\\\" USR1; trap \\\"exit 9\\\" TERM; echo up; "
		 "while :; do sleep 1000 & wait $!; done']",
		 ENV) &&
		   shows(1, "up"),
	   "a container whose policy keeps the host out");
	exec_process(2, "['true']", ENV);
	ok(UNTIL(vm.s[2].failed) && vm.s[2].fail.code == -EPERM &&
		   strstr(vm.s[2].fail.text, "io.kavach.host-may"),
	   "no exec");
	ok(!vm.s[2].started, "nothing of it ran");
	say_body(WIRE_STATS, 0, &wire_ask_table, &(struct wire_ask){7});
	ok(UNTIL(vm.s[0].failed || vm.reply_came) && !vm.reply_came && vm.s[0].fail.tag == 7 &&
		   vm.s[0].fail.code == -EPERM,
	   "no statistics");
	vm.s[0].failed = false;
	say_body(WIRE_PS, 0, &wire_ask_table, &(struct wire_ask){8});
	ok(UNTIL(vm.s[0].failed || vm.reply_came) && !vm.reply_came && vm.s[0].fail.tag == 8 &&
		   vm.s[0].fail.code == -EPERM,
	   "no list of processes");
	vm.s[0].failed = false;
	codec_encode(&b, &pol_resources_table, &res);
	u.resources = (struct bytes){b.p, b.n};
	say_body(WIRE_UPDATE, 0, &wire_update_table, &u);
	ok(UNTIL(vm.s[0].failed || vm.reply_came) && !vm.reply_came && vm.s[0].fail.tag == 9 &&
		   vm.s[0].fail.code == -EPERM,
	   "no other limits");
	vm.s[0].failed = false;
	say_body(WIRE_SIGNAL, 1, &wire_signal_table, &(struct wire_signal){SIGUSR1, false});
	say_body(WIRE_SIGNAL, 1, &wire_signal_table, &(struct wire_signal){SIGSTOP, true});
	say(WIRE_PING, 0, 0, "ping", 4);
	ok(UNTIL(vm.pong), "signals beside those that end it are no offence");
	say_body(WIRE_SIGNAL, 1, &wire_signal_table, &(struct wire_signal){SIGTERM, false});
	ok(ended_with(1, 9), "but it can be ended");
	is_str(text(1, 1), "up\n", "and got none of the others");
	buf_put_u8(&vm.log, 0);
	ok(strstr((const char *) vm.log.p, "\"signal\""), "which the agent has said");
	halt();
	host_may = "all";
}

/* ---- secrets ---- */

#define S(s) ((char *) (uintptr_t) (s))
enum { DB, TOKEN, INPUT, MAYBE };
static struct pol_secret secrets[] = {
	[DB] = {.name = S("db"),
		.give = POL_SECRET_FILE,
		.target = S("/run/secrets/db"),
		.mode = 0440,
		.gid = 6,
		.required = true},
	[TOKEN] = {.name = S("token"),
		   .give = POL_SECRET_ENV,
		   .target = S("TOKEN"),
		   .required = true,
		   .exec = true},
	[INPUT] = {.name = S("input"), .give = POL_SECRET_STDIN, .required = true},
	[MAYBE] = {.name = S("maybe"), .give = POL_SECRET_ENV, .target = S("MAYBE")},
};

/* SECRET: those of the list, each with its name and "'s value" as the value. The last byte is left out where `cut`. */
static void say_secrets(uint32_t stream, const struct pol_secret *const *list, size_t n, size_t cut)
{
	secret_block_auto b = {0};
	buf_auto f = BUF_WRITER(WIRE_PARTS_MAX);

	if (secret_block_open(&b, &err) < 0)
		bail_out(err.msg);
	for (size_t i = 0; i < n; i++) {
		struct secret_slot slot;
		uint8_t *p;
		size_t room;

		secret_begin(&b, list[i], &slot, &p, &room);
		secret_end(&b, &slot, (size_t) sprintf((char *) p, "%s's value", list[i]->name));
	}
	wire_put_parts(&f, WIRE_SECRET, stream, b.p, b.n - cut);
	send_bytes(f.p, f.n);
}
#define SAY_SECRETS(stream, ...)                                                                   \
	do {                                                                                       \
		const struct pol_secret *const list_[] = {__VA_ARGS__};                            \
		say_secrets(stream, list_, ARRAY_LEN(list_), 0);                                   \
	} while (0)
#define FIRST_SECRETS &secrets[DB], &secrets[TOKEN], &secrets[INPUT]

static void secret_policy(const char *args)
{
	boot();
	hello();
	with_secrets = secrets;
	with_n_secrets = ARRAY_LEN(secrets);
	send_policy(args, ENV);
	with_n_secrets = 0;
}

static void go_on(void)
{
	if (UNTIL(vm.prepared || vm.s[1].failed) && vm.prepared)
		say(WIRE_START, 0, 0, NULL, 0);
	if (!UNTIL(vm.s[1].started || vm.s[1].failed) || vm.s[1].failed)
		bail_out(vm.s[1].fail.text ? vm.s[1].fail.text : "no container with secrets");
}

static void test_secrets(void)
{
	static const char shows[] =
		"['sh','-c','cat; echo; cat /run/secrets/db; echo; echo $TOKEN+$MAYBE; "
		"stat -c %a:%u:%g /run/secrets/db; grep -c secrets.ramfs.ro /proc/mounts']";

	secret_policy(shows);
	SAY_SECRETS(1, FIRST_SECRETS);
	prepare();
	ok(UNTIL(vm.prepared || vm.s[1].failed) && vm.prepared, "a container with secrets");
	say(WIRE_START, 0, 0, NULL, 0);
	ok(ended_with(1, 0), "it runs");
	ok(strstr(text(1, 1), "input's value\n"), "one is its standard input");
	ok(strstr(text(1, 1), "db's value\n"), "one is a file");
	ok(strstr(text(1, 1), "token's value+\n"), "one is a variable; one that may be missing is");
	ok(strstr(text(1, 1), "\n440:0:6\n"), "the file is its owner's");
	ok(strstr(text(1, 1), "\n1\n"), "in a file system in memory that is read-only");
	halt();

	secret_policy(FOREVER);
	SAY_SECRETS(1, FIRST_SECRETS, &secrets[MAYBE]);
	prepare();
	go_on();
	SAY_SECRETS(2, &secrets[TOKEN]);
	exec_process(2, "['sh','-c','echo $TOKEN+$MAYBE']", ENV);
	ok(ended_with(2, 0) && !strcmp(text(2, 1), "token's value+\n"), "an exec has its variable");
	exec_process(3, "['true']", ENV);
	ok(UNTIL(vm.s[3].failed) && strstr(vm.s[3].fail.text, "secret token"),
	   "an exec that did not get it is refused");
	halt();

	secret_policy(FOREVER);
	SAY_SECRETS(1, &secrets[DB], &secrets[INPUT]);
	prepare();
	ok(UNTIL(vm.s[1].failed) && strstr(vm.s[1].fail.text, "secret token"),
	   "a container is refused that lacks one");
	halt();
}

/* A policy of a confidential guest where there is none: said, and nothing of it runs. */
static void test_unproved(void)
{
	static uint8_t nonce[] = "a nonce of thirty-two bytes.....";
	static const struct {
		uint32_t backend;
		const char *why;
	} rows[] = {
		{POL_BACKEND_SEV_SNP,
		 "the policy is for a guest of SEV-SNP, which proves what it is: "},
		{POL_BACKEND_SEV, "the policy is for a guest of SEV, whose kernel's command line "},
		{POL_BACKEND_SEV_ES,
		 "the policy is for a guest of SEV, whose kernel's command line "},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		boot();
		hello();
		with_backend = rows[i].backend;
		send_policy("['true']", ENV);
		ok(UNTIL(vm.verdict_came) && !vm.verdict.accepted,
		   "a policy of backend %u is refused by a guest that cannot prove itself",
		   rows[i].backend);
		ok(vm.verdict.why && str_prefix(vm.verdict.why, rows[i].why), "with the reason: %s",
		   vm.verdict.why ? vm.verdict.why : "none");
		is_int((int64_t) vm.verdict.report.n, 0, "and without a report");
		prepare();
		ok(!UNTIL(vm.prepared) && vm.ended, "and nothing can follow");
		halt();
	}
	with_backend = 0;
	ok(start(FOREVER, ENV) && UNTIL(vm.s[1].started), "a plain VM");
	say_body(WIRE_ATTEST, 0, &wire_attest_table, &(struct wire_attest){3, {nonce, 32}});
	ok(UNTIL(vm.s[0].failed || vm.reply_came) && !vm.reply_came && vm.s[0].fail.tag == 3 &&
		   vm.s[0].fail.code == -EOPNOTSUPP,
	   "ATTEST: it has no evidence");
	halt();
}

/* ---- a host that breaks the rules ---- */

/* The agent ends, says so by its status, and nothing of the container is left. */
static void offended(const char *what)
{
	char dir[128];
	pid_t pid = vm.pid;
	int status;

	snprintf(dir, sizeof(dir), "/sys/fs/cgroup/unified/kavach-agent.%d", (int) pid);
	while (pump(LIMIT_MS))
		;
	ok(vm.ended, "%s: it ends", what);
	status = halt();
	if (!in_guest())
		is_int(status, 3, "%s: by its status", what);
	ok(access(dir, F_OK) < 0, "%s: nothing is left", what);
}

static void begin(void)
{
	boot();
	hello();
}

static void running(void)
{
	if (!start(FOREVER, ENV) || !UNTIL(vm.s[1].started))
		bail_out("no container to be offended in");
}

static void put_u32(uint8_t v[4], uint32_t n)
{
	for (unsigned i = 0; i < 4; i++)
		v[i] = (uint8_t) (n >> 8 * i);
}

static void test_before(void)
{
	uint8_t nonce[32] = {0};

	boot();
	say(WIRE_POLICY, 0, 0, "x", 1);
	offended("POLICY before HELLO");
	boot();
	send_bytes("GET / HTTP/1.1\r\n\r\n", 18);
	offended("another protocol");
	boot();
	say(WIRE_HELLO, 0, 0, "x", 1);
	offended("HELLO that is malformed");
	boot();
	say_body(WIRE_HELLO, 0, &wire_hello_table, &(struct wire_hello){7, 9, {nonce, 32}});
	offended("a version of the future");
	boot();
	say_body(WIRE_HELLO, 0, &wire_hello_table, &(struct wire_hello){1, 1, {nonce, 4}});
	offended("a short nonce");
	begin();
	hello();
	offended("HELLO twice");
	begin();
	say(WIRE_POLICY, 0, 0, "KVCHPOL?", 8);
	ok(UNTIL(vm.verdict_came) && !vm.verdict.accepted && vm.verdict.why,
	   "a policy that is none is refused");
	prepare();
	offended("PREPARE without a policy");
	begin();
	say(WIRE_POLICY, 0, 0, "KVCHPOL?", 8);
	send_policy("['true']", ENV);
	offended("another policy after one that was refused");
	begin();
	say(WIRE_POLICY, WIRE_MORE, 0, "KVCHPOL?", 8);
	say(WIRE_PING, 0, 0, "ping", 4);
	offended("something between parts");
}

static void test_prepared(void)
{
	struct wire_prepare p = prepare_body();

	begin();
	send_policy("['true']", ENV);
	say(WIRE_START, 0, 0, NULL, 0);
	offended("START before PREPARE");
	begin();
	send_policy("['true']", ENV);
	say(WIRE_DATA, 0, 1, "x", 1);
	offended("DATA for a process that there never was");
	begin();
	send_policy("['true']", ENV);
	p.id = NULL;
	say_body(WIRE_PREPARE, 0, &wire_prepare_table, &p);
	offended("a container without a name");
	ready(FOREVER, ENV);
	prepare();
	offended("PREPARE twice");
	ready(FOREVER, ENV);
	exec_process(2, FOREVER, ENV);
	offended("EXEC before START");
	ready(FOREVER, ENV);
	say(WIRE_START, 0, 0, NULL, 0);
	say(WIRE_START, 0, 0, NULL, 0);
	offended("START twice");
}

static void test_running(void)
{
	static uint8_t zeros[WIRE_DATA_MAX];
	uint8_t n[4];

	running();
	vm.s[1].in.window = 0;
	for (int i = 0; i < 9; i++) /* the pipe takes some, and gives that back */
		say(WIRE_DATA, 0, 1, zeros, sizeof(zeros));
	offended("DATA without credit");
	running();
	say(WIRE_EOF, 0, 1, NULL, 0);
	say(WIRE_DATA, 0, 1, "x", 1);
	offended("DATA behind EOF");
	running();
	put_u32(n, 1);
	say(WIRE_CREDIT, 1, 1, n, 4);
	offended("CREDIT for nothing");
	running();
	exec_process(2, "['true']", ENV);
	ok(ended_with(2, 0), "an exec");
	say(WIRE_DATA, 0, 2, "late", 4);
	say(WIRE_PING, 0, 0, "ping", 4);
	ok(UNTIL(vm.pong), "what comes late for it is dropped");
	exec_process(2, "['true']", ENV);
	offended("a stream that is used again");
	running();
	say(WIRE_DATA, 0, 3, "x", 1);
	offended("DATA for an exec that there never was");
	running();
	say_body(WIRE_SIGNAL, 1, &wire_signal_table, &(struct wire_signal){65, false});
	offended("signal 65");
	running();
	say_body(WIRE_RESIZE, 1, &wire_resize_table, &(struct wire_resize){70000, 1});
	offended("70000 rows");
	running();
	say_body(WIRE_ATTEST, 0, &wire_attest_table,
		 &(struct wire_attest){3, {zeros, EVIDENCE_NONCE_MIN - 1}});
	offended("a short nonce");
	running();
	say(WIRE_STARTED, 0, 1, NULL, 0);
	offended("a message of the guest's");
	running();
	say(WIRE_UPDATE, 0, 0, "xx", 2);
	offended("UPDATE that is malformed");
	running();
	ok(true, "a host that goes away");
	is_int(halt(), 0, "is no offence, but the end");
}

static void test_secret_offences(void)
{
	struct pol_secret other = secrets[DB], more = secrets[TOKEN];
	const struct pol_secret *const one[] = {&secrets[DB]};

	secret_policy(FOREVER);
	say_secrets(1, one, 1, 1);
	offended("a block of secrets that is cut");
	secret_policy(FOREVER);
	other.target = S("/etc/passwd");
	SAY_SECRETS(1, &other);
	offended("a secret for another place");
	secret_policy(FOREVER);
	other = secrets[DB];
	other.mode = 0444;
	SAY_SECRETS(1, &other);
	offended("a secret for others to read");
	secret_policy(FOREVER);
	more.target = S("LD_PRELOAD");
	SAY_SECRETS(1, FIRST_SECRETS, &more);
	offended("a variable that the policy does not have");
	secret_policy(FOREVER);
	SAY_SECRETS(1, &secrets[DB], &secrets[DB]);
	offended("a secret twice");
	secret_policy(FOREVER);
	SAY_SECRETS(1, FIRST_SECRETS);
	SAY_SECRETS(1, FIRST_SECRETS);
	offended("all secrets twice");
	secret_policy(FOREVER);
	SAY_SECRETS(2, &secrets[TOKEN]);
	offended("an exec's secrets before there is a container");
	begin();
	send_policy(FOREVER, ENV);
	SAY_SECRETS(1, &secrets[DB]);
	offended("secrets that no policy gives");
	with_backend = POL_BACKEND_SEV_SNP;
	secret_policy(FOREVER);
	with_backend = 0;
	SAY_SECRETS(1, FIRST_SECRETS);
	offended("secrets of the host for a confidential guest");
	running();
	SAY_SECRETS(2, &secrets[TOKEN]);
	offended("an exec's secrets that no policy gives");
	secret_policy(FOREVER);
	SAY_SECRETS(1, FIRST_SECRETS);
	prepare();
	go_on();
	SAY_SECRETS(2, &secrets[TOKEN]);
	exec_process(3, FOREVER, ENV);
	offended("an exec in the place of that whose secrets came");
	secret_policy(FOREVER);
	SAY_SECRETS(1, FIRST_SECRETS);
	prepare();
	go_on();
	SAY_SECRETS(2, &secrets[DB]);
	offended("a file for an exec");
}

int main(void)
{
	if (geteuid() != 0) {
		skip("not root", "the agent and its containers");
		return done();
	}
	make_root();
	begin();
	if (!UNTIL(vm.hello_came))
		bail_out("no kavach-agent in KAVACH_BUILD, or it says nothing");
	halt();
	test_true();
	test_exits();
	test_not_found();
	test_packed_root();
	test_stdio();
	test_stdin();
	test_exec();
	test_stalled();
	test_terminal();
	test_signals();
	test_questions();
	test_kept_out();
	test_secrets();
	test_unproved();
	test_before();
	test_prepared();
	test_running();
	test_secret_offences();
	return done();
}

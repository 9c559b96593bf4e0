/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the lifecycle on a backend that only notes what it is told: the order of its operations and of the
 * hooks, what is undone when a step fails, and what a command that is killed leaves for delete --force. Nothing here
 * needs privilege. The backend and the hooks write to one file, which is the trace that is compared.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/cmd.h"

#include "tests/unit/tap.h"

static char dir[64], root[96], trace_file[96];
static struct arena arena;

/* What the backend does besides noting. */
static struct {
	bool fail_early; /* create: before anything lives */
	bool fail_late;	 /* create: after `ready` */
	bool fail_start;
	bool fail_destroy;
	bool die;  /* create: kavach is killed there */
	bool hang; /* start: until the process is gone */
	bool no_backend;
	bool saw_record; /* create: the record was on disk, without a pid */
} fake;

static void note(const char *what)
{
	int fd = open(trace_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, what, strlen(what)) < 0)
		bail_out("no trace");
	close(fd);
}

static bool traced(const char *want)
{
	struct bytes b = {0};
	bool same;

	if (io_read_at(AT_FDCWD, trace_file, 0, 1 << 16, &arena, &b) < 0)
		b = (struct bytes){0};
	unlink(trace_file);
	same = b.n == strlen(want) && !memcmp(b.v ? (char *) b.v : "", want, b.n);
	if (!same)
		printf("# trace: %.*s\n", (int) b.n, b.v ? (char *) b.v : "");
	return same;
}

/* ---- the backend ---- */

static void spawn(struct box *b)
{
	struct proc_stat now;
	sigset_t none;
	int p[2];
	char st;

	if (pipe(p) < 0)
		bail_out("pipe");
	b->pid = fork();
	if (b->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		for (int fd = 3; fd < 64; fd++)
			close(fd); /* the lock among them, and the pipe */
		for (;;)
			pause();
	}
	close(p[1]);
	(void) !read(p[0], &st, 1); /* until it has */
	close(p[0]);
	b->pidfd = sys_pidfd_open(b->pid, 0);
	if (proc_read_stat(AT_FDCWD, b->pid, &now) < 0)
		bail_out("no start time");
	b->pid_start = now.start;
}

static int fake_create(struct box *b, const struct box_io *io,
		       int (*ready)(struct box *, void *, struct err *), void *arg, struct err *e)
{
	state_auto s = STATE_INIT;
	int r, sock;

	note("create ");
	fake.saw_record = state_load(root, b->id, STATE_NO_LOCK, false, &arena, &s, e) == 0 &&
			  s.rec->pid == 0 && s.rec->bundle && s.rec->poststop.n == 1 &&
			  s.rec->shared_pidns;
	if (fake.die)
		raise(SIGKILL);
	if (fake.fail_early)
		return err_set(e, -EIO, "early");
	b->lived = true;
	spawn(b);
	if (io->wait_start) {
		sock = unix_listen_at(b->dir_fd, "start.sock", SOCK_SEQPACKET, e);
		if (sock < 0)
			return sock;
		close(sock);
	}
	r = ready(b, arg, e);
	if (r == 0 && fake.fail_late)
		r = err_set(e, -EIO, "late");
	if (r < 0) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
		b->pidfd = fd_close(b->pidfd);
		b->pid = 0;
		return r;
	}
	note("ready ");
	return 0;
}

static int fake_start(struct box *b, bool parked, struct err *e)
{
	struct pollfd p = {.fd = b->pidfd, .events = POLLIN};

	note(parked ? "start " : "go ");
	if (parked)
		unlinkat(b->dir_fd, "start.sock", 0);
	if (fake.hang) {
		poll(&p, 1, -1);
		return err_set(e, -EPIPE, "it ended");
	}
	if (fake.fail_start)
		return err_set_id(e, ERR_NO_EXECUTABLE, -ENOENT, "no program");
	if (!parked)
		kill(b->pid, SIGTERM); /* a short life */
	return 0;
}

static int fake_signal(struct box *b, int sig, bool all, struct err *e)
{
	char text[32];

	(void) e;
	snprintf(text, sizeof(text), "signal-%d%s ", sig, all ? "-all" : "");
	note(text);
	if (b->pidfd >= 0)
		sys_pidfd_send_signal(b->pidfd, sig);
	return 0;
}

static int fake_destroy(struct box *b, struct err *e)
{
	note("destroy ");
	if (fake.fail_destroy)
		return err_set(e, -EBUSY, "cannot destroy");
	if (b->pidfd >= 0) {
		sys_pidfd_send_signal(b->pidfd, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	return 0;
}

static const struct backend_ops fake_ops = {
	.name = "fake",
	.id = POL_BACKEND_PROCESS,
	.create = fake_create,
	.start = fake_start,
	.signal = fake_signal,
	.destroy = fake_destroy,
};

/* instead of the program's (backends.c) */
const struct backend_ops *backend_find(uint32_t id, struct err *e)
{
	if (!fake.no_backend)
		return &fake_ops;
	err_set(e, -ENOTSUP, "no backend %u", id);
	return NULL;
}

/* ---- driving commands ---- */

static struct err last;

/* "delete --force x": the exit status or -errno; `last` is its error */
static int kv(const char *line)
{
	struct arena *a = &arena;
	struct globals g = {.root = root,
			    .cgroup_manager = "disabled",
			    .a = a,
			    .backend_floor = POL_BACKEND_PROCESS};
	_Alignas(16) char opts[CMD_OPTS_MAX] = {0};
	char *argv[16] = {0}, *save, *w;
	int argc = 0, first, r;

	/* root's, whoever we are: the decision is made, and nobody acts on it */
	g.host = (struct host){.euid = 0,
			       .caps = (1ull << 41) - 1,
			       .last_cap = 40,
			       .kernel = 0x061200,
			       .machine = "x86_64",
			       .time_ns = true,
			       .cgroup_ns = true,
			       .user_ns = true};
	for (w = strtok_r(arena_strdup(a, line), " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	last = ERR_INIT;
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];

		if (strcmp(c->name, argv[0]))
			continue;
		r = opt_parse(c->opts, c->n_opts, c->stop_at_args, a, argc, argv, opts, &first,
			      &last);
		return r < 0 ? r : c->run(&g, opts, argc - first, argv + first, &last);
	}
	bail_out("no such command");
	return 0;
}

static int kvf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int kvf(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return kv(line);
}

static enum status status_of(const char *id)
{
	state_auto s = STATE_INIT;
	struct err e = ERR_INIT;

	return state_load(root, id, STATE_NO_LOCK, true, &arena, &s, &e) < 0 ? 0 : state_status(&s);
}

static bool exists(const char *name)
{
	char p[160];

	snprintf(p, sizeof(p), "%s/%s", dir, name);
	return access(p, F_OK) == 0;
}

static char *hook(const char *word, int status)
{
	return arena_printf(
		&arena,
		"{\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\", \"printf '%s ' >>%s; exit %d\"]}",
		word, trace_file, status);
}

/* a bundle whose poststart and poststop hooks write to the trace and end with these statuses */
static void bundle(int poststart, int poststop)
{
	char *text, path[160], *start = hook("poststart", poststart),
			       *stop = hook("poststop", poststop);

	text = arena_printf(
		&arena,
		"{\"ociVersion\": \"1.2.0\", \"root\": {\"path\": \"rootfs\"},"
		" \"process\": {\"cwd\": \"/\", \"args\": [\"sh\"], \"user\": {\"uid\": 0, \"gid\": 0}},"
		" \"linux\": {\"namespaces\": [{\"type\": \"mount\"}]},"
		" \"hooks\": {\"poststart\": [%s], \"poststop\": [%s]}}",
		start, stop);
	snprintf(path, sizeof(path), "%s/b/config.json", dir);
	if (io_replace_at(AT_FDCWD, path, 0600, text, strlen(text)) < 0)
		bail_out("no config.json");
}

static void begin(void)
{
	memset(&fake, 0, sizeof(fake));
	bundle(0, 0);
	unlink(trace_file);
}

/* ---- tests ---- */

static void test_whole_life(void)
{
	begin();
	is_int(kvf("create -b %s/b --pid-file %s/pid x", dir, dir), 0, "create");
	ok(traced("create ready "), "... asks the backend once");
	ok(fake.saw_record, "... after the record was written, with all that a delete needs");
	ok(exists("pid"), "... and writes the pid file");
	is_int(status_of("x"), ST_CREATED, "... it is created");
	ok(kvf("create -b %s/b --pid-file %s/pid2 x", dir, dir) < 0 && last.id == ERR_EXISTS,
	   "not twice");
	ok(traced("") && !exists("pid2") && status_of("x") == ST_CREATED,
	   "... and the first one is not touched");
	is_int(kv("start x"), 0, "start");
	ok(traced("start poststart "), "... runs the poststart hooks after the program");
	is_int(status_of("x"), ST_RUNNING, "... it is running");
	ok(kv("delete x") < 0 && traced("") && status_of("x") == ST_RUNNING, "delete refuses that");
	is_int(kv("kill x USR1"), 0, "kill");
	ok(traced("signal-10 "), "... sends the signal");
	while (status_of("x") == ST_RUNNING)
		usleep(1000);
	ok(kv("kill x") < 0 && last.id == ERR_NOT_RUNNING,
	   "kill of a stopped one is \"container not running\"");
	ok(kv("start x") < 0 && traced(""), "it starts once");
	is_int(kv("delete x"), 0, "delete");
	ok(traced("destroy poststop "), "... runs the poststop hooks last");
	ok(!exists("root/x"), "... and nothing is left");
	ok(kv("delete x") < 0 && last.id == ERR_NO_CONTAINER, "it cannot be deleted twice");
	is_int(kv("delete --force x"), 0, "but by force");
	ok(traced(""), "... without effect");
	waitpid(-1, NULL, WNOHANG);
}

static void test_create_fails(void)
{
	begin();
	fake.fail_early = true;
	ok(kvf("create -b %s/b --pid-file %s/pid3 x", dir, dir) < 0 && !strcmp(last.msg, "early"),
	   "a create that fails tells why");
	ok(traced("create destroy "), "... before the container lived: without poststop hooks");
	ok(!exists("root/x") && !exists("pid3"), "... nothing is left");

	begin();
	fake.fail_late = true;
	ok(kvf("create -b %s/b --pid-file %s/pid3 x", dir, dir) < 0 && !strcmp(last.msg, "late"),
	   "a create that fails at the very end tells why");
	ok(traced("create destroy poststop "), "... its end is the usual one, with hooks");
	ok(!exists("root/x") && !exists("pid3"), "... and the pid file is gone again");

	begin();
	ok(kvf("create -b %s/b --pid-file %s/no/such/pid x", dir, dir) < 0,
	   "a pid file that cannot be written");
	ok(traced("create destroy poststop ") && !exists("root/x"), "... undoes everything");

	begin();
	ok(kvf("create -b %s/b --pidfd-socket %s/nobody --pid-file %s/b/config.json x", dir, dir,
	       dir) < 0,
	   "a pidfd socket that nobody listens on");
	ok(traced("create destroy poststop ") && exists("b/config.json"),
	   "... and a pid file that was not written is not removed either");

	begin();
	fake.no_backend = true;
	ok(kvf("create -b %s/b x", dir) < 0 && traced("") && !exists("root/x"),
	   "a backend that this build lacks: nothing is begun");
	begin();
	ok(kvf("create -b %s/b --console-socket %s/nobody x", dir, dir) < 0 && traced("") &&
		   !exists("root/x"),
	   "a console socket without a terminal: nothing is begun");
	ok(kvf("create -b %s/none x", dir) < 0 && traced("") && !exists("root/x"),
	   "no bundle: nothing is begun");
	ok(kvf("create -b %s/b ../x", dir) < 0 && last.id == ERR_USAGE && traced(""),
	   "no id: nothing is begun");
}

static void test_start_fails(void)
{
	begin();
	fake.fail_start = true;
	kvf("create -b %s/b x", dir);
	ok(kv("start x") < 0 && !strcmp(last.msg, "no program"), "a start that fails tells why");
	ok(traced("create ready start "), "... without poststart hooks");
	ok(exists("root/x"), "... and the container is there for delete");
	is_int(kv("delete --force x"), 0, "which removes it");
	ok(traced("destroy poststop "), "... with its hooks");

	begin();
	bundle(3, 0);
	kvf("create -b %s/b x", dir);
	ok(kv("start x") < 0 && last.id == ERR_HOOK,
	   "a poststart hook that fails is an error of start");
	ok(traced("create ready start poststart signal-9 "), "... and stops the container (1.3)");
	kv("delete --force x");
	traced("");
}

static void test_delete_fails(void)
{
	begin();
	kvf("create -b %s/b x", dir);
	traced("");
	fake.fail_destroy = true;
	ok(kv("delete --force x") < 0 && !strcmp(last.msg, "cannot destroy"),
	   "a delete that fails tells why");
	ok(traced("destroy ") && exists("root/x/record"), "... and keeps what the next one needs");
	fake.fail_destroy = false;
	bundle(0, 0);
	is_int(kv("delete --force x"), 0, "the next one");
	ok(traced("destroy poststop ") && !exists("root/x"), "... does the rest");

	begin();
	bundle(0, 5);
	kvf("create -b %s/b x", dir);
	is_int(kv("delete --force x"), 0, "a poststop hook that fails does not keep the container");
	ok(traced("create ready destroy poststop ") && !exists("root/x"), "... nothing is left");
}

static void test_run(void)
{
	begin();
	is_int(kvf("run -b %s/b --pid-file %s/pid4 x", dir, dir), 128 + SIGTERM,
	       "run gives the status of its process");
	ok(traced("create ready go poststart destroy poststop "), "... one whole life");
	ok(!exists("root/x"), "... nothing is left");

	is_int(kvf("run --keep -b %s/b x", dir), 128 + SIGTERM, "run --keep");
	ok(traced("create ready go poststart ") && status_of("x") == ST_STOPPED,
	   "... leaves it stopped");
	kv("delete x");
	ok(traced("destroy poststop "), "... for delete");

	begin();
	fake.fail_start = true;
	ok(kvf("run -b %s/b --pid-file %s/pid5 x", dir, dir) == -ENOENT &&
		   last.id == ERR_NO_EXECUTABLE,
	   "a program that does not start is the error of run");
	ok(traced("create ready go destroy poststop ") && !exists("root/x") && !exists("pid5"),
	   "... and nothing is left, the pid file neither");

	begin();
	bundle(1, 0);
	ok(kvf("run -d -b %s/b x", dir) < 0 && last.id == ERR_HOOK,
	   "run -d with a poststart hook that fails");
	ok(traced("create ready go poststart signal-9 destroy poststop ") && !exists("root/x"),
	   "... stops and removes the container");
}

/* kavach killed inside create: the next command is delete --force. */
static void test_killed(void)
{
	pid_t child;
	int st;

	begin();
	fake.die = true;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		kvf("create -b %s/b x", dir);
		_exit(0);
	}
	waitpid(child, &st, 0);
	ok(WIFSIGNALED(st) && traced("create "), "a create that is killed");
	is_int(status_of("x"), ST_CREATING, "... leaves something half-made");
	fake.die = false;
	ok(kvf("create -b %s/b x", dir) < 0 && last.id == ERR_EXISTS,
	   "... which is in the way of another");
	ok(kv("start x") < 0 && kv("delete x") < 0 && traced(""), "... and good for nothing");
	is_int(kv("delete --force x"), 0, "delete --force removes it");
	ok(traced("destroy poststop ") && !exists("root/x"), "... completely");

	mkdir(arena_printf(&arena, "%s/x", root), 0700);
	ok(kv("delete x") < 0 && last.id == ERR_NO_CONTAINER,
	   "killed before its record: does not exist");
	is_int(kv("delete --force x"), 0, "... and is removed by force");
	ok(!exists("root/x"), "... completely");
	traced("");
}

/* A start that never ends holds the lock; delete --force ends the container's process, and with it the start. */
static void test_hung(void)
{
	pid_t child;
	int st;

	begin();
	fake.hang = true;
	kvf("create -b %s/b x", dir);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(kv("start x") < 0 ? 7 : 0);
	while (status_of("x") != ST_RUNNING)
		usleep(1000);
	is_int(kv("delete --force x"), 0, "delete --force of a container whose start hangs");
	waitpid(child, &st, 0);
	is_int(WEXITSTATUS(st), 7, "... which fails then");
	ok(!exists("root/x"), "... nothing is left");
}

int main(void)
{
	snprintf(dir, sizeof(dir), "/tmp/kavach-test-life-XXXXXX");
	if (!mkdtemp(dir))
		bail_out("no temporary directory");
	snprintf(root, sizeof(root), "%s/root", dir);
	snprintf(trace_file, sizeof(trace_file), "%s/trace", dir);
	mkdir(arena_printf(&arena, "%s/b", dir), 0700);
	mkdir(arena_printf(&arena, "%s/b/rootfs", dir), 0700);
	mkdir(root, 0700);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(120); /* a lost process must not hang the tests */
	test_whole_life();
	test_create_fails();
	test_start_fails();
	test_delete_fails();
	test_run();
	test_killed();
	test_hung();
	if (system(arena_printf(&arena, "rm -rf %s", dir)) != 0)
		bail_out("cannot clean up");
	arena_free(&arena);
	return done();
}

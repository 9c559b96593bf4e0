/* SPDX-License-Identifier: Apache-2.0 */
/* libs: hooks policy base */
/* Running hooks: what they get, what comes of each way to fail, and that none can hold us up. */
#include "hooks/hooks.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "tests/unit/tap.h"

static struct arena a;
static char dir[] = "/tmp/kavach-hooks-XXXXXX";
static const char state[] = "{\"id\":\"box\"}";
static char *const own_env[] = {(char *) (uintptr_t) "FROM=kavach", NULL};

static struct pol_hook shell(const char *script)
{
	struct pol_hook h = {.path = arena_strdup(&a, "/bin/sh")};

	h.args.v = arena_array(&a, 3, sizeof(char *));
	h.args.v[0] = arena_strdup(&a, "sh");
	h.args.v[1] = arena_strdup(&a, "-c");
	h.args.v[2] = arena_strdup(&a, script);
	h.args.n = 3;
	h.args.set = true;
	return h;
}

static int run(enum hook_phase phase, struct pol_hook *v, size_t n, struct err *e)
{
	pol_hooks hooks = {v, n};

	*e = ERR_INIT;
	return hooks_run(phase, &hooks, state, strlen(state), own_env, -EBADF, -EBADF, NULL, e);
}

static int run_script(const char *script, struct err *e)
{
	struct pol_hook h = shell(script);

	return run(HOOK_CREATE_RUNTIME, &h, 1, e);
}

static char *in_dir(const char *name)
{
	return arena_printf(&a, "%s/%s", dir, name);
}

static const char *content(const char *name)
{
	char *text = arena_alloc(&a, 4096);
	int fd = open(in_dir(name), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (read(fd, text, 4095) < 0)
		text = NULL;
	close(fd);
	return text;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

#define HAS(text) ok(strstr(e.msg, text), "the message has: %s (%s)", text, e.msg)

static void test_gets(void)
{
	struct err e;
	struct pol_hook h;

	is_int(run_script(arena_printf(&a, "cat >%s", in_dir("in")), &e), 0,
	       "a hook that succeeds is no error");
	is_str(content("in"), state, "it gets the state on stdin");
	run_script(arena_printf(&a, "echo $FROM-$PATH >%s", in_dir("env")), &e);
	ok(content("env") && str_prefix(content("env"), "kavach-"),
	   "without an environment of its own it gets ours");

	h = shell(arena_printf(&a, "echo $FROM-$MINE >%s", in_dir("env")));
	h.env = str_split(&a, "MINE=1", ' ');
	run(HOOK_CREATE_RUNTIME, &h, 1, &e);
	is_str(content("env"), "-1\n", "with one, it gets exactly that");
	h = shell(arena_printf(
		&a, "/usr/bin/env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= >%s; true",
		in_dir("env")));
	h.env.set = true;
	run(HOOK_CREATE_RUNTIME, &h, 1, &e);
	is_str(content("env"), "", "with an empty one, it gets none");

	h = (struct pol_hook){.path = arena_strdup(&a, "/bin/true")};
	is_int(run(HOOK_CREATE_RUNTIME, &h, 1, &e), 0, "no args: the path is argv[0]");
	run_script(arena_printf(&a, "ls /proc/self/fd | wc -w >%s", in_dir("fds")), &e);
	is_str(content("fds"), "4\n",
	       "it has stdin, stdout, stderr (and what ls opened) and nothing else");
	run_script(
		arena_printf(
			&a,
			"read pid comm state ppid group rest </proc/self/stat; echo $group >%s; echo $$ >>%s",
			in_dir("pg"), in_dir("pg")),
		&e);
	ok(content("pg") && atoi(content("pg")) == atoi(strchr(content("pg"), '\n') + 1),
	   "it leads its own process group");
}

static void test_fails(void)
{
	struct err e;
	struct pol_hook h;

	is_int(run_script("echo first; echo why >&2; exit 3", &e), -ECANCELED,
	       "an exit status is an error");
	is_int(e.id, ERR_HOOK, "of the kind for hooks");
	HAS("error running createRuntime hook #0: /bin/sh (-c echo first; echo why >&2; exit 3): exit status 3 after ");
	HAS(" ms; stderr: why");
	run_script("echo only; exit 1", &e);
	HAS("; stdout: only");
	run_script("kill -9 $$", &e);
	HAS("killed by signal 9 (KILL)");
	h = (struct pol_hook){.path = in_dir("missing")};
	is_int(run(HOOK_PRESTART, &h, 1, &e), -ENOENT, "a hook that is not there is an error");
	HAS("error running prestart hook #0: ");
	HAS("cannot be run: not found");
	ok(!strstr(e.msg, "no such file"),
	   "in words that no engine takes for the container's program");
	h.path = dir;
	is_int(run(HOOK_PRESTART, &h, 1, &e), -EACCES, "a folder is no hook");
	h = shell("exit 1");
	h.args.v[2] = arena_alloc(&a, 4000);
	memset(h.args.v[2], 'x', 3999);
	is_int(run(HOOK_CREATE_RUNTIME, &h, 1, &e), -ECANCELED, "long arguments");
	HAS("xxx...): exit status 127");
}

static void test_output(void)
{
	struct err e;
	size_t n;
	double begin;

	run_script("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1", &e);
	HAS("line 1999");
	ok(!strstr(e.msg, "line 1000?"), "of much output, the end is kept");
	n = strlen(e.msg);
	ok(n > 1000 && n < ERR_MSG_MAX, "as much of it as a message holds (%zu)", n);
	is_int(run_script("head -c 3000000 /dev/zero", &e), 0,
	       "megabytes of output do not block it");
	run_script("printf 'a\\000b\\033[31mc' >&2; exit 1", &e);
	HAS("a?b?[31mc");

	begin = seconds();
	is_int(run_script("sleep 30 & exit 0", &e), 0,
	       "a daemon that keeps its output open is not waited for");
	ok(seconds() - begin < 10, "at all");
}

static void test_timeout(void)
{
	struct pol_hook h = shell(
		arena_printf(&a, "sleep 60 & echo $! >%s; wait", in_dir("child")));
	struct err e;
	double begin = seconds();
	pid_t child;

	h.timeout = 1;
	is_int(run(HOOK_CREATE_RUNTIME, &h, 1, &e), -ETIMEDOUT, "a hook ends at its timeout");
	ok(seconds() - begin >= 0.9 && seconds() - begin < 20, "after that time");
	HAS("hook ran past specified timeout of 1s");
	child = content("child") ? atoi(content("child")) : 0;
	for (int i = 0; i < 100 && child > 0 && kill(child, 0) == 0; i++) {
		char *stat = arena_printf(&a, "/proc/%d/stat", child);
		char text[64] = "";
		int fd = open(stat, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			break;
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
		if (strstr(text, ") Z")) { /* nobody reaps it here, but it is dead */
			child = 0;
			break;
		}
		usleep(20000);
	}
	ok(child == 0 || kill(child, 0) < 0, "and its children with it");

	h = shell("while :; do echo noise; done");
	h.timeout = 1;
	begin = seconds();
	is_int(run(HOOK_CREATE_RUNTIME, &h, 1, &e), -ETIMEDOUT, "also one that writes without end");
	ok(seconds() - begin < 20, "in time");

	h = shell("exit 0");
	h.timeout = UINT64_MAX;
	is_int(run(HOOK_CREATE_RUNTIME, &h, 1, &e), 0, "the longest timeout is no overflow");
}

static void test_stdin(void)
{
	size_t n = 8u << 20;
	char *big = arena_alloc(&a, n);
	struct pol_hook h = shell("exec <&-; sleep 0.1; exit 0");
	pol_hooks hooks = {&h, 1};
	struct err e = ERR_INIT;

	memset(big, 'x', n);
	is_int(hooks_run(HOOK_CREATE_RUNTIME, &hooks, big, n, own_env, -EBADF, -EBADF, NULL, &e), 0,
	       "closing stdin early is fine, however long the state is");
	h = shell("test $(wc -c) -eq 8388608");
	is_int(hooks_run(HOOK_CREATE_RUNTIME, &hooks, big, n, own_env, -EBADF, -EBADF, NULL, &e), 0,
	       "a long state arrives in full");
	h = shell("echo x >&0");
	ok(hooks_run(HOOK_CREATE_RUNTIME, &hooks, state, 3, own_env, -EBADF, -EBADF, NULL, &e) < 0,
	   "a hook cannot write the state");
}

static void test_order(void)
{
	struct pol_hook h[3];
	struct err e;
	const char *log = in_dir("order");

	h[0] = shell(arena_printf(&a, "echo a >>%s", log));
	h[1] = shell(arena_printf(&a, "cat >/dev/null; echo b >>%s; exit 1", log));
	h[2] = shell(arena_printf(&a, "cat >>%s", log));
	is_int(run(HOOK_CREATE_CONTAINER, h, 3, &e), -ECANCELED,
	       "the first failure ends a fatal phase");
	is_str(content("order"), "a\nb\n", "hooks run in their order, and none after it");
	HAS("error running createContainer hook #1");
	unlink(log);
	is_int(run(HOOK_POSTSTOP, h, 3, &e), 0, "poststop hooks cannot fail");
	is_int(e.code, 0, "and leave no error");
	is_str(content("order"), "a\nb\n{\"id\":\"box\"}",
	       "all of them run, each with its own stdin");
}

static void test_given_files(void)
{
	int out = open(in_dir("out"), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
	struct pol_hook h = shell("echo to-out; echo to-err >&2; exit 1");
	pol_hooks hooks = {&h, 1};
	struct err e = ERR_INIT;

	hooks_run(HOOK_CREATE_RUNTIME, &hooks, state, 3, own_env, out, -EBADF, NULL, &e);
	is_str(content("out"), "to-out\n", "stdout goes to the file that was given");
	HAS("stderr: to-err");
	e = ERR_INIT;
	hooks_run(HOOK_CREATE_RUNTIME, &hooks, state, 3, own_env, out, out, NULL, &e);
	is_str(content("out"), "to-out\nto-out\nto-err\n", "stderr too");
	ok(!strstr(e.msg, "stderr:"), "and is then not in the message");
	ok(fcntl(out, F_GETFD) >= 0, "the files stay the caller's");
	close(out);
}

static void test_ignored_children(void)
{
	struct err e;

	signal(SIGCHLD, SIG_IGN);
	ok(run_script("exit 1", &e) < 0,
	   "with SIGCHLD ignored, a failing hook does not pass for a good one");
	signal(SIGCHLD, SIG_DFL);
}

static void test_leaks(void)
{
	struct err e;
	int before = dup(0), after;

	close(before);
	for (int i = 0; i < 5; i++)
		run_script(i % 2 ? "exit 1" : "exit 0", &e);
	after = dup(0);
	close(after);
	is_int(after, before, "no descriptor is left open");
}

static void test_phases(void)
{
	static const struct {
		const char *name, *status;
		bool fatal, inside;
	} want[HOOK_PHASE_MAX] = {
		{"prestart", "creating", true, false},
		{"createRuntime", "creating", true, false},
		{"createContainer", "creating", true, true},
		{"startContainer", "created", true, true},
		{"poststart", "running", true, false},
		{"poststop", "stopped", false, false},
	};

	for (int i = 0; i < HOOK_PHASE_MAX; i++)
		ok(!strcmp(hook_phases[i].name, want[i].name) &&
			   !strcmp(hook_phases[i].status, want[i].status) &&
			   hook_phases[i].fatal == want[i].fatal &&
			   hook_phases[i].in_container_ns == want[i].inside,
		   "%s: as the specification has it", want[i].name);
	ok(hook_phases[HOOK_START_CONTAINER].in_container_root &&
		   !hook_phases[HOOK_CREATE_CONTAINER].in_container_root,
	   "only startContainer hooks are files of the container");
}

int main(void)
{
	struct err e = ERR_INIT;

	log_init("/dev/null", false, LOG_LEVEL_ERROR, &e);
	if (!mkdtemp(dir))
		bail_out("mkdtemp");
	test_phases();
	test_gets();
	test_fails();
	test_output();
	test_timeout();
	test_stdin();
	test_order();
	test_given_files();
	test_ignored_children();
	test_leaks();
	(void) !system(arena_printf(&a, "rm -rf %s", dir));
	arena_free(&a);
	return done();
}

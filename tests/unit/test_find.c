/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec hooks policy base */
/* Looking up the program: the words and kinds that engines turn into exit statuses 127 and 126. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "exec/ctx.h"
#include "tests/unit/tap.h"

static struct arena a;
static char dir[] = "/tmp/kavach-find-XXXXXX";

static void make_file(const char *name, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || fchmod(fd, mode) < 0)
		bail_out("cannot make a file");
	close(fd);
}

static struct stage_boot boot;

static int find(const char *name, const char *env, char **path, struct err *e)
{
	struct pol_process p = {.env = str_split(&a, env, '|')};
	char *args[] = {arena_strdup(&a, name)};
	struct stage s = {.boot = &boot, .proc = &p, .a = &a};

	p.args.v = args;
	p.args.n = 1;
	*e = ERR_INIT;
	*path = NULL;
	int r = find_executable(&s, path, e);

	for (size_t i = 0; i < s.n_held; i++)
		close(s.held[i].fd);
	if (!boot.slow_paths && s.n_held)
		bail_out("names are held although looking them up is quick");
	return r;
}

#define FINDS(name, env, want, what)                                                               \
	do {                                                                                       \
		struct err e;                                                                      \
		char *got;                                                                         \
		is_int(find(name, env, &got, &e), 0, what);                                        \
		is_str(got, want, "at its place");                                                 \
	} while (0)

#define FAILS(name, env, kind, status, want, what)                                                 \
	do {                                                                                       \
		struct err e;                                                                      \
		char *got;                                                                         \
		ok(find(name, env, &got, &e) < 0, what);                                           \
		is_str(e.msg, "unable to start container process: exec: " want,                    \
		       "in the words that engines know");                                          \
		is_int(e.id, kind, "of its kind");                                                 \
		is_int(err_exit_status(&e), status, "which is exit status %d", status);            \
	} while (0)

static void cases(void)
{
	const char *path = arena_printf(&a, "PATH=%s/one:%s/two", dir, dir),
		   *abs = arena_printf(&a, "%s/two/prog", dir);

	FINDS("prog", path, abs, "finds a name in PATH, past a folder of that name");
	FINDS("link", path, arena_printf(&a, "%s/two/link", dir), "follows a symlink");
	FINDS(abs, "PATH=", abs, "takes an absolute path as it is");
	FINDS("./here", path, "./here", "takes a relative path from the working directory");
	FINDS("prog", arena_printf(&a, "PATH=/nowhere|%s", path), abs, "the last PATH counts");
	FINDS("sh", "HOME=/", access("/bin/sh", X_OK) == 0 ? "/bin/sh" : "/usr/bin/sh",
	      "no PATH: the usual folders");

	FAILS("foo", path, ERR_NO_EXECUTABLE, 127, "\"foo\": executable file not found in $PATH",
	      "a name that is nowhere");
	FAILS("here", "PATH=:.", ERR_NO_EXECUTABLE, 127,
	      "\"here\": executable file not found in $PATH",
	      "relative entries of PATH are not searched");
	FAILS("", path, ERR_NO_EXECUTABLE, 127, "\"\": executable file not found in $PATH",
	      "an empty name");
	FAILS("data", path, ERR_NO_EXECUTABLE, 127, "\"data\": executable file not found in $PATH",
	      "a name that is nowhere executable");
	FAILS("/nowhere/x", path, ERR_NO_EXECUTABLE, 127,
	      "\"/nowhere/x\": no such file or directory", "a path that is not there");
	FAILS("./here/x", path, ERR_NO_EXECUTABLE, 127, "\"./here/x\": no such file or directory",
	      "a path through a file");
	FAILS("two/dangling", path, ERR_NO_EXECUTABLE, 127,
	      "\"two/dangling\": no such file or directory", "a dangling symlink");
	FAILS("one/data", path, ERR_EXEC_DENIED, 126, "\"one/data\": permission denied",
	      "a file that is not executable");
	FAILS("two/fifo", path, ERR_EXEC_DENIED, 126, "\"two/fifo\": permission denied", "a FIFO");
	FAILS("/", path, ERR_EXEC_DIR, 126, "\"/\": is a directory: permission denied", "a folder");
}

int main(void)
{
	if (!mkdtemp(dir) || chdir(dir) < 0)
		bail_out("no folder to work in");
	mkdir("one", 0755);
	mkdir("two", 0755);
	mkdir("one/prog", 0755); /* a folder of that name in PATH is passed over */
	make_file("two/prog", 0755);
	make_file("one/data", 0644);
	make_file("here", 0755);
	mkfifo("two/fifo", 0755);
	(void) !symlink("prog", "two/link");
	(void) !symlink("nowhere", "two/dangling");

	cases();
	boot.slow_paths = true; /* the same answers, from descriptors */
	cases();
	(void) !system(arena_printf(&a, "rm -rf %s", dir));
	arena_free(&a);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec hooks policy base */
/* The environment of the program, with a passwd file that means harm; and the list format of CPUs and nodes. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "exec/ctx.h"
#include "tests/unit/tap.h"

static struct arena a;

static struct stage *stage_with(const char *env, uint32_t uid)
{
	struct stage *s = arena_new(&a, struct stage);
	struct stage_boot *b = arena_new(&a, struct stage_boot);
	struct pol_process *p = arena_new(&a, struct pol_process);

	p->env = str_split(&a, env, '|');
	p->uid = uid;
	s->boot = b;
	s->proc = p;
	s->a = &a;
	return s;
}

static const char *joined(char **env)
{
	const char *text = "";

	for (; *env; env++)
		text = arena_printf(&a, "%s%s%s", text, *text ? "|" : "", *env);
	return text;
}

static const char *build(const char *env)
{
	return joined(env_build(stage_with(env, 4242424)));
}

static void test_names(void)
{
	struct strs many = {.v = arena_array(&a, 20000, sizeof(char *)), .n = 20000};
	struct stage *s = stage_with("", 0);
	char **env;
	size_t n = 0;

	is_str(build("A=1|HOME=/h|B=2"), "A=1|HOME=/h|B=2", "nothing is added to what is complete");
	is_str(build("A=1|HOME=/h|A=2"), "HOME=/h|A=2", "of two values the last one stays");
	is_str(build("A=1|AB=2|HOME=/h|A=3"), "AB=2|HOME=/h|A=3",
	       "a name is not mistaken for a longer one");
	is_str(build("HOME=/h|A=x=y|A="), "HOME=/h|A=", "an empty value is a value");
	is_str(build("A=1"), "A=1|HOME=/", "an unknown user's HOME is /");
	is_str(build("HOME=|A=1"), "A=1|HOME=/", "an empty HOME counts as missing");
	is_str(build("HOME=/x|HOME="), "HOME=/", "also when it is the last of two");

	for (size_t i = 0; i < many.n; i++)
		many.v[i] = arena_printf(&a, "N%zu=%zu", i % 10000, i);
	((struct pol_process *) (uintptr_t) s->proc)->env = many;
	env = env_build(s);
	while (env[n])
		n++;
	is_int(n, 10001, "twenty thousand variables, half of them twice");
	is_str(env[0], "N0=10000", "with the later values");
}

static void test_listen(void)
{
	struct stage *s = stage_with("HOME=/|LISTEN_FDS=7|LISTEN_PID=99|LISTEN_FDNAMES=old", 0);
	struct stage_boot *b = (struct stage_boot *) (uintptr_t) s->boot;

	is_str(joined(env_build(s)), "HOME=/|LISTEN_FDS=7|LISTEN_PID=99|LISTEN_FDNAMES=old",
	       "without descriptors to pass, LISTEN_* is the config's");
	b->listen_fds = 2;
	b->listen_fdnames = arena_strdup(&a, "web:log");
	is_str(joined(env_build(s)),
	       arena_printf(&a, "HOME=/|LISTEN_FDS=2|LISTEN_PID=%d|LISTEN_FDNAMES=web:log",
			    (int) getpid()),
	       "with some, it is ours, and LISTEN_PID is the process itself");
	b->listen_fdnames = NULL;
	is_str(joined(env_build(s)),
	       arena_printf(&a, "HOME=/|LISTEN_FDNAMES=old|LISTEN_FDS=2|LISTEN_PID=%d",
			    (int) getpid()),
	       "names only if given");
}

static const char *home(const char *passwd, uint32_t uid)
{
	int fd = memfd_create("passwd", MFD_CLOEXEC);
	const char *h;

	if (write(fd, passwd, strlen(passwd)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		bail_out("memfd");
	h = env_find_home(fd, uid, &a);
	close(fd);
	return h;
}

static void test_passwd(void)
{
	int p[2], fd;

	is_str(home("root:x:0:0:root:/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n", 1000),
	       "/home/u", "the home of a uid");
	is_str(home("u:x:1000:1000::/home/u:/bin/sh", 1000), "/home/u",
	       "in a last line without end");
	is_str(home("1000:x:0:0:root:/root:/bin/sh\n", 1000), NULL,
	       "a name that looks like the uid is not it");
	is_str(home("u:x:01000x:0::/h:/bin/sh\nu:x: 1000:0::/h:\nu:x:-1:0::/h:\n", 1000), NULL,
	       "a uid is a number and no more");
	is_str(home("u:x:4294968296:0::/h:/bin/sh\n", 1000), NULL, "numbers do not wrap around");
	is_str(home("u:x:1000\nu:x:1000:\n\n:::::\nu:x:1000:1:2:/second:\n", 1000), "/second",
	       "short lines are passed over");
	is_str(home("u:x:1000:1000:::/bin/sh\n", 1000), NULL, "an empty home is none");
	is_str(home("", 0), NULL, "an empty file has nobody");
	if (pipe2(p, O_CLOEXEC) < 0)
		bail_out("pipe");
	is_str(env_find_home(p[0], 0, &a), NULL, "a FIFO is not read");
	close(p[0]);
	close(p[1]);
	is_str(env_find_home(-EBADF, 0, &a), NULL, "a file that is not there has nobody");
	fd = memfd_create("passwd", MFD_CLOEXEC);
	if (ftruncate(fd, 2 << 20) < 0)
		bail_out("ftruncate");
	is_str(env_find_home(fd, 0, &a), NULL, "a file beyond the limit is not read");
	close(fd);
}

static const char *bits(const char *list)
{
	unsigned long *mask;
	size_t n;
	const char *text = "";
	int r = exec_parse_list(list, &a, &mask, &n);

	if (r < 0)
		return r == -ERANGE ? "ERANGE" : r == -EINVAL ? "EINVAL" : "other";
	for (size_t i = 0; i < n; i++)
		if (mask[i / 64] >> (i % 64) & 1)
			text = arena_printf(&a, "%s%s%zu", text, *text ? " " : "", i);
	return text;
}

static void test_lists(void)
{
	is_str(bits("0"), "0", "list: one number");
	is_str(bits("0-3,7"), "0 1 2 3 7", "list: a range and a number");
	is_str(bits("63-65"), "63 64 65", "list: across words");
	is_str(bits("1, 2\n"), "1 2", "list: blanks as the kernel takes them");
	is_str(bits("5-5"), "5", "list: a range of one");
	is_str(bits("65535"), "65535", "list: the highest number");
	is_str(bits("65536"), "ERANGE", "list: none above it");
	is_str(bits("99999999999999999999999"), "ERANGE", "list: no overflow");
	is_str(bits(""), "EINVAL", "list: not empty");
	is_str(bits("3-1"), "EINVAL", "list: no range backwards");
	is_str(bits("1,"), "EINVAL", "list: no comma at the end");
	is_str(bits("-1"), "EINVAL", "list: no negative number");
	is_str(bits("1-"), "EINVAL", "list: no open range");
	is_str(bits("1 2"), "EINVAL", "list: a comma between");
	is_str(bits("a"), "EINVAL", "list: digits only");
}

int main(void)
{
	test_names();
	test_listen();
	test_passwd();
	test_lists();
	arena_free(&a);
	return done();
}

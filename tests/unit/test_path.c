/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/*
 * The in-root resolver: a hostile tree cannot lead it outside, openat2() and the component walk agree on
 * every answer, and neither is fooled by a process that exchanges names meanwhile.
 */
#include "base/path.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/kavach-path-XXXXXX";
static int top_fd, root;

static const char *variant_name(int walk)
{
	return walk ? "walk" : "openat2";
}

static void make_dir(const char *path)
{
	if (mkdirat(top_fd, path, 0755) < 0)
		bail_out(path);
}

static void make_file(const char *path)
{
	int fd = openat(top_fd, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0)
		bail_out(path);
	close(fd);
}

static void make_link(const char *target, const char *path)
{
	if (symlinkat(target, top_fd, path) < 0)
		bail_out(path);
}

static void make_tree(void)
{
	if (!mkdtemp(top))
		bail_out("mkdtemp");
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	make_dir("out");
	make_file("out/canary");
	make_dir("root");
	make_dir("root/etc");
	make_file("root/etc/passwd");
	make_dir("root/a");
	make_dir("root/a/b");
	make_file("root/a/b/file");
	make_link("../../etc", "root/a/b/rel");
	make_link("/etc", "root/a/abs");
	make_link("/", "root/a/slash");
	make_link("../../../../../../../etc/passwd", "root/a/up");
	make_link("../../../../../../../../out", "root/a/escape");
	make_link(top, "root/a/host");
	make_link("loop2", "root/loop1");
	make_link("loop1", "root/loop2");
	make_link("/run/x", "root/dangling");
	make_link("etc/", "root/etcslash");
	make_link("etc/passwd/", "root/fileslash");
	for (int i = 0; i < 45; i++) {
		char name[40], to[20];

		snprintf(name, sizeof(name), "root/chain%d", i);
		snprintf(to, sizeof(to), i ? "chain%d" : "etc", i - 1);
		make_link(to, name);
	}
	root = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void remove_tree(void)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	if (system(cmd))
		printf("# %s is left behind\n", top);
}

/* Whether fd and the path below top are one object. */
static bool is_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(top_fd, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static const struct {
	const char *path;
	int oflags;
	unsigned flags;
	int want;	    /* -errno, or 0: */
	const char *object; /* what it opens, below top */
} cases[] = {
	{"etc/passwd", O_RDONLY, 0, 0, "root/etc/passwd"},
	{"/etc/passwd", O_RDONLY, 0, 0, "root/etc/passwd"},
	{"///etc//./passwd", O_RDONLY, 0, 0, "root/etc/passwd"},
	{"..", O_PATH, 0, 0, "root"},
	{"/../../..", O_PATH, 0, 0, "root"},
	{"../out/canary", O_PATH, 0, -ENOENT, NULL},
	{"a/b/../../../../etc", O_PATH, 0, 0, "root/etc"},
	{"a/abs/passwd", O_RDONLY, 0, 0, "root/etc/passwd"},
	{"a/b/rel/passwd", O_RDONLY, 0, 0, "root/etc/passwd"},
	{"a/up", O_RDONLY, 0, 0, "root/etc/passwd"},
	{"a/escape", O_PATH, 0, -ENOENT, NULL},
	{"a/escape/canary", O_RDONLY, 0, -ENOENT, NULL},
	{"a/host/out/canary", O_RDONLY, 0, -ENOENT, NULL},
	{"a/slash/../../a/b/file", O_RDONLY, 0, 0, "root/a/b/file"},
	{"a/slash", O_PATH, 0, 0, "root"},
	{"loop1", O_PATH, 0, -ELOOP, NULL},
	{"loop1/x", O_PATH, 0, -ELOOP, NULL},
	{"loop1", O_PATH, PATH_NOFOLLOW, 0, "root/loop1"},
	{"loop1", O_RDONLY, PATH_NOFOLLOW, -ELOOP, NULL},
	{"chain39", O_PATH, 0, 0, "root/etc"},
	{"chain40", O_PATH, 0, -ELOOP, NULL},
	{"etcslash", O_PATH, 0, 0, "root/etc"},
	{"fileslash", O_PATH, 0, -ENOTDIR, NULL},
	{"a/abs", O_PATH, PATH_NOFOLLOW, 0, "root/a/abs"},
	{"a/abs/", O_PATH, PATH_NOFOLLOW, 0, "root/etc"},
	{"a/abs", O_PATH | O_DIRECTORY, PATH_NOFOLLOW, -ENOTDIR, NULL},
	{"a/abs/passwd", O_RDONLY, PATH_NO_SYMLINKS, -ELOOP, NULL},
	{"a/abs", O_PATH, PATH_NO_SYMLINKS, -ELOOP, NULL},
	{"a/b/file", O_RDONLY, PATH_NO_SYMLINKS, 0, "root/a/b/file"},
	{"a/b/file/", O_RDONLY, 0, -ENOTDIR, NULL},
	{"a/b/file/..", O_PATH, 0, -ENOTDIR, NULL},
	{"a/b/file", O_PATH | O_DIRECTORY, 0, -ENOTDIR, NULL},
	{"", O_PATH, 0, -ENOENT, NULL},
	{"nothing", O_RDONLY, 0, -ENOENT, NULL},
	{"nothing/../etc", O_PATH, 0, -ENOENT, NULL},
	{"/etc", O_PATH, PATH_BENEATH, -EXDEV, NULL},
	{"..", O_PATH, PATH_BENEATH, -EXDEV, NULL},
	{"a/../../root", O_PATH, PATH_BENEATH, -EXDEV, NULL},
	{"a/../etc", O_PATH, PATH_BENEATH, 0, "root/etc"},
	{"a/abs", O_PATH, PATH_BENEATH, -EXDEV, NULL},
	{"a/up", O_PATH, PATH_BENEATH, -EXDEV, NULL},
	{"a/b/rel", O_PATH, PATH_BENEATH, 0, "root/etc"},
	{"etc", O_WRONLY, 0, -EISDIR, NULL},
	{"etc", O_RDONLY | O_CREAT, 0, -EISDIR, NULL},
	{"etc/passwd", O_WRONLY | O_CREAT | O_EXCL, 0, -EEXIST, NULL},
	{"a/abs", O_WRONLY | O_CREAT | O_EXCL, 0, -EEXIST, NULL},
	{"dangling", O_WRONLY | O_CREAT, 0, -ENOENT, NULL},
	{"new/", O_WRONLY | O_CREAT, 0, -EISDIR, NULL},
	{"etc/passwd", O_WRONLY | O_CREAT, 0, 0, "root/etc/passwd"},
	{"a/up", O_WRONLY | O_CREAT, 0, 0, "root/etc/passwd"},
	{"etc", O_RDWR | O_TMPFILE, 0, 0, NULL},
};

static void test_cases(void)
{
	for (int walk = 0; walk < 2; walk++) {
		path_force_fallback(walk);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			fd_auto int fd = path_open_in(root, cases[i].path, cases[i].oflags, 0600,
						      cases[i].flags);

			if (fd == -EOPNOTSUPP && (cases[i].oflags & O_TMPFILE) == O_TMPFILE) {
				skip("no O_TMPFILE on this file system", "%s", variant_name(walk));
				continue;
			}
			if (cases[i].want < 0)
				is_int(fd, cases[i].want, "%s: \"%s\" flags %o/%u fails",
				       variant_name(walk), cases[i].path, cases[i].oflags,
				       cases[i].flags);
			else
				ok(fd >= 0 && (!cases[i].object || is_file(fd, cases[i].object)),
				   "%s: \"%s\" flags %o/%u opens %s", variant_name(walk),
				   cases[i].path, cases[i].oflags, cases[i].flags,
				   cases[i].object ? cases[i].object : "something new");
			if (fd >= 0)
				ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
		}
	}
	path_force_fallback(false);
}

static void test_proc(void)
{
	fd_auto int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int walk = 0; walk < 2; walk++) {
		const char *v = variant_name(walk);
		fd_auto int fd = -EBADF;

		path_force_fallback(walk);
		is_int(path_open_in(slash, "proc/self/exe", O_PATH, 0, 0), -ELOOP,
		       "%s: magic link at the end", v);
		is_int(path_open_in(slash, "proc/self/root/etc", O_PATH, 0, 0), -ELOOP,
		       "%s: magic link on the way", v);
		is_int(path_open_in(slash, "proc/self/fd/0", O_PATH, 0, 0), -ELOOP,
		       "%s: magic link of a descriptor", v);
		is_int(path_open_in(slash, "proc/self/ns/net", O_PATH, 0, 0), -ELOOP,
		       "%s: magic link of a namespace", v);
		is_int(path_open_in(slash, "proc/version", O_PATH, 0, PATH_NO_XDEV), -EXDEV,
		       "%s: another mount", v);
		is_int(path_open_in(slash, "proc", O_PATH | O_DIRECTORY, 0, PATH_NO_XDEV), -EXDEV,
		       "%s: another mount at the end", v);
		fd = path_open_in(root, "a/b/file", O_PATH, 0, PATH_NO_XDEV);
		ok(fd >= 0, "%s: the same mount", v);
		fd = fd_close(fd);
		fd = path_open_in(slash, "proc/self/status", O_RDONLY, 0, 0);
		ok(fd >= 0 && fd_is_fs(fd, PROC_SUPER_MAGIC), "%s: ordinary links of procfs", v);
		ok(!fd_is_fs(root, PROC_SUPER_MAGIC), "%s: fd_is_fs tells them apart", v);
	}
	path_force_fallback(false);
}

/* Answers openat2() with an errno from now on. */
static void filter_openat2(int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 437, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = ARRAY_LEN(code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog))
		_exit(2);
}

static void test_filtered(void)
{
	static const int errs[] = {EPERM, ENOSYS};

	for (size_t i = 0; i < ARRAY_LEN(errs); i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			int fd;

			filter_openat2(errs[i]);
			fd = path_open_in(root, "a/up", O_RDONLY, 0, 0);
			_exit(fd >= 0 && is_file(fd, "root/etc/passwd") ? 0 : 1);
		}
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			skip("no seccomp filters", "works when a filter answers %d", errs[i]);
		else
			is_int(status, 0, "works when a filter answers openat2 with %d", errs[i]);
	}
}

static void test_make(void)
{
	struct stat st;

	for (int walk = 0; walk < 2; walk++) {
		char deep[64], file[64], dir[64];
		fd_auto int fd = -EBADF;
		const char *v = variant_name(walk), *name = NULL;

		path_force_fallback(walk);
		snprintf(deep, sizeof(deep), "/x%d/y/z", walk);
		fd = path_mkdir_in(root, deep, 0700);
		snprintf(dir, sizeof(dir), "root/x%d/y/z", walk);
		ok(fd >= 0 && is_file(fd, dir), "%s: mkdir makes all that is missing", v);
		ok(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700, "%s: with its mode", v);
		fd = fd_close(fd);
		fd = path_mkdir_in(root, deep, 0755);
		ok(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700,
		   "%s: mkdir keeps what is there", v);
		fd = fd_close(fd);
		is_int(path_mkdir_in(root, "a/b/file/x", 0755), -ENOTDIR, "%s: mkdir below a file",
		       v);
		is_int(path_mkdir_in(root, "a/b/file", 0755), -ENOTDIR, "%s: mkdir onto a file", v);
		is_int(path_mkdir_in(root, "loop1/x", 0755), -ELOOP, "%s: mkdir through a loop", v);
		snprintf(deep, sizeof(deep), "a/host/w%d", walk);
		fd = path_mkdir_in(root, deep, 0755);
		ok(fd >= 0 && faccessat(top_fd, deep + 7, F_OK, 0) < 0,
		   "%s: mkdir through an absolute link stays inside", v);
		fd = fd_close(fd);
		snprintf(deep, sizeof(deep), "a/escape/../out/w%d", walk);
		fd = path_mkdir_in(root, deep, 0755);
		snprintf(dir, sizeof(dir), "root/out/w%d", walk);
		ok(fd >= 0 && is_file(fd, dir), "%s: mkdir through \"..\" stays inside", v);
		fd = fd_close(fd);

		snprintf(file, sizeof(file), "f%d/g/empty", walk);
		fd = path_make_file_in(root, file, 0644);
		ok(fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 &&
			   (st.st_mode & 0777) == 0644,
		   "%s: make_file makes parents and file", v);
		fd = fd_close(fd);
		fd = path_make_file_in(root, "a/up", 0644);
		ok(fd >= 0 && is_file(fd, "root/etc/passwd"), "%s: make_file follows in root", v);
		fd = fd_close(fd);
		is_int(path_make_file_in(root, "etc", 0644), -EISDIR,
		       "%s: make_file on a directory", v);
		is_int(path_make_file_in(root, "nofile/", 0644), -EISDIR,
		       "%s: make_file with a slash", v);

		snprintf(deep, sizeof(deep), "/p%d/q/node", walk);
		is_int(path_open_parent_in(root, deep, false, &name), -ENOENT, "%s: no parent", v);
		fd = path_open_parent_in(root, deep, true, &name);
		snprintf(dir, sizeof(dir), "root/p%d/q", walk);
		ok(fd >= 0 && is_file(fd, dir), "%s: parent is made", v);
		is_str(name, "node", "%s: and the name is told", v);
		fd = fd_close(fd);
		fd = path_open_parent_in(root, "node", false, &name);
		ok(fd >= 0 && is_file(fd, "root"), "%s: parent of a bare name is the root", v);
		is_int(path_open_parent_in(root, "a/..", true, &name), -EINVAL, "%s: no \"..\"", v);
		is_int(path_open_parent_in(root, "a/.", true, &name), -EINVAL, "%s: no \".\"", v);
		is_int(path_open_parent_in(root, "a/", true, &name), -EINVAL, "%s: no empty name",
		       v);
		is_int(path_open_parent_in(root, "/", true, &name), -EINVAL, "%s: not the root", v);
	}
	path_force_fallback(false);
	{
		fd_auto int fd = path_mkdir_in(root, "dangling/deep", 0755);

		ok(fd >= 0 && is_file(fd, "root/run/x/deep"),
		   "mkdir makes what a dangling link points to, inside");
	}
}

/* Random trees of directories and links, random paths: both resolvers give the same answer. */

#define NAMES 5

static void random_path(char *to, size_t size, int max)
{
	static const char *const parts[] = {"a", "b", "c", "d", "e", "..", ".", "", "a", "b"};
	size_t n = 0;
	int k = 1 + rand() % max;

	if (rand() % 4 == 0)
		n += (size_t) snprintf(to, size, "/");
	for (int i = 0; i < k; i++)
		n += (size_t) snprintf(to + n, size - n, "%s%s",
				       parts[(size_t) rand() % ARRAY_LEN(parts)],
				       i + 1 < k || rand() % 8 == 0 ? "/" : "");
	if (!*to)
		strcpy(to, ".");
}

static void random_fill(int dir, int depth)
{
	for (int i = 0; i < NAMES; i++) {
		char name[2] = {(char) ('a' + i), 0}, target[100];
		int kind = rand() % 8;

		if (kind < 4 && depth > 0) {
			fd_auto int sub = -EBADF;

			if (mkdirat(dir, name, 0755) == 0)
				sub = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
			if (sub >= 0)
				random_fill(sub, depth - 1);
		} else if (kind < 7) {
			random_path(target, sizeof(target), 4);
			(void) !symlinkat(target, dir, name);
		} else {
			mknodat(dir, name, S_IFREG | 0644, 0);
		}
	}
}

static bool same_answer(int a, int b)
{
	struct stat x, y;

	if (a < 0 || b < 0)
		return a == b;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

static void test_random(void)
{
	static const int oflags[] = {O_PATH, O_RDONLY, O_PATH | O_DIRECTORY, O_RDONLY | O_NOFOLLOW};
	int bad = 0, opened = 0;

	srand(1);
	for (int tree = 0; tree < 12; tree++) {
		fd_auto int dir = -EBADF;
		char name[20];

		snprintf(name, sizeof(name), "random%d", tree);
		make_dir(name);
		dir = openat(top_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		random_fill(dir, 3);
		for (int i = 0; i < 2500; i++) {
			fd_auto int x = -EBADF, y = -EBADF;
			unsigned flags = (unsigned) rand() % 16;
			int of = oflags[(size_t) rand() % ARRAY_LEN(oflags)];
			char path[100];

			random_path(path, sizeof(path), 7);
			x = path_open_in(dir, path, of, 0, flags);
			path_force_fallback(true);
			y = path_open_in(dir, path, of, 0, flags);
			path_force_fallback(false);
			opened += x >= 0;
			if (!same_answer(x, y) && bad++ < 10)
				printf("# tree %d: \"%s\" %o/%u: openat2 %d, walk %d\n", tree, path,
				       of, flags, x, y);
		}
	}
	ok(bad == 0 && opened > 1000, "walk and openat2 agree on 30000 random paths (%d opened)",
	   opened);
}

/* A process in the container exchanges a directory with a link to the host, as fast as it can. */

static atomic_bool stop;
static int swap_dir;

static void *swapper(void *unused)
{
	(void) unused;
	while (!atomic_load(&stop))
		/* renameat2(RENAME_EXCHANGE), which musl does not wrap */
		if (syscall(SYS_renameat2, swap_dir, "x", swap_dir, "evil", 1 << 1) < 0)
			break;
	return NULL;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int escapes, opened_inside, not_opened;

static void note(int fd)
{
	if (fd < 0)
		not_opened++;
	else if (is_file(fd, "out") || is_file(fd, "out/canary"))
		escapes++;
	else
		opened_inside++;
	fd_close(fd);
}

static void attack(double until)
{
	for (unsigned i = 0; seconds() < until; i++) {
		char name[40];

		note(path_open_in(root, "swap/x/canary", O_RDONLY, 0, 0));
		note(path_open_in(root, "swap/x/../x/canary", O_PATH, 0, 0));
		snprintf(name, sizeof(name), "swap/x/dir%u/sub", i % 500);
		note(path_mkdir_in(root, name, 0755));
		snprintf(name, sizeof(name), "swap/x/file%u", i % 500);
		note(path_make_file_in(root, name, 0644));
		snprintf(name, sizeof(name), "swap/x/creat%u", i % 500);
		note(path_open_in(root, name, O_CREAT | O_WRONLY, 0644, 0));
	}
}

/* The attack is real: what does not resolve in root is led outside by it. */
static bool attack_works(double until)
{
	while (seconds() < until) {
		fd_auto int fd = openat(root, "swap/x/canary", O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && is_file(fd, "out/canary"))
			return true;
	}
	return false;
}

static void test_race(const char *target)
{
	struct stat before, after;
	pthread_t t;

	make_dir("root/swap");
	make_dir("root/swap/x");
	make_file("root/swap/x/canary");
	make_link(target, "root/swap/evil");
	swap_dir = openat(top_fd, "root/swap", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fstatat(top_fd, "out", &before, 0) < 0)
		bail_out("out");
	for (int walk = 0; walk < 2; walk++) {
		escapes = opened_inside = not_opened = 0;
		atomic_store(&stop, false);
		if (pthread_create(&t, NULL, swapper, NULL))
			bail_out("thread");
		path_force_fallback(walk);
		ok(attack_works(seconds() + 10), "plain openat() is led outside");
		attack(seconds() + 0.5);
		atomic_store(&stop, true);
		pthread_join(t, NULL);
		printf("# %d inside, %d refused\n", opened_inside, not_opened);
		ok(escapes == 0 && opened_inside > 0, "%s: a link to %.3s never gets us outside",
		   variant_name(walk), target);
	}
	path_force_fallback(false);
	ok(fstatat(top_fd, "out", &after, 0) == 0 && after.st_nlink == before.st_nlink &&
		   after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
		   after.st_mtim.tv_nsec == before.st_mtim.tv_nsec,
	   "nothing was made outside");
	close(swap_dir);
	{
		char cmd[100];

		snprintf(cmd, sizeof(cmd), "rm -rf %s/root/swap", top);
		ok(system(cmd) == 0, "cleaned up");
	}
}

static void test_lexical(void)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{"", "/"},
		{"/", "/"},
		{"//", "/"},
		{"/a/", "/a"},
		{"a/b", "/a/b"},
		{"/a//b/./c", "/a/b/c"},
		{"/a/../b", "/b"},
		{"/../..", "/"},
		{"/a/b/../..", "/"},
		{"../x", "/x"},
		{"/a/...", "/a/..."},
		{"/a/..b", "/a/..b"},
		{"/a/b/../../../c/", "/c"},
	};
	arena_auto a = {0};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		is_str(path_clean(&a, t[i].in), t[i].out, "clean \"%s\"", t[i].in);
	is_str(path_join(&a, "/d", "n"), "/d/n", "join");
	is_str(path_join(&a, "/d/", "n"), "/d/n", "join: one slash");
	is_str(path_join(&a, "/d", "/n"), "/n", "join: an absolute name wins");
	ok(path_below("/a/b", "/a") && path_below("/a", "/a") && path_below("/a", "/") &&
		   !path_below("/ab", "/a") && !path_below("/", "/a"),
	   "below compares whole components");
}

static void test_long(void)
{
	static char path[PATH_MAX + 10];
	int before = dup(0), after;

	close(before);
	for (size_t i = 0; i + 2 < PATH_MAX; i += 2)
		memcpy(path + i, "a/", 2);
	path_force_fallback(true);
	is_int(path_mkdir_in(root, path, 0755), -ENAMETOOLONG, "walk: too deep is refused");
	memset(path, 'n', 300);
	path[300] = '\0';
	is_int(path_open_in(root, path, O_PATH, 0, 0), -ENAMETOOLONG, "walk: too long a name");
	memset(path, 'n', sizeof(path) - 1);
	is_int(path_open_in(root, path, O_PATH, 0, 0), -ENAMETOOLONG, "walk: too long a path");
	path_force_fallback(false);
	is_int(path_open_in(root, path, O_PATH, 0, 0), -ENAMETOOLONG, "openat2: too long a path");
	after = dup(0);
	close(after);
	is_int(after, before, "no descriptor is left behind");
}

/* A path that was judged as it is written must not lead elsewhere. */
static void test_real(void)
{
	char dir[] = "/tmp/kavach-real.XXXXXX", path[128];
	int fd;

	if (!mkdtemp(dir))
		bail_out("mkdtemp");
	snprintf(path, sizeof(path), "%s/link", dir);
	if (symlink("/usr", path) < 0)
		bail_out("symlink");
	fd = path_open_real(dir);
	ok(fd >= 0, "a path without symlinks is opened");
	close(fd);
	is_int(path_open_real(path), -ELOOP, "one that ends in a symlink is not");
	snprintf(path, sizeof(path), "%s/link/bin", dir);
	is_int(path_open_real(path), -ELOOP, "nor one with a symlink in the middle");
	is_int(path_open_real("/nonexistent"), -ENOENT, "nor what is not there");
	snprintf(path, sizeof(path), "%s/link", dir);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	char host[100];

	umask(022);
	make_tree();
	test_cases();
	test_proc();
	test_filtered();
	test_make();
	test_random();
	snprintf(host, sizeof(host), "../../../../../../../..%s/out", top);
	test_race(host);
	snprintf(host, sizeof(host), "%s/out", top);
	test_race(host);
	test_lexical();
	test_real();
	test_long();
	remove_tree();
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* Reading whole files, replacing them atomically, sealed memory files, and small kernel files. */
#include "base/io.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/kavach-io-XXXXXX";
static int dir;

static bool holds(const char *name, const char *text)
{
	arena_auto a = {0};
	struct bytes b = {0};

	return io_read_at(dir, name, 0, 1 << 20, &a, &b) == 0 && b.n == strlen(text) &&
	       !memcmp(b.v, text, b.n) && b.v[b.n] == '\0';
}

static void test_replace(void)
{
	struct stat st;

	umask(077);
	is_int(io_replace_at(dir, "pid", 0644, "123", 3), 0, "replace makes a file");
	ok(holds("pid", "123"), "with the content");
	ok(fstatat(dir, "pid", &st, 0) == 0 && (st.st_mode & 07777) == 0644,
	   "and the mode, whatever umask is");
	is_int(io_replace_at(dir, "pid", 0600, "4", 1), 0, "replace replaces");
	ok(holds("pid", "4"), "all of it");
	is_int(symlinkat("/tmp/kavach-io-nowhere", dir, "link"), 0, "given a symlink");
	is_int(io_replace_at(dir, "link", 0644, "x", 1), 0, "replace works on its name");
	ok(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode),
	   "and does not write through it");
	is_int(mkdirat(dir, "sub", 0755), 0, "given a directory");
	is_int(io_replace_at(dir, "sub/f", 0644, "x", 1), 0, "replace works in a subdirectory");
	is_int(io_replace_at(dir, "sub", 0644, "x", 1), -EISDIR,
	       "replace does not replace directories");
	is_int(io_replace_at(dir, "nosub/f", 0644, "x", 1), -ENOENT, "no directory, no file");
	umask(022);
}

static void test_create(void)
{
	struct stat st;

	is_int(io_create_at(dir, "new", 0600, "abc", 3), 0, "create makes a file");
	ok(holds("new", "abc"), "with the content");
	ok(fstatat(dir, "new", &st, 0) == 0 && (st.st_mode & 07777) == 0600, "and the mode");
	is_int(io_create_at(dir, "new", 0600, "x", 1), -EEXIST, "create does not overwrite");
	ok(holds("new", "abc"), "not even a byte");
	is_int(symlinkat("/tmp/kavach-io-nowhere", dir, "dangling"), 0, "given a dangling symlink");
	is_int(io_create_at(dir, "dangling", 0600, "x", 1), -EEXIST,
	       "create does not go through it");
}

static void test_no_leftovers(void)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "test -z \"$(find %s -name '.*' -type f)\"", top);
	is_int(system(cmd), 0, "no temporary file is left behind");
}

static void test_read(void)
{
	arena_auto a = {0};
	struct bytes b = {0};
	int p[2];

	io_replace_at(dir, "f", 0644, "0123456789", 10);
	is_int(io_read_at(dir, "f", 0, 10, &a, &b), 0, "a file of max bytes is read");
	ok(b.n == 10 && !memcmp(b.v, "0123456789", 11), "and NUL-terminated");
	is_int(io_read_at(dir, "f", 0, 9, &a, &b), -EFBIG, "one byte more is refused");
	is_int(io_read_at(dir, "none", 0, 9, &a, &b), -ENOENT, "no file");
	is_int(symlinkat("f", dir, "tof"), 0, "given a symlink");
	is_int(io_read_at(dir, "tof", O_NOFOLLOW, 10, &a, &b), -ELOOP, "O_NOFOLLOW is respected");
	io_replace_at(dir, "empty", 0644, "", 0);
	ok(io_read_at(dir, "empty", 0, 10, &a, &b) == 0 && b.n == 0 && b.v[0] == 0,
	   "an empty file");
	ok(io_read_at(AT_FDCWD, "/proc/self/maps", 0, 1 << 20, &a, &b) == 0 && b.n > 100,
	   "a proc file, whose size is told as 0");
	is_int(io_read_at(AT_FDCWD, "/proc/self/maps", 0, 50, &a, &b), -EFBIG,
	       "which has its limit too");
	is_int(io_read_at(AT_FDCWD, "/dev/zero", 0, 100000, &a, &b), -EFBIG,
	       "a device without end");
	is_int(io_read_at(AT_FDCWD, "/", 0, 100, &a, &b), -EISDIR, "a directory");
	if (pipe2(p, O_CLOEXEC) < 0 || write(p[1], "abc", 3) != 3)
		bail_out("pipe");
	close(p[1]);
	ok(io_read_fd(p[0], 3, &a, &b) == 0 && b.n == 3, "a pipe of max bytes");
	close(p[0]);
}

static void test_small(void)
{
	char buf[32];

	io_replace_at(dir, "s", 0644, "12345\n", 6);
	is_int(io_read_small(dir, "s", buf, sizeof(buf)), 5, "the newline is cut");
	is_str(buf, "12345", "and the text is terminated");
	is_int(io_read_small(dir, "s", buf, 6), -EFBIG, "what does not fit is refused, not cut");
	is_int(io_read_small(dir, "s", buf, 7), -EFBIG, "also when only the NUL does not fit");
	is_int(io_read_small(dir, "s", buf, 8), 5, "and fits with one byte more");
	io_replace_at(dir, "n", 0644, "", 0);
	is_int(io_read_small(dir, "n", buf, sizeof(buf)), 0, "an empty file");
	is_int(io_read_small(dir, "no", buf, sizeof(buf)), -ENOENT, "no file");
}

static void test_write(void)
{
	is_int(io_write_at(dir, "s", O_TRUNC, "max", 3), 0, "write_at writes");
	ok(holds("s", "max"), "the text");
	is_int(io_write_at(dir, "absent", 0, "max", 3), -ENOENT, "write_at makes nothing");
	is_int(io_write_at(AT_FDCWD, "/dev/full", 0, "x", 1), -ENOSPC, "write_at tells errors");
}

static void test_write_all(void)
{
	static char big[1 << 20], back[1 << 20];
	int p[2], status;
	pid_t pid;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char) (i * 7);
	if (pipe2(p, O_CLOEXEC) < 0)
		bail_out("pipe");
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		_exit(io_write_all(p[1], big, sizeof(big)) ? 1 : 0);
	}
	close(p[1]);
	is_int(io_read_full(p[0], back, sizeof(back)), sizeof(back), "read_full joins short reads");
	ok(!memcmp(big, back, sizeof(big)), "of what write_all wrote in pieces");
	is_int(io_read_full(p[0], back, 10), 0, "the end is 0 bytes");
	close(p[0]);
	waitpid(pid, &status, 0);
	is_int(status, 0, "write_all succeeds");
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(p, O_CLOEXEC) < 0)
		bail_out("pipe");
	close(p[0]);
	is_int(io_write_all(p[1], "x", 1), -EPIPE, "write_all tells errors");
	close(p[1]);
}

static void test_memfd(void)
{
	arena_auto a = {0};
	struct bytes prog = {0};
	int fd, seals, status;
	char buf[64];
	pid_t pid;

	if (io_read_at(AT_FDCWD, "/bin/false", 0, 1 << 24, &a, &prog) < 0)
		bail_out("/bin/false");
	fd = io_memfd("test", prog.v, prog.n);

	ok(fd >= 0, "memfd");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "is close-on-exec");
	is_int(lseek(fd, 0, SEEK_CUR), 0, "is read from the start");
	ok(read(fd, buf, sizeof(buf)) == sizeof(buf) && !memcmp(buf, prog.v, sizeof(buf)) &&
		   lseek(fd, 0, SEEK_END) == (off_t) prog.n,
	   "holds the bytes");
	seals = fcntl(fd, F_GET_SEALS);
	is_int(seals & 15, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, "is sealed");
	ok(write(fd, "x", 1) < 0 && errno == EPERM, "refuses writes");
	ok(ftruncate(fd, 0) < 0 && errno == EPERM, "refuses to shrink");
	ok(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED, "cannot be mapped writable");
	pid = fork();
	if (pid == 0) {
		char arg[] = "x", *argv[] = {arg, NULL}, *envp[] = {NULL};

		sys_execveat(fd, "", argv, envp, AT_EMPTY_PATH);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 1, "can be executed");
	close(fd);
	fd = io_memfd("empty", NULL, 0);
	ok(fd >= 0, "may be empty");
	close(fd);
}

static void test_start_time(void)
{
	struct proc_stat a = {0}, b = {0};
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), status;
	pid_t pid;

	is_int(proc_read_stat(AT_FDCWD, getpid(), &a), 0, "start time of this process");
	ok(a.start > 0 && a.state == 'R', "which runs");
	ok(proc_read_stat(fd, getpid(), &b) == 0 && a.start == b.start,
	   "is the same through a procfs fd");
	is_int(proc_read_stat(fd, 0, &b), -EINVAL, "pid 0 is refused");
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitid(P_PID, (id_t) pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	ok(proc_read_stat(fd, pid, &b) == 0 && b.state == 'Z' && b.start >= a.start,
	   "a zombie is told as one");
	waitpid(pid, &status, 0);
	is_int(proc_read_stat(fd, pid, &b), -ENOENT, "a reaped one is gone");
	pid = fork();
	if (pid == 0) {
		struct proc_stat c;

		signal(SIGPIPE, SIG_IGN);
		_exit(proc_read_stat(AT_FDCWD, getpid(), &c) ||
		      c.ignored != (a.ignored | 1u << (SIGPIPE - 1)));
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "ignored signals are told");
	/* comm may hold anything but a slash: "a) Z 1 2" must not shift the fields */
	pid = fork();
	if (pid == 0) {
		int c = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);

		_exit(c < 0 || write(c, "a) Z 1 2 (", 10) != 10 ||
		      proc_read_stat(AT_FDCWD, getpid(), &b) || b.state != 'R' ||
		      b.start < a.start);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "a hostile process name does not shift the fields");
	close(fd);
}

int main(void)
{
	char cmd[64];

	if (!mkdtemp(top))
		bail_out("mkdtemp");
	dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	test_replace();
	test_create();
	test_no_leftovers();
	test_read();
	test_small();
	test_write();
	test_write_all();
	test_memfd();
	test_start_time();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	is_int(system(cmd), 0, "cleaned up");
	return done();
}

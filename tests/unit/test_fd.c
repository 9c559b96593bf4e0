/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* Closing, passing descriptors over sockets, and sockets whose path is longer than sun_path. */
#include "base/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/types.h"
#include "tests/unit/tap.h"

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

static void test_close(void)
{
	int fd = open("/dev/null", O_RDONLY), kept = fd;

	is_int(fd_cloexec(fd, 1), 0, "fd_cloexec sets");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "the flag");
	is_int(fd_cloexec(fd, 0), 0, "fd_cloexec clears");
	ok(!(fcntl(fd, F_GETFD) & FD_CLOEXEC), "the flag");
	errno = ENOENT;
	fd = fd_close(fd);
	ok(fd == -EBADF && errno == ENOENT, "fd_close returns -EBADF and keeps errno");
	is_int(fd_cloexec(kept, 1), -EBADF, "it is closed");
	errno = ENOENT;
	ok(fd_close(-EBADF) == -EBADF && errno == ENOENT, "fd_close of nothing is nothing");
	{
		fd_auto int f = open("/dev/null", O_RDONLY | O_CLOEXEC);

		kept = fd_take(&f);
		is_int(f, -EBADF, "fd_take leaves nothing behind");
	}
	ok(fcntl(kept, F_GETFD) >= 0, "and the descriptor open");
	close(kept);
}

static void test_close_all(void)
{
	int base = lowest_fd(), fds[7], left = 0;

	for (int i = 0; i < 6; i++)
		fds[i] = dup(0); /* base .. base + 5 */
	fd_close(fds[3]);
	fds[3] = -EBADF; /* a hole between two runs */
	fds[6] = fds[0]; /* twice in the list */
	fds[0] = fds[5];
	fds[5] = fds[2];
	fds[2] = fds[6];
	errno = EIO;
	fd_close_all(fds, 7);
	is_int(errno, EIO, "close_all keeps errno");
	for (int i = 0; i < 6; i++)
		left += fcntl(base + i, F_GETFD) >= 0;
	is_int(left, 0, "close_all closes what is listed, in any order and twice");
	for (int i = 0; i < 7; i++)
		left += fds[i] != -EBADF;
	is_int(left, 0, "and forgets the numbers");
	fds[0] = dup(0);
	is_int(dup(0), base + 1, "given a neighbour");
	fd_close_all(fds, 1);
	ok(fcntl(base, F_GETFD) < 0 && fcntl(base + 1, F_GETFD) >= 0, "neighbours stay open");
	fd_close(base + 1);
	fd_close_all(fds, 0);
}

static void test_pass(int type, const char *name)
{
	int s[2], fds[16], got[16], before = lowest_fd();
	char data[8] = {0};
	size_t n = 99;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, s))
		bail_out("socketpair");
	for (size_t i = 0; i < 16; i++)
		fds[i] = open(i % 2 ? "/dev/null" : "/dev/zero", O_RDONLY | O_CLOEXEC);

	is_int(fd_send(s[0], "hi", 2, fds, 2), 0, "%s: sends two", name);
	is_int(fd_recv(s[1], data, sizeof(data), got, 2, &n), 2, "%s: receives the payload", name);
	ok(n == 2 && same_file(got[0], fds[0]) && same_file(got[1], fds[1]), "%s: and both", name);
	ok(fcntl(got[0], F_GETFD) & FD_CLOEXEC, "%s: close-on-exec", name);
	close(got[0]);
	close(got[1]);

	is_int(fd_send(s[0], "x", 1, fds, 16), 0, "%s: sends sixteen", name);
	is_int(fd_recv(s[1], data, sizeof(data), got, 16, &n), 1, "%s: receives sixteen", name);
	is_int(n, 16, "%s: all of them", name);
	for (size_t i = 0; i < n; i++)
		close(got[i]);

	n = 99;
	is_int(fd_send(s[0], "x", 1, fds, 3), 0, "%s: sends three", name);
	is_int(fd_recv(s[1], data, sizeof(data), got, 2, &n), -EMSGSIZE, "%s: too many for two",
	       name);
	is_int(n, 99, "%s: and the result is left alone", name);

	is_int(fd_send(s[0], "x", 1, NULL, 0), 0, "%s: sends none", name);
	is_int(fd_recv(s[1], data, sizeof(data), NULL, 0, &n), 1, "%s: receives none", name);
	is_int(n, 0, "%s: none", name);

	is_int(fd_send(s[0], "", 0, fds, 1), -EINVAL, "%s: descriptors need payload", name);
	is_int(fd_send(s[0], "x", 1, fds, 17), -EINVAL, "%s: seventeen are refused", name);
	if (type == SOCK_SEQPACKET) {
		is_int(fd_send(s[0], "123456789", 9, fds, 1), 0,
		       "%s: sends more than the reader takes", name);
		is_int(fd_recv(s[1], data, sizeof(data), got, 1, &n), -EMSGSIZE,
		       "%s: a cut message is refused", name);
	}
	close(s[0]);
	is_int(fd_recv(s[1], data, sizeof(data), got, 1, &n), 0, "%s: the end is 0 bytes", name);
	is_int(fd_send(s[1], "x", 1, NULL, 0), -EPIPE, "%s: no SIGPIPE", name);
	close(s[1]);
	for (size_t i = 0; i < 16; i++)
		close(fds[i]);
	is_int(lowest_fd(), before, "%s: no descriptor is left behind", name);
}

static void check_pair(int listener, int client, const char *what)
{
	fd_auto int conn = -EBADF;
	char c = 0;

	ok(client >= 0, "%s: connects", what);
	if (client < 0)
		return;
	ok(fcntl(client, F_GETFD) & FD_CLOEXEC, "%s: close-on-exec", what);
	conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ok(conn >= 0 && write(client, "x", 1) == 1 && read(conn, &c, 1) == 1 && c == 'x',
	   "%s: to the right socket", what);
	close(client);
}

static void test_unix(void)
{
	char top[] = "/tmp/kavach-fd-XXXXXX", path[PATH_MAX], name[201], cmd[100];
	struct err e = ERR_INIT;
	fd_auto int dir = -EBADF, l = -EBADF;

	if (!mkdtemp(top))
		bail_out("mkdtemp");
	memset(name, 'd', 200);
	name[200] = '\0';
	snprintf(path, sizeof(path), "%s/%s", top, name);
	if (mkdir(path, 0755))
		bail_out("mkdir");
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	strcat(path, "/sock");
	l = unix_listen_at(dir, "sock", SOCK_STREAM, &e);
	ok(l >= 0 && fcntl(l, F_GETFD) & FD_CLOEXEC, "listens in a directory with a long path");
	check_pair(l, unix_connect(path, &e), "by a long path");
	check_pair(l, unix_connect_at(dir, "sock", SOCK_STREAM, &e), "by directory and name");
	is_int(unix_listen_at(dir, "sock", SOCK_STREAM, &e), -EADDRINUSE, "a name is used once");
	is_int(unix_connect_at(dir, "none", SOCK_STREAM, &e), -ENOENT, "no socket");
	is_str(e.msg, "open socket none: not found", "and the message says so");
	is_int(symlinkat("sock", dir, "link"), 0, "given a symlink to the socket");
	ok(unix_connect_at(dir, "link", SOCK_STREAM, &e) < 0, "connect_at does not follow it");
	is_int(unix_listen_at(dir, name, SOCK_STREAM, &e), -ENAMETOOLONG,
	       "an over-long name is refused");
	fd_close(l);
	l = fd_close(openat(dir, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	is_int(unix_connect_at(dir, "file", SOCK_STREAM, &e), -ECONNREFUSED, "a file is no socket");

	snprintf(path, sizeof(path), "%s/short", top);
	l = unix_listen_at(AT_FDCWD, path, SOCK_STREAM, &e);
	check_pair(l, unix_connect(path, &e), "by a short path");
	snprintf(path, sizeof(path), "%s/none", top);
	is_int(unix_connect(path, &e), -ENOENT, "no socket by path");
	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	is_int(system(cmd), 0, "cleaned up");
}

int main(void)
{
	test_close();
	test_close_all();
	test_pass(SOCK_STREAM, "stream");
	test_pass(SOCK_SEQPACKET, "seqpacket");
	test_unix();
	return done();
}

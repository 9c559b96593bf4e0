/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base exec policy */
/* timeout: 120 */
/* Devices, console, masked and read-only paths, and the traps that an image can set for them. */
#include "tests/unit/exec_world.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <termios.h>

static bool legacy; /* the pass we are in */

#define IN (legacy ? "mount(2): " : "")

static struct world *make(void)
{
	struct world *w = world_new();

	w->legacy = legacy;
	w->dev_by_us = true;
	return w;
}

static char *dev_opts[] = {(char *) "mode=755", (char *) "size=65536k", NULL};
static char *pts_opts[] = {(char *) "newinstance", (char *) "ptmxmode=0666", (char *) "mode=0620",
			   NULL};

static void add_dev(struct world *w)
{
	world_data(world_fs(w, "tmpfs", "/dev", MOUNT_ATTR_NOSUID), dev_opts);
}

static void add_defaults(struct world *w)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} six[] = {{"/dev/null", 1, 3},	  {"/dev/zero", 1, 5},	  {"/dev/full", 1, 7},
		   {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

	for (size_t i = 0; i < ARRAY_LEN(six); i++)
		world_device(w, six[i].path, S_IFCHR, six[i].major, six[i].minor, 0666);
}

static bool is_dev(const char *path, mode_t mode, unsigned ma, unsigned mi)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_mode == mode && st.st_rdev == makedev(ma, mi);
}

static bool is_link(const char *path, const char *to)
{
	char buf[128];
	ssize_t n = readlink(path, buf, sizeof(buf));

	return n == (ssize_t) strlen(to) && !memcmp(buf, to, (size_t) n);
}

static bool works(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, "x", 1) == 1;

	close(fd);
	return good;
}

/* ---- device nodes ---- */

static void check_nodes(struct world *w)
{
	struct stat st;

	expect(w, is_dev("/dev/null", S_IFCHR | 0666, 1, 3) &&
			  is_dev("/dev/tty", S_IFCHR | 0666, 5, 0));
	expect(w, is_dev("/dev/urandom", S_IFCHR | 0666, 1, 9) &&
			  is_dev("/dev/full", S_IFCHR | 0666, 1, 7));
	expect(w, is_dev("/dev/net/tun", S_IFCHR | 0600, 10, 200));
	expect(w, is_dev("/opt/disk", S_IFBLK | 0640, 7, 0));
	expect(w, stat("/opt/disk", &st) == 0 && st.st_uid == 11 && st.st_gid == 22);
	expect(w, lstat("/dev/pipe", &st) == 0 && S_ISFIFO(st.st_mode));
	expect(w, is_link("/dev/fd", "/proc/self/fd") && is_link("/dev/stderr", "/proc/self/fd/2"));
	expect(w, is_link("/dev/ptmx", "pts/ptmx"));
	expect(w, works());
}

static void test_nodes(void)
{
	struct world *w = make();

	add_dev(w);
	add_defaults(w);
	world_device(w, "/dev/net/tun", S_IFCHR, 10, 200, 0600);
	world_device(w, "/opt/disk", S_IFBLK, 7, 0, 0640);
	w->devices[w->p.devices.n - 1].uid = 11;
	w->devices[w->p.devices.n - 1].gid = 22;
	world_device(w, "/dev/pipe", S_IFIFO, 0, 0, 0644);
	w->check = check_nodes;
	ok(world_run(w, 0), "%sdevice nodes with type, number, mode and owner; links", IN);
}

static void existing(struct world *w, const char *name, mode_t mode, unsigned ma, unsigned mi)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/dev/%s", w->root, name);
	if (mknod(path, mode, makedev(ma, mi)) < 0)
		world_die(path);
}

static void test_existing(void)
{
	struct world *w = make();

	existing(w, "null", S_IFCHR | 0600, 1, 3);
	existing(w, "fd", S_IFREG | 0600, 0, 0);
	world_device(w, "/dev/null", S_IFCHR, 1, 3, 0666);
	ok(world_run(w, 0), "%sthe same node and something at a link's name are accepted", IN);

	w = make();
	existing(w, "null", S_IFCHR | 0600, 1, 5);
	world_device(w, "/dev/null", S_IFCHR, 1, 3, 0666);
	ok(world_run(w, -EEXIST) && strstr(w->res->err.msg, "/dev/null"),
	   "%sanother node is an error", IN);

	w = make();
	existing(w, "null", S_IFREG | 0600, 0, 0);
	world_device(w, "/dev/null", S_IFCHR, 1, 3, 0666);
	ok(world_run(w, -EEXIST), "%sa regular file is an error", IN);
}

static void give_to_user(struct world *w)
{
	char path[200];

	for (const char *const *d =
		     (const char *const[]){"", "/dev", "/proc", "/sys", "/tmp", NULL};
	     *d; d++) {
		snprintf(path, sizeof(path), "%s%s", w->root, *d);
		if (chown(path, 100000, 100000) < 0)
			world_die(path);
	}
}

static void check_bound(struct world *w)
{
	expect(w, works() && world_info_has(w, "/dev/null", " - devtmpfs "));
	expect(w, world_info_has(w, "/dev/tty", " - devtmpfs "));
}

static void test_userns(void)
{
	struct world *w = make();

	give_to_user(w);
	add_dev(w);
	add_defaults(w);
	w->clone = CLONE_NEWUSER;
	w->check = check_bound;
	ok(world_run(w, 0), "%sin a user namespace the host's nodes are bound", IN);

	w = make();
	give_to_user(w);
	add_dev(w);
	world_device(w, "/dev/null", S_IFCHR, 1, 5, 0666);
	w->clone = CLONE_NEWUSER;
	ok(world_run(w, -ENODEV), "%sa host node with another number is not bound", IN);
}

static bool nothing_in(const char *dir, const char *const *names)
{
	char path[300];
	struct stat st;

	for (; *names; names++) {
		snprintf(path, sizeof(path), "%s/%s", dir, *names);
		if (lstat(path, &st) == 0)
			return false;
	}
	return true;
}

static const char *const dev_names[] = {"null", "fd", "ptmx", "console", "x", NULL};

static void test_dev_traps(void)
{
	struct world *w = make();
	char dev[200], path[300];

	snprintf(dev, sizeof(dev), "%s/dev", w->root);
	if (rmdir(dev) < 0 || symlink(w->out, dev) < 0)
		world_die("symlink");
	world_device(w, "/dev/null", S_IFCHR, 1, 3, 0666);
	ok(world_run(w, -ELOOP) && strstr(w->res->err.msg, "symlink"),
	   "%sa symlinked /dev is refused", IN);
	ok(nothing_in(w->out, dev_names), "%sand nothing is made where it leads", IN);

	w = make();
	snprintf(path, sizeof(path), "%s/dev/net", w->root);
	if (symlink(w->out, path) < 0)
		world_die("symlink");
	world_device(w, "/dev/net/x", S_IFCHR, 1, 3, 0666);
	world_run(w, 0);
	ok(w->res->ended && nothing_in(w->out, dev_names),
	   "%sa symlink below /dev does not lead out", IN);

	w = make();
	snprintf(path, sizeof(path), "%s/bind", w->out);
	world_mkdir("", path);
	world_bind(w, w->out, "/dev", 0);
	add_defaults(w);
	ok(world_run(w, 0) && nothing_in(w->out, dev_names),
	   "%snothing is made in a /dev that is bound from the host", IN);

	w = make();
	snprintf(path, sizeof(path), "%s/dev/ptmx", w->root);
	if (symlink("/nowhere", path) < 0)
		world_die("symlink");
	ok(world_run(w, 0), "%sa link that is there stays", IN);
}

/* ---- console ---- */

static int sockets[2];

static void with_terminal(struct world *w)
{
	add_dev(w);
	world_data(world_fs(w, "devpts", "/dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
		   pts_opts);
	w->proc.terminal = true;
	w->proc.uid = 1234;
	w->proc.console_width = 91;
	w->proc.console_height = 33;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		world_die("socketpair");
	w->boot.console_fd = sockets[1];
}

static void check_console(struct world *w)
{
	struct stat st, con;
	struct winsize ws;
	struct termios t;
	int fd;

	expect(w, stat("/dev/pts/0", &st) == 0 && st.st_uid == 1234);
	expect(w,
	       stat("/dev/console", &con) == 0 && con.st_rdev == st.st_rdev && con.st_uid == 1234);
	expect(w, world_info_has(w, "/dev/console", " - devpts "));
	expect(w, tty_make_stdio(&w->s, &w->res->err) == 0);
	expect(w, isatty(0) && isatty(1) && isatty(2) && tcgetattr(1, &t) == 0);
	expect(w, ioctl(0, TIOCGWINSZ, &ws) == 0 && ws.ws_col == 91 && ws.ws_row == 33);
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	expect(w, fd >= 0 || errno == ENOENT);
	expect(w, tcgetpgrp(0) >= 0 && getsid(0) == getpid());
	expect(w, write(1, "hello", 5) == 5);
	fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	expect(w, fd >= 0 && write(fd, " there", 6) == 6);
	sleep(1); /* the test reads before the last slave is closed */
}

static void test_console(void)
{
	struct world *w = make();
	char name[64] = "", text[64] = "";
	int master = -EBADF;
	size_t n = 0, k = 0;
	ssize_t r;
	pid_t reader;
	int report[2];

	with_terminal(w);
	w->clone = CLONE_NEWPID;
	w->check = check_console;
	/* an ordinary reader of the socket, as conmon is */
	if (pipe2(report, O_CLOEXEC) < 0)
		world_die("pipe");
	fflush(stdout);
	reader = fork();
	if (reader == 0) {
		alarm(15);
		close(sockets[1]);
		r = fd_recv(sockets[0], name, sizeof(name) - 1, &master, 1, &n);
		while (r > 0 && k < 11 && (r = read(master, text + k, sizeof(text) - 1 - k)) > 0)
			k += (size_t) r;
		dprintf(report[1], "%zu %s %s", n, name, text);
		_exit(0);
	}
	ok(world_run(w, 0),
	   "%sthe terminal is console, stdin, stdout and stderr, with size and owner", IN);
	close(sockets[0]);
	close(sockets[1]);
	waitpid(reader, NULL, 0);
	memset(text, 0, sizeof(text));
	r = read(report[0], text, sizeof(text) - 1);
	is_str(text, "1 /dev/pts/0 hello there", "%sits master arrives at the console socket", IN);
}

static void console_trap(const char *what, void (*trap)(struct world *w), int want)
{
	struct world *w = make();
	char path[200];

	with_terminal(w);
	trap(w);
	snprintf(path, sizeof(path), "%s/canary", w->out);
	ok(world_run(w, want), "%s%s", IN, what);
	ok(world_reads(path, "untouched") && nothing_in(w->out, dev_names),
	   "%sand nothing happens to the host", IN);
	close(sockets[0]);
	close(sockets[1]);
}

static void trap_console_link(struct world *w)
{
	char path[200], to[200];

	snprintf(path, sizeof(path), "%s/dev/console", w->root);
	snprintf(to, sizeof(to), "%s/canary", w->out);
	if (symlink(to, path) < 0)
		world_die("symlink");
	w->p.mounts.n = 0; /* no tmpfs: the image's /dev */
	world_data(world_fs(w, "devpts", "/dev/pts", 0), pts_opts);
}

static void trap_no_devpts(struct world *w)
{
	w->p.mounts.n = 1;
}

static void trap_ptmx(struct world *w)
{
	char path[200];

	world_mkdir("/dev/pts", w->root);
	snprintf(path, sizeof(path), "%s/dev/pts/ptmx", w->root);
	if (mknod(path, S_IFCHR | 0666, makedev(5, 2)) < 0)
		world_die("mknod");
	w->p.mounts.n = 0;
}

static void trap_zero(struct world *w)
{
	char path[200];

	world_mkdir("/dev/pts", w->root);
	snprintf(path, sizeof(path), "%s/dev/pts/ptmx", w->root);
	if (mknod(path, S_IFCHR | 0666, makedev(1, 5)) < 0)
		world_die("mknod");
	w->p.mounts.n = 0;
}

static void trap_pts_link(struct world *w)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/dev/pts", w->root);
	if (symlink("/tmp", path) < 0)
		world_die("symlink");
	w->p.mounts.n = 0;
	world_data(world_fs(w, "devpts", "/tmp", 0), pts_opts);
}

static void test_console_traps(void)
{
	console_trap("a symlinked /dev/console is refused", trap_console_link, -ENODEV);
	console_trap("a terminal without devpts is refused", trap_no_devpts, -ENOENT);
	console_trap("a ptmx node that is not of a devpts is refused", trap_ptmx, -ENOENT);
	console_trap("another device in place of ptmx is refused", trap_zero, -ENODEV);
	console_trap("a symlinked /dev/pts is refused", trap_pts_link, -ELOOP);
}

/* ---- masked and read-only paths ---- */

static void check_masks(struct world *w)
{
	struct statvfs v;

	expect(w, world_reads("/secret/file", ""));
	expect(w,
	       access("/hidden/inner", F_OK) < 0 && mkdir("/hidden/x", 0755) < 0 && errno == EROFS);
	expect(w, statvfs("/hidden2", &v) == 0 &&
			  (v.f_flag & (ST_RDONLY | ST_NOEXEC)) == (ST_RDONLY | ST_NOEXEC));
	expect(w, access("/hidden2/inner", F_OK) < 0);
	expect(w, world_reads("/secret/link", "")); /* what it leads to is masked */
	expect(w, mkdir("/ro/x", 0755) < 0 && errno == EROFS);
	expect(w, (mkdir("/ro/sub/x", 0755) < 0 && errno == EROFS) || w->legacy);
	expect(w, statvfs("/ro", &v) == 0 && (v.f_flag & ST_NOSUID));
	expect(w, access("/missing", F_OK) < 0 && mkdir("/fine", 0755) == 0);
	expect(w, is_dev("/secret/file", S_IFCHR | 0666, 1, 3));
}

static void test_masks(void)
{
	struct world *w = make();
	char path[200];

	world_mkdir("/secret", w->root);
	world_write(w->root, "secret/file", "the secret");
	world_write(w->root, "secret/other", "the other");
	for (const char *const *d = (const char *const[]){"/hidden", "/hidden/inner", "/hidden2",
							  "/hidden2/inner", "/ro", "/ro/sub", NULL};
	     *d; d++)
		world_mkdir(*d, w->root);
	snprintf(path, sizeof(path), "%s/secret/link", w->root);
	if (symlink("other", path) < 0)
		world_die("symlink");
	/* the container's own null device is a trap */
	snprintf(path, sizeof(path), "%s/dev/null", w->root);
	if (symlink("/secret/file", path) < 0)
		world_die("symlink");
	w->dev_by_us = false;
	world_fs(w, "tmpfs", "/ro", MOUNT_ATTR_NOSUID);
	world_fs(w, "tmpfs", "/ro/sub", 0);
	for (char **m = (char *[]){(char *) "/secret/file", (char *) "/hidden", (char *) "/missing",
				   (char *) "/hidden2", (char *) "/secret/link",
				   (char *) "/secret/file/below", (char *) "/hidden",
				   (char *) "/secret/file", NULL};
	     *m; m++)
		w->masked[w->p.masked.n++] = *m;
	for (char **m = (char *[]){(char *) "/ro", (char *) "/missing", (char *) "/ro", NULL}; *m;
	     m++)
		w->readonly[w->p.readonly.n++] = *m;
	w->check = check_masks;
	ok(world_run(w, 0), "%smasked and read-only paths, duplicates and missing ones", IN);
}

static bool empty_or_missing(const char *path)
{
	return world_reads(path, "") || errno == ENOENT;
}

static void check_proc_masks(struct world *w)
{
	int fd = open("/proc/sys/kernel/domainname", O_WRONLY | O_CLOEXEC);

	expect(w, fd < 0 && errno == EROFS);
	expect(w, empty_or_missing("/proc/kcore") && empty_or_missing("/proc/timer_list"));
	expect(w, access("/proc/acpi/wakeup", F_OK) < 0);
	expect(w, access("/proc/self/status", R_OK) == 0);
}

static void test_proc_masks(void)
{
	struct world *w = make();

	world_fs(w, "proc", "/proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	for (char **m = (char *[]){(char *) "/proc/acpi", (char *) "/proc/kcore",
				   (char *) "/proc/keys", (char *) "/proc/timer_list",
				   (char *) "/proc/scsi", (char *) "/proc/sched_debug", NULL};
	     *m; m++)
		w->masked[w->p.masked.n++] = *m;
	for (char **m = (char *[]){(char *) "/proc/bus", (char *) "/proc/fs", (char *) "/proc/sys",
				   (char *) "/proc/sysrq-trigger", NULL};
	     *m; m++)
		w->readonly[w->p.readonly.n++] = *m;
	w->clone = CLONE_NEWPID | CLONE_NEWUTS;
	w->check = check_proc_masks;
	ok(world_run(w, 0), "%sthe lists of the engines on a real procfs", IN);

	w = make();
	give_to_user(w);
	world_fs(w, "proc", "/proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	w->masked[w->p.masked.n++] = (char *) "/proc/kcore";
	w->masked[w->p.masked.n++] = (char *) "/proc/acpi";
	w->readonly[w->p.readonly.n++] = (char *) "/proc/sys";
	w->clone = CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWUSER;
	ok(world_run(w, 0), "%sthe same in a user namespace", IN);
}

/* ---- procfs ---- */

static void check_proc(struct world *w)
{
	struct err e = ERR_INIT;
	struct stage *s = &w->s;
	int fd = proc_open(s, "self/status", O_RDONLY, &e);

	expect(w, fd >= 0);
	close(fd);
	expect(w, proc_open(s, "../etc", O_PATH, &e) < 0);
	expect(w, proc_open(s, "self/root/etc", O_PATH, &e) < 0); /* magic links */
	expect(w, proc_open(s, "self/fd/0", O_PATH, &e) < 0);
	e = ERR_INIT;
	expect(w, proc_write(s, "self/oom_score_adj", "300", &e) == 0);
	expect(w, proc_write(s, "self/oom_score_adj", "abc", &e) < 0 &&
			  strstr(e.msg, "self/oom_score_adj"));
	/* what is mounted over the container's files does not count */
	expect(w, mount("tmpfs", "/proc/self/attr", "tmpfs", 0, NULL) == 0 || errno == ENOENT);
	e = ERR_INIT;
	fd = proc_open(s, "sys/kernel/hostname", O_RDONLY, &e);
	expect(w, fd >= 0);
}

static void test_proc(void)
{
	struct world *w = make();

	world_fs(w, "proc", "/proc", 0);
	w->clone = CLONE_NEWPID;
	w->check = check_proc;
	ok(world_run(w, 0), "%sthe private procfs: files are found, nothing leads out of it", IN);
}

int main(void)
{
	if (!world_init())
		return done();
	for (int pass = 0; pass < 2; pass++) {
		legacy = pass == 1;
		test_nodes();
		test_existing();
		test_userns();
		test_dev_traps();
		test_console();
		test_console_traps();
		test_masks();
		test_proc_masks();
		test_proc();
	}
	return done();
}

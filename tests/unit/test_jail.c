/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm exec hooks policy base */
/*
 * QEMU's jail, with a shell in its place: what it is, as the kernel tells (/proc/PID), and what it cannot do, by trying.
 * The shell's script says what worked; what did not is in the expected text as much as what did.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "tap.h"
#include "vm/jail.h"

#define UID 1879050000u

static struct arena arena;
static struct err err;
static char dir[] = "/tmp/kavach-jail.XXXXXX";
static bool has_landlock;

/* What a file or directory below our own directory is called. */
static char *at(const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		bail_out("cannot write a file");
	close(fd);
}

struct run {
	char *out;
	int status;
};

static struct jail jail_of_shell(const char *script, char *argv[4])
{
	argv[0] = arena_strdup(&arena, "sh");
	argv[1] = arena_strdup(&arena, "-c");
	argv[2] = arena_strdup(&arena, script);
	argv[3] = NULL;
	return (struct jail){
		.program = "/usr/bin/sh",
		.argv = argv,
		.log_fd = -EBADF,
		.uid = UID,
		.gid = UID,
	};
}

/* Runs a shell in the jail to its end; what it printed and its status. */
static struct run run_jailed(struct jail j)
{
	struct run ret = {.status = -1};
	struct bytes text = {0};
	int p[2], st = 0, pidfd = -EBADF;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		bail_out("no pipe");
	j.log_fd = p[1];
	err = ERR_INIT;
	if (jail_spawn(&j, &pid, &pidfd, &err) < 0) {
		close(p[0]), close(p[1]);
		ret.out = arena_strdup(&arena, err.msg);
		return ret;
	}
	close(p[1]);
	if (io_read_fd(p[0], 65536, &arena, &text) < 0 || waitpid(pid, &st, 0) != pid)
		bail_out("cannot read what the shell says");
	close(p[0]);
	close(pidfd);
	ret.out = arena_strndup(&arena, (const char *) text.v, text.n);
	ret.status = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
	return ret;
}

/* A line "Name:\tvalue" of /proc/PID/status. */
static const char *status_of(pid_t pid, const char *name)
{
	struct bytes text;
	char *line;

	if (io_read_at(AT_FDCWD, arena_printf(&arena, "/proc/%d/status", pid), O_RDONLY, 65536,
		       &arena, &text) < 0)
		return "(none)";
	for (line = strtok((char *) text.v, "\n"); line; line = strtok(NULL, "\n")) {
		const char *rest = str_prefix(line, name);

		if (rest && rest[0] == ':')
			return arena_strdup(&arena, rest + 1 + strspn(rest + 1, "\t "));
	}
	return "(none)";
}

static const char *limit_of(pid_t pid, const char *name)
{
	struct bytes text;
	char *line;

	if (io_read_at(AT_FDCWD, arena_printf(&arena, "/proc/%d/limits", pid), O_RDONLY, 65536,
		       &arena, &text) < 0)
		return "(none)";
	for (line = strtok((char *) text.v, "\n"); line; line = strtok(NULL, "\n")) {
		const char *rest = str_prefix(line, name);

		if (rest) {
			char soft[32] = "", hard[32] = "";

			sscanf(rest, "%31s %31s", soft, hard);
			return arena_printf(&arena, "%s %s", soft, hard);
		}
	}
	return "(none)";
}

static bool other_namespace(pid_t pid, const char *kind)
{
	char mine[64] = "", its[64] = "";

	return readlink(arena_printf(&arena, "/proc/self/ns/%s", kind), mine, 63) > 0 &&
	       readlink(arena_printf(&arena, "/proc/%d/ns/%s", pid, kind), its, 63) > 0 &&
	       !str_eq(mine, its);
}

/* ---- what it is ---- */

static int wait_line(int fd, char want)
{
	char c;

	while (read(fd, &c, 1) == 1)
		if (c == want)
			return 0;
	return -1;
}

static const struct {
	const char *name, *caps;
	uint32_t nofile;
	bool root;
} roles[] = {
	[JAIL_NO_FILES] = {"without capabilities", "0000000000000000", 256, false},
	/* CHOWN, DAC_OVERRIDE, FOWNER, FSETID */
	[JAIL_9P] = {"for 9p", "000000000000001b", 4096, true},
	/* and SETGID, SETUID, SETPCAP, SETFCAP */
	[JAIL_VIRTIOFS] = {"for virtiofsd", "00000000800001db", 1u << 20, true},
};

/* As many as asked for, where the machine gives so many. */
static const char *files_limit(uint32_t want)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		bail_out("no limit");
	if (l.rlim_max < want)
		want = (uint32_t) l.rlim_max;
	return arena_printf(&arena, "%u %u", want, want);
}

static void look_at(pid_t pid, enum jail_role role)
{
	const char *caps = roles[role].caps;
	bool root = roles[role].root;
	const char *ids = arena_printf(&arena, "%u\t%u\t%u\t%u", UID, UID, UID, UID);
	static const char *const spaces[] = {"mnt", "net", "ipc", "uts"};

	is_str(status_of(pid, "Uid"), root ? "0\t0\t0\t0" : ids, "its user is its own");
	is_str(status_of(pid, "Gid"), ids, "and its group");
	is_str(status_of(pid, "Groups"), "", "it has no other groups");
	is_str(status_of(pid, "CapEff"), caps, "effective capabilities");
	is_str(status_of(pid, "CapPrm"), caps, "permitted capabilities");
	is_str(status_of(pid, "CapBnd"), caps, "bounding set");
	is_str(status_of(pid, "CapInh"), "0000000000000000", "none is inheritable");
	is_str(status_of(pid, "CapAmb"), "0000000000000000", "none is ambient");
	is_str(status_of(pid, "NoNewPrivs"), "1", "it can gain none");
	is_str(status_of(pid, "SigBlk"), "0000000000000000", "no signal is blocked");
	is_str(status_of(pid, "SigIgn"), "0000000000000000", "none is ignored");
	is_str(limit_of(pid, "Max core file size"), "1 1", "no core, not even through a pipe");
	is_str(limit_of(pid, "Max open files"), files_limit(roles[role].nofile), "open files");
	is_str(limit_of(pid, "Max locked memory"), "65536 65536", "locked memory");
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		ok(other_namespace(pid, spaces[i]), "a %s namespace of its own", spaces[i]);
	ok(getsid(pid) == pid, "a session of its own");
}

static void test_is(enum jail_role role)
{
	char *argv[4];
	struct jail j = jail_of_shell("printf r; read x <&3", argv);
	struct jail_fd fds[1];
	int sock[2], log[2], pidfd = -EBADF;
	pid_t pid = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0 ||
	    pipe2(log, O_CLOEXEC) < 0)
		bail_out("no sockets");
	/* what the monitor does to itself is not handed on */
	signal(SIGPIPE, SIG_IGN);
	(void) syscall(SYS_rt_sigaction, 33, (const unsigned long[8]){(unsigned long) SIG_IGN},
		       NULL, 8);
	fds[0] = (struct jail_fd){sock[1], 3};
	j.fds = fds;
	j.n_fds = 1;
	j.log_fd = log[1];
	j.role = role;
	err = ERR_INIT;
	ok(jail_spawn(&j, &pid, &pidfd, &err) == 0, "a shell in the jail (%s)", roles[role].name);
	if (err.code) {
		printf("# %s\n", err.msg);
		return;
	}
	close(log[1]);
	if (wait_line(log[0], 'r') == 0)
		look_at(pid, role);
	close(sock[0]), close(sock[1]), close(log[0]);
	ok(poll(&(struct pollfd){pidfd, POLLIN, 0}, 1, 10000) == 1, "it ends with its input");
	waitpid(pid, NULL, 0);
	close(pidfd);
}

/* ---- what it can and cannot do ---- */

#define TRY(what) "(" what ") >/dev/null 2>&1 && echo '" what "'\n"

static void test_cannot(void)
{
	static const char script[] = TRY("cat /kernel") TRY("cat /usr/bin/true")
		TRY("cat /etc/ld.so.cache") TRY("head -c 4 /dev/urandom") TRY("echo x >/dev/null")
		/* from here on nothing works */
		TRY("echo x >/kernel") TRY("echo x >/new") TRY("mkdir /usr/new") TRY(
			"mkdir /d") TRY("cat /etc/passwd") TRY("cat /proc/self/status")
			TRY("cat /sys/kernel/uevent_seqnum") TRY("ls /home") TRY("ls /tmp") TRY(
				"ls /root") TRY("cat /dev/mem") TRY("cat /dev/tty")
				TRY("mount -t tmpfs x /etc") TRY("umount /usr") TRY(
					"unshare -m true") TRY("unshare -n true")
					TRY("chroot /usr /bin/true") TRY("chmod 700 /kernel") TRY(
						"kill -0 1")
						TRY("sh -c 'exit 3'") "hostname; ulimit -c; cat <&5; cat <&6";
	char *argv[4];
	struct jail j = jail_of_shell(script, argv);
	const struct jail_file files[] = {{.name = "kernel", .fd = -EBADF, .path = at("kernel")}};
	struct jail_fd fds[2];
	struct run r;
	int a, b;

	write_file("five", "five\n", 0600);
	write_file("six", "six\n", 0600);
	a = open(at("five"), O_RDONLY | O_CLOEXEC);
	b = open(at("six"), O_RDONLY | O_CLOEXEC);
	/* each number is the other's at first */
	if (a != 5 && b != 6 && dup3(a, 6, O_CLOEXEC) == 6 && dup3(b, 5, O_CLOEXEC) == 5)
		a = 6, b = 5;
	fds[0] = (struct jail_fd){a, 5};
	fds[1] = (struct jail_fd){b, 6};
	j.files = files;
	j.n_files = 1;
	j.fds = fds;
	j.n_fds = 2;
	r = run_jailed(j);
	is_str(r.out,
	       "cat /kernel\ncat /usr/bin/true\ncat /etc/ld.so.cache\nhead -c 4 /dev/urandom\n"
	       "echo x >/dev/null\nvm\n0\nfive\nsix\n",
	       "it reads what it is to read, gets its descriptors, and can do nothing else");
}

/* What QEMU needs of the host for a guest of SEV: the secure processor's device, and memory that it may pin. */
static void test_sev(void)
{
	static const char script[] = TRY("echo x >/dev/sev") TRY(
		"cat /dev/sev") "stat -c '%F %t %T %a %u' /dev/sev; ulimit -l; mknod /x c 1 3 2>/dev/null || echo none";
	uint64_t want = 4 << 20;
	char *argv[4];
	struct jail j = jail_of_shell(script, argv);
	struct rlimit l;

	if (getrlimit(RLIMIT_MEMLOCK, &l) < 0)
		bail_out("no limit");
	if (l.rlim_max < want)
		want = l.rlim_max; /* and nobody may raise it where this is tried */
	j.sev_dev = makedev(1, 3);
	j.memlock = want;
	is_str(run_jailed(j).out,
	       arena_printf(
		       &arena,
		       "echo x >/dev/sev\ncat /dev/sev\ncharacter special file 1 3 600 %u\n%llu\n"
		       "none\n",
		       UID, (unsigned long long) want / 1024),
	       "for a guest of SEV: a device of its own, and memory that may be pinned");
}

static void test_9p(void)
{
	static const char script[] = TRY("echo x >/share/new") TRY("chown 5:6 /share/new")
		TRY("chmod 4755 /share/new") TRY("cat /share/secret") TRY("mkdir /share/d")
			TRY("mv /share/new /share/d/moved") TRY("rm /share/gone")
				TRY("ln -s x /share/link")
		/* from here on nothing works */
		TRY("mknod /share/null c 1 3") TRY("cat /share/null") TRY("/share/program")
			TRY("cat /proc/self/status") TRY("cat /proc/1/environ")
				TRY("ls /proc/1/root/") TRY("echo x >/kernel")
					TRY("mount -t tmpfs x /share")
						TRY("chroot /share /bin/true") TRY("echo x >/new")
							TRY("mkdir /usr/new");
	char *argv[4];
	struct jail j = jail_of_shell(script, argv);
	const struct jail_file files[] = {
		{.name = "kernel", .fd = -EBADF, .path = at("kernel")},
		{.name = "share", .fd = -EBADF, .path = at("share"), .writable = true},
	};
	struct stat st = {0};
	struct run r;

	if (mkdir(at("share"), 0700) < 0 || chown(at("share"), 1000, 1000) < 0)
		bail_out("cannot make the share");
	write_file("share/secret", "s", 0600);
	write_file("share/gone", "g", 0600);
	write_file("share/program", "#!/usr/bin/sh\nexit 0\n", 0755);
	if (chown(at("share/secret"), 1001, 1001) < 0)
		bail_out("cannot give a file away");
	(void) mknod(at("share/null"), S_IFCHR | 0666, makedev(1, 3));
	j.role = JAIL_9P;
	j.files = files;
	j.n_files = 2;
	r = run_jailed(j);
	is_str(r.out,
	       "echo x >/share/new\nchown 5:6 /share/new\nchmod 4755 /share/new\n"
	       "cat /share/secret\nmkdir /share/d\nmv /share/new /share/d/moved\n"
	       "rm /share/gone\nln -s x /share/link\n",
	       "it serves files of any owner, and can do nothing else");
	ok(stat(at("share/d/moved"), &st) == 0 && st.st_uid == 5 && st.st_gid == 6 &&
		   (st.st_mode & 07777) == 04755,
	   "owner and mode are as it said");
}

/* ---- errors, ids, death ---- */

static void test_errors(void)
{
	char *argv[4];
	struct jail j = jail_of_shell("true", argv);
	const struct jail_file missing[] = {{.name = "kernel", .fd = -EBADF, .path = at("none")}};
	const struct jail_file slash[] = {{.name = "a/../b", .fd = -EBADF, .path = at("kernel")}};
	struct run r;

	j.program = "/usr/bin/not-there";
	r = run_jailed(j);
	is_str(r.out, "executing /usr/bin/not-there in its jail: not found",
	       "a program that is not there");
	j = jail_of_shell("true", argv);
	j.files = missing;
	j.n_files = 1;
	r = run_jailed(j);
	is_str(r.out, arena_printf(&arena, "the jail: %s: not found", at("none")),
	       "a file that is not there");
	j.files = slash;
	r = run_jailed(j);
	is_str(r.out, "the jail: \"a/../b\" is no name for a file", "a name with a path");
	j = jail_of_shell("true", argv);
	j.uid = 0;
	r = run_jailed(j);
	is_str(r.out, arena_printf(&arena, "the jail: uid 0, gid %u", UID),
	       "root without the capabilities of a 9p server is refused");
}

static void test_uid(void)
{
	uint32_t a = jail_uid(700000, 1000, "/run/kavach", "a");

	ok(a >= 700000 && a < 701000, "an id is in its range");
	is_int(jail_uid(700000, 1000, "/run/kavach", "a"), a, "the same again");
	ok(jail_uid(1879048192, 1u << 24, "/run/kavach", "a") !=
		   jail_uid(1879048192, 1u << 24, "/run/kavach", "b"),
	   "others have others");
	ok(jail_uid(1879048192, 1u << 24, "/run/kavach", "a") !=
		   jail_uid(1879048192, 1u << 24, "/run/user", "a"),
	   "and so do those of another state directory");
	is_int(jail_uid(5, 1, "/", "x"), 5, "a range of one");
}

/* The monitor is killed: its QEMU ends with it. */
static void test_parent(void)
{
	char *argv[4];
	struct jail j = jail_of_shell("kill -STOP $$", argv);
	int p[2], status, pidfd = -EBADF;
	pid_t monitor, pid = 0;
	char c;

	if (pipe(p) < 0)
		bail_out("no pipe");
	/* the shell's end of the pipe closes when it is gone: fd 3 is in nobody else's hands */
	monitor = fork();
	if (monitor == 0) {
		const struct jail_fd fds[] = {{p[1], 3}};

		j.fds = fds;
		j.n_fds = 1;
		if (jail_spawn(&j, &pid, &pidfd, &err) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	close(p[1]);
	waitpid(monitor, &status, 0);
	ok(WIFSIGNALED(status), "the monitor was killed");
	is_int(read(p[0], &c, 1), 0, "what was in the jail is gone with it");
	close(p[0]);
}

int main(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || unshare(CLONE_NEWUTS) < 0) {
		skip("needs root", "the jail of QEMU");
		return done();
	}
	has_landlock = syscall(444, NULL, 0, 1) > 0;
	if (!mkdtemp(dir))
		bail_out("no directory");
	if (chmod(dir, 0755) < 0)
		bail_out("no directory");
	write_file("kernel", "k", 0644);
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		test_is((enum jail_role) i);
	if (has_landlock) {
		test_cannot();
		test_9p();
		test_sev();
	} else {
		skip("no Landlock", "what can be opened in the jail");
	}
	test_errors();
	test_uid();
	test_parent();
	if (system(arena_printf(&arena, "rm -rf %s", dir)) != 0)
		bail_out("cannot clean up");
	arena_free(&arena);
	return done();
}

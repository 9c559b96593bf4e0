/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that answers as CRIU does, for tests of what kavach does with the answers. It reads the little that it needs of
 * the requests by itself. FAKE_CRIU says what happens:
 *
 *	(unset)		a dump kills the process and leaves inventory.img; a restore makes a process that waits for SIGTERM
 *			and then exits with 7
 *	fail		an error log, and a response that says no
 *	die		ends in the middle
 *	garbage		answers with something else
 *	weak		restores a process without namespaces of its own
 *	permitted	restores one with more capabilities than it may have, though not in its bounding set
 *	old		is version 3.1
 *	nokernel	`check` fails
 * FAKE_CRIU_LOG: a file that gets a line per notification and what kavach answered.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

enum { DUMP = 1, RESTORE = 2, PRE_DUMP = 4, NOTIFY = 6, VERSION = 10 };

static const char *mode = "";
static int sock, peer;

/* One field of a message: its number, and its value or its bytes. Returns what follows, NULL at the end. */
static const unsigned char *next(const unsigned char *p, const unsigned char *end, unsigned *num,
				 unsigned long *val, const unsigned char **bytes)
{
	unsigned long v[2] = {0};

	if (p >= end)
		return NULL;
	for (int i = 0; i < 2; i++) {
		for (int shift = 0; p < end; shift += 7) {
			v[i] |= (unsigned long) (*p & 0x7f) << shift;
			if (!(*p++ & 0x80))
				break;
		}
	}
	*num = (unsigned) (v[0] >> 3);
	*val = v[1];
	*bytes = NULL;
	if ((v[0] & 7) == 2) {
		*bytes = p;
		p += v[1];
	}
	return p;
}

static long field(const unsigned char *p, size_t n, unsigned want, const unsigned char **ret_bytes)
{
	const unsigned char *end = p + n, *bytes;
	unsigned num;
	unsigned long val;

	while ((p = next(p, end, &num, &val, &bytes)))
		if (num == want) {
			if (ret_bytes)
				*ret_bytes = bytes;
			return (long) val;
		}
	return -1;
}

static void say(const char *msg, size_t n)
{
	if (send(sock, msg, n, MSG_NOSIGNAL) < 0)
		exit(1);
}

static void response(int type, int ok)
{
	char msg[] = {1 << 3, (char) type, 2 << 3, (char) ok, 7 << 3, 17};

	say(msg, ok ? 4 : 6);
}

static void note(const char *text, long n)
{
	const char *path = getenv("FAKE_CRIU_LOG");
	FILE *f = path ? fopen(path, "a") : NULL;

	if (!f)
		return;
	fprintf(f, "%s %ld\n", text, n);
	fclose(f);
}

static int notify(const char *script, int pid)
{
	unsigned char msg[128], in[64];
	size_t n = strlen(script), at = 0, pid_at;
	ssize_t got;
	long yes;

	msg[at++] = 1 << 3;
	msg[at++] = NOTIFY;
	msg[at++] = 2 << 3;
	msg[at++] = 1;
	msg[at++] = 5 << 3 | 2;
	pid_at = at++;
	msg[at++] = 1 << 3 | 2;
	msg[at++] = (unsigned char) n;
	memcpy(msg + at, script, n);
	at += n;
	msg[at++] = 2 << 3;
	for (; pid >= 0x80; pid >>= 7)
		msg[at++] = (unsigned char) (pid | 0x80);
	msg[at++] = (unsigned char) pid;
	msg[pid_at] = (unsigned char) (at - pid_at - 1);
	say((char *) msg, at);
	got = recv(sock, in, sizeof(in), 0);
	if (got <= 0)
		exit(1);
	yes = field(in, (size_t) got, 3, NULL);
	note(script, yes);
	return yes == 1;
}

static int dir_file(long dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/fd/%ld/%s", peer, dir, name);
	return open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

static void write_log(long dir, const char *name)
{
	static const char text[] =
		"(00.000100) Version: 9.9\n"
		"(00.012345) Error (criu/mount.c:17): mnt: the cause: No such file or directory\n"
		"(00.012346)     17: Error (criu/cr-dump.c:18): the consequence\n"
		"(00.012347) Error (criu/cr-dump.c:19): Dumping FAILED.\n";
	int fd = dir_file(dir, name);

	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		exit(1);
	close(fd);
}

static void on_term(int sig)
{
	(void) sig;
	_exit(7);
}

static void set_caps(unsigned caps)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {{caps, caps, 0}, {0, 0, 0}};

	if (syscall(SYS_capset, &h, d) < 0)
		_exit(1);
}

/* As weak as the configuration template says, or not. */
static void child(int ready)
{
	static const int keep[] = {5, 29, 10}; /* kill, audit_write, net_bind_service */

	signal(SIGTERM, on_term);
	if (strcmp(mode, "weak") != 0) {
		for (int cap = 0; cap < 64; cap++)
			if (cap != keep[0] && cap != keep[1] && cap != keep[2])
				(void) prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
		if (strcmp(mode, "permitted") != 0)
			set_caps(1U << keep[0] | 1U << keep[1] | 1U << keep[2]);
		(void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	}
	(void) !write(ready, "", 1);
	/* a real one has what its images say: nothing that somebody could wait for */
	(void) syscall(SYS_close_range, 0, ~0U, 0);
	for (;;)
		pause();
}

static int make_child(void)
{
	unsigned long flags = CLONE_PARENT | SIGCHLD;
	char byte;
	int p[2], pid;

	if (strcmp(mode, "weak") != 0)
		flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_NEWCGROUP;
	if (pipe(p) < 0)
		exit(1);
	pid = (int) syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (pid < 0)
		exit(1);
	if (pid == 0)
		child(p[1]);
	close(p[1]);
	if (read(p[0], &byte, 1) != 1)
		exit(1);
	return pid;
}

static void restore(void)
{
	int pid = make_child();

	if (!notify("setup-namespaces", pid) || !notify("post-restore", pid)) {
		kill(pid, SIGKILL);
		response(RESTORE, 0);
		return;
	}
	(void) notify("pre-resume",
		      0); /* CRIU does not say whose, and some go on whatever the answer is */
	response(RESTORE, 1);
}

static void serve(const unsigned char *req, size_t n)
{
	const unsigned char *opts = NULL;
	long type = field(req, n, 1, NULL), len = field(req, n, 2, &opts), work, images;

	if (type == VERSION) {
		static const char now[] = {1 << 3, VERSION, 2 << 3, 1,	    10 << 3 | 2,
					   4,	   1 << 3,  4,	    2 << 3, 1};
		static const char old[] = {1 << 3, VERSION, 2 << 3, 1,	    10 << 3 | 2,
					   4,	   1 << 3,  3,	    2 << 3, 1};

		say(strcmp(mode, "old") == 0 ? old : now, sizeof(now));
		return;
	}
	if (len < 0 || !opts)
		exit(1);
	images = field(opts, (size_t) len, 1, NULL);
	work = field(opts, (size_t) len, 17, NULL);
	if (strcmp(mode, "die") == 0)
		exit(0);
	if (strcmp(mode, "garbage") == 0) {
		say("\377\377\377", 3);
		return;
	}
	if (strcmp(mode, "fail") == 0) {
		write_log(work, type == RESTORE ? "restore.log" : "dump.log");
		close(dir_file(images, "pages-1.img"));
		response((int) type, 0);
		return;
	}
	if (type == RESTORE) {
		restore();
		return;
	}
	close(dir_file(images, "inventory.img"));
	(void) notify("post-dump", (int) field(opts, (size_t) len, 2, NULL));
	if (type == DUMP && field(opts, (size_t) len, 3, NULL) != 1)
		kill((pid_t) field(opts, (size_t) len, 2, NULL), SIGKILL);
	response((int) type, 1);
}

int main(int argc, char **argv)
{
	static unsigned char req[1 << 17];
	struct ucred cred;
	socklen_t len = sizeof(cred);
	ssize_t n;

	if (getenv("FAKE_CRIU"))
		mode = getenv("FAKE_CRIU");
	if (argc == 2 && strcmp(argv[1], "check") == 0) {
		if (strcmp(mode, "nokernel") == 0)
			fputs("(00.1) Error (criu/cr-check.c:5): the kernel lacks a thing\n",
			      stderr);
		return strcmp(mode, "nokernel") == 0;
	}
	if (argc != 3 || strcmp(argv[1], "swrk") != 0)
		return 2;
	sock = atoi(argv[2]);
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return 2;
	peer = cred.pid;
	n = recv(sock, req, sizeof(req), 0);
	if (n <= 0)
		return 1;
	serve(req, (size_t) n);
	return 0;
}

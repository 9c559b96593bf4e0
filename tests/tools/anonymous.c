/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much anonymous memory a command has when it ends: what it has written to, and so is nobody else's. Pages of files, its
 * program's most of all, are not counted: how many of those are mapped is up to the kernel, which maps some around each that
 * is used.
 *
 *	anonymous FILE COMMAND [ARGUMENT...]	KiB into FILE; the status is the command's
 *
 * The command is stopped where it ends, with its memory still there (PTRACE_EVENT_EXIT); other processes that it makes are
 * not looked at.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(126);
}

static long anonymous(pid_t pid)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int) pid);
	f = fopen(path, "re");
	if (!f)
		die(path);
	while (kb < 0 && fgets(line, sizeof(line), f))
		(void) sscanf(line, "Anonymous: %ld kB", &kb);
	fclose(f);
	return kb;
}

static void tell(const char *path, long kb)
{
	FILE *f = fopen(path, "we");

	if (!f || fprintf(f, "%ld\n", kb) < 0 || fclose(f) != 0)
		die(path);
}

/* A stop that is not the end is a signal's: it gets it. */
static int follow(pid_t pid, const char *file)
{
	int status;

	for (;;) {
		int sig = 0;

		if (waitpid(pid, &status, 0) < 0) {
			if (errno == EINTR)
				continue;
			die("waitpid");
		}
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			tell(file, anonymous(pid));
		else if (status >> 16 == 0)
			sig = WSTOPSIG(status);
		if (ptrace(PTRACE_CONT, pid, 0, sig) < 0 && errno != ESRCH)
			die("ptrace");
	}
}

int main(int argc, char **argv)
{
	int go[2];
	char c;
	pid_t pid;

	if (argc < 3 || pipe(go) < 0)
		return 126;
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(go[1]);
		(void) !read(go[0], &c, 1); /* until we are traced */
		close(go[0]);
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	close(go[0]);
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT) < 0)
		die("ptrace");
	close(go[1]);
	return follow(pid, argv[1]);
}

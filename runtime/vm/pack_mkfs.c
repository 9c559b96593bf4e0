/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkfs.erofs. It reads what an image's author has written, by paths, while somebody may exchange a folder for a link: so it sees
 * nothing else. As root it runs in QEMU's jail (vm/jail.h): user 0 with the capabilities for reading what belongs to others, the
 * folder read-only, the image, /usr, and no network. An ordinary user's has that user's rights.
 */
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "vm/jail.h"
#include "vm/pack.h"

/* The same bytes for the same folder: no time and no chance. */
#define UUID "6b617661-6368-4000-8000-726f6f740000"

const char *pack_program(void)
{
	static const char *const places[] = {"/usr/bin/" PACK_PROGRAM, "/usr/sbin/" PACK_PROGRAM,
					     "/usr/local/bin/" PACK_PROGRAM,
					     "/usr/local/sbin/" PACK_PROGRAM};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

static char *text(const char *s)
{
	return (char *) (uintptr_t) s;
}

static int start_jailed(const char *program, const char *rootfs, const char *image, int log,
			pid_t *ret, struct err *e)
{
	char *const argv[] = {text(PACK_PROGRAM), text("--quiet"), text("-T0"),	  text("-U"),
			      text(UUID),	  text("/image"),  text("/root"), NULL};
	const struct jail_file files[] = {
		{.name = "image", .fd = -1, .path = image, .writable = true},
		{.name = "root", .fd = -1, .path = rootfs}};
	const struct jail j = {.program = program,
			       .argv = argv,
			       .files = files,
			       .n_files = ARRAY_LEN(files),
			       .log_fd = log,
			       .role = JAIL_9P};
	int pidfd = -EBADF, r = jail_spawn(&j, ret, &pidfd, e);

	fd_close(pidfd);
	return r;
}

static int start_plain(const char *program, const char *rootfs, const char *image, int log,
		       pid_t *ret, struct err *e)
{
	char *const argv[] = {text(PACK_PROGRAM), text("--quiet"), text("-T0"),	 text("-U"),
			      text(UUID),	  text(image),	   text(rootfs), NULL};
	char *const env[] = {text("LC_ALL=C"), NULL};
	posix_spawn_file_actions_t acts;
	int r = posix_spawn_file_actions_init(&acts);

	if (r == 0)
		r = posix_spawn_file_actions_addopen(&acts, 0, "/dev/null", O_RDWR, 0);
	for (int fd = 1; r == 0 && fd <= 2; fd++)
		r = posix_spawn_file_actions_adddup2(&acts, log, fd);
	if (r == 0)
		r = posix_spawn(ret, program, &acts, NULL, argv, env);
	posix_spawn_file_actions_destroy(&acts);
	return r ? err_neg(e, -r, "starting %s", program) : 0;
}

/* What it wrote, one line: its last words. */
static void last_words(int log, char *buf, size_t size)
{
	off_t end = lseek(log, 0, SEEK_END),
	      from = end > (off_t) size - 1 ? end - (off_t) size + 1 : 0;
	ssize_t n = pread(log, buf, size - 1, from);
	char *p;

	buf[n > 0 ? n : 0] = '\0';
	while ((n = (ssize_t) strlen(buf)) > 0 && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	p = strrchr(buf, '\n');
	if (p)
		memmove(buf, p + 1, strlen(p + 1) + 1);
	for (p = buf; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

int pack_mkfs(const char *rootfs, const char *image, struct err *e)
{
	fd_auto int log = memfd_create(PACK_PROGRAM, MFD_CLOEXEC);
	const char *program = pack_program();
	char words[400];
	int status, r;
	pid_t pid;

	if (!program)
		return err_set(e, -ENOENT,
			       "packing the root: " PACK_PROGRAM " is not installed (Debian: apt "
			       "install " PACK_PACKAGE ")");
	if (log < 0)
		return err_sys(e, "packing the root");
	r = (geteuid() == 0 ? start_jailed : start_plain)(program, rootfs, image, log, &pid, e);
	if (r < 0)
		return err_context(e, "packing the root");
	while ((r = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	if (r < 0)
		return err_sys(e, "packing the root: waiting for %s", program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	last_words(log, words, sizeof(words));
	return err_set(e, -EIO, "packing the root: %s failed with %s %d%s%s", program,
		       WIFSIGNALED(status) ? "signal" : "status",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		       *words ? ": " : "", words);
}

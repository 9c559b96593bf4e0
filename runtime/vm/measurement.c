/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch digest of a guest that is about to be started, for the record and for `state`. SHA-384 is not in kavach, so the
 * program that has it is asked, as a person would: the words are those of `kavach measure BUNDLE`.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/helper.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "vm/evidence.h"
#include "vm/shape.h"

#define DIGEST_HEX_MAX 96
#define OUTPUT_MAX 4096

static const char *const modes[] = {[VM_SEV] = "sev", [VM_SEV_ES] = "sev-es", [VM_SEV_SNP] = "snp"};

static void __attribute__((noreturn)) become(const char *path, char **argv, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDIN_FILENO) < 0)
		_exit(126);
	execv(path, argv);
	_exit(126);
}

static int run(const char *path, char **argv, struct arena *a, struct bytes *ret, struct err *e)
{
	int p[2], status = 0, r;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, "a pipe");
	pid = fork();
	if (pid == 0)
		become(path, argv, p[1]);
	close(p[1]);
	r = pid < 0 ? -errno : io_read_fd(p[0], OUTPUT_MAX, a, ret);
	close(p[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return err_neg(e, r, "running %s", path);
	return status ? err_set(e, -EIO, "%s failed", path) : 0;
}

static bool is_digest(const char *s, size_t n)
{
	return (n == 64 || n == DIGEST_HEX_MAX) && strspn(s, "0123456789abcdef") == n;
}

char *vm_measurement(const struct vm_shape *s, struct arena *a)
{
	const char *const words[] = {
		"kavach-attest", "measure",   "--mode",	  modes[s->sev.kind],
		"--firmware",	 s->firmware, "--kernel", s->kernel,
		"--initrd",	 s->initrd,   "--append", s->cmdline,
		"--cpu",	 s->cpu,      "--vcpus",  arena_printf(a, "%u", s->vcpus),
	};
	char **argv = arena_array(a, ARRAY_LEN(words) + 1, sizeof(*argv)), *path, *line;
	struct err e = ERR_INIT;
	struct bytes out = {0};
	int r = helper_find("kavach-attest", a, &path, &e);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv[i] = arena_strdup(a, words[i]);
	if (r == -ENOENT)
		err_set(&e, r, "the program kavach-attest is not installed");
	if (r == 0)
		r = run(path, argv, a, &out, &e);
	line = (char *) out.v;
	if (r == 0 && (!line || !is_digest(line, strcspn(line, "\n"))))
		r = err_set(&e, -EPROTO, "kavach-attest gave no digest");
	if (r < 0) {
		log_warn("the launch digest is not known: %s", e.msg);
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

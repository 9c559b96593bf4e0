/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sysctls of a container, for inspect. What /proc/sys shows depends on the namespaces of who reads: a child of ours joins
 * those of the container, but neither its mounts nor its pid namespace, reads the files of our procfs and tells what is in
 * them. Nobody in the container can see it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "exec/stage.h"
#include "process/inspect.h"
#include "process/process.h"

#define VALUE_MAX 4096
#define JOINED (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

/* One answer: its length and the bytes. */
static void answer(int out, const char *text, ssize_t n)
{
	int32_t len = (int32_t) n;

	if (io_write_all(out, &len, sizeof(len)) == 0 && n > 0)
		(void) io_write_all(out, text, (size_t) n);
}

static void __attribute__((noreturn))
read_there(struct box *b, const struct policy *p, int proc, int out)
{
	char text[VALUE_MAX];
	uint64_t ns = b->ns_flags & JOINED;

	/* in a user namespace of its own everything else is its */
	if (ns && setns(b->pidfd, (int) ns) < 0)
		_exit(1);
	for (size_t i = 0; i < p->sysctl.n; i++) {
		char *path = sysctl_path(b->a, p->sysctl.v[i].key);
		ssize_t n = path ? io_read_small(proc, path, text, sizeof(text)) : -EINVAL;

		answer(out, text, n < 0 ? -1 : n);
	}
	_exit(0);
}

/* The numbers of a value, with one blank between them. */
static char *words(struct arena *a, const char *s)
{
	struct strs w;
	char *copy = arena_strdup(a, s), *ret = arena_strdup(a, "");

	for (char *c = copy; *c; c++)
		if (*c == '\t' || *c == '\n')
			*c = ' ';
	w = str_split(a, copy, ' ');
	for (size_t i = 0; i < w.n; i++)
		ret = arena_printf(a, "%s%s%s", ret, i ? " " : "", w.v[i]);
	return ret;
}

static void compare(struct inspect *in, const struct kv *kv, int from)
{
	char *text = arena_alloc(in->a, VALUE_MAX);
	const char *want = words(in->a, kv->val);
	int32_t n = -1;

	if (io_read_full(from, &n, sizeof(n)) != sizeof(n) || n < 0 || n >= VALUE_MAX ||
	    io_read_full(from, text, (size_t) n) != n) {
		inspect_add(in, "sysctl", kv->key, INSPECT_UNSEEN, want, "?", NULL);
		return;
	}
	text = words(in->a, text);
	inspect_add(in, "sysctl", kv->key, str_eq(want, text) ? INSPECT_OK : INSPECT_DRIFT, want,
		    text, NULL);
}

void sysctls_inspect(struct box *b, struct inspect *in)
{
	const struct policy *p = in->p;
	fd_auto int proc = -EBADF, from = -EBADF, to = -EBADF;
	pid_t child = -1;
	int fds[2];

	if (p->sysctl.n == 0)
		return;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc >= 0 && pipe2(fds, O_CLOEXEC) == 0) {
		from = fds[0];
		to = fds[1];
		child = fork();
	}
	if (child == 0)
		read_there(b, p, proc, to);
	to = fd_close(to);
	for (size_t i = 0; i < p->sysctl.n; i++)
		compare(in, &p->sysctl.v[i], from);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

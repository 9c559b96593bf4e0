/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to the program criu. We start `criu swrk FD` and exchange packets with it over a socketpair (rpc.h): a request,
 * then notifications, each of which waits for our answer, then the response. CRIU is not linked: what it parses and how
 * it crashes stays in its own process.
 */
#ifndef KAVACH_CRIU_CRIU_H
#define KAVACH_CRIU_CRIU_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "criu/rpc.h"

/* From this version on CRIU has what we rely on: external namespaces, the freezer of cgroup v2, orphan terminals. */
#define CRIU_MIN_MAJOR 3
#define CRIU_MIN_MINOR 15

/* criu_find: the program: `name` is a path, or is looked for in PATH and where distributions put it. NULL: "criu". The
 * result is in the arena. */
int criu_find(const char *name, struct arena *a, char **ret, struct err *e);

/* criu_usable: whether checkpoint and restore can work here: the program is there, not too old, and finds in the kernel
 * what it needs (`criu check`). The error says which. */
int criu_usable(const char *name, struct arena *a, struct err *e);

struct criu {
	const char *program;
	pid_t pid; /* our child, 0 when it has been waited for */
	int sock;
	struct arena *a;
	bool abandon; /* set by a notify that fails: nothing more is said to CRIU, which criu_end() kills */
};
#define CRIU_INIT ((struct criu){.sock = -EBADF})

/* criu_start: starts `program swrk`. The child has no signal blocked, and of our descriptors gets 0 to 2 and keep[n],
 * in the same numbers. `before` (may be NULL) runs in it before the program: 0 or -errno with *e set. It dies with us, but for `survives`:
 * in the middle of a dump only CRIU can take its code out of the processes again, which it does when it has no one to
 * answer to. */
struct criu_child {
	bool survives;
	const int *keep;
	size_t n;
	int (*before)(void *arg, struct err *e);
	void *arg;
};
int criu_start(struct criu *c, const char *program, const struct criu_child *child, struct arena *a,
	       struct err *e);

/* criu_call: sends a request and answers notifications with `notify` until the response is there. fd: what came with the
 * notification, or -EBADF; the callee closes it. A notify that fails makes CRIU give up; its error is the one that is
 * reported. Returns 0 with *ret (in the arena) also for a response that says "failed": see criu_failed(). -errno: no
 * response. */
typedef int (*criu_notify)(const char *script, pid_t pid, int fd, void *arg, struct err *e);
int criu_call(struct criu *c, const struct rpc_req *req, criu_notify notify, void *arg,
	      struct rpc_resp *ret, struct err *e);

/* criu_version: asks a program what it is; -EINVAL when it is older than what we need. */
int criu_version(const char *program, struct arena *a, struct err *e);

/* criu_end: closes the socket and waits for the program; kills it first if `now`. */
void criu_end(struct criu *c, bool now);

/* criu_failed: an error from what CRIU wrote: its error lines at the end of file `name` of the directory (`path` for the
 * message), or what the response says. Returns -EIO, or the errno of the response. */
int criu_failed(const struct rpc_resp *resp, const char *what, int dir_fd, const char *path,
		const char *name, struct arena *a, struct err *e);

/* criu_log_excerpt: the last error lines of a log, as one line: without times and pids, and in words that no engine takes
 * for an error about the container's program. NULL: there are none. */
char *criu_log_excerpt(const char *log, size_t n, struct arena *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach's end of the conversation with kavach-scope (see scope.h).
 *
 * The helper is executed by descriptor, from one of two places that nobody but the owner of our own
 * program or root can write to, with two variables of our environment and no descriptor but its socket. It is
 * never looked for in PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/helper.h"
#include "base/sys.h"
#include "cgroup/internal.h"
#include "cgroup/scope.h"

#define HELPER "kavach-scope"
#define REPLY_TIMEOUT_MS 90000 /* systemd answers calls within 25 s, a job may take longer */

/* The placeholder; lives from cg_scope_start() to cg_scope_release(). */
struct cg_holder {
	int sock;
	pid_t pid;
	struct opt_u64
		late_pids; /* a limit on processes that has no room for the helper: set when it goes */
};

int cg_scope_find(struct arena *a, char **ret, struct err *e)
{
	int r = helper_find(HELPER, a, ret, e);

	if (r != -ENOENT)
		return r;
	return err_set(e, -ENOENT,
		       "the systemd cgroup driver needs the program " HELPER
		       ", which is neither beside kavach nor in " KAVACH_LIBEXECDIR
		       ": install it (kavach built with libsystemd has it), or use "
		       "--cgroup-manager=cgroupfs");
}

/* ---- running it ---- */

static void __attribute__((noreturn)) child(const char *path, int sock, pid_t parent)
{
	static const char *const names[] = {"DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"};
	char *argv[] = {(char *) (uintptr_t) HELPER, NULL};
	char *env[ARRAY_LEN(names) + 1] = {NULL};
	arena_auto a = {0};
	size_t n = 0;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = getenv(names[i]);

		if (!str_empty(v))
			env[n++] = arena_printf(&a, "%s=%s", names[i], v);
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || dup2(sock, STDIN_FILENO) < 0 || dup2(sock, STDOUT_FILENO) < 0)
		_exit(126);
	(void) sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	sys_execveat(fd, "", argv, env, AT_EMPTY_PATH);
	_exit(127);
}

static int begin(struct cg_holder *ret, struct err *e)
{
	arena_auto a = {0};
	char *path;
	int sv[2], r = cg_scope_find(&a, &path, e);
	pid_t pid;

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return err_sys(e, "making a socket for " HELPER);
	r = getpid();
	pid = sys_clone3(0, -EBADF, NULL);
	if (pid == 0)
		child(path, sv[1], r);
	fd_close(sv[1]);
	if (pid < 0) {
		fd_close(sv[0]);
		return err_neg(e, pid, "starting " HELPER);
	}
	*ret = (struct cg_holder){.sock = sv[0], .pid = pid};
	return 0;
}

/* It ends by itself when the socket closes; a helper that hangs in a call is not waited for. */
static void end(struct cg_holder *h)
{
	if (h->pid <= 0)
		return;
	h->sock = fd_close(h->sock);
	(void) kill(h->pid, SIGKILL);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	h->pid = 0;
}

static int died(struct cg_holder *h, struct err *e)
{
	int st = 0;

	h->sock = fd_close(h->sock);
	while (waitpid(h->pid, &st, 0) < 0 && errno == EINTR)
		;
	h->pid = 0;
	if (WIFSIGNALED(st))
		return err_set(e, -EPROTO, HELPER " was killed by signal %d", WTERMSIG(st));
	if (WEXITSTATUS(st) == 126 || WEXITSTATUS(st) == 127)
		return err_set(e, -ENOEXEC,
			       HELPER " cannot be run; is libsystemd installed? Or use "
				      "--cgroup-manager=cgroupfs");
	return err_set(e, -EPROTO, HELPER " ended without an answer (status %d)", WEXITSTATUS(st));
}

/* *ret (may be NULL) is in the arena. */
static int ask(struct cg_holder *h, struct scope_req *req, struct arena *a, struct scope_reply *ret,
	       struct err *e)
{
	buf_auto b = BUF_WRITER(SCOPE_PACKET_MAX);
	struct pollfd p = {.fd = h->sock, .events = POLLIN};
	struct scope_reply reply = {0};
	uint8_t *in = arena_alloc(a, SCOPE_PACKET_MAX);
	struct buf rd;
	ssize_t n;

	req->version = SCOPE_VERSION;
	codec_encode(&b, &scope_req_table, req);
	if (b.bad)
		return err_set(e, -EFBIG, "the properties of %s are too large", req->unit);
	if (send(h->sock, b.p, b.n, MSG_NOSIGNAL) < 0)
		return errno == EPIPE ? died(h, e) : err_sys(e, "writing to " HELPER);
	while ((n = poll(&p, 1, REPLY_TIMEOUT_MS)) < 0 && errno == EINTR)
		;
	if (n == 0)
		return err_set(e, -ETIMEDOUT, "systemd: no answer about %s within %d s", req->unit,
			       REPLY_TIMEOUT_MS / 1000);
	n = recv(h->sock, in, SCOPE_PACKET_MAX, 0);
	if (n < 0)
		return errno == ECONNRESET ? died(h, e) : err_sys(e, "reading from " HELPER);
	if (n == 0)
		return died(h, e);
	rd = BUF_READER(in, (size_t) n);
	codec_decode(&rd, &scope_reply_table, &reply, a);
	if (rd.bad || buf_left(&rd) || reply.code > 0)
		return err_set(e, -EPROTO, HELPER " is not of this version of kavach");
	if (reply.code < 0)
		return err_set(e, reply.code, "%s", reply.error ? reply.error : "systemd refuses");
	if (ret)
		*ret = reply;
	return 0;
}

/* The uid outside: euid 0 in podman's user namespace has the user's manager, not root's. */
static uint32_t owner_uid(void)
{
	unsigned long long in, out, n;
	uint32_t uid = geteuid();
	char line[256], *rest;
	FILE *f = fopen("/proc/self/uid_map", "re");

	while (f && fgets(line, sizeof(line), f)) {
		in = strtoull(line, &rest, 10);
		out = strtoull(rest, &rest, 10);
		n = strtoull(rest, &rest, 10);
		if (uid >= in && uid - in < n) {
			uid = (uint32_t) (out + (uid - in));
			break;
		}
	}
	if (f)
		fclose(f);
	return uid;
}

static struct scope_req request(const struct cg *cg, enum scope_op op)
{
	return (struct scope_req){
		.op = op, .user = cg->scope_user, .owner = owner_uid(), .unit = cg->scope};
}

/* One question to a helper of its own, or to the one that holds the scope. */
static int ask_once(const struct cg *cg, struct scope_req *req, struct err *e)
{
	struct cg_holder h = {.sock = -EBADF};
	arena_auto a = {0};
	int r;

	if (cg->holder && cg->holder->pid > 0)
		return ask(cg->holder, req, &a, NULL, e);
	r = begin(&h, e);
	if (r == 0)
		r = ask(&h, req, &a, NULL, e);
	end(&h);
	return r;
}

/* ---- what the rest of cgroup/ calls ---- */

int cg_scope_start(struct cg *cg, const struct kvs *props, const struct kvs *limits, struct err *e)
{
	struct scope_req req = request(cg, SCOPE_START);
	struct cg_holder *h = arena_new(cg->arena, struct cg_holder);
	struct scope_reply reply = {0};
	struct stat st;
	char dir[PATH_MAX];
	int r;

	req.props = *props;
	req.limits = *limits;
	r = begin(h, e);
	if (r < 0)
		return r;
	r = ask(h, &req, cg->arena, &reply, e);
	if (r == 0 && (str_empty(reply.path) || reply.path[0] != '/'))
		r = err_set(e, -EPROTO, HELPER " names no cgroup for %s", cg->scope);
	if (r < 0) {
		end(h);
		return r;
	}
	cg->hier.v[0].path = path_clean(cg->arena, reply.path);
	cg->holder = h;
	cg->made_by_us = !reply.existed;
	r = cg_path(dir, &cg->hier.v[0], NULL);
	if (r == 0 && stat(dir, &st) < 0)
		r = -errno;
	return r < 0 ? err_neg(e, r, "cgroup %s of %s", reply.path, cg->scope) : 0;
}

int cg_scope_enter_sub(struct cg *cg, struct err *e)
{
	struct cg_hier sub = cg->hier.v[0];
	struct cg below = {.layout = cg->layout, .hier = {&sub, 1}};
	struct cg_knobs none = {0};
	char dir[PATH_MAX], pid[24];
	int r;

	if (!cg->sub)
		return 0;
	sub.path = arena_printf(cg->arena, "%s%s", sub.path, cg->sub);
	r = cg_path(dir, &sub, NULL);
	if (r == 0 && mkdir(dir, 0755) < 0)
		r = -errno;
	snprintf(pid, sizeof(pid), "%d", (int) cg->holder->pid);
	if (r == 0)
		r = cg_write(&sub, "cgroup.procs", pid, NULL);
	if (r < 0)
		return err_neg(e, r, "making cgroup %s for the container's processes", sub.path);
	return cg_enable(&below, &none, NULL, e);
}

int cg_scope_stop(const struct cg *cg, struct err *e)
{
	struct scope_req req = request(cg, SCOPE_STOP);

	if (cg->holder)
		end(cg->holder); /* it would be stopped itself */
	return ask_once(cg, &req, e);
}

int cg_scope_set(const struct cg *cg, const struct kvs *limits, struct err *e)
{
	struct scope_req req = request(cg, SCOPE_SET);

	req.limits = *limits;
	return limits->n ? ask_once(cg, &req, e) : 0;
}

int cg_scope_attach(const struct cg *cg, const char *sub, pid_t pid, struct err *e)
{
	struct scope_req req = request(cg, SCOPE_ATTACH);

	req.pid = (uint64_t) pid;
	req.sub = (char *) (uintptr_t) sub;
	return ask_once(cg, &req, e);
}

void cg_scope_hold_pids(struct cg_holder *h, uint64_t limit)
{
	h->late_pids = (struct opt_u64){.set = true, .v = limit};
}

void cg_scope_release(struct cg_holder *h)
{
	if (h)
		end(h);
}

static int set_late_pids(const struct cg *cg, uint64_t limit, struct err *e)
{
	char prop[32], file[24];
	struct kv kv[] = {{(char *) (uintptr_t) "TasksMax", prop}};
	struct kvs limits = {kv, 1};
	int r;

	/* systemd does not take 0, the kernel does */
	snprintf(prop, sizeof(prop), "uint64 %llu", (unsigned long long) (limit ? limit : 1));
	snprintf(file, sizeof(file), "%llu", (unsigned long long) limit);
	r = cg_scope_set(cg, &limits, e);
	if (r < 0)
		return r;
	r = cg_write(&cg->hier.v[0], "pids.max", file, NULL);
	return r < 0 ? err_neg(e, r, "linux.resources.pids.limit: writing \"%s\" to pids.max", file)
		     : 0;
}

int cgroup_entered(const struct cg *cg, struct err *e)
{
	struct cg_holder *h = cg->holder;
	int r = 0;

	if (!h)
		return 0;
	if (h->late_pids.set)
		r = set_late_pids(cg, h->late_pids.v, e);
	end(h);
	return r;
}

int cgroup_attach(const struct cg *cg, pid_t init, pid_t pid, struct err *e)
{
	const struct cg_hier *h = cg_unified(cg);
	const char *sub = cg->sub ? cg->sub : "";
	char file[64], text[PATH_MAX + 16];

	if (!cg->scope || !h)
		return -EOPNOTSUPP;
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int) init);
	if (init && io_read_small(AT_FDCWD, file, text, sizeof(text)) > 0) {
		const char *path = str_prefix(text, "0::");

		/* where its own manager put it, else the scope itself */
		if (path && path_below(path, h->path))
			sub = path + strlen(h->path);
	}
	return cg_scope_attach(cg, sub, pid, e);
}

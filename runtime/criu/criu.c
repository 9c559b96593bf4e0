/* SPDX-License-Identifier: Apache-2.0 */
/* Starting criu, and the exchange of packets with it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "criu/criu.h"

/* what engines leave out of a PATH, if they give one at all */
#define PLACES "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int criu_find(const char *name, struct arena *a, char **ret, struct err *e)
{
	const char *env = getenv("PATH");
	struct strs dirs;

	if (str_empty(name))
		name = "criu";
	if (strchr(name, '/')) {
		*ret = arena_strdup(a, name);
		return is_program(name) ? 0
					: err_set(e, -ENOENT, "--criu: %s is not a program", name);
	}
	dirs = str_split(a, arena_printf(a, "%s:%s", env ? env : "", PLACES), ':');
	for (size_t i = 0; i < dirs.n; i++) {
		char *path = path_join(a, dirs.v[i], name);

		/* a relative entry of PATH would run what lies in somebody's bundle */
		if (path[0] == '/' && is_program(path)) {
			*ret = path;
			return 0;
		}
	}
	return err_set(e, -ENOENT,
		       "checkpoint and restore need the program criu, which is not installed "
		       "(looked for \"%s\" in PATH and %s)",
		       name, PLACES);
}

/* ---- the child ---- */

/* Why it does not start goes where the socket would have come. */
static void __attribute__((noreturn)) child_fail(int to, const struct err *e)
{
	(void) send(to, e, sizeof(*e), MSG_NOSIGNAL);
	_exit(127);
}

static void child_begin(pid_t parent, bool survives)
{
	sigset_t none;

	if (survives) {
		(void) setpgid(0, 0); /* nor does a terminal's ^C end it */
	} else {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/*
 * CRIU opens descriptors of a request as /proc/PID/fd/N of the process that made the socket. That is to be its own: the
 * directories of a restore must be in CRIU's mount namespace, or it could not mount anything in them.
 */
static void __attribute__((noreturn))
child_run(const char *program, const struct criu_child *child, int to)
{
	char num[24];
	char *argv[] = {(char *) (uintptr_t) "criu", (char *) (uintptr_t) "swrk", num, NULL};
	struct err e = ERR_INIT;
	int sv[2];

	if (child->before && child->before(child->arg, &e) < 0)
		child_fail(to, &e);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0) {
		err_sys(&e, "making a socket for criu");
		child_fail(to, &e);
	}
	for (size_t i = 0; i < child->n; i++)
		(void) fd_cloexec(child->keep[i], 0);
	(void) fd_cloexec(sv[1], 0);
	num_fmt_u64(num, (uint64_t) sv[1]);
	if (fd_send(to, "", 1, &sv[0], 1) < 0)
		_exit(127);
	execv(program, argv);
	_exit(127);
}

static int recv_socket(struct criu *c, int from, struct err *e)
{
	struct err theirs = ERR_INIT;
	size_t n = 0;
	ssize_t r = fd_recv(from, &theirs, sizeof(theirs), &c->sock, 1, &n);

	if (n == 1)
		return 0;
	c->sock = -EBADF;
	if (r != (ssize_t) sizeof(theirs) || theirs.code >= 0)
		return err_set(e, -EPIPE, "%s could not be started", c->program);
	*e = theirs;
	return e->code;
}

int criu_start(struct criu *c, const char *program, const struct criu_child *child, struct arena *a,
	       struct err *e)
{
	pid_t parent = getpid();
	int sv[2], r;

	*c = CRIU_INIT;
	c->program = program;
	c->a = a;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return err_sys(e, "making a socket for criu");
	c->pid = fork();
	if (c->pid == 0) {
		close(sv[0]);
		child_begin(parent, child->survives);
		child_run(program, child, sv[1]);
	}
	close(sv[1]);
	if (c->pid > 0)
		r = recv_socket(c, sv[0], e);
	else
		r = err_sys(e, "starting %s", program);
	close(sv[0]);
	if (c->pid < 0)
		c->pid = 0;
	if (r < 0)
		criu_end(c, true);
	return r;
}

void criu_end(struct criu *c, bool now)
{
	c->sock = fd_close(c->sock);
	if (c->pid <= 0)
		return;
	if (now)
		(void) kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
}

/* ---- packets ---- */

static int send_req(struct criu *c, const struct rpc_req *req, struct err *e)
{
	buf_auto b = BUF_WRITER(RPC_MAX);

	rpc_encode(&b, &rpc_req_table, req);
	if (b.bad)
		return err_set(e, -EFBIG, "the request to criu is too large");
	if (send(c->sock, b.p, b.n, MSG_NOSIGNAL) == (ssize_t) b.n)
		return 0;
	if (errno == EPIPE || errno == ECONNRESET)
		return err_set(e, -EPIPE, "%s ended before it was asked for anything", c->program);
	return err_sys(e, "talking to %s", c->program);
}

static int recv_resp(struct criu *c, struct rpc_resp *ret, int *ret_fd, struct err *e)
{
	static char packet[RPC_MAX];
	size_t fds = 0;
	ssize_t n;

	*ret_fd = -EBADF;
	do
		n = fd_recv(c->sock, packet, sizeof(packet), ret_fd, 1, &fds);
	while (n == -EINTR);
	if (fds == 0)
		*ret_fd = -EBADF;
	if (n < 0 && n != -ECONNRESET)
		return err_neg(e, (int) n, "reading what %s answers", c->program);
	if (n <= 0)
		return err_set(e, -EPIPE, "%s ended without an answer", c->program);
	if (rpc_decode(packet, (size_t) n, &rpc_resp_table, ret, c->a) < 0 || !ret->type.set) {
		*ret_fd = fd_close(*ret_fd);
		return err_set(e, -EBADMSG, "%s sent something that is not an answer of CRIU",
			       c->program);
	}
	return 0;
}

/* One notification; its failure is CRIU's reason to give up, and CRIU's response is awaited all the same. */
static int answer(struct criu *c, const struct rpc_resp *resp, int fd, criu_notify notify,
		  void *arg, struct err *failed, struct err *e)
{
	const struct rpc_notify *n = resp->notify;
	struct rpc_req req = {.type = {true, RPC_NOTIFY}};
	int r = 0;

	if (notify && n && n->script)
		r = notify(n->script, n->pid.set ? (pid_t) n->pid.v : 0, fd, arg, failed);
	else
		fd_close(fd);
	req.notify_success = r >= 0;
	return c->abandon ? -ECANCELED : send_req(c, &req, e);
}

int criu_call(struct criu *c, const struct rpc_req *req, criu_notify notify, void *arg,
	      struct rpc_resp *ret, struct err *e)
{
	struct err failed = ERR_INIT, next;
	struct rpc_resp resp;
	int r, fd;

	r = send_req(c, req, e);
	if (r < 0)
		return r;
	for (;;) {
		r = recv_resp(c, &resp, &fd, e);
		if (r < 0 || resp.type.v != RPC_NOTIFY)
			break;
		next = ERR_INIT;
		r = answer(c, &resp, fd, notify, arg, failed.code ? &next : &failed, e);
		if (r < 0)
			break;
	}
	/* our own reason is why it ended, or failed */
	if (failed.code) {
		*e = failed;
		return failed.code;
	}
	if (r < 0)
		return r;
	fd_close(fd);
	if (resp.type.v != req->type.v && resp.success)
		return err_set(e, -EBADMSG, "%s answered another question than was asked",
			       c->program);
	*ret = resp;
	return 0;
}

/* ---- what it can do ---- */

int criu_version(const char *program, struct arena *a, struct err *e)
{
	const struct rpc_req req = {.type = {true, RPC_VERSION}};
	const struct criu_child child = {0};
	struct criu c = CRIU_INIT;
	struct rpc_resp resp = {0};
	int r;

	r = criu_start(&c, program, &child, a, e);
	if (r < 0)
		return r;
	r = criu_call(&c, &req, NULL, NULL, &resp, e);
	criu_end(&c, true);
	if (r < 0)
		return r;
	if (!resp.success || !resp.version || !resp.version->major.set)
		return err_set(e, -EINVAL, "%s does not say which version it is: %d.%d is needed",
			       program, CRIU_MIN_MAJOR, CRIU_MIN_MINOR);
	if (resp.version->major.v < CRIU_MIN_MAJOR ||
	    (resp.version->major.v == CRIU_MIN_MAJOR && resp.version->minor.v < CRIU_MIN_MINOR))
		return err_set(e, -EINVAL,
			       "%s is version %lld.%lld, which is too old: %d.%d is needed",
			       program, (long long) resp.version->major.v,
			       (long long) resp.version->minor.v, CRIU_MIN_MAJOR, CRIU_MIN_MINOR);
	return 0;
}

static void __attribute__((noreturn)) run_check(const char *program, int out, pid_t parent)
{
	char *argv[] = {(char *) (uintptr_t) "criu", (char *) (uintptr_t) "check", NULL};

	child_begin(parent, false);
	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
		execv(program, argv);
	_exit(127);
}

/* `criu check` tries each thing in the kernel that CRIU cannot do without. */
static int check_kernel(const char *program, struct arena *a, struct err *e)
{
	pid_t pid, parent = getpid();
	struct bytes out = {0};
	char *why;
	int p[2], st = 0;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	pid = fork();
	if (pid == 0)
		run_check(program, p[1], parent);
	close(p[1]);
	if (pid > 0)
		(void) io_read_fd(p[0], 1u << 20, a, &out);
	close(p[0]);
	if (pid < 0)
		return err_sys(e, "starting %s", program);
	while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(st) && WEXITSTATUS(st) == 0)
		return 0;
	why = criu_log_excerpt((const char *) out.v, out.n, a);
	return err_set(e, -ENOTSUP,
		       "checkpoint and restore do not work with this kernel: \"%s check\" says: %s",
		       program, why ? why : "no, without a reason");
}

int criu_usable(const char *name, struct arena *a, struct err *e)
{
	char *program;
	int r;

	r = criu_find(name, a, &program, e);
	if (r == 0 && sys_euid() != 0)
		r = err_set(e, -EPERM, "checkpoint and restore need root on the host");
	if (r == 0)
		r = criu_version(program, a, e);
	return r < 0 ? r : check_kernel(program, a, e);
}

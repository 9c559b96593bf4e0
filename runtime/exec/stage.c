/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage: all steps from a cloned process in new namespaces to the workload, in their order.
 *
 * Theory of operation. Three things decide what stands where:
 *  - what is hostile: from rootfs_enter() on, every path is the image's; what we need of the host is an fd by then;
 *  - what a step needs: a step that needs a privilege stands before the one that gives it up (bounding set, ids,
 *    capabilities), a step that asks what the workload may do (look-up of the program, working directory) after it;
 *  - what can be said: errors up to MSG_READY fail `create`, which is when engines want to hear of a missing program;
 *    later ones fail `start`. So after READY nothing is left that fails for a reason known before.
 * The parent trusts nothing that we say (proto.c); we trust the boot block, which is sealed.
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/errcat.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/sys.h"
#include "exec/ctx.h"
#include "exec/proto.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

static bool in_userns(const struct stage *s)
{
	return s->boot->new_userns || s->boot->joined_userns;
}

/* Nobody in the container may look into us before the exec (CVE-2016-9962). The kernel takes it back when ids change. */
static int forbid_tracing(struct err *e)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? err_sys(e, "making the stage untraceable")
						      : 0;
}

static int expect_ack(struct stage *s, struct err *e)
{
	int r = msg_expect(s->sync, MSG_ACK, NULL, 0, e);

	return r < 0 ? r : 0;
}

static int say(struct stage *s, enum msg_type t, struct err *e)
{
	int r = msg_send(s->sync, t, NULL, 0);

	return r < 0 ? err_neg(e, r, "answering kavach") : 0;
}

/* ---- who and where we are ---- */

/* v1: a task that moves itself waits for nobody, unlike one that is moved (no RCU grace period). */
static int join_cgroups(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->boot->tasks_fds.n; i++) {
		int fd = (int) s->boot->tasks_fds.v[i];

		if (write(fd, "0", 1) != 1)
			return err_sys(e, "joining the container's cgroup %zu", i);
	}
	/* Only now: its root is where we are. */
	if (s->boot->unshare_cgroup && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "creating a cgroup namespace");
	return 0;
}

int stage_arrive(struct stage *s, struct err *e)
{
	int r = stage_join(s, e);

	if (r == 0)
		r = join_cgroups(s, e);
	if (r < 0)
		return r;
	/* exec needs procfs only for labels */
	if (s->p || s->proc->apparmor || s->proc->selinux) {
		r = proc_open_private(s, e);
		if (r < 0)
			return r;
	}
	setsid(); /* fails where we are a session's leader already */
	return 0;
}

int stage_name_host(const struct stage *s, struct err *e)
{
	const char *host = s->p->hostname, *domain = s->p->domainname;

	if (host && sethostname(host, strlen(host)) < 0)
		return err_sys(e, "hostname: setting \"%s\"", host);
	if (domain && setdomainname(domain, strlen(domain)) < 0)
		return err_sys(e, "domainname: setting \"%s\"", domain);
	return 0;
}

/* ---- the root ---- */

int stage_mount_hooks(struct stage *s, struct err *e)
{
	const pol_hooks *h = s->p->hooks;
	int r;

	if (!h[HOOK_PRESTART].n && !h[HOOK_CREATE_RUNTIME].n && !h[HOOK_CREATE_CONTAINER].n &&
	    !s->p->netdevs.n) /* kavach moves them now: sysctls name them */
		return 0;
	/* Making the mounts left us on some mount point; hooks inherit the working directory. */
	if (chdir("/") < 0)
		return err_sys(e, "go to the root directory");
	r = say(s, MSG_MOUNTS, e);
	if (r == 0)
		r = expect_ack(s, e);
	if (r == 0)
		r = stage_run_hooks(s, HOOK_CREATE_CONTAINER, s->hook_env, e);
	return r;
}

/* A mount namespace that was joined has a root already, and policy/p_joined.c has seen to it that nothing is to be
 * changed there. */
static bool has_root(const struct stage *s)
{
	const struct pol_ns *mnt = pol_ns_find(s->p, POL_NS_MNT);

	return mnt && mnt->path;
}

static int assemble(struct stage *s, struct err *e)
{
	int r = rootfs_prepare(s, e);

	if (r == 0)
		r = mounts_apply(s, e);
	if (r == 0)
		r = devices_apply(s, e);
	if (r == 0 && s->proc && s->proc->terminal)
		r = tty_setup(s, e);
	return r;
}

static int make_root(struct stage *s, struct err *e)
{
	const struct pol_ns *net = pol_ns_find(s->p, POL_NS_NET);
	int r = 0;

	if (net && !net->path) /* one that was made for others is set up by them */
		r = net_loopback_up(e);
	if (r == 0)
		r = stage_name_host(s, e);
	if (r == 0 && !has_root(s))
		r = assemble(s, e);
	/* Mounts are there, the host's paths too, and the root is still writable: hooks count on all three. */
	if (r == 0)
		r = stage_mount_hooks(s, e);
	return r;
}

static int enter_root(struct stage *s, struct err *e)
{
	int r = rootfs_enter(s, e);

	if (r == 0 && s->proc && s->proc->terminal)
		r = tty_make_stdio(s, e);
	if (r == 0)
		r = stdio_adopt(s, e);
	if (r == 0)
		r = secrets_place(s, e);
	if (r == 0 && s->proc)
		r = cwd_make(s, e); /* before anything turns read-only */
	if (r == 0)
		r = masks_apply(s, e);
	if (r == 0)
		r = sysctl_apply(s, e);
	if (r == 0)
		r = mounts_late(s, e);
	if (r == 0)
		r = rootfs_seal(s, e);
	return r;
}

/* exec, or a mount namespace that was joined: the root is the container's already. */
static int use_root(struct stage *s, struct err *e)
{
	bool terminal = s->proc && s->proc->terminal;
	int r = 0;

	/* not open(): musl's makes two system calls of it */
	s->root_fd = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0)
		return err_sys(e, "opening the root");
	if (terminal) {
		r = tty_setup(s, e);
		if (r == 0)
			r = tty_make_stdio(s, e);
	}
	if (r == 0)
		r = stdio_adopt(s, e);
	return r == 0 && s->p ? sysctl_apply(s, e) : r;
}

/* ---- the process ---- */

static bool needs_sys_admin(const struct stage *s)
{
	return (s->boot->filters.n || s->n_rulesets) && !s->proc->no_new_privs;
}

/* As root first, because the user may not be allowed to walk there; as the user, if root (without all capabilities, or
 * of a user namespace) is not. */
static int become_user(struct stage *s, struct err *e)
{
	int r, cwd = cwd_enter(s, e);

	if (cwd < 0 && cwd != -EACCES && cwd != -EPERM)
		return cwd;
	err_clear(e);
	r = caps_drop_bounding(&s->proc->caps, e);
	if (r == 0)
		r = ids_apply(s, e);
	if (r == 0)
		r = forbid_tracing(e);
	if (r == 0)
		r = caps_apply(&s->proc->caps, needs_sys_admin(s), e);
	if (r == 0 && cwd < 0)
		r = cwd_enter(s, e);
	return r < 0 ? r : cwd_verify(s, e);
}

static int prepare_process(struct stage *s, char **ret_path, char ***ret_env, struct err *e)
{
	int r = keyring_join(s, e);

	if (r == 0)
		r = attr_apply(s, e);
	if (r == 0)
		r = rlimits_raise(s, e);
	if (r < 0)
		return r;
	*ret_env = env_build(s);
	r = landlock_prepare(s, e); /* the user may not be allowed to walk to its paths */
	if (r == 0)
		r = become_user(s, e);
	if (r == 0)
		r = find_executable(s, ret_path, e);
	if (r == 0)
		r = lsm_apply(s, e);
	return r;
}

/* ---- ready, wait, go ---- */

static unsigned passed_fds(const struct stage *s)
{
	return s->boot->listen_fds + s->boot->preserve_fds;
}

/* All that stays open from here on: stdio, what the caller passes to the container, our two sockets, layers of Landlock, and names
 * of a program that runs at once. */
static int close_the_rest(struct stage *s, struct err *e)
{
	unsigned passed = passed_fds(s);
	size_t held = s->boot->mode == STAGE_EXEC ? s->n_held : 0, n = 0;
	int *keep = arena_array(s->a, passed + 2 + s->n_rulesets + held, sizeof(*keep));

	for (unsigned i = 0; i < passed; i++)
		keep[n++] = (int) (3 + i);
	keep[n++] = s->sync;
	keep[n++] = s->boot->start_fd;
	for (size_t i = 0; i < s->n_rulesets; i++)
		keep[n++] = s->rulesets[i];
	for (size_t i = 0; i < held; i++)
		keep[n++] = s->held[i].fd;
	s->proc_fd = s->root_fd = s->old_root = s->pty_master = s->pty_slave = -EBADF;
	return fds_close_except(keep, n, e);
}

/* The kernel's struct sigaction begins with the handler on every architecture, and SIG_DFL is 0. Its own call, because the C
 * library keeps the signals from 32 on to itself. */
#define KERNEL_SIGSET 8
static bool is_ignored(int sig)
{
	unsigned long now[8] = {0};

	return syscall(SYS_rt_sigaction, sig, NULL, now, KERNEL_SIGSET) == 0 &&
	       now[0] == (unsigned long) SIG_IGN;
}

static void reset(int sig)
{
	static const unsigned long deflt[8];

	(void) syscall(SYS_rt_sigaction, sig, deflt, NULL, KERNEL_SIGSET);
}

/* What was ignored where kavach was called would be ignored by the workload. kavach tells which signals those are when it
 * knows without asking; else they may be any of those that shells, engines and interpreters ignore. The kernel tells only
 * the first 31 in one go; of the others somebody ignores all or none: glibc's posix_spawn(3), on behalf of make. */
static void reset_ignored(uint64_t ignored)
{
	static const int by_others[] = {SIGHUP,	 SIGINT,  SIGQUIT, SIGPIPE, SIGTERM,
					SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};

	for (size_t i = 0; ignored == UINT64_MAX && i < ARRAY_LEN(by_others); i++)
		reset(by_others[i]);
	for (int sig = 1; ignored != UINT64_MAX && sig < 32; sig++)
		if (ignored >> (sig - 1) & 1)
			reset(sig);
	for (int sig = 32; sig <= 64 && (sig > 32 || is_ignored(32)); sig++)
		reset(sig);
}

static int report_ready(struct stage *s, struct err *e)
{
	uint64_t ignored = UINT64_MAX;
	int r = close_the_rest(s, e);

	if (r < 0)
		return r;
	/* From here on the state record knows us. A parent that dies before its answer is an end of file. */
	if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return err_sys(e, "outliving kavach");
	r = say(s, MSG_READY, e);
	if (r == 0)
		r = msg_expect(s->sync, MSG_ACK, &ignored, sizeof(ignored), e);
	if (r < 0)
		return r;
	reset_ignored(ignored);
	return 0;
}

static int await_start(struct stage *s, struct err *e)
{
	int start = s->boot->start_fd, conn = -EBADF, r;
	struct ucred creator;
	socklen_t n = sizeof(creator);

	if (start < 0)
		return 0;
	if (getsockopt(s->sync, SOL_SOCKET, SO_PEERCRED, &creator, &n) < 0)
		return err_sys(e, "looking at who created the container");
	s->sync = fd_close(s->sync);
	r = stage_wait_start(start, creator.uid, in_userns(s), &conn, e);
	close(start);
	s->sync = conn;
	return r;
}

/* ---- the end ---- */

/* Behind the filter, so with nothing but write and exit; if even exit is forbidden, by a trap. */
static void __attribute__((noreturn)) give_up(const struct stage *s, const struct err *e)
{
	uint8_t msg[MSG_MAX];
	ssize_t n = msg_pack_err(msg, sizeof(msg), e);

	if (s->secrets.p)
		explicit_bzero(s->secrets.p, s->secrets.n);
	if (n > 0)
		n = write(s->sync, msg, (size_t) n);
	(void) n; /* nobody is left to tell */
	syscall(SYS_exit_group, err_exit_status(e));
	__builtin_trap();
}

static void explain_exec(const char *path, int err, struct err *e)
{
#define EXEC "unable to start container process: exec %s: "
	switch (err) {
	case ENOENT: /* or the script's interpreter */
		err_set_id(e, ERR_NO_EXECUTABLE, -err, EXEC ERRCAT_NO_FILE, path);
		break;
	case EACCES:
	case EPERM: err_set_id(e, ERR_EXEC_DENIED, -err, EXEC ERRCAT_DENIED, path); break;
	case ENOEXEC: err_set_id(e, ERR_OTHER, -err, EXEC "exec format error", path); break;
	default: err_sys_at(e, err, "unable to start container process: exec %s", path);
	}
#undef EXEC
}

/* The peer takes the listener out of us by its number; the descriptor itself is close-on-exec. */
static int hand_over_listener(struct stage *s, int listener, struct err *e)
{
	uint8_t msg[MSG_MAX];
	int32_t fd = listener;
	size_t len;
	void *body;
	ssize_t n = msg_pack(msg, sizeof(msg), MSG_SECCOMP, &fd, sizeof(fd));

	if (n < 0 || write(s->sync, msg, (size_t) n) != n)
		return err_sys(e, "linux.seccomp: handing over the listener");
	n = read(s->sync, msg, MSG_HEAD);
	if (n < 0 || msg_parse(msg, (size_t) n, &body, &len) != MSG_ACK)
		return err_set(e, -EPIPE, "linux.seccomp: the listener was not taken over");
	n = msg_pack(msg, sizeof(msg), MSG_EXEC, NULL, 0);
	if (n < 0 || write(s->sync, msg, (size_t) n) != n)
		return err_sys(e, "answering kavach");
	return 0;
}

static bool has_listener(const struct stage_boot *b)
{
	return b->filters.n && b->filters.v[b->filters.n - 1].notify;
}

/*
 * no_new_privs before the filter and Landlock, because it is what allows an ordinary user to use them. Landlock before
 * the filter, which may forbid its calls. MSG_EXEC before the filter,
 * because that may forbid write(2), which is an error only if something is to be said; with a listener, writing is
 * needed anyway, and the peer must know the listener first.
 */
static int run_program(struct stage *s, const char *path, char **env, struct err *e)
{
	const struct strs *args = &s->proc->args;
	char **argv = arena_array(s->a, args->n + 1, sizeof(*argv));
	int listener, r;

	memcpy(argv, args->v, args->n * sizeof(*argv));
	r = fds_preserve(passed_fds(s), e);
	if (r == 0)
		r = rlimits_apply(s, e);
	if (r == 0 && !has_listener(s->boot))
		r = say(s, MSG_EXEC, e);
	if (r < 0)
		return r;
	if (s->proc->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "process.noNewPrivileges");
	r = landlock_restrict(s, e);
	if (r < 0)
		return r;
	if (filters_load(s, &listener, e) < 0)
		give_up(s, e); /* a filter before the one that failed may be in force */
	if (listener >= 0 && hand_over_listener(s, listener, e) < 0)
		give_up(s, e);
	execve(path, argv, env);
	explain_exec(path, errno, e);
	give_up(s, e);
}

/* Nothing that we hold is for a hook; what the workload gets is cleared for it at the end. */
static int protect_fds(struct stage *s, struct err *e)
{
	if (sys_close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	if (fcntl(s->sync, F_SETFD, FD_CLOEXEC) < 0 ||
	    (s->boot->start_fd >= 0 && fcntl(s->boot->start_fd, F_SETFD, FD_CLOEXEC) < 0))
		return err_sys(e, "the sockets of the stage");
	return 0;
}

static int perform(struct stage *s, struct err *e)
{
	char *path = NULL, **env = NULL;
	sigset_t none;
	int r;

	/* kavach blocks signals while it waits for a container */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	r = protect_fds(s, e);
	if (r == 0 && s->boot->mode == STAGE_MOUNTS)
		return live_run(s, e);
	if (r == 0)
		r = stage_arrive(s, e);
	if (r == 0)
		r = secrets_take(s, e);
	if (r == 0 && s->p)
		r = make_root(s, e);
	if (r == 0)
		r = s->p && !has_root(s) ? enter_root(s, e) : use_root(s, e);
	if (r == 0 && s->proc)
		r = prepare_process(s, &path, &env, e);
	if (r == 0)
		r = report_ready(s, e);
	if (r == 0)
		r = await_start(s, e);
	if (r < 0)
		return r;
	if (!s->proc)
		return err_set(e, -EINVAL, "this container has no process to start");
	if (s->p)
		r = stage_run_hooks(s, HOOK_START_CONTAINER, env, e);
	return r < 0 ? r : run_program(s, path, secrets_env(s, env), e);
}

int stage_run(struct stage *s, struct err *e)
{
	int r = perform(s, e);

	secrets_forget(s);
	return r;
}

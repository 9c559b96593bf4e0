/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create and start. The order is what makes a failure cheap and a crash harmless: everything that can be refused
 * (filter, bind sources, namespaces to join) is opened before the cgroup exists; limits are in force before the
 * process is in it; the process dies with us until `ready` has put it on record.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"
#include "exec/proto.h"
#include "hooks/hooks.h"
#include "host/hint.h"
#include "process/process.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* Whether the stage waits for us between its mounts and the rest: see run_mount_hooks() there. */
static bool stops_at_mounts(const struct policy *p)
{
	return p->netdevs.n || p->hooks[HOOK_PRESTART].n || p->hooks[HOOK_CREATE_RUNTIME].n ||
	       p->hooks[HOOK_CREATE_CONTAINER].n;
}

static void fill_namespaces(struct box *b, struct stage_boot *boot)
{
	const struct policy *p = b->policy;
	const struct pol_ns *user = pol_ns_find(p, POL_NS_USER),
			    *cg = pol_ns_find(p, POL_NS_CGROUP);
	const struct pol_ns *pid = pol_ns_find(p, POL_NS_PID);

	for (size_t i = 0; i < p->ns.n; i++)
		b->ns_flags |= ns_flags[p->ns.v[i].type];
	b->shared_pidns = !pid || pid->path;
	boot->new_userns = user && !user->path;
	boot->joined_userns = user && user->path;
	boot->setgroups_denied = b->host->in_userns && ns_setgroups_denied(getpid());
	boot->setgroups_denied |= boot->new_userns && !(b->host->caps >> CAP_SETGID & 1) &&
				  p->gid_map.n == 1 && p->gid_map.v[0].size == 1 &&
				  p->gid_map.v[0].host == b->host->egid;
	boot->unshare_cgroup = cg && !cg->path;
	boot->host_cgroupns = !cg;
}

/* The root as a detached tree, for a stage in a user namespace that may not be able to reach the path. */
static void fill_rootfs(struct box *b, struct launch *l)
{
	int fd;

	if (!pol_ns_find(b->policy, POL_NS_USER) || pol_ns_find(b->policy, POL_NS_MNT)->path ||
	    !(b->host->caps >> CAP_SYS_ADMIN & 1))
		return;
	fd = sys_open_tree(AT_FDCWD, b->policy->rootfs, OPEN_TREE_CLONE | O_CLOEXEC | AT_RECURSIVE);
	if (fd < 0)
		return; /* the stage has its own way, and its error if that fails too */
	l->src.fds[l->src.n++] = fd;
	l->boot.rootfs_fd = fd;
}

static int prepare(struct launch *l, struct box *b, const struct box_io *io, struct err *e)
{
	int r;

	l->boot.mode = STAGE_CREATE;
	l->boot.policy = b->policy_enc;
	for (char *const *v = b->hook_env; v && *v; v++)
		l->boot.hook_env.n++;
	l->boot.hook_env.v = (char **) (uintptr_t) b->hook_env;
	r = launch_seccomp(l, b, b->policy, e);
	if (r < 0)
		return r;
	fill_namespaces(b, &l->boot);
	r = ns_prepare(b->policy, &l->spawn, e);
	if (r == 0)
		r = netdevs_check(b->policy, &l->spawn, e);
	if (r < 0)
		return r;
	r = sources_open(b->policy, b->host, b->a, &l->boot, &l->src, e);
	if (r < 0)
		return r;
	fill_rootfs(b, l);
	r = launch_secrets(l, b, SECRETS_CREATE, e);
	if (r == 0)
		r = cgroup_make(b->cg, &b->policy->resources, b->host, e);
	if (r == 0)
		r = rdt_make(&host_rdt, b->rdt, &b->policy->rdt, e);
	if (r < 0)
		return r;
	sources_open_cgroup(b->policy, b->cg, b->a, &l->boot, &l->src);
	if (io->wait_start) {
		l->start_fd = unix_listen_at(b->dir_fd, "start.sock", SOCK_SEQPACKET, e);
		if (l->start_fd < 0)
			return l->start_fd;
		l->boot.start_fd = l->start_fd;
	}
	if (b->cg->layout == CG_V2 && b->cg->hier.n)
		l->boot.cg_v2_path = arena_printf(b->a, "%s%s", b->cg->hier.v[0].mount,
						  b->cg->hier.v[0].path);
	r = launch_cgroup(l, b, e);
	return r == 0 && l->as ? l->as->prepare(l, b, l->as->arg, e) : r;
}

static int run_hooks(struct box *b, enum hook_phase phase, struct err *e)
{
	const struct hook_state st = box_hook_state(b);
	const struct hook_stop stop = {.ended_fd = b->pidfd, .signal_fd = b->stop_fd};

	return hooks_run_phase(phase, &b->policy->hooks[phase], &st, b->hook_env, b->hook_out,
			       b->hook_err, &stop, e);
}

/* Whatever the stage does takes as long as it takes (its hooks, for one): Ctrl-C is an answer, too. */
static int wait_for_stage(struct box *b, int sock, struct err *e)
{
	struct pollfd p[2] = {{.fd = sock, .events = POLLIN}, {.fd = b->stop_fd, .events = POLLIN}};
	int sig = 0;

	while (b->stop_fd >= 0 && !p[0].revents) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, "waiting for the container's process");
		sig = p[1].revents ? sys_stop_signal(b->stop_fd) : 0;
		if (sig > 0)
			return err_set(
				e, -EINTR,
				"container %s was not started: kavach was ended by signal %d",
				b->id, sig);
	}
	return 0;
}

static int expect(struct box *b, int sock, enum msg_type t, struct err *e)
{
	int r = wait_for_stage(b, sock, e);

	return r < 0 ? r : msg_expect(sock, t, NULL, 0, e);
}

static int ack(int sock, enum msg_type t, struct err *e)
{
	int r = msg_send(sock, t, NULL, 0);

	return r < 0 ? err_neg(e, r, "answering the container's process") : 0;
}

/* The container's process as seen from the host, for chown of the cgroup. */
static uint32_t to_host(const pol_idmaps *m, uint32_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (id >= m->v[i].container && id - m->v[i].container < m->v[i].size)
			return (uint32_t) (m->v[i].host + (id - m->v[i].container));
	return id;
}

/* S-39. Without privilege a cgroup can be given to nobody but oneself: a container whose process is another of the
 * user's ids runs without, like one whose cgroup is mounted read-only. */
static int give_cgroup(const struct box *b, struct err *e)
{
	const struct policy *p = b->policy;
	int r = cgroup_delegate(b->cg, to_host(&p->uid_map, p->process.uid),
				to_host(&p->gid_map, p->process.gid), e);

	if (r == -EPERM && b->host->rootless) {
		log_warn("%s (rootless: goes on without it)", e->msg);
		err_clear(e);
		r = 0;
	}
	return r;
}

/* The other end of stage.c's messages, in the same order. */
static int converse(struct launch *l, struct box *b,
		    int (*ready)(struct box *b, void *arg, struct err *e), void *arg, struct err *e)
{
	int sock = l->spawn.sync_parent, r = 0;
	const struct policy *p = b->policy;
	struct proc_stat st = {0};

	if (l->boot.new_userns) {
		r = idmap_write(b->pid, p, b->host, e);
		if (r == 0)
			r = ack(sock, MSG_IDS, e);
	}
	if (r == 0 && stops_at_mounts(p)) {
		r = expect(b, sock, MSG_MOUNTS, e);
		b->lived = r >= 0;
		if (r >= 0) /* hooks set up what came with the devices */
			r = netdevs_move(p, b->pidfd, e);
		if (r >= 0)
			r = run_hooks(b, HOOK_PRESTART, e);
		if (r >= 0)
			r = run_hooks(b, HOOK_CREATE_RUNTIME, e);
		if (r >= 0)
			r = ack(sock, MSG_ACK, e);
	}
	if (r >= 0)
		r = expect(b, sock, MSG_READY, e);
	if (r >= 0)
		b->lived = true;
	/* An engine that is pinned to some CPUs does not mean the container: that has all of its cpuset. */
	if (r >= 0 && p->has_process)
		r = exec_outside(
			b->pid, AT_FDCWD, &p->process, b->host->rootless,
			OUTSIDE_ALL_CPUS | (pol_ns_find(p, POL_NS_USER) ? OUTSIDE_RLIMITS : 0), e);
	if (r >= 0 && p->cgroup.delegate && p->has_process)
		r = give_cgroup(b, e);
	if (r >= 0) {
		r = proc_read_stat(AT_FDCWD, b->pid, &st);
		if (r < 0)
			err_neg(e, r, "reading the start time of the container's process");
		b->pid_start = st.start;
	}
	if (r >= 0)
		r = ready(b, arg, e);
	if (r >= 0) {
		r = msg_send(sock, MSG_ACK, &st.ignored, sizeof(st.ignored));
		if (r < 0)
			err_neg(e, r, "answering the container's process");
	}
	return r < 0 ? r : 0;
}

int process_create_as(struct box *b, const struct box_io *io, const struct launch_as *as,
		      int (*ready)(struct box *b, void *arg, struct err *e), void *arg,
		      struct err *e)
{
	struct err sub = ERR_INIT;
	struct launch l;
	int r;

	r = launch_init(&l, b, io, as, e);
	if (r == 0)
		r = prepare(&l, b, io, e);
	if (r == 0)
		r = launch_spawn(&l, b, e);
	if (r == 0) {
		/* before it starts anything, which would be where it is then */
		r = rdt_enter(&host_rdt, b->rdt, b->pid, e);
		if (r == 0)
			r = converse(&l, b, ready, arg, e);
		if (r < 0) {
			if (l.boot.new_userns)
				(void) err_hint_inside(e);
			spawn_kill(b->pid, b->pidfd);
			/* hooks that it was running */
			if (b->shared_pidns && b->cg->layout != CG_NONE)
				(void) cgroup_kill(b->cg, SIGKILL, &sub);
			b->pidfd = fd_close(b->pidfd);
			b->pid = 0;
		}
	}
	if (r == 0 && !io->wait_start)
		b->sync_fd = fd_take(&l.spawn.sync_parent);
	launch_close(&l);
	return r;
}

int process_create(struct box *b, const struct box_io *io,
		   int (*ready)(struct box *b, void *arg, struct err *e), void *arg, struct err *e)
{
	return process_create_as(b, io, NULL, ready, arg, e);
}

static int start_parked(struct box *b, struct err *e)
{
	fd_auto int sock = unix_connect_at(b->dir_fd, "start.sock", SOCK_SEQPACKET, e);
	int r;

	if (sock < 0)
		return err_context(e, "cannot start container %s: its process does not answer",
				   b->id);
	/* from here on it is not "created" any more, also for a second `start` that runs at this moment */
	if (unlinkat(b->dir_fd, "start.sock", 0) < 0)
		return err_sys(e, "cannot start container %s: another start is under way", b->id);
	r = ack(sock, MSG_GO, e);
	return r < 0 ? r : follow_exec(b, sock, e);
}

int process_start(struct box *b, bool parked, struct err *e)
{
	int r;

	if (parked)
		return start_parked(b, e);
	/* run: its hooks may take long; the program has the signals that come from there on */
	r = b->policy->hooks[HOOK_START_CONTAINER].n ? wait_for_stage(b, b->sync_fd, e) : 0;
	if (r == 0)
		r = follow_exec(b, b->sync_fd, e);
	b->sync_fd = fd_close(b->sync_fd);
	return r;
}

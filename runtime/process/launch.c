/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What create and exec share: the boot block in a sealed memfd, the sync socket, the spawn, and following the stage
 * until the program runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/version.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/sys.h"
#include "exec/proto.h"
#include "process/process.h"
#include "seccomp/record.h"
#include "seccomp/report.h"
#include "seccomp/seccomp.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define BOOT_MAX (32u << 20)

int launch_init(struct launch *l, struct box *b, const struct box_io *io,
		const struct launch_as *as, struct err *e)
{
	int sv[2];

	*l = (struct launch){.as = as, .start_fd = -EBADF, .secrets_fd = -EBADF, .pidfd = -EBADF};
	l->spawn = (struct spawn){.target_pidfd = -EBADF,
				  .cgroup_fd = -EBADF,
				  .boot_fd = -EBADF,
				  .sync_child = -EBADF,
				  .sync_parent = -EBADF,
				  .pid_child = -EBADF,
				  .pid_parent = -EBADF,
				  .program = as ? as->program : -EBADF,
				  .name = as ? as->name : NULL};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) < 0) /* inherited: see process.h */
		return err_sys(e, "making the sync socket");
	l->spawn.sync_parent = sv[0];
	l->spawn.sync_child = sv[1];
	l->boot.sync_fd = sv[1];
	l->boot.start_fd = -1;
	l->boot.secrets_fd = -1;
	l->boot.console_fd = io->console_fd >= 0 ? io->console_fd : -1;
	l->boot.console_rows = io->console_rows;
	l->boot.console_columns = io->console_columns;
	l->boot.proc_fd = -1;
	l->boot.target_pidfd = l->boot.pid_fd = -1;
	l->boot.rootfs_fd = -1;
	l->boot.preserve_fds = io->preserve_fds;
	l->boot.listen_fds = io->listen_fds;
	l->boot.listen_fdnames = (char *) (uintptr_t) io->listen_fdnames;
	l->boot.rootless = b->host->rootless;
	l->boot.id = (char *) (uintptr_t) b->id;
	l->boot.bundle = (char *) (uintptr_t) b->bundle;
	l->boot.oci_version = (char *) (uintptr_t) b->oci_version;
	if (b->annotations)
		l->boot.annotations = *b->annotations;
	l->boot.chown_stdio = true;
	return 0;
}

/* One more filter, behind the config's own; see seccomp/report.c and seccomp/record_watch.c. */
static int add_watched(struct launch *l, struct box *b, const struct policy *p, struct err *e)
{
	size_t n = l->boot.filters.n;
	struct stage_filter *v = arena_array(b->a, n + 1, sizeof(*v));
	struct bytes *from = arena_array(b->a, n, sizeof(*from));
	struct bytes *to = arena_array(b->a, n + 1, sizeof(*to));
	int r;

	if (n == STAGE_FILTERS_MAX)
		return err_set(
			e, -E2BIG,
			"%zu seccomp filters: there is no room for one that reports or records", n);
	for (size_t i = 0; i < n; i++)
		from[i] = l->boot.filters.v[i].bpf;
	if (pol_records_calls(p)) {
		memcpy(to, from, n * sizeof(*to));
		record_filter(b->a, &to[n]);
		r = report_check(from, n, "calls cannot be recorded", e);
	} else {
		r = report_filters(from, n, to, b->a, e);
	}
	if (r < 0)
		return r;
	if (n)
		memcpy(v, l->boot.filters.v, n * sizeof(*v));
	for (size_t i = 0; i <= n; i++)
		v[i].bpf = to[i];
	v[n].notify = true;
	/* before there was this flag, a signal makes a call that waits for us start again */
	if (b->host->kernel >= (uint32_t) KERNEL_VERSION(5, 19, 0))
		v[n].flags = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	l->boot.filters.v = v;
	l->boot.filters.n = n + 1;
	return 0;
}

/* The config's own filter is the last one: it alone may forbid seccomp(2) or have a listener. */
int launch_seccomp(struct launch *l, struct box *b, const struct policy *p, struct err *e)
{
	size_t n = p->stacked.n + p->seccomp.set;
	bool ours = pol_filters(p) > n;
	int r = 0;

	if (!pol_filters(p))
		return 0;
	if (n > STAGE_FILTERS_MAX)
		return err_set(e, -E2BIG, "%zu seccomp filters: at most %d can be loaded", n,
			       STAGE_FILTERS_MAX);
	l->boot.filters.v = arena_array(b->a, n, sizeof(*l->boot.filters.v));
	l->boot.filters.n = n;
	for (size_t i = 0; i < n && r == 0; i++) {
		const struct pol_seccomp *s = i < p->stacked.n ? &p->stacked.v[i] : &p->seccomp;
		struct stage_filter *f = &l->boot.filters.v[i];

		f->flags = s->flags;
		f->notify = s->listener_path != NULL && !ours;
		r = seccomp_get(s, b->cache_dir, b->a, &f->bpf, e);
	}
	b->listener_path = p->seccomp.listener_path;
	b->listener_metadata = p->seccomp.listener_metadata;
	return r < 0 || !ours ? r : add_watched(l, b, p, e);
}

/* The block is gone, and we can be traced again, before anything is cloned: the values are in the pipe alone. */
int launch_secrets(struct launch *l, struct box *b, enum secrets_when when, struct err *e)
{
	secret_block_auto block = {0};
	int r;

	if (!secrets_wanted(b->policy, when))
		return 0;
	r = secrets_fetch(b->policy, when, b->id, &block, e);
	if (r < 0)
		return r;
	l->secrets_fd = secret_pipe(block.p, block.n);
	if (l->secrets_fd < 0)
		return err_neg(e, l->secrets_fd,
			       "a pipe for %zu bytes of secrets (/proc/sys/fs/pipe-max-size)",
			       block.n);
	l->boot.secrets_fd = l->secrets_fd;
	return 0;
}

int launch_cgroup(struct launch *l, struct box *b, struct err *e)
{
	int fds[CG_MAX_HIER], n;

	l->boot.cg_layout = b->cg->layout;
	if (b->cg->layout == CG_NONE)
		return 0;
	l->spawn.cgroup_fd = b->init_pid ? cgroup_clone_fd_of(b->cg, b->init_pid, e)
					 : cgroup_clone_fd(b->cg, e);
	if (l->spawn.cgroup_fd < 0 && l->spawn.cgroup_fd != -EBADF)
		return l->spawn.cgroup_fd;
	l->spawn.scope = b->cg->scope ? b->cg : NULL;
	l->spawn.scope_init = b->init_pid;
	n = cgroup_tasks_fds(b->cg, fds, e);
	if (n < 0)
		return n;
	l->boot.tasks_fds.v = arena_array(b->a, (size_t) n, sizeof(uint64_t));
	l->boot.tasks_fds.n = (size_t) n;
	for (int i = 0; i < n; i++)
		l->boot.tasks_fds.v[i] = (uint64_t) fds[i];
	return 0;
}

static void add_fd(int *fds, size_t *n, int fd)
{
	if (fd >= 0)
		fds[(*n)++] = fd;
}

static int fill_joins(struct launch *l, struct arena *a, struct err *e)
{
	const struct spawn *s = &l->spawn;
	struct stage_boot *boot = &l->boot;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	l->spawn.pid_parent = p[0];
	l->spawn.pid_child = boot->pid_fd = p[1];
	boot->join_here = true;
	boot->create_ns = s->create;
	boot->target_pidfd = s->target_pidfd >= 0 ? s->target_pidfd : -1;
	boot->target_ns = s->target_ns;
	boot->join_fds = (struct u64s){.v = arena_array(a, s->n_joins, sizeof(uint64_t)),
				       .n = s->n_joins};
	boot->join_flags = (struct u64s){.v = arena_array(a, s->n_joins, sizeof(uint64_t)),
					 .n = s->n_joins};
	for (size_t i = 0; i < s->n_joins; i++) {
		boot->join_fds.v[i] = (uint64_t) s->join[i].fd;
		boot->join_flags.v[i] = s->join[i].flag;
	}
	return 0;
}

/* As a packet that waits in the socket; or as a sealed file, when it is too large for that, or when the child has to hear of
 * its id maps from that socket before it can start the stage. */
static int pass_boot(struct launch *l, const void *p, size_t n, struct err *e)
{
	struct spawn *s = &l->spawn;

	bool child_listens = (s->create & CLONE_NEWUSER) && !s->join_in_stage;

	if (!child_listens && n <= BOOT_PACKET_MAX &&
	    send(s->sync_parent, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t) n)
		return 0;
	s->boot_fd = io_memfd("kavach-boot", p, n);
	return s->boot_fd < 0 ? err_neg(e, s->boot_fd, "sealing the boot block") : 0;
}

static void list_inherited(struct launch *l, struct arena *a)
{
	const struct stage_boot *boot = &l->boot;
	size_t n = 0, more = l->as ? l->as->n_fds : 0;
	int *fds = arena_array(a, boot->join_fds.n + more + 7, sizeof(*fds));

	add_fd(fds, &n, boot->secrets_fd);
	add_fd(fds, &n, boot->start_fd);
	add_fd(fds, &n, boot->console_fd);
	add_fd(fds, &n, boot->rootfs_fd);
	add_fd(fds, &n, boot->proc_fd);
	add_fd(fds, &n, boot->target_pidfd);
	add_fd(fds, &n, boot->pid_fd);
	for (size_t i = 0; i < boot->join_fds.n; i++)
		add_fd(fds, &n, (int) boot->join_fds.v[i]);
	for (size_t i = 0; i < more; i++)
		add_fd(fds, &n, l->as->fds[i]);
	l->spawn.inherit = fds;
	l->spawn.n_inherit = n;
}

/* The terminal's socket and the target's pidfd are the caller's. */
static void list_ours(struct launch *l, struct arena *a)
{
	struct spawn *s = &l->spawn;
	int *fds = arena_array(a, l->src.n + l->boot.tasks_fds.n + s->n_joins + 7, sizeof(*fds));
	size_t n = 0;

	for (size_t i = 0; i < l->src.n; i++)
		add_fd(fds, &n, l->src.fds[i]);
	for (size_t i = 0; i < l->boot.tasks_fds.n; i++)
		add_fd(fds, &n, (int) l->boot.tasks_fds.v[i]);
	for (size_t i = 0; i < s->n_joins; i++)
		add_fd(fds, &n, s->join[i].fd);
	add_fd(fds, &n, s->cgroup_fd);
	add_fd(fds, &n, s->boot_fd);
	add_fd(fds, &n, s->sync_child);
	add_fd(fds, &n, s->pid_child);
	add_fd(fds, &n, l->start_fd);
	add_fd(fds, &n, l->secrets_fd);
	s->ours = fds;
	s->n_ours = n;
}

static void forget_ours(struct launch *l)
{
	struct spawn *s = &l->spawn;

	l->src.n = l->boot.tasks_fds.n = s->n_joins = 0;
	s->cgroup_fd = s->boot_fd = s->sync_child = s->pid_child = l->start_fd = -EBADF;
	l->secrets_fd = -EBADF;
}

int launch_spawn(struct launch *l, struct box *b, struct err *e)
{
	struct stage_boot *boot = &l->boot;
	buf_auto enc = BUF_WRITER(BOOT_MAX);
	int r;

	spawn_decide(&l->spawn);
	r = l->spawn.join_in_stage ? fill_joins(l, b->a, e) : 0;
	if (r < 0)
		return r;
	if (l->as)
		l->as->encode(&enc, boot, l->as->arg);
	else
		codec_encode(&enc, &stage_boot_table, boot);
	if (enc.bad)
		return err_set(e, -EFBIG, "the configuration is too large to hand over");
	r = pass_boot(l, enc.p, enc.n, e);
	if (r < 0)
		return r;
	list_inherited(l, b->a);
	list_ours(l, b->a);
	r = spawn_stage(&l->spawn, &l->pid, &l->pidfd, e);
	forget_ours(l);
	if (r < 0)
		return r;
	b->pid = l->pid;
	b->pidfd = l->pidfd;
	r = cgroup_entered(b->cg, e);
	if (r < 0) {
		spawn_kill(b->pid, b->pidfd);
		b->pidfd = fd_close(b->pidfd);
		b->pid = 0;
	}
	return r;
}

/* Closes what only the start needed; the pidfd and the sync socket go on with the box. */
void launch_close(struct launch *l)
{
	ns_close(&l->spawn);
	sources_close(&l->src);
	l->spawn.cgroup_fd = fd_close(l->spawn.cgroup_fd);
	l->spawn.boot_fd = fd_close(l->spawn.boot_fd);
	l->spawn.sync_child = fd_close(l->spawn.sync_child);
	l->spawn.sync_parent = fd_close(l->spawn.sync_parent);
	l->spawn.pid_child = fd_close(l->spawn.pid_child);
	l->spawn.pid_parent = fd_close(l->spawn.pid_parent);
	l->start_fd = fd_close(l->start_fd);
	l->secrets_fd = fd_close(l->secrets_fd);
	for (size_t i = 0; i < l->boot.tasks_fds.n; i++)
		fd_close((int) l->boot.tasks_fds.v[i]);
	l->boot.tasks_fds.n = 0;
}

int follow_exec(struct box *b, int sock, struct err *e)
{
	union {
		int32_t fd;
		struct err err;
		char text[sizeof(struct err)];
	} body = {0};
	bool started = false;
	size_t n;
	int r;

	for (;;) {
		r = msg_recv(sock, &body, sizeof(body), &n);
		switch (r) {
		case 0: /* the socket is close-on-exec: the program runs */
			if (started)
				return 0;
			return err_set(e, -EPIPE,
				       "the container's process ended before it ran its program");
		case MSG_EXEC: started = true; break;
		case MSG_SECCOMP:
			r = seccomp_hand_over(b, body.fd, e);
			if (r < 0)
				return r;
			r = msg_send(sock, MSG_ACK, NULL, 0);
			if (r < 0)
				return err_neg(e, r, "answering the container's process");
			break;
		case MSG_WARN: log_warn("%.*s", (int) n, body.text); break;
		case MSG_ERROR:
			*e = body.err;
			e->msg[sizeof(e->msg) - 1] = 0;
			return e->code < 0 ? e->code : -EIO;
		default:
			if (r >= 0 || r == -EBADMSG)
				return err_set(e, -EPROTO,
					       "unexpected message from the container's process");
			/* reset: it was killed while starting */
			if (started)
				return 0;
			return err_neg(e, r, "reading from the container's process");
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create, and the half of run that is the same. Order and crash safety: state directory and record first; then the
 * backend (whose process dies with us until it is on record); pid file last before the process is let go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/audited.h"
#include "cmd/box.h"
#include "cmd/criu_args.h"
#include "cmd/notify.h"
#include "spec/out.h"

int console_check(bool terminal, bool detach, const char *socket, struct err *e)
{
	if (terminal && detach && !socket)
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"cannot allocate tty if kavach will detach without setting console socket");
	if (socket && !terminal)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "cannot use console socket if kavach will not allocate a tty");
	if (socket && !detach)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "cannot use console socket if kavach will not detach");
	return 0;
}

int fds_check(const struct opt_u64 *preserve, struct box_io *io, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	uint32_t count, them = 0;
	bool ours = !pid || (num_parse_u32(pid, &them) == 0 && them == (uint32_t) getpid());

	*io = (struct box_io){.console_fd = -EBADF, .console_ours = -EBADF, .stop_fd = -EBADF};
	/* podman passes LISTEN_FDS without LISTEN_PID and relies on it (B-08) */
	if (n && num_parse_u32(n, &count) == 0 && count <= 1024 && ours) {
		io->listen_fds = count;
		io->listen_fdnames = getenv("LISTEN_FDNAMES");
	}
	io->preserve_fds = preserve->set ? (uint32_t) preserve->v : 0;
	if (io->preserve_fds > 65536)
		return err_set_id(e, ERR_USAGE, -EINVAL, "--preserve-fds: %u is more than 65536",
				  io->preserve_fds);
	/* Close-on-exec cannot have come through our exec: such a one is our own, in a place that was empty. */
	for (uint32_t i = 0; i < io->listen_fds + io->preserve_fds; i++)
		if (fcntl((int) (3 + i), F_GETFD) != 0)
			return err_set_id(
				e, ERR_USAGE, -EBADF,
				"--preserve-fds: file descriptor %u is not open (LISTEN_FDS %u, preserved %u)",
				3 + i, io->listen_fds, io->preserve_fds);
	return 0;
}

int pidfd_send(const char *path, int pidfd, struct err *e)
{
	fd_auto int sock = -EBADF;
	int r;

	if (!path)
		return 0;
	sock = unix_connect(path, e);
	if (sock < 0)
		return err_context(e, "--pidfd-socket");
	r = fd_send(sock, "pidfd", 5, &pidfd, 1);
	return r < 0 ? err_neg(e, r, "--pidfd-socket: sending to %s", path) : 0;
}

static char *annotation(const struct spec *s, const char *key)
{
	for (size_t i = 0; i < s->annotations.n; i++)
		if (str_eq(s->annotations.v[i].key, key))
			return s->annotations.v[i].val;
	return NULL;
}

static void fill_record(struct globals *g, const struct bundle *bd, struct state_record *r)
{
	const struct policy *p = bd->policy;
	const struct pol_ns *pid = pol_ns_find(p, POL_NS_PID);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	r->bundle = (char *) (uintptr_t) bd->path;
	r->rootfs = p->rootfs;
	r->oci_version = bd->spec->ociVersion;
	r->annotations = bd->spec->annotations;
	r->created = (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
	r->owner_uid = g->host.euid;
	r->backend = p->backend;
	r->rootless = g->host.rootless;
	r->has_process = p->has_process;
	r->policy_digest = (char *) (uintptr_t) bd->policy_digest;
	r->config_digest = (char *) (uintptr_t) bd->config_digest;
	r->shared_pidns = !pid || pid->path;
	r->listener_path = p->seccomp.listener_path;
	r->listener_metadata = p->seccomp.listener_metadata;
	r->hook_out = annotation(bd->spec, "run.oci.hooks.stdout");
	r->hook_err = annotation(bd->spec, "run.oci.hooks.stderr");
	r->poststart = p->hooks[HOOK_POSTSTART];
	r->poststop = p->hooks[HOOK_POSTSTOP];
}

struct creation {
	struct globals *g;
	const struct create_opts *o;
	struct loaded *l;
	bool runs; /* its program starts when it is ready, without a `start` */
	bool told; /* the engine has the pid file */
};

/* The last moment at which nothing of the container's own program has run. */
static int on_record(const struct creation *c, const struct state_record *r, struct err *e)
{
	const struct pol_process *p = &c->l->box.policy->process;
	const struct audit_field f[] = {
		{.name = "bundle", .s = r->bundle},
		{.name = "process", .n = r->pid},
		{.name = "program", .s = p->args.n ? p->args.v[0] : ""},
		{.name = "secrets", .s = audited_secrets(c->g, c->l->box.policy, false)},
	};
	/* the guest has compared the policy with what its launch was bound to (agent/judge.h) */
	const struct audit_field verdict[] = {
		{.name = "of", .s = "policy"},
		{.name = "measurement", .s = r->measurement, .null = !r->measurement},
	};
	const struct audit_field images = {.name = "images",
					   .s = c->o->criu ? c->o->criu->image_path : NULL};
	int n;

	if (!audited_on(c->g) && !c->g->audit.required)
		return 0;
	n = audited(c->g, AUDIT_CREATE, AUDIT_OK, r->id, r, f, ARRAY_LEN(f), e);
	if (n == 0 && r->backend >= POL_BACKEND_SEV)
		n = audited(c->g, AUDIT_ATTESTATION, AUDIT_OK, r->id, r, verdict,
			    ARRAY_LEN(verdict), e);
	if (n == 0 && c->o->criu)
		n = audited(c->g, AUDIT_RESTORE, AUDIT_ATTEMPT, r->id, r, &images, 1, e);
	else if (n == 0 && c->runs)
		n = audited(c->g, AUDIT_START, AUDIT_ATTEMPT, r->id, r, NULL, 0, e);
	return n;
}

/* The process is complete but still dies with us: put it on record, tell the engine. */
static int on_ready(struct box *b, void *arg, struct err *e)
{
	struct creation *c = arg;
	struct state_record *r = c->l->st.rec;
	int n;

	r->pid = b->pid;
	r->pid_start = b->pid_start;
	r->ns_flags = b->ns_flags;
	r->shared_pidns = b->shared_pidns;
	r->measurement = (char *) (uintptr_t) b->measurement;
	n = state_save(&c->l->st, e);
	if (n == 0)
		n = pidfd_send(c->o->pidfd_socket, b->pidfd, e);
	if (n == 0 && c->o->pid_file) {
		n = cmd_write_pid_file(c->o->pid_file, b->pid, e);
		c->told = n == 0;
	}
	return n < 0 ? n : on_record(c, r, e);
}

static void undo_state(void *arg)
{
	struct loaded *l = arg;
	struct err sub = ERR_INIT;

	if (state_remove(&l->st, &sub) < 0)
		log_warn("%s", sub.msg);
}

static void undo_backend(void *arg)
{
	struct loaded *l = arg;
	struct err sub = ERR_INIT;

	if (l->ops->destroy(&l->box, &sub) < 0)
		log_warn("%s", sub.msg);
	/* the spec: when a hook of the creation fails, and after that, the end is the usual one, with its hooks */
	err_clear(&sub);
	if (l->box.lived && box_hooks(&l->box, HOOK_POSTSTOP, &l->st.rec->poststop, &sub) < 0)
		log_warn("%s", sub.msg);
}

static int restore_in(struct creation *c, const struct box_io *io, struct err *e)
{
	struct loaded *l = c->l;

	if (!l->ops->restore)
		return err_set(e, -ENOTSUP, "there is no restore with backend %s", l->ops->name);
	c->o->criu->config_file = criu_args_config(&l->st.rec->annotations, c->g->a);
	return l->ops->restore(&l->box, c->o->criu, io, on_ready, c, e);
}

static int create_in(struct creation *c, const char *id, struct bundle *bd, struct box_io *io,
		     struct undo *u, struct err *e)
{
	struct loaded *l = c->l;
	struct globals *g = c->g;
	struct state_record *rec;
	int r;

	r = state_new(cmd_root(g), id, g->a, &l->st, e);
	if (r < 0)
		return r;
	undo_push(u, undo_state, l);
	rec = l->st.rec;
	fill_record(g, bd, rec);
	audited_note(g, rec);
	if (audited_on(g)) {
		struct score strength;

		policy_score(bd->policy, g->a, &strength);
		rec->strength = (uint32_t) strength.total + 1;
	}
	/* where nothing may go unrecorded, that includes cgroups and hooks of a creation that fails */
	if (g->audit.required) {
		r = audited(g, AUDIT_CREATE, AUDIT_ATTEMPT, id, rec, NULL, 0, e);
		if (r < 0)
			return r;
	}
	/* until CRIU has said which process is the first, there is only the cgroup to end them all */
	rec->shared_pidns |= c->o->criu != NULL;
	if (notify_wanted()) {
		r = notify_make_dir(l->st.dir_fd, e);
		if (r < 0)
			return r;
	}
	r = cgroup_plan(&bd->policy->cgroup, id, &g->host, g->a, &rec->cg, e);
	if (r == 0)
		r = rdt_plan(&host_rdt, &bd->policy->rdt, id, g->a, &rec->rdt, e);
	/* what is there already is somebody else's: after a crash, delete must not end what runs in it */
	if (r == 0 && cgroup_exists(&rec->cg))
		rec->cg.made_by_us = false;
	if (r == 0)
		r = state_add_file(&l->st, "policy", bd->policy_enc.v, bd->policy_enc.n, e);
	if (r == 0)
		r = state_save(&l->st, e);
	if (r < 0)
		return r;
	box_from_record(g, &l->st, &l->box);
	l->box.pidfd = -EBADF;
	l->box.stop_fd = io->stop_fd;
	l->box.policy = bd->policy;
	l->box.policy_enc = bd->policy_enc;
	l->box.root_image = bd->packed ? bd->image.fd : -EBADF;
	l->box.status = "creating";
	_Static_assert((int) BOX_T_LAUNCH == (int) RULES_VM_T_LAUNCH &&
			       (int) BOX_T_MAX == (int) RULES_VM_T_MAX,
		       "the same timeouts");
	for (size_t i = 0; i < BOX_T_MAX; i++)
		l->box.timeout_ms[i] = (uint32_t) bd->timeout[i].v * 1000; /* at most a day */
	r = box_hook_files(rec, &l->box, e);
	if (r < 0)
		return r;
	undo_push(u, undo_backend, l);
	if (c->o->criu)
		return restore_in(c, io, e);
	return l->ops->create(&l->box, io, on_ready, c, e);
}

/* Where the stage sends the terminal: to the engine, or to us. -EBADF: there is none. */
static int open_console(const char *path, struct box_io *io, const struct policy *p, struct err *e)
{
	int sv[2], fd;

	if (path) {
		fd = unix_connect(path, e);
		return fd < 0 ? err_context(e, "--console-socket") : fd;
	}
	if (!io->foreground || !p->has_process || !p->process.terminal)
		return -EBADF;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return err_sys(e, "making a socket for the terminal");
	io->console_ours = sv[0];
	foreground_size(io);
	return sv[1];
}

static int decide_and_create(struct globals *g, const struct create_opts *o, const char *id,
			     struct box_io *io, struct loaded *l, struct bundle *bd, struct err *e)
{
	struct policy_input in = {.no_pivot = o->no_pivot,
				  .no_new_keyring = o->no_new_keyring,
				  .need_process = !io->wait_start};
	char *yes = (char *) (uintptr_t) "true";
	struct kv wish[2];
	struct creation c = {.g = g, .o = o, .l = l, .runs = !io->wait_start};
	fd_auto int console = -EBADF;
	struct undo u = {0};
	int r;

	in.annotations.v = wish;
	if (o->report_denied)
		wish[in.annotations.n++] = (struct kv){(char *) (uintptr_t) POL_REPORT_ANNOTATION,
						       yes};
	if (o->record_seccomp)
		wish[in.annotations.n++] = (struct kv){(char *) (uintptr_t) POL_RECORD_ANNOTATION,
						       yes};
	r = state_check_id(id, e);
	if (r == 0 && notify_wanted()) {
		char *root;

		r = cmd_abs_path(g->a, cmd_root(g), &root, e);
		in.notify_dir = arena_printf(g->a, "%s/%s/notify", root, id);
	}
	if (r == 0)
		r = bundle_load(g, o->bundle, o->config, &in, bd, e);
	if (r == 0 && o->criu && bd->policy->secrets.n)
		r = err_set_id(e, ERR_CONFIG, -ENOTSUP,
			       "%s: the secret %s cannot be given to a container that is restored",
			       bd->policy->secrets.v[0].at, bd->policy->secrets.v[0].name);
	if (r == 0)
		r = audited_ready(g, e);
	if (r == 0)
		r = console_check(bd->policy->has_process && bd->policy->process.terminal,
				  io->wait_start || o->detach, o->console_socket, e);
	if (r < 0)
		return r;
	l->ops = backend_find(bd->policy->backend, e);
	if (!l->ops)
		return e->code;
	r = l->ops->able ? l->ops->able(bd->policy, e) : 0;
	if (r == 0)
		r = bundle_pack(g, bd, e);
	if (r < 0)
		return r;
	console = open_console(o->console_socket, io, bd->policy, e);
	if (console < 0 && console != -EBADF)
		return console;
	io->console_fd = console;
	r = create_in(&c, id, bd, io, &u, e);
	if (r < 0) {
		if (c.told)
			(void) unlink(o->pid_file);
		undo_run(&u);
		box_close(l);
		return r;
	}
	undo_forget(&u);
	return 0;
}

int container_create(struct globals *g, const struct create_opts *o, const char *id,
		     struct box_io *io, struct loaded *l, struct bundle *bd, struct err *e)
{
	int r = decide_and_create(g, o, id, io, l, bd, e);

	if (r == 0)
		return 0;
	if (e->code == -EKEYREJECTED) /* the guest's verdict: vm/monitor_wire.c */
		audited_failure(g, AUDIT_ATTESTATION, id, l->st.rec, e);
	return audited_failure(g, o->criu ? AUDIT_RESTORE : AUDIT_CREATE, id, l->st.rec, e);
}

#define O(field) offsetof(struct create_opts, field)

static const struct opt create_opts_table[] = {
	{"bundle", 'b', OPT_STR, "DIR", "bundle directory (default: the current one)", O(bundle)},
	{"config", 'f', OPT_STR, "FILE",
	 "name of the configuration in the bundle (default: config.json)", O(config)},
	{"console-socket", 0, OPT_STR, "PATH", "AF_UNIX socket that receives the terminal",
	 O(console_socket)},
	{"pid-file", 0, OPT_STR, "FILE", "write the container's process id to FILE", O(pid_file)},
	{"pidfd-socket", 0, OPT_STR, "PATH",
	 "AF_UNIX socket that receives a pidfd of the container's process", O(pidfd_socket)},
	{"no-pivot", 0, OPT_FLAG, NULL,
	 "change the root without pivot_root (for a root on initramfs)", O(no_pivot)},
	{"no-new-keyring", 0, OPT_FLAG, NULL, "keep the caller's session keyring",
	 O(no_new_keyring)},
	{"preserve-fds", 0, OPT_U32, "N", "pass N file descriptors after the LISTEN_FDS ones",
	 O(preserve_fds)},
	{"report-denied", 0, OPT_FLAG, NULL, "report calls that a seccomp filter denies",
	 O(report_denied)},
	{"record-seccomp", 0, OPT_FLAG, NULL, "record the calls of all processes, for a profile",
	 O(record_seccomp)},
	{"no-subreaper", 0, OPT_IGNORE_FLAG, NULL, NULL, 0},
};

static int cmd_create(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	box_auto l = LOADED_INIT;
	struct bundle bd = {0};
	struct box_io io;
	int r;

	(void) argc;
	r = fds_check(&((struct create_opts *) opts)->preserve_fds, &io, e);
	if (r < 0)
		return r;
	io.wait_start = true;
	return container_create(g, opts, argv[0], &io, &l, &bd, e);
}

const struct command command_create = {
	.name = "create",
	.args = "CONTAINER",
	.help = "create a container; \"start\" runs its process",
	.opts = create_opts_table,
	.n_opts = ARRAY_LEN(create_opts_table),
	.opts_size = sizeof(struct create_opts),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_create,
};

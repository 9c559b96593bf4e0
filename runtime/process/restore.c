/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: CRIU makes a container's processes from images. Namespaces, mounts, filters and capabilities are those of the
 * images; the configuration says where bind mounts come from, which namespaces are joined, and gives the cgroup with
 * its limits, which is made before and into which CRIU puts the processes.
 *
 * CRIU wants the root to be a mount point whose parent nothing covers. So its process gets a mount namespace of its own
 * with a bind of the root at <state>/criu-root: whatever happens, that mount goes with the process.
 *
 * The restored processes are our children (rst_sibling). What happens when, by CRIU's notifications:
 *	setup-namespaces	they are there, with nothing of the saved processes in them: hooks of the creation
 *	orphan-pts-master	the other end of the terminal, for whoever serves it
 *	post-restore		everything is in place and held: record, pid file
 *	pre-resume		they have their final credentials and filters: compared with the policy
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
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
#include "criu/plan.h"
#include "inspect/inspect.h"
#include "process/process.h"

#define ROOT_DIR "criu-root"
#define FDS_MAX (POL_NS_MAX + 4)
#define CG_MODE_IGNORE 0

struct restoring {
	struct box *b;
	const struct box_criu *c;
	const struct box_io *io;
	int (*ready)(struct box *b, void *arg, struct err *e);
	void *arg;
	struct criu criu;
	struct rpc_opts o;
	char *root; /* where the root is bound for CRIU */
	bool root_made, console_sent, is_ready;
	int fds[FDS_MAX]; /* for CRIU's process */
	size_t n_fds;
};

/* ---- what has to be there before ---- */

static int is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -errno : S_ISDIR(st.st_mode);
}

/* CRIU makes no mount points; on a fresh copy of the root, or a volume that was emptied, there may be none. */
static int make_place(const struct plan *pl, size_t i, struct err *e)
{
	const struct pol_mount *m = &pl->p->mounts.v[i];
	bool bind = m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
	fd_auto int root = -EBADF, fd = -EBADF;
	const char *dir, *place = plan_place(pl, i, &dir);
	int d = 1;

	if (!place || m->kind == POL_MOUNT_REMOUNT)
		return 0;
	if (bind)
		d = is_dir(m->source);
	if (d < 0)
		return err_neg(e, d, "mounts[%u].source: %s", m->config_index, m->source);
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "opening %s", dir);
	fd = path_open_in(root, place, O_PATH, 0, 0);
	if (fd == -ENOENT)
		fd = d ? path_mkdir_in(root, place, 0755) : path_make_file_in(root, place, 0644);
	return fd < 0 ? err_neg(e, fd, "mounts[%u].destination: making the mount point %s",
				m->config_index, m->destination)
		      : 0;
}

static int make_places(const struct plan *pl, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < pl->p->mounts.n && r == 0; i++)
		r = make_place(pl, i, e);
	return r;
}

static int make_root_dir(struct restoring *s, struct err *e)
{
	char link[48], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", s->b->dir_fd);
	n = readlink(link, path, sizeof(path));
	if (n <= 0 || n == (ssize_t) sizeof(path))
		return err_sys(e, "finding the state directory");
	s->root = arena_printf(s->b->a, "%.*s/" ROOT_DIR, (int) n, path);
	if (mkdirat(s->b->dir_fd, ROOT_DIR, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "making %s", s->root);
	s->root_made = true;
	return 0;
}

static int reopen(const char *path, int as, struct err *e)
{
	fd_auto int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, as) < 0)
		return err_sys(e, "opening %s for criu", path);
	return 0;
}

/* In CRIU's process. */
static int enter_root(void *arg, struct err *e)
{
	struct restoring *s = arg;

	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "making a mount namespace for criu");
	/* unmounts of the host reach it, its mounts do not reach the host */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(e, "making the mounts of criu its own");
	if (mount(s->b->policy->rootfs, s->root, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_sys(e, "binding %s for criu", s->b->policy->rootfs);
	/* ours lead out of this namespace, and CRIU mounts things in its working directory */
	if (reopen(s->c->image_path, s->c->image_fd, e) < 0)
		return e->code;
	return reopen(s->c->work_path, s->c->work_fd, e);
}

/* ---- the request ---- */

static void inherit(struct restoring *s, const char *key, int fd)
{
	struct rpc_inherit *i = rpc_add(s->b->a, &s->o.inherit);

	i->key = arena_strdup(s->b->a, key);
	i->fd = (struct opt_i64){true, fd};
}

static int inherit_ns(struct restoring *s, const struct pol_ns *ns, const char *key, struct err *e)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "linux.namespaces: opening %s", ns->path);
	s->fds[s->n_fds++] = fd;
	inherit(s, key, fd);
	return 0;
}

/* Namespaces that the configuration joins. CRIU knows two as external ones; the others it enters in place of its own. */
static int join_namespaces(struct restoring *s, struct err *e)
{
	static const struct {
		enum pol_ns_type type;
		const char *key, *join;
	} rows[] = {
		{POL_NS_NET, CRIU_NET_KEY, NULL}, {POL_NS_PID, CRIU_PID_KEY, NULL},
		{POL_NS_IPC, NULL, "ipc"},	  {POL_NS_UTS, NULL, "uts"},
		{POL_NS_TIME, NULL, "time"},	  {POL_NS_USER, NULL, "user"},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++) {
		const struct pol_ns *ns = pol_ns_find(s->b->policy, rows[i].type);

		if (!ns || !ns->path)
			continue;
		if (rows[i].key)
			r = inherit_ns(s, ns, rows[i].key, e);
		else
			*rpc_add(s->b->a, &s->o.joins) = (struct rpc_join){
				(char *) (uintptr_t) rows[i].join, ns->path};
	}
	return r;
}

static void cgroup_roots(struct restoring *s)
{
	const struct cg *cg = s->b->cg;

	for (size_t i = 0; i < cg->hier.n; i++)
		*rpc_add(s->b->a, &s->o.cg_roots) = (struct rpc_cg_root){
			cg->layout == CG_V2 ? NULL : cg->hier.v[i].name,
			arena_printf(s->b->a, "%s%s", cg->hier.v[i].path, cg->sub ? cg->sub : "")};
}

static int fill_opts(struct restoring *s, const struct plan *pl, struct err *e)
{
	const struct box_criu *c = s->c;
	struct rpc_opts *o = &s->o;

	criu_opts_common(s->b, c, o);
	o->root = s->root;
	o->log_file = (char *) (uintptr_t) "restore.log";
	o->evasive_devices = true;
	o->rst_sibling = true;
	o->tcp_close = c->tcp_close;
	o->lsm_profile = (char *) (uintptr_t) c->lsm_profile;
	o->lsm_mount_context = (char *) (uintptr_t) c->lsm_mount_context;
	for (size_t i = 0; i < c->stdio.n && i < 3; i++)
		if (plan_inherit(c->stdio.v[i]))
			inherit(s, c->stdio.v[i], (int) i);
	cgroup_roots(s);
	plan_restore(pl, o);
	return join_namespaces(s, e);
}

/* ---- notifications ---- */

static uint64_t own_namespaces(pid_t pid)
{
	uint64_t flags = 0;

	for (size_t i = 1; i < POL_NS_MAX; i++) {
		char path[64];
		struct stat theirs, ours;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int) pid, seen_ns_links[i]);
		if (stat(path, &theirs) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", seen_ns_links[i]);
		if (stat(path, &ours) == 0 && ours.st_ino != theirs.st_ino)
			flags |= ns_flags[i];
	}
	return flags;
}

static int run_hooks(struct box *b, enum hook_phase phase, struct err *e)
{
	const struct hook_state st = box_hook_state(b);
	const struct hook_stop stop = {.ended_fd = -EBADF, .signal_fd = b->stop_fd};

	return hooks_run_phase(phase, &b->policy->hooks[phase], &st, b->hook_env, b->hook_out,
			       b->hook_err, &stop, e);
}

/* createContainer and startContainer hooks run in the container on its way to a program that is running already. */
static int on_namespaces(struct restoring *s, pid_t pid, int fd, struct err *e)
{
	int r;

	(void) fd;
	s->b->pid = pid;
	s->b->lived = true;
	r = run_hooks(s->b, HOOK_PRESTART, e);
	return r < 0 ? r : run_hooks(s->b, HOOK_CREATE_RUNTIME, e);
}

static int on_terminal(struct restoring *s, pid_t pid, int fd, struct err *e)
{
	fd_auto int master = fd;
	char name[40] = "/dev/pts/";
	unsigned number = 0;
	int r;

	(void) pid;
	if (master < 0)
		return err_set(e, -EPROTO, "criu sent no terminal");
	if (s->io->console_fd < 0)
		return err_set(
			e, -EINVAL,
			"the images have a terminal, but config.json says process.terminal is "
			"false: nobody would serve it");
	(void) ioctl(master, TIOCGPTN, &number);
	num_fmt_u64(name + strlen(name), number);
	r = fd_send(s->io->console_fd, name, strlen(name), &master, 1);
	if (r < 0)
		return err_neg(e, r, "send the terminal to the console socket");
	s->console_sent = true;
	return 0;
}

/* CRIU takes the root as it finds it, and needs to write to it meanwhile: a read-only one becomes that again when all the
 * processes are there and held. A child does it, which enters their mount namespace. */
static int protect_root(const struct restoring *s, pid_t pid, struct err *e)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	char path[48];
	int st = 0;
	pid_t child;

	if (!s->b->policy->rootfs_readonly)
		return 0;
	/* never a root of ours: images without a mount namespace are refused (on_resume says more) */
	if (!(s->b->ns_flags & CLONE_NEWNS))
		return err_set(
			e, -EPERM,
			"config.json wants a mount namespace, but the saved process had none");
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int) pid);
	child = fork();
	if (child == 0) {
		int ns = open(path, O_RDONLY | O_CLOEXEC);

		_exit(ns < 0 || setns(ns, CLONE_NEWNS) < 0 ||
		      sys_mount_setattr(AT_FDCWD, "/", 0, &ro) < 0);
	}
	while (child > 0 && waitpid(child, &st, 0) < 0 && errno == EINTR)
		;
	if (child < 0 || !WIFEXITED(st) || WEXITSTATUS(st) != 0)
		return err_set(e, -EIO,
			       "root.readonly: the restored root cannot be made read-only");
	return 0;
}

static int on_restored(struct restoring *s, pid_t pid, int fd, struct err *e)
{
	struct box *b = s->b;
	const struct pol_ns *pidns = pol_ns_find(b->policy, POL_NS_PID);
	struct proc_stat st;
	int r;

	(void) fd;
	b->pid = pid;
	b->pidfd = sys_pidfd_open(pid, 0);
	if (b->pidfd < 0) {
		r = b->pidfd;
		b->pidfd = -EBADF;
		return err_neg(e, r, "opening the restored process");
	}
	r = proc_read_stat(AT_FDCWD, pid, &st);
	if (r < 0)
		return err_neg(e, r, "reading the start time of the restored process");
	b->pid_start = st.start;
	b->ns_flags = own_namespaces(pid);
	b->shared_pidns = !(b->ns_flags & CLONE_NEWPID) || !pidns || pidns->path;
	if (s->io->foreground && b->policy->process.terminal && !s->console_sent)
		return err_set(e, -EPROTO,
			       "config.json wants a terminal, but the images have none");
	r = protect_root(s, pid, e);
	if (r == 0)
		r = cgroup_entered(b->cg, e);
	if (r == 0)
		r = s->ready(b, s->arg, e);
	s->is_ready = r == 0;
	return r;
}

/* The images say what a process may do, and they come from a file. It must not be more than config.json and the site's
 * rules allow: a namespace, the filter, no_new_privs, or the bound of its capabilities that is missing is an error. */
static int on_resume(struct restoring *s, pid_t pid, int fd, struct err *e)
{
	struct inspect_world w = {0};
	const struct inspect_row *row;
	struct seen_proc self, seen;
	int r;

	(void) fd, (void) pid; /* CRIU tells the pid with the two notifications before only */
	fd_auto int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_sys(e, "opening /proc");
	r = seen_look(proc, getpid(), 0, 0, s->b->a, &self, e);
	if (r == 0)
		r = seen_look(proc, s->b->pid, s->b->pid_start, 0, s->b->a, &seen, e);
	if (r < 0)
		return r;
	w.self = &self;
	row = inspect_guard(s->b->policy, &w, &seen, s->b->a);
	return row ? err_set(e, -EPERM,
			     "the saved process is not what config.json allows: %s, %s: "
			     "expected %s, found %s%s%s",
			     row->group, row->what, row->policy, row->kernel, row->note ? ": " : "",
			     row->note ? row->note : "")
		   : 0;
}

static int on_notify(const char *script, pid_t pid, int fd, void *arg, struct err *e)
{
	static const struct {
		const char *script;
		int (*fn)(struct restoring *s, pid_t pid, int fd, struct err *e);
	} rows[] = {
		{"setup-namespaces", on_namespaces},
		{"orphan-pts-master", on_terminal},
		{"post-restore", on_restored},
		{"pre-resume", on_resume},
	};
	struct restoring *s = arg;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(script, rows[i].script)) {
			int r = rows[i].fn(s, pid, fd, e);

			/* CRIU would wait for processes that are ours to wait for, or even let them go */
			s->criu.abandon = r < 0;
			return r;
		}
	fd_close(fd);
	return 0;
}

/* ---- all of it ---- */

static int prepare(struct restoring *s, struct plan *pl, struct err *e)
{
	struct box *b = s->b;
	fd_auto int root = open(b->policy->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (b->policy->landlock.n)
		return err_set(
			e, -ENOTSUP,
			"CRIU cannot restore Landlock layers, and the container is to be behind "
			"one (preset strict, site rules)");
	if (root < 0)
		return err_sys(e, "root.path: %s", b->policy->rootfs);
	r = criu_plan(b, root, getpid(), pl, e);
	if (r == 0)
		r = make_places(pl, e);
	if (r == 0)
		r = cgroup_make(b->cg, &b->policy->resources, b->host, e);
	if (r == 0)
		r = rdt_make(&host_rdt, b->rdt, &b->policy->rdt, e);
	if (r == 0)
		r = make_root_dir(s, e);
	return r == 0 ? fill_opts(s, pl, e) : r;
}

static int run(struct restoring *s, struct err *e)
{
	const struct criu_child child = {
		.keep = s->fds, .n = s->n_fds, .before = enter_root, .arg = s};
	const struct rpc_req req = {.type = {true, RPC_RESTORE}, .opts = &s->o};
	struct rpc_resp resp = {0};
	int r;

	r = criu_start(&s->criu, s->c->program, &child, s->b->a, e);
	/* what it makes inherits these groups */
	if (r == 0)
		r = rdt_enter(&host_rdt, s->b->rdt, s->criu.pid, e);
	/* CRIU that leaves cgroups alone hands on its own */
	if (r == 0 && s->c->cg_mode.set && s->c->cg_mode.v == CG_MODE_IGNORE &&
	    s->b->cg->layout != CG_NONE)
		r = cgroup_join_pid(s->b->cg, s->criu.pid, e);
	if (r == 0)
		r = criu_call(&s->criu, &req, on_notify, s, &resp, e);
	criu_end(&s->criu, r < 0);
	if (r == 0 && !resp.success)
		r = criu_failed(&resp, "restore", s->c->work_fd, s->c->work_path, "restore.log",
				s->b->a, e);
	if (r == 0 && !s->is_ready)
		r = err_set(e, -EPROTO, "%s did not say which process it has restored",
			    s->c->program);
	return r;
}

/* What a failed restore may have left: processes that CRIU did not get to kill, in the cgroup that was made for them. */
static void clean(struct restoring *s)
{
	struct box *b = s->b;
	struct err ignored = ERR_INIT;

	if (b->pid > 0)
		(void) kill(b->pid, SIGKILL); /* not waited for yet, so still the same one */
	if (b->cg->layout != CG_NONE && b->cg->made_by_us)
		(void) cgroup_kill(b->cg, SIGKILL, &ignored);
	/* they are our children, and nobody else's to wait for */
	if (b->pid > 0)
		while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
			;
	b->pidfd = fd_close(b->pidfd);
	b->pid = 0;
}

int process_restore(struct box *b, const struct box_criu *c, const struct box_io *io,
		    int (*ready)(struct box *b, void *arg, struct err *e), void *arg, struct err *e)
{
	struct restoring s = {.b = b, .c = c, .io = io, .ready = ready, .arg = arg};
	struct plan pl;
	int r;

	s.criu = CRIU_INIT;
	r = criu_version(c->program, b->a, e);
	if (r == 0)
		r = prepare(&s, &pl, e);
	if (r == 0)
		r = run(&s, e);
	if (r < 0)
		clean(&s);
	for (size_t i = 0; i < s.n_fds; i++)
		fd_close(s.fds[i]);
	if (s.root_made)
		(void) unlinkat(b->dir_fd, ROOT_DIR, AT_REMOVEDIR);
	return r;
}

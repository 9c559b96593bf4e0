/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: gathers what the kernel shows of a container's processes, and has inspect/ compare it. Nothing runs in the
 * container, nothing in it is changed; with --filters its process is stopped for a moment (filters.c).
 *
 * Its files are hostile: of paths in it only such are looked up as have no mount where the policy has one, without
 * following a link, and not through file systems whose server may let us wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "process/inspect.h"
#include "process/process.h"

struct looking {
	struct box *b;
	const struct inspect_opts *o;
	int proc, root; /* /proc; the root of the container, or -EBADF */
	struct seen_proc self, one, init;
	const struct seen_proc *target;
	struct inspect_world w;
};

/* ---- paths of the container ---- */

/* File systems that ask a program, maybe one of the container, or another machine. */
static bool may_hang(const char *type)
{
	static const char *const types[] = {"fuse", "nfs",	"9p",  "cifs",	"smb3",
					    "ceph", "virtiofs", "afs", "autofs"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_prefix(type, types[i]))
			return true;
	return false;
}

static int present(void *arg, const char *path)
{
	const struct looking *l = arg;
	const struct seen_proc *s = l->target;
	fd_auto int fd = -EBADF;

	if (l->root < 0)
		return -EACCES;
	for (size_t i = 0; i < s->n_mnt; i++)
		if (path_below(path, s->mnt[i].place) && may_hang(s->mnt[i].type))
			return -EBUSY;
	fd = path_open_in(l->root, path, O_PATH | O_NOFOLLOW, 0, PATH_NO_SYMLINKS);
	if (fd >= 0)
		return 1;
	return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
}

/* Mounts whose places have symlinks in them. The image is what says where they led to when it was started. */
static void find_places(struct looking *l)
{
	const struct policy *p = l->b->policy;
	fd_auto int root = open(p->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char **places = arena_array(l->b->a, p->mounts.n, sizeof(*places));

	for (size_t i = 0; i < p->mounts.n; i++) {
		const char *want = p->mounts.v[i].destination;
		const struct mountinfo *m = mountinfo_at(l->target->mnt, l->target->n_mnt, want);

		if (root >= 0 && m && !str_eq(m->place, want))
			places[i] = process_resolve(root, want, l->b->a);
	}
	l->w.places = places;
}

/* What was mounted below the root's directory came along. */
static void find_below(struct looking *l)
{
	const char *root = l->b->policy->rootfs;
	struct strs *ret = &l->w.below;

	ret->v = arena_array(l->b->a, l->self.n_mnt, sizeof(*ret->v));
	for (size_t i = 0; i < l->self.n_mnt; i++) {
		char *place = l->self.mnt[i].place;

		if (path_below(place, root) && !str_eq(place, root))
			ret->v[ret->n++] = str_eq(root, "/") ? place : place + strlen(root);
	}
}

static bool still_there(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return pidfd >= 0 && poll(&p, 1, 0) == 0;
}

static void open_root(struct looking *l)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/root", (int) l->init.pid);
	l->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* the number was still its own when it was opened */
	if (!still_there(l->b->pidfd))
		l->root = fd_close(l->root);
}

/* ---- what is to be known ---- */

static void fill_cgroups(struct looking *l)
{
	const struct cg *cg = l->b->cg;
	seen_cgroups *c = &l->w.cgroups;

	c->v = arena_array(l->b->a, cg->hier.n, sizeof(*c->v));
	for (size_t i = 0; i < cg->hier.n; i++)
		c->v[c->n++] = (struct seen_cgroup){cg->hier.v[i].name, cg->hier.v[i].path};
	l->w.cgroup_error = cg->error;
}

static int look(struct looking *l, struct err *e)
{
	const struct policy *p = l->b->policy;
	struct err ignored = ERR_INIT;
	struct arena *a = l->b->a;
	int r;

	l->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->proc < 0)
		return err_sys(e, "opening /proc");
	r = seen_look(l->proc, getpid(), 0, SEEN_MOUNTS, a, &l->self, e);
	if (r == 0)
		r = seen_look(l->proc, l->b->pid, l->b->pid_start, SEEN_MOUNTS, a, &l->init, e);
	if (r < 0)
		return r;
	l->w.self = &l->self;
	/* as much as its owner lets us see */
	if (seen_look(l->proc, 1, 0, 0, a, &l->one, &ignored) == 0)
		l->w.one = &l->one;
	for (size_t i = 0; i < p->ns.n; i++)
		if (p->ns.v[i].path)
			l->w.joined[p->ns.v[i].type] = seen_ns_file(p->ns.v[i].path,
								    l->b->pid_start);
	l->w.rootless = l->b->host->rootless;
	l->w.added = l->o->added;
	fill_cgroups(l);
	return 0;
}

static int choose(struct looking *l, const struct u64s *pids, struct seen_proc *other,
		  struct err *e)
{
	bool found = false;

	l->target = &l->init;
	if (!l->o->pid || l->o->pid == l->init.pid)
		return 0;
	for (size_t i = 0; i < pids->n; i++)
		found |= pids->v[i] == (uint64_t) l->o->pid;
	if (!found)
		return err_set_id(
			e, ERR_USAGE, -ESRCH,
			"--process: %d is no process of container %s (kavach ps lists them)",
			(int) l->o->pid, l->b->id);
	l->target = other;
	return seen_look(l->proc, l->o->pid, 0, SEEN_MOUNTS, l->b->a, other, e);
}

/* ---- the control group ---- */

static const enum inspect_verdict verdict_of[] = {
	[CG_SAME] = INSPECT_OK,
	[CG_TIGHTER] = INSPECT_STRICTER,
	[CG_DIFFERS] = INSPECT_DRIFT,
	[CG_UNSEEN] = INSPECT_UNSEEN,
};

/* What the strength counts. */
static void lose_limit(struct inspect *in, const char *field)
{
	struct pol_resources *m = &in->measured.resources;

	if (str_prefix(field, "memory.limit") || str_prefix(field, "unified[\"memory.max"))
		m->memory = (struct opt_i64){0};
	else if (str_prefix(field, "cpu.quota") || str_prefix(field, "cpu.period") ||
		 str_prefix(field, "unified[\"cpu.max"))
		m->cpu_quota = (struct opt_i64){0};
	else if (str_prefix(field, "pids."))
		m->pids = (struct opt_i64){0};
}

static void add_limits(struct looking *l, struct inspect *in)
{
	const struct pol_resources *sealed = &l->b->policy->resources;
	struct cg_seen *v = NULL, *of_sealed = NULL;
	size_t n = 0, n_sealed = 0;
	struct err sub = ERR_INIT;

	if (cgroup_inspect(l->b->cg, &in->p->resources, in->a, &v, &n, &sub) < 0) {
		inspect_add(in, "control group", "limits", INSPECT_UNSEEN, "?", "?",
			    arena_strdup(in->a, sub.msg));
		in->measured.resources = (struct pol_resources){0};
		return;
	}
	if (l->o->updated)
		(void) cgroup_inspect(l->b->cg, sealed, in->a, &of_sealed, &n_sealed, &sub);
	for (size_t i = 0; i < n; i++) {
		enum inspect_verdict verdict = verdict_of[v[i].verdict];
		const char *note = NULL;
		bool was = !l->o->updated;

		for (size_t k = 0; k < n_sealed && !was; k++)
			was = str_eq(of_sealed[k].file, v[i].file) &&
			      str_eq(of_sealed[k].want, v[i].want);
		if (!was && verdict == INSPECT_OK) {
			verdict = INSPECT_KNOWN;
			note = "set by kavach update";
		}
		if (verdict == INSPECT_UNSEEN || verdict == INSPECT_DRIFT)
			note = l->w.cgroup_error;
		if (l->w.cgroup_error && verdict == INSPECT_DRIFT)
			verdict = INSPECT_UNSEEN; /* it never was in force, and that was said then */
		if (!inspect_add(in, "control group", v[i].field, verdict, v[i].want, v[i].have,
				 note))
			lose_limit(in, v[i].field);
	}
}

static void add_devices(struct looking *l, struct inspect *in)
{
	enum inspect_verdict verdict;
	const char *note = NULL;
	struct cg_seen d;

	cgroup_inspect_devices(l->b->cg, &in->p->resources, in->a, &d);
	if (!d.file)
		return;
	verdict = verdict_of[d.verdict];
	if (l->w.rootless && verdict != INSPECT_OK) {
		verdict = INSPECT_UNSEEN;
		note = "an ordinary user cannot limit devices";
	}
	if (!inspect_add(in, "control group", d.field, verdict, d.want, d.have, note))
		in->measured.resources.devices.n = 0;
}

static void add_cgroup(struct looking *l, struct inspect *in)
{
	if (l->b->cg->layout == CG_NONE)
		return;
	add_limits(l, in);
	add_devices(l, in);
}

/* ---- the other processes ---- */

/* A process that exec is starting is in the cgroup before it is confined. It gets there, or it is drift. */
#define STARTING_TRIES 100
#define STARTING_WAIT_MS 20

#define YOUNG_S 2

static bool is_starting(const struct looking *l, const struct seen_proc *s)
{
	struct timespec now = {0};

	if (s->exe && (str_prefix(s->exe, "/memfd:kavach-init") || str_eq0(s->exe, l->self.exe)))
		return true;
	/* of another kavach, or so quick that the name of its program was an old one already */
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t) now.tv_sec < s->start / (uint64_t) sysconf(_SC_CLK_TCK) + YOUNG_S;
}

static void other_process(struct looking *l, struct inspect *in, pid_t pid)
{
	struct err gone = ERR_INIT;
	struct inspect trial;
	struct seen_proc s;

	for (int i = 0; i < STARTING_TRIES; i++) {
		if (seen_look(l->proc, pid, 0, 0, in->a, &s, &gone) < 0) {
			/* it has ended, or is one that nobody may look at */
			if (gone.code != -ESRCH)
				inspect_add(in, "processes", arena_printf(in->a, "%d", (int) pid),
					    INSPECT_UNSEEN, "as confined", "?",
					    arena_strdup(in->a, gone.msg));
			return;
		}
		inspect_begin(&trial, in->p, in->a);
		if (!is_starting(l, &s) || !inspect_other(&trial, &l->w, &s, &l->init))
			break;
		(void) poll(NULL, 0, STARTING_WAIT_MS);
	}
	inspect_other(in, &l->w, &s, &l->init);
}

static void other_processes(struct looking *l, struct inspect *in, const struct u64s *pids)
{
	in->all = l->o->all;
	for (size_t i = 0; i < pids->n; i++)
		if (pids->v[i] != (uint64_t) l->target->pid)
			other_process(l, in, (pid_t) pids->v[i]);
	in->all = false;
	if (l->b->cg->layout == CG_NONE)
		inspect_add(in, "processes", "other processes", INSPECT_UNSEEN, "as confined", "?",
			    "without a cgroup nobody knows which they are");
}

/* ---- all of it ---- */

static const struct policy *in_force(struct looking *l)
{
	struct policy *p = arena_memdup(l->b->a, l->b->policy, sizeof(*p));

	if (l->o->updated)
		policy_merge_resources(&p->resources, l->o->updated, l->b->a);
	return p;
}

static int compare(struct looking *l, struct inspect *in, struct err *e)
{
	const struct seen_proc *init = l->target == &l->init ? NULL : &l->init;

	inspect_process(in, &l->w, l->target, init);
	if (l->o->filters) {
		int r = filters_inspect(l->b, l->target->pid, in, e);

		if (r < 0)
			return r;
	}
	find_places(l);
	find_below(l);
	open_root(l);
	l->w.present = present;
	l->w.arg = l;
	inspect_mounts(in, &l->w, l->target);
	add_cgroup(l, in);
	sysctls_inspect(l->b, in);
	return 0;
}

int process_inspect(struct box *b, const struct inspect_opts *o, struct inspect *ret, struct err *e)
{
	struct looking l = {.b = b, .o = o, .proc = -EBADF, .root = -EBADF};
	struct u64s pids = {0};
	struct seen_proc other;
	int r = process_pids(b, &pids, e);

	if (r == 0)
		r = look(&l, e);
	if (r == 0)
		r = choose(&l, &pids, &other, e);
	if (r == 0) {
		inspect_begin(ret, in_force(&l), b->a);
		r = compare(&l, ret, e);
	}
	if (r == 0)
		other_processes(&l, ret, &pids);
	fd_close(l.proc);
	fd_close(l.root);
	if (r == -ESRCH && !still_there(b->pidfd))
		return err_set_id(e, ERR_NOT_RUNNING, r, "container not running: %s has ended",
				  b->id);
	return r;
}

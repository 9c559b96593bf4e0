/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect of a VM, in two halves. The host's kernel says what holds the VM: monitor, QEMU, their cgroup. What holds the
 * workload is in the guest, and only its agent can say: it sends what its kernel shows (wire/body.h, struct wire_facts), which is
 * compared here with the guest's part of the policy, by the code that compares processes. It is the guest's word, and its rows
 * say so: a guest that was broken into can answer what it likes, but it cannot make the rows of the host better.
 *
 * The measured policy is put together again from both parts: of the guest's what its half has confirmed, and a VM only if
 * everything that holds the VM is in force; else what is left is a process.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "inspect/inspect.h"
#include "process/process.h"
#include "vm/vm.h"
#include "vm/boot.h"
#include "vm/control.h"
#include "vm/split.h"
#include "wire/body.h"

#define ANSWER_MS 10000
#define SECCOMP_FILTERED 2
#define SHARE "/run/share" /* as the agent has it; no row compares it */

/* What QEMU keeps where it serves the root itself: vm/jail.h. */
#define NINE_P_CAPS                                                                                \
	(1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER | 1ull << CAP_FSETID)

struct looking {
	struct box *b;
	struct inspect *in;
	const struct seen_proc *self, *monitor;
	bool held; /* all that the host shows is as it is to be */
};

static void row(struct looking *l, const char *group, const char *what, bool seen, bool good,
		const char *want, const char *have)
{
	l->held &= seen && good;
	inspect_add(l->in, group, what,
		    !seen  ? INSPECT_UNSEEN
		    : good ? INSPECT_OK
			   : INSPECT_DRIFT,
		    want, seen ? have : "?", NULL);
}

static char *hex(struct looking *l, uint64_t v)
{
	return arena_printf(l->b->a, "%#llx", (unsigned long long) v);
}

static char *dec(struct looking *l, uint64_t v)
{
	return arena_printf(l->b->a, "%llu", (unsigned long long) v);
}

/* ---- the host's half ---- */

static void rows_of_both(struct looking *l, const char *group, const struct seen_proc *s)
{
	const struct seen_status *st = &s->st;

	row(l, group, "no new privileges", st->no_new_privs.set, st->no_new_privs.v == 1, "1",
	    dec(l, st->no_new_privs.v));
	row(l, group, "seccomp", st->seccomp.set, st->seccomp.v == SECCOMP_FILTERED, "a filter",
	    st->seccomp.v == SECCOMP_FILTERED ? "a filter" : dec(l, st->seccomp.v));
}

static void own_ns(struct looking *l, const char *group, const struct seen_proc *s,
		   const struct seen_proc *not_of, uint32_t t)
{
	bool seen = s->ns[t] && not_of->ns[t] && l->self->ns[t];

	row(l, group, arena_printf(l->b->a, "namespace %s", seen_ns_links[t]), seen,
	    s->ns[t] != l->self->ns[t] && s->ns[t] != not_of->ns[t], "its own", dec(l, s->ns[t]));
}

static void monitor_rows(struct looking *l)
{
	static const uint32_t kinds[] = {POL_NS_PID, POL_NS_MNT, POL_NS_IPC, POL_NS_NET};
	const struct seen_status *st = &l->monitor->st;

	for (int i = SEEN_PRM; i <= SEEN_BND; i++) {
		static const char *const names[] = {
			[SEEN_PRM] = "permitted", [SEEN_EFF] = "effective", [SEEN_BND] = "bounding"};

		row(l, "monitor", arena_printf(l->b->a, "capabilities, %s", names[i]),
		    st->has_caps[i], st->caps[i] == 0, "none", hex(l, st->caps[i]));
	}
	rows_of_both(l, "monitor", l->monitor);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		own_ns(l, "monitor", l->monitor, l->self, kinds[i]);
}

static bool in_range(const struct pol_vm *v, uint32_t uid)
{
	return uid >= v->uid_first && uid - v->uid_first < v->uid_count;
}

static void qemu_rows(struct looking *l, const struct seen_proc *s)
{
	static const uint32_t kinds[] = {POL_NS_MNT, POL_NS_IPC, POL_NS_NET, POL_NS_UTS};
	const struct pol_vm *v = &l->b->policy->vm;
	const struct seen_status *st = &s->st;
	bool own = in_range(v, st->uid[0]), serves = !own && v->root != POL_VM_ROOT_PACKED;
	uint64_t may = serves ? NINE_P_CAPS : 0,
		 has = st->caps[SEEN_PRM] | st->caps[SEEN_EFF] | st->caps[SEEN_BND];
	bool one = st->uid[0] == st->uid[1] && st->uid[0] == st->uid[2];

	row(l, "QEMU", "user", st->has_ids, one && (own || (serves && st->uid[0] == 0)),
	    serves ? "0, which serves the root" : "one of the hypervisors'", dec(l, st->uid[0]));
	row(l, "QEMU", "capabilities",
	    st->has_caps[SEEN_PRM] && st->has_caps[SEEN_EFF] && st->has_caps[SEEN_BND],
	    !(has & ~may), may ? hex(l, may) : "none", hex(l, has));
	rows_of_both(l, "QEMU", s);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		own_ns(l, "QEMU", s, l->monitor, kinds[i]);
}

/* "PID (comm) S PPID": the name is the process's own and may have anything in it. */
static bool is_child(int proc, pid_t pid, pid_t of, struct arena *a)
{
	struct bytes text;
	const char *at;
	uint64_t parent;
	char num[16] = "";
	size_t n;

	if (io_read_at(proc, arena_printf(a, "%d/stat", (int) pid), 0, 4096, a, &text) < 0)
		return false;
	at = strrchr((char *) text.v, ')');
	if (!at || strlen(at) < 5)
		return false;
	n = strspn(at + 4, "0123456789");
	if (!n || n >= sizeof(num))
		return false;
	memcpy(num, at + 4, n);
	return num_parse_u64(num, INT32_MAX, &parent) == 0 && parent == (uint64_t) of;
}

static bool is_server(const struct seen_proc *s)
{
	return str_eq0(s->comm, "virtiofsd");
}

/* QEMU is the monitor's child; so is a virtiofsd, whose sandbox is its own and is not judged. */
static int find_qemu(struct looking *l, int proc, struct err *e)
{
	struct u64s pids = {0};
	bool found = false;
	int r = process_pids(l->b, &pids, e);

	for (size_t i = 0; i < pids.n && r == 0; i++) {
		struct err gone = ERR_INIT;
		struct seen_proc s;

		if (is_child(proc, (pid_t) pids.v[i], l->b->pid, l->b->a) &&
		    seen_look(proc, (pid_t) pids.v[i], 0, 0, l->b->a, &s, &gone) == 0 &&
		    !is_server(&s) && !(s.exe && strstr(s.exe, MONITOR_NAME))) {
			found = true;
			qemu_rows(l, &s);
		}
	}
	if (r == 0 && !found)
		row(l, "QEMU", "process", false, false, "there", "?");
	return r;
}

static const enum inspect_verdict verdict_of[] = {
	[CG_SAME] = INSPECT_OK,
	[CG_TIGHTER] = INSPECT_STRICTER,
	[CG_DIFFERS] = INSPECT_DRIFT,
	[CG_UNSEEN] = INSPECT_UNSEEN,
};

static const struct pol_resources *in_force(struct looking *l, const struct inspect_opts *o)
{
	struct pol_resources *r = arena_memdup(l->b->a, &l->b->policy->resources, sizeof(*r));

	if (o->updated)
		policy_merge_resources(r, o->updated, l->b->a);
	return r;
}

static void host_limits(struct looking *l, const struct pol_resources *res)
{
	struct err sub = ERR_INIT;
	struct pol_resources host;
	struct cg_seen *v = NULL;
	size_t n = 0;

	split_resources_host(res, l->b->a, &host);
	if (l->b->cg->layout == CG_NONE ||
	    cgroup_inspect(l->b->cg, &host, l->b->a, &v, &n, &sub) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (!inspect_add(l->in, "VM's control group", v[i].field, verdict_of[v[i].verdict],
				 v[i].want, v[i].have, l->b->cg->error) &&
		    str_prefix(v[i].field, "cpu."))
			l->in->measured.resources.cpu_quota = (struct opt_i64){0};
}

static int host_half(struct looking *l, const struct pol_resources *res, struct err *e)
{
	fd_auto int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct seen_proc *v = arena_array(l->b->a, 2, sizeof(*v));
	int r;

	if (proc < 0)
		return err_sys(e, "opening /proc");
	r = seen_look(proc, getpid(), 0, 0, l->b->a, &v[0], e);
	if (r == 0)
		r = seen_look(proc, l->b->pid, l->b->pid_start, 0, l->b->a, &v[1], e);
	if (r < 0)
		return r;
	l->self = &v[0];
	l->monitor = &v[1];
	l->held = true;
	monitor_rows(l);
	r = find_qemu(l, proc, e);
	if (r == 0)
		host_limits(l, res);
	return r;
}

/* ---- the guest's half ---- */

static int present(void *arg, const char *path)
{
	return !strs_has(arg, path);
}

static struct strs places_of_host(const struct policy *p, const struct split *s, struct arena *a)
{
	struct strs l = {.v = arena_array(a, s->n, sizeof(char *)), .set = true};

	for (size_t i = 0; i < s->n; i++)
		if (s->mounts[i].host) /* of a share that tells of its mounts */
			l.v[l.n++] = p->mounts.v[i].destination;
	return l;
}

static void guest_limits(struct inspect *g, const struct wire_facts *f)
{
	struct pol_resources *m = &g->measured.resources;

	for (size_t i = 0; i < f->limits.n; i++) {
		const struct wire_limit *w = &f->limits.v[i];
		enum inspect_verdict v = w->verdict < ARRAY_LEN(verdict_of) ? verdict_of[w->verdict]
									    : INSPECT_UNSEEN;

		if (!w->field || !w->want || !w->have)
			continue;
		if (inspect_add(g, "control group", w->field, v, w->want, w->have, NULL))
			continue;
		if (str_prefix(w->field, "memory.limit"))
			m->memory = (struct opt_i64){0};
		else if (str_prefix(w->field, "pids."))
			m->pids = (struct opt_i64){0};
	}
	if (!f->cgroup) {
		inspect_add(g, "control group", "limits", INSPECT_UNSEEN, "?", "?",
			    "it has none in the guest");
		m->memory = m->pids = (struct opt_i64){0};
	}
}

static int compare(struct looking *l, const struct wire_facts *f, const struct split *s,
		   struct inspect *g, struct err *e)
{
	struct arena *a = l->b->a;
	struct seen_proc *v = arena_array(a, f->procs.n, sizeof(*v));
	struct inspect_world w = {.below = places_of_host(l->b->policy, s, a),
				  .present = present,
				  .arg = (void *) (uintptr_t) &f->missing};
	struct seen_cgroup cg = {arena_strdup(a, ""), f->cgroup};

	if (f->procs.n < 2)
		return err_set(e, -EPROTO, "the guest does not show its processes");
	for (size_t i = 0; i < 2; i++)
		if (seen_told(&f->procs.v[i].files, (pid_t) f->procs.v[i].pid, a, &v[i], e) < 0)
			return err_context(e, "in the guest");
	w.self = &v[0];
	if (f->cgroup) {
		w.cgroups.v = &cg;
		w.cgroups.n = 1;
	}
	inspect_process(g, &w, &v[1], NULL);
	inspect_mounts(g, &w, &v[1]);
	guest_limits(g, f);
	for (size_t i = 2; i < f->procs.n; i++) {
		struct err gone = ERR_INIT;

		if (seen_told(&f->procs.v[i].files, (pid_t) f->procs.v[i].pid, a, &v[i], &gone) ==
		    0)
			inspect_other(g, &w, &v[i], &v[1]);
	}
	if (f->more)
		inspect_add(g, "processes", "others", INSPECT_UNSEEN, "as confined", "?",
			    "there are more than the guest shows");
	if (l->b->policy->sysctl.n)
		inspect_add(g, "kernel", "sysctls", INSPECT_UNSEEN, "as in the policy", "?",
			    "they are not asked for");
	return 0;
}

/* Both parts together again; `part` is what was given to the comparison. */
static void put_together(struct looking *l, const struct policy *part, const struct inspect *g)
{
	struct policy *m = &l->in->measured, got = g->measured;
	const struct policy *p = l->b->policy;
	const struct opt_i64 quota = m->resources.cpu_quota;

	got.backend = p->backend;
	got.vm = p->vm;
	got.ns = m->ns;
	for (size_t i = 0; i < part->ns.n; i++) {
		uint32_t t = part->ns.v[i].type;
		size_t k = 0;

		if (pol_ns_find(&g->measured, t))
			continue;
		while (k < got.ns.n && got.ns.v[k].type != t)
			k++;
		if (k < got.ns.n)
			got.ns.v[k] = got.ns.v[--got.ns.n];
	}
	if (g->measured.mounts.n == part->mounts.n) {
		got.mounts.v = p->mounts.v;
		got.mounts.n = p->mounts.n;
	}
	got.resources = p->resources;
	got.resources.cpu_quota = quota;
	if (!g->measured.resources.memory.set)
		got.resources.memory = (struct opt_i64){0};
	if (!g->measured.resources.pids.set)
		got.resources.pids = (struct opt_i64){0};
	memcpy(got.hooks, p->hooks, sizeof(got.hooks));
	got.rootfs = p->rootfs;
	*m = got;
	if (!l->held) {
		m->backend = POL_BACKEND_PROCESS;
		m->vm = (struct pol_vm){0};
	}
}

static void take_rows(struct looking *l, const struct inspect *g)
{
	for (size_t i = 0; i < g->rows.n; i++) {
		const struct inspect_row *r = &g->rows.v[i];

		l->in->other = r->pid;
		l->in->all = true;
		inspect_add(l->in, arena_printf(l->b->a, "guest says: %s", r->group), r->what,
			    r->verdict, r->policy, r->kernel, r->note);
	}
	l->in->other = 0;
	l->in->all = false;
	l->in->others += g->others;
}

static int guest_half(struct looking *l, const struct pol_resources *res, struct err *e)
{
	struct ctl_msg *msg = arena_new(l->b->a, struct ctl_msg);
	struct policy whole = *l->b->policy, part;
	struct wire_facts f;
	struct inspect g;
	struct split s;
	int r = ctl_call(l->b->dir_fd, CTL_INSPECT, NULL, 0, NULL, 0, ANSWER_MS, CTL_BODY, msg, e);

	if (r == 0)
		r = wire_body(msg->body, msg->n, &wire_facts_table, &f, l->b->a, e);
	if (r < 0)
		return r;
	whole.resources = *res;
	split_plan(&whole, l->b->a, &s);
	split_guest(&whole, &s, SHARE, l->b->a, &part);
	inspect_begin(&g, &part, l->b->a);
	g.all = false;
	r = compare(l, &f, &s, &g, e);
	if (r < 0)
		return r;
	put_together(l, &part, &g);
	take_rows(l, &g);
	return 0;
}

int vm_inspect(struct box *b, const struct inspect_opts *o, struct inspect *ret, struct err *e)
{
	struct looking l = {.b = b, .in = ret};
	const struct pol_resources *res;
	int r;

	if (o->pid || o->filters)
		return err_set_id(e, ERR_USAGE, -ENOTSUP,
				  "container %s is a VM: --process and --filters are not possible",
				  b->id);
	if (b->cg->layout != CG_NONE && cgroup_frozen(b->cg) == 1)
		return err_set(e, -EBUSY, "container %s is paused: its guest cannot be asked",
			       b->id);
	res = in_force(&l, o);
	inspect_begin(ret, b->policy, b->a);
	r = host_half(&l, res, e);
	return r < 0 ? r : guest_half(&l, res, e);
}

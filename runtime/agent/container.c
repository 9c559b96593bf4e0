/* SPDX-License-Identifier: Apache-2.0 */
/* PREPARE and EXEC: from what the host asks for to a stage with its boot block. */
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "agent/judge.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "vm/split.h"

static const uint64_t flag_of[POL_NS_MAX] = {[POL_NS_PID] = CLONE_NEWPID,
					     [POL_NS_MNT] = CLONE_NEWNS,
					     [POL_NS_IPC] = CLONE_NEWIPC,
					     [POL_NS_UTS] = CLONE_NEWUTS,
					     [POL_NS_CGROUP] = CLONE_NEWCGROUP};

static int fill_filters(const struct wire_filter *v, size_t n, struct arena *a,
			struct stage_boot *boot, struct err *e)
{
	if (n > STAGE_FILTERS_MAX)
		return err_set(e, -E2BIG, "%zu seccomp filters: at most %d can be loaded", n,
			       STAGE_FILTERS_MAX);
	boot->filters.v = arena_array(a, n, sizeof(*boot->filters.v));
	boot->filters.n = n;
	for (size_t i = 0; i < n; i++)
		boot->filters.v[i] = (struct stage_filter){.bpf = v[i].bpf, .flags = v[i].flags};
	return 0;
}

static void fill_common(struct agent *a, struct stage_boot *boot)
{
	boot->cg_layout = a->cg.layout;
	boot->id = a->prepare.id;
	boot->bundle = a->prepare.bundle;
	boot->oci_version = a->prepare.oci_version;
	boot->slow_paths = a->prepare.root == WIRE_ROOT_9P;
}

static int fill_namespaces(struct agent *a, struct stage_boot *boot, uint64_t *ret_create,
			   struct err *e)
{
	uint64_t create = 0;

	for (size_t i = 0; i < a->part.ns.n; i++) {
		const struct pol_ns *n = &a->part.ns.v[i];

		if (n->path || n->type >= POL_NS_MAX || !flag_of[n->type])
			return err_set(e, -EOPNOTSUPP,
				       "linux.namespaces: a guest cannot join or make a namespace "
				       "of type %u",
				       n->type);
		create |= flag_of[n->type];
	}
	if (!(create & CLONE_NEWNS))
		return err_set(e, -EOPNOTSUPP,
			       "linux.namespaces: a container in a guest needs a "
			       "mount namespace");
	a->ns_flags = create;
	boot->unshare_cgroup = create & CLONE_NEWCGROUP;
	boot->host_cgroupns = !boot->unshare_cgroup;
	*ret_create = create &
		      ~(uint64_t) CLONE_NEWCGROUP; /* the stage, once it is in the cgroup */
	return 0;
}

/* What the sealed policy vouches for, whatever the host would rather have. */
static int find_packed(struct agent *a, const struct split *s, struct err *e)
{
	const struct wire_prepare *p = &a->prepare;
	int r = packed_check(&a->policy->vm, e);

	if (r < 0)
		return r;
	if (p->root != WIRE_ROOT_EROFS || !a->guest)
		return err_set(e, -EPERM, "the policy wants a packed root, the host has another");
	r = agent_modules(a, MODULES_ROOT, e);
	if (r == 0 && s->volumes && a->policy->backend >= POL_BACKEND_SEV)
		r = err_set(e, -EPERM,
			    "the policy of a confidential guest has volumes of the host's");
	if (r == 0 && s->volumes && !p->share)
		r = err_set(e, -EINVAL, "the host shares no volumes, the policy has %zu",
			    s->volumes);
	if (r == 0 && s->volumes)
		r = guest_mount_share(p->share, p->root_tag, e);
	if (r == 0)
		r = packed_mount(&a->policy->vm, e);
	return r < 0 ? r : packed_copies(p, s, e);
}

/* The root: the directory that the share has it in. */
static int find_root(struct agent *a, const struct split *s, const char **ret_share, struct err *e)
{
	const struct wire_prepare *p = &a->prepare;
	int r = 0;

	*ret_share = AGENT_SHARE;
	if (a->policy->vm.root == POL_VM_ROOT_PACKED)
		return find_packed(a, s, e);
	if (a->policy->backend >= POL_BACKEND_SEV)
		return err_set(e, -EPERM, "the policy of a confidential guest shares the root");
	if (p->root == WIRE_ROOT_DIR) {
		if (a->guest || str_empty(p->root_tag) || p->root_tag[0] != '/')
			return err_set(e, -EINVAL, "the root is in no folder that is here");
		*ret_share = p->root_tag;
		return 0;
	}
	if (!a->guest)
		return err_set(e, -EINVAL, "only a guest has a share to mount");
	r = agent_modules(a, MODULES_ROOT, e);
	return r < 0 ? r : guest_mount_share(p->root, p->root_tag, e);
}

/* The name of a UTS namespace that is joined is the host's to say; any other is the policy's. */
static int name_part(struct agent *a, struct err *e)
{
	const struct pol_ns *uts = pol_ns_find(a->policy, POL_NS_UTS);
	size_t n = a->net.hostname ? strlen(a->net.hostname) : 0;

	if (!n || !uts || !uts->path || a->part.hostname)
		return 0;
	if (n > HOST_NAME_MAX)
		return err_set(e, -ENAMETOOLONG,
			       "the host name has %zu bytes, at most %d are possible", n,
			       HOST_NAME_MAX);
	a->part.hostname = arena_strdup(&a->a, a->net.hostname);
	return 0;
}

static int spawn_first(struct agent *a, struct proc *p, struct err *e)
{
	struct stage_boot boot = {.mode = STAGE_CREATE};
	buf_auto enc = BUF_WRITER(8u << 20);
	uint64_t create = 0;
	int r;

	fill_common(a, &boot);
	if (judge_trusts_host(a->policy)) { /* nobody has measured these */
		boot.annotations = a->prepare.annotations;
		boot.hook_env = a->prepare.hook_env;
	}
	boot.console_rows = a->prepare.rows;
	boot.console_columns = a->prepare.columns;
	if (a->cg.layout != CG_NONE)
		boot.cg_v2_path = arena_printf(&a->a, "%s%s", a->cg.hier.v[0].mount,
					       a->cg.hier.v[0].path);
	policy_encode(&enc, &a->part);
	if (enc.bad)
		return err_set(e, -EFBIG, "the policy is too large");
	boot.policy = (struct bytes){enc.p, enc.n};
	r = judge_filters(a->policy, a->prepare.filters.v, a->prepare.filters.n, e);
	if (r == 0)
		r = fill_filters(a->prepare.filters.v, a->prepare.filters.n, &a->a, &boot, e);
	if (r == 0)
		r = fill_namespaces(a, &boot, &create, e);
	if (r == 0)
		r = agent_secrets_give(a, p, false, e);
	p->process = a->part.has_process ? &a->part.process : NULL;
	return r < 0 ? r : proc_spawn(a, p, &boot, create, -EBADF, e);
}

int agent_net(struct agent *a, struct err *e)
{
	/* elsewhere the namespace is the machine's own, which is not ours to set up */
	if (!a->guest && a->net.nics.n)
		return err_set(e, -EOPNOTSUPP, "only a guest has interfaces to set up");
	/* loopback is up (guest.c), and there is nothing to take away of what never was there */
	if (!a->guest || (!a->net.nics.n && !a->has_net))
		return 0;
	return agent_modules(a, MODULES_NET, e) < 0 ? e->code : agent_net_apply(&a->net, e);
}

int agent_prepare(struct agent *a, struct err *e)
{
	struct proc *p = proc_find(a, 1);
	const char *share;
	struct split s;
	int r;

	split_plan(a->policy, &a->a, &s);
	r = find_root(a, &s, &share, e);
	if (r < 0)
		return r;
	split_guest(a->policy, &s, share, &a->a, &a->part);
	r = name_part(a, e);
	if (r == 0)
		r = agent_cgroup_make(a, e);
	if (r == 0)
		r = agent_net(a, e);
	return r < 0 ? r : spawn_first(a, p, e);
}

static int decode_process(const struct bytes *enc, struct proc *p, struct err *e)
{
	struct pol_process *proc = arena_new(&p->a, struct pol_process);
	struct buf b = BUF_READER(enc->v, enc->n);

	codec_decode(&b, &pol_process_table, proc, &p->a);
	if (b.bad || buf_left(&b) != 0)
		return err_set(e, -EBADMSG, "the process description is malformed");
	p->process = proc;
	return 0;
}

int agent_exec(struct agent *a, struct proc *p, const struct wire_exec *x, struct err *e)
{
	const struct proc *first = proc_find(a, 1);
	struct stage_boot boot = {.mode = STAGE_EXEC,
				  .process = x->process,
				  .console_rows = x->rows,
				  .console_columns = x->columns,
				  .landlock = {a->part.landlock.v, a->part.landlock.n},
				  .target_ns = a->ns_flags};
	int r = agent_secrets_give(a, p, true, e);

	if (r < 0)
		return r;
	if (a->phase != WIRE_PH_RUNNING || !first || !first->pid)
		return err_set_id(e, ERR_NOT_RUNNING, -ESRCH, "container not running");
	fill_common(a, &boot);
	r = decode_process(&x->process, p, e);
	if (r == 0)
		r = judge_filters(a->policy, x->filters.v, x->filters.n, e);
	if (r == 0)
		r = fill_filters(x->filters.v, x->filters.n, &p->a, &boot, e);
	return r < 0 ? r : proc_spawn(a, p, &boot, 0, first->pidfd, e);
}

void agent_kill_all(struct agent *a)
{
	struct err e = ERR_INIT;

	if (a->cg.layout != CG_NONE)
		(void) cgroup_kill(&a->cg, SIGKILL, &e);
	for (struct proc *p = a->procs; p; p = p->next)
		if (p->pid > 0 && p->pidfd >= 0)
			(void) sys_pidfd_send_signal(p->pidfd, SIGKILL);
}

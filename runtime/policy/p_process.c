/* SPDX-License-Identifier: Apache-2.0 */
/* The process object: of config.json, or of `exec --process`. */
#include <sys/resource.h>

#include "policy/pb.h"

static uint32_t hash(const char *s, size_t n)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t) s[i]) * 16777619u;
	return h;
}

/*
 * The last value of a name wins, as with runc: execve() would show the first one to getenv(). Through a
 * hash table: pods in clusters with many services have tens of thousands of variables.
 */
static void environment(struct pb *b, const struct strs *s, struct strs *ret)
{
	size_t size = 16;
	uint32_t *slots; /* position in ret->v plus one; 0 = free */

	while (size < 2 * s->n)
		size *= 2;
	slots = arena_array(b->a, size, sizeof(*slots));
	ret->v = arena_array(b->a, s->n + 1, sizeof(*ret->v));
	ret->set = true;
	for (size_t i = 0; i < s->n; i++) {
		size_t name = strcspn(s->v[i], "=") + 1;
		size_t at = hash(s->v[i], name - 1) & (size - 1);

		while (slots[at] && strncmp(ret->v[slots[at] - 1], s->v[i], name) != 0)
			at = (at + 1) & (size - 1);
		if (!slots[at])
			slots[at] = (uint32_t) ++ret->n;
		ret->v[slots[at] - 1] = s->v[i];
	}
}

static int check_id(struct pb *b, const char *what, const pol_idmaps *map, uint64_t id,
		    struct err *e)
{
	uint64_t host;

	if (!map->n || pb_map_id(map, id, 1, &host))
		return 0;
	return pb_refuse(b, e, "%suser.%s: %llu is not mapped into the user namespace", b->prefix,
			 what, (unsigned long long) id);
}

static int user(struct pb *b, const struct spec_user *s, struct pol_process *p, struct err *e)
{
	int r;

	if (s) {
		p->uid = (uint32_t) s->uid.v;
		p->gid = (uint32_t) s->gid.v;
		p->umask = s->umask;
		p->groups = s->additionalGids;
	}
	r = check_id(b, "uid", &b->p->uid_map, p->uid, e);
	if (r < 0)
		return r;
	r = check_id(b, "gid", &b->p->gid_map, p->gid, e);
	for (size_t i = 0; i < p->groups.n && r == 0; i++)
		r = check_id(b, "additionalGids", &b->p->gid_map, p->groups.v[i], e);
	return r;
}

static int rlimits(struct pb *b, const struct spec_process *s, struct pol_process *p, struct err *e)
{
	p->rlimits.v = arena_array(b->a, s->rlimits.n, sizeof(*p->rlimits.v));
	for (size_t i = 0; i < s->rlimits.n; i++) {
		const struct spec_rlimit *l = &s->rlimits.v[i];
		long resource;
		int r = pb_word(b, rlimit_names, rlimit_names_n, l->type, &resource, e,
				"%srlimits[%zu].type", b->prefix, i);

		if (r < 0)
			return r;
		for (size_t j = 0; j < p->rlimits.n; j++)
			if (p->rlimits.v[j].resource == (uint32_t) resource)
				return pb_refuse(b, e, "%srlimits[%zu].type: \"%s\" is given twice",
						 b->prefix, i, l->type);
		if (l->soft.v > l->hard.v)
			return pb_refuse(
				b, e,
				"%srlimits[%zu].soft: expected at most the hard limit %llu, found %llu",
				b->prefix, i, (unsigned long long) l->hard.v,
				(unsigned long long) l->soft.v);
		p->rlimits.v[p->rlimits.n++] = (struct pol_rlimit){(uint32_t) resource, l->soft.v,
								   l->hard.v};
	}
	return 0;
}

/* A label for a security module that is off would be ignored silently: refused, as in runc. */
static int labels(struct pb *b, const struct spec_process *s, struct pol_process *p, struct err *e)
{
	p->apparmor = pb_given(s->apparmorProfile);
	p->selinux = pb_given(s->selinuxLabel);
	if (p->apparmor && !b->h->apparmor) {
		if (!str_eq(p->apparmor, "unconfined"))
			return pb_refuse(
				b, e,
				"%sapparmorProfile: \"%s\" is given, but AppArmor is not enabled on "
				"this host",
				b->prefix, p->apparmor);
		p->apparmor = NULL;
	}
	if (p->selinux && !b->h->selinux)
		return pb_refuse(
			b, e,
			"%sselinuxLabel: \"%s\" is given, but SELinux is not enabled on this host",
			b->prefix, p->selinux);
	return 0;
}

/* sched(7); linux/sched.h has SCHED_ISO's number reserved and nothing behind it. */
static const struct name_val sched_policies[] = {
	{"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2},
	{"SCHED_BATCH", 3}, {"SCHED_IDLE", 5}, {"SCHED_DEADLINE", 6},
};
static const struct name_val sched_flags[] = {
	{"SCHED_FLAG_RESET_ON_FORK", 0x01},  {"SCHED_FLAG_RECLAIM", 0x02},
	{"SCHED_FLAG_DL_OVERRUN", 0x04},     {"SCHED_FLAG_KEEP_POLICY", 0x08},
	{"SCHED_FLAG_KEEP_PARAMS", 0x10},    {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40},
};

/* Which policy takes which numbers: what sched_setattr(2) would answer EINVAL to, or ignore. */
static int check_scheduler(struct pb *b, const struct spec_scheduler *s,
			   const struct pol_scheduler *p, struct err *e)
{
	bool realtime = p->policy == 1 || p->policy == 2, deadline = p->policy == 6;

	if (realtime && (p->priority < 1 || p->priority > 99))
		return pb_refuse(b, e, "%sscheduler.priority: expected 1 to 99 with %s, found %llu",
				 b->prefix, s->policy, (unsigned long long) p->priority);
	if (!realtime && p->priority)
		return pb_refuse(
			b, e,
			"%sscheduler.priority: only for SCHED_FIFO and SCHED_RR, the policy is %s",
			b->prefix, s->policy);
	if (p->nice < -20 || p->nice > 19)
		return pb_refuse(b, e, "%sscheduler.nice: expected -20 to 19, found %lld",
				 b->prefix, (long long) p->nice);
	if (!deadline && (p->runtime || p->deadline || p->period))
		return pb_refuse(
			b, e,
			"%sscheduler: runtime, deadline and period are only for SCHED_DEADLINE, the "
			"policy is %s",
			b->prefix, s->policy);
	if (deadline &&
	    (!p->runtime || p->runtime > p->deadline || (p->period && p->deadline > p->period)))
		return pb_refuse(
			b, e,
			"%sscheduler: expected 0 < runtime <= deadline <= period with SCHED_DEADLINE",
			b->prefix);
	return 0;
}

static int scheduler(struct pb *b, const struct spec_scheduler *s, struct pol_scheduler *p,
		     struct err *e)
{
	long v;
	int r;

	if (!s)
		return 0;
	p->set = true;
	r = PB_WORD(b, sched_policies, s->policy, &v, e, "%sscheduler.policy", b->prefix);
	if (r < 0)
		return r;
	p->policy = (uint32_t) v;
	for (size_t i = 0; i < s->flags.n; i++) {
		r = PB_WORD(b, sched_flags, s->flags.v[i], &v, e, "%sscheduler.flags[%zu]",
			    b->prefix, i);
		if (r < 0)
			return r;
		p->flags |= (uint64_t) v;
	}
	p->nice = s->nice.v;
	p->priority = s->priority.v > 0 ? (uint64_t) s->priority.v : 0;
	p->runtime = s->runtime.v;
	p->deadline = s->deadline.v;
	p->period = s->period.v;
	return check_scheduler(b, s, p, e);
}

static int ioprio(struct pb *b, const struct spec_ioprio *s, struct pol_process *p, struct err *e)
{
	static const struct name_val classes[] = {
		{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}};
	long class;
	int r;

	if (!s)
		return 0;
	r = PB_WORD(b, classes, s->class, &class, e, "%sioPriority.class", b->prefix);
	if (r < 0)
		return r;
	if (s->priority.v < 0 || s->priority.v > 7)
		return pb_refuse(b, e, "%sioPriority.priority: expected 0 to 7, found %lld",
				 b->prefix, (long long) s->priority.v);
	p->ioprio = (struct opt_u64){true, (uint64_t) class << 13 | (uint64_t) s->priority.v};
	return 0;
}

static int program(struct pb *b, const struct spec_process *s, struct pol_process *p, struct err *e)
{
	if (!s->args.n)
		return pb_refuse(b, e, "%sargs: expected at least one string, the program",
				 b->prefix);
	if (str_empty(s->cwd) || s->cwd[0] != '/')
		return pb_refuse(b, e, "%scwd: expected an absolute path, found \"%s\"", b->prefix,
				 s->cwd ? s->cwd : "");
	p->args = s->args;
	p->cwd = s->cwd;
	environment(b, &s->env, &p->env);
	p->terminal = s->terminal.v;
	if (p->terminal && s->consoleSize) {
		p->console_width = (uint32_t) s->consoleSize->width.v;
		p->console_height = (uint32_t) s->consoleSize->height.v;
	}
	return 0;
}

int pb_process(struct pb *b, const struct spec_process *s, struct pol_process *p, struct err *e)
{
	int r;

	r = program(b, s, p, e);
	if (r < 0)
		return r;
	r = user(b, s->user, p, e);
	if (r < 0)
		return r;
	r = rlimits(b, s, p, e);
	if (r < 0)
		return r;
	r = pb_caps(b, s->capabilities, &p->caps, e);
	if (r < 0)
		return r;
	r = labels(b, s, p, e);
	if (r < 0)
		return r;
	r = scheduler(b, s->scheduler, &p->sched, e);
	if (r < 0)
		return r;
	p->no_new_privs = s->noNewPrivileges.v;
	p->oom_score_adj = s->oomScoreAdj;
	if (s->execCPUAffinity) {
		p->affinity_initial = pb_given(s->execCPUAffinity->initial);
		p->affinity_final = pb_given(s->execCPUAffinity->final);
	}
	return ioprio(b, s->ioPriority, p, e);
}

int pb_personality(struct pb *b, struct opt_u64 *ret, struct err *e)
{
	static const struct name_val domains[] = {{"LINUX", 0}, {"LINUX32", 8}};
	const struct spec_personality *s = b->l->personality;
	long v;
	int r;

	if (!s)
		return 0;
	r = PB_WORD(b, domains, s->domain, &v, e, "linux.personality.domain");
	if (r < 0)
		return r;
	if (s->flags.n)
		return pb_refuse(b, e,
				 "linux.personality.flags: the spec defines none, found \"%s\"",
				 s->flags.v[0]);
	*ret = (struct opt_u64){true, (uint64_t) v};
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process may: filters, no_new_privs, capabilities, ids, limits, labels.
 *
 * Which differences are drift follows from what the kernel lets a process do to itself. It cannot take a filter off, unset
 * no_new_privs, or get capabilities beyond its bounding and inheritable sets; execve(2) may give it any of those
 * (capabilities(7)), unless no_new_privs is set. It may lower its hard limits and move its soft limits below them.
 */
#include <linux/capability.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "inspect/inspect.h"

#define GROUP "process"

static const char *u64_text(struct inspect *in, uint64_t v)
{
	return v == UINT64_MAX ? "unlimited" : arena_printf(in->a, "%llu", (unsigned long long) v);
}

/* ---- filters ---- */

static enum inspect_verdict judge_filters(const struct seen_proc *s, size_t want, const char **note)
{
	if (!s->st.seccomp.set)
		return INSPECT_UNSEEN;
	if (want && s->st.seccomp.v != 2) {
		*note = "every system call can be made";
		return INSPECT_DRIFT;
	}
	if (!want)
		return s->st.seccomp.v ? INSPECT_STRICTER : INSPECT_OK;
	if (!s->st.filters.set) {
		*note = "how many, the kernel does not tell before Linux 5.9";
		return INSPECT_OK;
	}
	if (s->st.filters.v > want)
		*note = "kavach's caller, or the workload itself, has added to them";
	return s->st.filters.v < want	? INSPECT_DRIFT
	       : s->st.filters.v > want ? INSPECT_STRICTER
					: INSPECT_OK;
}

static const char *filters_text(struct inspect *in, const struct seen_proc *s)
{
	static const char *const modes[] = {"none", "strict mode"};

	if (!s->st.seccomp.set)
		return "?";
	if (s->st.seccomp.v < ARRAY_LEN(modes))
		return modes[s->st.seccomp.v];
	if (!s->st.filters.set)
		return "filtered";
	return arena_printf(in->a, "%llu filter%s", (unsigned long long) s->st.filters.v,
			    s->st.filters.v == 1 ? "" : "s");
}

void inspect_filters(struct inspect *in, const struct seen_proc *s)
{
	size_t want = pol_filters(in->p);
	const char *note = NULL;
	enum inspect_verdict v = judge_filters(s, want, &note);

	if (!inspect_add(in, GROUP, "seccomp", v,
			 want ? arena_printf(in->a, "%zu filter%s", want, want == 1 ? "" : "s")
			      : "none",
			 filters_text(in, s), note)) {
		in->measured.seccomp.set = false;
		in->measured.stacked.n = 0;
	}
}

static void no_new_privs(struct inspect *in, const struct seen_proc *s)
{
	bool want = in->p->process.no_new_privs, have = s->st.no_new_privs.v;
	enum inspect_verdict v = !s->st.no_new_privs.set ? INSPECT_UNSEEN
				 : want == have		 ? INSPECT_OK
				 : have			 ? INSPECT_STRICTER
							 : INSPECT_DRIFT;
	const char *note = NULL;

	if (v == INSPECT_DRIFT && in->is_exec && !in->p->exec_limits.no_new_privs) {
		note = "exec may add processes without it";
		v = INSPECT_KNOWN;
	}
	if (!inspect_add(in, GROUP, "no new privileges", v, want ? "set" : "not set",
			 !s->st.no_new_privs.set ? "?"
			 : have			 ? "set"
						 : "not set",
			 note))
		in->measured.process.no_new_privs = false;
}

/* ---- ids ---- */

static uint32_t to_host(const pol_idmaps *m, uint32_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (id >= m->v[i].container && id - m->v[i].container < m->v[i].size)
			return (uint32_t) (m->v[i].host + (id - m->v[i].container));
	return id;
}

static bool all_are(const uint32_t ids[4], uint32_t id)
{
	return ids[0] == id && ids[1] == id && ids[2] == id && ids[3] == id;
}

static const char *ids_text(struct inspect *in, const uint32_t ids[4])
{
	return all_are(ids, ids[0])
		       ? arena_printf(in->a, "%u", ids[0])
		       : arena_printf(in->a, "%u %u %u %u", ids[0], ids[1], ids[2], ids[3]);
}

static bool may_have(const struct policy *p, unsigned cap)
{
	const struct pol_caps *c = &p->process.caps;

	return (c->permitted | c->bounding | c->inheritable) >> cap & 1;
}

/* An id that is not the policy's: the workload may have changed it if it has, or can get, the privilege. */
static enum inspect_verdict judge_id(struct inspect *in, const uint32_t have[4], uint32_t want,
				     uint32_t root, unsigned cap, const char **note)
{
	bool has_root = have[0] == root || have[1] == root || have[2] == root || have[3] == root;

	if (all_are(have, want))
		return INSPECT_OK;
	if (want == root && !has_root) {
		*note = "it has given up being root";
		return INSPECT_STRICTER;
	}
	if (may_have(in->p, cap) || !in->p->process.no_new_privs) {
		*note = in->p->process.no_new_privs
				? "changed by the workload, which has the capability"
				: "changed by the workload, or by a set-id program";
		return INSPECT_KNOWN;
	}
	return INSPECT_DRIFT;
}

static void one_id(struct inspect *in, const char *what, bool known, const uint32_t have[4],
		   uint32_t inside, const pol_idmaps *map, unsigned cap)
{
	uint32_t want = to_host(map, inside), root = to_host(map, 0);
	const char *note = NULL;
	enum inspect_verdict v = known ? judge_id(in, have, want, root, cap, &note)
				       : INSPECT_UNSEEN;

	inspect_add(in, GROUP, what, v, arena_printf(in->a, "%u", want),
		    known ? ids_text(in, have) : "?", note);
}

static bool has_group(const struct policy *p, uint32_t gid)
{
	for (size_t i = 0; i < p->process.groups.n; i++)
		if (to_host(&p->gid_map, (uint32_t) p->process.groups.v[i]) == gid)
			return true;
	return to_host(&p->gid_map, p->process.gid) == gid;
}

static const char *groups_text(struct inspect *in, const uint64_t *v, size_t n, const pol_idmaps *m)
{
	const char *s = n ? "" : "none";

	for (size_t i = 0; i < n && i < 6; i++)
		s = arena_printf(in->a, "%s%s%u", s, i ? " " : "",
				 m ? to_host(m, (uint32_t) v[i]) : (uint32_t) v[i]);
	return n > 6 ? arena_printf(in->a, "%s and %zu more", s, n - 6) : s;
}

static void groups(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s,
		   bool known)
{
	const struct u64s *want = &in->p->process.groups, *have = &s->st.groups;
	enum inspect_verdict v = INSPECT_OK;
	const char *note = NULL;
	size_t more = 0;

	for (size_t i = 0; i < have->n; i++)
		more += !has_group(in->p, (uint32_t) have->v[i]);
	if (!known || !s->st.has_groups)
		v = INSPECT_UNSEEN;
	else if (more && (in->p->process.keep_groups || w->rootless)) {
		v = INSPECT_KNOWN;
		note = "those of who created the container, which could not be given up";
	} else if (more && may_have(in->p, CAP_SETGID)) {
		v = INSPECT_KNOWN;
		note = "changed by the workload, which has the capability";
	} else if (more)
		v = INSPECT_DRIFT;
	else if (have->n < want->n)
		v = INSPECT_STRICTER;
	inspect_add(in, GROUP, "groups", v, groups_text(in, want->v, want->n, &in->p->gid_map),
		    s->st.has_groups ? groups_text(in, have->v, have->n, NULL) : "?", note);
}

static void ids(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s)
{
	bool known = s->st.has_ids && inspect_ids_known(in, w, s);
	const struct pol_ns *user = pol_ns_find(in->p, POL_NS_USER);
	const struct pol_process *p = &in->p->process;
	/* of a namespace that was joined, the maps are the kernel's */
	const pol_idmaps *u = user && user->path ? &s->uid_map : &in->p->uid_map,
			 *g = user && user->path ? &s->gid_map : &in->p->gid_map;

	one_id(in, "user", known, s->st.uid, p->uid, u, CAP_SETUID);
	one_id(in, "group", known, s->st.gid, p->gid, g, CAP_SETGID);
	if (!user || !user->path)
		groups(in, w, s, known);
}

/* ---- limits ---- */

static enum inspect_verdict judge_limit(struct inspect *in, const struct pol_rlimit *want,
					const struct seen_limit *have, const char **note)
{
	if (!have->set)
		return INSPECT_UNSEEN;
	if (have->hard == want->hard && have->soft == want->soft)
		return INSPECT_OK;
	if (have->hard > want->hard) {
		if (may_have(in->p, CAP_SYS_RESOURCE) && !pol_ns_find(in->p, POL_NS_USER)) {
			*note = "raised by the workload, which has the capability";
			return INSPECT_KNOWN;
		}
		return INSPECT_DRIFT;
	}
	if (have->hard < want->hard)
		return INSPECT_STRICTER;
	*note = "a process may move its soft limit";
	return INSPECT_KNOWN;
}

static const char *limit_text(struct inspect *in, uint64_t soft, uint64_t hard)
{
	return soft == hard ? u64_text(in, soft)
			    : arena_printf(in->a, "%s, at most %s", u64_text(in, soft),
					   u64_text(in, hard));
}

static void limits(struct inspect *in, const struct seen_proc *s)
{
	for (size_t i = 0; i < in->p->process.rlimits.n; i++) {
		const struct pol_rlimit *want = &in->p->process.rlimits.v[i];
		const char *note = NULL;

		for (size_t k = 0; k < RLIMIT_NAMES_N; k++) {
			const struct seen_limit *have = &s->limits[k];
			enum inspect_verdict v;

			if ((uint32_t) rlimit_names[k].val != want->resource)
				continue;
			v = judge_limit(in, want, have, &note);
			inspect_add(in, "limits", rlimit_names[k].name, v,
				    limit_text(in, want->soft, want->hard),
				    have->set ? limit_text(in, have->soft, have->hard) : "?", note);
		}
	}
}

static void oom_score(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s)
{
	const struct opt_i64 *want = &in->p->process.oom_score_adj, *have = &s->oom_score_adj;
	enum inspect_verdict v = INSPECT_OK;
	const char *note = NULL;

	if (!want->set)
		return;
	if (!have->set) {
		v = INSPECT_UNSEEN;
	} else if (have->v > want->v) { /* everybody may offer himself first */
		v = INSPECT_KNOWN;
		note = w->rootless ? "an ordinary user's container may not be lower"
				   : "raised by the workload";
	} else if (have->v < want->v) {
		v = may_have(in->p, CAP_SYS_RESOURCE) ? INSPECT_KNOWN : INSPECT_DRIFT;
	}
	inspect_add(in, "limits", "oom_score_adj", v,
		    arena_printf(in->a, "%lld", (long long) want->v),
		    have->set ? arena_printf(in->a, "%lld", (long long) have->v) : "?", note);
}

/* ---- security modules ---- */

static enum inspect_verdict judge_apparmor(const char *want, const char *have, const char **note)
{
	const char *rest = have ? str_prefix(have, want) : NULL;

	if (!have)
		return INSPECT_UNSEEN;
	if (str_eq(want, have) || str_eq0(rest, " (enforce)"))
		return INSPECT_OK;
	if (str_eq0(rest, " (complain)") || str_eq0(rest, " (unconfined)")) {
		*note = "the profile is loaded, but denies nothing";
		/* the profile itself is in that mode: who loads profiles decides that */
		return INSPECT_KNOWN;
	}
	if (rest && str_prefix(rest, "//")) {
		*note = "a subprofile, which the profile allows it to enter";
		return INSPECT_KNOWN;
	}
	return INSPECT_DRIFT;
}

static void labels(struct inspect *in, const struct seen_proc *s)
{
	const struct pol_process *p = &in->p->process;
	const char *note = NULL, *have = s->apparmor ? s->apparmor : s->label;
	enum inspect_verdict v;

	if (!str_empty(p->apparmor)) {
		v = judge_apparmor(p->apparmor, have, &note);
		if (v == INSPECT_DRIFT && in->is_exec) {
			v = INSPECT_KNOWN;
			note = "exec may add processes with another one";
		}
		inspect_add(in, GROUP, "AppArmor profile", v, p->apparmor, have ? have : "?", note);
	}
	if (!str_empty(p->selinux)) {
		v = !s->label			   ? INSPECT_UNSEEN
		    : str_eq(p->selinux, s->label) ? INSPECT_OK
		    : in->is_exec		   ? INSPECT_KNOWN
						   : INSPECT_DRIFT;
		inspect_add(in, GROUP, "SELinux label", v, p->selinux, s->label ? s->label : "?",
			    v == INSPECT_KNOWN ? "exec may add processes with another one" : NULL);
	}
}

/* There is no file that shows the Landlock domain of another process, and no call. */
static void landlock(struct inspect *in)
{
	size_t n = in->p->landlock.n;

	if (n && !inspect_add(in, GROUP, "Landlock", INSPECT_UNSEEN,
			      arena_printf(in->a, "%zu layer%s", n, n == 1 ? "" : "s"), "?",
			      "the kernel shows nobody what Landlock a process is under"))
		in->measured.landlock.n = 0;
}

/* ---- cgroups ---- */

static const struct seen_cgroup *find_cgroup(const seen_cgroups *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

static void lose_limits(struct inspect *in)
{
	in->measured.resources = (struct pol_resources){0};
}

void inspect_cgroups(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s)
{
	for (size_t i = 0; i < w->cgroups.n; i++) {
		const struct seen_cgroup *want = &w->cgroups.v[i];
		const struct seen_cgroup *have = find_cgroup(&s->cgroups, want->name);
		bool there = have && path_below(have->path, want->path);

		if (!inspect_add(in, "control groups", *want->name ? want->name : "cgroup2",
				 !have	 ? INSPECT_UNSEEN
				 : there ? INSPECT_OK
					 : INSPECT_DRIFT,
				 want->path, have ? have->path : "?",
				 have && !there ? "its limits are not those of the container"
						: NULL))
			lose_limits(in);
	}
}

/* ---- all of it ---- */

void inspect_process(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s,
		     const struct seen_proc *init)
{
	in->is_exec = init != NULL;
	inspect_namespaces(in, w, s, init);
	inspect_cgroups(in, w, s);
	if (!in->p->has_process)
		return;
	inspect_filters(in, s);
	no_new_privs(in, s);
	labels(in, s);
	landlock(in);
	/* exec may have another user, and other limits */
	if (!init)
		ids(in, w, s);
	inspect_caps(in, w, s);
	if (!init) {
		limits(in, s);
		oom_score(in, w, s);
	}
	in->is_exec = false;
}

size_t inspect_other(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s,
		     const struct seen_proc *init)
{
	size_t before = in->n_verdict[INSPECT_DRIFT];

	in->other = s->pid;
	in->is_exec = true;
	in->others++;
	inspect_namespaces(in, w, s, init);
	inspect_cgroups(in, w, s);
	inspect_filters(in, s);
	no_new_privs(in, s);
	inspect_caps(in, w, s);
	labels(in, s);
	in->other = 0;
	in->is_exec = false;
	return in->n_verdict[INSPECT_DRIFT] - before;
}

const struct inspect_row *inspect_guard(const struct policy *p, const struct inspect_world *w,
					const struct seen_proc *s, struct arena *a)
{
	struct inspect in;

	inspect_begin(&in, p, a);
	for (size_t i = 0; i < p->ns.n; i++)
		if (!p->ns.v[i].path && p->ns.v[i].type != POL_NS_TIME &&
		    s->ns[p->ns.v[i].type] == w->self->ns[p->ns.v[i].type])
			inspect_add(&in, "namespaces",
				    name_of(ns_names, ns_names_n, (long) p->ns.v[i].type),
				    INSPECT_DRIFT, "its own", "the host's", NULL);
	if (p->has_process) {
		inspect_filters(&in, s);
		no_new_privs(&in, s);
		inspect_caps(&in, w, s);
	}
	for (size_t i = 0; i < in.rows.n; i++)
		if (in.rows.v[i].verdict == INSPECT_DRIFT || in.rows.v[i].verdict == INSPECT_UNSEEN)
			return arena_memdup(a, &in.rows.v[i], sizeof(in.rows.v[i]));
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities. What a process may get to by itself is computed as the kernel does (capabilities(7)): execve(2) gives root
 * its bounding set, unless no_new_privs is on; capset(2) makes inheritable what is permitted or in the bounding set; ambient
 * is what is both. In a user namespace that it has made for itself a process has all of them, for what belongs to that.
 */
#include <string.h>

#include "base/str.h"
#include "inspect/inspect.h"

static const char *const cap_sets[SEEN_CAPS_MAX] = {
	[SEEN_INH] = "inheritable", [SEEN_PRM] = "permitted", [SEEN_EFF] = "effective",
	[SEEN_BND] = "bounding",    [SEEN_AMB] = "ambient",
};

struct cap_bounds {
	uint64_t want[SEEN_CAPS_MAX], most[SEEN_CAPS_MAX];
};

/* What the policy says, and what the kernel lets such a process get to by execve(2), capset(2) and prctl(2). */
static void cap_bounds(const struct policy *p, struct cap_bounds *ret)
{
	const struct pol_caps *c = &p->process.caps;
	uint64_t most_prm = c->permitted, most_inh;

	if (!p->process.no_new_privs)
		most_prm |= c->bounding | c->inheritable;
	most_inh = c->inheritable | (most_prm & (c->bounding | c->inheritable));
	*ret = (struct cap_bounds){
		.want = {[SEEN_INH] = c->inheritable,
			 [SEEN_PRM] = c->permitted,
			 [SEEN_EFF] = c->effective,
			 [SEEN_BND] = c->bounding,
			 [SEEN_AMB] = c->ambient},
		.most = {[SEEN_INH] = most_inh,
			 [SEEN_PRM] = most_prm,
			 [SEEN_EFF] = most_prm,
			 [SEEN_BND] = c->bounding,
			 [SEEN_AMB] = most_prm & most_inh},
	};
}

static const char *cap_list(struct inspect *in, uint64_t caps)
{
	const char *s = "";
	int n = 0;

	for (unsigned i = 0; i < 64; i++) {
		const char *name = name_of(cap_names, cap_names_n, (long) i);

		if (!(caps >> i & 1))
			continue;
		if (n++ == 4)
			return arena_printf(in->a, "%s and %d more", s,
					    __builtin_popcountll(caps) - 4);
		s = name ? arena_printf(in->a, "%s%s%s", s, *s ? ", " : "", name + strlen("CAP_"))
			 : arena_printf(in->a, "%s%s%u", s, *s ? ", " : "", i);
	}
	return s;
}

static const char *cap_text(struct inspect *in, uint64_t caps)
{
	int n = __builtin_popcountll(caps);

	return n == 0 ? "none" : n <= 3 ? cap_list(in, caps) : arena_printf(in->a, "%d", n);
}

static bool in_nested_userns(const struct inspect *in, const struct inspect_world *w,
			     const struct seen_proc *s)
{
	const struct pol_ns *user = pol_ns_find(in->p, POL_NS_USER);
	uint64_t ns = s->ns[POL_NS_USER];

	if (!ns || !w->self->ns[POL_NS_USER])
		return false;
	if (!user)
		return ns != w->self->ns[POL_NS_USER];
	if (user->path)
		return w->joined[POL_NS_USER] && ns != w->joined[POL_NS_USER];
	return s->userns_parent && s->userns_parent != w->self->ns[POL_NS_USER];
}

static bool exec_may(const struct inspect *in, uint64_t caps)
{
	const struct pol_exec_limits *l = &in->p->exec_limits;

	return in->is_exec && !(l->set && (caps & l->caps_denied));
}

static enum inspect_verdict judge_caps(struct inspect *in, const struct inspect_world *w,
				       const struct seen_proc *s, size_t set,
				       const struct cap_bounds *b, const char **note)
{
	uint64_t have = s->st.caps[set], more = have & ~b->want[set], over = have & ~b->most[set];

	if (!s->st.has_caps[set])
		return INSPECT_UNSEEN;
	if (have == b->want[set])
		return INSPECT_OK;
	if (!more) {
		*note = arena_printf(in->a, "without %s", cap_list(in, b->want[set] & ~have));
		return INSPECT_STRICTER;
	}
	*note = arena_printf(in->a, "also %s", cap_list(in, more));
	if (!over) {
		*note = arena_printf(in->a, "%s: given by execve(2), within the bounding set",
				     *note);
		return INSPECT_KNOWN;
	}
	if (in_nested_userns(in, w, s)) {
		*note = "in a user namespace that it has made for itself";
		return INSPECT_KNOWN;
	}
	if (exec_may(in, over)) {
		*note = arena_printf(in->a, "%s: only exec can have added it", *note);
		return INSPECT_KNOWN;
	}
	return INSPECT_DRIFT;
}

static uint64_t *measured_set(struct inspect *in, size_t set)
{
	struct pol_caps *c = &in->measured.process.caps;
	uint64_t *const sets[SEEN_CAPS_MAX] = {
		[SEEN_INH] = &c->inheritable, [SEEN_PRM] = &c->permitted,
		[SEEN_EFF] = &c->effective,   [SEEN_BND] = &c->bounding,
		[SEEN_AMB] = &c->ambient,
	};

	return sets[set];
}

void inspect_caps(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s)
{
	struct cap_bounds b;

	cap_bounds(in->p, &b);
	for (size_t i = 0; i < SEEN_CAPS_MAX; i++) {
		const char *note = NULL;
		enum inspect_verdict v = judge_caps(in, w, s, i, &b, &note);

		if (!inspect_add(in, "capabilities", cap_sets[i], v, cap_text(in, b.want[i]),
				 s->st.has_caps[i] ? cap_text(in, s->st.caps[i]) : "?", note))
			/* a set that nobody sees may be full */
			*measured_set(in, i) |= s->st.has_caps[i] ? s->st.caps[i]
								  : UINT64_MAX >> 23;
	}
}

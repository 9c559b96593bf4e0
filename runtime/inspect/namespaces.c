/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces and id maps. The inode numbers of what a start has made are on no record, for looking them up would cost
 * the start; what is known is that a namespace of its own is not kavach's, nor that of process 1, and that one that was
 * joined is the one that the path of the configuration leads to.
 */
#include <stdlib.h>
#include <string.h>

#include "inspect/inspect.h"

static const char *number(struct inspect *in, uint64_t ino)
{
	return ino ? arena_printf(in->a, "%llu", (unsigned long long) ino) : "?";
}

static bool is_host(const struct inspect_world *w, uint32_t t, uint64_t ino)
{
	return ino == w->self->ns[t] || (w->one && ino == w->one->ns[t]);
}

static void forget_ns(struct inspect *in, uint32_t type)
{
	pol_nss *l = &in->measured.ns;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type == type) {
			memmove(&l->v[i], &l->v[i + 1], (l->n - i - 1) * sizeof(*l->v));
			l->n--;
			return;
		}
}

static enum inspect_verdict judge_own(const struct inspect_world *w, uint32_t t,
				      const struct seen_proc *s, const char **note)
{
	if (!s->ns[t] || !w->self->ns[t]) {
		*note = "the kernel does not show it to this user";
		return INSPECT_UNSEEN;
	}
	if (!is_host(w, t, s->ns[t]))
		return INSPECT_OK;
	*note = "it is the namespace of the host";
	return INSPECT_DRIFT;
}

static enum inspect_verdict judge_joined(const struct inspect_world *w, uint32_t t,
					 const struct seen_proc *s, const struct seen_proc *init,
					 const char **note)
{
	uint64_t want = w->joined[t] ? w->joined[t] : init ? init->ns[t] : 0;

	if (!s->ns[t]) {
		*note = "the kernel does not show it to this user";
		return INSPECT_UNSEEN;
	}
	if (!want) {
		*note = is_host(w, t, s->ns[t])
				? "it is the namespace of the host"
				: "it is not the host's; the path does not lead to it any more";
		return is_host(w, t, s->ns[t]) ? INSPECT_DRIFT : INSPECT_KNOWN;
	}
	if (s->ns[t] == want)
		return INSPECT_OK;
	if (init && !is_host(w, t, s->ns[t])) {
		*note = "it has made one for itself";
		return INSPECT_KNOWN;
	}
	*note = "it is another namespace";
	return INSPECT_DRIFT;
}

static enum inspect_verdict judge_host(const struct inspect_world *w, uint32_t t,
				       const struct seen_proc *s, const char **note)
{
	if (!s->ns[t]) {
		*note = "the kernel does not show it to this user";
		return INSPECT_UNSEEN;
	}
	if (is_host(w, t, s->ns[t]))
		return INSPECT_OK;
	*note = "it has one that the policy does not know of, or kavach runs in another one now";
	return INSPECT_STRICTER;
}

static void one_namespace(struct inspect *in, const struct inspect_world *w, uint32_t t,
			  const struct seen_proc *s, const struct seen_proc *init)
{
	const struct pol_ns *ns = pol_ns_find(in->p, t);
	const char *name = name_of(ns_names, ns_names_n, (long) t), *note = NULL;
	enum inspect_verdict v;

	/* a kernel without the kind; the policy has none then */
	if (!ns && !s->ns[t] && !w->self->ns[t])
		return;
	v = !ns	       ? judge_host(w, t, s, &note)
	    : ns->path ? judge_joined(w, t, s, init, &note)
		       : judge_own(w, t, s, &note);
	if (!inspect_add(in, "namespaces", name, v,
			 !ns	    ? "the host's"
			 : ns->path ? ns->path
				    : "its own",
			 number(in, s->ns[t]), note))
		forget_ns(in, t);
}

/* ---- id maps ---- */

static int by_inside(const void *x, const void *y)
{
	const struct pol_idmap *a = x, *b = y;

	return (a->container > b->container) - (a->container < b->container);
}

static const char *map_text(struct inspect *in, const pol_idmaps *m)
{
	const char *s = "";

	for (size_t i = 0; i < m->n && i < 4; i++)
		s = arena_printf(in->a, "%s%s%llu:%llu:%llu", s, i ? " " : "",
				 (unsigned long long) m->v[i].container,
				 (unsigned long long) m->v[i].host,
				 (unsigned long long) m->v[i].size);
	return m->n > 4 ? arena_printf(in->a, "%s and %zu more", s, m->n - 4) : s;
}

static bool same_map(struct inspect *in, const pol_idmaps *want, const pol_idmaps *have)
{
	struct pol_idmap *v;

	if (want->n != have->n || !want->n)
		return want->n == have->n;
	v = arena_memdup(in->a, want->v, want->n * sizeof(*v));
	qsort(v, want->n, sizeof(*v), by_inside);
	for (size_t i = 0; i < want->n; i++)
		if (v[i].container != have->v[i].container || v[i].host != have->v[i].host ||
		    v[i].size != have->v[i].size)
			return false;
	return true;
}

bool inspect_ids_known(const struct inspect *in, const struct inspect_world *w,
		       const struct seen_proc *s)
{
	const struct pol_ns *user = pol_ns_find(in->p, POL_NS_USER);
	uint64_t expected;

	if (!s->ns[POL_NS_USER] || !w->self->ns[POL_NS_USER])
		return false;
	if (!user)
		return s->ns[POL_NS_USER] == w->self->ns[POL_NS_USER];
	/* joined: ids are as they are mapped there; its own: its parent is where kavach was */
	expected = s->userns_parent;
	return user->path ? true : !expected || expected == w->self->ns[POL_NS_USER];
}

static void id_maps(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s)
{
	const struct pol_ns *user = pol_ns_find(in->p, POL_NS_USER);
	const struct {
		const char *what;
		const pol_idmaps *want, *have;
	} rows[] = {{"user ids", &in->p->uid_map, &s->uid_map},
		    {"group ids", &in->p->gid_map, &s->gid_map}};

	if (!user || user->path)
		return;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool known = s->has_maps && inspect_ids_known(in, w, s);
		bool same = known && same_map(in, rows[i].want, rows[i].have);

		if (!inspect_add(
			    in, "namespaces", rows[i].what,
			    !known ? INSPECT_UNSEEN
			    : same ? INSPECT_OK
				   : INSPECT_DRIFT,
			    map_text(in, rows[i].want),
			    s->has_maps ? map_text(in, rows[i].have) : "?",
			    known ? NULL
				  : "it is seen from another user namespace than it was made in"))
			forget_ns(in, POL_NS_USER);
	}
}

void inspect_namespaces(struct inspect *in, const struct inspect_world *w,
			const struct seen_proc *s, const struct seen_proc *init)
{
	for (uint32_t t = 1; t < POL_NS_MAX; t++)
		one_namespace(in, w, t, s, init);
	if (!init)
		id_maps(in, w, s);
}

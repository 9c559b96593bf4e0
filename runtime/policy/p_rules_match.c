/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules are about a container. Annotations are the word of whoever wrote config.json: a rule that matches one
 * can tighten for those who say so, but to keep people out it takes a default for those who say nothing.
 */
#include "base/path.h"
#include "policy/p_rules.h"

/* '*' is any text, everything else itself. The last star that failed is tried again one byte further: at most
 * strlen(pattern) * strlen(s) steps. */
static bool fits(const char *pattern, const char *s)
{
	const char *star = NULL, *again = NULL;

	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			again = s;
		} else if (*pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star + 1;
			s = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool rule_pattern_fits(const struct strs *patterns, const char *s)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (fits(patterns->v[i], s))
			return true;
	return false;
}

/* ---- namespaces of engines ---- */

/* The shim's bundle: .../io.containerd.runtime.v2.task/NAMESPACE/ID */
static char *containerd_namespace(struct arena *a, const char *bundle)
{
	static const char dir[] = "/io.containerd.runtime.v2.task/";
	const char *s = strstr(bundle, dir), *end;

	if (!s)
		return NULL;
	s += sizeof(dir) - 1;
	end = strchr(s, '/');
	return end ? arena_printf(a, "containerd/%.*s", (int) (end - s), s) : NULL;
}

/* What stands in annotations: with a value, the name of the engine that says so; without one, a Kubernetes namespace. */
static const struct {
	const char *annotation, *value, *name;
} engine_rows[] = {
	{"io.container.manager", "libpod", "podman"},
	{"io.container.manager", "cri-o", "cri-o"},
	{"io.kubernetes.cri.sandbox-namespace", NULL, "kubernetes/"}, /* containerd */
	{"io.kubernetes.cri-o.Namespace", NULL, "kubernetes/"},
	{"io.kubernetes.pod.namespace", NULL, "kubernetes/"},
};

struct strs rule_namespaces(const struct pb *b)
{
	struct strs l = {.v = arena_array(b->a, ARRAY_LEN(engine_rows) + 1, sizeof(char *))};
	char *name = containerd_namespace(b->a, b->in->bundle);

	if (name)
		l.v[l.n++] = name;
	for (size_t i = 0; i < ARRAY_LEN(engine_rows); i++) {
		const char *v = pb_annotation(b, engine_rows[i].annotation);

		if (!v || (engine_rows[i].value && !str_eq(v, engine_rows[i].value)))
			continue;
		name = arena_printf(b->a, "%s%s", engine_rows[i].name,
				    engine_rows[i].value ? "" : v);
		if (!strs_has(&l, name))
			l.v[l.n++] = name;
	}
	return l;
}

/* ---- one match ---- */

static bool has_u64(const struct u64s *l, uint64_t v)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == v)
			return true;
	return false;
}

static bool annotations_fit(const struct pb *b, const struct kvs *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const char *v = pb_annotation(b, m->v[i].key);

		if (!v || !fits(m->v[i].val, v))
			return false;
	}
	return true;
}

static bool namespaces_fit(const struct strs *patterns, const struct strs *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (rule_pattern_fits(patterns, names->v[i]))
			return true;
	return false;
}

static bool matches(const struct pb *b, const struct rule_match *m, const struct strs *names)
{
	uint32_t uid = b->in->as_uid.set ? (uint32_t) b->in->as_uid.v : b->h->euid;

	return annotations_fit(b, &m->annotations) &&
	       (!m->namespaces.n || namespaces_fit(&m->namespaces, names)) &&
	       (!m->uids.n || has_u64(&m->uids, uid)) &&
	       (!m->backends.n || has_u64(&m->backends, b->p->backend));
}

static const char *name_of_rule(const struct pb *b, const struct rule *r)
{
	return !r->match  ? "for all containers"
	       : !r->name ? "its match"
			  : arena_printf(b->a, "\"%s\"", r->name);
}

void pb_rules_select(struct pb *b)
{
	struct strs names;
	bool other = false;

	if (!b->rules || !b->rules->n)
		return;
	names = rule_namespaces(b);
	b->in_force = arena_array(b->a, b->rules->n, sizeof(bool));
	for (size_t i = 0; i < b->rules->n; i++) {
		const struct rule_match *m = b->rules->v[i].match;

		if (m && m->otherwise.v)
			continue;
		b->in_force[i] = !m || matches(b, m, &names);
		other |= m && b->in_force[i];
	}
	for (size_t i = 0; i < b->rules->n; i++) {
		const struct rule *r = &b->rules->v[i];

		if (r->match && r->match->otherwise.v)
			b->in_force[i] = !other;
		rule_note(b, b->in_force[i] ? VERDICT_MATCHES : VERDICT_OTHER, r, "",
			  name_of_rule(b, r));
	}
}

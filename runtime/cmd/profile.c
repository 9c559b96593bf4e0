/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a word on the command line to a seccomp profile.
 *
 * The form of podman's and Docker's default profile is an OCI object with more: a map of architectures, and conditions
 * on rules that the engine resolves when it writes config.json. We take it as the engine does for a container that
 * nothing was added to.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "cmd/box.h"
#include "cmd/profile.h"
#include "json/read.h"
#include "spec/spec.h"

/* Go's names of machines, which engines' profiles use */
static const char *go_machine(const char *machine)
{
	static const struct {
		const char *machine, *go;
	} t[] = {
		{"x86_64", "amd64"},
		{"aarch64", "arm64"},
		{"i686", "x86"},
		{"armv7l", "arm"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (str_eq(t[i].machine, machine))
			return t[i].go;
	return machine;
}

static const struct json_node *children(const struct json_node *n, const char *a, const char *b)
{
	n = n && n->type == JSON_OBJECT ? json_get(n, a) : NULL;
	n = n && n->type == JSON_OBJECT ? json_get(n, b) : NULL;
	return n && n->type == JSON_ARRAY ? n->child : NULL;
}

static bool lists(const struct json_node *child, const char *word)
{
	for (; child; child = child->next)
		if (child->type == JSON_STRING && str_eq(child->s, word))
			return true;
	return false;
}

struct engine_form {
	struct globals *g;
	size_t left_out, min_kernel;
	const char *caps; /* the first that rules were left out for */
};

/* Whether the engine would put this rule into config.json. */
static bool taken(struct engine_form *f, const struct json_node *rule)
{
	const struct json_node *caps = children(rule, "includes", "caps");
	const struct json_node *in = children(rule, "includes", "arches");
	const char *machine = go_machine(f->g->host.machine);
	const struct json_node *includes = json_get(rule, "includes");

	if (caps) {
		f->left_out++;
		if (!f->caps && caps->type == JSON_STRING)
			f->caps = caps->s;
		return false;
	}
	if (in && !lists(in, machine))
		return false;
	if (includes && includes->type == JSON_OBJECT && json_get(includes, "minKernel"))
		f->min_kernel++;
	return !lists(children(rule, "excludes", "arches"), machine);
}

/* archMap: the row of this machine, its own name first. */
static struct strs map_archs(struct globals *g, const struct json_node *map,
			     const struct pol_seccomp *native)
{
	struct strs ret = {.set = true};
	const struct json_node *arch, *sub;

	for (const struct json_node *row = map->child; row; row = row->next) {
		if (row->type != JSON_OBJECT)
			continue;
		arch = json_get(row, "architecture");
		sub = json_get(row, "subArchitectures");
		if (!arch || arch->type != JSON_STRING || !str_eq(arch->s, native->archs.v[0]))
			continue;
		ret.v = arena_array(g->a, 1 + (sub ? sub->n : 0), sizeof(*ret.v));
		ret.v[ret.n++] = arch->s;
		for (sub = sub && sub->type == JSON_ARRAY ? sub->child : NULL; sub; sub = sub->next)
			if (sub->type == JSON_STRING)
				ret.v[ret.n++] = sub->s;
	}
	return ret;
}

static bool is_engine_form(const struct json_node *root)
{
	const struct json_node *rules = json_get(root, "syscalls");

	if (json_get(root, "archMap"))
		return true;
	for (const struct json_node *r = rules ? rules->child : NULL; r; r = r->next)
		if (r->type == JSON_OBJECT && (json_get(r, "includes") || json_get(r, "excludes")))
			return true;
	return false;
}

static int resolve_engine_form(struct globals *g, const struct json_node *root,
			       struct spec_seccomp *s, struct profile *ret, struct err *e)
{
	const struct json_node *rules = json_get(root, "syscalls"),
			       *map = json_get(root, "archMap");
	struct engine_form f = {.g = g};
	struct pol_seccomp native;
	size_t n = 0, i = 0;
	int r = policy_seccomp(NULL, "strict", &g->host, g->a, &native, e);

	if (r < 0)
		return r;
	if (map && map->type == JSON_ARRAY)
		s->architectures = map_archs(g, map, &native);
	for (const struct json_node *rule = rules ? rules->child : NULL; rule && i < s->syscalls.n;
	     rule = rule->next, i++)
		if (taken(&f, rule))
			s->syscalls.v[n++] = s->syscalls.v[i];
	s->syscalls.n = n;
	ret->engine = "as an engine takes it for a container without added capabilities";
	if (f.left_out)
		ret->engine = arena_printf(
			g->a, "%s: %zu rules for such with some (%s, ...) are left out",
			ret->engine, f.left_out, f.caps ? f.caps : "?");
	if (f.min_kernel)
		ret->engine = arena_printf(g->a, "%s; %zu rules with a minKernel are taken",
					   ret->engine, f.min_kernel);
	return 0;
}

static int from_spec(struct globals *g, const struct spec_seccomp *s, const char *name,
		     struct profile *ret, struct err *e)
{
	if (!s)
		return err_set_id(e, ERR_CONFIG, -ENOENT,
				  "%s: linux.seccomp: there is none, every call is allowed", name);
	return policy_seccomp(s, name, &g->host, g->a, &ret->seccomp, e);
}

static int from_file(struct globals *g, const char *name, struct profile *ret, struct err *e)
{
	const struct spec_seccomp *s;
	struct spec_seccomp copy;
	const struct spec *spec;
	struct json_doc doc;
	struct bytes text;
	int r = cmd_read_file(g->a, name, JSON_MAX_SIZE, &text, e);

	if (r == 0)
		r = json_read(name, (const char *) text.v, text.n, g->a, &doc, e);
	if (r < 0)
		return r;
	if (doc.root->type == JSON_OBJECT && json_get(doc.root, "ociVersion")) {
		r = spec_parse(name, (const char *) text.v, text.n, g->a, &spec, e);
		return r < 0 ? r
			     : from_spec(g, spec->linux_ ? spec->linux_->seccomp : NULL, name, ret,
					 e);
	}
	r = spec_parse_seccomp(name, (const char *) text.v, text.n, g->a, &s, e);
	if (r < 0)
		return r;
	copy = *s;
	if (is_engine_form(doc.root))
		r = resolve_engine_form(g, doc.root, &copy, ret, e);
	return r < 0 ? r : from_spec(g, &copy, name, ret, e);
}

/* A bundle's own filter is what its container gets last; the filters beside it can only take away. */
static int from_bundle(struct globals *g, const char *path, struct profile *ret, struct err *e)
{
	struct policy_input in = {0};
	struct bundle bd = {0};
	const struct policy *p;
	int r = bundle_load(g, path, NULL, &in, &bd, e);

	if (r < 0)
		return r;
	p = bd.policy;
	if (!p->seccomp.set && p->stacked.n == 0)
		return from_spec(g, NULL, path, ret, e);
	ret->seccomp = p->seccomp.set ? p->seccomp : p->stacked.v[0];
	if (p->stacked.n > (p->seccomp.set ? 0 : 1))
		ret->engine = arena_printf(g->a, "by itself; %s is stacked on it",
					   p->stacked.v[p->stacked.n - 1].source);
	return 0;
}

int profile_load(struct globals *g, const char *what, struct profile *ret, struct err *e)
{
	struct stat st;

	*ret = (struct profile){.title = what};
	if (str_eq(what, "basic") || str_eq(what, "strict")) {
		ret->title = arena_printf(g->a, "profile %s", what);
		return policy_seccomp(NULL, what, &g->host, g->a, &ret->seccomp, e);
	}
	if (stat(what, &st) == 0 && S_ISDIR(st.st_mode))
		return from_bundle(g, what, ret, e);
	return from_file(g, what, ret, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets that a container gets. The rules in force say which, and how; the container's annotation can ask for those
 * that are offered on request, by name, and for nothing else. What a secret *is* nobody here knows: the backend gets it
 * from its source when everything is decided.
 *
 * A secret file stands in a directory that becomes a file system of its own. So nothing else may be mounted there, and
 * it may not be in a bind mount: the directory would have to be made on the host, and the mount could be seen there.
 */
#include <sys/mount.h>

#include "base/path.h"
#include "policy/p_rules.h"

#define ASKED "io.kavach.secrets"
#define SECRETS_MAX 64

/* ---- which ---- */

/* "a, b,c" */
static struct strs asked_for(const struct pb *b)
{
	const char *text = pb_annotation(b, ASKED);
	struct strs l = text ? str_split(b->a, text, ',') : (struct strs){0};

	for (size_t i = 0; i < l.n; i++) {
		size_t n;

		l.v[i] += strspn(l.v[i], " ");
		for (n = strlen(l.v[i]); n && l.v[i][n - 1] == ' '; n--)
			l.v[i][n - 1] = '\0';
	}
	return l;
}

static struct pol_secret *find(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->secrets.n; i++)
		if (str_eq(p->secrets.v[i].name, name))
			return &p->secrets.v[i];
	return NULL;
}

static bool same_strs(const struct strs *a, const struct strs *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; i < a->n && same; i++)
		same = str_eq(a->v[i], b->v[i]);
	return same;
}

static bool same(const struct pol_secret *a, const struct pol_secret *b)
{
	return a->source == b->source && same_strs(&a->from, &b->from) && a->give == b->give &&
	       str_eq0(a->target, b->target) && a->mode == b->mode && a->uid == b->uid &&
	       a->gid == b->gid && a->required == b->required && a->exec == b->exec;
}

static struct pol_secret decided(const struct pb *b, const struct rule *r, size_t i)
{
	const struct rule_secret *s = &r->secrets.v[i];
	struct pol_secret p = {
		.name = s->name,
		.source = s->source,
		.from = s->from,
		.give = s->give,
		.target = s->target,
		.required = s->required,
		.exec = s->exec,
		.at = arena_printf(b->a, "rules file %s: %s", r->at.file,
				   rule_key(b->a, r, arena_printf(b->a, "secrets[%zu]", i))),
	};

	if (s->give == POL_SECRET_FILE) {
		p.mode = s->mode;
		p.uid = s->uid.set ? (uint32_t) s->uid.v : b->p->process.uid;
		p.gid = s->gid.set ? (uint32_t) s->gid.v : b->p->process.gid;
	}
	return p;
}

/* Sorted by name, so that the order of rules files changes nothing in the policy. */
static void insert(struct pb *b, const struct pol_secret *s)
{
	struct policy *p = b->p;
	struct pol_secret *v = arena_array(b->a, p->secrets.n + 1, sizeof(*v));
	size_t at = 0;

	while (at < p->secrets.n && strcmp(p->secrets.v[at].name, s->name) < 0)
		at++;
	if (p->secrets.n) {
		memcpy(v, p->secrets.v, at * sizeof(*v));
		memcpy(v + at + 1, p->secrets.v + at, (p->secrets.n - at) * sizeof(*v));
	}
	v[at] = *s;
	p->secrets.v = v;
	p->secrets.n++;
}

static const char *words(struct arena *a, const struct pol_secret *s)
{
	switch (s->give) {
	case POL_SECRET_ENV: return arena_printf(a, "the variable %s", s->target);
	case POL_SECRET_STDIN: return "its standard input";
	default: return s->target;
	}
}

static int give(struct pb *b, const struct rule *r, size_t i, struct err *e)
{
	const struct pol_secret s = decided(b, r, i);
	const struct pol_secret *other = find(b->p, s.name);

	if (other && !same(other, &s))
		return err_set_id(
			e, ERR_CONFIG, -EINVAL,
			"%s: \"%s\" is another secret, or given in another way, than that "
			"of %s, and both are for this container",
			s.at, s.name, other->at);
	if (b->p->secrets.n == SECRETS_MAX)
		return err_set_id(e, ERR_CONFIG, -E2BIG,
				  "%s: more than %d secrets for one container", s.at, SECRETS_MAX);
	if (!other)
		insert(b, &s);
	if (b->in->report)
		rule_note(b, VERDICT_SETS, r, arena_printf(b->a, "secrets[%zu]", i),
			  arena_printf(b->a, "gives the secret %s as %s", s.name, words(b->a, &s)));
	return 0;
}

static int select_secrets(struct pb *b, const struct strs *asked, struct err *e)
{
	int err = 0;

	for (size_t i = 0; b->rules && i < b->rules->n; i++) {
		const struct rule *r = &b->rules->v[i];

		for (size_t k = 0; b->in_force[i] && k < r->secrets.n && err == 0; k++) {
			const struct rule_secret *s = &r->secrets.v[k];

			if (!s->on_request || strs_has(asked, s->name))
				err = give(b, r, k, e);
			else if (b->in->report)
				rule_note(b, VERDICT_HOLDS, r,
					  arena_printf(b->a, "secrets[%zu]", k),
					  arena_printf(b->a,
						       "offers the secret %s, which is not "
						       "asked for",
						       s->name));
		}
	}
	return err;
}

/* ---- where ---- */

static int refuse(const struct pol_secret *s, struct err *e, const char *why)
{
	return err_set_id(e, ERR_CONFIG, -EINVAL, "%s: the secret %s cannot be given as %s: %s",
			  s->at, s->name, s->target ? s->target : "standard input", why);
}

static bool is_bind(const struct pol_mount *m)
{
	return m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
}

/* In memory, and the container's alone: a directory can be made there. */
static bool is_own_memory(const struct pol_mount *m)
{
	return m->kind == POL_MOUNT_FS && (str_eq(m->type, "tmpfs") || str_eq(m->type, "ramfs"));
}

static int check_mounts(struct pb *b, const struct pol_secret *s, const char *dir, struct err *e)
{
	for (size_t i = 0; i < b->p->mounts.n; i++) {
		const struct pol_mount *m = &b->p->mounts.v[i];

		if (m->kind == POL_MOUNT_REMOUNT)
			continue;
		if (path_below(m->destination, dir))
			return refuse(
				s, e,
				arena_printf(b->a,
					     "%s: mounts[%u].destination: %s would be covered; "
					     "give one of them another place",
					     b->config, m->config_index, m->destination));
		if (path_below(dir, m->destination) && !is_own_memory(m))
			return refuse(
				s, e,
				arena_printf(b->a,
					     "%s: mounts[%u].destination: %s is above it, and "
					     "%s; give the secret another place",
					     b->config, m->config_index, m->destination,
					     is_bind(m) ? "the host can see what is mounted there"
							: "no directory of ours goes there"));
	}
	for (size_t i = 0; i < b->p->masked.n; i++)
		if (path_below(dir, b->p->masked.v[i]))
			return refuse(s, e,
				      arena_printf(b->a, "%s: linux.maskedPaths[%zu]: %s hides it",
						   b->config, i, b->p->masked.v[i]));
	return 0;
}

static bool is_mapped(const struct pb *b, const pol_idmaps *map, uint32_t id)
{
	uint64_t outside;

	return fact_ns(b->p, POL_NS_USER) != FACT_NS_OWN || !map->n ||
	       pb_map_id(map, id, 1, &outside);
}

static int check_file(struct pb *b, const struct pol_secret *s, struct err *e)
{
	const char *dir = pol_secret_dir(b->a, s);

	if (!is_mapped(b, &b->p->uid_map, s->uid))
		return refuse(s, e,
			      arena_printf(b->a, "user %u is not in linux.uidMappings", s->uid));
	if (!is_mapped(b, &b->p->gid_map, s->gid))
		return refuse(s, e,
			      arena_printf(b->a, "group %u is not in linux.gidMappings", s->gid));
	for (const struct pol_secret *o = b->p->secrets.v; o < s; o++) {
		const char *theirs = pol_secret_dir(b->a, o);

		if (theirs && !str_eq(theirs, dir) &&
		    (path_below(dir, theirs) || path_below(theirs, dir)))
			return refuse(s, e,
				      arena_printf(b->a,
						   "the directory of %s is above or below; use the "
						   "same one for both",
						   o->target));
	}
	return check_mounts(b, s, dir, e);
}

/* What a host reads from a file or a program the host knows, and that is whom a confidential guest is kept from. A broker
 * gives secrets to a guest that proves what it is, which a report of SEV-SNP does and nothing else. */
static int check_source(struct pb *b, const struct pol_secret *s, struct err *e)
{
	const char *why = NULL;

	if (s->source != POL_SECRET_FROM_BROKER && b->p->backend >= POL_BACKEND_SEV)
		why = "its source is on the host, from which a confidential VM takes no secrets";
	else if (s->source == POL_SECRET_FROM_BROKER && b->p->backend < POL_BACKEND_SEV)
		why = "its source is a broker, which gives it to a confidential VM only";
	else if (s->source == POL_SECRET_FROM_BROKER && b->p->backend != POL_BACKEND_SEV_SNP)
		why = "its source is a broker, which wants a report that only SEV-SNP has; SEV and "
		      "SEV-ES have secrets of the launch";
	else if (s->source == POL_SECRET_FROM_BROKER && !b->rules->vm.broker)
		why = "its source is a broker, and no rules file says where that is (vm.broker)";
	return why ? err_set_id(e, ERR_CONFIG, -ENOTSUP, "%s: the secret %s: %s", s->at, s->name,
				why)
		   : 0;
}

static int check_one(struct pb *b, const struct pol_secret *s, struct err *e)
{
	int r = check_source(b, s, e);

	if (r < 0)
		return r;
	for (const struct pol_secret *o = b->p->secrets.v; o < s; o++)
		if (o->give == s->give && str_eq0(o->target, s->target))
			return refuse(s, e,
				      arena_printf(b->a, "so is the secret %s, by %s", o->name,
						   o->at));
	if (s->give == POL_SECRET_STDIN && b->p->process.terminal)
		return refuse(s, e,
			      arena_printf(b->a, "%s: process.terminal: it is a terminal",
					   b->config));
	return s->give == POL_SECRET_FILE ? check_file(b, s, e) : 0;
}

/* It is in the policy of those that need it only. */
static void find_broker(struct pb *b)
{
	for (size_t i = 0; i < b->p->secrets.n; i++) {
		if (b->p->secrets.v[i].source != POL_SECRET_FROM_BROKER)
			continue;
		b->p->vm.broker = (char *) (uintptr_t) b->rules->vm.broker;
		b->p->vm.broker_key = (char *) (uintptr_t) b->rules->vm.broker_key;
		return;
	}
}

int pb_secrets(struct pb *b, struct err *e)
{
	const struct strs asked = asked_for(b);
	int r = select_secrets(b, &asked, e);

	for (size_t i = 0; i < asked.n && r == 0; i++)
		if (!find(b->p, asked.v[i]))
			r = pb_refuse(b, e,
				      "annotations[\"" ASKED "\"]: no rule of the site offers this "
				      "container a secret \"%s\"",
				      asked.v[i]);
	for (size_t i = 0; i < b->p->secrets.n && r == 0; i++)
		r = check_one(b, &b->p->secrets.v[i], e);
	if (r == 0)
		find_broker(b);
	return r;
}

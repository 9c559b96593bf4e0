/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The site's rules against one container. Three steps: which rules are in force (p_rules_match.c); before the preset,
 * nothing; after it, what they add (filters, Landlock layers, limits for later execs) and then what they demand of the policy
 * that came out. Each rule is checked by itself, so the strictest wins.
 *
 * A refusal says which file and key, what config.json has there, and what would satisfy it. With a report (`kavach rules
 * test`) all of them are collected; else the first one ends it.
 */
#include <linux/mount.h>
#include <sys/stat.h>

#include "base/path.h"
#include "policy/p_rules.h"

/* ---- verdicts ---- */

const char *rule_key(struct arena *a, const struct rule *r, const char *member)
{
	return !*r->at.key ? member
	       : !*member  ? r->at.key
			   : arena_printf(a, "%s.%s", r->at.key, member);
}

static void report(const struct pb *b, const struct rule_verdict *v)
{
	struct rules_report *rep = b->in->report;

	if (!rep)
		return;
	rep->v = arena_room(b->a, rep->v, rep->n, &rep->cap, sizeof(*rep->v));
	rep->refused |= v->kind == VERDICT_BREAKS;
	rep->v[rep->n++] = *v;
}

void rule_note(const struct pb *b, enum verdict_kind kind, const struct rule *r, const char *member,
	       const char *what)
{
	const struct rule_verdict v = {.kind = kind,
				       .file = r->at.file,
				       .key = b->in->report ? rule_key(b->a, r, member) : NULL,
				       .what = what};

	report(b, &v);
}

/* One rule at work. `ret` is the first refusal's. */
struct check {
	const struct pb *b;
	const struct rule *r;
	struct err *e;
	int ret;
};

static bool done(const struct check *c)
{
	return c->ret < 0 && !c->b->in->report;
}

static void holds(struct check *c, const char *member, const char *what)
{
	rule_note(c->b, VERDICT_HOLDS, c->r, member, what);
}

static void breaks(struct check *c, const char *member, const char *what, const char *place,
		   const char *found, const char *remedy)
{
	const struct rule_verdict v = {
		VERDICT_BREAKS, c->r->at.file, rule_key(c->b->a, c->r, member), what, place,
		found,		remedy};

	report(c->b, &v);
	if (c->ret == 0)
		c->ret = err_set_id(c->e, ERR_CONFIG, -EINVAL,
				    "rules file %s: %s: %s; %s: %s%s%s; %s", v.file, v.key, what,
				    c->b->config, place ? place : "", place ? ": " : "", found,
				    remedy);
}

/* ---- features ---- */

static void check_features(struct check *c, const struct u64s *l, const char *member, bool want)
{
	for (size_t i = 0; i < l->n && !done(c); i++) {
		const struct rule_feature_row *f = &rule_feature_rows[l->v[i]];
		const char *name = rule_features[l->v[i] - 1].name;
		char *key = arena_printf(c->b->a, "%s[%zu]", member, i);
		char *what = arena_printf(c->b->a, "%s is %s", name,
					  want ? "required" : "forbidden");

		if (f->has(c->b, f->arg) == want)
			holds(c, key, what);
		else
			breaks(c, key, what, f->place, want ? f->absent : f->present,
			       want ? f->add : f->drop);
	}
}

/* ---- capabilities ---- */

static const char *cap_list(struct arena *a, uint64_t mask, const char *prefix)
{
	const char *names = "";

	for (size_t i = 0; i < cap_names_n; i++)
		if (mask >> i & 1)
			names = arena_printf(a, "%s%s%s%s", names, *names ? ", " : "", prefix,
					     cap_names[i].name + (*prefix ? strlen("CAP_") : 0));
	return names;
}

static void check_caps(struct check *c)
{
	uint64_t have = fact_caps(c->b->p), extra;
	struct arena *a = c->b->a;

	for (size_t i = 0; i < c->r->caps_forbidden.n && !done(c); i++) {
		uint64_t cap = c->r->caps_forbidden.v[i];
		char *key = arena_printf(a, "forbiddenCapabilities[%zu]", i);
		char *what = arena_printf(a, "%s is forbidden", cap_names[cap].name);

		if (have >> cap & 1)
			breaks(c, key, what, "process.capabilities", "the process has it",
			       arena_printf(a, "drop it (--cap-drop=%s)",
					    cap_names[cap].name + strlen("CAP_")));
		else
			holds(c, key, what);
	}
	if (!c->r->caps_allowed.set || done(c))
		return;
	extra = have & ~c->r->caps_allowed.v;
	if (!extra)
		holds(c, "allowedCapabilities", "nothing beyond the list");
	else
		breaks(c, "allowedCapabilities",
		       arena_printf(a, "only %s may be given",
				    c->r->caps_allowed.v ? cap_list(a, c->r->caps_allowed.v, "")
							 : "no capability"),
		       "process.capabilities",
		       arena_printf(a, "the process has %s", cap_list(a, extra, "")),
		       arena_printf(a, "drop the others (%s)", cap_list(a, extra, "--cap-drop=")));
}

/* ---- binds ---- */

/* The strictest answer for a path of the host: the row that is nearest above it, and whatever rows are below it, because a
 * mount shows all of that. `root`: the row "/" does not count, a container's root is somewhere below it. */
static const struct rule_bind *find_bind(const struct rule *r, const char *path, bool root,
					 size_t *ret_index)
{
	const struct rule_bind *ret = NULL;

	for (size_t i = 0; i < r->binds.n; i++) {
		const struct rule_bind *row = &r->binds.v[i];

		if (!path_below(path, row->source) || (root && str_eq(row->source, "/")))
			continue;
		if (!ret || strlen(row->source) > strlen(ret->source)) {
			ret = row;
			*ret_index = i;
		}
	}
	for (size_t i = 0; i < r->binds.n; i++) {
		const struct rule_bind *row = &r->binds.v[i];

		if (row != ret && path_below(row->source, path) &&
		    (!ret || row->access < ret->access)) {
			ret = row;
			*ret_index = i;
		}
	}
	return ret;
}

static void check_path(struct check *c, const char *place, const char *path, bool read_only,
		       bool root)
{
	struct arena *a = c->b->a;
	size_t i = 0;
	const struct rule_bind *row = find_bind(c->r, path, root, &i);
	const char *word = row ? name_of(rule_accesses, rule_accesses_n, row->access) : NULL;
	char *key, *what;

	if (!row)
		return;
	key = arena_printf(a, "binds[%zu]", i);
	what = arena_printf(a, "%s is %s", row->source, word);
	if (row->access == RULE_BIND_READ_WRITE ||
	    (row->access == RULE_BIND_READ_ONLY && read_only))
		holds(c, key, arena_printf(a, "%s, for %s", what, place));
	else if (row->access == RULE_BIND_READ_ONLY)
		breaks(c, key, what, place, arena_printf(a, "%s can be written", path),
		       root ? "make the root read-only (--read-only)"
			    : "mount it read-only (\"ro\")");
	else
		breaks(c, key, what, place,
		       arena_printf(a,
				    path_below(path, row->source)
					    ? "%s is mounted"
					    : "%s is mounted, with that in it",
				    path),
		       "leave this mount out");
}

/* Where a source really is, if the caller has looked; what it could not resolve stays as it is. */
static const char *real_source(const struct pb *b, const char *source)
{
	const struct kvs *m = b->in->real_sources;

	for (size_t i = 0; m && i < m->n; i++)
		if (str_eq(m->v[i].key, source))
			return m->v[i].val;
	return source;
}

static bool has_dotdot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (!p[3] || p[3] == '/')
			return true;
	return false;
}

static void check_bind(struct check *c, const struct pol_mount *m)
{
	char *place = arena_printf(c->b->a, "mounts[%u].source", m->config_index);
	const char *path = m->source ? real_source(c->b, m->source) : NULL;

	if (rule_is_foreign(m)) {
		breaks(c, "binds", "sources are limited", place,
		       arena_printf(c->b->a, "what a file system of type \"%s\" shows is not known",
				    m->type ? m->type : ""),
		       "use bind mounts, tmpfs, and the engine's volumes");
		return;
	}
	if ((m->kind != POL_MOUNT_BIND && m->kind != POL_MOUNT_RBIND) || !path)
		return;
	if (has_dotdot(path))
		breaks(c, "binds", "sources are limited", place,
		       arena_printf(c->b->a, "where %s leads is not known", path),
		       "write the path without \"..\"");
	else
		check_path(c, place, path, (m->attr_set | m->rattr_set) & MOUNT_ATTR_RDONLY, false);
}

static void check_binds(struct check *c)
{
	const struct policy *p = c->b->p;

	if (!c->r->binds.n)
		return;
	check_path(c, "root.path", real_source(c->b, p->rootfs), p->rootfs_readonly, true);
	for (size_t i = 0; i < p->mounts.n && !done(c); i++)
		if (p->mounts.v[i].config_index != UINT32_MAX)
			check_bind(c, &p->mounts.v[i]);
}

/*
 * Where bind sources are limited, they are judged by their real place, and it is that place, free of symlinks, that is
 * mounted. A recursive bind that is read-only becomes so for all that is mounted below it: "ro" alone is about the
 * top of it.
 */
static void settle_sources(struct pb *b)
{
	bool limited = false;

	for (size_t i = 0; i < b->rules->n; i++)
		limited |= b->in_force[i] && b->rules->v[i].binds.n;
	for (size_t i = 0; limited && i < b->p->mounts.n; i++) {
		struct pol_mount *m = &b->p->mounts.v[i];

		if ((m->kind != POL_MOUNT_BIND && m->kind != POL_MOUNT_RBIND) || !m->source ||
		    m->config_index == UINT32_MAX)
			continue;
		/* a mount of the symlink itself stays one */
		if (!(m->flags & (POL_MOUNT_COPY_SYMLINK | POL_MOUNT_SRC_NOFOLLOW))) {
			m->flags |= POL_MOUNT_SRC_REAL;
			m->source = (char *) (uintptr_t) real_source(b, m->source);
		}
		if (m->kind == POL_MOUNT_RBIND && (m->attr_set & MOUNT_ATTR_RDONLY))
			m->rattr_set |= MOUNT_ATTR_RDONLY;
	}
}

/* ---- devices ---- */

static bool device_allowed(const struct rule *r, char type, int64_t major, int64_t minor)
{
	for (size_t i = 0; i < r->devices.n; i++) {
		const struct rule_device *d = &r->devices.v[i];

		if (d->type == type && (d->major < 0 || d->major == major) &&
		    (d->minor < 0 || d->minor == minor))
			return true;
	}
	return false;
}

static const char *device_name(struct arena *a, char type, int64_t major, int64_t minor)
{
	char *maj = major < 0 ? arena_strdup(a, "*") : arena_printf(a, "%lld", (long long) major);

	return minor < 0 ? arena_printf(a, "%c %s:*", type, maj)
			 : arena_printf(a, "%c %s:%lld", type, maj, (long long) minor);
}

static void device_breaks(struct check *c, const char *place, const char *found)
{
	breaks(c, "allowedDevices", "only the devices of the list may be there", place, found,
	       "leave it out (--device), or ask for it to be added to the list");
}

static void check_device_rules(struct check *c)
{
	const struct pol_resources *res = &c->b->p->resources;

	if (!res->devices.n && !fact_userns_unprivileged(c->b->p)) {
		device_breaks(c, "linux.resources.devices",
			      "without control groups every device can be used");
		return;
	}
	for (size_t i = 0; i < res->devices.n && !done(c); i++) {
		const struct pol_device_rule *d = &res->devices.v[i];

		if (!d->allow || pb_device_always(d))
			continue;
		if (d->type == 'a'
			    ? device_allowed(c->r, 'b', -1, -1) && device_allowed(c->r, 'c', -1, -1)
			    : device_allowed(c->r, (char) d->type, d->major, d->minor))
			continue;
		device_breaks(
			c, "linux.resources.devices",
			arena_printf(c->b->a, "%s may be used",
				     device_name(c->b->a, (char) d->type, d->major, d->minor)));
	}
}

static void check_devices(struct check *c)
{
	const struct policy *p = c->b->p;
	int before = c->ret;

	if (!c->r->devices_set || done(c))
		return;
	for (size_t i = 0; i < p->devices.n && !done(c); i++) {
		const struct pol_device *d = &p->devices.v[i];
		char type = d->type == S_IFBLK ? 'b' : 'c';

		if (d->is_default || d->type == S_IFIFO ||
		    pb_device_always(&(struct pol_device_rule){true, (uint32_t) type, d->major,
							       d->minor, 7}) ||
		    device_allowed(c->r, type, d->major, d->minor))
			continue;
		device_breaks(c, "linux.devices",
			      arena_printf(c->b->a, "%s is %s", d->path,
					   device_name(c->b->a, type, d->major, d->minor)));
	}
	if (!done(c))
		check_device_rules(c);
	if (c->ret == before)
		holds(c, "allowedDevices", "no other devices");
}

/* ---- annotations, strength ---- */

static bool is_setting(const char *name)
{
	return str_prefix(name, "io.kavach.") || str_prefix(name, "run.oci.") ||
	       str_prefix(name, "org.systemd.property.");
}

static void check_annotations(struct check *c)
{
	const struct kvs *m = &c->b->s->annotations;
	int before = c->ret;

	if (!c->r->annotations.set || done(c))
		return;
	for (size_t i = 0; i < m->n && !done(c); i++)
		if (is_setting(m->v[i].key) && !rule_pattern_fits(&c->r->annotations, m->v[i].key))
			breaks(c, "allowedAnnotations",
			       "only settings of the list may come with a container",
			       arena_printf(c->b->a, "annotations[\"%s\"]", m->v[i].key),
			       "this one is not in it", "leave it out");
	if (c->ret == before)
		holds(c, "allowedAnnotations", "no other settings");
}

/* What is worth most, in the words of the score. */
static const char *best_hints(struct arena *a, const struct score *s)
{
	const char *text = "";
	bool used[64] = {false};

	for (int n = 0; n < 2; n++) {
		size_t best = s->n;

		for (size_t i = 0; i < s->n && i < ARRAY_LEN(used); i++)
			if (s->rows[i].hint && !used[i] &&
			    (best == s->n || s->rows[i].most - s->rows[i].points >
						     s->rows[best].most - s->rows[best].points))
				best = i;
		if (best == s->n)
			break;
		used[best] = true;
		text = arena_printf(a, "%s%s%s (+%d)", text, *text ? ", " : "", s->rows[best].hint,
				    s->rows[best].most - s->rows[best].points);
	}
	return text;
}

static void check_strength(struct check *c)
{
	struct arena *a = c->b->a;
	struct score s;
	char *what;

	if (!c->r->min_strength.set || done(c))
		return;
	policy_score(c->b->p, a, &s);
	what = arena_printf(a, "a strength of %d is required", (int) c->r->min_strength.v);
	if ((uint64_t) s.total >= c->r->min_strength.v)
		holds(c, "minimumStrength", what);
	else
		breaks(c, "minimumStrength", what, NULL,
		       arena_printf(a, "this container has %d (%s)", s.total, s.label),
		       arena_printf(a, "most is gained by %s; `kavach policy` shows all",
				    best_hints(a, &s)));
}

/* ---- VMs ---- */

static void check_vm(struct check *c)
{
	const struct rules_vm *r = &c->b->rules->vm;
	const struct pol_vm *vm = &c->b->p->vm;
	const struct {
		const char *place, *path;
	} files[RULES_VM_KIND_MAX] = {
		[RULES_VM_HYPERVISOR] = {"vm.hypervisor.path", vm->hypervisor},
		[RULES_VM_KERNEL] = {"vm.kernel.path", vm->kernel},
		[RULES_VM_INITRD] = {"vm.kernel.initrd", vm->initrd},
	};
	struct rule as = {0};

	for (size_t i = 0; i < ARRAY_LEN(files) && vm->set && !done(c); i++) {
		bool listed = !files[i].path || !r->allowed[i].set;

		for (size_t k = 0; k < r->allowed[i].n && !listed; k++)
			listed = str_eq(r->allowed[i].v[k].path, files[i].path);
		if (listed)
			continue;
		as.at = (struct rule_at){r->allowed[i].at.file, ""};
		c->r = &as;
		breaks(c, r->allowed[i].at.key, "only the files of the list may be used",
		       files[i].place, arena_printf(c->b->a, "%s is not in it", files[i].path),
		       "use one of them");
	}
}

/* ---- together ---- */

/* Rules whose matches overlap in this container may contradict each other: then the site has to decide. */
static int contradiction(const struct pb *b, const struct rule *yes, const struct rule *no,
			 struct err *e)
{
	for (size_t i = 0; i < yes->require.n; i++)
		for (size_t k = 0; k < no->forbid.n; k++)
			if (yes->require.v[i] == no->forbid.v[k])
				return err_set_id(
					e, ERR_CONFIG, -EINVAL,
					"rules file %s: %s[%zu]: forbids \"%s\", which rules file %s: "
					"%s[%zu] requires, and both are about this container",
					no->at.file, rule_key(b->a, no, "forbid"), k,
					rule_features[no->forbid.v[k] - 1].name, yes->at.file,
					rule_key(b->a, yes, "require"), i);
	return 0;
}

static int contradictions(const struct pb *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < b->rules->n; i++)
		for (size_t k = 0; k < b->rules->n && r == 0; k++)
			if (i != k && b->in_force[i] && b->in_force[k])
				r = contradiction(b, &b->rules->v[i], &b->rules->v[k], e);
	return r;
}

int pb_rules_check(struct pb *b, struct err *e)
{
	struct check c = {.b = b, .e = e};
	int r;

	if (!b->rules)
		return 0;
	r = contradictions(b, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < b->rules->n && !done(&c); i++) {
		if (!b->in_force[i])
			continue;
		c.r = &b->rules->v[i];
		check_features(&c, &c.r->require, "require", true);
		check_features(&c, &c.r->forbid, "forbid", false);
		check_caps(&c);
		check_binds(&c);
		check_devices(&c);
		check_annotations(&c);
		check_strength(&c);
	}
	if (!done(&c))
		check_vm(&c);
	return c.ret;
}

/* ---- what rules add ---- */

static bool has_stacked(const struct pb *b, const char *source)
{
	for (size_t i = 0; i < b->p->stacked.n; i++)
		if (str_eq0(b->p->stacked.v[i].source, source))
			return true;
	return false;
}

int pb_stack(struct pb *b, const struct rule_seccomp *from, struct err *e)
{
	char *source = from->preset ? arena_printf(b->a, "profile %s", from->name)
				    : (char *) (uintptr_t) from->name;
	struct pol_seccomp *v, s = {0};
	struct pb file = *b;
	int r = 0;

	if (has_stacked(b, source) || (!from->file && str_eq0(b->p->seccomp.source, source)))
		return 0;
	if (!pb_native_arch(b->h->machine))
		return pb_refuse(b, e, "%s: machine \"%s\" of this host is not known to seccomp",
				 source, b->h->machine);
	file.config = from->name;
	if (from->file)
		r = pb_seccomp_section(&file, from->file, &s, e);
	else
		pb_profile(b, from->preset, &s);
	if (r < 0)
		return r;
	s.source = source;
	v = arena_array(b->a, b->p->stacked.n + 1, sizeof(*v));
	if (b->p->stacked.n)
		memcpy(v, b->p->stacked.v, b->p->stacked.n * sizeof(*v));
	v[b->p->stacked.n++] = s;
	b->p->stacked.v = v;
	return 0;
}

/* What holds for the container's process holds for those that `exec` adds. */
static void limit_execs(struct pb *b, const struct rule *r)
{
	struct pol_exec_limits *l = &b->p->exec_limits;

	for (size_t i = 0; i < r->caps_forbidden.n; i++)
		l->caps_denied |= 1ULL << r->caps_forbidden.v[i];
	if (r->caps_allowed.set)
		l->caps_denied |= ~r->caps_allowed.v;
	for (size_t i = 0; i < r->forbid.n; i++)
		switch (r->forbid.v[i]) {
		case RULE_CAPABILITIES: l->caps_denied = UINT64_MAX; break;
		case RULE_PRIVILEGED: l->no_privileged = true; break;
		case RULE_NEW_PRIVILEGES: l->no_new_privs = true; break;
		case RULE_ROOT_USER: l->no_root = true; break;
		case RULE_TERMINAL: l->no_terminal = true; break;
		}
	l->set = l->caps_denied || l->no_privileged || l->no_new_privs || l->no_root ||
		 l->no_terminal;
}

int pb_rules_add(struct pb *b, struct err *e)
{
	int err = 0;

	if (!b->rules || !b->rules->n)
		return 0;
	settle_sources(b);
	for (size_t i = 0; i < b->rules->n && err == 0; i++) {
		const struct rule *r = &b->rules->v[i];

		if (!b->in_force[i])
			continue;
		limit_execs(b, r);
		if (r->landlock) {
			err = pb_landlock(b, r->landlock, e);
			if (err < 0)
				return err;
			rule_note(b, VERDICT_SETS, r, "landlock", "adds a Landlock layer");
		}
		if (!r->seccomp)
			continue;
		err = pb_stack(b, r->seccomp, e);
		rule_note(b, VERDICT_SETS, r, "seccompProfile",
			  arena_printf(b->a, "stacks the seccomp profile %s", r->seccomp->name));
	}
	return err;
}

/* ---- execs ---- */

int pb_exec_limits(const struct pb *b, const struct pol_process *p, struct err *e)
{
	const struct pol_exec_limits *l = &b->p->exec_limits;
	const struct pol_caps *c = &p->caps;
	uint64_t caps = c->bounding | c->permitted | c->effective | c->inheritable | c->ambient;

	if (caps & l->caps_denied)
		return pb_refuse(
			b, e, "capabilities: %s: forbidden for this container by the site's rules",
			cap_list(b->a, caps & l->caps_denied, ""));
	if (l->no_privileged && __builtin_popcountll(caps) >= RULE_NEARLY_ALL_CAPS)
		return pb_refuse(
			b, e,
			"capabilities: a privileged process is forbidden for this container by the site's rules");
	if (l->no_new_privs && !p->no_new_privs)
		return pb_refuse(
			b, e,
			"noNewPrivileges: expected true, as the site's rules demand for this container");
	if (l->no_root && rule_is_root(b->p, b->h, p->uid))
		return pb_refuse(
			b, e,
			"user.uid: %u is root of the host, forbidden for this container by the site's rules",
			p->uid);
	if (l->no_terminal && p->terminal)
		return pb_refuse(b, e,
				 "terminal: forbidden for this container by the site's rules");
	return 0;
}

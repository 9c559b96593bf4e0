/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rules file: its tables, what the tables cannot say, and what becomes of it in struct rules. No I/O.
 *
 * Everything unknown is an error, because a misspelt demand would demand nothing; so is a demand that contradicts another
 * one wherever both are in force, because no container could ever fulfil them.
 */
#include <stdlib.h>

#include "base/num.h"
#include "base/path.h"
#include "json/decode.h"
#include "json/read.h"
#include "policy/facts.h"
#include "policy/landlock.h"
#include "policy/names.h"
#include "policy/rules_tables.h"

/* ---- words ---- */

static const struct name_val presets[] = {
	{"minimal", POL_PRESET_MINIMAL},
	{"basic", POL_PRESET_BASIC},
	{"strict", POL_PRESET_STRICT},
};

static const struct name_val backends[] = {
	{"process", POL_BACKEND_PROCESS}, {"vm", POL_BACKEND_VM},
	{"sev", POL_BACKEND_SEV},	  {"sev-es", POL_BACKEND_SEV_ES},
	{"sev-snp", POL_BACKEND_SEV_SNP},
};

const struct name_val rule_accesses[] = {
	{"forbidden", RULE_BIND_FORBIDDEN},
	{"read-only", RULE_BIND_READ_ONLY},
	{"read-write", RULE_BIND_READ_WRITE},
};
const size_t rule_accesses_n = ARRAY_LEN(rule_accesses);

static const struct name_val scopes[] = {
	{"abstractUnixSocket", POL_SCOPE_ABSTRACT_UNIX},
	{"signal", POL_SCOPE_SIGNAL},
};

/* ---- checks of single values ---- */

bool rules_is_clean_path(const char *s)
{
	arena_auto a = {0};

	return s[0] == '/' && str_eq(path_clean(&a, s), s);
}

/* The lists of a table that are all too long, or hold the same entry twice, are somebody's accident. */
static int check_lengths(const struct json_doc *d, const struct json_node *n, struct err *e)
{
	for (const struct json_node *k = n->child; k; k = k->next)
		if ((k->type == JSON_ARRAY || k->type == JSON_OBJECT) && k->n > RULES_LIST_MAX)
			return json_err(d, k, e, "expected at most %d entries, found %u",
					RULES_LIST_MAX, k->n);
	return 0;
}

static bool is_pattern_of_ours(const char *s)
{
	static const char *const prefixes[] = {"io.kavach.", "run.oci.", "org.systemd.property."};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_prefix(s, prefixes[i]))
			return true;
	return false;
}

static bool is_namespace(const char *s)
{
	return str_eq(s, "podman") || str_eq(s, "cri-o") || str_prefix(s, "containerd/") ||
	       str_prefix(s, "kubernetes/");
}

/* "c 10:229", "b 8:*", "c *:*" */
static bool parse_device(const char *s, struct rule_device *ret)
{
	struct rule_device d = {.type = s[0], .major = -1, .minor = -1};
	int64_t *const parts[] = {&d.major, &d.minor};
	arena_auto a = {0};
	struct strs l;
	uint64_t v;

	if ((s[0] != 'b' && s[0] != 'c') || s[1] != ' ' || strlen(s) > 32 || strchr(s + 2, ' '))
		return false;
	l = str_split(&a, s + 2, ':');
	if (l.n != 2 || strlen(l.v[0]) + strlen(l.v[1]) + 3 != strlen(s))
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (str_eq(l.v[i], "*"))
			continue;
		if (num_parse_u64(l.v[i], UINT32_MAX, &v) < 0)
			return false;
		*parts[i] = (int64_t) v;
	}
	if (d.major < 0 && d.minor >= 0)
		return false; /* "any driver's number 3" is a mistake */
	*ret = d;
	return true;
}

static bool is_device(const char *s)
{
	struct rule_device d;

	return parse_device(s, &d);
}

static bool is_profile(const char *s)
{
	return name_find(presets + 1, ARRAY_LEN(presets) - 1, s) || rules_is_clean_path(s);
}

/* ---- match ---- */

static int match_check(const struct json_doc *d, const struct json_node *n, void *obj,
		       struct arena *a, struct err *e)
{
	const struct rule_match *m = obj;
	bool others = m->annotations.n || m->namespaces.n || m->uids.n || m->backends.n;
	int r = check_lengths(d, n, e);

	if (r == 0)
		r = spec_check_each(d, n, "namespaces", is_namespace,
				    "\"podman\", \"cri-o\", \"containerd/NAME\" or "
				    "\"kubernetes/NAME\"",
				    a, e);
	if (r < 0)
		return r;
	if (m->otherwise.set && !m->otherwise.v)
		return json_err(d, json_get(n, "default"), e,
				"expected true; without it a rule is no default");
	if (m->otherwise.v && others)
		return json_err(d, json_get(n, "default"), e,
				"goes with nothing else: it stands for what no other match fits");
	if (!m->otherwise.v && !others)
		return json_err(
			d, n, e,
			"expected \"annotations\", \"namespaces\", \"uids\", \"backends\" or "
			"\"default\", found none; a rule for all containers has no match");
	return 0;
}

static const struct jfield match_f[] = {
	{.name = "default",
	 .kind = J_BOOL,
	 .off = FIELD_OFF(struct rule_match, otherwise, struct opt_bool)},
	F_MAP(struct rule_match, annotations, .flags = J_NONEMPTY),
	F_STRS(struct rule_match, namespaces, .flags = J_NONEMPTY),
	F_UINTS(struct rule_match, uids, .flags = J_NONEMPTY, .max = SPEC_ID_MAX),
	R_ENUMS(struct rule_match, backends, backends, ARRAY_LEN(backends), .flags = J_NONEMPTY),
};
static const struct jtable match_t = F_TABLE(struct rule_match, match_f, .flags = J_STRICT,
					     .check = match_check);

/* ---- demands ---- */

static int bind_check(const struct json_doc *d, const struct json_node *n, void *obj,
		      struct arena *a, struct err *e)
{
	(void) obj;
	return spec_check_each(d, n, "source", rules_is_clean_path, RULES_CLEAN_PATH, a, e);
}

static const struct jfield bind_f[] = {
	F_STR(struct rule_bind, source, .flags = J_REQUIRED),
	F_ROW(struct rule_bind, access, J_ENUM, int, .flags = J_REQUIRED, .names = rule_accesses,
	      .n_names = ARRAY_LEN(rule_accesses)),
};
static const struct jtable bind_t = F_TABLE(struct rule_bind, bind_f, .flags = J_STRICT,
					    .check = bind_check);

static int landlock_check(const struct json_doc *d, const struct json_node *n, void *obj,
			  struct arena *a, struct err *e)
{
	static const char *const lists[] = {"readOnly", "readWrite", "execute"};
	const struct rj_landlock *j = obj;
	int r = check_lengths(d, n, e);

	for (size_t i = 0; i < ARRAY_LEN(lists) && r == 0; i++)
		r = spec_check_each(d, n, lists[i], rules_is_clean_path, RULES_CLEAN_PATH, a, e);
	if (r == 0 && j->fromMounts.set && !j->fromMounts.v)
		r = json_err(d, json_get(n, "fromMounts"), e,
			     "expected true; without it the mounts are not looked at");
	if (r == 0 && (n->n == 0 || (n->n == 1 && json_get(n, "requiredAbi"))))
		r = json_err(d, n, e, "limits nothing: expected paths, ports or scopes");
	return r;
}

static const struct jfield landlock_f[] = {
	F_UINT(struct rj_landlock, requiredAbi, .max = 64),
	F_BOOL(struct rj_landlock, fromMounts),
	F_STRS(struct rj_landlock, readOnly),
	F_STRS(struct rj_landlock, readWrite),
	F_STRS(struct rj_landlock, execute),
	F_UINTS(struct rj_landlock, tcpBind, .max = UINT16_MAX),
	F_UINTS(struct rj_landlock, tcpConnect, .max = UINT16_MAX),
	R_ENUMS(struct rj_landlock, scopes, scopes, ARRAY_LEN(scopes), .flags = J_NONEMPTY),
};
static const struct jtable landlock_t = F_TABLE(struct rj_landlock, landlock_f, .flags = J_STRICT,
						.check = landlock_check);

static int binds_check(const struct json_doc *d, const struct json_node *n,
		       const struct rj_demands *j, struct err *e)
{
	for (size_t i = 0; i < j->binds.n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(j->binds.v[i].source, j->binds.v[k].source))
				return json_err(d, json_get(n, "binds"), e,
						"[%zu] and [%zu] are both about %s", k, i,
						j->binds.v[i].source);
	return 0;
}

/* The same within one rule as rules_conflict() is between two. */
static int features_check(const struct json_doc *d, const struct json_node *n,
			  const struct rj_demands *j, struct err *e)
{
	for (size_t i = 0; i < j->require.n; i++)
		for (size_t k = 0; k < j->forbid.n; k++)
			if (j->require.v[i] == j->forbid.v[k])
				return json_err(d, json_get(n, "forbid"), e,
						"\"%s\" is required and forbidden",
						name_of(rule_features, rule_features_n,
							(long) j->forbid.v[k]));
	return 0;
}

static int demands_check(const struct json_doc *d, const struct json_node *n, void *obj,
			 struct arena *a, struct err *e)
{
	const struct rj_demands *j = obj;
	int r = check_lengths(d, n, e);

	if (r == 0)
		r = features_check(d, n, j, e);
	if (r == 0)
		r = binds_check(d, n, j, e);
	if (r == 0)
		r = spec_check_each(d, n, "allowedDevices", is_device,
				    "a device like \"c 10:229\" or \"b 8:*\"", a, e);
	if (r == 0)
		r = spec_check_each(d, n, "allowedAnnotations", is_pattern_of_ours,
				    "a name that starts with io.kavach., run.oci. or "
				    "org.systemd.property.",
				    a, e);
	if (r == 0)
		r = spec_check_each(d, n, "seccompProfile", is_profile,
				    "basic, strict or the absolute path of a profile", a, e);
	return r < 0 ? r : rules_check_secrets(d, n, j, e);
}

#define DEMANDS                                                                                    \
	F_UINT(struct rj_demands, minimumStrength, .max = 100),                                    \
		R_ENUM(struct rj_demands, preset, presets, ARRAY_LEN(presets)),                    \
		R_ENUM(struct rj_demands, defaultPreset, presets, ARRAY_LEN(presets)),             \
		R_ENUMS(struct rj_demands, require, rule_features, RULE_FEATURE_MAX - 1),          \
		R_ENUMS(struct rj_demands, forbid, rule_features, RULE_FEATURE_MAX - 1),           \
		R_ENUMS(struct rj_demands, forbiddenCapabilities, cap_names, CAP_NAMES_N),         \
		R_ENUMS(struct rj_demands, allowedCapabilities, cap_names, CAP_NAMES_N),           \
		F_OBJS(struct rj_demands, binds, struct rule_bind, &bind_t),                       \
		F_STRS(struct rj_demands, allowedDevices),                                         \
		F_STRS(struct rj_demands, allowedAnnotations),                                     \
		F_STR(struct rj_demands, seccompProfile),                                          \
		F_OBJ(struct rj_demands, landlock, struct rj_landlock, &landlock_t),               \
		F_OBJS(struct rj_demands, secrets, struct rj_secret, &rules_t_secret)

static int rule_check(const struct json_doc *d, const struct json_node *n, void *obj,
		      struct arena *a, struct err *e)
{
	const struct rj_rule *j = obj;

	if (n->n <= 1u + (j->name != NULL))
		return json_err(d, n, e, "demands nothing");
	return demands_check(d, n, obj, a, e);
}

static const struct jfield rule_f[] = {
	F_STR(struct rj_rule, name, .flags = J_NONEMPTY),
	F_OBJ(struct rj_rule, match, struct rule_match, &match_t, .flags = J_REQUIRED),
	DEMANDS,
};
static const struct jtable rule_t = F_TABLE(struct rj_rule, rule_f, .flags = J_STRICT,
					    .check = rule_check);

static const struct jfield file_f[] = {
	{.name = "$schema", .kind = J_STR, .off = FIELD_OFF(struct rj_file, schema, char *)},
	DEMANDS,
	F_OBJS(struct rj_file, rules, struct rj_rule, &rule_t),
	F_OBJ(struct rj_file, audit, struct rj_audit, &rules_t_audit),
	F_OBJ(struct rj_file, vm, struct rj_vm, &rules_t_vm),
	F_OBJ(struct rj_file, attestation, struct rj_attest, &rules_t_attest),
};
const struct jtable rules_table = F_TABLE(struct rj_file, file_f, .flags = J_STRICT,
					  .check = demands_check);

/* ---- from the JSON form to struct rule ---- */

static struct u64s sorted(struct arena *a, const struct u64s *l)
{
	struct u64s ret = {.v = arena_memdup(a, l->v, l->n * sizeof(*l->v)), .n = l->n};

	for (size_t i = 1; i < ret.n; i++)
		for (size_t k = i; k > 0 && ret.v[k - 1] > ret.v[k]; k--) {
			uint64_t t = ret.v[k];

			ret.v[k] = ret.v[k - 1];
			ret.v[k - 1] = t;
		}
	return ret;
}

static const struct policy_landlock *to_landlock(struct arena *a, const struct rj_landlock *j,
						 struct rule_at at, bool bind, bool connect)
{
	struct policy_landlock *p = arena_new(a, struct policy_landlock);

	p->from_mounts = j->fromMounts.v;
	p->paths_limited = p->from_mounts || j->readOnly.set || j->readWrite.set || j->execute.set;
	p->read_only = j->readOnly;
	p->read_write = j->readWrite;
	p->execute = j->execute;
	p->bind_limited = bind;
	p->connect_limited = connect;
	p->tcp_bind = sorted(a, &j->tcpBind);
	p->tcp_connect = sorted(a, &j->tcpConnect);
	for (size_t i = 0; i < j->scopes.n; i++)
		p->scopes |= (uint32_t) j->scopes.v[i];
	p->exec_scopes = p->scopes;
	p->required_abi = j->requiredAbi.set ? (uint32_t) j->requiredAbi.v : landlock_abi_safe(p);
	p->source = arena_printf(a, "%s: %s", at.file, at.key);
	return p;
}

/* What the kernel calls next must not be denied: this filter is loaded before others, and before the program. */
static int profile_allows(const struct spec_seccomp *s, const char *call)
{
	bool denied = !str_eq(s->defaultAction, "SCMP_ACT_ALLOW") &&
		      !str_eq(s->defaultAction, "SCMP_ACT_LOG");

	for (size_t i = 0; i < s->syscalls.n; i++) {
		const struct spec_seccomp_rule *r = &s->syscalls.v[i];

		if (strs_has(&r->names, call) && !r->args.n)
			denied = !str_eq(r->action, "SCMP_ACT_ALLOW") &&
				 !str_eq(r->action, "SCMP_ACT_LOG");
	}
	return !denied;
}

static int check_profile(const struct spec_seccomp *s, const char *path, struct err *e)
{
	static const char *const needed[] = {"seccomp", "write", "execve", "exit_group"};
	bool notify = str_eq(s->defaultAction, "SCMP_ACT_NOTIFY");

	for (size_t i = 0; i < s->syscalls.n; i++)
		notify |= str_eq(s->syscalls.v[i].action, "SCMP_ACT_NOTIFY");
	if (notify || s->listenerPath)
		return err_set_id(e, ERR_CONFIG, -EINVAL,
				  "%s: SCMP_ACT_NOTIFY and listenerPath are for the config's own "
				  "filter, not for a profile of the rules",
				  path);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!profile_allows(s, needed[i]))
			return err_set_id(e, ERR_CONFIG, -EINVAL,
					  "%s: expected %s to be allowed: it is called after this "
					  "filter is loaded, to start the program",
					  path, needed[i]);
	return 0;
}

static int to_seccomp(struct rules_in *in, const char *name, const struct rules_source *src,
		      const struct rule_seccomp **ret)
{
	struct rule_seccomp *s = arena_new(in->a, struct rule_seccomp);
	const struct name_val *row = name_find(presets, ARRAY_LEN(presets), name);
	struct bytes text;
	int r;

	s->name = name;
	*ret = s;
	if (row) {
		s->preset = (uint32_t) row->val;
		return 0;
	}
	r = src->profile(src->arg, name, in->a, &text, in->e);
	if (r == 0)
		r = spec_parse_seccomp(name, (const char *) text.v, text.n, in->a, &s->file, in->e);
	return r < 0 ? r : check_profile(s->file, name, in->e);
}

static const char *key_of(struct arena *a, const char *rule, const char *member)
{
	return *rule ? arena_printf(a, "%s.%s", rule, member) : member;
}

/* [] is not "absent" here, and lists of numbers do not tell. */
static bool given(const struct json_node *n, const char *member)
{
	const struct json_node *m = json_get(n, member);

	return m && m->type != JSON_NULL;
}

static int to_rule(struct rules_in *in, const struct rj_demands *j, const struct json_node *n,
		   const char *key, const struct rules_source *src, struct rule *ret)
{
	struct rule r = {
		.at = {in->doc->name, key},
		.min_strength = j->minimumStrength,
		.preset = (uint32_t) j->preset,
		.default_preset = (uint32_t) j->defaultPreset,
		.require = j->require,
		.forbid = j->forbid,
		.caps_forbidden = j->forbiddenCapabilities,
		.annotations = j->allowedAnnotations,
		.devices_set = j->allowedDevices.set,
	};

	if (given(n, "allowedCapabilities")) {
		r.caps_allowed.set = true;
		for (size_t i = 0; i < j->allowedCapabilities.n; i++)
			r.caps_allowed.v |= 1ULL << j->allowedCapabilities.v[i];
	}
	r.binds.v = j->binds.v;
	r.binds.n = j->binds.n;
	r.devices.v = arena_array(in->a, j->allowedDevices.n, sizeof(*r.devices.v));
	for (size_t i = 0; i < j->allowedDevices.n; i++)
		if (!parse_device(j->allowedDevices.v[i], &r.devices.v[r.devices.n++]))
			return err_set(in->e, -EINVAL, "a device that was checked is none");
	if (j->landlock) {
		const struct json_node *l = json_get(n, "landlock");

		r.landlock = to_landlock(in->a, j->landlock,
					 (struct rule_at){in->doc->name,
							  key_of(in->a, key, "landlock")},
					 given(l, "tcpBind"), given(l, "tcpConnect"));
	}
	rules_to_secrets(in->a, j, &r);
	*ret = r;
	return j->seccompProfile ? to_seccomp(in, j->seccompProfile, src, &ret->seccomp) : 0;
}

/* ---- contradictions ---- */

int rules_conflict(struct err *e, struct rule_at a, struct rule_at b, const char *what)
{
	return err_set_id(e, ERR_CONFIG, -EINVAL,
			  "rules file %s: %s: contradicts %s: %s, which says otherwise: %s", b.file,
			  b.key, a.file, a.key, what);
}

static bool same_kvs(const struct kvs *a, const struct kvs *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (!str_eq(a->v[i].key, b->v[i].key) || !str_eq(a->v[i].val, b->v[i].val))
			return false;
	return a->n == b->n;
}

static bool same_strs(const struct strs *a, const struct strs *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (!str_eq(a->v[i], b->v[i]))
			return false;
	return a->n == b->n;
}

static bool same_u64s(const struct u64s *a, const struct u64s *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->v, b->v, a->n * sizeof(*a->v)));
}

/* Whether wherever b is in force, a is in force too. Matches that only overlap are found when a container is in both. */
static bool covers(const struct rule *a, const struct rule *b)
{
	if (!a->match || !b->match)
		return !a->match;
	return a->match->otherwise.v == b->match->otherwise.v &&
	       same_kvs(&a->match->annotations, &b->match->annotations) &&
	       same_strs(&a->match->namespaces, &b->match->namespaces) &&
	       same_u64s(&a->match->uids, &b->match->uids) &&
	       same_u64s(&a->match->backends, &b->match->backends);
}

static int opposed(struct rules_in *in, const struct rule *yes, const struct rule *no)
{
	for (size_t i = 0; i < yes->require.n; i++)
		for (size_t k = 0; k < no->forbid.n; k++) {
			struct rule_at a = yes->at, b = no->at;

			if (yes->require.v[i] != no->forbid.v[k])
				continue;
			a.key = arena_printf(in->a, "%s[%zu]", key_of(in->a, a.key, "require"), i);
			b.key = arena_printf(in->a, "%s[%zu]", key_of(in->a, b.key, "forbid"), k);
			return rules_conflict(in->e, a, b,
					      arena_printf(in->a,
							   "\"%s\" is required and forbidden",
							   name_of(rule_features, rule_features_n,
								   (long) no->forbid.v[k])));
		}
	return 0;
}

static int check_against(struct rules_in *in, const struct rule *new)
{
	for (size_t i = 0; i < in->rules->n; i++) {
		const struct rule *old = &in->rules->v[i];
		int r = 0;

		if (!covers(old, new) && !covers(new, old))
			continue;
		r = opposed(in, old, new);
		if (r == 0)
			r = opposed(in, new, old);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_rule(struct rules_in *in, const struct rule *rule)
{
	struct rules *rs = in->rules;
	struct rule *v;
	int r = check_against(in, rule);

	if (r < 0)
		return r;
	if (rs->n == RULES_MAX)
		return err_set_id(in->e, ERR_CONFIG, -E2BIG,
				  "%s: more than %d rules in all files together", rule->at.file,
				  RULES_MAX);
	v = arena_array(in->a, rs->n + 1, sizeof(*v));
	if (rs->n)
		memcpy(v, rs->v, rs->n * sizeof(*v));
	v[rs->n] = *rule;
	rs->v = v;
	rs->n++;
	return 0;
}

/* Members at the top that are no rule for all containers. */
static bool is_rule_member(const char *name)
{
	static const char *const others[] = {"$schema", "rules", "audit", "vm", "attestation"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_eq(name, others[i]))
			return false;
	return true;
}

static int add_list(struct rules_in *in, const struct rj_file *f, const struct json_node *root,
		    const struct rules_source *src)
{
	const struct json_node *n = json_get(root, "rules");

	n = n ? n->child : NULL;
	for (size_t i = 0; i < f->rules.n; i++, n = n->next) {
		const struct rj_rule *j = &f->rules.v[i];
		struct rule rule;
		int r = to_rule(in, &j->d, n, arena_printf(in->a, "rules[%zu]", i), src, &rule);

		if (r < 0)
			return r;
		rule.name = j->name;
		rule.match = j->match;
		r = add_rule(in, &rule);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_top(struct rules_in *in, const struct rj_file *f, const struct json_node *root,
		   const struct rules_source *src)
{
	struct rule rule;
	bool any = false;
	int r;

	for (const struct json_node *k = root->child; k; k = k->next)
		any |= is_rule_member(k->key) && k->type != JSON_NULL;
	if (!any)
		return 0;
	r = to_rule(in, &f->d, root, "", src, &rule);
	return r < 0 ? r : add_rule(in, &rule);
}

static void add_file(struct rules_in *in)
{
	struct strs *l = &in->rules->files;
	char **v = arena_array(in->a, l->n + 1, sizeof(*v));

	if (l->n)
		memcpy(v, l->v, l->n * sizeof(*v));
	v[l->n++] = arena_strdup(in->a, in->doc->name);
	l->v = v;
	l->set = true;
}

int rules_decode(const char *file, const char *text, size_t n, const struct rules_source *src,
		 struct arena *a, struct rules *ret, struct err *e)
{
	struct json_doc doc;
	struct rules_in in = {.doc = &doc, .a = a, .e = e, .rules = ret};
	struct rj_file f = {0};
	int r;

	if (n > RULES_TEXT_MAX)
		return err_set_id(e, ERR_CONFIG, -EFBIG, "%s: more than %d bytes", file,
				  RULES_TEXT_MAX);
	r = json_read(file, text, n, a, &doc, e);
	if (r == 0)
		r = json_decode(&doc, doc.root, &rules_table, &f, a, e);
	if (r == 0)
		r = add_top(&in, &f, doc.root, src);
	if (r == 0)
		r = add_list(&in, &f, doc.root, src);
	if (r == 0 && f.audit)
		r = rules_add_audit(&in, f.audit);
	if (r == 0 && f.vm)
		r = rules_add_vm(&in, f.vm);
	if (r == 0 && f.attestation)
		r = rules_add_attest(&in, f.attestation);
	if (r == 0)
		add_file(&in);
	return r;
}

bool rules_have_binds(const struct rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].binds.n)
			return true;
	return false;
}

bool rules_have_uids(const struct rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].match && r->v[i].match->uids.n)
			return true;
	return false;
}

bool rules_have_landlock(const struct rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].landlock || r->v[i].preset == POL_PRESET_STRICT ||
		    r->v[i].default_preset == POL_PRESET_STRICT)
			return true;
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presets: a floor under the config. The stricter of preset and config wins, field by field; nothing is
 * ever loosened. A preset comes from the site's rules or from the annotation io.kavach.preset, and the
 * stricter of these two counts: what comes with a bundle may only tighten what the site says.
 *
 *              seccomp         root        memory    CPU   processes   no new privileges   Landlock
 *   minimal    -               -           -         -     -           -                   -
 *   basic      profile basic   -           -         -     -           -                   -
 *   strict     profile strict  read-only   512 MiB   1.0   64          yes                 as mounted, scopes
 *
 * The named profile stands in where the config has no filter, and is loaded beside one of the config's own: the kernel
 * evaluates both for each call, and the stricter answer counts.
 *
 * linux.resources.unified is written after all limits and would lift them again: what it says about the file of a limit
 * counts only where it is the stricter one.
 *
 * A rule's "preset" is a floor; its "defaultPreset" is for containers that bring no annotation.
 */
#include "base/num.h"
#include "policy/host_may.h"
#include "policy/p_rules.h"

#define STRICT_MEMORY (512LL << 20)
#define STRICT_PERIOD 100000 /* the kernel's default period, us */
#define STRICT_PIDS 64

static const struct name_val presets[] = {
	{"minimal", POL_PRESET_MINIMAL},
	{"basic", POL_PRESET_BASIC},
	{"strict", POL_PRESET_STRICT},
};

/* Every annotation of ours that is not known is refused: a misspelt one would not tighten anything. */
static const char *const ours[] = {
	"io.kavach.preset",
	"io.kavach.secrets",
	POL_REPORT_ANNOTATION,
	POL_RECORD_ANNOTATION,
	POL_ROOT_ANNOTATION,
	HOST_MAY_ANNOTATION,
	"io.kavach.guest-policy",
	/* of a confidential guest's owner: vm/owner.h */
	"io.kavach.id-block",
	"io.kavach.id-auth",
	"io.kavach.dh-cert",
	"io.kavach.session",
};

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (str_eq(ours[i], name))
			return true;
	return false;
}

static int check_names(struct pb *b, const struct kvs *m, struct err *e)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_prefix(m->v[i].key, "io.kavach.") && !is_ours(m->v[i].key))
			return pb_refuse(b, e, "annotations[\"%s\"]: kavach has no such annotation",
					 m->v[i].key);
	return 0;
}

static int read_annotations(struct pb *b, uint32_t *ret, struct err *e)
{
	const char *word = pb_annotation(b, "io.kavach.preset");
	long v = 0;
	int r = check_names(b, &b->s->annotations, e);

	if (r == 0)
		r = check_names(b, &b->in->annotations, e);
	if (r == 0 && word)
		r = PB_WORD(b, presets, word, &v, e, "annotations[\"io.kavach.preset\"]");
	if (r == 0)
		*ret = (uint32_t) v;
	return r;
}

static int floor_seccomp(struct pb *b, const char *who, struct err *e)
{
	const struct rule_seccomp profile = {
		.name = name_of(presets, ARRAY_LEN(presets), b->p->preset), .preset = b->p->preset};

	if (!pb_native_arch(b->h->machine))
		return pb_refuse(b, e, "%s: machine \"%s\" of this host is not known to seccomp",
				 who, b->h->machine);
	if (b->p->seccomp.set)
		return pb_stack(b, &profile, e);
	pb_profile(b, b->p->preset, &b->p->seccomp);
	return 0;
}

/* lower: the smaller of two limits, where not set and -1 are no limit. */
static void lower(struct opt_i64 *limit, int64_t most)
{
	if (!limit->set || limit->v < 0 || limit->v > most)
		*limit = (struct opt_i64){true, most};
}

/* memory.swap counts both together: how much of it is swap alone stays as it was. */
static void floor_memory(struct pol_resources *r)
{
	if (r->memory.v > STRICT_MEMORY && r->memory_swap.v > 0)
		r->memory_swap.v -= r->memory.v - STRICT_MEMORY;
	lower(&r->memory, STRICT_MEMORY);
}

/* A burst above the quota is one that the kernel refuses. */
static void floor_cpu(struct pol_resources *r)
{
	if (!r->cpu_period.set)
		r->cpu_period = (struct opt_u64){true, STRICT_PERIOD};
	lower(&r->cpu_quota, (int64_t) r->cpu_period.v);
	if (r->cpu_burst.set && r->cpu_burst.v > (uint64_t) r->cpu_quota.v)
		r->cpu_burst.v = (uint64_t) r->cpu_quota.v;
}

/* Whether a file of unified says as much as the preset, or less: 1 yes, 0 no, negative when it cannot be told. */
static int memory_within(struct arena *a, const char *s)
{
	static const char units[] = "KMGTPE"; /* the kernel takes them in both cases */
	size_t n = strlen(s);
	const char *unit = n ? strchr(units, s[n - 1] & ~0x20) : NULL;
	uint64_t v, factor = unit && *unit ? 1ULL << 10 * (unit - units + 1) : 1;
	int r;

	if (str_eq(s, "max"))
		return 0;
	r = num_parse_u64(factor > 1 ? arena_strndup(a, s, n - 1) : s, UINT64_MAX, &v);
	return r < 0 ? r : v <= STRICT_MEMORY / factor;
}

static int pids_within(struct arena *a, const char *s)
{
	uint64_t v;
	int r;

	(void) a;
	if (str_eq(s, "max"))
		return 0;
	r = num_parse_u64(s, UINT64_MAX, &v);
	return r < 0 ? r : v <= STRICT_PIDS;
}

/* "QUOTA" or "QUOTA PERIOD", in us */
static int cpu_within(struct arena *a, const char *s)
{
	struct strs word = str_split(a, s, ' ');
	uint64_t quota = UINT64_MAX, period = STRICT_PERIOD;
	int r = word.n >= 1 && word.n <= 2 ? 0 : -EINVAL;

	if (r == 0 && !str_eq(word.v[0], "max"))
		r = num_parse_u64(word.v[0], INT64_MAX, &quota);
	if (r == 0 && word.n == 2)
		r = num_parse_u64(word.v[1], INT64_MAX, &period);
	return r < 0 ? r : quota <= period;
}

/* Above the quota the kernel refuses it, and whose quota is in force is not known before this is done. */
static int burst_within(struct arena *a, const char *s)
{
	(void) a;
	return str_eq(s, "0");
}

static int unified_within(struct arena *a, const struct kv *u)
{
	static const struct {
		const char *file;
		int (*within)(struct arena *a, const char *s);
	} files[] = {
		{"memory.max", memory_within},
		{"pids.max", pids_within},
		{"cpu.max", cpu_within},
		{"cpu.max.burst", burst_within},
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (str_eq(u->key, files[i].file))
			return files[i].within(a, u->val);
	return 1;
}

static int floor_unified(struct pb *b, struct err *e)
{
	struct kvs *u = &b->p->resources.unified;
	struct kvs keep = {.v = arena_array(b->a, u->n + 1, sizeof(*keep.v))};

	for (size_t i = 0; i < u->n; i++) {
		int r = unified_within(b->a, &u->v[i]);

		if (r < 0)
			return pb_refuse(
				b, e,
				"linux.resources.unified: %s: \"%s\" cannot be compared with "
				"the limit of the preset strict",
				u->v[i].key, u->v[i].val);
		if (r > 0)
			keep.v[keep.n++] = u->v[i];
	}
	*u = keep;
	return 0;
}

static int floor_resources(struct pb *b, const char *who, struct err *e)
{
	struct pol_resources *r = &b->p->resources;

	if (b->p->cgroup.manager == POL_CG_DISABLED)
		return pb_refuse(
			b, e,
			"the preset strict of %s limits resources, but control groups are disabled",
			who);
	floor_memory(r);
	floor_cpu(r);
	lower(&r->pids, STRICT_PIDS);
	return floor_unified(b, e);
}

/* The strictest floor, or default, of the rules in force; NULL: none of them has one. */
static const struct rule *strictest(const struct pb *b, bool floor)
{
	const struct rule *ret = NULL;

	for (size_t i = 0; b->rules && i < b->rules->n; i++) {
		const struct rule *r = &b->rules->v[i];

		if (!b->in_force[i] || !(floor ? r->preset : r->default_preset))
			continue;
		if (!ret ||
		    (floor ? r->preset > ret->preset : r->default_preset > ret->default_preset))
			ret = r;
	}
	return ret;
}

/* Which preset it is, and in words who says so. */
static int choose(struct pb *b, const char **who, struct err *e)
{
	const struct rule *floor = strictest(b, true), *def = strictest(b, false), *by = NULL;
	struct rules_report *rep = b->in->report;
	uint32_t preset = 0;
	int r;

	*who = "annotations[\"io.kavach.preset\"]";
	r = read_annotations(b, &preset, e);
	if (r < 0)
		return r;
	if (!preset && def) {
		preset = def->default_preset;
		by = def;
	}
	if (floor && floor->preset > preset) {
		preset = floor->preset;
		by = floor;
	}
	b->p->preset = preset;
	if (by) {
		const char *key = by == floor && preset == floor->preset ? "preset"
									 : "defaultPreset";

		*who = arena_printf(b->a, "rules file %s: %s", by->at.file,
				    rule_key(b->a, by, key));
		rule_note(b, VERDICT_SETS, by, key,
			  arena_printf(b->a, "the preset becomes %s",
				       name_of(presets, ARRAY_LEN(presets), preset)));
	}
	if (rep && preset)
		rep->preset = name_of(presets, ARRAY_LEN(presets), preset);
	return 0;
}

int pb_preset(struct pb *b, struct err *e)
{
	const char *who = NULL;
	int r = choose(b, &who, e);

	if (r == 0 && b->p->preset >= POL_PRESET_BASIC)
		r = floor_seccomp(b, who, e);
	if (r < 0 || b->p->preset < POL_PRESET_STRICT)
		return r;
	b->p->rootfs_readonly = true;
	b->p->process.no_new_privs = b->p->has_process;
	r = floor_resources(b, who, e);
	return r < 0 ? r : pb_landlock_strict(b, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presets: a floor under the config. The stricter of preset and config wins, field by field; nothing is
 * ever loosened. A preset comes from the site's rules or from the annotation io.kavach.preset, and the
 * stricter of these two counts: what comes with a bundle may only tighten what the site says.
 *
 *              seccomp         root        memory    CPU   processes
 *   minimal    -               -           -         -     -
 *   basic      profile basic   -           -         -     -
 *   strict     profile strict  read-only   512 MiB   1.0   64
 *
 * The named profile stands in where the config has no filter, and is loaded beside one of the config's own: the kernel
 * evaluates both for each call, and the stricter answer counts.
 *
 * A rule's "preset" is a floor; its "defaultPreset" is for containers that bring no annotation.
 */
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
static int check_names(struct pb *b, const struct kvs *m, struct err *e)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_prefix(m->v[i].key, "io.kavach.") &&
		    !str_eq(m->v[i].key, "io.kavach.preset"))
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

static int floor_resources(struct pb *b, const char *who, struct err *e)
{
	struct pol_resources *r = &b->p->resources;

	if (b->p->cgroup.manager == POL_CG_DISABLED)
		return pb_refuse(
			b, e,
			"the preset strict of %s limits resources, but control groups are disabled",
			who);
	lower(&r->memory, STRICT_MEMORY);
	lower(&r->pids, STRICT_PIDS);
	if (!r->cpu_period.set)
		r->cpu_period = (struct opt_u64){true, STRICT_PERIOD};
	lower(&r->cpu_quota, (int64_t) r->cpu_period.v);
	return 0;
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
	return floor_resources(b, who, e);
}

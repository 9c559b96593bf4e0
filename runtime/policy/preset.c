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
 * The named profile stands in where the config has no filter. A filter of the config's own is kept when
 * it denies by default. One that allows by default would have to be stacked with ours; until two
 * filters can be loaded it is refused, because neither of them alone is as strict as both.
 */
#include "policy/pb.h"

#define STRICT_MEMORY (512LL << 20)
#define STRICT_PERIOD 100000 /* the kernel's default period, us */
#define STRICT_PIDS 64

static const struct name_val presets[] = {
	{"minimal", POL_PRESET_MINIMAL},
	{"basic", POL_PRESET_BASIC},
	{"strict", POL_PRESET_STRICT},
};

/* Every annotation of ours that is not known is refused: a misspelt one would not tighten anything. */
static int read_annotations(struct pb *b, uint32_t *ret, struct err *e)
{
	const struct kvs *m = &b->s->annotations;

	for (size_t i = 0; i < m->n; i++) {
		long v;
		int r;

		if (!str_prefix(m->v[i].key, "io.kavach."))
			continue;
		if (!str_eq(m->v[i].key, "io.kavach.preset"))
			return pb_refuse(b, e, "annotations[\"%s\"]: kavach has no such annotation",
					 m->v[i].key);
		r = PB_WORD(b, presets, m->v[i].val, &v, e, "annotations[\"io.kavach.preset\"]");
		if (r < 0)
			return r;
		*ret = (uint32_t) v;
	}
	return 0;
}

static bool denies_by_default(const struct pol_seccomp *s)
{
	return s->default_action != POL_ACT_ALLOW && s->default_action != POL_ACT_LOG;
}

static int floor_seccomp(struct pb *b, const char *who, struct err *e)
{
	struct pol_seccomp *s = &b->p->seccomp;

	if (!s->set) {
		if (!pb_native_arch(b->h->machine))
			return pb_refuse(b, e,
					 "%s: machine \"%s\" of this host is not known to seccomp",
					 who, b->h->machine);
		pb_profile(b, b->p->preset, s);
		return 0;
	}
	if (denies_by_default(s))
		return 0;
	return pb_refuse(
		b, e,
		"linux.seccomp.defaultAction: expected a filter that denies by default with the preset "
		"of %s, or none, found %s",
		who, name_of(seccomp_action_names, seccomp_action_names_n, s->default_action));
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

int pb_preset(struct pb *b, const struct rules *rules, struct err *e)
{
	const char *who = "annotations[\"io.kavach.preset\"]";
	uint32_t preset = 0;
	int r;

	r = read_annotations(b, &preset, e);
	if (r < 0)
		return r;
	if (rules && rules->preset > preset) {
		preset = rules->preset;
		who = rules->preset_file;
	}
	b->p->preset = preset;
	if (preset >= POL_PRESET_BASIC) {
		r = floor_seccomp(b, who, e);
		if (r < 0)
			return r;
	}
	if (preset < POL_PRESET_STRICT)
		return 0;
	b->p->rootfs_readonly = true;
	return floor_resources(b, who, e);
}

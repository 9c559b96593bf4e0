/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities: names to masks, and what the kernel would refuse taken out with a warning (config.md:
 * what cannot be mapped or granted MUST be logged and SHOULD NOT fail). Taking out only ever leaves the
 * process with less.
 *
 * No capabilities object means no capabilities: runc and crun do the same.
 */
#include "policy/pb.h"

struct set {
	const char *name;
	const struct strs *names;
	uint64_t *mask;
};

static bool grantable(const struct pb *b, int cap)
{
	return (uint32_t) cap <= b->h->last_cap && (b->grants_caps || b->h->caps >> cap & 1);
}

static void warn_name(const struct pb *b, const struct set *s, const char *name, const char *why)
{
	pb_warn(b, "%scapabilities.%s: \"%s\" %s, left out", b->prefix, s->name, name, why);
}

/* *warned: capabilities that were named in a warning already; most stand in four lists. */
static void read_set(const struct pb *b, const struct set *s, uint64_t *warned)
{
	for (size_t i = 0; i < s->names->n; i++) {
		const char *name = s->names->v[i];
		const struct name_val *row = name_find(cap_names, cap_names_n, name);
		int cap = row ? (int) row->val : -1;

		if (cap < 0) {
			warn_name(b, s, name, "is not a capability that is known here");
		} else if (!grantable(b, cap)) {
			if (!(*warned >> cap & 1))
				warn_name(b, s, name,
					  (uint32_t) cap > b->h->last_cap
						  ? "is not known to this kernel"
						  : "is not ours to give");
			*warned |= 1ULL << cap;
		} else {
			*s->mask |= 1ULL << cap;
		}
	}
}

/* A set that the kernel wants to be part of another one; one warning for all that is not. */
static void limit(const struct pb *b, const char *what, uint64_t *mask, uint64_t upper,
		  const char *of)
{
	uint64_t extra = *mask & ~upper;
	char *names = arena_strdup(b->a, "");

	*mask &= upper;
	if (!extra)
		return;
	for (int cap = 0; extra >> cap; cap++)
		if (extra >> cap & 1)
			names = arena_printf(b->a, "%s %s", names, cap_names[cap].name);
	pb_warn(b, "%scapabilities.%s: not in %s, left out:%s", b->prefix, what, of, names);
}

int pb_caps(struct pb *b, const struct spec_caps *s, struct pol_caps *ret, struct err *e)
{
	uint64_t warned = 0;

	(void) e;
	ret->set = true;
	if (!s)
		return 0;
	read_set(b, &(struct set){"bounding", &s->bounding, &ret->bounding}, &warned);
	read_set(b, &(struct set){"permitted", &s->permitted, &ret->permitted}, &warned);
	read_set(b, &(struct set){"effective", &s->effective, &ret->effective}, &warned);
	read_set(b, &(struct set){"inheritable", &s->inheritable, &ret->inheritable}, &warned);
	read_set(b, &(struct set){"ambient", &s->ambient, &ret->ambient}, &warned);
	/* capset(2) and prctl(2), PR_CAP_AMBIENT_RAISE, answer EPERM to the rest. */
	limit(b, "effective", &ret->effective, ret->permitted, "permitted");
	limit(b, "inheritable", &ret->inheritable, ret->bounding, "bounding");
	/* Engines stopped giving inheritable capabilities (CVE-2022-24769) and left their ambient
	 * list as it was: with none inheritable there is nothing to tell. */
	if (!s->inheritable.n)
		ret->ambient = 0;
	limit(b, "ambient", &ret->ambient, ret->permitted & ret->inheritable,
	      "permitted and inheritable");
	return 0;
}

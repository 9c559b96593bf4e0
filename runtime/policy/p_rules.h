/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the rules' evaluation share; private to policy/. */
#ifndef KAVACH_POLICY_P_RULES_H
#define KAVACH_POLICY_P_RULES_H

#include "policy/facts.h"
#include "policy/pb.h"

/* rule_note: a line for the report, if there is one. key: the rule's own and the member, "rules[2].preset". */
void rule_note(const struct pb *b, enum verdict_kind kind, const struct rule *r, const char *member,
	       const char *what);
/* rule_key: "rules[2].forbid[0]" or "forbid[0]" of a rule and a member. In the arena. */
const char *rule_key(struct arena *a, const struct rule *r, const char *member);

/* p_rules_match.c: whether one of the patterns fits. */
bool rule_pattern_fits(const struct strs *patterns, const char *s);

/* ---- p_rules_features.c ---- */

struct rule_feature_row {
	const char *place; /* in config.json */
	bool (*has)(const struct pb *b, uint32_t arg);
	uint32_t arg;
	const char *present, *absent; /* what is found: with it, and without it */
	const char *add,
		*drop; /* what would give it to the container, and what would take it away */
};
extern const struct rule_feature_row rule_feature_rows[RULE_FEATURE_MAX];

/* rule_is_root: whether a uid of the container is root outside of it, or may be. */
bool rule_is_root(const struct policy *p, const struct host *h, uint32_t uid);
/* Capabilities from which on a process is as good as privileged: nearly all of them. */
#define RULE_NEARLY_ALL_CAPS 38
/* rule_is_foreign: a file system that brings in files of the host or of a device: not one that the kernel makes up. */
bool rule_is_foreign(const struct pol_mount *m);

#endif

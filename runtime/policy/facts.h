/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy means for safety, read off it for the strength (score.c) and for the explanation
 * (explain.c): one answer for both. Private to policy/.
 */
#ifndef KAVACH_POLICY_FACTS_H
#define KAVACH_POLICY_FACTS_H

#include "policy/build.h"

/* Where the container stands with a kind of namespace. */
enum fact_ns { FACT_NS_OWN, FACT_NS_JOINED, FACT_NS_HOST };
/* A path below /proc/1/ns or /proc/self/ns is the host's own namespace under another name. */
enum fact_ns fact_ns(const struct policy *p, enum pol_ns_type t);

/* fact_userns_unprivileged: a new user namespace in which no id is the host's root: capabilities count only
 * in there. */
bool fact_userns_unprivileged(const struct policy *p);

/* fact_caps: everything that the process can have at any time: the union of the sets. */
uint64_t fact_caps(const struct policy *p);
/* Capabilities that are a way to the host, with the weight that the strength gives them. */
struct fact_cap {
	int cap, weight;
	const char *why;
};
extern const struct fact_cap fact_caps_dangerous[];
extern const size_t fact_caps_dangerous_n;

/* What the filter's rules say about one call: by the rules, not by the compiled program (seccomp/ simulates
 * that). `conditional`: it depends on the arguments. */
struct fact_call {
	uint32_t action;
	bool conditional;
};
struct fact_call fact_call(const struct pol_seccomp *s, const char *name);
/* Calls that matter: ways to more kernel, to the host or to other processes. NULL at the end. */
extern const char *const fact_calls[];
bool fact_action_denies(uint32_t action);
bool fact_seccomp_default_denies(const struct pol_seccomp *s);
/* All filters of a policy together, as the kernel takes them: whether there is one, whether calls that no rule names are denied,
 * and what happens to a call: denied when any filter denies it, whatever the others say. */
bool fact_filtered(const struct policy *p);
bool fact_filters_deny(const struct policy *p);
struct fact_call fact_filters_call(const struct policy *p, const char *name);
/* fact_seccomp_names: how many names the rules hold. */
size_t fact_seccomp_names(const struct pol_seccomp *s);

/* fact_devices_open: all devices may be used; with no rules at all (control groups disabled) as well. */
bool fact_devices_open(const struct policy *p);

/* fact_mount_risk: why a mount of the host's files is a danger, or NULL. */
const char *fact_mount_risk(const struct pol_mount *m);

/* fact_proc_open: the i-th of the places in /proc and /sys that should be masked or read-only and are
 * not; NULL at the end. */
const char *fact_proc_open(const struct policy *p, size_t i);

/* fact_no_network: nothing but a loopback of its own. Hooks that run before the start may add to it. */
bool fact_no_network(const struct policy *p);

#endif

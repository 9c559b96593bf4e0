/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's and the spec's words for numbers: one table each, used by the decisions, by the JSON form
 * of the policy, by `features` and by messages. Plain data: the in-container stage links it too.
 */
#ifndef KAVACH_POLICY_NAMES_H
#define KAVACH_POLICY_NAMES_H

#include "base/str.h"

/* The lengths of the tables that others refer to in constants of their own. */
enum {
	CAP_NAMES_N = 41,
	NS_NAMES_N = 8,
	RLIMIT_NAMES_N = 16,
	SECCOMP_ACTION_NAMES_N = 9,
	SECCOMP_OP_NAMES_N = 7,
};

extern const struct name_val
	cap_names[]; /* "CAP_CHOWN" -> 0, in number order: cap_names[N] is capability N */
extern const size_t cap_names_n;
extern const struct name_val ns_names[]; /* "pid" -> POL_NS_PID */
extern const size_t ns_names_n;
extern const struct name_val rlimit_names[]; /* "RLIMIT_CPU" -> RLIMIT_CPU */
extern const size_t rlimit_names_n;
extern const struct name_val seccomp_action_names[]; /* "SCMP_ACT_ALLOW" -> POL_ACT_ALLOW */
extern const size_t seccomp_action_names_n;
extern const struct name_val seccomp_op_names[];
extern const size_t seccomp_op_names_n;
extern const struct name_val seccomp_arch_names[]; /* all 23 of the spec; value = index from 1 */
extern const size_t seccomp_arch_names_n;
extern const struct name_val seccomp_flag_names[]; /* "SECCOMP_FILTER_FLAG_LOG" -> its bit */
extern const size_t seccomp_flag_names_n;
extern const struct name_val signal_names[]; /* "HUP" -> 1 ... and RTMIN+n by signal_parse() */
extern const size_t signal_names_n;

/* signal_parse: "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3", "SIGRTMAX-1" -> number, or -EINVAL. */
int signal_parse(const char *s);
/* cap_parse: "CAP_CHOWN" or "chown" in any case -> number, or -ENOENT. */
int cap_parse(const char *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The commands and the options before them. */
#include <stddef.h>

#include "cmd/cmd.h"

/* one a line: clang-format makes columns of a longer list */
/* clang-format off */
extern const struct command
	command_run,
	command_create,
	command_start,
	command_state,
	command_list,
	command_exec,
	command_ps,
	command_kill,
	command_pause,
	command_resume,
	command_update,
	command_mounts,
	command_events,
	command_delete,
	command_spec,
	command_policy,
	command_inspect,
	command_rules,
	command_seccomp,
	command_audit,
	command_pack,
	command_measure,
	command_attest,
	command_check,
	command_checkpoint,
	command_restore,
	command_features;

const struct command *const commands[] = {
	&command_run,
	&command_create,
	&command_start,
	&command_state,
	&command_list,
	&command_exec,
	&command_ps,
	&command_kill,
	&command_pause,
	&command_resume,
	&command_update,
	&command_mounts,
	&command_events,
	&command_checkpoint,
	&command_restore,
	&command_delete,
	&command_spec,
	&command_policy,
	&command_inspect,
	&command_rules,
	&command_seccomp,
	&command_audit,
	&command_pack,
	&command_measure,
	&command_attest,
	&command_check,
	&command_features,
	NULL,
};
/* clang-format on */

#define O(field) offsetof(struct globals, field)

const struct opt global_opts[] = {
	{"root", 0, OPT_STR, "DIR", "state directory (default: /run/kavach)", O(root)},
	{"log", 0, OPT_STR, "TARGET", "where errors go: FILE, journald:ID or syslog:ID", O(log)},
	{"log-format", 0, OPT_STR, "FORMAT", "text (default) or json", O(log_format)},
	{"log-level", 0, OPT_STR, "LEVEL", "error, warning or debug", O(log_level)},
	{"debug", 0, OPT_FLAG, NULL, "the same as --log-level debug", O(debug)},
	{"cgroup-manager", 0, OPT_STR, "NAME", "cgroupfs (default), systemd or disabled",
	 O(cgroup_manager)},
	{"systemd-cgroup", 0, OPT_FLAG, NULL, "the same as --cgroup-manager systemd",
	 O(systemd_cgroup)},
	{"rules", 0, OPT_STR, "DIR", "site rules (default: /etc/kavach/rules.d)", O(rules)},
	{"rootless", 0, OPT_STR, "BOOL", "auto (default), true or false", O(rootless)},
	{"criu", 0, OPT_STR, "PATH", "the program criu, for checkpoint and restore", O(criu)},
	{"systemd-log", 0, OPT_IGNORE_FLAG, NULL, NULL, 0},
	{"version", 'v', OPT_FLAG, NULL, "print the version", O(version)},
	{NULL, 'V', OPT_FLAG, NULL, NULL, O(version)},
	{"help", 'h', OPT_FLAG, NULL, "print this help", O(help)},
	{NULL, '?', OPT_FLAG, NULL, NULL, O(help)},
	{"usage", 0, OPT_FLAG, NULL, NULL, O(help)},
};
const size_t global_opts_n = ARRAY_LEN(global_opts);

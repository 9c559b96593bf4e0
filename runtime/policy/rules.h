/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Site rules: what an operator demands of every container on this machine, read from the *.json files of one
 * directory (rules.c) and handed to policy_build() as data. kavach-rules(5) is the description for users.
 */
#ifndef KAVACH_POLICY_RULES_H
#define KAVACH_POLICY_RULES_H

#include "base/types.h"

/* Where and how the audit log is written (runtime/audit). Zeroed: no rule speaks of it. Several files add up: what any of
 * them turns on is on, the smallest file size and the largest number of kept files count, and two directories are an error. */
struct rules_audit {
	bool enabled;	       /* there is an "audit" object and none of them says "enabled": false */
	bool required;	       /* a record that cannot be written ends the command that it is about */
	const char *dir;       /* absolute; NULL = the default of the audit log */
	bool fsync;	       /* each record is on the disk before the command goes on */
	bool journald, syslog; /* sinks beside the file */
	uint64_t rotate_bytes; /* a file that is larger is rotated; 0 = the default of the audit log */
	uint32_t keep;	       /* rotated files that are kept; 0 = all */
};

/* Zeroed = none. */
struct rules {
	struct opt_u64 min_strength; /* 0..100: the highest that any file demands */
	uint32_t preset;	     /* enum pol_preset: the strictest; 0 = none */
	const char *min_file,
		*preset_file; /* where these two stand, for messages; NULL = not given */
	struct rules_audit audit;
};

#endif

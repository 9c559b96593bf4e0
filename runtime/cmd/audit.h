/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `kavach audit` share. Private to cmd/. */
#ifndef KAVACH_CMD_AUDIT_H
#define KAVACH_CMD_AUDIT_H

#include "cmd/cmd.h"

struct audit_opts {
	const char *dir, *key, *key_file, *head, *container, *since, *rotate;
	struct opt_u64 keep;
	bool json, follow, fsync, journald, syslog;
};

/* audit_show: prints records (cmd/audit_show.c). */
int audit_show(struct globals *g, const char *dir, const struct audit_opts *o, struct err *e);

#endif

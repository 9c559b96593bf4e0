/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor of a seccomp filter: a process outside of the container that answers its listener. It lives as long as a
 * process is under the filter. When it is killed, what would have been asked fails with ENOSYS.
 */
#ifndef KAVACH_SECCOMP_WATCH_H
#define KAVACH_SECCOMP_WATCH_H

#include <linux/seccomp.h>

#include "base/err.h"
#include "base/types.h"

struct watch {
	const char *name; /* of the process, at most 15 bytes */
	int listener;
	int out;   /* a file that the supervisor writes to */
	bool loud; /* it may write to standard error as well */
	/* begin: NULL, or called once in the supervisor, before the first call is taken */
	void (*begin)(struct watch *w);
	/* answer: fills in `error`, `val` and `flags` of resp */
	void (*answer)(struct watch *w, const struct seccomp_notif *n,
		       struct seccomp_notif_resp *resp);
};

/* watch_start: the process of its own, which nobody has to wait for. It holds the two descriptors, whose numbers are others
 * there, and nothing else of ours. */
int watch_start(struct watch *w, struct err *e);

/* watch_token: the ABI of a call, as struct filter_abi has it. */
uint32_t watch_token(const struct seccomp_notif *n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls a program and its descendants make, and the profile that lets them make these and no others. */
#ifndef KAVACH_SECCOMP_RECORD_H
#define KAVACH_SECCOMP_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define RECORD_VALUES 16 /* of an argument that are told apart */

struct record_call {
	uint32_t token; /* of the ABI, as struct filter_abi has it */
	int nr;
	uint64_t value[RECORD_VALUES]; /* of the argument that the profile is to limit */
	size_t n_values;	       /* RECORD_VALUES + 1: too many */
};

struct record {
	struct arena *a;
	struct record_call *call;
	size_t n, room;
	bool namespaces; /* a clone or clone3 asked for some, or could not be looked at */
	bool clone3;
};

/* record_run: runs argv and waits until it and all its descendants have ended; each of their calls is noted before it is
 * made. *ret_status: of the program, as a shell gives it. Needs a 64-bit kernel of 5.5, and no other seccomp listener above
 * us. Without CAP_SYS_ADMIN the program gets no_new_privs. */
int record_run(char *const argv[], struct record *rec, int *ret_status, struct err *e);

/* record_add: notes one call; args has six. flags: of a clone3, UINT64_MAX = not known. */
void record_add(struct record *rec, uint32_t token, int nr, const uint64_t *args, uint64_t flags);
/* record_profile: the linux.seccomp object. */
void record_profile(const struct record *rec, struct buf *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls a program and its descendants make, and the profile that lets them make these and no others. */
#ifndef KAVACH_SECCOMP_RECORD_H
#define KAVACH_SECCOMP_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

struct seccomp_notif;

#define RECORD_MAX (4u << 20) /* bytes of a file of recorded calls */
#define RECORD_VALUES 16      /* of an argument that are told apart */

struct record_call {
	uint32_t token; /* of the ABI, as struct filter_abi has it */
	int nr;
	uint64_t value[RECORD_VALUES]; /* of the argument that the profile is to limit */
	size_t n_values;	       /* RECORD_VALUES + 1: too many */
	bool limited;		       /* the profile is to limit an argument */
};

struct record {
	struct arena *a;
	struct record_call *call;
	size_t n, room;
	bool namespaces; /* a clone or clone3 asked for some, or could not be looked at */
	bool clone3;
	bool container; /* the profile is for a container's process, which its runtime sets up */
};

/* record_run: runs argv and waits until it and all its descendants have ended; each of their calls is noted before it is
 * made. *ret_status: of the program, as a shell gives it. Needs a 64-bit kernel of 5.5, and no other seccomp listener above
 * us. Without CAP_SYS_ADMIN the program gets no_new_privs. */
int record_run(char *const argv[], struct record *rec, int *ret_status, struct err *e);

/* record_add: notes one call; args has six. flags: of a clone3, UINT64_MAX = not known. Returns whether it says more than
 * what was noted before. */
bool record_add(struct record *rec, uint32_t token, int nr, const uint64_t *args, uint64_t flags);
/* record_clone3_flags: what a process that waits asks for, or 0 for another call, or UINT64_MAX. */
uint64_t record_clone3_flags(uint32_t token, const struct seccomp_notif *n);
/* record_always: names of calls that each profile allows, one by one, NULL at the end. */
const char *record_always(size_t i);
/* record_profile: the linux.seccomp object. */
void record_profile(const struct record *rec, struct buf *b);

/* ---- a container (record_watch.c) ---- */

/* record_filter: the program that asks a supervisor about each call of a process, but for those that each profile allows. It
 * has to be loaded with a listener, behind the container's own filters, of which none may have SECCOMP_RET_TRACE. */
void record_filter(struct arena *a, struct bytes *ret);
/* record_start: a process of its own that lets go on whatever the listener tells of, and adds to `out` (O_RDWR, O_APPEND) what
 * is not there yet, before it does. Several may write to one file. */
int record_start(int listener, int out, struct err *e);
/* record_read: what is in such a file. -EBADMSG when it is none. */
int record_read(struct record *rec, const struct bytes *text);

#endif

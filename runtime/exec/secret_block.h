/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets on their way to a workload: all that one process needs to give them to it, in one block of bytes. kavach fills
 * it from the sources and hands it to the stage through a pipe; an agent in a virtual machine can be handed the very same
 * bytes over its channel.
 *
 * The block lives in memory that is not in core dumps, not in children, not swapped where the limit of locked memory
 * allows that, and that is overwritten before it is given back. While there is one, nobody can trace the process or look
 * into it through /proc, but root of the host.
 *
 * Format: 32-bit little-endian numbers; "KVS1" as the first of them, the number of secrets, then for each: give, mode,
 * uid, gid, and three times a length and so many bytes: name and target with their NUL (both counted), and the value. Of
 * a variable the value is NAME=value with its NUL, as execve(2) takes it.
 */
#ifndef KAVACH_EXEC_SECRET_BLOCK_H
#define KAVACH_EXEC_SECRET_BLOCK_H

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"
#include "policy/policy.h"

#define SECRET_VALUE_MAX (64u << 10)  /* bytes of one */
#define SECRET_BLOCK_MAX (512u << 10) /* of all together */
#define SECRET_ITEMS_MAX 64

struct secret_block {
	uint8_t *p; /* NULL = none */
	size_t n;   /* bytes that are used, of SECRET_BLOCK_MAX */
	int dumpable;
};

struct secret_item {
	uint32_t give; /* enum pol_secret_give */
	uint32_t mode, uid, gid;
	const char *name, *target; /* target "" for standard input */
	uint8_t *value;
	size_t n; /* with the NUL of a variable */
};

/* secret_block_open: an empty block; from here on the process is not dumpable. secret_block_close: overwrites and frees
 * it, and makes the process dumpable again if it was; idempotent. */
int secret_block_open(struct secret_block *b, struct err *e);
void secret_block_close(struct secret_block *b);
#define secret_block_auto __attribute__((cleanup(secret_block_close))) struct secret_block

/* ---- writing ---- */

/* secret_begin: appends the head of a secret; *ret_value is where its value goes, *ret_room how much of it there is room for.
 * secret_end: there are n bytes of it. secret_undo: there is none; it is as before secret_begin(). -ENOSPC. */
struct secret_slot {
	size_t begin, value;
};
int secret_begin(struct secret_block *b, const struct pol_secret *s, struct secret_slot *slot,
		 uint8_t **ret_value, size_t *ret_room);
void secret_end(struct secret_block *b, const struct secret_slot *slot, size_t n);
void secret_undo(struct secret_block *b, const struct secret_slot *slot);

/* secret_fit: what of a value of n bytes is given: of a variable not the newline at its end, and it has no NUL. -EINVAL, or -ENODATA
 * when nothing is left. */
ssize_t secret_fit(const struct pol_secret *s, const uint8_t *value, size_t n, struct err *e);

/* secret_pipe: a pipe with these bytes in it and nobody who writes to it; returns its close-on-exec read end or -errno. */
int secret_pipe(const void *p, size_t n);

/* ---- reading ---- */

/* secret_block_read: what is in a pipe, to its end. */
int secret_block_read(struct secret_block *b, int fd, struct err *e);
/* secret_items: what the block has; pointers into it. -EBADMSG: it is none. At most SECRET_ITEMS_MAX. */
int secret_items(const struct secret_block *b, struct secret_item *items, size_t *ret_n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded byte buffer for everything that is encoded: wire messages, the canonical policy, state.
 * Writing grows on the heap up to `max`; exceeding it, or a failed get, makes the buffer `bad`, and
 * all later calls do nothing: check once at the end. Integers are little-endian; strings and byte
 * strings have a 32-bit length in front.
 */
#ifndef KAVACH_BASE_BUF_H
#define KAVACH_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct buf {
	uint8_t *p;
	size_t n;   /* bytes written, or bytes available for reading */
	size_t cap; /* 0 = memory not ours (reading) */
	size_t pos; /* read position */
	size_t max;
	bool bad;
	bool wipe; /* what was in it is overwritten wherever it leaves memory behind; for secrets */
};

#define buf_auto __attribute__((cleanup(buf_free))) struct buf

#define BUF_WRITER(limit) ((struct buf){.max = (limit)})
#define BUF_READER(ptr, len)                                                                       \
	((struct buf){.p = (uint8_t *) (uintptr_t) (ptr), .n = (len), .max = (len)})

void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
/* NULL is written as length 0xffffffff and read back as NULL. */
void buf_put_str(struct buf *b, const char *s);
void buf_put_bytes(struct buf *b, const void *p, size_t n);

uint8_t buf_get_u8(struct buf *b);
uint32_t buf_get_u32(struct buf *b);
uint64_t buf_get_u64(struct buf *b);
/* buf_get_str: NUL-terminated copy in the arena, or NULL; a NUL inside makes the buffer bad. */
char *buf_get_str(struct buf *b, struct arena *a);
/* buf_get: n bytes at the read position (a pointer into the buffer), or NULL and bad. */
const void *buf_get(struct buf *b, size_t n);
/* buf_left: bytes not read yet. */
size_t buf_left(const struct buf *b);

/* buf_wipe: of a writer: empty again, and what was in it overwritten. */
void buf_wipe(struct buf *b);
void buf_free(struct buf *b);

#endif

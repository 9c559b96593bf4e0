/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed all at once. The parsed config, the policy and everything they point to live
 * in one arena and are const for everybody else.
 *
 * Allocation never returns NULL: when the kernel has no memory, one line goes to stderr and the
 * process exits with 125. That is safe at any point because the state directory is written before
 * each irreversible step (see state/), and it keeps a NULL check out of every line of the decoders.
 */
#ifndef KAVACH_BASE_ARENA_H
#define KAVACH_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;
struct arena {
	struct arena_chunk *head; /* newest chunk; NULL = empty, a zeroed struct is a valid arena */
	size_t used;		  /* bytes handed out in total */
};

#define arena_auto __attribute__((cleanup(arena_free))) struct arena

/* arena_alloc: n zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n)
	__attribute__((malloc, alloc_size(2), returns_nonnull));
/* arena_array: room for n elements of `size`; the product is overflow-checked. */
void *arena_array(struct arena *a, size_t n, size_t size)
	__attribute__((malloc, alloc_size(2, 3), returns_nonnull));
/* arena_room: a list of n elements with room for *cap that is to get one more: itself, or when it is full a copy with room
 * for twice as many; the old one stays where it is. NULL and 0, 0 begin a list. */
void *arena_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
	__attribute__((returns_nonnull));
#define arena_new(a, type) ((type *) arena_alloc((a), sizeof(type)))

char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));
void *arena_memdup(struct arena *a, const void *p, size_t n) __attribute__((returns_nonnull));

/* arena_give: lets an empty arena begin with memory of the caller's, zeroed, aligned for any type and living as long as
 * the arena: a static buffer costs no system call, and of it only what is used. */
void arena_give(struct arena *a, void *buf, size_t size);

/* arena_free: gives everything back; the arena can be used again. */
void arena_free(struct arena *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks from calloc(), which double from 8 KiB to 256 KiB: a small command stays small, a big config
 * costs few calls. Handing out never clears memory: fresh chunks are zero, and none is used twice.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_MIN ((size_t) 8 << 10)
#define CHUNK_MAX ((size_t) 256 << 10)
#define ALIGN _Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next; /* older */
	size_t size, used;	  /* of data */
	bool given;		  /* not from calloc() */
	_Alignas(max_align_t) char data[];
};

static void __attribute__((noreturn, cold)) no_memory(void)
{
	static const char line[] = "kavach: out of memory\n";
	ssize_t r = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void) r; /* nobody is left to tell */
	_exit(125);
}

static struct arena_chunk *chunk_new(struct arena *a, size_t n)
{
	size_t size = a->head ? a->head->size * 2 : CHUNK_MIN;
	struct arena_chunk *c;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < n)
		size = n;
	if (size > SIZE_MAX - sizeof(*c))
		no_memory();
	c = calloc(1, sizeof(*c) + size);
	if (!c)
		no_memory();
	c->size = size;
	/* A chunk made for one big piece is full: keep filling the one before. */
	if (a->head && size == n && a->head->size - a->head->used > CHUNK_MIN / 8) {
		c->next = a->head->next;
		a->head->next = c;
	} else {
		c->next = a->head;
		a->head = c;
	}
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->head;
	void *p;

	if (n > SIZE_MAX - ALIGN)
		no_memory();
	n = n ? (n + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
	if (!c || c->size - c->used < n)
		c = chunk_new(a, n);
	p = c->data + c->used;
	c->used += n;
	a->used += n;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		no_memory();
	return arena_alloc(a, total);
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
	void *r = arena_alloc(a, n);

	if (n)
		memcpy(r, p, n);
	return r;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = n ? strnlen(s, n) : 0; /* an empty buffer has no memory to point to */
	char *r = arena_alloc(a, len + 1);

	if (len)
		memcpy(r, s, len);
	return r;
}

void *arena_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	void *more;

	if (n < *cap)
		return v;
	*cap = *cap ? *cap * 2 : 16;
	more = arena_array(a, *cap, size);
	if (n)
		memcpy(more, v, n * size);
	return more;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s) + 1);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *r;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	r = arena_alloc(a, n < 0 ? 1 : (size_t) n + 1);
	if (n >= 0)
		vsnprintf(r, (size_t) n + 1, fmt, again);
	va_end(again);
	return r;
}

void arena_give(struct arena *a, void *buf, size_t size)
{
	struct arena_chunk *c = buf;

	assert(!a->head && size > sizeof(*c));
	*c = (struct arena_chunk){.size = size - sizeof(*c), .given = true};
	a->head = c;
}

/* What was given is zeroed for the next who gives it; nobody else may rely on it. */
static void chunk_free(struct arena_chunk *c)
{
	if (c->given)
		memset(c->data, 0, c->used);
	else
		free(c);
}

void arena_free(struct arena *a)
{
	struct arena_chunk *c = a->head;

	while (c) {
		struct arena_chunk *next = c->next;

		chunk_free(c);
		c = next;
	}
	*a = (struct arena){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded buffer behind every encoder and decoder of ours. */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define GROW_MIN 256
#define NULL_LEN UINT32_MAX /* length of a string that is not there */

/* realloc() would leave a copy behind. */
static uint8_t *enlarge(const struct buf *b, size_t cap)
{
	uint8_t *p = b->wipe ? malloc(cap) : realloc(b->p, cap);

	if (p && b->wipe && b->p) {
		memcpy(p, b->p, b->n);
		explicit_bzero(b->p, b->cap);
		free(b->p);
	}
	return p;
}

/* Room for n more bytes, or NULL and bad. */
static uint8_t *grow(struct buf *b, size_t n)
{
	size_t need, cap = b->cap ? b->cap : GROW_MIN;
	uint8_t *p;

	if (b->bad)
		return NULL;
	if (__builtin_add_overflow(b->n, n, &need) || need > b->max || (b->p && !b->cap)) {
		b->bad = true;
		return NULL;
	}
	if (need > b->cap) {
		while (cap < need)
			cap = cap > b->max / 2 ? b->max : cap * 2;
		p = enlarge(b, cap);
		if (!p) {
			b->bad = true;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
	}
	p = b->p + b->n;
	b->n = need;
	return p;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	uint8_t *to;

	if (n == 0)
		return;
	to = grow(b, n);
	if (to)
		memcpy(to, p, n);
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	uint8_t *to = grow(b, 1);

	if (to)
		*to = v;
}

static void put_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *to = grow(b, n);

	for (size_t i = 0; to && i < n; i++)
		to[i] = (uint8_t) (v >> (8 * i));
}

void buf_put_u32(struct buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void buf_put_bytes(struct buf *b, const void *p, size_t n)
{
	if (n >= NULL_LEN) {
		b->bad = true;
		return;
	}
	buf_put_u32(b, (uint32_t) n);
	buf_put(b, p, n);
}

void buf_put_str(struct buf *b, const char *s)
{
	if (s)
		buf_put_bytes(b, s, strlen(s));
	else
		buf_put_u32(b, NULL_LEN);
}

size_t buf_left(const struct buf *b)
{
	return b->bad ? 0 : b->n - b->pos;
}

const void *buf_get(struct buf *b, size_t n)
{
	const uint8_t *p;

	if (b->bad || n > b->n - b->pos) {
		b->bad = true;
		return NULL;
	}
	if (n == 0)
		return "";
	p = b->p + b->pos;
	b->pos += n;
	return p;
}

static uint64_t get_le(struct buf *b, size_t n)
{
	const uint8_t *p = buf_get(b, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v |= (uint64_t) p[i] << (8 * i);
	return v;
}

uint8_t buf_get_u8(struct buf *b)
{
	return (uint8_t) get_le(b, 1);
}

uint32_t buf_get_u32(struct buf *b)
{
	return (uint32_t) get_le(b, 4);
}

uint64_t buf_get_u64(struct buf *b)
{
	return get_le(b, 8);
}

char *buf_get_str(struct buf *b, struct arena *a)
{
	uint32_t n = buf_get_u32(b);
	const char *p;

	if (b->bad || n == NULL_LEN)
		return NULL;
	p = buf_get(b, n); /* checks n against what is there before anything is allocated */
	if (!p)
		return NULL;
	if (memchr(p, '\0', n)) {
		b->bad = true;
		return NULL;
	}
	return arena_strndup(a, p, n);
}

void buf_wipe(struct buf *b)
{
	if (b->cap)
		explicit_bzero(b->p, b->cap);
	b->n = b->pos = 0;
}

void buf_free(struct buf *b)
{
	if (b->wipe)
		buf_wipe(b);
	if (b->cap)
		free(b->p);
	*b = (struct buf){.bad = true};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encodes and decodes structures by their tables (codec.h has the format). This file is part of the
 * in-container stage: no JSON, no stdio.
 *
 * The decoder is the exact inverse of the encoder: every byte string that it accepts is what the encoder
 * would write for the result, so two different byte strings never mean the same policy and the digest
 * of the bytes is the digest of the meaning. Whatever could be said in two ways is refused: bools other
 * than 0 and 1, maps that are unsorted or name a key twice, lists of strings with a NULL in them.
 * Numbers whose row has a table of names must be 0 or in it.
 */
#include <string.h>

#include "policy/codec.h"

#define ABSENT UINT32_MAX /* the length of a NULL string and of a list of strings that is not set */

/* A POL_LIST of whatever: the tables know the element, the compiler does not. Copied, not cast: the
 * pointer inside has another type (strict aliasing). */
struct any_list {
	void *v;
	size_t n;
};

static const void *at(const void *obj, const struct cfield *f)
{
	return (const char *) obj + f->off;
}

static void put_count(struct buf *b, size_t n)
{
	if (n >= ABSENT)
		b->bad = true;
	buf_put_u32(b, (uint32_t) n);
}

/* put_some_str: a string that may not be NULL here. */
static void put_some_str(struct buf *b, const char *s)
{
	if (!s)
		b->bad = true;
	buf_put_str(b, s);
}

static void put_strs(struct buf *b, const struct strs *l)
{
	if (!l->set && !l->n) {
		buf_put_u32(b, ABSENT);
		return;
	}
	put_count(b, l->n);
	for (size_t i = 0; i < l->n; i++)
		put_some_str(b, l->v[i]);
}

static void put_kvs(struct buf *b, const struct kvs *m)
{
	put_count(b, m->n);
	for (size_t i = 0; i < m->n; i++) {
		put_some_str(b, m->v[i].key);
		put_some_str(b, m->v[i].val);
	}
}

static void put_objs(struct buf *b, const struct ctable *t, const void *list)
{
	struct any_list l;

	memcpy(&l, list, sizeof(l));
	put_count(b, l.n);
	for (size_t i = 0; i < l.n && !b->bad; i++)
		codec_encode(b, t, (const char *) l.v + i * t->size);
}

static void put_field(struct buf *b, const struct cfield *f, const void *p)
{
	switch (f->kind) {
	case C_BOOL: buf_put_u8(b, *(const bool *) p); break;
	case C_U32: buf_put_u64(b, *(const uint32_t *) p); break;
	case C_I32: buf_put_u64(b, (uint64_t) (int64_t) * (const int32_t *) p); break;
	case C_U64: buf_put_u64(b, *(const uint64_t *) p); break;
	case C_I64: buf_put_u64(b, (uint64_t) * (const int64_t *) p); break;
	case C_OPT_U64:
		buf_put_u8(b, ((const struct opt_u64 *) p)->set);
		if (((const struct opt_u64 *) p)->set)
			buf_put_u64(b, ((const struct opt_u64 *) p)->v);
		break;
	case C_OPT_I64:
		buf_put_u8(b, ((const struct opt_i64 *) p)->set);
		if (((const struct opt_i64 *) p)->set)
			buf_put_u64(b, (uint64_t) ((const struct opt_i64 *) p)->v);
		break;
	case C_OPT_BOOL:
		buf_put_u8(b, ((const struct opt_bool *) p)->set);
		if (((const struct opt_bool *) p)->set)
			buf_put_u8(b, ((const struct opt_bool *) p)->v);
		break;
	case C_STR: buf_put_str(b, *(char *const *) p); break;
	case C_STRS: put_strs(b, p); break;
	case C_KVS: put_kvs(b, p); break;
	case C_U64S:
		put_count(b, ((const struct u64s *) p)->n);
		for (size_t i = 0; i < ((const struct u64s *) p)->n; i++)
			buf_put_u64(b, ((const struct u64s *) p)->v[i]);
		break;
	case C_BYTES:
		if (((const struct bytes *) p)->n >= ABSENT)
			b->bad = true;
		else
			buf_put_bytes(b, ((const struct bytes *) p)->v,
				      ((const struct bytes *) p)->n);
		break;
	case C_OBJ: codec_encode(b, f->sub, p); break;
	case C_OBJS: put_objs(b, f->sub, p); break;
	}
}

void codec_encode(struct buf *b, const struct ctable *t, const void *obj)
{
	for (size_t i = 0; i < t->n && !b->bad; i++)
		if (!(t->f[i].flags & C_HUMAN))
			put_field(b, &t->f[i], at(obj, &t->f[i]));
}

/* ---- decoding ---- */

static size_t min_size(const struct ctable *t);

/* The fewest bytes that a value of this row can take. */
static size_t min_field(const struct cfield *f)
{
	switch (f->kind) {
	case C_BOOL:
	case C_OPT_U64:
	case C_OPT_I64:
	case C_OPT_BOOL: return 1;
	case C_U32:
	case C_I32:
	case C_U64:
	case C_I64: return 8;
	case C_STR:
	case C_STRS:
	case C_KVS:
	case C_U64S:
	case C_BYTES:
	case C_OBJS: return 4;
	case C_OBJ: return min_size(f->sub);
	}
	return 0;
}

static size_t min_size(const struct ctable *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (!(t->f[i].flags & C_HUMAN))
			n += min_field(&t->f[i]);
	return n;
}

/* get_count: the length of a list whose elements take at least `min` bytes each: what cannot be there is
 * not allocated. Elements that take no bytes cannot be counted by what is left, so there are none. */
static size_t get_count(struct buf *b, size_t min)
{
	uint32_t n = buf_get_u32(b);

	if (b->bad || !min || n > buf_left(b) / min) {
		if (n)
			b->bad = true;
		return 0;
	}
	return n;
}

static bool get_bool(struct buf *b)
{
	uint8_t v = buf_get_u8(b);

	if (v > 1)
		b->bad = true;
	return v == 1;
}

static char *get_some_str(struct buf *b, struct arena *a)
{
	char *s = buf_get_str(b, a);

	if (!s)
		b->bad = true;
	return s;
}

static void get_strs(struct buf *b, struct strs *ret, struct arena *a)
{
	size_t start = b->pos, n;

	if (buf_get_u32(b) == ABSENT || b->bad)
		return;
	b->pos = start;
	n = get_count(b, 4);
	if (b->bad)
		return;
	/* One more: a list that ends in NULL can be handed to execve() as it is. */
	ret->v = arena_array(a, n + 1, sizeof(*ret->v));
	for (; ret->n < n && !b->bad; ret->n++)
		ret->v[ret->n] = get_some_str(b, a);
	ret->set = true;
}

static void get_kvs(struct buf *b, struct kvs *ret, struct arena *a)
{
	size_t n = get_count(b, 8);

	if (!n)
		return;
	ret->v = arena_array(a, n, sizeof(*ret->v));
	for (size_t i = 0; i < n; i++) {
		ret->v[i].key = get_some_str(b, a);
		ret->v[i].val = get_some_str(b, a);
		if (!b->bad && i && strcmp(ret->v[i - 1].key, ret->v[i].key) >= 0)
			b->bad = true;
		if (b->bad)
			return;
		ret->n = i + 1;
	}
}

static void get_u64s(struct buf *b, struct u64s *ret, struct arena *a)
{
	size_t n = get_count(b, 8);

	if (!n)
		return;
	ret->v = arena_array(a, n, sizeof(*ret->v));
	for (; ret->n < n; ret->n++)
		ret->v[ret->n] = buf_get_u64(b);
}

static void get_bytes(struct buf *b, struct bytes *ret, struct arena *a)
{
	size_t n = get_count(b, 1);
	const void *p = buf_get(b, n);

	if (!p || !n)
		return;
	ret->v = arena_memdup(a, p, n);
	ret->n = n;
}

static void get_objs(struct buf *b, const struct ctable *t, void *list, struct arena *a)
{
	struct any_list l = {0};
	size_t n = get_count(b, min_size(t));

	if (!n)
		return;
	l.v = arena_array(a, n, t->size);
	for (; l.n < n && !b->bad; l.n++)
		codec_decode(b, t, (char *) l.v + l.n * t->size, a);
	memcpy(list, &l, sizeof(l));
}

static uint32_t get_u32(struct buf *b, const struct cfield *f)
{
	uint64_t v = buf_get_u64(b);

	if (v > UINT32_MAX || (v && f->names && !name_of(f->names, f->n_names, (long) v)))
		b->bad = true;
	return (uint32_t) v;
}

static int32_t get_i32(struct buf *b)
{
	int64_t v = (int64_t) buf_get_u64(b);

	if (v < INT32_MIN || v > INT32_MAX)
		b->bad = true;
	return (int32_t) v;
}

static void get_field(struct buf *b, const struct cfield *f, void *p, struct arena *a)
{
	switch (f->kind) {
	case C_BOOL: *(bool *) p = get_bool(b); break;
	case C_U32: *(uint32_t *) p = get_u32(b, f); break;
	case C_I32: *(int32_t *) p = get_i32(b); break;
	case C_U64: *(uint64_t *) p = buf_get_u64(b); break;
	case C_I64: *(int64_t *) p = (int64_t) buf_get_u64(b); break;
	case C_OPT_U64:
		((struct opt_u64 *) p)->set = get_bool(b);
		if (((struct opt_u64 *) p)->set)
			((struct opt_u64 *) p)->v = buf_get_u64(b);
		break;
	case C_OPT_I64:
		((struct opt_i64 *) p)->set = get_bool(b);
		if (((struct opt_i64 *) p)->set)
			((struct opt_i64 *) p)->v = (int64_t) buf_get_u64(b);
		break;
	case C_OPT_BOOL:
		((struct opt_bool *) p)->set = get_bool(b);
		if (((struct opt_bool *) p)->set)
			((struct opt_bool *) p)->v = get_bool(b);
		break;
	case C_STR: *(char **) p = buf_get_str(b, a); break;
	case C_STRS: get_strs(b, p, a); break;
	case C_KVS: get_kvs(b, p, a); break;
	case C_U64S: get_u64s(b, p, a); break;
	case C_BYTES: get_bytes(b, p, a); break;
	case C_OBJ: codec_decode(b, f->sub, p, a); break;
	case C_OBJS: get_objs(b, f->sub, p, a); break;
	}
}

void codec_decode(struct buf *b, const struct ctable *t, void *obj, struct arena *a)
{
	for (size_t i = 0; i < t->n && !b->bad; i++)
		if (!(t->f[i].flags & C_HUMAN))
			get_field(b, &t->f[i], (char *) obj + t->f[i].off, a);
}

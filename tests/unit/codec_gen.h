/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structures made at random by the tables of policy/codec.h, from a seed; comparison of such structures that does not go
 * through the encoder; and which bytes of a structure its table covers.
 */
#ifndef KAVACH_TESTS_CODEC_GEN_H
#define KAVACH_TESTS_CODEC_GEN_H

#include <string.h>

#include "base/str.h"
#include "policy/codec.h"

/* ---- a small generator ---- */

static uint64_t rng;

static inline uint64_t rnd(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return below ? rng % below : rng;
}

/* Numbers that have been trouble somewhere: 0, small, the ends of the ranges, anything. */
static inline uint64_t rnd_num(uint64_t max)
{
	switch (rnd(4)) {
	case 0: return 0;
	case 1: return rnd(300) & max;
	case 2: return max;
	default: return rnd(0) & max;
	}
}

static inline char *rnd_str(struct arena *a)
{
	size_t n = rnd(8) ? rnd(12) : rnd(400);
	char *s = arena_alloc(a, n + 1);

	for (size_t i = 0; i < n; i++)
		s[i] = (char) (1 + rnd(255));
	return s;
}

static inline void gen_obj(const struct ctable *t, void *obj, struct arena *a, unsigned depth);

static inline void gen_strs(struct strs *l, struct arena *a)
{
	l->set = rnd(3) != 0;
	l->n = l->set ? rnd(5) : 0;
	l->v = arena_array(a, l->n, sizeof(*l->v));
	for (size_t i = 0; i < l->n; i++)
		l->v[i] = rnd_str(a);
}

static inline void gen_kvs(struct kvs *m, struct arena *a)
{
	m->n = rnd(4);
	m->v = arena_array(a, m->n, sizeof(*m->v));
	for (size_t i = 0; i < m->n; i++)
		m->v[i] = (struct kv){arena_printf(a, "%c%s", (char) ('a' + i), rnd_str(a)),
				      rnd_str(a)};
}

static inline void gen_list(const struct ctable *t, void *list, struct arena *a, unsigned depth)
{
	struct {
		void *v;
		size_t n;
	} l = {.n = depth ? rnd(4) : 0};

	l.v = arena_array(a, l.n, t->size);
	for (size_t i = 0; i < l.n; i++)
		gen_obj(t, (char *) l.v + i * t->size, a, depth - 1);
	memcpy(list, &l, sizeof(l));
}

static inline void gen_field(const struct cfield *f, void *p, struct arena *a, unsigned depth)
{
	switch (f->kind) {
	case C_BOOL: *(bool *) p = rnd(2); break;
	case C_U32:
		*(uint32_t *) p = f->names ? (uint32_t) f->names[rnd(f->n_names)].val
					   : (uint32_t) rnd_num(UINT32_MAX);
		break;
	case C_I32: *(int32_t *) p = (int32_t) rnd_num(UINT32_MAX); break;
	case C_U64: *(uint64_t *) p = rnd_num(UINT64_MAX); break;
	case C_I64: *(int64_t *) p = (int64_t) rnd_num(UINT64_MAX); break;
	case C_OPT_U64:
		if (rnd(2))
			*(struct opt_u64 *) p = (struct opt_u64){true, rnd_num(UINT64_MAX)};
		break;
	case C_OPT_I64:
		if (rnd(2))
			*(struct opt_i64 *) p = (struct opt_i64){true,
								 (int64_t) rnd_num(UINT64_MAX)};
		break;
	case C_OPT_BOOL:
		if (rnd(2))
			*(struct opt_bool *) p = (struct opt_bool){true, rnd(2)};
		break;
	case C_STR: *(char **) p = rnd(3) ? rnd_str(a) : NULL; break;
	case C_STRS: gen_strs(p, a); break;
	case C_KVS: gen_kvs(p, a); break;
	case C_U64S: {
		struct u64s *l = p;

		l->n = rnd(5);
		l->v = arena_array(a, l->n, sizeof(*l->v));
		for (size_t i = 0; i < l->n; i++)
			l->v[i] = rnd_num(UINT64_MAX);
		break;
	}
	case C_BYTES: {
		struct bytes *y = p;

		y->n = rnd(8) ? rnd(40) : rnd(3000);
		y->v = arena_alloc(a, y->n);
		for (size_t i = 0; i < y->n; i++)
			y->v[i] = (uint8_t) rnd(256);
		break;
	}
	case C_OBJ: gen_obj(f->sub, p, a, depth); break;
	case C_OBJS: gen_list(f->sub, p, a, depth); break;
	}
}

static inline void gen_obj(const struct ctable *t, void *obj, struct arena *a, unsigned depth)
{
	for (size_t i = 0; i < t->n; i++)
		gen_field(&t->f[i], (char *) obj + t->f[i].off, a, depth);
}

/* ---- comparison of structures, independent of the encoder ---- */

static inline bool same_obj(const struct ctable *t, const void *x, const void *y);

static inline bool same_strs(const struct strs *x, const struct strs *y)
{
	if (x->n != y->n || x->set != y->set)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->v[i], y->v[i]))
			return false;
	return true;
}

static inline bool same_kvs(const struct kvs *x, const struct kvs *y)
{
	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->v[i].key, y->v[i].key) || strcmp(x->v[i].val, y->v[i].val))
			return false;
	return true;
}

static inline bool same_list(const struct ctable *t, const void *x, const void *y)
{
	struct {
		const char *v;
		size_t n;
	} l, m;

	memcpy(&l, x, sizeof(l));
	memcpy(&m, y, sizeof(m));
	if (l.n != m.n)
		return false;
	for (size_t i = 0; i < l.n; i++)
		if (!same_obj(t, l.v + i * t->size, m.v + i * t->size))
			return false;
	return true;
}

static inline bool same_field(const struct cfield *f, const void *x, const void *y)
{
	switch (f->kind) {
	case C_BOOL: return *(const bool *) x == *(const bool *) y;
	case C_U32:
	case C_I32: return !memcmp(x, y, 4);
	case C_U64:
	case C_I64: return !memcmp(x, y, 8);
	case C_OPT_U64:
		return ((const struct opt_u64 *) x)->set == ((const struct opt_u64 *) y)->set &&
		       ((const struct opt_u64 *) x)->v == ((const struct opt_u64 *) y)->v;
	case C_OPT_I64:
		return ((const struct opt_i64 *) x)->set == ((const struct opt_i64 *) y)->set &&
		       ((const struct opt_i64 *) x)->v == ((const struct opt_i64 *) y)->v;
	case C_OPT_BOOL:
		return ((const struct opt_bool *) x)->set == ((const struct opt_bool *) y)->set &&
		       ((const struct opt_bool *) x)->v == ((const struct opt_bool *) y)->v;
	case C_STR: return str_eq0(*(char *const *) x, *(char *const *) y);
	case C_STRS: return same_strs(x, y);
	case C_KVS: return same_kvs(x, y);
	case C_U64S:
		return ((const struct u64s *) x)->n == ((const struct u64s *) y)->n &&
		       (!((const struct u64s *) x)->n ||
			!memcmp(((const struct u64s *) x)->v, ((const struct u64s *) y)->v,
				8 * ((const struct u64s *) x)->n));
	case C_BYTES:
		return ((const struct bytes *) x)->n == ((const struct bytes *) y)->n &&
		       (!((const struct bytes *) x)->n ||
			!memcmp(((const struct bytes *) x)->v, ((const struct bytes *) y)->v,
				((const struct bytes *) x)->n));
	case C_OBJ: return same_obj(f->sub, x, y);
	case C_OBJS: return same_list(f->sub, x, y);
	}
	return false;
}

static inline bool same_obj(const struct ctable *t, const void *x, const void *y)
{
	for (size_t i = 0; i < t->n; i++)
		if (!(t->f[i].flags & C_HUMAN) &&
		    !same_field(&t->f[i], (const char *) x + t->f[i].off,
				(const char *) y + t->f[i].off))
			return false;
	return true;
}

/* ---- every member is in its table ---- */

#if defined(__has_builtin) && __has_builtin(__builtin_clear_padding)
#define CODEC_COVERAGE 1
#define VALUE_BYTES(type, buf)                                                                     \
	do {                                                                                       \
		type v_;                                                                           \
		memset(&v_, 0xff, sizeof(v_));                                                     \
		__builtin_clear_padding(&v_);                                                      \
		memcpy(buf, &v_, sizeof(v_));                                                      \
	} while (0)

static inline void mark_obj(const struct ctable *t, uint8_t *at);

/* The bytes of a member that hold its value. */
static inline void mark_field(const struct cfield *f, uint8_t *at)
{
	switch (f->kind) {
	case C_BOOL: VALUE_BYTES(bool, at); break;
	case C_U32:
	case C_I32: memset(at, 0xff, 4); break;
	case C_U64:
	case C_I64: memset(at, 0xff, 8); break;
	case C_OPT_U64: VALUE_BYTES(struct opt_u64, at); break;
	case C_OPT_I64: VALUE_BYTES(struct opt_i64, at); break;
	case C_OPT_BOOL: VALUE_BYTES(struct opt_bool, at); break;
	case C_STR: memset(at, 0xff, sizeof(char *)); break;
	case C_STRS: VALUE_BYTES(struct strs, at); break;
	case C_KVS: VALUE_BYTES(struct kvs, at); break;
	case C_U64S: VALUE_BYTES(struct u64s, at); break;
	case C_BYTES: VALUE_BYTES(struct bytes, at); break;
	case C_OBJ: mark_obj(f->sub, at); break;
	case C_OBJS: memset(at, 0xff, sizeof(void *) + sizeof(size_t)); break;
	}
}

static inline void mark_obj(const struct ctable *t, uint8_t *at)
{
	for (size_t i = 0; i < t->n; i++)
		mark_field(&t->f[i], at + t->f[i].off);
}
#endif

#endif

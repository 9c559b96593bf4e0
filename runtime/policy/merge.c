/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources with what an update has changed. The rows of the codec say what members there are, so that a new one is not
 * forgotten: numbers and texts that are set replace what was; lists are merged by what an element is about.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "policy/build.h"
#include "policy/codec.h"

typedef POL_LIST(char) any_list;

/* Whether two elements of a list are about the same thing. */
static bool same_thing(const struct cfield *f, const void *x, const void *y)
{
	if (f->off == offsetof(struct pol_resources, blkio)) {
		const struct pol_blkio_dev *a = x, *b = y;

		return a->knob == b->knob && a->major == b->major && a->minor == b->minor;
	}
	if (f->off == offsetof(struct pol_resources, hugepages))
		return str_eq0(((const struct pol_hugepage *) x)->size,
			       ((const struct pol_hugepage *) y)->size);
	if (f->off == offsetof(struct pol_resources, rdma))
		return str_eq0(((const struct pol_rdma *) x)->device,
			       ((const struct pol_rdma *) y)->device);
	return false;
}

static void merge_list(const struct cfield *f, any_list *to, const any_list *from, struct arena *a)
{
	size_t size = f->sub->size;
	char *v;

	if (from->n == 0)
		return;
	v = arena_array(a, to->n + from->n, size);
	if (to->n)
		memcpy(v, to->v, to->n * size);
	to->v = v;
	for (size_t i = 0; i < from->n; i++) {
		const char *e = from->v + i * size;
		size_t k = 0;

		while (k < to->n && !same_thing(f, v + k * size, e))
			k++;
		memcpy(v + k * size, e, size);
		to->n += k == to->n;
	}
}

static int by_key(const void *x, const void *y)
{
	return strcmp(((const struct kv *) x)->key, ((const struct kv *) y)->key);
}

static void merge_kvs(struct kvs *to, const struct kvs *from, struct arena *a)
{
	struct kv *v;

	if (from->n == 0)
		return;
	v = arena_array(a, to->n + from->n, sizeof(*v));
	if (to->n)
		memcpy(v, to->v, to->n * sizeof(*v));
	to->v = v;
	for (size_t i = 0; i < from->n; i++) {
		size_t k = 0;

		while (k < to->n && !str_eq(v[k].key, from->v[i].key))
			k++;
		v[k] = from->v[i];
		to->n += k == to->n;
	}
	qsort(v, to->n, sizeof(*v), by_key);
}

static void merge_member(const struct cfield *f, void *to, const void *from, struct arena *a)
{
	switch (f->kind) {
	case C_OPT_U64:
		if (((const struct opt_u64 *) from)->set)
			*(struct opt_u64 *) to = *(const struct opt_u64 *) from;
		break;
	case C_OPT_I64:
		if (((const struct opt_i64 *) from)->set)
			*(struct opt_i64 *) to = *(const struct opt_i64 *) from;
		break;
	case C_OPT_BOOL:
		if (((const struct opt_bool *) from)->set)
			*(struct opt_bool *) to = *(const struct opt_bool *) from;
		break;
	case C_STR:
		if (!str_empty(*(char *const *) from))
			*(char **) to = *(char *const *) from;
		break;
	case C_KVS: merge_kvs(to, from, a); break;
	case C_OBJS: merge_list(f, to, from, a); break;
	default: break; /* there are no others (test_policy.c) */
	}
}

void policy_merge_resources(struct pol_resources *to, const struct pol_resources *from,
			    struct arena *a)
{
	for (size_t i = 0; i < pol_resources_table.n; i++) {
		const struct cfield *f = &pol_resources_table.f[i];

		merge_member(f, (char *) to + f->off, (const char *) from + f->off, a);
	}
}

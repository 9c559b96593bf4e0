/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON form by the same tables as the encoding, so that nothing is sealed that is not shown. What is
 * absent (NULL, not set, an empty list) is left out. Numbers with names are shown by name; a 64-bit mask
 * whose row has names is a list of them. An embedded struct that starts with `set` is left out when it
 * is not.
 */
#include "base/num.h"
#include "policy/codec.h"

static void json_list(struct jsonw *w, const struct cfield *f, const void *p)
{
	struct {
		const void *v;
		size_t n;
	} l;

	memcpy(&l, p, sizeof(l));
	if (!l.n)
		return;
	jw_key(w, f->name);
	jw_arr(w);
	for (size_t i = 0; i < l.n; i++)
		codec_json(w, f->sub, (const char *) l.v + i * f->sub->size);
	jw_arr_end(w);
}

static void json_mask(struct jsonw *w, const struct cfield *f, uint64_t mask)
{
	char num[24];

	jw_key(w, f->name);
	jw_arr(w);
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = name_of(f->names, f->n_names, (long) bit);

		if (!(mask >> bit & 1))
			continue;
		if (!name) {
			num_fmt_u64(num, bit);
			name = num;
		}
		jw_str(w, name);
	}
	jw_arr_end(w);
}

static void json_u32(struct jsonw *w, const struct cfield *f, uint32_t v)
{
	const char *name = f->names ? name_of(f->names, f->n_names, (long) v) : NULL;

	if (name)
		jw_kstr(w, f->name, name);
	else if (v || !f->names)
		jw_ku64(w, f->name, v);
}

/* Whether the struct says of itself that it is not there. */
static bool obj_absent(const struct ctable *t, const void *p)
{
	return t->n && t->f[0].kind == C_BOOL && str_eq(t->f[0].name, "set") &&
	       !*(const bool *) ((const char *) p + t->f[0].off);
}

static void json_u64s(struct jsonw *w, const char *name, const struct u64s *l)
{
	if (!l->n)
		return;
	jw_key(w, name);
	jw_arr(w);
	for (size_t i = 0; i < l->n; i++)
		jw_u64(w, l->v[i]);
	jw_arr_end(w);
}

static void json_field(struct jsonw *w, const struct cfield *f, const void *p)
{
	switch (f->kind) {
	case C_BOOL: jw_kbool(w, f->name, *(const bool *) p); break;
	case C_U32: json_u32(w, f, *(const uint32_t *) p); break;
	case C_I32: jw_ki64(w, f->name, *(const int32_t *) p); break;
	case C_U64:
		if (f->names)
			json_mask(w, f, *(const uint64_t *) p);
		else
			jw_ku64(w, f->name, *(const uint64_t *) p);
		break;
	case C_I64: jw_ki64(w, f->name, *(const int64_t *) p); break;
	case C_OPT_U64:
		if (((const struct opt_u64 *) p)->set)
			jw_ku64(w, f->name, ((const struct opt_u64 *) p)->v);
		break;
	case C_OPT_I64:
		if (((const struct opt_i64 *) p)->set)
			jw_ki64(w, f->name, ((const struct opt_i64 *) p)->v);
		break;
	case C_OPT_BOOL:
		if (((const struct opt_bool *) p)->set)
			jw_kbool(w, f->name, ((const struct opt_bool *) p)->v);
		break;
	case C_STR:
		if (*(char *const *) p)
			jw_kstr(w, f->name, *(char *const *) p);
		break;
	case C_STRS:
		if (((const struct strs *) p)->set || ((const struct strs *) p)->n)
			jw_kstrs(w, f->name, p);
		break;
	case C_KVS:
		if (((const struct kvs *) p)->n)
			jw_kkvs(w, f->name, p);
		break;
	case C_U64S: json_u64s(w, f->name, p); break;
	case C_BYTES: jw_ku64(w, f->name, ((const struct bytes *) p)->n); break;
	case C_OBJ:
		if (obj_absent(f->sub, p))
			break;
		jw_key(w, f->name);
		codec_json(w, f->sub, p);
		break;
	case C_OBJS: json_list(w, f, p); break;
	}
}

void codec_json(struct jsonw *w, const struct ctable *t, const void *obj)
{
	jw_obj(w);
	for (size_t i = 0; i < t->n; i++)
		json_field(w, &t->f[i], (const char *) obj + t->f[i].off);
	jw_obj_end(w);
}

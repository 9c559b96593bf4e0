/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table-driven codec for everything that is stored or handed over: the policy, the boot block of the
 * in-container stage, the state record. A row says name, kind, offset; the encoding is the rows' values
 * in table order: integers little-endian (all 8 bytes; bool 1 byte), strings and byte strings with a
 * 32-bit length (0xffffffff = NULL), lists with a 32-bit count, optional numbers with a presence byte.
 * No padding, no alignment, one encoding per value: equal values have equal bytes. The same rows write
 * the JSON form, so what `kavach policy --json` shows is what is sealed.
 */
#ifndef KAVACH_POLICY_CODEC_H
#define KAVACH_POLICY_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "policy/policy.h"

enum ckind {
	C_BOOL, /* bool */
	C_U32,	/* uint32_t */
	C_I32,	/* int32_t */
	C_U64,	/* uint64_t */
	C_I64,	/* int64_t */
	C_OPT_U64,
	C_OPT_I64,
	C_OPT_BOOL,
	C_STR,	 /* char * */
	C_STRS,	 /* struct strs */
	C_KVS,	 /* struct kvs */
	C_U64S,	 /* struct u64s */
	C_BYTES, /* struct bytes; JSON: length only */
	C_OBJ,	 /* embedded struct, `sub` */
	C_OBJS,	 /* list {v, n} of `sub` */
};

enum {
	C_HUMAN = 1 << 0, /* shown in JSON, left out of the digest and the encoding */
};

struct cfield {
	const char *name; /* JSON member */
	enum ckind kind;
	unsigned flags;
	size_t off;
	const struct ctable *sub;
	const struct name_val *names; /* C_U32: names for the JSON form */
	size_t n_names;
};

struct ctable {
	const char *name;
	const struct cfield *f;
	size_t n;
	size_t size;
};

void codec_encode(struct buf *b, const struct ctable *t, const void *obj);
/* codec_decode: *obj (zeroed, t->size bytes) from b; lists are capped by the bytes that are left, so a
 * hostile length cannot allocate more than the input's size times the largest element. Bools must be
 * 0 or 1, so that decode is the exact inverse of encode. Sets b->bad on any violation. */
void codec_decode(struct buf *b, const struct ctable *t, void *obj, struct arena *a);
void codec_json(struct jsonw *w, const struct ctable *t, const void *obj);

/* The tables (policy/fields.c). */
extern const struct ctable policy_table, pol_process_table, pol_seccomp_table, pol_resources_table,
	pol_cgroup_table, pol_hook_table, pol_mount_table, pol_idmap_table, pol_rdt_table,
	policy_landlock_table;

/* policy_encode: magic "KVCHPOL" + version + fields. policy_decode checks magic, version and that no
 * byte is left over. policy_digest: SHA-256 of the encoding. */
void policy_encode(struct buf *b, const struct policy *p);
int policy_decode(const void *p, size_t n, struct arena *a, const struct policy **ret,
		  struct err *e);
void policy_digest(const void *encoded, size_t n, uint8_t ret[32]);

#endif

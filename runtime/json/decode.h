/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed decoding of JSON nodes into C structures through static field tables. The decoder checks type,
 * range, required members, enum membership and unknown keys once for every table; what it accepts is
 * fully typed. Messages: "config.json:1:64: process.user.uid: expected a number, found string \"1000\"".
 *
 * null: treated as absent for optional members (engines written in Go emit it), an error for required ones.
 */
#ifndef KAVACH_JSON_DECODE_H
#define KAVACH_JSON_DECODE_H

#include "base/str.h"
#include "base/types.h"
#include "json/read.h"

/* C type at `off` for each kind. Absent members leave the zeroed memory alone. */
enum jkind {
	J_STR,	   /* char * (NULL = absent); when the row has `names`, it must be one of them */
	J_ABSPATH, /* char *, must start with '/' */
	J_BOOL,	   /* struct opt_bool */
	J_UINT,	   /* struct opt_u64, range 0..max of the row (max 0 = UINT64_MAX) */
	J_INT,	   /* struct opt_i64, range min..max of the row (both 0 = INT64 range) */
	J_STRS,	   /* struct strs; when the row has `names`, each must be one of them */
	J_UINTS,   /* struct u64s, each 0..max */
	J_ENUM, /* int: value of the name in the row's `names` (struct name_val with values >= 1); 0 = absent */
	J_ENUMS, /* struct u64s of such values */
	J_OBJ,	 /* pointer to a struct of size `size`, decoded by `sub`; NULL = absent */
	J_OBJS,	 /* struct jlist: array of structs of size `size` */
	J_MAP,	 /* struct kvs: object whose values are strings */
	J_MAP_OBJ, /* struct jlist of structs; the member name goes to char * at offset 0 of each; sorted by key */
	J_STRSS, /* struct jlist of struct strs: array of arrays of strings */
	J_ANY,	 /* struct json_node *: kept as it is */
};

struct jlist {
	void *v;
	size_t n;
	bool set; /* tells [] from absent */
};

enum {
	J_REQUIRED = 1 << 0,
	J_NONEMPTY = 1 << 1, /* strings: not ""; lists: at least one element */
	J_STRICT =
		1
		<< 2, /* (table flag) unknown members are errors: our own files, not the OCI ones */
};

struct jfield {
	const char *name;
	enum jkind kind;
	unsigned flags;
	size_t off;
	int64_t min;
	uint64_t max;
	const struct jtable *sub;     /* J_OBJ, J_OBJS, J_MAP_OBJ */
	const struct name_val *names; /* J_ENUM, J_ENUMS; closed list for J_STR, J_STRS */
	size_t n_names;
};

struct jtable {
	const struct jfield *f;
	size_t n;
	size_t size; /* of the struct */
	unsigned flags;
	/* optional check after the members are decoded: cross-field rules. Set errors with json_err(). */
	int (*check)(const struct json_doc *d, const struct json_node *n, void *obj,
		     struct arena *a, struct err *e);
};

/* json_decode: fills *obj (zeroed by the caller, t->size bytes) from node n. */
int json_decode(const struct json_doc *d, const struct json_node *n, const struct jtable *t,
		void *obj, struct arena *a, struct err *e);

/* json_err: "FILE:LINE:COL: PATH: text", id ERR_CONFIG, code -EINVAL. */
int json_err(const struct json_doc *d, const struct json_node *n, struct err *e, const char *fmt,
	     ...) __attribute__((format(printf, 4, 5), cold));

/* json_found: how a node is shown in messages: `string "1000"`, `number 4294967296`, `array`, `null`;
 * long strings are cut. In the arena. */
char *json_found(struct arena *a, const struct json_node *n);

#endif

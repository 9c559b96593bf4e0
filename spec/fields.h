/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the field tables in t_*.c are written with, and the checks that they share. For spec/, the
 * reader of the site rules, and the tests of both.
 *
 * A row says where in a C structure a JSON member goes. A row whose kind does not fit the C type at that
 * place would let the decoder write over its neighbours, so the macros compare the two: a wrong row does
 * not compile.
 */
#ifndef KAVACH_SPEC_FIELDS_H
#define KAVACH_SPEC_FIELDS_H

#include <stddef.h>

#include "json/decode.h"
#include "spec/spec.h"

#define FIELD_TYPE_IS(t, m, ctype) __builtin_types_compatible_p(__typeof__(((t *) 0)->m), ctype)
/* 0, or no value at all when the condition does not hold. */
#define FIELD_CHECK(cond) (0 * sizeof(char[(cond) ? 1 : -1]))
#define FIELD_OFF(t, m, ctype) (offsetof(t, m) + FIELD_CHECK(FIELD_TYPE_IS(t, m, ctype)))
#define FIELD_IS_LIST(t, m, elem)                                                                  \
	(FIELD_TYPE_IS(t, m.v, elem *) && FIELD_TYPE_IS(t, m.n, size_t) &&                         \
	 FIELD_TYPE_IS(t, m.set, bool) && sizeof(((t *) 0)->m) == sizeof(struct jlist) &&          \
	 offsetof(t, m.v) - offsetof(t, m) == offsetof(struct jlist, v) &&                         \
	 offsetof(t, m.n) - offsetof(t, m) == offsetof(struct jlist, n) &&                         \
	 offsetof(t, m.set) - offsetof(t, m) == offsetof(struct jlist, set))

/* t: the structure, m: its member, named as in the spec. More goes into the row as it stands, for
 * example `.flags = J_REQUIRED`. */
#define F_ROW(t, m, k, ctype, ...)                                                                 \
	{                                                                                          \
		.name = #m, .kind = (k), .off = FIELD_OFF(t, m, ctype), __VA_ARGS__                \
	}
#define F_STR(t, m, ...) F_ROW(t, m, J_STR, char *, __VA_ARGS__)
#define F_PATH(t, m, ...) F_ROW(t, m, J_ABSPATH, char *, __VA_ARGS__)
#define F_BOOL(t, m, ...) F_ROW(t, m, J_BOOL, struct opt_bool, __VA_ARGS__)
#define F_UINT(t, m, ...) F_ROW(t, m, J_UINT, struct opt_u64, __VA_ARGS__)
#define F_INT(t, m, ...) F_ROW(t, m, J_INT, struct opt_i64, __VA_ARGS__)
#define F_STRS(t, m, ...) F_ROW(t, m, J_STRS, struct strs, __VA_ARGS__)
#define F_UINTS(t, m, ...) F_ROW(t, m, J_UINTS, struct u64s, __VA_ARGS__)
#define F_MAP(t, m, ...) F_ROW(t, m, J_MAP, struct kvs, __VA_ARGS__)
#define F_OBJ(t, m, ctype, table, ...) F_ROW(t, m, J_OBJ, ctype *, .sub = (table), __VA_ARGS__)
#define F_OBJS(t, m, ctype, table, ...) F_LIST(t, m, J_OBJS, ctype, table, __VA_ARGS__)
#define F_MAP_OBJ(t, m, ctype, table, ...) F_LIST(t, m, J_MAP_OBJ, ctype, table, __VA_ARGS__)
#define F_LIST(t, m, k, ctype, table, ...)                                                         \
	{                                                                                          \
		.name = #m, .kind = (k),                                                           \
		.off = offsetof(t, m) + FIELD_CHECK(FIELD_IS_LIST(t, m, ctype)), .sub = (table),   \
		__VA_ARGS__                                                                        \
	}

/* A string, or each of a list of strings, is one of these. */
#define F_ONE_OF(list) .names = (list), .n_names = ARRAY_LEN(list)

#define F_TABLE(ctype, rows, ...)                                                                  \
	{                                                                                          \
		.f = (rows), .n = ARRAY_LEN(rows), .size = sizeof(ctype), __VA_ARGS__              \
	}

/* Ids: the largest uint32 is -1, "no id", for the kernel. */
#define SPEC_ID_MAX (UINT32_MAX - 1)

extern const struct jtable spec_t_process;   /* t_process.c */
extern const struct jtable spec_t_hooks;     /* t_hooks.c */
extern const struct jtable spec_t_linux;     /* t_linux.c */
extern const struct jtable spec_t_resources; /* t_resources.c */
extern const struct jtable spec_t_seccomp;   /* t_seccomp.c */
extern const struct jtable spec_t_vm;	     /* t_vm.c */
extern const struct jtable spec_t_config;    /* t_config.c */
extern const struct jtable spec_t_mounts;    /* t_config.c: an object with "mounts" */
extern const struct jtable spec_t_idmap;     /* t_config.c: struct spec_idmap */

/* t_linux.c: for the features document too */
extern const struct name_val spec_mempolicy_modes[], spec_mempolicy_flags[];
extern const size_t spec_mempolicy_modes_n, spec_mempolicy_flags_n;

/*
 * Checks for the `check` functions of tables. n is the object, `member` the name of one of its members;
 * a member that is absent or null passes. Each returns 0 or sets the error at the offending value.
 */

/* spec_refuse: "<path of the member>: expected <expected>, found <what stands there>". */
int spec_refuse(const struct json_doc *d, const struct json_node *n, const char *member,
		const char *expected, struct arena *a, struct err *e);
/* spec_need: the member is REQUIRED under a condition that the table cannot say. */
int spec_need(const struct json_doc *d, const struct json_node *n, const char *member,
	      const char *when, struct err *e);
/* spec_check_each: ok(text) holds for the string, for each string of the array, or for each member name
 * of the object (whatever the member is). */
int spec_check_each(const struct json_doc *d, const struct json_node *n, const char *member,
		    bool (*ok)(const char *text), const char *expected, struct arena *a,
		    struct err *e);

/* spec_check_env: the strings of the member "env" have the form NAME=value, with a NAME. */
int spec_check_env(const struct json_doc *d, const struct json_node *n, struct err *e);

/* What spec_check_each() is called with. */
bool spec_is_path(const char *s);     /* absolute */
bool spec_is_named(const char *s);    /* not "" */
bool spec_is_cpu_list(const char *s); /* "0-3,7", cpuset(7) list format; "" too */
#define SPEC_PATH "an absolute path"
#define SPEC_CPU_LIST "a list like \"0-3,7\""

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base json */
/*
 * Any bytes through the reader and the decoder. The table has every kind of field. Beyond memory errors
 * it checks what both promise: an error has a text and a code, offsets point into the text, and what was
 * taken has no NUL in its strings.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "json/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct inner {
	char *key, *str;
	struct opt_u64 num;
	struct inner *more;
};

struct outer {
	char *str, *path;
	struct opt_bool flag;
	struct opt_u64 num;
	struct opt_i64 sig;
	struct strs strs;
	struct u64s nums, names;
	int name;
	struct inner *obj;
	struct jlist objs, mapobj, strss;
	struct kvs map;
	struct json_node *any;
};

static const struct name_val names[] = {{"pid", 1}, {"network", 2}};

static const struct jtable inner_table;
static const struct jfield inner_fields[] = {
	{.name = "s", .kind = J_STR, .flags = J_REQUIRED, .off = offsetof(struct inner, str)},
	{.name = "n", .kind = J_UINT, .off = offsetof(struct inner, num), .max = 65535},
	{.name = "o", .kind = J_OBJ, .off = offsetof(struct inner, more), .sub = &inner_table},
};
static const struct jtable inner_table = {inner_fields, ARRAY_LEN(inner_fields),
					  sizeof(struct inner), J_STRICT, NULL};

#define F(n, k, ...)                                                                               \
	{                                                                                          \
		.name = #n, .kind = k, .off = offsetof(struct outer, n), __VA_ARGS__               \
	}

static const struct jfield outer_fields[] = {
	F(str, J_STR, .flags = J_NONEMPTY),
	F(path, J_ABSPATH),
	F(flag, J_BOOL),
	F(num, J_UINT),
	F(sig, J_INT, .min = -10, .max = 10),
	F(strs, J_STRS, .flags = J_NONEMPTY),
	F(nums, J_UINTS),
	F(names, J_ENUMS, .names = names, .n_names = ARRAY_LEN(names)),
	F(name, J_ENUM, .names = names, .n_names = ARRAY_LEN(names)),
	F(obj, J_OBJ, .sub = &inner_table),
	F(objs, J_OBJS, .sub = &inner_table),
	F(mapobj, J_MAP_OBJ, .sub = &inner_table),
	F(strss, J_STRSS),
	F(map, J_MAP),
	F(any, J_ANY),
};
static const struct jtable outer_table = {outer_fields, ARRAY_LEN(outer_fields),
					  sizeof(struct outer), 0, NULL};

static void must(bool cond)
{
	if (!cond)
		abort();
}

static void check_node(const struct json_doc *d, const struct json_node *n, unsigned depth,
		       struct arena *a)
{
	unsigned line, col;
	uint32_t i = 0;

	must(depth <= JSON_MAX_DEPTH && n->offset < d->len);
	json_pos(d, n->offset, &line, &col);
	must(line >= 1 && col >= 1);
	must(json_path(a, n) && json_found(a, n) && json_type_name(n->type));
	if (n->s)
		must(strlen(n->s) == n->n);
	if (n->key)
		must(n->key_offset < n->offset && d->text[n->key_offset] == '"');
	for (const struct json_node *k = n->child; k; k = k->next) {
		must(k->parent == n && k->index == i++);
		must(!k->key == (n->type != JSON_OBJECT));
		if (k->key)
			must(json_get(n, k->key) == k);
		check_node(d, k, depth + 1, a);
	}
	if (n->type == JSON_ARRAY || n->type == JSON_OBJECT)
		must(n->n == i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outer o = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct json_doc d;
	int r = json_read("fuzz", (const char *) data, size, &a, &d, &e);

	if (r == 0) {
		check_node(&d, d.root, 0, &a);
		r = json_decode(&d, d.root, &outer_table, &o, &a, &e);
	}
	must(r <= 0 && e.code == r && (r == 0) == !*e.msg);
	if (r < 0)
		must(e.id == ERR_CONFIG && str_prefix(e.msg, "fuzz:") && !strchr(e.msg, '\n'));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protobuf codec and the tables of CRIU's messages. Of the format we need: a key (number << 3 | wire type) before
 * each value, wire type 0 (varint) for numbers and 2 (length and bytes) for strings and messages; 1 and 5 (fixed 8 and 4
 * bytes) only to skip them. Messages are not recursive, so neither is the memory that a hostile one can ask for.
 */
#include <errno.h>
#include <string.h>

#include "criu/rpc.h"

#define ROW(num, kind, type, member)                                                               \
	{                                                                                          \
		(num), (kind), offsetof(struct type, member), NULL                                 \
	}
#define ROW_SUB(num, kind, type, member, table)                                                    \
	{                                                                                          \
		(num), (kind), offsetof(struct type, member), (table)                              \
	}
#define TABLE(name, rows, type)                                                                    \
	const struct rpc_table name = {                                                            \
		.f = (rows), .n = ARRAY_LEN(rows), .size = sizeof(struct type)}

static const struct rpc_field page_server_rows[] = {
	ROW(1, RPC_STR, rpc_page_server, address),
	ROW(2, RPC_INT, rpc_page_server, port),
};
static TABLE(page_server_table, page_server_rows, rpc_page_server);

static const struct rpc_field mount_rows[] = {
	ROW(1, RPC_STR, rpc_mount, key),
	ROW(2, RPC_STR, rpc_mount, val),
};
static TABLE(mount_table, mount_rows, rpc_mount);

static const struct rpc_field join_rows[] = {
	ROW(1, RPC_STR, rpc_join, ns),
	ROW(2, RPC_STR, rpc_join, file),
};
static TABLE(join_table, join_rows, rpc_join);

static const struct rpc_field inherit_rows[] = {
	ROW(1, RPC_STR, rpc_inherit, key),
	ROW(2, RPC_INT, rpc_inherit, fd),
};
static TABLE(inherit_table, inherit_rows, rpc_inherit);

static const struct rpc_field cg_root_rows[] = {
	ROW(1, RPC_STR, rpc_cg_root, ctrl),
	ROW(2, RPC_STR, rpc_cg_root, path),
};
static TABLE(cg_root_table, cg_root_rows, rpc_cg_root);

static const struct rpc_field opts_rows[] = {
	ROW(1, RPC_INT, rpc_opts, images_fd),
	ROW(2, RPC_INT, rpc_opts, pid),
	ROW(3, RPC_BOOL, rpc_opts, leave_running),
	ROW(4, RPC_BOOL, rpc_opts, ext_unix_sk),
	ROW(5, RPC_BOOL, rpc_opts, tcp_established),
	ROW(6, RPC_BOOL, rpc_opts, evasive_devices),
	ROW(7, RPC_BOOL, rpc_opts, shell_job),
	ROW(8, RPC_BOOL, rpc_opts, file_locks),
	ROW(9, RPC_INT, rpc_opts, log_level),
	ROW(10, RPC_STR, rpc_opts, log_file),
	ROW_SUB(11, RPC_MSG, rpc_opts, page_server, &page_server_table),
	ROW(12, RPC_BOOL, rpc_opts, notify_scripts),
	ROW(13, RPC_STR, rpc_opts, root),
	ROW(14, RPC_STR, rpc_opts, parent),
	ROW(15, RPC_BOOL, rpc_opts, track_mem),
	ROW(16, RPC_BOOL, rpc_opts, auto_dedup),
	ROW(17, RPC_INT, rpc_opts, work_fd),
	ROW(18, RPC_BOOL, rpc_opts, link_remap),
	ROW_SUB(23, RPC_MSGS, rpc_opts, mounts, &mount_table),
	ROW(24, RPC_BOOL, rpc_opts, manage_cgroups),
	ROW_SUB(25, RPC_MSGS, rpc_opts, cg_roots, &cg_root_table),
	ROW(26, RPC_BOOL, rpc_opts, rst_sibling),
	ROW_SUB(27, RPC_MSGS, rpc_opts, inherit, &inherit_table),
	ROW(34, RPC_INT, rpc_opts, cg_mode),
	ROW(37, RPC_STRS, rpc_opts, external),
	ROW(38, RPC_INT, rpc_opts, empty_ns),
	ROW_SUB(39, RPC_MSGS, rpc_opts, joins, &join_table),
	ROW(44, RPC_STR, rpc_opts, freeze_cgroup),
	ROW(46, RPC_BOOL, rpc_opts, tcp_skip_in_flight),
	ROW(48, RPC_BOOL, rpc_opts, lazy_pages),
	ROW(49, RPC_INT, rpc_opts, status_fd),
	ROW(50, RPC_BOOL, rpc_opts, orphan_pts_master),
	ROW(51, RPC_STR, rpc_opts, config_file),
	ROW(52, RPC_BOOL, rpc_opts, tcp_close),
	ROW(53, RPC_STR, rpc_opts, lsm_profile),
	ROW(63, RPC_STR, rpc_opts, lsm_mount_context),
	ROW(64, RPC_INT, rpc_opts, network_lock),
};
static TABLE(opts_table, opts_rows, rpc_opts);

static const struct rpc_field features_rows[] = {
	ROW(1, RPC_BOOL, rpc_features, mem_track),
	ROW(2, RPC_BOOL, rpc_features, lazy_pages),
};
static TABLE(features_table, features_rows, rpc_features);

static const struct rpc_field req_rows[] = {
	ROW(1, RPC_INT, rpc_req, type),
	ROW_SUB(2, RPC_MSG, rpc_req, opts, &opts_table),
	ROW(3, RPC_BOOL, rpc_req, notify_success),
	ROW(4, RPC_BOOL, rpc_req, keep_open),
	ROW_SUB(5, RPC_MSG, rpc_req, features, &features_table),
};
TABLE(rpc_req_table, req_rows, rpc_req);

static const struct rpc_field pid_rows[] = {ROW(1, RPC_INT, rpc_pid, pid)};
static TABLE(pid_table, pid_rows, rpc_pid);

static const struct rpc_field notify_rows[] = {
	ROW(1, RPC_STR, rpc_notify, script),
	ROW(2, RPC_INT, rpc_notify, pid),
};
static TABLE(notify_table, notify_rows, rpc_notify);

static const struct rpc_field version_rows[] = {
	ROW(1, RPC_INT, rpc_version, major),
	ROW(2, RPC_INT, rpc_version, minor),
	ROW(4, RPC_INT, rpc_version, sublevel),
};
static TABLE(version_table, version_rows, rpc_version);

static const struct rpc_field resp_rows[] = {
	ROW(1, RPC_INT, rpc_resp, type),
	ROW(2, RPC_BOOL, rpc_resp, success),
	ROW_SUB(4, RPC_MSG, rpc_resp, restore, &pid_table),
	ROW_SUB(5, RPC_MSG, rpc_resp, notify, &notify_table),
	ROW(7, RPC_INT, rpc_resp, cr_errno),
	ROW_SUB(8, RPC_MSG, rpc_resp, features, &features_table),
	ROW(9, RPC_STR, rpc_resp, cr_errmsg),
	ROW_SUB(10, RPC_MSG, rpc_resp, version, &version_table),
};
TABLE(rpc_resp_table, resp_rows, rpc_resp);

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* any RPC_LIST */
struct list {
	void *v;
	size_t n;
};

void *rpc_grow(struct arena *a, void *list_v, size_t *list_n, size_t size)
{
	void *old, *v;

	memcpy(&old, list_v, sizeof(old));
	/* full at each power of two, so that the number is enough to know */
	if ((*list_n & (*list_n - 1)) == 0) {
		v = arena_array(a, *list_n ? *list_n * 2 : 1, size);
		if (*list_n)
			memcpy(v, old, *list_n * size);
		memcpy(list_v, &v, sizeof(v));
		old = v;
	}
	return (char *) old + (*list_n)++ * size;
}

/* ---- writing ---- */

static void put_varint(struct buf *b, uint64_t v)
{
	while (v >= 0x80) {
		buf_put_u8(b, (uint8_t) (v | 0x80));
		v >>= 7;
	}
	buf_put_u8(b, (uint8_t) v);
}

static void put_key(struct buf *b, uint32_t num, enum wire w)
{
	put_varint(b, (uint64_t) num << 3 | w);
}

static void put_bytes(struct buf *b, uint32_t num, const void *p, size_t n)
{
	put_key(b, num, WIRE_BYTES);
	put_varint(b, n);
	buf_put(b, p, n);
}

static void put_msg(struct buf *b, const struct rpc_field *f, const void *msg)
{
	buf_auto inner = BUF_WRITER(b->max);

	rpc_encode(&inner, f->sub, msg);
	b->bad |= inner.bad;
	put_bytes(b, f->num, inner.p, inner.n);
}

static void put_number(struct buf *b, uint32_t num, uint64_t v)
{
	put_key(b, num, WIRE_VARINT);
	put_varint(b, v);
}

static void put_field(struct buf *b, const struct rpc_field *f, const void *p)
{
	const struct opt_i64 *num = p;
	const struct strs *strs = p;
	const struct list *list = p;
	const void *ptr;

	switch (f->kind) {
	case RPC_BOOL:
		if (*(const bool *) p)
			put_number(b, f->num, 1);
		break;
	case RPC_INT:
		if (num->set)
			put_number(b, f->num, (uint64_t) num->v);
		break;
	case RPC_STR:
		memcpy(&ptr, p, sizeof(ptr));
		if (ptr)
			put_bytes(b, f->num, ptr, strlen(ptr));
		break;
	case RPC_STRS:
		for (size_t i = 0; i < strs->n; i++)
			put_bytes(b, f->num, strs->v[i], strlen(strs->v[i]));
		break;
	case RPC_MSG:
		memcpy(&ptr, p, sizeof(ptr));
		if (ptr)
			put_msg(b, f, ptr);
		break;
	case RPC_MSGS:
		for (size_t i = 0; i < list->n; i++)
			put_msg(b, f, (const char *) list->v + i * f->sub->size);
		break;
	}
}

void rpc_encode(struct buf *out, const struct rpc_table *t, const void *msg)
{
	for (size_t i = 0; i < t->n; i++)
		put_field(out, &t->f[i], (const char *) msg + t->f[i].off);
}

/* ---- reading ---- */

static uint64_t get_varint(struct buf *b)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && !b->bad; shift += 7) {
		uint8_t byte = buf_get_u8(b);

		if (shift == 63 && byte > 1)
			break; /* more than 64 bits */
		v |= (uint64_t) (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	b->bad = true;
	return 0;
}

static void skip_value(struct buf *b, unsigned wire)
{
	switch (wire) {
	case WIRE_VARINT: get_varint(b); break;
	case WIRE_FIXED64: buf_get(b, 8); break;
	case WIRE_FIXED32: buf_get(b, 4); break;
	case WIRE_BYTES: {
		uint64_t n = get_varint(b);

		if (n > buf_left(b))
			b->bad = true;
		else
			buf_get(b, (size_t) n);
		break;
	}
	default: b->bad = true; /* groups are history */
	}
}

/* A length and as many bytes, as a buffer of their own. */
static struct buf get_bytes(struct buf *b)
{
	uint64_t n = get_varint(b);

	if (b->bad || n > buf_left(b)) {
		b->bad = true;
		return BUF_READER(NULL, 0);
	}
	return BUF_READER(buf_get(b, (size_t) n), (size_t) n);
}

static char *get_str(struct buf *b, struct arena *a)
{
	struct buf s = get_bytes(b);

	if (s.n && memchr(s.p, 0, s.n))
		b->bad = true;
	return b->bad ? NULL : arena_strndup(a, s.n ? (const char *) s.p : "", s.n);
}

static void decode(struct buf *b, const struct rpc_table *t, void *msg, struct arena *a);

static void get_msg(struct buf *b, const struct rpc_table *t, void *msg, struct arena *a)
{
	struct buf inner = get_bytes(b);

	if (b->bad)
		return;
	decode(&inner, t, msg, a);
	b->bad |= inner.bad;
}

static void get_int(struct buf *b, struct opt_i64 *ret)
{
	int64_t v = (int64_t) get_varint(b);

	if (v < INT32_MIN || v > UINT32_MAX)
		b->bad = true;
	else
		*ret = (struct opt_i64){.set = true, .v = v};
}

static void get_field(struct buf *b, const struct rpc_field *f, void *p, struct arena *a)
{
	struct strs *strs = p;
	struct list *list = p;
	char *str;
	void *sub;

	switch (f->kind) {
	case RPC_BOOL: *(bool *) p = get_varint(b) != 0; break;
	case RPC_INT: get_int(b, p); break;
	case RPC_STR:
		str = get_str(b, a);
		memcpy(p, &str, sizeof(str));
		break;
	case RPC_STRS:
		str = get_str(b, a);
		if (!b->bad)
			*rpc_add(a, strs) = str;
		break;
	case RPC_MSG:
		sub = arena_alloc(a, f->sub->size);
		get_msg(b, f->sub, sub, a);
		memcpy(p, &sub, sizeof(sub));
		break;
	case RPC_MSGS: get_msg(b, f->sub, rpc_grow(a, &list->v, &list->n, f->sub->size), a); break;
	}
}

static const struct rpc_field *find_field(const struct rpc_table *t, uint64_t num)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->f[i].num == num)
			return &t->f[i];
	return NULL;
}

static void decode(struct buf *b, const struct rpc_table *t, void *msg, struct arena *a)
{
	while (!b->bad && buf_left(b)) {
		uint64_t key = get_varint(b);
		const struct rpc_field *f = find_field(t, key >> 3);
		unsigned wire = key & 7;

		if (b->bad || !f)
			skip_value(b, wire);
		else if (wire !=
			 (f->kind == RPC_BOOL || f->kind == RPC_INT ? WIRE_VARINT : WIRE_BYTES))
			b->bad = true;
		else
			get_field(b, f, (char *) msg + f->off, a);
	}
}

int rpc_decode(const void *p, size_t n, const struct rpc_table *t, void *msg, struct arena *a)
{
	struct buf b = BUF_READER(p, n);

	memset(msg, 0, t->size);
	decode(&b, t, msg, a);
	return b.bad ? -EBADMSG : 0;
}

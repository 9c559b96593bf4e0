/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of `criu swrk`: protobuf (version 2), one message per packet. Only what we send and read is here; what
 * else a newer CRIU says is skipped. The numbers are those of CRIU's images/rpc.proto, which only ever grows.
 *
 * One table of rows per message is read by both directions: number, kind, offset. A pointer that is NULL, a number that
 * is not set, an empty list and a false bool are not sent.
 */
#ifndef KAVACH_CRIU_RPC_H
#define KAVACH_CRIU_RPC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/types.h"

#define RPC_MAX (128u << 10) /* of one message, either way: what a socket takes at once */

enum rpc_type {
	RPC_DUMP = 1,
	RPC_RESTORE = 2,
	RPC_PRE_DUMP = 4,
	RPC_NOTIFY = 6,
	RPC_FEATURE_CHECK = 9,
	RPC_VERSION = 10,
};

struct rpc_page_server {
	char *address;
	struct opt_i64 port;
};

struct rpc_mount { /* external mount: key is the place in the container (dump) or its cookie (restore) */
	char *key, *val;
};

struct rpc_join {
	char *ns, *file;
};

struct rpc_inherit {
	char *key;
	struct opt_i64 fd; /* in criu's own table */
};

struct rpc_cg_root {
	char *ctrl, *path; /* ctrl NULL: all */
};

/* A list that grows in an arena: rpc_add(). `size` of an element is its user's. */
#define RPC_LIST(type)                                                                             \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n;                                                                          \
	}

/* Descriptors are numbers in criu's process. */
struct rpc_opts {
	struct opt_i64 images_fd, work_fd, pid, status_fd;
	struct opt_i64 log_level, cg_mode, empty_ns, network_lock;
	char *log_file, *root, *parent, *freeze_cgroup, *config_file, *lsm_profile,
		*lsm_mount_context;
	struct rpc_page_server *page_server;
	RPC_LIST(struct rpc_mount) mounts;
	RPC_LIST(struct rpc_cg_root) cg_roots;
	RPC_LIST(struct rpc_inherit) inherit;
	RPC_LIST(struct rpc_join) joins;
	struct strs external;
	bool leave_running, ext_unix_sk, tcp_established, evasive_devices, shell_job, file_locks,
		notify_scripts, track_mem, auto_dedup, link_remap, manage_cgroups, rst_sibling,
		tcp_skip_in_flight, lazy_pages, orphan_pts_master, tcp_close;
};

struct rpc_features {
	bool mem_track, lazy_pages;
};

struct rpc_req {
	struct opt_i64 type;
	struct rpc_opts *opts;
	bool notify_success, keep_open;
	struct rpc_features *features;
};

struct rpc_notify {
	char *script;
	struct opt_i64 pid;
};

struct rpc_pid {
	struct opt_i64 pid;
};

struct rpc_version {
	struct opt_i64 major, minor, sublevel;
};

struct rpc_resp {
	struct opt_i64 type;
	bool success;
	struct rpc_pid *restore;
	struct rpc_notify *notify;
	struct opt_i64 cr_errno;
	struct rpc_features *features;
	char *cr_errmsg;
	struct rpc_version *version;
};

/* ---- the codec ---- */

enum rpc_kind { RPC_BOOL, RPC_INT, RPC_STR, RPC_STRS, RPC_MSG, RPC_MSGS };

struct rpc_field {
	uint32_t num; /* 1 to 127 */
	enum rpc_kind kind;
	size_t off;
	const struct rpc_table *sub; /* MSG, MSGS */
};

struct rpc_table {
	const struct rpc_field *f;
	size_t n, size;
};

extern const struct rpc_table rpc_req_table, rpc_resp_table;

/* rpc_encode: appends *msg to out, which becomes bad when it is full. */
void rpc_encode(struct buf *out, const struct rpc_table *t, const void *msg);

/* rpc_decode: fills *msg, zeroed before, from n foreign bytes. -EBADMSG: not such a message, a string with a NUL in it, a
 * number that fits neither int32 nor uint32. Strings and lists are in the arena. Fields that the table does not have
 * are skipped; of one that comes twice and is no list, the last counts. */
int rpc_decode(const void *p, size_t n, const struct rpc_table *t, void *msg, struct arena *a);

/* rpc_grow: room for one more element of `size` at the end of a list; returns it, zeroed. */
void *rpc_grow(struct arena *a, void *list_v, size_t *list_n, size_t size);
#define rpc_add(a, l) ((__typeof__((l)->v)) rpc_grow((a), &(l)->v, &(l)->n, sizeof(*(l)->v)))

#endif

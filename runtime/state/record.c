/* SPDX-License-Identifier: Apache-2.0 */
/* The encoding of the state record. A field that has no row is not stored. */
#include <stddef.h>

#include "policy/codec.h"
#include "state/state.h"

#define ROW(n, k)                                                                                  \
	{                                                                                          \
		.name = #n, .kind = (k), .off = offsetof(struct state_record, n)                   \
	}
#define ROW_SUB(n, k, t)                                                                           \
	{                                                                                          \
		.name = #n, .kind = (k), .off = offsetof(struct state_record, n), .sub = (t)       \
	}

static const struct cfield fields[] = {
	ROW(id, C_STR),
	ROW(bundle, C_STR),
	ROW(rootfs, C_STR),
	ROW(oci_version, C_STR),
	ROW(annotations, C_KVS),
	ROW(created, C_U64),
	ROW(owner_uid, C_U32),
	ROW(backend, C_U32),
	ROW(pid, C_I64),
	ROW(pid_start, C_U64),
	ROW(ns_flags, C_U64),
	ROW(shared_pidns, C_BOOL),
	ROW(rootless, C_BOOL),
	ROW(has_process, C_BOOL),
	ROW(policy_digest, C_STR),
	ROW(config_digest, C_STR),
	ROW(listener_path, C_STR),
	ROW(listener_metadata, C_STR),
	ROW(hook_out, C_STR),
	ROW(hook_err, C_STR),
	ROW_SUB(cg, C_OBJ, &cg_table),
	ROW_SUB(poststart, C_OBJS, &pol_hook_table),
	ROW_SUB(poststop, C_OBJS, &pol_hook_table),
};

const struct ctable state_table = {
	.name = "state", .f = fields, .n = ARRAY_LEN(fields), .size = sizeof(struct state_record)};

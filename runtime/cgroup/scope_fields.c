/* SPDX-License-Identifier: Apache-2.0 */
/* Codec rows of what kavach and kavach-scope say to each other. */
#include "cgroup/scope.h"

#define REQ(m, k) .name = #m, .kind = (k), .off = offsetof(struct scope_req, m)
#define REPLY(m, k) .name = #m, .kind = (k), .off = offsetof(struct scope_reply, m)

static const struct cfield req_fields[] = {
	{REQ(version, C_U32)}, {REQ(op, C_U32)},   {REQ(user, C_BOOL)},
	{REQ(owner, C_U32)},   {REQ(unit, C_STR)}, {REQ(props, C_KVS)},
	{REQ(limits, C_KVS)},  {REQ(pid, C_U64)},  {REQ(sub, C_STR)},
};

const struct ctable scope_req_table = {
	.name = "scope_req",
	.f = req_fields,
	.n = ARRAY_LEN(req_fields),
	.size = sizeof(struct scope_req),
};

static const struct cfield reply_fields[] = {
	{REPLY(code, C_I32)},
	{REPLY(error, C_STR)},
	{REPLY(path, C_STR)},
	{REPLY(existed, C_BOOL)},
};

const struct ctable scope_reply_table = {
	.name = "scope_reply",
	.f = reply_fields,
	.n = ARRAY_LEN(reply_fields),
	.size = sizeof(struct scope_reply),
};

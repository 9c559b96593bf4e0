/* SPDX-License-Identifier: Apache-2.0 */
/* Codec rows of struct cg, for the state record. */
#include "cgroup/cgroup.h"
#include "policy/codec.h"

#define HIER(m) .name = #m, .kind = C_STR, .off = offsetof(struct cg_hier, m)

static const struct cfield hier_fields[] = {
	{HIER(name)},
	{HIER(mount)},
	{HIER(path)},
};

static const struct ctable hier_table = {
	.name = "cg_hier",
	.f = hier_fields,
	.n = ARRAY_LEN(hier_fields),
	.size = sizeof(struct cg_hier),
};

#define CG(m, k) .name = #m, .kind = (k), .off = offsetof(struct cg, m)

static const struct cfield cg_fields[] = {
	{CG(layout, C_U32)},	  {CG(manager, C_U32)},	    {CG(hier, C_OBJS), .sub = &hier_table},
	{CG(scope, C_STR)},	  {CG(scope_user, C_BOOL)}, {CG(sub, C_STR)},
	{CG(made_by_us, C_BOOL)}, {CG(error, C_STR)},
};

const struct ctable cg_table = {
	.name = "cg",
	.f = cg_fields,
	.n = ARRAY_LEN(cg_fields),
	.size = sizeof(struct cg),
};

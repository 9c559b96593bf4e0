/* SPDX-License-Identifier: Apache-2.0 */
/* Execution domain and NUMA policy: both are inherited by the program, and set before the filter may forbid it. */
#include <linux/mempolicy.h>
#include <sys/personality.h>

#include "base/str.h"
#include "base/sys.h"
#include "exec/ctx.h"

static int apply_mempolicy(struct stage *s, const struct pol_mempolicy *m, struct err *e)
{
	unsigned long *mask = NULL;
	size_t bits = 0;
	int r;

	if (!str_empty(m->nodes)) {
		r = exec_parse_list(m->nodes, s->a, &mask, &bits);
		if (r < 0)
			return err_set_id(e, ERR_CONFIG, r,
					  "linux.memoryPolicy.nodes: \"%s\" is not a list of nodes",
					  m->nodes);
	}
	/* set_mempolicy(2) takes one more than the number of bits */
	r = sys_set_mempolicy((int) m->mode, mask, bits ? bits + 1 : 0);
	if (r < 0)
		return err_neg(e, r, "linux.memoryPolicy: mode %u, nodes \"%s\"", m->mode,
			       m->nodes ? m->nodes : "");
	return 0;
}

int attr_apply(struct stage *s, struct err *e)
{
	const struct opt_u64 *domain = &s->proc->personality;

	if (domain->set && personality((unsigned long) domain->v) < 0)
		return err_sys(e, "linux.personality: setting %#llx",
			       (unsigned long long) domain->v);
	if (s->p && s->p->mempolicy.set)
		return apply_mempolicy(s, &s->p->mempolicy, e);
	return 0;
}

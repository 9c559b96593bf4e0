/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's network interfaces. */
#include "agent/agent.h"

int agent_net_apply(const struct wire_net *n, struct err *e)
{
	if (n->nics.n)
		return err_set(e, -EOPNOTSUPP, "this agent cannot set up network interfaces");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's network interfaces, which are the container's. */
#include "agent/agent.h"
#include "net/nics.h"

int agent_net_apply(const struct wire_net *n, struct err *e)
{
	rtnl_auto s = {.fd = -EBADF};
	int r = rtnl_open(&s, e);

	return r < 0 ? r : net_apply(&s, n, e);
}

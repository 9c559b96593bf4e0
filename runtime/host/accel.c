/* SPDX-License-Identifier: Apache-2.0 */
/* How this host would run a VM: what `kavach check` finds out about KVM, as a fact for a policy. */
#include "host/check.h"
#include "host/host.h"

void host_probe_kvm(struct host *h)
{
	arena_auto a = {0};
	struct finding f = {.a = &a};
	struct look l;

	look_machine(&l, &a);
	row_kvm(&l, &f);
	/* "limited" is a KVM without the hardware: it starts small guests and breaks large ones. */
	h->accel = f.state == CHECK_OK ? HOST_ACCEL_KVM : HOST_ACCEL_TCG;
}

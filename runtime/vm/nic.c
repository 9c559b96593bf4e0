/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a virtio network device: kavach writes it in QEMU's arguments, the monitor tells it to the agent. */
#include <stdio.h>

#include "vm/shape.h"

void vm_nic_mac(uint32_t i, char ret[VM_MAC_LEN])
{
	/* 52:54:00 is what QEMU gives its guests; the container sees the engine's address, which the agent sets */
	snprintf(ret, VM_MAC_LEN, "52:54:00:6b:76:%02x", (unsigned) (i & 0xff));
}

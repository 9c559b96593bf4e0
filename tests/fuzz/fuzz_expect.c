/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest json base */
/* Verification policies: read or refused with a message, never a fault. */
#include <stdlib.h>

#include "attest/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {(uint8_t *) (uintptr_t) data, size};
	arena_auto a = {0};
	struct err e = ERR_INIT;
	struct expect x;

	if (expect_read("policy.json", in, &a, &x, &e) < 0 && (!e.code || !e.msg[0]))
		abort();
	return 0;
}

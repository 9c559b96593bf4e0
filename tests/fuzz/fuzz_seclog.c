/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy base */
/*
 * Any text as a line of the kernel's log: what comes out is one line of printable characters, and none for a line that is not
 * about seccomp.
 */
#include <assert.h>
#include <string.h>

#include "seccomp/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	buf_auto b = BUF_WRITER(1u << 20);
	arena_auto a = {0};
	bool about = report_log(&b, (const char *) data, size, &a);

	assert(about == (b.n > 0) || b.bad);
	for (size_t i = 0; i < b.n; i++)
		assert((b.p[i] >= ' ' && b.p[i] <= '~') || (b.p[i] == '\n' && i == b.n - 1));
	return 0;
}

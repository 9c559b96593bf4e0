/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec policy base */
/* A block of secrets, as the stage or an agent gets it: whatever comes, what is taken lies within it and is as promised. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exec/secret_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret_item items[SECRET_ITEMS_MAX];
	struct secret_block b = {.p = malloc(size + 1), .n = size};
	size_t n = 0;

	memcpy(b.p, data, size);
	if (secret_items(&b, items, &n) == 0) {
		assert(n <= SECRET_ITEMS_MAX);
		for (size_t i = 0; i < n; i++) {
			const struct secret_item *it = &items[i];

			assert(it->value >= b.p && it->value + it->n <= b.p + size);
			assert(strlen(it->name) < size && strlen(it->target) < size);
			if (it->give == POL_SECRET_FILE)
				assert(it->target[0] == '/');
			if (it->give == POL_SECRET_ENV)
				assert(strlen((char *) it->value) == it->n - 1 &&
				       strchr((char *) it->value, '='));
		}
	}
	free(b.p);
	return 0;
}

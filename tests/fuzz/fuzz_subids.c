/* SPDX-License-Identifier: Apache-2.0 */
/* libs: host json base */
/*
 * Any text as /etc/subuid and as /etc/passwd: what comes out are ranges that fit, and a name that is a part of the text.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *copy(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *passwd = copy(data, size), *subids = copy(data, size);
	const char *name = host_user_name(passwd, 1000);
	struct host_ranges r;

	assert(!name || (name >= passwd && name + strlen(name) <= passwd + size && *name));
	host_subids_parse(subids, name, 1000, &r);
	assert(r.n <= HOST_RANGES_MAX);
	for (uint32_t i = 0; i < r.n; i++)
		assert(r.v[i].n > 0 && r.v[i].first <= UINT32_MAX - r.v[i].n);
	free(passwd);
	free(subids);
	return 0;
}

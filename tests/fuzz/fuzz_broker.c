/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest json base */
/* What a client may send to a broker, and its table: taken or refused with a message. What is taken is what can be judged. */
#include <stdlib.h>
#include <string.h>

#include "attest/release.h"

static int no_policy(void *arg, const char *name, struct bytes *ret, struct err *e)
{
	static const char text[] = "{\"version\":1,\"anyMeasurement\":true}";

	(void) arg, (void) e;
	*ret = (struct bytes){(uint8_t *) (uintptr_t) text, *name ? strlen(text) : 0};
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {(uint8_t *) (uintptr_t) data, size};
	const struct broker none = {.table = {.n = 0}};
	struct release_table t = {.n = 0};
	struct release_request q;
	struct err e = ERR_INIT;
	arena_auto a = {0};
	int r = broker_parse(in, &a, &q, &e);

	if (r < 0 ? !e.msg[0] : r != BROKER_SAID_HELLO && r != BROKER_SAID_REQUEST)
		abort();
	/* nobody is in this table */
	if (r == BROKER_SAID_REQUEST && release_judge(&none, &q, 1800000000, &a, &e) == 0)
		abort();
	e = ERR_INIT;
	r = release_table_read("table.json", in, no_policy, NULL, &a, &t, &e);
	if (r < 0 && (!e.code || !e.msg[0]))
		abort();
	if (r == 0)
		for (size_t i = 0; i < t.n; i++)
			if (!t.v[i].names.n ||
			    (!t.v[i].digests.set && !t.v[i].expect.host_data.set))
				abort();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/certtable.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/guid.h"

static const struct {
	const char *name, *guid;
} kinds[] = {
	[CERTTABLE_VCEK] = {"VCEK", "63da758d-e664-4564-adc5-f4b93be8accd"},
	[CERTTABLE_VLEK] = {"VLEK", "a8074bc2-a25a-483e-aae6-39c045a0b8a1"},
	[CERTTABLE_ASK] = {"ASK", "4ab7b379-bbac-4fe4-a02f-05aef327c782"},
	[CERTTABLE_ARK] = {"ARK", "c0b406a4-a803-4952-9743-3fb6014cd0ae"},
	[CERTTABLE_CRL] = {"CRL", "92f81bc3-5811-4d3d-97ff-d19f88dc67ea"},
};
_Static_assert(ARRAY_LEN(kinds) == CERTTABLE_KINDS, "one row per kind");

const char *certtable_name(enum certtable_kind k)
{
	return kinds[k].name;
}

/* The number of entries before the one of zeros. */
static int count_entries(struct bytes in, size_t *ret, struct err *e)
{
	size_t n = 0;

	for (; n <= CERTTABLE_MAX && (n + 1) * CERTTABLE_ENTRY <= in.n; n++)
		if (bytes_zero(in.v + n * CERTTABLE_ENTRY, CERTTABLE_ENTRY)) {
			*ret = n;
			return 0;
		}
	return err_set(
		e, -EINVAL,
		"certificate table: no entry of zeros ends it within %zu bytes and %u entries",
		in.n, CERTTABLE_MAX);
}

static int one_entry(struct bytes in, size_t head, size_t i, struct bytes ret[CERTTABLE_KINDS],
		     struct err *e)
{
	const uint8_t *p = in.v + i * CERTTABLE_ENTRY;
	uint32_t off = get_le32(p + GUID_LEN), len = get_le32(p + GUID_LEN + 4);

	/* not off + len: it may wrap around */
	if (off < head || off > in.n || len > in.n - off)
		return err_set(
			e, -EINVAL,
			"certificate table: entry %zu has %u bytes at offset %u, which is not "
			"between its header of %zu bytes and its end at %zu",
			i, len, off, head, in.n);
	for (int k = 0; k < CERTTABLE_KINDS; k++) {
		if (!guid_is(p, GUID_RFC4122, kinds[k].guid))
			continue;
		if (ret[k].v)
			return err_set(e, -EINVAL, "certificate table: entry %zu is a second %s", i,
				       kinds[k].name);
		ret[k] = (struct bytes){in.v + off, len};
	}
	return 0;
}

int certtable_parse(struct bytes in, struct bytes ret[CERTTABLE_KINDS], struct err *e)
{
	struct bytes found[CERTTABLE_KINDS] = {{0}};
	size_t n = 0;
	int r = count_entries(in, &n, e);

	for (size_t i = 0; i < n && r == 0; i++)
		r = one_entry(in, (n + 1) * CERTTABLE_ENTRY, i, found, e);
	if (r == 0)
		memcpy(ret, found, sizeof(found));
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/guid.h"

#include <assert.h>
#include <string.h>

#include "attest/bytes.h"

/* where in the stored bytes the n-th byte of the text stands */
static const uint8_t places[2][GUID_LEN] = {
	[GUID_EFI] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15},
	[GUID_RFC4122] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
};

static bool dash_after(unsigned byte)
{
	return byte == 3 || byte == 5 || byte == 7 || byte == 9;
}

bool guid_bytes(const char *text, enum guid_order order, uint8_t ret[GUID_LEN])
{
	uint8_t b[GUID_LEN];

	for (unsigned i = 0; i < GUID_LEN; i++) {
		int hi = hex_digit(text[0]), lo = hi < 0 ? -1 : hex_digit(text[1]);

		if (lo < 0)
			return false;
		b[places[order][i]] = (uint8_t) (hi << 4 | lo);
		text += 2;
		if (dash_after(i) && *text++ != '-')
			return false;
	}
	if (*text)
		return false;
	memcpy(ret, b, GUID_LEN);
	return true;
}

bool guid_is(const uint8_t bytes[GUID_LEN], enum guid_order order, const char *text)
{
	uint8_t b[GUID_LEN];
	bool good = guid_bytes(text, order, b);

	assert(good);
	return good && memcmp(bytes, b, GUID_LEN) == 0;
}

void guid_text(const uint8_t bytes[GUID_LEN], enum guid_order order, char ret[GUID_TEXT])
{
	char *at = ret;

	for (unsigned i = 0; i < GUID_LEN; i++) {
		hex_put(at, &bytes[places[order][i]], 1);
		at += 2;
		if (dash_after(i))
			*at++ = '-';
	}
	*at = '\0';
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GUIDs, which name the entries of firmware tables and certificate tables. The same text has two forms in bytes: EFI
 * stores the first three groups little-endian, RFC 4122 everything big-endian.
 */
#ifndef KAVACH_ATTEST_GUID_H
#define KAVACH_ATTEST_GUID_H

#include <stdbool.h>
#include <stdint.h>

#define GUID_LEN 16
#define GUID_TEXT 37 /* with the NUL */

enum guid_order { GUID_EFI, GUID_RFC4122 };

/* guid_bytes: the 16 bytes of a text like "96b582de-1fb2-45f7-baea-a366c55a082d"; false when it is none. */
bool guid_bytes(const char *text, enum guid_order order, uint8_t ret[GUID_LEN]);
/* guid_is: whether these bytes are that GUID. The text is a constant of ours. */
bool guid_is(const uint8_t bytes[GUID_LEN], enum guid_order order, const char *text);
/* guid_text: lower case, NUL-terminated. */
void guid_text(const uint8_t bytes[GUID_LEN], enum guid_order order, char ret[GUID_TEXT]);

#endif

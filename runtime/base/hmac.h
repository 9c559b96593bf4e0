/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA256 (RFC 2104), plain C, for the audit log. */
#ifndef KAVACH_BASE_HMAC_H
#define KAVACH_BASE_HMAC_H

#include <stdbool.h>

#include "base/sha256.h"

/* hmac_sha256: the code of n bytes under a key of any length; what it made of the key is wiped. */
void hmac_sha256(const void *key, size_t key_len, const void *p, size_t n, uint8_t ret[SHA256_LEN]);

/* digest_equal: compares in a time that does not depend on where the two differ. */
bool digest_equal(const uint8_t a[SHA256_LEN], const uint8_t b[SHA256_LEN]);

/* hex_parse: n bytes from exactly 2n lower-case hexadecimal digits; the text need not end there. False: it is not that. */
bool hex_parse(const char *s, size_t n, uint8_t *ret);

#endif

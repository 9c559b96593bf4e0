/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one strict number parser (rule R-10). Decimal digits only, all of the string, no sign except a
 * leading '-' for the signed form, no blanks, no empty string, range-checked.
 * Returns 0, -EINVAL (not a number) or -ERANGE. *ret is written only on success.
 */
#ifndef KAVACH_BASE_NUM_H
#define KAVACH_BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

int num_parse_u64(const char *s, uint64_t max, uint64_t *ret);
int num_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
int num_parse_u32(const char *s, uint32_t *ret);
/* num_parse_octal: 0 to max, octal digits. */
int num_parse_octal(const char *s, uint32_t max, uint32_t *ret);
/* num_fmt: writes v in decimal into buf (at least 24 bytes) without stdio; returns the length. */
size_t num_fmt_u64(char *buf, uint64_t v);
size_t num_fmt_i64(char *buf, int64_t v);

#endif

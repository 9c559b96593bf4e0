/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of small JSON texts in place: no tree, no allocation, for the monitor, which has no JSON library. A text is
 * checked as a whole first; after that its values are pieces of it. RFC 8259 without its liberties: UTF-8 only, no byte order
 * mark, no lone surrogates, QJ_DEPTH levels at most.
 */
#ifndef KAVACH_VM_QJSON_H
#define KAVACH_VM_QJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QJ_DEPTH 16u

/* The text of one value, without blanks around it; of a text that was checked. */
struct qj {
	const char *p;
	size_t n;
};

/* qj_check: whether a text is exactly one value; *ret is it. */
bool qj_check(const char *p, size_t n, struct qj *ret);

/* qj_get: a member of an object. 0; -ENOENT: there is none; -EBADMSG: this is no object, or has the member twice. Members whose
 * names are written with escapes are not found. */
int qj_get(struct qj v, const char *name, struct qj *ret);

bool qj_is_object(struct qj v);
/* These give false, and leave *ret alone, for a value of another type. */
bool qj_bool(struct qj v, bool *ret);
/* qj_u64: a number in plain digits, at most max. */
bool qj_u64(struct qj v, uint64_t max, uint64_t *ret);
/* qj_text: a string, cut to size - 1 bytes and made one line of printable text: what is no plain ASCII becomes '?'. */
bool qj_text(struct qj v, char *ret, size_t size);
/* qj_plain: a string that has no escapes in it, as a piece of the text. */
bool qj_plain(struct qj v, const char **ret, size_t *ret_n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming JSON writer into a buf. Commas, indentation and escaping are its business; strings are
 * escaped so that the output is valid JSON whatever the bytes (invalid UTF-8 becomes U+FFFD).
 * Pretty output is indented by two blanks, as runc prints it.
 */
#ifndef KAVACH_BASE_JSONW_H
#define KAVACH_BASE_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/types.h"

struct jsonw {
	struct buf *b;
	bool pretty;
	unsigned depth;
	bool first; /* next value is the first in its container */
	bool after_key;
};

void jw_init(struct jsonw *w, struct buf *b, bool pretty);
void jw_obj(struct jsonw *w);	  /* { */
void jw_obj_end(struct jsonw *w); /* } */
void jw_arr(struct jsonw *w);
void jw_arr_end(struct jsonw *w);
void jw_key(struct jsonw *w, const char *key);
void jw_str(struct jsonw *w, const char *s); /* NULL writes null */
void jw_strn(struct jsonw *w, const char *s, size_t n);
void jw_u64(struct jsonw *w, uint64_t v);
void jw_i64(struct jsonw *w, int64_t v);
void jw_bool(struct jsonw *w, bool v);
void jw_null(struct jsonw *w);
/* jw_raw: text that is JSON already. */
void jw_raw(struct jsonw *w, const char *s);

/* key and value in one call */
void jw_kstr(struct jsonw *w, const char *key, const char *s);
void jw_ku64(struct jsonw *w, const char *key, uint64_t v);
void jw_ki64(struct jsonw *w, const char *key, int64_t v);
void jw_kbool(struct jsonw *w, const char *key, bool v);
void jw_kstrs(struct jsonw *w, const char *key, const struct strs *l);
void jw_kkvs(struct jsonw *w, const char *key, const struct kvs *m);

#endif

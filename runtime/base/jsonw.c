/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: the state record's view for engines, log lines, features, events. */
#include "base/jsonw.h"

#include <string.h>

#include "base/num.h"
#include "base/str.h"

void jw_init(struct jsonw *w, struct buf *b, bool pretty)
{
	*w = (struct jsonw){.b = b, .pretty = pretty, .first = true};
}

static void put(struct jsonw *w, const char *s)
{
	buf_put(w->b, s, strlen(s));
}

static void new_line(struct jsonw *w)
{
	if (!w->pretty)
		return;
	buf_put_u8(w->b, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_put(w->b, "  ", 2);
}

/* What stands in front of a value or of a key. */
static void before(struct jsonw *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (!w->first)
		buf_put_u8(w->b, ',');
	if (w->depth)
		new_line(w);
	w->first = false;
}

static void open_container(struct jsonw *w, char c)
{
	before(w);
	buf_put_u8(w->b, (uint8_t) c);
	w->depth++;
	w->first = true;
}

static void close_container(struct jsonw *w, char c)
{
	w->depth--;
	if (!w->first)
		new_line(w);
	buf_put_u8(w->b, (uint8_t) c);
	w->first = false;
}

void jw_obj(struct jsonw *w)
{
	open_container(w, '{');
}

void jw_obj_end(struct jsonw *w)
{
	close_container(w, '}');
}

void jw_arr(struct jsonw *w)
{
	open_container(w, '[');
}

void jw_arr_end(struct jsonw *w)
{
	close_container(w, ']');
}

static void put_escape(struct jsonw *w, unsigned char c)
{
	static const char digit[] = "0123456789abcdef";
	static const char shorthand[] = {
		['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
		['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
	};
	char s[6] = {'\\', 'u', '0', '0', digit[c >> 4], digit[c & 15]};

	if (c < sizeof(shorthand) && shorthand[c]) {
		s[1] = shorthand[c];
		buf_put(w->b, s, 2);
	} else {
		buf_put(w->b, s, sizeof(s));
	}
}

static void put_string(struct jsonw *w, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *) s;
	size_t from = 0, i = 0; /* [from, i) is good as it is */

	buf_put_u8(w->b, '"');
	while (i < n) {
		size_t len = str_utf8_len(p + i, n - i);

		if (len > 0 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && p[i] != 0x7f) {
			i += len;
			continue;
		}
		buf_put(w->b, p + from, i - from);
		if (len == 0)
			put(w, "\xef\xbf\xbd"); /* U+FFFD, one for each bad byte */
		else
			put_escape(w, p[i]);
		from = ++i;
	}
	buf_put(w->b, p + from, n - from);
	buf_put_u8(w->b, '"');
}

void jw_key(struct jsonw *w, const char *key)
{
	before(w);
	put_string(w, key, strlen(key));
	put(w, w->pretty ? ": " : ":");
	w->after_key = true;
}

void jw_strn(struct jsonw *w, const char *s, size_t n)
{
	before(w);
	put_string(w, s, n);
}

void jw_str(struct jsonw *w, const char *s)
{
	if (s)
		jw_strn(w, s, strlen(s));
	else
		jw_null(w);
}

void jw_u64(struct jsonw *w, uint64_t v)
{
	char s[24];

	before(w);
	buf_put(w->b, s, num_fmt_u64(s, v));
}

void jw_i64(struct jsonw *w, int64_t v)
{
	char s[24];

	before(w);
	buf_put(w->b, s, num_fmt_i64(s, v));
}

void jw_raw(struct jsonw *w, const char *s)
{
	before(w);
	put(w, s);
}

void jw_bool(struct jsonw *w, bool v)
{
	jw_raw(w, v ? "true" : "false");
}

void jw_null(struct jsonw *w)
{
	jw_raw(w, "null");
}

void jw_kstr(struct jsonw *w, const char *key, const char *s)
{
	jw_key(w, key);
	jw_str(w, s);
}

void jw_ku64(struct jsonw *w, const char *key, uint64_t v)
{
	jw_key(w, key);
	jw_u64(w, v);
}

void jw_ki64(struct jsonw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_i64(w, v);
}

void jw_kbool(struct jsonw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

void jw_kstrs(struct jsonw *w, const char *key, const struct strs *l)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < l->n; i++)
		jw_str(w, l->v[i]);
	jw_arr_end(w);
}

void jw_kkvs(struct jsonw *w, const char *key, const struct kvs *m)
{
	jw_key(w, key);
	jw_obj(w);
	for (size_t i = 0; i < m->n; i++)
		jw_kstr(w, m->v[i].key, m->v[i].val);
	jw_obj_end(w);
}

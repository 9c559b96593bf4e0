/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 80
#define LABEL_START 2
#define LABEL_COL 16

static void newline(struct page *pg)
{
	buf_put(pg->b, "\n", 1);
	*pg = (struct page){.b = pg->b, .indent = pg->indent};
}

/* Blanks are written when something comes after them: no line ends in one. */
static void raw(struct page *pg, const char *s, size_t n)
{
	for (; pg->col < pg->to; pg->col++)
		buf_put(pg->b, " ", 1);
	buf_put(pg->b, s, n);
	for (size_t i = 0; i < n; i++)
		pg->col += ((uint8_t) s[i] & 0xc0) != 0x80; /* UTF-8: not the bytes that continue */
	pg->to = pg->col;
	pg->words = true;
}

void page_to(struct page *pg, size_t col)
{
	pg->to = col < pg->col + 2 && pg->col ? pg->col + 2 : col;
	pg->words = false;
}

void page_break(struct page *pg)
{
	newline(pg);
	page_to(pg, pg->indent);
}

void page_head(struct page *pg, const char *title)
{
	if (pg->b->n)
		newline(pg);
	raw(pg, title, strlen(title));
	newline(pg);
}

void page_row(struct page *pg, const char *label)
{
	pg->indent = LABEL_COL;
	page_to(pg, LABEL_START);
	if (label && *label)
		raw(pg, label, strlen(label));
	if (label)
		page_to(pg, LABEL_COL);
}

void page_end(struct page *pg)
{
	newline(pg);
}

/* One word; a blank or a line break in front when it is not the first of its field. */
static void word(struct page *pg, const char *s, size_t n)
{
	if (!n)
		return;
	/* What is too long for any line is not helped by a new one. */
	if (pg->words && pg->col + 1 + n > WIDTH && pg->indent + n <= WIDTH)
		page_break(pg);
	else if (pg->words)
		raw(pg, " ", 1);
	raw(pg, s, n);
}

static void text_n(struct page *pg, const char *text, size_t len)
{
	while (len) {
		size_t n = 0, gap = 0;

		while (n < len && text[n] != ' ')
			n++;
		word(pg, text, n);
		while (n + gap < len && text[n + gap] == ' ')
			gap++;
		text += n + gap;
		len -= n + gap;
	}
}

void page_text(struct page *pg, const char *text)
{
	text_n(pg, text, strlen(text));
}

void page_printf(struct page *pg, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	page_text(pg, text);
}

/* Control characters, DEL, and the C1 controls that UTF-8 can spell (0xc2 0x80..0x9f). */
static bool is_control(const uint8_t *s)
{
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f);
}

/* quoted: inside of single quotes, where a shell wants a quote to be written as '\'' */
static void safe(struct buf *b, const char *s, bool quoted)
{
	for (const uint8_t *p = (const uint8_t *) s; *p; p++) {
		char hex[8];

		if (is_control(p)) {
			snprintf(hex, sizeof(hex), "\\x%02x", *p);
			buf_put(b, hex, 4);
		} else if (quoted && *p == '\'') {
			buf_put(b, "'\\''", 4);
		} else {
			buf_put(b, p, 1);
		}
	}
}

static void put_safe(struct page *pg, const char *quote, const char *s, bool wrap)
{
	buf_auto b = BUF_WRITER(4 * strlen(s) + 3);

	buf_put(&b, quote, strlen(quote));
	safe(&b, s, *quote == '\'');
	buf_put(&b, quote, strlen(quote));
	if (wrap)
		text_n(pg, (const char *) b.p, b.n);
	else
		word(pg, (const char *) b.p, b.n);
}

void page_value(struct page *pg, const char *s)
{
	put_safe(pg, *s ? "" : "\"", s, false);
}

void page_safe(struct page *pg, const char *s)
{
	put_safe(pg, "", s, true);
}

void page_quoted(struct page *pg, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
	bool plainly = *s && !s[strspn(s, plain)];

	put_safe(pg, plainly ? "" : "'", s, false);
}

void page_bytes(struct page *pg, uint64_t n)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	uint64_t rest = 0;
	size_t u = 0;

	for (; n >= 1024 && u + 1 < ARRAY_LEN(units); u++) {
		rest = n % 1024;
		n /= 1024;
	}
	if (rest * 10 / 1024)
		page_printf(pg, "%llu.%llu %s", (unsigned long long) n,
			    (unsigned long long) (rest * 10 / 1024), units[u]);
	else
		page_printf(pg, "%llu %s", (unsigned long long) n, units[u]);
}

void page_line(struct page *pg, const char *label, const char *text)
{
	page_row(pg, label);
	page_text(pg, text);
	page_end(pg);
}

void page_row_value(struct page *pg, const char *label, const char *value)
{
	if (!value)
		return;
	page_row(pg, label);
	page_value(pg, value);
	page_end(pg);
}

/* A row of values; left out when there is none. */
void page_row_list(struct page *pg, const char *label, const struct strs *l)
{
	if (!l->n)
		return;
	page_row(pg, label);
	for (size_t i = 0; i < l->n; i++)
		page_value(pg, l->v[i]);
	page_end(pg);
}

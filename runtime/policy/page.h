/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of text for people, 80 columns wide: headings, rows with a label in front, words wrapped with a
 * hanging indent. Text from a config is shown so that it cannot control the terminal: control characters
 * become \xNN. For policy/, and for seccomp/'s pages.
 */
#ifndef KAVACH_POLICY_PAGE_H
#define KAVACH_POLICY_PAGE_H

#include "base/buf.h"
#include "base/types.h"

struct page {
	struct buf *b;
	size_t col;    /* columns written on this line */
	size_t to;     /* column where the next word goes */
	bool words;    /* there is a word in this field already */
	size_t indent; /* where the lines of this row go on */
};

/* page_head: an empty line (except at the top) and a heading. */
void page_head(struct page *pg, const char *title);
/* page_row: starts a row with its label; NULL: without the column for labels. page_end ends it. */
void page_row(struct page *pg, const char *label);
void page_end(struct page *pg);
/* page_text: words of ours, wrapped. page_printf: the same, formatted (512 bytes at most). */
void page_text(struct page *pg, const char *text);
void page_printf(struct page *pg, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* page_value: a string of the config as one word, made safe; page_quoted: in quotes if a
 * shell would need them (for reading, not for pasting). */
void page_value(struct page *pg, const char *s);
void page_quoted(struct page *pg, const char *s);
/* page_safe: a text of ours with strings of the config in it: made safe and wrapped. */
void page_safe(struct page *pg, const char *s);
/* page_to: blanks up to a column (two at least, when the column is passed already). */
void page_to(struct page *pg, size_t col);
/* page_break: a new line of the same row, at the indent. */
void page_break(struct page *pg);

/* Whole rows: a text of ours; a value of the config (nothing when it is NULL); its values (nothing when
 * there are none). */
void page_line(struct page *pg, const char *label, const char *text);
void page_row_value(struct page *pg, const char *label, const char *value);
void page_row_list(struct page *pg, const char *label, const struct strs *l);

/* page_bytes: "512 MiB", "1.5 GiB", "1000 bytes". */
void page_bytes(struct page *pg, uint64_t n);

#endif

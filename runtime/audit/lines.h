/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file, one after the other, without more memory than the longest that we would write. */
#ifndef KAVACH_AUDIT_LINES_H
#define KAVACH_AUDIT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit.h"

struct lines {
	int fd;
	uint64_t at;	  /* offset of the next line in the file */
	uint64_t end;	  /* what is there from here on is not read */
	uint64_t read_to; /* offset behind the bytes in buf */
	size_t from, n;	  /* the part of buf that was not given out */
	char buf[2 * AUDIT_LINE_MAX];
};

struct one_line {
	const char *p; /* valid until the next call */
	size_t n;      /* without the newline */
	uint64_t at;
	bool ended;    /* there is a newline */
	bool too_long; /* p has the first bytes only */
};

void lines_init(struct lines *l, int fd, uint64_t from, uint64_t to);
/* lines_next: 1: a line, 0: no more, -errno. A line that is too long comes once, cut. */
int lines_next(struct lines *l, struct one_line *ret);

#endif

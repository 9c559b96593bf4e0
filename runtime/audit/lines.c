/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void lines_init(struct lines *l, int fd, uint64_t from, uint64_t to)
{
	l->fd = fd;
	l->at = l->read_to = from;
	l->end = to;
	l->from = l->n = 0;
}

/* Returns 1 when there are more bytes in buf now, 0 at the end. */
static int fill(struct lines *l)
{
	size_t room;
	ssize_t n;

	memmove(l->buf, l->buf + l->from, l->n);
	l->from = 0;
	room = sizeof(l->buf) - l->n;
	if (room > l->end - l->read_to)
		room = (size_t) (l->end - l->read_to);
	if (!room)
		return 0;
	do
		n = pread(l->fd, l->buf + l->n, room, (off_t) l->read_to);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		l->end = l->read_to; /* the file is shorter than it was */
	l->n += (size_t) n;
	l->read_to += (uint64_t) n;
	return n > 0;
}

static void give(struct lines *l, size_t n, bool ended, struct one_line *ret)
{
	*ret = (struct one_line){
		.p = l->buf + l->from, .n = n, .at = l->at, .ended = ended, .too_long = false};
	n += ended;
	l->from += n;
	l->n -= n;
	l->at += n;
}

/* Reads over the rest of a line of which the beginning fills a line's room. */
static int skip_long(struct lines *l, struct one_line *ret)
{
	static char head[AUDIT_LINE_MAX];
	uint64_t at = l->at;
	int r = 1;

	memcpy(head, l->buf + l->from, sizeof(head));
	for (;;) {
		const char *nl = memchr(l->buf + l->from, '\n', l->n);
		size_t n = nl ? (size_t) (nl - (l->buf + l->from)) + 1 : l->n;

		l->from += n;
		l->n -= n;
		l->at += n;
		if (nl)
			break;
		r = fill(l);
		if (r <= 0)
			break;
	}
	*ret = (struct one_line){
		.p = head, .n = sizeof(head), .at = at, .ended = r > 0, .too_long = true};
	return r < 0 ? r : 1;
}

int lines_next(struct lines *l, struct one_line *ret)
{
	for (;;) {
		const char *nl = memchr(l->buf + l->from, '\n', l->n);
		int r;

		if (nl) {
			give(l, (size_t) (nl - (l->buf + l->from)), true, ret);
			return 1;
		}
		if (l->n >= AUDIT_LINE_MAX)
			return skip_long(l, ret);
		r = fill(l);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (!l->n)
			return 0;
		give(l, l->n, false, ret);
		return 1;
	}
}

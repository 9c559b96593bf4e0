/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a source to its end, within its room and its time. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "secrets/secrets.h"

int64_t source_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int source_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline - source_now_ms();
		int r = left > 0 ? poll(&p, 1, left < INT_MAX ? (int) left : INT_MAX) : 0;

		if (r > 0)
			return 0;
		if (r == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static ssize_t read_some(int fd, void *p, size_t n, int64_t deadline)
{
	ssize_t r = deadline ? source_wait(fd, POLLIN, deadline) : 0;

	if (r < 0)
		return r;
	r = read(fd, p, n);
	return r < 0 ? -errno : r;
}

ssize_t source_read(int fd, const struct source *s, int64_t deadline)
{
	uint8_t more;
	size_t n = 0;
	ssize_t r;

	do {
		/* at its limit: whether that was the end */
		r = n < s->room ? read_some(fd, s->value + n, s->room - n, deadline)
				: read_some(fd, &more, 1, deadline);
		if (r > 0)
			n += (size_t) r;
	} while ((r > 0 && n <= s->room) || r == -EINTR || r == -EAGAIN);
	explicit_bzero(&more, 1);
	if (r < 0)
		return r;
	return n > s->room ? -EFBIG : n ? (ssize_t) n : -ENODATA;
}

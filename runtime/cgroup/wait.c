/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a cgroup to change state, woken by the kernel wherever it can do that. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/internal.h"

int64_t cg_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void cg_sleep_ms(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long) (ms % 1000) * 1000000};

	nanosleep(&t, NULL); /* an early end by a signal only means to look again */
}

int cg_wait_key(const struct cg_hier *h, const char *key, uint64_t value, int timeout_ms)
{
	int64_t end = cg_now_ms() + timeout_ms, left;
	fd_auto int fd = -EBADF;
	char path[PATH_MAX], buf[256];
	int r = cg_path(path, h, "cgroup.events");

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (;;) {
		/* Read first, then poll: the kernel remembers for each open file what it has told. */
		struct pollfd p = {.fd = fd, .events = POLLPRI};
		ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);
		uint64_t v;

		if (n < 0)
			return -errno; /* ENODEV: removed meanwhile */
		buf[n] = '\0';
		if (!cg_flat_get(buf, key, &v))
			return -EOPNOTSUPP;
		if (v == value)
			return 0;
		left = end - cg_now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int) left) < 0 && errno != EINTR)
			return -errno;
	}
}

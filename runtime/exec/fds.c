/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which descriptors stay (rule R-05). Everything that is not named is closed, whatever its flags: what an engine
 * leaked into us must not reach the workload, and no directory of the host may be open once hostile code runs beside us.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "exec/ctx.h"

static int close_between(unsigned first, unsigned last, struct err *e)
{
	struct rlimit l;
	int r;

	if (first > last)
		return 0;
	r = sys_close_range(first, last, 0);
	if (r == 0)
		return 0;
	if (r != -ENOSYS && r != -EPERM) /* before 5.9, or filtered */
		return err_neg(e, r, "closing descriptors");
	/* No descriptor is above the limit at which it was opened; that may have been lowered, hence the hard one. */
	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return err_sys(e, "closing descriptors");
	for (unsigned fd = first; fd <= last && fd < l.rlim_max && fd < (1u << 20); fd++)
		close((int) fd);
	return 0;
}

int fds_close_except(const int *keep, size_t n, struct err *e)
{
	unsigned from = 3;
	int r;

	for (;;) {
		unsigned next = UINT_MAX;

		/* A handful of numbers: the next higher one each time needs no sorting. */
		for (size_t i = 0; i < n; i++)
			if (keep[i] >= 0 && (unsigned) keep[i] >= from && (unsigned) keep[i] < next)
				next = (unsigned) keep[i];
		if (next == UINT_MAX)
			return close_between(from, UINT_MAX, e);
		if (next > from) {
			r = close_between(from, next - 1, e);
			if (r < 0)
				return r;
		}
		from = next + 1;
	}
}

int fds_preserve(unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++) {
		int r = fd_cloexec((int) (3 + i), 0);

		if (r < 0)
			return err_neg(e, r,
				       "descriptor %u, which is to be handed to the container",
				       3 + i);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Hearing of OOM kills. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/internal.h"

int64_t cgroup_oom_count(const struct cg *cg)
{
	const struct cg_hier *h = cg_where(cg, CTL_MEMORY);
	char buf[512];
	uint64_t v;
	ssize_t n;

	if (!h)
		return -EOPNOTSUPP;
	n = cg_read(h, cg_hier_is_v2(h) ? "memory.events" : "memory.oom_control", buf, sizeof(buf));
	if (n < 0)
		return n;
	return cg_flat_get(buf, "oom_kill", &v) ? (int64_t) v
						: -EOPNOTSUPP; /* v1 has the line since 4.13 */
}

/* v1: an eventfd that is registered together with an open memory.oom_control; the latter may be closed. */
static int watch_v1(const struct cg_hier *h, struct err *e)
{
	fd_auto int control = -EBADF, event = -EBADF;
	char path[PATH_MAX], line[64];
	int r = cg_path(path, h, "memory.oom_control");

	if (r < 0)
		return err_neg(e, r, "watch for OOM: the path of the cgroup");
	control = open(path, O_RDONLY | O_CLOEXEC);
	if (control < 0)
		return err_sys(e, "watch for OOM: open %s", path);
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return err_sys(e, "watch for OOM: eventfd");
	snprintf(line, sizeof(line), "%d %d", event, control);
	r = cg_write(h, "cgroup.event_control", line, NULL);
	if (r < 0)
		return err_neg(e, r, "watch for OOM: writing to %s%s/cgroup.event_control",
			       h->mount, h->path);
	return fd_take(&event);
}

static int watch_v2(const struct cg_hier *h, struct err *e)
{
	fd_auto int fd = -EBADF;
	char path[PATH_MAX];
	int r = cg_path(path, h, "memory.events");

	if (r < 0)
		return err_neg(e, r, "watch for OOM: the path of the cgroup");
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "watch for OOM: inotify");
	if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
		return err_sys(e, "watch for OOM: %s", path);
	return fd_take(&fd);
}

int cgroup_oom_fd(const struct cg *cg, short *ret_events, struct err *e)
{
	const struct cg_hier *h = cg_where(cg, CTL_MEMORY);

	if (!h)
		return err_set(e, -EOPNOTSUPP, "watch for OOM: controller memory is not available");
	*ret_events = POLLIN;
	return cg_hier_is_v2(h) ? watch_v2(h, e) : watch_v1(h, e);
}

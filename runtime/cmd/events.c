/* SPDX-License-Identifier: Apache-2.0 */
/* events: statistics of a container, once (--stats) or every interval, and an event for each out-of-memory kill. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "base/str.h"
#include "cmd/box.h"

struct events_opts {
	bool stats;
	const char *interval;
};

/* "5s", "500ms", "1m", "1h": milliseconds. */
static int parse_interval(const char *s, int *ret, struct err *e)
{
	static const struct name_val units[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	size_t digits = strspn(s, "0123456789");
	const struct name_val *u = name_find(units, ARRAY_LEN(units), s + digits);
	char num[16];
	uint64_t v;

	if (digits > 0 && digits < sizeof(num) && u) {
		memcpy(num, s, digits);
		num[digits] = 0;
		if (num_parse_u64(num, (uint64_t) (INT32_MAX / u->val), &v) == 0 && v > 0) {
			*ret = (int) v * (int) u->val;
			return 0;
		}
	}
	return err_set_id(e, ERR_USAGE, -EINVAL,
			  "--interval: expected a duration such as 5s or 500ms, found \"%s\"", s);
}

static int print_stats(struct loaded *l, const char *id, struct err *e)
{
	buf_auto data = BUF_WRITER(16u << 20), b = BUF_WRITER(16u << 20);
	struct jsonw w;
	int r;

	r = l->ops->stats(&l->box, &data, e);
	if (r < 0)
		return r;
	buf_put_u8(&data, 0);
	jw_init(&w, &b, false);
	jw_obj(&w);
	jw_kstr(&w, "type", "stats");
	jw_kstr(&w, "id", id);
	jw_key(&w, "data");
	jw_raw(&w, (const char *) data.p);
	jw_obj_end(&w);
	buf_put(&b, "\n", 1);
	return cmd_print(&b, e);
}

static int print_oom(const char *id, struct err *e)
{
	buf_auto b = BUF_WRITER(4096);
	struct jsonw w;

	jw_init(&w, &b, false);
	jw_obj(&w);
	jw_kstr(&w, "type", "oom");
	jw_kstr(&w, "id", id);
	jw_obj_end(&w);
	buf_put(&b, "\n", 1);
	return cmd_print(&b, e);
}

static void oom_ack(int fd)
{
	char buf[4096];

	(void) !read(fd, buf, sizeof(buf)); /* eventfd counter or inotify records */
}

/* Kills that the kernel of the host has told of, and that of the workload, where that is another one. */
static int64_t kills(struct loaded *l)
{
	int64_t n = cgroup_oom_count(l->box.cg), more = l->ops->ooms ? l->ops->ooms(&l->box) : 0;

	return (n > 0 ? n : 0) + (more > 0 ? more : 0);
}

/* cgroup v1 tells of the shortage before it counts the kill that follows: looks again until it has, for half a second. */
static int64_t oom_settle(struct loaded *l, int64_t before)
{
	struct pollfd end = {.fd = l->st.pidfd, .events = POLLIN};
	int64_t now = kills(l);

	for (int i = 0; i < 50 && now == before && !end.revents; i++) {
		(void) poll(&end, 1, 10);
		now = kills(l);
	}
	return now;
}

enum { P_END, P_OOM, P_GUEST, P_N };

static int wait_on(struct pollfd *p, int interval)
{
	int r;

	do
		r = poll(p, P_N, interval);
	while (r < 0 && errno == EINTR);
	return r;
}

#define ENDING_MS 5000

/* A VM has nobody left to ask a moment before its process has ended. */
static bool has_ended(const struct loaded *l, const struct err *why)
{
	struct pollfd p = {.fd = l->st.pidfd, .events = POLLIN};

	return poll(&p, 1, why->id == ERR_NOT_RUNNING ? ENDING_MS : 0) > 0;
}

/* Ends when the container does. */
static int stream(struct loaded *l, const char *id, int interval, struct err *e)
{
	struct err sub = ERR_INIT;
	short oom_events = POLLIN;
	fd_auto int oom = cgroup_oom_fd(l->box.cg, &oom_events, &sub);
	fd_auto int guest = l->ops->oom_fd ? l->ops->oom_fd(&l->box, &sub) : -EBADF;
	int64_t ooms = kills(l), now;

	for (;;) {
		struct pollfd p[P_N] = {[P_END] = {.fd = l->st.pidfd, .events = POLLIN},
					[P_OOM] = {.fd = oom, .events = oom_events},
					[P_GUEST] = {.fd = guest, .events = POLLIN}};
		int r = print_stats(l, id, e);

		if (r < 0 && !has_ended(l, e))
			return r;
		err_clear(e);
		r = wait_on(p, interval);
		if (p[P_OOM].revents)
			oom_ack(oom);
		if (p[P_GUEST].revents)
			oom_ack(guest);
		now = p[P_OOM].revents ? oom_settle(l, ooms) : kills(l);
		if (r >= 0 && (now > ooms || (p[P_OOM].revents && cgroup_oom_count(l->box.cg) < 0)))
			r = print_oom(id, e);
		ooms = now;
		if (r < 0 || p[P_END].revents)
			return r < 0 ? r : 0;
	}
}

static int cmd_events(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct events_opts *o = opts;
	box_auto l = LOADED_INIT;
	int r, interval = 5000;

	(void) argc;
	r = o->interval ? parse_interval(o->interval, &interval, e) : 0;
	if (r == 0)
		r = box_load(g, argv[0], OP_EVENTS, STATE_NO_LOCK, false, &l, e);
	if (r < 0)
		return r;
	return o->stats ? print_stats(&l, argv[0], e) : stream(&l, argv[0], interval, e);
}

static const struct opt opts_table[] = {
	{"stats", 0, OPT_FLAG, NULL, "print the statistics once and end",
	 offsetof(struct events_opts, stats)},
	{"interval", 0, OPT_STR, "DURATION", "time between statistics (default 5s)",
	 offsetof(struct events_opts, interval)},
};

const struct command command_events = {
	.name = "events",
	.args = "CONTAINER",
	.help = "print statistics and out-of-memory events (JSON lines)",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct events_opts),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_events,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-scope: asks systemd for the scopes that containers run in. kavach starts it, and nobody else has a use
 * for it: it reads requests from its standard input (see cgroup/scope.h), and while that is open, a scope that it
 * started has it as its one process.
 *
 * It is a program of its own so that libsystemd is neither in kavach nor on the way of a container that does without.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "scope/bus.h"

/* Where we are now. A scope's name is the end of it, else systemd has not moved us. */
static int own_cgroup(const struct scope_req *q, struct arena *a, char **ret, struct err *e)
{
	char text[8192];
	const char *path, *last;
	ssize_t n = io_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));

	if (n < 0)
		return err_neg(e, (int) n, "read /proc/self/cgroup");
	path = str_prefix(text, "0::");
	if (!path)
		path = strstr(text, "\n0::") ? strstr(text, "\n0::") + 4 : "";
	*ret = arena_strndup(a, path, strcspn(path, "\n"));
	last = strrchr(*ret, '/');
	if (!last || !str_eq(last + 1, q->unit))
		return err_set(e, -EPROTO,
			       "systemd started %s, but not around us: we are in \"%s\"", q->unit,
			       *ret);
	return 0;
}

static int start(sd_bus *bus, const struct scope_req *q, struct arena *a, struct scope_reply *ret,
		 struct err *e)
{
	int r = bus_start(bus, q, a, &ret->existed, e);

	if (r < 0)
		return r;
	return str_has_suffix(q->unit, ".scope") ? own_cgroup(q, a, &ret->path, e)
						 : bus_cgroup(bus, q, a, &ret->path, e);
}

static int serve(sd_bus **bus, const struct scope_req *q, struct arena *a, struct scope_reply *ret,
		 struct err *e)
{
	int r;

	if (q->version != SCOPE_VERSION)
		return err_set(e, -EPROTO, "kavach-scope is not of this version of kavach");
	if (str_empty(q->unit))
		return err_set(e, -EINVAL, "the request names no unit");
	r = *bus ? 0 : bus_open(q, bus, e);
	if (r < 0)
		return r;
	switch (q->op) {
	case SCOPE_START: return start(*bus, q, a, ret, e);
	case SCOPE_STOP: return bus_stop(*bus, q, e);
	case SCOPE_SET: return bus_set(*bus, q, a, e);
	case SCOPE_ATTACH: return bus_attach(*bus, q, e);
	default: return err_set(e, -EINVAL, "unknown request %u", q->op);
	}
}

static int answer(const struct scope_reply *reply)
{
	buf_auto b = BUF_WRITER(SCOPE_PACKET_MAX);

	codec_encode(&b, &scope_reply_table, reply);
	if (b.bad)
		return -EFBIG;
	return send(STDIN_FILENO, b.p, b.n, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int one(sd_bus **bus, const uint8_t *in, size_t n)
{
	struct buf rd = BUF_READER(in, n);
	struct scope_req q = {0};
	struct scope_reply reply = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};

	codec_decode(&rd, &scope_req_table, &q, &a);
	if (rd.bad || buf_left(&rd))
		reply.code = err_set(&e, -EPROTO, "the request cannot be decoded");
	else
		reply.code = serve(bus, &q, &a, &reply, &e);
	if (reply.code < 0)
		reply.error = e.msg;
	return answer(&reply);
}

int main(int argc, char **argv)
{
	static uint8_t in[SCOPE_PACKET_MAX];
	sd_bus *bus = NULL;
	ssize_t n;
	int r = 0, type;
	socklen_t len = sizeof(type);

	(void) argv;
	if (argc != 1 || getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		fputs("kavach-scope is started by kavach (--systemd-cgroup), not by hand\n",
		      stderr);
		return 2;
	}
	while (r >= 0 && (n = recv(STDIN_FILENO, in, sizeof(in), 0)) > 0)
		r = one(&bus, in, (size_t) n);
	sd_bus_flush_close_unref(bus);
	return r < 0 || n < 0 ? 1 : 0;
}

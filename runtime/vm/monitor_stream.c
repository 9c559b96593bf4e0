/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input and output of the guest's processes.
 *
 * No descriptor here may ever make us wait: a reader that stops holds up its own stream, by its window. So our own openings
 * are non-blocking where that can be had (it cannot be set on what others share), sockets are asked not to wait in
 * each call, and of the rest no more is written at once than what a pipe that polls writable takes.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "vm/monitor.h"

#define SAFE_WRITE 4096		/* PIPE_BUF */
#define BACKLOG_MAX (64u << 10) /* no more input is read while so much waits for the guest */
#define CREDIT_STEP (WIRE_WINDOW / 4)
#define PIPE_WANTED (256 << 10)

int stdio_own(struct stage *s, int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL), own = -EBADF;
	char path[32] = "self/fd/";
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "looking at descriptor %d", fd);
	num_fmt_u64(path + strlen(path), (uint64_t) fd);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		own = openat(s->proc_fd, path,
			     (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return err_sys(e, "taking over descriptor %d", fd);
	/* A reader that has stopped still lets all of a window through, so that our end need not wait for it. */
	if (S_ISFIFO(st.st_mode) && (flags & O_ACCMODE) != O_RDONLY)
		(void) fcntl(own, F_SETPIPE_SZ, PIPE_WANTED);
	return own;
}

static bool is_socket(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Whether a write gives up rather than waits; of a regular file it always ends. */
static bool is_safe(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return (flags >= 0 && (flags & O_NONBLOCK)) || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
}

struct stream *stream_new(struct monitor *m, uint32_t id, int in, int out, int err)
{
	struct stream *st = calloc(1, sizeof(*st));
	const int outs[2] = {out, err};

	if (!st)
		return NULL;
	st->id = id;
	st->state = STREAM_ASKED;
	st->in = in;
	st->in_flow = WIRE_FLOW_INIT;
	for (int i = 0; i < 2; i++)
		st->out[i] = (struct output){
			.fd = outs[i], .is_socket = is_socket(outs[i]), .flow = WIRE_FLOW_INIT};
	st->next = m->streams;
	m->streams = st;
	m->n_streams++;
	return st;
}

struct stream *stream_find(const struct monitor *m, uint32_t id)
{
	struct stream *st = m->streams;

	while (st && st->id != id)
		st = st->next;
	return st;
}

static void close_out(struct output *o)
{
	o->fd = fd_close(o->fd);
	free(o->q.p);
	o->q = (struct ring){0};
}

void stream_forget(struct monitor *m, struct stream *st)
{
	struct stream **at = &m->streams;

	while (*at != st)
		at = &(*at)->next;
	*at = st->next;
	m->n_streams--;
	if (st->client)
		st->client->stream = NULL;
	fd_close(st->in);
	for (int i = 0; i < 2; i++)
		close_out(&st->out[i]);
	free(st);
}

/* ---- output ---- */

static void give_credit(struct monitor *m, struct stream *st, int i, uint32_t n)
{
	struct output *o = &st->out[i];
	uint8_t v[4];

	o->owed += n;
	if (o->owed < CREDIT_STEP || st->drained)
		return;
	(void) wire_flow_give(&o->flow, o->owed); /* never more than was taken */
	for (int k = 0; k < 4; k++)
		v[k] = (uint8_t) (o->owed >> 8 * k);
	mon_send_raw(m, WIRE_CREDIT, (uint8_t) (i + 1), st->id, v, sizeof(v));
	o->owed = 0;
}

static void maybe_close(struct output *o)
{
	if (o->eof && !o->q.n)
		close_out(o);
}

/* Bytes of the ring that lie together, from its beginning. */
static size_t run_length(const struct ring *q)
{
	size_t n = WIRE_WINDOW - q->at;

	return q->n < n ? q->n : n;
}

void stream_flush(struct monitor *m, struct stream *st, int i)
{
	struct output *o = &st->out[i];
	size_t n = run_length(&o->q);
	ssize_t r;

	if (!n || o->fd < 0)
		return;
	if (o->is_socket) {
		r = send(o->fd, o->q.p + o->q.at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else {
		if (n > SAFE_WRITE && !is_safe(o->fd))
			n = SAFE_WRITE;
		r = write(o->fd, o->q.p + o->q.at, n);
	}
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r < 0) { /* nobody reads any more: what comes is dropped from now on */
		r = (ssize_t) o->q.n;
		close_out(o);
	} else {
		o->q.at = (o->q.at + (size_t) r) % WIRE_WINDOW;
		o->q.n -= (size_t) r;
		maybe_close(o);
	}
	give_credit(m, st, i, (uint32_t) r);
}

static int ring_put(struct ring *q, const uint8_t *p, size_t n)
{
	if (!q->p)
		q->p = malloc(WIRE_WINDOW);
	if (!q->p)
		return -ENOMEM;
	for (size_t done = 0; done < n;) {
		size_t at = (q->at + q->n) % WIRE_WINDOW, k = WIRE_WINDOW - at;

		k = n - done < k ? n - done : k;
		memcpy(q->p + at, p + done, k);
		q->n += k;
		done += k;
	}
	return 0;
}

int stream_data(struct monitor *m, struct stream *st, int fd, const void *p, size_t n,
		struct err *e)
{
	int i = fd - 1;
	struct output *o = &st->out[i];

	if (o->eof || st->drained || wire_flow_take(&o->flow, (uint32_t) n) < 0)
		return err_set(e, -EPROTO, "the guest sent more than it may");
	if (o->fd < 0) {
		give_credit(m, st, i, (uint32_t) n);
		return 0;
	}
	if (ring_put(&o->q, p, n) < 0)
		return err_set(e, -ENOMEM, "no memory for the output of the container");
	return 0;
}

int stream_eof(struct stream *st, int fd, struct err *e)
{
	struct output *o = &st->out[fd - 1];

	if (o->eof)
		return err_set(e, -EPROTO, "the guest ended an output twice");
	o->eof = true;
	maybe_close(o);
	return 0;
}

/* ---- input ---- */

int stream_credit(struct stream *st, uint32_t n, struct err *e)
{
	if (!n || wire_flow_give(&st->in_flow, n) < 0)
		return err_set(e, -EPROTO, "the guest took more input than there was");
	return 0;
}

bool stream_wants_input(const struct monitor *m, const struct stream *st)
{
	return st->in >= 0 && st->state == STREAM_RUNS && st->in_flow.window > 0 &&
	       mon_wire_backlog(m) < BACKLOG_MAX;
}

void stream_fill(struct monitor *m, struct stream *st)
{
	uint8_t data[WIRE_DATA_MAX];
	size_t want = st->in_flow.window < sizeof(data) ? st->in_flow.window : sizeof(data);
	ssize_t n = read(st->in, data, want);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* EIO: the terminal is gone */
		mon_send_raw(m, WIRE_EOF, 0, st->id, NULL, 0);
		st->in = fd_close(st->in);
		return;
	}
	(void) wire_flow_take(&st->in_flow, (uint32_t) n); /* as much as it has */
	mon_send_raw(m, WIRE_DATA, 0, st->id, data, (size_t) n);
}

/* ---- the end ---- */

bool stream_done(const struct stream *st, int64_t now)
{
	bool written = st->drained && !st->out[0].q.n && !st->out[1].q.n;

	return st->state == STREAM_EXITED && (written || now >= st->exit_deadline);
}

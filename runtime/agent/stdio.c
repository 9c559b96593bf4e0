/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stdio of a process: three pipes, or a terminal whose master we hold. What the process writes is read when the wire has
 * room and the host gave credit, so it waits in the kernel, not here. What the host sends is at most a window (wire.h);
 * it is given back as it is passed on.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"

#define CREDIT_STEP (16u << 10) /* smaller sums are told only when nothing waits */

static int no_block(int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0
		       ? err_sys(e, "the process's input and output")
		       : 0;
}

static int open_pipes(struct proc *p, struct stdio_ends *s, struct err *e)
{
	for (int i = 0; i < 3; i++) {
		int v[2];

		if (pipe2(v, O_CLOEXEC) < 0)
			return err_sys(e, "making a pipe");
		s->fd[i] = v[i ? 1 : 0];
		*(i ? &p->out[i - 1].fd : &p->in.fd) = v[i ? 0 : 1];
		if (no_block(v[i ? 0 : 1], e) < 0)
			return e->code;
	}
	return 0;
}

int stdio_open(struct proc *p, bool terminal, struct stdio_ends *ret, struct err *e)
{
	int sv[2];

	*ret = (struct stdio_ends){{-EBADF, -EBADF, -EBADF}, -EBADF};
	p->terminal = terminal;
	if (!terminal)
		return open_pipes(p, ret, e);
	/* until the stage has its terminal */
	for (int i = 0; i < 3; i++) {
		ret->fd[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (ret->fd[i] < 0)
			return err_sys(e, "opening /dev/null");
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return err_sys(e, "making a socket for the terminal");
	p->console = sv[0];
	ret->console = sv[1];
	return no_block(sv[0], e);
}

void stdio_close_ends(struct stdio_ends *s)
{
	for (int i = 0; i < 3; i++)
		fd_closep(&s->fd[i]);
	fd_closep(&s->console);
}

int stdio_take_terminal(struct proc *p, struct err *e)
{
	char name[64];
	size_t got = 0;
	int master = -EBADF;
	ssize_t n = fd_recv(p->console, name, sizeof(name), &master, 1, &got);

	p->console = fd_close(p->console);
	if (n < 0 || got != 1)
		return err_set(e, -EPROTO, "the container's process sent no terminal");
	p->out[0].fd = master;
	if (no_block(master, e) < 0)
		return e->code;
	p->in.fd = fcntl(master, F_DUPFD_CLOEXEC, 3);
	return p->in.fd < 0 ? err_sys(e, "the terminal") : 0;
}

/* ---- to the process ---- */

static void give_back(struct agent *a, struct proc *p, size_t n)
{
	struct agent_in *in = &p->in;
	uint8_t v[4];

	in->owed += (uint32_t) n;
	if (!in->owed || (in->n && in->owed < CREDIT_STEP))
		return;
	for (unsigned i = 0; i < 4; i++)
		v[i] = (uint8_t) (in->owed >> 8 * i);
	(void) wire_flow_give(&in->flow, in->owed);
	in->owed = 0;
	if (p->state != PROC_GONE)
		agent_put(a, WIRE_CREDIT, 0, p->stream, v, sizeof(v));
}

/* Nobody reads any more. What comes is swallowed, so that the host does not wait for us. */
static void in_broken(struct agent *a, struct proc *p)
{
	size_t n = p->in.n;

	p->in.fd = fd_close(p->in.fd);
	p->in.n = 0;
	give_back(a, p, n);
}

void stdio_feed(struct agent *a, struct proc *p)
{
	struct agent_in *in = &p->in;
	size_t passed = 0;

	while (in->fd >= 0 && in->n) {
		size_t part = WIRE_WINDOW - in->at < in->n ? WIRE_WINDOW - in->at : in->n;
		ssize_t n = write(in->fd, in->buf + in->at, part);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			in_broken(a, p);
			return;
		}
		in->at = (in->at + (size_t) n) % WIRE_WINDOW;
		in->n -= (size_t) n;
		passed += (size_t) n;
	}
	if (!passed && !in->n && in->fd >= 0 && !in->eof) {
		in_broken(a, p); /* we were woken without anything to write: the reader is gone */
		return;
	}
	give_back(a, p, passed);
	if (in->eof && !in->n && !p->terminal)
		in->fd = fd_close(in->fd);
}

int stdio_data(struct agent *a, struct proc *p, const uint8_t *d, size_t n)
{
	struct agent_in *in = &p->in;

	if (in->eof || wire_flow_take(&in->flow, (uint32_t) n) < 0)
		return -EBADMSG;
	/* a terminal that is not there yet is waited for */
	if (in->fd < 0 && !(p->terminal && p->state < PROC_READY)) {
		give_back(a, p, n);
		return 0;
	}
	if (!in->buf) {
		in->buf = malloc(WIRE_WINDOW);
		if (!in->buf)
			return -ENOMEM;
	}
	for (size_t done = 0; done < n;) { /* a ring; its room is the credit */
		size_t to = (in->at + in->n) % WIRE_WINDOW;
		size_t part = WIRE_WINDOW - to < n - done ? WIRE_WINDOW - to : n - done;

		memcpy(in->buf + to, d + done, part);
		in->n += part;
		done += part;
	}
	if (in->fd >= 0)
		stdio_feed(a, p);
	return 0;
}

void stdio_eof(struct agent *a, struct proc *p)
{
	(void) a;
	p->in.eof = true;
	/* A terminal has no end: what a person types is one, but not that nobody types. */
	if (!p->in.n && !p->terminal)
		p->in.fd = fd_close(p->in.fd);
}

/* ---- from the process ---- */

bool stdio_pull(struct agent *a, struct proc *p, unsigned i)
{
	static uint8_t data[WIRE_DATA_MAX];
	struct agent_out *o = &p->out[i];
	size_t want = o->flow.window < sizeof(data) ? o->flow.window : sizeof(data);
	ssize_t n;

	if (o->fd < 0 || !want)
		return false;
	n = read(o->fd, data, want);
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) { /* the end; of a terminal, EIO: nobody has it open */
		o->fd = fd_close(o->fd);
		if (p->state < PROC_ENDED && p->state >= PROC_RUNNING)
			agent_put(a, WIRE_EOF, (uint8_t) (i + 1), p->stream, NULL, 0);
		return false;
	}
	(void) wire_flow_take(&o->flow, (uint32_t) n);
	agent_put(a, WIRE_DATA, (uint8_t) (i + 1), p->stream, data, (size_t) n);
	return true;
}

int stdio_resize(struct proc *p, uint32_t rows, uint32_t columns)
{
	struct winsize w = {.ws_row = (unsigned short) rows, .ws_col = (unsigned short) columns};

	if (rows > UINT16_MAX || columns > UINT16_MAX)
		return -EBADMSG;
	if (p->terminal && p->out[0].fd >= 0)
		(void) ioctl(p->out[0].fd, TIOCSWINSZ, &w);
	return 0;
}

void stdio_close(struct proc *p)
{
	fd_closep(&p->in.fd);
	fd_closep(&p->out[0].fd);
	fd_closep(&p->out[1].fd);
	free(p->in.buf);
	p->in.buf = NULL;
}

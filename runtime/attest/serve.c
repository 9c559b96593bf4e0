/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's connections: one loop of poll(2), one thread. A connection is a short conversation: hello, challenge, request,
 * answer, end. Its nonce is its own, so what was said on another connection is worth nothing here and there is no list of
 * nonces that could be filled. Whatever goes wrong ends the connection with one and the same line; why, the log says.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "attest/broker.h"
#include "attest/crypto.h"
#include "base/addr.h"
#include "base/fd.h"
#include "base/str.h"

#define LISTENERS_MAX 8u

enum said { SAID_NOTHING, SAID_HELLO, SAID_ALL };

struct conn {
	struct conn *next;
	int fd;
	char peer[ADDR_TEXT_MAX];
	enum said said;
	int64_t deadline, nonce_deadline; /* CLOCK_MONOTONIC, ms */
	uint8_t nonce[BROKER_NONCE_LEN];
	uint8_t *in;
	size_t in_n, in_room;
	struct buf out;
	size_t out_at;
	bool over; /* nothing more is read: it ends when `out` has been sent */
	bool dead;
};

struct serving {
	struct broker_files *f;
	const struct serve_limits *limits;
	struct conn *conns;
	size_t n_conns;
	struct pollfd *poll;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int64_t today(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec;
}

/* ---- sockets ---- */

/* What a broker that was killed has left. */
static void remove_stale(const char *path, const struct sockaddr_un *at)
{
	fd_auto int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && fd >= 0 &&
	    connect(fd, (const struct sockaddr *) at, sizeof(*at)) < 0 && errno == ECONNREFUSED)
		(void) unlink(path);
}

int broker_listen_unix(const char *path, struct err *e)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	fd_auto int fd = -EBADF;
	mode_t old;
	int r;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(e, -ENAMETOOLONG,
			       "--socket: %s: a socket's path has at most %zu bytes", path,
			       sizeof(at.sun_path) - 1);
	strcpy(at.sun_path, path);
	remove_stale(path, &at);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "making a socket");
	old = umask(0177);
	r = bind(fd, (struct sockaddr *) &at, sizeof(at));
	umask(old);
	if (r < 0 || listen(fd, SOMAXCONN) < 0)
		return err_sys(e, "--socket: %s", path);
	return fd_take(&fd);
}

int broker_listen_tcp(const char *where, struct arena *a, char **ret_name, struct err *e)
{
	fd_auto int fd = -EBADF;
	char text[ADDR_TEXT_MAX];
	union addr at;
	const int on = 1;
	socklen_t n;

	if (addr_parse(where, &at, &n) < 0)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--listen: expected an address and a port, like 192.0.2.1:7443 "
				  "or [2001:db8::1]:7443, found \"%s\"",
				  where);
	fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &at.any, n) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, &at.any, &n) < 0)
		return err_sys(e, "--listen: %s", where);
	addr_text(&at, text);
	*ret_name = arena_strdup(a, text);
	return fd_take(&fd);
}

/* ---- one connection ---- */

static void note(struct serving *s, const struct conn *c, const char *event,
		 const struct release_request *q, const char *why)
{
	const struct broker_event ev = {.event = event, .peer = c->peer, .q = q, .why = why};
	struct err e = ERR_INIT;

	(void) broker_log(s->f->log, &ev, &e);
}

/* The client is told that, and nothing else. */
static void refuse(struct serving *s, struct conn *c, const struct release_request *q,
		   const char *why)
{
	note(s, c, "refused", q, why);
	broker_put_error(&c->out);
	c->over = true;
}

static void on_hello(struct serving *s, struct conn *c)
{
	if (c->said != SAID_NOTHING) {
		refuse(s, c, NULL, "hello: a second one");
		return;
	}
	c->said = SAID_HELLO;
	crypto_random(c->nonce, sizeof(c->nonce));
	c->nonce_deadline = now_ms() + s->limits->nonce_seconds * 1000ll;
	broker_put_challenge(&c->out, c->nonce, s->limits->nonce_seconds);
}

static const char *nonce_is_bad(const struct conn *c, const struct release_request *q)
{
	if (c->said != SAID_HELLO)
		return "nonce: this connection was given none";
	if (q->nonce.n != sizeof(c->nonce) || !crypto_equal(q->nonce.v, c->nonce, sizeof(c->nonce)))
		return "nonce: not the one that this connection was given; it was used before, or "
		       "made up";
	if (now_ms() >= c->nonce_deadline)
		return "nonce: expired";
	return NULL;
}

static void on_request(struct serving *s, struct conn *c, const struct release_request *q,
		       struct arena *a)
{
	const struct broker_event ev = {.event = "released", .peer = c->peer, .q = q};
	buf_auto answer = BUF_WRITER(BROKER_ANSWER_MAX);
	const char *why = nonce_is_bad(c, q);
	struct err e = ERR_INIT;

	c->said = SAID_ALL; /* whatever comes of it, the nonce is used */
	memset(c->nonce, 0, sizeof(c->nonce));
	if (!why && (release_judge(&s->f->broker, q, today(), a, &e) < 0 ||
		     release_answer(&s->f->broker, q, a, &answer, &e) < 0))
		why = e.msg;
	/* what is not on record is not sent */
	if (!why && broker_log(s->f->log, &ev, &e) < 0)
		why = e.msg;
	if (why) {
		refuse(s, c, q, why);
		return;
	}
	buf_put(&c->out, answer.p, answer.n);
	c->over = true;
}

static void on_line(struct serving *s, struct conn *c, size_t n)
{
	struct release_request q;
	struct err e = ERR_INIT;
	arena_auto a = {0};

	switch (broker_parse((struct bytes){c->in, n}, &a, &q, &e)) {
	case BROKER_SAID_HELLO: on_hello(s, c); break;
	case BROKER_SAID_REQUEST: on_request(s, c, &q, &a); break;
	default: refuse(s, c, NULL, arena_printf(&a, "request: %s", e.msg));
	}
}

/* The lines that are complete; one too long is known before its end. */
static void take_lines(struct serving *s, struct conn *c)
{
	uint8_t *end;

	while (!c->over && (end = memchr(c->in, '\n', c->in_n))) {
		size_t n = (size_t) (end - c->in);

		on_line(s, c, n);
		c->in_n -= n + 1;
		memmove(c->in, end + 1, c->in_n);
	}
	if (!c->over && c->in_n > BROKER_REQUEST_MAX)
		refuse(s, c, NULL, "size: a message is too long");
}

static bool make_room(struct conn *c)
{
	size_t room = c->in_room ? 2 * c->in_room : 4096;
	uint8_t *p;

	if (c->in_n < c->in_room)
		return true;
	p = realloc(c->in, room);
	if (!p)
		return false;
	c->in = p;
	c->in_room = room;
	return true;
}

static void receive(struct serving *s, struct conn *c)
{
	ssize_t n;

	if (!make_room(c)) {
		c->dead = true;
		return;
	}
	n = recv(c->fd, c->in + c->in_n, c->in_room - c->in_n, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (c->said != SAID_ALL || c->in_n)
			note(s, c, "refused", NULL,
			     "closed: by the client, before it had an answer");
		c->dead = true;
		return;
	}
	c->in_n += (size_t) n;
	take_lines(s, c);
}

static void send_out(struct conn *c)
{
	ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		c->dead = true;
	else
		c->out_at += (size_t) n;
	if (c->out_at < c->out.n)
		return;
	c->out.n = c->out_at = 0;
	if (c->over)
		c->dead = true;
}

static void forget(struct conn *c)
{
	close(c->fd);
	free(c->in);
	buf_free(&c->out);
	free(c);
}

/* ---- the loop ---- */

static void name_peer(int fd, const union addr *at, char ret[ADDR_TEXT_MAX])
{
	struct ucred who;
	socklen_t n = sizeof(who);

	if (at->any.sa_family != AF_UNIX)
		addr_text(at, ret);
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0)
		snprintf(ret, ADDR_TEXT_MAX, "unix user %u process %d", who.uid, who.pid);
	else
		snprintf(ret, ADDR_TEXT_MAX, "unix");
}

static void take_connection(struct serving *s, int listener)
{
	union addr at = {.any = {.sa_family = AF_UNIX}};
	socklen_t n = sizeof(at);
	fd_auto int fd = accept4(listener, &at.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct conn *c = fd >= 0 ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return;
	if (n == 0)
		at.any.sa_family = AF_UNIX;
	name_peer(fd, &at, c->peer);
	if (s->n_conns >= s->limits->connections) {
		note(s, c, "refused", NULL, "connections: there are too many");
		free(c);
		return;
	}
	c->fd = fd_take(&fd);
	c->out = BUF_WRITER(BROKER_ANSWER_MAX + 4096);
	c->deadline = now_ms() + s->limits->seconds * 1000ll;
	c->next = s->conns;
	s->conns = c;
	s->n_conns++;
}

static void serve_conn(struct serving *s, struct conn *c, short got)
{
	if (got & POLLOUT)
		send_out(c);
	if (!c->dead && !c->over && got & (POLLIN | POLLHUP | POLLERR))
		receive(s, c);
	else if (got & (POLLHUP | POLLERR) && !(got & POLLOUT))
		c->dead = true;
	if (!c->dead && c->out.bad)
		c->dead = true;
	/* mostly the socket takes it at once */
	if (!c->dead && c->out.n)
		send_out(c);
}

static void sweep(struct serving *s)
{
	int64_t now = now_ms();

	for (struct conn **at = &s->conns, *c; (c = *at);) {
		if (!c->dead && now >= c->deadline) {
			note(s, c, "refused", NULL, "time: the conversation took too long");
			c->dead = true;
		}
		if (!c->dead) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		s->n_conns--;
		forget(c);
	}
}

static int wait_ms(const struct serving *s)
{
	int64_t first = INT64_MAX, now = now_ms();

	for (const struct conn *c = s->conns; c; c = c->next)
		if (c->deadline < first)
			first = c->deadline;
	if (first == INT64_MAX)
		return -1;
	return first <= now ? 0 : first - now > INT32_MAX ? INT32_MAX : (int) (first - now);
}

static int one_round(struct serving *s, const int *listeners, size_t n, struct err *e)
{
	size_t at = n;

	for (size_t i = 0; i < n; i++)
		s->poll[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
	for (const struct conn *c = s->conns; c; c = c->next)
		s->poll[at++] = (struct pollfd){.fd = c->fd,
						.events = (short) ((c->over ? 0 : POLLIN) |
								   (c->out.n ? POLLOUT : 0))};
	if (poll(s->poll, at, wait_ms(s)) < 0)
		return errno == EINTR ? 0 : err_sys(e, "waiting");
	at = n;
	for (struct conn *c = s->conns; c; c = c->next, at++)
		if (s->poll[at].revents)
			serve_conn(s, c, s->poll[at].revents);
	for (size_t i = 0; i < n; i++)
		if (s->poll[i].revents)
			take_connection(s, listeners[i]);
	sweep(s);
	return 0;
}

int broker_serve(struct broker_files *f, const int *listeners, size_t n,
		 const struct serve_limits *limits, struct err *e)
{
	struct serving s = {.f = f, .limits = limits};
	int r = 0;

	s.poll = calloc(n + limits->connections, sizeof(*s.poll));
	if (!s.poll)
		return err_set(e, -ENOMEM, "no memory");
	while (r == 0)
		r = one_round(&s, listeners, n, e);
	free(s.poll);
	return r;
}

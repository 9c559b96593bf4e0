/* SPDX-License-Identifier: Apache-2.0 */
/* serve: the broker. Everything is read and every socket listens before the process gives up the rest for good. */
#include <errno.h>
#include <time.h>

#include "attest/broker.h"
#include "attest/confine.h"
#include "base/fd.h"

#define SECONDS 60
#define NONCE_SECONDS 30
#define CONNECTIONS 64
#define CONNECTIONS_MAX 1024

struct serve_opts {
	struct broker_opts b;
	struct strs sockets, listen;
	struct opt_u64 seconds, nonce_seconds, connections;
};

#define LISTEN_MAX 8u
struct places {
	int fd[LISTEN_MAX];
	size_t n;
	struct strs names;
};

static int open_places(const struct serve_opts *o, struct arena *a, struct places *p, struct err *e)
{
	size_t all = o->sockets.n + o->listen.n;

	if (all == 0 || all > LISTEN_MAX)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "serve: expected --socket or --listen, at most %u of them",
				  LISTEN_MAX);
	p->names.v = arena_array(a, all, sizeof(*p->names.v));
	for (size_t i = 0; i < o->sockets.n; i++) {
		p->fd[p->n] = broker_listen_unix(o->sockets.v[i], e);
		if (p->fd[p->n] < 0)
			return p->fd[p->n];
		p->names.v[p->n++] = arena_printf(a, "unix:%s", o->sockets.v[i]);
	}
	for (size_t i = 0; i < o->listen.n; i++) {
		p->fd[p->n] = broker_listen_tcp(o->listen.v[i], a, &p->names.v[p->n], e);
		if (p->fd[p->n] < 0)
			return p->fd[p->n];
		p->n++;
	}
	p->names.n = p->n;
	return 0;
}

static int limit(const char *name, const struct opt_u64 *v, unsigned standard, unsigned max,
		 unsigned *ret, struct err *e)
{
	if (v->set && (v->v == 0 || v->v > max))
		return err_set_id(e, ERR_USAGE, -EINVAL, "--%s: expected 1 to %u, found %llu", name,
				  max, (unsigned long long) v->v);
	*ret = v->set ? (unsigned) v->v : standard;
	return 0;
}

static int pick_limits(const struct serve_opts *o, struct serve_limits *l, struct err *e)
{
	int r = limit("seconds", &o->seconds, SECONDS, 3600, &l->seconds, e);

	if (r == 0)
		r = limit("nonce-seconds", &o->nonce_seconds, NONCE_SECONDS, 3600,
			  &l->nonce_seconds, e);
	if (r == 0)
		r = limit("connections", &o->connections, CONNECTIONS, CONNECTIONS_MAX,
			  &l->connections, e);
	return r;
}

static int serve(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	const struct serve_opts *o = opts;
	struct broker_event started = {.event = "started"};
	struct places places = {.n = 0};
	struct serve_limits limits;
	struct broker_files f;
	int r = pick_limits(o, &limits, e);

	(void) argc, (void) argv;
	if (r < 0 || (r = broker_open(&o->b, a, &f, e)) < 0)
		return r;
	tzset(); /* reads a file when it is first needed */
	r = open_places(o, a, &places, e);
	if (r == 0)
		r = confine_service(e);
	if (r == 0)
		r = broker_parse_certs(&f, e);
	started.sockets = &places.names;
	started.key = f.sign ? p256_spki(f.sign, a) : NULL;
	if (r == 0)
		r = broker_log(f.log, &started, e);
	if (r == 0)
		r = broker_serve(&f, places.fd, places.n, &limits, e);
	for (size_t i = 0; i < places.n; i++)
		fd_close(places.fd[i]);
	broker_close(&f);
	return r;
}

#define O(field) offsetof(struct serve_opts, field)

static const struct opt opts_table[] = {
	BROKER_OPTS(struct serve_opts),
	{"socket", 0, OPT_STRS, "PATH", "listen on this unix socket; may be repeated", O(sockets)},
	{"listen", 0, OPT_STRS, "ADDRESS:PORT", "listen on this TCP port; may be repeated",
	 O(listen)},
	{"seconds", 0, OPT_U32, "N", "how long a conversation may take (default: 60)", O(seconds)},
	{"nonce-seconds", 0, OPT_U32, "N", "how long a challenge is good for (default: 30)",
	 O(nonce_seconds)},
	{"connections", 0, OPT_U32, "N", "how many at the same time (default: 64)", O(connections)},
};

const struct attest_command attest_serve = {
	.name = "serve",
	.args = "",
	.help = "give secrets to guests that prove what they are",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct serve_opts),
	.min_args = 0,
	.max_args = 0,
	.run = serve,
};
_Static_assert(sizeof(struct serve_opts) <= ATTEST_OPTS_MAX, "options fit");

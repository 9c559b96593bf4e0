/* SPDX-License-Identifier: Apache-2.0 */
/*
 * release: the broker's decision without a connection: a request in a file, the answer on standard output. What makes an
 * answer good for one question only is a nonce that whoever runs this has handed out: with --nonces a folder keeps those that
 * were not used yet, and using one is removing its file, which only one process can do.
 *
 * The request is looked at by a confined child, which has no files; the parent takes the nonce away before it writes what
 * the child has made.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attest/broker.h"
#include "attest/bytes.h"
#include "attest/confine.h"
#include "attest/crypto.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define STATUS_REFUSED 1
#define STATUS_TROUBLE 2
#define NONCE_SECONDS 3600
#define NAMES_BYTES (BROKER_NAMES_MAX * (BROKER_NAME_MAX + 1))

struct release_opts {
	struct broker_opts b;
	const char *nonces, *nonce;
	struct opt_u64 nonce_seconds;
	bool fresh;
};

/* What the child says; the names that were asked for, each with its NUL, and the answer, or why there is none, follow. */
struct said {
	uint32_t refused, nonce_n, names, names_n, text_n;
	uint8_t nonce[BROKER_NONCE_MAX], digest[BROKER_DIGEST_LEN];
};

/* ---- nonces ---- */

static int new_nonce(const char *dir, struct arena *a, struct err *e)
{
	uint8_t v[BROKER_NONCE_LEN];
	fd_auto int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
	buf_auto b = BUF_WRITER(256);
	const char *hex;

	if (dirfd < 0)
		return err_sys(e, "--nonces: open %s", dir);
	crypto_random(v, sizeof(v));
	hex = hex_text(a, v, sizeof(v));
	fd = openat(dirfd, hex, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "--nonces: make %s/%s", dir, hex);
	buf_put(&b, hex, strlen(hex));
	buf_put(&b, "\n", 1);
	return attest_print(&b, e);
}

/* Takes the nonce away, which can be done once. */
static int use_nonce(const char *dir, const char *hex, uint64_t seconds, struct err *e)
{
	fd_auto int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct timespec now;
	struct stat st;

	if (dirfd < 0)
		return err_sys(e, "--nonces: open %s", dir);
	if (fstatat(dirfd, hex, &st, AT_SYMLINK_NOFOLLOW) < 0 || unlinkat(dirfd, hex, 0) < 0) {
		if (errno == ENOENT)
			return err_set(e, -EPERM,
				       "nonce: not one that was given out; it was used before, or "
				       "made up");
		return err_sys(e, "--nonces: %s/%s", dir, hex);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (st.st_mtim.tv_sec > now.tv_sec ||
	    (uint64_t) (now.tv_sec - st.st_mtim.tv_sec) >= seconds)
		return err_set(e, -EPERM, "nonce: expired");
	return 0;
}

/* ---- the child ---- */

static void say(int out, const struct release_request *q, bool refused, const void *text, size_t n)
{
	struct said v = {.refused = refused, .text_n = (uint32_t) n};
	buf_auto names = BUF_WRITER(NAMES_BYTES);

	if (q) {
		v.nonce_n = (uint32_t) q->nonce.n;
		memcpy(v.nonce, q->nonce.v, q->nonce.n);
		memcpy(v.digest, q->digest, sizeof(v.digest));
		v.names = (uint32_t) q->names.n;
		for (size_t i = 0; i < q->names.n; i++)
			buf_put(&names, q->names.v[i], strlen(q->names.v[i]) + 1);
		v.names_n = (uint32_t) names.n;
	}
	if (names.bad || io_write_all(out, &v, sizeof(v)) < 0 ||
	    io_write_all(out, names.p, names.n) < 0 || io_write_all(out, text, n) < 0)
		_exit(STATUS_TROUBLE);
}

/* --nonce: the one that is expected; NULL: the parent looks at it. Both speak to the log of their part. */
static int child(struct broker_files *f, struct bytes in, const char *nonce, int out)
{
	struct broker_event ev = {.event = "released"};
	buf_auto answer = BUF_WRITER(BROKER_ANSWER_MAX);
	struct err e = ERR_INIT;
	struct release_request q;
	struct timespec now;
	arena_auto a = {0};
	int r = confine_service(&e);

	if (r == 0)
		r = broker_parse_certs(f, &e);
	if (r < 0) {
		fprintf(stderr, "kavach-attest: %s\n", e.msg);
		return STATUS_TROUBLE;
	}
	if (in.n && in.v[in.n - 1] == '\n')
		in.n--;
	clock_gettime(CLOCK_REALTIME, &now);
	r = broker_parse(in, &a, &q, &e);
	if (r != BROKER_SAID_REQUEST) {
		if (r >= 0)
			err_set(&e, -EBADMSG, "expected a request, found a hello");
		ev.why = arena_printf(&a, "request: %s", e.msg);
	} else {
		ev.q = &q;
		if (nonce && !str_eq(hex_text(&a, q.nonce.v, q.nonce.n), nonce))
			ev.why = "nonce: not the one of --nonce";
		else if (release_judge(&f->broker, &q, now.tv_sec, &a, &e) < 0 ||
			 release_answer(&f->broker, &q, &a, &answer, &e) < 0)
			ev.why = e.msg;
	}
	if (!ev.why) {
		/* the parent writes the line, once the nonce is used */
		say(out, &q, false, answer.p, answer.n);
		return 0;
	}
	ev.event = "refused";
	if (broker_log(f->log, &ev, &e) < 0)
		return STATUS_TROUBLE;
	say(out, ev.q, true, ev.why, strlen(ev.why));
	return 0;
}

/* ---- the parent ---- */

/* All that the child said: q has its digest and names, for the log. */
static int hear(int from, struct arena *a, struct said *ret, struct release_request *q,
		struct bytes *ret_text, struct err *e)
{
	char *names, *at;

	if (io_read_full(from, ret, sizeof(*ret)) != (ssize_t) sizeof(*ret) ||
	    ret->nonce_n > BROKER_NONCE_MAX || ret->text_n > BROKER_ANSWER_MAX ||
	    ret->names > BROKER_NAMES_MAX || ret->names_n > NAMES_BYTES)
		return err_set(e, -EPROTO, "the confined child ended early");
	at = names = arena_alloc(a, ret->names_n + 1);
	*ret_text = (struct bytes){arena_alloc(a, ret->text_n + 1), ret->text_n};
	if (io_read_full(from, names, ret->names_n) != (ssize_t) ret->names_n ||
	    io_read_full(from, ret_text->v, ret->text_n) != (ssize_t) ret->text_n)
		return err_set(e, -EPROTO, "the confined child ended early");
	memcpy(q->digest, ret->digest, sizeof(q->digest));
	q->names.v = arena_array(a, ret->names + 1, sizeof(*q->names.v));
	for (; q->names.n < ret->names && at < names + ret->names_n; at += strlen(at) + 1)
		q->names.v[q->names.n++] = at;
	return 0;
}

static int ask_child(struct broker_files *f, struct bytes in, const char *nonce, struct arena *a,
		     struct said *ret, struct release_request *q, struct bytes *ret_text,
		     struct err *e)
{
	fd_auto int from = -EBADF;
	int ends[2], status, r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(child(f, in, nonce, ends[1]));
	}
	from = ends[0];
	close(ends[1]);
	if (pid < 0)
		return err_sys(e, "making a confined child");
	r = hear(from, a, ret, q, ret_text, e);
	from = fd_close(from);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r == 0 && status != 0)
		r = err_set(e, -EPROTO, "the confined child failed with status 0x%x", status);
	return r;
}

static int refused(const char *why)
{
	fprintf(stderr, "kavach-attest: refused: %s\n", why);
	return STATUS_REFUSED;
}

/* The nonce is used, then it is on record, and only then the answer goes out. */
static int finish(const struct release_opts *o, const struct broker_files *f, const struct said *v,
		  const struct release_request *q, struct bytes text, struct arena *a,
		  struct err *e)
{
	struct broker_event ev = {.event = "released", .q = q};
	buf_auto b = BUF_WRITER(BROKER_ANSWER_MAX + 1024);
	struct err why = ERR_INIT;
	int r = 0;

	if (v->refused)
		return refused((const char *) text.v);
	if (o->nonces)
		r = use_nonce(o->nonces, hex_text(a, v->nonce, v->nonce_n),
			      o->nonce_seconds.set ? o->nonce_seconds.v : NONCE_SECONDS, &why);
	if (r < 0) {
		ev.event = "refused";
		ev.why = why.msg;
	}
	if (broker_log(f->log, &ev, e) < 0)
		return e->code;
	if (r < 0)
		return refused(why.msg);
	buf_put(&b, text.v, text.n);
	r = attest_print(&b, e);
	return r < 0 ? r : 0;
}

static int release(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	const struct release_opts *o = opts;
	struct broker_files f = {.log = -EBADF};
	struct bytes in, text = {NULL, 0};
	struct release_request q = {.names = {.n = 0}};
	struct said v;
	int r;

	if (o->fresh && (!o->nonces || argc))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--new: expected --nonces DIR, and no REQUEST");
	if (o->fresh)
		return new_nonce(o->nonces, a, e);
	if (argc != 1 || (o->nonces != NULL) == (o->nonce != NULL))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "release: expected a REQUEST, and --nonces DIR or --nonce HEX");
	if ((r = attest_read("REQUEST", argv[0], BROKER_REQUEST_MAX, a, &in, e)) < 0 ||
	    (r = broker_open(&o->b, a, &f, e)) < 0)
		return r;
	r = ask_child(&f, in, o->nonce, a, &v, &q, &text, e);
	if (r == 0)
		r = finish(o, &f, &v, &q, text, a, e);
	broker_close(&f);
	return r;
}

#define O(field) offsetof(struct release_opts, field)

static const struct opt opts_table[] = {
	BROKER_OPTS(struct release_opts),
	{"nonces", 0, OPT_STR, "DIR", "nonces that were given out, a file each", O(nonces)},
	{"new", 0, OPT_FLAG, NULL, "give out a nonce: print it, and keep it in --nonces", O(fresh)},
	{"nonce", 0, OPT_STR, "HEX", "the nonce that was given out; that it is used once is yours",
	 O(nonce)},
	{"nonce-seconds", 0, OPT_U32, "N", "how long one of --nonces is good for (default: 3600)",
	 O(nonce_seconds)},
};

const struct attest_command attest_release = {
	.name = "release",
	.args = "[REQUEST]",
	.help = "answer one request for secrets, from a file",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct release_opts),
	.min_args = 0,
	.max_args = 1,
	.trouble = STATUS_TROUBLE,
	.run = release,
};
_Static_assert(sizeof(struct release_opts) <= ATTEST_OPTS_MAX, "options fit");

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attest/broker.h"
#include "attest/bytes.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define TABLE_MAX (1u << 20)
#define POLICY_MAX (1u << 20)
#define CERT_FILE_MAX (1u << 20)
#define KEY_MAX 16384u
#define LINE_MAX_LOG 16384u

/* ---- the table ---- */

struct reading {
	const char *table; /* whose folder names begin in */
	struct arena *a;
};

static int read_policy(void *arg, const char *name, struct bytes *ret, struct err *e)
{
	const struct reading *r = arg;
	const char *slash = strrchr(r->table, '/');
	const char *path = name;

	if (name[0] != '/' && slash)
		path = arena_printf(r->a, "%.*s/%s", (int) (slash - r->table), r->table, name);
	return attest_read("verify", path, POLICY_MAX, r->a, ret, e);
}

static int read_table(const char *path, struct arena *a, struct release_table *ret, struct err *e)
{
	struct reading how = {.table = path, .a = a};
	struct bytes text;
	int r = attest_read("--policy", path, TABLE_MAX, a, &text, e);

	return r < 0 ? r : release_table_read(path, text, read_policy, &how, a, ret, e);
}

/* ---- secrets ---- */

static int check_file(int fd, const char *dir, const char *name, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "--secrets: %s/%s", dir, name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "--secrets: %s/%s: expected a regular file", dir, name);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(e, -EPERM,
			       "--secrets: %s/%s: owned by user %u, expected root or ours", dir,
			       name, (unsigned) st.st_uid);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return err_set(e, -EPERM,
			       "--secrets: %s/%s: others than its owner have access (mode %04o)",
			       dir, name, (unsigned) st.st_mode & 07777);
	return 0;
}

static int read_secret(int dirfd, const char *dir, struct release_secret *s, struct err *e)
{
	fd_auto int fd = openat(dirfd, s->name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	size_t room = BROKER_VALUE_MAX + 4096;
	ssize_t n;
	void *p;
	int r;

	if (fd < 0)
		return err_sys(e, "--secrets: open %s/%s", dir, s->name);
	r = check_file(fd, dir, s->name, e);
	if (r < 0)
		return r;
	p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || madvise(p, room, MADV_DONTDUMP) < 0)
		return err_sys(e, "memory for secrets");
	(void) mlock(p, room); /* as far as the limit goes */
	n = io_read_full(fd, p, BROKER_VALUE_MAX + 1);
	if (n < 0)
		return err_neg(e, (int) n, "--secrets: read %s/%s", dir, s->name);
	if (n == 0 || n > (ssize_t) BROKER_VALUE_MAX)
		return err_set(e, -EINVAL, "--secrets: %s/%s: expected 1 to %u bytes", dir, s->name,
			       BROKER_VALUE_MAX);
	s->value = (struct bytes){p, (size_t) n};
	return 0;
}

static int read_secrets(const char *dir, struct arena *a, struct broker *b, struct err *e)
{
	const struct strs names = release_table_names(&b->table, a);
	struct release_secret *v = arena_array(a, names.n, sizeof(*v));
	fd_auto int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (dirfd < 0)
		return err_sys(e, "--secrets: open %s", dir);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		v[i].name = names.v[i];
		r = read_secret(dirfd, dir, &v[i], e);
	}
	b->secrets = v;
	b->n_secrets = names.n;
	return r;
}

/* ---- all ---- */

static int read_list(const struct strs *l, const char *what, struct broker_files *f,
		     struct arena *a, struct err *e)
{
	size_t n;
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++) {
		r = attest_read_folder(what, l->v[i], CERT_FILE_MAX, a, f->certs + f->n_certs,
				       CERTS_MAX - f->n_certs, &n, e);
		if (r == 0)
			f->n_certs += n;
	}
	return r;
}

static int open_log(const char *path, int *ret, struct err *e)
{
	*ret = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW,
			   0600)
		    : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	return *ret < 0 ? err_sys(e, "--log: open %s", path ? path : "standard error") : 0;
}

int broker_open(const struct broker_opts *o, struct arena *a, struct broker_files *ret,
		struct err *e)
{
	const struct rlimit none = {0, 0};
	struct bytes key;
	int r;

	*ret = (struct broker_files){.log = -EBADF};
	if (!o->policy || !o->secrets)
		return err_set_id(e, ERR_USAGE, -EINVAL, "--%s is missing",
				  o->policy ? "secrets" : "policy");
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_sys(e, "keeping secrets out of core dumps");
	if ((r = read_table(o->policy, a, &ret->broker.table, e)) < 0 ||
	    (r = read_secrets(o->secrets, a, &ret->broker, e)) < 0 ||
	    (r = read_list(&o->certs, "--certs", ret, a, e)) < 0 ||
	    (r = read_list(&o->crls, "--crl", ret, a, e)) < 0)
		return r;
	if (o->roots &&
	    (r = attest_read("--root-of-trust", o->roots, CERT_FILE_MAX, a, &ret->roots, e)) < 0)
		return r;
	if (o->sign && ((r = attest_read("--sign-key", o->sign, KEY_MAX, a, &key, e)) < 0 ||
			(r = p256_from_pem(key, o->sign, &ret->sign, e)) < 0))
		return r;
	ret->broker.sign = ret->sign;
	return open_log(o->log, &ret->log, e);
}

int broker_parse_certs(struct broker_files *f, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < f->n_certs && r == 0; i++)
		r = certs_add(&f->given, f->certs[i].data, f->certs[i].path, e);
	if (r == 0 && f->roots.n)
		r = certs_add(&f->trusted, f->roots, "--root-of-trust", e);
	f->broker.given = &f->given;
	f->broker.roots = f->roots.n ? &f->trusted : NULL;
	return r;
}

void broker_close(struct broker_files *f)
{
	for (size_t i = 0; i < f->broker.n_secrets; i++)
		if (f->broker.secrets[i].value.v)
			explicit_bzero(f->broker.secrets[i].value.v, f->broker.secrets[i].value.n);
	certs_free(&f->given);
	certs_free(&f->trusted);
	p256_free(f->sign);
	fd_closep(&f->log);
}

/* ---- the log ---- */

static void put_time(struct jsonw *w)
{
	char text[40];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	jw_kstr(w, "time", text);
}

static void put_request(struct jsonw *w, const struct release_request *q)
{
	char hex[2 * BROKER_DIGEST_LEN + 1] = "";

	hex_put(hex, q->digest, BROKER_DIGEST_LEN);
	jw_kstr(w, "policyDigest", hex);
	jw_kstrs(w, "names", &q->names);
}

int broker_log(int fd, const struct broker_event *ev, struct err *e)
{
	buf_auto b = BUF_WRITER(LINE_MAX_LOG);
	struct jsonw w;
	int r;

	jw_init(&w, &b, false);
	jw_obj(&w);
	put_time(&w);
	jw_kstr(&w, "event", ev->event);
	if (ev->peer)
		jw_kstr(&w, "peer", ev->peer);
	if (ev->q)
		put_request(&w, ev->q);
	if (ev->why)
		jw_kstr(&w, "why", ev->why);
	if (ev->sockets)
		jw_kstrs(&w, "sockets", ev->sockets);
	if (ev->key)
		jw_kstr(&w, "key", ev->key);
	jw_obj_end(&w);
	buf_put(&b, "\n", 1);
	r = b.bad ? -EFBIG : io_write_all(fd, b.p, b.n);
	if (r == 0 && fdatasync(fd) < 0 && errno != EINVAL && errno != EROFS)
		r = -errno;
	return r < 0 ? err_neg(e, r, "--log: write") : 0;
}

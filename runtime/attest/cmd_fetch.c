/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch: says where AMD gives out the certificate of a report's signing key, and keeps one that was got from there. It
 * does not use the network: the machine that verifies needs none, and the one that downloads needs no kavach.
 *
 * To keep a certificate, it must be looked at (whose is it?) and then a file must be written, and no process here does
 * both: a confined child reads the certificate and sends what it found; the parent checks that and writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attest/cache.h"
#include "attest/cmd.h"
#include "attest/confine.h"
#include "attest/crypto.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define FILE_MAX 65536u

struct fetch_opts {
	const char *product, *import, *cache;
};

/* What the child sends: one of these and `len` bytes of DER for each VEK, or an error's text behind a zero key. */
struct packet {
	struct cache_key key;
	uint32_t len;
};

/* ---- the URL ---- */

static int print_url(const struct fetch_opts *o, const char *path, struct arena *a, struct err *e)
{
	enum snp_product p = SNP_PRODUCT_NONE;
	buf_auto b = BUF_WRITER(64u << 10);
	const uint8_t *raw;
	struct report rep;
	struct bytes in;
	char *url;
	int r;

	if (o->product && (p = snp_product_find(o->product)) == SNP_PRODUCT_NONE)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--product: expected Milan, Genoa or Turin, found \"%s\"",
				  o->product);
	if ((r = attest_read("REPORT", path, FILE_MAX, a, &in, e)) < 0 || (r = confine_self(e)) < 0)
		return r;
	if ((r = report_find(in, &raw, e)) < 0 || (r = report_parse(raw, &rep, e)) < 0)
		return err_context(e, "%s", path);
	if (p != SNP_PRODUCT_NONE && rep.has_cpuid && report_product(&rep) != p)
		return err_set(e, -EINVAL, "--product %s: the report is of a %s", o->product,
			       snp_product_name(report_product(&rep)));
	if (p == SNP_PRODUCT_NONE)
		p = report_product(&rep);
	if (p == SNP_PRODUCT_NONE)
		return err_set(e, -EINVAL,
			       "%s: a report of version %u from this CPU does not say its product: "
			       "give --product",
			       path, rep.version);
	r = kds_url(&rep, p, a, &url, e);
	if (r < 0)
		return err_context(e, "%s", path);
	buf_put(&b, url, strlen(url));
	buf_put(&b, "\n", 1);
	return attest_print(&b, e);
}

/* ---- the child ---- */

static int send_veks(int out, const struct certs *all, struct err *e)
{
	size_t found = 0;
	int r = 0;

	for (size_t i = 0; i < all->n && r == 0; i++) {
		enum cert_kind kind = cert_kind(all->v[i]);
		struct bytes der = cert_der(all->v[i]);
		struct packet p;

		if (kind != CERT_VCEK && kind != CERT_VLEK)
			continue; /* ARK, ASK and ASVK are built in */
		memset(&p, 0, sizeof(p));
		p.len = (uint32_t) der.n;
		r = cache_key_of(all->v[i], &p.key, e);
		if (r == 0 &&
		    (io_write_all(out, &p, sizeof(p)) < 0 || io_write_all(out, der.v, der.n) < 0))
			r = err_set(e, -EIO, "sending the certificate failed");
		found++;
	}
	if (r == 0 && !found)
		return err_set(e, -EINVAL,
			       "expected the certificate of a VCEK or VLEK, found none");
	return r;
}

static int child(int out, struct bytes in, const char *path)
{
	struct packet none;
	struct err e = ERR_INIT;
	certs_auto all = {0};
	int r = confine_self(&e);

	if (r == 0)
		r = certs_add(&all, in, path, &e);
	if (r == 0)
		r = send_veks(out, &all, &e);
	if (r == 0)
		return 0;
	memset(&none, 0, sizeof(none));
	none.len = (uint32_t) strlen(e.msg);
	if (io_write_all(out, &none, sizeof(none)) < 0 || io_write_all(out, e.msg, none.len) < 0)
		return 2;
	return 1;
}

/* ---- the parent ---- */

static int store_all(int from, const char *base, struct arena *a, struct buf *b, struct err *e)
{
	struct packet p;
	ssize_t n;
	char *path;
	int r;

	while ((n = io_read_full(from, &p, sizeof(p))) == (ssize_t) sizeof(p)) {
		uint8_t *data;

		if (p.len == 0 || p.len > FILE_MAX || (unsigned) p.key.product >= SNP_PRODUCTS)
			return err_set(e, -EPROTO, "the confined child sent nonsense");
		data = arena_alloc(a, p.len + 1);
		if (io_read_full(from, data, p.len) != (ssize_t) p.len)
			return err_set(e, -EPROTO, "the confined child ended early");
		if (p.key.product == SNP_PRODUCT_NONE)
			return err_set(e, -EINVAL, "%s", (const char *) data);
		r = cache_store(base, &p.key, (struct bytes){data, p.len}, a, &path, e);
		if (r < 0)
			return r;
		buf_put(b, path, strlen(path));
		buf_put(b, "\n", 1);
	}
	return n == 0 ? 0 : err_set(e, -EPROTO, "the confined child ended early");
}

static int import(const struct fetch_opts *o, struct arena *a, struct err *e)
{
	const char *base = o->cache ? o->cache : cache_default(a);
	buf_auto b = BUF_WRITER(64u << 10);
	fd_auto int from = -EBADF;
	int ends[2], status, r;
	struct bytes in;
	pid_t pid;

	if (!base)
		return err_set(
			e, -ENOENT,
			"neither XDG_CACHE_HOME nor HOME says where the cache is: give --cache");
	r = attest_read("--import", o->import, FILE_MAX, a, &in, e);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(child(ends[1], in, o->import));
	}
	from = ends[0];
	close(ends[1]);
	if (pid < 0)
		return err_sys(e, "making a confined child");
	r = store_all(from, base, a, &b, e);
	from = fd_close(from); /* so that a child that still writes ends */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r == 0 && status != 0)
		r = err_set(e, -EPROTO, "the confined child failed with status 0x%x", status);
	return r < 0 ? r : attest_print(&b, e);
}

static int fetch(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	const struct fetch_opts *o = opts;

	if ((argc == 1) == (o->import != NULL))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "fetch: expected a REPORT, or --import FILE, not both");
	return o->import ? import(o, a, e) : print_url(o, argv[0], a, e);
}

#define O(field) offsetof(struct fetch_opts, field)

static const struct opt opts_table[] = {
	{"product", 0, OPT_STR, "NAME",
	 "Milan, Genoa or Turin, for a report of version 2, which does not say it", O(product)},
	{"import", 0, OPT_STR, "FILE", "keep this certificate, for kavach attest verify",
	 O(import)},
	{"cache", 0, OPT_STR, "DIR", "where (default: kavach/attest in ~/.cache)", O(cache)},
};

const struct attest_command attest_fetch = {
	.name = "fetch",
	.args = "[REPORT]",
	.help = "print where AMD has a report's certificate, or keep one",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct fetch_opts),
	.min_args = 0,
	.max_args = 1,
	.run = fetch,
};
_Static_assert(sizeof(struct fetch_opts) <= ATTEST_OPTS_MAX, "options fit");

/* SPDX-License-Identifier: Apache-2.0 */
/* verify: judges a report. Everything is read first; then no file can be opened any more; then it is looked at. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attest/bytes.h"
#include "attest/cache.h"
#include "attest/cmd.h"
#include "attest/confine.h"
#include "attest/verify.h"
#include "base/jsonw.h"
#include "base/str.h"

#define FILE_MAX 65536u
#define POLICY_MAX (1u << 20)
#define CRL_MAX (1u << 20)
#define NONCE_MIN 16u
#define STATUS_REFUSED 1
#define STATUS_TROUBLE 2

struct verify_opts {
	struct strs certs, crls, measurements;
	const char *policy, *nonce, *report_data, *time, *cache, *roots;
	bool json;
};

struct input {
	const char *report_path;
	struct bytes report, policy, roots;
	struct attest_file certs[CERTS_MAX];
	size_t n_certs;
	struct cache_file cached[CERTS_MAX];
	size_t n_cached;
	int64_t at;
	/* behind confine_self(): */
	bool is_doc;
	struct evidence_doc doc;
	struct bytes nonce; /* of --nonce, for a document */
};

/* ---- before: files ---- */

static int read_list(const struct strs *l, const char *what, size_t max_size, struct input *in,
		     struct arena *a, struct err *e)
{
	size_t n;
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++) {
		r = attest_read_folder(what, l->v[i], max_size, a, in->certs + in->n_certs,
				       CERTS_MAX - in->n_certs, &n, e);
		if (r == 0)
			in->n_certs += n;
	}
	return r;
}

/* The name of a folder of the cache is made from fields at fixed places; nothing is concluded from them. */
static void read_cache(const struct verify_opts *o, struct input *in, struct arena *a)
{
	const char *base = o->cache ? o->cache : cache_default(a);
	struct err ignored = ERR_INIT;
	const uint8_t *raw;
	struct report rep;

	struct bytes bare = in->report;

	if (evidence_is(in->report) && !evidence_peek(in->report, a, &bare))
		return;
	if (base && report_find(bare, &raw, &ignored) == 0 &&
	    report_parse(raw, &rep, &ignored) == 0)
		in->n_cached = cache_read(base, &rep, a, in->cached, CERTS_MAX);
}

static int read_all(const struct verify_opts *o, struct input *in, struct arena *a, struct err *e)
{
	int r = attest_time("time", o->time ? o->time : "now", &in->at, e);

	if (r == 0)
		r = attest_read("REPORT", in->report_path, EVIDENCE_MAX, a, &in->report, e);
	if (r == 0 && o->policy)
		r = attest_read("--policy", o->policy, POLICY_MAX, a, &in->policy, e);
	if (r == 0 && o->roots)
		r = attest_read("--root-of-trust", o->roots, FILE_MAX, a, &in->roots, e);
	if (r == 0)
		r = read_list(&o->certs, "--certs", FILE_MAX, in, a, e);
	if (r == 0)
		r = read_list(&o->crls, "--crl", CRL_MAX, in, a, e);
	if (r == 0)
		read_cache(o, in, a);
	return r;
}

/* ---- behind: what was expected ---- */

/* options fill in what the policy leaves open; none can replace what it says */
static int already(const char *opt, const char *key, struct err *e)
{
	return err_set_id(e, ERR_USAGE, -EINVAL, "--%s: the policy says %s already", opt, key);
}

/* Of a document: the report is to be about this nonce, and about what else the document says. */
static int pick_nonce(const struct verify_opts *o, struct input *in, struct expect *x,
		      struct arena *a, struct err *e)
{
	const char *digits = str_prefix(o->nonce, "0x");
	size_t n = strlen(digits ? digits : o->nonce) / 2;
	uint8_t data[EVIDENCE_DATA_LEN], *v;
	int r;

	if (n < EVIDENCE_NONCE_MIN || n > EVIDENCE_NONCE_MAX)
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"--nonce: expected %u to %u bytes in hexadecimal, as evidence has "
			"them",
			EVIDENCE_NONCE_MIN, EVIDENCE_NONCE_MAX);
	v = arena_alloc(a, n);
	r = attest_hex("nonce", o->nonce, v, n, e);
	if (r < 0)
		return r;
	in->nonce = (struct bytes){v, n};
	evidence_bind(in->nonce, in->doc.key, in->doc.policy, data);
	expect_one(&x->report_data, data, sizeof(data), a);
	return 0;
}

static int pick_report_data(const struct verify_opts *o, struct input *in, struct expect *x,
			    struct arena *a, struct err *e)
{
	const char *opt = o->nonce ? "nonce" : "report-data";
	const char *text = o->nonce ? o->nonce : o->report_data;
	const char *digits = text ? str_prefix(text, "0x") : NULL;
	size_t n = text ? strlen(digits ? digits : text) / 2 : 0;
	uint8_t v[64] = {0};
	int r;

	if (!text)
		return 0;
	if (o->nonce && o->report_data)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--nonce and --report-data: expected one of them");
	if (x->report_data.set)
		return already(opt, "reportData", e);
	if (o->nonce && in->is_doc)
		return pick_nonce(o, in, x, a, e);
	if (!o->nonce || n > sizeof(v))
		n = sizeof(v);
	else if (n < NONCE_MIN)
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"--nonce: expected %u to 64 bytes in hexadecimal: a shorter one can be "
			"met by an old report",
			NONCE_MIN);
	r = attest_hex(opt, text, v, n, e);
	if (r == 0)
		expect_one(&x->report_data, v, sizeof(v), a);
	return r;
}

static int pick_expected(const struct verify_opts *o, struct input *in, struct expect *x,
			 struct arena *a, struct err *e)
{
	uint8_t v[48];
	int r = 0;

	expect_default(x);
	if (o->policy)
		r = expect_read(o->policy, in->policy, a, x, e);
	if (r == 0 && o->measurements.n && x->measurements.set)
		return already("measurement", "measurements", e);
	for (size_t i = 0; i < o->measurements.n && r == 0; i++) {
		r = attest_hex("measurement", o->measurements.v[i], v, sizeof(v), e);
		if (r == 0)
			expect_one(&x->measurements, v, sizeof(v), a);
	}
	return r < 0 ? r : pick_report_data(o, in, x, a, e);
}

/* A document is taken apart into what stands for a bare report. */
static int parse_document(struct input *in, struct certs *given, struct arena *a, struct err *e)
{
	int r;

	in->is_doc = evidence_is(in->report);
	if (!in->is_doc)
		return 0;
	r = evidence_read(in->report_path, in->report, a, &in->doc, e);
	if (r < 0)
		return r;
	in->report = in->doc.report;
	return in->doc.certs.n ? certs_add(given, in->doc.certs, "certificates of the evidence", e)
			       : 0;
}

static int parse_certs(const struct input *in, struct certs *given, struct certs *cached,
		       struct certs *roots, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < in->n_certs && r == 0; i++)
		r = certs_add(given, in->certs[i].data, in->certs[i].path, e);
	if (r == 0 && in->roots.n)
		r = certs_add(roots, in->roots, "--root-of-trust", e);
	for (size_t i = 0; i < in->n_cached && r == 0; i++) {
		struct err broken = ERR_INIT;

		if (certs_add(cached, in->cached[i].data, in->cached[i].path, &broken) < 0)
			fprintf(stderr, "kavach-attest: cache: %s\n", broken.msg);
	}
	return r;
}

/* ---- the answer ---- */

#define UNTRUSTED "UNTRUSTED ROOT: --root-of-trust was given, so AMD vouches for nothing of this\n"

static void put(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static void put_check(struct buf *b, const struct check *c, struct arena *a)
{
	const char *name = c->verdict == VERDICT_FAIL ? "FAIL" : verdict_name(c->verdict);
	const char *s = arena_printf(a, "%-9s %-26s %s", name, c->id, c->what);

	if (c->seen)
		s = arena_printf(a, "%s: %s", s, c->seen);
	if (c->expected)
		s = arena_printf(a, "%s; expected %s", s, c->expected);
	if (c->why)
		s = arena_printf(a, "%s: %s", s, c->why);
	put(b, s);
	put(b, "\n");
}

static void put_text(struct buf *b, const struct judgement *j, struct arena *a)
{
	bool first = true;

	if (j->untrusted_root)
		put(b, UNTRUSTED);
	for (size_t i = 0; i < j->n; i++)
		put_check(b, &j->checks[i], a);
	put(b, j->accepted ? "accepted" : "refused");
	for (size_t i = 0; i < j->n; i++) {
		if (j->checks[i].verdict != VERDICT_FAIL)
			continue;
		put(b, arena_printf(a, "%s %s", first ? ":" : ",", j->checks[i].id));
		first = false;
	}
	put(b, "\n");
	if (j->untrusted_root)
		put(b, UNTRUSTED);
}

static void put_json(struct buf *b, const struct judgement *j, int64_t at, struct arena *a)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "verdict", j->accepted ? "accepted" : "refused");
	jw_kstr(&w, "root", j->untrusted_root ? "UNTRUSTED ROOT" : "AMD");
	jw_ki64(&w, "time", at);
	jw_key(&w, "checks");
	jw_arr(&w);
	for (size_t i = 0; i < j->n; i++) {
		const struct check *c = &j->checks[i];

		jw_obj(&w);
		jw_kstr(&w, "id", c->id);
		jw_kstr(&w, "what", c->what);
		jw_kstr(&w, "verdict", verdict_name(c->verdict));
		jw_kstr(&w, "seen", c->seen);
		jw_kstr(&w, "expected", c->expected);
		jw_kstr(&w, "why", c->why);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_key(&w, "report");
	if (j->has_report)
		report_json(&w, &j->report, j->product, a);
	else
		jw_null(&w);
	jw_obj_end(&w);
	put(b, "\n");
}

static int run_verify(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	const struct verify_opts *o = opts;
	struct input in = {.report_path = argv[0]};
	certs_auto given = {0};
	certs_auto cached = {0};
	certs_auto roots = {0};
	buf_auto b = BUF_WRITER(1u << 20);
	struct judgement j;
	struct expect x;
	int r;

	(void) argc;
	if ((r = read_all(o, &in, a, e)) < 0 || (r = confine_self(e)) < 0 ||
	    (r = parse_document(&in, &given, a, e)) < 0 ||
	    (r = pick_expected(o, &in, &x, a, e)) < 0 ||
	    (r = parse_certs(&in, &given, &cached, &roots, e)) < 0)
		return r;
	verify(&(struct evidence){.report = in.report,
				  .certs = &given,
				  .cached = &cached,
				  .roots = o->roots ? &roots : NULL,
				  .at = in.at,
				  .doc = in.is_doc ? &in.doc : NULL,
				  .nonce = in.nonce},
	       &x, a, &j);
	if (o->json)
		put_json(&b, &j, in.at, a);
	else
		put_text(&b, &j, a);
	r = attest_print(&b, e);
	return r < 0 ? r : j.accepted ? 0 : STATUS_REFUSED;
}

#define O(field) offsetof(struct verify_opts, field)

static const struct opt opts_table[] = {
	{"certs", 0, OPT_STRS, "FILE|DIR",
	 "certificates in PEM or DER, or a certificate table; may be repeated", O(certs)},
	{"policy", 0, OPT_STR, "FILE", "what is expected of the report, in JSON", O(policy)},
	{"measurement", 0, OPT_STRS, "HEX", "launch digest that is expected; may be repeated",
	 O(measurements)},
	{"nonce", 0, OPT_STR, "HEX",
	 "nonce that evidence is expected to be about; of a bare report: report data, with zeros",
	 O(nonce)},
	{"report-data", 0, OPT_STR, "HEX", "report data that is expected, all 64 bytes",
	 O(report_data)},
	{"time", 0, OPT_STR, "TIME", "when to judge, as in RFC 3339 (default: now)", O(time)},
	{"crl", 0, OPT_STRS, "FILE|DIR", "revocation list by AMD's root; may be repeated", O(crls)},
	{"cache", 0, OPT_STR, "DIR", "where kavach attest fetch keeps certificates", O(cache)},
	{"root-of-trust", 0, OPT_STR, "FILE", NULL, O(roots)}, /* tests only */
	{"json", 0, OPT_FLAG, NULL, "print every check and the report as JSON", O(json)},
};

const struct attest_command attest_verify = {
	.name = "verify",
	.args = "REPORT",
	.help = "judge an attestation report",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct verify_opts),
	.min_args = 1,
	.max_args = 1,
	.trouble = STATUS_TROUBLE,
	.run = run_verify,
};
_Static_assert(sizeof(struct verify_opts) <= ATTEST_OPTS_MAX, "options fit");

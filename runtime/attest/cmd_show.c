/* SPDX-License-Identifier: Apache-2.0 */
/* show: what a report says, believed or not. */
#include <errno.h>
#include <string.h>

#include "attest/bytes.h"
#include "attest/cmd.h"
#include "attest/confine.h"
#include "attest/evidence.h"
#include "attest/report.h"

struct show_opts {
	const char *product;
	bool json;
};

/* What stands around the report. */
static void show_document(struct buf *b, const struct evidence_doc *d, struct arena *a)
{
	const struct {
		const char *name;
		const char *text;
	} rows[] = {
		{"Policy digest", hex_text(a, d->policy, sizeof(d->policy))},
		{"Nonce", hex_text(a, d->nonce.v, d->nonce.n)},
		{"Key", d->key.n ? hex_text(a, d->key.v, d->key.n) : "none"},
		{"Certificates", arena_printf(a, "%zu bytes", d->certs.n)},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *line = arena_printf(a, "%-24s %s\n", rows[i].name, rows[i].text);

		buf_put(b, line, strlen(line));
	}
	buf_put(b, "\n", 1);
}

static int show(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	static const char note[] =
		"\nNothing of this is verified: kavach attest verify does that.\n";
	const struct show_opts *o = opts;
	buf_auto b = BUF_WRITER(64u << 10);
	enum snp_product p = SNP_PRODUCT_NONE;
	const uint8_t *raw;
	struct report rep;
	struct evidence_doc doc;
	struct bytes in;
	struct jsonw w;
	bool is_doc;
	int r;

	(void) argc;
	if (o->product && (p = snp_product_find(o->product)) == SNP_PRODUCT_NONE)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--product: expected Milan, Genoa or Turin, found \"%s\"",
				  o->product);
	if ((r = attest_read("REPORT", argv[0], EVIDENCE_MAX, a, &in, e)) < 0 ||
	    (r = confine_self(e)) < 0)
		return r;
	is_doc = evidence_is(in);
	if (is_doc) {
		r = evidence_read(argv[0], in, a, &doc, e);
		if (r < 0)
			return r;
		in = doc.report;
	}
	if ((r = report_find(in, &raw, e)) < 0 || (r = report_parse(raw, &rep, e)) < 0)
		return err_context(e, "%s", argv[0]);
	if (p == SNP_PRODUCT_NONE)
		p = report_product(&rep);
	if (!o->json) {
		if (is_doc)
			show_document(&b, &doc, a);
		report_show(&b, &rep, p, a);
		buf_put(&b, note, strlen(note));
		return attest_print(&b, e);
	}
	jw_init(&w, &b, true);
	report_json(&w, &rep, p, a);
	buf_put(&b, "\n", 1);
	return attest_print(&b, e);
}

#define O(field) offsetof(struct show_opts, field)

static const struct opt opts_table[] = {
	{"product", 0, OPT_STR, "NAME",
	 "Milan, Genoa or Turin, for a report of version 2, which does not say it", O(product)},
	{"json", 0, OPT_FLAG, NULL, "print every field as JSON", O(json)},
};

const struct attest_command attest_show = {
	.name = "show",
	.args = "REPORT",
	.help = "explain an attestation report, without verifying it",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct show_opts),
	.min_args = 1,
	.max_args = 1,
	.run = show,
};
_Static_assert(sizeof(struct show_opts) <= ATTEST_OPTS_MAX, "options fit");

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest CONTAINER: the evidence of a running confidential guest, for whoever verifies it. It is handed on as the guest wrote it.
 * Whether it is genuine is not said here, because this host is not the one to be believed; that it is about this container and
 * this nonce is looked at all the same, since evidence that is not will be refused elsewhere, with less to go by.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "attest/bytes.h"
#include "attest/evidence.h"
#include "base/io.h"
#include "base/sha256.h"
#include "base/str.h"
#include "cmd/attest.h"
#include "cmd/audited.h"
#include "vm/evidence.h"

#define NONCE_LEN 32
#define MEASUREMENT 0x90 /* in a report, AMD 56860 */
#define MEASUREMENT_LEN 48
#define HOST_DATA 0xc0
#define REPORT_DATA 0x50

struct evidence_opts {
	const char *nonce, *output;
};

static const struct opt options[] = {
	{"nonce", 0, OPT_STR, "HEX",
	 "of a container: bytes of the verifier's, 32 to 64 (default: random ones)",
	 offsetof(struct evidence_opts, nonce)},
	{"output", 0, OPT_STR, "FILE", "of a container: write the evidence there",
	 offsetof(struct evidence_opts, output)},
};

void attest_usage(struct buf *b)
{
	static const char head[] =
		"Usage: kavach attest [OPTION...] CONTAINER\n       kavach attest COMMAND [OPTION...] "
		"[ARGUMENT...]\n\nask a confidential container for its evidence, or make and judge "
		"evidence\n\nOptions:\n";

	buf_put(b, head, sizeof(head) - 1);
	opt_help(b, options, ARRAY_LEN(options));
	buf_put(b, "\n", 1);
}

static int read_nonce(const char *text, uint8_t ret[EVIDENCE_NONCE_MAX], size_t *ret_n,
		      struct err *e)
{
	size_t n = text ? strlen(text) / 2 : NONCE_LEN;

	*ret_n = n;
	if (!text)
		return getentropy(ret, n) < 0 ? err_sys(e, "making a nonce") : 0;
	if (n < EVIDENCE_NONCE_MIN || n > EVIDENCE_NONCE_MAX || str_prefix(text, "0x") ||
	    !hex_bytes(text, ret, n))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--nonce: expected %u to %u bytes in hexadecimal, found \"%s\"",
				  EVIDENCE_NONCE_MIN, EVIDENCE_NONCE_MAX, text);
	return 0;
}

/* Of this container, for this nonce, and all of one piece. */
static int look(const struct evidence_doc *d, struct bytes nonce, const char *policy,
		struct arena *a, struct err *e)
{
	uint8_t data[EVIDENCE_DATA_LEN];

	if (d->nonce.n != nonce.n || memcmp(d->nonce.v, nonce.v, nonce.n) != 0)
		return err_set(e, -EPROTO, "the guest's evidence is about another nonce");
	if (!str_eq0(policy, hex_text(a, d->policy, sizeof(d->policy))))
		return err_set(e, -EPROTO, "the guest's evidence is about another policy");
	if (memcmp(d->report.v + HOST_DATA, d->policy, sizeof(d->policy)) != 0)
		return err_set(e, -EPROTO,
			       "the guest's report has other host data than the digest of its "
			       "policy");
	evidence_bind(d->nonce, d->key, d->policy, data);
	if (memcmp(d->report.v + REPORT_DATA, data, sizeof(data)) != 0)
		return err_set(e, -EPROTO,
			       "the guest's report is not about the evidence that it came with");
	return 0;
}

static int write_out(const char *path, struct bytes doc, struct err *e)
{
	buf_auto b = BUF_WRITER(EVIDENCE_MAX + 1);
	int r;

	buf_put(&b, doc.v, doc.n);
	buf_put(&b, "\n", 1);
	if (b.bad)
		return err_set(e, -EFBIG, "the guest's evidence is too long");
	if (!path)
		return cmd_print(&b, e);
	r = io_replace_at(AT_FDCWD, path, 0644, b.p, b.n);
	return r < 0 ? err_neg(e, r, "--output: write %s", path) : 0;
}

static int ask(struct globals *g, struct loaded *l, const struct evidence_opts *o,
	       struct bytes nonce, struct err *e)
{
	struct audit_field f[] = {
		{.name = "of", .s = "evidence"},
		{.name = "nonce", .s = hex_text(g->a, nonce.v, nonce.n)},
		{.name = "measurement", .null = true},
		{.name = "evidence", .null = true},
	};
	struct evidence_doc d = {0};
	struct bytes doc = {0};
	uint8_t sum[SHA256_LEN];
	int r = vm_attest(&l->box, nonce, &doc, e);

	if (r == 0)
		r = evidence_read("the guest's evidence", doc, g->a, &d, e);
	if (r == 0) {
		sha256(doc.v, doc.n, sum);
		f[2] = (struct audit_field){.name = "measurement",
					    .s = hex_text(g->a, d.report.v + MEASUREMENT,
							  MEASUREMENT_LEN)};
		f[3] = (struct audit_field){.name = "evidence",
					    .s = hex_text(g->a, sum, sizeof(sum))};
		r = look(&d, nonce, l->st.rec->policy_digest, g->a, e);
	}
	if (r == 0)
		r = write_out(o->output, doc, e);
	return audited_result(g, AUDIT_ATTESTATION, l->st.rec->id, l->st.rec, f, ARRAY_LEN(f), r,
			      e);
}

int attest_container(struct globals *g, int argc, char **argv, struct err *e)
{
	struct evidence_opts o = {0};
	box_auto l = LOADED_INIT;
	uint8_t v[EVIDENCE_NONCE_MAX];
	struct bytes nonce = {v, 0};
	int first, r;

	r = opt_parse(options, ARRAY_LEN(options), false, g->a, argc, argv, &o, &first, e);
	if (r < 0)
		return r;
	if (argc - first != 1)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "attest: expected a command or the id of a container");
	r = read_nonce(o.nonce, v, &nonce.n, e);
	if (r == 0)
		r = box_load(g, argv[first], OP_ATTEST, STATE_NO_LOCK, false, &l, e);
	if (r < 0)
		return r;
	if (l.st.rec->backend < POL_BACKEND_SEV)
		return err_set(e, -ENOTSUP,
			       "container %s is no confidential VM: it has nothing to prove itself "
			       "with",
			       argv[first]);
	return ask(g, &l, &o, nonce, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an evidence document. It comes from the host of the guest, so it may be anything. */
#include "attest/evidence.h"

#include <errno.h>
#include <string.h>

#include "attest/bytes.h"
#include "base/str.h"
#include "json/decode.h"

struct document {
	char *type, *kind, *report, *certs, *nonce, *key, *digest;
	struct opt_u64 version;
};

#define ROW(n, k, f, field)                                                                        \
	{                                                                                          \
		.name = (n), .kind = (k), .flags = (f), .off = offsetof(struct document, field)    \
	}
static const struct jfield document_f[] = {
	ROW("type", J_STR, J_REQUIRED, type),
	ROW("version", J_UINT, J_REQUIRED, version),
	ROW("kind", J_STR, J_REQUIRED, kind),
	ROW("report", J_STR, J_REQUIRED, report),
	ROW("certs", J_STR, 0, certs),
	ROW("nonce", J_STR, J_REQUIRED, nonce),
	ROW("key", J_STR, 0, key),
	ROW("policyDigest", J_STR, J_REQUIRED, digest),
};
static const struct jtable document_t = {.f = document_f,
					 .n = ARRAY_LEN(document_f),
					 .size = sizeof(struct document),
					 .flags = J_STRICT};
#undef ROW

/* The place in the document, and -EBADMSG. */
#define bad(d, n, key, e, ...)                                                                     \
	(json_err((d), json_get((n), (key)), (e), __VA_ARGS__), (e)->code = -EBADMSG)

static int read_base64(const struct json_doc *d, const struct json_node *n, const char *key,
		       const char *text, size_t want, size_t max, struct arena *a,
		       struct bytes *ret, struct err *e)
{
	if (!text)
		return 0;
	if (!base64_bytes(text, a, ret))
		return bad(d, n, key, e, "expected base64");
	if (want && ret->n != want)
		return bad(d, n, key, e, "expected %zu bytes in base64, found %zu", want, ret->n);
	if (ret->n > max)
		return bad(d, n, key, e, "expected at most %zu bytes, found %zu", max, ret->n);
	return 0;
}

static int read_nonce(const struct json_doc *d, const struct json_node *n, const char *hex,
		      struct arena *a, struct bytes *ret, struct err *e)
{
	size_t len = strlen(hex) / 2;

	if (len >= EVIDENCE_NONCE_MIN && len <= EVIDENCE_NONCE_MAX) {
		*ret = (struct bytes){arena_alloc(a, len), len};
		if (hex_bytes(hex, ret->v, len))
			return 0;
	}
	return bad(d, n, "nonce", e, "expected %u to %u bytes in hexadecimal", EVIDENCE_NONCE_MIN,
		   EVIDENCE_NONCE_MAX);
}

int evidence_decode(const struct json_doc *d, const struct json_node *n, struct arena *a,
		    struct evidence_doc *ret, struct err *e)
{
	struct evidence_doc doc = {0};
	struct document j = {0};

	if (json_decode(d, n, &document_t, &j, a, e) < 0)
		return e->code = -EBADMSG;
	if (!str_eq(j.type, EVIDENCE_TYPE))
		return bad(d, n, "type", e, "expected \"" EVIDENCE_TYPE "\", found \"%.40s\"",
			   j.type);
	if (j.version.v != EVIDENCE_VERSION)
		return bad(d, n, "version", e, "expected %d, found %llu", EVIDENCE_VERSION,
			   (unsigned long long) j.version.v);
	if (!str_eq(j.kind, EVIDENCE_SNP))
		return bad(d, n, "kind", e, "expected \"" EVIDENCE_SNP "\", found \"%.40s\"",
			   j.kind);
	if (!hex_bytes(j.digest, doc.policy, sizeof(doc.policy)))
		return bad(d, n, "policyDigest", e, "expected %u bytes in hexadecimal",
			   EVIDENCE_DIGEST_LEN);
	if (read_base64(d, n, "report", j.report, EVIDENCE_REPORT_LEN, EVIDENCE_REPORT_LEN, a,
			&doc.report, e) < 0 ||
	    read_base64(d, n, "certs", j.certs, 0, EVIDENCE_CERTS_MAX, a, &doc.certs, e) < 0 ||
	    read_base64(d, n, "key", j.key, EVIDENCE_KEY_LEN, EVIDENCE_KEY_LEN, a, &doc.key, e) <
		    0 ||
	    read_nonce(d, n, j.nonce, a, &doc.nonce, e) < 0)
		return e->code;
	*ret = doc;
	return 0;
}

bool evidence_is(struct bytes text)
{
	size_t i = 0;

	while (i < text.n && strchr(" \t\r\n", text.v[i]) && text.v[i])
		i++;
	return text.n != EVIDENCE_REPORT_LEN && i < text.n && text.v[i] == '{';
}

int evidence_read(const char *name, struct bytes text, struct arena *a, struct evidence_doc *ret,
		  struct err *e)
{
	struct json_doc d;

	if (text.n > EVIDENCE_MAX)
		return err_set(e, -EBADMSG, "%s: evidence has at most %u bytes, this is %zu", name,
			       EVIDENCE_MAX, text.n);
	if (json_read(name, (const char *) text.v, text.n, a, &d, e) < 0)
		return e->code = -EBADMSG;
	return evidence_decode(&d, d.root, a, ret, e);
}

bool evidence_peek(struct bytes text, struct arena *a, struct bytes *ret)
{
	static const char before[] = "\"report\":\"";
	size_t n = 4 * ((EVIDENCE_REPORT_LEN + 2) / 3);
	const uint8_t *at = text.n ? memmem(text.v, text.n, before, sizeof(before) - 1) : NULL;
	struct bytes got;
	char *word;

	if (!at || (size_t) (text.v + text.n - at) < sizeof(before) - 1 + n)
		return false;
	word = arena_alloc(a, n + 1);
	memcpy(word, at + sizeof(before) - 1, n);
	if (strlen(word) != n || !base64_bytes(word, a, &got) || got.n != EVIDENCE_REPORT_LEN)
		return false;
	*ret = got;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of the broker may say: two messages, each one line of JSON. Anybody can send them. */
#include <string.h>

#include "attest/evidence.h"
#include "attest/release.h"
#include "base/str.h"
#include "json/decode.h"
#include "json/read.h"

struct message {
	char *type;
	struct opt_u64 version;
};
struct request {
	struct message head;
	struct json_node *evidence;
	struct strs names;
};

#define F(type, field) .off = offsetof(type, field)
#define ROW(type, n, k, f, field)                                                                  \
	{                                                                                          \
		.name = (n), .kind = (k), .flags = (f), F(type, field)                             \
	}
static const struct jfield hello_f[] = {
	ROW(struct message, "type", J_STR, J_REQUIRED, type),
	ROW(struct message, "version", J_UINT, J_REQUIRED, version),
};
static const struct jtable hello_t = {
	.f = hello_f, .n = ARRAY_LEN(hello_f), .size = sizeof(struct message), .flags = J_STRICT};
static const struct jfield request_f[] = {
	ROW(struct request, "type", J_STR, J_REQUIRED, head.type),
	ROW(struct request, "version", J_UINT, J_REQUIRED, head.version),
	ROW(struct request, "evidence", J_ANY, J_REQUIRED, evidence),
	ROW(struct request, "names", J_STRS, J_REQUIRED | J_NONEMPTY, names),
};
static const struct jtable request_t = {.f = request_f,
					.n = ARRAY_LEN(request_f),
					.size = sizeof(struct request),
					.flags = J_STRICT};
#undef ROW
#undef F

__attribute__((format(printf, 2, 3), cold)) static int bad(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, -EBADMSG, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static int check_version(const struct message *m, struct err *e)
{
	return m->version.v == BROKER_VERSION
		       ? 0
		       : bad(e, "version: expected %d, found %llu", BROKER_VERSION,
			     (unsigned long long) m->version.v);
}

static int read_evidence(const struct json_doc *d, const struct json_node *n, struct arena *a,
			 struct release_request *q, struct err *e)
{
	struct evidence_doc doc;
	p256_auto *key = NULL;
	int r = evidence_decode(d, n, a, &doc, e);

	if (r < 0)
		return r;
	if (!doc.key.n)
		return bad(
			e,
			"evidence.key: expected the guest's key: there is nobody to encrypt for");
	if (p256_from_point(doc.key.v, &key, e) < 0) {
		err_context(e, "evidence.key");
		return e->code = -EBADMSG;
	}
	q->report = doc.report;
	q->certs = doc.certs;
	q->nonce = doc.nonce;
	memcpy(q->key, doc.key.v, sizeof(q->key));
	memcpy(q->digest, doc.policy, sizeof(q->digest));
	return 0;
}

static int read_names(const struct strs *l, struct err *e)
{
	if (l->n > BROKER_NAMES_MAX)
		return bad(e, "names: at most %u, found %zu", BROKER_NAMES_MAX, l->n);
	for (size_t i = 0; i < l->n; i++) {
		if (!broker_name_good(l->v[i]))
			return bad(e, "names[%zu]: no name that a secret can have", i);
		for (size_t k = 0; k < i; k++)
			if (str_eq(l->v[k], l->v[i]))
				return bad(e, "names[%zu]: \"%s\" is there twice", i, l->v[i]);
	}
	return 0;
}

static int read_request(const struct json_doc *d, struct arena *a, struct release_request *ret,
			struct err *e)
{
	struct release_request q = {.certs = {NULL, 0}};
	struct request m = {.evidence = NULL};
	int r = json_decode(d, d->root, &request_t, &m, a, e);

	if (r < 0)
		return e->code = -EBADMSG;
	q.names = m.names;
	if ((r = check_version(&m.head, e)) < 0 || (r = read_names(&m.names, e)) < 0 ||
	    (r = read_evidence(d, m.evidence, a, &q, e)) < 0)
		return r;
	*ret = q;
	return BROKER_SAID_REQUEST;
}

int broker_parse(struct bytes line, struct arena *a, struct release_request *ret, struct err *e)
{
	struct json_doc d;
	const struct json_node *type;
	struct message m = {0};
	int r = json_read("request", (const char *) line.v, line.n, a, &d, e);

	if (r < 0)
		return e->code = -EBADMSG;
	type = json_get(d.root, "type");
	if (!type || type->type != JSON_STRING)
		return bad(e, "type: expected a string");
	if (str_eq(type->s, BROKER_REQUEST))
		return read_request(&d, a, ret, e);
	if (!str_eq(type->s, BROKER_HELLO))
		return bad(e,
			   "type: expected " BROKER_HELLO " or " BROKER_REQUEST ", found \"%.40s\"",
			   type->s);
	if (json_decode(&d, d.root, &hello_t, &m, a, e) < 0)
		return e->code = -EBADMSG;
	r = check_version(&m, e);
	return r < 0 ? r : BROKER_SAID_HELLO;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets what, and the answer. */
#include "attest/release.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/crypto.h"
#include "attest/evidence.h"
#include "attest/jose.h"
#include "base/str.h"

/* ---- the decision ---- */

/* What came with the evidence, then what we have: pointers only, freed by their owners. */
static int all_certs(const struct broker *b, const struct certs *came, struct certs *ret,
		     struct err *e)
{
	static const struct certs none;
	const struct certs *own = b->given ? b->given : &none;

	*ret = *came;
	if (came->n + own->n > CERTS_MAX || came->n_crls + own->n_crls > CERTS_MAX)
		return err_set(e, -E2BIG, "evidence.certs: too many certificates");
	memcpy(ret->v + came->n, own->v, own->n * sizeof(own->v[0]));
	memcpy(ret->crls + came->n_crls, own->crls, own->n_crls * sizeof(own->crls[0]));
	ret->n += own->n;
	ret->n_crls += own->n_crls;
	return 0;
}

static const char *failures(const struct judgement *j, struct arena *a)
{
	const char *s = NULL;

	for (size_t i = 0; i < j->n; i++)
		if (j->checks[i].verdict == VERDICT_FAIL)
			s = s ? arena_printf(a, "%s, %s", s, j->checks[i].id) : j->checks[i].id;
	return s ? s : "nothing that was checked";
}

/* -ENOENT: the entry is not about this container; -EPERM: the report is not as the entry wants it. */
static int judge_entry(const struct broker *b, const struct release_entry *t,
		       const struct release_request *q, const struct certs *certs, int64_t at,
		       struct arena *a, struct err *e)
{
	struct expect x = t->expect;
	struct judgement j;
	uint8_t data[EVIDENCE_DATA_LEN];

	if ((t->digests.set && !expect_has(&t->digests, q->digest)) ||
	    (x.host_data.set && !expect_has(&x.host_data, q->digest)))
		return err_set(e, -ENOENT, "of another container");
	evidence_bind(q->nonce, (struct bytes){(uint8_t *) (uintptr_t) q->key, sizeof(q->key)},
		      q->digest, data);
	x.report_data = (struct hexes){.set = true, .v = data, .n = 1, .len = sizeof(data)};
	x.host_data = (struct hexes){.set = true,
				     .v = (uint8_t *) (uintptr_t) q->digest,
				     .n = 1,
				     .len = sizeof(q->digest)};
	verify(&(struct evidence){.report = q->report,
				  .certs = certs,
				  .cached = b->cached,
				  .roots = b->roots,
				  .at = at},
	       &x, a, &j);
	if (!j.accepted)
		return err_set(e, -EPERM, "evidence: %s (%s)", failures(&j, a), t->verify);
	return 0;
}

static bool lists_any(const struct release_entry *t, const struct strs *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (strs_has(&t->names, names->v[i]))
			return true;
	return false;
}

static int judge_entries(const struct broker *b, const struct release_request *q,
			 const struct certs *certs, int64_t at, struct arena *a, struct err *e)
{
	bool *granted = arena_array(a, q->names.n + 1, sizeof(*granted));
	struct err why = ERR_INIT; /* of the first entry that is about the container */

	for (size_t i = 0; i < b->table.n; i++) {
		const struct release_entry *t = &b->table.v[i];
		struct err one = ERR_INIT;

		if (!lists_any(t, &q->names))
			continue;
		if (judge_entry(b, t, q, certs, at, a, &one) < 0) {
			if (one.code != -ENOENT && !why.code)
				why = one;
			continue;
		}
		for (size_t k = 0; k < q->names.n; k++)
			granted[k] |= strs_has(&t->names, q->names.v[k]);
	}
	for (size_t k = 0; k < q->names.n; k++) {
		if (granted[k])
			continue;
		if (why.code)
			return err_set(e, -EPERM, "%s", why.msg);
		return err_set(e, -EPERM,
			       "names: no entry of the table gives \"%s\" to the policy %s",
			       q->names.v[k], hex_text(a, q->digest, sizeof(q->digest)));
	}
	return 0;
}

int release_judge(const struct broker *b, const struct release_request *q, int64_t at,
		  struct arena *a, struct err *e)
{
	certs_auto came = {0};
	struct certs all;

	if ((q->certs.n && certs_add(&came, q->certs, "evidence.certs", e) < 0) ||
	    all_certs(b, &came, &all, e) < 0)
		return e->code = -EPERM;
	return judge_entries(b, q, &all, at, a, e);
}

/* ---- the answer ---- */

static const struct release_secret *secret(const struct broker *b, const char *name)
{
	for (size_t i = 0; i < b->n_secrets; i++)
		if (str_eq(b->secrets[i].name, name))
			return &b->secrets[i];
	return NULL;
}

/* The plaintext, in memory that is cleared as one piece: nothing in it needs escaping, and its length is known before. */
struct plain {
	struct arena a;
	char *p;
	size_t n, room;
};

static void add(struct plain *t, const char *s)
{
	size_t n = strlen(s);

	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void wipe(struct arena *a, void *p, size_t n)
{
	crypto_wipe(p, n);
	arena_free(a);
}

/* base64 of one value; the text is cleared again */
static void add_value(struct plain *t, struct bytes value)
{
	arena_auto tmp = {0};
	char *text = base64_text(&tmp, value.v, value.n);

	add(t, text);
	crypto_wipe(text, strlen(text));
}

static int make_plain(const struct broker *b, const struct release_request *q, struct plain *t,
		      struct err *e)
{
	size_t room = 512, values = 0;

	for (size_t i = 0; i < q->names.n; i++) {
		const struct release_secret *s = secret(b, q->names.v[i]);

		if (!s)
			return err_set(e, -ENOENT, "the secret \"%s\" was not read at the start",
				       q->names.v[i]);
		values += s->value.n;
		room += 64 + strlen(s->name) + (s->value.n + 2) / 3 * 4;
	}
	if (values > BROKER_VALUES_MAX)
		return err_set(e, -E2BIG, "the secrets are more than %u KiB together",
			       BROKER_VALUES_MAX >> 10);
	t->p = arena_alloc(&t->a, room);
	t->room = room;
	add(t, "{\"type\":\"" BROKER_PLAINTEXT "\",\"version\":1,\"nonce\":\"");
	hex_put(t->p + t->n, q->nonce.v, q->nonce.n);
	t->n += 2 * q->nonce.n;
	add(t, "\",\"policyDigest\":\"");
	hex_put(t->p + t->n, q->digest, sizeof(q->digest));
	t->n += 2 * sizeof(q->digest);
	add(t, "\",\"secrets\":[");
	for (size_t i = 0; i < q->names.n; i++) {
		add(t, i ? ",{\"name\":\"" : "{\"name\":\"");
		add(t, q->names.v[i]);
		add(t, "\",\"value\":\"");
		add_value(t, secret(b, q->names.v[i])->value);
		add(t, "\"}");
	}
	add(t, "]}");
	return 0;
}

int release_answer(const struct broker *b, const struct release_request *q, struct arena *a,
		   struct buf *out, struct err *e)
{
	buf_auto jwe = BUF_WRITER(BROKER_ANSWER_MAX);
	p256_auto *to = NULL;
	struct plain t = {.n = 0};
	int r = p256_from_point(q->key, &to, e);

	if (r == 0)
		r = make_plain(b, q, &t, e);
	if (r == 0)
		r = jwe_seal(to, (uint8_t *) t.p, t.n, a, &jwe, e);
	if (t.p)
		wipe(&t.a, t.p, t.room);
	if (r < 0)
		return r;
#define HEAD "{\"type\":\"" BROKER_SECRETS "\",\"version\":1,"
	if (b->sign) {
		buf_put(out, HEAD "\"jws\":", strlen(HEAD "\"jws\":"));
		r = jws_sign(b->sign, jwe.p, jwe.n, a, out, e);
	} else {
		buf_put(out, HEAD "\"jwe\":", strlen(HEAD "\"jwe\":"));
		buf_put(out, jwe.p, jwe.n);
	}
#undef HEAD
	buf_put(out, "}\n", 2);
	return r == 0 && out->bad ? err_set(e, -EFBIG, "the answer is too long") : r;
}

void broker_put_challenge(struct buf *out, const uint8_t nonce[BROKER_NONCE_LEN], unsigned seconds)
{
	char hex[2 * BROKER_NONCE_LEN + 1] = "";
	struct jsonw w;

	hex_put(hex, nonce, BROKER_NONCE_LEN);
	jw_init(&w, out, false);
	jw_obj(&w);
	jw_kstr(&w, "type", BROKER_CHALLENGE);
	jw_ku64(&w, "version", BROKER_VERSION);
	jw_kstr(&w, "nonce", hex);
	jw_ku64(&w, "seconds", seconds);
	jw_obj_end(&w);
	buf_put(out, "\n", 1);
}

void broker_put_error(struct buf *out)
{
	struct jsonw w;

	jw_init(&w, out, false);
	jw_obj(&w);
	jw_kstr(&w, "type", BROKER_ERROR);
	jw_ku64(&w, "version", BROKER_VERSION);
	jw_kstr(&w, "error", "refused");
	jw_obj_end(&w);
	buf_put(out, "\n", 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A broker's lines (kavach-broker(7)): the challenge, and the answer with its one or two envelopes. */
#include <string.h>

#include "attest/bytes.h"
#include "attest/jose.h"
#include "base/str.h"
#include "json/decode.h"
#include "keeper/keeper.h"
#include "keeper/proto.h"

#define CHALLENGE "kavach-broker-challenge"
#define SECRETS "kavach-broker-secrets"
#define ERROR "kavach-broker-error"
#define PLAINTEXT "kavach-secrets"

struct challenge {
	char *type, *nonce;
	struct opt_u64 version, seconds;
};
struct answer {
	char *type, *error;
	struct opt_u64 version;
	struct json_node *jwe, *jws;
};
struct item {
	char *name, *value;
};
struct plaintext {
	char *type, *nonce, *digest;
	struct opt_u64 version;
	struct jlist secrets;
};

#define F(type, field) .off = offsetof(type, field)
#define ROW(type, n, k, f, field)                                                                  \
	{                                                                                          \
		.name = (n), .kind = (k), .flags = (f), F(type, field)                             \
	}
#define T(fields, type)                                                                            \
	{                                                                                          \
		.f = (fields), .n = ARRAY_LEN(fields), .size = sizeof(type), .flags = J_STRICT     \
	}
static const struct jfield challenge_f[] = {
	ROW(struct challenge, "type", J_STR, J_REQUIRED, type),
	ROW(struct challenge, "version", J_UINT, J_REQUIRED, version),
	ROW(struct challenge, "nonce", J_STR, J_REQUIRED, nonce),
	ROW(struct challenge, "seconds", J_UINT, 0, seconds),
};
static const struct jtable challenge_t = T(challenge_f, struct challenge);
static const struct jfield answer_f[] = {
	ROW(struct answer, "type", J_STR, J_REQUIRED, type),
	ROW(struct answer, "version", J_UINT, J_REQUIRED, version),
	ROW(struct answer, "error", J_STR, 0, error),
	ROW(struct answer, "jwe", J_ANY, 0, jwe),
	ROW(struct answer, "jws", J_ANY, 0, jws),
};
static const struct jtable answer_t = T(answer_f, struct answer);
static const struct jfield item_f[] = {
	ROW(struct item, "name", J_STR, J_REQUIRED, name),
	ROW(struct item, "value", J_STR, J_REQUIRED, value),
};
static const struct jtable item_t = T(item_f, struct item);
static const struct jfield plaintext_f[] = {
	ROW(struct plaintext, "type", J_STR, J_REQUIRED, type),
	ROW(struct plaintext, "version", J_UINT, J_REQUIRED, version),
	ROW(struct plaintext, "nonce", J_STR, J_REQUIRED, nonce),
	ROW(struct plaintext, "policyDigest", J_STR, 0, digest),
	{.name = "secrets",
	 .kind = J_OBJS,
	 .flags = J_REQUIRED,
	 .sub = &item_t,
	 F(struct plaintext, secrets)},
};
static const struct jtable plaintext_t = T(plaintext_f, struct plaintext);
#undef ROW
#undef F

static int bad(struct err *e, const char *what)
{
	return err_set(e, -EBADMSG, "the broker's answer: %s", what);
}

/* The decoders quote what they find. None of that may get into a message: it may be a secret, once the envelope is open. */
static int read_json(const char *what, struct bytes text, const struct jtable *t, void *ret,
		     struct json_doc *d, struct arena *a, struct err *e)
{
	struct err ignored = ERR_INIT;

	if (json_read(what, (const char *) text.v, text.n, a, d, &ignored) < 0 ||
	    json_decode(d, d->root, t, ret, a, &ignored) < 0)
		return err_set(e, -EBADMSG, "the broker's answer: %s is not as expected", what);
	return 0;
}

int keeper_challenge(struct bytes line, struct arena *a, struct bytes *ret, struct err *e)
{
	struct challenge c = {.type = NULL};
	uint8_t *v = arena_alloc(a, KEEPER_NONCE_MAX);
	struct json_doc d;
	size_t n;
	int r = read_json("the challenge", line, &challenge_t, &c, &d, a, e);

	if (r < 0)
		return r;
	n = strlen(c.nonce) / 2;
	if (!str_eq(c.type, CHALLENGE) || c.version.v != 1)
		return bad(e, "expected a challenge of version 1");
	if (n < KEEPER_NONCE_MIN || n > KEEPER_NONCE_MAX || !hex_bytes(c.nonce, v, n))
		return bad(e, "the challenge has no nonce of 32 to 64 bytes");
	*ret = (struct bytes){v, n};
	return 0;
}

static int take_values(const struct plaintext *p, const struct keeper_question *q, struct arena *a,
		       struct bytes *ret, struct err *e)
{
	const struct item *v = p->secrets.v;
	size_t total = 0;

	if (p->secrets.n != q->names.n)
		return bad(e, "it has other secrets than those that were asked for");
	for (size_t i = 0; i < q->names.n; i++) {
		const struct item *found = NULL;

		for (size_t k = 0; k < p->secrets.n; k++)
			if (str_eq(v[k].name, q->names.v[i]))
				found = &v[k];
		if (!found)
			return bad(e, "it has other secrets than those that were asked for");
		if (!base64_bytes(found->value, a, &ret[i]) || !ret[i].n)
			return bad(e, "a value is empty or no base64");
		total += ret[i].n;
	}
	return total > KEEPER_VALUES_MAX ? bad(e, "the secrets are too long together") : 0;
}

static int open_plaintext(struct bytes text, const struct keeper_question *q, struct arena *a,
			  struct bytes *ret, struct err *e)
{
	struct plaintext p = {.type = NULL};
	uint8_t nonce[KEEPER_NONCE_MAX];
	struct json_doc d;
	int r = read_json("what is in the envelope", text, &plaintext_t, &p, &d, a, e);

	if (r < 0)
		return r;
	if (!str_eq(p.type, PLAINTEXT) || p.version.v != 1)
		return bad(e, "expected secrets of version 1 in the envelope");
	if (q->nonce.n > sizeof(nonce) || !hex_bytes(p.nonce, nonce, q->nonce.n) ||
	    memcmp(nonce, q->nonce.v, q->nonce.n) != 0)
		return bad(e, "it answers another challenge");
	return take_values(&p, q, a, ret, e);
}

static int open_jwe(const struct json_doc *d, const struct json_node *n,
		    const struct keeper_question *q, struct arena *a, struct bytes *ret,
		    struct err *e)
{
	struct err why = ERR_INIT;
	struct bytes plain;

	if (jwe_open(d, n, q->key, a, &plain, &why) < 0)
		return err_set(e, -EBADMSG, "the broker's answer: jwe: %s", why.msg);
	return open_plaintext(plain, q, a, ret, e);
}

static int open_jws(const struct json_doc *d, const struct json_node *n,
		    const struct keeper_question *q, struct arena *a, struct bytes *ret,
		    struct err *e)
{
	struct err why = ERR_INIT;
	struct json_doc inner;
	struct bytes jwe;

	/* who has pinned no key does not know whose signature it would be */
	if (!q->broker)
		return bad(e, "it is signed, and the policy does not say by which key "
			      "(vm.brokerKey)");
	if (jws_open(d, n, q->broker, a, &jwe, &why) < 0)
		return err_set(e, -EBADMSG, "the broker's answer: jws: %s", why.msg);
	if (json_read("jwe", (const char *) jwe.v, jwe.n, a, &inner, &why) < 0)
		return bad(e, "what was signed is no JSON");
	return open_jwe(&inner, inner.root, q, a, ret, e);
}

int keeper_open(struct bytes line, const struct keeper_question *q, struct arena *a,
		struct bytes *ret_values, struct err *e)
{
	struct answer t = {.type = NULL};
	struct json_doc d;
	int r = read_json("it", line, &answer_t, &t, &d, a, e);

	if (r < 0)
		return r;
	if (str_eq(t.type, ERROR))
		return err_set(e, -EACCES,
			       "the broker refuses; its log says why, the guest is not told");
	if (!str_eq(t.type, SECRETS) || t.version.v != 1 || t.error || !t.jwe == !t.jws)
		return bad(e, "expected secrets of version 1, with jwe or jws");
	if (t.jws)
		return open_jws(&d, t.jws, q, a, ret_values, e);
	if (q->broker)
		return bad(e, "it is not signed, and the policy wants it signed (vm.brokerKey)");
	return open_jwe(&d, t.jwe, q, a, ret_values, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/jose.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/crypto.h"
#include "base/str.h"
#include "json/decode.h"

#define ALG_JWE "ECDH-ES"
#define ENC "A256GCM"
#define ALG_JWS "ES256"
#define KEY_LEN 32u

/* ---- base64url ---- */

char *jose_text(struct arena *a, const uint8_t *p, size_t n)
{
	char *s = base64_text(a, p, n);

	for (char *c = s; *c; c++) {
		if (*c == '+')
			*c = '-';
		else if (*c == '/')
			*c = '_';
		else if (*c == '=')
			*c = '\0';
	}
	return s;
}

bool jose_bytes(const char *text, struct arena *a, struct bytes *ret)
{
	size_t n = strlen(text);
	char *s = arena_alloc(a, n + 4);

	if (strpbrk(text, "+/="))
		return false;
	memcpy(s, text, n);
	for (char *c = s; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	while (n % 4)
		s[n++] = '=';
	return base64_bytes(s, a, ret);
}

/* ---- the key ---- */

static void add_u32(struct digest *d, size_t v)
{
	const uint8_t be[4] = {(uint8_t) (v >> 24), (uint8_t) (v >> 16), (uint8_t) (v >> 8),
			       (uint8_t) v};

	digest_add(d, be, sizeof(be));
}

static void add_counted(struct digest *d, const void *p, size_t n)
{
	add_u32(d, n);
	if (n)
		digest_add(d, p, n);
}

void jose_kdf(const uint8_t z[P256_LEN], const char *alg, struct bytes apu, struct bytes apv,
	      uint8_t *ret, size_t n)
{
	struct digest *d = digest_new(DIGEST_SHA256);
	uint8_t out[CRYPTO_SHA256_LEN];

	add_u32(d, 1); /* one round: no key is longer than the digest */
	digest_add(d, z, P256_LEN);
	add_counted(d, alg, strlen(alg));
	add_counted(d, apu.v, apu.n);
	add_counted(d, apv.v, apv.n);
	add_u32(d, n * 8);
	digest_end(d, out);
	digest_free(d);
	memcpy(ret, out, n < sizeof(out) ? n : sizeof(out));
	crypto_wipe(out, sizeof(out));
}

static int content_key(const struct p256 *own, const struct p256 *peer, struct bytes apu,
		       struct bytes apv, uint8_t ret[KEY_LEN], struct err *e)
{
	uint8_t z[P256_LEN];
	int r = p256_agree(own, peer, z, e);

	if (r == 0)
		jose_kdf(z, ENC, apu, apv, ret, KEY_LEN);
	crypto_wipe(z, sizeof(z));
	return r;
}

/* ---- writing ---- */

static struct bytes ascii(const char *s)
{
	return (struct bytes){(uint8_t *) (uintptr_t) s, strlen(s)};
}

/* the members in the order in which they are written */
static int put_object(struct buf *out, const char *const (*members)[2], size_t n, struct err *e)
{
	struct jsonw w;

	jw_init(&w, out, false);
	jw_obj(&w);
	for (size_t i = 0; i < n; i++)
		jw_kstr(&w, members[i][0], members[i][1]);
	jw_obj_end(&w);
	return out->bad ? err_set(e, -EFBIG, "the answer is too long") : 0;
}

static char *jwe_header(const uint8_t point[P256_POINT_LEN], struct arena *a)
{
	const char *text = arena_printf(
		a,
		"{\"alg\":\"" ALG_JWE "\",\"enc\":\"" ENC
		"\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}}",
		jose_text(a, point + 1, P256_LEN), jose_text(a, point + 1 + P256_LEN, P256_LEN));

	return jose_text(a, (const uint8_t *) text, strlen(text));
}

int jwe_seal(const struct p256 *to, const uint8_t *p, size_t n, struct arena *a, struct buf *out,
	     struct err *e)
{
	static const struct bytes none = {NULL, 0};
	p256_auto *own = p256_new();
	uint8_t point[P256_POINT_LEN], key[KEY_LEN], iv[GCM_IV_LEN], tag[GCM_TAG_LEN];
	uint8_t *cipher = arena_alloc(a, n + 1);
	const char *header;
	int r = content_key(own, to, none, none, key, e);

	if (r < 0)
		return r;
	p256_point(own, point);
	header = jwe_header(point, a);
	crypto_random(iv, sizeof(iv));
	aes256_gcm_seal(key, iv, ascii(header), p, n, cipher, tag);
	crypto_wipe(key, sizeof(key));
	return put_object(out,
			  (const char *const[][2]){
				  {"protected", header},
				  {"iv", jose_text(a, iv, sizeof(iv))},
				  {"ciphertext", jose_text(a, cipher, n)},
				  {"tag", jose_text(a, tag, sizeof(tag))},
			  },
			  4, e);
}

int jws_sign(const struct p256 *key, const uint8_t *p, size_t n, struct arena *a, struct buf *out,
	     struct err *e)
{
	static const char header_text[] = "{\"alg\":\"" ALG_JWS "\"}";
	const char *header = jose_text(a, (const uint8_t *) header_text, sizeof(header_text) - 1);
	const char *payload = jose_text(a, p, n);
	const char *input = arena_printf(a, "%s.%s", header, payload);
	uint8_t sig[P256_SIG_LEN];
	int r = p256_sign(key, input, strlen(input), sig, e);

	if (r < 0)
		return r;
	return put_object(out,
			  (const char *const[][2]){
				  {"payload", payload},
				  {"protected", header},
				  {"signature", jose_text(a, sig, sizeof(sig))},
			  },
			  3, e);
}

/* ---- reading ---- */

struct epk {
	char *kty, *crv, *x, *y;
};
struct header {
	char *alg, *enc, *apu, *apv;
	struct epk *epk;
	struct json_node *crit, *zip;
};
struct envelope {
	char *head, *iv, *ciphertext, *tag, *encrypted_key, *payload, *signature;
};

#define F(type, field) .off = offsetof(type, field)
#define T(fields, type, how)                                                                       \
	{                                                                                          \
		.f = (fields), .n = ARRAY_LEN(fields), .size = sizeof(type), .flags = (how)        \
	}
static const struct jfield epk_f[] = {
	{.name = "kty", .kind = J_STR, .flags = J_REQUIRED, F(struct epk, kty)},
	{.name = "crv", .kind = J_STR, .flags = J_REQUIRED, F(struct epk, crv)},
	{.name = "x", .kind = J_STR, .flags = J_REQUIRED, F(struct epk, x)},
	{.name = "y", .kind = J_STR, .flags = J_REQUIRED, F(struct epk, y)},
};
static const struct jtable epk_t = T(epk_f, struct epk, 0);
static const struct jfield header_f[] = {
	{.name = "alg", .kind = J_STR, .flags = J_REQUIRED, F(struct header, alg)},
	{.name = "enc", .kind = J_STR, F(struct header, enc)},
	{.name = "apu", .kind = J_STR, F(struct header, apu)},
	{.name = "apv", .kind = J_STR, F(struct header, apv)},
	{.name = "epk", .kind = J_OBJ, F(struct header, epk), .sub = &epk_t},
	{.name = "crit", .kind = J_ANY, F(struct header, crit)},
	{.name = "zip", .kind = J_ANY, F(struct header, zip)},
};
static const struct jtable header_t = T(header_f, struct header, 0);
static const struct jfield jwe_f[] = {
	{.name = "protected", .kind = J_STR, .flags = J_REQUIRED, F(struct envelope, head)},
	{.name = "encrypted_key", .kind = J_STR, F(struct envelope, encrypted_key)},
	{.name = "iv", .kind = J_STR, .flags = J_REQUIRED, F(struct envelope, iv)},
	{.name = "ciphertext", .kind = J_STR, .flags = J_REQUIRED, F(struct envelope, ciphertext)},
	{.name = "tag", .kind = J_STR, .flags = J_REQUIRED, F(struct envelope, tag)},
};
static const struct jtable jwe_t = T(jwe_f, struct envelope, J_STRICT);
static const struct jfield jws_f[] = {
	{.name = "payload", .kind = J_STR, .flags = J_REQUIRED, F(struct envelope, payload)},
	{.name = "protected", .kind = J_STR, .flags = J_REQUIRED, F(struct envelope, head)},
	{.name = "signature", .kind = J_STR, .flags = J_REQUIRED, F(struct envelope, signature)},
};
static const struct jtable jws_t = T(jws_f, struct envelope, J_STRICT);
#undef F

static int bad(struct err *e, const char *what)
{
	return err_set(e, -EBADMSG, "%s", what);
}

/* every refusal of an envelope is the same kind of error, whoever found it */
static int as_bad(int r, struct err *e)
{
	if (r < 0)
		e->code = -EBADMSG;
	return r < 0 ? -EBADMSG : 0;
}

static int read_header(const char *text, const char *name, struct arena *a, struct header *ret,
		       struct err *e)
{
	struct json_doc d;
	struct bytes raw;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!jose_bytes(text, a, &raw))
		return bad(e, "its protected header is no base64url");
	r = json_read(name, (const char *) raw.v, raw.n, a, &d, e);
	if (r == 0)
		r = json_decode(&d, d.root, &header_t, ret, a, e);
	if (r == 0 && (ret->crit || ret->zip))
		r = bad(e, "its protected header has \"crit\" or \"zip\"");
	return as_bad(r, e);
}

static bool coordinate(const char *text, struct arena *a, uint8_t ret[P256_LEN])
{
	struct bytes v;

	if (!jose_bytes(text, a, &v) || v.n != P256_LEN)
		return false;
	memcpy(ret, v.v, P256_LEN);
	return true;
}

static int sender(const struct header *h, struct arena *a, struct p256 **ret, struct err *e)
{
	uint8_t point[P256_POINT_LEN] = {4};

	if (!str_eq(h->alg, ALG_JWE) || !str_eq0(h->enc, ENC))
		return bad(e, "expected alg " ALG_JWE " and enc " ENC);
	if (!h->epk || !str_eq(h->epk->kty, "EC") || !str_eq(h->epk->crv, "P-256") ||
	    !coordinate(h->epk->x, a, point + 1) || !coordinate(h->epk->y, a, point + 1 + P256_LEN))
		return bad(e, "expected an ephemeral key (epk) on P-256");
	return as_bad(p256_from_point(point, ret, e), e);
}

static int party(const char *text, struct arena *a, struct bytes *ret, struct err *e)
{
	*ret = (struct bytes){NULL, 0};
	return !text || jose_bytes(text, a, ret) ? 0 : bad(e, "apu or apv is no base64url");
}

int jwe_open(const struct json_doc *d, const struct json_node *n, const struct p256 *key,
	     struct arena *a, struct bytes *ret, struct err *e)
{
	struct bytes iv, cipher, tag, apu, apv;
	struct envelope v = {0};
	uint8_t cek[KEY_LEN], *plain;
	p256_auto *epk = NULL;
	struct header h;
	int r = as_bad(json_decode(d, n, &jwe_t, &v, a, e), e);

	if (r < 0)
		return r;
	if (!str_empty(v.encrypted_key))
		return bad(e, "it has an encrypted key, which " ALG_JWE " does not use");
	if (!jose_bytes(v.iv, a, &iv) || iv.n != GCM_IV_LEN || !jose_bytes(v.tag, a, &tag) ||
	    tag.n != GCM_TAG_LEN || !jose_bytes(v.ciphertext, a, &cipher))
		return bad(e, "iv, ciphertext or tag is not what " ENC " has");
	if ((r = read_header(v.head, "jwe", a, &h, e)) < 0 || (r = sender(&h, a, &epk, e)) < 0 ||
	    (r = party(h.apu, a, &apu, e)) < 0 || (r = party(h.apv, a, &apv, e)) < 0 ||
	    (r = as_bad(content_key(key, epk, apu, apv, cek, e), e)) < 0)
		return r;
	plain = arena_alloc(a, cipher.n + 1);
	if (!aes256_gcm_open(cek, iv.v, ascii(v.head), cipher.v, cipher.n, tag.v, plain))
		r = bad(e, "it is not for this key, or was changed");
	crypto_wipe(cek, sizeof(cek));
	if (r == 0)
		*ret = (struct bytes){plain, cipher.n};
	return r;
}

int jws_open(const struct json_doc *d, const struct json_node *n, const struct p256 *key,
	     struct arena *a, struct bytes *ret, struct err *e)
{
	struct bytes sig, payload;
	struct envelope v = {0};
	const char *input;
	struct header h;
	int r = as_bad(json_decode(d, n, &jws_t, &v, a, e), e);

	if (r < 0 || (r = read_header(v.head, "jws", a, &h, e)) < 0)
		return r;
	if (!str_eq(h.alg, ALG_JWS))
		return bad(e, "expected alg " ALG_JWS);
	if (!jose_bytes(v.signature, a, &sig) || sig.n != P256_SIG_LEN ||
	    !jose_bytes(v.payload, a, &payload))
		return bad(e, "payload or signature is not what " ALG_JWS " has");
	input = arena_printf(a, "%s.%s", v.head, v.payload);
	if (!p256_verify(key, input, strlen(input), sig.v))
		return bad(e, "not signed by the key that was expected");
	*ret = payload;
	return 0;
}

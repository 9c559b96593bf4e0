/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session, launch-verify, launch-secret: what the owner of an SEV or SEV-ES guest does, on a machine of the owner's: agrees on
 * keys with a platform whose certificates AMD vouches for, judges the launch that a host shows, and seals secrets for it.
 */
#include <errno.h>
#include <string.h>

#include "attest/bytes.h"
#include "attest/cmd.h"
#include "attest/confine.h"
#include "attest/crypto.h"
#include "attest/launchdoc.h"
#include "attest/policy.h"
#include "attest/sevcert.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "json/decode.h"

#define CERTS_MAX (64u << 10)
#define DOC_MAX (16u << 10)
#define SECRET_FILE_MAX (16u << 10)
#define SECRETS_MAX 64u
#define ES_POLICY (SEV_POLICY_DEFAULT | 1u << SEV_POLICY_ES)

static int guest_policy(const char *text, bool es, struct arena *a, uint32_t *ret, struct err *e)
{
	uint64_t v = es ? ES_POLICY : SEV_POLICY_DEFAULT;
	int r = text ? guest_policy_parse(text, false, es, a, &v, e) : 0;

	*ret = (uint32_t) v;
	return r < 0 ? err_context(e, "--policy") : 0;
}

/* ---- session ---- */

struct session_opts {
	const char *policy, *mode, *root;
};

struct making {
	const struct session_opts *o;
	struct bytes *certs, ark;
	const char *product;
	uint32_t policy;
	bool es;
	uint8_t cert[SEV_CERT_LEN], blob[SESSION_BLOB_LEN];
	struct session_keys keys;
};

static int read_mode(const char *mode, bool *ret_es, struct err *e)
{
	*ret_es = !mode || str_eq(mode, "sev-es");
	if (*ret_es || str_eq(mode, "sev"))
		return 0;
	return err_set_id(e, ERR_USAGE, -EINVAL, "--mode: expected sev-es or sev, found \"%s\"",
			  mode);
}

static int read_certs(struct making *m, char **argv, int argc, struct arena *a, struct err *e)
{
	int r = m->o->root ? attest_read("--root-of-trust", m->o->root, CERTS_MAX, a, &m->ark, e)
			   : 0;

	m->certs = arena_array(a, (size_t) argc, sizeof(*m->certs));
	for (int i = 0; i < argc && r == 0; i++)
		r = attest_read("certificates", argv[i], CERTS_MAX, a, &m->certs[i], e);
	return r;
}

static int agree(struct making *m, char **argv, int argc, struct err *e)
{
	uint8_t z[ECKEY_SHARED_LEN], nonce[16], iv[16], root[CRYPTO_SHA256_LEN];
	eckey_auto *pdh = NULL, *mine = NULL;
	struct sev_chain chain = {0};
	int r = 0;

	for (int i = 0; i < argc && r == 0; i++)
		r = sev_chain_add(&chain, m->certs[i], argv[i], e);
	if (m->ark.n)
		digest_of(DIGEST_SHA256, m->ark.v, m->ark.n, root);
	if (r == 0)
		r = sev_chain_verify(&chain, m->ark.n ? root : NULL, &m->product, &pdh, e);
	if (r == 0)
		r = eckey_new(&mine, e);
	if (r == 0)
		r = eckey_agree(mine, pdh, z, e);
	if (r < 0)
		return r;
	crypto_random(&m->keys, sizeof(m->keys));
	crypto_random(nonce, sizeof(nonce));
	crypto_random(iv, sizeof(iv));
	session_blob(&m->keys, (struct bytes){z, sizeof(z)}, nonce, iv, m->policy, m->blob);
	sev_cert_of_key(mine, m->cert);
	crypto_wipe(z, sizeof(z));
	return 0;
}

static int session(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	struct making m = {.o = opts};
	buf_auto b = BUF_WRITER(64u << 10);
	struct jsonw w;
	int r;

	if ((r = read_mode(m.o->mode, &m.es, e)) < 0 ||
	    (r = guest_policy(m.o->policy, m.es, a, &m.policy, e)) < 0 ||
	    (r = read_certs(&m, argv, argc, a, e)) < 0 || (r = confine_self(e)) < 0 ||
	    (r = agree(&m, argv, argc, e)) < 0)
		return r;
	jw_init(&w, &b, true);
	jw_obj(&w);
	jw_kstr(&w, "type", "kavach-session");
	jw_ku64(&w, "version", 1);
	jw_kstr(&w, "platform", m.product);
	jw_kstr(&w, "kind", m.es ? "sev-es" : "sev");
	jw_ku64(&w, "policy", m.policy);
	jw_kstr(&w, "dhCert", base64_text(a, m.cert, sizeof(m.cert)));
	jw_kstr(&w, "session", base64_text(a, m.blob, sizeof(m.blob)));
	jw_kstr(&w, "tek", hex_text(a, m.keys.tek, SESSION_KEY_LEN));
	jw_kstr(&w, "tik", hex_text(a, m.keys.tik, SESSION_KEY_LEN));
	jw_obj_end(&w);
	buf_put(&b, "\n", 1);
	r = attest_print(&b, e);
	crypto_wipe(&m.keys, sizeof(m.keys));
	crypto_wipe(b.p, b.n);
	return r;
}

#define O(field) offsetof(struct session_opts, field)

static const struct opt session_table[] = {
	{"mode", 0, OPT_STR, "MODE", "sev-es (default) or sev", O(mode)},
	{"policy", 0, OPT_STR, "POLICY", "guest policy: a number, or words (default: as kavach's)",
	 O(policy)},
	{"root-of-trust", 0, OPT_STR, "FILE", NULL, O(root)}, /* tests only */
};

const struct attest_command attest_session = {
	.name = "session",
	.args = "CERTIFICATES...",
	.help = "agree on keys for an SEV guest with a platform (its PDH, PEK, OCA, CEK, ASK, ARK)",
	.opts = session_table,
	.n_opts = ARRAY_LEN(session_table),
	.opts_size = sizeof(struct session_opts),
	.min_args = 1,
	.max_args = 64,
	.run = session,
};
_Static_assert(sizeof(struct session_opts) <= ATTEST_OPTS_MAX, "options fit");

/* ---- launch-verify, launch-secret ---- */

struct launch_opts {
	const char *session, *digest;
	struct strs secrets;
};

struct kept {
	char *type, *platform, *kind, *cert, *session, *tek, *tik;
	struct opt_u64 version, policy;
};

struct judging {
	const struct launch_opts *o;
	struct bytes session, doc, *secrets;
	uint8_t digest[32];
	struct kept kept;
	struct session_keys keys;
	struct launch_doc launch;
};

static const struct name_val types[] = {{"kavach-session", 1}};
static const struct name_val kinds[] = {{"sev", 1}, {"sev-es", 2}};

#define F(what, the_kind, member, ...)                                                             \
	{                                                                                          \
		.name = (what), .kind = (the_kind), .flags = J_REQUIRED,                           \
		.off = offsetof(struct kept, member), __VA_ARGS__                                  \
	}
static const struct jfield kept_fields[] = {
	F("type", J_STR, type, .names = types, .n_names = 1),
	F("version", J_UINT, version, .min = 1, .max = 1),
	F("platform", J_STR, platform),
	F("kind", J_STR, kind, .names = kinds, .n_names = 2),
	F("policy", J_UINT, policy, .max = UINT32_MAX),
	F("dhCert", J_STR, cert),
	F("session", J_STR, session),
	F("tek", J_STR, tek),
	F("tik", J_STR, tik),
};
static const struct jtable kept_table = {kept_fields, ARRAY_LEN(kept_fields), sizeof(struct kept),
					 J_STRICT, NULL};

static int read_secrets(struct judging *j, struct arena *a, struct err *e)
{
	const struct strs *l = &j->o->secrets;
	int r = 0;

	if (l->n > SECRETS_MAX)
		return err_set_id(e, ERR_USAGE, -E2BIG, "--secret: at most %u are possible",
				  SECRETS_MAX);
	j->secrets = arena_array(a, l->n + 1, sizeof(*j->secrets));
	for (size_t i = 0; i < l->n && r == 0; i++) {
		char *file = strchr(l->v[i], '=');

		if (!file)
			return err_set_id(e, ERR_USAGE, -EINVAL,
					  "--secret: expected GUID=FILE, found \"%s\"", l->v[i]);
		*file++ = '\0';
		r = attest_read("--secret", file, SECRET_FILE_MAX, a, &j->secrets[i], e);
	}
	return r;
}

static int read_all(struct judging *j, const char *launch, struct arena *a, struct err *e)
{
	const struct launch_opts *o = j->o;
	int r;

	if (!o->session || !o->digest)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "expected --session FILE (of kavach attest session) and "
				  "--launch-digest HEX (of kavach measure)");
	r = attest_hex("launch-digest", o->digest, j->digest, sizeof(j->digest), e);
	if (r == 0)
		r = attest_read("--session", o->session, DOC_MAX, a, &j->session, e);
	if (r == 0)
		r = attest_read("LAUNCH", launch, DOC_MAX, a, &j->doc, e);
	if (r == 0)
		r = read_secrets(j, a, e);
	return r < 0 ? r : confine_self(e);
}

static int judge(struct judging *j, const char *name, struct arena *a, struct err *e)
{
	struct json_doc d;
	int r = json_read(j->o->session, (const char *) j->session.v, j->session.n, a, &d, e);

	if (r == 0)
		r = json_decode(&d, d.root, &kept_table, &j->kept, a, e);
	if (r < 0)
		return r;
	if (!hex_bytes(j->kept.tek, j->keys.tek, SESSION_KEY_LEN) ||
	    !hex_bytes(j->kept.tik, j->keys.tik, SESSION_KEY_LEN))
		return err_set(e, -EINVAL, "%s: tek, tik: expected 32 hexadecimal digits",
			       j->o->session);
	r = launch_doc_parse(name, j->doc, a, &j->launch, e);
	if (r < 0)
		return r;
	if (j->launch.es != str_eq(j->kept.kind, "sev-es"))
		return err_set(e, -EBADMSG, "%s: expected a guest of %s, found one of %s", name,
			       j->kept.kind, j->launch.es ? "sev-es" : "sev");
	r = launch_doc_judge(&j->launch, &j->keys, (uint32_t) j->kept.policy.v, j->digest, e);
	return r < 0 ? err_context(e, "%s", name) : 0;
}

static int launch_verify(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	struct judging j = {.o = opts};
	buf_auto b = BUF_WRITER(4096);
	const char *line;
	int r;

	(void) argc;
	if ((r = read_all(&j, argv[0], a, e)) < 0 || (r = judge(&j, argv[0], a, e)) < 0)
		return r;
	line = arena_printf(a,
			    "the guest is the one of this session and digest: %s on %s, firmware "
			    "%u.%u build %u, %s\n",
			    j.kept.kind, j.kept.platform, j.launch.api_major, j.launch.api_minor,
			    j.launch.build, sev_policy_text(j.launch.policy, a));
	crypto_wipe(&j.keys, sizeof(j.keys));
	buf_put(&b, line, strlen(line));
	return attest_print(&b, e);
}

/* Only for a guest that is the right one: the packet is bound to its measure. */
static int launch_secret(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	struct judging j = {.o = opts};
	buf_auto b = BUF_WRITER(64u << 10);
	struct secret_entry v[SECRETS_MAX];
	uint8_t iv[16], head[SECRET_HEAD_LEN];
	struct bytes plain, sealed;
	struct jsonw w;
	int r;

	(void) argc;
	if (!j.o->secrets.n)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "launch-secret: expected --secret GUID=FILE");
	if ((r = read_all(&j, argv[0], a, e)) < 0 || (r = judge(&j, argv[0], a, e)) < 0)
		return r;
	for (size_t i = 0; i < j.o->secrets.n; i++)
		v[i] = (struct secret_entry){j.o->secrets.v[i], j.secrets[i]};
	r = session_secret_table(v, j.o->secrets.n, a, &plain, e);
	if (r < 0)
		return r;
	crypto_random(iv, sizeof(iv));
	session_secret_packet(&j.keys, plain, iv, 0, j.launch.measure, a, head, &sealed);
	crypto_wipe(plain.v, plain.n);
	crypto_wipe(&j.keys, sizeof(j.keys));
	jw_init(&w, &b, true);
	jw_obj(&w);
	jw_kstr(&w, "type", "kavach-launch-secret");
	jw_ku64(&w, "version", 1);
	jw_kstr(&w, "header", base64_text(a, head, sizeof(head)));
	jw_kstr(&w, "secret", base64_text(a, sealed.v, sealed.n));
	jw_obj_end(&w);
	buf_put(&b, "\n", 1);
	return attest_print(&b, e);
}

#define L(field) offsetof(struct launch_opts, field)
#define LAUNCH_ROWS                                                                                \
	{"session", 0, OPT_STR, "FILE", "what kavach attest session made", L(session)},            \
	{                                                                                          \
		"launch-digest", 0, OPT_STR, "HEX",                                                \
			"what the guest must measure (kavach measure)", L(digest)                  \
	}

static const struct opt verify_table[] = {LAUNCH_ROWS};
static const struct opt secret_table[] = {
	LAUNCH_ROWS,
	{"secret", 0, OPT_STRS, "GUID=FILE", "a secret and its name; may be repeated", L(secrets)},
};

const struct attest_command attest_launch_verify = {
	.name = "launch-verify",
	.args = "LAUNCH",
	.help = "judge the launch of an SEV guest that stands still (kavach attest launch)",
	.opts = verify_table,
	.n_opts = ARRAY_LEN(verify_table),
	.opts_size = sizeof(struct launch_opts),
	.min_args = 1,
	.max_args = 1,
	.run = launch_verify,
};

const struct attest_command attest_launch_secret = {
	.name = "launch-secret",
	.args = "LAUNCH",
	.help = "judge it, and seal secrets for it",
	.opts = secret_table,
	.n_opts = ARRAY_LEN(secret_table),
	.opts_size = sizeof(struct launch_opts),
	.min_args = 1,
	.max_args = 1,
	.run = launch_secret,
};
_Static_assert(sizeof(struct launch_opts) <= ATTEST_OPTS_MAX, "options fit");

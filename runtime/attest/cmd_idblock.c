/* SPDX-License-Identifier: Apache-2.0 */
/* id-block: signs what a guest must be, in the form in which QEMU takes it. */
#include <errno.h>
#include <string.h>

#include "attest/bytes.h"
#include "attest/cmd.h"
#include "attest/confine.h"
#include "attest/crypto.h"
#include "attest/idblock.h"
#include "attest/policy.h"
#include "base/jsonw.h"

#define KEY_MAX (64u << 10)

struct id_block_opts {
	const char *launch_digest, *policy, *svn, *family, *image, *id_key, *author_key;
	bool json;
};

struct signing {
	struct id_block b;
	struct bytes id_pem, author_pem;
	uint8_t block[ID_BLOCK_LEN], auth[ID_AUTH_LEN];
	uint8_t id_digest[48], author_digest[48];
	bool has_author;
};

static int pick_block(const struct id_block_opts *o, struct id_block *b, struct err *e)
{
	uint64_t svn = 0;
	int r;

	if (!o->launch_digest || !o->id_key)
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"id-block: expected --launch-digest HEX (from kavach measure) and "
			"--id-key FILE");
	b->policy = SNP_POLICY_DEFAULT;
	r = attest_hex("launch-digest", o->launch_digest, b->launch_digest, 48, e);
	if (r == 0 && o->family)
		r = attest_hex("family-id", o->family, b->family_id, 16, e);
	if (r == 0 && o->image)
		r = attest_hex("image-id", o->image, b->image_id, 16, e);
	if (r == 0 && o->svn)
		r = attest_number("guest-svn", o->svn, UINT32_MAX, &svn, e);
	if (r == 0 && o->policy)
		r = attest_number("policy", o->policy, UINT64_MAX, &b->policy, e);
	b->guest_svn = (uint32_t) svn;
	return r < 0 ? r : snp_policy_check(b->policy, e);
}

static int sign(struct signing *s, struct err *e)
{
	eckey_auto *id = NULL, *author = NULL;
	int r = eckey_from_pem(s->id_pem, true, "--id-key", &id, e);

	if (r == 0 && s->author_pem.n)
		r = eckey_from_pem(s->author_pem, true, "--author-key", &author, e);
	if (r < 0)
		return r;
	id_block_encode(&s->b, s->block);
	r = id_auth_make(s->block, id, author, s->auth, e);
	/* what goes out is what the firmware will accept */
	return r < 0 ? r
		     : id_auth_check(s->block, s->auth, s->id_digest, s->author_digest,
				     &s->has_author, e);
}

static void put_text(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static void put_plain(struct buf *b, const struct signing *s, struct arena *a)
{
	put_text(b, arena_printf(a, "id-block=%s\nid-auth=%s\n",
				 base64_text(a, s->block, ID_BLOCK_LEN),
				 base64_text(a, s->auth, ID_AUTH_LEN)));
	if (s->has_author)
		put_text(b, "author-key-enabled=on\n");
}

static void put_json(struct buf *b, const struct signing *s, struct arena *a)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "idBlock", base64_text(a, s->block, ID_BLOCK_LEN));
	jw_kstr(&w, "idAuth", base64_text(a, s->auth, ID_AUTH_LEN));
	jw_kstr(&w, "idKeyDigest", hex_text(a, s->id_digest, 48));
	jw_kstr(&w, "authorKeyDigest", s->has_author ? hex_text(a, s->author_digest, 48) : NULL);
	jw_kstr(&w, "policy", arena_printf(a, "0x%llx", (unsigned long long) s->b.policy));
	jw_ku64(&w, "guestSvn", s->b.guest_svn);
	jw_obj_end(&w);
	put_text(b, "\n");
}

static int id_block(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	const struct id_block_opts *o = opts;
	struct signing s = {0};
	buf_auto b = BUF_WRITER(64u << 10);
	int r;

	(void) argc;
	(void) argv;
	if ((r = pick_block(o, &s.b, e)) < 0 ||
	    (r = attest_read("--id-key", o->id_key, KEY_MAX, a, &s.id_pem, e)) < 0 ||
	    (o->author_key &&
	     (r = attest_read("--author-key", o->author_key, KEY_MAX, a, &s.author_pem, e)) < 0) ||
	    (r = confine_self(e)) < 0)
		return r;
	r = sign(&s, e);
	crypto_wipe(s.id_pem.v, s.id_pem.n);
	if (s.author_pem.n)
		crypto_wipe(s.author_pem.v, s.author_pem.n);
	if (r < 0)
		return r;
	if (o->json)
		put_json(&b, &s, a);
	else
		put_plain(&b, &s, a);
	return attest_print(&b, e);
}

#define O(field) offsetof(struct id_block_opts, field)

static const struct opt opts_table[] = {
	{"launch-digest", 0, OPT_STR, "HEX", "what the guest must measure (kavach measure)",
	 O(launch_digest)},
	{"id-key", 0, OPT_STR, "FILE", "private key on P-384, in PEM, that signs the block",
	 O(id_key)},
	{"author-key", 0, OPT_STR, "FILE", "private key that vouches for the ID key",
	 O(author_key)},
	{"policy", 0, OPT_STR, "HEX", "guest policy of the launch (default: 0x30000)", O(policy)},
	{"guest-svn", 0, OPT_STR, "N", "security version of the guest (default: 0)", O(svn)},
	{"family-id", 0, OPT_STR, "HEX", "16 bytes that name the family", O(family)},
	{"image-id", 0, OPT_STR, "HEX", "16 bytes that name the image", O(image)},
	{"json", 0, OPT_FLAG, NULL, "print it as JSON, with the digests of the keys", O(json)},
};

const struct attest_command attest_id_block = {
	.name = "id-block",
	.args = "",
	.help = "sign an ID block, so that the firmware starts this guest and no other",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct id_block_opts),
	.min_args = 0,
	.max_args = 0,
	.run = id_block,
};
_Static_assert(sizeof(struct id_block_opts) <= ATTEST_OPTS_MAX, "options fit");

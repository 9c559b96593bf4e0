/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/idblock.h"

#include <string.h>

#include "attest/bytes.h"

/* ID block */
#define BLOCK_FAMILY 48u
#define BLOCK_IMAGE 64u
#define BLOCK_VERSION 80u
#define BLOCK_SVN 84u
#define BLOCK_POLICY 88u

/* ID authentication information */
#define AUTH_ID_ALGO 0x000u
#define AUTH_AUTHOR_ALGO 0x004u
#define AUTH_BLOCK_SIG 0x040u
#define AUTH_ID_KEY 0x240u
#define AUTH_KEY_SIG 0x680u
#define AUTH_AUTHOR_KEY 0x880u
#define ALGO_P384_SHA384 1u

void id_block_encode(const struct id_block *b, uint8_t ret[ID_BLOCK_LEN])
{
	memcpy(ret, b->launch_digest, 48);
	memcpy(ret + BLOCK_FAMILY, b->family_id, 16);
	memcpy(ret + BLOCK_IMAGE, b->image_id, 16);
	put_le32(ret + BLOCK_VERSION, 1);
	put_le32(ret + BLOCK_SVN, b->guest_svn);
	put_le64(ret + BLOCK_POLICY, b->policy);
}

int id_block_decode(const uint8_t in[ID_BLOCK_LEN], struct id_block *ret, struct err *e)
{
	if (get_le32(in + BLOCK_VERSION) != 1)
		return err_set(e, -EINVAL, "ID block: expected version 1, found %u",
			       get_le32(in + BLOCK_VERSION));
	memcpy(ret->launch_digest, in, 48);
	memcpy(ret->family_id, in + BLOCK_FAMILY, 16);
	memcpy(ret->image_id, in + BLOCK_IMAGE, 16);
	ret->guest_svn = get_le32(in + BLOCK_SVN);
	ret->policy = get_le64(in + BLOCK_POLICY);
	return 0;
}

int id_auth_make(const uint8_t block[ID_BLOCK_LEN], const struct eckey *id_key,
		 const struct eckey *author_key, uint8_t ret[ID_AUTH_LEN], struct err *e)
{
	int r;

	memset(ret, 0, ID_AUTH_LEN);
	put_le32(ret + AUTH_ID_ALGO, ALGO_P384_SHA384);
	eckey_to_sev(id_key, ret + AUTH_ID_KEY);
	r = eckey_sign(id_key, block, ID_BLOCK_LEN, ret + AUTH_BLOCK_SIG, e);
	if (r < 0)
		return err_context(e, "ID block");
	if (!author_key)
		return 0;
	put_le32(ret + AUTH_AUTHOR_ALGO, ALGO_P384_SHA384);
	eckey_to_sev(author_key, ret + AUTH_AUTHOR_KEY);
	r = eckey_sign(author_key, ret + AUTH_ID_KEY, SEV_PUBKEY_LEN, ret + AUTH_KEY_SIG, e);
	return r < 0 ? err_context(e, "ID key") : 0;
}

/* a key of the block, and that it signed msg */
static int check_signed(const uint8_t *key, const void *msg, size_t n, const uint8_t *sig,
			uint8_t ret_digest[48], const char *what, struct err *e)
{
	struct eckey *k;
	int r = eckey_from_sev(key, &k, e);

	if (r < 0)
		return err_context(e, "%s", what);
	r = eckey_verify(k, msg, n, sig, e);
	if (r == 0)
		eckey_digest(k, ret_digest);
	eckey_free(k);
	return r < 0 ? err_context(e, "%s", what) : 0;
}

int id_auth_check(const uint8_t block[ID_BLOCK_LEN], const uint8_t auth[ID_AUTH_LEN],
		  uint8_t ret_id_digest[48], uint8_t ret_author_digest[48], bool *ret_author,
		  struct err *e)
{
	uint32_t author = get_le32(auth + AUTH_AUTHOR_ALGO);
	uint8_t id[48], by[48] = {0};
	int r;

	if (get_le32(auth + AUTH_ID_ALGO) != ALGO_P384_SHA384 || author > ALGO_P384_SHA384)
		return err_set(e, -EINVAL,
			       "ID auth: expected algorithm 1 (ECDSA P-384 with SHA-384)");
	r = check_signed(auth + AUTH_ID_KEY, block, ID_BLOCK_LEN, auth + AUTH_BLOCK_SIG, id,
			 "ID auth: ID key over the ID block", e);
	if (r == 0 && author)
		r = check_signed(auth + AUTH_AUTHOR_KEY, auth + AUTH_ID_KEY, SEV_PUBKEY_LEN,
				 auth + AUTH_KEY_SIG, by, "ID auth: author key over the ID key", e);
	if (r < 0)
		return r;
	memcpy(ret_id_digest, id, sizeof(id));
	memcpy(ret_author_digest, by, sizeof(by));
	*ret_author = author != 0;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/session.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/crypto.h"
#include "attest/guid.h"

#define SECRET_TABLE "1e74f542-71dd-4d66-963e-ef4287ff173b"
#define SECRET_ROW (GUID_LEN + 4u)
#define SECRET_MAX (16u << 10) /* the firmware takes no longer packet */
#define CTX_MEASURE 0x04
#define CTX_SECRET 0x01
#define TAG_MASTER "sev-master-secret"
#define TAG_KEK "sev-kek"
#define TAG_KIK "sev-kik"

static struct bytes part(const void *p, size_t n)
{
	return (struct bytes){(uint8_t *) (uintptr_t) p, n};
}

/* SP 800-108 in counter mode, one round: no key here is longer than a digest. */
static void kdf(struct bytes key, const char *label, struct bytes context,
		uint8_t ret[SESSION_KEY_LEN])
{
	uint8_t counter[4], bits[4], zero = 0, out[CRYPTO_SHA256_LEN];
	struct bytes parts[5];

	put_le32(counter, 1);
	put_le32(bits, SESSION_KEY_LEN * 8);
	parts[0] = part(counter, 4);
	parts[1] = part(label, strlen(label));
	parts[2] = part(&zero, 1);
	parts[3] = context;
	parts[4] = part(bits, 4);
	crypto_hmac_sha256(key.v, key.n, parts, 5, out);
	memcpy(ret, out, SESSION_KEY_LEN);
	crypto_wipe(out, sizeof(out));
}

void session_blob(const struct session_keys *k, struct bytes z, const uint8_t nonce[16],
		  const uint8_t iv[16], uint32_t policy, uint8_t ret[SESSION_BLOB_LEN])
{
	uint8_t master[SESSION_KEY_LEN], kek[SESSION_KEY_LEN], kik[SESSION_KEY_LEN], pol[4];
	uint8_t *wrapped = ret + 16, both[2 * SESSION_KEY_LEN];
	struct bytes msg;

	kdf(z, TAG_MASTER, part(nonce, 16), master);
	kdf(part(master, sizeof(master)), TAG_KEK, part(NULL, 0), kek);
	kdf(part(master, sizeof(master)), TAG_KIK, part(NULL, 0), kik);
	memcpy(both, k->tek, SESSION_KEY_LEN);
	memcpy(both + SESSION_KEY_LEN, k->tik, SESSION_KEY_LEN);
	memcpy(ret, nonce, 16);
	aes128_ctr(kek, iv, both, sizeof(both), wrapped);
	memcpy(ret + 48, iv, 16);
	msg = part(wrapped, 32);
	crypto_hmac_sha256(kik, sizeof(kik), &msg, 1, ret + 64);
	put_le32(pol, policy);
	msg = part(pol, 4);
	crypto_hmac_sha256(k->tik, SESSION_KEY_LEN, &msg, 1, ret + 96);
	crypto_wipe(master, sizeof(master));
	crypto_wipe(kek, sizeof(kek));
	crypto_wipe(kik, sizeof(kik));
	crypto_wipe(both, sizeof(both));
}

void session_measure(const struct session_keys *k, const struct measure_input *in,
		     uint8_t ret[MEASURE_LEN])
{
	uint8_t head[8] = {CTX_MEASURE, in->api_major, in->api_minor, in->build};
	struct bytes parts[3];

	put_le32(head + 4, in->policy);
	parts[0] = part(head, sizeof(head));
	parts[1] = part(in->launch_digest, sizeof(in->launch_digest));
	parts[2] = part(in->mnonce, sizeof(in->mnonce));
	crypto_hmac_sha256(k->tik, SESSION_KEY_LEN, parts, 3, ret);
}

static uint8_t *secret_row(uint8_t *at, const char *guid, size_t len)
{
	guid_bytes(guid, GUID_EFI, at);
	put_le32(at + GUID_LEN, (uint32_t) len);
	return at + SECRET_ROW;
}

int session_secret_table(const struct secret_entry *v, size_t n, struct arena *a, struct bytes *ret,
			 struct err *e)
{
	uint8_t guid[GUID_LEN], *at;
	size_t len = SECRET_ROW;

	for (size_t i = 0; i < n; i++) {
		if (!guid_bytes(v[i].guid, GUID_EFI, guid))
			return err_set(e, -EINVAL, "secret %zu: expected a GUID, found \"%s\"", i,
				       v[i].guid);
		if (v[i].data.n > SECRET_MAX || len + SECRET_ROW + v[i].data.n > SECRET_MAX)
			return err_set(e, -E2BIG,
				       "secret %zu: the secrets are longer than the %u bytes of a "
				       "packet",
				       i, SECRET_MAX);
		len += SECRET_ROW + v[i].data.n;
	}
	ret->n = (len + AES_BLOCK - 1) / AES_BLOCK * AES_BLOCK;
	ret->v = arena_alloc(a, ret->n);
	at = secret_row(ret->v, SECRET_TABLE, len);
	for (size_t i = 0; i < n; i++) {
		at = secret_row(at, v[i].guid, SECRET_ROW + v[i].data.n);
		memcpy(at, v[i].data.v, v[i].data.n);
		at += v[i].data.n;
	}
	return 0;
}

void session_secret_packet(const struct session_keys *k, struct bytes table, const uint8_t iv[16],
			   uint32_t flags, const uint8_t measure[MEASURE_LEN], struct arena *a,
			   uint8_t ret_head[SECRET_HEAD_LEN], struct bytes *ret_cipher)
{
	uint8_t ctx = CTX_SECRET, lengths[8];
	struct bytes parts[6];

	ret_cipher->n = table.n;
	ret_cipher->v = arena_alloc(a, table.n);
	aes128_ctr(k->tek, iv, table.v, table.n, ret_cipher->v);
	put_le32(ret_head, flags);
	memcpy(ret_head + 4, iv, 16);
	put_le32(lengths, (uint32_t) table.n);
	put_le32(lengths + 4, (uint32_t) table.n);
	parts[0] = part(&ctx, 1);
	parts[1] = part(ret_head, 4);
	parts[2] = part(iv, 16);
	parts[3] = part(lengths, sizeof(lengths));
	parts[4] = *ret_cipher;
	parts[5] = part(measure, MEASURE_LEN);
	crypto_hmac_sha256(k->tik, SESSION_KEY_LEN, parts, 6, ret_head + 20);
}

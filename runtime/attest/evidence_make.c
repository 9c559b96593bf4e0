/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's side of evidence.h: compiled into the agent, too. */
#include <string.h>

#include "attest/bytes.h"
#include "attest/evidence.h"
#include "base/jsonw.h"
#include "base/sha256.h"

static const char label[] = "kavach-evidence-1"; /* with its NUL */

static void add(struct sha256 *h, struct bytes b)
{
	uint8_t len[4];

	put_le32(len, (uint32_t) b.n);
	sha256_add(h, len, sizeof(len));
	sha256_add(h, b.v, b.n);
}

void evidence_bind(struct bytes nonce, struct bytes key, const uint8_t policy[EVIDENCE_DIGEST_LEN],
		   uint8_t ret[EVIDENCE_DATA_LEN])
{
	struct sha256 h;

	_Static_assert(EVIDENCE_DATA_LEN == 2 * SHA256_LEN, "half of it is the digest");
	sha256_init(&h);
	sha256_add(&h, label, sizeof(label));
	add(&h, nonce);
	add(&h, key);
	sha256_add(&h, policy, EVIDENCE_DIGEST_LEN);
	sha256_end(&h, ret);
	memset(ret + SHA256_LEN, 0, SHA256_LEN);
}

void evidence_write(struct buf *b, const struct evidence_doc *d, struct arena *a)
{
	struct jsonw w;

	jw_init(&w, b, false);
	jw_obj(&w);
	jw_kstr(&w, "type", EVIDENCE_TYPE);
	jw_ku64(&w, "version", EVIDENCE_VERSION);
	jw_kstr(&w, "kind", EVIDENCE_SNP);
	jw_kstr(&w, "report", base64_text(a, d->report.v, d->report.n));
	if (d->certs.n)
		jw_kstr(&w, "certs", base64_text(a, d->certs.v, d->certs.n));
	jw_kstr(&w, "nonce", hex_text(a, d->nonce.v, d->nonce.n));
	if (d->key.n)
		jw_kstr(&w, "key", base64_text(a, d->key.v, d->key.n));
	jw_kstr(&w, "policyDigest", hex_text(a, d->policy, EVIDENCE_DIGEST_LEN));
	jw_obj_end(&w);
}

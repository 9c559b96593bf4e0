/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/sevcert.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/rsakey.h"

/* A platform's certificate: offsets. */
#define C_USAGE 8u
#define C_ALGORITHM 12u
#define C_KEY 16u
#define C_SIGNED 1044u /* so many bytes are */
#define C_SIG1 1044u
#define C_SIG2 1564u
#define SIG_USAGE 0u
#define SIG_ALGORITHM 4u
#define SIG_BYTES 8u
/* ARK and ASK. */
#define A_ID 4u
#define A_CERTIFIER 20u
#define A_USAGE 36u
#define A_EXPONENT_BITS 56u
#define A_MODULUS_BITS 60u
#define A_HEAD 64u

#define CERT_VERSION 1u
#define ECDSA_SHA256 0x2u
#define ECDH_SHA256 0x3u
#define ECDSA_SHA384 0x102u
#define ECDH_SHA384 0x103u
#define NO_USAGE 0x1000u
#define ID_LEN 16u

static const struct {
	const char *name;
	uint32_t usage;
} kinds[SEV_CERTS] = {
	[SEV_PDH] = {"PDH", 0x1003}, [SEV_PEK] = {"PEK", 0x1002}, [SEV_OCA] = {"OCA", 0x1001},
	[SEV_CEK] = {"CEK", 0x1004}, [SEV_ASK] = {"ASK", 0x13},	  [SEV_ARK] = {"ARK", 0},
};

/* SHA-256 of AMD's roots, as AMD publishes them for SEV. The keys of the last three are those of SNP's roots (roots.c). */
static const struct {
	const char *product, *digest;
} roots[] = {
	{"Naples", "dedabca561e1dece8cc00b7bda864cf5f20b95017864408cfe18eaee0dce24b9"},
	{"Rome", "865977b268c16d5b27772b00aaefb4e737ba9499e818ed8e9f65b0cecefbc529"},
	{"Milan", "1246469862b78a7a8625579b0378d1f8e975eb8b82a1623b579d7968a5969888"},
	{"Genoa", "8f4e3fd36589c23f1fe0c8338465bac7e2e066d97fc92f228bbee4fd356fb674"},
	{"Turin", "f6405e5096a6eee1eb7d5df75c49f9b9f7c8357a31c7fff150149d68588a7bf7"},
};

/* ---- finding them ---- */

/* The length of the certificate that begins here, and its kind; 0: none does. */
static size_t recognise(const uint8_t *p, size_t n, enum sev_cert *ret)
{
	uint32_t bits;

	if (n < A_HEAD || get_le32(p) != CERT_VERSION)
		return 0;
	for (enum sev_cert k = SEV_PDH; k <= SEV_CEK; k++) {
		*ret = k;
		if (n >= SEV_CERT_LEN && get_le32(p + C_USAGE) == kinds[k].usage)
			return SEV_CERT_LEN;
	}
	for (enum sev_cert k = SEV_ASK; k <= SEV_ARK; k++) {
		bits = get_le32(p + A_MODULUS_BITS);
		*ret = k;
		if (get_le32(p + A_USAGE) == kinds[k].usage && (bits == 2048 || bits == 4096) &&
		    get_le32(p + A_EXPONENT_BITS) == bits && n >= A_HEAD + 3 * (bits / 8))
			return A_HEAD + 3 * (bits / 8);
	}
	return 0;
}

int sev_chain_add(struct sev_chain *c, struct bytes file, const char *what, struct err *e)
{
	size_t at = 0;

	while (at < file.n) {
		enum sev_cert kind = SEV_PDH;
		size_t n = recognise(file.v + at, file.n - at, &kind);
		struct bytes *have = &c->v[kind];

		if (!n)
			return err_set(
				e, -EBADMSG,
				"%s: at byte %zu: expected a certificate of an SEV platform (PDH, "
				"PEK, OCA, CEK, ASK or ARK)",
				what, at);
		if (have->n && (have->n != n || memcmp(have->v, file.v + at, n) != 0))
			return err_set(e, -EEXIST, "%s: a second %s, of another platform", what,
				       kinds[kind].name);
		*have = (struct bytes){file.v + at, n};
		at += n;
	}
	return 0;
}

/* ---- signatures ---- */

static int broken(enum sev_cert child, enum sev_cert parent, struct err *e)
{
	return err_context(e, "%s, as signed by the %s", kinds[child].name, kinds[parent].name);
}

/* The signature by that usage, of the two that there may be. */
static const uint8_t *signature_by(struct bytes cert, uint32_t usage)
{
	if (get_le32(cert.v + C_SIG1 + SIG_USAGE) == usage)
		return cert.v + C_SIG1;
	return get_le32(cert.v + C_SIG2 + SIG_USAGE) == usage ? cert.v + C_SIG2 : NULL;
}

static int by_platform(const struct sev_chain *c, enum sev_cert child, enum sev_cert parent,
		       struct err *e)
{
	struct bytes cert = c->v[child];
	const uint8_t *sig = signature_by(cert, kinds[parent].usage);
	uint32_t algorithm = sig ? get_le32(sig + SIG_ALGORITHM) : 0;
	uint32_t of_key = get_le32(c->v[parent].v + C_ALGORITHM);
	eckey_auto *key = NULL;
	int r;

	if (!sig)
		r = err_set(e, -EBADMSG, "there is no such signature");
	else if ((algorithm != ECDSA_SHA256 && algorithm != ECDSA_SHA384) || of_key != algorithm)
		r = err_set(e, -EBADMSG, "expected ECDSA, found algorithm 0x%x by a key for 0x%x",
			    algorithm, of_key);
	else if ((r = eckey_from_sev(c->v[parent].v + C_KEY, &key, e)) == 0)
		r = eckey_verify_as(key, algorithm == ECDSA_SHA256 ? DIGEST_SHA256 : DIGEST_SHA384,
				    cert.v, C_SIGNED, sig + SIG_BYTES, e);
	return r < 0 ? broken(child, parent, e) : 0;
}

static int by_amd(const struct sev_chain *c, enum sev_cert child, enum sev_cert parent,
		  struct err *e)
{
	struct bytes cert = c->v[child], ca = c->v[parent];
	size_t len = get_le32(ca.v + A_MODULUS_BITS) / 8, n = C_SIGNED;
	const struct rsa_key key = {ca.v + A_HEAD + len, ca.v + A_HEAD, len};
	enum digest_kind kind = len == 256 ? DIGEST_SHA256 : DIGEST_SHA384;
	const uint8_t *sig;
	int r;

	if (child == SEV_CEK) {
		sig = signature_by(cert, kinds[parent].usage);
		if (sig && get_le32(sig + SIG_ALGORITHM) != (len == 256 ? 0x1u : 0x101u))
			sig = NULL;
		sig = sig ? sig + SIG_BYTES : NULL;
	} else {
		n = cert.n - get_le32(cert.v + A_MODULUS_BITS) / 8;
		/* made by a key of this length, and said to be by this one */
		sig = cert.n == ca.n && memcmp(cert.v + A_CERTIFIER, ca.v + A_ID, ID_LEN) == 0
			      ? cert.v + n
			      : NULL;
	}
	r = sig ? rsa_pss_verify(&key, kind, cert.v, n, sig, e)
		: err_set(e, -EBADMSG, "there is no such signature");
	return r < 0 ? broken(child, parent, e) : 0;
}

static int find_root(struct bytes ark, const uint8_t *root, const char **ret, struct err *e)
{
	uint8_t digest[CRYPTO_SHA256_LEN], want[CRYPTO_SHA256_LEN];

	digest_of(DIGEST_SHA256, ark.v, ark.n, digest);
	if (root) {
		*ret = "a test";
		return crypto_equal(digest, root, sizeof(digest))
			       ? 0
			       : err_set(e, -EBADMSG, "ARK: not the root that was given");
	}
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		if (!hex_bytes(roots[i].digest, want, sizeof(want)) ||
		    !crypto_equal(digest, want, sizeof(want)))
			continue;
		*ret = roots[i].product;
		return 0;
	}
	return err_set(e, -EBADMSG, "ARK: not a root of AMD's that kavach knows");
}

int sev_chain_verify(const struct sev_chain *c, const uint8_t *root, const char **ret_product,
		     struct eckey **ret_pdh, struct err *e)
{
	static const struct {
		enum sev_cert child, parent;
		int (*check)(const struct sev_chain *c, enum sev_cert child, enum sev_cert parent,
			     struct err *e);
	} links[] = {
		{SEV_ARK, SEV_ARK, by_amd},	 {SEV_ASK, SEV_ARK, by_amd},
		{SEV_CEK, SEV_ASK, by_amd},	 {SEV_OCA, SEV_OCA, by_platform},
		{SEV_PEK, SEV_OCA, by_platform}, {SEV_PEK, SEV_CEK, by_platform},
		{SEV_PDH, SEV_PEK, by_platform},
	};
	const char *product;
	uint32_t algorithm;
	int r;

	for (size_t i = 0; i < SEV_CERTS; i++)
		if (!c->v[i].n)
			return err_set(e, -ENOENT, "the platform's certificates: there is no %s",
				       kinds[i].name);
	r = find_root(c->v[SEV_ARK], root, &product, e);
	for (size_t i = 0; i < ARRAY_LEN(links) && r == 0; i++)
		r = links[i].check(c, links[i].child, links[i].parent, e);
	if (r < 0)
		return r;
	algorithm = get_le32(c->v[SEV_PDH].v + C_ALGORITHM);
	if (algorithm != ECDH_SHA256 && algorithm != ECDH_SHA384)
		return err_set(e, -EBADMSG, "PDH: expected a key for ECDH, found algorithm 0x%x",
			       algorithm);
	r = eckey_from_sev(c->v[SEV_PDH].v + C_KEY, ret_pdh, e);
	if (r < 0)
		return err_context(e, "PDH");
	*ret_product = product;
	return 0;
}

void sev_cert_of_key(const struct eckey *k, uint8_t ret[SEV_CERT_LEN])
{
	memset(ret, 0, SEV_CERT_LEN);
	put_le32(ret, CERT_VERSION);
	put_le32(ret + C_USAGE, kinds[SEV_PDH].usage);
	put_le32(ret + C_ALGORITHM, ECDH_SHA256);
	eckey_to_sev(k, ret + C_KEY);
	put_le32(ret + C_SIG1 + SIG_USAGE, NO_USAGE);
	put_le32(ret + C_SIG2 + SIG_USAGE, NO_USAGE);
}

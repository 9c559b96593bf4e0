/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evidence of a guest: its report with all that the report is about, as one JSON object on a line (kavach-attest(1)). The
 * guest's agent writes it (evidence_make.c, which needs base/ only), whoever verifies reads it (evidence.c). Nothing in it is
 * to be believed before the report was verified, and nothing but the report is signed: the rest is bound to it by REPORT_DATA and
 * HOST_DATA.
 */
#ifndef KAVACH_ATTEST_EVIDENCE_H
#define KAVACH_ATTEST_EVIDENCE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

#define EVIDENCE_TYPE "kavach-evidence"
#define EVIDENCE_VERSION 1
#define EVIDENCE_SNP "sev-snp" /* the only kind */
#define EVIDENCE_REPORT_LEN 1184u
#define EVIDENCE_DATA_LEN 64u
#define EVIDENCE_DIGEST_LEN 32u
#define EVIDENCE_NONCE_MIN 32u
#define EVIDENCE_NONCE_MAX 64u
#define EVIDENCE_KEY_LEN 65u /* an uncompressed point of P-256 */
#define EVIDENCE_CERTS_MAX (64u << 10)
#define EVIDENCE_MAX (256u << 10) /* of a document */

struct evidence_doc {
	struct bytes report; /* EVIDENCE_REPORT_LEN bytes */
	struct bytes certs;  /* the host's certificate table; n 0: none */
	struct bytes nonce;  /* the verifier's, EVIDENCE_NONCE_MIN to _MAX bytes */
	struct bytes key;    /* the guest's public key, EVIDENCE_KEY_LEN bytes; n 0: none */
	uint8_t policy[EVIDENCE_DIGEST_LEN]; /* SHA-256 of the container's sealed policy */
};

/* evidence_bind: what REPORT_DATA of such a report is: SHA-256("kavach-evidence-1\0" || length of the nonce, 32 bits, little
 * endian || nonce || length of the key || key || policy), then 32 zero bytes. */
void evidence_bind(struct bytes nonce, struct bytes key, const uint8_t policy[EVIDENCE_DIGEST_LEN],
		   uint8_t ret[EVIDENCE_DATA_LEN]);

/* evidence_write: the document, without a newline. */
void evidence_write(struct buf *b, const struct evidence_doc *d, struct arena *a);

/* evidence_is: whether a file's content is meant to be a document; a bare report never is. */
bool evidence_is(struct bytes text);
/* evidence_read: a document's text; strict. *ret points into the arena. -EBADMSG with *e, which names `name` and the place. */
int evidence_read(const char *name, struct bytes text, struct arena *a, struct evidence_doc *ret,
		  struct err *e);
/* evidence_peek: the report of a document as evidence_write() writes it, without reading that: for a first look, before whoever
 * reads has given up its rights. Nothing may be concluded from it. */
bool evidence_peek(struct bytes text, struct arena *a, struct bytes *ret);
/* The same as evidence_read() of an object that stands in another document (kavach-broker(7)). */
struct json_doc;
struct json_node;
int evidence_decode(const struct json_doc *d, const struct json_node *n, struct arena *a,
		    struct evidence_doc *ret, struct err *e);

#endif

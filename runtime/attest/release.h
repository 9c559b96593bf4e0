/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's decision (kavach-broker(7)): who gets which secrets, by a table; a request of a guest held against it; the
 * answer. No files, no sockets, no clock: `serve` and `release` read and send, and the fuzzer calls this as they do.
 *
 * A guest has proved which container it is and which key is its own when its report is genuine and as the table's
 * verification policy wants it, when REPORT_DATA binds the nonce that we gave, that key and the digest of the container's
 * policy, and when HOST_DATA, which the host set at the launch and cannot change, is that digest too.
 */
#ifndef KAVACH_ATTEST_RELEASE_H
#define KAVACH_ATTEST_RELEASE_H

#include "attest/evidence.h"
#include "attest/p256.h"
#include "attest/verify.h"
#include "base/jsonw.h"

#define BROKER_VERSION 1
#define BROKER_NONCE_LEN 32u
#define BROKER_NONCE_MAX EVIDENCE_NONCE_MAX
#define BROKER_REQUEST_MAX (256u << 10) /* bytes of a line from a client */
#define BROKER_ANSWER_MAX (1u << 20)	/* of a line to a client */
#define BROKER_NAMES_MAX 64u
#define BROKER_NAME_MAX 64u
#define BROKER_VALUE_MAX (64u << 10)   /* bytes of one secret */
#define BROKER_VALUES_MAX (256u << 10) /* of all in one answer */
#define BROKER_DIGEST_LEN EVIDENCE_DIGEST_LEN

#define BROKER_HELLO "kavach-broker-hello"
#define BROKER_CHALLENGE "kavach-broker-challenge"
#define BROKER_REQUEST "kavach-broker-request"
#define BROKER_SECRETS "kavach-broker-secrets"
#define BROKER_ERROR "kavach-broker-error"
#define BROKER_PLAINTEXT "kavach-secrets" /* what is in the JWE */

/* broker_name_good: letters, digits, '.', '_' and '-', not first a dot, at most BROKER_NAME_MAX: also a file's name. */
bool broker_name_good(const char *name);

/* ---- the table ---- */

struct release_entry {
	struct hexes digests; /* of policies; not set: as the verification policy's hostData says */
	const char *verify;   /* name of its verification policy, as the file has it */
	struct expect expect;
	struct strs names; /* of secrets */
};
struct release_table {
	struct release_entry *v;
	size_t n;
};

/* release_table_read: a table's text; `read` gets the text of a verification policy by the name that the table gives it.
 * Errors have line, column and path. Refused: an entry that would release to every container. */
int release_table_read(const char *name, struct bytes text,
		       int (*read)(void *arg, const char *name, struct bytes *ret, struct err *e),
		       void *arg, struct arena *a, struct release_table *ret, struct err *e);
/* release_table_names: every secret that is named, each once, sorted. */
struct strs release_table_names(const struct release_table *t, struct arena *a);

/* ---- what a client says ---- */

enum broker_said { BROKER_SAID_HELLO = 1, BROKER_SAID_REQUEST };

struct release_request {
	struct bytes report, certs; /* certs: n 0 when there are none */
	struct bytes nonce;
	uint8_t key[P256_POINT_LEN];
	uint8_t digest[BROKER_DIGEST_LEN];
	struct strs names;
};

/* broker_parse: one line. Returns enum broker_said; *ret is filled for a request. -EBADMSG with what is wrong. */
int broker_parse(struct bytes line, struct arena *a, struct release_request *ret, struct err *e);

/* ---- the decision ---- */

struct release_secret {
	const char *name;
	struct bytes value;
};

struct broker {
	struct release_table table;
	const struct release_secret *secrets;
	size_t n_secrets;
	const struct certs *given,
		*cached;	   /* beside what the evidence brings; `given` has the CRLs, too */
	const struct certs *roots; /* for tests; NULL: AMD's */
	const struct p256 *sign;   /* NULL: answers are not signed */
};

/* release_judge: 0 when each name of the request may go to whoever made it; -EPERM with the reason, which is for the
 * operator alone. The caller has looked at the nonce. at: seconds since 1970. */
int release_judge(const struct broker *b, const struct release_request *q, int64_t at,
		  struct arena *a, struct err *e);
/* release_answer: the line for the client, with its newline. Only after release_judge(). */
int release_answer(const struct broker *b, const struct release_request *q, struct arena *a,
		   struct buf *out, struct err *e);

/* broker_put_challenge, broker_put_error: the other lines. */
void broker_put_challenge(struct buf *out, const uint8_t nonce[BROKER_NONCE_LEN], unsigned seconds);
void broker_put_error(struct buf *out);

#endif

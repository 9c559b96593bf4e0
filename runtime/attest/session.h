/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the owner of an SEV or SEV-ES guest computes: the keys of a launch session, the measure that the firmware must
 * answer with, and the packet that carries a secret into the guest (AMD 55766, chapter 2 and section 6).
 */
#ifndef KAVACH_ATTEST_SESSION_H
#define KAVACH_ATTEST_SESSION_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/types.h"

#define SESSION_KEY_LEN 16u
#define SESSION_BLOB_LEN 128u
#define MEASURE_LEN 32u
#define SECRET_HEAD_LEN 52u

/* Transport encryption key and transport integrity key: the owner's own. */
struct session_keys {
	uint8_t tek[SESSION_KEY_LEN], tik[SESSION_KEY_LEN];
};

/* session_blob: the launch blob: nonce, wrapped keys, IV and the two MACs. z is the ECDH secret shared with the
 * platform. */
void session_blob(const struct session_keys *k, struct bytes z, const uint8_t nonce[16],
		  const uint8_t iv[16], uint32_t policy, uint8_t ret[SESSION_BLOB_LEN]);

struct measure_input {
	uint8_t api_major, api_minor, build; /* of the platform, from query-sev */
	uint32_t policy;
	uint8_t launch_digest[32], mnonce[16];
};
/* session_measure: what LAUNCH_MEASURE must return. */
void session_measure(const struct session_keys *k, const struct measure_input *in,
		     uint8_t ret[MEASURE_LEN]);

struct secret_entry {
	const char *guid;
	struct bytes data;
};
/* session_secret_table: the table that the guest finds, padded to 16 bytes, in the arena. */
int session_secret_table(const struct secret_entry *v, size_t n, struct arena *a, struct bytes *ret,
			 struct err *e);
/* session_secret_packet: header and ciphertext for LAUNCH_SECRET. The table is padded already; ciphertext is as long as
 * it, in the arena. */
void session_secret_packet(const struct session_keys *k, struct bytes table, const uint8_t iv[16],
			   uint32_t flags, const uint8_t measure[MEASURE_LEN], struct arena *a,
			   uint8_t ret_head[SECRET_HEAD_LEN], struct bytes *ret_cipher);

#endif

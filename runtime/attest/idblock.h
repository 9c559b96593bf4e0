/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ID block: what the owner of a guest says it must be, signed. The firmware compares it at LAUNCH_FINISH and starts
 * nothing else (AMD 56860, section 8.18). The author key, which signs the ID key, is for owners with many ID keys.
 */
#ifndef KAVACH_ATTEST_IDBLOCK_H
#define KAVACH_ATTEST_IDBLOCK_H

#include "attest/keys.h"

#define ID_BLOCK_LEN 96u
#define ID_AUTH_LEN 4096u

struct id_block {
	uint8_t launch_digest[48];
	uint8_t family_id[16], image_id[16]; /* the owner's names for it */
	uint32_t guest_svn;
	uint64_t policy; /* the guest policy of the launch, the same */
};

void id_block_encode(const struct id_block *b, uint8_t ret[ID_BLOCK_LEN]);
/* id_block_decode: refuses any version but 1. */
int id_block_decode(const uint8_t in[ID_BLOCK_LEN], struct id_block *ret, struct err *e);

/* id_auth_make: signs an encoded ID block with the private ID key and, with an author key (or NULL), the ID key too. */
int id_auth_make(const uint8_t block[ID_BLOCK_LEN], const struct eckey *id_key,
		 const struct eckey *author_key, uint8_t ret[ID_AUTH_LEN], struct err *e);

/* id_auth_check: as the firmware checks it. Digests of the keys go to the two arrays; *ret_author tells whether there is
 * an author key (zeros otherwise). */
int id_auth_check(const uint8_t block[ID_BLOCK_LEN], const uint8_t auth[ID_AUTH_LEN],
		  uint8_t ret_id_digest[48], uint8_t ret_author_digest[48], bool *ret_author,
		  struct err *e);

#endif

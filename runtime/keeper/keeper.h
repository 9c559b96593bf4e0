/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-keeper: the process of a confidential guest that has its private key. What it decides is here, without its
 * conversation with the agent (main.c): a broker's lines come from the host, so nothing in them is believed.
 */
#ifndef KAVACH_KEEPER_KEEPER_H
#define KAVACH_KEEPER_KEEPER_H

#include "attest/p256.h"

/* keeper_challenge: the nonce of a challenge, in the arena. -EBADMSG. */
int keeper_challenge(struct bytes line, struct arena *a, struct bytes *ret, struct err *e);

struct keeper_question {
	const struct p256 *key; /* our own */
	const struct p256
		*broker;    /* whose signature the answer must have; NULL: it may have one or not */
	struct bytes nonce; /* that we answered: what is answered to another is refused */
	struct strs names;
};

/* keeper_open: the values of q->names, in their order, to ret_values[], which has room for them; in the arena, which the caller
 * wipes. -EBADMSG: not a good answer to this question; -EACCES: the broker refuses. */
int keeper_open(struct bytes line, const struct keeper_question *q, struct arena *a,
		struct bytes *ret_values, struct err *e);

#endif

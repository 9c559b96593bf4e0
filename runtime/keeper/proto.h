/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent and kavach-keeper say to each other over a stream socketpair: frames of a type, a little-endian length and
 * so many bytes. The keeper begins with its public key; then it answers each question at once, with what is asked for or
 * FAIL. It ends after VALUES, and when the agent closes.
 *
 *	KEY		65 bytes: a point of P-256, uncompressed
 *	CHALLENGE	what the broker answered to the hello: a line, without its newline
 *	NONCE		what was in it: 32 to 64 bytes
 *	ANSWER		as base/buf.h writes it: the broker's key (str; NULL: any), the nonce (bytes), the number of names (u32),
 *			each name (str), the broker's line (bytes)
 *	VALUES		the value of each name (bytes), in the order in which they were asked for
 *	FAIL		text: why not
 */
#ifndef KAVACH_KEEPER_PROTO_H
#define KAVACH_KEEPER_PROTO_H

#include <stdint.h>

#define KEEPER_NAME "kavach-keeper"
#define KEEPER_PATH "/sbin/kavach-keeper" /* in the guest */
#define KEEPER_HEAD 5u
#define KEEPER_LINE_MAX (1u << 20) /* of the broker */
#define KEEPER_FRAME_MAX (KEEPER_LINE_MAX + 65536u)
#define KEEPER_VALUES_MAX (256u << 10) /* of all values together */
#define KEEPER_KEY_LEN 65u
#define KEEPER_NONCE_MIN 32u
#define KEEPER_NONCE_MAX 64u

enum keeper_type {
	KEEPER_KEY = 1,
	KEEPER_CHALLENGE,
	KEEPER_NONCE,
	KEEPER_ANSWER,
	KEEPER_VALUES,
	KEEPER_FAIL
};

#endif

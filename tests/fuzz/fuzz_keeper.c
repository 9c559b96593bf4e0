/* SPDX-License-Identifier: Apache-2.0 */
/* libs: keeper attest json base */
/*
 * What the keeper gets from a broker through the host: a challenge, an answer, and, as nobody but a broker can make an
 * envelope that opens, the contents of one too. Nothing that is opened is anything but what was asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "attest/crypto.h"
#include "attest/jose.h"
#include "keeper/keeper.h"

static void open_it(struct bytes in, const struct keeper_question *q, bool may_open)
{
	struct bytes values[1] = {{NULL, 0}};
	struct err e = ERR_INIT;
	arena_auto a = {0};
	int r = keeper_open(in, q, &a, values, &e);

	if (r < 0 ? !e.msg[0] : !may_open || !values[0].n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "{\"type\":\"kavach-broker-secrets\",\"version\":1,\"jwe\":";
	struct bytes in = {(uint8_t *) (uintptr_t) data, size}, nonce;
	static struct p256 *key;
	static uint8_t ours[32];
	char name[] = "a", *names = name;
	struct keeper_question q = {.nonce = {ours, sizeof(ours)}, .names = {.v = &names, .n = 1}};
	buf_auto line = BUF_WRITER(1u << 20);
	struct err e = ERR_INIT;
	arena_auto a = {0};

	if (!key)
		key = p256_new();
	q.key = key;
	if (keeper_challenge(in, &a, &nonce, &e) < 0 ? !e.msg[0] : nonce.n < 32 || nonce.n > 64)
		abort();
	open_it(in, &q, false);
	q.broker = key;
	open_it(in, &q, false);
	q.broker = NULL;
	buf_put(&line, head, strlen(head));
	if (jwe_seal(key, data, size, &a, &line, &e) == 0) {
		buf_put(&line, "}", 1);
		open_it((struct bytes){line.p, line.n}, &q, true);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec policy base */
/*
 * Any bytes as a message to kavach or to the stage: refused, or a type with a body that keeps its promises and
 * gives the same message when it is packed again. Then the same bytes as a packet.
 */
#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "exec/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_parse(const uint8_t *data, size_t size)
{
	uint8_t copy[MSG_MAX + 8], again[MSG_MAX];
	void *body;
	size_t n = size < sizeof(copy) ? size : sizeof(copy), len = 0;
	ssize_t packed;
	int t;

	memcpy(copy, data, n);
	t = msg_parse(copy, n, &body, &len);
	if (t < 0) {
		assert(t == -EBADMSG);
		return;
	}
	assert(t > 0 && t < MSG_TYPE_MAX && len <= MSG_BODY_MAX && n == MSG_HEAD + len);
	if (t == MSG_ERROR) {
		struct err e = ERR_INIT;

		memcpy(&e, body, len);
		assert(e.code < 0 && e.id < ERR_ID_MAX &&
		       e.msg[len - offsetof(struct err, msg) - 1] == '\0');
		packed = msg_pack_err(again, sizeof(again), &e);
	} else {
		packed = msg_pack(again, sizeof(again), (enum msg_type) t, body, len);
	}
	assert(packed == (ssize_t) n && !memcmp(again, copy, n));
}

static void try_receive(const uint8_t *data, size_t size)
{
	uint8_t body[MSG_BODY_MAX];
	struct err e = ERR_INIT;
	int sv[2];

	if (size > 65536 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) < 0)
		return;
	(void) !write(sv[0], data, size);
	close(sv[0]);
	if (msg_expect(sv[1], MSG_SECCOMP, body, sizeof(body), &e) < 0)
		assert(e.code < 0 && e.msg[0]);
	close(sv[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int quiet;

	if (!quiet++) {
		struct err e = ERR_INIT;

		log_init("/dev/null", false, LOG_LEVEL_ERROR, &e);
	}
	try_parse(data, size);
	try_receive(data, size);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm base */
/*
 * Any bytes as what QEMU says, at once and in pieces: the same is heard both times, texts are clean, data is base64. The
 * first byte chooses what was asked.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "vm/qjson.h"
#include "vm/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char before[] = "{\"QMP\":{\"version\":{}}}\n{\"return\":{},\"id\":1}\n";

static void clean(const char *text, size_t max)
{
	size_t n = strnlen(text, max);

	assert(n < max);
	for (size_t i = 0; i < n; i++)
		assert(text[i] >= ' ' && text[i] <= '~');
}

static void on_reply(void *arg, const struct qmp_reply *r)
{
	unsigned *heard = arg;

	*heard = *heard * 31 + (unsigned) r->cmd + r->failed;
	clean(r->text, sizeof(r->text));
	clean(r->sev.state, sizeof(r->sev.state));
	for (size_t i = 0; i < r->data.n; i++)
		assert(r->data.p[i] > ' ' && r->data.p[i] != '"' && r->data.p[i] != '\\');
}

static void on_event(void *arg, enum qmp_event ev, const char *text)
{
	unsigned *heard = arg;

	*heard = *heard * 31 + 100 + (unsigned) ev;
	clean(text, 64);
}

static const struct qmp_ops ops = {on_reply, on_event};
static struct qmp q;

static int run(const uint8_t *data, size_t size, enum qmp_cmd cmd, size_t piece, unsigned *heard)
{
	const struct qmp_args args = {.data = "AAAA", .more = "AAAA"};
	struct err e = ERR_INIT;
	int r = 0;

	*heard = 0;
	qmp_init(&q, -1, &ops, heard, 1000, 0);
	assert(qmp_feed(&q, before, sizeof(before) - 1, 0, &e) == 0);
	assert(q.state == QMP_ST_READY);
	for (int i = 0; i < 4; i++)
		assert(qmp_send(&q, cmd, &args, 7, 0, &e) == 0);
	for (size_t at = 0; at < size && r == 0; at += piece)
		r = qmp_feed(&q, data + at, size - at < piece ? size - at : piece, 0, &e);
	assert((r < 0) == (q.state == QMP_ST_BROKEN));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum qmp_cmd cmd;
	unsigned a, b;
	struct qj v;

	if (size < 2 || size > 200000)
		return 0;
	cmd = (enum qmp_cmd)(QMP_STOP + data[0] % (QMP_CMD_MAX - QMP_STOP));
	assert(run(data + 1, size - 1, cmd, size, &a) == run(data + 1, size - 1, cmd, 7, &b));
	assert(a == b);
	if (qj_check((const char *) data + 1, size - 1, &v))
		assert(v.n > 0 && v.p >= (const char *) data + 1 &&
		       v.p + v.n <= (const char *) data + size);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: json base */
/*
 * Any bytes as a JSON document: read or refused with a message, never both, and every node of what was read
 * knows its place.
 */
#include <assert.h>
#include <string.h>

#include "json/decode.h"
#include "json/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct json_doc *d, const struct json_node *n, struct arena *a)
{
	unsigned line, col;

	assert(n->offset < d->len);
	json_pos(d, n->offset, &line, &col);
	assert(line >= 1 && col >= 1);
	assert(json_path(a, n));
	assert(json_found(a, n));
	assert(json_type_name(n->type));
	for (const struct json_node *c = n->child; c; c = c->next) {
		assert(c->parent == n);
		assert(!c->key == (n->type != JSON_OBJECT));
		if (c->key)
			assert(json_get(n, c->key) == c);
		visit(d, c, a);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	arena_auto a = {0};
	struct json_doc doc;
	struct err e = ERR_INIT;
	int r;

	r = json_read("input", (const char *) data, size, &a, &doc, &e);
	assert(r <= 0);
	assert(!r == !e.code);
	if (r < 0)
		assert(e.msg[0] && !strchr(e.msg, '\n'));
	else
		visit(&doc, doc.root, &a);
	return 0;
}

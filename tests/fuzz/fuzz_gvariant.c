/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup policy host json base */
/*
 * Any text as the value of a systemd property. Beyond memory errors it checks what the emitter relies on: every value
 * has a signature that fits its kind, and so have all of its parts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/gvariant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct gv *v, unsigned depth)
{
	if (!v->sig || !v->sig[0] || depth > GV_DEPTH_MAX)
		abort();
	switch (v->type) {
	case 'a':
		if (v->sig[0] != 'a')
			abort();
		for (size_t i = 0; i < v->n; i++)
			if (strcmp(v->sub[i]->sig, v->sig + 1) != 0)
				abort();
		break;
	case '(':
	case '{':
		if (v->sig[0] != v->type || v->n == 0 || (v->type == '{' && v->n != 2))
			abort();
		break;
	case 'v':
		if (strcmp(v->sig, "v") != 0 || v->n != 1)
			abort();
		break;
	case 's':
	case 'o':
	case 'g':
		if (!v->s || v->sig[0] != v->type)
			abort();
		break;
	default:
		if (v->sig[0] != v->type || v->sig[1] || !strchr("bynqiuxtd", v->type))
			abort();
	}
	for (size_t i = 0; i < v->n; i++)
		check(v->sub[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	arena_auto a = {0};
	char *text, *usec;
	struct gv *v;

	text = arena_strndup(&a, (const char *) data, size);
	if (gv_parse(text, &a, &v, &e) < 0) {
		if (!e.code || !e.msg[0])
			abort();
		return 0;
	}
	check(v, 0);
	if (gv_seconds(v, &a, &usec, &e) == 0 && gv_parse(usec, &a, &v, &e) < 0)
		abort();
	return 0;
}

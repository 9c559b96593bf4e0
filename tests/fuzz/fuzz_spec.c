/* SPDX-License-Identifier: Apache-2.0 */
/* libs: spec json base */
/*
 * Any bytes as each of the three documents that the decoder reads. Refused with one line that names the
 * document, or decoded; the lists of what was decoded can be read to their ends. tests/golden/ok is a good
 * corpus besides the seeds. What the policy makes of a config.json: fuzz_config.
 */
#include <assert.h>
#include <string.h>

#include "spec/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sum; /* keeps the reads below */

static void read_str(const char *s)
{
	if (s)
		sum += strlen(s);
}

static void read_strs(const struct strs *l)
{
	for (size_t i = 0; i < l->n; i++)
		read_str(l->v[i]);
}

/* Reads everything that the table says is there. */
static void read_all(const struct jtable *t, const void *obj)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct jfield *f = &t->f[i];
		const void *p = (const char *) obj + f->off;
		const struct jlist *list = p;
		const struct kvs *map = p;
		const void *sub;

		switch (f->kind) {
		case J_STR:
		case J_ABSPATH: read_str(*(char *const *) p); break;
		case J_STRS: read_strs(p); break;
		case J_UINTS:
			for (size_t k = 0; k < ((const struct u64s *) p)->n; k++)
				sum += ((const struct u64s *) p)->v[k];
			break;
		case J_OBJ:
			memcpy(&sub, p, sizeof(sub));
			if (sub)
				read_all(f->sub, sub);
			break;
		case J_OBJS:
		case J_MAP_OBJ:
			for (size_t k = 0; k < list->n; k++)
				read_all(f->sub, (const char *) list->v + k * f->sub->size);
			break;
		case J_MAP:
			for (size_t k = 0; k < map->n; k++) {
				read_str(map->v[k].key);
				read_str(map->v[k].val);
			}
			break;
		default: sum += *(const unsigned char *) p; break;
		}
	}
}

static void check(int r, const struct err *e)
{
	assert(r <= 0 && !r == !e->code);
	assert(r == 0 || (!strncmp(e->msg, "input:", 6) && !strchr(e->msg, '\n')));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	const struct spec_resources *resources;
	const struct spec_process *process;
	const struct spec *config;
	arena_auto a = {0};
	struct err e;
	int r;

	e = ERR_INIT;
	r = spec_parse("input", text, size, &a, &config, &e);
	check(r, &e);
	if (!r)
		read_all(&spec_t_config, config);

	e = ERR_INIT;
	r = spec_parse_process("input", text, size, &a, &process, &e);
	check(r, &e);
	if (!r)
		read_all(&spec_t_process, process);

	e = ERR_INIT;
	r = spec_parse_resources("input", text, size, &a, &resources, &e);
	check(r, &e);
	if (!r)
		read_all(&spec_t_resources, resources);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* pack: the packed root of a bundle, made beforehand or looked at: a container that is created with it is created without waiting,
 * and whoever has to know the root hash before that reads it here. */
#include <string.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "cmd/cmd.h"
#include "vm/pack.h"

struct pack_opts {
	bool json;
	const char *config;
};

static void show(struct buf *b, const struct packed *p, bool json, struct arena *a)
{
	struct jsonw w;

	if (!json) {
		const char *text = arena_printf(
			a, "root hash  %s\nsalt       %s\nblocks     %llu\nimage      %s\n",
			p->root.hash, p->root.salt, (unsigned long long) p->root.blocks, p->path);

		buf_put(b, text, strlen(text));
		return;
	}
	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "rootHash", p->root.hash);
	jw_kstr(&w, "salt", p->root.salt);
	jw_ku64(&w, "blocks", p->root.blocks);
	jw_kstr(&w, "image", p->path);
	jw_ku64(&w, "size", p->size);
	jw_kbool(&w, "kept", p->kept);
	jw_obj_end(&w);
	buf_put(b, "\n", 1);
}

/* The root of any bundle: whether its configuration asks for it is another question. */
static int cmd_pack(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	const struct pack_opts *o = opts;
	struct policy_input in = {.measuring = true};
	struct bundle bd = {0};
	struct packed p;
	buf_auto b = BUF_WRITER(1u << 16);
	int r;

	if (g->backend_floor < POL_BACKEND_VM) /* it is as a VM that it has such a root */
		g->backend_floor = POL_BACKEND_VM;
	r = bundle_load(g, argc > 0 ? argv[0] : ".", o->config, &in, &bd, e);

	if (r == 0)
		r = pack_root(bd.policy->rootfs, pack_cache_dir(g->a), g->a, &p, e);
	if (r < 0)
		return r;
	close(p.fd);
	show(&b, &p, o->json, g->a);
	return cmd_print(&b, e);
}

static const struct opt opts_table[] = {
	{"json", 0, OPT_FLAG, NULL, "print as JSON", offsetof(struct pack_opts, json)},
	{"config", 'f', OPT_STR, "FILE",
	 "name of the configuration in the bundle (default: config.json)",
	 offsetof(struct pack_opts, config)},
};

const struct command command_pack = {
	.name = "pack",
	.args = "[BUNDLE]",
	.help = "pack a bundle's root as a VM gets it, and print its hash",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct pack_opts),
	.min_args = 0,
	.max_args = 1,
	.run = cmd_pack,
};

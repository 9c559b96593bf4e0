/* SPDX-License-Identifier: Apache-2.0 */
/* policy: what a bundle would be allowed, explained and scored, without starting anything. */
#include <errno.h>

#include "cmd/box.h"
#include "base/jsonw.h"
#include "base/sha256.h"
#include "host/guest_image.h"
#include "policy/build.h"
#include "policy/codec.h"
#include "policy/page.h"
#include "vm/image.h"
#include "vm/owner.h"

struct policy_opts {
	bool json, score;
	const char *config;
};

/* The machine that a container in a VM would get here; why not, where it would get none: the rest of the page is true
 * anyway. */
static int machine(struct globals *g, const struct bundle *bd, struct vm_shape *ret, struct err *e)
{
	struct vm_image image;
	struct vm_host host;
	uint8_t digest[SHA256_LEN];
	int r = vm_image_find(guest_image_dir(), g->a, &image, e);

	if (r == 0)
		r = vm_host_probe(bd->policy, -EBADF, g->a, &host, e);
	if (r == 0)
		r = vm_shape_decide(bd->policy, &host, &image, g->a, ret, e);
	if (r == 0)
		r = vm_owner_apply(ret, &bd->spec->annotations, g->a, e);
	if (r < 0)
		return r;
	policy_digest(bd->policy_enc.v, bd->policy_enc.n, digest);
	return vm_shape_bind(ret, digest, g->a, e);
}

static void machine_page(struct globals *g, const struct bundle *bd, struct buf *b)
{
	struct page pg = {.b = b};
	struct err why = ERR_INIT;
	struct vm_shape s;

	if (!bd->policy->vm.set)
		return;
	buf_put(b, "\n", 1);
	if (machine(g, bd, &s, &why) == 0) {
		vm_shape_explain(&pg, &s);
		return;
	}
	page_head(&pg, "The machine");
	page_row(&pg, "none");
	page_safe(&pg, why.msg);
	page_end(&pg);
}

static const char *machine_json(struct globals *g, const struct bundle *bd)
{
	buf_auto b = BUF_WRITER(1u << 20);
	struct err why = ERR_INIT;
	struct vm_shape s;
	struct jsonw w;

	if (!bd->policy->vm.set)
		return NULL;
	jw_init(&w, &b, false);
	if (machine(g, bd, &s, &why) == 0) {
		vm_shape_json(&w, &s);
	} else {
		jw_obj(&w);
		jw_kstr(&w, "error", why.msg);
		jw_obj_end(&w);
	}
	return b.bad ? NULL : arena_strndup(g->a, (const char *) b.p, b.n);
}

static int cmd_policy(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct policy_opts *o = opts;
	struct rules_report rep = {0};
	struct policy_input in = {.report = &rep};
	struct bundle bd = {0};
	struct score sc;
	buf_auto b = BUF_WRITER(64u << 20);
	int r;

	r = bundle_load(g, argc > 0 ? argv[0] : ".", o->config, &in, &bd, e);
	if (r < 0)
		return r;
	policy_score(bd.policy, g->a, &sc);
	if (o->json)
		policy_explain_json(&b, bd.policy, &sc, bd.policy_digest, &rep,
				    machine_json(g, &bd));
	else
		policy_explain(&b, bd.policy, &sc, bd.policy_digest, o->score);
	if (!o->json && !o->score)
		machine_page(g, &bd, &b);
	if (!o->json && !o->score)
		rules_report_explain(&b, &rep);
	return cmd_print(&b, e);
}

static const struct opt opts_table[] = {
	{"json", 0, OPT_FLAG, NULL, "print the policy as JSON", offsetof(struct policy_opts, json)},
	{"score", 0, OPT_FLAG, NULL, "print the strength score only",
	 offsetof(struct policy_opts, score)},
	{"config", 'f', OPT_STR, "FILE",
	 "name of the configuration in the bundle (default: config.json)",
	 offsetof(struct policy_opts, config)},
};

const struct command command_policy = {
	.name = "policy",
	.args = "[BUNDLE]",
	.help = "explain and score what a bundle's process would be allowed",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct policy_opts),
	.min_args = 0,
	.max_args = 1,
	.run = cmd_policy,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* policy: what a bundle would be allowed, explained and scored, without starting anything. */
#include <errno.h>

#include "cmd/box.h"
#include "policy/build.h"

struct policy_opts {
	bool json, score;
	const char *config;
};

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
		policy_explain_json(&b, bd.policy, &sc, bd.policy_digest, &rep);
	else
		policy_explain(&b, bd.policy, &sc, bd.policy_digest, o->score);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* rules: what the site's rules are, and what they would say about a bundle, without starting anything. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/num.h"
#include "base/str.h"
#include "cmd/box.h"
#include "policy/build.h"

struct rules_opts {
	bool json;
	const char *config, *as_uid;
	struct strs annotation;
};

/* check [FILE...]: the rules of the machine, or these files as if they were. */
static int check(struct globals *g, const struct rules_opts *o, int argc, char **argv,
		 struct err *e)
{
	buf_auto b = BUF_WRITER(16u << 20);
	struct rules rules = {0};
	int r;

	r = cmd_probe_host(g, e);
	if (r == 0)
		r = argc > 0 ? rules_read_files(argv, (size_t) argc, g->a, &rules, e)
			     : rules_read(g->rules, &g->host, g->a, &rules, e);
	if (r < 0)
		return r;
	if (o->json)
		rules_json(&b, &rules);
	else
		rules_explain(&b, &rules);
	return cmd_print(&b, e);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct kv *) a)->key, ((const struct kv *) b)->key);
}

static int parse_annotations(struct globals *g, const struct strs *l, struct kvs *ret,
			     struct err *e)
{
	ret->v = arena_array(g->a, l->n, sizeof(*ret->v));
	for (size_t i = 0; i < l->n; i++) {
		const char *is = strchr(l->v[i], '=');

		if (!is || is == l->v[i])
			return err_set_id(e, ERR_USAGE, -EINVAL,
					  "--annotation: expected NAME=VALUE, found \"%s\"",
					  l->v[i]);
		ret->v[ret->n++] = (struct kv){
			arena_strndup(g->a, l->v[i], (size_t) (is - l->v[i])), (char *) is + 1};
	}
	qsort(ret->v, ret->n, sizeof(*ret->v), compare_keys);
	return 0;
}

static int print_report(const struct rules_report *rep, bool json, struct err *e)
{
	buf_auto b = BUF_WRITER(16u << 20);
	struct jsonw w;

	if (!json) {
		rules_report_explain(&b, rep);
		if (!b.n)
			buf_put(&b, "no rules\n", strlen("no rules\n"));
		return cmd_print(&b, e);
	}
	jw_init(&w, &b, true);
	jw_obj(&w);
	rules_report_json(&w, rep);
	jw_obj_end(&w);
	buf_put(&b, "\n", 1);
	return cmd_print(&b, e);
}

/* test BUNDLE: every verdict, and then what create would say. */
static int test(struct globals *g, const struct rules_opts *o, const char *bundle, struct err *e)
{
	struct rules_report rep = {0};
	struct policy_input in = {.report = &rep};
	struct err unheard = ERR_INIT;
	struct bundle bd = {0};
	int r = parse_annotations(g, &o->annotation, &in.annotations, e);

	if (r == 0 && o->as_uid) {
		in.as_uid.set = num_parse_u64(o->as_uid, UINT32_MAX - 1, &in.as_uid.v) == 0;
		if (!in.as_uid.set)
			return err_set_id(e, ERR_USAGE, -EINVAL,
					  "--as-uid: expected a number, found \"%s\"", o->as_uid);
	}
	if (r < 0)
		return r;
	r = bundle_load(g, bundle, o->config, &in, &bd, e);
	if (r < 0 && !rep.n)
		return r;
	if (r < 0)
		return print_report(&rep, o->json, &unheard) < 0 ? unheard.code : r;
	return print_report(&rep, o->json, e);
}

static int cmd_rules(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	if (str_eq(argv[0], "check"))
		return check(g, opts, argc - 1, argv + 1, e);
	if (str_eq(argv[0], "test") && argc <= 2)
		return test(g, opts, argc == 2 ? argv[1] : ".", e);
	return err_set_id(e, ERR_USAGE, -EINVAL,
			  "rules: expected \"check [FILE...]\" or \"test [BUNDLE]\", found \"%s\"",
			  argv[0]);
}

static const struct opt opts_table[] = {
	{"json", 0, OPT_FLAG, NULL, "print JSON", offsetof(struct rules_opts, json)},
	{"config", 'f', OPT_STR, "FILE",
	 "test: name of the configuration in the bundle (default: config.json)",
	 offsetof(struct rules_opts, config)},
	{"as-uid", 0, OPT_STR, "UID", "test: as if this user were the caller",
	 offsetof(struct rules_opts, as_uid)},
	{"annotation", 0, OPT_STRS, "NAME=VALUE", "test: as if the bundle had this annotation",
	 offsetof(struct rules_opts, annotation)},
};

const struct command command_rules = {
	.name = "rules",
	.args = "check [FILE...] | test [BUNDLE]",
	.help = "check the site's rules, or test a bundle against them",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct rules_opts),
	.min_args = 1,
	.max_args = -1,
	.run = cmd_rules,
};

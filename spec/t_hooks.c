/* SPDX-License-Identifier: Apache-2.0 */
/* config.md, "POSIX-platform Hooks". */
#include "spec/fields.h"

static int hook_check(const struct json_doc *d, const struct json_node *n, void *obj,
		      struct arena *a, struct err *e)
{
	(void) obj;
	(void) a;
	return spec_check_env(d, n, e);
}

static const struct jfield hook_f[] = {
	F_PATH(struct spec_hook, path, .flags = J_REQUIRED),
	F_STRS(struct spec_hook, args),
	F_STRS(struct spec_hook, env),
	F_INT(struct spec_hook, timeout, .min = 1, .max = INT32_MAX),
};
static const struct jtable hook_t = F_TABLE(struct spec_hook, hook_f, .check = hook_check);

static const struct jfield hooks_f[] = {
	F_OBJS(struct spec_hooks, prestart, struct spec_hook, &hook_t),
	F_OBJS(struct spec_hooks, createRuntime, struct spec_hook, &hook_t),
	F_OBJS(struct spec_hooks, createContainer, struct spec_hook, &hook_t),
	F_OBJS(struct spec_hooks, startContainer, struct spec_hook, &hook_t),
	F_OBJS(struct spec_hooks, poststart, struct spec_hook, &hook_t),
	F_OBJS(struct spec_hooks, poststop, struct spec_hook, &hook_t),
};
const struct jtable spec_t_hooks = F_TABLE(struct spec_hooks, hooks_f);

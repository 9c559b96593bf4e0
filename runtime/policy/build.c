/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_build(): calls the parts in the order in which they need each other: namespaces first (most
 * rules ask for one), the preset last (it tightens what is there), then what the site's rules add and
 * demand.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "policy/pb.h"

__attribute__((format(printf, 3, 0))) static void refusal(const struct pb *b, struct err *e,
							  const char *fmt, va_list ap)
{
	char text[ERR_MSG_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	err_set_id(e, ERR_CONFIG, -EINVAL, "%s: %s", b->config, text);
}

int pb_refuse(const struct pb *b, struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refusal(b, e, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void pb_warn(const struct pb *b, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn("%s: %s", b->config, text);
}

/* A mask per CPU and a few more: the largest machines have some thousand. */
#define COUNT_MAX 16384

int pb_count(const struct pb *b, const char *what, size_t n, struct err *e)
{
	return n <= COUNT_MAX ? 0
			      : pb_refuse(b, e, "%s: expected at most %d entries, found %zu", what,
					  COUNT_MAX, n);
}

int pb_word(const struct pb *b, const struct name_val *t, size_t n, const char *word, long *ret,
	    struct err *e, const char *fmt, ...)
{
	const struct name_val *row = word ? name_find(t, n, word) : NULL;
	char path[128];
	va_list ap;

	if (row) {
		*ret = row->val;
		return 0;
	}
	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return pb_refuse(b, e, "%s: \"%s\" is not one of the words that are known here", path,
			 word ? word : "");
}

const char *pb_annotation(const struct pb *b, const char *key)
{
	const struct kvs *maps[] = {b->in ? &b->in->annotations : NULL,
				    b->s ? &b->s->annotations : NULL};

	for (size_t k = 0; k < ARRAY_LEN(maps); k++)
		for (size_t i = 0; maps[k] && i < maps[k]->n; i++)
			if (str_eq(maps[k]->v[i].key, key))
				return maps[k]->v[i].val;
	return NULL;
}

bool pb_annotation_on(const struct pb *b, const char *key)
{
	const char *v = pb_annotation(b, key);

	return v && !str_eq(v, "0") && !str_eq(v, "false");
}

char *policy_host_path(struct arena *a, const char *bundle, const char *path)
{
	char *full = path_join(a, bundle, path);

	for (const char *p = full; (p = strstr(p, "..")); p += 2)
		if (p > full && p[-1] == '/' && (!p[2] || p[2] == '/'))
			return full;
	return path_clean(a, full);
}

char *pb_host_path(const struct pb *b, const char *path)
{
	return policy_host_path(b->a, b->in->bundle, path);
}

/* pb_backend: the stronger of what the program was called as and what the config describes. */
static void backend(struct pb *b)
{
	struct policy *p = b->p;

	p->backend_floor = b->in->backend_floor ? b->in->backend_floor : POL_BACKEND_PROCESS;
	p->backend = p->backend_floor;
	if (b->s->vm && p->backend < POL_BACKEND_VM)
		p->backend = POL_BACKEND_VM;
}

static int process(struct pb *b, struct err *e)
{
	int r;

	if (!b->s->process)
		return b->in->need_process
			       ? pb_refuse(b, e, "process: required, there is nothing to run")
			       : 0;
	b->p->has_process = true;
	r = pb_process(b, b->s->process, &b->p->process, e);
	if (r < 0)
		return r;
	b->p->process.keep_groups = pb_annotation_on(b, "run.oci.keep_original_groups");
	b->p->process.new_keyring = !b->in->no_new_keyring;
	return pb_personality(b, &b->p->process.personality, e);
}

static int resources(struct pb *b, struct err *e)
{
	int r;

	if (b->p->cgroup.manager == POL_CG_DISABLED) {
		if (b->l->resources)
			pb_warn(b, "linux.resources: not applied, control groups are disabled");
		return 0;
	}
	r = pb_resources(b, b->l->resources, &b->p->resources, e);
	if (r < 0)
		return r;
	return pb_device_rules(b, b->l->resources, &b->p->resources, e);
}

static int (*const parts[])(struct pb *b, struct err *e) = {
	pb_namespaces, pb_sysctl, pb_root,  pb_mounts,	pb_paths, pb_devices,	process, pb_seccomp,
	pb_cgroup,     resources, pb_hooks, pb_netdevs, pb_rdt,	  pb_mempolicy, pb_vm,	 pb_notify,
};

int policy_build(const struct spec *s, const struct rules *r, const struct host *h,
		 const struct policy_input *in, struct arena *a, const struct policy **ret,
		 struct err *e)
{
	static const struct spec_linux none;
	struct pb b = {
		.s = s, .l = s->linux_ ? s->linux_ : &none, .h = h, .in = in, .a = a, .rules = r};
	int err;

	b.config = in->config_name ? in->config_name : "config.json";
	b.prefix = "process.";
	b.p = arena_new(a, struct policy);
	b.p->version = POLICY_VERSION;
	b.p->no_pivot = in->no_pivot;
	backend(&b);
	pb_rules_select(&b);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		err = parts[i](&b, e);
		if (err < 0)
			return err;
	}
	err = pb_preset(&b, e);
	if (err == 0)
		err = pb_rules_add(&b, e);
	if (err == 0)
		err = pb_secrets(&b, e);
	if (err == 0)
		err = pb_report(&b, e);
	if (err == 0)
		err = pb_record(&b, e);
	if (err == 0)
		err = pb_vm_fits(&b, e);
	if (err == 0)
		err = pb_joined(&b, e);
	if (err == 0)
		err = pb_rules_check(&b, e);
	if (err < 0)
		return err;
	*ret = b.p;
	return 0;
}

/*
 * What an exec's process object leaves out is the container's, as in runc: labels, capabilities when the
 * object has none, limits, scheduling. The object may give more capabilities than the container has
 * (`podman exec --privileged`): config and process object come from the same engine.
 */
static void inherit(struct pol_process *p, const struct spec_process *s,
		    const struct pol_process *base)
{
	if (!p->apparmor)
		p->apparmor = base->apparmor;
	if (!p->selinux)
		p->selinux = base->selinux;
	if (!s->capabilities)
		p->caps = base->caps;
	if (!s->rlimits.n)
		p->rlimits = (typeof(p->rlimits)){base->rlimits.v, base->rlimits.n};
	if (!p->oom_score_adj.set)
		p->oom_score_adj = base->oom_score_adj;
	if (!p->sched.set)
		p->sched = base->sched;
	if (!p->ioprio.set)
		p->ioprio = base->ioprio;
	p->personality = base->personality;
	p->keep_groups = base->keep_groups;
	p->new_keyring = base->new_keyring; /* joins the container's by its name (B-11) */
}

int policy_build_process(const struct spec_process *s, const struct policy *base,
			 const struct host *h, const char *config_name, struct arena *a,
			 struct pol_process *ret, struct err *e)
{
	static const struct spec_linux none;
	struct policy scratch = *base; /* for the id maps that pb_process() looks at */
	struct pb b = {
		.l = &none, .h = h, .config = config_name, .prefix = "", .a = a, .p = &scratch};
	struct pol_process p = {0};
	int r;

	b.grants_caps = pol_ns_find(base, POL_NS_USER) != NULL;
	r = pb_process(&b, s, &p, e);
	if (r < 0)
		return r;
	inherit(&p, s, &base->process);
	if (base->preset == POL_PRESET_STRICT) /* the floor is under every process */
		p.no_new_privs = true;
	r = pb_vm_process(&b, &p, e);
	if (r < 0)
		return r;
	r = policy_check_process(&p, base, h, config_name, a, e);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}

int policy_check_process(const struct pol_process *p, const struct policy *base,
			 const struct host *h, const char *what, struct arena *a, struct err *e)
{
	struct policy scratch = *base;
	const struct pb b = {.h = h, .config = what, .a = a, .p = &scratch};

	return pb_exec_limits(&b, p, e);
}

/* The container's own mounts were judged when it was created; rules may still count them. */
static void join_mounts(struct pb *b, const struct policy *base)
{
	size_t old = base->mounts.n, n = b->p->mounts.n;
	struct pol_mount *v = arena_array(b->a, old + n, sizeof(*v));

	for (size_t i = 0; i < old; i++) {
		v[i] = base->mounts.v[i];
		v[i].config_index = UINT32_MAX;
	}
	if (n)
		memcpy(v + old, b->p->mounts.v, n * sizeof(*v));
	b->p->mounts.v = v;
	b->p->mounts.n = old + n;
}

int policy_build_mounts(const struct spec *s, const struct policy *base, const struct rules *r,
			const struct host *h, const struct policy_input *in, struct arena *a,
			const struct policy **ret, struct err *e)
{
	static const struct spec_linux none;
	struct pb b = {.s = s, .l = &none, .h = h, .in = in, .a = a, .rules = r};
	struct policy *p = arena_memdup(a, base, sizeof(*base));
	int err;

	b.config = in->config_name;
	b.prefix = "";
	b.p = p;
	pb_rules_select(&b);
	err = pb_mounts(&b, e);
	if (err == 0)
		err = pb_live(&b, e);
	if (err < 0)
		return err;
	join_mounts(&b, base);
	err = pb_rules_add(&b, e);
	if (err == 0)
		err = pb_rules_check(&b, e);
	if (err < 0)
		return err;
	p->mounts.v += base->mounts.n;
	p->mounts.n -= base->mounts.n;
	*ret = p;
	return 0;
}

int policy_build_resources(const struct spec_resources *s, const struct host *h,
			   const char *config_name, struct arena *a, struct pol_resources *ret,
			   struct err *e)
{
	static const struct spec_linux none;
	struct policy scratch = {0};
	struct pb b = {
		.l = &none, .h = h, .config = config_name, .prefix = "", .a = a, .p = &scratch};
	struct pol_resources res = {0};
	int r;

	b.update = true;
	r = pb_resources(&b, s, &res, e);
	if (r < 0)
		return r;
	*ret = res;
	return 0;
}

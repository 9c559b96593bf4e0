/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle: config.json is read here, once, decided, and never looked at again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/str.h"
#include "cmd/audited.h"
#include "cmd/box.h"
#include "cmd/cmd.h"
#include "host/guest_image.h"
#include "json/read.h"
#include "policy/codec.h"
#include "seccomp/seccomp.h"
#include "spec/spec.h"
#include "vm/image.h"

#define POLICY_MAX (16u << 20)

static int read_config(struct globals *g, const char *path, const char *config, struct bytes *ret,
		       struct err *e)
{
	int r = io_read_at(AT_FDCWD, path_join(g->a, path, config), 0, JSON_MAX_SIZE, g->a, ret);
	struct stat st;

	if (r >= 0)
		return 0;
	if (stat(path, &st) < 0)
		return err_sys(e, "bundle %s", path);
	return err_neg(e, r, "reading %s of bundle %s", config, path);
}

/* Kinds of namespaces that the kernel may lack: asked only if there are any. */
static void probe_namespaces(struct host *h, const struct spec *s)
{
	static const char *const optional[] = {"cgroup", "time", "user"};

	for (size_t i = 0; s->linux_ && i < s->linux_->namespaces.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(optional); k++)
			if (str_eq0(s->linux_->namespaces.v[i].type, optional[k])) {
				host_probe_ns(h);
				return;
			}
}

static void add_source(struct arena *a, struct kvs *m, const char *path)
{
	char *real = realpath(path, NULL);

	if (real)
		m->v[m->n++] = (struct kv){arena_strdup(a, path), arena_strdup(a, real)};
	free(real);
}

/* Where bind sources and the root really are, for rules that limit them. What does not exist is left to the mount. */
static const struct kvs *real_sources(struct arena *a, const struct spec *s, const char *bundle)
{
	struct kvs *m = arena_new(a, struct kvs);

	m->v = arena_array(a, s->mounts.n + 1, sizeof(*m->v));
	if (s->root && s->root->path)
		add_source(a, m, policy_host_path(a, bundle, s->root->path));
	for (size_t i = 0; i < s->mounts.n; i++)
		if (!str_empty(s->mounts.v[i].source))
			add_source(a, m, policy_host_path(a, bundle, s->mounts.v[i].source));
	return m;
}

/* What an ordinary user's container gets when its config says nothing about a user namespace or its ids. */
static void probe_rootless(struct host *h, const struct spec *s)
{
	if (h->euid == 0)
		return;
	host_probe_ns(h);
	if (!s->linux_ || !s->linux_->uidMappings.n || !s->linux_->gidMappings.n)
		host_probe_subids(h);
}

/* In a user namespace (rootless engines) we are root there; rules name users of the host. */
static struct opt_u64 outer_uid(uint32_t euid)
{
	unsigned long long inside, outside, n;
	struct opt_u64 ret = {0};
	FILE *f = fopen("/proc/self/uid_map", "re");

	while (f && fscanf(f, "%llu %llu %llu", &inside, &outside, &n) == 3)
		if (euid >= inside && euid - inside < n)
			ret = (struct opt_u64){true, outside + (euid - inside)};
	if (f)
		fclose(f);
	return ret;
}

static bool has_preset(const struct kvs *annotations)
{
	for (size_t i = 0; i < annotations->n; i++)
		if (str_eq(annotations->v[i].key, "io.kavach.preset"))
			return true;
	return false;
}

/* What only some rules and presets need to know. */
static void probe_for_rules(struct globals *g, const struct rules *r, const struct spec *s,
			    struct policy_input *in)
{
	if (g->host.in_userns && !in->as_uid.set && rules_have_uids(r))
		in->as_uid = outer_uid(g->host.euid);
	if (rules_have_landlock(r) || has_preset(&s->annotations) || has_preset(&in->annotations))
		host_probe_landlock(&g->host);
	if (rules_have_binds(r))
		in->real_sources = real_sources(g->a, s, in->bundle);
}

/* What a launch digest is about must not depend on who computes it, and where. */
static void probe_nothing(struct host *h)
{
	h->euid = h->egid = 0;
	h->rootless = h->in_userns = false;
	h->caps = h->last_cap < 63 ? (1ULL << (h->last_cap + 1)) - 1 : ~0ULL;
	h->accel = HOST_ACCEL_KVM;
}

/* The guest gets its filters compiled, from a host that it does not trust: so the policy says which ones. */
static int seal_filters(struct globals *g, const struct policy **policy, struct err *e)
{
	struct policy *p = arena_new(g->a, struct policy);
	size_t n = (*policy)->stacked.n + (*policy)->seccomp.set;
	int r = 0;

	if ((*policy)->backend < POL_BACKEND_SEV)
		return 0;
	*p = **policy;
	p->vm.filters = (struct strs){
		.v = arena_array(g->a, n, sizeof(char *)), .n = n, .set = true};
	for (size_t i = 0; i < n && r == 0; i++) {
		uint8_t digest[SHA256_LEN];
		struct bytes bpf;

		r = seccomp_get(i < p->stacked.n ? &p->stacked.v[i] : &p->seccomp, NULL, g->a, &bpf,
				e);
		if (r < 0)
			break;
		p->vm.filters.v[i] = arena_alloc(g->a, SHA256_HEX);
		sha256(bpf.v, bpf.n, digest);
		sha256_hex(digest, p->vm.filters.v[i]);
	}
	*policy = p;
	return r;
}

static int seal(struct globals *g, struct bundle *bd, struct err *e)
{
	struct buf enc = BUF_WRITER(POLICY_MAX);
	uint8_t digest[SHA256_LEN];

	policy_encode(&enc, bd->policy);
	if (enc.bad)
		return err_set(e, -EFBIG, "config.json: the policy is too large");
	bd->policy_enc = (struct bytes){.v = arena_memdup(g->a, enc.p, enc.n), .n = enc.n};
	buf_free(&enc);
	policy_digest(bd->policy_enc.v, bd->policy_enc.n, digest);
	sha256_hex(digest, bd->policy_digest);
	return 0;
}

int bundle_pack(struct globals *g, struct bundle *bd, struct err *e)
{
	int r;

	if (bd->policy->vm.root != POL_VM_ROOT_PACKED)
		return 0;
	r = pack_root(bd->policy->rootfs, pack_cache_dir(g->a), g->a, &bd->image, e);
	if (r < 0)
		return r;
	bd->packed = true;
	bd->policy = policy_with_root(bd->policy, &bd->image.root, g->a);
	return seal(g, bd, e);
}

/* Without an image there will be no VM, and whoever starts it says so. */
static uint32_t landlock_of_guest(struct globals *g, const char *dir)
{
	struct err ignored = ERR_INIT;
	struct vm_image image = {0};

	return vm_image_find(dir, g->a, &image, &ignored) < 0 ? 0
							      : guest_image_landlock(image.release);
}

int bundle_load(struct globals *g, const char *path, const char *config,
		const struct policy_input *in, struct bundle *ret, struct err *e)
{
	struct policy_input input = *in;
	struct rules rules = {0};
	uint8_t digest[SHA256_LEN];
	char *abs;
	int r;

	r = cmd_abs_path(g->a, path ? path : ".", &abs, e);
	if (r == 0)
		r = cmd_probe_host(g, e);
	if (r == 0)
		r = rules_read(g->rules, &g->host, g->a, &rules, e);
	if (r == 0) {
		audited_by_rules(g, &rules.audit, rules.audit_at.file);
		r = read_config(g, abs, config ? config : "config.json", &ret->config, e);
	}
	if (r < 0)
		return r;
	ret->path = abs;
	memcpy(ret->timeout, rules.vm.timeout, sizeof(ret->timeout));
	input.bundle = abs;
	input.config_name = config ? config : "config.json";
	input.backend_floor = g->backend_floor;
	input.cg_manager = cmd_cg_manager(g, e);
	if (!input.cg_manager)
		return e->code;
	r = spec_parse(input.config_name, (const char *) ret->config.v, ret->config.n, g->a,
		       &ret->spec, e);
	if (r == 0) {
		probe_namespaces(&g->host, ret->spec);
		probe_rootless(&g->host, ret->spec);
	}
	if (r == 0 && input.measuring)
		probe_nothing(&g->host), input.guest_dir = guest_image_dir();
	else if (r == 0 && (ret->spec->vm || g->backend_floor >= POL_BACKEND_VM))
		host_probe_kvm(&g->host), input.guest_dir = guest_image_dir();
	if (r == 0 && ret->spec->linux_ && ret->spec->linux_->intelRdt)
		host_probe_resctrl(&g->host);
	if (r == 0) {
		if (input.guest_dir && rules_have_landlock(&rules))
			input.guest_landlock = landlock_of_guest(g, input.guest_dir);
		probe_for_rules(g, &rules, ret->spec, &input);
		r = policy_build(ret->spec, &rules, &g->host, &input, g->a, &ret->policy, e);
	}
	if (r == 0)
		r = seal_filters(g, &ret->policy, e);
	if (r == 0)
		r = seal(g, ret, e);
	if (r < 0)
		return r;
	sha256(ret->config.v, ret->config.n, digest);
	sha256_hex(digest, ret->config_digest);
	return 0;
}

int bundle_mounts(struct globals *g, const struct box *b, const char *name, const spec_mounts *m,
		  const struct policy **ret, struct err *e)
{
	struct policy_input in = {.bundle = b->bundle, .config_name = name};
	struct spec_root root = {.path = b->policy->rootfs};
	struct spec s = {.root = &root, .mounts = *m};
	struct rules rules = {0};
	int r;

	if (b->annotations)
		s.annotations = *b->annotations;
	r = rules_read(g->rules, &g->host, g->a, &rules, e);
	if (r < 0)
		return r;
	probe_for_rules(g, &rules, &s, &in);
	return policy_build_mounts(&s, b->policy, &rules, &g->host, &in, g->a, ret, e);
}

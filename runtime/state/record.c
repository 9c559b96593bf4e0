/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state record as bytes, and what a record must be before any command acts on it: it comes from a file that was
 * written some time ago, maybe by another version, and names processes, directories and programs.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "policy/codec.h"
#include "state/state.h"

#define ROW(n, k)                                                                                  \
	{                                                                                          \
		.name = #n, .kind = (k), .off = offsetof(struct state_record, n)                   \
	}
#define ROW_SUB(n, k, t)                                                                           \
	{                                                                                          \
		.name = #n, .kind = (k), .off = offsetof(struct state_record, n), .sub = (t)       \
	}

#define ROW_MOUNT(n, k)                                                                            \
	{                                                                                          \
		.name = #n, .kind = (k), .off = offsetof(struct box_mount, n)                      \
	}
static const struct cfield mount_fields[] = {
	ROW_MOUNT(destination, C_STR),
	ROW_MOUNT(id, C_U64),
	ROW_MOUNT(unique, C_BOOL),
};
static const struct ctable mount_table = {.name = "mount",
					  .f = mount_fields,
					  .n = ARRAY_LEN(mount_fields),
					  .size = sizeof(struct box_mount)};

static const struct cfield fields[] = {
	ROW(id, C_STR),
	ROW(bundle, C_STR),
	ROW(rootfs, C_STR),
	ROW(oci_version, C_STR),
	ROW(annotations, C_KVS),
	ROW(created, C_U64),
	ROW(owner_uid, C_U32),
	ROW(backend, C_U32),
	ROW(pid, C_I64),
	ROW(pid_start, C_U64),
	ROW(ns_flags, C_U64),
	ROW(shared_pidns, C_BOOL),
	ROW(rootless, C_BOOL),
	ROW(has_process, C_BOOL),
	ROW(policy_digest, C_STR),
	ROW(config_digest, C_STR),
	ROW(measurement, C_STR),
	ROW(listener_path, C_STR),
	ROW(listener_metadata, C_STR),
	ROW(hook_out, C_STR),
	ROW(hook_err, C_STR),
	ROW(audit_dir, C_STR),
	ROW(audit, C_U32),
	ROW(strength, C_U32),
	ROW_SUB(cg, C_OBJ, &cg_table),
	ROW_SUB(rdt, C_OBJ, &rdt_table),
	ROW_SUB(poststart, C_OBJS, &pol_hook_table),
	ROW_SUB(poststop, C_OBJS, &pol_hook_table),
	ROW_SUB(mounts, C_OBJS, &mount_table),
	ROW_SUB(updated, C_OBJS, &pol_resources_table),
};

const struct ctable state_table = {
	.name = "state", .f = fields, .n = ARRAY_LEN(fields), .size = sizeof(struct state_record)};

#define MAGIC "KVCHST1\n"
#define MAGIC_LEN (sizeof(MAGIC) - 1)

static bool is_absolute(const char *path)
{
	return path && path[0] == '/';
}

static bool cgroup_fits(const struct cg *cg)
{
	if (cg->layout > CG_V2 || cg->hier.n > CG_MAX_HIER)
		return false;
	for (size_t i = 0; i < cg->hier.n; i++) {
		const struct cg_hier *h = &cg->hier.v[i];

		/* the root of a hierarchy is nobody's container */
		if (!h->name || !is_absolute(h->mount) || !is_absolute(h->path) || !h->path[1])
			return false;
	}
	return true;
}

static bool hooks_fit(const pol_hooks *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (!is_absolute(h->v[i].path))
			return false;
	return true;
}

static bool is_name(const char *s)
{
	return !s || (*s && !strchr(s, '/') && !str_eq(s, ".."));
}

static bool rdt_fits(const struct rdt *r)
{
	return is_name(r->group) && is_name(r->mon) && !(r->made && str_eq0(r->group, ".")) &&
	       !str_eq0(r->mon, ".");
}

static bool mounts_fit(const struct state_record *r)
{
	for (size_t i = 0; i < r->mounts.n; i++)
		if (!is_absolute(r->mounts.v[i].destination))
			return false;
	return true;
}

static bool fits(const struct state_record *r)
{
	return r->pid >= 0 && r->pid <= INT32_MAX && r->strength <= 101 &&
	       (!r->audit_dir || is_absolute(r->audit_dir)) && cgroup_fits(&r->cg) &&
	       rdt_fits(&r->rdt) && hooks_fit(&r->poststart) && hooks_fit(&r->poststop) &&
	       mounts_fit(r) && r->updated.n <= 1;
}

void state_record_encode(struct buf *out, const struct state_record *r)
{
	buf_put(out, MAGIC, MAGIC_LEN);
	codec_encode(out, &state_table, r);
}

int state_record_decode(const void *p, size_t n, struct arena *a, struct state_record *ret,
			struct err *e)
{
	struct state_record r = {0};
	struct buf b;

	if (n < MAGIC_LEN || memcmp(p, MAGIC, MAGIC_LEN) != 0)
		return err_set(e, -EINVAL,
			       "the state record was not written by this version of kavach");
	b = BUF_READER((const uint8_t *) p + MAGIC_LEN, n - MAGIC_LEN);
	codec_decode(&b, &state_table, &r, a);
	if (b.bad || buf_left(&b) || !fits(&r))
		return err_set(e, -EINVAL, "the state record is damaged");
	*ret = r;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* features.md and features-linux.md, complete to OCI_VERSION: no property of a later version may appear. */
#include "spec/out.h"

#include "base/jsonw.h"
#include "spec/annot.h"
#include "spec/fields.h"

static void put_names(struct jsonw *w, const char *key, struct out_names l)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < l.n; i++)
		jw_str(w, l.v[i].name);
	jw_arr_end(w);
}

/* {"enabled": on} */
static void put_enabled(struct jsonw *w, const char *key, bool on)
{
	jw_key(w, key);
	jw_obj(w);
	jw_kbool(w, "enabled", on);
	jw_obj_end(w);
}

static void put_hooks(struct jsonw *w)
{
	jw_key(w, "hooks");
	jw_arr(w);
	for (size_t i = 0; i < spec_t_hooks.n; i++)
		jw_str(w, spec_t_hooks.f[i].name);
	jw_arr_end(w);
}

static void put_mount_options(struct jsonw *w, const struct out_features_in *in)
{
	const char *name;

	jw_key(w, "mountOptions");
	jw_arr(w);
	for (size_t i = 0; (name = in->mount_option(i)); i++)
		jw_str(w, name);
	jw_arr_end(w);
}

static void put_cgroup(struct jsonw *w, const struct out_features_in *in)
{
	jw_key(w, "cgroup");
	jw_obj(w);
	jw_kbool(w, "v1", in->cgroup_v1);
	jw_kbool(w, "v2", in->cgroup_v2);
	jw_kbool(w, "systemd", in->cgroup_systemd);
	jw_kbool(w, "systemdUser", in->cgroup_systemd_user);
	jw_kbool(w, "rdma", in->cgroup_rdma);
	jw_obj_end(w);
}

/* knownFlags are those that we understand, supportedFlags those that can be applied. Flags go straight to
 * seccomp(2), so for us they are the same. */
static void put_seccomp(struct jsonw *w, const struct out_features_in *in)
{
	jw_key(w, "seccomp");
	jw_obj(w);
	jw_kbool(w, "enabled", in->libseccomp != NULL);
	if (in->libseccomp) {
		put_names(w, "actions", in->seccomp_actions);
		put_names(w, "operators", in->seccomp_operators);
		put_names(w, "archs", in->seccomp_archs);
		put_names(w, "knownFlags", in->seccomp_flags);
		put_names(w, "supportedFlags", in->seccomp_flags);
	}
	jw_obj_end(w);
}

static void put_rdt(struct jsonw *w, const struct out_features_in *in)
{
	jw_key(w, "intelRdt");
	jw_obj(w);
	jw_kbool(w, "enabled", in->rdt);
	jw_kbool(w, "schemata", in->rdt);
	jw_kbool(w, "monitoring", in->rdt);
	jw_obj_end(w);
}

static void put_linux(struct jsonw *w, const struct out_features_in *in)
{
	jw_key(w, "linux");
	jw_obj(w);
	put_names(w, "namespaces", in->namespaces);
	put_names(w, "capabilities", in->capabilities);
	put_cgroup(w, in);
	put_seccomp(w, in);
	put_enabled(w, "apparmor", in->apparmor);
	put_enabled(w, "selinux", in->selinux);
	put_rdt(w, in);
	if (in->memory_policy) {
		jw_key(w, "memoryPolicy");
		jw_obj(w);
		put_names(w, "modes",
			  (struct out_names){spec_mempolicy_modes, spec_mempolicy_modes_n});
		put_names(w, "flags",
			  (struct out_names){spec_mempolicy_flags, spec_mempolicy_flags_n});
		jw_obj_end(w);
	}
	jw_key(w, "mountExtensions");
	jw_obj(w);
	put_enabled(w, "idmap", in->idmap);
	jw_obj_end(w);
	put_enabled(w, "netDevices", in->net_devices);
	jw_obj_end(w);
}

/* The checkpoint key is what podman and others ask for, whatever the runtime is called. */
static void put_annotations(struct jsonw *w, const struct out_features_in *in)
{
	jw_key(w, "annotations");
	jw_obj(w);
	if (in->libseccomp)
		jw_kstr(w, "io.github.seccomp.libseccomp.version", in->libseccomp);
	if (in->commit)
		jw_kstr(w, "io.kavach.commit", in->commit);
	jw_kstr(w, "io.kavach.version", in->version);
	jw_kstr(w, "org.opencontainers.runc.checkpoint.enabled", "true");
	jw_obj_end(w);
}

static void put_unsafe_annotations(struct jsonw *w)
{
	jw_key(w, "potentiallyUnsafeConfigAnnotations");
	jw_arr(w);
	for (size_t i = 0; i < annot_rows_n; i++)
		if (annot_rows[i].is_unsafe)
			jw_str(w, annot_rows[i].name);
	jw_arr_end(w);
}

void out_features(struct buf *b, const struct out_features_in *in)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "ociVersionMin", OCI_VERSION_MIN);
	jw_kstr(&w, "ociVersionMax", OCI_VERSION);
	put_hooks(&w);
	put_mount_options(&w, in);
	put_linux(&w, in);
	put_annotations(&w, in);
	put_unsafe_annotations(&w);
	jw_obj_end(&w);
	buf_put_u8(b, '\n');
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The root, the mounts in their order, masked and read-only paths. */
#include <stdio.h>
#include <sys/mount.h>

#include "base/log.h"
#include "base/num.h"
#include "base/path.h"
#include "policy/mntopt.h"
#include "policy/pb.h"

int pb_root(struct pb *b, struct err *e)
{
	static const struct name_val propagations[] = {
		{"shared", MS_SHARED},
		{"slave", MS_SLAVE},
		{"private", MS_PRIVATE},
		{"unbindable", MS_UNBINDABLE},
		{"rshared", MS_SHARED | MS_REC},
		{"rslave", MS_SLAVE | MS_REC},
		{"rprivate", MS_PRIVATE | MS_REC},
		{"runbindable", MS_UNBINDABLE | MS_REC},
	};
	static const struct name_val contexts[] = {
		{"context", 0}, {"fscontext", 1}, {"defcontext", 2}, {"rootcontext", 3}};
	const struct spec_root *root = b->s->root;
	const char *kind = pb_annotation(b, "run.oci.mount_context_type");
	long v = 0;
	int r;

	if (!root)
		return pb_refuse(b, e, "root: required");
	if (str_empty(root->path))
		return pb_refuse(b, e, "root.path: expected the path of a directory, found \"\"");
	b->p->rootfs = pb_host_path(b, root->path);
	b->p->rootfs_readonly = root->readonly.v;
	if (pb_given(b->l->rootfsPropagation)) {
		r = PB_WORD(b, propagations, b->l->rootfsPropagation, &v, e,
			    "linux.rootfsPropagation");
		if (r < 0)
			return r;
		b->p->rootfs_propagation = (uint64_t) v;
	}
	b->p->mount_label = pb_given(b->l->mountLabel);
	if (b->p->mount_label && !b->h->selinux)
		return pb_refuse(
			b, e,
			"linux.mountLabel: \"%s\" is given, but SELinux is not enabled on this host",
			b->p->mount_label);
	v = 0;
	r = kind ? PB_WORD(b, contexts, kind, &v, e, "annotations[\"run.oci.mount_context_type\"]")
		 : 0;
	if (r < 0)
		return r;
	b->p->mount_label_kind = (uint32_t) v;
	return 0;
}

/* ---- mounts ---- */

/* What the mount is, from its options and its type: it is a bind if the options say so, whatever the
 * type says. */
static int mount_kind(struct pb *b, size_t i, const struct mntopt *o, struct pol_mount *m,
		      struct err *e)
{
	const struct spec_mount *s = &b->s->mounts.v[i];

	if (o->remount) {
		m->kind = POL_MOUNT_REMOUNT;
	} else if (o->bind || o->rbind) {
		m->kind = o->rbind ? POL_MOUNT_RBIND : POL_MOUNT_BIND;
	} else if (str_empty(s->type)) {
		return pb_refuse(
			b, e, "mounts[%zu]: expected a type, or \"bind\" or \"rbind\" in options",
			i);
	} else if (str_eq(s->type, "bind") || str_eq(s->type, "none")) {
		return pb_refuse(
			b, e,
			"mounts[%zu].type: \"%s\" is no file system; a bind mount has \"bind\" or "
			"\"rbind\" in options",
			i, s->type);
	} else if (str_eq(s->type, "cgroup") || str_eq(s->type, "cgroup2")) {
		m->kind = POL_MOUNT_CGROUP;
		m->type = s->type;
	} else {
		m->kind = POL_MOUNT_FS;
		m->type = s->type;
	}
	return 0;
}

/*
 * Nothing may be put over /proc but what leaves it a procfs: what is written there later, labels for
 * instance, would go to a file of the container's choice (CVE-2019-16884). The list is what lxcfs and
 * similar tools cover with files of their own (R-12).
 */
static int check_proc(struct pb *b, size_t i, const struct pol_mount *m, struct err *e)
{
	static const char *const allowed[] = {
		"/proc/cpuinfo",
		"/proc/diskstats",
		"/proc/meminfo",
		"/proc/stat",
		"/proc/swaps",
		"/proc/uptime",
		"/proc/loadavg",
		"/proc/slabinfo",
		"/proc/sys/kernel/ns_last_pid",
		"/proc/sys/crypto/fips_enabled",
	};

	if (m->kind == POL_MOUNT_REMOUNT || !path_below(m->destination, "/proc"))
		return 0;
	if (str_eq(m->destination, "/proc")) {
		/* Whether the source of a bind is a procfs is seen when it is open. */
		if (m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND ||
		    str_eq(m->type, "proc"))
			return 0;
		return pb_refuse(b, e, "mounts[%zu].type: expected \"proc\" at /proc, found \"%s\"",
				 i, m->type);
	}
	for (size_t j = 0; j < ARRAY_LEN(allowed); j++)
		if (str_eq(m->destination, allowed[j]))
			return 0;
	return pb_refuse(
		b, e, "mounts[%zu].destination: nothing may be mounted at \"%s\", inside of /proc",
		i, m->destination);
}

static int mount_places(struct pb *b, size_t i, struct pol_mount *m, struct err *e)
{
	const struct spec_mount *s = &b->s->mounts.v[i];

	if (str_empty(s->destination))
		return pb_refuse(b, e, "mounts[%zu].destination: required", i);
	if (s->destination[0] != '/')
		log_debug("%s: mounts[%zu].destination: \"%s\" is relative, taken as below \"/\"",
			  b->config, i, s->destination);
	m->destination = path_clean(b->a, s->destination);
	if (str_eq(m->destination, "/") && m->kind != POL_MOUNT_REMOUNT)
		return pb_refuse(b, e,
				 "mounts[%zu].destination: \"%s\" would hide the root file system",
				 i, s->destination);
	m->source = pb_given(s->source);
	if (m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND) {
		if (!m->source)
			return pb_refuse(b, e, "mounts[%zu].source: a bind mount needs one", i);
		m->source = pb_host_path(b, m->source);
	}
	return check_proc(b, i, m, e);
}

/* What a kind of mount cannot carry out is refused, not dropped. */
static int check_options(struct pb *b, size_t i, struct pol_mount *m, struct err *e)
{
	bool bind = m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;

	if (m->data.n && (bind || m->kind == POL_MOUNT_REMOUNT))
		return pb_refuse(
			b, e,
			"mounts[%zu].options: \"%s\" is an option of a file system, %s has none", i,
			m->data.v[0], bind ? "a bind mount" : "a remount");
	if ((m->flags & POL_MOUNT_TMPCOPYUP) && !(m->type && str_eq(m->type, "tmpfs")))
		return pb_refuse(
			b, e, "mounts[%zu].options: \"tmpcopyup\" is only for type \"tmpfs\"", i);
	if ((m->flags & (POL_MOUNT_COPY_SYMLINK | POL_MOUNT_SRC_NOFOLLOW)) && !bind)
		return pb_refuse(b, e, "mounts[%zu].options: \"%s\" is only for bind mounts", i,
				 m->flags & POL_MOUNT_COPY_SYMLINK ? "copy-symlink"
								   : "src-nofollow");
	if ((m->flags & POL_MOUNT_IDMAP) &&
	    (m->kind == POL_MOUNT_REMOUNT || m->kind == POL_MOUNT_CGROUP))
		return pb_refuse(
			b, e,
			"mounts[%zu].options: \"idmap\" is only for bind mounts and new file "
			"systems",
			i);
	/* The super block of a bind mount is its source's: the kernel ignores these flags there. */
	if (bind)
		m->sb_flags = 0;
	return 0;
}

/* One "ids" part of an idmap= option: CONTAINER-HOST-SIZE groups between '#'; "@" in front says that the
 * host id is one of the container's user namespace. */
static int parse_map(struct pb *b, const char *text, const pol_idmaps *ns, pol_idmaps *ret)
{
	struct strs groups = str_split(b->a, text, '#');

	ret->v = arena_array(b->a, groups.n, sizeof(*ret->v));
	for (size_t i = 0; i < groups.n; i++) {
		const char *g = groups.v[i] + (groups.v[i][0] == '@');
		struct strs n = str_split(b->a, g, '-');
		uint64_t id[3];

		if (n.n != 3)
			return -EINVAL;
		for (size_t j = 0; j < 3; j++)
			if (num_parse_u64(n.v[j], UINT32_MAX, &id[j]) < 0)
				return -EINVAL;
		if (g != groups.v[i] && !pb_map_id(ns, id[1], id[2], &id[1]))
			return -EINVAL;
		ret->v[ret->n++] = (struct pol_idmap){id[0], id[1], id[2]};
	}
	return groups.n ? 0 : -EINVAL;
}

static int idmap_option(struct pb *b, size_t i, const char *text, struct pol_mount *m,
			struct err *e)
{
	struct strs parts = str_split(b->a, text, ';');
	const char *ids;
	int r = 0;

	for (size_t j = 0; j < parts.n && r == 0; j++) {
		if ((ids = str_prefix(parts.v[j], "uids=")) && !m->uid_map.n)
			r = parse_map(b, ids, &b->p->uid_map, &m->uid_map);
		else if ((ids = str_prefix(parts.v[j], "gids=")) && !m->gid_map.n)
			r = parse_map(b, ids, &b->p->gid_map, &m->gid_map);
		else
			r = -EINVAL;
	}
	if (r < 0 || !m->uid_map.n || !m->gid_map.n)
		return pb_refuse(
			b, e,
			"mounts[%zu].options: expected \"idmap=uids=C-H-N#...;gids=C-H-N#...\" with "
			"ids that are mapped, found \"idmap=%s\"",
			i, text);
	return 0;
}

/* S-08: both maps or neither; without them those of the container's user namespace. */
static int mount_idmap(struct pb *b, size_t i, const struct mntopt *o, struct pol_mount *m,
		       struct err *e)
{
	const struct spec_mount *s = &b->s->mounts.v[i];

	if (!s->uidMappings.n != !s->gidMappings.n)
		return pb_refuse(
			b, e,
			"mounts[%zu]: expected both uidMappings and gidMappings, found only %s", i,
			s->uidMappings.n ? "uidMappings" : "gidMappings");
	if (s->uidMappings.n) {
		if (o->idmap)
			return pb_refuse(b, e,
					 "mounts[%zu].options: \"idmap=%s\" is given together with "
					 "uidMappings",
					 i, o->idmap);
		pb_copy_maps(b, &s->uidMappings, &m->uid_map);
		pb_copy_maps(b, &s->gidMappings, &m->gid_map);
		m->flags |= POL_MOUNT_IDMAP; /* configs older than 1.2 have no option for it */
		return 0;
	}
	if (!(m->flags & POL_MOUNT_IDMAP))
		return 0;
	if (o->idmap)
		return idmap_option(b, i, o->idmap, m, e);
	if (!pol_ns_find(b->p, POL_NS_USER))
		return pb_refuse(
			b, e,
			"mounts[%zu].options: \"idmap\" needs uidMappings and gidMappings, or a user "
			"namespace in linux.namespaces",
			i);
	return 0;
}

static int add_mount(struct pb *b, size_t i, struct err *e)
{
	const struct spec_mount *s = &b->s->mounts.v[i];
	struct pol_mount *m = &b->p->mounts.v[i];
	struct mntopt o = {0};
	int r;

	m->config_index = (uint32_t) i;
	m->data.v = arena_array(b->a, s->options.n, sizeof(*m->data.v));
	for (size_t j = 0; j < s->options.n; j++)
		mntopt_apply(s->options.v[j], m, &o);
	/* Choosing an access time clears the field too, but that is the kernel's way of setting it. */
	if (((m->attr_clr | m->rattr_clr) & ~(uint64_t) MOUNT_ATTR__ATIME) || o.atime_undone)
		m->flags |= POL_MOUNT_USER_CLEARED;
	r = mount_kind(b, i, &o, m, e);
	if (r < 0)
		return r;
	if (m->kind == POL_MOUNT_FS && (m->attr_set & MOUNT_ATTR_RDONLY))
		m->flags |= POL_MOUNT_DATA_RO;
	r = mount_places(b, i, m, e);
	if (r < 0)
		return r;
	r = mount_idmap(b, i, &o, m, e);
	if (r < 0)
		return r;
	return check_options(b, i, m, e);
}

int pb_mounts(struct pb *b, struct err *e)
{
	size_t n = b->s->mounts.n;

	b->p->mounts.v = arena_array(b->a, n, sizeof(*b->p->mounts.v));
	b->p->mounts.n = n;
	for (size_t i = 0; i < n; i++) {
		int r = add_mount(b, i, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- masked and read-only paths ---- */

static int paths(struct pb *b, const struct strs *s, const char *what, struct strs *ret,
		 struct err *e)
{
	char name[32];
	int r;

	snprintf(name, sizeof(name), "linux.%s", what);
	r = pb_count(b, name, s->n, e);
	if (r < 0)
		return r;
	ret->v = arena_array(b->a, s->n, sizeof(*ret->v));
	ret->set = s->n > 0;
	for (size_t i = 0; i < s->n; i++) {
		char *path;

		if (s->v[i][0] != '/')
			return pb_refuse(b, e,
					 "linux.%s[%zu]: expected an absolute path, found \"%s\"",
					 what, i, s->v[i]);
		path = path_clean(b->a, s->v[i]);
		if (str_eq(path, "/"))
			return pb_refuse(b, e, "linux.%s[%zu]: \"%s\" is all of the root", what, i,
					 s->v[i]);
		if (!strs_has(ret, path))
			ret->v[ret->n++] = path;
	}
	return 0;
}

int pb_paths(struct pb *b, struct err *e)
{
	int r = paths(b, &b->l->maskedPaths, "maskedPaths", &b->p->masked, e);

	if (r < 0)
		return r;
	return paths(b, &b->l->readonlyPaths, "readonlyPaths", &b->p->readonly, e);
}

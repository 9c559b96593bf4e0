/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts for a container that lives (`mounts add`). Beside what holds for all mounts: its masked and read-only paths are
 * there already, and nothing may be put over them, or over what holds them; and a file system that would have to find its
 * source by a path would find the container's.
 */
#include <linux/mount.h>

#include "base/path.h"
#include "policy/landlock.h"
#include "policy/pb.h"

/* Made of nothing. Not proc and sysfs: a new one has none of the container's masks. */
static bool needs_no_source(const char *type)
{
	static const char *const types[] = {"tmpfs", "ramfs", "mqueue", "devpts", "hugetlbfs"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(type, types[i]))
			return true;
	return false;
}

static int check_kind(struct pb *b, const struct pol_mount *m, struct err *e)
{
	switch ((enum pol_mount_kind) m->kind) {
	case POL_MOUNT_BIND:
	case POL_MOUNT_RBIND: break;
	case POL_MOUNT_REMOUNT:
		return pb_refuse(b, e,
				 "mounts[%u].options: \"remount\" changes a mount, and none that a "
				 "container has is changed while it lives",
				 m->config_index);
	case POL_MOUNT_FS:
		if (needs_no_source(m->type))
			break;
		/* fall through */
	case POL_MOUNT_CGROUP:
		return pb_refuse(
			b, e,
			"mounts[%u].type: a container that lives gets bind mounts, tmpfs, ramfs, mqueue, "
			"devpts and hugetlbfs, found \"%s\"; what is mounted on the host can be bound",
			m->config_index, m->type);
	}
	if (m->flags & POL_MOUNT_COPY_SYMLINK)
		return pb_refuse(
			b, e,
			"mounts[%u].options: \"copy-symlink\" makes a symlink, which is no "
			"mount that could be removed again",
			m->config_index);
	return 0;
}

static int check_cover(struct pb *b, const struct pol_mount *m, const struct strs *paths,
		       const char *what, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++)
		if (path_below(paths->v[i], m->destination))
			return pb_refuse(b, e,
					 "mounts[%u].destination: \"%s\" would cover %s, of the "
					 "container's %s",
					 m->config_index, m->destination, paths->v[i], what);
	return 0;
}

/* The layers are as they were made: a mount that comes later is as writable as the place that it covers. */
static int check_landlock(struct pb *b, const struct pol_mount *m, struct err *e)
{
	if ((m->attr_set | m->rattr_set) & MOUNT_ATTR_RDONLY)
		return 0;
	for (size_t i = 0; i < b->p->landlock.n; i++)
		if (!landlock_writable(&b->p->landlock.v[i], m->destination))
			return pb_refuse(
				b, e,
				"mounts[%u].destination: nothing can be written below \"%s\", for "
				"the container's Landlock layer does not let it; \"ro\" in options "
				"would do",
				m->config_index, m->destination);
	return 0;
}

static int check_secrets(struct pb *b, const struct pol_mount *m, struct err *e)
{
	for (size_t i = 0; i < b->p->secrets.n; i++) {
		const struct pol_secret *s = &b->p->secrets.v[i];
		const char *dir = pol_secret_dir(b->a, s);

		if (dir && (path_below(dir, m->destination) || path_below(m->destination, dir)))
			return pb_refuse(
				b, e,
				"mounts[%u].destination: \"%s\" would cover the secret %s in %s",
				m->config_index, m->destination, s->name, dir);
	}
	return 0;
}

int pb_live(struct pb *b, struct err *e)
{
	const struct pol_ns *ns = pol_ns_find(b->p, POL_NS_MNT);

	if (!ns || ns->path)
		return pb_refuse(
			b, e,
			"the container has no mount namespace of its own: nothing is mounted "
			"in that of others");
	for (size_t i = 0; i < b->p->mounts.n; i++) {
		const struct pol_mount *m = &b->p->mounts.v[i];
		int r = check_kind(b, m, e);

		if (r == 0)
			r = check_cover(b, m, &b->p->masked, "linux.maskedPaths", e);
		if (r == 0)
			r = check_cover(b, m, &b->p->readonly, "linux.readonlyPaths", e);
		if (r == 0)
			r = check_landlock(b, m, e);
		if (r == 0)
			r = check_secrets(b, m, e);
		if (r < 0)
			return r;
	}
	return 0;
}

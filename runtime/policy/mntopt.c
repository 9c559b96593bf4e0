/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row per option string. Per-mount attributes end as a pair (set, clear) for mount_setattr(2), once
 * for the mount and once, for the r* family, for everything below it too. The access time is not a set
 * of bits but a choice of one in the field MOUNT_ATTR__ATIME, and the kernel wants the whole field
 * cleared whenever one is chosen (fs/namespace.c, build_mount_kattr()).
 *
 * Rows are sorted by name: this is the order in which `features` shows them.
 */
#include <sys/mount.h>

#include "policy/build.h"
#include "policy/mntopt.h"

/* linux/fs.h has them, sys/mount.h only some, and the two headers do not go together everywhere. */
#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

enum kind {
	OPT_NONE,  /* known, nothing to do */
	OPT_ATTR,  /* `set` or `clr` of the mount */
	OPT_RATTR, /* the same for everything below it as well */
	OPT_ATIME, /* choose `set` in the access time field */
	OPT_RATIME,
	OPT_NOATIME, /* undo the choice of `clr` if it was made by an earlier option */
	OPT_RNOATIME,
	OPT_SB, /* MS_* bits of the super block */
	OPT_PROP,
	OPT_FLAG, /* POL_MOUNT_* */
	OPT_BIND,
	OPT_RBIND,
	OPT_REMOUNT,
};

struct row {
	const char *name;
	enum kind kind;
	uint64_t set, clr;
};

#define NOATIME MOUNT_ATTR_NOATIME
#define RELATIME MOUNT_ATTR_RELATIME /* 0: what the kernel does unless told otherwise */
#define STRICT MOUNT_ATTR_STRICTATIME
#define ATIME MOUNT_ATTR__ATIME

static const struct row rows[] = {
	{"async", OPT_SB, 0, MS_SYNCHRONOUS},
	{"atime", OPT_NOATIME, 0, NOATIME},
	{"bind", OPT_BIND, 0, 0},
	{"copy-symlink", OPT_FLAG, POL_MOUNT_COPY_SYMLINK, 0},
	{"defaults", OPT_NONE, 0, 0},
	{"dest-nofollow", OPT_FLAG, POL_MOUNT_DEST_NOFOLLOW, 0},
	{"dev", OPT_ATTR, 0, MOUNT_ATTR_NODEV},
	{"diratime", OPT_ATTR, 0, MOUNT_ATTR_NODIRATIME},
	{"dirsync", OPT_SB, MS_DIRSYNC, 0},
	{"exec", OPT_ATTR, 0, MOUNT_ATTR_NOEXEC},
	{"idmap", OPT_FLAG, POL_MOUNT_IDMAP, 0},
	{"iversion", OPT_SB, MS_I_VERSION, 0},
	{"lazytime", OPT_SB, MS_LAZYTIME, 0},
	{"loud", OPT_SB, 0, MS_SILENT},
	{"mand", OPT_SB, MS_MANDLOCK, 0},
	{"noatime", OPT_ATIME, NOATIME, 0},
	{"nodev", OPT_ATTR, MOUNT_ATTR_NODEV, 0},
	{"nodiratime", OPT_ATTR, MOUNT_ATTR_NODIRATIME, 0},
	{"noexec", OPT_ATTR, MOUNT_ATTR_NOEXEC, 0},
	{"noiversion", OPT_SB, 0, MS_I_VERSION},
	{"nolazytime", OPT_SB, 0, MS_LAZYTIME},
	{"nomand", OPT_SB, 0, MS_MANDLOCK},
	{"norelatime", OPT_NONE, 0, 0}, /* relatime is what is left when nothing is chosen */
	{"nostrictatime", OPT_NOATIME, 0, STRICT},
	{"nosuid", OPT_ATTR, MOUNT_ATTR_NOSUID, 0},
	{"nosymfollow", OPT_ATTR, MOUNT_ATTR_NOSYMFOLLOW, 0},
	{"private", OPT_PROP, MS_PRIVATE, 0},
	{"ratime", OPT_RNOATIME, 0, NOATIME},
	{"rbind", OPT_RBIND, 0, 0},
	{"rdev", OPT_RATTR, 0, MOUNT_ATTR_NODEV},
	{"rdiratime", OPT_RATTR, 0, MOUNT_ATTR_NODIRATIME},
	{"relatime", OPT_ATIME, RELATIME, 0},
	{"remount", OPT_REMOUNT, 0, 0},
	{"rexec", OPT_RATTR, 0, MOUNT_ATTR_NOEXEC},
	{"ridmap", OPT_FLAG, POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC, 0},
	{"rnoatime", OPT_RATIME, NOATIME, 0},
	{"rnodev", OPT_RATTR, MOUNT_ATTR_NODEV, 0},
	{"rnodiratime", OPT_RATTR, MOUNT_ATTR_NODIRATIME, 0},
	{"rnoexec", OPT_RATTR, MOUNT_ATTR_NOEXEC, 0},
	{"rnorelatime", OPT_NONE, 0, 0},
	{"rnostrictatime", OPT_RNOATIME, 0, STRICT},
	{"rnosuid", OPT_RATTR, MOUNT_ATTR_NOSUID, 0},
	{"rnosymfollow", OPT_RATTR, MOUNT_ATTR_NOSYMFOLLOW, 0},
	{"ro", OPT_ATTR, MOUNT_ATTR_RDONLY, 0},
	{"rprivate", OPT_PROP, MS_PRIVATE | MS_REC, 0},
	{"rrelatime", OPT_RATIME, RELATIME, 0},
	{"rro", OPT_RATTR, MOUNT_ATTR_RDONLY, 0},
	{"rrw", OPT_RATTR, 0, MOUNT_ATTR_RDONLY},
	{"rshared", OPT_PROP, MS_SHARED | MS_REC, 0},
	{"rslave", OPT_PROP, MS_SLAVE | MS_REC, 0},
	{"rstrictatime", OPT_RATIME, STRICT, 0},
	{"rsuid", OPT_RATTR, 0, MOUNT_ATTR_NOSUID},
	{"rsymfollow", OPT_RATTR, 0, MOUNT_ATTR_NOSYMFOLLOW},
	{"runbindable", OPT_PROP, MS_UNBINDABLE | MS_REC, 0},
	{"rw", OPT_ATTR, 0, MOUNT_ATTR_RDONLY},
	{"shared", OPT_PROP, MS_SHARED, 0},
	{"silent", OPT_SB, MS_SILENT, 0},
	{"slave", OPT_PROP, MS_SLAVE, 0},
	{"src-nofollow", OPT_FLAG, POL_MOUNT_SRC_NOFOLLOW, 0},
	{"strictatime", OPT_ATIME, STRICT, 0},
	{"suid", OPT_ATTR, 0, MOUNT_ATTR_NOSUID},
	{"symfollow", OPT_ATTR, 0, MOUNT_ATTR_NOSYMFOLLOW},
	{"sync", OPT_SB, MS_SYNCHRONOUS, 0},
	{"tmpcopyup", OPT_FLAG, POL_MOUNT_TMPCOPYUP, 0},
	{"unbindable", OPT_PROP, MS_UNBINDABLE, 0},
};

const char *mount_option_name(size_t i)
{
	return i < ARRAY_LEN(rows) ? rows[i].name : NULL;
}

/* A pair for mount_setattr(2): what is set is not cleared and the other way round. */
static void attr_change(uint64_t *set, uint64_t *clr, uint64_t s, uint64_t c)
{
	*set = (*set & ~c) | s;
	*clr = (*clr & ~s) | c;
}

static void atime_choose(uint64_t *set, uint64_t *clr, uint64_t choice)
{
	*set = (*set & ~(uint64_t) ATIME) | choice;
	*clr |= ATIME;
}

/* "atime" is the opposite of noatime, and of nothing else: a strictatime before it stays. */
static bool atime_undo(uint64_t *set, uint64_t *clr, uint64_t undone)
{
	if ((*clr & ATIME) && (*set & ATIME) != undone)
		return false;
	atime_choose(set, clr, RELATIME);
	return true;
}

static const struct row *find_row(const char *option)
{
	size_t lo = 0, hi = ARRAY_LEN(rows);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(option, rows[mid].name);

		if (c == 0)
			return &rows[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static void apply_row(const struct row *r, struct pol_mount *m, struct mntopt *o)
{
	switch (r->kind) {
	case OPT_NONE: break;
	case OPT_ATTR: attr_change(&m->attr_set, &m->attr_clr, r->set, r->clr); break;
	case OPT_RATTR: attr_change(&m->rattr_set, &m->rattr_clr, r->set, r->clr); break;
	case OPT_ATIME:
		o->atime_undone = false;
		atime_choose(&m->attr_set, &m->attr_clr, r->set);
		break;
	case OPT_RATIME:
		o->atime_undone = false;
		atime_choose(&m->rattr_set, &m->rattr_clr, r->set);
		break;
	case OPT_NOATIME: o->atime_undone |= atime_undo(&m->attr_set, &m->attr_clr, r->clr); break;
	case OPT_RNOATIME:
		o->atime_undone |= atime_undo(&m->rattr_set, &m->rattr_clr, r->clr);
		break;
	case OPT_SB: m->sb_flags = (m->sb_flags & ~r->clr) | r->set; break;
	case OPT_PROP: m->propagation = r->set; break;
	case OPT_FLAG: m->flags |= (uint32_t) r->set; break;
	case OPT_BIND: o->bind = true; break;
	case OPT_RBIND: o->rbind = true; break;
	case OPT_REMOUNT: o->remount = true; break;
	}
}

void mntopt_apply(const char *option, struct pol_mount *m, struct mntopt *o)
{
	const struct row *r = find_row(option);
	const char *map;

	if (r) {
		apply_row(r, m, o);
	} else if ((map = str_prefix(option, "idmap="))) {
		m->flags |= POL_MOUNT_IDMAP;
		o->idmap = map;
	} else if ((map = str_prefix(option, "ridmap="))) {
		m->flags |= POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC;
		o->idmap = map;
	} else if (*option) {
		m->data.v[m->data.n++] = (char *) (uintptr_t) option;
		m->data.set = true;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of the policy, in order, put below the root before the pivot: createContainer hooks of
 * engines expect to find them at the paths of the host.
 */
#include "exec/mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

bool mnt_in_userns(const struct stage *s)
{
	return s->boot->new_userns || s->boot->joined_userns || s->boot->rootless;
}

const char *mnt_label(struct stage *s)
{
	static const char *const kinds[] = {"context", "fscontext", "defcontext", "rootcontext"};
	uint32_t kind = s->p->mount_label_kind;

	if (str_empty(s->p->mount_label) || kind >= ARRAY_LEN(kinds))
		return NULL;
	return arena_printf(s->a, "%s=%s", kinds[kind], s->p->mount_label);
}

int mnt_err_locked(struct err *e)
{
	return err_set(e, -EPERM,
		       "the source has flags (read-only, nosuid, nodev, noexec or atime) that a "
		       "user namespace cannot clear");
}

/* Docker looks for "not a directory"; what reads "is a directory" it takes for the program's. */
int mnt_err_mismatch(struct err *e)
{
	return err_set(
		e, -ENOTDIR,
		"source and mount point do not match: a directory goes on a directory, the rest "
		"on what is not a directory");
}

static int attach_error(int r, int tree, int target, struct err *e)
{
	struct stat a, b;

	/* EINVAL has many reasons, this one among them. */
	if (fstat(tree, &a) == 0 && fstat(target, &b) == 0 &&
	    S_ISDIR(a.st_mode) != S_ISDIR(b.st_mode))
		return mnt_err_mismatch(e);
	return err_neg(e, r, "attach the mount");
}

/* ---- new file systems ---- */

static size_t fs_options(struct stage *s, const struct pol_mount *m, int target, bool made,
			 const char **opt)
{
	const char *label = mnt_label(s);
	struct stat st;
	size_t n = 0;

	for (size_t i = 0; i < m->data.n; i++)
		opt[n++] = m->data.v[i];
	if (str_eq(m->type, "tmpfs") && !made) {
		/* What stood there keeps its mode; a config that has one of its own comes later in
		 * the list. */
		bool given = false;

		for (size_t i = 0; i < m->data.n; i++)
			given = given || str_prefix(m->data.v[i], "mode=");
		if (!given && fstat(target, &st) == 0)
			opt[n++] = arena_printf(s->a, "mode=%o", (unsigned) (st.st_mode & 07777));
	}
	if (label && !str_eq(m->type, "proc") && !str_eq(m->type, "sysfs") &&
	    !str_eq(m->type, "mqueue") && !str_prefix(m->type, "cgroup"))
		opt[n++] = label;
	return n;
}

static bool wants_idmap(const struct pol_mount *m)
{
	return m->flags & (POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC);
}

static int copy_up(int target, int fd, struct err *e)
{
	fd_late int src = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_late int dst = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (src < 0 || dst < 0)
		return err_sys(e, "open the directory to copy");
	return tmpcopy_tree(src, dst, e);
}

/* Mount points of later mounts and device nodes are made in a tmpfs or in /dev: it becomes
 * read-only at the end. */
static bool is_late_ro(const struct pol_mount *m)
{
	return ((m->attr_set | m->rattr_set) & MOUNT_ATTR_RDONLY) &&
	       (str_eq(m->type, "tmpfs") || str_eq(m->destination, "/dev"));
}

static int set_propagation(struct stage *s, const struct pol_mount *m, int fd, struct err *e)
{
	struct mount_attr a = {.propagation = m->propagation & MNT_PROPAGATION};
	int r;

	if (s->fs->legacy)
		r = legacy_raw(s, -EBADF, NULL, fd, NULL, (unsigned long) m->propagation, NULL);
	else
		r = mnt_set(fd, &a, m->propagation & MS_REC);
	return r < 0 ? err_neg(e, r, "set the propagation") : 0;
}

/* A new mount below a private one is private. */
static bool wants_propagation(const struct pol_mount *m)
{
	uint64_t type = m->propagation & MNT_PROPAGATION;

	return type && type != MS_PRIVATE;
}

/* Only what is attached nowhere yet can be mapped; and what is copied has owners that the map need not have. */
static int map_ids(struct stage *s, const struct pol_mount *m, int fd, int target, struct err *e)
{
	int r = m->flags & POL_MOUNT_TMPCOPYUP ? copy_up(target, fd, e) : 0;

	return r < 0 || !wants_idmap(m) ? r : idmap_tree(s, m, fd, false, e);
}

/* In a container that lives, a mount is there with everything or not at all. */
static int finish_live(struct stage *s, const struct pol_mount *m, int fd, int target,
		       struct err *e)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	int r = map_ids(s, m, fd, target, e);

	if (r == 0 && is_late_ro(m)) {
		r = mnt_set(fd, &ro, false);
		if (r < 0)
			err_neg(e, r, "make it read-only");
	}
	if (r == 0 && wants_propagation(m))
		r = set_propagation(s, m, fd, e);
	return r;
}

int mnt_place(struct stage *s, const struct pol_mount *m, const struct mnt_fs *f, int target,
	      struct err *e)
{
	fd_late int fd = -EBADF;
	int r;

	if (s->fs->live && !mnt_fits_new(f))
		return err_set(e, -EINVAL,
			       "options of one value each, of at most 255 bytes, are needed here");
	if (wants_idmap(m) && (s->fs->legacy || !mnt_fits_new(f)))
		return err_set(e, -ENOSYS,
			       "id-mapping it needs mount_setattr (Linux 5.12), and options of one "
			       "value each");
	if (s->fs->legacy || !mnt_fits_new(f)) {
		r = legacy_fs(s, f, target, e);
		if (r < 0)
			return r;
		fd = legacy_top(s, m->destination, -EBADF, target);
		return fd < 0 ? err_neg(e, fd, "open the new mount") : fd_take(&fd);
	}
	fd = mnt_new_fs(f, e);
	if (fd < 0)
		return fd;
	r = s->fs->live	     ? finish_live(s, m, fd, target, e)
	    : wants_idmap(m) ? map_ids(s, m, fd, target, e)
			     : 0;
	if (r < 0)
		return r;
	r = mnt_attach(fd, target);
	return r < 0 ? attach_error(r, fd, target, e) : fd_take(&fd);
}

int mnt_bind_host(struct stage *s, const struct pol_mount *m, const char *source, bool rec,
		  int target, struct err *e)
{
	struct pol_mount bind = *m;
	fd_late int fd = -EBADF;
	int r;

	bind.kind = rec ? POL_MOUNT_RBIND : POL_MOUNT_BIND;
	bind.rattr_set |= rec ? m->attr_set : 0;
	bind.attr_clr = bind.rattr_clr = 0;
	bind.flags = 0;
	fd = s->fs->legacy ? open(source, O_PATH | O_CLOEXEC)
			   : sys_open_tree(AT_FDCWD, source,
					   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						   (rec ? AT_RECURSIVE : 0));
	if (fd < 0)
		return err_neg(e, s->fs->legacy ? -errno : fd, "open %s", source);
	if (s->fs->legacy)
		return legacy_bind(s, &bind, fd, target, e);
	r = mnt_bind_attrs(s, &bind, fd, true, e);
	if (r < 0)
		return r;
	r = mnt_attach(fd, target);
	return r < 0 ? attach_error(r, fd, target, e) : 0;
}

/* The kernel makes a sysfs only for the owner of the network namespace, and a procfs or sysfs in a
 * user namespace only where the present one is not covered anywhere. Without privilege outside, the
 * host's own is what remains; it shows what this container's namespaces show only if it shares
 * them. */
static int fall_back(struct stage *s, const struct pol_mount *m, int r, int target, struct err *e)
{
	const char *host = NULL;

	if (r != -EPERM || !mnt_in_userns(s) || s->fs->live) /* no path here is the host's */
		return r;
	if (str_eq(m->type, "sysfs"))
		host = "/sys";
	else if (str_eq(m->type, "proc") && !pol_ns_find(s->p, POL_NS_PID))
		host = "/proc";
	else if (str_eq(m->type, "mqueue") && !pol_ns_find(s->p, POL_NS_IPC))
		host = "/dev/mqueue";
	if (!host)
		return r;
	err_clear(e);
	return mnt_bind_host(s, m, host, true, target, e);
}

/* Whether something is still to be done with the mount once it is there. */
static bool needs_fd(const struct pol_mount *m)
{
	return is_late_ro(m) || (m->flags & POL_MOUNT_TMPCOPYUP) || wants_propagation(m) ||
	       wants_idmap(m);
}

static int mount_fs(struct stage *s, size_t i, struct err *e)
{
	const struct pol_mount *m = &s->p->mounts.v[i];
	struct mnt_fs f = {
		.type = m->type,
		.source = m->source ? m->source : m->type,
		.attr = m->attr_set | m->rattr_set,
		.sb_flags = m->sb_flags,
		.sb_ro = m->flags & POL_MOUNT_DATA_RO,
		.lenient_gid = str_eq(m->type, "devpts") && mnt_in_userns(s),
	};
	const char **opt = arena_array(s->a, m->data.n + 2, sizeof(*opt));
	bool made, late = is_late_ro(m);
	fd_late int target = mnt_target(s, m, -EBADF, &made, e);
	fd_late int fd = -EBADF;
	int r;

	if (target < 0)
		return target;
	f.opt = opt;
	f.opt_n = fs_options(s, m, target, made, opt);
	if (late) {
		f.attr &= ~(uint64_t) MOUNT_ATTR_RDONLY;
		f.sb_ro = false;
	}
	/* One call instead of seven or more. When it fails, the others tell why. */
	if (!needs_fd(m) && !s->fs->live && mnt_here(&f, target) == 0)
		return 0;
	fd = mnt_place(s, m, &f, target, e);
	if (fd < 0)
		return fall_back(s, m, fd, target, e);
	if (s->fs->live)
		return live_made(s, i, fd, e);
	r = wants_propagation(m) ? set_propagation(s, m, fd, e) : 0;
	if (r == 0 && (m->flags & POL_MOUNT_TMPCOPYUP) && !wants_idmap(m))
		r = copy_up(target, fd, e);
	if (r == 0 && late)
		s->fs->late[s->fs->late_n++] = (struct late_ro){.fd = fd_take(&fd), .m = m};
	return r;
}

/* ---- binds ---- */

static int open_source(struct stage *s, const struct pol_mount *m)
{
	bool rec = m->kind == POL_MOUNT_RBIND, nofollow = m->flags & POL_MOUNT_SRC_NOFOLLOW;
	int fd;

	if (m->flags & POL_MOUNT_SRC_REAL) {
		int place = path_open_real(m->source);

		if (place < 0 || s->fs->legacy)
			return place;
		fd = sys_open_tree(place, "",
				   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					   (rec ? AT_RECURSIVE : 0));
		close(place);
		return fd;
	}
	if (s->fs->legacy) {
		fd = open(m->source, O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0));
		return fd < 0 ? -errno : fd;
	}
	return sys_open_tree(AT_FDCWD, m->source,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (rec ? AT_RECURSIVE : 0) |
				     (nofollow ? AT_SYMLINK_NOFOLLOW : 0));
}

static bool is_bind(const struct pol_mount *m)
{
	return m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
}

static const struct stage_fd *find_parents(const struct stage *s, size_t i)
{
	for (size_t k = 0; k < s->boot->mount_fds.n; k++)
		if (s->boot->mount_fds.v[k].index == i && s->boot->mount_fds.v[k].fd >= 0)
			return &s->boot->mount_fds.v[k];
	return NULL;
}

static int source_of_parent(const struct stage *s, size_t i)
{
	const struct stage_fd *f = find_parents(s, i);

	return f ? f->fd : -EBADF;
}

static int source_error(const struct pol_mount *m, int r, struct err *e)
{
	if (m->config_index == UINT32_MAX)
		return err_neg(e, r, "open the source %s", m->source);
	return err_neg(e, r, "mounts[%u].source: open %s", m->config_index, m->source);
}

int mounts_open_sources(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->p->mounts.n; i++) {
		const struct pol_mount *m = &s->p->mounts.v[i];

		if (!is_bind(m) || source_of_parent(s, i) >= 0 ||
		    (m->flags & POL_MOUNT_COPY_SYMLINK))
			continue;
		s->fs->trees[i] = open_source(s, m);
		if (s->fs->trees[i] < 0 && !(m->flags & POL_MOUNT_OPTIONAL))
			return source_error(m, s->fs->trees[i], e);
	}
	return 0;
}

int mnt_source(struct stage *s, size_t i, bool *ret_ours, struct err *e)
{
	const struct pol_mount *m = &s->p->mounts.v[i];
	int fd = s->fs->legacy ? -EBADF : source_of_parent(s, i);

	*ret_ours = fd < 0;
	if (fd >= 0)
		return fd;
	if (s->fs->live) /* a path would be the container's */
		return err_set(e, -ENOTSUP, "kavach has not opened the source");
	fd = s->fs->trees[i] >= 0 ? fd_take(&s->fs->trees[i]) : open_source(s, m);
	return fd < 0 ? source_error(m, fd, e) : fd;
}

/* copy-symlink: a source that is a symlink is made again at the destination. 1 = done, 0 = it is
 * none. */
static int copy_symlink(struct stage *s, const struct pol_mount *m, struct err *e)
{
	char want[4096], have[4096];
	const char *name;
	fd_late int dir = -EBADF;
	ssize_t n = readlink(m->source, want, sizeof(want) - 1), k;

	if (n < 0)
		return errno == EINVAL ? 0 : source_error(m, -errno, e);
	want[n] = '\0';
	dir = path_open_parent_in(s->root_fd, m->destination, true, &name);
	if (dir < 0)
		return mnt_target_error(m, dir, e);
	if (symlinkat(want, dir, name) == 0)
		return 1;
	if (errno != EEXIST)
		return err_sys(e, "make the symlink");
	k = readlinkat(dir, name, have, sizeof(have));
	if (k != n || memcmp(have, want, (size_t) n) != 0)
		return err_set(e, -EEXIST,
			       "the destination exists and is not a symlink to \"%.256s\"", want);
	return 1;
}

static int mount_bind(struct stage *s, size_t i, struct err *e)
{
	const struct pol_mount *m = &s->p->mounts.v[i];
	fd_late int tree = -EBADF, target = -EBADF;
	bool ours = true;
	int r;

	if ((m->flags & POL_MOUNT_COPY_SYMLINK) && !s->fs->live) {
		r = copy_symlink(s, m, e);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	tree = mnt_source(s, i, &ours, e);
	if (tree < 0)
		return tree;
	if (str_eq(m->destination, "/proc") && !fd_is_fs(tree, PROC_SUPER_MAGIC))
		return err_set(e, -EPERM, "only a proc file system may be mounted here");
	target = mnt_target(s, m, tree, NULL, e);
	if (target < 0)
		return target;
	if (s->fs->legacy)
		return legacy_bind(s, m, tree, target, e);
	r = !ours && find_parents(s, i)->set ? 0 : mnt_bind_attrs(s, m, tree, ours, e);
	if (r < 0)
		return r;
	r = mnt_attach(tree, target);
	if (r < 0)
		return attach_error(r, tree, target, e);
	return s->fs->live ? live_made(s, i, tree, e) : 0;
}

/* ---- remount ---- */

/* Options of the file system need mount(2): it is the only call that takes flags and data for a
 * mount in place. */
static int remount_data(struct stage *s, const struct pol_mount *m, int fd, struct err *e)
{
	const char **opt = arena_array(s->a, m->data.n, sizeof(*opt));
	struct mnt_fs f = {.type = NULL, .sb_flags = m->sb_flags | MS_REMOUNT, .opt = opt};

	f.attr = m->attr_set;
	for (size_t i = 0; i < m->data.n; i++)
		opt[f.opt_n++] = m->data.v[i];
	return legacy_fs(s, &f, fd, e);
}

static int mount_remount(struct stage *s, const struct pol_mount *m, struct err *e)
{
	fd_late int fd = path_open_in(s->root_fd, m->destination, O_PATH, 0, 0);
	struct mount_attr all = {.attr_set = m->rattr_set, .attr_clr = m->rattr_clr};
	struct mount_attr one = {.attr_set = m->attr_set, .attr_clr = m->attr_clr};
	int r = 0;

	if (fd < 0)
		return mnt_target_error(m, fd, e);
	if (m->propagation) {
		r = set_propagation(s, m, fd, e);
		if (r < 0)
			return r;
	}
	if (m->data.n > 0)
		return remount_data(s, m, fd, e);
	if (s->fs->legacy) {
		if (all.attr_set || all.attr_clr)
			return err_set(e, -ENOSYS,
				       "recursive mount options need mount_setattr (Linux 5.12)");
		r = legacy_set(s, fd, m->attr_set, m->attr_clr);
		return r < 0 ? err_neg(e, r, "remount") : 0;
	}
	if (all.attr_set || all.attr_clr)
		r = mnt_set(fd, &all, true);
	if (r == 0 && (one.attr_set || one.attr_clr))
		r = mnt_set(fd, &one, false);
	return r < 0 ? err_neg(e, r, "remount") : 0;
}

/* ---- all of them ---- */

static int mount_one(struct stage *s, size_t i, struct err *e)
{
	const struct pol_mount *m = &s->p->mounts.v[i];

	if (s->fs->live && (m->kind == POL_MOUNT_CGROUP || m->kind == POL_MOUNT_REMOUNT))
		return err_set(e, -ENOTSUP, "not in a container that lives");
	switch ((enum pol_mount_kind) m->kind) {
	case POL_MOUNT_FS: return mount_fs(s, i, e);
	case POL_MOUNT_BIND:
	case POL_MOUNT_RBIND: return mount_bind(s, i, e);
	case POL_MOUNT_CGROUP: return mount_cgroup(s, m, e);
	case POL_MOUNT_REMOUNT: return mount_remount(s, m, e);
	}
	return err_set(e, -EINVAL, "unknown kind of mount %u", m->kind);
}

int mounts_apply(struct stage *s, struct err *e)
{
	return mounts_apply_range(s, 0, s->p->mounts.n, e);
}

int mounts_apply_range(struct stage *s, size_t from, size_t to, struct err *e)
{
	for (size_t i = from; i < to; i++) {
		const struct pol_mount *m = &s->p->mounts.v[i];
		int r = mount_one(s, i, e);

		mnt_forget_parent(s, m->destination);
		if (r == 0)
			continue;
		if (m->flags & POL_MOUNT_OPTIONAL) {
			err_clear(e); /* an addition of ours, not something that was asked for */
			continue;
		}
		if (m->config_index == UINT32_MAX)
			return err_context(e, "mount %s", m->destination);
		return err_context(e, "mounts[%u]: mount %s at %s", m->config_index,
				   m->type		  ? m->type
				   : str_empty(m->source) ? "it"
							  : m->source,
				   m->destination);
	}
	return 0;
}

int mounts_late(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->fs->late_n; i++) {
		struct late_ro *l = &s->fs->late[i];
		struct mount_attr a = {.attr_set = MOUNT_ATTR_RDONLY};
		int r = s->fs->legacy ? legacy_set(s, l->fd, MOUNT_ATTR_RDONLY, 0)
				      : mnt_set(l->fd, &a, false);

		if (r < 0)
			return err_neg(e, r, "make %s read-only", l->m->destination);
		fd_closep(&l->fd);
	}
	return 0;
}

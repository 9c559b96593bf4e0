/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts as objects: fsopen/fsconfig/fsmount, open_tree, mount_setattr, move_mount (Linux 5.2,
 * 5.12).
 */
#include "exec/mount.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define FSCONFIG_VALUE_MAX 255 /* strndup_user(_value, 256) in the kernel's fsopen.c */
#define FSCONFIG_KEY_MAX 64

static const struct {
	uint64_t flag;
	const char *name;
	bool may_fail; /* an option of some file systems only; mount(2) never complains */
} sb_names[] = {
	{MS_SYNCHRONOUS, "sync", false},  {MS_DIRSYNC, "dirsync", false},
	{MS_LAZYTIME, "lazytime", false}, {MS_MANDLOCK, "mand", true},
	{MS_I_VERSION, "iversion", true},
};

/* What the kernel said about the last refusal: messages of the form "e text". Returns false if
 * nothing. */
static bool context_message(int ctx, char *buf, size_t size)
{
	ssize_t n;

	while ((n = read(ctx, buf, size - 1)) > 0) {
		while (n > 0 && buf[n - 1] == '\n')
			n--;
		buf[n] = '\0';
		if (n > 2 && buf[0] == 'e' && buf[1] == ' ') {
			memmove(buf, buf + 2, (size_t) n - 1);
			return true;
		}
	}
	return false;
}

static int context_error(int ctx, int r, struct err *e, const char *type, const char *option)
{
	char said[512];
	bool has = context_message(ctx, said, sizeof(said));

	if (option)
		return err_neg(e, r, "%s: option \"%.128s\"%s%s", type, option, has ? ": " : "",
			       has ? said : "");
	return err_neg(e, r, "make a %s file system%s%s", type, has ? ": " : "", has ? said : "");
}

static int set_option(int ctx, const char *opt)
{
	const char *eq = strchr(opt, '=');
	char key[FSCONFIG_KEY_MAX];
	size_t n;

	if (!eq)
		return sys_fsconfig(ctx, FSCONFIG_SET_FLAG, opt, NULL, 0);
	n = (size_t) (eq - opt);
	if (n == 0 || n >= sizeof(key))
		return -EINVAL;
	memcpy(key, opt, n);
	key[n] = '\0';
	return sys_fsconfig(ctx, FSCONFIG_SET_STRING, key, eq + 1, 0);
}

bool mnt_fits_new(const struct mnt_fs *f)
{
	if (f->source && strlen(f->source) > FSCONFIG_VALUE_MAX)
		return false;
	for (size_t i = 0; i < f->opt_n; i++) {
		const char *eq = strchr(f->opt[i], '=');

		if (eq && strlen(eq + 1) > FSCONFIG_VALUE_MAX)
			return false;
		/* "a=1,b=2" works with other runtimes; a comma in an SELinux label is one in a
		 * value */
		if (strchr(f->opt[i], ',') &&
		    !(eq && memmem(f->opt[i], (size_t) (eq - f->opt[i]), "context", 7)))
			return false;
	}
	return true;
}

static int set_options(int ctx, const struct mnt_fs *f, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < f->opt_n; i++) {
		r = set_option(ctx, f->opt[i]);
		if (r == -EINVAL && f->lenient_gid && str_prefix(f->opt[i], "gid="))
			continue;
		if (r < 0)
			return context_error(ctx, r, e, f->type, f->opt[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sb_names); i++) {
		if (!(f->sb_flags & sb_names[i].flag))
			continue;
		r = set_option(ctx, sb_names[i].name);
		if (r < 0 && !sb_names[i].may_fail)
			return context_error(ctx, r, e, f->type, sb_names[i].name);
	}
	if (f->sb_ro) {
		r = set_option(ctx, "ro");
		if (r < 0)
			return context_error(ctx, r, e, f->type, "ro");
	}
	return 0;
}

int mnt_new_fs(const struct mnt_fs *f, struct err *e)
{
	fd_late int ctx = sys_fsopen(f->type, FSOPEN_CLOEXEC);
	int r;

	if (ctx == -ENODEV)
		return err_set(e, -ENODEV, "the kernel has no file system %s", f->type);
	if (ctx < 0)
		return err_neg(e, ctx, "make a %s file system", f->type);
	/* Shown in mountinfo; file systems of their own kind insist on one, the others take any. */
	r = f->source ? sys_fsconfig(ctx, FSCONFIG_SET_STRING, "source", f->source, 0) : 0;
	if (r < 0)
		return context_error(ctx, r, e, f->type, f->source);
	r = set_options(ctx, f, e);
	if (r < 0)
		return r;
	r = sys_fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return context_error(ctx, r, e, f->type, NULL);
	r = sys_fsmount(ctx, FSMOUNT_CLOEXEC, (unsigned) f->attr);
	return r < 0 ? context_error(ctx, r, e, f->type, NULL) : r;
}

int mnt_clone(int fd, bool rec)
{
	return sys_open_tree(fd, "",
			     AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				     (rec ? AT_RECURSIVE : 0));
}

int mnt_set(int fd, struct mount_attr *a, bool rec)
{
	/* The kernel wants the whole field in the mask whenever an atime mode is set or cleared. */
	if ((a->attr_set | a->attr_clr) & MOUNT_ATTR__ATIME)
		a->attr_clr |= MOUNT_ATTR__ATIME;
	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (rec ? AT_RECURSIVE : 0), a);
}

int mnt_clone_set(struct stage *s, int dirfd, const char *path, unsigned at_flags,
		  struct mount_attr *a)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | at_flags;
	fd_late int fd = -EBADF;
	int r;

	if (!s->fs->no_tree_attr) {
		r = sys_open_tree_attr(dirfd, path, flags, a);
		if (r != -ENOSYS && r != -EPERM)
			return r;
		s->fs->no_tree_attr = true;
	}
	fd = sys_open_tree(dirfd, path, flags);
	if (fd < 0)
		return fd;
	r = mnt_set(fd, a, at_flags & AT_RECURSIVE);
	return r < 0 ? r : fd_take(&fd);
}

int mnt_attach(int tree, int target)
{
	return sys_move_mount(tree, "", target, "",
			      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/* A mount that came from a more privileged mount namespace keeps its nosuid, nodev, noexec,
 * read-only and atime flags for good; asking to clear them, or for another atime mode, gives EPERM.
 * Unless it was the user who asked, what is locked stays as it is: that is the stricter outcome. */
static int set_unlocked(const struct pol_mount *m, int tree, struct mount_attr *a, bool rec)
{
	int r = mnt_set(tree, a, rec);

	if (r != -EPERM || !a->attr_clr || (m->flags & POL_MOUNT_USER_CLEARED))
		return r;
	a->attr_clr = 0;
	a->attr_set &= ~(uint64_t) MOUNT_ATTR__ATIME;
	return mnt_set(tree, a, rec);
}

static int bind_set(const struct pol_mount *m, int tree, struct mount_attr *a, bool rec,
		    struct err *e)
{
	int r;

	if (!a->attr_set && !a->attr_clr && !a->propagation)
		return 0;
	r = set_unlocked(m, tree, a, rec);
	if (r == -EPERM && a->attr_clr)
		return mnt_err_locked(e);
	return r < 0 ? err_neg(e, r, "set mount flags%s", rec ? " recursively" : "") : 0;
}

int mnt_bind_attrs(struct stage *s, const struct pol_mount *m, int tree, bool ours, struct err *e)
{
	bool rec = m->kind == POL_MOUNT_RBIND;
	struct mount_attr base = {0};
	struct mount_attr all = {.attr_set = m->rattr_set, .attr_clr = m->rattr_clr};
	struct mount_attr one = {.attr_set = m->attr_set, .attr_clr = m->attr_clr};
	struct mount_attr *asked = rec && (m->propagation & MS_REC) ? &all : &one;
	int r;

	asked->propagation = m->propagation & MNT_PROPAGATION;
	/* A tree that the parent opened is a peer of the host's mounts: what the container mounts
	 * there would appear on the host. It gets what a tree of our own has from the propagation
	 * of "/". */
	if (!ours && s->fs->propagation != MS_SHARED) {
		struct mount_attr *whole = rec ? &all : &one;

		if (!whole->propagation)
			whole->propagation = s->fs->propagation;
		else if (whole->propagation == MS_SHARED)
			base.propagation = s->fs->propagation;
	}
	if (!rec) { /* a single mount: one call for both sets */
		one.attr_set |= all.attr_set;
		one.attr_clr |= all.attr_clr;
		all = (struct mount_attr){0};
	}
	r = bind_set(m, tree, &base, rec, e);
	if (r == 0)
		r = bind_set(m, tree, &all, true, e);
	if (r == 0)
		r = bind_set(m, tree, &one, false, e);
	if (r < 0 || !ours)
		return r;
	if (m->flags & (POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC))
		return idmap_tree(s, m, tree, rec && (m->flags & POL_MOUNT_IDMAP_REC), e);
	return 0;
}

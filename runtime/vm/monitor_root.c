/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's part of the root, and the directory that the guest gets.
 *
 * The root is assembled at its own path, as for a process: hooks look for it there. The share is a small file system of
 * ours that is then put over that very place: root/ is a copy of the finished tree, vol/N are the volumes. QEMU's
 * jail takes the share with it; here it is taken away again, what was below it appears and becomes our "/".
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "exec/mount.h"
#include "vm/monitor.h"
#include "vm/split.h"

/* Directories of secret files, but for those in a file system of the guest's. */
static int make_secret_places(struct monitor *m, const struct split *sp, struct err *e)
{
	for (size_t i = 0; i < m->full->secrets.n; i++) {
		const char *dir = pol_secret_dir(m->s->a, &m->full->secrets.v[i]);
		bool guests = !dir;
		int r;

		for (size_t k = 0; k < sp->n && !guests; k++)
			guests = !sp->mounts[k].host &&
				 path_below(dir, m->full->mounts.v[k].destination);
		r = guests ? 0 : secrets_make_place(m->s, dir, e);
		if (r < 0)
			return err_context(e, "directory %s of secrets", dir);
	}
	return 0;
}

/* The guest's own mounts need their places: it could not make them in a root that is read-only. */
static int make_places(struct monitor *m, struct err *e)
{
	struct split sp;

	split_plan(m->full, m->s->a, &sp);
	for (size_t i = 0; i < sp.n; i++) {
		const struct pol_mount *mnt = &m->full->mounts.v[i];
		fd_auto int fd = -EBADF;

		if (!sp.mounts[i].place)
			continue;
		fd = mnt_target(m->s, mnt, -EBADF, NULL, e);
		if (fd < 0 && (mnt->flags & POL_MOUNT_OPTIONAL))
			err_clear(e);
		else if (fd < 0)
			return err_context(e, "mount %s", mnt->destination);
	}
	return make_secret_places(m, &sp, e);
}

int mon_assemble(struct monitor *m, struct err *e)
{
	const struct pol_ns *net = pol_ns_find(m->s->p, POL_NS_NET);
	struct stage *s = m->s;
	int r = stage_arrive(s, e);

	if (r == 0 && net && !net->path)
		r = net_loopback_up(e);
	if (r == 0)
		r = stage_name_host(s, e);
	if (r == 0)
		r = rootfs_prepare(s, e);
	if (r == 0 && s->fs->legacy)
		r = err_set(e, -ENOSYS, "a VM needs the mount calls of Linux 5.12");
	if (r == 0)
		r = mounts_apply_range(s, 0, m->boot->volumes_at, e);
	if (r == 0)
		r = make_places(m, e);
	return r < 0 ? r : stage_mount_hooks(s, e);
}

static int share_dir(int share, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(share, name, 0755) < 0)
		return err_sys(e, "the VM's share: make %s", name);
	fd = openat(share, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "the VM's share: open %s", name) : fd;
}

/* The volumes are mounts whose root is the share. */
static int share_volumes(struct monitor *m, int share, struct err *e)
{
	struct stage *s = m->s;
	int root = s->root_fd, r;

	mnt_forget_parent(s, NULL);
	s->root_fd = share;
	r = mounts_apply_range(s, m->boot->volumes_at, s->p->mounts.n, e);
	s->root_fd = root;
	mnt_forget_parent(s, NULL);
	return r;
}

int mon_share(struct monitor *m, int *ret_share, struct err *e)
{
	static const char *const opt[] = {"mode=0755", "size=64k"};
	const struct mnt_fs f = {.type = "tmpfs",
				 .source = "kavach",
				 .attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
				 .opt = opt,
				 .opt_n = 2};
	fd_auto int tree = -EBADF, share = -EBADF, root = -EBADF, vol = -EBADF;
	int r = rootfs_seal(m->s, e);

	if (r < 0)
		return r;
	/* a packed root is not in the share: there are only volumes */
	if (m->full->vm.root != POL_VM_ROOT_PACKED) {
		tree = mnt_clone(m->s->root_fd, true);
		if (tree < 0)
			return err_neg(e, tree, "the VM's share: copy the root");
	}
	share = mnt_new_fs(&f, e);
	if (share < 0)
		return err_context(e, "the VM's share");
	r = mnt_attach(share, m->s->root_fd);
	if (r < 0)
		return err_neg(e, r, "the VM's share: attach it");
	root = share_dir(share, "root", e);
	vol = root < 0 ? root : share_dir(share, "vol", e);
	if (vol < 0)
		return vol;
	r = tree < 0 ? 0 : mnt_attach(tree, root);
	if (r < 0)
		return err_neg(e, r, "the VM's share: attach the root");
	r = share_volumes(m, share, e);
	if (r == 0)
		*ret_share = fd_take(&share);
	return r;
}

int mon_enter(struct monitor *m, int share, struct err *e)
{
	if (fchdir(share) < 0 || umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "the VM's share: take it away");
	return rootfs_enter(m->s, e);
}

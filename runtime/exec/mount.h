/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the file system steps of the stage share. Private to exec/.
 *
 * Theory of operation: whatever is mounted gets its final flags detached, or in the very call that
 * makes it, and is put on a directory or file of the root that was resolved once and is held by fd
 * . So a container that shares a volume with us can rename and relink as it likes:
 * nothing lands outside the root, and no mount is ever visible with weaker flags than asked.
 * mount_new.c does that with the calls of Linux 5.2 and 5.12. Where they are missing, or hidden by
 * the filter of an outer container, mount_legacy.c does what can be done with mount(2) on
 * /proc/self/fd/N, and refuses the rest by name.
 */
#ifndef KAVACH_EXEC_MOUNT_H
#define KAVACH_EXEC_MOUNT_H

#include "base/sys.h"
#include "exec/ctx.h"

#define MNT_PROPAGATION (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

/* A mount that becomes read-only when everything that has to be made in it is there. */
struct late_ro {
	int fd;
	const struct pol_mount *m;
};

struct stage_fs {
	struct stage_live *live; /* the container lives already (live.c); NULL at create */
	bool legacy;		 /* no new mount calls: everything goes through mount(2) */
	bool no_tree_attr;	 /* open_tree_attr(2) is missing (Linux 6.15) */
	bool masks_done;	 /* legacy: masks were put before the pivot */
	uint64_t propagation;	 /* MS_*: of copies of host mounts whose mount says nothing */
	int parent_fd;		 /* where a mount point was made last; -EBADF = nowhere */
	const char *parent;	 /* ... which was this mount point */
	int null_tree; /* detached copy of the host's verified /dev/null; legacy: O_PATH */
	int *trees;    /* per mounts[i]: detached source; -EBADF = open it when its turn comes */
	struct late_ro *late; /* room for all mounts */
	size_t late_n;
	int idmap_ns;			  /* user namespace of the last idmapped mount ... */
	const struct pol_mount *idmap_of; /* ... which had these maps */
};

/* A new file system. */
struct mnt_fs {
	const char *type, *source; /* NULL: nobody looks at it */
	uint64_t attr;		   /* MOUNT_ATTR_* of the mount */
	uint64_t sb_flags;	   /* MS_* of the super block */
	bool sb_ro;
	const char *const *opt; /* "key=value" or "flag" */
	size_t opt_n;
	bool lenient_gid; /* a gid= that is not mapped is left out */
};

/* ---- mount_new.c ---- */

/* mnt_new_fs: makes the file system; returns a detached mount or -errno. *e names the option that
 * was refused and has the kernel's own words where it gives them. */
int mnt_new_fs(const struct mnt_fs *f, struct err *e);
/* mnt_fits_new: false if an option is longer than fsconfig(2) takes (255 bytes), or is several in
 * one string: then only mount(2) can do it. */
bool mnt_fits_new(const struct mnt_fs *f);
/* mnt_clone: detached copy of what fd stands on, with all that is mounted below if rec. Returns the
 * fd or -errno. */
int mnt_clone(int fd, bool rec);
/* mnt_clone_set: the same with flags or propagation, for what dirfd and path name. */
int mnt_clone_set(struct stage *s, int dirfd, const char *path, unsigned at_flags,
		  struct mount_attr *a);
/* mnt_set: mount_setattr(2) on the mount whose root fd is. Returns 0 or -errno. */
int mnt_set(int fd, struct mount_attr *a, bool rec);
/* mnt_attach: puts a detached (or moves an attached) mount onto target. Returns 0 or -errno. */
int mnt_attach(int tree, int target);
/* mnt_bind_attrs: flags, propagation and id map of m for its detached tree. `ours`: the stage
 * opened the tree, so that the id map is still to be applied. */
int mnt_bind_attrs(struct stage *s, const struct pol_mount *m, int tree, bool ours, struct err *e);

/* ---- mount_legacy.c ---- */

/* legacy_raw: mount(2) with fds for source (or -1: src, which may be NULL) and target. Returns 0 or
 * -errno. */
int legacy_raw(struct stage *s, int src_fd, const char *src, int target, const char *type,
	       unsigned long flags, const char *data);
/* legacy_fs: mounts a new file system on target. */
int legacy_fs(struct stage *s, const struct mnt_fs *f, int target, struct err *e);
/* mnt_here: makes a new file system on the directory `target` with one mount(2), which changes the
 * working directory. Returns 0 or -errno. Not legacy at all: the cheapest way on any kernel if the
 * mount is not needed any further. */
int mnt_here(const struct mnt_fs *f, int target);
/* legacy_bind: binds what fd src stands on at target, the place `dest` of the root, with the flags
 * of m. */
int legacy_bind(struct stage *s, const struct pol_mount *m, int src, int target, struct err *e);
/* legacy_top: opens `dest` in the root once more and makes sure that it is a mount of the file
 * system that `like` stands on (like < 0: another one than that of `below`). Returns an O_PATH fd
 * or -errno. */
int legacy_top(struct stage *s, const char *dest, int like, int below);
/* legacy_set: changes flags of the mount whose root fd is, keeping those that it has. */
int legacy_set(struct stage *s, int fd, uint64_t set, uint64_t clr);
/* legacy_root: binds the rootfs onto itself; returns an O_PATH fd of the new mount. */
int legacy_root(struct stage *s, struct err *e);
/* mnt_ms_flags: MS_* for MOUNT_ATTR_*. */
unsigned long mnt_ms_flags(uint64_t attr);

/* ---- mount_target.c ---- */

/* mnt_target: opens the place of a mount inside the root; a missing one is made: a directory, or of
 * the kind that the fd `like` is (if >= 0). *ret_made tells. Mount points of proc, sysfs and /proc,
 * /sys, /dev may not be reached through a symlink. */
int mnt_target(struct stage *s, const struct pol_mount *m, int like, bool *ret_made, struct err *e);
/* mnt_target_error: what a negative result of a look-up below the root means for m's
 * destination. */
int mnt_target_error(const struct pol_mount *m, int r, struct err *e);

/* mnt_may_cover_proc: one of the few files of procfs that a mount may cover. */
bool mnt_may_cover_proc(const char *path);

/* ---- live.c ---- */

/* live_check_target: a container that lives has its masked and read-only paths: whether the place is none of them, nor above
 * one, nor in /proc. */
int live_check_target(struct stage *s, const struct pol_mount *m, int target, struct err *e);
/* live_made: mounts[i] is in place, fd is its root: tells kavach, and keeps it for the undoing. */
int live_made(struct stage *s, size_t i, int fd, struct err *e);

/* ---- mount.c ---- */

/* mnt_forget_parent: something is mounted at this place (NULL: who knows where): a directory that is remembered for new
 * mount points may be below it. */
void mnt_forget_parent(struct stage *s, const char *covered);
/* mounts_open_sources: opens the source of every bind mount now, while the mounts of the host are
 * still peers. */
int mounts_open_sources(struct stage *s, struct err *e);
/* mnt_source: hands over the source of mounts[i]: a detached tree, or an O_PATH fd with legacy.
 * *ret_ours: opened here. */
int mnt_source(struct stage *s, size_t i, bool *ret_ours, struct err *e);
/* mnt_place: puts a new file system on target; returns an O_PATH fd of its root. */
int mnt_place(struct stage *s, const struct pol_mount *m, const struct mnt_fs *f, int target,
	      struct err *e);
/* mnt_bind_host: binds a directory of the host (trusted path) at target; with everything below it
 * if rec. */
int mnt_bind_host(struct stage *s, const struct pol_mount *m, const char *source, bool rec,
		  int target, struct err *e);
/* mnt_err_locked, mnt_err_mismatch: two errors that both ways of mounting meet. Return e->code. */
int mnt_err_locked(struct err *e);
int mnt_err_mismatch(struct err *e);
/* mnt_label: "context=..." for a new file system, or NULL. In the arena. */
const char *mnt_label(struct stage *s);
/* mnt_in_userns: whether this container has a user namespace of its own. */
bool mnt_in_userns(const struct stage *s);

/* cgroup_view.c: the container's cgroups at m->destination */
int mount_cgroup(struct stage *s, const struct pol_mount *m, struct err *e);

/* tmpcopy.c: copies what is below the directory src into the directory dst: files, directories,
 * symlinks, fifos, device nodes where allowed, with mode, owner, times and (best effort) xattrs. No
 * link is followed, nothing outside is read. */
int tmpcopy_tree(int src, int dst, struct err *e);

/* mask.c */
int masks_open_null(struct stage *s, struct err *e); /* before the pivot */
int masks_run(struct stage *s, struct err *e);

/* idmap.c: the id map of m for a detached tree; see there for when the parent has to do it */
int idmap_tree(struct stage *s, const struct pol_mount *m, int tree, bool rec, struct err *e);

#endif

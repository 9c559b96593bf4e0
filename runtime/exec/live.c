/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a container that lives: `kavach mounts add` and `remove`.
 *
 * Theory of operation. At create nobody is in the root while it is put together; here the container's processes may rename,
 * relink and mount (if it may do that at all) in every moment. So:
 *  - the host's side opened every source before we joined; a path that we opened would be the container's, and there is
 *    no code path here that does (mnt_source(), policy/p_live.c);
 *  - we join the mount and user namespace, not the pid namespace and not the cgroup: nobody in the container can see, stop or
 *    end us, or keep us from having memory or a pid;
 *  - a place is resolved once in the root, held, and looked at as the very thing that will be covered: no masked or
 *    read-only path, nothing above one, nothing in /proc, wherever a symlink led;
 *  - a mount is complete when it is attached, and its id is read from the fd that was attached. What is taken away is the
 *    mount with that id and nothing else: what a container has put at its place has another one;
 *  - kavach is told of each mount when it is there, and acknowledges all of them when they are on record. Until then, any
 *    error and any end of kavach takes them away again, newest first.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "exec/mount.h"
#include "exec/proto.h"

/* after linux/mount.h */
#include <sys/mount.h>

struct stage_live {
	int *fds; /* of what was made; room for all */
	size_t n;
};

/* ---- places ---- */

static const char *fd_path(int fd, char buf[40])
{
	strcpy(buf, "self/fd/");
	num_fmt_u64(buf + strlen(buf), (uint64_t) fd);
	return buf;
}

/* Where the place is right now, seen from the root. */
static int real_path(struct stage *s, int fd, char path[PATH_MAX], struct err *e)
{
	char name[40];
	ssize_t n = readlinkat(s->proc_fd, fd_path(fd, name), path, PATH_MAX - 1);

	if (n < 0)
		return err_sys(e, "look where the mount point is");
	path[n] = '\0';
	if (n == PATH_MAX - 1 || path[0] != '/')
		return err_set(e, -EXDEV, "the mount point is outside of the container's root");
	return 0;
}

/* A path that is masked is a mount of its own. */
static int check_not_masked(struct stage *s, const char *path, const struct sys_mount_id *place,
			    struct err *e)
{
	fd_late int fd = path_open_in(s->root_fd, path, O_PATH, 0, 0);
	struct sys_mount_id mask;

	if (fd < 0) /* it was not there to be masked, or is not there any more */
		return 0;
	if (sys_mount_id(fd, &mask) < 0)
		return err_set(e, -ENOSYS, "the kernel does not tell mounts apart (Linux 5.8)");
	if (mask.root && mask.id == place->id)
		return err_set(e, -EPERM, "the mount point is in %s, of linux.maskedPaths", path);
	return 0;
}

static int check_not_above(const struct strs *paths, const char *real, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++)
		if (path_below(paths->v[i], real))
			return err_set(e, -EPERM, "the mount point is %s, which would cover %s",
				       real, paths->v[i]);
	return 0;
}

/* A directory of secrets, and the file system that it is. */
static int check_secrets(struct stage *s, const char *real, struct err *e)
{
	for (size_t i = 0; i < s->p->secrets.n; i++) {
		const struct pol_secret *p = &s->p->secrets.v[i];
		const char *dir = pol_secret_dir(s->a, p);

		if (dir && (path_below(dir, real) || path_below(real, dir)))
			return err_set(e, -EPERM,
				       "the mount point is %s, which would cover the secret %s",
				       real, p->target);
	}
	return 0;
}

int live_check_target(struct stage *s, const struct pol_mount *m, int target, struct err *e)
{
	struct sys_mount_id place;
	char real[PATH_MAX];
	int r = sys_mount_id(target, &place);

	if (r < 0)
		return err_neg(e, r, "identify the mount point (Linux 5.8)");
	r = real_path(s, target, real, e);
	if (r == 0 && path_below(real, "/proc") && !mnt_may_cover_proc(real))
		r = err_set(e, -EPERM, "the mount point is %s, and nothing is mounted in /proc",
			    real);
	if (r == 0)
		r = check_not_above(&s->p->masked, real, e);
	if (r == 0)
		r = check_not_above(&s->p->readonly, real, e);
	if (r == 0)
		r = check_secrets(s, real, e);
	for (size_t i = 0; i < s->p->masked.n && r == 0; i++)
		r = check_not_masked(s, s->p->masked.v[i], &place, e);
	(void) m;
	return r;
}

/* ---- adding ---- */

static int tell(struct stage *s, size_t i, const struct sys_mount_id *id, struct err *e)
{
	struct msg_mount m = {.id = id->id, .index = (uint32_t) i, .unique = id->unique ? 1 : 0};
	int r = msg_send(s->sync, MSG_MOUNT, &m, sizeof(m));

	return r < 0 ? err_neg(e, r, "answering kavach") : 0;
}

int live_made(struct stage *s, size_t i, int fd, struct err *e)
{
	struct stage_live *l = s->fs->live;
	struct sys_mount_id id;
	int keep = fcntl(fd, F_DUPFD_CLOEXEC, 3), r;

	if (keep < 0) {
		keep = fd; /* it is taken away by undo(), and needs no closing: we end */
		r = err_sys(e, "keep the mount");
	} else {
		r = sys_mount_id(keep, &id);
		if (r < 0)
			err_neg(e, r, "identify the mount (Linux 5.8)");
	}
	l->fds[l->n++] = keep;
	return r < 0 ? r : tell(s, i, &id, e);
}

/* The magic link leads to exactly the mount that the fd is of, whatever is mounted over it or has become of its place. */
static int detach(struct stage *s, int fd)
{
	char name[40];

	if (fchdir(s->proc_fd) < 0 || umount2(fd_path(fd, name), MNT_DETACH) < 0)
		return -errno;
	return 0;
}

static void undo(struct stage *s)
{
	struct stage_live *l = s->fs->live;

	while (l->n > 0)
		(void) detach(s, l->fds[--l->n]);
}

static int add_all(struct stage *s, struct err *e)
{
	struct stage_live live = {.fds = arena_array(s->a, s->p->mounts.n, sizeof(int))};
	int r;

	s->fs->live = &live;
	r = mounts_apply(s, e);
	if (r == 0) {
		r = msg_send(s->sync, MSG_READY, NULL, 0);
		if (r < 0)
			err_neg(e, r, "answering kavach");
	}
	if (r == 0) {
		r = msg_expect(s->sync, MSG_ACK, NULL, 0, e);
		r = r < 0 ? r : 0;
	}
	if (r < 0)
		undo(s);
	return r;
}

/* ---- taking away ---- */

static int wrong_place(const struct stage_unmount *u, int r, struct err *e)
{
	if (r < 0)
		return err_neg(e, r,
			       "%s: the mount that was added is not to be found there any more",
			       u->destination);
	return err_set(e, -EBUSY,
		       "%s: what is there is not the mount that was added: it was covered or moved",
		       u->destination);
}

static int take_away(struct stage *s, const struct stage_unmount *u, struct err *e)
{
	fd_late int fd = path_open_in(s->root_fd, u->destination, O_PATH, 0, 0);
	struct sys_mount_id id = {0};
	int r = fd < 0 ? fd : sys_mount_id(fd, &id);

	if (r < 0 || id.id != u->id || id.unique != u->unique || !id.root) {
		/* the container may have been allowed to unmount it */
		if (u->unique && sys_mount_gone(u->id) == 1)
			return 0;
		return wrong_place(u, r, e);
	}
	r = detach(s, fd);
	return r < 0 ? err_neg(e, r, "%s: unmount", u->destination) : 0;
}

static int take_all(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->boot->unmounts.n; i++) {
		const struct stage_unmount *u = &s->boot->unmounts.v[i];
		struct sys_mount_id id = {.id = u->id, .unique = u->unique};
		int r = take_away(s, u, e);

		if (r == 0)
			r = tell(s, i, &id, e);
		if (r < 0)
			return r;
	}
	return msg_send(s->sync, MSG_READY, NULL, 0);
}

/* ---- both ---- */

int live_run(struct stage *s, struct err *e)
{
	int r = stage_join(s, e);

	/* The end of kavach is seen as the end of its socket: there may be something to undo. */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		r = err_sys(e, "outliving kavach");
	if (r == 0)
		r = proc_use_given(s, e);
	if (r == 0)
		r = rootfs_use(s, e);
	if (r == 0)
		r = s->boot->unmounts.n ? take_all(s, e) : add_all(s, e);
	if (r == 0)
		_exit(0);
	return r;
}

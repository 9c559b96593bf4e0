/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id-mapped bind mounts.
 *
 * The kernel takes the map of a mount from a user namespace. One with the maps of the config is
 * made by a short-lived child; without maps in the config it is the container's own. Mapping a
 * mount needs CAP_SYS_ADMIN in the user namespace of its file system: a stage that is in a user
 * namespace of its own does not have that, so for such containers the parent opens and maps the
 * trees (boot.mount_fds).
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "exec/mount.h"

#define MAP_LINE_MAX (3 * 21 + 1)

static const struct {
	unsigned long magic;
	const char *name;
} fs_names[] = {
	{TMPFS_MAGIC, "tmpfs"},
	{EXT4_SUPER_MAGIC, "ext4"},
	{XFS_SUPER_MAGIC, "xfs"},
	{BTRFS_SUPER_MAGIC, "btrfs"},
	{OVERLAYFS_SUPER_MAGIC, "overlay"},
	{NFS_SUPER_MAGIC, "nfs"},
	{FUSE_SUPER_MAGIC, "fuse"},
	{V9FS_MAGIC, "9p"},
	{PROC_SUPER_MAGIC, "proc"},
	{SYSFS_MAGIC, "sysfs"},
	{CGROUP2_SUPER_MAGIC, "cgroup2"},
	{DEVPTS_SUPER_MAGIC, "devpts"},
};

static int map_error(int tree, int r, struct err *e)
{
	const char *name = "unknown type";
	struct statfs st = {0};

	if (fstatfs(tree, &st) == 0)
		for (size_t i = 0; i < ARRAY_LEN(fs_names); i++)
			if ((uint32_t) st.f_type == (uint32_t) fs_names[i].magic)
				name = fs_names[i].name;
	if (r == -EINVAL)
		return err_set(
			e, r,
			"id-mapped mounts are not possible on this file system (%s) with this "
			"kernel, or the mount is id-mapped already; ext4, xfs, btrfs (5.12, "
			"5.15), tmpfs (6.3) and overlay on mapped layers can",
			name);
	if (r == -EPERM)
		return err_set(e, r, "id-mapping a mount needs privilege over its file system (%s)",
			       name);
	return err_neg(e, r, "id-map the mount");
}

static char *map_text(struct stage *s, const pol_idmaps *map)
{
	char *text = arena_alloc(s->a, map->n * MAP_LINE_MAX + 1), *p = text;

	for (size_t i = 0; i < map->n; i++) {
		p += num_fmt_u64(p, map->v[i].container);
		*p++ = ' ';
		p += num_fmt_u64(p, map->v[i].host);
		*p++ = ' ';
		p += num_fmt_u64(p, map->v[i].size);
		*p++ = '\n';
	}
	*p = '\0';
	return text;
}

/* The child says who it is in our procfs and then waits until the pipe is closed. */
static void __attribute__((noreturn)) idle_in_userns(int procfd, int out, int in)
{
	char name[32];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	n = readlinkat(procfd, "self", name, sizeof(name));
	if (n <= 0 || io_write_all(out, name, (size_t) n) < 0)
		_exit(1);
	while (read(in, name, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int write_maps(struct stage *s, const struct pol_mount *m, const char *pid, struct err *e)
{
	char path[64];
	int r;

	strcat(strcpy(path, pid), "/uid_map");
	r = proc_write(s, path, map_text(s, &m->uid_map), e);
	if (r < 0)
		return err_context(e, "uidMappings");
	strcat(strcpy(path, pid), "/gid_map");
	r = proc_write(s, path, map_text(s, &m->gid_map), e);
	if (r < 0)
		return err_context(e, "gidMappings");
	strcat(strcpy(path, pid), "/ns/user");
	/* A magic link, which proc_open() refuses; nothing can stand in for it in our private
	 * procfs. */
	r = openat(s->proc_fd, path, O_RDONLY | O_CLOEXEC);
	return r < 0 ? err_sys(e, "open the user namespace") : r;
}

static int make_userns(struct stage *s, const struct pol_mount *m, struct err *e)
{
	int up[2], down[2], fd = -EBADF;
	char pid[32];
	ssize_t n;
	pid_t child;

	if (pipe2(up, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	if (pipe2(down, O_CLOEXEC) < 0) {
		fd = err_sys(e, "make a pipe");
		close(up[0]);
		close(up[1]);
		return fd;
	}
	child = sys_clone3(CLONE_NEWUSER, -EBADF, NULL);
	if (child == -ENOSYS) {
		child = fork();
		if (child == 0 && unshare(CLONE_NEWUSER) < 0)
			_exit(1);
	}
	if (child == 0) {
		close(down[1]); /* or we would keep ourselves alive */
		idle_in_userns(s->proc_fd, up[1], down[0]);
	}
	close(up[1]);
	close(down[0]);
	if (child < 0) {
		fd = err_neg(e, child, "make a user namespace");
	} else {
		do /* one short write: comes in one piece */
			n = read(up[0], pid, sizeof(pid) - 1);
		while (n < 0 && errno == EINTR);
		pid[n > 0 ? n : 0] = '\0';
		fd = n > 0 ? write_maps(s, m, pid, e)
			   : err_set(e, -EPERM, "the helper that makes a user namespace failed");
	}
	close(up[0]);
	close(down[1]);
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	return fd;
}

static bool same_map(const pol_idmaps *a, const pol_idmaps *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

/* Engines give all mounts of a container the same maps: one helper does for them. */
static int userns_of(struct stage *s, const struct pol_mount *m, struct err *e)
{
	const struct pol_mount *last = s->fs->idmap_of;
	int fd;

	if (last && same_map(&last->uid_map, &m->uid_map) && same_map(&last->gid_map, &m->gid_map))
		return s->fs->idmap_ns;
	if (m->uid_map.n == 0 && m->gid_map.n == 0)
		fd = openat(s->proc_fd, "self/ns/user", O_RDONLY | O_CLOEXEC);
	else
		fd = make_userns(s, m, e);
	if (fd < 0)
		return e->code ? fd : err_sys(e, "open the user namespace");
	fd_closep(&s->fs->idmap_ns);
	s->fs->idmap_ns = fd;
	s->fs->idmap_of = m;
	return fd;
}

int idmap_tree(struct stage *s, const struct pol_mount *m, int tree, bool rec, struct err *e)
{
	struct mount_attr a = {.attr_set = MOUNT_ATTR_IDMAP};
	int fd = userns_of(s, m, e), r;

	if (fd < 0)
		return fd;
	a.userns_fd = (uint64_t) fd;
	r = mnt_set(tree, &a, rec);
	return r < 0 ? map_error(tree, r, e) : 0;
}

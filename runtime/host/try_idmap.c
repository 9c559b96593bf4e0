/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id-mapped mounts and the set-user-ID helpers, tried for real. Everything is in namespaces of the child's own, private to
 * it: what is mounted there, nobody else sees, and it ends with the child.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/try.h"

/* A process that does nothing in a user namespace of its own; a pid or -errno. */
static pid_t userns_holder(void)
{
	pid_t self = getpid(), pid = sys_clone3(CLONE_NEWUSER, -EBADF, NULL);

	if (pid == 0) {
		try_child_begin(self);
		for (;;)
			pause();
	}
	return pid;
}

static void holder_end(pid_t pid)
{
	if (pid <= 0)
		return;
	(void) kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int write_map(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
	return io_write_at(AT_FDCWD, path, 0, text, strlen(text));
}

/* A user namespace whose id 0 is ours: any will do to map a mount with. */
static int other_userns(void)
{
	char path[64];
	pid_t pid = userns_holder();
	int r = pid < 0 ? pid : 0, fd;

	if (r == 0)
		(void) write_map(pid, "setgroups", "deny");
	if (r == 0)
		r = write_map(pid, "uid_map", "0 0 1\n");
	if (r == 0)
		r = write_map(pid, "gid_map", "0 0 1\n");
	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? -errno : fd;
	}
	holder_end(pid);
	return r;
}

static int map_tree(int tree, int userns)
{
	struct mount_attr a = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) userns};

	return sys_mount_setattr(tree, "", AT_EMPTY_PATH, &a);
}

static int map_tmpfs(int userns)
{
	fd_auto int fs = sys_fsopen("tmpfs", 1 /* FSOPEN_CLOEXEC */), tree = -EBADF;
	int r = fs < 0 ? fs : sys_fsconfig(fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0);

	if (r == 0) {
		tree = sys_fsmount(fs, 1 /* FSMOUNT_CLOEXEC */, 0);
		r = tree < 0 ? tree : map_tree(tree, userns);
	}
	return r;
}

static int map_path(const char *path, int userns)
{
	fd_auto int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return tree < 0 ? tree : map_tree(tree, userns);
}

/* overlay itself is never id-mapped, its layers are (Linux 5.19): so do engines. The folders are in a tmpfs over /tmp
 * that only we see. */
static int map_overlay(int userns)
{
	fd_auto int tree = -EBADF;
	int r;

	if (mount("none", "/tmp", "tmpfs", 0, NULL) < 0 || mkdir("/tmp/a", 0755) < 0 ||
	    mkdir("/tmp/b", 0755) < 0 || mkdir("/tmp/c", 0755) < 0)
		return -errno;
	tree = sys_open_tree(AT_FDCWD, "/tmp/a", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	r = tree < 0 ? tree : map_tree(tree, userns);
	if (r == 0)
		r = sys_move_mount(tree, "", AT_FDCWD, "/tmp/a", MOVE_MOUNT_F_EMPTY_PATH);
	if (r == 0 && mount("none", "/tmp/c", "overlay", 0, "lowerdir=/tmp/a:/tmp/b") < 0)
		r = -errno;
	return r;
}

/* An ordinary user is root of a user namespace first. */
static int own_namespaces(const struct look *l)
{
	char map[64];

	if (!look_has_cap(l, CAP_SYS_ADMIN)) {
		if (unshare(CLONE_NEWUSER) < 0)
			return -errno;
		snprintf(map, sizeof(map), "0 %u 1\n", l->uid);
		if (write_map(getpid(), "setgroups", "deny") < 0 ||
		    write_map(getpid(), "uid_map", map) < 0)
			return -EPERM;
		snprintf(map, sizeof(map), "0 %u 1\n", l->gid);
		if (write_map(getpid(), "gid_map", map) < 0)
			return -EPERM;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	return 0;
}

void try_idmap(const struct look *l, const char *arg, struct seen *ret)
{
	fd_auto int userns = -EBADF;

	ret->r = own_namespaces(l);
	if (ret->r == 0)
		ret->r = userns = other_userns();
	if (ret->r < 0)
		return;
	if (str_eq(arg, "tmpfs"))
		ret->r = map_tmpfs(userns);
	else if (str_eq(arg, "overlay"))
		ret->r = map_overlay(userns);
	else
		ret->r = map_path(arg, userns);
}

void try_idhelper(const struct look *l, const char *arg, struct seen *ret)
{
	struct strs words = str_split(l->a, arg, ' ');
	bool gid = words.n == 2 && str_has_suffix(words.v[0], "newgidmap");
	pid_t pid = userns_holder();
	int r;

	if (pid < 0 || words.n != 2) {
		ret->r = pid < 0 ? pid : -EINVAL;
		return;
	}
	char *argv[] = {words.v[0],
			arena_printf(l->a, "%d", (int) pid),
			arena_strdup(l->a, "0"),
			arena_printf(l->a, "%u", gid ? l->gid : l->uid),
			arena_strdup(l->a, "1"),
			arena_strdup(l->a, "1"),
			words.v[1],
			arena_strdup(l->a, "1"),
			NULL};
	r = try_program(argv, ret->text, sizeof(ret->text), true);
	ret->r = r < 0 ? r : r > 0 ? -EPERM : 0;
	holder_end(pid);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base exec policy */
/* timeout: 120 */
/* The mounts of a policy, with the new mount calls and, where it says so, without. */
#include "tests/unit/exec_world.h"

#include <sys/statvfs.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#define NSD (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define NSDX (NSD | MOUNT_ATTR_NOEXEC)

static bool legacy; /* the pass we are in */
static int hide_errno;

static struct world *make(void)
{
	struct world *w = world_new();

	w->legacy = legacy;
	w->hide_errno = hide_errno;
	return w;
}

#define IN (!legacy ? "" : hide_errno ? "mount(2), EPERM: " : "mount(2): ")

static bool has_flags(const char *path, unsigned long want, unsigned long not_want)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 && (v.f_flag & want) == want && !(v.f_flag & not_want);
}

/* ---- a container as podman asks for it ---- */

static char *dev_opts[] = {(char *) "mode=755", (char *) "size=65536k", NULL};
static char *pts_opts[] = {(char *) "newinstance", (char *) "ptmxmode=0666", (char *) "mode=0620",
			   (char *) "gid=5", NULL};
static char *shm_opts[] = {(char *) "mode=1777", (char *) "size=65536k", NULL};

static void podman_like(struct world *w)
{
	static char bind_src[200];

	world_fs(w, "proc", "/proc", NSDX);
	world_data(world_fs(w, "tmpfs", "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME),
		   dev_opts);
	world_fs(w, "sysfs", "/sys", NSDX | MOUNT_ATTR_RDONLY);
	world_data(world_fs(w, "devpts", "/dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
		   pts_opts);
	world_fs(w, "mqueue", "/dev/mqueue", NSDX);
	world_data(world_fs(w, "tmpfs", "/dev/shm", NSDX), shm_opts);
	snprintf(bind_src, sizeof(bind_src), "%s/canary", w->out);
	world_bind(w, bind_src, "/etc/hosts", NSD)->propagation = MS_PRIVATE | MS_REC;
	w->clone = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC;
}

static void check_podman(struct world *w)
{
	struct stat st;
	char cwd[64];

	expect(w, has_flags("/proc", ST_NOSUID | ST_NODEV | ST_NOEXEC, ST_RDONLY));
	expect(w, world_info_has(w, "/proc", " - proc "));
	expect(w, access("/proc/1/status", F_OK) == 0 &&
			  readlink("/proc/self", cwd, sizeof(cwd)) == 1);
	expect(w, world_info_has(w, "/dev", " - tmpfs "));
	expect(w, world_info_has(w, "/dev", "size=65536k"));
	expect(w, has_flags("/dev", ST_NOSUID, ST_NODEV | ST_RDONLY | ST_RELATIME | ST_NOATIME));
	expect(w, has_flags("/sys", ST_RDONLY | ST_NOSUID, 0) &&
			  access("/sys/class/net/lo", F_OK) == 0);
	expect(w, world_info_has(w, "/dev/pts", "ptmxmode=666") &&
			  world_info_has(w, "/dev/pts", "gid=5"));
	expect(w, world_info_has(w, "/dev/mqueue", " - mqueue "));
	expect(w, stat("/dev/shm", &st) == 0 && (st.st_mode & 07777) == 01777);
	expect(w, world_reads("/etc/hosts", "untouched"));
	expect(w, has_flags("/etc/hosts", ST_NOSUID | ST_NODEV, ST_RDONLY));
	expect(w, getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
	expect(w, access(w->base, F_OK) < 0);
	/* nothing of the host is left in the mount table */
	expect(w, !world_info(w, "/run") && !world_info(w, "/boot"));
	expect(w, mkdir("/made", 0755) == 0);
}

static void test_podman(void)
{
	struct world *w = make();
	char *before = world_table();

	podman_like(w);
	w->check = check_podman;
	ok(world_run(w, 0), "%sa root with the usual mounts has them with their flags", IN);
	ok(world_same(before), "%snothing of it reaches the host's mount table", IN);
	ok(world_reads(w->out, "") || access(w->out, F_OK) == 0, "%sthe host's directory is there",
	   IN);
}

/* ---- read-only root, tmpfs that turns read-only late ---- */

static void check_readonly(struct world *w)
{
	expect(w, mkdir("/made", 0755) < 0 && errno == EROFS);
	expect(w, mkdir("/run/made", 0755) < 0 && errno == EROFS);
	expect(w, world_info_has(w, "/run/inner", " - tmpfs ") && mkdir("/run/inner/x", 0755) == 0);
	expect(w, has_flags("/run", ST_RDONLY | ST_NOSUID, 0));
}

static void test_readonly(void)
{
	struct world *w = make();

	w->p.rootfs_readonly = true;
	world_fs(w, "tmpfs", "/run", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	world_fs(w, "tmpfs", "/run/inner", 0);
	w->check = check_readonly;
	ok(world_run(w, 0), "%sa read-only root and a read-only tmpfs that has a mount point in it",
	   IN);
}

/* ---- binds ---- */

static void check_bind_flags(struct world *w)
{
	expect(w, has_flags("/ro", ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC, 0));
	expect(w, has_flags("/plain", 0, ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
	expect(w, has_flags("/noatime", ST_NOATIME, ST_RELATIME));
	expect(w, has_flags("/strict", 0, ST_NOATIME | ST_RELATIME));
	expect(w, has_flags("/cleared", 0, ST_RDONLY | ST_NOEXEC) &&
			  has_flags("/cleared", ST_NOSUID, 0));
	expect(w, has_flags("/symless", 0x2000, 0));
	expect(w, open("/symless/link", O_RDONLY) < 0 && errno == ELOOP);
	expect(w, world_reads("/plain/canary", "untouched"));
	expect(w, world_reads("/a/b/file", "untouched"));
}

static void test_bind_flags(void)
{
	struct world *w = make();
	static char flagged[200], link[200], file[200];
	struct pol_mount *m;

	snprintf(flagged, sizeof(flagged), "%s/flagged", w->base);
	snprintf(link, sizeof(link), "%s/link", w->out);
	snprintf(file, sizeof(file), "%s/canary", w->out);
	world_mkdir("", flagged);
	if (mount("tmpfs", flagged, "tmpfs", MS_NOSUID | MS_NOEXEC, NULL) < 0 ||
	    symlink("canary", link) < 0 ||
	    mount(NULL, flagged, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC,
		  NULL) < 0)
		world_die("mount");
	world_bind(w, w->out, "/ro", NSDX | MOUNT_ATTR_RDONLY);
	world_bind(w, w->out, "/plain", 0);
	world_bind(w, w->out, "/noatime", MOUNT_ATTR_NOATIME);
	world_bind(w, w->out, "/strict", MOUNT_ATTR_STRICTATIME);
	m = world_bind(w, flagged, "/cleared", 0);
	m->attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
	world_bind(w, w->out, "/symless", MOUNT_ATTR_NOSYMFOLLOW);
	world_bind(w, file, "/a/b/file", 0);
	w->check = check_bind_flags;
	ok(world_run(w, 0),
	   "%sbind mounts: flags are set and cleared as asked, files and directories are made", IN);
}

static void check_recursive(struct world *w)
{
	expect(w, has_flags("/rec", ST_RDONLY | ST_NOATIME, 0));
	expect(w, has_flags("/rec/sub", ST_RDONLY | ST_NOATIME, 0));
	expect(w, has_flags("/top", ST_RDONLY, 0) && has_flags("/top/sub", 0, ST_RDONLY));
	expect(w, access("/one/sub/inner", F_OK) < 0);
	expect(w, access("/top/sub/inner", F_OK) == 0);
}

static void test_recursive(void)
{
	struct world *w = make();
	struct pol_mount *m;
	static char sub[200];

	snprintf(sub, sizeof(sub), "%s/sub", w->out);
	world_mkdir("", sub);
	if (mount("tmpfs", sub, "tmpfs", 0, NULL) < 0)
		world_die("mount");
	world_mkdir("/inner", sub);
	m = world_bind(w, w->out, "/rec", 0);
	m->kind = POL_MOUNT_RBIND;
	m->rattr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME;
	m = world_bind(w, w->out, "/top", MOUNT_ATTR_RDONLY);
	m->kind = POL_MOUNT_RBIND;
	world_bind(w, w->out, "/one", 0);
	w->check = check_recursive;
	if (legacy) {
		ok(world_run(w, -ENOSYS) && strstr(w->res->err.msg, "recursive mount options"),
		   "%srecursive options are refused by name", IN);
		w->mounts[0].rattr_set = 0;
		return;
	}
	ok(world_run(w, 0),
	   "rro and rnoatime reach the mounts below, ro only the top, bind takes no mount below");
}

static void check_propagation(struct world *w)
{
	expect(w, !strstr(world_info(w, "/default"), "shared:"));
	expect(w, strstr(world_info(w, "/default"), "master:"));
	expect(w, !strstr(world_info(w, "/private"), "shared:") &&
			  !strstr(world_info(w, "/private"), "master:"));
	expect(w, world_info_has(w, "/unbindable", "unbindable"));
	expect(w,
	       world_info_has(w, "/shared", "shared:") && world_info_has(w, "/shared", "master:"));
	expect(w, !strstr(world_info(w, "/"), "shared:"));
	/* what the container mounts stays in it */
	expect(w,
	       mkdir("/shared/m", 0755) == 0 && mount("tmpfs", "/shared/m", "tmpfs", 0, NULL) == 0);
	expect(w, mkdir("/default/d", 0755) == 0 &&
			  mount("tmpfs", "/default/d", "tmpfs", 0, NULL) == 0);
}

static void add_propagation(struct world *w)
{
	world_bind(w, w->out, "/default", 0);
	world_bind(w, w->out, "/private", 0)->propagation = MS_PRIVATE | MS_REC;
	world_bind(w, w->out, "/unbindable", 0)->propagation = MS_UNBINDABLE;
	world_bind(w, w->out, "/shared", 0)->propagation = MS_SHARED | MS_REC;
	w->check = check_propagation;
}

static void test_propagation(void)
{
	struct world *w = make();
	char *before = world_table();

	add_propagation(w);
	ok(world_run(w, 0), "%spropagation of bind mounts", IN);
	ok(world_same(before), "%smounts on a shared bind do not reach the host", IN);
}

static struct stage_fd parent_fds[24];

static void use_parent_fds(struct world *w)
{
	w->boot.mount_fds.n = 0;
	for (uint32_t i = 0; i < w->p.mounts.n; i++) {
		if (!w->mounts[i].source)
			continue;
		int fd = sys_open_tree(AT_FDCWD, w->mounts[i].source,
				       OPEN_TREE_CLONE |
					       (w->mounts[i].kind == POL_MOUNT_RBIND ? AT_RECURSIVE
										     : 0));

		if (fd < 0)
			world_die("open_tree");
		parent_fds[w->boot.mount_fds.n++] = (struct stage_fd){.index = i, .fd = fd};
	}
	w->boot.mount_fds.v = parent_fds;
	w->boot.rootfs_fd = sys_open_tree(AT_FDCWD, w->root, OPEN_TREE_CLONE | AT_RECURSIVE);
	if (w->boot.rootfs_fd < 0)
		world_die("open_tree");
}

static void test_parent_trees(void)
{
	struct world *w = make();
	char *before = world_table();

	add_propagation(w);
	use_parent_fds(w);
	ok(world_run(w, 0), "trees that the parent opened end up as those that the stage opens");
	ok(world_same(before), "and mounts on them do not reach the host either");
}

static void check_shared_root(struct world *w)
{
	expect(w, world_info_has(w, "/", "shared:"));
	expect(w,
	       mkdir("/shared/m", 0755) == 0 && mount("tmpfs", "/shared/m", "tmpfs", 0, NULL) == 0);
}

static void check_given(struct world *w)
{
	expect(w, access("/there", F_OK) == 0);
	expect(w, world_reads("/data/canary", "untouched"));
	expect(w, world_info_has(w, "/run", " - tmpfs ") && access("/home", F_OK) < 0);
}

/* A root below a directory that the container's root must not pass. */
static void test_given_root(void)
{
	struct world *w = make();
	char *before = world_table();
	char path[200];

	snprintf(path, sizeof(path), "%s/there", w->root);
	world_mkdir("", path);
	snprintf(path, sizeof(path), "%s/run", w->root);
	world_mkdir("", path);
	snprintf(path, sizeof(path), "%s/data", w->root);
	world_mkdir("", path);
	world_bind(w, w->out, "/data", 0);
	world_fs(w, "tmpfs", "/run", 0);
	use_parent_fds(w);
	if (chmod(w->base, 0700) < 0)
		world_die("chmod");
	w->clone = CLONE_NEWUSER | CLONE_NEWPID;
	w->check = check_given;
	ok(world_run(w, 0), "in a user namespace a root that only the parent can reach");
	ok(world_same(before), "and nothing of it reaches the host");
}

static void check_slash(struct world *w)
{
	expect(w, world_info_has(w, "/tmp", " - tmpfs ") && access("/etc/passwd", F_OK) == 0);
}

static void test_slash(void)
{
	struct world *w = make();
	char *before = world_table();

	w->p.rootfs = (char *) "/";
	world_fs(w, "tmpfs", "/tmp", 0);
	w->check = check_slash;
	ok(world_run(w, 0), "the host's root as root");
	ok(world_same(before), "which does not change");
}

static void test_shared_root(void)
{
	struct world *w = make();
	char *before = world_table(), want[200];

	w->p.rootfs_propagation = MS_SHARED;
	/* as an overlay: the root is a mount of its own */
	if (mount(w->root, w->root, NULL, MS_BIND, NULL) < 0)
		world_die("bind");
	before = world_table();
	world_fs(w, "tmpfs", "/tmp", 0);
	world_bind(w, w->out, "/shared", 0)->propagation = MS_SHARED | MS_REC;
	w->check = check_shared_root;
	ok(world_run(w, 0), "%sa shared root", IN);
	snprintf(want, sizeof(want), "%s/m", w->out);
	ok(!world_same(before) && strstr(world_table(), want),
	   "%sa mount on its shared volume reaches the host", IN);
	umount2(want, MNT_DETACH);
	ok(world_same(before), "%sand nothing else does", IN);
}

static void test_unbindable_root(void)
{
	struct world *w = make();

	w->p.rootfs_propagation = MS_UNBINDABLE | MS_REC;
	world_bind(w, w->out, "/data", 0);
	ok(world_run(w, 0), "%san unbindable root can still have bind mounts", IN);
}

static void check_symlinks(struct world *w)
{
	char to[64];
	ssize_t n = readlink("/copied", to, sizeof(to));

	expect(w, n == 6 && !memcmp(to, "canary", 6));
	expect(w, world_reads("/followed", "untouched"));
	expect(w, readlink("/inroot/new", to, sizeof(to)) < 0);
	expect(w, access("/target/made/canary", F_OK) == 0);
}

static void test_symlinks(void)
{
	struct world *w = make();
	static char link[200], trap[200];

	snprintf(link, sizeof(link), "%s/link", w->out);
	snprintf(trap, sizeof(trap), "%s/inroot", w->root);
	if (symlink("canary", link) < 0 || symlink("../../../../../../target", trap) < 0)
		world_die("symlink");
	world_mkdir("/target", w->root);
	world_bind(w, link, "/copied", 0)->flags = POL_MOUNT_COPY_SYMLINK;
	world_bind(w, link, "/followed", 0);
	world_bind(w, w->out, "/inroot/made", 0); /* absolute and upward links stay inside */
	w->check = check_symlinks;
	ok(world_run(w, 0),
	   "%scopy-symlink copies, a usual source is followed, links in the root stay inside", IN);
	ok(access("/target", F_OK) < 0, "%snothing was made on the host", IN);
}

static void test_refusals(void)
{
	struct world *w = make();
	char text[200];
	static char gone[200];

	snprintf(gone, sizeof(gone), "%s/nothing", w->out);
	world_fs(w, "tmpfs", "/tmp", 0);
	world_bind(w, gone, "/x", 0);
	ok(world_run(w, -ENOENT), "%sa missing source fails", IN);
	ok(strstr(w->res->err.msg, "mounts[1].source"), "%sand names its place in the config", IN);

	w = make();
	world_write(w->root, "file", "x");
	world_bind(w, w->out, "/file", 0);
	ok(world_run(w, -ENOTDIR) && strstr(w->res->err.msg, "not a directory"),
	   "%sa directory on a file is refused", IN);

	w = make();
	world_write(w->out, "f", "x");
	snprintf(gone, sizeof(gone), "%s/f", w->out);
	world_bind(w, gone, "/tmp", 0);
	ok(world_run(w, -ENOTDIR) && strstr(w->res->err.msg, "not a directory"),
	   "%sa file on a directory is refused", IN);

	w = make();
	world_fs(w, "tmpfs", "/", 0);
	ok(world_run(w, -EINVAL), "%sa mount over the root itself is refused", IN);

	w = make();
	world_fs(w, "nosuchfs", "/tmp", 0);
	ok(world_run(w, -ENODEV) && strstr(w->res->err.msg, "nosuchfs"),
	   "%san unknown file system is named", IN);

	w = make();
	world_data(world_fs(w, "tmpfs", "/tmp", 0),
		   (char *[]){(char *) "size=1k", (char *) "bogus=1", NULL});
	ok(world_run(w, -EINVAL) && strstr(w->res->err.msg, "bogus"),
	   "%san option that is refused is named", IN);

	w = make();
	world_fs(w, "proc", "/proc", NSDX);
	world_bind(w, w->out, "/proc/sys/kernel", 0);
	ok(world_run(w, -EPERM) && strstr(w->res->err.msg, "inside the proc"),
	   "%snothing is mounted inside proc", IN);

	w = make();
	world_fs(w, "proc", "/proc", NSDX);
	snprintf(text, sizeof(text), "%s/lnk", w->root);
	if (symlink("/proc/self", text) < 0)
		world_die("symlink");
	world_bind(w, w->out, "/lnk/attr", 0);
	ok(world_run(w, -EPERM), "%snot through a symlink either", IN);

	w = make();
	world_bind(w, w->out, "/proc", 0);
	ok(world_run(w, -EPERM), "%sa directory of the host cannot stand for /proc", IN);

	w = make();
	world_fs(w, "proc", "/proc", NSDX);
	snprintf(gone, sizeof(gone), "%s/canary", w->out);
	world_bind(w, gone, "/proc/uptime", 0);
	ok(world_run(w, 0), "%s/proc/uptime may be covered", IN);
}

static void test_symlinked_dirs(void)
{
	static const char *const dirs[] = {"proc", "sys", "dev"}, *const types[] = {"proc", "sysfs",
										    "tmpfs"};

	for (int i = 0; i < 3; i++) {
		struct world *w = make();
		char path[200], dest[16];

		snprintf(path, sizeof(path), "%s/%s", w->root, dirs[i]);
		snprintf(dest, sizeof(dest), "/%s", dirs[i]);
		if (rmdir(path) < 0 || symlink("/tmp", path) < 0)
			world_die("symlink");
		w->clone = CLONE_NEWPID | CLONE_NEWNET;
		world_fs(w, types[i], dest, NSDX);
		ok(world_run(w, -ELOOP) && strstr(w->res->err.msg, "symlink"),
		   "%sa symlinked /%s is refused", IN, dirs[i]);
	}
}

/* ---- tmpfs ---- */

static void check_tmpfs(struct world *w)
{
	struct stat st;

	expect(w, stat("/had", &st) == 0 && (st.st_mode & 07777) == 01750);
	expect(w, stat("/new", &st) == 0 && (st.st_mode & 07777) == 01777);
	expect(w, stat("/own", &st) == 0 && (st.st_mode & 07777) == 0700);
}

static void test_tmpfs_mode(void)
{
	struct world *w = make();
	static char had[200], own[200];

	snprintf(had, sizeof(had), "%s/had", w->root);
	snprintf(own, sizeof(own), "%s/own", w->root);
	world_mkdir("", had);
	world_mkdir("", own);
	chmod(had, 01750);
	world_fs(w, "tmpfs", "/had", 0);
	world_fs(w, "tmpfs", "/new", 0);
	world_data(world_fs(w, "tmpfs", "/own", 0), (char *[]){(char *) "mode=700", NULL});
	w->check = check_tmpfs;
	ok(world_run(w, 0), "%sa tmpfs has the mode of what was there, its own, or the default",
	   IN);
}

static void check_copyup(struct world *w)
{
	struct stat st;
	char to[32], val[16];

	expect(w, world_info_has(w, "/var", " - tmpfs "));
	expect(w, world_reads("/var/lib/file", "content"));
	expect(w, stat("/var/lib/file", &st) == 0 && (st.st_mode & 07777) == 04751 &&
			  st.st_uid == 12 && st.st_gid == 34);
	expect(w, st.st_mtim.tv_sec == 1000000000);
	expect(w, readlink("/var/escape", to, sizeof(to)) == 11 && !memcmp(to, "/etc/passwd", 11));
	expect(w, lstat("/var/fifo", &st) == 0 && S_ISFIFO(st.st_mode) &&
			  (st.st_mode & 07777) == 0640);
	expect(w, stat("/var/lib", &st) == 0 && (st.st_mode & 07777) == 0511 && st.st_uid == 7);
	expect(w, getxattr("/var/lib/file", "security.kvtest", val, sizeof(val)) == 3 ||
			  errno == ENOTSUP || errno == ENODATA);
	expect(w, stat("/var", &st) == 0 && (st.st_mode & 07777) == 0755 && st.st_uid == 9);
	expect(w, has_flags("/var", ST_RDONLY, 0));
}

static void test_copyup(void)
{
	struct world *w = make();
	char var[200], p[300];
	struct timespec t[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	snprintf(var, sizeof(var), "%s/var", w->root);
	world_mkdir("", var);
	world_mkdir("/lib", var);
	world_write(var, "lib/file", "content");
	snprintf(p, sizeof(p), "%s/lib/file", var);
	setxattr(p, "security.kvtest", "abc", 3, 0);
	if (chown(p, 12, 34) < 0 || chmod(p, 04751) < 0 || utimensat(AT_FDCWD, p, t, 0) < 0)
		world_die("file");
	snprintf(p, sizeof(p), "%s/escape", var);
	if (symlink("/etc/passwd", p) < 0)
		world_die("symlink");
	snprintf(p, sizeof(p), "%s/fifo", var);
	if (mkfifo(p, 0640) < 0)
		world_die("fifo");
	snprintf(p, sizeof(p), "%s/lib", var);
	if (chmod(p, 0511) < 0 || chown(p, 7, 7) < 0 || chown(var, 9, 9) < 0)
		world_die("dir");
	world_fs(w, "tmpfs", "/var", MOUNT_ATTR_RDONLY)->flags = POL_MOUNT_TMPCOPYUP;
	w->check = check_copyup;
	ok(world_run(w, 0), "%stmpcopyup copies files, links, fifos, modes, owners and times", IN);

	w = make();
	snprintf(var, sizeof(var), "%s/var", w->root);
	world_mkdir("", var);
	snprintf(p, sizeof(p), "%s/big", var);
	{
		int fd = open(p, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		static char block[65536];

		for (int i = 0; i < 8; i++)
			if (write(fd, block, sizeof(block)) < 0)
				world_die("write");
		close(fd);
	}
	{
		struct pol_mount *m = world_fs(w, "tmpfs", "/var", 0);

		m->flags = POL_MOUNT_TMPCOPYUP;
		world_data(m, (char *[]){(char *) "size=64k", NULL});
	}
	ok(world_run(w, -ENOSPC) && strstr(w->res->err.msg, "big"),
	   "%stmpcopyup fails when the tmpfs is too small", IN);
}

/* ---- id maps ---- */

static struct pol_idmap maps[2][2] = {{{0, 5000, 10}, {10, 7000, 10}}, {{0, 90000, 65536}}};

static void check_idmap(struct world *w)
{
	struct stat st;

	expect(w, stat("/one/f0", &st) == 0 && st.st_uid == 5000 && st.st_gid == 5000);
	expect(w, stat("/one/f12", &st) == 0 && st.st_uid == 7002 && st.st_gid == 7002);
	expect(w, stat("/one/f40", &st) == 0 && st.st_uid == 65534);
	expect(w, stat("/two/f40", &st) == 0 && st.st_uid == 90040);
	expect(w, stat("/again/f0", &st) == 0 && st.st_uid == 90000);
	expect(w, world_info_has(w, "/one", "idmapped"));
}

static void test_idmap(void)
{
	struct world *w = make();
	struct pol_mount *m;
	char p[200];

	for (const int *id = (const int[]){0, 12, 40, -1}; *id >= 0; id++) {
		snprintf(p, sizeof(p), "f%d", *id);
		world_write(w->out, p, "x");
		snprintf(p, sizeof(p), "%s/f%d", w->out, *id);
		if (chown(p, (uid_t) *id, (gid_t) *id) < 0)
			world_die("chown");
	}
	for (int i = 0; i < 3; i++) {
		m = world_bind(w, w->out, i == 0 ? "/one" : i == 1 ? "/two" : "/again", 0);
		m->flags = POL_MOUNT_IDMAP;
		m->uid_map.v = m->gid_map.v = maps[i > 0];
		m->uid_map.n = m->gid_map.n = i > 0 ? 1 : 2;
	}
	w->clone = CLONE_NEWPID;
	w->check = check_idmap;
	if (legacy) {
		ok(world_run(w, -ENOSYS) && strstr(w->res->err.msg, "id-mapped"),
		   "%sid maps are refused by name", IN);
		return;
	}
	ok(world_run(w, 0), "id-mapped mounts show mapped owners, each with its own map");
	w = make();
	m = world_bind(w, "/proc", "/data", 0);
	m->flags = POL_MOUNT_IDMAP;
	m->uid_map.v = m->gid_map.v = maps[1];
	m->uid_map.n = m->gid_map.n = 1;
	ok(world_run(w, -EINVAL) && strstr(w->res->err.msg, "(proc)"),
	   "a file system that cannot be mapped is named");
}

/* ---- user namespace ---- */

static void check_userns(struct world *w)
{
	expect(w, world_info_has(w, "/proc", " - proc ") && world_info_has(w, "/sys", " - sysfs "));
	expect(w, has_flags("/data", ST_NOSUID | ST_NOEXEC, ST_RDONLY));
	expect(w, world_info_has(w, "/dev/pts", " - devpts "));
	expect(w, mkdir("/made", 0755) == 0);
}

static void test_userns(void)
{
	struct world *w = make();
	char *before = world_table();
	static char locked[200];
	struct pol_mount *m;

	snprintf(locked, sizeof(locked), "%s/locked", w->base);
	world_mkdir("", locked);
	if (mount("tmpfs", locked, "tmpfs", MS_NOSUID | MS_NOEXEC, NULL) < 0 ||
	    chown(w->root, 100000, 100000) < 0)
		world_die("mount");
	before = world_table();
	for (const char *const *d = (const char *const[]){"/dev", "/proc", "/sys", "/tmp", NULL};
	     *d; d++) {
		char p[200];

		snprintf(p, sizeof(p), "%s%s", w->root, *d);
		if (chown(p, 100000, 100000) < 0)
			world_die("chown");
	}
	world_fs(w, "proc", "/proc", NSDX);
	world_fs(w, "sysfs", "/sys", NSDX | MOUNT_ATTR_RDONLY);
	world_data(world_fs(w, "tmpfs", "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME),
		   dev_opts);
	world_data(world_fs(w, "devpts", "/dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
		   (char *[]){(char *) "newinstance", (char *) "gid=99999", NULL});
	m = world_bind(w, locked, "/data", 0);
	m->attr_clr = MOUNT_ATTR_NOEXEC;
	w->clone = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	w->check = check_userns;
	ok(world_run(w, 0),
	   "%sin a user namespace: locked flags stay, a gid that is not mapped is dropped", IN);
	ok(world_same(before), "%snothing of it reaches the host", IN);
	m->flags = POL_MOUNT_USER_CLEARED;
	memset(w->res, 0, sizeof(*w->res));
	ok(world_run(w, -EPERM) && strstr(w->res->err.msg, "cannot clear"),
	   "%sa locked flag that the user asked to clear is an error", IN);
}

static void check_sys_bind(struct world *w)
{
	expect(w, has_flags("/sys", ST_RDONLY | ST_NOSUID, 0) && access("/sys/kernel", F_OK) == 0);
	expect(w, !world_info(w, "/sys/fs/cgroup") ||
			  has_flags("/sys/fs/cgroup", legacy ? 0 : ST_RDONLY, 0));
}

static void test_userns_hostnet(void)
{
	struct world *w = make();

	if (chown(w->root, 100000, 100000) < 0)
		world_die("chown");
	world_fs(w, "sysfs", "/sys", NSDX | MOUNT_ATTR_RDONLY);
	w->clone = CLONE_NEWUSER | CLONE_NEWPID;
	w->check = check_sys_bind;
	if (legacy) {
		ok(world_run(w, -ENOSYS) || w->res->err.code == 0,
		   "%s/sys of the host's network namespace", IN);
		return;
	}
	ok(world_run(w, 0),
	   "without a network namespace it gets the host's /sys, read-only to the bottom");
}

/* ---- cgroup ---- */

static struct stage_cg_bind cg[3];

static void check_cg_v1(struct world *w)
{
	char to[32];

	expect(w, world_info_has(w, "/sys/fs/cgroup", " - tmpfs ") &&
			  has_flags("/sys/fs/cgroup", ST_RDONLY | ST_NOSUID, 0));
	expect(w, access("/sys/fs/cgroup/cpu,cpuacct/canary", F_OK) == 0);
	expect(w, has_flags("/sys/fs/cgroup/cpu,cpuacct", ST_RDONLY | ST_NOSUID, 0));
	expect(w, readlink("/sys/fs/cgroup/cpu", to, sizeof(to)) == 11 &&
			  !memcmp(to, "cpu,cpuacct", 11));
	expect(w, !strstr(world_info(w, "/sys/fs/cgroup/memory"), "shared:"));
}

static void test_cgroup(void)
{
	struct world *w = make();

	cg[0] = (struct stage_cg_bind){.fd = -1, .source = w->out, .name = (char *) "cpu,cpuacct"};
	cg[1] = (struct stage_cg_bind){.fd = -1, .source = w->out, .name = (char *) "memory"};
	cg[2] = (struct stage_cg_bind){.fd = -1, .name = (char *) "cpu"};
	w->boot.cg_binds.v = cg;
	w->boot.cg_binds.n = 3;
	world_mount(w, (struct pol_mount){.kind = POL_MOUNT_CGROUP,
					  .type = (char *) "cgroup",
					  .destination = (char *) "/sys/fs/cgroup",
					  .attr_set = NSDX | MOUNT_ATTR_RDONLY});
	w->check = check_cg_v1;
	ok(world_run(w, 0), "%sv1: a read-only tmpfs with the container's directories and links",
	   IN);

	w = make();
	w->boot.cg_v2_path = w->out;
	w->boot.host_cgroupns = true;
	world_mount(w, (struct pol_mount){.kind = POL_MOUNT_CGROUP,
					  .type = (char *) "cgroup",
					  .destination = (char *) "/tmp",
					  .attr_set = NSDX | MOUNT_ATTR_RDONLY});
	w->check = NULL;
	ok(world_run(w, 0), "%sv2 without a cgroup namespace: a bind of the container's directory",
	   IN);
}

/* ---- remount, entering by move ---- */

static void check_remount(struct world *w)
{
	expect(w, has_flags("/a", ST_RDONLY | ST_NOSUID, 0));
	expect(w, world_info_has(w, "/b", "size=64k"));
}

static void test_remount(void)
{
	struct world *w = make();

	world_fs(w, "tmpfs", "/a", MOUNT_ATTR_NOSUID);
	world_fs(w, "tmpfs", "/b", 0);
	world_mount(w, (struct pol_mount){.kind = POL_MOUNT_REMOUNT,
					  .destination = (char *) "/a",
					  .attr_set = MOUNT_ATTR_RDONLY});
	world_data(world_mount(w, (struct pol_mount){.kind = POL_MOUNT_REMOUNT,
						     .destination = (char *) "/b"}),
		   (char *[]){(char *) "size=64k", NULL});
	w->check = check_remount;
	ok(world_run(w, 0), "%sremount changes flags and keeps the others, and changes options",
	   IN);
}

static void check_only_propagation(struct world *w)
{
	expect(w, world_info_has(w, "/a", "shared:"));
}

static void test_remount_propagation(void)
{
	struct world *w = make();

	world_fs(w, "tmpfs", "/a", 0);
	world_mount(w, (struct pol_mount){.kind = POL_MOUNT_REMOUNT,
					  .destination = (char *) "/a",
					  .propagation = MS_SHARED});
	w->check = check_only_propagation;
	ok(world_run(w, 0), "%sremount changes the propagation", IN);
}

/* No LSM here: what is seen is that the label is asked for, where it belongs. */
static void test_label(void)
{
	struct world *w = make();

	w->p.mount_label = (char *) "system_u:object_r:container_file_t:s0:c1,c2";
	w->clone = CLONE_NEWPID;
	world_fs(w, "proc", "/proc", NSDX);
	world_fs(w, "tmpfs", "/tmp", 0);
	if (access("/sys/fs/selinux/enforce", F_OK) == 0) {
		skip("SELinux is active", "%sthe mount label of a tmpfs", IN);
		return;
	}
	ok(world_run(w, -EINVAL) && strstr(w->res->err.msg, "mounts[1]") &&
		   strstr(w->res->err.msg, "context="),
	   "%sthe mount label goes to tmpfs, not to proc", IN);
}

static void check_moved(struct world *w)
{
	expect(w, access("/tmp", F_OK) == 0 && access(w->base, F_OK) < 0);
	expect(w, world_info_has(w, "/proc", " - proc "));
}

static void test_no_pivot(void)
{
	struct world *w = make();
	char *before = world_table();

	w->p.no_pivot = true;
	w->clone = CLONE_NEWPID;
	world_fs(w, "proc", "/proc", NSDX);
	w->check = check_moved;
	ok(world_run(w, 0), "%sno_pivot enters by moving the root", IN);
	ok(world_same(before), "%sand takes nothing away from the host", IN);
}

static void test_long_option(void)
{
	struct world *w = make();
	char opt[300] = "mode=";

	memset(opt + 5, '0', 256);
	strcpy(opt + 5 + 256, "700");
	world_data(world_fs(w, "tmpfs", "/tmp", NSD), (char *[]){opt, NULL});
	ok(world_run(w, 0), "%san option longer than fsconfig takes", IN);
}

int main(void)
{
	if (!world_init())
		return done();
	for (int pass = 0; pass < 3; pass++) {
		legacy = pass > 0;
		hide_errno = pass > 1 ? EPERM : 0;
		test_podman();
		test_readonly();
		test_bind_flags();
		test_recursive();
		test_propagation();
		if (!legacy) {
			test_parent_trees();
			test_given_root();
			test_slash(); /* mount(2) cannot tell "/" from what is mounted on it */
		}
		test_shared_root();
		test_unbindable_root();
		test_symlinks();
		test_refusals();
		test_symlinked_dirs();
		test_tmpfs_mode();
		test_copyup();
		test_idmap();
		test_userns();
		test_userns_hostnet();
		test_cgroup();
		test_remount();
		test_remount_propagation();
		test_label();
		test_no_pivot();
		test_long_option();
	}
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: criu policy base */
/* What CRIU is told about mounts and descriptors that are not the container's own. */
#include <errno.h>

#include "base/str.h"
#include "criu/plan.h"
#include "tests/unit/tap.h"

#define S(s) ((char *) (uintptr_t) (s))

static struct pol_mount mounts[] = {
	{.kind = POL_MOUNT_FS, .destination = S("/proc"), .type = S("proc")},
	{.kind = POL_MOUNT_FS, .destination = S("/dev"), .type = S("tmpfs")},
	{.kind = POL_MOUNT_CGROUP, .destination = S("/sys/fs/cgroup")},
	{.kind = POL_MOUNT_RBIND, .destination = S("/data"), .source = S("/srv/d")},
	{.kind = POL_MOUNT_FS, .destination = S("/data/tmp"), .type = S("tmpfs")},
	{.kind = POL_MOUNT_BIND, .destination = S("/var/run/x"), .source = S("/srv/x")},
	{.kind = POL_MOUNT_BIND, .destination = S("/data/sub"), .source = S("/srv/s")},
};
static char *const places[] = {S("/proc"),     S("/dev"),   S("/sys/fs/cgroup"), S("/data"),
			       S("/data/tmp"), S("/run/x"), S("/data/sub")};
static char *masked[] = {S("/proc/kcore"), S("/proc/acpi")};
static char *readonly[] = {S("/proc/sys"), S("/data/ro")};
static struct pol_device devices[] = {{.path = S("/dev/fuse")}};

static const struct policy policy = {
	.rootfs = S("/root/fs"),
	.mounts = {mounts, ARRAY_LEN(mounts)},
	.masked = {masked, 2, true},
	.readonly = {readonly, 2, true},
	.devices = {devices, 1},
};

static const char *val_of(const struct rpc_opts *o, const char *key)
{
	for (size_t i = 0; i < o->mounts.n; i++)
		if (str_eq(o->mounts.v[i].key, key))
			return o->mounts.v[i].val;
	return NULL;
}

static struct plan make(struct arena *a, const char *mountinfo)
{
	struct plan pl = {.p = &policy, .places = places, .a = a};
	struct mountinfo *mnt;

	pl.n_mnt = mountinfo_parse(mountinfo, strlen(mountinfo), a, &mnt);
	pl.mnt = mnt;
	return pl;
}

static void test_mountinfo(struct arena *a)
{
	static const char text[] =
		"36 35 98:0 /mnt\\0401 /a\\134b rw - ext4 /dev/root rw\n"
		"no line\n\n37 x\n38 35 0:5 /null /dev/null rw - devtmpfs d rw\n39 1 2 3 relative x\n";
	struct mountinfo *m;

	is_int(mountinfo_parse(text, strlen(text), a, &m), 2,
	       "lines that are mounts are read, others are not");
	is_str(m[0].root, "/mnt 1", "escapes are undone in the root");
	is_str(m[0].place, "/a\\b", "and in the place");
	is_int(m[1].id, 38, "the id is kept");
	is_int(mountinfo_parse(NULL, 0, a, &m), 0, "no text has no mounts");
}

static void test_dump(struct arena *a)
{
	struct plan pl = make(a, "1 0 0:1 / / rw - ext4 x rw\n"
				 "2 1 0:2 / /proc rw - proc x rw\n"
				 "3 2 0:3 /null /proc/kcore ro - devtmpfs x rw\n"
				 "4 2 0:4 / /proc/acpi ro - tmpfs x rw\n"
				 "5 2 0:2 /sys /proc/sys ro - proc x rw\n"
				 "6 1 0:5 / /dev rw - tmpfs x rw\n"
				 "7 6 0:3 /fuse /dev/fuse rw - devtmpfs x rw\n"
				 "8 6 0:6 /0 /dev/console rw - devpts x rw\n"
				 "9 1 0:7 /kvt/x /sys/fs/cgroup ro - cgroup2 x rw\n"
				 "10 1 0:1 /srv/d /data rw - ext4 x rw\n"
				 "11 10 0:8 / /data/below rw - xfs x rw\n"
				 "12 10 0:9 / /data/tmp rw - tmpfs x rw\n"
				 "13 1 0:1 /srv/x /run/x rw - ext4 x rw\n"
				 "14 10 0:1 /srv/d/ro /data/ro ro - ext4 x rw\n");
	struct rpc_opts o = {0};

	plan_dump(&pl, &o);
	is_str(val_of(&o, "/proc/kcore"), "/dev/null", "a masked file is the host's null device");
	is_str(val_of(&o, "/proc/acpi"), NULL, "a masked directory is the container's own");
	is_str(val_of(&o, "/proc/sys"), NULL, "so is a read-only path of it");
	is_str(val_of(&o, "/dev/fuse"), "/dev/fuse", "a device that is bound is external");
	is_str(val_of(&o, "/dev/console"), NULL, "the terminal is not");
	is_str(val_of(&o, "/sys/fs/cgroup"), NULL, "nor the cgroups of a namespace of its own");
	is_str(val_of(&o, "/data"), "/data", "a bind mount is external");
	is_str(val_of(&o, "/data/below"), "/data/below", "what came with a recursive one, too");
	is_str(val_of(&o, "/data/ro"), "/data/ro", "and a read-only path in it");
	is_str(val_of(&o, "/data/tmp"), NULL, "a file system inside of it is not");
	is_str(val_of(&o, "/run/x"), "/run/x", "a place behind a symlink is named as it is");
	is_int(o.mounts.n, 6, "nothing else is external");
	pl.cgroup_bound = true;
	o = (struct rpc_opts){0};
	plan_dump(&pl, &o);
	is_str(val_of(&o, "/sys/fs/cgroup"), "/sys/fs/cgroup",
	       "without a namespace its cgroup is bound");
}

static void test_restore(struct arena *a)
{
	static const struct rpc_mount cg[] = {
		{S("/sys/fs/cgroup/memory"), S("/sys/fs/cgroup/memory/x")}};
	struct plan pl = make(a,
			      "1 0 0:1 / / rw - ext4 x rw\n2 1 0:1 / /srv/d/below rw - xfs x rw\n"
			      "3 1 0:1 / /srv/dd rw - xfs x rw\n");
	struct rpc_opts o = {0};

	pl.cg = cg;
	pl.n_cg = 1;
	plan_restore(&pl, &o);
	is_str(val_of(&o, "/data"), "/srv/d", "a bind mount comes from its source");
	is_str(val_of(&o, "/data/below"), "/srv/d/below",
	       "what is mounted below the source comes with it");
	is_str(val_of(&o, "/datad"), NULL, "what only begins alike does not");
	is_str(val_of(&o, "/data/ro"), "/srv/d/ro", "a read-only path of it comes from there");
	is_str(val_of(&o, "/run/x"), "/srv/x", "a place behind a symlink is named as it is");
	is_str(val_of(&o, "/dev/fuse"), "/dev/fuse", "a device is the host's");
	is_str(val_of(&o, "/dev/null"), "/dev/null", "so is the null device over masked files");
	is_str(val_of(&o, "/sys/fs/cgroup/memory"), "/sys/fs/cgroup/memory/x",
	       "v1: the cgroups are bound");
	is_str(val_of(&o, "/proc"), NULL, "a file system of the container is in the images");
}

static void test_places(struct arena *a)
{
	struct plan pl = make(a, "");
	const char *dir;

	is_str(plan_place(&pl, 0, &dir), "/proc", "a mount point in the root");
	is_str(dir, "/root/fs", "is made there");
	is_str(plan_place(&pl, 4, &dir), "/tmp", "one in a bind mount");
	is_str(dir, "/srv/d", "is made in its source");
	mounts[6].destination = S("/dev/shm");
	pl.places = (char *const[]){S("/proc"),	    S("/dev"),	 S("/sys/fs/cgroup"), S("/data"),
				    S("/data/tmp"), S("/run/x"), S("/dev/shm")};
	is_str(plan_place(&pl, 6, &dir), NULL, "one in a file system of the images is in them");
}

static void test_stdio(struct arena *a)
{
	struct plan pl = make(a, "5 0 0:1 / / rw - ext4 x rw\n");
	bool external;

	is_str(plan_stdio(&pl, "pipe:[12]", false, 9, 12, &external), "pipe:[12]",
	       "a pipe is named by itself");
	ok(!external, "and CRIU knows it as one");
	is_str(plan_stdio(&pl, "/var/log/x", true, 0x2a, 0x1f, &external), "file[2a:1f]",
	       "a file outside by mount and inode");
	ok(external, "and CRIU is told");
	is_str(plan_stdio(&pl, "/log", true, 5, 7, &external), NULL,
	       "a file of the container is not special");
	is_str(plan_stdio(&pl, "/dev/pts/0", false, 5, 7, &external), NULL, "nor is a terminal");
	ok(plan_inherit("pipe:[1]") && plan_inherit("file[1:2]") && !plan_inherit("/dev/pts/0"),
	   "those two are inherited");
}

static void test_idmap(void)
{
	static struct pol_mount m[] = {{.kind = POL_MOUNT_BIND,
					.destination = S("/m"),
					.source = S("/s"),
					.flags = POL_MOUNT_IDMAP_REC,
					.config_index = 3}};
	const struct policy p = {.mounts = {m, 1}};
	struct err e = ERR_INIT;

	is_int(plan_check(&p, &e), -ENOTSUP, "a mount with mapped ids is refused");
	ok(strstr(e.msg, "mounts[3] (/m)"), "by name");
	is_int(plan_check(&policy, &e), 0, "others are not");
}

static void test_user_namespace(void)
{
	static struct pol_ns ns[] = {{.type = POL_NS_PID}, {.type = POL_NS_USER}};
	const struct policy p = {.ns = {ns, 2}}, without = {.ns = {ns, 1}};
	struct err e = ERR_INIT;

	is_int(plan_check(&p, &e), -ENOTSUP, "a user namespace is refused");
	ok(strstr(e.msg, "linux.namespaces[1]"), "with its place");
	is_int(plan_check(&without, &e), 0, "others are not");
}

int main(void)
{
	arena_auto a = {0};

	test_mountinfo(&a);
	test_dump(&a);
	test_restore(&a);
	test_places(&a);
	test_stdio(&a);
	test_idmap();
	test_user_namespace();
	return done();
}

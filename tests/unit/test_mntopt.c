/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy spec json base */
/* Every mount option of the spec, alone and in the combinations that have gone wrong elsewhere. */
#include <sys/mount.h>

#include "policy/build.h"
#include "policy/mntopt.h"
#include "tap.h"

#define RO MOUNT_ATTR_RDONLY
#define ATIME MOUNT_ATTR__ATIME
#define NOATIME MOUNT_ATTR_NOATIME
#define STRICT MOUNT_ATTR_STRICTATIME

static char *room[32];
static struct pol_mount m;
static struct mntopt o;

static void apply(const char *options)
{
	static char text[256];
	char *save, *tok;

	m = (struct pol_mount){.data.v = room};
	o = (struct mntopt){0};
	snprintf(text, sizeof(text), "%s", options);
	for (tok = strtok_r(text, " ", &save); tok; tok = strtok_r(NULL, " ", &save))
		mntopt_apply(tok, &m, &o);
}

static const struct {
	const char *options;
	uint64_t set, clr, rset, rclr;
} attrs[] = {
	{"ro", RO, 0, 0, 0},
	{"rw", 0, RO, 0, 0},
	{"nosuid", MOUNT_ATTR_NOSUID, 0, 0, 0},
	{"suid", 0, MOUNT_ATTR_NOSUID, 0, 0},
	{"nodev", MOUNT_ATTR_NODEV, 0, 0, 0},
	{"dev", 0, MOUNT_ATTR_NODEV, 0, 0},
	{"noexec", MOUNT_ATTR_NOEXEC, 0, 0, 0},
	{"exec", 0, MOUNT_ATTR_NOEXEC, 0, 0},
	{"nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0, 0},
	{"diratime", 0, MOUNT_ATTR_NODIRATIME, 0, 0},
	{"nosymfollow", 0x200000, 0, 0, 0},
	{"symfollow", 0, 0x200000, 0, 0},
	{"noatime", NOATIME, ATIME, 0, 0},
	{"strictatime", STRICT, ATIME, 0, 0},
	{"relatime", 0, ATIME, 0, 0},
	{"atime", 0, ATIME, 0, 0},
	{"nostrictatime", 0, ATIME, 0, 0},
	{"norelatime", 0, 0, 0, 0},
	{"rro", 0, 0, RO, 0},
	{"rrw", 0, 0, 0, RO},
	{"rnosuid", 0, 0, MOUNT_ATTR_NOSUID, 0},
	{"rsuid", 0, 0, 0, MOUNT_ATTR_NOSUID},
	{"rnodev", 0, 0, MOUNT_ATTR_NODEV, 0},
	{"rdev", 0, 0, 0, MOUNT_ATTR_NODEV},
	{"rnoexec", 0, 0, MOUNT_ATTR_NOEXEC, 0},
	{"rexec", 0, 0, 0, MOUNT_ATTR_NOEXEC},
	{"rnodiratime", 0, 0, MOUNT_ATTR_NODIRATIME, 0},
	{"rdiratime", 0, 0, 0, MOUNT_ATTR_NODIRATIME},
	{"rnosymfollow", 0, 0, 0x200000, 0},
	{"rsymfollow", 0, 0, 0, 0x200000},
	{"rnoatime", 0, 0, NOATIME, ATIME},
	{"rstrictatime", 0, 0, STRICT, ATIME},
	{"rrelatime", 0, 0, 0, ATIME},
	{"ratime", 0, 0, 0, ATIME},
	{"rnostrictatime", 0, 0, 0, ATIME},
	{"rnorelatime", 0, 0, 0, 0},
	/* the later one wins, and set and clear never overlap */
	{"ro rw", 0, RO, 0, 0},
	{"rw ro", RO, 0, 0, 0},
	{"nosuid suid nosuid", MOUNT_ATTR_NOSUID, 0, 0, 0},
	{"ro rro rrw", RO, 0, 0, RO},
	/* the access time is one choice */
	{"noatime strictatime", STRICT, ATIME, 0, 0},
	{"strictatime noatime", NOATIME, ATIME, 0, 0},
	{"noatime relatime", 0, ATIME, 0, 0},
	{"noatime atime", 0, ATIME, 0, 0},
	{"strictatime atime", STRICT, ATIME, 0, 0},
	{"noatime nostrictatime", NOATIME, ATIME, 0, 0},
	{"strictatime nostrictatime", 0, ATIME, 0, 0},
	{"noatime nodiratime ro", NOATIME | MOUNT_ATTR_NODIRATIME | RO, ATIME, 0, 0},
};

static const struct {
	const char *options;
	uint64_t propagation, sb_flags;
	uint32_t flags;
} others[] = {
	{"shared", MS_SHARED, 0, 0},
	{"rshared", MS_SHARED | MS_REC, 0, 0},
	{"slave", MS_SLAVE, 0, 0},
	{"rslave", MS_SLAVE | MS_REC, 0, 0},
	{"private", MS_PRIVATE, 0, 0},
	{"rprivate", MS_PRIVATE | MS_REC, 0, 0},
	{"unbindable", MS_UNBINDABLE, 0, 0},
	{"runbindable", MS_UNBINDABLE | MS_REC, 0, 0},
	{"rprivate shared", MS_SHARED, 0, 0},
	{"sync", 0, MS_SYNCHRONOUS, 0},
	{"sync async", 0, 0, 0},
	{"dirsync", 0, MS_DIRSYNC, 0},
	{"lazytime", 0, 1 << 25, 0},
	{"lazytime nolazytime", 0, 0, 0},
	{"silent", 0, MS_SILENT, 0},
	{"silent loud", 0, 0, 0},
	{"mand", 0, MS_MANDLOCK, 0},
	{"mand nomand", 0, 0, 0},
	{"iversion", 0, MS_I_VERSION, 0},
	{"iversion noiversion", 0, 0, 0},
	{"defaults", 0, 0, 0},
	{"tmpcopyup", 0, 0, POL_MOUNT_TMPCOPYUP},
	{"idmap", 0, 0, POL_MOUNT_IDMAP},
	{"ridmap", 0, 0, POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC},
	{"idmap=x", 0, 0, POL_MOUNT_IDMAP},
	{"ridmap=x", 0, 0, POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC},
	{"copy-symlink", 0, 0, POL_MOUNT_COPY_SYMLINK},
	{"src-nofollow", 0, 0, POL_MOUNT_SRC_NOFOLLOW},
	{"dest-nofollow", 0, 0, POL_MOUNT_DEST_NOFOLLOW},
};

/* config.md, "Linux mount options", and what features.md and crun add. */
static const char *const spec_options[] = {
	"async",
	"atime",
	"bind",
	"defaults",
	"dev",
	"diratime",
	"dirsync",
	"exec",
	"iversion",
	"lazytime",
	"loud",
	"noatime",
	"nodev",
	"nodiratime",
	"noexec",
	"noiversion",
	"nolazytime",
	"norelatime",
	"nostrictatime",
	"nosuid",
	"private",
	"rbind",
	"relatime",
	"remount",
	"ro",
	"rprivate",
	"rshared",
	"rslave",
	"runbindable",
	"rw",
	"shared",
	"silent",
	"slave",
	"strictatime",
	"suid",
	"sync",
	"unbindable",
	"nosymfollow",
	"symfollow",
	"idmap",
	"ridmap",
	"rro",
	"rrw",
	"rsuid",
	"rnosuid",
	"rdev",
	"rnodev",
	"rexec",
	"rnoexec",
	"ratime",
	"rnoatime",
	"rdiratime",
	"rnodiratime",
	"rrelatime",
	"rnorelatime",
	"rstrictatime",
	"rnostrictatime",
	"rsymfollow",
	"rnosymfollow",
	"mand",
	"nomand",
	"tmpcopyup",
	"copy-symlink",
	"src-nofollow",
	"dest-nofollow",
};

static void test_table(void)
{
	size_t n = 0, unsorted = 0;

	for (; mount_option_name(n); n++)
		if (n && strcmp(mount_option_name(n - 1), mount_option_name(n)) >= 0)
			unsorted++;
	is_int(n, ARRAY_LEN(spec_options), "the table has as many options as the spec");
	is_int(unsorted, 0, "and is sorted, for the search");
	for (size_t i = 0; i < ARRAY_LEN(spec_options); i++) {
		apply(spec_options[i]);
		if (m.data.n)
			ok(0, "\"%s\" is an option of ours", spec_options[i]);
	}
	ok(!mount_option_name(n + 1), "there is an end to the names");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
		apply(attrs[i].options);
		ok(m.attr_set == attrs[i].set && m.attr_clr == attrs[i].clr &&
			   m.rattr_set == attrs[i].rset && m.rattr_clr == attrs[i].rclr &&
			   !m.data.n,
		   "%s", attrs[i].options);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		apply(others[i].options);
		ok(m.propagation == others[i].propagation && m.sb_flags == others[i].sb_flags &&
			   m.flags == others[i].flags && !m.data.n,
		   "%s", others[i].options);
	}
	apply("bind");
	ok(o.bind && !o.rbind, "bind");
	apply("rbind bind");
	ok(o.rbind, "rbind");
	apply("remount");
	ok(o.remount, "remount");
	apply("idmap=uids=0-1-1;gids=0-1-1");
	is_str(o.idmap, "uids=0-1-1;gids=0-1-1", "the map of an idmap option");
	apply("size=5 ro Ro rox mode=7");
	ok(m.data.n == 4 && str_eq(m.data.v[0], "size=5") && str_eq(m.data.v[1], "Ro") &&
		   str_eq(m.data.v[2], "rox") && str_eq(m.data.v[3], "mode=7") && m.data.set,
	   "what is not an option word for word goes to the file system, in order");
	mntopt_apply("", &m, &o);
	is_int(m.data.n, 4, "an empty option is nothing");
	apply("atime");
	ok(o.atime_undone, "atime asks to take something back");
	apply("atime noatime");
	ok(!o.atime_undone, "but not when a choice follows");
	apply("relatime");
	ok(!o.atime_undone, "and a choice does not");
	test_table();
	return done();
}

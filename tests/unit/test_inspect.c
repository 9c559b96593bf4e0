/* SPDX-License-Identifier: Apache-2.0 */
/* libs: inspect policy host spec json base */
/*
 * A policy against a made-up /proc: a directory with the files that the kernel has there, of which each test changes a few.
 * What the kernel would never let us make for real, such as a capability from nowhere, is shown here.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "policy_fixture.h"

#define SELF 50
#define INIT 100
#define OTHER 200
#define START 777

/* ---- a tree of files ---- */

static char dir[] = "/tmp/kavach-inspect.XXXXXX";
static int proc_fd;

static char *place(int pid, const char *file)
{
	return arena_printf(&arena, "%s/%d/%s", dir, pid, file);
}

static void put(int pid, const char *file, const char *text)
{
	char *path = place(pid, file);
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		bail_out("a file of the test cannot be written");
}

static void put_link(int pid, const char *file, const char *to)
{
	char *path = place(pid, file);

	unlink(path);
	if (symlink(to, path) < 0)
		bail_out("a link of the test cannot be made");
}

static void put_ns(int pid, const char *name, unsigned inode)
{
	put_link(pid, arena_printf(&arena, "ns/%s", name),
		 arena_printf(&arena, "%s:[%u]", name, inode));
}

#define STATUS_NAME "Name:\tsh\\nSeccomp:\\t0\n"
#define STATUS_IDS                                                                                 \
	"Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"                                                     \
	"FDSize:\t64\nGroups:\t \n"
#define STATUS_CAPS                                                                                \
	"CapInh:\t0000000000000000\nCapPrm:\t0000000000000021\nCapEff:\t0000000000000021\n"        \
	"CapBnd:\t0000000000000021\nCapAmb:\t0000000000000000\n"
#define STATUS_END "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\nThreads:\t1\n"

static const char status[] = STATUS_NAME
	"Umask:\t0022\nState:\tS (sleeping)\n" STATUS_IDS STATUS_CAPS STATUS_END;

/* status with one line instead of the one with the same key. */
static void put_status(int pid, const char *line)
{
	size_t key = strcspn(line, ":") + 1;
	char *text = arena_strdup(&arena, status), *at = NULL;

	for (char *s = text; *s && !at; s += strcspn(s, "\n") + 1)
		if (strncmp(s, line, key) == 0)
			at = s;
	if (!at)
		bail_out("no such line in the status");
	put(pid, "status",
	    arena_printf(&arena, "%.*s%s%s", (int) (at - text), text, line[key] ? line : "",
			 at + strcspn(at, "\n") + (line[key] == 0)));
}

static const char mountinfo[] =
	"100 90 8:1 /srv/rootfs / ro,relatime - ext4 /dev/sda1 rw\n"
	"101 100 0:40 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
	"102 100 0:41 / /run rw,nosuid - tmpfs tmpfs rw,size=64k\n"
	"103 102 8:1 /srv/a\\040b /run/secret\\012x ro,relatime master:1 - ext4 /dev/sda1 rw\n"
	"104 101 0:40 /sys /proc/sys ro,nosuid,nodev,noexec - proc proc rw\n"
	"105 101 0:5 /null /proc/keys ro,nosuid,noexec - devtmpfs devtmpfs rw\n"
	"106 101 0:42 / /proc/acpi ro,nosuid,nodev,noexec - tmpfs tmpfs rw\n";

static const char limits[] =
	"Limit                     Soft Limit           Hard Limit           Units     \n"
	"Max cpu time              unlimited            unlimited            seconds   \n"
	"Max processes             10                   20                   processes \n"
	"Max open files            512                  1024                 files     \n";

static void make_process(int pid, bool host_ns)
{
	static const char *const subs[] = {"", "ns", "attr", "attr/apparmor"};

	for (size_t i = 0; i < ARRAY_LEN(subs); i++)
		mkdir(place(pid, subs[i]), 0700);
	put(pid, "stat",
	    arena_printf(&arena,
			 "%d (a) b) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0 0 0 0 0 0 0 0 "
			 "0 0 0 0 0 0 0\n",
			 pid, START));
	put(pid, "comm", "sh\n");
	put(pid, "status", status);
	put(pid, "mountinfo", mountinfo);
	put(pid, "limits", limits);
	put(pid, "oom_score_adj", "100\n");
	put(pid, "cgroup", "4:pids:/x/c\n0::/x/c\n");
	put(pid, "uid_map", "0 0 4294967295\n");
	put(pid, "gid_map", "0 0 4294967295\n");
	put(pid, "attr/current", "unconfined\n");
	put(pid, "attr/apparmor/current", "web (enforce)\n");
	put_link(pid, "exe", "/bin/sh");
	for (unsigned i = 1; i < POL_NS_MAX; i++)
		put_ns(pid, seen_ns_links[i],
		       host_ns || i == POL_NS_USER || i == POL_NS_TIME ? 4000 + i : 5000 + i);
}

static int forget_file(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void) st, (void) type, (void) f;
	return remove(path);
}

/* ---- the policy of these processes ---- */

#define CAPS                                                                                       \
	"'capabilities':{'bounding':['CAP_CHOWN','CAP_KILL'],"                                     \
	"'permitted':['CAP_CHOWN','CAP_KILL'],'effective':['CAP_CHOWN','CAP_KILL']}"
#define PROC                                                                                       \
	CAPS ",'oomScoreAdj':100,"                                                                 \
	     "'rlimits':[{'type':'RLIMIT_NOFILE','soft':512,'hard':1024}]"
#define ALL_NS "{'type':'pid'},{'type':'network'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'}"
#define MOUNTS                                                                                     \
	"{'destination':'/proc','type':'proc','source':'proc','options':['nosuid','nodev']},"      \
	"{'destination':'/run','type':'tmpfs','source':'tmpfs','options':['nosuid']},"             \
	"{'destination':'/run/secret\\nx','type':'bind','source':'/srv/a b','options':['bind','ro']}"
#define LINUX                                                                                      \
	"'seccomp':{'defaultAction':'SCMP_ACT_ERRNO'},"                                            \
	"'maskedPaths':['/proc/keys','/proc/acpi','/proc/none'],'readonlyPaths':['/proc/sys']"
#define ROOT "{'path':'rootfs','readonly':true}"
#define USUAL                                                                                      \
	.root = ROOT, .ns = ALL_NS, .mounts = MOUNTS, .linux_ = LINUX,                             \
	.proc = PROC ",'noNewPrivileges':true,'apparmorProfile':'web'"

static struct seen_proc self, init, other;
static struct inspect_world world;
static struct inspect in;
static struct inspect_result result;

static int present(void *arg, const char *path)
{
	(void) arg;
	return str_eq(path, "/proc/unknown") ? -EBUSY : !str_eq(path, "/proc/none");
}

static void look_at(int pid, struct seen_proc *ret)
{
	err = ERR_INIT;
	if (seen_look(proc_fd, pid, START, SEEN_MOUNTS, &arena, ret, &err) < 0)
		bail_out(err.msg);
}

static struct seen_cgroup cgroups[] = {{(char *) (uintptr_t) "pids", (char *) (uintptr_t) "/x/c"},
				       {(char *) (uintptr_t) "", (char *) (uintptr_t) "/x/c"}};

static void compare(const struct policy *p)
{
	look_at(SELF, &self);
	look_at(INIT, &init);
	world.self = &self;
	world.cgroups.v = cgroups;
	world.cgroups.n = ARRAY_LEN(cgroups);
	world.present = present;
	inspect_begin(&in, p, &arena);
	inspect_process(&in, &world, &init, NULL);
	inspect_mounts(&in, &world, &init);
	result = (struct inspect_result){.id = "c", .status = "running", .pid = INIT};
	inspect_end(&in, p, &arena, &result);
}

static const struct inspect_row *row(const char *group, const char *what)
{
	for (size_t i = 0; i < in.rows.n; i++)
		if (str_eq(in.rows.v[i].group, group) && str_eq(in.rows.v[i].what, what))
			return &in.rows.v[i];
	return NULL;
}

static const char *verdict(const char *group, const char *what)
{
	const struct inspect_row *r = row(group, what);

	return r ? inspect_verdict_name(r->verdict) : "no row";
}

static int lost(void)
{
	return result.decided.total - result.measured.total;
}

static void reset_tree(void)
{
	make_process(SELF, true);
	make_process(INIT, false);
	make_process(OTHER, false);
	memset(&world, 0, sizeof(world));
}

/* ---- reading ---- */

static void test_look(void)
{
	struct seen_proc s;

	reset_tree();
	look_at(INIT, &s);
	is_int(s.start, START, "the start time is read");
	is_int(s.st.caps[SEEN_BND], 0x21, "capabilities are read");
	is_int(s.st.seccomp.v, 2, "a name with a newline in it is not a line");
	is_int(s.n_mnt, 7, "mounts are read");
	is_str(s.mnt[3].place, "/run/secret\nx", "escapes in places are undone");
	is_str(s.mnt[3].root, "/srv/a b", "and in roots");
	is_int(s.limits[6].hard, 20, "limits are read");
	ok(!s.limits[10].set, "a limit that is not there is not set");
	is_int(s.ns[POL_NS_PID], 5000 + POL_NS_PID, "namespaces are read");
	is_str(s.cgroups.v[1].path, "/x/c", "cgroups are read");
	is_int(seen_look(proc_fd, INIT, START + 1, 0, &arena, &s, &err), -ESRCH,
	       "another start time is another process");
	is_int(seen_look(proc_fd, 99, 0, 0, &arena, &s, &err), -ESRCH, "no process");
	put_status(INIT, "State:\tZ (zombie)");
	is_int(seen_look(proc_fd, INIT, START, 0, &arena, &s, &err), -ESRCH, "a zombie is none");
	put(INIT, "status", "");
	is_int(seen_look(proc_fd, INIT, START, 0, &arena, &s, &err), -ESRCH,
	       "nor one whose status is empty");
}

static void test_as_decided(void)
{
	size_t not_ok = 0;

	reset_tree();
	compare(MUST(USUAL));
	for (size_t i = 0; i < in.rows.n; i++)
		if (in.rows.v[i].verdict != INSPECT_OK) {
			printf("# %s %s: %s\n", in.rows.v[i].group, in.rows.v[i].what,
			       inspect_verdict_name(in.rows.v[i].verdict));
			not_ok++;
		}
	ok(in.rows.n > 25 && !not_ok, "a process as the policy has it: every row is ok");
	is_int(lost(), 0, "and nothing is lost");
	is_str(row("paths", "/proc/none")->kernel, "not there", "what is not there needs no mask");
}

/* ---- one line of the status at a time ---- */

static void test_status(void)
{
	static const struct {
		const char *line, *group, *what, *verdict;
		int lost;
	} t[] = {
		{"Seccomp:\t0", "process", "seccomp", "DRIFT", 10},
		{"Seccomp_filters:\t0", "process", "seccomp", "DRIFT", 10},
		{"Seccomp_filters:\t4", "process", "seccomp", "stricter", 0},
		{"Seccomp:", "process", "seccomp", "not seen", 10},
		{"Seccomp_filters:", "process", "seccomp", "ok", 0},
		{"NoNewPrivs:\t0", "process", "no new privileges", "DRIFT", 3},
		{"NoNewPrivs:", "process", "no new privileges", "not seen", 3},
		{"CapBnd:\t0000000000200021", "capabilities", "bounding", "DRIFT", 12},
		{"CapBnd:\t0000000000000001", "capabilities", "bounding", "stricter", 0},
		{"CapBnd:\t000000000000002", "capabilities", "bounding", "not seen", 20},
		{"CapEff:\t0000000000000000", "capabilities", "effective", "stricter", 0},
		{"CapEff:\t000001ffffffffff", "capabilities", "effective", "DRIFT", 20},
		{"CapPrm:\t0000000000000100", "capabilities", "permitted", "DRIFT", 0},
		{"CapInh:\t0000000000000001", "capabilities", "inheritable", "known", 0},
		{"CapAmb:\t0000000000000001", "capabilities", "ambient", "known", 0},
		{"CapAmb:\t0000000000000002", "capabilities", "ambient", "DRIFT", 0},
		{"Uid:\t33\t33\t33\t33", "process", "user", "stricter", 0},
		{"Uid:\t33\t0\t33\t33", "process", "user", "DRIFT", 0},
		{"Uid:\t33\t33\t33", "process", "user", "not seen", 0},
		{"Groups:\t5 ", "process", "groups", "DRIFT", 0},
		{"Groups:\t0 ", "process", "groups", "ok", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		reset_tree();
		put_status(INIT, t[i].line);
		compare(MUST(USUAL));
		is_str(verdict(t[i].group, t[i].what), t[i].verdict, "%s: %s", t[i].what,
		       t[i].line);
		is_int(lost(), t[i].lost, "and costs %d", t[i].lost);
	}
}

/* What a workload may do to itself without no_new_privs, or with the capability. */
static void test_may_change(void)
{
	static const char ids[] = "Uid:\t0\t0\t0\t0";

	reset_tree();
	put_status(INIT, "CapEff:\t0000000000000020");
	compare(MUST(.ns = ALL_NS, .mounts = MOUNTS, .linux_ = LINUX, .root = ROOT,
		     .proc = "'capabilities':{'bounding':['CAP_CHOWN','CAP_KILL']}"));
	is_str(verdict("capabilities", "effective"), "known",
	       "execve(2) gives root what is in the bounding set");
	compare(MUST(.proc = "'noNewPrivileges':true,'capabilities':{'bounding':['CAP_KILL']}"));
	is_str(verdict("capabilities", "effective"), "DRIFT", "not with no_new_privs");
	put_status(INIT, ids);
	compare(build_text(quotes(arena_strdup(
		&arena, "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'process':{'cwd':'/',"
			"'args':['sh'],'user':{'uid':7,'gid':0},'noNewPrivileges':true},"
			"'linux':{'namespaces':[{'type':'mount'}]}}"))));
	is_str(verdict("process", "user"), "DRIFT", "root out of nothing");
	compare(build_text(quotes(arena_strdup(
		&arena, "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'process':{'cwd':'/',"
			"'args':['sh'],'user':{'uid':7,'gid':0}},"
			"'linux':{'namespaces':[{'type':'mount'}]}}"))));
	is_str(verdict("process", "user"), "known", "or from a set-user-id program");
}

/* ---- namespaces ---- */

static void test_namespaces(void)
{
	reset_tree();
	put_ns(INIT, "pid", 4000 + POL_NS_PID);
	compare(MUST(USUAL));
	is_str(verdict("namespaces", "pid"), "DRIFT", "the host's instead of its own");
	is_int(lost(), 10, "costs what sharing it costs");
	reset_tree();
	unlink(place(INIT, "ns/net"));
	compare(MUST(USUAL));
	is_str(verdict("namespaces", "network"), "not seen", "what cannot be read is not seen");
	ok(lost() > 0, "and does not count");
	reset_tree();
	put_ns(INIT, "time", 6000);
	compare(MUST(USUAL));
	is_str(verdict("namespaces", "time"), "stricter", "one that the policy does not ask for");
	/* joined */
	reset_tree();
	world.joined[POL_NS_NET] = 5000 + POL_NS_NET;
	compare(MUST(.ns = "{'type':'network','path':'/run/netns/a'}"));
	is_str(verdict("namespaces", "network"), "ok", "the one that the path leads to");
	world.joined[POL_NS_NET] = 6000;
	compare(MUST(.ns = "{'type':'network','path':'/run/netns/a'}"));
	is_str(verdict("namespaces", "network"), "DRIFT", "another one");
	world.joined[POL_NS_NET] = 0;
	compare(MUST(.ns = "{'type':'network','path':'/run/netns/a'}"));
	is_str(verdict("namespaces", "network"), "known", "the path is gone: still not the host's");
	put_ns(INIT, "net", 4000 + POL_NS_NET);
	compare(MUST(.ns = "{'type':'network','path':'/run/netns/a'}"));
	is_str(verdict("namespaces", "network"), "DRIFT", "but this is");
}

#define USERNS                                                                                     \
	"'uidMappings':[{'containerID':0,'hostID':100000,'size':5},"                               \
	"{'containerID':5,'hostID':7,'size':1}],"                                                  \
	"'gidMappings':[{'containerID':0,'hostID':100000,'size':5}]"

static void test_user_namespace(void)
{
	static const char shown[] = "         5          7          1\n         0     100000 5\n";

	reset_tree();
	put_ns(INIT, "user", 5001);
	put(INIT, "uid_map", shown);
	put(INIT, "gid_map", "0 100000 5\n");
	put_status(INIT, "Uid:\t100000\t100000\t100000\t100000");
	compare(MUST(.ns = ALL_NS ",{'type':'user'}", .linux_ = USERNS, .proc = PROC));
	is_str(verdict("namespaces", "user ids"), "ok", "maps, in whatever order");
	is_str(verdict("process", "user"), "ok", "ids as the host has them");
	put(INIT, "uid_map", "0 0 5\n5 7 1\n");
	compare(MUST(.ns = ALL_NS ",{'type':'user'}", .linux_ = USERNS, .proc = PROC));
	is_str(verdict("namespaces", "user ids"), "DRIFT", "another map");
	put(INIT, "uid_map", "0 0\n");
	compare(MUST(.ns = ALL_NS ",{'type':'user'}", .linux_ = USERNS, .proc = PROC));
	is_str(verdict("namespaces", "user ids"), "not seen", "no map");
	/* a workload in a user namespace that it has made for itself has all capabilities there */
	reset_tree();
	put_ns(INIT, "user", 9999);
	put_status(INIT, "CapBnd:\t000001ffffffffff");
	compare(MUST(USUAL));
	is_str(verdict("capabilities", "bounding"), "known", "capabilities of a nested namespace");
}

/* ---- limits, labels, cgroups ---- */

static void test_limits(void)
{
	static const struct {
		const char *line, *verdict;
	} t[] = {
		{"Max open files            600                  1024  files\n", "known"},
		{"Max open files            100                  200  files\n", "stricter"},
		{"Max open files            512                  unlimited  files\n", "DRIFT"},
		{"Max open files\n", "not seen"},
		{"Max open filesX           512                  1024  files\n", "not seen"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		reset_tree();
		put(INIT, "limits", t[i].line);
		compare(MUST(USUAL));
		is_str(verdict("limits", "RLIMIT_NOFILE"), t[i].verdict, "%.55s", t[i].line);
	}
	put(INIT, "oom_score_adj", "-500\n");
	compare(MUST(USUAL));
	is_str(verdict("limits", "oom_score_adj"), "DRIFT", "the last one to be killed");
	put(INIT, "oom_score_adj", "900\n");
	compare(MUST(USUAL));
	is_str(verdict("limits", "oom_score_adj"), "known", "the first one");
}

static void test_labels(void)
{
	static const char *const t[][2] = {
		{"web (enforce)\n", "ok"},	   {"web\n", "ok"},
		{"unconfined\n", "DRIFT"},	   {"webx (enforce)\n", "DRIFT"},
		{"web//hat (enforce)\n", "known"}, {"web (complain)\n", "known"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		reset_tree();
		put(INIT, "attr/apparmor/current", t[i][0]);
		compare(MUST(USUAL));
		is_str(verdict("process", "AppArmor profile"), t[i][1], "%s", t[i][0]);
	}
	reset_tree();
	unlink(place(INIT, "attr/apparmor/current"));
	unlink(place(INIT, "attr/current"));
	compare(MUST(USUAL));
	is_str(verdict("process", "AppArmor profile"), "not seen", "no label");
}

static void test_cgroups(void)
{
	reset_tree();
	put(INIT, "cgroup", "4:pids:/x/c/below\n0::/x/c\n");
	compare(MUST(USUAL));
	is_str(verdict("control groups", "pids"), "ok", "below its own is where it may be");
	put(INIT, "cgroup", "4:pids:/x/cc\n0::/x/c\n");
	compare(MUST(USUAL));
	is_str(verdict("control groups", "pids"), "DRIFT", "beside it is not");
	put(INIT, "cgroup", "0::/x/c\n");
	compare(MUST(USUAL));
	is_str(verdict("control groups", "pids"), "not seen", "nor is nowhere");
}

/* ---- mounts ---- */

static void with_mount(const char *line)
{
	reset_tree();
	put(INIT, "mountinfo", arena_printf(&arena, "%s%s", mountinfo, line));
	compare(MUST(USUAL));
}

/* mountinfo without the line of an id. */
static void without_mount(const char *id)
{
	char *text = arena_strdup(&arena, mountinfo), *at = strstr(text, id), *end;

	end = strchr(at, '\n') + 1;
	memmove(at, end, strlen(end) + 1);
	reset_tree();
	put(INIT, "mountinfo", text);
	compare(MUST(USUAL));
}

static void test_mounts(void)
{
	with_mount("120 101 0:50 / /proc rw - proc proc rw\n");
	is_str(verdict("paths", "/proc/keys"), "DRIFT",
	       "a new /proc uncovers what the old one had");
	is_str(verdict("paths", "/proc/sys"), "DRIFT", "also what was read-only");
	with_mount("120 105 0:50 / /proc/keys rw - tmpfs t rw\n");
	is_str(verdict("paths", "/proc/keys"), "DRIFT", "a mask with something over it");
	with_mount("120 106 0:50 / /proc/acpi/below rw - tmpfs t rw\n");
	is_str(verdict("mounts", "/proc/acpi/below"), "DRIFT", "a mount in a mask");
	with_mount("120 100 0:50 / /mnt rw - tmpfs t rw\n");
	is_str(verdict("mounts", "/mnt"), "DRIFT", "nobody in there can mount");
	with_mount("120 103 0:50 / /run/secret\\012x/sub rw master:7 - tmpfs t rw\n");
	is_str(verdict("mounts", "/run/secret\nx/sub"), "no row",
	       "what is mounted below the source of a bind comes along");
	with_mount("120 103 0:50 / /run/secret\\012x/sub rw - tmpfs t rw\n");
	is_str(verdict("mounts", "/run/secret\nx/sub"), "DRIFT", "what is mounted there by hand");
	with_mount("120 103 0:50 / /run/secret\\012x ro master:7 - tmpfs t rw\n");
	ok(in.n_verdict[INSPECT_DRIFT] == 0 && in.n_verdict[INSPECT_KNOWN] == 1,
	   "what was mounted over the source itself is known");
	with_mount("120 103 0:50 / /run/secret\\012x ro - tmpfs t rw\n");
	is_str(row("mounts", "/run/secret\nx")->note ? "note" : "", "",
	       "flags are as they should be");
	ok(in.n_verdict[INSPECT_DRIFT] == 1, "but one more mount at the place is drift");
	with_mount("120 100 0:50 / / rw - tmpfs t rw\n");
	is_str(verdict("mounts", "/"), "DRIFT", "another root over the root");
	without_mount("104 101");
	is_str(verdict("paths", "/proc/sys"), "DRIFT", "a read-only path that is uncovered");
	without_mount("106 101");
	is_str(verdict("paths", "/proc/acpi"), "DRIFT", "a mask that is gone");
	without_mount("102 100");
	is_str(verdict("mounts", "/run"), "DRIFT", "a mount that is gone");
	is_str(verdict("mounts", "/run/secret\nx"), "DRIFT", "with what was on it");
	without_mount("100 90");
	is_str(verdict("mounts", "mount table"), "not seen", "the process has changed its root");
	reset_tree();
	unlink(place(INIT, "mountinfo"));
	compare(MUST(USUAL));
	is_str(verdict("mounts", "mount table"), "not seen", "no table");
	is_int(lost(), 3, "a root that is not seen does not count as read-only");
}

static void test_flags(void)
{
	char *text;

	reset_tree();
	text = arena_strdup(&arena, mountinfo);
	memcpy(strstr(text, "ro,relatime"), "rw,relatime", 11);
	put(INIT, "mountinfo", text);
	compare(MUST(USUAL));
	is_str(verdict("mounts", "/"), "DRIFT", "a writable root");
	is_int(lost(), 3, "costs three points");
	text = arena_strdup(&arena, mountinfo);
	memcpy(strstr(text, "rw,nosuid - tmpfs"), "rw,notsid", 9);
	put(INIT, "mountinfo", text);
	compare(MUST(USUAL));
	is_str(verdict("mounts", "/run"), "DRIFT", "a mount without nosuid");
	compare(MUST(.mounts = MOUNTS));
	is_str(verdict("mounts", "/"), "stricter", "a read-only root that need not be");
}

static void test_reasons(void)
{
	static char *added[] = {(char *) (uintptr_t) "/mnt"};

	reset_tree();
	put(INIT, "mountinfo",
	    arena_printf(&arena, "%s120 100 0:50 / /mnt rw - tmpfs t rw\n", mountinfo));
	world.added = (struct strs){added, 1, true};
	compare(MUST(USUAL));
	is_str(verdict("mounts", "/mnt"), "no row", "what mounts add has made");
	reset_tree();
	put(INIT, "mountinfo",
	    arena_printf(&arena, "%s120 100 0:50 / /mnt rw - tmpfs t rw\n", mountinfo));
	compare(MUST(.mounts = MOUNTS, .linux_ = LINUX, .ns = ALL_NS, .root = ROOT,
		     .proc = "'capabilities':{'bounding':['CAP_SYS_ADMIN']}"));
	is_str(verdict("mounts", "/mnt"), "known", "a workload that may mount");
	compare(MUST(USUAL, .top = "'hooks':{'createRuntime':[{'path':'/h'}]}"));
	is_str(verdict("mounts", "/mnt"), "known", "or a hook that has");
	put(INIT, "mountinfo",
	    arena_printf(&arena,
			 "100 90 8:1 /srv/rootfs / ro,relatime master:9 - ext4 /dev/sda1 rw\n"
			 "120 100 0:50 / /elsewhere rw master:10 - tmpfs t rw\n%s",
			 strchr(mountinfo, '\n') + 1));
	compare(MUST(USUAL));
	is_str(verdict("mounts", "/elsewhere"), "known", "or propagation from the host");
	compare(MUST(.mounts = MOUNTS, .linux_ = "'maskedPaths':['/proc/unknown']", .ns = ALL_NS));
	is_str(verdict("paths", "/proc/unknown"), "not seen", "a path that was not looked at");
}

/* ---- other processes ---- */

static size_t other_drifts(const struct policy *p)
{
	compare(p);
	look_at(OTHER, &other);
	inspect_begin(&in, p, &arena);
	return inspect_other(&in, &world, &other, &init);
}

static void test_others(void)
{
	struct policy *p;

	reset_tree();
	is_int(other_drifts(MUST(USUAL)), 0, "one like the first");
	is_int(in.rows.n, 0, "has no rows");
	put_status(OTHER, "CapBnd:\t0000000000200021");
	is_int(other_drifts(MUST(USUAL)), 0, "exec may add one with more capabilities");
	p = arena_memdup(&arena, MUST(USUAL), sizeof(*p));
	p->exec_limits = (struct pol_exec_limits){.set = true,
						  .caps_denied = 1ULL << CAP_SYS_ADMIN};
	is_int(other_drifts(p), 1, "unless a rule denies them to exec");
	put_status(OTHER, "NoNewPrivs:\t0");
	is_int(other_drifts(MUST(USUAL)), 0, "or without no_new_privs");
	p->exec_limits.no_new_privs = true;
	is_int(other_drifts(p), 1, "unless a rule demands it");
	put_status(OTHER, "Seccomp:\t0");
	is_int(other_drifts(MUST(USUAL)), 1, "never without the filters");
	ok(in.rows.n == 1 && in.rows.v[0].pid == OTHER, "the row has its number");
	reset_tree();
	put_ns(OTHER, "net", 9000);
	is_int(other_drifts(MUST(USUAL)), 0, "in a namespace of its own");
	put_ns(OTHER, "net", 4000 + POL_NS_NET);
	is_int(other_drifts(MUST(USUAL)), 1, "never in one of the host");
	is_int(lost(), 0, "the strength of the first was taken before");
	ok(!pol_ns_find(&in.measured, POL_NS_NET), "the measured policy has lost the namespace");
}

/* ---- what a restored process must be ---- */

static void test_guard(void)
{
	static const char *const t[][2] = {
		{"Seccomp:\t0", "seccomp"},
		{"NoNewPrivs:\t0", "no new privileges"},
		{"NoNewPrivs:", "no new privileges"},
		{"CapBnd:\t0000000000200021", "bounding"},
		{"CapPrm:\t0000000000200021", "permitted"},
	};
	const struct inspect_row *r;

	reset_tree();
	compare(MUST(USUAL));
	ok(!inspect_guard(MUST(USUAL), &world, &init, &arena), "one as the policy has it passes");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		put_status(INIT, t[i][0]);
		look_at(INIT, &init);
		r = inspect_guard(MUST(USUAL), &world, &init, &arena);
		is_str(r ? r->what : NULL, t[i][1], "%s does not", t[i][0]);
	}
	reset_tree();
	put_ns(INIT, "ipc", 4000 + POL_NS_IPC);
	look_at(INIT, &init);
	world.self = &self;
	r = inspect_guard(MUST(USUAL), &world, &init, &arena);
	is_str(r ? r->what : NULL, "ipc", "nor one in a namespace of the host");
}

/* ---- the page ---- */

static void test_show(void)
{
	buf_auto text = BUF_WRITER(1 << 20), json = BUF_WRITER(1 << 20);
	const char *s;

	with_mount("120 100 0:50 / /e\\033[2J\\012\\0401 rw - tmpfs t rw\n");
	/* the kernel escapes only blanks, tabs, newlines and backslashes; the rest is as it is */
	ok(row("mounts", "/e\033[2J\n 1") != NULL, "a hostile name");
	inspect_show(&text, &result);
	buf_put_u8(&text, 0);
	s = (const char *) text.p;
	ok(!strchr(s, '\033') && strstr(s, "/e?[2J? 1"), "does not get to the terminal");
	ok(strstr(s, "DRIFT: mounts /e?[2J? 1") != NULL, "nor at the end");
	inspect_json(&json, &result);
	buf_put_u8(&json, 0);
	ok(strstr((const char *) json.p, "/e\\u001b[2J\\n 1") != NULL, "in JSON it is escaped");
	ok(strstr((const char *) json.p, "\"drift\": true") != NULL, "which has the verdict");
}

int main(void)
{
	if (!mkdtemp(dir))
		bail_out("no directory for the test");
	proc_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	reset();
	host.apparmor = true;
	test_look();
	test_as_decided();
	test_status();
	test_may_change();
	test_namespaces();
	test_user_namespace();
	test_limits();
	test_labels();
	test_cgroups();
	test_mounts();
	test_flags();
	test_reasons();
	test_others();
	test_guard();
	test_show();
	nftw(dir, forget_file, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(&arena);
	return done();
}

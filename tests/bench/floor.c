/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel needs for one podman-like container, and nothing else: the distance of a runtime to this program is what
 * the runtime itself costs. Everything is hard-coded for tests/bench/bundle's "podman" bundle:
 *
 *	floor [--root DIR] run -b BUNDLE ID
 *
 * FLOOR_V1 in the environment lists the v1 hierarchies below /sys/fs/cgroup; without it, that is cgroup2. FLOOR_FILTER
 * names a file with a compiled seccomp program.
 *
 * What it leaves out, so that nobody takes it for a runtime: it reads no config.json and decides nothing, writes no state,
 * and is followed by no start, exec or delete; it has no protection of its own program from the container
 * (CVE-2019-5736); it uses plain paths inside the image, which it trusts; it sets no device filter on cgroup2, no keyring,
 * no limits from outside; its errors name a line of this file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* sys/mount.h and linux/mount.h cannot be had together everywhere */
extern int mount(const char *, const char *, const char *, unsigned long, const void *);
extern int umount2(const char *, int);
enum {
	RDONLY = 1,
	NOSUID = 2,
	NODEV = 4,
	NOEXEC = 8,
	REMOUNT = 32,
	BIND = 4096,
	REC = 16384,
	PRIVATE = 1 << 18,
	SLAVE = 1 << 19,
	STRICTATIME = 1 << 24,
	DETACH = 2,
};

#define CG "/sys/fs/cgroup"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CHECK(call)                                                                                \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			fail(__LINE__, #call);                                                     \
	} while (0)

static const char *bundle, *id, *v1[16];
static size_t v1_n;
static int tasks[16];
static struct sock_filter program[4096];
static unsigned short program_n;

static void __attribute__((noreturn)) fail(int line, const char *what)
{
	fprintf(stderr, "floor.c:%d: %s: %m\n", line, what);
	_exit(1);
}

/* The last eight results are valid. */
static const char *path(const char *format, const char *a, const char *b)
{
	static char buf[8][512];
	static unsigned i;

	snprintf(buf[++i % 8], sizeof(buf[0]), format, a, b);
	return buf[i % 8];
}

static void put(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fail(__LINE__, file);
	close(fd);
}

/* ---- cgroups ---- */

static const char *group(const char *hierarchy)
{
	return path(CG "/%s/bench-%s", hierarchy, id);
}

static void copy_cpuset(const char *file)
{
	char value[64];
	int fd = open(path(CG "/cpuset/%s%s", file, ""), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);

	CHECK(n);
	value[n] = '\0';
	close(fd);
	put(path("%s/%s", group("cpuset"), file), value);
}

static void limit_v1(void)
{
	static const char *const allow[] = {"b *:* m",	 "c *:* m",   "c 1:3 rwm",  "c 1:5 rwm",
					    "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",  "c 5:0 rwm",
					    "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm"};
	int fd;

	copy_cpuset("cpuset.cpus");
	copy_cpuset("cpuset.mems");
	put(path("%s/%s", group("pids"), "pids.max"), "2048");
	put(path("%s/%s", group("devices"), "devices.deny"), "a");
	fd = open(path("%s/%s", group("devices"), "devices.allow"), O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; i < LEN(allow); i++)
		CHECK(write(fd, allow[i], strlen(allow[i])));
	close(fd);
}

static int make_groups(void)
{
	for (size_t i = 0; i < v1_n; i++) {
		CHECK(mkdir(group(v1[i]), 0755));
		CHECK(tasks[i] = open(path("%s/%s", group(v1[i]), "tasks"), O_WRONLY | O_CLOEXEC));
	}
	if (v1_n) {
		limit_v1();
		return -1;
	}
	CHECK(mkdir(group("."), 0755));
	return open(group("."), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void remove_groups(void)
{
	for (size_t i = 0; i < v1_n; i++)
		CHECK(rmdir(group(v1[i])));
	if (!v1_n)
		CHECK(rmdir(group(".")));
}

static void show_groups(void)
{
	if (!v1_n) {
		CHECK(mount("cgroup", CG, "cgroup2", NOSUID | NODEV | NOEXEC | RDONLY, NULL));
		return;
	}
	CHECK(mount("cgroup", CG, "tmpfs", NOSUID | NODEV | NOEXEC, "mode=755"));
	for (size_t i = 0; i < v1_n; i++)
		CHECK(mkdir(path(CG "/%s%s", v1[i], ""), 0755));
}

/* ---- the root ---- */

static const struct {
	const char *name, *target;
	unsigned long attr;
} binds[] = {
	{".containerenv", "run/.containerenv", 0},
	{"hostname", "etc/hostname", 0},
	{"hosts", "etc/hosts", 0},
	{"shm", "dev/shm", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
};

static void make_nodes(void)
{
	static const struct {
		const char *name;
		unsigned major, minor;
	} nodes[] = {{"null", 1, 3},   {"zero", 1, 5},	  {"full", 1, 7},
		     {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

	for (size_t i = 0; i < LEN(nodes); i++)
		CHECK(mknod(path("/dev/%s%s", nodes[i].name, ""), S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)));
	CHECK(symlink("/proc/self/fd", "/dev/fd"));
	CHECK(symlink("/proc/self/fd/0", "/dev/stdin"));
	CHECK(symlink("/proc/self/fd/1", "/dev/stdout"));
	CHECK(symlink("/proc/self/fd/2", "/dev/stderr"));
	CHECK(symlink("pts/ptmx", "/dev/ptmx"));
}

static void cover(void)
{
	static const char *const readonly[] = {"/proc/asound", "/proc/bus", "/proc/fs",
					       "/proc/irq",    "/proc/sys", "/proc/sysrq-trigger"};
	static const char *const masked[] = {
		"/proc/acpi",	    "/proc/kcore",	 "/proc/keys",	      "/proc/latency_stats",
		"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
		"/sys/firmware",    "/sys/fs/selinux",	 "/sys/dev/block"};

	for (size_t i = 0; i < LEN(readonly); i++)
		if (mount(readonly[i], readonly[i], NULL, BIND | REC, NULL) == 0)
			CHECK(mount(NULL, readonly[i], NULL,
				    BIND | REMOUNT | RDONLY | NOSUID | NODEV | NOEXEC, NULL));
	/* a file takes the null device, a directory refuses it */
	for (size_t i = 0; i < LEN(masked); i++)
		if (mount("/dev/null", masked[i], NULL, BIND, NULL) < 0)
			(void) mount("tmpfs", masked[i], "tmpfs", RDONLY | NOSUID | NODEV | NOEXEC,
				     "size=0");
}

static void make_root(void)
{
	const char *root = path("%s/../rootfs%s", bundle, "");
	int trees[LEN(binds)];

	CHECK(mount(NULL, "/", NULL, REC | SLAVE, NULL));
	CHECK(mount(root, root, NULL, BIND | REC, NULL));
	for (size_t i = 0; i < LEN(binds); i++) {
		struct mount_attr a = {.attr_set = binds[i].attr, .propagation = PRIVATE};

		CHECK(trees[i] = (int) syscall(SYS_open_tree, AT_FDCWD,
					       path("%s/../files/%s", bundle, binds[i].name),
					       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
		CHECK(syscall(SYS_mount_setattr, trees[i], "", AT_EMPTY_PATH, &a, sizeof(a)));
	}
	/* the container's own directories, while the host's paths are there */
	CHECK(chdir(root));
	CHECK(mount("proc", "proc", "proc", NOSUID | NODEV | NOEXEC, NULL));
	CHECK(mount("tmpfs", "dev", "tmpfs", NOSUID | NOEXEC | STRICTATIME,
		    "mode=755,size=65536k"));
	CHECK(mount("sysfs", "sys", "sysfs", NOSUID | NODEV | NOEXEC | RDONLY, NULL));
	if (v1_n) {
		CHECK(mount("cgroup", "sys/fs/cgroup", "tmpfs", NOSUID | NODEV | NOEXEC,
			    "mode=755"));
		for (size_t i = 0; i < v1_n; i++) {
			const char *to = path("sys/fs/cgroup/%s%s", v1[i], "");

			CHECK(mkdir(to, 0755));
			CHECK(mount(group(v1[i]), to, NULL, BIND, NULL));
			CHECK(mount(NULL, to, NULL,
				    BIND | REMOUNT | RDONLY | NOSUID | NODEV | NOEXEC, NULL));
		}
	}
	CHECK(syscall(SYS_pivot_root, ".", "."));
	CHECK(umount2(".", DETACH));
	CHECK(chdir("/"));
	if (!v1_n)
		show_groups();
	CHECK(mkdir("/dev/pts", 0755));
	CHECK(mkdir("/dev/mqueue", 0755));
	CHECK(mkdir("/dev/shm", 0755));
	CHECK(mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC,
		    "newinstance,ptmxmode=0666,mode=0620,gid=5"));
	CHECK(mount("mqueue", "/dev/mqueue", "mqueue", NOSUID | NODEV | NOEXEC, NULL));
	for (size_t i = 0; i < LEN(binds); i++)
		CHECK(syscall(SYS_move_mount, trees[i], "", AT_FDCWD, binds[i].target,
			      MOVE_MOUNT_F_EMPTY_PATH));
	make_nodes();
	put("/proc/sys/net/ipv4/ping_group_range", "0 0");
	cover();
}

/* ---- the process ---- */

static void drop_privileges(void)
{
	static const unsigned char kept[] = {CAP_CHOWN,	  CAP_DAC_OVERRIDE, CAP_FOWNER,
					     CAP_FSETID,  CAP_KILL,	    CAP_NET_BIND_SERVICE,
					     CAP_SETFCAP, CAP_SETGID,	    CAP_SETPCAP,
					     CAP_SETUID,  CAP_SYS_CHROOT};
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	const struct rlimit nofile = {1024, 1024}, nproc = {1024, 2048};
	uint64_t set = 0;

	for (size_t i = 0; i < sizeof(kept); i++)
		set |= (uint64_t) 1 << kept[i];
	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(set >> cap & 1))
			CHECK(prctl(PR_CAPBSET_DROP, cap));
	CHECK(setgroups(0, NULL));
	CHECK(setresgid(0, 0, 0));
	CHECK(setresuid(0, 0, 0));
	CHECK(setrlimit(RLIMIT_NOFILE, &nofile));
	CHECK(setrlimit(RLIMIT_NPROC, &nproc));
	/* SYS_ADMIN until the exec, for the filter: there is no no_new_privs */
	data[0].permitted = data[0].effective = (uint32_t) set | 1u << CAP_SYS_ADMIN;
	data[1].permitted = data[1].effective = (uint32_t) (set >> 32);
	CHECK(syscall(SYS_capset, &head, data));
}

static void __attribute__((noreturn)) child(void)
{
	struct sock_fprog filter = {.len = program_n, .filter = program};
	struct ifreq lo = {.ifr_name = "lo"};
	int fd;

	for (size_t i = 0; i < v1_n; i++)
		CHECK(write(tasks[i], "0", 1));
	if (!v1_n)
		CHECK(unshare(CLONE_NEWCGROUP));
	setsid();
	umask(0);
	CHECK(fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	lo.ifr_flags = IFF_UP | IFF_RUNNING;
	CHECK(ioctl(fd, SIOCSIFFLAGS, &lo));
	CHECK(sethostname("0123456789ab", 12));
	make_root();
	drop_privileges();
	umask(022);
	CHECK(syscall(SYS_close_range, 3, ~0U, 0));
	if (program_n)
		CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			      &filter));
	execve("/bin/true", (char *[]){"/bin/true", NULL}, (char *[]){"PATH=/usr/bin:/bin", NULL});
	fail(__LINE__, "execve");
}

static void read_filter(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, program, sizeof(program));

	CHECK(n);
	program_n = (unsigned short) ((size_t) n / sizeof(program[0]));
	close(fd);
}

int main(int argc, char **argv)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET,
		.exit_signal = SIGCHLD,
	};
	char *list = getenv("FLOOR_V1"), *filter = getenv("FLOOR_FILTER");
	int status, fd;
	pid_t pid;

	if (argc < 5 || strcmp(argv[argc - 4], "run") != 0) {
		fprintf(stderr, "usage: floor run -b BUNDLE ID\n");
		return 2;
	}
	bundle = argv[argc - 2];
	id = argv[argc - 1];
	for (char *name = list ? strtok(list, " ") : NULL; name && v1_n < LEN(v1);
	     name = strtok(NULL, " "))
		v1[v1_n++] = name;
	if (filter)
		read_filter(filter);
	fd = make_groups();
	if (fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t) fd;
	}
	pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
	CHECK(pid);
	if (pid == 0)
		child();
	CHECK(waitpid(pid, &status, 0));
	remove_groups();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

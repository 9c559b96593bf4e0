/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent as PID 1 of a guest: from an initramfs that holds this program and some modules to a machine that can run a
 * container, and the way to the host.
 *
 * The root of an initramfs cannot be pivoted away from, which every container's stage wants to do in its mount namespace. So
 * the root is bound onto itself and that is moved over it: now "/" is a mount like others.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "exec/stage.h"

#define FILES_MAX 524288 /* what systemd gives, too */
#define PORTS "/sys/class/virtio-ports"
#define PORT_WAIT_MS 30000
/* What one message may have over 9p: the transport's limit, 128 descriptors of a page less three. */
#define NINE_P "trans=virtio,version=9p2000.L,cache=none,msize=512000"

static const struct {
	const char *type, *at, *data;
	unsigned long flags;
} mounts[] = {
	{"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"devtmpfs", "/dev", "mode=755", MS_NOSUID},
	{"devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC},
	{"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV},
	{"tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV},
	{"cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
};

static int own_root(struct err *e)
{
	if (mkdir("/root.bind", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "making a folder in the guest's root");
	if (mount("/", "/root.bind", NULL, MS_BIND, NULL) < 0 || chdir("/root.bind") < 0 ||
	    mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "making the guest's root a mount");
	return 0;
}

/* The kernel's own limits for a first process are those of a very small machine, and are inherited. The agent has some
 * descriptors for each process; how many processes there may be is the cgroup's to say. */
static const struct {
	int what;
	struct rlimit ours, container;
} limits[] = {
	{RLIMIT_NOFILE, {FILES_MAX, FILES_MAX}, {1024, FILES_MAX}},
	{RLIMIT_NPROC, {RLIM_INFINITY, RLIM_INFINITY}, {RLIM_INFINITY, RLIM_INFINITY}},
};

static int raise_limits(struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (setrlimit(limits[i].what, &limits[i].ours) < 0)
			return err_sys(e, "raising the agent's limits");
	return 0;
}

int guest_child_limits(struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (setrlimit(limits[i].what, &limits[i].container) < 0)
			return err_sys(e, "setting the limits that a container begins with");
	return 0;
}

int guest_begin(struct err *e)
{
	int r = own_root(e);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(mounts); i++) {
		if (mkdir(mounts[i].at, 0755) < 0 && errno != EEXIST)
			r = err_sys(e, "making %s", mounts[i].at);
		else if (mount(mounts[i].type, mounts[i].at, mounts[i].type, mounts[i].flags,
			       mounts[i].data) < 0)
			r = err_sys(e, "mounting %s", mounts[i].at);
	}
	if (r == 0)
		r = stdio_open_missing(e);
	if (r == 0)
		r = raise_limits(e);
	if (r == 0)
		r = guest_modules("boot", e);
	if (r == 0)
		r = net_loopback_up(e);
	return r;
}

/* ---- the share ---- */

int guest_mount_share(uint32_t kind, const char *tag, struct err *e)
{
	const char *type, *data = NULL;

	switch (kind) {
	case WIRE_ROOT_9P:
		type = "9p";
		data = NINE_P;
		break;
	case WIRE_ROOT_VIRTIOFS: type = "virtiofs"; break;
	default: return err_set(e, -EOPNOTSUPP, "this agent cannot mount a share of kind %u", kind);
	}
	if (str_empty(tag))
		return err_set(e, -EINVAL, "the share has no tag");
	if (mkdir(AGENT_SHARE, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "making " AGENT_SHARE);
	/* nodev: the nodes in an image are not for the guest's devices; the stage makes those that the policy has */
	if (mount(tag, AGENT_SHARE, type, MS_NODEV, data) < 0)
		return err_sys(e, "mounting the container's root (%s)", type);
	return 0;
}

/* ---- the way to the host ---- */

static void nap_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = (long) ms * 1000000};

	nanosleep(&t, NULL);
}

static int try_port(const char *dev)
{
	char path[300], name[64];

	snprintf(path, sizeof(path), PORTS "/%s/name", dev);
	if (io_read_small(AT_FDCWD, path, name, sizeof(name)) < 0 || !str_eq(name, WIRE_PORT_NAME))
		return -ENOENT;
	snprintf(path, sizeof(path), "/dev/%s", dev);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int look_for_port(void)
{
	DIR *d = opendir(PORTS);
	struct dirent *de;
	int fd = -ENOENT;

	while (d && fd < 0 && (de = readdir(d)))
		if (de->d_name[0] != '.')
			fd = try_port(de->d_name);
	if (d)
		closedir(d);
	return fd;
}

/* The driver names a port when the host has told its name, some milliseconds after we have begun. */
int guest_open_port(struct err *e)
{
	int fd = look_for_port();

	for (unsigned ms = 0; fd < 0 && ms < PORT_WAIT_MS; ms += 2) {
		nap_ms(2);
		fd = look_for_port();
	}
	return fd < 0 ? err_neg(e, fd, "opening the port " WIRE_PORT_NAME " to the host") : fd;
}

void guest_set_clock(uint64_t realtime_ns)
{
	struct timespec t = {.tv_sec = (time_t) (realtime_ns / 1000000000u),
			     .tv_nsec = (long) (realtime_ns % 1000000000u)};

	(void) clock_settime(CLOCK_REALTIME, &t); /* a guest whose time is wrong is still one */
}

void guest_end(void)
{
	reboot(RB_AUTOBOOT); /* QEMU ends instead: -no-reboot */
	for (;;)
		pause();
}

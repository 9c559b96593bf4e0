/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process 1 of a guest that shows what contrib/guest/build has made of it: loads every module of the initrd, uses what
 * they are for (a shared folder, a disk, a port), says on the console how that went, and ends the guest.
 *
 *	guest_init tsc		on the host: the frequency of its time stamp counter in kHz. A guest under TCG has no clock to
 *				measure it with (tsc_early_khz on its command line)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

static int print_tsc(void)
{
	struct timespec a, b, nap = {.tv_nsec = 50000000};
	unsigned long long from, to;

	clock_gettime(CLOCK_MONOTONIC_RAW, &a);
	from = __rdtsc();
	nanosleep(&nap, NULL);
	clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	to = __rdtsc();
	printf("%.0f\n",
	       (double) (to - from) * 1e6 /
		       ((double) (b.tv_sec - a.tv_sec) * 1e9 + (double) (b.tv_nsec - a.tv_nsec)));
	return 0;
}

static const char *result(int r)
{
	return r < 0 ? strerror(errno) : "ok";
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -1;
	r = (int) syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	/* loaded for another feature; drives what is not there */
	return r < 0 && errno != EEXIST && errno != ENODEV ? -1 : 0;
}

static void load_all(void)
{
	char line[4096];
	FILE *f = fopen("/lib/modules.list", "re");

	while (f && fgets(line, sizeof(line), f)) {
		char *save, *feature = strtok_r(line, ": \n", &save), *path;
		int r = 0;

		while (r == 0 && (path = strtok_r(NULL, " \n", &save)))
			r = load(path);
		printf("feature %s: %s\n", feature, result(r));
	}
	if (f)
		fclose(f);
}

static void show(const char *what, const char *path)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[strcspn(text, "\n")] = '\0';
	printf("%s: %s\n", what, n < 0 ? strerror(errno) : text);
	if (fd >= 0)
		close(fd);
}

/* The port appears a moment after its device. */
static void show_port(void)
{
	struct timespec nap = {.tv_nsec = 10000000};

	for (int i = 0; i < 1000 && access("/sys/class/virtio-ports/vport0p1/name", F_OK) < 0; i++)
		nanosleep(&nap, NULL);
	show("port", "/sys/class/virtio-ports/vport0p1/name");
}

static void show_mount(const char *type, const char *source, const char *options, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "/run/%s", type);
	mkdir(path, 0755);
	printf("mount %s: %s\n", type, result(mount(source, path, type, MS_RDONLY, options)));
	snprintf(path, sizeof(path), "/run/%s/%s", type, file);
	show(type, path);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "tsc") == 0)
		return print_tsc();
	if (getpid() != 1)
		return 2;
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	show("release", "/proc/sys/kernel/osrelease");
	load_all();
	show_port();
	show("disk", "/sys/block/vda/serial");
	show_mount("9p", "share", "trans=virtio,version=9p2000.L", "file");
	show_mount("erofs", "/dev/vda", NULL, "file");
	show("random", "/sys/class/misc/hw_random/rng_current");
	printf("device-mapper: %s\n", result(access("/sys/module/dm_verity", F_OK)));
	puts("end");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}

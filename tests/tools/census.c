/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry point for tests: prints the descriptors that it was born with, one "N TARGET" a line, without opening any for
 * itself before it looked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char path[64], target[4096];
	int open_fds[1024], n = 0;

	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			open_fds[n++] = fd;
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", open_fds[i]);
		ssize_t len = readlink(path, target, sizeof(target) - 1);

		target[len > 0 ? len : 0] = 0;
		printf("%d %s\n", open_fds[i], target);
	}
	return 0;
}

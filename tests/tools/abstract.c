/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abstract listen|connect NAME: an abstract Unix socket. `listen` says "ready" and ends when somebody has connected;
 * `connect` prints "connected" or "error ERRNO". For landlock.bats.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len;
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 3 || strlen(argv[2]) > 90 || s < 0)
		return 2;
	strcpy(a.sun_path + 1, argv[2]);
	len = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + strlen(argv[2]));
	if (strcmp(argv[1], "connect") == 0) {
		if (connect(s, (struct sockaddr *) &a, len) < 0)
			printf("error %d\n", errno);
		else
			printf("connected\n");
		return 0;
	}
	if (bind(s, (struct sockaddr *) &a, len) < 0 || listen(s, 1) < 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	return accept(s, NULL, NULL) < 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3) for tests: sends its arguments, one datagram each, to $NOTIFY_SOCKET. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	int sock = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (!path || strlen(path) >= sizeof(sa.sun_path))
		return 2;
	strcpy(sa.sun_path, path);
	if (sock < 0 || connect(sock, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
		perror(path);
		return 1;
	}
	for (int i = 1; i < argc; i++)
		if (send(sock, argv[i], strlen(argv[i]), 0) < 0)
			return 1;
	return 0;
}

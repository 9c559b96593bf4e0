/* SPDX-License-Identifier: Apache-2.0 */
/* lock FILE PROGRAM [ARGUMENT...]: runs the program with an exclusive lock of the file; "locked" when it is taken. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		puts("locked");
		return 1;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}

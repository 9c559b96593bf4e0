/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges two paths as fast as it can until it is killed: what a hostile process on a shared volume does between
 * a runtime's look-up and its use of a path. Usage: swapper A B
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	for (;;)
		if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) <
		    0) {
			perror("renameat2");
			return 1;
		}
}

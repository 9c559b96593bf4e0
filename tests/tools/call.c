/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call [-32] NUMBER|NAME [ARGUMENT...]: makes one system call, with -32 by the 32-bit entry, and prints what came back:
 * "RESULT" or "error ERRNO". For seccomp.bats: what a filter answers is seen without a libc in between.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	long nr;
} calls[] = {
	{"getpgid", SYS_getpgid}, {"getppid", SYS_getppid}, {"getpid", SYS_getpid},
	{"setpgid", SYS_setpgid}, {"mkdirat", SYS_mkdirat}, {"reboot", SYS_reboot},
	{"getsid", SYS_getsid},	  {"socket", SYS_socket},   {"personality", SYS_personality},
	{"setuid", SYS_setuid},
};

static long call32(long nr, const long *a)
{
#ifdef __x86_64__
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int) ret;
#else
	(void) nr;
	(void) a;
	return -ENOSYS;
#endif
}

int main(int argc, char **argv)
{
	int narrow = argc > 1 && strcmp(argv[1], "-32") == 0;
	long a[6] = {0}, nr, ret;
	char *end;

	argv += narrow;
	argc -= narrow;
	if (argc < 2)
		return 2;
	nr = strtol(argv[1], &end, 0);
	for (size_t i = 0; *end && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, argv[1]) == 0) {
			nr = calls[i].nr;
			end = argv[1] + strlen(argv[1]);
		}
	if (*end)
		return 2;
	for (int i = 2; i < argc && i < 8; i++)
		a[i - 2] = (long) strtoul(argv[i], NULL, 0);
	if (narrow) {
		ret = call32(nr, a);
	} else {
		ret = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (ret == -1)
			ret = -errno;
	}
	if (ret < 0 && ret > -4096)
		printf("error %ld\n", -ret);
	else
		printf("%ld\n", ret);
	return 0;
}

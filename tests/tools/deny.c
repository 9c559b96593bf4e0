/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deny CALL[,CALL...] PROGRAM [ARGUMENT...]: runs a program for which these system calls do not exist (ENOSYS), as on
 * an older kernel or below the filter of an outer container. For tests of the ways around. Needs CAP_SYS_ADMIN: with
 * no_new_privs the container under test could not get anything either.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 32

static const struct {
	const char *name;
	unsigned nr;
} calls[] = {
	{"clone3", 435},
	{"close_range", SYS_close_range},
	{"faccessat2", 439},
	{"fsconfig", 431},
	{"fsmount", 432},
	{"fsopen", 430},
	{"keyctl", SYS_keyctl},
	{"mount_setattr", 442},
	{"move_mount", 429},
	{"open_tree", 428},
	{"open_tree_attr", 467},
	{"openat2", 437},
	{"execveat", SYS_execveat},
	{"landlock_create_ruleset", 444},
	{"landlock_restrict_self", 446},
};

static unsigned number(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].nr;
	fprintf(stderr, "deny: %s is not in the table\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	struct sock_filter f[2 * CALLS_MAX + 2];
	struct sock_fprog prog = {.filter = f};
	unsigned short n = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: deny CALL,... PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	f[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (char *c = strtok(argv[1], ","); c && n < 2 * CALLS_MAX; c = strtok(NULL, ",")) {
		f[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number(c), 0, 1);
		f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	}
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = n;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0) {
		perror("deny: seccomp");
		return 2;
	}
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}

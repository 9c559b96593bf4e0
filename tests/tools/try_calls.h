/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the kernel what the filters of this process do with a call, without the call being made.
 *
 * Theory of operation: one more filter is loaded, which hands every call with MAGIC as its sixth argument to a supervisor.
 * The kernel runs all filters and takes the strictest answer: an errno or a kill of theirs is stricter than the question to
 * the supervisor, and comes through; what they allow, the supervisor answers with an errno that nothing else gives. So any
 * call can be tried with any arguments, exit and reboot too, and an errno is the filter's, never the kernel's own.
 *
 * A child makes the calls; the supervisor, its parent, starts another one behind each call that kills.
 */
#ifndef KAVACH_TESTS_TRY_CALLS_H
#define KAVACH_TESTS_TRY_CALLS_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRY_MAGIC 0x6b617661
#define TRY_NUMBERS 1024 /* more than any table has */
#define TRY_X32 0x40000000U

/* Answers beside errno. */
#define TRY_PASSES 4000 /* all filters let it through */
#define TRY_KILLS 4001
#define TRY_NO_ABI 4002 /* the kernel has no such entry */
#define TRY_FAULTS                                                                                 \
	4003 /* uretprobe and uprobe of x86_64: no filter sees them, and outside of a probe they are a fault */

enum try_abi { TRY_NATIVE, TRY_32 };

struct try_call {
	enum try_abi abi;
	uint32_t nr; /* with TRY_X32 for x32 */
	uint64_t args[5];
	int answer;
};

static inline int try_listen(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRY_MAGIC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			     &prog);
}

static inline int try_native(const struct try_call *c)
{
	long r = syscall((long) c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4],
			 (long) TRY_MAGIC);

	return r < 0 ? errno : 0;
}

#ifdef __x86_64__
static inline int try_32(const struct try_call *c)
{
	register uint64_t magic __asm__("r12") = TRY_MAGIC;
	long ret;

	__asm__ volatile("xchgq %%rbp, %%r12\n\tint $0x80\n\txchgq %%rbp, %%r12"
			 : "=a"(ret), "+r"(magic)
			 : "a"((long) c->nr), "b"(c->args[0]), "c"(c->args[1]), "d"(c->args[2]),
			   "S"(c->args[3]), "D"(c->args[4])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int) ret < 0 ? -(int) ret : 0;
}
#else
static inline int try_32(const struct try_call *c)
{
	(void) c;
	return TRY_NO_ABI;
}
#endif

/* The child: from call i on. Says before each one where it is. */
static inline void try_from(struct try_call *calls, size_t n, size_t i, volatile size_t *at)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core files */
	for (; i < n; i++) {
		*at = i;
		calls[i].answer = calls[i].abi == TRY_NATIVE ? try_native(&calls[i])
							     : try_32(&calls[i]);
	}
	*at = n;
	/* the mark may still be in the register, where calls with fewer arguments leave it, and exit is one */
	syscall(SYS_getppid, 0L, 0L, 0L, 0L, 0L, 0L);
	_exit(0);
}

/* Answers until the child ends; returns the signal that ended it, 0, or -1 on trouble. */
static inline int try_answer(int listener, pid_t pid)
{
	struct pollfd fds[] = {{listener, POLLIN, 0}, {-1, POLLIN, 0}};
	int status, pidfd = (int) syscall(SYS_pidfd_open, pid, 0);

	fds[1].fd = pidfd;
	while (pidfd >= 0 && poll(fds, 2, -1) > 0 && !(fds[1].revents & POLLIN)) {
		struct seccomp_notif ask = {0};
		struct seccomp_notif_resp say = {.error = -TRY_PASSES};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0)
			continue; /* it was killed meanwhile */
		say.id = ask.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &say);
	}
	close(pidfd);
	if (waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) ? -1 : 0;
}

/* What a signal at this call means, for it and those behind it. Returns the next call to try. */
static inline size_t try_signal(struct try_call *calls, size_t n, size_t i, int sig)
{
	if (sig == SIGSYS || calls[i].abi == TRY_NATIVE) {
		calls[i].answer = sig == SIGSYS ? TRY_KILLS : TRY_FAULTS;
		return i + 1;
	}
	/* int $0x80 where the kernel does not take it is a fault */
	for (; i < n && calls[i].abi == TRY_32; i++)
		calls[i].answer = TRY_NO_ABI;
	return i;
}

/*
 * try_calls: sets the answer of each call, of the filters that this process has. The calls and *at lie in memory that is
 * shared with children (MAP_SHARED). The process has one filter more afterwards. Returns 0, or -1 when the kernel cannot.
 */
static inline int try_calls(struct try_call *calls, size_t n, volatile size_t *at)
{
	int listener = try_listen();

	if (listener < 0)
		return -1;
	for (size_t i = 0; i < n;) {
		pid_t pid = fork();
		int sig;

		if (pid == 0)
			try_from(calls, n, i, at);
		sig = pid < 0 ? -1 : try_answer(listener, pid);
		if (sig < 0)
			return -1;
		i = sig == 0 ? n : try_signal(calls, n, *at, sig);
	}
	close(listener);
	return 0;
}

/* The numbers of all tables, without arguments; returns how many calls. */
static inline size_t try_all(struct try_call *calls)
{
	size_t n = 0;

	for (uint32_t i = 0; i < TRY_NUMBERS; i++)
		calls[n++] = (struct try_call){.abi = TRY_NATIVE, .nr = i};
#ifdef __x86_64__
	for (uint32_t i = 0; i < TRY_NUMBERS; i++)
		calls[n++] = (struct try_call){.abi = TRY_NATIVE, .nr = i | TRY_X32};
	for (uint32_t i = 0; i < TRY_NUMBERS; i++)
		calls[n++] = (struct try_call){.abi = TRY_32, .nr = i};
#endif
	return n;
}
#define TRY_ALL_MAX ((size_t) 3 * TRY_NUMBERS)

#endif

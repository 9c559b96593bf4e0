/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy host spec json base */
/*
 * From recorded calls to a profile, and from that to a program: what was recorded is allowed, the rest is not. Recording
 * itself is tests/bats/seccomp_talk.bats.
 */
#include <sched.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "policy/build.h"
#include "seccomp/filter.h"
#include "seccomp/record.h"
#include "tap.h"

#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))

static struct arena arena;
static struct bytes bpf;

static void note(struct record *rec, int nr, uint64_t a0, uint64_t clone3_flags)
{
	const uint64_t args[6] = {a0};

	record_add(rec, filter_native(), nr, args, clone3_flags);
}

/* Writes the profile, reads it as a bundle's and compiles it. */
static void compile(const struct record *rec)
{
	struct buf *b = arena_new(&arena, struct buf);
	const struct spec_seccomp *s;
	struct pol_seccomp p = {0};
	struct host h = {0};
	struct err e = ERR_INIT;
	struct utsname u;
	int r;

	*b = BUF_WRITER(1 << 20);
	uname(&u);
	snprintf(h.machine, sizeof(h.machine), "%.15s", u.machine);
	record_profile(rec, b);
	r = spec_parse_seccomp("p", (const char *) b->p, b->n, &arena, &s, &e);
	if (r == 0)
		r = policy_seccomp(s, "p", &h, &arena, &p, &e);
	if (r == 0)
		r = seccomp_compile(&p, &arena, &bpf, &e);
	ok(r == 0, "the profile is one %s", e.msg);
	buf_free(b);
}

static uint32_t runs(int nr, uint64_t a0)
{
	const uint64_t args[6] = {a0};

	return seccomp_sim(&bpf, filter_native(), nr, args);
}

int main(void)
{
	struct record rec = {.a = &arena};

	note(&rec, SYS_getcwd, 0, 0);
	note(&rec, SYS_socket, 1, 0);
	note(&rec, SYS_socket, 1 | 1ULL << 32, 0);
	note(&rec, SYS_clone, CLONE_VM | CLONE_THREAD, 0);
	compile(&rec);
	ok(runs(SYS_getcwd, 5) == SECCOMP_RET_ALLOW, "what was seen is allowed");
	ok(runs(SYS_execve, 0) == SECCOMP_RET_ALLOW, "starting the program is");
	ok(runs(SYS_getpgid, 0) == ERRNO(ENOSYS), "what was not seen is not there");
	ok(runs(SYS_mount, 0) == ERRNO(EPERM), "what is dangerous is not permitted");
	ok(runs(SYS_socket, 1) == SECCOMP_RET_ALLOW, "a socket of the same family");
	ok(runs(SYS_socket, 1 | 1ULL << 40) == SECCOMP_RET_ALLOW, "as the kernel sees it");
	ok(runs(SYS_socket, 2) == ERRNO(ENOSYS), "none of another");
	ok(runs(SYS_clone, CLONE_VM) == SECCOMP_RET_ALLOW, "a new process");
	ok(runs(SYS_clone, CLONE_NEWUSER) == ERRNO(ENOSYS), "no new namespace");
	ok(runs(SYS_clone3, 0) == ERRNO(ENOSYS), "no clone3");

	rec = (struct record){.a = &arena};
	note(&rec, SYS_clone3, 0, CLONE_VM | CLONE_VFORK);
	compile(&rec);
	ok(runs(SYS_clone3, 0) == ERRNO(ENOSYS) && runs(SYS_clone, 0) == SECCOMP_RET_ALLOW &&
		   runs(SYS_clone, CLONE_NEWNS) == ERRNO(ENOSYS),
	   "clone3 without namespaces: clone will do");

	rec = (struct record){.a = &arena};
	note(&rec, SYS_clone3, 0, CLONE_NEWNET);
	compile(&rec);
	ok(runs(SYS_clone3, 0) == SECCOMP_RET_ALLOW &&
		   runs(SYS_clone, CLONE_NEWNET) == SECCOMP_RET_ALLOW,
	   "clone3 with namespaces: both");

	rec = (struct record){.a = &arena};
	for (uint64_t i = 1; i <= RECORD_VALUES; i++)
		note(&rec, SYS_socket, i, 0);
	compile(&rec);
	ok(runs(SYS_socket, RECORD_VALUES) == SECCOMP_RET_ALLOW &&
		   runs(SYS_socket, RECORD_VALUES + 1) == ERRNO(ENOSYS),
	   "%d families are told apart", RECORD_VALUES);
	note(&rec, SYS_socket, 40, 0);
	compile(&rec);
	ok(runs(SYS_socket, 39) == SECCOMP_RET_ALLOW, "more are not");

	rec = (struct record){.a = &arena};
	for (int i = 0; i < 300; i++)
		note(&rec, i, 0, 0);
	compile(&rec);
	ok(rec.n == 300 && runs(SYS_getpgid, 0) == SECCOMP_RET_ALLOW, "many calls");
	ok(runs(450, 0) == ERRNO(ENOSYS), "and none more");
	arena_free(&arena);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-init: reads the boot block, performs it, and says what went wrong. Only part of the stage program and of those
 * that are also it; in kavach itself this file is empty, because there the log has another sink (base/log.c).
 */
#ifdef KAVACH_STAGE

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "exec/ctx.h"
#include "exec/proto.h"

#ifndef F_GET_SEALS
#define F_GET_SEALS 1034
#endif
#ifndef F_SEAL_WRITE
#define F_SEAL_WRITE 0x0008
#endif
#ifndef F_SEAL_SHRINK
#define F_SEAL_SHRINK 0x0002
#endif

#define BOOT_MAX (64 << 20)

/* Where warnings go. Our stderr is the workload's, so they travel to kavach, as long as it listens. */
static const struct stage *the_stage;
static stage_warner *the_warner;

void stage_warn_to(stage_warner *fn)
{
	the_warner = fn;
}

void log_warn(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0 && the_stage && the_stage->sync >= 0)
		(void) msg_send(the_stage->sync, MSG_WARN, text, strlen(text));
	else if (n > 0 && the_warner)
		the_warner(text);
}

void log_debug(const char *fmt, ...)
{
	(void) fmt; /* nobody could switch it on */
}

/* In the usual size it is the first packet of the sync socket, which only kavach and we have. */
static int receive_boot(int sock, struct arena *a, struct bytes *ret, struct err *e)
{
	void *block = arena_alloc(a, BOOT_PACKET_MAX);
	ssize_t n = recv(sock, block, BOOT_PACKET_MAX, MSG_TRUNC);

	if (n <= 0 || n > BOOT_PACKET_MAX)
		return err_set(e, -EBADMSG, "kavach sent no boot block");
	*ret = (struct bytes){.v = block, .n = (size_t) n};
	return 0;
}

/* A large one is in a file. Sealed, so that it is what kavach wrote, whoever else may have it open. */
int stage_read_boot(int argc, char **argv, struct arena *a, struct bytes *ret, struct err *e)
{
	bool is_file = argc == 3;
	struct stat st;
	uint32_t fd;
	void *block;
	int seals;

	if (argc < 2 || argc > 3 || num_parse_u32(argv[1], &fd) < 0 || fd < 3 || fd > INT32_MAX)
		return err_set(e, -EINVAL, "is started by kavach");
	if (!is_file)
		return receive_boot((int) fd, a, ret, e);
	seals = fcntl((int) fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_WRITE) || !(seals & F_SEAL_SHRINK))
		return err_set(e, -EINVAL, "is started by kavach");
	if (fstat((int) fd, &st) < 0 || st.st_size <= 0 || st.st_size > BOOT_MAX)
		return err_set(e, -EFBIG, "the boot block has no possible size");
	block = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, (int) fd,
		     0); /* cannot shrink: sealed */
	if (block == MAP_FAILED)
		return err_sys(e, "reading the boot block");
	close((int) fd);
	*ret = (struct bytes){.v = block, .n = (size_t) st.st_size};
	return 0;
}

static int decode_work(struct stage *s, struct err *e)
{
	const struct stage_boot *b = s->boot;
	struct pol_process *proc;
	struct buf buf;

	if (b->mode != STAGE_EXEC) {
		int r = policy_decode(b->policy.v, b->policy.n, s->a, &s->p, e);

		if (r == 0 && b->mode == STAGE_CREATE && s->p->has_process)
			s->proc = &s->p->process;
		return r;
	}
	proc = arena_new(s->a, struct pol_process);
	buf = BUF_READER(b->process.v, b->process.n);
	codec_decode(&buf, &pol_process_table, proc, s->a);
	if (buf.bad || buf_left(&buf) != 0)
		return err_set(e, -EBADMSG, "boot block: the process description is malformed");
	s->proc = proc;
	return 0;
}

char **stage_environ(const struct strs *l, struct arena *a)
{
	char **env = arena_array(a, l->n + 1, sizeof(*env));

	if (l->n)
		memcpy(env, l->v, l->n * sizeof(*env));
	return env;
}

static int fail(int sync, const struct err *e)
{
	if (sync >= 0)
		(void) msg_send_err(sync, e);
	return err_exit_status(e);
}

int stage_main(int argc, char **argv)
{
	static _Alignas(max_align_t) char memory[128 << 10];
	static struct arena a;
	static struct stage_boot boot;
	struct stage s = {
		.boot = &boot,
		.a = &a,
		.sync = -EBADF,
		.proc_fd = -EBADF,
		.root_fd = -EBADF,
		.old_root = -EBADF,
		.pty_master = -EBADF,
		.pty_slave = -EBADF,
	};
	struct err e = ERR_INIT;
	struct bytes block;

	/* Before anything else: from now on, no process of the container can trace us or look at our descriptors. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return 1;
	arena_give(&a, memory, sizeof(memory));
	s.umask = umask(0); /* modes below are meant as they are written */
	/* stdio is there: kavach saw to it (kavach.c) */
	if (stage_read_boot(argc, argv, &a, &block, &e) < 0 ||
	    stage_boot_decode(block.v, block.n, &a, &boot, &e) < 0) {
		dprintf(STDERR_FILENO, "kavach-init: %s\n", e.msg);
		return 1;
	}
	s.sync = boot.sync_fd;
	the_stage = &s;
	if (decode_work(&s, &e) < 0)
		return fail(s.sync, &e);
	s.hook_env = stage_environ(&boot.hook_env, &a);
	stage_run(&s, &e);
	return fail(s.sync, &e);
}

#else
typedef int kavach_main_is_elsewhere; /* ISO C wants a declaration in each file */
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The block of secrets: its memory, its format, and the pipe that it goes through. */
#include "exec/secret_block.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

#define MAGIC 0x3153564bu /* "KVS1" */
#define HEAD 8
#define PIPE_ALWAYS 4096 /* fits any pipe */

/* ---- memory ---- */

int secret_block_open(struct secret_block *b, struct err *e)
{
	static const uint8_t empty[HEAD] = {'K', 'V', 'S', '1'};
	uint8_t *p;

	b->dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	if (b->dumpable < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "keeping secrets out of core dumps");
	p = mmap(NULL, SECRET_BLOCK_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	if (p == MAP_FAILED)
		return err_sys(e, "memory for secrets");
	b->p = p;
	if (madvise(p, SECRET_BLOCK_MAX, MADV_DONTDUMP) < 0 ||
	    madvise(p, SECRET_BLOCK_MAX, MADV_DONTFORK) < 0)
		return err_sys(e, "keeping secrets out of core dumps and children");
	/* As far as the limit goes: not being swapped is a wish, for it holds for milliseconds. MAP_LOCKED, or without
	 * ONFAULT, it would take all of the pages at once. */
	(void) syscall(SYS_mlock2, p, SECRET_BLOCK_MAX, MLOCK_ONFAULT);
	memcpy(p, empty, HEAD);
	b->n = HEAD;
	return 0;
}

void secret_block_close(struct secret_block *b)
{
	if (!b->p)
		return;
	explicit_bzero(b->p, b->n);
	munmap(b->p, SECRET_BLOCK_MAX);
	b->p = NULL;
	b->n = 0;
	/* 2 cannot be set again; it is as good as 0 here */
	if (b->dumpable == 1)
		(void) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* ---- writing ---- */

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t) (v >> (8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 |
	       (uint32_t) p[3] << 24;
}

static void add_u32(struct secret_block *b, uint32_t v)
{
	put_u32(b->p + b->n, v);
	b->n += 4;
}

static void add_str(struct secret_block *b, const char *s)
{
	size_t n = strlen(s) + 1;

	add_u32(b, (uint32_t) n);
	memcpy(b->p + b->n, s, n);
	b->n += n;
}

/* A variable's NAME= is in front of its value already, and its NUL has room behind it. */
int secret_begin(struct secret_block *b, const struct pol_secret *s, struct secret_slot *slot,
		 uint8_t **ret_value, size_t *ret_room)
{
	const char *target = s->target ? s->target : "";
	bool env = s->give == POL_SECRET_ENV;
	size_t head = 4 * 7 + strlen(s->name) + 1 + strlen(target) + 1 +
		      (env ? strlen(target) + 2 : 0);
	size_t room = SECRET_BLOCK_MAX - b->n;

	if (head >= room)
		return -ENOSPC;
	slot->begin = b->n;
	add_u32(b, s->give);
	add_u32(b, s->mode);
	add_u32(b, s->uid);
	add_u32(b, s->gid);
	add_str(b, s->name);
	add_str(b, target);
	slot->value = b->n;
	add_u32(b, 0);
	if (env) {
		memcpy(b->p + b->n, target, strlen(target));
		b->n += strlen(target);
		b->p[b->n++] = '=';
	}
	*ret_value = b->p + b->n;
	*ret_room = room - head < SECRET_VALUE_MAX ? room - head : SECRET_VALUE_MAX;
	return 0;
}

void secret_end(struct secret_block *b, const struct secret_slot *slot, size_t n)
{
	b->n += n;
	if (get_u32(b->p + slot->begin) == POL_SECRET_ENV)
		b->p[b->n++] = '\0';
	put_u32(b->p + slot->value, (uint32_t) (b->n - slot->value - 4));
	put_u32(b->p + 4, get_u32(b->p + 4) + 1);
}

void secret_undo(struct secret_block *b, const struct secret_slot *slot)
{
	size_t end = b->n + SECRET_VALUE_MAX;

	if (end > SECRET_BLOCK_MAX)
		end = SECRET_BLOCK_MAX;
	explicit_bzero(b->p + slot->begin, end - slot->begin);
	b->n = slot->begin;
}

ssize_t secret_fit(const struct pol_secret *s, const uint8_t *value, size_t n, struct err *e)
{
	bool env = s->give == POL_SECRET_ENV;

	/* a line of text is what people and programs write; in a variable its end would be part of the password */
	if (env && n > 0 && value[n - 1] == '\n')
		n--;
	if (env && n > 0 && memchr(value, '\0', n))
		return err_set(
			e, -EINVAL,
			"it has a NUL byte, which a variable cannot have; give it as a file");
	return n ? (ssize_t) n : err_set(e, -ENODATA, "it is empty");
}

int secret_pipe(const void *p, size_t n)
{
	int fds[2], r = 0;
	ssize_t done;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	/* A pipe has a limit; a write that would wait has nobody to wait for. */
	if (fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0 ||
	    (n > PIPE_ALWAYS && fcntl(fds[1], F_SETPIPE_SZ, (int) n) < 0))
		r = -errno;
	done = r < 0 ? 0 : write(fds[1], p, n);
	if (r == 0 && done != (ssize_t) n)
		r = done < 0 ? -errno : -ENOSPC;
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return r;
	}
	return fds[0];
}

/* ---- reading ---- */

int secret_block_read(struct secret_block *b, int fd, struct err *e)
{
	ssize_t n = io_read_full(fd, b->p, SECRET_BLOCK_MAX);

	if (n < 0)
		return err_neg(e, (int) n, "taking over the secrets");
	b->n = (size_t) n;
	return 0;
}

static const char *get_str(struct buf *in)
{
	uint32_t n = buf_get_u32(in);
	const char *s = n && n <= 4096 ? buf_get(in, n) : NULL;

	if (!s || strnlen(s, n) != n - 1) {
		in->bad = true;
		return "";
	}
	return s;
}

static bool is_good(const struct secret_item *it)
{
	size_t n = strlen(it->target);

	if (!it->n)
		return false;
	switch (it->give) {
	case POL_SECRET_FILE: return it->target[0] == '/' && strrchr(it->target, '/')[1];
	case POL_SECRET_STDIN: return n == 0;
	case POL_SECRET_ENV:
		return n && it->n > n + 1 && memcmp(it->value, it->target, n) == 0 &&
		       it->value[n] == '=' && strnlen((char *) it->value, it->n) == it->n - 1;
	default: return false;
	}
}

int secret_items(const struct secret_block *b, struct secret_item *items, size_t *ret_n)
{
	struct buf in = BUF_READER(b->p, b->n);
	uint32_t magic = buf_get_u32(&in), n = buf_get_u32(&in);

	if (in.bad || magic != MAGIC || n > SECRET_ITEMS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		struct secret_item *it = &items[i];
		uint32_t len;

		it->give = buf_get_u32(&in);
		it->mode = buf_get_u32(&in) & 0777;
		it->uid = buf_get_u32(&in);
		it->gid = buf_get_u32(&in);
		it->name = get_str(&in);
		it->target = get_str(&in);
		len = buf_get_u32(&in);
		it->value = (uint8_t *) (uintptr_t) buf_get(&in, len);
		it->n = len;
		if (in.bad || !is_good(it))
			return -EBADMSG;
	}
	if (buf_left(&in))
		return -EBADMSG;
	*ret_n = n;
	return 0;
}

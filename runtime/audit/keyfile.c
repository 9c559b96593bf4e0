/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key block: a fixed size, written in place and in one call, so that it lies in one page and one disk sector and the
 * new key goes over the old one. The checksum is for damage, not against anybody: K(0) proves the key (verify.c).
 */
#include "audit/internal.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "KVCHAUD1"
#define FLAG_FSYNC 1u
#define FLAG_JOURNALD 2u
#define FLAG_SYSLOG 4u

void audit_state_encode(const struct audit_state *s, uint8_t ret[AUDIT_BLOCK])
{
	struct buf b = BUF_WRITER(AUDIT_BLOCK);
	const struct audit_settings *t = &s->set;

	buf_put(&b, MAGIC, 8);
	buf_put_u32(&b, (t->fsync ? FLAG_FSYNC : 0) | (t->journald ? FLAG_JOURNALD : 0) |
				(t->syslog ? FLAG_SYSLOG : 0));
	buf_put_u32(&b, t->keep);
	buf_put_u64(&b, t->rotate_bytes);
	buf_put(&b, s->log, AUDIT_ID_HEX - 1);
	buf_put_u64(&b, s->seq);
	buf_put_u64(&b, s->first);
	buf_put_u64(&b, s->size);
	buf_put(&b, s->head, SHA256_LEN);
	buf_put(&b, s->key, AUDIT_KEY_LEN);
	memset(ret, 0, AUDIT_BLOCK);
	memcpy(ret, b.p, b.n);
	explicit_bzero(b.p, b.n);
	buf_free(&b);
	sha256(ret, AUDIT_BLOCK - SHA256_LEN, ret + AUDIT_BLOCK - SHA256_LEN);
}

static bool is_name(const char *s)
{
	for (size_t i = 0; i < AUDIT_ID_HEX - 1; i++)
		if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return true;
}

bool audit_state_decode(const uint8_t p[AUDIT_BLOCK], struct audit_state *ret)
{
	struct buf b = BUF_READER(p, AUDIT_BLOCK);
	uint8_t sum[SHA256_LEN];
	struct audit_state s = {0};
	uint32_t flags;

	sha256(p, AUDIT_BLOCK - SHA256_LEN, sum);
	if (memcmp(sum, p + AUDIT_BLOCK - SHA256_LEN, SHA256_LEN) != 0 ||
	    memcmp(buf_get(&b, 8), MAGIC, 8) != 0)
		return false;
	flags = buf_get_u32(&b);
	s.set.fsync = flags & FLAG_FSYNC;
	s.set.journald = flags & FLAG_JOURNALD;
	s.set.syslog = flags & FLAG_SYSLOG;
	s.set.keep = buf_get_u32(&b);
	s.set.rotate_bytes = buf_get_u64(&b);
	memcpy(s.log, buf_get(&b, AUDIT_ID_HEX - 1), AUDIT_ID_HEX - 1);
	s.seq = buf_get_u64(&b);
	s.first = buf_get_u64(&b);
	s.size = buf_get_u64(&b);
	memcpy(s.head, buf_get(&b, SHA256_LEN), SHA256_LEN);
	memcpy(s.key, buf_get(&b, AUDIT_KEY_LEN), AUDIT_KEY_LEN);
	if (flags & ~(FLAG_FSYNC | FLAG_JOURNALD | FLAG_SYSLOG) || !is_name(s.log) ||
	    s.first > s.seq || s.size > INT64_MAX / 2 || s.set.rotate_bytes < AUDIT_ROTATE_MIN)
		return false;
	*ret = s;
	explicit_bzero(&s, sizeof(s));
	return true;
}

int audit_state_load(int key_fd, struct audit_state *ret, struct err *e)
{
	uint8_t block[AUDIT_BLOCK];
	ssize_t n = pread(key_fd, block, sizeof(block), 0);
	bool good;

	if (n < 0)
		return err_sys(e, "reading the audit log's key");
	good = n == (ssize_t) sizeof(block) && audit_state_decode(block, ret);
	explicit_bzero(block, sizeof(block));
	return good ? 0 : err_set(e, -EUCLEAN, "the audit log's key file is damaged");
}

int audit_state_save(int key_fd, const struct audit_state *s, bool sync, struct err *e)
{
	uint8_t block[AUDIT_BLOCK];
	ssize_t n;

	audit_state_encode(s, block);
	n = pwrite(key_fd, block, sizeof(block), 0);
	explicit_bzero(block, sizeof(block));
	if (n != (ssize_t) sizeof(block))
		return n < 0 ? err_sys(e, "writing the audit log's key")
			     : err_set(e, -EIO, "writing the audit log's key: a short write");
	if (sync && fdatasync(key_fd) < 0)
		return err_sys(e, "writing the audit log's key to the disk");
	return 0;
}

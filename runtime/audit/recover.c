/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a writer that was killed, a full disk or a loss of power left: see the table in audit.h. Nobody gains by feigning
 * such an accident: lines are adopted only if the key proves them, what is cut off is accounted for by size and digest,
 * and what is missing stays missing, for the numbers and keys of the lost records are used up.
 */
#include "audit/internal.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hmac.h"

/* Adopts the line at s->size if it is complete and proven. Returns 1, 0 or -errno. */
static int adopt_one(struct audit *a, struct audit_state *s)
{
	static char text[AUDIT_LINE_MAX];
	ssize_t n = pread(a->log_fd, text, sizeof(text), (off_t) s->size);
	struct audit_line l;
	uint8_t mac[SHA256_LEN];
	const char *end;

	if (n < 0)
		return -errno;
	end = memchr(text, '\n', (size_t) n);
	if (!end || !audit_line_parse(text, (size_t) (end - text), &l) || l.seq != s->seq ||
	    strcmp(l.log, s->log) != 0 || memcmp(l.prev, s->head, SHA256_LEN) != 0)
		return 0;
	hmac_sha256(s->key, AUDIT_KEY_LEN, text, l.signed_len, mac);
	if (!digest_equal(mac, l.mac))
		return 0;
	audit_advance(s, text, (size_t) (end - text) + 1);
	return 1;
}

static int digest_tail(struct audit *a, uint64_t from, uint64_t to, char ret[SHA256_HEX])
{
	uint8_t buf[4096], d[SHA256_LEN];
	struct sha256 sum;

	sha256_init(&sum);
	while (from < to) {
		size_t want = to - from < sizeof(buf) ? (size_t) (to - from) : sizeof(buf);
		ssize_t n = pread(a->log_fd, buf, want, (off_t) from);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		sha256_add(&sum, buf, (size_t) n);
		from += (uint64_t) n;
	}
	sha256_end(&sum, d);
	sha256_hex(d, ret);
	return 0;
}

static int __attribute__((noinline, cold))
look_behind(struct audit *a, struct audit_state *s, uint64_t size, struct audit_found *ret)
{
	int r;

	while (s->size < size) {
		r = adopt_one(a, s);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		ret->adopted++;
	}
	ret->cut = size - s->size;
	return ret->cut ? digest_tail(a, s->size, size, ret->digest) : 0;
}

int audit_recover(struct audit *a, struct audit_state *s, struct audit_found *ret, struct err *e)
{
	struct audit_found f = {0};
	struct stat st = {0};
	int r;

	r = audit_open_log(a, s->first, s->size == 0);
	if (r == 0 && fstat(a->log_fd, &st) < 0)
		r = -errno;
	/* a file that was removed behind us: what we have open is not the log any more */
	if (r == 0 && st.st_nlink == 0)
		r = -ENOENT;
	if (r == -ENOENT || (r == 0 && (uint64_t) st.st_size < s->size)) {
		f.lost = true;
		f.expected = s->size;
		f.size = r == 0 ? (uint64_t) st.st_size : 0;
		/* what is left of the file stays as it is, for whoever looks into it */
		s->first = s->seq;
		s->size = 0;
		a->log_fd = fd_close(a->log_fd);
		r = audit_open_log(a, s->first, true);
		if (r == 0 && fstat(a->log_fd, &st) < 0)
			r = -errno;
	}
	if (r == 0 && (uint64_t) st.st_size > s->size)
		r = look_behind(a, s, (uint64_t) st.st_size, &f);
	if (r < 0)
		return err_neg(e, r, "the audit log %s", a->dir);
	*ret = f;
	return 0;
}

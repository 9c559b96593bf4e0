/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification. The numbers say what is missing or out of place, the MACs what was changed, the digests the same without
 * the key, and the key block whether the end is the end: its key must be the one that K(0) leads to at its number, so a
 * block that was made up, or put back to fit a log that was cut, is found. Each record that is wrong is named once.
 *
 * The key block and the sizes are taken under the lock, all files are opened then; what writers do afterwards, rotation
 * too, does not disturb.
 */
#include "audit/verify.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/internal.h"
#include "audit/lines.h"
#include "base/fd.h"
#include "base/hmac.h"
#include "base/num.h"

/* A number is believed up to so many records on: making the keys in between takes time, a minute for so many. */
#define LEAP_MAX (1u << 27)

static void __attribute__((format(printf, 2, 3))) problem(struct checker *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (c->ret.problems++ >= AUDIT_PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->v->found)
		c->v->found(c->v->arg, text);
}

static void missing(struct checker *c, uint64_t from, uint64_t to, const char *where)
{
	if (to == from + 1)
		problem(c, "record %llu is missing%s", (unsigned long long) from, where);
	else
		problem(c, "records %llu to %llu are missing%s", (unsigned long long) from,
			(unsigned long long) to - 1, where);
}

/* The key of a record; numbers never go back here. */
static const uint8_t *key_of(struct checker *c, uint64_t seq)
{
	for (; c->key_seq < seq; c->key_seq++)
		audit_next_key(c->key);
	return c->key;
}

/* The value of a number member; its name with quotes and commas cannot stand inside a string, which has its quotes escaped. */
static bool number_member(const char *p, size_t n, const char *name, uint64_t *ret)
{
	const char *at = memmem(p, n, name, strlen(name));
	char digits[24];
	size_t k = 0;

	if (!at)
		return false;
	at += strlen(name);
	while (at + k < p + n && k < 20 && at[k] >= '0' && at[k] <= '9') {
		digits[k] = at[k];
		k++;
	}
	digits[k] = 0;
	return num_parse_u64(digits, UINT64_MAX, ret) == 0;
}

static void note_kind(struct checker *c, const char *p, size_t n)
{
	static const char rotate[] = ",\"event\":\"rotate\",",
			  recovery[] = ",\"event\":\"recovery\",";
	uint64_t kept;

	if (memmem(p, n, recovery, sizeof(recovery) - 1))
		c->ret.recoveries++;
	if (memmem(p, n, rotate, sizeof(rotate) - 1) && number_member(p, n, ",\"kept\":", &kept) &&
	    kept > c->kept)
		c->kept = kept;
}

/* Whether the number can be one that this log has reached. */
static bool plausible(struct checker *c, uint64_t seq)
{
	if (c->state && seq >= c->state->seq)
		return false;
	return seq < c->ret.next || seq - c->key_seq < LEAP_MAX;
}

static bool mac_good(struct checker *c, const struct audit_line *l, const char *p)
{
	uint8_t mac[SHA256_LEN];

	if (!c->v->k0)
		return true;
	hmac_sha256(key_of(c, l->seq), AUDIT_KEY_LEN, p, l->signed_len, mac);
	return digest_equal(mac, l->mac);
}

static void check_anchor(struct checker *c, uint64_t seq, const uint8_t digest[SHA256_LEN])
{
	if (!c->v->has_anchor || seq != c->v->anchor_seq)
		return;
	c->anchor_seen = true;
	if (memcmp(digest, c->v->anchor, SHA256_LEN) != 0)
		problem(c, "record %llu is not the one that was seen elsewhere",
			(unsigned long long) seq);
}

/* A record that stands where it should, or behind a gap. */
static void in_order(struct checker *c, const char *file, uint64_t line, const char *p, size_t n,
		     const struct audit_line *l)
{
	unsigned long long seq = (unsigned long long) l->seq;
	char where[128];

	if (l->seq > c->ret.next) {
		snprintf(where, sizeof(where), " before %s line %llu", file,
			 (unsigned long long) line);
		missing(c, c->ret.next, l->seq, where);
		c->prev_known = false;
	}
	if (!mac_good(c, l, p)) {
		problem(c, "record %llu (%s line %llu) was changed, or not written with its key",
			seq, file, (unsigned long long) line);
		c->prev_known = false;
	} else {
		if (c->prev_known && memcmp(l->prev, c->ret.head, SHA256_LEN) != 0)
			problem(c,
				"record %llu (%s line %llu) does not follow the record before it",
				seq, file, (unsigned long long) line);
		c->prev_known = true;
		note_kind(c, p, n);
	}
	sha256(p, n, c->ret.head);
	check_anchor(c, l->seq, c->ret.head);
	c->ret.next = l->seq + 1;
}

void verify_line(struct checker *c, const char *file, uint64_t line, const char *p, size_t n)
{
	unsigned long long at = (unsigned long long) line;
	struct audit_line l;

	if (c->ret.problems >= AUDIT_PROBLEMS_MAX)
		return;
	if (!audit_line_parse(p, n, &l)) {
		problem(c, "%s line %llu is not a record", file, at);
		return;
	}
	if (!c->ret.log[0])
		memcpy(c->ret.log, l.log, sizeof(l.log));
	if (strcmp(l.log, c->ret.log) != 0) {
		problem(c, "%s line %llu is a record of another log, %s", file, at, l.log);
		return;
	}
	if (l.seq < c->ret.next) {
		problem(c, "%s line %llu: record %llu stands where record %llu is expected", file,
			at, (unsigned long long) l.seq, (unsigned long long) c->ret.next);
		return;
	}
	if (!plausible(c, l.seq)) {
		problem(c, "%s line %llu: there cannot be a record %llu in this log", file, at,
			(unsigned long long) l.seq);
		return;
	}
	in_order(c, file, line, p, n, &l);
}

void verify_begin(struct checker *c, const struct audit_verify *v, const struct audit_state *state,
		  uint64_t first)
{
	*c = (struct checker){.v = v, .state = state};
	c->ret.first = c->ret.next = first;
	c->prev_known = first == 0; /* zeros: nothing is before the first record */
	if (v->k0)
		memcpy(c->key, v->k0, AUDIT_KEY_LEN);
	if (state)
		memcpy(c->ret.log, state->log, AUDIT_ID_HEX);
	else if (v->k0)
		audit_log_name(v->k0, c->ret.log);
}

void verify_end(struct checker *c)
{
	const struct audit_state *s = c->state;

	if (c->ret.first > c->kept)
		missing(c, c->kept, c->ret.first, " at the beginning: no rotation removed them");
	if (!s) {
		problem(c, "there is no good key file: what is missing at the end cannot be known");
	} else {
		if (c->ret.next < s->seq)
			missing(c, c->ret.next, s->seq, " at the end");
		else if (c->prev_known && memcmp(c->ret.head, s->head, SHA256_LEN) != 0)
			problem(c, "record %llu is not the one that was written last",
				(unsigned long long) s->seq - 1);
		if (c->v->k0 && s->seq - c->key_seq <= LEAP_MAX &&
		    !digest_equal(key_of(c, s->seq), s->key))
			problem(c, "the key file was replaced: its key is not that of record %llu",
				(unsigned long long) s->seq);
	}
	if (c->v->has_anchor && !c->anchor_seen && c->ret.problems < AUDIT_PROBLEMS_MAX)
		problem(c, "record %llu, which was seen elsewhere, is not there",
			(unsigned long long) c->v->anchor_seq);
	explicit_bzero(c->key, sizeof(c->key));
}

/* ---- the directory ---- */

struct snapshot {
	struct audit_state state;
	bool has_state;
	struct u64s files;
	int *fds;
	uint64_t *sizes;
};

static int open_files(int dir_fd, struct snapshot *s, struct arena *a, struct err *e)
{
	struct rlimit rl;
	int r = audit_files(dir_fd, a, &s->files, e);

	if (r < 0)
		return r;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &rl);
	}
	s->fds = arena_array(a, s->files.n + 1, sizeof(*s->fds));
	s->sizes = arena_array(a, s->files.n + 1, sizeof(*s->sizes));
	for (size_t i = 0; i < s->files.n; i++)
		s->fds[i] = -EBADF;
	for (size_t i = 0; i < s->files.n; i++) {
		char name[AUDIT_NAME_MAX];
		struct stat st;

		audit_file_name(s->files.v[i], name);
		s->fds[i] = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (s->fds[i] < 0 || fstat(s->fds[i], &st) < 0)
			return err_sys(e, "reading %s of the audit log", name);
		if (!S_ISREG(st.st_mode))
			return err_set(e, -EINVAL, "%s of the audit log is not a file", name);
		s->sizes[i] = (uint64_t) st.st_size;
	}
	return 0;
}

static int lock_shared(int dir_fd, const char *dir, struct err *e)
{
	while (flock(dir_fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return err_sys(e, "locking the audit log %s", dir);
	return 0;
}

int audit_head(const char *dir, struct audit_state *ret, struct err *e)
{
	fd_auto int dir_fd = audit_dir_open(dir, e);
	int r = dir_fd < 0 ? dir_fd : lock_shared(dir_fd, dir, e);

	if (r < 0)
		return r;
	r = audit_state_read(dir_fd, ret, false, e);
	return r < 0 ? err_context(e, "audit log %s", dir) : 0;
}

static int take_snapshot(const char *dir, struct snapshot *s, struct arena *a, struct err *e)
{
	fd_auto int dir_fd = audit_dir_open(dir, e);
	struct err sub = ERR_INIT;

	int r = dir_fd < 0 ? dir_fd : lock_shared(dir_fd, dir, e);

	if (r < 0)
		return r;
	/* that there is none is what verification is to say; that we may not read it is not */
	s->has_state = audit_state_read(dir_fd, &s->state, true, &sub) == 0;
	if (!s->has_state && sub.code != -ENOENT && sub.code != -EUCLEAN) {
		*e = sub;
		return e->code;
	}
	return open_files(dir_fd, s, a, e);
}

static int verify_file(struct checker *c, const struct snapshot *s, size_t i, struct err *e)
{
	bool current = s->has_state && s->files.v[i] == s->state.first;
	uint64_t end = s->sizes[i], line = 0, expected = c->ret.next;
	static struct lines l;
	struct one_line one;
	char name[AUDIT_NAME_MAX];
	int r;

	audit_file_name(s->files.v[i], name);
	if (current && end > s->state.size) {
		c->ret.pending = end - s->state.size;
		end = s->state.size;
	}
	if (end && s->files.v[i] != expected && s->files.v[i] < expected)
		problem(c, "%s: a file that begins with record %llu does not belong here", name,
			(unsigned long long) s->files.v[i]);
	lines_init(&l, s->fds[i], 0, end);
	while ((r = lines_next(&l, &one)) > 0) {
		struct audit_line f;

		line++;
		if (line == 1 && audit_line_parse(one.p, one.n, &f) && f.seq != s->files.v[i])
			problem(c, "%s: begins with record %llu: the file was renamed or replaced",
				name, (unsigned long long) f.seq);
		if (one.ended && !one.too_long)
			verify_line(c, name, line, one.p, one.n);
		else
			problem(c, "%s line %llu is not a record", name, (unsigned long long) line);
	}
	c->ret.files++;
	return r < 0 ? err_neg(e, r, "reading %s of the audit log", name) : 0;
}

static int verify_snapshot(const struct snapshot *s, const struct audit_verify *v,
			   struct audit_verdict *ret, struct err *e)
{
	static struct checker c;
	char name[AUDIT_ID_HEX];
	int r = 0;

	verify_begin(&c, v, s->has_state ? &s->state : NULL, s->files.n ? s->files.v[0] : 0);
	if (v->k0 && s->has_state) {
		audit_log_name(v->k0, name);
		if (strcmp(name, s->state.log) != 0)
			return err_set(e, -EKEYREJECTED,
				       "the key is that of log %s; this is log %s", name,
				       s->state.log);
	}
	for (size_t i = 0; r == 0 && i < s->files.n; i++)
		r = verify_file(&c, s, i, e);
	if (r < 0)
		return r;
	verify_end(&c);
	*ret = c.ret;
	return 0;
}

int audit_verify_dir(const char *dir, const struct audit_verify *v, struct audit_verdict *ret,
		     struct err *e)
{
	struct snapshot s = {0};
	arena_auto a = {0};
	int r = take_snapshot(dir, &s, &a, e);

	if (r == 0)
		r = verify_snapshot(&s, v, ret, e);
	for (size_t i = 0; s.fds && i < s.files.n; i++)
		fd_close(s.fds[i]);
	explicit_bzero(&s.state, sizeof(s.state));
	return r;
}

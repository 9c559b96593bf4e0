/* SPDX-License-Identifier: Apache-2.0 */
/* One record: under the lock, the line first, then the key (see audit.h). */
#include "audit/internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

int audit_open_log(struct audit *a, uint64_t first, bool make)
{
	char name[AUDIT_NAME_MAX];
	int fd;

	if (a->log_fd >= 0 && a->log_first == first)
		return 0;
	a->log_fd = fd_close(a->log_fd);
	audit_file_name(first, name);
	fd = openat(a->dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
	if (fd < 0)
		return -errno;
	a->log_fd = fd;
	a->log_first = first;
	return 0;
}

/* All of it or nothing: a full disk takes a part of a line. */
static int put_line(struct audit *a, uint64_t at, const struct buf *line, bool sync, struct err *e)
{
	size_t done = 0;

	while (done < line->n) {
		ssize_t n = pwrite(a->log_fd, line->p + done, line->n - done, (off_t) (at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int r = n < 0 ? err_sys(e, "writing to the audit log %s", a->dir)
				      : err_set(e, -EIO, "writing to the audit log %s", a->dir);

			/* what stays is cut off by the next writer */
			(void) !ftruncate(a->log_fd, (off_t) at);
			return r;
		}
		done += (size_t) n;
	}
	if (sync && fdatasync(a->log_fd) < 0) {
		int r = err_sys(e, "writing the audit log %s to the disk", a->dir);

		(void) !ftruncate(a->log_fd, (off_t) at);
		return r;
	}
	return 0;
}

static struct audit_settings settings_of(const struct audit *a, const struct audit_state *s)
{
	struct audit_settings t = s->set;

	t.fsync |= a->more.fsync;
	t.journald |= a->more.journald;
	t.syslog |= a->more.syslog;
	if (a->more.rotate_bytes >= AUDIT_ROTATE_MIN && a->more.rotate_bytes < t.rotate_bytes)
		t.rotate_bytes = a->more.rotate_bytes;
	if (a->more.keep && (t.keep == 0 || a->more.keep > t.keep))
		t.keep = a->more.keep;
	return t;
}

/* over: there are bytes behind the last record, which the line goes over; what is left of them is cut off after it, so
 * that they never go without a record of them. */
static int put_record(struct audit *a, struct audit_state *s, const struct audit_event *ev,
		      bool over, struct err *e)
{
	struct audit_settings set = settings_of(a, s);
	struct audit_state next = *s;
	struct buf line;
	int r;

	r = audit_record(s, ev, audit_caller(), &line, e);
	if (r == 0)
		r = put_line(a, s->size, &line, set.fsync, e);
	if (r == 0) {
		audit_advance(&next, line.p, line.n);
		if (over && ftruncate(a->log_fd, (off_t) next.size) < 0)
			r = err_sys(e, "cutting the audit log %s", a->dir);
	}
	if (r == 0) {
		r = audit_state_save(a->key_fd, &next, false, e);
		if (r < 0) /* whoever asked is told that it is not on record: then it must not be */
			(void) !ftruncate(a->log_fd, (off_t) s->size);
	}
	if (r == 0) {
		*s = next; /* from here on it is on record, whatever comes */
		audit_sinks(&set, ev, (const char *) line.p, line.n, s);
		if (set.fsync && fdatasync(a->key_fd) < 0)
			r = err_sys(e, "writing the key of the audit log %s to the disk", a->dir);
	}
	explicit_bzero(&next, sizeof(next));
	buf_free(&line);
	return r;
}

static int put_recovery(struct audit *a, struct audit_state *s, const struct audit_found *f,
			const char *by, struct err *e)
{
	const struct audit_field lost[] = {
		{.name = "expected", .n = (int64_t) f->expected},
		{.name = "found", .n = (int64_t) f->size},
	};
	const struct audit_field rest[] = {
		{.name = "adopted", .n = (int64_t) f->adopted},
		{.name = "cut", .n = (int64_t) f->cut},
		{.name = "digest", .s = f->cut ? f->digest : ""},
	};
	struct audit_event ev = {
		.kind = AUDIT_RECOVERY, .outcome = AUDIT_OK, .score = -1, .by = by};

	ev.reason = f->lost ? "the log was shorter than its last writer left it"
			    : "a writer did not finish";
	ev.fields = f->lost ? lost : rest;
	ev.n_fields = f->lost ? ARRAY_LEN(lost) : ARRAY_LEN(rest);
	return put_record(a, s, &ev, f->cut > 0, e);
}

static int put_rotation(struct audit *a, struct audit_state *s, uint64_t kept, const char *by,
			struct err *e)
{
	const struct audit_field f[] = {{.name = "kept", .n = (int64_t) kept}};
	const struct audit_event ev = {.kind = AUDIT_ROTATE_TO,
				       .outcome = AUDIT_OK,
				       .score = -1,
				       .by = by,
				       .fields = f,
				       .n_fields = ARRAY_LEN(f)};
	int r = put_record(a, s, &ev, false, e);

	/* only now: files go when the record that accounts for them is there */
	if (r == 0)
		audit_remove_before(a, kept);
	return r;
}

/* File and key agree, and the file has room. */
static int make_ready(struct audit *a, struct audit_state *s, const char *by, struct err *e)
{
	struct audit_found f;
	int r;

	for (unsigned round = 0;; round++) {
		struct audit_settings set = settings_of(a, s);
		uint64_t kept;

		r = audit_recover(a, s, &f, e);
		if (r == 0 && (f.lost || f.adopted || f.cut))
			r = put_recovery(a, s, &f, by, e);
		if (r < 0 || s->size < set.rotate_bytes || round > 0)
			return r;
		r = audit_rotate(a, s, &set, &kept, e);
		if (r == 0)
			r = audit_recover(a, s, &f, e);
		if (r == 0 && (f.adopted || f.cut))
			r = put_recovery(a, s, &f, by, e);
		if (r == 0)
			r = put_rotation(a, s, kept, by, e);
		if (r < 0)
			return r;
	}
}

static int lock(struct audit *a, struct err *e)
{
	while (flock(a->dir_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(e, "locking the audit log %s", a->dir);
	return 0;
}

static int with_lock(struct audit *a, const struct audit_event *ev,
		     const struct audit_settings *set, uint64_t *ret_seq, struct err *e)
{
	struct audit_state s;
	int r = lock(a, e);

	if (r < 0)
		return r;
	r = audit_state_load(a->key_fd, &s, e);
	if (r < 0)
		err_context(e, "audit log %s", a->dir);
	if (r == 0)
		r = make_ready(a, &s, ev->by, e);
	if (r == 0 && set)
		s.set = *set;
	if (r == 0)
		r = put_record(a, &s, ev, false, e);
	if (r == 0 && ret_seq)
		*ret_seq = s.seq - 1;
	explicit_bzero(&s, sizeof(s));
	(void) flock(a->dir_fd, LOCK_UN);
	return r;
}

int audit_append(struct audit *a, const struct audit_event *ev, uint64_t *ret_seq, struct err *e)
{
	return with_lock(a, ev, NULL, ret_seq, e);
}

int audit_set(struct audit *a, const struct audit_settings *s, const char *by, struct err *e)
{
	const struct audit_field f[] = {
		{.name = "fsync", .n = s->fsync},
		{.name = "journald", .n = s->journald},
		{.name = "syslog", .n = s->syslog},
		{.name = "rotate", .n = (int64_t) s->rotate_bytes},
		{.name = "keep", .n = s->keep},
	};
	const struct audit_event ev = {.kind = AUDIT_SETTINGS,
				       .outcome = AUDIT_OK,
				       .score = -1,
				       .by = by,
				       .fields = f,
				       .n_fields = ARRAY_LEN(f)};

	return with_lock(a, &ev, s, NULL, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A new log: directory, first key, first record. The key file comes last and by rename: with it, there is a log. */
#include "audit/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

static int make_dirs(const char *dir, struct err *e)
{
	arena_auto a = {0};
	char *p = path_clean(&a, dir);

	for (char *c = p + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = 0;
		if (mkdir(p, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "creating %s", p);
		*c = '/';
	}
	if (mkdir(p, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "creating %s", p);
	return 0;
}

static int random_key(uint8_t key[AUDIT_KEY_LEN], struct err *e)
{
	if (getrandom(key, AUDIT_KEY_LEN, 0) != AUDIT_KEY_LEN)
		return err_sys(e, "making a key");
	return 0;
}

static int first_record(struct audit *a, struct audit_state *s, const char *by, struct err *e)
{
	const struct audit_event ev = {
		.kind = AUDIT_INIT, .outcome = AUDIT_OK, .score = -1, .by = by};
	struct stat st;
	struct buf line;
	int r;

	r = audit_open_log(a, 0, true);
	if (r == 0 && fstat(a->log_fd, &st) < 0)
		r = -errno;
	if (r < 0)
		return err_neg(e, r, "making the audit log %s", a->dir);
	if (st.st_size > 0)
		return err_set(e, -EEXIST,
			       "audit log %s: there are records without a key: move them away",
			       a->dir);
	r = audit_record(s, &ev, audit_caller(), &line, e);
	if (r == 0 && pwrite(a->log_fd, line.p, line.n, 0) != (ssize_t) line.n) {
		r = err_sys(e, "writing to the audit log %s", a->dir);
		(void) !ftruncate(a->log_fd, 0);
	}
	if (r == 0 && fsync(a->log_fd) < 0)
		r = err_sys(e, "writing the audit log %s to the disk", a->dir);
	if (r == 0)
		audit_advance(s, line.p, line.n);
	buf_free(&line);
	return r;
}

/* The first key is in no file, not even for a moment. */
static int put_key(struct audit *a, const struct audit_state *s, struct err *e)
{
	int r;

	a->key_fd = openat(a->dir_fd, ".key", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			   0600);
	if (a->key_fd < 0)
		return err_sys(e, "making the key of the audit log %s", a->dir);
	r = audit_state_save(a->key_fd, s, true, e);
	if (r == 0 &&
	    (fchmod(a->key_fd, 0600) < 0 ||
	     renameat(a->dir_fd, ".key", a->dir_fd, AUDIT_KEY_FILE) < 0 || fsync(a->dir_fd) < 0))
		r = err_sys(e, "making the key of the audit log %s", a->dir);
	if (r < 0)
		(void) unlinkat(a->dir_fd, ".key", 0);
	return r;
}

int audit_init(const char *dir, const struct audit_settings *set, const char *by,
	       uint8_t ret_key[AUDIT_KEY_LEN], struct err *e)
{
	struct audit a = AUDIT_CLOSED;
	struct audit_state s = {.set = *set};
	int r = make_dirs(dir, e);

	if (r == 0)
		r = a.dir_fd = audit_dir_open(dir, e);
	if (r < 0)
		return r;
	a.dir = dir;
	r = 0;
	if (flock(a.dir_fd, LOCK_EX) < 0)
		r = err_sys(e, "locking the audit log %s", dir);
	else if (faccessat(a.dir_fd, AUDIT_KEY_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = err_set(e, -EEXIST, "audit log %s: there is one already", dir);
	if (r == 0)
		r = random_key(s.key, e);
	if (r == 0) {
		memcpy(ret_key, s.key, AUDIT_KEY_LEN);
		audit_log_name(s.key, s.log);
		r = first_record(&a, &s, by, e);
	}
	if (r == 0)
		r = put_key(&a, &s, e);
	if (r < 0)
		explicit_bzero(ret_key, AUDIT_KEY_LEN);
	explicit_bzero(&s, sizeof(s));
	audit_close(&a);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a log: its place, its files, and whom it must belong to. */
#include "audit/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "base/sys.h"

#define PREFIX "audit-"
#define SUFFIX ".jsonl"
#define DIGITS 20

const char *audit_default_dir(bool rootless, struct arena *a)
{
	const char *base = rootless ? getenv("XDG_STATE_HOME") : NULL;

	if (!rootless)
		return AUDIT_DIR;
	if (!str_empty(base) && base[0] == '/')
		return arena_printf(a, "%s/kavach", base);
	base = getenv("HOME");
	if (!str_empty(base) && base[0] == '/')
		return arena_printf(a, "%s/.local/state/kavach", base);
	return AUDIT_DIR;
}

void audit_file_name(uint64_t first, char ret[AUDIT_NAME_MAX])
{
	snprintf(ret, AUDIT_NAME_MAX, PREFIX "%0*llu" SUFFIX, DIGITS, (unsigned long long) first);
}

static bool file_number(const char *name, uint64_t *ret)
{
	const char *digits = str_prefix(name, PREFIX);
	char s[DIGITS + 1];
	size_t zeros;

	if (!digits || strlen(digits) != DIGITS + sizeof(SUFFIX) - 1 ||
	    !str_eq(digits + DIGITS, SUFFIX))
		return false;
	memcpy(s, digits, DIGITS);
	s[DIGITS] = 0;
	zeros = strspn(s, "0");
	return num_parse_u64(s + (zeros == DIGITS ? DIGITS - 1 : zeros), UINT64_MAX, ret) == 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

int audit_files(int dir_fd, struct arena *a, struct u64s *ret, struct err *e)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint64_t *v = NULL, first;
	const struct dirent *de;
	size_t n = 0, cap = 0;

	if (!d) {
		fd_close(fd);
		return err_sys(e, "listing the audit log's directory");
	}
	while ((de = readdir(d))) {
		if (!file_number(de->d_name, &first) || n == AUDIT_FILES_MAX)
			continue;
		v = arena_room(a, v, n, &cap, sizeof(*v));
		v[n++] = first;
	}
	closedir(d);
	if (n)
		qsort(v, n, sizeof(*v), by_number);
	*ret = (struct u64s){.v = v, .n = n};
	return 0;
}

/* Whoever may write here decides what the log says. */
static int check_owner(int fd, const char *dir, const char *what, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "audit log %s", dir);
	if (st.st_uid != sys_euid() && st.st_uid != 0)
		return err_set(e, -EPERM, "audit log %s: %s belongs to uid %u: expected uid %u",
			       dir, what, (unsigned) st.st_uid, (unsigned) sys_euid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, -EPERM, "audit log %s: others may write to %s", dir, what);
	return 0;
}

int audit_dir_open(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return err_sys(e, "audit log %s", dir);
	r = check_owner(fd, dir, "the directory", e);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int audit_open(const char *dir, struct audit *ret, struct err *e)
{
	struct audit a = AUDIT_CLOSED;
	int r;

	a.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a.dir_fd < 0)
		return errno == ENOENT ? -ENOENT : err_sys(e, "audit log %s", dir);
	a.key_fd = openat(a.dir_fd, AUDIT_KEY_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (a.key_fd < 0) {
		r = errno == ENOENT ? -ENOENT : err_sys(e, "audit log %s: its key", dir);
		audit_close(&a);
		return r;
	}
	r = check_owner(a.dir_fd, dir, "the directory", e);
	if (r == 0)
		r = check_owner(a.key_fd, dir, "its key", e);
	if (r < 0) {
		audit_close(&a);
		return r;
	}
	a.dir = dir;
	*ret = a;
	return 0;
}

void audit_close(struct audit *a)
{
	a->dir_fd = fd_close(a->dir_fd);
	a->key_fd = fd_close(a->key_fd);
	a->log_fd = fd_close(a->log_fd);
}

int audit_state_read(int dir_fd, struct audit_state *ret, bool with_key, struct err *e)
{
	fd_auto int fd = openat(dir_fd, AUDIT_KEY_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_sys(e, "the audit log's key");
	r = audit_state_load(fd, ret, e);
	if (r == 0 && !with_key)
		explicit_bzero(ret->key, sizeof(ret->key));
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the site's rules: which files, and whose they are. What is in them is rules_decode.c's. A file that others than
 * root could write is refused: who can write the rules can undo them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/sys.h"
#include "policy/rules_tables.h"

#define RULES_DIR "/etc/kavach/rules.d"

/* Whose files count: root's, and ours. In a user namespace that does not map the host's root, whatever is not ours is shown
 * as the overflow uid's (user_namespaces(7)); root's files among them cannot be told from others there, but what an
 * unprivileged user runs is that user's own business. */
#define OVERFLOW_UID 65534

static bool is_ours(uid_t uid, bool in_userns)
{
	return uid == 0 || uid == sys_euid() || (in_userns && uid == OVERFLOW_UID);
}

static int check_owner(int fd, const char *path, mode_t type, bool in_userns, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if ((st.st_mode & S_IFMT) != type)
		return err_set_id(e, ERR_CONFIG, -EINVAL, "%s: expected a regular file", path);
	if (!is_ours(st.st_uid, in_userns))
		return err_set_id(e, ERR_CONFIG, -EPERM, "%s: owned by user %u, expected root",
				  path, (unsigned) st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set_id(e, ERR_CONFIG, -EPERM,
				  "%s: others than its owner can write it (mode %04o)", path,
				  (unsigned) st.st_mode & 07777);
	return 0;
}

/* check: whether it matters whose the file is; it does for everything that is put into force. */
struct reader {
	bool check, in_userns;
};

static int read_text(const struct reader *rd, int dirfd, const char *name, const char *path,
		     size_t max, struct arena *a, struct bytes *ret, struct err *e)
{
	int r;

	/* O_NONBLOCK: a FIFO in the place of the file must not stop us */
	fd_auto int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "%s", path);
	r = rd->check ? check_owner(fd, path, S_IFREG, rd->in_userns, e) : 0;
	if (r < 0)
		return r;
	r = io_read_fd(fd, max, a, ret);
	return r < 0 ? err_neg(e, r, "%s", path) : 0;
}

static int read_profile(void *arg, const char *path, struct arena *a, struct bytes *ret,
			struct err *e)
{
	return read_text(arg, AT_FDCWD, path, path, RULES_PROFILE_MAX, a, ret, e);
}

static int read_file(struct reader *rd, int dirfd, const char *name, const char *path,
		     struct arena *a, struct rules *ret, struct err *e)
{
	const struct rules_source src = {read_profile, rd};
	struct bytes text;
	int r = read_text(rd, dirfd, name, path, RULES_TEXT_MAX, a, &text, e);

	return r < 0 ? r : rules_decode(path, (const char *) text.v, text.n, &src, a, ret, e);
}

static int is_rules_file(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_has_suffix(d->d_name, ".json");
}

int rules_read(const char *dir, const struct host *h, struct arena *a, struct rules *ret,
	       struct err *e)
{
	struct reader rd = {.check = true, .in_userns = h->in_userns};
	struct rules rules = {0};
	struct dirent **names;
	int n, r = 0;

	if (!dir)
		dir = RULES_DIR;
	fd_auto int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 && errno == ENOENT) {
		*ret = rules;
		return 0;
	}
	if (dirfd < 0)
		return err_sys(e, "%s", dir);
	r = check_owner(dirfd, dir, S_IFDIR, rd.in_userns, e);
	if (r < 0)
		return r;
	n = scandirat(dirfd, ".", &names, is_rules_file, alphasort);
	if (n < 0)
		return err_sys(e, "%s", dir);
	if (n > RULES_FILES_MAX)
		r = err_set_id(e, ERR_CONFIG, -E2BIG, "%s: more than %d rules files", dir,
			       RULES_FILES_MAX);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = read_file(&rd, dirfd, names[i]->d_name,
				      path_join(a, dir, names[i]->d_name), a, &rules, e);
		free(names[i]);
	}
	free(names);
	if (r == 0)
		*ret = rules;
	return r;
}

int rules_read_files(char *const *paths, size_t n, struct arena *a, struct rules *ret,
		     struct err *e)
{
	struct reader rd = {.check = false};
	struct rules rules = {0};
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = read_file(&rd, AT_FDCWD, paths[i], paths[i], a, &rules, e);
	if (r == 0)
		*ret = rules;
	return r;
}

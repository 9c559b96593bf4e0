/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fingerprint of a folder. Whatever changes a file's content, mode, owner or attributes sets its ctime, and whatever adds,
 * removes or renames an entry sets that of the folder; so nothing has to be read. The number of the device is not in it: an
 * overlay gets another one at each mount.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "vm/pack.h"

#define DEPTH_MAX 200	   /* a descriptor each; deeper ones are packed every time */
#define TICK_NS 20000000ll /* ctime has the resolution of the kernel's tick, at least 100 Hz */
#define COARSE_NS 2000000000ll
#define NS 1000000000ll
#define FORMAT "kavach-root-key-1" /* of what is hashed, and of the images */

struct walk {
	struct sha256 h;
	int64_t now;
	bool fresh; /* something was changed an instant ago */
	bool deep;
	struct err *e;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static void add_u64(struct walk *w, uint64_t v)
{
	uint8_t b[8];

	for (unsigned i = 0; i < 8; i++)
		b[i] = (uint8_t) (v >> (8 * i));
	sha256_add(&w->h, b, sizeof(b));
}

static void add_entry(struct walk *w, const char *name, const struct stat *st)
{
	const int64_t changed = st->st_ctim.tv_sec * NS + st->st_ctim.tv_nsec;
	const uint64_t numbers[] = {strlen(name),
				    st->st_ino,
				    st->st_mode,
				    st->st_uid,
				    st->st_gid,
				    st->st_nlink,
				    st->st_rdev,
				    (uint64_t) st->st_size,
				    (uint64_t) changed,
				    (uint64_t) st->st_mtim.tv_sec,
				    (uint64_t) st->st_mtim.tv_nsec};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		add_u64(w, numbers[i]);
	sha256_add(&w->h, name, strlen(name));
	/* a file system without fractions may not move on for a second, or two */
	w->fresh |= changed > w->now - (st->st_ctim.tv_nsec ? TICK_NS : COARSE_NS);
}

static int not_dots(const struct dirent *d)
{
	return !str_eq(d->d_name, ".") && !str_eq(d->d_name, "..");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int walk_dir(struct walk *w, int dir, unsigned depth);

static int walk_entry(struct walk *w, int dir, const char *name, unsigned depth)
{
	fd_auto int fd = -EBADF;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? (w->fresh = true, 0)
				       : err_sys(w->e, "packing the root: %s", name);
	add_entry(w, name, &st);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == DEPTH_MAX) {
		w->deep = true;
		return 0;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(w->e, "packing the root: %s", name);
	return walk_dir(w, fd, depth + 1);
}

static int walk_dir(struct walk *w, int dir, unsigned depth)
{
	struct dirent **names;
	int n = scandirat(dir, ".", &names, not_dots, by_bytes), r = 0;

	if (n < 0)
		return err_sys(w->e, "packing the root: reading a folder");
	add_u64(w, (uint64_t) n);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = walk_entry(w, dir, names[i]->d_name, depth);
		free(names[i]);
	}
	free(names);
	return r;
}

int pack_key(const char *rootfs, uint8_t ret[SHA256_LEN], struct err *e)
{
	fd_auto int dir = open(rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walk w = {.now = now_ns(), .e = e};
	struct stat st;
	int r;

	if (dir < 0 || fstat(dir, &st) < 0)
		return err_sys(e, "root.path: %s", rootfs);
	sha256_init(&w.h);
	sha256_add(&w.h, FORMAT, sizeof(FORMAT));
	add_entry(&w, "", &st);
	r = walk_dir(&w, dir, 0);
	if (r < 0)
		return r;
	sha256_end(&w.h, ret);
	return !w.fresh && !w.deep;
}

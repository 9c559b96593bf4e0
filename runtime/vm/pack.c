/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of packed roots: ROOTHASH-BLOCKS.img, and a link FINGERPRINT.key to one for each folder that was packed. Several
 * of us may work in it at once: whatever is there under its name is complete, what is used is open, and who finds less than there
 * should be packs again.
 */
#include "vm/pack.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "vm/verity.h"

#define SALT "kavach"
#define SALT_HEX "6b6176616368"
#define NEW ".new-"
#define NAME_MAX_LEN 128
#define KEEP_BYTES (8ull << 30)
#define KEEP_IMAGES 64
#define NEW_SECONDS 86400 /* what is older was left by a process that is gone */

struct cache {
	const char *path;
	int fd;
	struct arena *a;
};

/* ---- the directory ---- */

const char *pack_cache_dir(struct arena *a)
{
	const char *given = getenv("KAVACH_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");

	if (!str_empty(given))
		return arena_printf(a, "%s/roots", given);
	if (geteuid() == 0)
		return "/var/cache/kavach/roots";
	if (!str_empty(xdg) && xdg[0] == '/')
		return arena_printf(a, "%s/kavach/roots", xdg);
	return str_empty(home) ? NULL : arena_printf(a, "%s/.cache/kavach/roots", home);
}

static int make_dirs(char *path, struct err *e)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "packing the root: making %s", path);
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "packing the root: making %s", path);
	return 0;
}

/* Somebody else who may write there could give a guest another root: one of which the policy, made of it, says that it is right. */
static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int open_cache(const char *path, struct arena *a, struct cache *ret, struct err *e)
{
	fd_auto int fd = -EBADF;
	struct stat st;
	int r;

	if (!path)
		return err_set(
			e, -ENOENT,
			"packing the root: neither KAVACH_CACHE, XDG_CACHE_HOME nor HOME says "
			"where images are kept");
	if (path[0] != '/')
		return err_set(e, -EINVAL, "KAVACH_CACHE: expected an absolute path, found %s",
			       path);
	r = make_dirs(arena_strdup(a, path), e);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "packing the root: %s", path);
	if (!is_ours(&st))
		return err_set(e, -EPERM,
			       "packing the root: %s: somebody else may write it (owner %u, mode "
			       "%04o); expected ours, and nobody else's to write",
			       path, st.st_uid, st.st_mode & 07777);
	*ret = (struct cache){path, fd_take(&fd), a};
	return 0;
}

/* ---- an image ---- */

/* "HASH-BLOCKS.img" */
static bool parse_name(const char *name, struct arena *a, struct policy_root *ret)
{
	size_t hex = SHA256_LEN * 2;
	char *number;

	if (strlen(name) < hex + 2 || strspn(name, "0123456789abcdef") != hex || name[hex] != '-' ||
	    !str_has_suffix(name, ".img"))
		return false;
	number = arena_strndup(a, name + hex + 1, strlen(name) - hex - 1 - strlen(".img"));
	if (num_parse_u64(number, VERITY_BLOCKS_MAX, &ret->blocks) < 0 || !ret->blocks)
		return false;
	ret->hash = arena_strndup(a, name, hex);
	ret->salt = SALT_HEX;
	return true;
}

/* false: it is none that can be used. */
static bool open_image(const struct cache *c, const char *name, struct packed *ret)
{
	struct packed p = {.path = arena_printf(c->a, "%s/%s", c->path, name), .kept = true};
	fd_auto int fd = -EBADF;
	struct stat st;

	if (!parse_name(name, c->a, &p.root))
		return false;
	fd = openat(c->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_ours(&st))
		return false;
	p.size = (uint64_t) st.st_size;
	if (p.size != (p.root.blocks + verity_tree_blocks(p.root.blocks)) * VERITY_BLOCK)
		return false;
	p.fd = fd_take(&fd);
	*ret = p;
	return true;
}

static bool look_up(const struct cache *c, const char *key, struct packed *ret)
{
	char name[NAME_MAX_LEN];
	ssize_t n = readlinkat(c->fd, key, name, sizeof(name) - 1);

	if (n <= 0)
		return false;
	name[n] = '\0';
	if (!open_image(c, name, ret))
		return false;
	(void) futimens(ret->fd, NULL); /* used now: the last one to be thrown away */
	return true;
}

/* ---- making one ---- */

static int add_hashes(int fd, const char *path, struct policy_root *ret, struct arena *a,
		      struct err *e)
{
	const struct bytes salt = {(uint8_t *) (uintptr_t) SALT, strlen(SALT)};
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "packing the root: %s", path);
	ret->blocks = ((uint64_t) st.st_size + VERITY_BLOCK - 1) / VERITY_BLOCK;
	if (ftruncate(fd, (off_t) (ret->blocks * VERITY_BLOCK)) < 0)
		return err_sys(e, "packing the root: %s", path);
	r = verity_append(fd, path, ret->blocks, salt, digest, e);
	if (r < 0)
		return err_context(e, "packing the root");
	sha256_hex(digest, hex);
	ret->hash = arena_strdup(a, hex);
	ret->salt = SALT_HEX;
	/* a name that is there after a power failure must not lead to a file whose blocks are not */
	if (fchmod(fd, 0400) < 0 || fdatasync(fd) < 0)
		return err_sys(e, "packing the root: %s", path);
	return 0;
}

static int make_image(const struct cache *c, const char *rootfs, const char **ret_name,
		      struct err *e)
{
	char *path = arena_printf(c->a, "%s/" NEW "XXXXXX", c->path);
	fd_auto int fd = mkostemp(path, O_CLOEXEC);
	struct policy_root root = {0};
	int r;

	if (fd < 0)
		return err_sys(e, "packing the root: a file in %s", c->path);
	r = pack_mkfs(rootfs, path, e);
	if (r == 0)
		r = add_hashes(fd, path, &root, c->a, e);
	if (r == 0) {
		*ret_name = arena_printf(c->a, "%s-%llu.img", root.hash,
					 (unsigned long long) root.blocks);
		if (renameat(AT_FDCWD, path, c->fd, *ret_name) < 0)
			r = err_sys(e, "packing the root: %s/%s", c->path, *ret_name);
	}
	if (r < 0)
		(void) unlink(path);
	return r;
}

/* Only when the folder is still what it was before it was packed. Without a link it is packed again next time. */
static void link_key(const struct cache *c, const char *rootfs, const uint8_t key[SHA256_LEN],
		     const char *key_name, const char *image)
{
	char *tmp = arena_printf(c->a, NEW "%s-%d", key_name, (int) getpid());
	struct err e = ERR_INIT;
	uint8_t again[SHA256_LEN];

	if (pack_key(rootfs, again, &e) != 1 || memcmp(key, again, SHA256_LEN) != 0)
		return;
	if (symlinkat(image, c->fd, tmp) < 0 || renameat(c->fd, tmp, c->fd, key_name) < 0)
		(void) unlinkat(c->fd, tmp, 0);
}

/* ---- throwing away ---- */

struct old {
	char *name;
	int64_t used;
	uint64_t bytes;
};

static int by_use(const void *a, const void *b)
{
	const struct old *x = a, *y = b;

	return x->used < y->used ? 1 : x->used > y->used ? -1 : 0;
}

/* A key whose image is gone, and what somebody left unfinished. */
static void trim_other(const struct cache *c, const char *name, const struct stat *st)
{
	char to[NAME_MAX_LEN];
	ssize_t n;

	if (str_prefix(name, NEW) && st->st_mtime < time(NULL) - NEW_SECONDS)
		(void) unlinkat(c->fd, name, 0);
	if (!str_has_suffix(name, ".key") || !S_ISLNK(st->st_mode))
		return;
	n = readlinkat(c->fd, name, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	if (n <= 0 || faccessat(c->fd, to, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		(void) unlinkat(c->fd, name, 0);
}

static void trim_dir(const struct cache *c, DIR *d, const char *keep)
{
	struct old *v = NULL;
	size_t n = 0, cap = 0;
	uint64_t sum = 0;
	struct dirent *de;

	while ((de = readdir(d))) {
		struct policy_root root;
		struct stat st;

		if (fstatat(c->fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!parse_name(de->d_name, c->a, &root)) {
			trim_other(c, de->d_name, &st);
			continue;
		}
		v = arena_room(c->a, v, n, &cap, sizeof(*v));
		v[n++] = (struct old){arena_strdup(c->a, de->d_name), st.st_mtime,
				      (uint64_t) st.st_blocks * 512};
	}
	if (n)
		qsort(v, n, sizeof(*v), by_use);
	for (size_t i = 0; i < n; i++) {
		sum += v[i].bytes;
		if ((i >= KEEP_IMAGES || sum > KEEP_BYTES) && !str_eq(v[i].name, keep))
			(void) unlinkat(c->fd, v[i].name, 0);
	}
}

static void trim(const struct cache *c, const char *keep)
{
	int fd = openat(c->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		fd_close(fd);
		return;
	}
	trim_dir(c, d, keep);
	closedir(d);
}

/* ---- together ---- */

static int pack_into(const struct cache *c, const char *rootfs, struct packed *ret, struct err *e)
{
	uint8_t key[SHA256_LEN];
	char hex[SHA256_HEX], *key_name = NULL;
	const char *image;
	int has_key = pack_key(rootfs, key, e), r;

	if (has_key < 0)
		return has_key;
	if (has_key) {
		sha256_hex(key, hex);
		key_name = arena_printf(c->a, "%s.key", hex);
		if (look_up(c, key_name, ret))
			return 0;
	}
	r = make_image(c, rootfs, &image, e);
	if (r < 0)
		return r;
	if (!open_image(c, image, ret))
		return err_set(e, -EIO, "packing the root: %s/%s is gone", c->path, image);
	ret->kept = false;
	if (key_name)
		link_key(c, rootfs, key, key_name, image);
	trim(c, image);
	return 0;
}

int pack_root(const char *rootfs, const char *cache, struct arena *a, struct packed *ret,
	      struct err *e)
{
	struct cache c;
	int r = open_cache(cache, a, &c, e);

	if (r < 0)
		return r;
	r = pack_into(&c, rootfs, ret, e);
	fd_close(c.fd);
	return r;
}

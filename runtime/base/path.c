/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and making things below a directory that a hostile process may be changing meanwhile.
 *
 * Theory of operation: the common case is one openat2() call. The walk in path_walk.c takes over where
 * that call does not exist, where a filter hides it, where it gives up because mounts and renames go
 * on all the time (EAGAIN), and where something has to be made on the way.
 */
#include "base/path.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path_walk.h"
#include "base/str.h"
#include "base/sys.h"

#define EAGAIN_TRIES 32

static bool force_fallback; /* set by tests only */

void path_force_fallback(bool on)
{
	force_fallback = on;
}

static int open_once(int root, const char *path, int oflags, mode_t mode, unsigned flags)
{
	struct open_how how = {
		.flags = (uint64_t) (uint32_t) (oflags | O_CLOEXEC),
		.mode = (oflags & O_CREAT) || (oflags & O_TMPFILE) == O_TMPFILE ? mode : 0,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	int r;

	/* openat2() refuses what open() ignores beside O_PATH. */
	if (oflags & O_PATH) {
		how.flags &= O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;
		how.mode = 0;
	}
	how.flags |= flags & PATH_NOFOLLOW ? O_NOFOLLOW : 0;
	how.resolve |= flags & PATH_BENEATH ? RESOLVE_BENEATH : RESOLVE_IN_ROOT;
	how.resolve |= flags & PATH_NO_SYMLINKS ? RESOLVE_NO_SYMLINKS : 0;
	how.resolve |= flags & PATH_NO_XDEV ? RESOLVE_NO_XDEV : 0;
	for (unsigned i = 0; i < EAGAIN_TRIES; i++) {
		do
			r = sys_openat2(root, path, &how);
		while (r == -EINTR);
		if (r != -EAGAIN)
			break;
	}
	return r;
}

/* Whether a filter answers openat2() with EPERM: opening a directory that we hold never does so. */
static bool openat2_is_filtered(int root)
{
	fd_auto int fd = open_once(root, ".", O_PATH | O_DIRECTORY, 0, 0);

	return fd == -EPERM;
}

int path_open_in(int root, const char *path, int oflags, mode_t mode, unsigned flags)
{
	int r = force_fallback ? -ENOSYS : open_once(root, path, oflags, mode, flags);

	if (r == -ENOSYS || r == -EAGAIN || (r == -EPERM && openat2_is_filtered(root)))
		return path_walk(root, path, oflags, mode, flags, PATH_MAKE_NOTHING);
	return r;
}

int path_mkdir_in(int root, const char *path, mode_t mode)
{
	int r = path_open_in(root, path, O_PATH | O_DIRECTORY, 0, 0);

	if (r != -ENOENT)
		return r;
	return path_walk(root, path, O_PATH | O_DIRECTORY, mode, 0, PATH_MAKE_DIRS);
}

int path_make_file_in(int root, const char *path, mode_t mode)
{
	fd_auto int fd = path_open_in(root, path, O_PATH, 0, 0);
	struct stat st;

	if (fd == -ENOENT)
		fd = path_walk(root, path, O_PATH, mode, 0, PATH_MAKE_FILE);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? -EISDIR : fd_take(&fd);
}

int path_open_parent_in(int root, const char *path, bool make, const char **ret_name)
{
	const char *name = strrchr(path, '/');
	char dir[PATH_MAX];
	size_t n;
	int r;

	name = name ? name + 1 : path;
	if (!*name || str_eq(name, ".") || str_eq(name, ".."))
		return -EINVAL;
	n = (size_t) (name - path);
	if (n >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, n);
	strcpy(dir + n, n ? "" : ".");
	r = make ? path_mkdir_in(root, dir, 0755)
		 : path_open_in(root, dir, O_PATH | O_DIRECTORY, 0, 0);
	if (r >= 0)
		*ret_name = name;
	return r;
}

char *path_clean(struct arena *a, const char *path)
{
	char *out = arena_alloc(a, strlen(path) + 2);
	size_t n = 0;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			while (n > 0 && out[--n] != '/')
				;
		} else if (len > 0 && !(len == 1 && path[0] == '.')) {
			out[n++] = '/';
			memcpy(out + n, path, len);
			n += len;
		}
		path += len;
		path += strspn(path, "/");
	}
	if (n == 0)
		out[n++] = '/';
	out[n] = '\0';
	return out;
}

char *path_join(struct arena *a, const char *dir, const char *name)
{
	if (name[0] == '/')
		return arena_strdup(a, name);
	return arena_printf(a, "%s%s%s", dir, str_has_suffix(dir, "/") ? "" : "/", name);
}

bool path_below(const char *p, const char *dir)
{
	const char *rest = str_prefix(p, dir);

	return rest && (!*rest || *rest == '/' || str_eq(dir, "/"));
}

bool fd_is_fs(int fd, unsigned long magic)
{
	struct statfs st;
	int r;

	do
		r = fstatfs(fd, &st);
	while (r < 0 && errno == EINTR);
	/* f_type is signed in some libcs: compare the 32 bits that file systems use. */
	return r == 0 && (uint32_t) st.f_type == (uint32_t) magic;
}

int path_open_real(const char *path)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (root < 0)
		return -errno;
	fd = path_open_in(root, path, O_PATH, 0, PATH_NO_SYMLINKS);
	close(root);
	return fd;
}

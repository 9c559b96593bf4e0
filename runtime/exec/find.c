/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file is the program. This runs as the target user, with the target's capabilities, in the container's root and
 * working directory, before the container counts as created: engines expect `create` to fail with 127 or 126, by
 * the phrases of the catalogue, and not `start`. What changes in between is reported by execve() itself.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errcat.h"
#include "base/str.h"
#include "base/sys.h"
#include "exec/ctx.h"

/* execvp(3): what is searched when the environment has no PATH */
#define DEFAULT_PATH "/bin:/usr/bin"
#define BEGIN "unable to start container process: exec: "

/* May we execute it? 0, -EISDIR, or the kernel's answer. */
static int check_at(int dir, const char *path, int flags)
{
	struct stat st;
	int r;

	if (fstatat(dir, path, &st, flags) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	/* The effective ids and capabilities count for an exec, access(2) alone looks at the real ones. */
	r = sys_faccessat2(dir, path, X_OK, AT_EACCESS | flags);
	if (r == -ENOSYS || r == -EPERM || r == -EINVAL) /* before 5.8, or filtered */
		r = faccessat(dir, path, X_OK, flags) < 0 ? -errno : 0;
	return r;
}

static int check_file(struct stage *s, const char *path)
{
	int fd;

	if (!s->boot || !s->boot->slow_paths)
		return check_at(AT_FDCWD, path, 0);
	fd = hold_path(s, path);
	if (fd == -EMFILE || fd == -ENFILE)
		return check_at(AT_FDCWD, path, 0);
	return fd < 0 ? fd : check_at(fd, "", AT_EMPTY_PATH);
}

static int fail(const char *name, int r, struct err *e)
{
	switch (r) {
	case -ENOENT:
	case -ENOTDIR:
		return err_set_id(e, ERR_NO_EXECUTABLE, -ENOENT, BEGIN "\"%s\": " ERRCAT_NO_FILE,
				  name);
	case -EACCES:
	case -EPERM:
		return err_set_id(e, ERR_EXEC_DENIED, -EACCES, BEGIN "\"%s\": " ERRCAT_DENIED,
				  name);
	case -EISDIR:
		/* podman's exec knows only the second phrase, which is what the kernel would have said */
		return err_set_id(e, ERR_EXEC_DIR, -EISDIR,
				  BEGIN "\"%s\": " ERRCAT_IS_DIR ": " ERRCAT_DENIED, name);
	default: return err_neg(e, r, BEGIN "\"%s\"", name);
	}
}

int find_executable(struct stage *s, char **ret_path, struct err *e)
{
	const char *name = s->proc->args.n ? s->proc->args.v[0] : "";
	const char *path = env_get(&s->proc->env, "PATH");
	struct strs dirs;
	int r;

	if (strchr(name, '/')) {
		r = check_file(s, name);
		if (r < 0)
			return fail(name, r, e);
		*ret_path = arena_strdup(s->a, name);
		return 0;
	}
	dirs = str_split(s->a, path ? path : DEFAULT_PATH, ':');
	for (size_t i = 0; *name && i < dirs.n; i++) {
		char *p = arena_printf(s->a, "%s/%s", dirs.v[i], name);

		/* A relative entry would make what runs depend on the working directory: as with runc, not used. */
		if (p[0] == '/' && check_file(s, p) == 0) {
			*ret_path = p;
			return 0;
		}
	}
	return err_set_id(e, ERR_NO_EXECUTABLE, -ENOENT, BEGIN "\"%s\": " ERRCAT_NO_EXECUTABLE,
			  name);
}

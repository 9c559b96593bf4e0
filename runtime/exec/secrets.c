/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets arrive from kavach in a pipe and go to where the policy wants them.
 *
 * Files: their directory becomes a ramfs of its own. Not a tmpfs: that is swapped to disk, its option "noswap" came with
 * Linux 6.4 and is not for user namespaces. A ramfs never leaves memory, on any kernel, and is charged to the container's
 * cgroup, in which we are by now. It lacks a limit of its size, so it is made read-only when its files are there.
 * Their place is resolved step by step and by fd, and no step may be a symlink or the root of a bind mount, wherever a
 * symlink of the image has put that: on the host's side nothing is made, and nothing shows.
 *
 * Order: after the pivot and the hooks of the creation, which are none of the workload's business; before the root turns
 * read-only. Values of files are overwritten here as soon as they are in place. Variables stay in the block, which is
 * neither dumped nor inherited, until execve copies them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "exec/mount.h"

/* ---- arriving ---- */

static int make_stdin(struct secret_item *it, struct err *e)
{
	fd_auto int fd = secret_pipe(it->value, it->n);

	if (fd < 0)
		return err_neg(e, fd, "secret %s: a pipe for the standard input", it->name);
	if (dup3(fd, STDIN_FILENO, 0) < 0)
		return err_sys(e, "secret %s: as the standard input", it->name);
	explicit_bzero(it->value, it->n);
	return 0;
}

int secrets_take(struct stage *s, struct err *e)
{
	int fd = s->boot->secrets_fd, r;

	if (fd < 0)
		return 0;
	s->secret = arena_array(s->a, SECRET_ITEMS_MAX, sizeof(*s->secret));
	r = secret_block_open(&s->secrets, e);
	if (r == 0)
		r = secret_block_read(&s->secrets, fd, e);
	close(fd);
	if (r == 0 && secret_items(&s->secrets, s->secret, &s->n_secrets) < 0)
		r = err_set(e, -EBADMSG, "kavach handed over a malformed block of secrets");
	for (size_t i = 0; i < s->n_secrets && r == 0; i++)
		if (s->secret[i].give == POL_SECRET_STDIN)
			r = make_stdin(&s->secret[i], e);
	return r;
}

/* ---- the place of a directory ---- */

struct place {
	struct stage *s;
	const char *dir;
	struct sys_mount_id *binds; /* mounts that show the host's files */
	size_t *index;		    /* of each, in the policy */
	size_t n;
};

static bool is_bind(const struct pol_mount *m)
{
	return m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
}

static int find_binds(struct place *p, struct err *e)
{
	const struct policy *pol = p->s->p;

	p->binds = arena_array(p->s->a, pol->mounts.n, sizeof(*p->binds));
	p->index = arena_array(p->s->a, pol->mounts.n, sizeof(*p->index));
	for (size_t i = 0; i < pol->mounts.n; i++) {
		fd_late int fd = -EBADF;
		int r;

		if (!is_bind(&pol->mounts.v[i]))
			continue;
		fd = path_open_in(p->s->root_fd, pol->mounts.v[i].destination, O_PATH, 0, 0);
		if (fd < 0)
			continue; /* gone: a hook's doing */
		r = sys_mount_id(fd, &p->binds[p->n]);
		if (r < 0)
			return err_neg(e, r, "identify the mount at %s (Linux 5.8)",
				       pol->mounts.v[i].destination);
		p->index[p->n++] = i;
	}
	return 0;
}

static int check_step(const struct place *p, int fd, struct err *e)
{
	struct sys_mount_id id;
	int r = p->n ? sys_mount_id(fd, &id) : 0;

	if (r < 0)
		return err_neg(e, r, "identify its mount (Linux 5.8)");
	for (size_t i = 0; i < p->n; i++)
		if (p->binds[i].id == id.id)
			return err_set(e, -EPERM, "it is in the bind mount %s",
				       p->s->p->mounts.v[p->index[i]].destination);
	return 0;
}

/* One directory deeper; a missing one is made. */
static int step(const struct place *p, int dir, const char *name, struct err *e)
{
	fd_late int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT && (mkdirat(dir, name, 0755) == 0 || errno == EEXIST))
		fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(e, -ENOTDIR,
			       "\"%s\" is a symlink, or no directory; the rule has to name the "
			       "place itself",
			       name);
	if (fd < 0)
		return err_sys(e, "open or make the directory \"%s\"", name);
	r = check_step(p, fd, e);
	return r < 0 ? r : fd_take(&fd);
}

static int check_empty(int dir, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!d) {
		r = err_sys(e, "list it");
		fd_close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(d)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			r = err_set(e, -ENOTEMPTY,
				    "it holds \"%s\", which would be hidden: the rule has to name "
				    "another place",
				    entry->d_name);
	closedir(d);
	return r;
}

static int open_place(struct place *p, struct err *e)
{
	const struct strs names = str_split(p->s->a, p->dir, '/');
	int at = p->s->root_fd, r;

	r = find_binds(p, e);
	if (r == 0)
		r = check_step(p, at, e);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		int next = step(p, at, names.v[i], e);

		if (at != p->s->root_fd)
			close(at);
		at = next;
		r = next < 0 ? next : 0;
	}
	if (r == 0)
		r = check_empty(at, e);
	if (r < 0 && at >= 0 && at != p->s->root_fd)
		close(at);
	return r < 0 ? r : at;
}

int secrets_make_place(struct stage *s, const char *dir, struct err *e)
{
	struct place p = {.s = s, .dir = dir};
	int fd = open_place(&p, e);

	fd_close(fd);
	return fd < 0 ? fd : 0;
}

/* ---- files ---- */

static int write_file(int dir, struct secret_item *it, struct err *e)
{
	fd_auto int fd = openat(dir, strrchr(it->target, '/') + 1,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, "make the file");
	r = io_write_all(fd, it->value, it->n);
	explicit_bzero(it->value, it->n);
	if (r < 0)
		return err_neg(e, r, "fill the file");
	if (fchown(fd, it->uid, it->gid) < 0)
		return err_sys(e, "give it to user %u, group %u", it->uid, it->gid);
	if (fchmod(fd, it->mode) < 0)
		return err_sys(e, "set its mode");
	return 0;
}

static int seal(struct stage *s, int fd)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};

	return s->fs->legacy ? legacy_set(s, fd, MOUNT_ATTR_RDONLY, 0) : mnt_set(fd, &ro, false);
}

static bool is_in(const struct secret_item *it, const char *dir)
{
	size_t n = strlen(dir);

	return it->give == POL_SECRET_FILE && strncmp(it->target, dir, n) == 0 &&
	       it->target + n == strrchr(it->target, '/');
}

static int make_dir(struct stage *s, char *dir, struct err *e)
{
	const char *opt[] = {"mode=0755", mnt_label(s)};
	const struct pol_mount m = {.kind = POL_MOUNT_FS, .destination = dir};
	const struct mnt_fs f = {
		.type = "ramfs",
		.source = "secrets",
		.attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		.opt = opt,
		.opt_n = opt[1] ? 2 : 1,
	};
	struct place p = {.s = s, .dir = dir};
	fd_late int target = open_place(&p, e), fd = -EBADF;
	int r = 0;

	if (target < 0)
		return target;
	fd = mnt_place(s, &m, &f, target, e);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < s->n_secrets && r == 0; i++)
		if (is_in(&s->secret[i], dir)) {
			r = write_file(fd, &s->secret[i], e);
			if (r < 0)
				err_context(e, "secret %s", s->secret[i].name);
		}
	if (r == 0) {
		r = seal(s, fd);
		if (r < 0)
			err_neg(e, r, "make it read-only");
	}
	return r;
}

static bool is_first_of_dir(const struct stage *s, size_t i, const char *dir)
{
	for (size_t k = 0; k < i; k++)
		if (is_in(&s->secret[k], dir))
			return false;
	return true;
}

int secrets_place(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->n_secrets; i++) {
		const char *target = s->secret[i].target;
		char *dir;

		if (s->secret[i].give != POL_SECRET_FILE)
			continue;
		/* mount(2) alone does not get the host's mounts out of their peer groups (rootfs.c) */
		if (s->fs->legacy && s->fs->propagation == MS_SHARED)
			return err_set(e, -ENOSYS,
				       "secrets with linux.rootfsPropagation shared need "
				       "mount_setattr (Linux 5.12)");
		dir = arena_strndup(s->a, target, (size_t) (strrchr(target, '/') - target));
		if (is_first_of_dir(s, i, dir) && make_dir(s, dir, e) < 0)
			return err_context(e, "directory %s of secrets", dir);
	}
	return 0;
}

/* ---- variables ---- */

static bool is_ours(const struct stage *s, const char *entry)
{
	for (size_t i = 0; i < s->n_secrets; i++) {
		const char *rest = s->secret[i].give == POL_SECRET_ENV
					   ? str_prefix(entry, s->secret[i].target)
					   : NULL;

		if (rest && *rest == '=')
			return true;
	}
	return false;
}

char **secrets_env(struct stage *s, char **env)
{
	char **all;
	size_t n = 0, out = 0;

	if (!s->n_secrets)
		return env;
	while (env[n])
		n++;
	all = arena_array(s->a, n + s->n_secrets + 1, sizeof(*all));
	for (size_t i = 0; i < n; i++)
		if (!is_ours(s, env[i]))
			all[out++] = env[i];
	for (size_t i = 0; i < s->n_secrets; i++)
		if (s->secret[i].give == POL_SECRET_ENV)
			all[out++] = (char *) s->secret[i].value;
	return all;
}

void secrets_forget(struct stage *s)
{
	s->n_secrets = 0;
	secret_block_close(&s->secrets);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of Landlock that the site's rules put around the workload, and around every process that is added to it.
 *
 * Theory of operation. The rulesets are made while we are still root of the container: the user may not be allowed to walk
 * to a path, and an error has to fail `create`. They are put in force right before the filters: a limited process cannot
 * mount, and the hooks before that are the engine's. From then on execve is under them, too.
 *
 * The root is hostile. A symlink in it could make a rule about /tmp one about /, so none is followed: a path that is one,
 * or goes through one, gives nothing, as one that does not exist. That denies no more than the rule says, because the
 * kernel judges the file that is reached and not the way there: with /usr in a list, /bin/sh works where /bin leads
 * there. Destinations of mounts are another matter: they were resolved when the mounts were made, and they are taken only
 * if a mount is what stands there, one other than the root.
 *
 * A layer that repeats what the mounts say lets the standard input and output be opened again for what they are open for: they
 * are the caller's, and programs that log to /dev/stderr do so. Which ABI a layer uses was decided from what the host has (policy/p_landlock.c); a kernel that answers otherwise
 * now is an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "exec/ctx.h"
#include "policy/landlock.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed, port;
};

static int open_mount(int root, const char *path)
{
	fd_auto int fd = path_open_in(root, path, O_PATH, 0, 0);
	struct sys_mount_id at, of_root;
	int r;

	if (fd < 0)
		return fd;
	r = sys_mount_id(fd, &at);
	if (r == 0)
		r = sys_mount_id(root, &of_root);
	if (r < 0)
		return r;
	return at.root && at.id != of_root.id ? fd_take(&fd) : -ENOENT;
}

static int add_path(int ruleset, int root, enum landlock_list list, const char *path,
		    uint64_t allowed, struct err *e)
{
	fd_auto int fd = list == LANDLOCK_MOUNTS
				 ? open_mount(root, path)
				 : path_open_in(root, path, O_PATH, 0, PATH_NO_SYMLINKS);
	struct path_rule rule = {.allowed = allowed, .fd = fd};
	struct stat st;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return err_neg(e, fd, "Landlock: opening %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "Landlock: looking at %s", path);
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= LL_FS_OF_FILES;
	if (!rule.allowed)
		return 0;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_sys(e, "Landlock: a rule for %s", path);
	return 0;
}

static int add_paths(int ruleset, int root, const struct policy_landlock *l, struct err *e)
{
	int r = 0;

	for (enum landlock_list list = 0; list < LANDLOCK_LISTS; list++) {
		const struct strs *paths = landlock_paths(l, list);
		uint64_t allowed = landlock_allowed(l, list);

		for (size_t i = 0; i < paths->n && allowed && r == 0; i++)
			r = add_path(ruleset, root, list, paths->v[i], allowed, e);
	}
	return r;
}

/* Pipes, sockets and what else has no place in a file system are not limited, and the kernel takes no rule for them. */
static int add_stdio(int ruleset, uint64_t handled, struct err *e)
{
	for (int fd = 0; fd < 3; fd++) {
		struct path_rule rule = {.fd = fd};
		int flags = fcntl(fd, F_GETFL);
		struct stat st;

		if (flags < 0 || flags & O_PATH || fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
			continue;
		if ((flags & O_ACCMODE) != O_WRONLY)
			rule.allowed |= LL_FS_READ_FILE;
		if ((flags & O_ACCMODE) != O_RDONLY)
			rule.allowed |= LL_FS_WRITE_FILE | LL_FS_TRUNCATE; /* as ftruncate(2) */
		if (S_ISCHR(st.st_mode))
			rule.allowed |= LL_FS_IOCTL_DEV;
		rule.allowed &= handled;
		if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 &&
		    errno != EBADFD)
			return err_sys(e, "Landlock: a rule for descriptor %d", fd);
	}
	return 0;
}

static int add_ports(int ruleset, const struct u64s *ports, uint64_t right, uint64_t handled,
		     struct err *e)
{
	for (size_t i = 0; i < ports->n && handled & right; i++) {
		struct port_rule rule = {.allowed = right, .port = ports->v[i]};

		if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
			return err_sys(e, "Landlock: a rule for TCP port %llu",
				       (unsigned long long) rule.port);
	}
	return 0;
}

static int make_layer(struct stage *s, const struct policy_landlock *layer, int *ret, struct err *e)
{
	struct policy_landlock own = *layer, *l = &own;
	struct landlock_handled h;
	fd_auto int fd = -EBADF;
	int r;

	*ret = -EBADF;
	if (s->boot->mode == STAGE_EXEC)
		own.scopes = own.exec_scopes;
	h = landlock_handled(l);
	if (!h.fs && !h.net && !h.scopes)
		return 0; /* the rule lets it start on a kernel without */
	/* A kernel that does not know the last members accepts them as long as they are 0. */
	fd = (int) syscall(SYS_landlock_create_ruleset, &h, sizeof(h), 0);
	if (fd < 0)
		return err_sys(e, "Landlock: making a layer of ABI %u", l->required_abi);
	r = add_paths(fd, s->root_fd, l, e);
	if (r == 0 && l->from_mounts && h.fs)
		r = add_stdio(fd, h.fs, e);
	if (r == 0)
		r = add_ports(fd, &l->tcp_bind, LL_NET_BIND_TCP, h.net, e);
	if (r == 0)
		r = add_ports(fd, &l->tcp_connect, LL_NET_CONNECT_TCP, h.net, e);
	if (r == 0)
		*ret = fd_take(&fd);
	return r;
}

int landlock_prepare(struct stage *s, struct err *e)
{
	const struct policy_landlock *v = s->p ? s->p->landlock.v : s->boot->landlock.v;
	size_t n = s->p ? s->p->landlock.n : s->boot->landlock.n;
	int r = 0;

	if (n > LANDLOCK_LAYERS_MAX)
		return err_set(e, -E2BIG, "Landlock: %zu layers", n);
	for (size_t i = 0; i < n && r == 0; i++) {
		r = make_layer(s, &v[i], &s->rulesets[s->n_rulesets], e);
		if (s->rulesets[s->n_rulesets] >= 0)
			s->n_rulesets++;
	}
	return r;
}

int landlock_restrict(struct stage *s, struct err *e)
{
	for (size_t i = 0; i < s->n_rulesets; i++) {
		if (syscall(SYS_landlock_restrict_self, s->rulesets[i], 0) == 0) {
			close(s->rulesets[i]);
			continue;
		}
		if (errno == EPERM)
			return err_set(e, -EPERM,
				       "Landlock: a layer needs process.noNewPrivileges or "
				       "CAP_SYS_ADMIN");
		return err_sys(e, "Landlock: putting layer %zu in force", i);
	}
	return 0;
}

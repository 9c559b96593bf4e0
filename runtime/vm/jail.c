/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps, and why they stand where they stand:
 *
 *   trees		copies of the host's files as mounts: of our mount namespace, which we are about to leave
 *   namespaces		of our own; nothing that is mounted from here on is seen elsewhere
 *   root		a tmpfs, put over the present root and pivoted to; the old one is detached; then it is read-only
 *   descriptors	QEMU's get their numbers, all others are closed on execve
 *   Landlock		its rules are made while we are still root: paths are opened for them
 *   limits		before the ids: lowering needs nothing, but RLIMIT_NPROC counts for the new user
 *   bounding set	needs CAP_SETPCAP, which the ids take away
 *   ids, capabilities
 *   no_new_privs	Landlock wants it; it also keeps the capabilities of a program of root to those we have
 *   parent's death	after the ids, which reset it
 *   Landlock in force	from here on nothing can be mounted or opened but what it allows
 *   execve
 */
#include "vm/jail.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/sha256.h"
#include "base/str.h"
#include "exec/ctx.h"
#include "exec/mount.h"

#define FD_AWAY 128 /* numbers above what the program gets */
#define NPROC 1024u /* threads: vCPUs and up to 64 for disks */
#define MEMLOCK_LEAST 65536u
#define TREES_MAX 24
#define MORE_MAX 3 /* names that are no trees */
#define SIGNALS 64
#define KERNEL_SIGSET 8

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

#define BIT(n) ((uint64_t) 1 << (n))
/* What serving files needs: to give away what is made, to read what is another's, to set modes. virtiofsd makes a file as the
 * user who asked for it, passes file capabilities on, and does not start where it cannot empty its bounding set, which is the last
 * that it does with SETPCAP. */
#define CAPS_9P (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID))
#define CAPS_VIRTIOFS                                                                              \
	(CAPS_9P | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP))

static const struct role {
	uint64_t caps;
	rlim_t nofile;
	bool files;	    /* as root, with a /proc */
	const char *sysctl; /* of /proc it reads this and what is about itself, when it starts */
} roles[] = {
	[JAIL_NO_FILES] = {0, 256, false, NULL},
	[JAIL_9P] = {CAPS_9P, 4096, true, NULL},
	/* one for each file that the guest's kernel remembers */
	[JAIL_VIRTIOFS] = {CAPS_VIRTIOFS, 1u << 20, true, "proc/sys/fs/nr_open"},
};

/* A mount that is to come to a place in the jail. */
struct tree {
	const char *name; /* in the jail, without a slash */
	int fd;
	bool dir, device, execute, writable;
};

struct making {
	const struct jail *j;
	struct tree trees[TREES_MAX];
	size_t n;
	struct strs links; /* "lib64", "usr/lib64", ... */
	char *link_words[16];
	char link_text[8][64];
	int root;
	struct stage s; /* for Landlock */
	struct policy p;
	struct policy_landlock layer;
	char *lists[3][TREES_MAX + MORE_MAX];
	char path_text[TREES_MAX + MORE_MAX][64];
};

/* ---- trees ---- */

static int add_tree(struct making *m, const char *name, int fd, struct tree t, struct err *e)
{
	struct mount_attr a = {.attr_set = MOUNT_ATTR_NOSUID};
	struct stat st;
	int r;

	if (m->n == TREES_MAX || strlen(name) >= sizeof(m->path_text[0]) - 1)
		return err_set(e, -E2BIG, "the jail: %s: too many files", name);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "the jail: %s", name);
	t.name = name;
	t.fd = fd;
	t.dir = S_ISDIR(st.st_mode);
	a.attr_set |= t.writable ? 0 : MOUNT_ATTR_RDONLY;
	a.attr_set |= t.device ? 0 : MOUNT_ATTR_NODEV;
	a.attr_set |= t.execute ? 0 : MOUNT_ATTR_NOEXEC;
	r = mnt_set(fd, &a, t.dir);
	if (r < 0)
		return err_neg(e, r, "the jail: flags of %s", name);
	m->trees[m->n++] = t;
	return 0;
}

static int add_path(struct making *m, const char *name, const char *path, struct tree t,
		    struct err *e)
{
	int fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	return fd < 0 ? err_neg(e, fd, "the jail: %s", path) : add_tree(m, name, fd, t, e);
}

/* Folders of programs and libraries beside /usr: links into it as a rule, which are made again. */
static int add_system(struct making *m, struct err *e)
{
	static const char *const names[] = {"lib", "lib64", "lib32", "libx32"};
	const struct tree programs = {.execute = true};
	size_t links = 0;
	int r = add_path(m, "usr", "/usr", programs, e);

	for (size_t i = 0; i < ARRAY_LEN(names) && r == 0; i++) {
		char path[16], *to = m->link_text[links];
		struct stat st;
		ssize_t n;

		snprintf(path, sizeof(path), "/%s", names[i]);
		if (lstat(path, &st) < 0)
			continue;
		if (!S_ISLNK(st.st_mode)) {
			r = add_path(m, names[i], path, programs, e);
			continue;
		}
		n = readlink(path, to, sizeof(m->link_text[0]) - 1);
		if (n <= 0 || n == sizeof(m->link_text[0]) - 1)
			return err_set(e, -ENAMETOOLONG, "the jail: %s: where it leads to", path);
		to[n] = '\0';
		m->link_words[links * 2] = (char *) (uintptr_t) names[i];
		m->link_words[links * 2 + 1] = to;
		links++;
	}
	m->links = (struct strs){m->link_words, links * 2, true};
	if (r == 0 && access("/etc/ld.so.cache", F_OK) == 0)
		r = add_path(m, "etc/ld.so.cache", "/etc/ld.so.cache", (struct tree){0}, e);
	return r;
}

static int add_given(struct making *m, struct err *e)
{
	const struct jail *j = m->j;
	int r = 0;

	for (size_t i = 0; i < j->n_files && r == 0; i++) {
		const struct jail_file *f = &j->files[i];
		const struct tree t = {.writable = f->writable};

		if (f->name[0] == '/' || strchr(f->name, '/') || !*f->name)
			return err_set(e, -EINVAL, "the jail: \"%s\" is no name for a file",
				       f->name);
		r = f->fd >= 0 ? add_tree(m, f->name, f->fd, t, e)
			       : add_path(m, f->name, f->path, t, e);
	}
	return r;
}

static int open_trees(struct making *m, struct err *e)
{
	const struct tree device = {.device = true, .writable = true};
	int r = add_system(m, e);

	if (r == 0)
		r = add_path(m, "dev/null", "/dev/null", device, e);
	if (r == 0)
		r = add_path(m, "dev/urandom", "/dev/urandom", device, e);
	return r < 0 ? r : add_given(m, e);
}

/* ---- namespaces and root ---- */

static int own_namespaces(struct err *e)
{
	static const char name[] = "vm";

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return err_sys(e, "the jail: namespaces of its own");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "the jail: taking its mounts apart from ours");
	/* a UTS namespace begins as a copy */
	if (sethostname(name, strlen(name)) < 0 || setdomainname("", 0) < 0)
		return err_sys(e, "the jail: its host name");
	return 0;
}

static int make_tmpfs(struct making *m, struct err *e)
{
	static const char *const opts[] = {"size=1m", "nr_inodes=64", "mode=0755"};
	const struct mnt_fs fs = {
		.type = "tmpfs",
		.source = "jail",
		/* a node for /dev/sev is made in it */
		.attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC |
			(m->j->sev_dev ? 0 : MOUNT_ATTR_NODEV),
		.opt = opts,
		.opt_n = ARRAY_LEN(opts),
	};
	fd_auto int here = -EBADF;
	int r;

	m->root = mnt_new_fs(&fs, e);
	if (m->root < 0)
		return err_context(e, "the jail");
	here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here < 0)
		return err_sys(e, "the jail: opening /");
	r = mnt_attach(m->root, here);
	return r < 0 ? err_neg(e, r, "the jail: its root") : 0;
}

/* The folder that a name is in: "dev" of "dev/null". */
static int make_place(struct making *m, const struct tree *t, struct err *e)
{
	const char *slash = strchr(t->name, '/');
	char dir[16];
	int fd;

	if (slash) {
		snprintf(dir, sizeof(dir), "%.*s", (int) (slash - t->name), t->name);
		if (mkdirat(m->root, dir, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "the jail: /%s", dir);
	}
	if (t->dir) {
		if (mkdirat(m->root, t->name, 0755) < 0)
			return err_sys(e, "the jail: /%s", t->name);
	} else {
		fd = openat(m->root, t->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
		if (fd < 0)
			return err_sys(e, "the jail: /%s", t->name);
		close(fd);
	}
	return 0;
}

static int fill_root(struct making *m, struct err *e)
{
	for (size_t i = 0; i + 1 < m->links.n; i += 2)
		if (symlinkat(m->links.v[i + 1], m->root, m->links.v[i]) < 0)
			return err_sys(e, "the jail: /%s", m->links.v[i]);
	for (size_t i = 0; i < m->n; i++) {
		struct tree *t = &m->trees[i];
		fd_auto int place = -EBADF;
		int r = make_place(m, t, e);

		if (r < 0)
			return r;
		place = openat(m->root, t->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (place < 0)
			return err_sys(e, "the jail: /%s", t->name);
		r = mnt_attach(t->fd, place);
		if (r < 0)
			return err_neg(e, r, "the jail: mounting /%s", t->name);
	}
	return 0;
}

/* The node is QEMU's own: the host's belongs to root, as a rule, and its user cannot open it. */
static int make_sev_node(struct making *m, struct err *e)
{
	if (!m->j->sev_dev)
		return 0;
	if (mknodat(m->root, "dev/sev", S_IFCHR | 0600, (dev_t) m->j->sev_dev) < 0 ||
	    fchownat(m->root, "dev/sev", m->j->uid, m->j->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "the jail: making /dev/sev");
	return 0;
}

/* Servers of files change modes and attributes by way of /proc/self/fd. Landlock keeps them from opening anything else there. */
static int make_proc(struct making *m, struct err *e)
{
	static const char *const opts[] = {"hidepid=invisible", "subset=pid"};
	const struct role *role = &roles[m->j->role];
	const struct mnt_fs fs = {
		.type = "proc",
		.source = "proc",
		.attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		.opt = opts,
		.opt_n = role->sysctl ? 1 : 2,
	};
	fd_auto int proc = -EBADF, place = -EBADF;
	int r;

	if (!role->files)
		return 0;
	proc = mnt_new_fs(&fs, e);
	if (proc < 0)
		return err_context(e, "the jail");
	if (mkdirat(m->root, "proc", 0555) < 0)
		return err_sys(e, "the jail: /proc");
	place = openat(m->root, "proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place < 0)
		return err_sys(e, "the jail: /proc");
	r = mnt_attach(proc, place);
	return r < 0 ? err_neg(e, r, "the jail: mounting /proc") : 0;
}

static int enter_root(struct making *m, struct err *e)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	int r;

	if (fchdir(m->root) < 0)
		return err_sys(e, "the jail: going to its root");
	/* the old root comes to lie upon the new one, and is taken off */
	r = sys_pivot_root(".", ".");
	if (r < 0)
		return err_neg(e, r, "the jail: changing the root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, "the jail: leaving the host's root");
	r = mnt_set(m->root, &ro, false);
	return r < 0 ? err_neg(e, r, "the jail: making its root read-only") : 0;
}

static int root(struct making *m, struct err *e)
{
	int r = make_tmpfs(m, e);

	if (r == 0)
		r = fill_root(m, e);
	if (r == 0)
		r = make_sev_node(m, e);
	if (r == 0)
		r = make_proc(m, e);
	return r < 0 ? r : enter_root(m, e);
}

/* ---- descriptors ---- */

/* All to numbers that are nobody's first, so that none is overwritten before its turn. */
static int descriptors(const struct jail *j, struct err *e)
{
	fd_auto int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int away[64], log = null;

	if (null < 0)
		return err_sys(e, "the jail: /dev/null");
	if (j->n_fds > ARRAY_LEN(away))
		return err_set(e, -E2BIG, "the jail: too many descriptors");
	for (size_t i = 0; i < j->n_fds; i++) {
		if (j->fds[i].as < 3 || j->fds[i].as >= FD_AWAY)
			return err_set(e, -EINVAL, "the jail: descriptor %d", j->fds[i].as);
		away[i] = fcntl(j->fds[i].fd, F_DUPFD_CLOEXEC, FD_AWAY);
		if (away[i] < 0)
			return err_sys(e, "the jail: descriptor %d", j->fds[i].as);
	}
	if (j->log_fd >= 0)
		log = fcntl(j->log_fd, F_DUPFD_CLOEXEC, FD_AWAY);
	if (log < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		return err_sys(e, "the jail: standard input and output");
	for (size_t i = 0; i < j->n_fds; i++)
		if (dup2(away[i], j->fds[i].as) < 0)
			return err_sys(e, "the jail: descriptor %d", j->fds[i].as);
	return 0;
}

/* What the program does not get is closed by execve: until then the pipe that tells of errors is open. */
static int close_others(const struct jail *j, struct err *e)
{
	int r = sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);

	if (r < 0)
		return err_neg(e, r, "the jail: descriptors");
	for (size_t i = 0; i < j->n_fds; i++)
		if (fd_cloexec(j->fds[i].as, 0) < 0)
			return err_sys(e, "the jail: descriptor %d", j->fds[i].as);
	return 0;
}

/* ---- Landlock ---- */

static void allow(struct strs *l, struct making *m, size_t *used, const char *name)
{
	char *text = m->path_text[*used];

	snprintf(text, sizeof(m->path_text[0]), "/%s", name);
	l->v[l->n++] = text;
	++*used;
}

static int landlock(struct making *m, struct err *e)
{
	static const struct stage_boot none = {.mode = STAGE_CREATE};
	/* LANDLOCK_CREATE_RULESET_VERSION */
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	const char *sysctl = roles[m->j->role].sysctl;
	struct policy_landlock *l = &m->layer;
	char self[32];
	size_t used = 0;

	/* A kernel without it, or that has it switched off: the mount namespace is the wall then; `kavach check` says so. */
	if (abi < 1)
		return 0;
	l->required_abi = (uint32_t) abi;
	l->paths_limited = l->bind_limited = l->connect_limited = true;
	l->scopes = abi >= 6 ? POL_SCOPE_ABSTRACT_UNIX | POL_SCOPE_SIGNAL : 0;
	l->read_only.v = m->lists[0];
	l->read_write.v = m->lists[1];
	l->execute.v = m->lists[2];
	for (size_t i = 0; i < m->n; i++)
		allow(m->trees[i].writable  ? &l->read_write
		      : m->trees[i].execute ? &l->execute
					    : &l->read_only,
		      m, &used, m->trees[i].name);
	if (m->j->sev_dev)
		allow(&l->read_write, m, &used, "dev/sev");
	if (sysctl) {
		snprintf(self, sizeof(self), "proc/%d", getpid());
		allow(&l->read_only, m, &used, self);
		allow(&l->read_only, m, &used, sysctl);
	}
	m->p.landlock.v = l;
	m->p.landlock.n = 1;
	m->s = (struct stage){.boot = &none, .p = &m->p, .root_fd = m->root};
	return landlock_prepare(&m->s, e);
}

/* ---- the process ---- */

static int limit(int resource, rlim_t n, struct err *e)
{
	struct rlimit l;

	if (getrlimit(resource, &l) < 0)
		return err_sys(e, "the jail: limits");
	if (l.rlim_max == RLIM_INFINITY || l.rlim_max > n)
		l.rlim_max = n;
	l.rlim_cur = l.rlim_max;
	return setrlimit(resource, &l) < 0 ? err_sys(e, "the jail: limits") : 0;
}

/* What is pinned counts against it, for QEMU has no CAP_IPC_LOCK. Where it cannot be raised so far, the most that there is: KVM
 * will say what it thinks of that, where `create` did not (hw_memlock()). */
static int raise_memlock(uint64_t n, struct err *e)
{
	const struct rlimit l = {n, n};

	if (setrlimit(RLIMIT_MEMLOCK, &l) == 0 || errno == EPERM)
		return 0;
	return err_sys(e, "the jail: RLIMIT_MEMLOCK");
}

static int limits(const struct jail *j, struct err *e)
{
	/* 1 is the one value that also keeps a core_pattern with a program from getting the guest's memory. */
	int r = limit(RLIMIT_CORE, 1, e);

	if (r == 0)
		r = limit(RLIMIT_NOFILE, roles[j->role].nofile, e);
	if (r == 0)
		r = limit(RLIMIT_NPROC, NPROC, e);
	if (r == 0)
		r = j->memlock ? raise_memlock(j->memlock, e)
			       : limit(RLIMIT_MEMLOCK, MEMLOCK_LEAST, e);
	if (r == 0)
		r = limit(RLIMIT_MSGQUEUE, 0, e);
	return r;
}

static int privileges(const struct jail *j, struct err *e)
{
	const struct role *role = &roles[j->role];
	const struct pol_caps caps = {.set = true, .bounding = role->caps};
	uid_t uid = role->files ? 0 : j->uid;
	int r = caps_drop_bounding(&caps, e);

	if (r < 0)
		return err_context(e, "the jail");
	if (!role->files && (!j->uid || !j->gid))
		return err_set(e, -EINVAL, "the jail: uid %u, gid %u", j->uid, j->gid);
	if (setgroups(0, NULL) < 0 || setresgid(j->gid, j->gid, j->gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return err_sys(e, "the jail: becoming user %u, group %u", uid, j->gid);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "the jail: ambient capabilities");
	r = sys_capset(role->caps, role->caps, 0);
	if (r < 0)
		return err_neg(e, r, "the jail: capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "the jail: no_new_privs");
	return 0;
}

static int ends_with(pid_t parent, struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "the jail: ending with the monitor");
	if (getppid() != parent) /* it died before that */
		return err_set(e, -ECHILD, "the jail: the monitor is gone");
	return 0;
}

static int fresh_process(struct err *e)
{
	/* The kernel's structures, of which SIG_DFL and an empty set are zeros: the C library keeps some signals to itself,
	 * and glibc's posix_spawn(3) has them ignored. */
	static const unsigned long zeros[8];

	/* what the monitor ignores or blocks, and the terminal that it may be on, are not the program's */
	for (int sig = 1; sig <= SIGNALS; sig++)
		(void) syscall(SYS_rt_sigaction, sig, zeros, NULL, KERNEL_SIGSET);
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeros, NULL, KERNEL_SIGSET) < 0)
		return err_sys(e, "the jail: signals");
	if (setsid() < 0 && errno != EPERM)
		return err_sys(e, "the jail: a session of its own");
	umask(0);
	return 0;
}

static int jail_exec_under(const struct jail *j, pid_t parent, struct err *e)
{
	char locale[] = "LC_ALL=C", *const env[] = {locale, NULL};
	struct making m = {.j = j, .root = -EBADF};
	int r = fresh_process(e);

	if (r == 0)
		r = open_trees(&m, e);
	if (r == 0)
		r = own_namespaces(e);
	if (r == 0)
		r = root(&m, e);
	if (r == 0)
		r = descriptors(j, e);
	if (r == 0)
		r = landlock(&m, e);
	if (r == 0)
		r = close_others(j, e);
	if (r == 0)
		r = limits(j, e);
	if (r == 0)
		r = privileges(j, e);
	if (r == 0)
		r = ends_with(parent, e);
	if (r == 0)
		r = landlock_restrict(&m.s, e);
	if (r < 0)
		return r;
	execve(j->program, j->argv, env);
	return err_sys(e, "executing %s in its jail", j->program);
}

int jail_exec(const struct jail *j, struct err *e)
{
	return jail_exec_under(j, getppid(), e);
}

/* ---- as a child ---- */

/* The child says what went wrong; nothing said is that it was executed, which closed the pipe. */
static void tell(int fd, const struct err *e)
{
	if (io_write_all(fd, e, sizeof(*e)) < 0)
		_exit(127);
}

int jail_spawn(const struct jail *j, pid_t *ret_pid, int *ret_pidfd, struct err *e)
{
	fd_auto int pidfd = -EBADF, in = -EBADF, out = -EBADF;
	struct err said = ERR_INIT;
	pid_t parent = getpid(), pid;
	int p[2];
	ssize_t n;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, "a pipe");
	in = p[0];
	out = fcntl(p[1], F_DUPFD_CLOEXEC, FD_AWAY);
	close(p[1]);
	if (out < 0)
		return err_sys(e, "a pipe");
	pid = sys_clone3(0, -1, &pidfd);
	if (pid < 0)
		return err_neg(e, pid, "starting %s", j->program);
	if (pid == 0) {
		(void) jail_exec_under(j, parent, &said);
		tell(out, &said);
		_exit(127);
	}
	out = fd_close(out);
	n = io_read_full(in, &said, sizeof(said));
	if (n == 0) {
		*ret_pid = pid;
		*ret_pidfd = fd_take(&pidfd);
		return 0;
	}
	(void) sys_pidfd_send_signal(pidfd, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(said) || said.code >= 0)
		return err_set(e, -EPROTO, "starting %s: the child said nothing of use",
			       j->program);
	said.msg[sizeof(said.msg) - 1] = '\0';
	return err_set(e, said.code, "%s", said.msg);
}

uint32_t jail_uid(uint32_t first, uint32_t count, const char *state_dir, const char *id)
{
	struct sha256 h;
	uint8_t digest[SHA256_LEN];
	uint64_t v = 0;

	sha256_init(&h);
	sha256_add(&h, state_dir, strlen(state_dir) + 1);
	sha256_add(&h, id, strlen(id) + 1);
	sha256_end(&h, digest);
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | digest[i];
	return first + (uint32_t) (v % (count ? count : 1));
}

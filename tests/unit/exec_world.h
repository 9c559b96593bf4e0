/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host and a container for tests of the stage's file system steps. world_init() gives the test
 * program a mount namespace of its own in which everything is shared, like on a systemd machine,
 * and a tmpfs for roots; world_run() performs a policy in a child with further namespaces,
 * optionally behind a filter that hides the newer system calls, and then runs the test's checks
 * inside the container. What they find comes back through shared memory.
 */
#ifndef KAVACH_TESTS_EXEC_WORLD_H
#define KAVACH_TESTS_EXEC_WORLD_H

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "exec/ctx.h"
#include "tests/unit/tap.h"

#include <sys/mount.h>

#define NOTES_MAX 4096

struct world;
typedef void (*world_fn)(struct world *w);

struct result {
	struct err err; /* of the step that failed */
	int failed;	/* checks that failed */
	int ended;	/* the child came to its end */
	char notes[NOTES_MAX];
};

struct world {
	char base[64], root[80], out[80]; /* out: a directory of the host beside the root */
	struct arena a;
	struct policy p;
	struct stage_boot boot;
	struct stage s;
	struct pol_process proc;
	struct pol_mount mounts[24];
	struct pol_device devices[16];
	char *masked[16], *readonly[16];
	struct pol_ns ns[8];
	unsigned clone;	 /* CLONE_NEW* of the container beside the mount namespace */
	int hide_errno;	 /* what hidden calls give; 0: ENOSYS */
	bool legacy;	 /* hide openat2 and the mount calls */
	bool dev_by_us;	 /* call devices_apply() */
	world_fn before; /* in the child, still on the host, before the first step */
	world_fn hooks;	 /* before the pivot */
	world_fn check;	 /* inside, after the last step */
	struct result *res;
	int host_proc; /* the host's /proc, for looking at the mount table from inside */
	void *data;
};

#define expect(w, cond) check_at(w, cond, #cond, __LINE__)

static inline void check_at(struct world *w, bool good, const char *what, int line)
{
	size_t n = strlen(w->res->notes);

	if (good)
		return;
	w->res->failed++;
	snprintf(w->res->notes + n, NOTES_MAX - n, "line %d: %s (errno %d)\n", line, what, errno);
}

static inline void world_die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static char world_top[32];
static struct arena world_arena; /* what lives as long as the test program */

static void world_clean(void)
{
	umount2(world_top, MNT_DETACH);
	rmdir(world_top);
}

/* world_init: false: the tests need root (and a kernel with the mount calls); everything was
 * skipped. */
static inline bool world_init(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0) {
		skip("requires root", "needs root: nothing of this file was tested");
		return false;
	}
	strcpy(world_top, "/tmp/kvfs.XXXXXX");
	if (!mkdtemp(world_top) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", world_top, "tmpfs", 0, "mode=755") < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		world_die("a mount namespace for the tests");
	atexit(world_clean);
	umask(0);
	return true;
}

static inline void world_mkdir(const char *fmt, const char *dir)
{
	char path[400];

	snprintf(path, sizeof(path), "%s%s", dir, fmt);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		world_die(path);
}

static inline void world_write(const char *dir, const char *name, const char *text)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t) strlen(text))
		world_die(path);
	close(fd);
}

static inline bool world_reads(const char *path, const char *want)
{
	char buf[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	return strcmp(buf, want) == 0;
}

/* world_new: an empty policy, a root with empty /dev, /proc, /sys, /tmp, and a directory of the
 * host. */
static inline struct world *world_new(void)
{
	static int n;
	struct world *w = arena_new(&world_arena, struct world);

	snprintf(w->base, sizeof(w->base), "%s/%d", world_top, n++);
	snprintf(w->root, sizeof(w->root), "%s/rootfs", w->base);
	snprintf(w->out, sizeof(w->out), "%s/out", w->base);
	world_mkdir("", w->base);
	world_mkdir("", w->root);
	world_mkdir("", w->out);
	for (const char *const *d = (const char *const[]){"/dev", "/proc", "/sys", "/tmp", NULL};
	     *d; d++)
		world_mkdir(*d, w->root);
	world_write(w->out, "canary", "untouched");
	w->p.rootfs = w->root;
	w->p.mounts.v = w->mounts;
	w->p.devices.v = w->devices;
	w->p.masked.v = w->masked;
	w->p.readonly.v = w->readonly;
	w->p.ns.v = w->ns;
	w->boot.mode = STAGE_CREATE;
	w->boot.proc_fd = w->boot.secrets_fd = w->boot.rootfs_fd = w->boot.console_fd =
		w->boot.sync_fd = w->boot.start_fd = -1;
	w->s = (struct stage){.boot = &w->boot,
			      .p = &w->p,
			      .proc = &w->proc,
			      .a = &w->a,
			      .sync = -EBADF,
			      .proc_fd = -EBADF,
			      .root_fd = -EBADF,
			      .old_root = -EBADF,
			      .pty_master = -EBADF,
			      .pty_slave = -EBADF};
	w->res = mmap(NULL, sizeof(*w->res), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (w->res == MAP_FAILED)
		world_die("memory");
	return w;
}

static inline struct pol_mount *world_mount(struct world *w, struct pol_mount m)
{
	m.config_index = (uint32_t) w->p.mounts.n;
	w->mounts[w->p.mounts.n] = m;
	return &w->mounts[w->p.mounts.n++];
}

static inline struct pol_mount *world_fs(struct world *w, const char *type, const char *dest,
					 uint64_t attr)
{
	return world_mount(w, (struct pol_mount){.kind = POL_MOUNT_FS,
						 .type = (char *) (uintptr_t) type,
						 .destination = (char *) (uintptr_t) dest,
						 .attr_set = attr});
}

static inline struct pol_mount *world_bind(struct world *w, const char *src, const char *dest,
					   uint64_t attr)
{
	return world_mount(w, (struct pol_mount){.kind = POL_MOUNT_BIND,
						 .source = (char *) (uintptr_t) src,
						 .destination = (char *) (uintptr_t) dest,
						 .attr_set = attr});
}

/* options of a mount: a NULL-terminated list */
static inline void world_data(struct pol_mount *m, char **list)
{
	for (m->data.n = 0; list[m->data.n];)
		m->data.n++;
	m->data.v = arena_memdup(&world_arena, list, m->data.n * sizeof(*list));
}

static inline void world_device(struct world *w, const char *path, uint32_t type, unsigned ma,
				unsigned mi, uint32_t mode)
{
	w->devices[w->p.devices.n++] = (struct pol_device){.path = (char *) (uintptr_t) path,
							   .type = type,
							   .major = ma,
							   .minor = mi,
							   .mode = mode};
}

/* The new calls give ENOSYS, as on a kernel before 5.2 or in an outer container with an old
 * profile. */
static inline void world_hide_calls(int err)
{
	static const unsigned hidden[] = {SYS_openat2,
					  428 /* open_tree */,
					  429 /* move_mount */,
					  430 /* fsopen */,
					  431 /* fsconfig */,
					  432 /* fsmount */,
					  442 /* mount_setattr */};
	struct sock_filter f[3 + ARRAY_LEN(hidden)];
	struct sock_fprog prog = {.filter = f};
	unsigned n = 0;

	f[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < ARRAY_LEN(hidden); i++)
		f[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, hidden[i],
						       (uint8_t) (ARRAY_LEN(hidden) - i), 0);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) err);
	prog.len = (unsigned short) n;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		_exit(97);
}

static inline int world_steps(struct world *w, struct err *e)
{
	struct stage *s = &w->s;
	int r = proc_open_private(s, e);

	if (r == 0)
		r = rootfs_prepare(s, e);
	if (r == 0)
		r = mounts_apply(s, e);
	if (r == 0 && w->dev_by_us)
		r = devices_apply(s, e);
	if (r == 0 && w->proc.terminal)
		r = tty_setup(s, e);
	if (r == 0 && w->hooks)
		w->hooks(w);
	if (r == 0)
		r = rootfs_enter(s, e);
	if (r == 0)
		r = masks_apply(s, e);
	if (r == 0)
		r = mounts_late(s, e);
	if (r == 0)
		r = rootfs_seal(s, e);
	return r;
}

static inline void world_child(struct world *w)
{
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(20); /* a test that hangs is a failed test */
	if (w->before)
		w->before(w);
	if (w->legacy)
		world_hide_calls(w->hide_errno ? w->hide_errno : ENOSYS);
	r = world_steps(w, &w->res->err);
	if ((r < 0) != (w->res->err.code < 0))
		check_at(w, false, "an error that is returned is also set", __LINE__);
	if (r == 0 && w->check)
		w->check(w);
	w->res->ended = 1;
	_exit(0);
}

static inline void world_write_map(pid_t pid, const char *file, const char *map)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, strlen(map)) < 0)
		world_die(path);
	close(fd);
}

static inline void world_enter_userns(int ask, int answer)
{
	char c = 0;

	if (unshare(CLONE_NEWUSER) < 0 || write(ask, &c, 1) != 1 || read(answer, &c, 1) != 1)
		_exit(96);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		_exit(95);
}

/* world_perform: performs the policy in a child; what came of it is in w->res. Returns its exit
 * status. */
static inline int world_perform(struct world *w)
{
	int up[2], down[2], status = 0;
	pid_t pid;

	fflush(stdout);
	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0)
		world_die("pipe");
	w->boot.new_userns = w->clone & CLONE_NEWUSER;
	pid = fork();
	if (pid < 0)
		world_die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		w->host_proc = open("/proc", O_PATH | O_CLOEXEC);
		if (w->clone & CLONE_NEWUSER)
			world_enter_userns(up[1], down[0]);
		if (unshare(CLONE_NEWNS | (w->clone & ~(unsigned) CLONE_NEWUSER)) < 0)
			_exit(98);
		pid = w->clone & CLONE_NEWPID ? fork() : 0;
		if (pid == 0)
			world_child(w);
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	if (w->clone & CLONE_NEWUSER) {
		char c;

		if (read(up[0], &c, 1) != 1)
			world_die("user namespace");
		world_write_map(pid, "uid_map", "0 100000 65536");
		world_write_map(pid, "gid_map", "0 100000 65536");
		if (write(down[1], &c, 1) != 1)
			world_die("user namespace");
	}
	waitpid(pid, &status, 0);
	for (int i = 0; i < 2; i++) {
		close(up[i]);
		close(down[i]);
	}
	return status;
}

/* world_run: the same. True if the steps ended as `want` (0 or -errno) and all checks held. */
static inline bool world_run(struct world *w, int want)
{
	int status = world_perform(w);

	if (w->res->ended && w->res->err.code == want && w->res->failed == 0)
		return true;
	printf("# ended %d (status 0x%x), error %d, want %d: %s\n# %s\n", w->res->ended,
	       (unsigned) status, w->res->err.code, want, w->res->err.msg, w->res->notes);
	return false;
}

/* world_info: a line about the topmost mount at path: "root options optional-fields - type source
 * super-options", or NULL. From the mount table of the caller, read through a /proc that it cannot
 * have lost. */
static inline char *world_info(struct world *w, const char *path)
{
	static char text[65536], found[1024];
	int fd = openat(w->host_proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	char *line, *next, root[512], point[512];
	ssize_t n = 0, k;
	bool any = false;
	int at;

	while (fd >= 0 && n < (ssize_t) sizeof(text) - 1 &&
	       (k = read(fd, text + n, sizeof(text) - 1 - (size_t) n)) > 0)
		n += k;
	if (fd >= 0)
		close(fd);
	text[n] = '\0';
	for (line = text; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (sscanf(line, "%*s %*s %*s %511s %511s %n", root, point, &at) == 2 &&
		    !strcmp(point, path)) {
			snprintf(found, sizeof(found), "%s %s", root, line + at);
			any = true;
		}
	}
	return any ? found : NULL;
}

static inline bool world_info_has(struct world *w, const char *path, const char *what)
{
	const char *i = world_info(w, path);
	bool has = i && strstr(i, what);

	if (!has)
		fprintf(stderr, "# %s: %s, looking for \"%s\"\n", path, i ? i : "(no mount)", what);
	return has;
}

/* the whole mount table of the test program, to see that nothing reached the "host" */
static inline char *world_table(void)
{
	char *text = arena_alloc(&world_arena, 65536);
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, r;

	while (fd >= 0 && (r = read(fd, text + n, 65535 - (size_t) n)) > 0)
		n += r;
	close(fd);
	return text;
}

static inline bool world_has_line(const char *table, const char *line)
{
	size_t n = strcspn(line, "\n");

	for (const char *at = table; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, line, n) == 0 && (at[n] == '\n' || !at[n]))
			return true;
	return false;
}

/* world_same: nothing was mounted or unmounted since `before`. The machine may be used by others: a
 * mount goes away in all namespaces when the directory that it is on is removed. */
static inline bool world_same(const char *before)
{
	const char *now = world_table(), *at;
	bool same = true;
	char point[512];

	for (at = now; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (!world_has_line(before, at)) {
			printf("# new mount: %.*s\n", (int) strcspn(at, "\n"), at);
			same = false;
		}
	for (at = before; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (!world_has_line(now, at) &&
		    (sscanf(at, "%*s %*s %*s %*s %511s", point) != 1 || access(point, F_OK) == 0)) {
			printf("# lost mount: %.*s\n", (int) strcspn(at, "\n"), at);
			same = false;
		}
	return same;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the steps of the stage share. Each step is one function that takes this context; stage.c calls them in
 * the fixed order. Private to exec/.
 */
#ifndef KAVACH_EXEC_CTX_H
#define KAVACH_EXEC_CTX_H

#include "base/fd.h"
#include "exec/secret_block.h"
#include "exec/stage.h"
#include "policy/landlock.h"

/*
 * A descriptor of the stage that nobody waits for: closing each would be a tenth of all system calls of a start, and
 * close_the_rest() takes all of them with one. Only when a container has so many mounts that the table of open files
 * would have to grow is it closed at once. Not for what ends with its closing: sockets, pipes.
 */
#define FD_LATE_MAX 128
static inline void fd_late_closep(int *fd)
{
	if (*fd >= FD_LATE_MAX)
		fd_closep(fd);
}
#define fd_late __attribute__((cleanup(fd_late_closep)))

#define STAGE_HELD_MAX 32

struct stage {
	const struct stage_boot *boot;
	const struct policy *p; /* NULL in EXEC mode */
	const struct pol_process
		*proc; /* the process to run; NULL when a created container has none */
	struct arena *a;
	int sync;    /* to the parent, -EBADF when gone */
	int proc_fd; /* private procfs (proc.c): every /proc access goes through it; -EBADF before */
	int root_fd;  /* O_PATH of the assembled root; after the pivot (and in EXEC mode), of / */
	int old_root; /* see rootfs.c */
	struct stage_fs *
		fs; /* mount.h: state of the file system steps; NULL before rootfs_prepare(), and where a root is joined */
	int pty_master; /* until it is sent */
	int pty_slave;
	int rulesets[LANDLOCK_LAYERS_MAX]; /* layers of Landlock that wait to be put in force */
	size_t n_rulesets;
	struct stage_held {
		const char *path; /* NULL: the file that the path before it leads to */
		int fd;
	} held[STAGE_HELD_MAX];
	size_t n_held;
	struct secret_block secrets; /* secrets.c; the items point into it */
	struct secret_item *secret;
	size_t n_secrets;
	mode_t umask;	 /* as inherited; the stage itself works with 0 */
	char **hook_env; /* environ of createContainer hooks without their own */
};

/* stage.c: performs everything; comes back only when it failed. s->sync is then the socket on which the error is awaited.
 * main.c is its only caller. */
int stage_run(struct stage *s, struct err *e);
/* stage_arrive: joins what is to be joined, opens the private procfs, begins a session. stage_name_host: names of the policy,
 * in the UTS namespace that we are in. stage_mount_hooks: where the root is assembled: kavach's turn, then the hooks that
 * run here. */
int stage_arrive(struct stage *s, struct err *e);
int stage_name_host(const struct stage *s, struct err *e);
int stage_mount_hooks(struct stage *s, struct err *e);
/* live.c: mode MOUNTS: adds mounts to a container that lives, or takes them from it. 0: kavach has put it on record;
 * else all that was added is undone, and what was taken away before the error has been told. */
int live_run(struct stage *s, struct err *e);
/* join.c: joins and creates the namespaces that kavach left to us (boot->join_here). Comes back in the process that will be
 * the workload; the one that called it has told kavach (by boot->pid_fd) that one's pid and ended. */
int stage_join(struct stage *s, struct err *e);
/* wait.c: parks a created container until `start`: accepts on boot->start_fd until a peer that may start it says MSG_GO;
 * *ret_conn is the connection. owner: who that is, see there. */
/* stage_may_start: whether the peer of a connection is that somebody. */
bool stage_may_start(int conn, uid_t owner, bool userns);
int stage_wait_start(int start_fd, uid_t owner, bool userns, int *ret_conn, struct err *e);
/* fds.c: closes every fd >= 3 but those in keep. */
int fds_close_except(const int *keep, size_t n, struct err *e);
/* fds.c: 3..3+n-1 are open and survive the exec. */
int fds_preserve(unsigned n, struct err *e);
/* cwd.c: makes the working directory (create only), goes there, and proves that it is inside the root. */
int cwd_make(struct stage *s, struct err *e);
int cwd_enter(struct stage *s,
	      struct err *e); /* before the ids change; may be refused, then again after */
int cwd_verify(struct stage *s, struct err *e); /* after both */
/* rlimit.c: hard limits that are to rise do so while we have the privilege; the rest right before the exec. */
int rlimits_raise(struct stage *s, struct err *e);
int rlimits_apply(struct stage *s, struct err *e);
/* state.c: the OCI state document for hooks that the stage runs. */
int stage_run_hooks(struct stage *s, enum hook_phase phase, char *const env[], struct err *e);

/* proc.c: gets a procfs that nothing in the container can put something over: fsopen("proc") of our own
 * pid namespace, detached; else a detached open_tree clone of the present /proc; else /proc itself if it really is procfs
 * (fstatfs magic + root inode 1). Called before anything of the container is mounted. */
int proc_open_private(struct stage *s, struct err *e);
/* proc_use_given: the one that kavach handed over, and no other. */
int proc_use_given(struct stage *s, struct err *e);
/* proc_write / proc_read / proc_open: a file below the private procfs, "self/attr/exec": openat2 with RESOLVE_NO_XDEV,
 * NO_MAGICLINKS, BENEATH where possible; result verified to be on procfs. */
int proc_open(struct stage *s, const char *path, int oflags, struct err *e);
int proc_write(struct stage *s, const char *path, const char *data, struct err *e);

/* rootfs.c */
int rootfs_prepare(struct stage *s,
		   struct err *e); /* propagation of /, the root as a mount, root_fd */
/* rootfs_use: the root of the container that we have joined; an error where mounts cannot be made by fd. */
int rootfs_use(struct stage *s, struct err *e);
int rootfs_enter(
	struct stage *s,
	struct err *e); /* pivot_root by fd, or move + chroot with no_pivot; / is the root */
int rootfs_seal(struct stage *s, struct err *e); /* rootfs propagation as asked, read-only root */
/* mount.c: all policy mounts in order, before the pivot, by fd */
int mounts_apply(struct stage *s, struct err *e);
/* mounts_apply_range: the mounts from number `from` up to but not including `to` */
int mounts_apply_range(struct stage *s, size_t from, size_t to, struct err *e);
/* mounts_late: what must be last: remounting to read-only after tmpcopyup or hooks, etc. */
int mounts_late(struct stage *s, struct err *e);
/* dev.c: device nodes (mknod or bind), /dev/fd.. links, ptmx */
int devices_apply(struct stage *s, struct err *e);
/* tty.c: pty pair in the container's devpts, /dev/console, master to boot->console_fd, slave becomes stdio */
int tty_setup(struct stage *s, struct err *e);	    /* before the pivot: needs root_fd */
int tty_make_stdio(struct stage *s, struct err *e); /* setsid, controlling terminal, 0/1/2, size */
/* mask.c: after the pivot */
int masks_apply(struct stage *s, struct err *e);

/* secrets.c: takes the secrets over from kavach, and the one that is the standard input becomes that; puts the files in their
 * places, in the root; the environment of the program: env, which is that of its hooks, and the variables that are secret.
 * secrets_forget: overwrites all of them. secrets_make_place: the directory of a secret file, as secrets_place() would make it. */
int secrets_make_place(struct stage *s, const char *dir, struct err *e);
int secrets_take(struct stage *s, struct err *e);
int secrets_place(struct stage *s, struct err *e);
char **secrets_env(struct stage *s, char **env);
void secrets_forget(struct stage *s);

/* sysctl.c: after the pivot, through the private procfs */
int sysctl_apply(struct stage *s, struct err *e);
/* caps.c: R-08, in parts because ids stand between them */
int caps_drop_bounding(const struct pol_caps *c, struct err *e);
int ids_become_root(struct err *e);	       /* 0:0 of a user namespace, where that is mapped */
int ids_apply(struct stage *s, struct err *e); /* groups, gid, uid with KEEPCAPS, umask */
int caps_apply(const struct pol_caps *c, bool keep_sys_admin, struct err *e);
/* lsm.c */
int lsm_apply(struct stage *s, struct err *e); /* apparmor, selinux: exec labels; key labels */
/* keyring.c */
int keyring_join(struct stage *s, struct err *e);
/* attr.c: personality, memory policy, no_new_privs is stage.c's */
int attr_apply(struct stage *s, struct err *e);
/* find.c: executable look-up with the container's PATH and root (R: 126/127). ret_path in the arena. */
int find_executable(struct stage *s, char **ret_path, struct err *e);

/* ---- hold.c ---- */
/* hold_path: opens every name on the way to a file, and keeps them. The file's fd (O_PATH), which is the stage's, or -errno: that
 * of open(2), -EMFILE when no more can be kept. */
int hold_path(struct stage *s, const char *path);
/* env.c: final environment: HOME from the container's passwd when missing, LISTEN_*; NULL-terminated */
char **env_build(struct stage *s);
/* env_find_home: home directory of a uid in a passwd file (fd may be negative), in the arena, or NULL. */
char *env_find_home(int passwd_fd, uint32_t uid, struct arena *a);
/* landlock.c: makes the layers as long as we are root in the container; puts them in force, when no_new_privs is set. */
int landlock_prepare(struct stage *s, struct err *e);
int landlock_restrict(struct stage *s, struct err *e);
/* seccomp_load.c: installs boot->filters; ret_listener gets the notify fd or -EBADF. Last step before exec. */
int filters_load(struct stage *s, int *ret_listener, struct err *e);
/* stdio.c: B-14 */
int stdio_adopt(struct stage *s,
		struct err *e); /* in the root: its null device for the host's, and the owner */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the backend "process": how a stage is spawned and talked to. Private to process/. */
#ifndef KAVACH_PROCESS_PROCESS_H
#define KAVACH_PROCESS_PROCESS_H

#include "backend.h"
#include "exec/stage.h"
#include "secrets/secrets.h"

#define NS_JOINS_MAX POL_NS_MAX

struct ns_join {
	int fd;
	uint64_t flag; /* CLONE_NEW* */
};

/*
 * How the stage's process comes into being.
 *
 * Everything is close-on-exec from birth, with one exception: what is opened for the stage and nobody else in numbers
 * (the sync socket, mount sources, v1 tasks files). Clearing the flag again would be a system call for each. From their opening to the
 * clone, after which they are closed, nothing is executed but what closes all descriptors itself.
 */
struct spawn {
	uint64_t create; /* CLONE_NEW* for clone3 (never NEWCGROUP: see spawn.c) */
	struct ns_join join[NS_JOINS_MAX];
	size_t n_joins;
	int target_pidfd; /* exec: join `target_ns` of this process in one setns; -EBADF */
	uint64_t target_ns;
	const struct policy
		*time_offsets;	/* policy whose offsets the new time namespace gets; NULL = none */
	int cgroup_fd;		/* clone into it; -EBADF */
	const struct cg *scope; /* systemd may move what we may not clone there; NULL */
	pid_t scope_init;	/* exec: the container's first process */
	int moved[2];		/* that is so: pipe that the child waits at until it was moved */
	bool attach;		/* moved[] is open */
	int boot_fd;		/* memfd of the boot block; -EBADF: it is in the sync socket */
	const int *inherit;	/* close-on-exec fds that must survive the exec */
	size_t n_inherit;
	int *ours; /* fds that only the child needs: closed after the clone; with room for one more */
	size_t n_ours;
	bool join_in_stage; /* spawn_decide(): joining and creating is the stage's, see spawn.c */
	int sync_child;	    /* the stage's end of the sync socket */
	int sync_parent;
	int pid_child, pid_parent; /* join_in_stage: pipe for the pid of the real process; -EBADF */
	const char *name;	   /* argv[0]; NULL: that of the stage */
	int program; /* what is executed instead of the stage, close-on-exec, the caller's; -EBADF */
};

/* spawn_stage: clones, joins, execs the stage. On success *ret_pid is our child and *ret_pidfd its pidfd. */
int spawn_stage(struct spawn *s, pid_t *ret_pid, int *ret_pidfd, struct err *e);

/* spawn_decide: who joins, from the namespaces; before the boot block is written. */
void spawn_decide(struct spawn *s);

/* spawn_kill: SIGKILL and reap, for a start that failed. */
void spawn_kill(pid_t pid, int pidfd);

/* ns.c: fills create/join from the policy; opens and verifies (NS_GET_NSTYPE) the files to join. */
int ns_prepare(const struct policy *p, struct spawn *s, struct err *e);
void ns_close(struct spawn *s);
/* ns_setgroups_denied: whether the user namespace of a process forbids setgroups(), which those below it inherit. */
bool ns_setgroups_denied(pid_t pid);
extern const uint64_t ns_flags[POL_NS_MAX]; /* pol_ns_type -> CLONE_NEW* */

/* idmap.c: writes uid_map, gid_map (and setgroups) of a child in a new user namespace: directly with the privilege,
 * else through newuidmap/newgidmap. */
int idmap_write(pid_t pid, const struct policy *p, const struct host *h, struct err *e);
/* idmap_userns: a user namespace with these maps that nobody lives in, for idmapped mounts. Returns its fd. */
int idmap_userns(const pol_idmaps *u, const pol_idmaps *g, const struct host *h, struct err *e);

/* netdev.c: netdevs_check: what can be refused before anything is made: devices that are not there, a network namespace to
 * join that is ours. netdevs_move: moves the devices of the policy into the network namespace of a process, with their
 * lasting addresses, and sets them up. We are in our own namespace again afterwards, or it is an error. */
int netdevs_check(const struct policy *p, const struct spawn *s, struct err *e);
int netdevs_move(const struct policy *p, int pidfd, struct err *e);

/* sources.c: what the parent opens for the stage because the stage may not reach it: bind sources (before any side
 * effect), idmapped trees, the v1 cgroup view. Appends to boot->mount_fds, cg_binds; fds are listed in fds[]. */
struct sources {
	int *fds;
	size_t n, cap;
};
int sources_open(const struct policy *p, const struct host *h, struct arena *a,
		 struct stage_boot *boot, struct sources *ret, struct err *e);
/* sources_open_cgroup: the v1 directories that a `cgroup` mount shows; after cgroup_make(). */
void sources_open_cgroup(const struct policy *p, const struct cg *cg, struct arena *a,
			 struct stage_boot *boot, struct sources *s);
/* sources_open_live: for mounts of a container that lives: the source of every bind, or an error: the stage cannot have them. */
int sources_open_live(const struct policy *p, const struct host *h, struct arena *a,
		      struct stage_boot *boot, struct sources *ret, struct err *e);
void sources_close(struct sources *s);

/*
 * The program of another backend (vm/), which is made and talked to as the stage is: what is different then.
 */
struct launch;
struct launch_as {
	const char *name; /* argv[0] */
	int program;	  /* executed instead of the stage; the caller's */
	/* prepare: last of all preparations: what that program needs besides. */
	int (*prepare)(struct launch *l, struct box *b, void *arg, struct err *e);
	/* encode: the whole boot block, of which the stage's is a part. */
	void (*encode)(struct buf *out, const struct stage_boot *boot, void *arg);
	const int *fds; /* the caller's; inherited by that program */
	size_t n_fds;
	void *arg;
};

/* boot.c: what create and exec share: memfds, sync socket, the message exchange. */
struct launch {
	const struct launch_as *as; /* NULL: the stage */
	struct stage_boot boot;
	struct spawn spawn;
	struct sources src;
	int start_fd;
	int secrets_fd;
	pid_t pid;
	int pidfd;
};
int launch_init(struct launch *l, struct box *b, const struct box_io *io,
		const struct launch_as *as, struct err *e);
int launch_seccomp(struct launch *l, struct box *b, const struct policy *p, struct err *e);
/* launch_secrets: fetches the secrets of the policy into a pipe for the stage. */
int launch_secrets(struct launch *l, struct box *b, enum secrets_when when, struct err *e);
int launch_cgroup(struct launch *l, struct box *b, struct err *e);
int launch_spawn(struct launch *l, struct box *b, struct err *e);
void launch_close(struct launch *l);

/* follow_exec: reads from the stage until the program runs (end of file after MSG_EXEC) or failed. */
int follow_exec(struct box *b, int sock, struct err *e);

/* seccomp_hand_over: gives the notify fd `remote` of the stage to the agent behind b->listener_path. */
int seccomp_hand_over(struct box *b, int remote, struct err *e);

/* ops.c */
int process_signal(struct box *b, int sig, bool all, struct err *e);
int process_pause(struct box *b, bool on, struct err *e);
int process_update(struct box *b, const struct pol_resources *r, struct err *e);
int process_pids(struct box *b, struct u64s *ret, struct err *e);
int process_stats(struct box *b, struct buf *out, struct err *e);
int process_destroy(struct box *b, struct err *e);
/* mounts.c */
int process_mounts_add(struct box *b, const struct policy *p,
		       int (*ready)(void *arg, const struct box_mount *m, size_t n, struct err *e),
		       void *arg, struct err *e);
int process_mounts_remove(struct box *b, const struct box_mount *m, size_t n, size_t *ret_gone,
			  struct err *e);
/* create.c, exec.c */
int process_create(struct box *b, const struct box_io *io,
		   int (*ready)(struct box *b, void *arg, struct err *e), void *arg, struct err *e);
/* process_create_as: the same with another program in the place of the stage. */
int process_create_as(struct box *b, const struct box_io *io, const struct launch_as *as,
		      int (*ready)(struct box *b, void *arg, struct err *e), void *arg,
		      struct err *e);
int process_start(struct box *b, bool parked, struct err *e);
/* process_exec_as: the same, for which all about the process is in as->encode(). */
int process_exec_as(struct box *b, const struct box_io *io, const struct launch_as *as,
		    int (*ready)(struct box *b, void *arg, struct err *e), void *arg,
		    pid_t *ret_pid, int *ret_pidfd, struct err *e);
int process_exec(struct box *b, const struct pol_process *p, const struct box_io *io,
		 int (*ready)(struct box *b, void *arg, struct err *e), void *arg, pid_t *ret_pid,
		 int *ret_pidfd, struct err *e);

/* checkpoint.c, restore.c */
int process_checkpoint(struct box *b, const struct box_criu *o, struct err *e);
int process_restore(struct box *b, const struct box_criu *o, const struct box_io *io,
		    int (*ready)(struct box *b, void *arg, struct err *e), void *arg,
		    struct err *e);
/* what both tell CRIU (criu_opts.c) */
struct plan;
struct rpc_opts;
void criu_opts_common(const struct box *b, const struct box_criu *o, struct rpc_opts *ret);
/* criu_plan: the plan of a container whose root is `root`: mount points looked up in it, mountinfo of a process. */
int criu_plan(const struct box *b, int root, pid_t mountinfo_of, struct plan *ret, struct err *e);

/* process_resolve: where a mount point of the policy really is in a root: what of the path is there may lead through
 * symlinks. In the arena. */
char *process_resolve(int root, const char *path, struct arena *a);

/* inspect.c */
int process_inspect(struct box *b, const struct inspect_opts *o, struct inspect *ret,
		    struct err *e);

#endif

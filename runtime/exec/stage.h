/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-container stage: the program kavach-init, which performs a policy inside the new namespaces and
 * then becomes the workload. The host's kavach (and, in a microVM, the agent) clones a child that execs it
 * from a sealed memfd: nothing of the host's own binary can be reached from inside (CVE-2019-5736), and what
 * runs near hostile files is small, static and never looks up a library.
 *
 * argv: kavach-init BOOTFD. BOOTFD is a sealed memfd with one encoded struct stage_boot. All fds in it are
 * inherited numbers. The stage talks to its parent over `sync_fd` (AF_UNIX SOCK_SEQPACKET), see proto.h.
 *
 * Order for a container (mode CREATE), exec/stage.c; each step has its file:
 *   join.c: namespaces to join, if a pid or user namespace is among them; else the clone did it
 *   (before the stage runs, process/spawn.c has waited for the id maps of a new user namespace and become root in it,
 *   because an execve by an unmapped id loses all capabilities)
 *   join v1 cgroups by self-write; unshare cgroup namespace
 *   loopback up; hostname, domainname; sysctl is after mounts (needs the private proc)
 *   root: propagation, bind of the root onto itself, mounts in order by fd, devices, /dev links, ptmx, console
 *   MSG_MOUNTS -> parent runs prestart, createRuntime hooks -> ack; the stage runs createContainer hooks
 *   pivot_root (or move+chroot), secret files, masked and read-only paths, sysctl, read-only root
 *   session keyring, personality, scheduler, rlimits etc. that the parent did not apply from outside
 *   cwd, ids, capabilities, executable look-up (127/126 decided here), LSM labels
 *   MSG_READY -> parent applies rlimits/oom/scheduler from outside, writes the pid file -> ack
 *   wait for start: on start_fd (listening socket of `create`) or at once (`run`)
 *   startContainer hooks; close_range; no_new_privs; Landlock; seccomp; execve. Errors travel back as MSG_ERROR.
 * Mode EXEC is the same without the root; mode MOUNTS ends after the mounts, exec/live.c.
 */
#ifndef KAVACH_EXEC_STAGE_H
#define KAVACH_EXEC_STAGE_H

#include <sched.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/codec.h"
#include "policy/policy.h"

#define BOOT_PACKET_MAX 65536 /* a larger boot block is passed in a file */

/* STAGE_MOUNTS: nothing is started; mounts are added to a container that lives, or taken from it (live.c). */
enum stage_mode { STAGE_CREATE = 1, STAGE_EXEC = 2, STAGE_MOUNTS = 3 };

/* A mount source that the parent opened (detached tree), for mounts[index]; fd -1 = the stage opens it itself. */
struct stage_fd {
	uint32_t index;
	int32_t fd;
	bool set; /* it has its flags and its propagation */
};

struct stage_cg_bind {
	int32_t fd; /* detached tree of the container's directory in one v1 hierarchy; -1: open source */
	char *source, *name;
};

/* MOUNTS: a mount to take away: the one with this id, if that is what stands at the destination. */
struct stage_unmount {
	char *destination;
	uint64_t id;
	bool unique;
};

/* A compiled seccomp filter. */
struct stage_filter {
	struct bytes bpf;
	uint64_t flags; /* for seccomp(2) */
	bool notify; /* install with NEW_LISTENER and hand the fd out (MSG_SECCOMP); the last filter only */
};
#define STAGE_FILTERS_MAX 16

struct stage_boot {
	uint32_t mode;
	struct bytes
		policy; /* encoded policy (CREATE; MOUNTS: with the mounts to add only); in EXEC mode empty */
	struct bytes process; /* EXEC: encoded struct pol_process (pol_process_table) */
	struct {
		struct stage_filter *v;
		size_t n;
	} filters;				   /* loaded in this order */
	POL_LIST(struct policy_landlock) landlock; /* EXEC: the container's layers */
	bool new_userns;			   /* a user namespace of its own */
	bool joined_userns;			   /* a user namespace was joined */
	bool rootless;				   /* the parent has no privilege outside */
	bool setgroups_denied; /* /proc/self/setgroups says deny: skip setgroups */
	/* Namespaces that the stage joins and creates itself (join.c); false: the clone did it all. */
	bool join_here;
	int32_t pid_fd; /* pipe that takes the pid (int32) of the process that was cloned there; -1 */
	uint64_t create_ns;	/* CLONE_NEW* to create after joining */
	struct u64s join_fds;	/* namespaces to join, in this order... */
	struct u64s join_flags; /* ...with their CLONE_NEW* flags */
	int32_t target_pidfd;	/* exec: join target_ns of this process instead; -1 */
	uint64_t target_ns;
	bool unshare_cgroup; /* new cgroup namespace: after joining the cgroup */
	bool host_cgroupns;  /* cgroup mount shows binds of the container's own directory */
	int32_t sync_fd;     /* to the parent */
	int32_t start_fd; /* listening socket for `start`; -1: run or exec, goes on after the READY ack */
	int32_t console_fd; /* socket that gets the pty master; -1 */
	uint32_t console_rows,
		console_columns; /* of the caller's terminal, instead of the config's; 0 = none */
	int32_t proc_fd; /* private procfs of the host side if the parent has one to give; -1 */
	struct u64s tasks_fds; /* v1 tasks files to write "0" to */
	struct {
		struct stage_fd *v;
		size_t n;
	} mount_fds;
	struct {
		struct stage_cg_bind *v;
		size_t n;
	} cg_binds; /* v1 view for `cgroup` mounts */
	struct {
		struct stage_unmount *v;
		size_t n;
	} unmounts;	    /* MOUNTS: in this order; then nothing is added */
	uint32_t cg_layout; /* enum cg_layout */
	char *cg_v2_path; /* host path of the container's v2 directory, for a bind without cgroup namespace */
	int32_t secrets_fd; /* pipe with a block of secrets (secret_block.h); -1 */
	int32_t rootfs_fd;  /* detached tree of the rootfs, or -1: the stage opens policy.rootfs */
	uint32_t preserve_fds; /* 3..3+N-1 stay open */
	uint32_t listen_fds; /* 3..3+N-1 are LISTEN_FDS (before the preserved ones); sets LISTEN_PID */
	char *listen_fdnames;		 /* LISTEN_FDNAMES or NULL */
	struct strs hook_env;		 /* environment of hooks that bring none */
	char *id, *bundle, *oci_version; /* for the hooks' state document and the keyring name */
	struct kvs annotations;
	bool chown_stdio; /* B-14 */
	bool slow_paths;  /* each look-up of a name asks another machine (exec/hold.c) */
};
extern const struct ctable stage_boot_table; /* exec/boot.c */

/* stage_ns_late: of the namespaces to create, those that are unshared only by root of the user namespace that is
 * created or joined: the maker of an IPC namespace is the owner of its /dev/mqueue. */
static inline uint64_t stage_ns_late(uint64_t create, uint64_t joined)
{
	return (create | joined) & CLONE_NEWUSER ? create & CLONE_NEWIPC : 0;
}

/* stage_boot_decode: the boot block of a stage from its encoding, strings in the arena. Refuses unknown modes,
 * bytes left over, descriptors that cannot be one, and a boot block without the part that its mode needs. */
int stage_boot_decode(const void *p, size_t n, struct arena *a, struct stage_boot *ret,
		      struct err *e);

/* stage_read_boot: the boot block that a program in the place of the stage was started with, by its arguments. */
int stage_read_boot(int argc, char **argv, struct arena *a, struct bytes *ret, struct err *e);
/* stage_environ: boot.hook_env as execve() takes it: NULL-terminated, in the arena. */
char **stage_environ(const struct strs *l, struct arena *a);

/* stage_main: all of kavach-init, for the programs that are also it, under that name. */
int stage_main(int argc, char **argv);
/* stage_warn_to: where warnings of such a program go, in whose process stage_main() was not called. */
typedef void stage_warner(const char *text);
void stage_warn_to(stage_warner *fn);

/* net_loopback_up: the loopback interface of the network namespace that we are in, which is a new one. */
int net_loopback_up(struct err *e);

/* stdio_open_missing: fills a closed 0, 1 or 2 with /dev/null, so that none of our own descriptors becomes the workload's
 * stdio. First thing in main(), of kavach and of the stage. */
int stdio_open_missing(struct err *e);

/* What exec_outside() does beside what the config says. Limits: only where the stage may not raise them itself, which is in
 * a user namespace. */
enum { OUTSIDE_RLIMITS = 1, OUTSIDE_ALL_CPUS = 2 };

/* exec_outside: attributes that are set from outside, by whoever has the privilege: rlimits (prlimit), oom_score_adj,
 * scheduler, ioPriority, CPU affinity reset. procfd: an fd of the caller's own /proc, or AT_FDCWD. Called by the parent
 * at MSG_READY. rlimits: what the kernel does not let us set because the process has other ids already is left to
 * the stage, which has proved before MSG_READY that it can (rlimit.c). */
int exec_outside(pid_t pid, int procfd, const struct pol_process *p, bool rootless, unsigned also,
		 struct err *e);

/* sysctl_path: where the value of a key of linux.sysctl is below /proc: "sys/net/ipv4/ip_forward". NULL: not a name. */
char *sysctl_path(struct arena *a, const char *key);

/* exec_parse_list: "0-3,7" (the kernel's list format; blanks and newlines end it as the kernel's does) as a bit mask in
 * the arena. *ret_bits: the highest number + 1. -EINVAL: not a list; -ERANGE: a number above 65535. */
int exec_parse_list(const char *s, struct arena *a, unsigned long **ret_mask, size_t *ret_bits);

/* exec_affinity: binds a process (0 = the caller) to a CPU list such as "0-3,7". Source: config execCPUAffinity. */
int exec_affinity(pid_t pid, const char *list, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the lifecycle needs from a way to isolate a workload. Commands go through these operations only, so
 * that a process and a microVM are driven alike. Functions return 0 or -errno and fill *e.
 */
#ifndef KAVACH_BACKEND_H
#define KAVACH_BACKEND_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "cgroup/rdt.h"
#include "hooks/hooks.h"
#include "host/host.h"
#include "policy/policy.h"

/* How long a VM may take, by the site's rules; vm/create.c has what holds without them. */
enum box_timeout {
	BOX_T_HELLO,	/* to boot */
	BOX_T_PREPARED, /* to set the container up, and to start its program */
	BOX_T_SHUTDOWN, /* to write its file systems at the end */
	BOX_T_QMP,	/* QEMU to answer */
	BOX_T_LAUNCH,	/* the owner to answer the launch of an SEV guest */
	BOX_T_MAX
};

/* One container for the duration of a command. */
struct box {
	const char *id, *bundle, *oci_version;
	const struct kvs *annotations;
	const struct host *host;
	const struct policy *policy; /* create, run, exec, start with a report; NULL otherwise */
	struct bytes policy_enc;
	struct cg *cg;
	const struct rdt *rdt; /* its resctrl groups; never NULL, rdt->group may be */
	struct arena *a;
	int dir_fd;	       /* its state directory */
	const char *cache_dir; /* for compiled seccomp filters; NULL = none */
	char *const *hook_env; /* environment of hooks that bring none */

	pid_t pid; /* the process this command is about: the first one, or exec's */
	int pidfd;
	pid_t init_pid; /* exec: the container's first process */
	int init_pidfd;
	const char *
		status; /* of the container, for documents given to others: "creating", "running" */
	int root_image; /* create: the packed root of a VM, open; else -EBADF. The caller's */
	int hook_out, hook_err; /* files for the hooks' output; -EBADF = captured for messages */
	uint64_t pid_start;
	uint64_t ns_flags;
	int sync_fd; /* to the stage, while it is being set up (create, run) */
	int stop_fd; /* signalfd of the signals that end a creation; -EBADF (create, run) */
	bool lived; /* create: it got as far as the hooks of the creation, so its end has hooks too */
	bool shared_pidns;
	const char *listener_path, *listener_metadata;
	const char *measurement; /* create: the launch digest of a confidential guest, hex; NULL */
	uint32_t timeout_ms[BOX_T_MAX]; /* create, run; 0: not said */
	bool report_loud; /* denied calls that are reported also go to standard error */
};
/* In the state directory: the report of denied calls. */
#define BOX_DENIED "denied"
/* The same: what was called, where that is recorded. It outlives the container in the root directory's own BOX_RECORDED. */
#define BOX_CALLS "calls"
#define BOX_RECORDED ".recorded"

/* Where the process's terminal goes and which fds it gets. */
struct box_io {
	int console_fd;	  /* connected socket that takes the pty master; -EBADF without terminal */
	bool foreground;  /* a terminal is ours to serve: its master comes to console_ours */
	int console_ours; /* -EBADF before */
	uint32_t console_rows,
		console_columns; /* of the terminal that we are on; 0 = the config's */
	uint32_t preserve_fds;	 /* 3..3+N-1, after the LISTEN_FDS */
	uint32_t listen_fds;
	const char *listen_fdnames;
	int stop_fd;	 /* becomes box.stop_fd */
	bool wait_start; /* create: park until `start`; run: go on */
};

/* What checkpoint and restore are asked for; numbers that are not set are CRIU's to choose. */
struct box_criu {
	const char *program;		    /* absolute */
	int image_fd, work_fd;		    /* directories; work_fd has the log */
	const char *image_path, *work_path; /* the same, for messages */
	const char *parent;		    /* images of an earlier pre-dump, relative to ours */
	const char *page_server;	    /* address; NULL: none */
	uint32_t page_server_port;
	const char *lsm_profile, *lsm_mount_context, *config_file;
	struct opt_i64 cg_mode, network_lock, empty_ns; /* CRIU's numbers */
	int status_fd;	   /* told when lazy pages are served; -EBADF */
	struct strs stdio; /* restore: descriptors.json: what 0, 1 and 2 were */
	bool leave_running, pre_dump, tcp_established, tcp_skip_in_flight, tcp_close, ext_unix_sk,
		shell_job, lazy_pages, file_locks, auto_dedup, link_remap;
};

/* A mount that was added to a container: the kernel's id of it, see sys_mount_id(). */
struct box_mount {
	char *destination;
	uint64_t id;
	bool unique;
};

struct inspect;
struct inspect_opts;

struct backend_ops {
	const char *name;
	uint32_t id; /* enum pol_backend */

	/* able: whether this host can do what the policy wants of it, asked before anything is prepared; NULL: it can. */
	int (*able)(const struct policy *p, struct err *e);
	/* create: makes the container up to the point where only `start` is missing. `ready` is called when its pid is
	 * known and everything succeeded, before the process may outlive us (record, pid file). */
	int (*create)(struct box *b, const struct box_io *io,
		      int (*ready)(struct box *b, void *arg, struct err *e), void *arg,
		      struct err *e);
	/* start: runs the program: of a box that this command created (run), or of a parked one (start). */
	int (*start)(struct box *b, bool parked, struct err *e);
	/* exec: another process in a running container. ret_pid/ret_pidfd: the process, our child. ready as above. */
	int (*exec)(struct box *b, const struct pol_process *p, const struct box_io *io,
		    int (*ready)(struct box *b, void *arg, struct err *e), void *arg,
		    pid_t *ret_pid, int *ret_pidfd, struct err *e);
	/* checkpoint: saves the processes of a running container, which end unless they are to go on. Needs the policy. */
	int (*checkpoint)(struct box *b, const struct box_criu *o, struct err *e);
	/* restore: as create and start, but the processes come from images. ready as above, before any of them goes on. */
	int (*restore)(struct box *b, const struct box_criu *o, const struct box_io *io,
		       int (*ready)(struct box *b, void *arg, struct err *e), void *arg,
		       struct err *e);
	int (*signal)(struct box *b, int sig, bool all, struct err *e);
	int (*pause)(struct box *b, bool on, struct err *e);
	int (*update)(struct box *b, const struct pol_resources *r, struct err *e);
	/* mounts_add: p has the mounts to add and nothing else to do. All are made and then `ready` is called with them, in
	 * their order, or none. If `ready` fails they are undone. */
	int (*mounts_add)(struct box *b, const struct policy *p,
			  int (*ready)(void *arg, const struct box_mount *m, size_t n,
				       struct err *e),
			  void *arg, struct err *e);
	/* mounts_remove: takes the mounts with these ids away, in this order, until one cannot be; ret_gone: how many are
	 * gone, also on failure. */
	int (*mounts_remove)(struct box *b, const struct box_mount *m, size_t n, size_t *ret_gone,
			     struct err *e);
	int (*pids)(struct box *b, struct u64s *ret, struct err *e);
	/* stats: writes the "data" object of an events record. */
	int (*stats)(struct box *b, struct buf *out, struct err *e);
	/* ooms: how often the kernel of the workload has killed in it for want of memory, -errno; oom_fd: readable when that
	 * may have changed, to be read by the caller. NULL: the container's cgroup is all that tells. */
	int64_t (*ooms)(struct box *b);
	int (*oom_fd)(struct box *b, struct err *e);
	/* inspect: compares the policy, b->policy, with what the kernel says of the running processes. NULL: this backend cannot.
	 * *ret is begun and filled. */
	int (*inspect)(struct box *b, const struct inspect_opts *o, struct inspect *ret,
		       struct err *e);
	/* destroy: kills what is left and removes everything outside the state directory; idempotent. */
	int (*destroy)(struct box *b, struct err *e);
};

/* box_hook_state: what the state document says of a box. */
static inline struct hook_state box_hook_state(const struct box *b)
{
	return (struct hook_state){
		.oci_version = b->oci_version,
		.id = b->id,
		.bundle = b->bundle,
		.pid = b->pid,
		.annotations = b->annotations,
	};
}

extern const struct backend_ops backend_process, backend_vm, backend_sev, backend_sev_es,
	backend_sev_snp;

/* backend_find: by enum pol_backend; an error that says what this build has. */
const struct backend_ops *backend_find(uint32_t id, struct err *e);

#endif

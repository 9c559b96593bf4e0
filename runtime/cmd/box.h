/* SPDX-License-Identifier: Apache-2.0 */
/* From a state record to something that a backend can act on; helpers of common.c. Private to cmd/. */
#ifndef KAVACH_CMD_BOX_H
#define KAVACH_CMD_BOX_H

#include <termios.h>

#include "backend.h"
#include "cmd/cmd.h"

/* box_load: state_load + state_allow(op) + backend. `op` 0: any state. */
struct loaded {
	struct state st;
	struct box box;
	const struct backend_ops *ops;
	enum status status;
};
#define LOADED_INIT                                                                                \
	((struct loaded){.st = STATE_INIT,                                                         \
			 .box = {.dir_fd = -EBADF,                                                 \
				 .pidfd = -EBADF,                                                  \
				 .init_pidfd = -EBADF,                                             \
				 .sync_fd = -EBADF,                                                \
				 .stop_fd = -EBADF,                                                \
				 .hook_out = -EBADF,                                               \
				 .hook_err = -EBADF}})
int box_load(struct globals *g, const char *id, enum op op, enum state_lock lock, bool force,
	     struct loaded *ret, struct err *e);
void box_close(struct loaded *l);
#define box_auto __attribute__((cleanup(box_close))) struct loaded

/* box_from_record: fills what the record knows. */
void box_from_record(struct globals *g, struct state *s, struct box *b);
/* box_read_policy: the sealed policy of the container, checked against the digest on record (exec, update). */
int box_read_policy(struct globals *g, struct state *s, struct box *b, struct err *e);
/* box_hooks: poststart or poststop from the record. */
int box_hooks(struct box *b, enum hook_phase phase, const pol_hooks *h, struct err *e);
/* box_hook_files: opens run.oci.hooks.stdout/stderr of the record, if they are not open yet. */
int box_hook_files(const struct state_record *r, struct box *b, struct err *e);
/* box_delete: destroy, poststop hooks, state directory. */
int box_delete(struct globals *g, struct state *s, struct box *b, const struct backend_ops *ops,
	       struct err *e);

uint32_t cmd_cg_manager(const struct globals *g, struct err *e);
int cmd_abs_path(struct arena *a, const char *path, char **ret, struct err *e);
int cmd_read_file(struct arena *a, const char *path, size_t max, struct bytes *ret, struct err *e);
char **cmd_environ(void);
/* cmd_each_match: fn for every container whose id matches the extended regular expression, also after one has failed; the
 * first error is the one that is returned. */
int cmd_each_match(struct globals *g, const char *pattern,
		   int (*fn)(struct globals *g, const char *id, const void *arg, struct err *e),
		   const void *arg, struct err *e);

/* launching.c: what create and run share */
struct create_opts {
	const char *bundle, *config, *console_socket, *pid_file, *pidfd_socket;
	struct opt_u64 preserve_fds;
	bool no_pivot, no_new_keyring, detach, keep, report_denied, record_seccomp;
	struct box_criu *criu; /* restore: the processes come from images */
};
/* container_create: everything of `create` (io->wait_start) or the first half of `run`. On success *l is loaded and
 * locked. io->console_fd is the socket that takes the pty, if there is no --console-socket (or -EBADF). */
int container_create(struct globals *g, const struct create_opts *o, const char *id,
		     struct box_io *io, struct loaded *l, struct bundle *bd, struct err *e);
/* console_check: the exclusion rules of C-09. */
int console_check(bool terminal, bool detach, const char *socket, struct err *e);
/* fds_check: fills *io from LISTEN_FDS and --preserve-fds; all of them must be open. First of all things that a command
 * does, because a descriptor that we open ourselves must not be taken for one of them. */
int fds_check(const struct opt_u64 *preserve, struct box_io *io, struct err *e);
/* run_on: everything of `run` after the creation: starts (restore: the process runs already), waits, deletes. */
struct foreground;
int run_on(struct globals *g, const struct create_opts *o, const struct bundle *bd,
	   struct loaded *l, struct foreground *f, int console, struct err *e);
int pidfd_send(const char *path, int pidfd, struct err *e);

/* foreground.c: waits for our child `pid`, forwards signals, moves the terminal's bytes. Returns its exit status (128+signal). */
struct foreground {
	pid_t pid;
	int pidfd;
	int pty; /* master, or -EBADF */
	int sigfd;
	bool tty_saved; /* `saved` is to be restored */
	struct termios saved;
};
/* foreground_begin: blocks the signals to forward; before the process starts. */
int foreground_begin(struct foreground *f, struct err *e);
/* foreground_forward: from here on all of them are for the process; before its program runs, for it can fail. */
int foreground_forward(struct foreground *f, struct err *e);
int foreground_console(struct foreground *f, int sock, struct err *e); /* receives the pty master */
/* foreground_size: the size of our terminal, for a program that runs before we have its pty. */
void foreground_size(struct box_io *io);
int foreground_wait(struct foreground *f, int *ret_status, struct err *e);
void foreground_end(struct foreground *f);

#endif

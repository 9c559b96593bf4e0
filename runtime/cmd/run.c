/* SPDX-License-Identifier: Apache-2.0 */
/* run: create, start, and unless detached: wait and delete. */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cmd/audited.h"
#include "cmd/box.h"
#include "cmd/lifecycle.h"
#include "cmd/notify.h"

#define O(field) offsetof(struct create_opts, field)

static const struct opt opts_table[] = {
	{"bundle", 'b', OPT_STR, "DIR", "bundle directory (default: the current one)", O(bundle)},
	{"config", 'f', OPT_STR, "FILE",
	 "name of the configuration in the bundle (default: config.json)", O(config)},
	{"console-socket", 0, OPT_STR, "PATH", "AF_UNIX socket that receives the terminal",
	 O(console_socket)},
	{"detach", 'd', OPT_FLAG, NULL, "do not wait for the container to end", O(detach)},
	{"keep", 0, OPT_FLAG, NULL, "do not delete the container when it ends", O(keep)},
	{"pid-file", 0, OPT_STR, "FILE", "write the container's process id to FILE", O(pid_file)},
	{"pidfd-socket", 0, OPT_STR, "PATH",
	 "AF_UNIX socket that receives a pidfd of the container's process", O(pidfd_socket)},
	{"no-pivot", 0, OPT_FLAG, NULL,
	 "change the root without pivot_root (for a root on initramfs)", O(no_pivot)},
	{"no-new-keyring", 0, OPT_FLAG, NULL, "keep the caller's session keyring",
	 O(no_new_keyring)},
	{"preserve-fds", 0, OPT_U32, "N", "pass N file descriptors after the LISTEN_FDS ones",
	 O(preserve_fds)},
	{"report-denied", 0, OPT_FLAG, NULL, "report calls that a seccomp filter denies",
	 O(report_denied)},
	{"record-seccomp", 0, OPT_FLAG, NULL, "record the calls of all processes, for a profile",
	 O(record_seccomp)},
	{"no-subreaper", 0, OPT_IGNORE_FLAG, NULL, NULL, 0},
};

/* Started but not wanted any more: everything goes, the error stays. */
static void run_undo(struct globals *g, struct loaded *l, const char *pid_file)
{
	struct err sub = ERR_INIT;

	l->box.pid = (pid_t) l->st.rec->pid;
	if (box_delete(g, &l->st, &l->box, l->ops, &sub) < 0)
		log_warn("%s", sub.msg);
	if (l->box.pid > 0)
		(void) waitpid(l->box.pid, NULL, WNOHANG);
	if (pid_file)
		(void) unlink(pid_file); /* it names nobody any more */
}

static int start(struct globals *g, struct loaded *l, bool detach, struct err *e)
{
	int r;

	l->box.status = "created";
	l->box.report_loud = !detach;
	r = l->ops->start(&l->box, false, e);
	return r < 0 ? r : container_poststart(g, l, e);
}

/* Others pause, update, or delete it by force meanwhile. */
static int wait_and_delete(struct globals *g, struct loaded *l, struct foreground *f, bool keep,
			   struct err *e)
{
	struct err sub = ERR_INIT;
	int status = 0, r;

	f->pid = l->box.pid;
	f->pidfd = l->box.pidfd;
	state_unlock(&l->st);
	r = foreground_wait(f, &status, e);
	foreground_end(f);
	if (r < 0) {
		/* nobody watches it any more, and nobody would delete it */
		if (state_relock(&l->st, &sub) == 0)
			run_undo(g, l, NULL);
		return r;
	}
	audited_exit(g, l->st.rec, "run", f->pid, status);
	if (keep)
		return status;
	r = state_relock(&l->st, e);
	if (r == 0)
		r = box_delete(g, &l->st, &l->box, l->ops, e);
	else if (e->id == ERR_NO_CONTAINER)
		r = 0; /* deleted by force: there is nothing left to do */
	return r < 0 ? r : status;
}

static int in_foreground(struct globals *g, struct loaded *l, struct foreground *f, int notify,
			 bool keep, struct err *e)
{
	pid_t helper = notify_forward_aside(notify, l->box.pidfd, l->box.pid);
	int r = wait_and_delete(g, l, f, keep, e);

	if (helper > 0) {
		(void) kill(helper, SIGKILL); /* still waiting for the service manager, at most */
		(void) waitpid(helper, NULL, 0);
	}
	return r;
}

int run_on(struct globals *g, const struct create_opts *o, const struct bundle *bd,
	   struct loaded *l, struct foreground *f, int console, struct err *e)
{
	fd_auto int notify = notify_bind(l->st.dir_fd, e);
	int r = notify < 0 && notify != -EBADF ? notify : 0;

	if (r == 0 && !o->detach && bd->policy->process.terminal)
		r = foreground_console(f, console, e);
	if (r == 0 && !o->detach)
		r = foreground_forward(f, e);
	if (r == 0 && !o->criu)
		r = start(g, l, o->detach, e);
	if (r < 0) {
		audited_failure(g, o->criu ? AUDIT_RESTORE : AUDIT_START, l->st.rec->id, l->st.rec,
				e);
		run_undo(g, l, o->pid_file);
		return r;
	}
	if (!o->detach)
		return in_foreground(g, l, f, notify, o->keep, e);
	if (notify >= 0) {
		state_unlock(&l->st);
		notify_forward(notify, l->box.pidfd, l->box.pid);
	}
	return 0;
}

static int cmd_run(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct create_opts *o = opts;
	struct foreground f = {.pidfd = -EBADF, .pty = -EBADF, .sigfd = -EBADF};
	box_auto l = LOADED_INIT;
	struct bundle bd = {0};
	struct box_io io;
	int r;

	(void) argc;
	r = fds_check(&o->preserve_fds, &io, e);
	if (r < 0)
		return r;
	io.foreground = !o->detach;
	if (io.foreground) {
		r = foreground_begin(&f, e);
		if (r < 0)
			return r;
		io.stop_fd = f.sigfd;
	}
	r = container_create(g, o, argv[0], &io, &l, &bd, e);
	if (r == 0)
		r = run_on(g, o, &bd, &l, &f, io.console_ours, e);
	fd_close(io.console_ours);
	foreground_end(&f);
	return r;
}

const struct command command_run = {
	.name = "run",
	.args = "CONTAINER",
	.help = "create and start a container, wait for its end, delete it",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct create_opts),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_run,
};

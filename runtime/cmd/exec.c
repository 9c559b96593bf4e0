/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: another process in a running container, described by --process FILE or by options on top of what config.json
 * says for the container's own process. Capabilities given by --cap never become inheritable (CVE-2022-29162), user
 * ids are numbers and nothing else (CVE-2016-3697, CVE-2026-30892).
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cmd/audited.h"
#include "cmd/box.h"
#include "json/read.h"
#include "spec/spec.h"

struct exec_opts {
	const char *process, *pid_file, *console_socket, *pidfd_socket, *user, *cwd, *label,
		*apparmor, *cgroup;
	struct strs env, caps, gids;
	struct opt_u64 preserve_fds;
	bool detach, tty, no_new_privs, ignore_paused;
};

static int parse_id(const char *s, size_t n, uint32_t *ret)
{
	char num[16];

	if (n == 0 || n >= sizeof(num))
		return -EINVAL;
	memcpy(num, s, n);
	num[n] = 0;
	return num_parse_u32(num, ret) < 0 || *ret == UINT32_MAX ? -EINVAL : 0;
}

static int apply_user(const char *user, struct pol_process *p, struct err *e)
{
	const char *colon = strchr(user, ':');
	size_t n = colon ? (size_t) (colon - user) : strlen(user);

	if (parse_id(user, n, &p->uid) < 0 ||
	    (colon && parse_id(colon + 1, strlen(colon + 1), &p->gid) < 0))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--user: expected UID or UID:GID as numbers, found \"%s\"", user);
	return 0;
}

static struct strs append(struct arena *a, const struct strs *x, const struct strs *y)
{
	struct strs l = {.v = arena_array(a, x->n + y->n + 1, sizeof(char *)),
			 .n = x->n + y->n,
			 .set = true};

	if (x->n)
		memcpy(l.v, x->v, x->n * sizeof(*l.v));
	if (y->n)
		memcpy(l.v + x->n, y->v, y->n * sizeof(*l.v));
	return l;
}

static int apply_caps(const struct exec_opts *o, struct pol_process *p, struct err *e)
{
	for (size_t i = 0; i < o->caps.n; i++) {
		int c = cap_parse(o->caps.v[i]);

		if (c < 0)
			return err_set_id(e, ERR_USAGE, -EINVAL, "--cap: unknown capability \"%s\"",
					  o->caps.v[i]);
		p->caps.set = true;
		p->caps.bounding |= 1ull << c;
		p->caps.effective |= 1ull << c;
		p->caps.permitted |= 1ull << c;
	}
	return 0;
}

static int apply_gids(const struct exec_opts *o, struct arena *a, struct pol_process *p,
		      struct err *e)
{
	struct u64s g = {.v = arena_array(a, p->groups.n + o->gids.n + 1, sizeof(uint64_t)),
			 .n = p->groups.n};
	uint32_t id;

	if (g.n)
		memcpy(g.v, p->groups.v, g.n * sizeof(*g.v));
	for (size_t i = 0; i < o->gids.n; i++) {
		if (parse_id(o->gids.v[i], strlen(o->gids.v[i]), &id) < 0)
			return err_set_id(e, ERR_USAGE, -EINVAL,
					  "--additional-gids: expected a number, found \"%s\"",
					  o->gids.v[i]);
		g.v[g.n++] = id;
	}
	p->groups = g;
	return 0;
}

/* The container's own process, changed by the options. */
static int process_from_options(struct globals *g, const struct exec_opts *o,
				const struct policy *base, int argc, char **argv,
				struct pol_process *p, struct err *e)
{
	int r;

	if (!base->has_process)
		return err_set(e, -EINVAL,
			       "the container has no process in its config.json: use --process");
	*p = base->process;
	p->args = (struct strs){.v = argv, .n = (size_t) argc, .set = true};
	p->terminal = o->tty;
	p->console_width = p->console_height = 0;
	p->env = append(g->a, &p->env, &o->env);
	if (o->cwd) {
		if (o->cwd[0] != '/')
			return err_set_id(e, ERR_USAGE, -EINVAL,
					  "--cwd: expected an absolute path, found \"%s\"", o->cwd);
		p->cwd = path_clean(g->a, o->cwd);
	}
	if (o->no_new_privs)
		p->no_new_privs = true;
	if (o->label)
		p->selinux = arena_strdup(g->a, o->label);
	if (o->apparmor)
		p->apparmor = arena_strdup(g->a, o->apparmor);
	r = o->user ? apply_user(o->user, p, e) : 0;
	if (r == 0)
		r = apply_caps(o, p, e);
	if (r == 0)
		r = apply_gids(o, g->a, p, e);
	return r < 0 ? r : policy_check_process(p, base, &g->host, "exec", g->a, e);
}

static int process_from_file(struct globals *g, const struct exec_opts *o,
			     const struct policy *base, struct pol_process *p, struct err *e)
{
	const struct spec_process *s;
	struct bytes text;
	int r;

	r = cmd_read_file(g->a, o->process, JSON_MAX_SIZE, &text, e);
	if (r == 0)
		r = spec_parse_process(o->process, (const char *) text.v, text.n, g->a, &s, e);
	if (r == 0)
		r = policy_build_process(s, base, &g->host, o->process, g->a, p, e);
	return r;
}

/* --cgroup SUB: below the container's cgroup; it must exist. */
static int enter_sub_cgroup(struct globals *g, struct box *b, const char *sub, struct err *e)
{
	struct cg *cg;

	if (!sub)
		return 0;
	if (b->cg->layout == CG_NONE)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--cgroup: the container has no cgroup of its own");
	cg = arena_memdup(g->a, b->cg, sizeof(*cg));
	cg->hier.v = arena_memdup(g->a, cg->hier.v, cg->hier.n * sizeof(*cg->hier.v));
	for (size_t i = 0; i < cg->hier.n; i++)
		cg->hier.v[i].path = path_clean(
			g->a, arena_printf(g->a, "%s%s", cg->hier.v[i].path,
					   path_clean(g->a, path_join(g->a, "/", sub))));
	b->cg = cg;
	return 0;
}

static int on_ready(struct box *b, void *arg, struct err *e)
{
	const struct exec_opts *o = arg;
	int r = pidfd_send(o->pidfd_socket, b->pidfd, e);

	if (r == 0 && o->pid_file)
		r = cmd_write_pid_file(o->pid_file, b->pid, e);
	return r;
}

/* Arguments may hold secrets: the program by name, all of them as a digest. */
static int on_record(struct globals *g, const struct loaded *l, const struct pol_process *p,
		     struct err *e)
{
	struct audit_field f[] = {
		{.name = "program", .s = p->args.n ? p->args.v[0] : ""},
		{.name = "args"},
		{.name = "user", .n = p->uid},
		{.name = "group", .n = p->gid},
		{.name = "secrets", .s = audited_secrets(g, l->box.policy, true)},
	};

	if (!audited_on(g) && !g->audit.required)
		return 0;
	f[1].s = audited_args(g, &p->args);
	return audited(g, AUDIT_EXEC, AUDIT_ATTEMPT, l->st.rec->id, l->st.rec, f, ARRAY_LEN(f), e);
}

static int exec_in(struct globals *g, const struct exec_opts *o, struct loaded *l,
		   const struct pol_process *p, struct box_io *io, struct err *e)
{
	struct foreground f = {.pidfd = -EBADF, .pty = -EBADF, .sigfd = -EBADF};
	fd_auto int ours = -EBADF, theirs = -EBADF, pidfd = -EBADF;
	int r, sv[2], status = 0;
	pid_t pid = 0;

	r = console_check(p->terminal, o->detach, o->console_socket, e);
	if (r < 0)
		return r;
	if (o->console_socket) {
		theirs = unix_connect(o->console_socket, e);
		if (theirs < 0)
			return err_context(e, "--console-socket");
	} else if (p->terminal) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
			return err_sys(e, "making a socket for the terminal");
		ours = sv[0];
		theirs = sv[1];
	}
	io->console_fd = theirs;
	r = on_record(g, l, p, e);
	if (r == 0 && !o->detach)
		r = foreground_begin(&f, e);
	if (r == 0 && !o->detach)
		r = foreground_forward(&f, e);
	if (r == 0)
		r = l->ops->exec(&l->box, p, io, on_ready, (void *) (uintptr_t) o, &pid, &pidfd, e);
	theirs = fd_close(theirs);
	if (r == 0 && ours >= 0)
		r = foreground_console(&f, ours, e);
	if (r == 0 && !o->detach) {
		f.pid = pid;
		f.pidfd = pidfd;
		r = foreground_wait(&f, &status, e);
		if (r == 0)
			audited_exit(g, l->st.rec, "exec", pid, status);
	}
	foreground_end(&f);
	return r < 0 ? r : status;
}

/* What the command line says, checked against the container as it is now. */
static int decide(struct globals *g, const struct exec_opts *o, struct loaded *l, int argc,
		  char **argv, struct pol_process *p, struct err *e)
{
	int r = 0;

	if (!(l->status == ST_PAUSED && o->ignore_paused))
		r = state_allow(OP_EXEC, l->status, l->box.id, e);
	if (r == 0)
		r = box_read_policy(g, &l->st, &l->box, e);
	if (r == 0)
		r = o->process ? process_from_file(g, o, l->box.policy, p, e)
			       : process_from_options(g, o, l->box.policy, argc, argv, p, e);
	if (r == 0)
		r = enter_sub_cgroup(g, &l->box, o->cgroup, e);
	if (r == 0 && o->process && o->tty)
		p->terminal = true;
	return r;
}

static int cmd_exec(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct exec_opts *o = opts;
	box_auto l = LOADED_INIT;
	struct pol_process p = {0};
	struct box_io io;
	int r;

	if (!o->process && argc < 2)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "exec: expected a program to run or --process FILE");
	r = fds_check(&o->preserve_fds, &io, e);
	if (r == 0)
		r = box_load(g, argv[0], 0, STATE_NO_LOCK, false, &l, e);
	if (r < 0)
		return r;
	r = decide(g, o, &l, argc - 1, argv + 1, &p, e);
	if (r < 0)
		return audited_failure(g, AUDIT_EXEC, argv[0], l.st.rec, e);
	if (p.terminal && !o->detach)
		foreground_size(&io);
	l.box.status = state_status_name(l.status);
	l.box.init_pid = l.box.pid;
	l.box.init_pidfd = l.st.pidfd;
	l.box.pidfd = -EBADF;
	l.box.report_loud = !o->detach;
	r = exec_in(g, o, &l, &p, &io, e);
	if (r < 0)
		audited_failure(g, AUDIT_EXEC, argv[0], l.st.rec, e);
	l.box.pidfd = -EBADF; /* closed by exec_in */
	return r;
}

#define O(field) offsetof(struct exec_opts, field)

static const struct opt opts_table[] = {
	{"process", 'p', OPT_STR, "FILE", "JSON description of the process (OCI process object)",
	 O(process)},
	{"detach", 'd', OPT_FLAG, NULL, "do not wait for the process to end", O(detach)},
	{"pid-file", 0, OPT_STR, "FILE", "write the process id to FILE", O(pid_file)},
	{"console-socket", 0, OPT_STR, "PATH", "AF_UNIX socket that receives the terminal",
	 O(console_socket)},
	{"pidfd-socket", 0, OPT_STR, "PATH", "AF_UNIX socket that receives a pidfd of the process",
	 O(pidfd_socket)},
	{"tty", 't', OPT_FLAG, NULL, "give the process a terminal", O(tty)},
	{"user", 'u', OPT_STR, "UID[:GID]", "user and group ids, as numbers", O(user)},
	{"additional-gids", 'g', OPT_STRS, "GID", "further group id (may be repeated)", O(gids)},
	{"env", 'e', OPT_STRS, "NAME=VALUE", "environment variable (may be repeated)", O(env)},
	{"cwd", 0, OPT_STR, "DIR", "working directory", O(cwd)},
	{"cap", 'c', OPT_STRS, "CAP", "add a capability (may be repeated)", O(caps)},
	{"no-new-privs", 0, OPT_FLAG, NULL, "set no_new_privs", O(no_new_privs)},
	{"process-label", 0, OPT_STR, "LABEL", "SELinux label of the process", O(label)},
	{"apparmor", 0, OPT_STR, "PROFILE", "AppArmor profile of the process", O(apparmor)},
	{"preserve-fds", 0, OPT_U32, "N", "pass N file descriptors after the LISTEN_FDS ones",
	 O(preserve_fds)},
	{"cgroup", 0, OPT_STR, "PATH", "run in a cgroup below the container's", O(cgroup)},
	{"ignore-paused", 0, OPT_FLAG, NULL, "allow exec in a paused container", O(ignore_paused)},
	{"no-subreaper", 0, OPT_IGNORE_FLAG, NULL, NULL, 0},
};

const struct command command_exec = {
	.name = "exec",
	.args = "CONTAINER [PROGRAM [ARGUMENT...]]",
	.help = "run another process in a running container",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct exec_opts),
	.min_args = 1,
	.max_args = -1,
	.stop_at_args = true,
	.failure = 255, /* as runc: apart from what programs return */
	.run = cmd_exec,
};

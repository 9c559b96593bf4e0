/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a container that lives, the host's side: opens what is to be bound, sends a stage into the container's mount
 * namespace, and hears from it what was made (exec/live.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "exec/proto.h"
#include "process/process.h"

#define POLICY_MAX (16u << 20)

/* What new file systems depend on. The stage stays outside of the pid namespace and the cgroup, see exec/live.c. */
#define JOINED (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC)

/* What the stage has told of so far. */
struct told {
	struct box_mount *v;
	size_t n, max;
};

static int told_one(struct told *t, const struct msg_mount *m, struct err *e)
{
	if (m->index != t->n || t->n == t->max || m->unique > 1)
		return err_set(e, -EPROTO, "unexpected message from the stage");
	t->v[t->n].id = m->id;
	t->v[t->n].unique = m->unique;
	t->n++;
	return 0;
}

/* Until it is done, or failed. *ret_said: it knows that it failed; else it was ended by somebody. */
static int follow(int sock, struct told *t, bool *ret_said, struct err *e)
{
	union {
		struct msg_mount mount;
		struct err err;
		char text[sizeof(struct err)];
	} body = {0};
	size_t n;
	int r;

	*ret_said = false;
	for (;;) {
		r = msg_recv(sock, &body, sizeof(body), &n);
		switch (r) {
		case MSG_MOUNT:
			r = told_one(t, &body.mount, e);
			if (r < 0)
				return r;
			break;
		case MSG_READY: return 0;
		case MSG_WARN: log_warn("%.*s", (int) n, body.text); break;
		case MSG_ERROR:
			*ret_said = true;
			*e = body.err;
			e->msg[sizeof(e->msg) - 1] = 0;
			return e->code < 0 ? e->code : -EIO;
		default:
			return err_set(e, r < 0 ? r : -EPIPE,
				       "what was to change the mounts ended before it was done");
		}
	}
}

static int begin(struct launch *l, struct box *b, const struct policy *p, struct buf *enc,
		 struct err *e)
{
	static const struct box_io no_io = {.console_fd = -EBADF};
	int r;

	r = launch_init(l, b, &no_io, NULL, e);
	if (r == 0 && !(b->ns_flags & CLONE_NEWNS))
		r = err_set(
			e, -EINVAL,
			"container %s has no mount namespace of its own: its mounts are the host's",
			b->id);
	if (r < 0)
		return r;
	l->boot.mode = STAGE_MOUNTS;
	policy_encode(enc, p);
	if (enc->bad)
		return err_set(e, -EFBIG, "the policy is too large");
	l->boot.policy = (struct bytes){.v = enc->p, .n = enc->n};
	l->spawn.target_pidfd = b->init_pidfd;
	l->spawn.target_ns = b->ns_flags & JOINED;
	l->boot.joined_userns = b->ns_flags & CLONE_NEWUSER;
	l->boot.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return l->boot.proc_fd < 0 ? err_sys(e, "opening /proc") : 0;
}

/* The stage undoes what it made, or ends, when our socket is closed: it is not killed. */
static void finish(struct launch *l)
{
	l->boot.proc_fd = fd_close(l->boot.proc_fd);
	launch_close(l);
	l->pidfd = fd_close(l->pidfd);
	while (l->pid > 0 && waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Somebody killed the stage between two mounts: what it had made goes. */
static void undo(struct box *b, struct told *t, struct err *e)
{
	struct err sub = ERR_INIT;
	size_t gone = 0;

	for (size_t i = 0; i < t->n / 2; i++) { /* newest first */
		struct box_mount m = t->v[i];

		t->v[i] = t->v[t->n - 1 - i];
		t->v[t->n - 1 - i] = m;
	}
	if (t->n && process_mounts_remove(b, t->v, t->n, &gone, &sub) < 0)
		err_context(e, "%zu mounts could not be undone (%s)", t->n - gone, sub.msg);
}

int process_mounts_add(struct box *b, const struct policy *p,
		       int (*ready)(void *arg, const struct box_mount *m, size_t n, struct err *e),
		       void *arg, struct err *e)
{
	struct told t = {.v = arena_array(b->a, p->mounts.n, sizeof(*t.v)), .max = p->mounts.n};
	buf_auto enc = BUF_WRITER(POLICY_MAX);
	bool said = false, spawned = false;
	struct launch l;
	int r;

	for (size_t i = 0; i < t.max; i++)
		t.v[i].destination = p->mounts.v[i].destination;
	r = begin(&l, b, p, &enc, e);
	if (r == 0)
		r = sources_open_live(p, b->host, b->a, &l.boot, &l.src, e);
	if (r == 0)
		r = launch_spawn(&l, b, e);
	if (r == 0) {
		spawned = true;
		r = follow(l.spawn.sync_parent, &t, &said, e);
	}
	if (r == 0 && t.n != t.max)
		r = err_set(e, -EPROTO, "unexpected message from the stage");
	if (r == 0) {
		r = ready(arg, t.v, t.n, e);
		said = r < 0; /* it is there and hears of it */
	}
	if (r == 0)
		(void) msg_send(l.spawn.sync_parent, MSG_ACK, NULL, 0);
	finish(&l);
	if (r < 0 && spawned && !said)
		undo(b, &t, e);
	return r;
}

int process_mounts_remove(struct box *b, const struct box_mount *m, size_t n, size_t *ret_gone,
			  struct err *e)
{
	struct told t = {.v = arena_array(b->a, n, sizeof(*t.v)), .max = n};
	struct policy p = *b->policy;
	buf_auto enc = BUF_WRITER(POLICY_MAX);
	struct launch l;
	bool said;
	int r;

	*ret_gone = 0;
	p.mounts.n = 0;
	r = begin(&l, b, &p, &enc, e);
	if (r == 0) {
		l.boot.unmounts.v = arena_array(b->a, n, sizeof(*l.boot.unmounts.v));
		l.boot.unmounts.n = n;
		for (size_t i = 0; i < n; i++)
			l.boot.unmounts.v[i] = (struct stage_unmount){m[i].destination, m[i].id,
								      m[i].unique};
		r = launch_spawn(&l, b, e);
	}
	if (r == 0)
		r = follow(l.spawn.sync_parent, &t, &said, e);
	finish(&l);
	*ret_gone = t.n;
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From a state record to a box that a backend can act on, and the end of a container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/str.h"
#include "cmd/audited.h"
#include "cmd/box.h"
#include "hooks/hooks.h"
#include "policy/codec.h"
#include "spec/out.h"

#define POLICY_MAX (16u << 20)

void box_from_record(struct globals *g, struct state *s, struct box *b)
{
	struct state_record *r = s->rec;

	*b = (struct box){
		.id = r->id,
		.bundle = r->bundle ? r->bundle : "",
		.oci_version = r->oci_version ? r->oci_version : OCI_VERSION,
		.annotations = &r->annotations,
		.host = &g->host,
		.cg = &r->cg,
		.rdt = &r->rdt,
		.a = g->a,
		.dir_fd = s->dir_fd,
		.cache_dir = arena_printf(g->a, "%s/.seccomp", cmd_root(g)),
		.hook_env = cmd_environ(),
		.pid = (pid_t) r->pid,
		.pidfd = s->pidfd,
		.pid_start = r->pid_start,
		.ns_flags = r->ns_flags,
		.shared_pidns = r->shared_pidns,
		.sync_fd = -EBADF,
		.stop_fd = -EBADF,
		.init_pidfd = -EBADF,
		.hook_out = -EBADF,
		.hook_err = -EBADF,
		.root_image = -EBADF,
		.listener_path = r->listener_path,
		.listener_metadata = r->listener_metadata,
	};
}

int box_load(struct globals *g, const char *id, enum op op, enum state_lock lock, bool force,
	     struct loaded *ret, struct err *e)
{
	struct loaded l = LOADED_INIT;
	int r;

	r = cmd_probe_host(g, e);
	if (r == 0)
		r = state_load(cmd_root(g), id, lock, force, g->a, &l.st, e);
	if (r < 0)
		return r;
	audited_by_record(g, l.st.rec);
	l.status = state_status(&l.st);
	box_from_record(g, &l.st, &l.box);
	r = op ? state_allow(op, l.status, id, e) : 0;
	if (r == 0) {
		/* a create that was killed before its first record had no backend's side effects yet */
		l.ops = backend_find(l.st.rec->backend ? l.st.rec->backend : POL_BACKEND_PROCESS,
				     e);
		r = l.ops ? 0 : e->code;
	}
	if (r < 0) {
		state_close(&l.st);
		return r;
	}
	*ret = l;
	return 0;
}

void box_close(struct loaded *l)
{
	if (l->box.pidfd != l->st.pidfd)
		fd_close(l->box.pidfd);
	fd_close(l->box.sync_fd);
	fd_close(l->box.hook_out);
	if (l->box.hook_err != l->box.hook_out)
		fd_close(l->box.hook_err);
	l->box.pidfd = l->box.sync_fd = l->box.hook_out = l->box.hook_err = -EBADF;
	state_close(&l->st);
}

int box_read_policy(struct globals *g, struct state *s, struct box *b, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];
	int r;

	r = io_read_at(s->dir_fd, "policy", O_NOFOLLOW, POLICY_MAX, g->a, &b->policy_enc);
	if (r == -ENOENT) /* deleted since we read its record */
		return err_set_id(e, ERR_NO_CONTAINER, r,
				  "container \"%s\" does not exist any more", b->id);
	if (r < 0)
		return err_neg(e, r, "reading the sealed policy of container %s", b->id);
	policy_digest(b->policy_enc.v, b->policy_enc.n, digest);
	sha256_hex(digest, hex);
	if (!str_eq0(hex, s->rec->policy_digest))
		return err_set(e, -EINVAL,
			       "container %s: the stored policy is not the one it was created with",
			       b->id);
	return policy_decode(b->policy_enc.v, b->policy_enc.n, g->a, &b->policy, e);
}

static int open_log(const char *path, const char *what, int *ret, struct err *e)
{
	if (!path || *ret >= 0)
		return 0;
	*ret = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return *ret < 0 ? err_sys(e, "annotation %s: %s", what, path) : 0;
}

int box_hook_files(const struct state_record *r, struct box *b, struct err *e)
{
	int n = open_log(r->hook_out, "run.oci.hooks.stdout", &b->hook_out, e);

	return n < 0 ? n : open_log(r->hook_err, "run.oci.hooks.stderr", &b->hook_err, e);
}

int box_hooks(struct box *b, enum hook_phase phase, const pol_hooks *h, struct err *e)
{
	struct hook_state st = box_hook_state(b);

	if (phase == HOOK_POSTSTOP)
		st.pid = 0;
	return hooks_run_phase(phase, h, &st, b->hook_env, b->hook_out, b->hook_err, NULL, e);
}

/* What was recorded is wanted after the end, and engines delete a container at once. */
static void keep_calls(struct globals *g, const struct box *b)
{
	const char *dir = arena_printf(g->a, "%s/" BOX_RECORDED, cmd_root(g));

	if (!str_eq0(b->listener_path, POL_LISTENER_RECORD))
		return;
	if ((mkdir(dir, 0700) < 0 && errno != EEXIST) ||
	    (renameat(b->dir_fd, BOX_CALLS, AT_FDCWD, arena_printf(g->a, "%s/%s", dir, b->id)) <
		     0 &&
	     errno != ENOENT))
		log_warn("container %s: keeping what was recorded in %s: %s", b->id, dir,
			 err_errno_text(errno));
}

int box_delete(struct globals *g, struct state *s, struct box *b, const struct backend_ops *ops,
	       struct err *e)
{
	struct err sub = ERR_INIT;
	int r;

	audited_oom(g, s->rec,
		    ops->ooms ? ops->ooms(b) : 0); /* its cgroup tells, as long as it is there */
	r = ops->destroy(b, e);
	if (r == 0)
		audited_gone(g, s->rec);
	if (r < 0)
		return audited_result(g, AUDIT_DELETE, b->id, s->rec, NULL, 0, r, e);
	/* warnings only, and before the directory goes: a killed delete runs them again rather than never (1.6) */
	if (box_hook_files(s->rec, b, &sub) < 0)
		log_warn("%s", sub.msg);
	err_clear(&sub);
	if (box_hooks(b, HOOK_POSTSTOP, &s->rec->poststop, &sub) < 0) {
		log_warn("%s", sub.msg);
		audited_failure(g, AUDIT_DELETE, b->id, s->rec, &sub);
	}
	keep_calls(g, b);
	r = state_remove(s, e);
	return audited_result(g, AUDIT_DELETE, b->id, s->rec, NULL, 0, r, e);
}

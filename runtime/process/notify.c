/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp notification: the fd that the stage got from the kernel goes to the agent that listens on listenerPath,
 * with the container process state (S-53, spec/config-linux "containerprocessstate"): one JSON document and the fd
 * in the first message, then the connection is closed. Where kavach itself is to report what is denied or to record what is
 * called, it goes to a process that does that.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/sys.h"
#include "hooks/hooks.h"
#include "process/process.h"
#include "seccomp/record.h"
#include "seccomp/report.h"
#include "seccomp/seccomp.h"

static void state_write(struct buf *out, const struct box *b)
{
	struct hook_state st = box_hook_state(b);
	struct jsonw w;

	if (b->init_pid)
		st.pid = b->init_pid;
	jw_init(&w, out, false);
	jw_obj(&w);
	jw_kstr(&w, "ociVersion", b->oci_version);
	jw_key(&w, "fds");
	jw_arr(&w);
	jw_str(&w, "seccompFd");
	jw_arr_end(&w);
	jw_ki64(&w, "pid", b->pid);
	if (b->listener_metadata)
		jw_kstr(&w, "metadata", b->listener_metadata);
	jw_key(&w, "state");
	hook_state_json(&w, &st, b->status);
	jw_obj_end(&w);
}

/* The filters as they are without the report: what they answer is what the process gets. */
static int report(struct box *b, int listener, struct err *e)
{
	const struct policy *p = b->policy;
	size_t n = p->stacked.n + p->seccomp.set;
	struct bytes *from = arena_array(b->a, n, sizeof(*from));
	fd_auto int out = openat(b->dir_fd, BOX_DENIED,
				 O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = 0;

	if (out < 0)
		return err_sys(e, "making the file for the report of denied calls");
	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_get(i < p->stacked.n ? &p->stacked.v[i] : &p->seccomp, b->cache_dir,
				b->a, &from[i], e);
	return r < 0 ? r : report_start(from, n, listener, out, b->report_loud, e);
}

static int record(const struct box *b, int listener, struct err *e)
{
	fd_auto int out = openat(b->dir_fd, BOX_CALLS,
				 O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (out < 0)
		return err_sys(e, "making the file for the calls that are recorded");
	return record_start(listener, out, e);
}

int seccomp_hand_over(struct box *b, int remote, struct err *e)
{
	fd_auto int fd = -EBADF, sock = -EBADF;
	buf_auto doc = BUF_WRITER(1u << 20);
	int r;

	if (!b->listener_path)
		return err_set(e, -EPROTO, "a seccomp listener nobody asked for");
	fd = sys_pidfd_getfd(b->pidfd, remote);
	if (fd < 0)
		return err_neg(e, fd, "taking the seccomp notify fd");
	if (b->policy && pol_reports_denied(b->policy))
		return report(b, fd, e);
	if (str_eq(b->listener_path, POL_LISTENER_RECORD))
		return record(b, fd, e);
	sock = unix_connect(b->listener_path, e);
	if (sock < 0)
		return err_context(e, "linux.seccomp.listenerPath");
	state_write(&doc, b);
	if (doc.bad)
		return err_set(e, -EFBIG,
			       "linux.seccomp.listenerPath: the state document is too large");
	r = fd_send(sock, doc.p, doc.n, &fd, 1);
	return r < 0 ? err_neg(e, r, "linux.seccomp.listenerPath: sending the notify fd to %s",
			       b->listener_path)
		     : 0;
}

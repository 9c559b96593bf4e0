/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to a VM that exists. What concerns the workload is asked of the monitor, which asks the guest; what
 * concerns the VM as a whole (its cgroup, its end) is done as for a process.
 */
#include <errno.h>
#include <poll.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/io.h"
#include "json/read.h"
#include "policy/host_may.h"
#include "process/process.h"
#include "vm/vm.h"
#include "vm/boot.h"
#include "vm/control.h"
#include "vm/evidence.h"
#include "vm/launch.h"
#include "vm/split.h"

#define ANSWER_MS 10000
#define LAUNCH_MS 120000 /* memory is encrypted before there is something to show */
#define ATTEST_MS 60000	 /* the secure processor may be busy */
#define KILL_MS 3000 /* for the monitor to say how long it gives the guest, and more than that */
#define UPDATE_MAX (1u << 20)

static bool frozen(const struct box *b)
{
	return b->cg->layout != CG_NONE && cgroup_frozen(b->cg) == 1;
}

static bool ended(const struct box *b, int ms)
{
	struct pollfd p = {.fd = b->pidfd, .events = POLLIN};

	return b->pidfd < 0 || poll(&p, 1, ms) > 0;
}

static int call(struct box *b, enum ctl_type t, const void *body, size_t n, struct err *e)
{
	struct ctl_msg *m = arena_new(b->a, struct ctl_msg);

	return ctl_call(b->dir_fd, t, body, n, NULL, 0, ANSWER_MS, CTL_OK, m, e);
}

/* The guest's file systems are written first, for as long as that is worth waiting for. */
static bool end_gently(struct box *b)
{
	struct ctl_msg *m = arena_new(b->a, struct ctl_msg);
	struct err ignored = ERR_INIT;
	uint32_t ms = 0;

	if (b->pidfd < 0 || frozen(b))
		return false;
	if (ctl_call(b->dir_fd, CTL_KILL, NULL, 0, NULL, 0, KILL_MS, CTL_ENDS, m, &ignored) == 0)
		memcpy(&ms, m->body, sizeof(ms));
	return ended(b, ms < INT32_MAX - KILL_MS ? (int) ms + KILL_MS : INT32_MAX);
}

int vm_signal(struct box *b, int sig, bool all, struct err *e)
{
	const struct ctl_signal s = {(uint32_t) sig, all};
	static const struct policy nothing_allowed = {.vm = {.set = true}};
	struct err ignored = ERR_INIT;
	bool asks = host_may_signal(&nothing_allowed, sig, &ignored) < 0;

	if (sig == SIGKILL) {
		if (end_gently(b))
			return 0;
		return process_signal(b, sig, all, e);
	}
	/* The monitor forwards what it can catch; SIGSTOP would stop it, and "all" are the guest's processes. What the policy
	 * may forbid goes where there is an answer. */
	if ((all || asks) && !frozen(b))
		return call(b, CTL_SIGNAL, &s, sizeof(s), e);
	return process_signal(b, sig, false, e);
}

/* QEMU's clocks stop first, so that the guest does not see the pause as time that it lost; then whatever is around it. */
int vm_pause(struct box *b, bool on, struct err *e)
{
	int r = on ? call(b, CTL_PAUSE, NULL, 0, e) : process_pause(b, false, e);

	if (r < 0)
		return r;
	if (!on)
		return call(b, CTL_RESUME, NULL, 0, e);
	r = process_pause(b, true, e);
	if (r < 0) {
		struct err ignored = ERR_INIT;

		(void) call(b, CTL_RESUME, NULL, 0, &ignored);
	}
	return r;
}

int vm_update(struct box *b, const struct pol_resources *r, struct err *e)
{
	struct ctl_msg *m = arena_new(b->a, struct ctl_msg);
	buf_auto enc = BUF_WRITER(UPDATE_MAX);
	struct pol_resources host, guest;
	fd_auto int fd = -EBADF;
	int n;

	split_resources_host(r, b->a, &host);
	split_resources_guest(r, b->a, &guest);
	codec_encode(&enc, &pol_resources_table, &guest);
	if (enc.bad)
		return err_set(e, -EFBIG, "the limits are too large");
	if (frozen(b))
		return err_set(e, -EBUSY, "container %s is paused: its guest cannot be asked",
			       b->id);
	fd = io_memfd("kavach-update", enc.p, enc.n);
	if (fd < 0)
		return err_neg(e, fd, "handing over the limits");
	n = ctl_call(b->dir_fd, CTL_UPDATE, NULL, 0, &fd, 1, ANSWER_MS, CTL_OK, m, e);
	return n < 0 ? n : process_update(b, &host, e);
}

/* The guest's view is what a container is asked for; the host's, of the whole VM, is a member of it. What the guest says
 * goes to an engine: it must at least be one JSON object. */
static int merge(struct box *b, const struct ctl_msg *m, const struct buf *host, struct buf *out,
		 struct err *e)
{
	const char *text = (const char *) m->body;
	struct json_doc doc;
	size_t n = m->n;
	int r = json_read("the guest's statistics", text, n, b->a, &doc, e);

	if (r < 0)
		return r;
	while (n && text[n - 1] != '}')
		n--;
	if (doc.root->type != JSON_OBJECT || !n)
		return err_set(e, -EPROTO, "the guest's statistics are no object");
	for (size_t i = 0; i < n - 1; i++)
		if ((unsigned char) text[i] >=
		    ' ') /* blanks between tokens; strings have none of these */
			buf_put(out, text + i, 1);
	if (doc.root->n)
		buf_put(out, ",", 1);
	buf_put(out, "\"vm\":", 5);
	buf_put(out, host->p, host->n);
	buf_put(out, "}", 1);
	return 0;
}

int vm_stats(struct box *b, struct buf *out, struct err *e)
{
	struct ctl_msg *m = arena_new(b->a, struct ctl_msg);
	buf_auto host = BUF_WRITER(1u << 20);
	int r = process_stats(b, &host, e);

	if (r < 0)
		return r;
	if (frozen(b)) { /* the guest cannot be asked */
		buf_put(out, host.p, host.n);
		return 0;
	}
	r = ctl_call(b->dir_fd, CTL_STATS, NULL, 0, NULL, 0, ANSWER_MS, CTL_BODY, m, e);
	if (r == -EPERM) { /* its policy says that the guest is not to be asked */
		err_clear(e);
		buf_put(out, host.p, host.n);
		return 0;
	}
	return r < 0 ? r : merge(b, m, &host, out, e);
}

/* Of the container's cgroup in the guest; that of the host has the whole VM in it. */
int64_t vm_ooms(struct box *b)
{
	struct stat st;

	if (fstatat(b->dir_fd, MONITOR_OOM, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? st.st_size : -EINVAL;
}

int vm_oom_fd(struct box *b, struct err *e)
{
	fd_auto int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	const char *path = arena_printf(b->a, "/proc/self/fd/%d/" MONITOR_OOM, b->dir_fd);

	if (fd < 0)
		return err_sys(e, "watch for OOM: inotify");
	if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
		return err_sys(e, "watch for OOM: %s of the state directory", MONITOR_OOM);
	return fd_take(&fd);
}

int vm_destroy(struct box *b, struct err *e)
{
	if (b->pidfd >= 0 && !ended(b, 0))
		(void) end_gently(b);
	return process_destroy(b, e);
}

/* ---- the owner of an SEV guest ---- */

int vm_launch_show(struct box *b, struct bytes *ret, struct err *e)
{
	struct ctl_msg *m = arena_new(b->a, struct ctl_msg);
	int r = ctl_call(b->dir_fd, CTL_LAUNCH, NULL, 0, NULL, 0, LAUNCH_MS, CTL_BODY, m, e);

	if (r == 0)
		*ret = (struct bytes){m->body, m->n};
	return r;
}

int vm_launch_release(struct box *b, const char *header, const char *secret, struct err *e)
{
	struct ctl_msg *m = arena_new(b->a, struct ctl_msg);
	const char *body = header ? arena_printf(b->a, "%s %s", header, secret) : "";

	return ctl_call(b->dir_fd, CTL_RELEASE, body, strlen(body), NULL, 0, LAUNCH_MS, CTL_OK, m,
			e);
}

/* ---- evidence ---- */

int vm_attest(struct box *b, struct bytes nonce, struct bytes *ret, struct err *e)
{
	struct ctl_msg *m = arena_new(b->a, struct ctl_msg);
	int r = ctl_call(b->dir_fd, CTL_ATTEST, nonce.v, nonce.n, NULL, 0, ATTEST_MS, CTL_BODY, m,
			 e);

	if (r == 0)
		*ret = (struct bytes){m->body, m->n};
	return r;
}

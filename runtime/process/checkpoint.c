/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: CRIU saves the processes of a container into a directory of images.
 *
 * Beside the images we leave descriptors.json there, as runc and crun do: what the first process has as descriptors 0, 1
 * and 2, so that a restore can put the engine's new pipes in their places.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "base/str.h"
#include "criu/criu.h"
#include "criu/plan.h"
#include "process/process.h"

/* ---- descriptors ---- */

static uint32_t mount_of(pid_t pid, int fd)
{
	char path[64], text[512], *at;
	uint32_t id = 0;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int) pid, fd);
	if (io_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, "mnt_id:");
	if (!at)
		return 0;
	at += strlen("mnt_id:");
	at += strspn(at, " \t");
	n = strcspn(at, "\n");
	at[n] = 0;
	return num_parse_u32(at, &id) < 0 ? 0 : id;
}

static void stdio_name(const struct box *b, const struct plan *pl, int fd, struct rpc_opts *o,
		       struct jsonw *w)
{
	char path[48], link[PATH_MAX];
	struct stat st = {0};
	bool external;
	char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) b->pid, fd);
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = 0;
	if (stat(path, &st) < 0)
		st.st_mode = 0;
	name = plan_stdio(pl, link, S_ISREG(st.st_mode), mount_of(b->pid, fd), st.st_ino,
			  &external);
	if (external)
		*rpc_add(b->a, &o->external) = name;
	jw_str(w, name ? name : link);
}

static int save_stdio(const struct box *b, const struct box_criu *c, const struct plan *pl,
		      struct rpc_opts *o, struct err *e)
{
	buf_auto out = BUF_WRITER(64u << 10);
	struct jsonw w;
	int r;

	jw_init(&w, &out, false);
	jw_arr(&w);
	for (int fd = 0; fd < 3; fd++)
		stdio_name(b, pl, fd, o, &w);
	jw_arr_end(&w);
	r = io_replace_at(c->image_fd, "descriptors.json", 0600, out.p, out.n);
	return r < 0 ? err_neg(e, r, "writing %s/descriptors.json", c->image_path) : 0;
}

/* ---- namespaces ---- */

/* CRIU restores what it saved; a namespace that was joined is somebody else's to keep. */
static int add_external_ns(const struct box *b, enum pol_ns_type type, const char *name,
			   const char *key, struct rpc_opts *o, struct err *e)
{
	const struct pol_ns *ns = pol_ns_find(b->policy, type);
	struct stat st;

	if (!ns || !ns->path)
		return 0;
	if (stat(ns->path, &st) < 0)
		return err_sys(e, "linux.namespaces: the %s namespace %s", name, ns->path);
	*rpc_add(b->a, &o->external) = arena_printf(b->a, "%s[%llu]:%s", name,
						    (unsigned long long) st.st_ino, key);
	return 0;
}

/* ---- the request ---- */

static char *freezer(const struct box *b)
{
	for (size_t i = 0; i < b->cg->hier.n; i++) {
		const struct cg_hier *h = &b->cg->hier.v[i];

		if (b->cg->layout == CG_V2 || str_eq(h->name, "freezer"))
			return arena_printf(b->a, "%s%s", h->mount, h->path);
	}
	return NULL;
}

static int fill_outside(const struct box *b, const struct box_criu *c, struct rpc_opts *o,
			struct err *e)
{
	fd_auto int root = -EBADF;
	struct plan pl;
	char path[48];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/root", (int) b->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "opening the container's root");
	r = criu_plan(b, root, b->pid, &pl, e);
	if (r < 0)
		return r;
	r = add_external_ns(b, POL_NS_NET, "net", CRIU_NET_KEY, o, e);
	if (r == 0)
		r = add_external_ns(b, POL_NS_PID, "pid", CRIU_PID_KEY, o, e);
	if (r < 0 || c->pre_dump)
		return r; /* memory only: the rest is asked for by the dump that follows */
	plan_dump(&pl, o);
	return save_stdio(b, c, &pl, o, e);
}

static int fill_opts(const struct box *b, const struct box_criu *c, struct rpc_opts *o,
		     struct err *e)
{
	criu_opts_common(b, c, o);
	o->pid = (struct opt_i64){true, b->pid};
	o->log_file = (char *) (uintptr_t) "dump.log";
	o->leave_running = c->leave_running;
	o->tcp_skip_in_flight = c->tcp_skip_in_flight;
	o->link_remap = c->link_remap;
	o->freeze_cgroup = freezer(b);
	o->parent = (char *) (uintptr_t) c->parent;
	/* what a later dump can leave out has to be watched from now on */
	o->track_mem = c->pre_dump || c->parent;
	if (c->status_fd >= 0)
		o->status_fd = (struct opt_i64){true, c->status_fd};
	if (c->page_server) {
		o->page_server = arena_new(b->a, struct rpc_page_server);
		o->page_server->address = (char *) (uintptr_t) c->page_server;
		o->page_server->port = (struct opt_i64){true, c->page_server_port};
	}
	return fill_outside(b, c, o, e);
}

int process_checkpoint(struct box *b, const struct box_criu *c, struct err *e)
{
	const int fds[] = {c->image_fd, c->work_fd, c->status_fd};
	const struct criu_child child = {
		.survives = true, .keep = fds, .n = c->status_fd >= 0 ? 3 : 2};
	struct criu criu = CRIU_INIT;
	struct rpc_resp resp = {0};
	struct rpc_opts o;
	struct rpc_req req = {.type = {true, c->pre_dump ? RPC_PRE_DUMP : RPC_DUMP}, .opts = &o};
	int r;

	r = criu_version(c->program, b->a, e);
	if (r == 0)
		r = fill_opts(b, c, &o, e);
	if (r == 0)
		r = criu_start(&criu, c->program, &child, b->a, e);
	if (r < 0)
		return r;
	r = criu_call(&criu, &req, NULL, NULL, &resp, e);
	criu_end(&criu, r < 0);
	if (r == 0 && !resp.success)
		r = criu_failed(&resp, c->pre_dump ? "pre-dump" : "checkpoint", c->work_fd,
				c->work_path, "dump.log", b->a, e);
	return r;
}

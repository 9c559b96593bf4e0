/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoint and restore have in common on the command line. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cmd/criu_args.h"

/* enum criu_cg_mode */
static const struct name_val cg_modes[] = {
	{"ignore", 0}, {"none", 1}, {"props", 2}, {"soft", 3}, {"full", 4}, {"strict", 5},
};
/* enum criu_network_lock_method */
static const struct name_val network_locks[] = {{"iptables", 1}, {"nftables", 2}, {"skip", 3}};

static int pick(const char *opt, const struct name_val *t, size_t n, const char *v,
		const char *expected, struct opt_i64 *ret, struct err *e)
{
	const struct name_val *row;

	if (!v)
		return 0;
	row = name_find(t, n, v);
	if (!row)
		return err_set_id(e, ERR_USAGE, -EINVAL, "--%s: expected %s, found \"%s\"", opt,
				  expected, v);
	*ret = (struct opt_i64){true, row->val};
	return 0;
}

/* "ADDRESS:PORT"; an IPv6 address may stand in brackets. CRIU's copy of the address is ours to cut. */
static int page_server(char *v, struct box_criu *ret, struct err *e)
{
	char *colon = v ? strrchr(v, ':') : NULL;
	size_t n;

	if (!v)
		return 0;
	if (!colon || num_parse_u32(colon + 1, &ret->page_server_port) < 0 ||
	    ret->page_server_port == 0 || ret->page_server_port > 65535)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--page-server: expected ADDRESS:PORT, found \"%s\"", v);
	*colon = 0;
	n = strlen(v);
	if (n > 2 && v[0] == '[' && v[n - 1] == ']') {
		v[n - 1] = 0;
		v++;
	}
	ret->page_server = v;
	return 0;
}

static int empty_ns(const struct strs *l, struct box_criu *ret, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		/* the only one that CRIU can leave empty */
		if (!str_eq(l->v[i], "network"))
			return err_set_id(e, ERR_USAGE, -EINVAL,
					  "--empty-ns: expected network, found \"%s\"", l->v[i]);
		ret->empty_ns = (struct opt_i64){true, CLONE_NEWNET};
	}
	return 0;
}

int criu_args_decide(const struct criu_args *o, struct box_criu *ret, struct err *e)
{
	int r;

	*ret = (struct box_criu){
		.image_fd = -EBADF,
		.work_fd = -EBADF,
		.status_fd = o->status_fd.set ? (int) o->status_fd.v : -EBADF,
		.parent = o->parent_path,
		.lsm_profile = o->lsm_profile,
		.lsm_mount_context = o->lsm_mount_context,
		.leave_running = o->leave_running,
		.pre_dump = o->pre_dump,
		.tcp_established = o->tcp_established,
		.tcp_skip_in_flight = o->tcp_skip_in_flight,
		.tcp_close = o->tcp_close,
		.ext_unix_sk = o->ext_unix_sk,
		.shell_job = o->shell_job,
		.lazy_pages = o->lazy_pages,
		.file_locks = o->file_locks,
		.auto_dedup = o->auto_dedup,
		.link_remap = o->link_remap,
	};
	if (o->parent_path && o->parent_path[0] == '/')
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"--parent-path: expected a path relative to --image-path, found \"%s\"",
			o->parent_path);
	/* not one that a directory of ours would get */
	if (o->status_fd.set && (o->status_fd.v > INT32_MAX || fcntl(ret->status_fd, F_GETFD) < 0))
		return err_set_id(e, ERR_USAGE, -EBADF,
				  "--status-fd: file descriptor %llu is not open",
				  (unsigned long long) o->status_fd.v);
	r = pick("manage-cgroups-mode", cg_modes, ARRAY_LEN(cg_modes), o->cg_mode,
		 "ignore, none, props, soft, full or strict", &ret->cg_mode, e);
	if (r == 0)
		r = pick("network-lock", network_locks, ARRAY_LEN(network_locks), o->network_lock,
			 "iptables, nftables or skip", &ret->network_lock, e);
	if (r == 0)
		r = page_server((char *) (uintptr_t) o->page_server, ret, e);
	return r == 0 ? empty_ns(&o->empty_ns, ret, e) : r;
}

static int open_dir(struct globals *g, const char *opt, const char *path, bool make,
		    const char **ret_path, struct err *e)
{
	fd_auto int top = -EBADF;
	char *abs;
	int fd, r;

	r = cmd_abs_path(g->a, path, &abs, e);
	if (r < 0)
		return r;
	*ret_path = abs;
	top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_sys(e, "opening /");
	/* what a process had in its memory is nobody else's business */
	fd = make ? path_mkdir_in(top, abs, 0700) : open(abs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_neg(e, make ? fd : -errno, "--%s: the directory %s", opt, abs);
	return fd;
}

int criu_args_dirs(struct globals *g, const struct criu_args *o, bool make, struct box_criu *ret,
		   struct err *e)
{
	const char *path = o->image_path ? o->image_path : "checkpoint";

	ret->image_fd = open_dir(g, "image-path", path, make, &ret->image_path, e);
	if (ret->image_fd < 0)
		return ret->image_fd;
	ret->work_fd = open_dir(g, o->work_path ? "work-path" : "image-path",
				o->work_path ? o->work_path : path, true, &ret->work_path, e);
	return ret->work_fd < 0 ? ret->work_fd : 0;
}

void criu_args_close(struct box_criu *c)
{
	c->image_fd = fd_close(c->image_fd);
	c->work_fd = fd_close(c->work_fd);
}

char *criu_args_config(const struct kvs *annotations, struct arena *a)
{
	static const char *const files[] = {"/etc/criu/kavach.conf", "/etc/criu/runc.conf"};

	for (size_t i = 0; i < annotations->n; i++)
		if (str_eq(annotations->v[i].key, "org.criu.config"))
			return str_empty(annotations->v[i].val) ? NULL : annotations->v[i].val;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (access(files[i], R_OK) == 0)
			return arena_strdup(a, files[i]);
	return NULL;
}

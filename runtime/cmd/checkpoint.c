/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint: saves a running container with CRIU; unless it is to go on, it is deleted then, as with runc and crun. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/audited.h"
#include "cmd/criu_args.h"
#include "criu/criu.h"

#define O(field) offsetof(struct criu_args, field)

static const struct opt opts_table[] = {
	{"image-path", 0, OPT_STR, "DIR", "where the images go (default: checkpoint)",
	 O(image_path)},
	{"work-path", 0, OPT_STR, "DIR", "where the log goes (default: the images)", O(work_path)},
	{"parent-path", 0, OPT_STR, "DIR",
	 "images of a pre-dump to build on, relative to --image-path", O(parent_path)},
	{"pre-dump", 0, OPT_FLAG, NULL, "save only the memory, and let the container go on",
	 O(pre_dump)},
	{"leave-running", 0, OPT_FLAG, NULL, "let the container go on", O(leave_running)},
	{"tcp-established", 0, OPT_FLAG, NULL, "save open TCP connections", O(tcp_established)},
	{"tcp-skip-in-flight", 0, OPT_FLAG, NULL, "leave out connections that are being made",
	 O(tcp_skip_in_flight)},
	{"ext-unix-sk", 0, OPT_FLAG, NULL, "allow sockets whose other end is outside",
	 O(ext_unix_sk)},
	{"shell-job", 0, OPT_FLAG, NULL, "allow a session and a terminal from outside",
	 O(shell_job)},
	{"file-locks", 0, OPT_FLAG, NULL, "save file locks", O(file_locks)},
	{"link-remap", 0, OPT_FLAG, NULL, "save open files that have no name any more",
	 O(link_remap)},
	{"auto-dedup", 0, OPT_FLAG, NULL, "remove from parent images what is saved anew",
	 O(auto_dedup)},
	{"lazy-pages", 0, OPT_FLAG, NULL, "serve the memory instead of saving it (--page-server)",
	 O(lazy_pages)},
	{"status-fd", 0, OPT_U32, "N", "gets a null byte when lazy pages are served", O(status_fd)},
	{"page-server", 0, OPT_STR, "ADDRESS:PORT", "the page server that takes the memory",
	 O(page_server)},
	{"manage-cgroups-mode", 0, OPT_STR, "MODE", "ignore, soft, full or strict", O(cg_mode)},
	{"network-lock", 0, OPT_STR, "METHOD",
	 "how the network is held meanwhile: iptables, nftables or skip", O(network_lock)},
	{"empty-ns", 0, OPT_STRS, "NAMESPACE", "do not save what is in it: network", O(empty_ns)},
};

static bool is_empty(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	bool empty = true;

	if (!dir) {
		fd_close(fd);
		return false;
	}
	while (empty && (d = readdir(dir)))
		empty = str_eq(d->d_name, ".") || str_eq(d->d_name, "..");
	closedir(dir);
	return empty;
}

/* Half of a checkpoint is none. The log stays: the message names it. */
static void remove_images(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		fd_close(fd);
		return;
	}
	while ((d = readdir(dir)))
		if (str_has_suffix(d->d_name, ".img") || str_eq(d->d_name, "descriptors.json") ||
		    str_eq(d->d_name, "parent") || str_eq(d->d_name, "stats-dump"))
			(void) unlinkat(dir_fd, d->d_name, 0);
	closedir(dir);
}

/* The memory of the processes goes to disk, and so does what is in a file system like that of the secrets. */
static int check_secrets(const struct policy *p, const char *id, struct err *e)
{
	if (!p->secrets.n)
		return 0;
	return err_set(
		e, -EPERM,
		"container %s has the secret %s%s, which would be written to disk with the images: "
		"it cannot be saved",
		id, p->secrets.v[0].name, p->secrets.n > 1 ? " and others" : "");
}

static int save(struct globals *g, const char *id, struct box_criu *c, struct err *e)
{
	const struct audit_field f[] = {
		{.name = "images", .s = c->image_path},
		{.name = "running", .n = c->leave_running || c->pre_dump},
	};
	box_auto l = LOADED_INIT;
	int r;

	r = box_load(g, id, OP_CHECKPOINT, STATE_LOCK, false, &l, e);
	if (r == 0)
		r = box_read_policy(g, &l.st, &l.box, e);
	if (r == 0)
		r = check_secrets(l.box.policy, id, e);
	if (r < 0)
		return r;
	if (!l.ops->checkpoint)
		return err_set(e, -ENOTSUP, "container %s: there is no checkpoint with backend %s",
			       id, l.ops->name);
	if (l.box.policy->landlock.n)
		return err_set(
			e, -ENOTSUP,
			"container %s: CRIU cannot save Landlock layers, and it is behind one "
			"(preset strict, site rules)",
			id);
	if (l.st.rec->listener_path)
		return err_set(
			e, -ENOTSUP,
			"container %s: CRIU cannot save a seccomp filter that somebody outside "
			"answers for",
			id);
	c->config_file = criu_args_config(&l.st.rec->annotations, g->a);
	/* the memory goes to disk, and what is secret in it: where nothing may go unrecorded, the record comes first */
	if (g->audit.required) {
		r = audited(g, AUDIT_CHECKPOINT, AUDIT_ATTEMPT, id, l.st.rec, f, ARRAY_LEN(f), e);
		if (r < 0)
			return r;
	}
	r = l.ops->checkpoint(&l.box, c, e);
	if (r < 0)
		r = err_context(e, "container %s", id);
	r = audited_result(g, AUDIT_CHECKPOINT, id, l.st.rec, f, ARRAY_LEN(f), r, e);
	if (r < 0)
		return r;
	if (c->leave_running || c->pre_dump)
		return 0;
	return box_delete(g, &l.st, &l.box, l.ops, e);
}

static int cmd_checkpoint(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	const struct criu_args *o = opts;
	struct box_criu c;
	bool was_empty;
	char *program;
	int r;

	(void) argc;
	r = criu_args_decide(o, &c, e);
	if (r == 0)
		r = criu_find(g->criu, g->a, &program, e);
	if (r < 0)
		return r;
	c.program = program;
	r = criu_args_dirs(g, o, true, &c, e);
	was_empty = r == 0 && is_empty(c.image_fd);
	if (r == 0)
		r = save(g, argv[0], &c, e);
	if (r < 0 && was_empty) {
		remove_images(c.image_fd);
		(void) rmdir(c.image_path); /* unless the log is in it */
	}
	criu_args_close(&c);
	return r;
}

static int usable(struct globals *g, struct err *e)
{
	return criu_usable(g->criu, g->a, e);
}

const struct command command_checkpoint = {
	.name = "checkpoint",
	.args = "CONTAINER",
	.help = "save a running container to disk (needs criu)",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct criu_args),
	.min_args = 1,
	.max_args = 1,
	.usable = usable,
	.run = cmd_checkpoint,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* restore: a container from the images of a checkpoint; for the rest it is `run`. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "cmd/criu_args.h"
#include "criu/criu.h"
#include "json/decode.h"

#define O(field) offsetof(struct criu_args, field)

static const struct opt opts_table[] = {
	{"bundle", 'b', OPT_STR, "DIR", "bundle directory (default: the current one)", O(c.bundle)},
	{"config", 'f', OPT_STR, "FILE",
	 "name of the configuration in the bundle (default: config.json)", O(c.config)},
	{"image-path", 0, OPT_STR, "DIR", "where the images are (default: checkpoint)",
	 O(image_path)},
	{"work-path", 0, OPT_STR, "DIR", "where the log goes (default: the images)", O(work_path)},
	{"console-socket", 0, OPT_STR, "PATH", "AF_UNIX socket that receives the terminal",
	 O(c.console_socket)},
	{"detach", 'd', OPT_FLAG, NULL, "do not wait for the container to end", O(c.detach)},
	{"keep", 0, OPT_FLAG, NULL, "do not delete the container when it ends", O(c.keep)},
	{"pid-file", 0, OPT_STR, "FILE", "write the container's process id to FILE", O(c.pid_file)},
	{"tcp-established", 0, OPT_FLAG, NULL, "restore open TCP connections", O(tcp_established)},
	{"tcp-close", 0, OPT_FLAG, NULL, "restore TCP connections as closed ones", O(tcp_close)},
	{"ext-unix-sk", 0, OPT_FLAG, NULL, "allow sockets whose other end is outside",
	 O(ext_unix_sk)},
	{"shell-job", 0, OPT_FLAG, NULL, "allow a session and a terminal from outside",
	 O(shell_job)},
	{"file-locks", 0, OPT_FLAG, NULL, "restore file locks", O(file_locks)},
	{"auto-dedup", 0, OPT_FLAG, NULL, "give the images' pages free as they are read",
	 O(auto_dedup)},
	{"lazy-pages", 0, OPT_FLAG, NULL, "get the memory from a lazy-pages daemon when it is used",
	 O(lazy_pages)},
	{"manage-cgroups-mode", 0, OPT_STR, "MODE", "ignore, soft, full or strict", O(cg_mode)},
	{"network-lock", 0, OPT_STR, "METHOD",
	 "how the network is held meanwhile: iptables, nftables or skip", O(network_lock)},
	{"empty-ns", 0, OPT_STRS, "NAMESPACE", "make it, but restore nothing in it: network",
	 O(empty_ns)},
	{"lsm-profile", 0, OPT_STR, "TYPE:NAME", "another AppArmor profile or SELinux label",
	 O(lsm_profile)},
	{"lsm-mount-context", 0, OPT_STR, "CONTEXT", "another SELinux context for mounts",
	 O(lsm_mount_context)},
	{"no-pivot", 0, OPT_FLAG, NULL, "accepted; CRIU makes the root", O(c.no_pivot)},
	{"preserve-fds", 0, OPT_U32, "N", "accepted; the images have their own", O(c.preserve_fds)},
	{"no-subreaper", 0, OPT_IGNORE_FLAG, NULL, NULL, 0},
	{"no-new-keyring", 0, OPT_IGNORE_FLAG, NULL, NULL, 0},
};

/* descriptors.json: three strings. Images of a runtime that writes none are restored with what they have. */
static int read_stdio(struct globals *g, struct box_criu *c, struct err *e)
{
	struct json_doc d;
	struct json_node *n;
	struct bytes text;
	char *name = arena_printf(g->a, "%s/descriptors.json", c->image_path);
	int r;

	r = io_read_at(c->image_fd, "descriptors.json", O_NOFOLLOW, 1u << 16, g->a, &text);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_neg(e, r, "reading %s", name);
	r = json_read(name, (const char *) text.v, text.n, g->a, &d, e);
	if (r < 0)
		return r;
	if (d.root->type != JSON_ARRAY)
		return json_err(&d, d.root, e, "expected an array of strings, found %s",
				json_type_name(d.root->type));
	c->stdio.v = arena_array(g->a, d.root->n, sizeof(char *));
	for (n = d.root->child; n; n = n->next) {
		if (n->type != JSON_STRING)
			return json_err(&d, n, e, "expected a string, found %s",
					json_type_name(n->type));
		c->stdio.v[c->stdio.n++] = n->s;
	}
	return 0;
}

static int check_images(const struct box_criu *c, struct err *e)
{
	struct stat st;

	if (fstatat(c->image_fd, "inventory.img", &st, 0) == 0)
		return 0;
	return err_set(e, -ENOENT, "--image-path: %s has no images of a checkpoint in it",
		       c->image_path);
}

static int restore(struct globals *g, struct criu_args *o, struct box_criu *c, const char *id,
		   struct box_io *io, struct foreground *f, struct err *e)
{
	box_auto l = LOADED_INIT;
	struct bundle bd = {0};
	int r;

	r = criu_args_dirs(g, o, false, c, e);
	if (r == 0)
		r = check_images(c, e);
	if (r == 0)
		r = read_stdio(g, c, e);
	if (r < 0)
		return r;
	o->c.criu = c;
	r = container_create(g, &o->c, id, io, &l, &bd, e);
	if (r == 0)
		r = run_on(g, &o->c, &bd, &l, f, io->console_ours, e);
	return r;
}

static int cmd_restore(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct foreground f = {.pidfd = -EBADF, .pty = -EBADF, .sigfd = -EBADF};
	struct criu_args *o = opts;
	struct box_criu c;
	struct box_io io;
	char *program;
	int r;

	(void) argc;
	r = fds_check(&o->c.preserve_fds, &io, e);
	if (r == 0)
		r = criu_args_decide(o, &c, e);
	if (r == 0)
		r = criu_find(g->criu, g->a, &program, e);
	if (r < 0)
		return r;
	c.program = program;
	io.foreground = !o->c.detach;
	if (io.foreground) {
		r = foreground_begin(&f, e);
		io.stop_fd = f.sigfd;
	}
	if (r == 0)
		r = restore(g, o, &c, argv[0], &io, &f, e);
	criu_args_close(&c);
	fd_close(io.console_ours);
	foreground_end(&f);
	return r;
}

const struct command command_restore = {
	.name = "restore",
	.args = "CONTAINER",
	.help = "make a container from the images of a checkpoint (needs criu)",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct criu_args),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_restore,
};

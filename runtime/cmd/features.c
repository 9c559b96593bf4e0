/* SPDX-License-Identifier: Apache-2.0 */
/* --version, features and spec: what this build is, and a configuration to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "cgroup/scope.h"
#include "cmd/box.h"
#include "cmd/version.h"
#include "policy/names.h"
#include "seccomp/seccomp.h"
#include "spec/out.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif
#ifndef KAVACH_COMMIT
#define KAVACH_COMMIT NULL
#endif

static void line(struct buf *b, struct arena *a, const char *key, const char *val)
{
	char *s;

	if (!val)
		return;
	s = arena_printf(a, "%s: %s\n", key, val);
	buf_put(b, s, strlen(s));
}

void cmd_version(struct buf *b)
{
	static const char first[] = "kavach version " PACKAGE_VERSION "\n";
	arena_auto a = {0};

	buf_put(b, first, strlen(first));
	line(b, &a, "commit", KAVACH_COMMIT);
	line(b, &a, "spec", OCI_VERSION);
	line(b, &a, "libseccomp", seccomp_library(&a));
}

static int cmd_features(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct err none = ERR_INIT;
	char *helper;
	bool scope = cg_scope_find(g->a, &helper, &none) == 0;
	const struct out_features_in in = {
		.version = PACKAGE_VERSION,
		.commit = KAVACH_COMMIT,
		.libseccomp = seccomp_library(g->a),
		.mount_option = mount_option_name,
		.namespaces = {ns_names, ns_names_n},
		.capabilities = {cap_names, cap_names_n},
		.seccomp_actions = {seccomp_action_names, seccomp_action_names_n},
		.seccomp_operators = {seccomp_op_names, seccomp_op_names_n},
		.seccomp_archs = {seccomp_arch_names, seccomp_arch_names_n},
		.seccomp_flags = {seccomp_flag_names, seccomp_flag_names_n},
		.cgroup_v1 = true,
		.cgroup_v2 = true,
		.cgroup_rdma = true,
		.cgroup_systemd = scope,
		.cgroup_systemd_user = scope,
		.apparmor = true,
		.selinux = true,
		.memory_policy = true,
		.net_devices = true,
		.rdt = true,
		.idmap = true,
	};
	buf_auto b = BUF_WRITER(1u << 20);

	(void) opts, (void) argc, (void) argv;
	out_features(&b, &in);
	return cmd_print(&b, e);
}

const struct command command_features = {
	.name = "features",
	.args = "",
	.help = "print what this build supports (OCI features document)",
	.min_args = 0,
	.max_args = 0,
	.run = cmd_features,
};

struct spec_opts {
	const char *bundle, *file;
	bool rootless;
};

static int cmd_spec(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct spec_opts *o = opts;
	const char *name = o->file ? o->file : "config.json";
	buf_auto b = BUF_WRITER(1u << 20);
	fd_auto int dir = AT_FDCWD, fd = -EBADF;
	int r;

	(void) g, (void) argc, (void) argv;
	if (o->bundle) {
		dir = open(o->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return err_sys(e, "--bundle %s", o->bundle);
	}
	out_spec_template(&b, o->rootless, geteuid(), getegid());
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return err_set(e, -EEXIST, "%s is there already: move it away first", name);
	if (fd < 0)
		return err_sys(e, "creating %s", name);
	r = io_write_all(fd, b.p, b.n);
	return r < 0 ? err_neg(e, r, "writing %s", name) : 0;
}

#define O(field) offsetof(struct spec_opts, field)

static const struct opt spec_table[] = {
	{"bundle", 'b', OPT_STR, "DIR", "where to write (default: the current directory)",
	 O(bundle)},
	{"file", 'f', OPT_STR, "FILE", "name of the file (default: config.json)", O(file)},
	{"rootless", 0, OPT_FLAG, NULL, "for a container without root privileges", O(rootless)},
};

const struct command command_spec = {
	.name = "spec",
	.args = "",
	.help = "write a config.json to begin with",
	.opts = spec_table,
	.n_opts = ARRAY_LEN(spec_table),
	.opts_size = sizeof(struct spec_opts),
	.min_args = 0,
	.max_args = 0,
	.run = cmd_spec,
};

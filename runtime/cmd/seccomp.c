/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp: what a profile does, explained and compared; and one made from what a program does. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "cmd/profile.h"
#include "seccomp/record.h"
#include "seccomp/view.h"

#define TROUBLE 2 /* as diff(1) has it */

struct seccomp_opts {
	bool json, calls;
	const char *arch, *output;
};

/* The machine that is judged for: this one, unless another was asked for. */
static int set_machine(struct globals *g, const struct seccomp_opts *o, struct err *e)
{
	int r = cmd_probe_host(g, e);

	if (r < 0 || !o->arch)
		return r;
	if (strlen(o->arch) >= sizeof(g->host.machine))
		return err_set_id(e, ERR_USAGE, -EINVAL, "--arch: \"%s\" is no machine", o->arch);
	memcpy(g->host.machine, o->arch, strlen(o->arch) + 1);
	return 0;
}

static int view(struct globals *g, const char *what, struct view *ret, const char **ret_engine,
		struct err *e)
{
	struct profile p;
	int r = profile_load(g, what, &p, e);

	if (r == 0)
		r = view_at(&p.seccomp, p.title, g->host.machine, g->a, ret, e);
	*ret_engine = p.engine;
	return r;
}

static int explain(struct globals *g, const struct seccomp_opts *o, const char *what, struct err *e)
{
	buf_auto b = BUF_WRITER(16u << 20);
	const char *engine;
	struct view l;
	int r = view(g, what, &l, &engine, e);

	if (r < 0)
		return r;
	if (o->json)
		view_json(&b, &l, engine);
	else
		view_explain(&b, &l, o->calls, engine);
	return cmd_print(&b, e);
}

static int diff(struct globals *g, const struct seccomp_opts *o, char **argv, struct err *e)
{
	buf_auto b = BUF_WRITER(16u << 20);
	const char *ignored;
	struct view x, y;
	size_t n;
	int r = view(g, argv[0], &x, &ignored, e);

	if (r == 0)
		r = view(g, argv[1], &y, &ignored, e);
	if (r < 0)
		return r;
	n = view_diff(&b, &x, &y, o->json);
	r = cmd_print(&b, e);
	return r < 0 ? r : n > 0;
}

/* The file is made when the program has ended: one that could not be recorded leaves the old one alone. */
static int record(struct globals *g, const struct seccomp_opts *o, char **argv, struct err *e)
{
	buf_auto b = BUF_WRITER(16u << 20);
	struct record rec = {.a = g->a};
	fd_auto int dir = -EBADF;
	int r, status = 0;

	if (!o->output)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "seccomp record: --output FILE is needed, for the profile");
	dir = open(dirname(arena_strdup(g->a, o->output)), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "--output: directory of %s", o->output);
	r = record_run(argv, &rec, &status, e);
	if (r < 0)
		return r;
	record_profile(&rec, &b);
	if (b.bad)
		return err_set(e, -EFBIG, "the profile is too large");
	r = io_replace_at(dir, basename(arena_strdup(g->a, o->output)), 0644, b.p, b.n);
	return r < 0 ? err_neg(e, r, "--output: writing %s", o->output) : status;
}

static int cmd_seccomp(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	const struct seccomp_opts *o = opts;
	int r = set_machine(g, o, e);

	if (r < 0)
		return r;
	if (str_eq(argv[0], "explain") && argc == 2)
		return explain(g, o, argv[1], e);
	if (str_eq(argv[0], "diff") && argc == 3)
		return diff(g, o, argv + 1, e);
	if (str_eq(argv[0], "record"))
		return record(g, o, argv + 1, e);
	return err_set_id(
		e, ERR_USAGE, -EINVAL,
		"seccomp: expected \"explain PROFILE\" or \"diff A B\", found \"%s\" with %d "
		"arguments",
		argv[0], argc - 1);
}

static const struct opt opts_table[] = {
	{"json", 0, OPT_FLAG, NULL, "print JSON", offsetof(struct seccomp_opts, json)},
	{"calls", 0, OPT_FLAG, NULL, "explain: with every call of every calling convention",
	 offsetof(struct seccomp_opts, calls)},
	{"arch", 0, OPT_STR, "MACHINE", "as on this machine, x86_64 or aarch64 (default: this one)",
	 offsetof(struct seccomp_opts, arch)},
	{"output", 'o', OPT_STR, "FILE", "record: where the profile goes",
	 offsetof(struct seccomp_opts, output)},
};

const struct command command_seccomp = {
	.name = "seccomp",
	.args = "explain PROFILE | diff A B | record -- PROGRAM...",
	.help = "explain, compare and record seccomp profiles",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct seccomp_opts),
	.min_args = 2,
	.max_args = -1,
	.failure = TROUBLE,
	.run = cmd_seccomp,
};

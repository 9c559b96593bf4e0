/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp: what a profile does, explained and compared; and one made from what a program does. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "cmd/box.h"
#include "cmd/profile.h"
#include "seccomp/record.h"
#include "seccomp/report.h"
#include "seccomp/view.h"

#define TROUBLE 2 /* as diff(1) has it */
#define DENIED_MAX (64u << 20)

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

/* ---- what is denied ---- */

/* The lines that the report of a container has so far. */
static int denied(struct globals *g, const char *id, struct err *e)
{
	box_auto l = LOADED_INIT;
	struct bytes text = {0};
	int r = box_load(g, id, 0, STATE_NO_LOCK, false, &l, e);

	if (r < 0)
		return r;
	if (!str_eq0(l.st.rec->listener_path, POL_LISTENER_REPORT))
		return err_set(
			e, -ENOENT,
			"container %s: denied calls are not reported; its config has no seccomp "
			"filter, or not the annotation " POL_REPORT_ANNOTATION "=true",
			id);
	r = io_read_at(l.st.dir_fd, BOX_DENIED, O_NOFOLLOW, DENIED_MAX, g->a, &text);
	if (r == -ENOENT)
		return 0; /* not started yet */
	if (r < 0)
		return err_neg(e, r, "reading the report of container %s", id);
	r = io_write_all(STDOUT_FILENO, text.v, text.n);
	return r < 0 ? err_neg(e, r, "writing the report") : 0;
}

/* ---- what a container called ---- */

/* Of one that is there, else of the last one with this name that was deleted. */
static int read_calls(struct globals *g, const char *id, struct bytes *ret, struct err *e)
{
	box_auto l = LOADED_INIT;
	int r = state_check_id(id, e);
	bool missing;

	if (r < 0)
		return r;
	r = box_load(g, id, 0, STATE_NO_LOCK, false, &l, e);
	if (r == 0 && str_eq0(l.st.rec->listener_path, POL_LISTENER_RECORD)) {
		r = io_read_at(l.st.dir_fd, BOX_CALLS, O_NOFOLLOW, RECORD_MAX, g->a, ret);
		if (r == -ENOENT)
			return err_set(e, r, "container %s: it was not started yet", id);
		return r < 0 ? err_neg(e, r, "reading what container %s called", id) : 0;
	}
	if (r < 0 && e->id != ERR_NO_CONTAINER)
		return r;
	missing = r < 0;
	err_clear(e);
	r = io_read_at(AT_FDCWD, arena_printf(g->a, "%s/" BOX_RECORDED "/%s", cmd_root(g), id),
		       O_NOFOLLOW, RECORD_MAX, g->a, ret);
	if (r == -ENOENT)
		return err_set_id(e, missing ? ERR_NO_CONTAINER : ERR_CONFIG, r, "container %s: %s",
				  id,
				  missing ? "it does not exist, and nothing of it was recorded"
					  : "its calls are not recorded; its config has not the "
					    "annotation " POL_RECORD_ANNOTATION "=true");
	return r < 0 ? err_neg(e, r, "reading what container %s called", id) : 0;
}

static int recorded(struct globals *g, const char *id, struct err *e)
{
	struct record rec = {.a = g->a, .container = true};
	buf_auto b = BUF_WRITER(16u << 20);
	struct bytes text = {0};
	int r = read_calls(g, id, &text, e);

	if (r == 0 && record_read(&rec, &text) < 0)
		r = err_set(e, -EBADMSG, "container %s: the file of its calls is damaged", id);
	if (r < 0)
		return r;
	record_profile(&rec, &b);
	return cmd_print(&b, e);
}

/* ---- the kernel's log ---- */

static int print_log_line(struct globals *g, const char *line, size_t n, struct err *e)
{
	buf_auto b = BUF_WRITER(1u << 16);

	return report_log(&b, line, n, g->a) && !b.bad ? cmd_print(&b, e) : 0;
}

/* A read gives one record, or nothing more for now (EAGAIN), or tells that some were overwritten (EPIPE). */
static int kernel_log(struct globals *g, struct err *e)
{
	fd_auto int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[8192];
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return err_sys(e, "reading the kernel's log (/dev/kmsg)");
	while (r == 0) {
		n = read(fd, record, sizeof(record));
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EPIPE && errno != EINTR)
			return err_sys(e, "reading the kernel's log (/dev/kmsg)");
		if (n > 0)
			r = print_log_line(g, record, (size_t) n, e);
	}
	return r;
}

static int log_of(struct globals *g, const char *path, struct err *e)
{
	FILE *f = str_eq(path, "-") ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	if (!f)
		return err_sys(e, "opening %s", path);
	while (r == 0 && (n = getline(&line, &room, f)) >= 0)
		r = print_log_line(g, line, (size_t) n, e);
	if (r == 0 && ferror(f))
		r = err_sys(e, "reading %s", path);
	free(line);
	if (f != stdin)
		fclose(f);
	return r;
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
	if (str_eq(argv[0], "denied") && argc == 2)
		return denied(g, argv[1], e);
	if (str_eq(argv[0], "recorded") && argc == 2)
		return recorded(g, argv[1], e);
	if (str_eq(argv[0], "log") && argc <= 2)
		return argc == 2 ? log_of(g, argv[1], e) : kernel_log(g, e);
	if (str_eq(argv[0], "record") && argc > 1)
		return record(g, o, argv + 1, e);
	return err_set_id(
		e, ERR_USAGE, -EINVAL,
		"seccomp: expected \"explain PROFILE\", \"diff A B\", \"record -- PROGRAM\", "
		"\"recorded CONTAINER\", \"denied CONTAINER\" or \"log [FILE]\", found \"%s\" with %d arguments",
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
	.args = "explain PROFILE | diff A B | record -- PROGRAM... | recorded CONTAINER | denied CONTAINER | log [FILE]",
	.help = "explain, compare and record seccomp profiles; what they denied",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct seccomp_opts),
	.min_args = 1,
	.max_args = -1,
	.failure = TROUBLE,
	.run = cmd_seccomp,
};

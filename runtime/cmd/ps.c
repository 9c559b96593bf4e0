/* SPDX-License-Identifier: Apache-2.0 */
/* ps: the processes of a container by their host ids. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/num.h"
#include "base/str.h"
#include "cmd/box.h"

struct ps_opts {
	const char *format;
};

static bool has_pid(const struct u64s *l, uint64_t pid)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == pid)
			return true;
	return false;
}

/* The value in the column `col` (0-based) of a line of ps. */
static uint64_t column(char *line, int col)
{
	uint64_t v = 0;
	char *save, *w = strtok_r(line, " \t\n", &save);

	while (w && col--)
		w = strtok_r(NULL, " \t\n", &save);
	return w && num_parse_u64(w, INT32_MAX, &v) == 0 ? v : 0;
}

static int pid_column(char *header)
{
	char *save, *w = strtok_r(header, " \t\n", &save);

	for (int i = 0; w; i++, w = strtok_r(NULL, " \t\n", &save))
		if (str_eq(w, "PID"))
			return i;
	return -1;
}

static void __attribute__((noreturn)) become_ps(int out, int argc, char **argv)
{
	char *def[] = {(char *) (uintptr_t) "ps", (char *) (uintptr_t) "-ef", NULL};

	if (dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	if (argc > 0) {
		argv--; /* the slot of the container's id */
		argv[0] = def[0];
	}
	execvp("ps", argc > 0 ? argv : def);
	_exit(127);
}

/* The header and the rows of these processes. Returns whether there was a column of process ids. */
static bool copy_rows(FILE *f, const struct u64s *pids)
{
	char *line = NULL, *copy;
	size_t size = 0;
	int col = -1;

	while (getline(&line, &size, f) > 0) {
		copy = strdup(line);
		if (!copy)
			break;
		if (col < 0)
			col = pid_column(copy);
		else if (!has_pid(pids, column(copy, col)))
			*line = 0;
		fputs(line, stdout);
		free(copy);
		if (col < 0)
			break;
	}
	free(line);
	return col >= 0;
}

/* The host's ps, rows of other processes left out, as runc does. */
static int ps_table(const struct u64s *pids, int argc, char **argv, struct err *e)
{
	bool found = false;
	int p[2], st;
	pid_t child;
	FILE *f;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, "ps");
	child = fork();
	if (child == 0)
		become_ps(p[1], argc, argv);
	close(p[1]);
	f = child < 0 ? NULL : fdopen(p[0], "r");
	if (!f) {
		close(p[0]);
	} else {
		found = copy_rows(f, pids);
		fclose(f);
	}
	if (child < 0)
		return err_set(e, -EAGAIN, "ps: no process can be started");
	while (waitpid(child, &st, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(st) && WEXITSTATUS(st) == 127)
		return err_set(
			e, -ENOENT,
			"ps: the host has no ps program (package procps); --format json does not need it");
	if (!found)
		return err_set(e, -EINVAL, "ps: no PID column in the output of ps");
	if (fflush(stdout) != 0)
		return err_sys(e, "writing to standard output");
	return 0;
}

static int cmd_ps(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct ps_opts *o = opts;
	box_auto l = LOADED_INIT;
	buf_auto b = BUF_WRITER(16u << 20);
	struct jsonw w;
	struct u64s pids;
	int r;

	if (o->format && !str_eq(o->format, "json") && !str_eq(o->format, "table"))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--format: expected table or json, found \"%s\"", o->format);
	r = box_load(g, argv[0], OP_PS, STATE_NO_LOCK, false, &l, e);
	if (r == 0)
		r = l.ops->pids(&l.box, &pids, e);
	if (r < 0)
		return r;
	if (!o->format || str_eq(o->format, "table"))
		return ps_table(&pids, argc - 1, argv + 1, e);
	jw_init(&w, &b, false);
	jw_arr(&w);
	for (size_t i = 0; i < pids.n; i++)
		jw_u64(&w, pids.v[i]);
	jw_arr_end(&w);
	buf_put(&b, "\n", 1);
	return cmd_print(&b, e);
}

static const struct opt ps_opts_table[] = {
	{"format", 'f', OPT_STR, "FORMAT", "table (default) or json",
	 offsetof(struct ps_opts, format)},
};

const struct command command_ps = {
	.name = "ps",
	.args = "CONTAINER [PS-OPTION...]",
	.help = "list the processes of a container (host process ids)",
	.opts = ps_opts_table,
	.n_opts = ARRAY_LEN(ps_opts_table),
	.opts_size = sizeof(struct ps_opts),
	.min_args = 1,
	.max_args = -1,
	.stop_at_args = true,
	.run = cmd_ps,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach: the command line. Options before the command, the command table, one place where errors are printed and
 * turned into an exit status.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/version.h"
#include "exec/stage.h"

/* Called by another name, the same program takes a stronger backend as its floor. */
static const struct name_val floors[] = {
	{"kavach-vm", POL_BACKEND_VM},
	{"kavach-sev", POL_BACKEND_SEV},
	{"kavach-sev-es", POL_BACKEND_SEV_ES},
	{"kavach-snp", POL_BACKEND_SEV_SNP},
};

static uint32_t backend_floor(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const struct name_val *row = name_find(floors, ARRAY_LEN(floors),
					       slash ? slash + 1 : argv0);

	return row ? (uint32_t) row->val : POL_BACKEND_PROCESS;
}

static int log_setup(const struct globals *g, struct err *e)
{
	static const struct name_val levels[] = {
		{"error", LOG_LEVEL_ERROR},  {"warning", LOG_LEVEL_WARNING},
		{"warn", LOG_LEVEL_WARNING}, {"info", LOG_LEVEL_WARNING},
		{"debug", LOG_LEVEL_DEBUG},
	};
	const struct name_val *row = g->log_level
					     ? name_find(levels, ARRAY_LEN(levels), g->log_level)
					     : NULL;
	/* a --log file gets one line, on failure, unless more is asked for (C-07) */
	enum log_level level = g->log ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;

	if (g->log_level && !row)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--log-level: expected error, warning or debug, found \"%s\"",
				  g->log_level);
	if (g->log_format && !str_eq(g->log_format, "json") && !str_eq(g->log_format, "text"))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--log-format: expected text or json, found \"%s\"",
				  g->log_format);
	if (row)
		level = (enum log_level) row->val;
	if (g->debug)
		level = LOG_LEVEL_DEBUG;
	return log_init(g->log, str_eq0(g->log_format, "json"), level, e);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (str_eq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int print_and(struct buf *b, int status, FILE *to)
{
	fwrite(b->p, 1, b->n, to);
	fflush(to);
	buf_free(b);
	return status;
}

static bool asks_help(int argc, char **argv, bool stop_at_args)
{
	for (int i = 1; i < argc; i++) {
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h"))
			return true;
		if (str_eq(argv[i], "--") || (stop_at_args && argv[i][0] != '-'))
			return false;
	}
	return false;
}

static int run_command(struct globals *g, const struct command *c, int argc, char **argv,
		       int *ret_failure, struct err *e)
{
	_Alignas(16) char opts[CMD_OPTS_MAX] = {0};
	struct buf b = BUF_WRITER(1u << 16);
	int first, n, r;

	if (c->forward)
		return c->run(g, NULL, argc, argv, e);
	if (asks_help(argc, argv, c->stop_at_args)) {
		cmd_help(&b, c);
		(void) print_and(&b, 0, stdout);
		return c->usable ? c->usable(g, e) : 0;
	}
	*ret_failure = c->failure;
	r = opt_parse(c->opts, c->n_opts, c->stop_at_args, g->a, argc, argv, opts, &first, e);
	if (r < 0)
		return r;
	n = argc - first;
	if (n < c->min_args || (c->max_args >= 0 && n > c->max_args))
		return err_set_id(e, ERR_USAGE, -EINVAL, "%s: expected arguments: %s%s", c->name,
				  *c->args ? c->args : "none",
				  n < c->min_args ? " (too few given)" : " (too many given)");
	return c->run(g, opts, n, argv + first, e);
}

static int dispatch(struct globals *g, int argc, char **argv, int *ret_failure, struct err *e)
{
	struct buf b = BUF_WRITER(1u << 16);
	const struct command *c;
	int first, r;

	r = opt_parse(global_opts, global_opts_n, true, g->a, argc, argv, g, &first, e);
	if (r == 0)
		r = log_setup(g, e);
	if (r == 0 && g->root && str_eq(path_clean(g->a, g->root), "/"))
		r = err_set_id(e, ERR_USAGE, -EINVAL,
			       "--root: \"/\" cannot be the state directory");
	if (r < 0)
		return r;
	if (g->version) {
		cmd_version(&b);
		return print_and(&b, 0, stdout);
	}
	if (g->help || first == argc) {
		cmd_help_main(&b);
		return print_and(&b, g->help ? 0 : 1, g->help ? stdout : stderr);
	}
	c = find_command(argv[first]);
	if (!c)
		return err_set_id(e, ERR_USAGE, -EINVAL, "unknown command \"%s\" (see --help)",
				  argv[first]);
	return run_command(g, c, argc - first, argv + first, ret_failure, e);
}

int main(int argc, char **argv)
{
	static _Alignas(max_align_t) char memory[256 << 10];
	struct arena a = {0};
	struct globals g = {.a = &a};
	struct err e = ERR_INIT;
	int r, failure = 0;

	if (argc < 1)
		return 1;
	arena_give(&a, memory, sizeof(memory));
	if (stdio_open_missing(&e) < 0) {
		log_error(e.msg);
		return 1;
	}
	signal(SIGCHLD, SIG_DFL); /* who ignores it has children that nobody can wait for */
	g.argv0 = argv[0];
	g.backend_floor = backend_floor(argv[0]);
	r = dispatch(&g, argc, argv, &failure, &e);
	if (r >= 0)
		return r;
	log_error(e.msg);
	return failure ? failure : err_exit_status(&e);
}

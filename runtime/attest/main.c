/* SPDX-License-Identifier: Apache-2.0 */
/* kavach-attest: its command table and the place where its errors are printed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attest/cmd.h"
#include "base/io.h"
#include "base/str.h"

static const struct attest_command *const commands[] = {
	&attest_measure,       &attest_id_block,      &attest_show,    &attest_verify,
	&attest_fetch,	       &attest_serve,	      &attest_release, &attest_session,
	&attest_launch_verify, &attest_launch_secret,
};

static void put(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static int help_main(int status)
{
	struct buf b = BUF_WRITER(1u << 16);
	char line[160];

	put(&b,
	    "kavach-attest - what a confidential guest is and proves (\"kavach measure\", \"kavach attest\")\n\n"
	    "Usage: kavach-attest COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		snprintf(line, sizeof(line), "  %-13s %s\n", commands[i]->name, commands[i]->help);
		put(&b, line);
	}
	fwrite(b.p, 1, b.n, status ? stderr : stdout);
	buf_free(&b);
	return status;
}

static int help_command(const struct attest_command *c)
{
	struct buf b = BUF_WRITER(1u << 16);
	char line[256];

	snprintf(line, sizeof(line), "Usage: kavach %s%s [OPTION...]%s%s\n\n%s\n\nOptions:\n",
		 c == &attest_measure ? "" : "attest ", c->name, *c->args ? " " : "", c->args,
		 c->help);
	put(&b, line);
	opt_help(&b, c->opts, c->n_opts);
	fwrite(b.p, 1, b.n, stdout);
	buf_free(&b);
	return 0;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 1; i < argc && !str_eq(argv[i], "--"); i++)
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h"))
			return true;
	return false;
}

static const struct attest_command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int run(const struct attest_command *c, struct arena *a, int argc, char **argv,
	       struct err *e)
{
	_Alignas(16) char opts[ATTEST_OPTS_MAX] = {0};
	int first, n, r;

	r = opt_parse(c->opts, c->n_opts, false, a, argc, argv, opts, &first, e);
	if (r < 0)
		return r;
	n = argc - first;
	if (n < c->min_args || (c->max_args >= 0 && n > c->max_args))
		return err_set_id(e, ERR_USAGE, -EINVAL, "%s: expected arguments: %s, %d given",
				  c->name, *c->args ? c->args : "none", n);
	return c->run(a, opts, n, argv + first, e);
}

int main(int argc, char **argv)
{
	const struct attest_command *c;
	struct err e = ERR_INIT;
	struct arena a = {0};
	int r;

	if (argc < 2)
		return help_main(1);
	if (str_eq(argv[1], "--help") || str_eq(argv[1], "-h"))
		return help_main(0);
	c = find(argv[1]);
	if (!c) {
		fprintf(stderr, "kavach-attest: unknown command \"%s\" (see --help)\n", argv[1]);
		return 1;
	}
	if (asks_help(argc - 1, argv + 1))
		return help_command(c);
	r = run(c, &a, argc - 1, argv + 1, &e);
	if (r < 0)
		fprintf(stderr, "kavach-attest: %s\n", e.msg);
	arena_free(&a);
	if (r < 0)
		return c->trouble ? c->trouble : 1;
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* --help, made from the command table. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static void put(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static void put_opt(struct buf *b, const struct opt *o)
{
	char left[64], line[256];

	if (!o->help)
		return;
	snprintf(left, sizeof(left), "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
		 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name, o->arg ? " " : "",
		 o->arg ? o->arg : "");
	snprintf(line, sizeof(line), "  %-34s %s\n", left, o->help);
	put(b, line);
}

static void put_opts(struct buf *b, const struct opt *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_opt(b, &t[i]);
}

void cmd_help_main(struct buf *b)
{
	char line[160];

	put(b, "kavach - OCI container runtime: a bundle as a confined process\n\n"
	       "Usage: kavach [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n");
	for (size_t i = 0; commands[i]; i++) {
		snprintf(line, sizeof(line), "  %-12s %s\n", commands[i]->name, commands[i]->help);
		put(b, line);
	}
	put(b, "\nOptions before the command:\n");
	put_opts(b, global_opts, global_opts_n);
	put(b, "\n\"kavach COMMAND --help\" explains a command; kavach(1) has everything.\n");
}

void cmd_help(struct buf *b, const struct command *c)
{
	char line[256];

	snprintf(line, sizeof(line), "Usage: kavach %s%s%s%s\n\n%s\n", c->name,
		 c->n_opts ? " [OPTION...]" : "", c->args && *c->args ? " " : "",
		 c->args ? c->args : "", c->help);
	put(b, line);
	if (!c->n_opts)
		return;
	put(b, "\nOptions:\n");
	put_opts(b, c->opts, c->n_opts);
}

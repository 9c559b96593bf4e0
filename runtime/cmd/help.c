/* SPDX-License-Identifier: Apache-2.0 */
/* --help, made from the command table. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static void put(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void cmd_help_main(struct buf *b)
{
	char line[160];

	put(b,
	    "kavach - OCI container runtime: a bundle as a confined process, or (called as kavach-vm) in a microVM\n\n"
	    "Usage: kavach [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n");
	for (size_t i = 0; commands[i]; i++) {
		snprintf(line, sizeof(line), "  %-12s %s\n", commands[i]->name, commands[i]->help);
		put(b, line);
	}
	put(b, "\nOptions before the command:\n");
	opt_help(b, global_opts, global_opts_n);
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
	opt_help(b, c->opts, c->n_opts);
}

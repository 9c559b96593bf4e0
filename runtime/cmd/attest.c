/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure and attest: what a confidential guest is and proves. All of it is done by kavach-attest, which links libcrypto
 * and has no privilege; here it is only found and executed, with its arguments as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/helper.h"
#include "cmd/cmd.h"

#define HELPER "kavach-attest"

static int forward(struct globals *g, char **argv, struct err *e)
{
	char *path;
	int r = helper_find(HELPER, g->a, &path, e);

	if (r == -ENOENT)
		return err_set(e, r,
			       "the program " HELPER
			       ", which does this, is neither beside kavach nor "
			       "in " KAVACH_LIBEXECDIR ": install it");
	if (r < 0)
		return r;
	fflush(NULL);
	execv(path, argv);
	return err_sys(e, "execute %s", path);
}

/* "measure ARG..." becomes "kavach-attest measure ARG..." */
static int cmd_measure(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	char **v = arena_array(g->a, (size_t) argc + 2, sizeof(*v));

	(void) opts;
	v[0] = (char *) (uintptr_t) HELPER;
	for (int i = 0; i < argc; i++)
		v[i + 1] = argv[i];
	return forward(g, v, e);
}

/* "attest VERB ARG..." becomes "kavach-attest VERB ARG..." */
static int cmd_attest(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	(void) opts;
	(void) argc;
	argv[0] = (char *) (uintptr_t) HELPER;
	return forward(g, argv, e);
}

const struct command command_measure = {
	.name = "measure",
	.args = "",
	.help = "compute the launch digest of a confidential guest",
	.forward = true,
	.run = cmd_measure,
};

const struct command command_attest = {
	.name = "attest",
	.args = "COMMAND",
	.help = "make and judge evidence of confidential guests",
	.forward = true,
	.run = cmd_attest,
};

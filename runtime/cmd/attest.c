/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest: what a confidential guest proves. All of it is done by kavach-attest, which links libcrypto and has no privilege;
 * here it is only found and executed, with its arguments as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/helper.h"
#include "base/str.h"
#include "cmd/attest.h"

#define HELPER "kavach-attest"

int attest_forward(struct globals *g, char **argv, struct err *e)
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

/* "attest VERB ARG..." becomes "kavach-attest VERB ARG..." */
static int cmd_attest(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	(void) opts;
	if (argc > 1 && str_eq(argv[1], "launch"))
		return attest_launch(g, argc - 1, argv + 1, e);
	argv[0] = (char *) (uintptr_t) HELPER;
	return attest_forward(g, argv, e);
}

const struct command command_attest = {
	.name = "attest",
	.args = "COMMAND",
	.help = "make and judge evidence of confidential guests",
	.forward = true,
	.run = cmd_attest,
};

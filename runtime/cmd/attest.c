/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest: what a confidential guest proves. Judging is done by kavach-attest, which links libcrypto and has no privilege;
 * here it is only found and executed, with its arguments as they are. What is asked of a container is done here.
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

/* The commands of kavach-attest; what is none of them is a container. */
static const char *const verbs[] = {
	"fetch",   "id-block", "launch-secret", "launch-verify", "measure",
	"release", "serve",    "session",	"show",		 "verify",
};

static bool is_verb(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (str_eq(verbs[i], word))
			return true;
	return false;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 1; i < argc && !str_eq(argv[i], "--"); i++)
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h"))
			return true;
	return false;
}

/* "attest VERB ARG..." becomes "kavach-attest VERB ARG..."; help is ours, followed by its own. */
static int cmd_attest(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	buf_auto b = BUF_WRITER(1u << 16);
	int r;

	(void) opts;
	if (argc > 1 && str_eq(argv[1], "launch"))
		return attest_launch(g, argc - 1, argv + 1, e);
	if (argc > 1 && !is_verb(argv[1])) {
		if (!asks_help(argc, argv))
			return attest_container(g, argc, argv, e);
		attest_usage(&b);
		r = cmd_print(&b, e);
		if (r < 0)
			return r;
		argv[1] = (char *) (uintptr_t) "--help";
		argv[2] = NULL;
	}
	argv[0] = (char *) (uintptr_t) HELPER;
	return attest_forward(g, argv, e);
}

const struct command command_attest = {
	.name = "attest",
	.args = "CONTAINER | COMMAND",
	.help = "ask a confidential guest for evidence, make and judge it",
	.forward = true,
	.run = cmd_attest,
};

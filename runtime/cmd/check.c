/* SPDX-License-Identifier: Apache-2.0 */
/* check: what works on this host for this caller, and what to do about the rest. Nothing is changed. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "host/check.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

struct check_opts {
	bool json;
	const char *backend;
};

static int backend_asked(const char *name, enum check_backend *ret, struct err *e)
{
	*ret = CHECK_BACKENDS;
	if (!name)
		return 0;
	for (unsigned i = 0; i < CHECK_BACKENDS; i++)
		if (str_eq(name, check_backend_name(i)))
			*ret = i;
	if (*ret == CHECK_BACKENDS)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--backend: expected process, vm or snp, found \"%s\"", name);
	return 0;
}

static unsigned backends_built(void)
{
	static const uint32_t ids[CHECK_BACKENDS] = {[CHECK_PROCESS] = POL_BACKEND_PROCESS,
						     [CHECK_VM] = POL_BACKEND_VM,
						     [CHECK_SNP] = POL_BACKEND_SEV_SNP};
	struct err ignored = ERR_INIT;
	unsigned have = 0;

	for (unsigned i = 0; i < CHECK_BACKENDS; i++)
		if (backend_find(ids[i], &ignored))
			have |= 1u << i;
	return have;
}

static bool coloured(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && str_empty(getenv("NO_COLOR")) && !str_empty(term) &&
	       !str_eq(term, "dumb");
}

static int cmd_check(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct check_opts *o = opts;
	buf_auto b = BUF_WRITER(1u << 20);
	enum check_backend backend;
	struct report report;
	struct look l;
	int r;

	r = backend_asked(o->backend, &backend, e);
	if (r < 0)
		return r;
	look_machine(&l, g->a);
	l.state_root = cmd_root(g);
	l.version = PACKAGE_VERSION;
	l.backends = backends_built();
	r = check_run(&l, argv, (size_t) argc, backend, &report, e);
	if (r < 0)
		return r;
	if (o->json)
		check_json(&b, &report);
	else
		check_screen(&b, &report, coloured());
	r = cmd_print(&b, e);
	if (r < 0)
		return r;
	if (report.partial && report.missing)
		return 1;
	return report.stopped >> (backend == CHECK_BACKENDS ? CHECK_PROCESS : backend) & 1;
}

static const struct opt opts_table[] = {
	{"json", 0, OPT_FLAG, NULL, "print the report as JSON", offsetof(struct check_opts, json)},
	{"backend", 0, OPT_STR, "NAME", "judge for process (default), vm or snp",
	 offsetof(struct check_opts, backend)},
};

const struct command command_check = {
	.name = "check",
	.args = "[ROW...]",
	.help = "tell what works on this host for the caller, and how to fix the rest",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct check_opts),
	.min_args = 0,
	.max_args = -1,
	.run = cmd_check,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a command line, by table. Both "--opt value" and "--opt=value", "-o value" and "-ovalue", bundled flags
 * ("-dt"), and long options with a single dash ("-no-subreaper"), which containerd writes.
 */
#ifndef KAVACH_BASE_OPT_H
#define KAVACH_BASE_OPT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

enum opt_kind {
	OPT_FLAG,	 /* bool; also --opt=true|false */
	OPT_STR,	 /* const char * */
	OPT_U32,	 /* struct opt_u64, at most UINT32_MAX */
	OPT_STRS,	 /* struct strs, may be repeated */
	OPT_IGNORE_FLAG, /* accepted for compatibility, no effect */
	OPT_IGNORE_STR,
};

struct opt {
	const char *name; /* long name without dashes */
	char letter;	  /* short name or 0 */
	enum opt_kind kind;
	const char *arg;  /* what the value is called in the help; NULL for flags */
	const char *help; /* one line; NULL = hidden */
	size_t off;	  /* in the command's options struct */
};

/* opt_parse: options of one table into `out`; *ret_first = index of the first argument in argv (arguments are moved behind
 * the options unless stop_at_args). argv[0] is skipped. Errors are usage errors, e.g. "flag needs an argument: --root". */
int opt_parse(const struct opt *t, size_t n, bool stop_at_args, struct arena *a, int argc,
	      char **argv, void *out, int *ret_first, struct err *e);

/* opt_help: a line for each option that has a help text. */
void opt_help(struct buf *b, const struct opt *t, size_t n);

#endif

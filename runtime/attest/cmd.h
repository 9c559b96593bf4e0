/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of kavach-attest, which are "kavach measure" and "kavach attest ..." to those who type them. */
#ifndef KAVACH_ATTEST_CMD_H
#define KAVACH_ATTEST_CMD_H

#include "base/opt.h"

#define ATTEST_OPTS_MAX 512

struct attest_command {
	const char *name, *args, *help;
	const struct opt *opts;
	size_t n_opts, opts_size;
	int min_args, max_args;
	int trouble; /* exit status when run() fails; 0: the usual 1 */
	/* run: returns the exit status; -errno with *e set on failure */
	int (*run)(struct arena *a, void *opts, int argc, char **argv, struct err *e);
};

extern const struct attest_command attest_measure, attest_id_block, attest_show, attest_verify,
	attest_fetch, attest_serve, attest_release, attest_session, attest_launch_verify,
	attest_launch_secret;

/* attest_read: a whole input file, "-" is standard input; `what` is the option or argument that named it. */
int attest_read(const char *what, const char *path, size_t max, struct arena *a, struct bytes *ret,
		struct err *e);
/* attest_read_folder: every file of a folder (not of those below), or the one file that the path is. `ret` has room for
 * `max`; more are an error. */
struct attest_file {
	char *path;
	struct bytes data;
};
int attest_read_folder(const char *what, const char *path, size_t max_size, struct arena *a,
		       struct attest_file *ret, size_t max, size_t *ret_n, struct err *e);
/* attest_time: "now" or a date and time as in RFC 3339, to seconds since 1970. */
int attest_time(const char *opt, const char *text, int64_t *ret, struct err *e);
/* attest_hex: exactly n bytes given in hexadecimal as the value of an option. */
int attest_hex(const char *opt, const char *text, uint8_t *ret, size_t n, struct err *e);
/* attest_number: a number of an option, decimal or 0x hexadecimal, at most max. */
int attest_number(const char *opt, const char *text, uint64_t max, uint64_t *ret, struct err *e);
/* attest_print: to standard output; -errno when it cannot be written. */
int attest_print(const struct buf *b, struct err *e);

#endif

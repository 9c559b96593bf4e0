/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error value for the whole tree.
 *
 * Theory of operation: a fallible function returns 0 (or a count/fd >= 0) or -errno and takes
 * `struct err *e` last. The value belongs to the outermost caller, has a fixed size and no pointers,
 * so it cannot leak, can cross a socket, and can be compared in tests. Inner code sets it exactly
 * once; outer code may put context in front; only cmd/ prints it.
 *
 * Engines derive exit codes from words in our messages (permission denied, no such file or
 * directory, ...). err_sys() therefore never prints strerror() for those errno values but words of
 * our own (see err_errno_text()); the load-bearing phrases come only from the catalogue (errcat.h).
 */
#ifndef KAVACH_BASE_ERR_H
#define KAVACH_BASE_ERR_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of error that have a phrase or an exit status of their own. Rows: err.c. */
enum err_id {
	ERR_OTHER = 0,	  /* exit 1 */
	ERR_USAGE,	  /* wrong command line: exit 1 */
	ERR_CONFIG,	  /* config.json or rules refused */
	ERR_NO_CONTAINER, /* "container does not exist" (E-01) */
	ERR_EXISTS,	  /* "container with given ID already exists" (E-11) */
	ERR_NOT_RUNNING,  /* "container not running" (E-02) */
	ERR_PAUSED,	  /* "cannot exec in a paused container" (E-12) */
	ERR_NO_EXECUTABLE, /* "executable file not found in $PATH" / "no such file or directory" (E-05) */
	ERR_EXEC_DENIED, /* "permission denied" on the program to run (E-06) */
	ERR_EXEC_DIR,	 /* "is a directory" on the program to run (E-07) */
	ERR_HOOK,	 /* "error running <phase> hook #N" (E-13) */
	ERR_ID_MAX
};

#define ERR_MSG_MAX 2048

struct err {
	int code;	       /* 0 = not set, else -errno */
	uint32_t id;	       /* enum err_id */
	char msg[ERR_MSG_MAX]; /* one line, no trailing newline; truncated with "..." when too long */
};

#define ERR_INIT ((struct err){0})

/* err_set: sets *e to `code` (a negative errno; 0 is our bug) and the formatted text.
 * Control characters in the text are replaced by '?', so a hostile name cannot forge log lines.
 * Returns code. */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));
int err_vset(struct err *e, int code, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0), cold));

/* err_set_id: the same, with a kind from the catalogue. */
int err_set_id(struct err *e, enum err_id id, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));

/* err_sys_at: "<text>: <what errno means>"; `err` is a positive errno. Returns -err. */
int err_sys_at(struct err *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

/* err_sys: for the errno of the call that just failed; err_neg: for a -errno return value. */
#define err_sys(e, ...) err_sys_at((e), errno, __VA_ARGS__)
#define err_neg(e, r, ...) err_sys_at((e), -(r), __VA_ARGS__)

/* err_context: puts "<text>: " in front of the message of an error that is set. Returns e->code. */
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* err_clear: makes *e unset again, for failures that are tolerated (say why at the call). */
void err_clear(struct err *e);

/* err_errno_text: what a positive errno means, in words that no engine matches on. */
const char *err_errno_text(int err);

/* err_exit_status: the exit status for a runtime failure of this kind (1 unless the row says more). */
int err_exit_status(const struct err *e);

#endif

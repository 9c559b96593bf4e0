/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log sink: the one global that is not a constant. cmd/ configures it from --log, --log-format,
 * --log-level and --debug; only cmd/ reports errors, library code may warn and trace.
 *
 * Contract with engines (C-07): at the default level (error) a --log file gets exactly one line, at the
 * end, only on failure; {"msg":..,"level":"error","time":RFC3339}. The same text goes to stderr as
 * plain text. The file is opened O_APPEND|O_CREAT|O_CLOEXEC 0644 at the first line, never truncated.
 */
#ifndef KAVACH_BASE_LOG_H
#define KAVACH_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };

/* log_init: target is NULL (stderr), a path, "file:PATH", "journald:ID" or "syslog:ID".
 * Returns 0 or -errno (unknown scheme, over-long path). Opens nothing yet. */
int log_init(const char *target, bool json, enum log_level level, struct err *e);
enum log_level log_get_level(void);

/* log_error: the one line of a failed command: to the target and, as plain text, to stderr. */
void log_error(const char *msg);
/* log_warn / log_debug: dropped below their level. Written to the target only (stderr if there is none).
 * Warnings are on by default only when there is no --log target. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

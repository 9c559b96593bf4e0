/* SPDX-License-Identifier: Apache-2.0 */
/* The error value, what each kind of error makes of the exit status, and words for errno values. */
#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/types.h"

static const int exit_status[ERR_ID_MAX] = {
	[ERR_OTHER] = 1,	 [ERR_USAGE] = 1,      [ERR_CONFIG] = 1,
	[ERR_NO_CONTAINER] = 1,	 [ERR_EXISTS] = 1,     [ERR_NOT_RUNNING] = 1,
	[ERR_PAUSED] = 1,	 [ERR_HOOK] = 1,       [ERR_NO_EXECUTABLE] = 127,
	[ERR_EXEC_DENIED] = 126, [ERR_EXEC_DIR] = 126,
};

/* The errno values whose usual text an engine takes for a statement about the container's program. */
static const struct {
	int err;
	const char *text;
} own_words[] = {
	{ENOENT, "not found"},
	{EACCES, "access refused"},
	{EPERM, "not allowed by the kernel"},
	{EISDIR, "it is a folder"},
	{ENOTDIR, "part of the path is not a folder"},
	{ESRCH, "the process is gone"},
};

const char *err_errno_text(int err)
{
	const char *s;

	for (size_t i = 0; i < ARRAY_LEN(own_words); i++)
		if (own_words[i].err == err)
			return own_words[i].text;
#ifdef __GLIBC__
	s = strerrordesc_np(err); /* strerror() without the locale */
#else
	s = strerror(err); /* musl: constant strings as long as nobody calls setlocale() */
#endif
	return s ? s : "unknown error";
}

/* Terminals and log readers act on C0 and on C1 controls; the latter are two bytes in UTF-8. */
static void replace_controls(char *s)
{
	unsigned char *p = (unsigned char *) s;

	for (; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
	}
}

/* Cuts s, which was too long for its ERR_MSG_MAX bytes, so that it ends in "..." and not in a part of
 * a UTF-8 sequence. */
static void mark_truncated(char *s)
{
	size_t n = ERR_MSG_MAX - sizeof("...");

	while (n > 0 && ((unsigned char) s[n] & 0xc0) == 0x80)
		n--;
	memcpy(s + n, "...", sizeof("..."));
}

/* Appends to msg at *n; sets *n to where a longer buffer would end. */
static void __attribute__((format(printf, 3, 0)))
add_text(char *msg, size_t *n, const char *fmt, va_list ap)
{
	size_t at = *n < ERR_MSG_MAX ? *n : ERR_MSG_MAX - 1;
	int r = vsnprintf(msg + at, ERR_MSG_MAX - at, fmt, ap);

	if (r < 0) { /* a wide-character format: our own bug, but the error must stay an error */
		msg[at] = '\0';
		r = 0;
	}
	*n += (size_t) r;
}

static int finish(struct err *e, enum err_id id, int code, size_t n)
{
	if (n >= ERR_MSG_MAX)
		mark_truncated(e->msg);
	replace_controls(e->msg);
	assert(code < 0);
	if (code >= 0) /* with NDEBUG: never let a failure look like success */
		code = -EIO;
	e->id = id;
	e->code = code;
	return code;
}

int err_vset(struct err *e, int code, const char *fmt, va_list ap)
{
	size_t n = 0;

	add_text(e->msg, &n, fmt, ap);
	return finish(e, ERR_OTHER, code, n);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = err_vset(e, code, fmt, ap);
	va_end(ap);
	return r;
}

int err_set_id(struct err *e, enum err_id id, int code, const char *fmt, ...)
{
	size_t n = 0;
	va_list ap;

	assert(id < ERR_ID_MAX);
	va_start(ap, fmt);
	add_text(e->msg, &n, fmt, ap);
	va_end(ap);
	return finish(e, id, code, n);
}

int err_sys_at(struct err *e, int err, const char *fmt, ...)
{
	size_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	add_text(e->msg, &n, fmt, ap);
	va_end(ap);
	if (n < ERR_MSG_MAX)
		n += (size_t) snprintf(e->msg + n, ERR_MSG_MAX - n, ": %s", err_errno_text(err));
	return finish(e, ERR_OTHER, -err, n);
}

int err_context(struct err *e, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	size_t n = 0;
	va_list ap;

	assert(e->code < 0);
	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	add_text(e->msg, &n, fmt, ap);
	va_end(ap);
	if (n < ERR_MSG_MAX)
		n += (size_t) snprintf(e->msg + n, ERR_MSG_MAX - n, ": %s", old);
	return finish(e, e->id, e->code, n);
}

void err_clear(struct err *e)
{
	e->code = 0;
	e->id = ERR_OTHER;
	e->msg[0] = '\0';
}

int err_exit_status(const struct err *e)
{
	_Static_assert(ARRAY_LEN(exit_status) == ERR_ID_MAX, "one row per kind");

	if (e->id >= ERR_ID_MAX || exit_status[e->id] == 0) /* e may come from a socket */
		return 1;
	return exit_status[e->id];
}

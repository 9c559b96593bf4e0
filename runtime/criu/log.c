/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU's log says about a failure. A line is "(00.012345)     17: Error (criu/mount.c:1234): mnt: Mount point ...".
 * Several may follow each other; the first ones are closest to the cause, the last is "Dumping FAILED."
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "base/io.h"
#include "base/str.h"
#include "criu/criu.h"

#define LINES_MAX 3
#define LOG_MAX (64u << 20)

/* Phrases that engines turn into exit statuses (err.h). */
static const struct {
	const char *phrase, *instead;
} reworded[] = {
	{"no such file or directory", "not found"}, {"permission denied", "access refused"},
	{"operation not permitted", "not allowed"}, {"is a directory", "found a directory"},
	{"not a directory", "found no directory"},  {"does not exist", "is missing"},
	{"no such process", "process is gone"},
};

static char *reword(struct arena *a, const char *s)
{
	for (size_t i = 0; i < ARRAY_LEN(reworded); i++) {
		const char *at;

		while ((at = strcasestr(s, reworded[i].phrase)))
			s = arena_printf(a, "%.*s%s%s", (int) (at - s), s, reworded[i].instead,
					 at + strlen(reworded[i].phrase));
	}
	return arena_strdup(a, s);
}

/* The text of an error line, or NULL when it is no error, or the final one that says nothing. */
static const char *error_text(const char *line, size_t len, size_t *ret_len)
{
	static const char mark[] = "Error (";
	const char *at = memmem(line, len, mark, sizeof(mark) - 1), *end;
	size_t left;

	if (!at)
		return NULL;
	left = len - (size_t) (at - line);
	end = memmem(at, left, "): ", 3);
	if (!end)
		return NULL;
	*ret_len = left - (size_t) (end + 3 - at);
	if (memmem(end, *ret_len + 3, "FAILED", 6))
		return NULL;
	return end + 3;
}

char *criu_log_excerpt(const char *log, size_t n, struct arena *a)
{
	const char *found[LINES_MAX];
	size_t len[LINES_MAX], count = 0;
	char *text = NULL;

	for (const char *p = log, *end = log + n; p < end;) {
		const char *eol = memchr(p, '\n', (size_t) (end - p));
		size_t line = (size_t) ((eol ? eol : end) - p), text_len;
		const char *t = error_text(p, line, &text_len);

		if (t) {
			if (count == LINES_MAX) {
				memmove(found, found + 1, sizeof(found) - sizeof(*found));
				memmove(len, len + 1, sizeof(len) - sizeof(*len));
				count--;
			}
			found[count] = t;
			len[count++] = text_len;
		}
		p += line + 1;
	}
	for (size_t i = 0; i < count; i++)
		text = arena_printf(a, "%s%s%.*s", text ? text : "", text ? "; " : "",
				    len[i] > 300 ? 300 : (int) len[i], found[i]);
	return text ? reword(a, text) : NULL;
}

int criu_failed(const struct rpc_resp *resp, const char *what, int dir_fd, const char *path,
		const char *name, struct arena *a, struct err *e)
{
	int code = resp->cr_errno.set && resp->cr_errno.v > 0 && resp->cr_errno.v < 4096
			   ? (int) -resp->cr_errno.v
			   : -EIO;
	struct bytes log = {0};
	char *text = NULL;

	if (io_read_at(dir_fd, name, O_NOFOLLOW, LOG_MAX, a, &log) == 0)
		text = criu_log_excerpt((const char *) log.v, log.n, a);
	if (!text && resp->cr_errmsg)
		text = reword(a, resp->cr_errmsg);
	return err_set(e, code, "%s: criu: %s (log: %s/%s)", what,
		       text ? text : err_errno_text(-code), path, name);
}

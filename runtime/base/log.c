/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where messages go: stderr, a file, the journal or the system log. A message that cannot be written
 * to its target goes to stderr instead; logging never makes a command fail.
 */
#include "base/log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/str.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"
#define LINE_MAX_BYTES (6 * ERR_MSG_MAX + 256) /* every byte escaped, and the other members */
#define FACILITY_USER (1 << 3)

enum target { TO_STDERR, TO_FILE, TO_JOURNAL, TO_SYSLOG };

static struct {
	enum target target;
	enum log_level level;
	bool json;
	char where[PATH_MAX]; /* the file's path, or the identifier */
	int fd;		      /* of the file, once it is open */
} sink = {.level = LOG_LEVEL_WARNING, .fd = -EBADF};

static const struct {
	const char *scheme;
	enum target target;
} schemes[] = {
	{"file:", TO_FILE},
	{"journald:", TO_JOURNAL},
	{"syslog:", TO_SYSLOG},
};

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARNING] = {"warning", 4},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

/* "word:..." with no slash in the word is a scheme, not a path. */
static bool has_scheme(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");

	return n > 0 && s[n] == ':';
}

int log_init(const char *target, bool json, enum log_level level, struct err *e)
{
	enum target to = target ? TO_FILE : TO_STDERR;
	const char *where = target ? target : "";

	if (target && has_scheme(target)) {
		size_t i;

		for (i = 0; i < ARRAY_LEN(schemes); i++) {
			where = str_prefix(target, schemes[i].scheme);
			if (where)
				break;
		}
		if (i == ARRAY_LEN(schemes))
			return err_set_id(e, ERR_USAGE, -EINVAL,
					  "log target %s: expected PATH, file:PATH, journald:ID "
					  "or syslog:ID",
					  target);
		to = schemes[i].target;
	}
	if (to == TO_FILE && !*where)
		return err_set_id(e, ERR_USAGE, -EINVAL, "log target %s: the path is empty",
				  target);
	if (strlen(where) >= sizeof(sink.where))
		return err_set_id(e, ERR_USAGE, -ENAMETOOLONG, "log target: the path is too long");

	sink.fd = fd_close(sink.fd);
	sink.target = to;
	sink.json = json;
	/* Nobody parses stderr of a command that succeeds, so warnings may go there without being asked. */
	sink.level = to == TO_STDERR && level < LOG_LEVEL_WARNING ? LOG_LEVEL_WARNING : level;
	strcpy(sink.where, *where || to == TO_STDERR || to == TO_FILE ? where : "kavach");
	return 0;
}

enum log_level log_get_level(void)
{
	return sink.level;
}

static void put_time(char *s, size_t size)
{
	struct timespec now = {0};
	struct tm tm = {0};
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(s, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(s + n, size - n, ".%09ldZ", now.tv_nsec);
}

/* {"msg":..,"level":..,"time":..} or time=".." level=.. msg="..", both with JSON's escapes. */
static void put_line(struct buf *b, enum log_level level, const char *msg)
{
	char now[64], head[128];
	struct jsonw w;

	put_time(now, sizeof(now));
	jw_init(&w, b, false);
	if (sink.json) {
		jw_obj(&w);
		jw_kstr(&w, "msg", msg);
		jw_kstr(&w, "level", levels[level].name);
		jw_kstr(&w, "time", now);
		jw_obj_end(&w);
	} else {
		snprintf(head, sizeof(head), "time=\"%s\" level=%s msg=", now, levels[level].name);
		buf_put(b, head, strlen(head));
		jw_str(&w, msg);
	}
	buf_put_u8(b, '\n');
}

/* One write, so that lines of several processes do not mix (O_APPEND). */
static int to_file(enum log_level level, const char *msg)
{
	buf_auto b = BUF_WRITER(LINE_MAX_BYTES);

	if (sink.fd < 0) {
		int fd = open(sink.where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
			      0644);

		if (fd < 0)
			return -errno;
		sink.fd = fd;
	}
	put_line(&b, level, msg);
	return b.bad ? -ENOMEM : io_write_all(sink.fd, b.p, b.n);
}

static int send_datagram(const char *path, const void *p, size_t n)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	fd_auto int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	strcpy(sa.sun_path, path);
	/* Never block on a log daemon that hangs. */
	if (sendto(fd, p, n, MSG_NOSIGNAL, (struct sockaddr *) &sa, sizeof(sa)) < 0)
		return -errno;
	return 0;
}

/* systemd's native protocol: FIELD=value lines; our values hold no newline (see log_at()). */
static int to_journal(enum log_level level, const char *msg)
{
	char text[ERR_MSG_MAX + PATH_MAX + 128];
	int n = snprintf(text, sizeof(text), "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n",
			 levels[level].priority, sink.where, msg);

	return send_datagram(JOURNAL_SOCKET, text, (size_t) n);
}

/* RFC 3164 without the time, which the daemon then fills in. */
static int to_syslog(enum log_level level, const char *msg)
{
	char text[ERR_MSG_MAX + PATH_MAX + 128];
	int n = snprintf(text, sizeof(text), "<%d>%s[%d]: %s",
			 FACILITY_USER | levels[level].priority, sink.where, getpid(), msg);

	return send_datagram(SYSLOG_SOCKET, text, (size_t) n);
}

/* The words alone: engines search this text. */
static void to_stderr(const char *msg)
{
	char line[ERR_MSG_MAX + 16];
	int n = snprintf(line, sizeof(line), "kavach: %s\n", msg);

	io_write_all(STDERR_FILENO, line, (size_t) n);
}

static void to_stderr_json(enum log_level level, const char *msg)
{
	buf_auto b = BUF_WRITER(LINE_MAX_BYTES);

	put_line(&b, level, msg);
	if (!b.bad)
		io_write_all(STDERR_FILENO, b.p, b.n);
	else
		to_stderr(msg);
}

/* Returns 0 when the target has it, else -errno. */
static int to_target(enum log_level level, const char *msg)
{
	switch (sink.target) {
	case TO_FILE: return to_file(level, msg);
	case TO_JOURNAL: return to_journal(level, msg);
	case TO_SYSLOG: return to_syslog(level, msg);
	case TO_STDERR: break;
	}
	if (sink.json)
		to_stderr_json(level, msg);
	else
		to_stderr(msg);
	return 0;
}

void log_error(const char *msg)
{
	struct err clean = ERR_INIT; /* cuts to size and takes control characters out */

	err_set(&clean, -EIO, "%s", msg);
	to_target(LOG_LEVEL_ERROR, clean.msg);
	if (sink.target != TO_STDERR)
		to_stderr(clean.msg);
}

static void __attribute__((format(printf, 2, 0)))
log_at(enum log_level level, const char *fmt, va_list ap)
{
	struct err clean = ERR_INIT;
	int saved = errno;

	err_vset(&clean, -EIO, fmt, ap);
	if (to_target(level, clean.msg) < 0)
		to_stderr(clean.msg);
	errno = saved;
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	if (sink.level < LOG_LEVEL_WARNING)
		return;
	va_start(ap, fmt);
	log_at(LOG_LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (sink.level < LOG_LEVEL_DEBUG)
		return;
	va_start(ap, fmt);
	log_at(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

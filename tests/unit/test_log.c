/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* The log sink: what engines read from the log file and from stderr (C-07). */
#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/kavach-log-XXXXXX", file[64], err_file[64];
static struct arena arena;

static char *content(const char *path)
{
	struct bytes b = {0};

	if (io_read_at(AT_FDCWD, path, 0, 1 << 20, &arena, &b) < 0)
		return NULL;
	return (char *) b.v;
}

/* Runs fn with stderr going to a file; returns what came. */
static char *stderr_of(void (*fn)(void))
{
	int saved = fcntl(2, F_DUPFD_CLOEXEC, 10), fd = creat(err_file, 0600);

	dup2(fd, 2);
	close(fd);
	fn();
	dup2(saved, 2);
	close(saved);
	return content(err_file);
}

static void init(const char *target, bool json, enum log_level level)
{
	struct err e = ERR_INIT;

	if (log_init(target, json, level, &e) < 0)
		bail_out(e.msg);
	unlink(file);
}

static void say_error(void)
{
	log_error("open \"x\": bad\nlevel=info");
}

static void say_all(void)
{
	log_warn("careful %d", 1);
	log_debug("detail %d", 2);
}

/* "2026-01-02T03:04:05.123456789Z" */
static bool is_rfc3339(const char *s)
{
	static const char pattern[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
	size_t i;

	for (i = 0; pattern[i]; i++)
		if (pattern[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != pattern[i])
			return false;
	return true;
}

static void test_json_file(void)
{
	static const char head[] =
		"{\"msg\":\"open \\\"x\\\": bad?level=info\",\"level\":\"error\",\"time\":\"";
	char *err, *text;
	struct stat st;

	init(file, true, LOG_LEVEL_ERROR);
	is_int(access(file, F_OK), -1, "nothing is opened before the first line");
	is_str(stderr_of(say_all), "", "with a target, warnings do not go to stderr");
	is_int(access(file, F_OK), -1, "and at level error not to the file");
	err = stderr_of(say_error);
	is_str(err, "kavach: open \"x\": bad?level=info\n",
	       "an error goes to stderr as plain text");
	text = content(file);
	ok(text && str_prefix(text, head), "and to the file as one JSON object");
	ok(text && is_rfc3339(text + sizeof(head) - 1), "with an RFC 3339 time");
	ok(text && str_has_suffix(text, "\"}\n") && strchr(text, '\n') == text + strlen(text) - 1,
	   "in exactly one line");
	ok(stat(file, &st) == 0 && (st.st_mode & 07777) == 0644, "in a file of mode 0644");
	stderr_of(say_error);
	ok(strlen(content(file)) == 2 * strlen(text), "which is appended to");
}

static void test_levels(void)
{
	char *text;

	init(file, false, LOG_LEVEL_DEBUG);
	is_int(log_get_level(), LOG_LEVEL_DEBUG, "the level can be asked for");
	is_str(stderr_of(say_all), "", "nothing but errors goes to stderr when there is a target");
	text = content(file);
	ok(text && strstr(text, " level=warning msg=\"careful 1\"\n") &&
		   strstr(text, " level=debug msg=\"detail 2\"\n"),
	   "debug level writes everything, as text");
	ok(text && str_prefix(text, "time=\"") && is_rfc3339(text + 6), "with the time");
	init(file, true, LOG_LEVEL_WARNING);
	stderr_of(say_all);
	text = content(file);
	ok(text && strstr(text, "careful") && !strstr(text, "detail"),
	   "level warning leaves debug out");
}

static void test_stderr(void)
{
	char *text;

	init(NULL, false, LOG_LEVEL_ERROR);
	is_str(stderr_of(say_all), "kavach: careful 1\n",
	       "without a target, warnings go to stderr");
	is_str(stderr_of(say_error), "kavach: open \"x\": bad?level=info\n", "errors once");
	init(NULL, true, LOG_LEVEL_ERROR);
	text = stderr_of(say_error);
	ok(text && str_prefix(text, "{\"msg\":") && strstr(text, "\"level\":\"error\""),
	   "--log-format json without --log means JSON on stderr");
}

static void test_targets(void)
{
	struct err e = ERR_INIT;
	char scheme[80], *text;
	static char path[5000];

	snprintf(scheme, sizeof(scheme), "file:%s", file);
	init(scheme, false, LOG_LEVEL_ERROR);
	stderr_of(say_error);
	ok(content(file), "file:PATH");
	is_int(log_init("journald:abc", false, LOG_LEVEL_ERROR, &e), 0, "journald:ID");
	text = stderr_of(say_error);
	ok(text && strstr(text, "bad"), "an error is on stderr whether there is a journal or not");
	is_int(log_init("syslog:abc", false, LOG_LEVEL_ERROR, &e), 0, "syslog:ID");
	is_int(log_init("./a:b", false, LOG_LEVEL_ERROR, &e), 0, "a path may hold a colon");
	is_int(log_init("tcp:host", false, LOG_LEVEL_ERROR, &e), -EINVAL,
	       "unknown schemes are refused");
	is_str(e.msg, "log target tcp:host: expected PATH, file:PATH, journald:ID or syslog:ID",
	       "with what is known");
	is_int(e.id, ERR_USAGE, "as a wrong command line");
	is_int(log_init("file:", false, LOG_LEVEL_ERROR, &e), -EINVAL, "an empty path is refused");
	memset(path, 'p', sizeof(path) - 1);
	is_int(log_init(path, false, LOG_LEVEL_ERROR, &e), -ENAMETOOLONG,
	       "an over-long path is refused");
	init("/proc/no/such/place", true, LOG_LEVEL_ERROR);
	is_str(stderr_of(say_error), "kavach: open \"x\": bad?level=info\n",
	       "a file that cannot be opened does not lose the error");
}

int main(void)
{
	char cmd[64];

	umask(022);
	if (!mkdtemp(top))
		bail_out("mkdtemp");
	snprintf(file, sizeof(file), "%s/log", top);
	snprintf(err_file, sizeof(err_file), "%s/stderr", top);
	test_json_file();
	test_levels();
	test_stderr();
	test_targets();
	arena_free(&arena);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	is_int(system(cmd), 0, "cleaned up");
	return done();
}

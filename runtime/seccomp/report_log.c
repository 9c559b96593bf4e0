/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel itself writes about seccomp: calls that killed, and calls of filters with the flag LOG. The line is a list of
 * key=value, in the kernel's log behind "audit: type=1326", with auditd behind "type=SECCOMP msg=". It names the call by number
 * and has no arguments. Names are in quotes, or in hex when there is something odd in them. A program can write to
 * the kernel's log what looks like such a line: what is odd is left out, and nothing is decided by it.
 */
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "base/types.h"
#include "seccomp/report.h"
#include "seccomp/view.h"

struct text {
	const char *s;
	size_t n;
};

/* The value behind " KEY="; quotes belong to it. */
static bool find(const char *line, size_t n, const char *key, struct text *ret)
{
	size_t len = strlen(key);

	for (size_t i = 0; i + len + 1 < n; i++) {
		if (line[i] != ' ' || memcmp(&line[i + 1], key, len) != 0 ||
		    line[i + 1 + len] != '=')
			continue;
		i += len + 2;
		ret->s = &line[i];
		ret->n = 0;
		if (i < n && line[i] == '"') {
			const char *end = memchr(&line[i + 1], '"', n - i - 1);

			ret->n = end ? (size_t) (end - ret->s) + 1 : 0;
		} else {
			while (i + ret->n < n && line[i + ret->n] > ' ')
				ret->n++;
		}
		return ret->n > 0;
	}
	return false;
}

static bool number(const char *line, size_t n, const char *key, bool hex, uint64_t *ret)
{
	struct text t;
	uint64_t v = 0;

	if (!find(line, n, key, &t))
		return false;
	if (hex && t.n > 2 && memcmp(t.s, "0x", 2) == 0)
		t = (struct text){t.s + 2, t.n - 2};
	for (size_t i = 0; i < t.n; i++) {
		int c = t.s[i], digit = c >= '0' && c <= '9'	      ? c - '0'
					: hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
								      : -1;

		if (digit < 0 || v > UINT32_MAX)
			return false;
		v = v * (hex ? 16 : 10) + (uint64_t) digit;
	}
	*ret = v;
	return v <= UINT32_MAX;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* audit_log_untrustedstring(): "text", or the bytes in capital hex. */
static void put_name(struct buf *b, const char *line, size_t n, const char *key, struct arena *a)
{
	struct text t;
	char *raw;
	size_t len = 0;

	if (!find(line, n, key, &t)) {
		report_put(b, "\"?\"");
	} else if (*t.s == '"') {
		report_quote(b, t.s + 1, t.n - 2, false);
	} else {
		raw = arena_alloc(a, t.n / 2 + 1);
		while (2 * len + 1 < t.n && hex_digit(t.s[2 * len]) >= 0 &&
		       hex_digit(t.s[2 * len + 1]) >= 0) {
			raw[len] = (char) (hex_digit(t.s[2 * len]) << 4 |
					   hex_digit(t.s[2 * len + 1]));
			len++;
		}
		report_quote(b, raw, len, false);
	}
}

static bool is_ours(const char *line, size_t n)
{
	static const char *const marks[] = {"type=1326 ", "type=SECCOMP "};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (memmem(line, n, marks[i], strlen(marks[i])))
			return true;
	return false;
}

static void put_time(struct buf *b, const char *line, size_t n)
{
	const char *at = memmem(line, n, "audit(", 6);
	uint64_t secs = 0;
	struct tm tm;
	time_t t;

	if (!at)
		return;
	for (at += 6; at < line + n && *at >= '0' && *at <= '9' && secs < 1ULL << 36; at++)
		secs = secs * 10 + (uint64_t) (*at - '0');
	t = (time_t) secs;
	if (!gmtime_r(&t, &tm))
		return;
	report_put(b, "%04d-%02d-%02dT%02d:%02d:%02dZ ", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* A line about a filter of mode strict has no action; it kills. */
static const char *outcome(uint32_t code, struct arena *a)
{
	switch (code & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS: return "is denied: the process is killed";
	case SECCOMP_RET_KILL_THREAD: return "is denied: the thread is killed";
	case SECCOMP_RET_TRAP: return "is denied: SIGSYS";
	case SECCOMP_RET_ERRNO:
		return arena_printf(a, "is denied: %s",
				    report_errno_name((int) (code & SECCOMP_RET_DATA), a));
	case SECCOMP_RET_USER_NOTIF: return "is up to an agent";
	case SECCOMP_RET_TRACE: return "is up to a tracer";
	case SECCOMP_RET_LOG: return "is allowed, and logged";
	default: return "is logged";
	}
}

bool report_log(struct buf *b, const char *line, size_t n, struct arena *a)
{
	uint64_t pid, arch, nr, code;
	uint32_t token;
	const char *name, *abi;

	if (!is_ours(line, n) || !number(line, n, "pid", false, &pid) ||
	    !number(line, n, "arch", true, &arch) || !number(line, n, "syscall", false, &nr) ||
	    !number(line, n, "code", true, &code) || nr > INT32_MAX)
		return false;
	token = arch == AUDIT_ARCH_X86_64 && nr & FILTER_X32_BIT ? FILTER_TOKEN_X32
								 : (uint32_t) arch;
	name = filter_call_name(token, (int) nr, a);
	abi = view_abi_name(token);
	put_time(b, line, n);
	report_put(b, "pid %u ", (unsigned) pid);
	put_name(b, line, n, "comm", a);
	report_put(b, " (");
	put_name(b, line, n, "exe", a);
	if (name)
		report_put(b, "): %s", name);
	else
		report_put(b, "): call_%u", (unsigned) (nr & ~(uint64_t) FILTER_X32_BIT));
	if (token != filter_native())
		report_put(b, " of %s", abi ? abi : "another machine");
	report_put(b, " %s\n", outcome((uint32_t) code, a));
	return true;
}

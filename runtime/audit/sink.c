/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies elsewhere: to the journal the whole record, to syslog what it takes to recognize it. Both carry number and digest
 * of the line, which `audit verify --head` compares: a log that was put back to an earlier state is found by them. A
 * record that is in the file counts as written; a daemon that does not listen is no reason to fail, nor to wait.
 */
#include "audit/internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"

#define JOURNAL "/run/systemd/journal/socket"
#define SYSLOG "/dev/log"
#define AUTHPRIV_NOTICE (10 << 3 | 5)

static void send_to(const char *path, const void *p, size_t n)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	fd_auto int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	strcpy(sa.sun_path, path);
	(void) sendto(fd, p, n, MSG_NOSIGNAL, (struct sockaddr *) &sa, sizeof(sa));
}

/* A name that was refused may hold anything; a field of the journal and a line of syslog end at a newline. */
static void clean(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; from && from[i] && i < size - 1; i++)
		to[i] = from[i] < 0x20 || from[i] == 0x7f ? '?' : from[i];
	to[i] = 0;
}

/* Apart: a function touches all pages of its frame when it is entered, so that the stack cannot clash, and this one has
 * many. */
static void __attribute__((noinline))
send_all(const struct audit_settings *set, const struct audit_event *ev, const char *line, size_t n,
	 const struct audit_state *after)
{
	char text[AUDIT_LINE_MAX + 1024], id[256], hex[SHA256_HEX], what[512];
	unsigned long long seq = (unsigned long long) after->seq - 1;
	int len;

	clean(id, sizeof(id), ev->id);
	sha256_hex(after->head, hex);
	snprintf(what, sizeof(what), "kavach audit %s %llu:%s %s %s%s", after->log, seq, hex,
		 audit_event_name(ev->kind), *id ? "container " : "", id);
	if (set->syslog) {
		len = snprintf(text, sizeof(text), "<%d>kavach-audit[%d]: %s", AUTHPRIV_NOTICE,
			       (int) audit_caller()->pid, what);
		send_to(SYSLOG, text, (size_t) len);
	}
	if (set->journald) {
		len = snprintf(
			text, sizeof(text),
			"PRIORITY=5\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=kavach-audit\n"
			"MESSAGE=%s\nKAVACH_AUDIT_LOG=%s\nKAVACH_AUDIT_SEQ=%llu\n"
			"KAVACH_AUDIT_DIGEST=%s\nKAVACH_AUDIT_EVENT=%s\nKAVACH_CONTAINER=%s\n"
			"KAVACH_AUDIT_RECORD=%.*s\n",
			what, after->log, seq, hex, audit_event_name(ev->kind), id, (int) n - 1,
			line);
		send_to(JOURNAL, text, (size_t) len);
	}
}

void audit_sinks(const struct audit_settings *set, const struct audit_event *ev, const char *line,
		 size_t n, const struct audit_state *after)
{
	if (set->journald || set->syslog)
		send_all(set, ev, line, n, after);
}

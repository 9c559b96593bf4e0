/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of audit/. */
#ifndef KAVACH_AUDIT_INTERNAL_H
#define KAVACH_AUDIT_INTERNAL_H

#include <sys/types.h>

#include "audit/audit.h"

/* Who asked: filled once a process (caller.c). */
struct audit_caller {
	uint32_t uid;
	int64_t loginuid; /* -1: none */
	pid_t pid, ppid;
	char comm[64];
};
const struct audit_caller *audit_caller(void);

/* ---- record.c ---- */
/* audit_time: RFC 3339 in UTC with nanoseconds; sec from 0 on, up to the year 9999. */
#define AUDIT_TIME_MAX 31
void audit_time(int64_t sec, int64_t nsec, char ret[AUDIT_TIME_MAX]);
/* audit_record: the line of ev as record s->seq, with its newline. -EMSGSIZE: too long, which is our bug. */
int audit_record(const struct audit_state *s, const struct audit_event *ev,
		 const struct audit_caller *c, struct buf *ret, struct err *e);
/* audit_advance: the state after a line (n bytes with newline) was written. */
void audit_advance(struct audit_state *s, const void *line, size_t n);

/* ---- keyfile.c ---- */
#define AUDIT_BLOCK 256
#define AUDIT_KEY_FILE "key"
int audit_state_load(int key_fd, struct audit_state *ret, struct err *e);
int audit_state_save(int key_fd, const struct audit_state *s, bool sync, struct err *e);
void audit_state_encode(const struct audit_state *s, uint8_t ret[AUDIT_BLOCK]);
bool audit_state_decode(const uint8_t p[AUDIT_BLOCK], struct audit_state *ret);

/* ---- recover.c ---- */
/* What a look at the current file says. */
struct audit_found {
	uint64_t adopted;	 /* lines that the keys prove */
	uint64_t cut;		 /* bytes cut off behind them */
	char digest[SHA256_HEX]; /* of these */
	bool lost;		 /* the file is shorter than it was, or gone */
	uint64_t expected, size; /* then: bytes */
};
/* audit_recover: makes file and *s agree; nothing to do is the usual case and costs one fstat(). */
int audit_recover(struct audit *a, struct audit_state *s, struct audit_found *ret, struct err *e);

/* ---- append.c ---- */
int audit_open_log(struct audit *a, uint64_t first, bool make);

/* ---- rotate.c ---- */
/* audit_rotate: goes on in a new file; *ret_kept: number of the first record that is kept. */
int audit_rotate(struct audit *a, struct audit_state *s, const struct audit_settings *set,
		 uint64_t *ret_kept, struct err *e);
void audit_remove_before(struct audit *a, uint64_t kept);

/* ---- sink.c ---- */
void audit_sinks(const struct audit_settings *set, const struct audit_event *ev, const char *line,
		 size_t n, const struct audit_state *after);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: who did what to which container, in records that cannot be changed afterwards unnoticed. The format is
 * kavach-audit(7)'s; what follows is how it is kept.
 *
 * Theory of operation. A directory holds the records, one JSON object a line, in files audit-SEQ.jsonl that are named by
 * the number of their first record, and `key`: a fixed block with the key of the next record, its number, the digest of
 * the last line, and the size that the current file has. Record i is authenticated with key K(i) and carries the digest of
 * line i-1; then K(i+1) = SHA-256(K(i) || label) is written over K(i). Whoever steals the block later cannot make K(i)
 * from K(i+1), so cannot change record i; K(0), which the operator keeps elsewhere, makes them all.
 *
 * One append, under flock() of the directory:
 *	read `key`; compare the file's size with the one in it; write the line at that size; write `key`.
 * The line first: a writer that is killed between the two has written a record that its key proves, and the next writer
 * adopts it. The other order would lose the record for good, for its key would be gone. What a killed writer, a full disk
 * or a crash can leave, and what the next writer makes of it (recover.c), is on record itself, in a `recovery`:
 *	longer, by lines that the keys from K(i) on prove	they are adopted
 *	longer, by anything else				cut off; its size and digest are recorded
 *	shorter, or gone					goes on in a new file; verify names what is missing
 * The last can happen honestly only when a machine loses power without fsync; it is never taken for intact.
 *
 * Only base/ and types: the same code is in kavach and in hooks/kavach-audit-hook.
 */
#ifndef KAVACH_AUDIT_AUDIT_H
#define KAVACH_AUDIT_AUDIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "base/types.h"

#define AUDIT_KEY_LEN 32
#define AUDIT_ID_HEX 17		 /* a log's name, with the NUL */
#define AUDIT_LINE_MAX 16384	 /* of a line with its newline; no record that we write is longer */
#define AUDIT_TEXT_MAX 512	 /* bytes of foreign text that go into a record, before escaping */
#define AUDIT_ROTATE (64u << 20) /* default size of a file */
#define AUDIT_ROTATE_MIN (4u << 10)
#define AUDIT_FILES_MAX 65536
#define AUDIT_DIR "/var/log/kavach"

enum audit_event_kind {
	AUDIT_INIT = 1,	 /* the log begins */
	AUDIT_RECOVERY,	 /* see above */
	AUDIT_ROTATE_TO, /* the first record of a further file: which records are kept */
	AUDIT_SETTINGS,
	AUDIT_CREATE,
	AUDIT_START,
	AUDIT_EXEC,
	AUDIT_KILL,
	AUDIT_PAUSE,
	AUDIT_RESUME,
	AUDIT_UPDATE,
	AUDIT_EXIT,
	AUDIT_OOM,
	AUDIT_DELETE,
	AUDIT_REFUSAL,
	AUDIT_HOOK_FAILURE,
	AUDIT_CHECKPOINT,
	AUDIT_RESTORE,
	AUDIT_DRIFT,
	AUDIT_ATTESTATION, /* a guest's verdict on its policy, or its evidence */
	AUDIT_EVENT_MAX
};
/* audit_event_name: "hook-failure". */
const char *audit_event_name(enum audit_event_kind k);

enum audit_outcome {
	AUDIT_OK = 1,
	AUDIT_ATTEMPT, /* about to be done; a record of its own follows when that fails */
	AUDIT_FAILED,
	AUDIT_REFUSED,
	AUDIT_OUTCOME_MAX
};

/* A member of its own of an event: null, text, or a number. */
struct audit_field {
	const char *name; /* of ours: never the name of a common member */
	const char *s;
	bool null;
	int64_t n;
};

struct audit_event {
	enum audit_event_kind kind;
	enum audit_outcome outcome;
	const char *id, *config_digest, *policy_digest, *backend; /* NULL = null */
	int score;						  /* -1 = null */
	const char *by;	    /* the program that writes: "kavach 0.1.0" */
	const char *reason; /* NULL = null: why it failed or was refused */
	const struct audit_field *fields;
	size_t n_fields;
};

/* How the log is kept. It is part of the key block, so that all who write agree; rules may add to it. */
struct audit_settings {
	bool fsync, journald, syslog;
	uint64_t rotate_bytes;
	uint32_t keep; /* older files that are kept at a rotation; 0 = all */
};

/* What the key block holds. */
struct audit_state {
	struct audit_settings set;
	char log[AUDIT_ID_HEX]; /* name of the log: of SHA-256(label || K(0)) the first 8 bytes */
	uint64_t seq;		/* number of the next record */
	uint64_t first; /* number of the first record of the current file, which names the file */
	uint64_t size;	/* of the current file */
	uint8_t head[SHA256_LEN]; /* SHA-256 of the last line; zeros before the first */
	uint8_t key[AUDIT_KEY_LEN];
};

/* ---- writing ---- */

struct audit {
	int dir_fd, key_fd, log_fd;
	uint64_t log_first;	    /* which file log_fd is */
	struct audit_settings more; /* what rules ask for beyond the log's own settings */
	const char *dir;
	bool no_caller; /* nobody to name: tests */
};
#define AUDIT_CLOSED ((struct audit){.dir_fd = -EBADF, .key_fd = -EBADF, .log_fd = -EBADF})

/* audit_default_dir: AUDIT_DIR, or of an ordinary user $XDG_STATE_HOME/kavach, else ~/.local/state/kavach; in the arena. */
const char *audit_default_dir(bool rootless, struct arena *a);

/* audit_open: dir must live as long as *ret. -ENOENT without *e set when no log has been set up there: one system call. Refused:
 * a directory or key of somebody else's, or that others may write to. */
int audit_open(const char *dir, struct audit *ret, struct err *e);
void audit_close(struct audit *a);

/* audit_append: one record, with recovery and rotation where they are due; safe among any number of processes. *ret_seq
 * may be NULL. On failure there is no such record: nothing of it is left, or the next writer cuts it off. But with fsync, a record
 * whose key does not get to the disk stays, and is a failure all the same. */
int audit_append(struct audit *a, const struct audit_event *ev, uint64_t *ret_seq, struct err *e);

/* audit_init: makes dir (0700; its parents 0755) and a log in it with a first record; key K(0) is the caller's to show and
 * to wipe. -EEXIST when there is one. */
int audit_init(const char *dir, const struct audit_settings *s, const char *by,
	       uint8_t ret_key[AUDIT_KEY_LEN], struct err *e);
/* audit_set: other settings for a log, put on record. */
int audit_set(struct audit *a, const struct audit_settings *s, const char *by, struct err *e);

/* ---- reading (files.c, verify.c) ---- */

/* audit_state_read: the key block; who reads has the lock (the key in it is wiped unless `with_key`). */
int audit_state_read(int dir_fd, struct audit_state *ret, bool with_key, struct err *e);
int audit_dir_open(const char *dir, struct err *e);
/* audit_head: the state between two records, without its key. */
int audit_head(const char *dir, struct audit_state *ret, struct err *e);

/* audit_files: numbers of the first records of all files, sorted. */
int audit_files(int dir_fd, struct arena *a, struct u64s *ret, struct err *e);
/* audit_file_name: "audit-0000000000000000.jsonl"; the digits are decimal. */
#define AUDIT_NAME_MAX 40
void audit_file_name(uint64_t first, char ret[AUDIT_NAME_MAX]);

/* What frames every line; all that verification needs to understand. */
struct audit_line {
	char log[AUDIT_ID_HEX];
	uint64_t seq;
	uint8_t prev[SHA256_LEN], mac[SHA256_LEN];
	size_t signed_len; /* the MAC is of so many bytes from the first */
};
/* audit_line_parse: a line without its newline. False: no line of ours. */
bool audit_line_parse(const char *p, size_t n, struct audit_line *ret);

void audit_next_key(uint8_t key[AUDIT_KEY_LEN]);
/* audit_log_name: what a log with this K(0) is called. */
void audit_log_name(const uint8_t k0[AUDIT_KEY_LEN], char ret[AUDIT_ID_HEX]);

struct audit_verify {
	const uint8_t *k0; /* NULL: the chain of digests only */
	/* a record that was seen elsewhere (`audit head`, a sink): its number and digest */
	bool has_anchor;
	uint64_t anchor_seq;
	uint8_t anchor[SHA256_LEN];
	/* found: called for each problem with one line of text */
	void (*found)(void *arg, const char *text);
	void *arg;
};
#define AUDIT_PROBLEMS_MAX 100 /* then verification ends */

struct audit_verdict {
	uint64_t first, next; /* records [first, next) were read */
	uint64_t problems;
	uint64_t files;
	uint64_t pending;    /* bytes behind the last record that a writer has not finished */
	uint64_t recoveries; /* records of kind recovery */
	char log[AUDIT_ID_HEX];
	uint8_t head[SHA256_LEN]; /* digest of the last line */
};
/* audit_verify_dir: reads all. 0 also when there are problems; -errno: it could not be read, or the key is of another log. */
int audit_verify_dir(const char *dir, const struct audit_verify *v, struct audit_verdict *ret,
		     struct err *e);

#endif

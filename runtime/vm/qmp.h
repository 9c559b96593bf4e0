/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QMP, the client's side, as a state machine over a non-blocking descriptor that belongs to the caller. No allocation, no
 * waiting: the caller polls for qmp_events(), calls qmp_io() when there are any, and watches qmp_deadline().
 *
 * QEMU is not trusted (a guest may have broken into it): what it sends goes through a strict reader (vm/qjson.h) with a
 * limit for a line; anything that is no QMP, an answer that nobody asked for, or silence past the deadline is an error, and
 * the monitor ends the VM. Texts are cleaned of control characters before they are shown to anybody.
 *
 * Order: the greeting, then qmp_capabilities (by itself), then commands one after another in the order of qmp_send();
 * an answer belongs to the oldest command without one, and has its number as "id". Events come at any time.
 * Source: QEMU, docs/interop/qmp-spec.rst, qapi/misc-i386.json (SEV), run-state.json, machine.json.
 */
#ifndef KAVACH_VM_QMP_H
#define KAVACH_VM_QMP_H

#include "base/err.h"
#include "base/types.h"

#define QMP_LINE_MAX                                                                               \
	65536u /* one answer; a certificate chain of query-sev-capabilities is some 12 KiB */
#define QMP_QUEUE_MAX 16u

enum qmp_cmd {
	QMP_CAPABILITIES = 1, /* sent by the machine itself */
	QMP_STOP,
	QMP_CONT,
	QMP_QUIT,
	QMP_QUERY_STATUS,  /* reply: text is "running", "paused", ... */
	QMP_BALLOON,	   /* number: bytes that the guest keeps */
	QMP_QUERY_BALLOON, /* reply: number: bytes that it has */
	QMP_QUERY_SEV,
	QMP_QUERY_SEV_CAPABILITIES,
	QMP_QUERY_SEV_MEASURE, /* reply: data: base64 of 48 bytes, HMAC(32) and nonce(16) */
	QMP_QUERY_SEV_REPORT,  /* data: base64 of the nonce; reply: data: base64 of 208 bytes */
	QMP_INJECT_SEV_SECRET, /* data: header, more: secret, both base64 */
	QMP_CMD_MAX
};

enum qmp_event {
	QMP_EV_SHUTDOWN = 1, /* text: "guest-shutdown", "guest-reset", "host-qmp-quit", ... */
	QMP_EV_GUEST_PANICKED,
	QMP_EV_STOP,
	QMP_EV_RESUME,
	QMP_EV_OTHER, /* one that nobody here looks at */
	QMP_EV_MAX
};

struct qmp_text {
	const char *p; /* not terminated; NULL: none */
	size_t n;
};

struct qmp_sev {
	bool enabled;
	uint32_t api_major, api_minor, build_id;
	char state[24];	 /* "uninit", "launch-update", "launch-secret", "running", ... */
	bool snp;	 /* sev-type */
	uint64_t policy; /* policy or snp-policy */
	uint32_t handle; /* SEV, SEV-ES */
};

struct qmp_sev_caps {
	struct qmp_text pdh, cert_chain, cpu0_id; /* base64 */
	uint32_t cbitpos, reduced_phys_bits;
};

/* An answer; what it points to is only there during the call. */
struct qmp_reply {
	enum qmp_cmd cmd;
	uint32_t tag;	/* as given to qmp_send */
	bool failed;	/* QEMU said "error" */
	char text[256]; /* its description, or a status; one clean line */
	uint64_t number;
	struct qmp_text data; /* base64, of the right length to be what was asked */
	struct qmp_sev sev;
	struct qmp_sev_caps sev_caps;
};

struct qmp_ops {
	/* Called from qmp_io(); both may call qmp_send(). */
	void (*reply)(void *arg, const struct qmp_reply *r);
	void (*event)(void *arg, enum qmp_event ev, const char *text);
};

enum qmp_state {
	QMP_ST_GREETING = 1, /* waits for it */
	QMP_ST_NEGOTIATING,
	QMP_ST_READY,
	QMP_ST_CLOSED, /* QEMU closed it, which it does when it ends */
	QMP_ST_BROKEN, /* see *e of the call that found it */
};

struct qmp {
	int fd; /* the caller's: a socket, non-blocking */
	enum qmp_state state;
	const struct qmp_ops *ops;
	void *arg;
	uint32_t next_id;
	struct qmp_asked {
		enum qmp_cmd cmd;
		uint32_t tag, id;
	} queue[QMP_QUEUE_MAX]; /* without an answer yet, the oldest first */
	size_t queued;
	int64_t limit;	  /* ns that an answer may take, from the one before */
	int64_t deadline; /* of the greeting, then of the oldest one's answer */
	size_t in_n, out_n, out_at;
	char in[QMP_LINE_MAX], out[QMP_LINE_MAX];
};

/* qmp_init: of a socket on which nothing was read yet. limit_ms: how long QEMU may take for its greeting, and for each
 * command. now: CLOCK_MONOTONIC in ns, here and below. */
void qmp_init(struct qmp *q, int fd, const struct qmp_ops *ops, void *arg, uint32_t limit_ms,
	      int64_t now);

/* Arguments of a command; what it does not take is ignored. */
struct qmp_args {
	uint64_t number;
	const char *data, *more; /* base64 */
};

/* qmp_send: queues a command; before QMP_ST_READY it waits its turn. tag: the caller's, for the reply. -EBUSY: too many at
 * once; -EMSGSIZE: too long; -EPIPE: closed or broken. */
int qmp_send(struct qmp *q, enum qmp_cmd cmd, const struct qmp_args *args, uint32_t tag,
	     int64_t now, struct err *e);

/* qmp_events: for poll(2); 0 when there is nothing to wait for any more. */
short qmp_events(const struct qmp *q);
/* qmp_deadline: when qmp_io() wants to be called without events; INT64_MAX: never. */
int64_t qmp_deadline(const struct qmp *q);

/* qmp_io: reads, writes, calls back. 0: go on (look at q->state: QMP_ST_CLOSED is no error); -errno: broken. */
int qmp_io(struct qmp *q, int64_t now, struct err *e);

/* qmp_feed: what qmp_io() does with bytes that came: for tests and the fuzzer. */
int qmp_feed(struct qmp *q, const void *p, size_t n, int64_t now, struct err *e);

const char *qmp_cmd_name(enum qmp_cmd c); /* "query-status", ... */

#endif

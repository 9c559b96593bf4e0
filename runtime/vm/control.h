/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kavach's commands ask of the monitor of a running VM, over the SEQPACKET socket <state>/<id>/monitor.sock: one
 * packet for a request, one for the answer, several requests on one connection one after the other. A connection that said
 * EXEC belongs to that process: STARTED or FAIL, then EXIT; its end is the end of the process.
 */
#ifndef KAVACH_VM_CONTROL_H
#define KAVACH_VM_CONTROL_H

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

enum ctl_type {
	CTL_EXEC =
		1, /* descriptors: sealed file with wire_exec_table, stdin, stdout, stderr, and, where it
		       * gets any, a pipe with secrets */
	CTL_SIGNAL, /* struct ctl_signal */
	CTL_RESIZE, /* struct ctl_size; after EXEC */
	CTL_PAUSE,  /* empty, as are those without a comment */
	CTL_RESUME,
	CTL_UPDATE,  /* descriptor: sealed file with pol_resources_table */
	CTL_STATS,   /* answered by CTL_BODY: JSON */
	CTL_PS,	     /* the same */
	CTL_INSPECT, /* answered by CTL_BODY: wire_facts_table */
	CTL_KILL, /* ends the VM as gently as it goes: answered by CTL_ENDS, then the monitor ends */
	CTL_NET,  /* `start`: looks at the network interfaces once more */
	CTL_LAUNCH, /* answered by CTL_BODY, JSON: what the launch of an SEV guest shows its owner */
	CTL_RELEASE, /* the owner's answer: nothing, or "HEADER SECRET" in base64; the guest runs */
	CTL_ATTEST,  /* a nonce of 32 to 64 bytes; answered by CTL_BODY: an evidence document */
	/* answers */
	CTL_OK = 0x80,
	CTL_FAIL, /* struct err, cut after the text's NUL */
	CTL_STARTED,
	CTL_EXIT, /* uint32_t: status for _exit() */
	CTL_BODY,
	CTL_ENDS, /* uint32_t: in so many ms at the latest */
};

struct ctl_signal {
	uint32_t sig, all;
};
struct ctl_size {
	uint32_t rows, columns;
};

#define CTL_FDS_MAX 5
#define CTL_BODY_MAX 61440u

struct ctl_msg {
	enum ctl_type type;
	size_t n; /* of the body */
	int fds[CTL_FDS_MAX];
	size_t n_fds;
	uint8_t body[CTL_BODY_MAX + 1]; /* ended by a 0 that does not count */
};

/* ctl_send: one packet, with descriptors, which stay the caller's. Never waits: -EAGAIN when the peer does not read. */
int ctl_send(int sock, enum ctl_type t, const void *body, size_t n, const int *fds, size_t n_fds);
int ctl_send_err(int sock, const struct err *e);
/* ctl_recv: one packet. 1: *ret; its descriptors are the caller's, close-on-exec; 0: end of file; -EBADMSG: none of ours, or
 * with a body or descriptors that its type does not have; -EAGAIN. */
int ctl_recv(int sock, struct ctl_msg *ret);
void ctl_close_fds(struct ctl_msg *m);

/* ctl_err: the error of a CTL_FAIL; its text is made printable. */
void ctl_err(const struct ctl_msg *m, struct err *e);

/* ctl_call: a request to the monitor of the container with this state directory, and the answer, which must be `want`.
 * ERR_NOT_RUNNING when there is none. timeout_ms: < 0 for none. */
int ctl_call(int state_dir, enum ctl_type t, const void *body, size_t n, const int *fds,
	     size_t n_fds, int timeout_ms, enum ctl_type want, struct ctl_msg *ret, struct err *e);

#endif

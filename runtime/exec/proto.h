/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between the stage and whoever started it (rule R-09): SOCK_SEQPACKET (sync socket) or, for
 * `start`, SOCK_STREAM with the same header. Fixed header, size-capped body, version byte. The receiver trusts
 * nothing in a message: sizes and types are checked against the table in proto.c, wrong ones end the start.
 */
#ifndef KAVACH_EXEC_PROTO_H
#define KAVACH_EXEC_PROTO_H

#include "base/err.h"

enum msg_type {
	MSG_IDS = 1, /* parent: id maps are written, go on */
	MSG_PID,     /* intermediate child: body = pid of the real one (int32) */
	MSG_MOUNTS,  /* stage: root is assembled, run the runtime hooks */
	MSG_READY,   /* stage: everything is done but start */
	MSG_ACK,     /* parent: go on */
	MSG_GO,	     /* start: run the program */
	MSG_EXEC,    /* stage: about to exec; afterwards end of file = success */
	MSG_SECCOMP, /* stage: body = number of its listener fd (int32); the peer takes it with pidfd_getfd and answers ACK */
	MSG_ERROR,   /* stage: body = struct err */
	MSG_WARN,    /* stage: body = text of a warning */
	MSG_CONSOLE_READY, /* reserved */
	MSG_TYPE_MAX
};

#define MSG_VERSION 1

/* msg_send: returns 0 or -errno (-EPIPE when the peer is gone; never raises SIGPIPE). */
int msg_send(int sock, enum msg_type t, const void *body, size_t n);
/* msg_recv: waits for one message. body must hold `size`; *ret_n is the body's length. End of file gives 0; a
 * message returns its type; errors -errno (-EBADMSG: malformed, unknown, too long for its type). */
int msg_recv(int sock, void *body, size_t size, size_t *ret_n);
/* msg_send_err: MSG_ERROR with *e. */
int msg_send_err(int sock, const struct err *e);
/* msg_expect: receives until a message of type t; MSG_WARN is logged, MSG_ERROR fills *e and returns its code, end of file is
 * -EPIPE with *e saying that the container's first process ended before it was ready. */
int msg_expect(int sock, enum msg_type t, void *body, size_t size, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between the stage and whoever started it (rule R-09): packets of SOCK_SEQPACKET
 * sockets, one message each. Fixed header, size-capped body, version byte. The receiver trusts
 * nothing in a message: sizes and types are checked against the table in proto.c, wrong ones end the start.
 */
#ifndef KAVACH_EXEC_PROTO_H
#define KAVACH_EXEC_PROTO_H

#include <sys/types.h>

#include "base/err.h"

enum msg_type {
	MSG_IDS = 1, /* parent: id maps are written, go on */
	MSG_MOUNTS,  /* stage: root is assembled, run the runtime hooks */
	MSG_READY,   /* stage: everything is done but start */
	MSG_ACK, /* parent: go on; the one after READY may have a body: the signals that are ignored (sys.h) */
	MSG_GO,	     /* start: run the program */
	MSG_EXEC,    /* stage: about to exec; afterwards end of file = success */
	MSG_SECCOMP, /* stage: body = number of its listener fd (int32); the peer takes it with pidfd_getfd and answers ACK */
	MSG_ERROR,   /* stage: body = struct err, cut after the text's NUL */
	MSG_WARN,    /* stage: body = text of a warning, not terminated */
	MSG_MOUNT,   /* stage: body = struct msg_mount: one more mount was made, or taken away */
	MSG_TYPE_MAX
};

struct msg_mount {
	uint64_t id;
	uint32_t index;	 /* in the list of those to add, or of those to take away */
	uint32_t unique; /* 1: as in sys_mount_id() */
};

#define MSG_VERSION 1
#define MSG_HEAD 8 /* version, type, two zero bytes, length of the body (32 bits) */
#define MSG_BODY_MAX (sizeof(struct err)) /* of the longest type */
#define MSG_MAX (MSG_HEAD + MSG_BODY_MAX)

/* msg_pack: one message into buf (MSG_MAX bytes are enough for any). Returns its length or -EMSGSIZE. For whoever has only
 * write(2) left, behind a seccomp filter. */
ssize_t msg_pack(void *buf, size_t size, enum msg_type t, const void *body, size_t n);
/* msg_pack_err: MSG_ERROR with *e. */
ssize_t msg_pack_err(void *buf, size_t size, const struct err *e);
/* msg_parse_head: checks the first MSG_HEAD bytes; returns the type, *ret_len is the length of the body. -EBADMSG. */
int msg_parse_head(const void *buf, size_t *ret_len);
/* msg_parse_body: checks what a body of this type must hold and makes its text printable (control characters become
 * '?'). 0 or -EBADMSG. */
int msg_parse_body(enum msg_type t, void *body, size_t n);
/* msg_parse: one whole message: both of the above, and that nothing is left over. Returns the type; *ret_body points
 * into buf. */
int msg_parse(void *buf, size_t n, void **ret_body, size_t *ret_len);

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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the monitor on the host (runtime/vm) and the agent in the guest (runtime/agent) say to each other: frames over one
 * reliable byte stream (a virtio-serial port; a socketpair in tests). Neither trusts the other: the guest is hostile to
 * the monitor, and in confidential mode the host is hostile to the agent. Both ends read with the same functions,
 * which allocate nothing, and hold each frame against the same table of phases; whatever does not fit is the end of the VM.
 *
 *   u32 length   of the payload, at most WIRE_PAYLOAD_MAX (of DATA: WIRE_DATA_MAX)
 *   u32 stream   0 control; 1 the container's first process; 2... execs, numbered upwards by the host
 *   u8  type     enum wire_type
 *   u8  sub      DATA, EOF, CREDIT: file descriptor 0, 1 or 2; of what comes in parts: WIRE_MORE or WIRE_LAST; else 0
 *   u16 0
 *
 * All integers are little endian; there is no padding. Structured payloads are encoded with the codec of the policy
 * (policy/codec.h) by the tables in wire/body.h.
 *
 * Streams. A process has up to three, named by (stream, fd). Whoever sends data needs credit: WIRE_WINDOW bytes for each
 * (stream, fd) at first, and what the receiver gives back by CREDIT once it has passed bytes on. So a reader that stops
 * holds back its own stream only. EXIT is sent as soon as the process is reaped, before its data has drained; DRAINED when
 * all of its output was sent; only then the number of the stream is forgotten. FAIL on a stream before its STARTED is its
 * end, too: nothing comes after it. What the host sent meanwhile for a stream that is forgotten here is dropped; a
 * stream that was never there is a violation. Stream 1 is there from PREPARE on, an exec's from EXEC on; SECRET goes before that.
 *
 * Parts. What comes in parts has WIRE_MORE in all frames but the last. Until that has come, only DATA, EOF and CREDIT come between.
 *
 * Which side is ahead: phases change when the guest says so (wire_next), so the guest is never behind the host, and
 * what the host sends in one phase is legal in the guest's next.
 */
#ifndef KAVACH_WIRE_WIRE_H
#define KAVACH_WIRE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

#define WIRE_VERSION 1
#define WIRE_HEAD 12
#define WIRE_PAYLOAD_MAX 65536u
#define WIRE_DATA_MAX 32768u
#define WIRE_FRAME_MAX (WIRE_HEAD + WIRE_PAYLOAD_MAX)
#define WIRE_WINDOW 131072u
#define WIRE_STREAMS_MAX 1024	   /* that live at the same time */
#define WIRE_PARTS_MAX (32u << 20) /* of one thing that comes in parts, together */

#define WIRE_PORT_NAME "kavach.0" /* of the virtio-serial port */

enum wire_sub { WIRE_LAST = 0, WIRE_MORE = 1 };

enum wire_type {
	/* host to guest */
	WIRE_HELLO = 0x01,  /* struct wire_hello */
	WIRE_POLICY = 0x02, /* in parts: the sealed policy, byte for byte */
	WIRE_FILE = 0x03,   /* reserved for confidential mode */
	WIRE_NET =
		0x04, /* struct wire_net: all interfaces; again at any time up to START replaces it */
	WIRE_CLOCK = 0x05,   /* struct wire_clock */
	WIRE_PREPARE = 0x06, /* in parts: struct wire_prepare */
	WIRE_START = 0x07,   /* empty; on stream 0 */
	WIRE_EXEC = 0x08,    /* in parts, on the new stream: struct wire_exec */
	WIRE_SIGNAL = 0x09,  /* struct wire_signal */
	WIRE_RESIZE = 0x0a,  /* struct wire_resize */
	WIRE_STATS = 0x0b,   /* struct wire_ask; answered by REPLY with the same tag */
	WIRE_PS = 0x0c,	     /* the same */
	WIRE_UPDATE = 0x0d,  /* in parts: struct wire_update; REPLY or FAIL with its tag */
	WIRE_SYNC =
		0x0e, /* struct wire_ask: kill everything, sync the file systems; DONE with the tag */
	WIRE_SHUTDOWN = 0x0f, /* empty: power off at once */
	WIRE_PING = 0x10,     /* 1 to 64 bytes, which PONG sends back */
	WIRE_SECRET =
		0x11, /* in parts: the secrets of one process as a block of exec/secret_block.h, on
			       * its stream, before PREPARE or EXEC; never in confidential mode */
	WIRE_ATTEST =
		0x12, /* struct wire_attest; REPLY (an evidence document) or FAIL with its tag */
	WIRE_INSPECT = 0x14, /* struct wire_ask; REPLY with struct wire_facts, or FAIL with its tag */
	WIRE_RELAYED = 0x13, /* in parts: struct wire_relayed: the answer to RELAY */
	/* guest to host */
	WIRE_HELLO_BACK = 0x81, /* struct wire_hello_back */
	WIRE_VERDICT = 0x82,	/* struct wire_verdict: of the policy */
	WIRE_PREPARED = 0x83,	/* empty: everything is done but start */
	WIRE_STARTED = 0x84,	/* empty, on the stream: the program runs (START, EXEC) */
	WIRE_FAIL = 0x85,	/* struct wire_fail, on the stream or 0 */
	WIRE_EXIT = 0x86,	/* struct wire_exit, on the stream */
	WIRE_DRAINED = 0x87,	/* empty, on the stream */
	WIRE_REPLY = 0x88,	/* in parts: struct wire_reply */
	WIRE_EVENT = 0x89,	/* struct wire_event */
	WIRE_DONE = 0x8a,	/* struct wire_ask: the tag of SYNC */
	WIRE_PONG = 0x8b,
	WIRE_LOG = 0x8c,   /* text, printable, not terminated: a warning of the agent */
	WIRE_RELAY = 0x8d, /* in parts: struct wire_relay: a line for the broker, between PREPARE and
			    * PREPARED; one at a time */
	/* both ways */
	WIRE_DATA = 0x40,
	WIRE_EOF = 0x41,    /* empty */
	WIRE_CREDIT = 0x42, /* u32: bytes that were passed on; not 0 */
};

enum wire_dir { WIRE_TO_GUEST = 1, WIRE_TO_HOST = 2 };

/* Both ends go through these; a frame is legal in some of them (wire.c has the table). */
enum wire_phase {
	WIRE_PH_BOOT = 1, /* nothing was said; HELLO, then HELLO_BACK */
	WIRE_PH_HELLO,	  /* POLICY, then VERDICT */
	WIRE_PH_POLICY, /* NET, CLOCK, SECRET, PREPARE; RELAY and RELAYED; then PREPARED or FAIL */
	WIRE_PH_PREPARED, /* START; then STARTED or FAIL */
	WIRE_PH_RUNNING,
	WIRE_PH_EXITED, /* the first process has ended; execs end with it */
	WIRE_PH_MAX
};

struct wire_head {
	uint32_t length, stream;
	uint8_t type, sub;
};

/* wire_put_head: WIRE_HEAD bytes. */
void wire_put_head(uint8_t buf[WIRE_HEAD], const struct wire_head *h);

/* wire_parse: looks at the first bytes of what was received. >0: the whole frame's length, *ret is its head, its payload
 * follows it in buf; 0: not all of it is there yet (*ret is only valid once n >= WIRE_HEAD); -EBADMSG: no frame of ours
 * that goes in this direction: unknown type, too long or short for its type, on a stream or with a sub that it cannot have,
 * bits that must be 0. The head is judged as soon as it is there. */
long wire_parse(const void *buf, size_t n, enum wire_dir dir, struct wire_head *ret);

/* wire_allowed: whether a frame may come in this phase. */
bool wire_allowed(enum wire_phase ph, enum wire_dir dir, const struct wire_head *h);
/* wire_next: the phase after this frame was sent (guest) or came (host). Of a VERDICT only if it accepts: ask then. */
enum wire_phase wire_next(enum wire_phase ph, enum wire_dir dir, const struct wire_head *h);
const char *wire_type_name(uint8_t type); /* "HELLO", ...; "?" */

/* wire_put: one frame at the end of *b, which becomes bad when its limit is reached. */
void wire_put(struct buf *b, uint8_t type, uint8_t sub, uint32_t stream, const void *p, size_t n);
/* wire_put_parts: the same for what comes in parts, in as many frames as it takes. */
void wire_put_parts(struct buf *b, uint8_t type, uint32_t stream, const void *p, size_t n);

/* What comes in parts, put together; one for each direction. */
struct wire_parts {
	struct buf b;
	uint32_t stream;
	uint8_t type;
	bool open; /* more is to come */
};
#define WIRE_PARTS_INIT ((struct wire_parts){.b = BUF_WRITER(WIRE_PARTS_MAX)})
/* wire_in_parts: whether frames of this type are parts. */
bool wire_in_parts(uint8_t type);
/* wire_parts_add: every frame that came goes through this, parts or not. 1: p->b has the whole thing (whose last part this
 * was), valid until the next call; 0: no part, or not the last; -EBADMSG: not the part that had to come, or too long in all. */
int wire_parts_add(struct wire_parts *p, const struct wire_head *h, const void *payload);
/* wire_parts_wipe: overwrites what was put together: SECRET's, when it was used. */
void wire_parts_wipe(struct wire_parts *p);
void wire_parts_free(struct wire_parts *p);

/* Credit of one direction of one (stream, fd). The sender takes before it sends, the receiver counts what came. */
struct wire_flow {
	uint32_t window; /* bytes that may still be sent */
};
#define WIRE_FLOW_INIT ((struct wire_flow){.window = WIRE_WINDOW})
/* wire_flow_take: bytes were sent, or came. -EBADMSG: more than there was credit for. */
int wire_flow_take(struct wire_flow *f, uint32_t n);
/* wire_flow_give: CREDIT came, or was sent. -EBADMSG: more than was taken. */
int wire_flow_give(struct wire_flow *f, uint32_t n);

#endif

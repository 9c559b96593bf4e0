/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside kavach-monitor: the one process that talks to QEMU, to the guest's agent, to kavach's commands and to whoever
 * holds the other ends of stdio.
 *
 * Theory of operation. It starts as the stage does: in new namespaces, in the container's cgroup, with the boot block. It
 * assembles the root, lets kavach run its hooks, forks QEMU into its jail, makes the root its own "/" (which is how engines
 * find the files of the container), and gives up what it does not need any more (monitor_confine.c). From there on it opens
 * nothing by name and is one poll loop (monitor_loop.c) over non-blocking descriptors. The guest is hostile: what
 * comes from it goes through wire/, and a frame that does not fit the phase, the credit or a question that was asked is the
 * end of the VM (monitor_wire.c, monitor_stream.c). Nobody else can hold it up: each stream has a window, each
 * connection of the control socket (monitor_ctl.c) one answer at a time.
 *
 * Ends. The container's first process: its status, or 128 + signal. QEMU gone without a word of that, or a guest that breaks
 * the rules: 255. As PID 1 of the pid namespace the monitor takes QEMU with it, however it ends.
 */
#ifndef KAVACH_VM_MONITOR_H
#define KAVACH_VM_MONITOR_H

#include <poll.h>

#include "base/buf.h"
#include "exec/ctx.h"
#include "net/nics.h"
#include "vm/boot.h"
#include "vm/control.h"
#include "vm/qmp.h"
#include "vm/shape.h"
#include "wire/body.h"
#include "wire/wire.h"

#define CONSOLE_KEEP 4096
#define STATUS_LOST 255
#define NS_PER_MS 1000000ll

/* Bytes on their way out. */
struct ring {
	uint8_t *p;
	size_t at, n;
};

/* One output of a process: bytes from the guest to a descriptor of ours. */
struct output {
	int fd; /* -EBADF: nobody takes it; what comes is dropped, and credit given */
	bool is_socket;
	bool eof;      /* the guest has sent all */
	uint32_t owed; /* passed on, no credit given yet */
	struct wire_flow flow;
	struct ring q; /* WIRE_WINDOW bytes, once something has come */
};

enum stream_state {
	STREAM_ASKED = 1, /* START or EXEC is to be answered */
	STREAM_RUNS,
	STREAM_EXITED, /* its output may still come */
};

/* A process of the guest. */
struct stream {
	uint32_t id;
	enum stream_state state;
	bool drained;
	uint32_t status; /* for _exit() */
	int64_t exit_deadline;
	int in;		 /* -EBADF: at its end, or none */
	bool in_started; /* the guest takes input */
	struct wire_flow in_flow;
	struct output out[2];  /* stdout, stderr */
	struct client *client; /* of an exec; NULL: its proxy is gone, or it is the first process */
	struct stream *next;
};

/* Somebody on the control socket. */
struct client {
	int fd;
	bool execs; /* its EXEC is `stream` */
	struct stream *stream;
	uint32_t tag; /* of a question to the guest; 0: none is open */
	enum ctl_type asked;
	uint64_t keeps; /* UPDATE: memory that the guest keeps then; 0: as it is */
	bool dead;
	struct client *next;
};

/* The conversation between the guest and a broker: one line at a time. */
struct relay {
	int fd;	   /* connected; -EBADF: there is none, or none any more */
	bool open; /* a line is to be answered */
	uint32_t tag;
	int64_t deadline;
	struct buf out;
	size_t out_at;
	uint8_t *in; /* WIRE_RELAYED_MAX and one more, once it is needed */
	size_t in_n;
};

enum monitor_step {
	MON_BOOTS = 1, /* up to PREPARED */
	MON_READY,     /* kavach has been told, its answer is awaited */
	MON_PARKED,    /* `create` is over, `start` is awaited */
	MON_STARTS,    /* START was sent */
	MON_RUNS,
	MON_ENDS, /* SYNC was sent; the end whatever the answer */
};

/* Of a guest with encrypted memory (monitor_launch.c), in this order. */
enum launch_step {
	LAUNCH_NONE, /* a plain VM */
	LAUNCH_ASKED,
	LAUNCH_MEASURE,
	LAUNCH_OWNER, /* stands still until CTL_RELEASE */
	LAUNCH_SECRET,
	LAUNCH_CONT,
	LAUNCH_CHECK,
	LAUNCH_DONE,
};

struct launch {
	enum launch_step step;
	struct qmp_sev sev; /* as QEMU said before it ran */
	char measure[65];   /* base64 */
};

struct monitor {
	const struct monitor_boot *boot;
	struct stage *s;
	const struct policy *full; /* the sealed one */
	enum monitor_step step;
	int64_t deadline;      /* of this step; CLOCK_MONOTONIC, ns; INT64_MAX: none */
	const char *waits_for; /* the words for the error when it passes, */
	const char *waits_by;  /* ... the rules' key for how long it is, */
	uint32_t waits_ms;     /* ... and that */
	int status;	       /* MON_ENDS: what to end with */

	int chan;
	enum wire_phase phase;
	struct buf out; /* frames for the guest */
	size_t out_at;
	uint8_t in[WIRE_FRAME_MAX];
	size_t in_n;
	struct wire_parts parts;
	uint8_t nonce[32];
	uint32_t last_stream, last_tag, sync_tag;

	int console; /* of the guest, and QEMU's own words */
	uint8_t log[CONSOLE_KEEP];
	size_t log_n; /* bytes ever written to the ring */
	int qmp_fd;
	struct qmp qmp;
	int server; /* pidfd of virtiofsd; -EBADF: there is none */
	struct launch launch;

	int signals; /* signalfd */
	int start;   /* listening; -EBADF: `run` */
	int starter; /* connected, says GO or is told of the outcome; s->sync for `run` */
	int control; /* listening */
	int tty;     /* slave of the host's pty; -EBADF without terminal */
	int secrets; /* pipe with those of the first process, until they are sent; -EBADF */
	int ooms;    /* told to the host, of MONITOR_OOM_MAX */
	struct relay relay;
	uid_t creator; /* who may start it, as our user namespace sees it */

	struct rtnl rtnl; /* of the container's network namespace; not open: it has none */
	struct net_tap taps[VM_NICS_MAX]; /* a network device of the VM each */
	size_t n_taps;
	struct wire_net net;

	struct stream *streams;
	size_t n_streams;
	struct client *clients;
	size_t n_clients;
};

/* monitor.c */
int64_t mon_now(void);
/* mon_wait: what is awaited from now on, and for how long: a member of boot, whose name is that of the rules' key. */
void mon_wait_for(struct monitor *m, const char *key, uint32_t ms, const char *what);
#define mon_wait(m, which, what) mon_wait_for(m, #which, (m)->boot->which##_ms, what)
/* mon_end: ends with the first process's status: what it left is synced first. */
void mon_end(struct monitor *m, int status);
/* mon_fail: ends because of *e, which whoever waits is told, with the last words of the guest's console. */
void __attribute__((noreturn)) mon_fail(struct monitor *m, struct err *e);

/* monitor_launch.c: from `-S` to a guest that runs. mon_launched: it does; always, of a plain VM. mon_launch_held: it
 * may have begun to speak, and is not listened to yet. mon_launch_begin: asks QEMU
 * first. mon_launch_reply: QEMU's answers to what this asked; ends the VM when they are wrong. mon_launch_show, _release: of the
 * control socket. mon_launch_words: what failed when the VM ends now; NULL: nothing of the launch. */
bool mon_launched(const struct monitor *m);
bool mon_launch_held(const struct monitor *m);
void mon_launch_begin(struct monitor *m);
void mon_launch_reply(struct monitor *m, const struct qmp_reply *r);
void mon_launch_show(struct monitor *m, struct client *c);
void mon_launch_release(struct monitor *m, struct client *c, char *body);
const char *mon_launch_words(const struct monitor *m);

/* monitor_root.c: what comes before QEMU runs: the root and the share. */
int mon_assemble(struct monitor *m, struct err *e);
/* mon_share: the directory that the guest gets, as O_PATH descriptor of a mount of ours: root/ and vol/N. */
int mon_share(struct monitor *m, int *ret_share, struct err *e);
int mon_enter(struct monitor *m, int share, struct err *e);

/* monitor_tty.c: the host's pty, raw; its slave is standard input and output of the process. ptmx: becomes the master. */
int mon_tty(struct stage *s, const struct pol_process *p, int ptmx, int *ret_slave, struct err *e);

/* monitor_vfs.c: starts virtiofsd on the share, where the VM's root is served by it; what it says goes to `log`. *ret_vfs:
 * QEMU's connection to it; -EBADF: there is none. */
int mon_serve(struct monitor *m, int share, int log, int *ret_vfs, struct err *e);

/* monitor_qemu.c */
int mon_spawn(struct monitor *m, int share, struct err *e);
void mon_console(struct monitor *m);
/* mon_console_tail: the last lines of the console on one line, in the arena; NULL: it said nothing. */
const char *mon_console_tail(const struct monitor *m);

/* monitor_net.c: the taps of the VM's network devices, made before QEMU starts; mon_net_join: those interfaces that are there
 * by now get one, and the agent is told of all. Before PREPARE and again at the start, for engines come late. */
int mon_net_make(struct monitor *m, struct err *e);
int mon_net_join(struct monitor *m, struct err *e);

/* monitor_confine.c: gives up capabilities, new privileges and most system calls. Last, before the loop. keep_net: all
 * capabilities but CAP_NET_ADMIN, which goes with mon_confine_net() when the network is complete. */
int mon_confine(bool keep_net, struct err *e);
int mon_confine_net(struct err *e);

/* monitor_wire.c */
void mon_send(struct monitor *m, uint8_t type, uint32_t stream, const struct ctable *t,
	      const void *body);
void mon_send_raw(struct monitor *m, uint8_t type, uint8_t sub, uint32_t stream, const void *p,
		  size_t n);
void mon_send_parts(struct monitor *m, uint8_t type, uint32_t stream, const void *p, size_t n);
/* mon_send_secrets: all that is in the pipe fd, for the process of this stream; nothing of it stays here. */
int mon_send_secrets(struct monitor *m, uint32_t stream, int fd, struct err *e);
int mon_hello(struct monitor *m, struct err *e);
/* mon_send_clock: what time it is; nothing before the guest has a policy. */
void mon_send_clock(struct monitor *m);
int mon_start(struct monitor *m, struct err *e);
/* mon_wire_in, mon_wire_out: when the channel can be read, or written. -errno: the guest broke the rules, or does not take
 * what it is sent; -EPIPE: it is gone. */
int mon_wire_in(struct monitor *m, struct err *e);
int mon_wire_out(struct monitor *m, struct err *e);
size_t mon_wire_backlog(const struct monitor *m);

/* monitor_relay.c: mon_relay: a RELAY of the guest's. _events, _io: what to poll its connection for, and what came of that.
 * _late: when the broker has had its time. */
int mon_relay(struct monitor *m, const struct buf *b, struct arena *a, struct err *e);
short mon_relay_events(const struct monitor *m);
void mon_relay_io(struct monitor *m, short got);
void mon_relay_late(struct monitor *m);

/* monitor_stream.c */
struct stream *stream_new(struct monitor *m, uint32_t id, int in, int out, int err);
struct stream *stream_find(const struct monitor *m, uint32_t id);
int stream_data(struct monitor *m, struct stream *st, int fd, const void *p, size_t n,
		struct err *e);
int stream_eof(struct stream *st, int fd, struct err *e);
int stream_credit(struct stream *st, uint32_t n, struct err *e);
/* stream_flush: writes what output `i` takes now. stream_fill: reads what the guest may get now. */
void stream_flush(struct monitor *m, struct stream *st, int i);
void stream_fill(struct monitor *m, struct stream *st);
/* stream_wants_input: whether to poll for input. stream_done: everything has been said and written, or it is too late. */
bool stream_wants_input(const struct monitor *m, const struct stream *st);
bool stream_done(const struct stream *st, int64_t now);
void stream_forget(struct monitor *m, struct stream *st);
/* stdio_own: an opening of our own of one of our first three descriptors, non-blocking, where that can be had. */
int stdio_own(struct stage *s, int fd, struct err *e);

/* monitor_ctl.c */
void ctl_accept(struct monitor *m);
void ctl_serve(struct monitor *m, struct client *c);
void ctl_answer(struct client *c, enum ctl_type t, const void *body, size_t n);
void ctl_answer_err(struct client *c, const struct err *e);
/* ctl_updated: the guest has the limits that a client wanted: now the VM gives memory back, or has it again. */
void ctl_updated(struct monitor *m, struct client *c);
struct client *ctl_of_tag(const struct monitor *m, uint32_t tag);
void ctl_drop_dead(struct monitor *m);
extern const struct qmp_ops mon_qmp_ops;

/* monitor_loop.c: until the end; never returns. mon_resize: tells the guest the size of the terminal. mon_lost: the guest or
 * QEMU is gone, or broke the rules: mon_fail() with their last words. */
void mon_resize(struct monitor *m);
void __attribute__((noreturn)) mon_lost(struct monitor *m, struct err *e);
void __attribute__((noreturn)) mon_loop(struct monitor *m);

/* proxy.c */
int proxy_run(const struct monitor_boot *b, struct stage *s, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-agent: performs a sealed policy inside a microVM, on behalf of the monitor on the host.
 *
 * Theory of operation. One thread, one poll loop (loop.c), no blocking read or write anywhere in it. The agent is PID 1 of
 * the guest (guest.c), or, for tests, an ordinary process of root's with the wire on a descriptor that it inherits. What
 * comes is judged by the table of wire.c and then handed to one function for each type (handle.c). The container's first
 * process and each exec is a struct proc: the stage is cloned (spawn.c), speaks over its sync socket (talk.c) as it
 * does to kavach on a host, and becomes the workload; its stdio goes through pipes or a pty (stdio.c).
 *
 * Bounded memory: what a process writes stays in its pipe until the wire has room and the host gave credit; what the
 * host sends for a process is at most a window. Answers wait in one buffer, and while that is full nothing more is
 * read from the host.
 *
 * Trust. The host may be hostile (confidential mode): whatever does not fit, in form or in phase, ends the VM.
 */
#ifndef KAVACH_AGENT_AGENT_H
#define KAVACH_AGENT_AGENT_H

#include <sys/resource.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "cgroup/cgroup.h"
#include "exec/stage.h"
#include "policy/policy.h"
#include "vm/split.h"
#include "wire/body.h"
#include "wire/wire.h"

#define AGENT_NONCE 32
#define AGENT_SHARE "/run/share"    /* root/ and vol/N */
#define AGENT_OUT_HIGH (256u << 10) /* of answers: beyond it the host is not listened to */
#define AGENT_DATA_HIGH (64u << 10) /* data goes out while less than this waits */

/* How far a process is. */
enum proc_state {
	PROC_PREPARING, /* the stage works */
	PROC_READY,	/* first process: waits for START */
	PROC_STARTING,	/* the stage was told to go on */
	PROC_RUNNING,	/* STARTED was sent */
	PROC_ENDED,	/* reaped, EXIT was sent; its output drains */
	PROC_GONE	/* nothing refers to it any more */
};

/* From the host to the process. */
struct agent_in {
	int fd; /* pipe or terminal; -EBADF: closed */
	struct wire_flow flow;
	uint8_t *buf;  /* WIRE_WINDOW bytes, made when they are needed */
	size_t at, n;  /* what waits */
	uint32_t owed; /* passed on, not yet told */
	bool eof;
};

/* From the process to the host. */
struct agent_out {
	int fd; /* -EBADF: nothing more comes */
	struct wire_flow flow;
};

struct proc {
	struct proc *next;
	uint32_t stream;
	enum proc_state state;
	pid_t pid;
	int pidfd, sync,
		console; /* sync: to the stage, while it lives; console: gets the terminal's master */
	int64_t oom;	 /* kills in the container before it */
	bool terminal, told; /* told: the stage said that it executes the program */
	struct arena a;	     /* what `process` and `boot` point into */
	const struct pol_process *process;
	int secrets; /* pipe with its block of secrets, for the stage; -EBADF: none */
	struct agent_in in;
	struct agent_out out[2]; /* stdout, stderr; a terminal has only the first */
};

/* Secrets that came, for a process that does not exist yet. */
struct agent_secrets {
	uint32_t stream; /* whose; 0: none are here */
	int fd;		 /* pipe with the block; <0: why there is none */
	uint64_t have;	 /* which, as bits: numbers in policy.secrets */
};

/* The conversation with a broker. */
enum broker_step {
	BROKER_GREETS = 1, /* hello was sent: a challenge is waited for */
	BROKER_ASKS,	   /* the evidence was sent: the answer is waited for */
	BROKER_IS_DONE
};
struct agent_broker {
	enum broker_step step; /* 0: there is none */
	uint32_t tag;	       /* of the last RELAY */
	struct bytes nonce;
	struct strs names; /* as the broker calls them */
};

struct agent {
	bool guest; /* PID 1 of a VM */
	int conn, sigfd, stage_fd;
	enum wire_phase phase;
	uint8_t *in;
	size_t in_n;
	bool wipe_in; /* a frame with secrets was in `in` */
	struct buf out;
	size_t out_at;
	struct wire_parts parts;
	uint32_t last_stream; /* the highest that was ever there */
	struct proc *procs;
	size_t n_procs, turn; /* turn: who may send first */
	uint64_t boot_ns;

	struct arena a;		    /* of the container: all that follows points into it */
	uint8_t nonce[AGENT_NONCE]; /* the host's, of HELLO */
	struct bytes sealed;	    /* the policy as it came */
	uint8_t digest[SHA256_LEN]; /* of it */
	/* The guest's own public key, made at this boot: EVIDENCE_KEY_LEN bytes, or none. Its reports are about it. */
	struct bytes key;
	const struct policy *policy;
	struct policy part; /* the guest's part of it */
	struct wire_prepare prepare;
	struct arena net_a; /* of net, which may be said more than once */
	struct wire_net net;
	bool preparing; /* PREPARE came */
	struct cg cg;
	struct host host;
	uint64_t ns_flags; /* CLONE_NEW* of the first process, which execs join */
	int oom_fd;
	int64_t oom; /* kills that were told */

	struct agent_secrets secrets;
	bool has_net; /* its modules are loaded */
	int64_t late_at; /* CLOCK_MONOTONIC, ns: when what nobody waits for is loaded; INT64_MAX: not now, or done */
	int keeper; /* socket to it; -EBADF */
	struct agent_broker broker;

	bool syncing; /* SYNC came: answer when no process is left */
	uint32_t sync_tag;
	bool over; /* SHUTDOWN came */
};

/* ---- loop.c ---- */
/* agent_run: serves the wire until it ends: 0 after SHUTDOWN, when the host is gone -EPIPE, -errno with *e after a violation. */
int agent_run(struct agent *a, struct err *e);
/* agent_room: whether data may be put onto the wire now. */
bool agent_room(const struct agent *a);
/* agent_put_*: frames for the host. They cannot fail: too much of them is the end of the loop. */
void agent_put(struct agent *a, uint8_t type, uint8_t sub, uint32_t stream, const void *p,
	       size_t n);
void agent_put_body(struct agent *a, uint8_t type, uint32_t stream, const struct ctable *t,
		    const void *obj);
void agent_put_fail(struct agent *a, uint32_t stream, uint32_t tag, const struct err *e);
void agent_log(struct agent *a, const char *text);

/* ---- handle.c ---- */
/* agent_handle: one frame, or one whole of parts. <0: a violation, with *e. */
int agent_handle(struct agent *a, const struct wire_head *h, const uint8_t *p, size_t n,
		 struct err *e);

/* ---- evidence.c ---- */
/* agent_judge: the verdict on a->policy (judge.h), with what this guest is. *ret_report: its report, where there is one. */
int agent_judge(struct agent *a, struct bytes *ret_report, struct err *e);
/* agent_attest: an evidence document (attest/evidence.h) for a nonce. */
int agent_attest(struct agent *a, struct bytes nonce, struct buf *out, struct err *e);

/* ---- container.c ---- */
/* agent_prepare: root, cgroup, and the stage of the first process. A failure is told by the caller. */
int agent_prepare(struct agent *a, struct err *e);
/* agent_net: the interfaces as NET has them; only those of a guest. */
int agent_net(struct agent *a, struct err *e);
int agent_exec(struct agent *a, struct proc *p, const struct wire_exec *x, struct err *e);
/* agent_kill_all: every process of the container. */
void agent_kill_all(struct agent *a);

/* ---- procs.c ---- */
struct proc *proc_new(struct agent *a, uint32_t stream);
struct proc *proc_find(struct agent *a, uint32_t stream);
/* proc_fail: FAIL on its stream, which is its end. */
void proc_fail(struct agent *a, struct proc *p, const struct err *e);
/* procs_reap: whoever has ended; the orphans of the guest, too. */
void procs_reap(struct agent *a);
/* procs_drain: DRAINED for those whose output was sent; forgets who is gone. */
void procs_sweep(struct agent *a);
/* proc_signal: what has ended is not signalled, which is no failure. */
void proc_signal(struct agent *a, struct proc *p, int sig, bool all);

/* ---- secrets.c ---- */
/* agent_secrets_take: a block of secrets for the process of this stream, whoever handed it over; the caller overwrites his copy.
 * -EBADMSG with *e: it is none, or has what the policy does not give. Other failures are told by agent_secrets_give(). */
int agent_secrets_take(struct agent *a, uint32_t stream, const void *block, size_t n,
		       struct err *e);
/* agent_secrets_give: the secrets that came for p become its own. exec: p was added. An error when one is missing that p may
 * not go without. */
int agent_secrets_give(struct agent *a, struct proc *p, bool exec, struct err *e);
/* agent_secrets_drop: those that nobody took, whose process was refused. */
void agent_secrets_drop(struct agent *a);

/* ---- keeper.c ---- */
/* keeper_start: starts kavach-keeper and has its public key in a->key. */
int keeper_start(struct agent *a, struct err *e);
/* keeper_ask: one question and its answer, of the type `want` and at most `room` bytes. -EACCES with its text: it said FAIL. */
int keeper_ask(struct agent *a, uint8_t type, const void *p, size_t n, uint8_t want, void *ret,
	       size_t room, size_t *ret_n, struct err *e);

/* ---- broker.c ---- */
/* broker_wanted: whether the policy has secrets that a broker has. */
bool broker_wanted(const struct policy *p);
/* broker_begin: the first RELAY. */
void broker_begin(struct agent *a);
/* broker_relayed: what came to the last one. *ret_done: the conversation is over, and the first process may be made, with the
 * secrets or without; an error: it may not. */
int broker_relayed(struct agent *a, const struct wire_relayed *r, bool *ret_done, struct err *e);

/* ---- spawn.c ---- */
/* proc_spawn: clones the stage. create: CLONE_NEW* for it; target: the pidfd of whom it joins, with boot->target_ns, or -EBADF.
 * p gets pid, pidfd, sync and its stdio. */
int proc_spawn(struct agent *a, struct proc *p, struct stage_boot *boot, uint64_t create,
	       int target, struct err *e);

/* ---- talk.c ---- */
/* proc_talk: takes one message of its stage, or the end of them; false when there is none now. */
bool proc_talk(struct agent *a, struct proc *p);
/* proc_go: START: the stage goes on. */
void proc_go(struct agent *a, struct proc *p);

/* ---- stdio.c ---- */
/* Ends of a process's stdio that the stage gets. */
struct stdio_ends {
	int fd[3], console;
};
int stdio_open(struct proc *p, bool terminal, struct stdio_ends *ret, struct err *e);
void stdio_close_ends(struct stdio_ends *s);
/* stdio_take_terminal: the stage has sent the master. */
int stdio_take_terminal(struct proc *p, struct err *e);
/* stdio_data: DATA came. -EBADMSG: more than there was credit for, or after EOF. */
int stdio_data(struct agent *a, struct proc *p, const uint8_t *d, size_t n);
/* stdio_feed: writes what waits to the process. */
void stdio_feed(struct agent *a, struct proc *p);
void stdio_eof(struct agent *a, struct proc *p);
/* stdio_pull: reads at most one frame of output i and puts it on the wire. false: nothing is there now. */
bool stdio_pull(struct agent *a, struct proc *p, unsigned i);
int stdio_resize(struct proc *p, uint32_t rows, uint32_t columns);
void stdio_close(struct proc *p);

/* ---- cgroup.c ---- */
/* agent_cgroup_make: the container's cgroup with its limits. Outside of a guest and without cgroup2 it has none, which is told. */
int agent_cgroup_make(struct agent *a, struct err *e);
/* agent_oom: compares the kernel's count with what was told: EVENT. */
void agent_oom(struct agent *a);
int agent_stats(struct agent *a, struct buf *out, struct err *e);
int agent_ps(struct agent *a, struct buf *out, struct err *e);
/* facts.c: struct wire_facts, encoded */
int agent_facts(struct agent *a, struct buf *out, struct err *e);
int agent_update(struct agent *a, const struct pol_resources *r, struct err *e);

/* ---- guest.c: PID 1 ---- */
int guest_begin(struct err *e); /* file systems, our own limits, modules of "boot" */
/* guest_child_limits: in a child: those that a container begins with. */
int guest_child_limits(struct err *e);
int guest_open_port(struct err *e); /* waits for it; the fd */
/* guest_mount_share: kind: WIRE_ROOT_9P or _VIRTIOFS. */
int guest_mount_share(uint32_t kind, const char *tag, struct err *e);
void __attribute__((noreturn)) guest_end(void);
void guest_set_clock(uint64_t realtime_ns);

/* ---- modules.c ---- */
/* guest_modules: of features, separated by blanks. */
int guest_modules(const char *features, struct err *e);
/* agent_modules: of those features of PREPARE that are asked for: what a container's root is made with; the network's, once
 * there is an interface; what no container waits for, in which case it is a child that loads them, when others leave it
 * the processor. */
enum agent_modules { MODULES_ROOT, MODULES_NET, MODULES_LATE };
int agent_modules(struct agent *a, enum agent_modules which, struct err *e);
/* agent_modules_soon: the container has started: the late ones are due in a moment. */
void agent_modules_soon(struct agent *a);
/* agent_modules_due: milliseconds until the late ones are due, for poll(2); -1: they are not. Loads them when they are. */
int agent_modules_due(struct agent *a);

/* ---- packed.c: a root that is an image ---- */
/* packed_check: whether the policy says enough of it. */
int packed_check(const struct pol_vm *vm, struct err *e);
/* packed_mount: the disk with the image, held against the policy's root hash block by block, and a tmpfs above it, at AGENT_SHARE/root.
 * A block that is not right ends the guest. */
int packed_mount(const struct pol_vm *vm, struct err *e);
/* packed_copies: writes the host's copies to SPLIT_COPIES: exactly those that the plan has. */
int packed_copies(const struct wire_prepare *p, const struct split *s, struct err *e);

/* ---- net.c ---- */
int agent_net_apply(const struct wire_net *n, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The structured payloads of wire.h, and their tables for the codec (body.c). */
#ifndef KAVACH_WIRE_BODY_H
#define KAVACH_WIRE_BODY_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/codec.h"
#include "policy/policy.h"

struct wire_hello {
	uint32_t version_min, version_max;
	struct bytes nonce; /* 32 bytes, fresh */
};

struct wire_hello_back {
	uint32_t version;   /* chosen */
	struct bytes nonce; /* the host's */
	char *kernel;	    /* release */
	uint64_t memory;    /* MemTotal, bytes */
	uint64_t boot_ns;   /* CLOCK_BOOTTIME when the agent began */
};

struct wire_verdict {
	bool accepted;
	char *why;	     /* of a refusal */
	struct bytes report; /* attestation, where there is one */
};

struct wire_clock {
	uint64_t realtime_ns;
};

struct wire_addr {
	char *addr; /* "10.88.0.5" or "fd00::5" */
	uint32_t prefix;
	char *broadcast; /* NULL: none */
};
struct wire_route {
	char *dest; /* NULL: default */
	uint32_t prefix, family, metric, scope, protocol;
	char *gateway, *source; /* NULL: none */
	bool onlink;
};
struct wire_neigh {
	char *addr, *mac;
};
struct wire_nic {
	char *mac;     /* of the virtio device, "52:54:00:.."; how the agent finds it */
	char *name;    /* what it is called in the container */
	char *set_mac; /* what it has there */
	uint32_t mtu;
	bool up;
	POL_LIST(struct wire_addr) addrs;
	POL_LIST(struct wire_route) routes;
	POL_LIST(struct wire_neigh) neighs;
};
struct wire_net {
	POL_LIST(struct wire_nic) nics;
	char *hostname; /* of the UTS namespace that the policy joins; NULL: the policy has the name */
};

/* How the agent gets at the root and the volumes. */
enum wire_root {
	WIRE_ROOT_9P = 1,
	WIRE_ROOT_VIRTIOFS,
	WIRE_ROOT_EROFS,
	WIRE_ROOT_DIR /* tests: a path */
};

/* A bind mount that lies below a file system which the agent makes (/dev/shm in /dev, say): its source is
 * <share>/vol/<volume>. All other bind mounts are in the root already. */
struct wire_volume {
	uint32_t mount; /* index in policy.mounts */
	uint32_t volume;
};

/* A small file of the host's, which the guest keeps. */
struct wire_copy {
	uint32_t mount; /* index in policy.mounts */
	uint32_t mode, uid, gid;
	struct bytes content; /* at most POL_VM_COPY_MAX */
};

struct wire_filter {
	struct bytes bpf;
	uint64_t flags;
};

struct wire_prepare {
	uint32_t root;	/* enum wire_root */
	char *root_tag; /* of the file system ("root"); of WIRE_ROOT_DIR: the share's directory. It holds root/ and vol/N/ */
	uint32_t share; /* EROFS: how volumes come, WIRE_ROOT_9P or _VIRTIOFS with the tag root_tag; 0: there are none */
	POL_LIST(struct wire_copy)
	copies; /* EROFS: one for each mount that the plan has a copy for (vm/split.h) */
	POL_LIST(struct wire_volume) volumes;
	POL_LIST(struct wire_filter) filters; /* as stage_boot.filters */
	char *id, *bundle, *oci_version;
	struct kvs annotations;
	struct strs hook_env;
	uint32_t rows, columns; /* of the terminal; 0: the policy's */
	char *modules; /* features whose kernel modules to load ("9p", "erofs", ...), separated by blanks */
};

struct wire_exec {
	struct bytes process; /* pol_process_table */
	POL_LIST(struct wire_filter) filters;
	uint32_t rows, columns;
};

struct wire_signal {
	uint32_t sig;
	bool all; /* every process of the container */
};

struct wire_resize {
	uint32_t rows, columns;
};

struct wire_ask {
	uint32_t tag;
};

struct wire_attest {
	uint32_t tag;
	struct bytes nonce; /* 32 to 64 bytes */
};

struct wire_update {
	uint32_t tag;
	struct bytes resources; /* pol_resources_table */
};

struct wire_reply {
	uint32_t tag;
	struct bytes
		body; /* STATS: JSON of the same form as events' "data"; PS: JSON array of {pid, ...} */
};

struct wire_event {
	uint32_t kind; /* 1: OOM */
};

struct wire_exit {
	uint32_t status; /* of waitpid() */
	bool oom;
	uint64_t user_us, system_us, max_rss; /* bytes */
};

/* What went wrong, as the stage on a host would say it (base/err.h). */
struct wire_fail {
	int32_t code; /* -errno */
	uint32_t id;  /* enum err_id */
	uint32_t tag; /* of UPDATE; else 0 */
	char *text;
};

/* The conversation with a broker (kavach-broker(7)), of which the host only passes lines on, without their newlines. */
#define WIRE_RELAY_MAX (256u << 10) /* of a line to the broker */
#define WIRE_RELAYED_MAX (1u << 20) /* of a line from it */
struct wire_relay {
	uint32_t tag; /* 1, 2, ... */
	struct bytes line;
};
struct wire_relayed {
	uint32_t tag; /* the same */
	struct bytes line;
	char *fail; /* why there is none; NULL: there is */
};

/* What the guest's kernel shows of a process: names as below /proc/PID, with the text of the file or of the link. What cannot be
 * read is not there. */
struct wire_seen {
	uint32_t pid;
	struct kvs files;
};
extern const char
	*const wire_seen_names[]; /* which, sorted; ended by NULL. exe and ns/... are links */

/* A limit of the container's cgroup in the guest, as cgroup_inspect() has it. */
struct wire_limit {
	char *field, *want, *have;
	uint32_t verdict; /* enum cg_verdict */
};

/* Answer to INSPECT: the guest's word, which the host compares with the policy. */
struct wire_facts {
	POL_LIST(struct wire_seen)
	procs;	      /* the agent, the container's first process, others of it */
	bool more;    /* there are others still */
	char *cgroup; /* where the container's processes are to be; NULL: it has none */
	POL_LIST(struct wire_limit) limits;
	struct strs missing; /* masked and read-only paths that the container's root does not have */
};

extern const struct ctable wire_hello_table, wire_hello_back_table, wire_verdict_table,
	wire_clock_table, wire_net_table, wire_prepare_table, wire_exec_table, wire_signal_table,
	wire_resize_table, wire_ask_table, wire_update_table, wire_reply_table, wire_event_table,
	wire_exit_table, wire_fail_table, wire_facts_table, wire_attest_table, wire_relay_table,
	wire_relayed_table;

/* wire_body: decodes a whole payload; -EBADMSG with *e naming the type when it is malformed or bytes are left. *obj is
 * zeroed first; strings are in the arena. */
int wire_body(const void *p, size_t n, const struct ctable *t, void *obj, struct arena *a,
	      struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel shows of a process: the files of /proc/PID, read. The texts are the kernel's, but names in them (of the
 * program, of mounts, of cgroups) are the workload's; what cannot be read is not there, never a default.
 */
#ifndef KAVACH_INSPECT_SEEN_H
#define KAVACH_INSPECT_SEEN_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/mountinfo.h"
#include "base/types.h"
#include "policy/names.h"
#include "policy/policy.h"

enum seen_caps { SEEN_INH, SEEN_PRM, SEEN_EFF, SEEN_BND, SEEN_AMB, SEEN_CAPS_MAX };

/* /proc/PID/status; what the kernel does not print is not set. */
struct seen_status {
	bool set;
	char state; /* 'Z' and 'X': it has ended */
	bool has_ids, has_groups, has_caps[SEEN_CAPS_MAX];
	uint32_t uid[4], gid[4]; /* real, effective, saved, file system */
	struct u64s groups;
	uint64_t caps[SEEN_CAPS_MAX];
	struct opt_u64 no_new_privs, seccomp, filters; /* filters: Linux 5.9 */
};

struct seen_limit {
	bool set;
	uint64_t soft, hard; /* UINT64_MAX = unlimited */
};

struct seen_cgroup {
	char *name, *path; /* name: as in struct cg_hier, "" = cgroup2 */
};
typedef POL_LIST(struct seen_cgroup) seen_cgroups;

struct seen_proc {
	pid_t pid;
	uint64_t start;
	char *comm; /* what it calls itself */
	char *exe;  /* NULL: not seen */
	struct seen_status st;
	uint64_t ns[POL_NS_MAX]; /* inode number; 0: not seen */
	uint64_t userns_parent;	 /* of the user namespace above its own; 0: not seen */
	bool has_maps;
	pol_idmaps uid_map, gid_map; /* sorted by id inside; outside ids as the reader has them */
	struct seen_limit limits[RLIMIT_NAMES_N];
	struct opt_i64 oom_score_adj;
	char *apparmor, *label; /* attr/apparmor/current, attr/current; NULL: not seen */
	struct mountinfo *mnt;
	size_t n_mnt;
	bool has_mnt;
	seen_cgroups cgroups;
	bool has_cgroups;
};

/* ---- the texts (seen.c); they are changed ---- */

void seen_parse_status(char *text, struct arena *a, struct seen_status *ret);
void seen_parse_limits(char *text, struct seen_limit ret[RLIMIT_NAMES_N]);
void seen_parse_cgroups(char *text, struct arena *a, seen_cgroups *ret);
/* seen_parse_idmap: uid_map or gid_map. False: no such text. */
bool seen_parse_idmap(char *text, struct arena *a, pol_idmaps *ret);
/* seen_parse_ns: "pid:[4026531836]" of the link ns/pid. 0: no such text. */
uint64_t seen_parse_ns(const char *text);

/* ---- reading (look.c) ---- */

enum {
	SEEN_MOUNTS = 1 << 0, /* mountinfo, too */
};

/* seen_look: everything of a process. procfd: of a procfs, or of a directory that is like one. The numbers are all of one
 * process: its directory is opened once, and it was there to the end. -ESRCH: there is none, or it has ended (a zombie is
 * none); start != 0: none with this start time. */
int seen_look(int procfd, pid_t pid, uint64_t start, unsigned what, struct arena *a,
	      struct seen_proc *ret, struct err *e);

/* seen_told: the same from texts that somebody else has read: names as below /proc/PID, texts of files and links. Who is not
 * believed is not: what is missing is not seen. */
int seen_told(const struct kvs *texts, pid_t pid, struct arena *a, struct seen_proc *ret,
	      struct err *e);

/* seen_ns_file: inode number of the namespace that a file is, 0 when it cannot be told. not_after: the file may be below
 * /proc/PID of a process that has ended; a process there that was started after this (clock ticks) is another one. */
uint64_t seen_ns_file(const char *path, uint64_t not_after);

extern const char *const seen_ns_links[POL_NS_MAX]; /* "mnt" */

#endif

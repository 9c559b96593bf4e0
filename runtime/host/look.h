/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a machine is looked at: by reading its files, and by trying what only a try can tell. `kavach check` and the
 * hints in error messages see a machine through this only, so a test can show them another one: a tree of files in front of
 * which `root` goes, and a `see` of its own. Nothing here changes anything that outlives a try.
 */
#ifndef KAVACH_HOST_LOOK_H
#define KAVACH_HOST_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

/* What is tried. Each one runs in a child, with a limit of time. */
enum sight {
	SEE_CALLS, /* v: calls that are there (enum call as bits); bits 32 and on: refused by a filter */
	SEE_NAMESPACES, /* v: kinds that this caller can make, CLONE_NEW* */
	SEE_USERNS, /* how far a user namespace goes: v is 0 creating, 1 its maps, 2 privilege inside */
	SEE_IDMAP, /* an id-mapped mount: "tmpfs", "overlay" (of its layers), or of the file system of a path */
	SEE_IDHELPER, /* "PROGRAM FIRST": maps our own id and FIRST; text: what it said */
	SEE_SECCOMP,  /* v: actions (rows of seccomp_actions), from bit 16 on flags */
	SEE_LANDLOCK, /* v: version of its ABI */
	SEE_OPEN,     /* a device, for reading and writing */
	SEE_READ,     /* a file, for reading */
	SEE_DIGEST,   /* text: SHA-256 of a file, in hexadecimal */
	SEE_WRITE,    /* whether we may write to a path */
	SEE_CONNECT,  /* an AF_UNIX stream socket */
	SEE_MOUNT,    /* of the file system at a path: text: its name, v: statvfs flags */
	SEE_VERSION,  /* text: first line of "PROGRAM --version" */
	SEE_CPUID,    /* leaf 0x8000001f: v: EAX, from bit 32 on ECX; text: the vendor */
	SEE_KVM, /* v: enum kvm_step, from bit 8 on the exit reason, from bit 32 on the types of VM */
	SEE_MAX
};

struct seen {
	int r; /* 0 or -errno; -ETIMEDOUT: no end; -ECHILD: it died */
	uint64_t v;
	char text[240]; /* no control characters */
};

/* Calls and flags of calls that kavach uses and a kernel or a filter may not have. */
enum call {
	CALL_CLONE3,
	CALL_PIDFD,
	CALL_INTO_CGROUP,
	CALL_OPENAT2,
	CALL_MOUNT_API,
	CALL_MOUNT_SETATTR,
	CALL_CLOSE_RANGE,
	CALL_MAX
};

/* How far a small guest got. */
enum kvm_step {
	KVM_STEP_OPEN,
	KVM_STEP_API,
	KVM_STEP_VM,
	KVM_STEP_VCPU,
	KVM_STEP_RUN,
	KVM_STEP_DONE
};

#define SECCOMP_ACTIONS_N 8
#define SECCOMP_FLAGS_N 4

struct look {
	const char *root; /* in front of each path; "" for the machine itself */
	const char *
		hw; /* before the paths of hardware (host/hardware.h), behind root; NULL: nothing */
	void (*see)(const struct look *l, enum sight what, const char *arg, struct seen *ret);
	const void *arg; /* for a test's see */
	struct arena *a;

	/* the caller */
	uint32_t uid, gid;
	bool in_userns; /* the ids here are not the machine's */
	uint64_t caps;	/* effective */
	bool no_new_privs;
	uint64_t nofile_soft, nofile_hard;
	const char *user; /* login name, or the number */
	const char *path, *xdg_runtime_dir, *bus_address,
		*home; /* of the environment; NULL: not set */

	/* the machine and this program */
	const char *release, *machine; /* uname */
	int64_t now;		       /* seconds since 1970 */
	const char *state_root;	       /* NULL: not known */
	const char *self_dir;	       /* where our own program is */
	const char *guest_dir;	       /* the image for guests (host/guest_image.h) */
	const char *version;
	unsigned backends; /* enum check_backend as bits: what this build has */
};

/* look_machine: this machine and this caller. Needs nothing, never fails: what cannot be read is not there. */
void look_machine(struct look *l, struct arena *a);

/* look_text: a short file below the root, without its last newline; NULL when it cannot be read. */
const char *look_text(const struct look *l, const char *path);
/* look_number: a file with one decimal number; `none` when there is no such file or it holds something else. */
uint64_t look_number(const struct look *l, const char *path, uint64_t none);
bool look_exists(const struct look *l, const char *path);
/* look_hw: a path of the hardware as the functions above take it. */
const char *look_hw(const struct look *l, const char *path);
/* look_find: path of a program, in PATH and then in the folders of the system; NULL: not there. */
const char *look_find(const struct look *l, const char *program);
/* look_can: whether a try of this succeeds. */
bool look_can(const struct look *l, enum sight what, const char *arg);
bool look_has_cap(const struct look *l, int cap);
/* look_is_root: root of the machine, whose privilege ends at no user namespace. */
bool look_is_root(const struct look *l);

/* see_real: the `see` of this machine (tries.c). */
void see_real(const struct look *l, enum sight what, const char *arg, struct seen *ret);

/* text_clean: control characters become '?', in place; returns s. */
char *text_clean(char *s);

#endif

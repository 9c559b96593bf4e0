/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Causes and what to do about them: one place for `kavach check` and for the errors of create and exec. They are looked
 * for only once something has failed. Texts are without the words that engines match on (base/err.h).
 */
#ifndef KAVACH_HOST_HINT_H
#define KAVACH_HOST_HINT_H

#include "base/err.h"
#include "host/look.h"

/* cause NULL: none is known. fix NULL: nothing that a person could do. Texts live in the arena of the look. */
struct hint {
	const char *cause, *fix;
};

/* hint_userns: why creating a user namespace, or using it, failed with -errno r. */
struct hint hint_userns(const struct look *l, int r);
/* hint_namespaces: the same for clone3() or unshare() with these CLONE_NEW* flags. */
struct hint hint_namespaces(const struct look *l, uint64_t flags, int r);
/* hint_idhelper: why newuidmap or newgidmap does not do it: not installed, without privilege, no line in /etc/subuid. */
struct hint hint_idhelper(const struct look *l, const char *name);
/* hint_subid: of that line alone; cause NULL: there is one. */
struct hint hint_subid(const struct look *l, const char *file);
/* hint_cgroup: why this caller cannot make or enter cgroups, and how to have some delegated. */
struct hint hint_cgroup(const struct look *l);

/* subid_first: first id of the caller's first range of at least `least` ids in /etc/subuid or /etc/subgid; *ret_n: the ids
 * in it. Returns -ENOENT when there is none. */
int subid_first(const struct look *l, const char *file, uint64_t least, uint64_t *ret_first,
		uint64_t *ret_n);

/* err_hint_*: puts cause and fix behind an error that is set, of this machine. Return e->code. */
int err_hint_namespaces(struct err *e, uint64_t flags);
/* ..._inside: of a refusal inside a user namespace that we could make. Silent unless the cause is certain. */
int err_hint_inside(struct err *e);
int err_hint_idhelper(struct err *e, const char *name);
int err_hint_cgroup(struct err *e);

#endif

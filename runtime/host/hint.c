/* SPDX-License-Identifier: Apache-2.0 */
/* Why this machine refuses, and what to do about it. The order of a function's questions is from the cause that is certain
 * to the one that is left over. */
#include "host/hint.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>

#include "base/str.h"
#include "base/sys.h"
#include "host/host.h"

#define HINT(c, f)                                                                                 \
	(struct hint)                                                                              \
	{                                                                                          \
		.cause = (c), .fix = (f)                                                           \
	}
#define SYS "/proc/sys/"

/* ---- namespaces ---- */

static const struct ns_limit {
	uint64_t flag;
	const char *file, *what, *ns;
} ns_limits[] = {
	{CLONE_NEWUSER, SYS "user/max_user_namespaces", "user", "user"},
	{CLONE_NEWNS, SYS "user/max_mnt_namespaces", "mount", "mnt"},
	{CLONE_NEWPID, SYS "user/max_pid_namespaces", "pid", "pid"},
	{CLONE_NEWNET, SYS "user/max_net_namespaces", "network", "net"},
	{CLONE_NEWIPC, SYS "user/max_ipc_namespaces", "ipc", "ipc"},
	{CLONE_NEWUTS, SYS "user/max_uts_namespaces", "uts", "uts"},
	{CLONE_NEWCGROUP, SYS "user/max_cgroup_namespaces", "cgroup", "cgroup"},
	{CLONE_NEWTIME, SYS "user/max_time_namespaces", "time", "time"},
};

/* A limit of zero among those for these kinds; where none is, the limits in general. */
static struct hint hint_limit(const struct look *l, uint64_t flags)
{
	for (size_t i = 0; i < ARRAY_LEN(ns_limits); i++) {
		const char *key = strrchr(ns_limits[i].file, '/') + 1;

		if ((flags & ns_limits[i].flag) && look_number(l, ns_limits[i].file, 1) == 0)
			return HINT(arena_printf(l->a, "user.%s is 0", key),
				    arena_printf(l->a, "sysctl -w user.%s=15000", key));
	}
	return HINT("a limit user.max_*_namespaces is reached, or 32 namespaces are nested",
		    "raise the limit with sysctl, or end what holds so many");
}

static struct hint hint_kernel(const struct look *l, uint64_t flags)
{
	for (size_t i = 0; i < ARRAY_LEN(ns_limits); i++)
		if ((flags & ns_limits[i].flag) &&
		    !look_exists(l, arena_printf(l->a, "/proc/self/ns/%s", ns_limits[i].ns)))
			return HINT(arena_printf(l->a, "this kernel has no %s namespaces",
						 ns_limits[i].what),
				    "use a kernel that is built with them");
	return HINT(NULL, NULL);
}

static bool is_filtered(const struct look *l)
{
	const char *status = look_text(l, "/proc/self/status");

	return status && strstr(status, "\nSeccomp:\t2");
}

/* AppArmor lets anybody make a user namespace, and takes away what it is for (Ubuntu 24.04). */
static bool hint_is_restricted(const struct look *l)
{
	return !look_has_cap(l, CAP_SYS_ADMIN) &&
	       look_number(l, SYS "kernel/apparmor_restrict_unprivileged_userns", 0) == 1;
}

struct hint hint_userns(const struct look *l, int r)
{
	if (r == -ENOSPC || r == -EUSERS)
		return hint_limit(l, CLONE_NEWUSER);
	if (r == -EINVAL)
		return hint_kernel(l, CLONE_NEWUSER);
	if (!look_has_cap(l, CAP_SYS_ADMIN)) {
		if (look_number(l, SYS "kernel/unprivileged_userns_clone", 1) == 0)
			return HINT("kernel.unprivileged_userns_clone is 0",
				    "sysctl -w kernel.unprivileged_userns_clone=1");
		if (hint_is_restricted(l))
			return HINT("kernel.apparmor_restrict_unprivileged_userns is 1",
				    "an AppArmor profile for kavach with the rule \"userns,\", or "
				    "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	}
	if (is_filtered(l))
		return HINT("we run under a seccomp filter, which may refuse it",
			    "let the container or service around us make namespaces "
			    "(docker: --security-opt seccomp=unconfined)");
	return HINT("we are in a chroot, or a security module refuses it",
		    "call from the machine's own root; look into the kernel's log (dmesg)");
}

struct hint hint_namespaces(const struct look *l, uint64_t flags, int r)
{
	switch (r) {
	case -ENOSYS:
		return HINT("clone3 is missing (before Linux 5.3), or a seccomp filter hides it",
			    "use Linux 5.10 or later; in a container, let its filter allow clone3");
	case -ENOSPC:
	case -EUSERS: return hint_limit(l, flags);
	case -EINVAL: return hint_kernel(l, flags);
	case -EAGAIN:
		return HINT("there is no room for another process",
			    "raise ulimit -u, or pids.max of the cgroup we are in");
	case -EPERM:
		if (flags & CLONE_NEWUSER)
			return hint_userns(l, r);
		if (!look_has_cap(l, CAP_SYS_ADMIN))
			return HINT("CAP_SYS_ADMIN is missing",
				    "call as root, or give the container a user namespace "
				    "(kavach spec --rootless)");
		return HINT(NULL, NULL);
	default: return HINT(NULL, NULL);
	}
}

/* ---- ids ---- */

int subid_first(const struct look *l, const char *file, uint64_t least, uint64_t *ret_first,
		uint64_t *ret_n)
{
	const char *text = look_text(l, file);
	struct host_ranges ranges;

	if (!text)
		return -ENOENT;
	host_subids_parse(arena_strdup(l->a, text), l->user, l->uid, &ranges);
	for (size_t i = 0; i < ranges.n; i++)
		if (ranges.v[i].n >= least) {
			*ret_first = ranges.v[i].first;
			*ret_n = ranges.v[i].n;
			return 0;
		}
	return -ENOENT;
}

struct hint hint_subid(const struct look *l, const char *file)
{
	uint64_t first, n;

	if (subid_first(l, file, 1, &first, &n) == 0)
		return HINT(NULL, NULL);
	return HINT(
		arena_printf(l->a, "%s has no line for %s", file, l->user),
		arena_printf(l->a,
			     "add \"%s:100000:65536\" to %s, with a range that is nobody else's",
			     l->user, file));
}

struct hint hint_idhelper(const struct look *l, const char *name)
{
	const char *file = str_eq(name, "newgidmap") ? "/etc/subgid" : "/etc/subuid";
	uint64_t first = 0, n = 0;
	struct seen s;
	struct hint h;

	if (!look_find(l, name))
		return HINT(
			arena_printf(l->a, "%s is not in PATH", name),
			"install it (Debian: apt install uidmap; Fedora: dnf install shadow-utils)");
	h = hint_subid(l, file);
	if (h.cause)
		return h;
	if (l->no_new_privs)
		return HINT(
			"no_new_privs is set, so no program can gain privilege",
			"call from a session or service without it (systemd: NoNewPrivileges=no)");
	(void) subid_first(l, file, 1, &first, &n);
	l->see(l, SEE_IDHELPER,
	       arena_printf(l->a, "%s %llu", look_find(l, name), (unsigned long long) first), &s);
	if (s.r == 0)
		return HINT(arena_printf(l->a, "%s gives %s the %llu ids from %llu", file, l->user,
					 (unsigned long long) n, (unsigned long long) first),
			    "map these");
	return HINT(arena_printf(l->a, "%s has no privilege", look_find(l, name)),
		    arena_printf(l->a, "setcap cap_set%s+ep %s, on a file system without nosuid",
				 str_eq(name, "newgidmap") ? "gid" : "uid", look_find(l, name)));
}

/* ---- cgroups ---- */

struct hint hint_cgroup(const struct look *l)
{
	if (look_is_root(l))
		return HINT("/sys/fs/cgroup cannot be written to",
			    "mount it read-write, or --cgroup-manager disabled");
	if (look_exists(l, "/run/systemd/system"))
		return HINT(
			"our cgroup is not delegated to us",
			"systemd-run --user --scope -p Delegate=yes COMMAND, in a session of that "
			"user; or --cgroup-manager disabled");
	return HINT(
		"our cgroup is not delegated to us",
		arena_printf(
			l->a,
			"as root: make a cgroup, chown it and the files in it to %s, and start the "
			"session there; or --cgroup-manager disabled",
			l->user));
}

/* ---- behind an error ---- */

static int add(struct err *e, const struct hint *h)
{
	char msg[ERR_MSG_MAX];

	if (!h->cause || !e->code)
		return e->code;
	memcpy(msg, e->msg, sizeof(msg));
	return err_set_id(e, (enum err_id) e->id, e->code, "%s (%s%s%s)", msg, h->cause,
			  h->fix ? "; fix: " : "", h->fix ? h->fix : "");
}

int err_hint_namespaces(struct err *e, uint64_t flags)
{
	arena_auto a = {0};
	struct look l;
	struct hint h;

	look_machine(&l, &a);
	h = hint_namespaces(&l, flags, e->code);
	return add(e, &h);
}

int err_hint_inside(struct err *e)
{
	arena_auto a = {0};
	struct look l;
	struct hint h;

	look_machine(&l, &a);
	if ((e->code != -EPERM && e->code != -EACCES) || !hint_is_restricted(&l))
		return e->code;
	h = hint_userns(&l, e->code);
	return add(e, &h);
}

int err_hint_idhelper(struct err *e, const char *name)
{
	arena_auto a = {0};
	struct look l;
	struct hint h;

	look_machine(&l, &a);
	h = hint_idhelper(&l, name);
	return add(e, &h);
}

int err_hint_cgroup(struct err *e)
{
	arena_auto a = {0};
	struct look l;
	struct hint h;

	look_machine(&l, &a);
	h = hint_cgroup(&l);
	return add(e, &h);
}

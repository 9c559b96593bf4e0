/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: kernel, namespaces, filters, security modules, privilege, limits, state directory, devices, CRIU, clock. */
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/str.h"
#include "base/sys.h"
#include "host/check.h"

/* ---- kernel ---- */

static const struct {
	const char *name, *since, *without;
	bool needed;
} calls[CALL_MAX] = {
	[CALL_CLONE3] = {"clone3", "5.3", NULL, true},
	[CALL_PIDFD] = {"pidfd", "5.3", NULL, true},
	[CALL_INTO_CGROUP] = {"clone3 into a cgroup", "5.7", "no containers on cgroup v2", false},
	[CALL_OPENAT2] = {"openat2", "5.6", "paths are walked piece by piece", false},
	[CALL_MOUNT_API] = {"open_tree", "5.2", "mounts by path, no id-mapped mounts", false},
	[CALL_MOUNT_SETATTR] = {"mount_setattr", "5.12", "no id-mapped or recursive attributes",
				false},
	[CALL_CLOSE_RANGE] = {"close_range", "5.9", "descriptors are closed one by one", false},
};

void row_kernel(const struct look *l, struct finding *f)
{
	bool old = false, filtered = false;
	struct seen s;

	l->see(l, SEE_CALLS, NULL, &s);
	finding_say(f, "%s %s", l->release ? l->release : "unknown", l->machine ? l->machine : "");
	finding_value(f, "release", "%s", l->release ? l->release : "");
	for (size_t i = 0; i < CALL_MAX; i++) {
		bool refused = s.v >> (i + 32) & 1;

		if (s.v >> i & 1)
			continue;
		finding_is(f, calls[i].needed ? CHECK_MISSING : CHECK_LIMITED,
			   calls[i].needed ? CHECK_ALL : 0);
		finding_say(f, "%s is %s%s%s", calls[i].name,
			    refused ? "refused by a filter" : "missing",
			    calls[i].without ? ": " : "", calls[i].without ? calls[i].without : "");
		filtered |= refused;
		old |= !refused;
	}
	if (old)
		finding_fix(f, "use Linux 5.12 or later");
	if (filtered)
		finding_fix(f, "let the seccomp filter around us allow these calls");
	if (!old && !filtered)
		finding_say(f, "has every call that kavach uses");
}

/* ---- namespaces ---- */

void row_namespaces(const struct look *l, struct finding *f)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} kinds[] = {{CLONE_NEWNS, "mount"}, {CLONE_NEWPID, "pid"}, {CLONE_NEWNET, "network"},
		     {CLONE_NEWIPC, "ipc"},  {CLONE_NEWUTS, "uts"}, {CLONE_NEWCGROUP, "cgroup"},
		     {CLONE_NEWTIME, "time"}};
	bool by_user = !look_has_cap(l, CAP_SYS_ADMIN);
	char yes[128] = "", no[128] = "";
	uint64_t missing = 0;
	struct hint h;
	struct seen s;

	l->see(l, SEE_NAMESPACES, NULL, &s);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char *list = s.v & kinds[i].flag ? yes : no;

		if (list == no)
			missing |= kinds[i].flag;
		snprintf(list + strlen(list), sizeof(yes) - strlen(list), "%s%s", *list ? " " : "",
			 kinds[i].name);
	}
	if (*yes)
		finding_say(f, "%s%s", yes, by_user ? ", each in a user namespace" : "");
	finding_value(f, "can", "%s", yes);
	if (!missing)
		return;
	/* without a mount namespace there is no root of its own */
	finding_is(f, missing & CLONE_NEWNS ? CHECK_MISSING : CHECK_LIMITED,
		   missing & CLONE_NEWNS ? CHECK_ALL : 0);
	finding_say(f, "not possible: %s", no);
	h = s.v || !by_user ? hint_namespaces(l, missing, s.r) : hint_userns(l, s.r);
	finding_hint(f, &h);
}

/* ---- seccomp ---- */

void row_seccomp(const struct look *l, struct finding *f)
{
	static const char *const actions[SECCOMP_ACTIONS_N] = {
		"allow", "errno", "kill process", "kill thread", "trap", "trace", "log", "notify"};
	static const char *const flags[SECCOMP_FLAGS_N] = {"tsync", "log", "spec-allow",
							   "wait-killable"};
	char yes[128] = "", no[256] = "";
	struct seen s;

	l->see(l, SEE_SECCOMP, NULL, &s);
	if (!(s.v & 0xff)) {
		finding_is(f, CHECK_MISSING, 0);
		finding_say(
			f, "filters cannot be asked about: configurations with linux.seccomp fail");
		finding_fix(f, "use a kernel with CONFIG_SECCOMP_FILTER (4.14 or later)");
		return;
	}
	for (size_t i = 0; i < SECCOMP_ACTIONS_N; i++)
		if (!(s.v >> i & 1))
			snprintf(no + strlen(no), sizeof(no) - strlen(no), "%s%s", *no ? ", " : "",
				 actions[i]);
	for (size_t i = 0; i < SECCOMP_FLAGS_N; i++) {
		if (s.v >> (i + 16) & 1)
			snprintf(yes + strlen(yes), sizeof(yes) - strlen(yes), "%s%s",
				 *yes ? " " : "", flags[i]);
		else
			snprintf(no + strlen(no), sizeof(no) - strlen(no), "%sflag %s",
				 *no ? ", " : "", flags[i]);
	}
	finding_say(f, "filters%s; flags: %s", *no ? "" : " with every action, also notify", yes);
	if (*no) {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "missing: %s", no);
		finding_fix(f, "use Linux 5.19 or later");
	}
}

/* ---- security modules ---- */

void row_lsm(const struct look *l, struct finding *f)
{
	const char *list = look_text(l, "/sys/kernel/security/lsm"),
		   *aa = look_text(l, "/sys/module/apparmor/parameters/enabled");
	bool apparmor = aa && *aa == 'Y', selinux = look_exists(l, "/sys/fs/selinux/enforce");
	struct seen s;

	l->see(l, SEE_LANDLOCK, NULL, &s);
	finding_say(f, "%s",
		    apparmor && selinux ? "AppArmor and SELinux"
		    : apparmor		? "AppArmor"
		    : selinux		? "SELinux"
					: "neither AppArmor nor SELinux");
	if (s.r == 0)
		finding_say(f, "Landlock ABI %u", (unsigned) s.v);
	else
		finding_say(f, "no Landlock");
	finding_value(f, "apparmor", "%s", apparmor ? "true" : "false");
	finding_value(f, "selinux", "%s", selinux ? "true" : "false");
	finding_value(f, "landlock", "%u", s.r == 0 ? (unsigned) s.v : 0);
	if (list)
		finding_value(f, "active", "%s", text_clean(arena_strdup(l->a, list)));
	if (apparmor || selinux)
		return;
	finding_is(f, CHECK_LIMITED, 0);
	finding_fix(f, "boot with apparmor=1 security=apparmor, where the kernel has it");
}

/* ---- privilege and limits ---- */

void row_privilege(const struct look *l, struct finding *f)
{
	static const struct {
		int cap;
		const char *name, *without;
	} wanted[] = {
		{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "needs a user namespace"},
		{CAP_SETUID, "CAP_SETUID", "maps of ids need newuidmap"},
		{CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE",
		 "hard limits cannot be raised, nor oomScoreAdj lowered"},
		{CAP_MKNOD, "CAP_MKNOD", "device nodes are bound, not made"},
		{CAP_NET_ADMIN, "CAP_NET_ADMIN", "network devices cannot be moved"},
	};
	bool lacks = false;

	finding_say(f, "uid %u%s%s", l->uid,
		    str_eq(l->user, arena_printf(l->a, "%u", l->uid))
			    ? ""
			    : arena_printf(l->a, " (%s)", l->user),
		    l->in_userns ? " of a user namespace" : "");
	if (!l->caps)
		finding_say(f, "no capabilities");
	finding_value(f, "uid", "%u", l->uid);
	finding_value(f, "caps", "%#llx", (unsigned long long) l->caps);
	if (l->no_new_privs) {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "no_new_privs is set: newuidmap cannot help");
		finding_fix(
			f,
			"call from a session or service without it (systemd: NoNewPrivileges=no)");
	}
	if (!l->caps)
		return; /* an ordinary user: what that means stands in the other rows */
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (!look_has_cap(l, wanted[i].cap)) {
			finding_is(f, CHECK_LIMITED, 0);
			finding_say(f, "no %s: %s", wanted[i].name, wanted[i].without);
			lacks = true;
		}
	if (lacks)
		finding_fix(f, "give the service or container around us these capabilities");
}

static const char *limit_text(const struct look *l, uint64_t v)
{
	return v == UINT64_MAX ? "unlimited" : arena_printf(l->a, "%llu", (unsigned long long) v);
}

void row_limits(const struct look *l, struct finding *f)
{
	finding_say(f, "open files %s, at most %s", limit_text(l, l->nofile_soft),
		    limit_text(l, l->nofile_hard));
	finding_value(f, "nofile", "%s", limit_text(l, l->nofile_hard));
	/* engines ask for this number where they ask for none */
	if (l->nofile_hard >= 1048576 || (look_has_cap(l, CAP_SYS_RESOURCE) && !l->in_userns))
		return;
	finding_is(f, CHECK_LIMITED, 0);
	finding_say(f, "a config.json with a higher RLIMIT_NOFILE is refused");
	finding_fix(f, "raise LimitNOFILE of the service, or /etc/security/limits.conf");
}

/* ---- the state directory ---- */

/* What of a path is there already. */
static const char *there(const struct look *l, const char *path)
{
	char *p = arena_strdup(l->a, path), *slash;

	while (*p && !look_exists(l, p) && (slash = strrchr(p, '/')))
		*slash = '\0';
	return *p ? p : "/";
}

void row_state(const struct look *l, struct finding *f)
{
	const char *dir = there(l, l->state_root);
	struct seen m, w;

	l->see(l, SEE_MOUNT, dir, &m);
	l->see(l, SEE_WRITE, dir, &w);
	finding_say(f, "%s on %s%s%s%s", text_clean(arena_strdup(l->a, l->state_root)),
		    m.r == 0 ? m.text : "an unknown file system", m.v & ST_NOEXEC ? ", noexec" : "",
		    m.v & ST_NODEV ? ", nodev" : "", m.v & ST_RDONLY ? ", read-only" : "");
	finding_value(f, "root", "%s", l->state_root);
	if (w.r < 0) {
		finding_is(f, CHECK_MISSING, CHECK_ALL);
		finding_say(f, "%s may not write to %s", l->user, dir);
		finding_fix(f, "%s",
			    l->uid ? "set XDG_RUNTIME_DIR, or name a directory: kavach --root DIR"
				   : "name a directory: kavach --root DIR");
	} else if (l->uid && !l->xdg_runtime_dir && str_prefix(l->state_root, "/tmp/")) {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "XDG_RUNTIME_DIR is not set");
		finding_fix(f, "log in through PAM (pam_systemd makes /run/user/%u), not with su",
			    l->uid);
	}
}

/* ---- devices ---- */

void row_devices(const struct look *l, struct finding *f)
{
	static const char *const names[] = {"null", "zero", "full", "random", "urandom"};
	bool makes = look_has_cap(l, CAP_MKNOD) && !l->in_userns;
	char no[128] = "";

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!look_can(l, SEE_OPEN, arena_printf(l->a, "/dev/%s", names[i])))
			snprintf(no + strlen(no), sizeof(no) - strlen(no), "%s%s", *no ? " " : "",
				 names[i]);
	if (!*no) {
		finding_say(f, "/dev/null, zero, full, random, urandom open; %s",
			    makes ? "others can be made" : "they are bound into containers");
		return;
	}
	finding_say(f, "in /dev do not open: %s", no);
	finding_is(f, makes ? CHECK_LIMITED : CHECK_MISSING, makes ? 0 : CHECK_ALL);
	finding_fix(f, "mount devtmpfs on /dev, with mode 666 for these nodes");
}

/* ---- checkpoints ---- */

void row_criu(const struct look *l, struct finding *f)
{
	const char *path = look_find(l, "criu"), *version;
	struct seen s;

	if (!path) {
		finding_is(f, CHECK_MISSING, 0);
		finding_say(f, "criu is not in PATH: no checkpoints, no restore");
		finding_fix(f, "install it (Debian: apt install criu)");
		return;
	}
	l->see(l, SEE_VERSION, path, &s);
	if (s.r < 0) {
		finding_is(f, CHECK_MISSING, 0);
		finding_say(f, "%s does not run", path);
		finding_fix(f, "install it anew");
		return;
	}
	version = str_prefix(s.text, "Version: ");
	finding_say(f, "CRIU %s", version ? version : s.text);
	finding_value(f, "version", "%s", version ? version : s.text);
	if (!look_is_root(l)) {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "checkpoints need root");
		finding_fix(f, "call as root");
	}
}

/* ---- time ---- */

#define CLOCK_SANE 1767225600 /* 2026-01-01: this program is younger */

void row_clock(const struct look *l, struct finding *f)
{
	const char *source = look_text(
		l, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	time_t now = (time_t) l->now;
	char text[64] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	finding_say(f, "%s%s%s", text, source ? ", from " : "",
		    source ? text_clean(arena_strdup(l->a, source)) : "");
	if (l->now >= CLOCK_SANE)
		return;
	finding_is(f, CHECK_LIMITED, 0);
	finding_say(f, "that is in the past: certificates do not verify");
	finding_fix(f, "set the clock (timedatectl set-ntp true)");
}

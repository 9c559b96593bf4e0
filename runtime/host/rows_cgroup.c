/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: cgroups and what of them is the caller's; systemd, which may have to be asked for them. */
#include <stdio.h>

#include "base/str.h"
#include "host/check.h"

#define CG_ROOT "/sys/fs/cgroup"
#ifndef KAVACH_LIBEXECDIR
#define KAVACH_LIBEXECDIR "/usr/local/libexec/kavach"
#endif

/* What limits of engines are made of. */
static const char *const usual[] = {"cpu", "memory", "pids"};

static bool has_word(const char *list, const char *word, char sep)
{
	size_t n = strlen(word);

	for (const char *s = list; s; s = strchr(s, sep)) {
		s += *s == sep;
		if (strncmp(s, word, n) == 0 && (s[n] == sep || !s[n]))
			return true;
	}
	return false;
}

static bool is_fs(const struct look *l, const char *path, const char *fs)
{
	struct seen s;

	l->see(l, SEE_MOUNT, path, &s);
	return s.r == 0 && str_eq(s.text, fs);
}

/* Our place in the hierarchy of v2 ("0::/path"), or of the v1 one with this name. */
static const char *own_path(const struct look *l, const struct strs *lines, const char *name)
{
	for (size_t i = 0; i < lines->n; i++) {
		const char *c = strchr(lines->v[i], ':'), *p = c ? strchr(c + 1, ':') : NULL;

		if (p && (size_t) (p - c - 1) == strlen(name) &&
		    strncmp(c + 1, name, strlen(name)) == 0)
			return str_eq(p + 1, "/") ? "" : text_clean(arena_strdup(l->a, p + 1));
	}
	return NULL;
}

static void not_ours(const struct look *l, struct finding *f)
{
	struct hint h = hint_cgroup(l);

	finding_is(f, CHECK_LIMITED, 0);
	finding_hint(f, &h);
	finding_say(f, "containers run without limits of their own");
}

static void v2(const struct look *l, const struct strs *lines, struct finding *f)
{
	const char *own = own_path(l, lines, "");
	const char *dir = arena_printf(l->a, CG_ROOT "%s", own ? own : "");
	const char *have = look_text(l, arena_printf(l->a, "%s/cgroup.controllers", dir));
	char missing[64] = "";
	bool ours;

	have = have ? text_clean(arena_strdup(l->a, have)) : "";
	/* root makes its cgroups at the top, whichever one it is in */
	ours = look_can(l, SEE_WRITE, look_is_root(l) ? CG_ROOT : dir) &&
	       (look_is_root(l) ||
		look_can(l, SEE_WRITE, arena_printf(l->a, "%s/cgroup.procs", dir)));
	if (look_is_root(l)) {
		const char *top = look_text(l, CG_ROOT "/cgroup.controllers");

		have = top ? text_clean(arena_strdup(l->a, top)) : have;
	}
	finding_say(f, "v2; %s: %s",
		    look_is_root(l) ? "controllers" : "controllers that we are given",
		    *have ? have : "none");
	finding_value(f, "controllers", "%s", have);
	finding_value(f, "path", "%s", own ? own : "/");
	finding_value(f, "delegated", "%s", ours ? "true" : "false");
	if (!ours) {
		not_ours(l, f);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (!has_word(have, usual[i], ' '))
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing),
				 "%s%s", *missing ? " " : "", usual[i]);
	if (!*missing)
		return;
	finding_is(f, CHECK_LIMITED, 0);
	finding_say(f, "not among them: %s", missing);
	if (!look_is_root(l))
		finding_fix(
			f,
			"in /etc/systemd/system/user@.service.d/delegate.conf: [Service] "
			"Delegate=cpu cpuset io memory pids; then systemctl daemon-reload, log in anew");
	else
		finding_fix(f, "boot without cgroup_disable=, and with a kernel that has them");
}

static void v1(const struct look *l, const struct strs *lines, bool hybrid, struct finding *f)
{
	char names[512] = "", missing[64] = "";
	bool ours = true;

	for (size_t i = 0; i < lines->n; i++) {
		const char *c = strchr(lines->v[i], ':'), *p = c ? strchr(c + 1, ':') : NULL;

		if (!p || p == c + 1 || str_prefix(c + 1, "name="))
			continue;
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%.*s",
			 *names ? "," : "", (int) (p - c - 1), c + 1);
	}
	text_clean(names);
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		const char *own = own_path(l, lines, usual[i]);
		const char *dir = arena_printf(l->a, CG_ROOT "/%s%s", usual[i],
					       own && !look_is_root(l) ? own : "");

		if (!has_word(names, usual[i], ','))
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing),
				 "%s%s", *missing ? " " : "", usual[i]);
		else if (!look_can(l, SEE_WRITE, dir))
			ours = false;
	}
	finding_value(f, "controllers", "%s", names);
	finding_value(f, "delegated", "%s", ours ? "true" : "false");
	for (char *s = names; *s; s++)
		*s = *s == ',' ? ' ' : *s;
	finding_say(f, "%s; controllers: %s", hybrid ? "hybrid (v1 and v2)" : "v1", names);
	if (!ours) {
		not_ours(l, f);
	} else if (*missing) {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "not among them: %s", missing);
		finding_fix(f, "mount them below " CG_ROOT ", or boot with "
			       "systemd.unified_cgroup_hierarchy=1");
	}
}

void row_cgroup(const struct look *l, struct finding *f)
{
	const char *text = look_text(l, "/proc/self/cgroup");
	struct strs lines = str_split(l->a, text ? text : "", '\n');
	bool hybrid = is_fs(l, CG_ROOT "/unified", "cgroup2");

	if (is_fs(l, CG_ROOT, "cgroup2")) {
		finding_value(f, "layout", "v2");
		v2(l, &lines, f);
	} else if (hybrid || lines.n > 1) {
		finding_value(f, "layout", hybrid ? "hybrid" : "v1");
		v1(l, &lines, hybrid, f);
	} else {
		finding_value(f, "layout", "none");
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "none at " CG_ROOT ": containers run without limits");
		finding_fix(f, "mount -t cgroup2 none " CG_ROOT);
	}
}

/* ---- systemd ---- */

static const char *helper(const struct look *l)
{
	const char *const dirs[] = {l->self_dir, KAVACH_LIBEXECDIR};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		const char *p = dirs[i] ? arena_printf(l->a, "%s/kavach-scope", dirs[i]) : NULL;

		if (p && look_exists(l, p))
			return p;
	}
	return NULL;
}

/* The socket at which the manager that this caller would ask answers: where kavach-scope looks for it, in its order. */
static const char *manager(const struct look *l)
{
	const char *run = l->xdg_runtime_dir, *own = arena_printf(l->a, "/run/user/%u", l->uid),
		   *session = l->bus_address ? str_prefix(l->bus_address, "unix:path=") : NULL;
	const char *const system[] = {"/run/systemd/private", "/run/dbus/system_bus_socket"};
	const char *const user[] = {
		session ? arena_strndup(l->a, session, strcspn(session, ",;")) : NULL,
		run ? arena_printf(l->a, "%s/bus", run) : NULL,
		arena_printf(l->a, "%s/bus", own),
		run ? arena_printf(l->a, "%s/systemd/private", run) : NULL,
		arena_printf(l->a, "%s/systemd/private", own),
	};
	const char *const *places = look_is_root(l) ? system : user;
	size_t n = look_is_root(l) ? ARRAY_LEN(system) : ARRAY_LEN(user);

	for (size_t i = 0; i < n; i++)
		if (places[i] && look_can(l, SEE_CONNECT, places[i]))
			return text_clean(arena_strdup(l->a, places[i]));
	return NULL;
}

void row_systemd(const struct look *l, struct finding *f)
{
	const char *socket;

	if (!look_exists(l, "/run/systemd/system")) {
		finding_is(f, CHECK_MISSING, 0);
		finding_say(f, "is not the machine's process 1: no --systemd-cgroup");
		finding_fix(f,
			    "use --cgroup-manager cgroupfs, the default (podman: cgroup_manager in "
			    "containers.conf)");
		return;
	}
	socket = manager(l);
	finding_value(f, "socket", "%s", socket ? socket : "");
	if (socket) {
		finding_say(f, "the manager of %s answers at %s",
			    look_is_root(l) ? "the system" : l->user, socket);
	} else {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "runs, but no manager answers: no --systemd-cgroup");
		if (look_is_root(l))
			finding_fix(f, "systemctl daemon-reexec, and look into the journal");
		else
			finding_fix(f,
				    "loginctl enable-linger %s, and a session through PAM (ssh, "
				    "machinectl shell %s@), not su",
				    l->user, l->user);
	}
	if (helper(l))
		return;
	finding_is(f, CHECK_LIMITED, 0);
	finding_say(f, "kavach-scope is not installed: no --systemd-cgroup");
	finding_fix(f, "build kavach with libsystemd, and install it whole");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: user namespaces, ranges of ids, the helpers that map them, id-mapped mounts. */
#include <linux/capability.h>

#include "base/str.h"
#include "host/check.h"

static bool maps_itself(const struct look *l)
{
	return look_has_cap(l, CAP_SETUID) && look_has_cap(l, CAP_SETGID);
}

void row_userns(const struct look *l, struct finding *f)
{
	static const char *const steps[] = {"cannot be made", "the map of our own id is refused",
					    "give no privilege inside"};
	struct hint h;
	struct seen s;

	l->see(l, SEE_USERNS, NULL, &s);
	if (s.r == 0) {
		finding_say(f, "work, with privilege inside");
		return;
	}
	/* without privilege there is no other way to a container */
	if (look_has_cap(l, CAP_SYS_ADMIN))
		finding_is(f, CHECK_LIMITED, 0);
	else
		finding_is(f, CHECK_MISSING, CHECK_ALL);
	finding_say(f, "%s (%s)", steps[s.v < ARRAY_LEN(steps) ? s.v : 0],
		    s.r == -ECHILD ? "a filter kills who tries" : err_errno_text(-s.r));
	h = hint_userns(l, s.r);
	finding_hint(f, &h);
}

void row_subids(const struct look *l, struct finding *f)
{
	static const char *const files[] = {"/etc/subuid", "/etc/subgid"};
	static const uint64_t usual = 65536;

	if (maps_itself(l)) {
		finding_say(f, "not needed: %s writes the maps itself", l->user);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		uint64_t first, n;
		struct hint h = hint_subid(l, files[i]);

		if (h.cause) {
			finding_is(f, CHECK_LIMITED, 0);
			finding_hint(f, &h);
			continue;
		}
		if (subid_first(l, files[i], usual, &first, &n) == 0 ||
		    subid_first(l, files[i], 1, &first, &n) == 0)
			finding_say(f, "%s: %llu ids from %llu", files[i] + strlen("/etc/"),
				    (unsigned long long) n, (unsigned long long) first);
		if (n < usual) {
			finding_is(f, CHECK_LIMITED, 0);
			finding_fix(f, "give %s 65536 ids in %s: images use ids up to 65535",
				    l->user, files[i]);
		}
	}
	if (f->fixes.n)
		finding_say(f, "without, only containers with one id work");
}

void row_idhelpers(const struct look *l, struct finding *f)
{
	static const struct {
		const char *name, *file;
	} helpers[] = {{"newuidmap", "/etc/subuid"}, {"newgidmap", "/etc/subgid"}};
	const char *path;

	for (size_t i = 0; i < ARRAY_LEN(helpers); i++) {
		uint64_t first = 0, n;
		struct seen s = {0};
		struct hint h;

		path = look_find(l, helpers[i].name);
		if (maps_itself(l)) {
			finding_say(f, "%s %s", helpers[i].name,
				    path ? "is there" : "is not in PATH");
			continue;
		}
		if (path && subid_first(l, helpers[i].file, 1, &first, &n) < 0) {
			finding_is(f, CHECK_LIMITED, 0);
			finding_say(f, "%s is there, with no range to map", helpers[i].name);
			if (!f->fixes.n)
				finding_fix(f, "add the ranges: kavach check subids");
			continue;
		}
		if (path)
			l->see(l, SEE_IDHELPER,
			       arena_printf(l->a, "%s %llu", path, (unsigned long long) first), &s);
		if (path && s.r == 0) {
			finding_say(f, "%s works", helpers[i].name);
			continue;
		}
		h = hint_idhelper(l, helpers[i].name);
		finding_is(f, path ? CHECK_LIMITED : CHECK_MISSING, 0);
		if (s.r == -EPERM && *s.text)
			finding_say(f, "it says: %s", s.text);
		finding_hint(f, &h);
	}
	if (maps_itself(l))
		finding_say(f, "not needed for %s", l->user);
	else if (f->state != CHECK_OK)
		finding_say(f, "without, only containers with one id work");
}

/* ---- id-mapped mounts ---- */

static int one_idmap(const struct look *l, struct finding *f, const char *what, const char *shown)
{
	struct seen s;

	l->see(l, SEE_IDMAP, what, &s);
	if (s.r == 0)
		finding_say(f, "%s yes", shown);
	else
		finding_say(f, "%s no (%s)", shown,
			    s.r == -ENOSYS			? "the kernel cannot"
			    : s.r == -EINVAL			? "it does not have them"
			    : s.r == -EPERM && !look_is_root(l) ? "root can"
								: err_errno_text(-s.r));
	finding_value(f, shown, "%s", s.r == 0 ? "true" : "false");
	if (s.r < 0)
		finding_is(f, CHECK_LIMITED, 0);
	return s.r;
}

void row_idmap(const struct look *l, struct finding *f)
{
	/* where roots of containers are */
	const char *const places[] = {
		"/var/lib/containers",
		"/var/lib/containerd",
		"/var/lib/docker",
		l->home ? arena_printf(l->a, "%s/.local/share/containers", l->home) : NULL,
		"/",
	};
	const char *last = "";
	struct hint h;
	int r;

	r = one_idmap(l, f, "tmpfs", "tmpfs");
	(void) one_idmap(l, f, "overlay", "layers of overlay");
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char *p = places[i];
		struct seen m;

		if (!p || !look_exists(l, p))
			continue;
		l->see(l, SEE_MOUNT, p, &m);
		if (m.r < 0 || str_eq(m.text, last) || str_eq(m.text, "tmpfs"))
			continue;
		last = arena_strdup(l->a, m.text);
		(void) one_idmap(l, f, p, arena_printf(l->a, "%s (%s)", last, p));
	}
	if (f->state == CHECK_OK)
		return;
	if (r < 0 && r != -ENOSYS && r != -EINVAL) {
		h = hint_userns(l, r);
		finding_hint(f, &h);
	} else if (r != -ENOSYS && !look_is_root(l))
		finding_fix(
			f,
			"an ordinary user maps only what his user namespace mounts: call as root for "
			"the others");
	else
		finding_fix(
			f,
			"Linux 5.12 maps ext4 and xfs, 5.15 btrfs, 5.19 layers of overlay, 6.3 tmpfs");
}

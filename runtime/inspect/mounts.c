/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root, the mounts, masked and read-only paths, and mounts that nobody knows of.
 *
 * All is read off the mount table: whoever walks a path of the container walks through what the workload may have put
 * there. Only where the table has no mount where one should be is it asked whether there is anything at all at the path
 * (masked paths are those of any machine); and that is the caller's to do with care (inspect_world.present).
 */
#include <linux/capability.h>
#include <linux/mount.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "inspect/inspect.h"

#define GROUP_MOUNTS "mounts"
#define GROUP_PATHS "paths"

/* The flags that a mount can have too few of. */
static const struct {
	uint64_t attr;
	const char *word;
} flags[] = {
	{MOUNT_ATTR_RDONLY, "ro"},
	{MOUNT_ATTR_NOSUID, "nosuid"},
	{MOUNT_ATTR_NODEV, "nodev"},
	{MOUNT_ATTR_NOEXEC, "noexec"},
};

static bool is_ro(const struct mountinfo *m)
{
	return mountinfo_has(m->options, "ro") || mountinfo_has(m->super, "ro");
}

static const char *flag_text(struct inspect *in, uint64_t attr)
{
	const char *s = attr & MOUNT_ATTR_RDONLY ? "" : "rw";

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (attr & flags[i].attr)
			s = arena_printf(in->a, "%s%s%s", s, *s ? "," : "", flags[i].word);
	return s;
}

static uint64_t flags_of(const struct mountinfo *m)
{
	uint64_t attr = is_ro(m) ? MOUNT_ATTR_RDONLY : 0;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (mountinfo_has(m->options, flags[i].word))
			attr |= flags[i].attr;
	return attr;
}

static const struct mountinfo *at(const struct seen_proc *s, const char *path)
{
	return mountinfo_at(s->mnt, s->n_mnt, path);
}

/* Hooks run before the masks are made, and mount what they want. */
static bool hooks_mount(const struct policy *p)
{
	return p->hooks[HOOK_PRESTART].n || p->hooks[HOOK_CREATE_RUNTIME].n ||
	       p->hooks[HOOK_CREATE_CONTAINER].n;
}

/* ---- the root ---- */

static void root(struct inspect *in, const struct seen_proc *s)
{
	const struct mountinfo *m = at(s, "/");
	bool want = in->p->rootfs_readonly;

	if (!inspect_add(in, GROUP_MOUNTS, "/",
			 is_ro(m) == want ? INSPECT_OK
			 : want		  ? INSPECT_DRIFT
					  : INSPECT_STRICTER,
			 want ? "ro" : "rw", is_ro(m) ? "ro" : "rw", NULL))
		in->measured.rootfs_readonly = false;
}

/* ---- the mounts of the policy ---- */

static const char *place_of(const struct inspect *in, const struct inspect_world *w, size_t i)
{
	return w->places && w->places[i] ? w->places[i] : in->p->mounts.v[i].destination;
}

/* Whether a later mount of the policy is at the same place: that one is seen there. */
static bool replaced(const struct inspect *in, const struct inspect_world *w, size_t i)
{
	for (size_t k = i + 1; k < in->p->mounts.n; k++)
		if (in->p->mounts.v[k].kind != POL_MOUNT_REMOUNT &&
		    path_below(place_of(in, w, i), place_of(in, w, k)))
			return true;
	return strs_has(&w->added, place_of(in, w, i));
}

static uint64_t wanted_flags(const struct inspect *in, const struct inspect_world *w, size_t i)
{
	const struct pol_mount *m = &in->p->mounts.v[i];
	uint64_t attr = m->attr_set | m->rattr_set;

	if (m->flags & POL_MOUNT_DATA_RO)
		attr |= MOUNT_ATTR_RDONLY;
	for (size_t k = i + 1; k < in->p->mounts.n; k++) {
		const struct pol_mount *r = &in->p->mounts.v[k];

		if (r->kind == POL_MOUNT_REMOUNT && str_eq(place_of(in, w, i), place_of(in, w, k)))
			attr = (attr & ~r->attr_clr) | r->attr_set;
	}
	return attr &
	       (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static bool is_bind(const struct pol_mount *m)
{
	return m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
}

/* Of new file systems; what a cgroup mount is depends on the machine (exec/cgroup_view.c). */
static bool right_type(const struct pol_mount *m, const struct mountinfo *have)
{
	if (m->kind == POL_MOUNT_CGROUP)
		return str_prefix(have->type, "cgroup") || str_eq(have->type, "tmpfs");
	return m->kind != POL_MOUNT_FS || !m->type || str_eq(m->type, have->type) ||
	       str_prefix(have->type, m->type);
}

static void lose_mount(struct inspect *in, size_t i)
{
	struct pol_mount *m = &in->measured.mounts.v[i];

	m->attr_set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
	m->rattr_set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
}

static enum inspect_verdict judge_mount(struct inspect *in, const struct inspect_world *w, size_t i,
					const struct mountinfo *have, const char **note)
{
	const struct pol_mount *m = &in->p->mounts.v[i];
	uint64_t want, seen;

	if (!str_eq(have->place, place_of(in, w, i))) {
		/* a symlink that is copied, sources that the machine lacks */
		if (m->flags & (POL_MOUNT_COPY_SYMLINK | POL_MOUNT_OPTIONAL))
			return INSPECT_OK;
		*note = "it is not mounted any more";
		return INSPECT_DRIFT;
	}
	if (!right_type(m, have)) {
		*note = arena_printf(in->a, "another file system: expected %s", m->type);
		return INSPECT_DRIFT;
	}
	want = wanted_flags(in, w, i);
	seen = flags_of(have);
	if (want & ~seen) {
		*note = arena_printf(in->a, "without %s",
				     flag_text(in, (want & ~seen) | MOUNT_ATTR_RDONLY));
		if (!(want & ~seen & MOUNT_ATTR_RDONLY))
			*note = "flags are missing";
		return INSPECT_DRIFT;
	}
	return (seen & ~want) && !is_bind(m) && (seen & ~want & MOUNT_ATTR_RDONLY)
		       ? INSPECT_STRICTER
		       : INSPECT_OK;
}

static void policy_mounts(struct inspect *in, const struct inspect_world *w,
			  const struct seen_proc *s)
{
	for (size_t i = 0; i < in->p->mounts.n; i++) {
		const struct pol_mount *m = &in->p->mounts.v[i];
		const struct mountinfo *have = at(s, place_of(in, w, i));
		const char *note = NULL;
		bool there = str_eq(have->place, place_of(in, w, i));

		if (m->kind == POL_MOUNT_REMOUNT || replaced(in, w, i))
			continue;
		if (!inspect_add(in, GROUP_MOUNTS, m->destination,
				 judge_mount(in, w, i, have, &note),
				 arena_printf(in->a, "%s %s",
					      is_bind(m) ? "bind"
					      : m->type	 ? m->type
							 : "cgroup",
					      flag_text(in, wanted_flags(in, w, i))),
				 there ? arena_printf(in->a, "%s %s", have->type,
						      flag_text(in, flags_of(have)))
				       : "none",
				 note))
			lose_mount(in, i);
	}
}

/* ---- secrets ---- */

/* The directory of a secret that is a file, or NULL; each directory once (exec/secrets.c). */
static const char *secret_dir(const struct inspect *in, size_t i)
{
	const struct pol_secret *v = in->p->secrets.v;
	size_t n;

	if (v[i].give != POL_SECRET_FILE)
		return NULL;
	n = (size_t) (strrchr(v[i].target, '/') - v[i].target);
	for (size_t k = 0; k < i; k++)
		if (v[k].give == POL_SECRET_FILE && strncmp(v[k].target, v[i].target, n) == 0 &&
		    v[k].target + n == strrchr(v[k].target, '/'))
			return NULL;
	return n ? arena_strndup(in->a, v[i].target, n) : "/";
}

static bool is_secret_dir(const struct inspect *in, const char *place)
{
	for (size_t i = 0; i < in->p->secrets.n; i++)
		if (str_eq0(secret_dir(in, i), place))
			return true;
	return false;
}

/* Where all secrets of a directory may be missing, so may its mount. */
static bool needs_dir(const struct inspect *in, const char *dir)
{
	for (size_t i = 0; i < in->p->secrets.n; i++) {
		const char *other = pol_secret_dir(in->a, &in->p->secrets.v[i]);

		if (str_eq0(other, dir) && in->p->secrets.v[i].required)
			return true;
	}
	return false;
}

static void secret_mounts(struct inspect *in, const struct seen_proc *s)
{
	const uint64_t want = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			      MOUNT_ATTR_NOEXEC;

	for (size_t i = 0; i < in->p->secrets.n; i++) {
		const char *dir = secret_dir(in, i);
		const struct mountinfo *m = dir ? at(s, dir) : NULL;
		bool there = m && str_eq(m->place, dir);
		bool good = there && str_eq(m->type, "ramfs") && !(want & ~flags_of(m));

		if (!dir || (!there && !needs_dir(in, dir)))
			continue;
		inspect_add(in, GROUP_MOUNTS, dir, good ? INSPECT_OK : INSPECT_DRIFT,
			    arena_printf(in->a, "ramfs %s", flag_text(in, want)),
			    there ? arena_printf(in->a, "%s %s", m->type,
						 flag_text(in, flags_of(m)))
				  : "none",
			    good ? NULL : "secrets are not where the site's rules have put them");
	}
}

/* ---- masked and read-only paths ---- */

static bool is_mask(const struct mountinfo *m)
{
	return is_ro(m) && (str_eq(m->type, "tmpfs") ||
			    (str_has_suffix(m->root, "/null") && str_eq(m->type, "devtmpfs")));
}

/* Below a masked directory there is nothing to mask. */
static bool under_mask(const struct policy *p, const struct mountinfo *m)
{
	return is_mask(m) && strs_has(&p->masked, m->place);
}

static void forget_path(struct strs *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], path)) {
			memmove(&l->v[i], &l->v[i + 1], (l->n - i - 1) * sizeof(*l->v));
			l->n--;
			return;
		}
}

/* No cover: that is right if there was nothing to cover. */
static enum inspect_verdict judge_bare(const struct inspect_world *w, const char *path,
				       const char **kernel, const char **note)
{
	int r = w->present(w->arg, path);

	*kernel = r == 0 ? "not there" : r < 0 ? "?" : "open";
	if (r < 0)
		*note = "there may be something, or not: it was not looked at";
	return r == 0 ? INSPECT_OK : r < 0 ? INSPECT_UNSEEN : INSPECT_DRIFT;
}

static void masked_paths(struct inspect *in, const struct inspect_world *w,
			 const struct seen_proc *s)
{
	for (size_t i = 0; i < in->p->masked.n; i++) {
		const char *path = in->p->masked.v[i], *kernel = "masked", *note = NULL;
		const struct mountinfo *m = at(s, path);
		enum inspect_verdict v = INSPECT_OK;

		if (!under_mask(in->p, m))
			v = judge_bare(w, path, &kernel, &note);
		if (!inspect_add(in, GROUP_PATHS, path, v, "masked", kernel, note))
			forget_path(&in->measured.masked, path);
	}
}

static void readonly_paths(struct inspect *in, const struct inspect_world *w,
			   const struct seen_proc *s)
{
	for (size_t i = 0; i < in->p->readonly.n; i++) {
		const char *path = in->p->readonly.v[i], *kernel = "ro", *note = NULL;
		enum inspect_verdict v = INSPECT_OK;

		if (!is_ro(at(s, path))) {
			v = judge_bare(w, path, &kernel, &note);
			if (v == INSPECT_DRIFT)
				kernel = "rw";
		}
		if (!inspect_add(in, GROUP_PATHS, path, v, "ro", kernel, note))
			forget_path(&in->measured.readonly, path);
	}
}

/* ---- mounts that are not the policy's ---- */

static bool at_or_below_any(const struct strs *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (path_below(path, l->v[i]))
			return true;
	return false;
}

/* How many mounts at a place are the policy's, or `mounts add`'s. */
static size_t wanted_at(const struct inspect *in, const struct inspect_world *w, const char *place)
{
	const struct policy *p = in->p;
	size_t n = strs_has(&p->masked, place) + strs_has(&p->readonly, place) +
		   str_eq(place, "/") + (p->process.terminal && str_eq(place, "/dev/console")) +
		   is_secret_dir(in, place);

	for (size_t i = 0; i < p->mounts.n; i++)
		n += p->mounts.v[i].kind != POL_MOUNT_REMOUNT && str_eq(place_of(in, w, i), place);
	for (size_t i = 0; i < p->devices.n; i++)
		n += str_eq(p->devices.v[i].path, place);
	for (size_t i = 0; i < w->added.n; i++)
		n += str_eq(w->added.v[i], place);
	for (size_t i = 0; i < w->below.n; i++)
		n += str_eq(w->below.v[i], place);
	return n;
}

/* What comes to a mount that is a slave or a peer of the host's is one itself; what is mounted there by hand is not. */
static bool propagated(const struct mountinfo *m)
{
	return str_prefix(m->optional, "master:") || str_prefix(m->optional, "shared:");
}

/* What came with a mount of the policy: a recursive bind brings what is below its source, and every bind may get what is
 * mounted there later. */
static bool came_along(const struct inspect *in, const struct inspect_world *w,
		       const struct mountinfo *mnt)
{
	const struct policy *p = in->p;
	const char *place = mnt->place;

	if (at_or_below_any(&p->readonly, place) || at_or_below_any(&w->added, place))
		return true;
	for (size_t i = 0; i < p->mounts.n; i++) {
		const struct pol_mount *m = &p->mounts.v[i];

		/* without privilege, the host's own file system is what stands in for a new one */
		if ((m->kind == POL_MOUNT_RBIND || m->kind == POL_MOUNT_CGROUP ||
		     (m->kind == POL_MOUNT_BIND && propagated(mnt)) ||
		     (w->rootless && (str_eq0(m->type, "sysfs") || str_eq0(m->type, "proc")))) &&
		    path_below(place, place_of(in, w, i)))
			return true;
	}
	return false;
}

/* Whether the workload, a hook, or the host by propagation can have mounted it. */
static const char *who_may(const struct inspect *in, const struct mountinfo *m)
{
	const struct pol_caps *c = &in->p->process.caps;

	if (propagated(m))
		return "came by propagation, as the policy lets mounts do";
	if (hooks_mount(in->p))
		return "hooks may have made it";
	if ((c->permitted | c->bounding) >> CAP_SYS_ADMIN & 1)
		return "the workload may mount";
	return NULL;
}

static bool at_bind(const struct inspect *in, const struct inspect_world *w, const char *place)
{
	for (size_t i = 0; i < in->p->mounts.n; i++)
		if (is_bind(&in->p->mounts.v[i]) && str_eq(place, place_of(in, w, i)))
			return true;
	return strs_has(&w->added, place);
}

/* Whether nobody may mount there, whoever could. */
static bool guarded(const struct inspect *in, const struct inspect_world *w,
		    const struct mountinfo *m)
{
	if (str_eq(m->place, "/"))
		return true;
	if (hooks_mount(in->p) || (propagated(m) && at_bind(in, w, m->place)))
		return false;
	if (path_below(m->place, "/proc") || path_below(m->place, "/sys") ||
	    at_bind(in, w, m->place))
		return true;
	for (size_t i = 0; i < in->p->mounts.n; i++)
		if (in->p->mounts.v[i].kind != POL_MOUNT_REMOUNT &&
		    str_eq(m->place, place_of(in, w, i)))
			return true;
	return strs_has(&in->p->masked, m->place) || strs_has(&in->p->readonly, m->place) ||
	       is_secret_dir(in, m->place);
}

static void unknown_mount(struct inspect *in, const struct inspect_world *w,
			  const struct mountinfo *m)
{
	const char *who = who_may(in, m);
	bool known = who && !guarded(in, w, m);

	inspect_add(in, GROUP_MOUNTS, m->place, known ? INSPECT_KNOWN : INSPECT_DRIFT, "none",
		    arena_printf(in->a, "%s %s", m->type, flag_text(in, flags_of(m))),
		    known ? who
		    : who ? "mounted over what the policy relies on"
			  : "nobody in the container can have mounted it");
}

/* What was mounted on the host below the source of a recursive bind may be under what the policy mounts there. */
static size_t below_rbind(const struct inspect *in, const struct inspect_world *w,
			  const char *place)
{
	for (size_t i = 0; i < in->p->mounts.n; i++) {
		const struct pol_mount *m = &in->p->mounts.v[i];
		const char *at = place_of(in, w, i);

		if ((m->kind == POL_MOUNT_RBIND || (w->rootless && str_eq0(m->type, "sysfs"))) &&
		    path_below(place, at) && !str_eq(place, at))
			return 1;
	}
	return 0;
}

/* One row for a pile. */
static bool seen_before(const struct seen_proc *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(s->mnt[k].place, s->mnt[i].place))
			return true;
	return false;
}

static void unknown_mounts(struct inspect *in, const struct inspect_world *w,
			   const struct seen_proc *s)
{
	for (size_t i = 0; i < s->n_mnt; i++) {
		const char *place = s->mnt[i].place;
		size_t want = wanted_at(in, w, place), have = 0;

		if (seen_before(s, i) || (!want && came_along(in, w, &s->mnt[i])))
			continue;
		for (size_t k = i; k < s->n_mnt; k++)
			have += str_eq(s->mnt[k].place, place);
		if (have > want + below_rbind(in, w, place)) {
			const struct mountinfo *top = at(s, place);

			/* under something else, nobody gets to it */
			unknown_mount(in, w, str_eq(top->place, place) ? top : &s->mnt[i]);
		}
	}
}

static void unseen(struct inspect *in, const char *note)
{
	inspect_add(in, GROUP_MOUNTS, "mount table", INSPECT_UNSEEN,
		    arena_printf(in->a, "%zu mounts", in->p->mounts.n), "?", note);
	in->measured.rootfs_readonly = false;
	in->measured.masked.n = in->measured.readonly.n = 0;
	for (size_t i = 0; i < in->p->mounts.n; i++)
		lose_mount(in, i);
}

void inspect_mounts(struct inspect *in, const struct inspect_world *w, const struct seen_proc *s)
{
	const struct pol_ns *ns = pol_ns_find(in->p, POL_NS_MNT);

	if (!ns || ns->path) /* policy/p_joined.c: nothing is mounted or masked there */
		return;
	if (!s->has_mnt) {
		unseen(in, "the mount table of the process cannot be read");
		return;
	}
	if (!at(s, "/")) {
		unseen(in, "the process has another root than it started with");
		return;
	}
	root(in, s);
	policy_mounts(in, w, s);
	secret_mounts(in, s);
	unknown_mounts(in, w, s);
	masked_paths(in, w, s);
	readonly_paths(in, w, s);
}

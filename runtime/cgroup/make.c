/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the container's directories and setting its limits, before any process is in them.
 *
 * Theory of operation: one mkdir per hierarchy with the whole path, and only if the parent is missing the
 * way up: other runtimes make and remove neighbours in the same parent at the same time, so EEXIST in a
 * parent is what we want, and ENOENT after it is a reason to begin again. cpuset (v1) is the one controller
 * whose new directories accept nobody until they have CPUs and memory nodes, which we copy from above.
 * Whatever this call created is removed again when it fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "cgroup/internal.h"
#include "cgroup/scope.h"
#include "host/hint.h"

#define PARENT_RACES 16

/* ---- cpuset ---- */

static int cpuset_failed(const struct cg_hier *h, const char *file, int r, struct err *e)
{
	return err_neg(e, r, "copy %s of the parent to %s%s", file, h->mount, h->path);
}

/* Gives the directory its parent's value, and the parent its own if it has none yet: a runtime beside us
 * may have made that directory a moment ago. A value that is there already is kept. */
static int cpuset_inherit(const struct cg_hier *h, const char *file, bool fresh, struct err *e)
{
	char up[PATH_MAX], value[4096];
	struct cg_hier parent = {.name = h->name, .mount = h->mount, .path = up};
	const char *slash = strrchr(h->path, '/');
	ssize_t n;
	int r;

	if (!slash) /* the root of the hierarchy has everything */
		return 0;
	if (!fresh) {
		n = cg_read(h, file, value, sizeof(value));
		if (n != 0)
			return n < 0 ? cpuset_failed(h, file, (int) n, e) : 0;
	}
	memcpy(up, h->path, (size_t) (slash - h->path));
	up[slash - h->path] = '\0';
	n = cg_read(&parent, file, value, sizeof(value));
	if (n == 0) {
		r = cpuset_inherit(&parent, file, true, e);
		if (r < 0)
			return r;
		n = cg_read(&parent, file, value, sizeof(value));
	}
	r = n < 0 ? (int) n : cg_write(h, file, value, NULL);
	return r < 0 ? cpuset_failed(h, file, r, e) : 0;
}

/* What the config sets itself is written with the other limits; only the way up has to be there then. */
static int cpuset_init(const struct cg_hier *h, bool fresh, struct err *e)
{
	int r = cpuset_inherit(h, "cpuset.cpus", fresh, e);

	return r < 0 ? r : cpuset_inherit(h, "cpuset.mems", fresh, e);
}

/* ---- directories ---- */

/* All missing directories above the container's. */
static int make_parents(const struct cg_hier *h)
{
	char path[PATH_MAX];
	size_t mount_len = strlen(h->mount);
	int r = cg_path(path, h, NULL);

	if (r < 0)
		return r;
	for (char *s = strchr(path + mount_len + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*s = '/';
	}
	return 0;
}

/* A hierarchy that is in /proc/self/cgroup need not be mounted at its place (plan.c). */
static bool is_mounted(const struct cg_hier *h)
{
	struct statfs st;

	return cg_hier_is_v2(h) || (statfs(h->mount, &st) == 0 && st.f_type == CGROUP_SUPER_MAGIC);
}

/* -ENODEV: not mounted. Only a file system of control groups has the container's parent already, so we ask only when there
 * is none; or would be none anywhere. */
static int make_dir(const struct cg_hier *h, bool *ret_made)
{
	char path[PATH_MAX];
	int r = cg_path(path, h, NULL);

	if (r == 0 && !strchr(h->path + 1, '/') && !is_mounted(h))
		return -ENODEV;

	for (unsigned i = 0; r == 0 && i < PARENT_RACES; i++) {
		if (mkdir(path, 0755) == 0) {
			*ret_made = true;
			return 0;
		}
		if (errno == EEXIST) {
			*ret_made = false;
			return 0;
		}
		if (errno != ENOENT)
			return -errno;
		if (i == 0 && !is_mounted(h))
			return -ENODEV;
		r = make_parents(h);
		if (r == -ENOENT && i + 1 < PARENT_RACES) /* removed under our feet */
			r = 0;
	}
	return r < 0 ? r : -ENOENT;
}

struct making {
	struct cg *cg;
	struct cg *note; /* rootless: where what cannot be applied is noted; else NULL */
	const char *
		refused; /* rootless: the first directory that could not be made, and why; NULL: none */
	bool made[CG_MAX_HIER];
	bool existed;
};

static bool is_refusal(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

static void forget_hier(struct making *m, size_t i)
{
	struct cg *cg = m->cg;

	cg->hier.n--;
	memmove(&cg->hier.v[i], &cg->hier.v[i + 1], (cg->hier.n - i) * sizeof(cg->hier.v[0]));
}

static int make_dirs(struct making *m, struct err *e)
{
	struct cg *cg = m->cg;
	bool any = false, unmounted = false;

	for (size_t i = 0; i < cg->hier.n;) {
		const struct cg_hier *h = &cg->hier.v[i];
		int r = make_dir(h, &m->made[i]);

		if (r < 0 && m->note && is_refusal(r)) {
			/* Somebody else's hierarchy: the container stays where we are in it. */
			char *why = arena_printf(cg->arena, "mkdir %s%s: %s", h->mount, h->path,
						 err_errno_text(-r));

			log_debug("%s", why);
			if (!m->refused)
				m->refused = why;
			forget_hier(m, i);
			continue;
		}
		if (r == -ENODEV) {
			unmounted = true;
			forget_hier(m, i);
			continue;
		}
		if (r < 0) {
			err_neg(e, r, "create cgroup %s%s", h->mount, h->path);
			return is_refusal(r) ? err_hint_cgroup(e) : r;
		}
		any |= m->made[i];
		m->existed |= !m->made[i];
		if (!cg_hier_is_v2(h) && cg_has_word(h->name, "cpuset", ',')) {
			r = cpuset_init(h, m->made[i], e);
			if (r < 0)
				return r;
		}
		i++;
	}
	if (cg->hier.n == 0 && unmounted && !m->note)
		return err_set(
			e, -ENODEV,
			"none of the hierarchies in /proc/self/cgroup is mounted below " CG_ROOT);
	if (cg->hier.n == 0)
		cg->layout = CG_NONE;
	cg->made_by_us = any;
	return 0;
}

/* What failed is reported already, and a scope that is empty goes by itself. */
static void undo_unit(struct cg *cg)
{
	struct err sub = ERR_INIT;

	if (cg->made_by_us && cg_scope_stop(cg, &sub) < 0)
		log_warn("%s", sub.msg);
	cg_scope_release(cg->holder);
	cg->made_by_us = false;
}

/* What was there before is not ours, and a later delete must not take it for ours either. */
static void undo_dirs(const struct making *m)
{
	char path[PATH_MAX];

	if (m->cg->scope) {
		undo_unit(m->cg);
		return;
	}
	m->cg->made_by_us = false;
	for (size_t i = 0; i < m->cg->hier.n; i++)
		if (m->made[i] && cg_path(path, &m->cg->hier.v[i], NULL) == 0)
			rmdir(path);
}

/* ---- systemd ---- */

#define HELPER_ROOM 16 /* a limit on processes this small is set only when the helper has gone */

/* The knob is not written for now, and systemd gets the limit with one process more. */
static void hold_pids(struct cg_knobs *k, struct kvs *limits, struct arena *a, struct opt_u64 *ret)
{
	for (size_t i = 0; i < k->n; i++) {
		uint64_t v;

		if (!str_eq(k->v[i].file, "pids.max") ||
		    num_parse_u64(k->v[i].value, HELPER_ROOM, &v) < 0)
			continue;
		k->v[i].done = true;
		*ret = (struct opt_u64){.set = true, .v = v};
		for (size_t j = 0; j < limits->n; j++)
			if (str_eq(limits->v[j].key, "TasksMax"))
				limits->v[j].val = arena_printf(a, "uint64 %llu",
								(unsigned long long) v + 1);
	}
}

/*
 * An unprivileged container runs where we are, and is told so, when there is no manager to talk to or when that cannot
 * do what we ask (in a container, say, where it may not move processes): it would do so with the cgroupfs manager too. A
 * unit of that name that is somebody else's is an error for everybody.
 */
static int no_unit(struct making *m, int r, struct err *e)
{
	if ((r != -ENOTCONN && r != -EREMOTEIO) || !m->note)
		return r;
	cg_note(m->note, e);
	m->cg->hier.n = 0;
	m->cg->layout = CG_NONE;
	m->cg->scope = NULL;
	return 0;
}

static int make_unit(struct making *m, const struct pol_resources *r, struct arena *a,
		     struct err *e)
{
	struct cg *cg = m->cg;
	struct kvs limits = {.v = arena_array(a, CG_UNIT_PROPS_MAX, sizeof(struct kv))};
	struct opt_u64 late = {0};
	struct cg_world world;
	struct cg_knobs knobs;
	int rc;

	rc = cg_world_of(cg, r, false, &world, a, e);
	if (rc == 0)
		rc = cgroup_knobs(r, &world, a, &knobs, e);
	if (rc == 0)
		rc = cg_unit_limits(&knobs, a, &limits, e);
	if (rc < 0)
		return rc;
	hold_pids(&knobs, &limits, cg->arena, &late);
	rc = cg_scope_start(cg, &cg->scope_props, &limits, e);
	if (!cg->holder)
		return rc < 0 ? no_unit(m, rc, e) : rc;
	m->existed = !cg->made_by_us;
	if (late.set)
		cg_scope_hold_pids(cg->holder, late.v);
	return rc < 0 ? rc : cg_scope_enter_sub(cg, e);
}

/* ---- fitness (S-38) ---- */

static int check_empty(const struct making *m, struct err *e)
{
	arena_auto a = {0};
	struct u64s pids;

	for (size_t i = 0; i < m->cg->hier.n; i++) {
		const struct cg_hier *h = &m->cg->hier.v[i];
		int r;

		if (m->made[i])
			continue;
		r = cg_hier_pids(h, &a, &pids, e);
		if (r < 0)
			return r;
		if (pids.n)
			return err_set(
				e, -EBUSY,
				"container's cgroup is not empty: %zu process(es) found in %s%s",
				pids.n, h->mount, h->path);
	}
	return 0;
}

/* A process that joins a frozen cgroup hangs before it can say anything. Also a new directory is frozen
 * when one above it is. */
static int check_fitness(const struct making *m, struct err *e)
{
	int r = m->existed ? check_empty(m, e) : 0;

	if (r == 0 && cgroup_frozen(m->cg) == 1)
		r = err_set(e, -EBUSY, "container's cgroup is frozen: %s", m->cg->hier.v[0].path);
	return r;
}

/* ---- all of it ---- */

/*
 * Device rules are a security property and not to be given up, except where they guard nothing:
 * without privilege nobody makes device nodes, and the nodes that were bound into the container open for
 * the user's own rights only.
 */
static int set_devices(const struct making *m, const struct pol_resources *r, struct err *e)
{
	int rc = cg_devices_apply(m->cg, r, e);

	if (rc < 0 && m->note && (is_refusal(rc) || rc == -EOPNOTSUPP)) {
		log_debug("%s (rootless: goes on without them)", e->msg);
		err_clear(e);
		rc = 0;
	}
	return rc;
}

/* No cgroup file system, or, rootless, no directory in any. */
static int no_cgroup(const struct making *m, const struct cg_knobs *k, struct err *e)
{
	if (k->n == 0)
		return 0;
	if (m->refused)
		err_set(e, -EOPNOTSUPP,
			"%s%s: the container has no cgroup to apply it to (%s); there is one in a unit of the "
			"user's systemd: systemd-run --user --scope --property=Delegate=yes ..., or "
			"--systemd-cgroup",
			k->v[0].field, k->n > 1 ? " and other limits" : "", m->refused);
	else
		err_set(e, -EOPNOTSUPP, "%s: the container has no cgroup to apply it to",
			k->v[0].field);
	if (!m->note)
		return e->code;
	cg_note(m->note, e);
	return 0;
}

static int set_limits(const struct making *m, const struct pol_resources *r, struct arena *a,
		      struct err *e)
{
	struct cg *cg = m->cg;
	struct cg_world world;
	struct cg_knobs knobs;
	int rc;

	rc = cg_world_of(cg, r, m->existed, &world, a, e);
	if (rc == 0)
		rc = cgroup_knobs(r, &world, a, &knobs, e);
	if (rc == 0 && cg->scope)
		hold_pids(&knobs, &(struct kvs){0}, a, &(struct opt_u64){0});
	if (rc == 0 && cg->hier.n == 0)
		rc = no_cgroup(m, &knobs, e);
	else if (rc == 0)
		rc = cg_enable(cg, &knobs, m->note, e);
	if (rc == 0 && cg->hier.n > 0)
		rc = cg_apply(cg, &knobs, m->note, e);
	return rc < 0 ? rc : set_devices(m, r, e);
}

int cgroup_make(struct cg *cg, const struct pol_resources *r, const struct host *h, struct err *e)
{
	struct making m = {.cg = cg, .note = h->rootless ? cg : NULL};
	arena_auto a = {0};
	int rc;

	if (cg->manager == POL_CG_DISABLED)
		return 0;
	rc = cg->scope ? make_unit(&m, r, &a, e) : make_dirs(&m, e);
	if (rc == 0)
		rc = check_fitness(&m, e);
	if (rc == 0)
		rc = set_limits(&m, r, &a, e);
	if (rc < 0)
		undo_dirs(&m);
	return rc;
}

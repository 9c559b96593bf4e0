/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handing controllers of cgroup2 down to the container's directory.
 *
 * Theory of operation: a directory has the controllers that its parent lists in cgroup.subtree_control,
 * and so on up to the root. Usually all of that was done for an earlier container, so we first read what
 * our directory has (one file) and what there is at all (one more), and only walk the path when
 * something is missing. Writing subtree_control without need would take locks that stall every fork on
 * the machine. The walk starts at the top, because a controller must have arrived before it can be
 * handed on.
 */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "cgroup/internal.h"

#define NAMES_MAX 32
#define LIST_SIZE 512

/* What engines show as statistics also without limits. Handed down if that costs nobody anything. */
static const char *const wanted[] = {"cpu", "io", "memory", "pids", "hugetlb"};

struct names {
	const char *v[NAMES_MAX];
	const struct cg_knob *why[NAMES_MAX]; /* the first knob that needs it; NULL: only wanted */
	size_t n;
};

static void names_add(struct names *l, const char *name, const struct cg_knob *why)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], name))
			return;
	if (l->n < NAMES_MAX) {
		l->v[l->n] = name;
		l->why[l->n++] = why;
	}
}

/* Keeps the names that are in `list`, or those that are not. */
static void names_filter(struct names *l, const char *list, bool listed)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (cg_has_word(list, l->v[i], ' ') == listed) {
			l->v[n] = l->v[i];
			l->why[n++] = l->why[i];
		}
	l->n = n;
}

/* The processes that keep a directory from handing controllers down: the question that everybody has
 * after "device or resource busy". */
static const char *who_is_in(const struct cg_hier *dir, char *buf, size_t size)
{
	char pids[LIST_SIZE], type[64];

	if (cg_read(dir, "cgroup.type", type, sizeof(type)) > 0 && !str_eq(type, "domain")) {
		snprintf(buf, size, " (the cgroup is %s)", type);
		return buf;
	}
	if (cg_read(dir, "cgroup.procs", pids, sizeof(pids)) <= 0)
		return "";
	for (char *s = pids; *s; s++)
		if (*s == '\n')
			*s = ' ';
	snprintf(buf, size, " (processes in it: %s)", pids);
	return buf;
}

static int hand_down_failed(const struct cg_hier *dir, const char *name, const struct cg_knob *why,
			    int r, struct err *e)
{
	char who[LIST_SIZE + 64];

	return err_neg(e, r, "%s: writing \"+%s\" to %s%s/cgroup.subtree_control%s", why->field,
		       name, dir->mount, dir->path, who_is_in(dir, who, sizeof(who)));
}

/* One directory above the container's hands down what is missing. */
static int hand_down(const struct cg_hier *dir, const struct names *l, struct err *e)
{
	char have[LIST_SIZE], all[LIST_SIZE] = "", one[LIST_SIZE];
	size_t n = 0;
	ssize_t got;
	int r;

	got = cg_read(dir, "cgroup.subtree_control", have, sizeof(have));
	if (got < 0)
		return err_neg(e, (int) got, "read %s%s/cgroup.subtree_control", dir->mount,
			       dir->path);
	for (size_t i = 0; i < l->n && n < sizeof(all); i++)
		if (!cg_has_word(have, l->v[i], ' '))
			n += (size_t) snprintf(all + n, sizeof(all) - n, "%s+%s", n ? " " : "",
					       l->v[i]);
	if (n == 0 || cg_write(dir, "cgroup.subtree_control", all, NULL) == 0)
		return 0;
	/* All or nothing failed: what is only wanted must not spoil what is needed, and the message shall
	 * name the one that is refused. */
	for (size_t i = 0; i < l->n; i++) {
		if (cg_has_word(have, l->v[i], ' '))
			continue;
		snprintf(one, sizeof(one), "+%s", l->v[i]);
		r = cg_write(dir, "cgroup.subtree_control", one, NULL);
		if (r < 0 && l->why[i])
			return hand_down_failed(dir, l->v[i], l->why[i], r, e);
	}
	return 0;
}

static int hand_down_path(const struct cg_hier *h, const struct names *l, struct err *e)
{
	char path[PATH_MAX];
	struct cg_hier dir = {.name = h->name, .mount = h->mount, .path = path};
	const char *slash = h->path;
	int r;

	do { /* "", "/a", "/a/b", but not the container's own */
		memcpy(path, h->path, (size_t) (slash - h->path));
		path[slash - h->path] = '\0';
		r = hand_down(&dir, l, e);
		slash = strchr(slash + 1, '/');
	} while (r == 0 && slash);
	return r;
}

/* A child of a threaded cgroup is not usable as it is. Without a controller that needs a domain, it can
 * become threaded too; with one, there is no way. */
static int check_type(const struct cg_hier *h, const struct names *l, struct err *e)
{
	char type[64];
	int r;

	if (cg_read(h, "cgroup.type", type, sizeof(type)) <= 0 ||
	    str_prefix(type, "domain invalid") != type + 14)
		return 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->why[i] && !cg_has_word("cpu cpuset perf_event pids", l->v[i], ' '))
			return err_set(
				e, -EOPNOTSUPP,
				"%s: controller %s is not available in %s%s, whose parent is in threaded mode",
				l->why[i]->field, l->v[i], h->mount, h->path);
	r = cg_write(h, "cgroup.type", "threaded", NULL);
	return r < 0 ? err_neg(e, r, "writing \"threaded\" to %s%s/cgroup.type", h->mount, h->path)
		     : 0;
}

static int missing(const struct cg_hier *h, const struct names *l, const char *available,
		   struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->why[i] && !cg_has_word(available, l->v[i], ' '))
			return err_set(e, -EOPNOTSUPP,
				       "%s: controller %s is not available in %s (available: %s)",
				       l->why[i]->field, l->v[i], h->path,
				       *available ? available : "none");
	return 0;
}

static int enable(const struct cg_hier *h, struct names *l, struct err *e)
{
	char own[LIST_SIZE], available[LIST_SIZE], top[] = "";
	struct cg_hier root = {.name = h->name, .mount = h->mount, .path = top};
	ssize_t n;
	int r;

	n = cg_read(h, "cgroup.controllers", own, sizeof(own));
	if (n < 0)
		return err_neg(e, (int) n, "read %s%s/cgroup.controllers", h->mount, h->path);
	names_filter(l, own, false);
	if (l->n == 0)
		return 0;
	n = cg_read(&root, "cgroup.controllers", available, sizeof(available));
	if (n < 0)
		return err_neg(e, (int) n, "read %s/cgroup.controllers", h->mount);
	r = missing(h, l, available, e);
	if (r < 0)
		return r;
	names_filter(l, available, true);
	if (l->n == 0)
		return 0;
	r = hand_down_path(h, l, e);
	return r < 0 ? r : check_type(h, l, e);
}

int cg_enable(const struct cg *cg, const struct cg_knobs *k, struct cg *note, struct err *e)
{
	const struct cg_hier *h = cg_unified(cg);
	struct names l = {0};
	int r;

	if (!h)
		return 0;
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i].v2 && k->v[i].ctl)
			names_add(&l, k->v[i].ctl, &k->v[i]);
	if (cg->layout == CG_V2) /* on hybrid hosts the statistics come from v1 */
		for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
			names_add(&l, wanted[i], NULL);
	if (l.n == 0)
		return 0;
	r = enable(h, &l, e);
	if (r < 0 &&
	    note) { /* rootless: what is missing is noted knob by knob when it comes to be written */
		log_debug("%s", e->msg);
		err_clear(e);
		r = 0;
	}
	return r;
}

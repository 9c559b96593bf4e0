/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: adds mounts to a container that lives, and takes them away again. What is added passes the rules that a
 * config.json passes, and is on record with the kernel's id of each mount: what is taken away is that very mount.
 */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "cmd/audited.h"
#include "cmd/box.h"
#include "json/read.h"
#include "spec/spec.h"

struct change {
	struct globals *g;
	struct loaded l;
	const char *file; /* for messages */
	spec_mounts mounts;
};

static int record_attempt(struct change *c, const char *what, struct err *e)
{
	struct audit_field f[] = {
		{.name = "mounts", .s = what},
		{.name = "count", .n = (int64_t) c->mounts.n},
	};

	if (!audited_on(c->g) && !c->g->audit.required)
		return 0;
	return audited(c->g, AUDIT_UPDATE, AUDIT_ATTEMPT, c->l.st.rec->id, c->l.st.rec, f,
		       ARRAY_LEN(f), e);
}

/* ---- add ---- */

static int on_ready(void *arg, const struct box_mount *m, size_t n, struct err *e)
{
	struct change *c = arg;
	struct state_record *rec = c->l.st.rec;
	struct box_mount *v = arena_array(c->g->a, rec->mounts.n + n, sizeof(*v));
	size_t old = rec->mounts.n;
	int r;

	if (old)
		memcpy(v, rec->mounts.v, old * sizeof(*v));
	memcpy(v + old, m, n * sizeof(*v));
	rec->mounts.v = v;
	rec->mounts.n = old + n;
	r = state_save(&c->l.st, e);
	if (r < 0)
		rec->mounts.n = old;
	return r;
}

static int add(struct change *c, struct err *e)
{
	const struct policy *p;
	int r = bundle_mounts(c->g, &c->l.box, c->file, &c->mounts, &p, e);

	if (r == 0)
		r = record_attempt(c, "add", e);
	return r < 0 ? r : c->l.ops->mounts_add(&c->l.box, p, on_ready, c, e);
}

/* ---- remove ---- */

/* The newest at this place that is not chosen yet: mounts may be stacked. */
static int choose(struct change *c, size_t i, bool *chosen, struct box_mount *ret, struct err *e)
{
	const struct state_record *rec = c->l.st.rec;
	const char *place = path_clean(c->g->a, c->mounts.v[i].destination);

	for (size_t k = rec->mounts.n; k-- > 0;) {
		if (chosen[k] || !str_eq(rec->mounts.v[k].destination, place))
			continue;
		chosen[k] = true;
		*ret = rec->mounts.v[k];
		return 0;
	}
	return err_set_id(
		e, ERR_CONFIG, -ENOENT,
		"%s: mounts[%zu].destination: \"%s\" is none that \"mounts add\" has made; "
		"what a container was created with stays",
		c->file, i, c->mounts.v[i].destination);
}

static void forget(struct state_record *rec, uint64_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->mounts.n; i++)
		if (rec->mounts.v[i].id != id)
			rec->mounts.v[n++] = rec->mounts.v[i];
	rec->mounts.n = n;
}

static int take_away(struct change *c, struct err *e)
{
	struct state_record *rec = c->l.st.rec;
	struct box_mount *m = arena_array(c->g->a, c->mounts.n, sizeof(*m));
	bool *chosen = arena_array(c->g->a, rec->mounts.n, sizeof(*chosen));
	struct err sub = ERR_INIT;
	size_t gone = 0;
	int r = 0, saved = 0;

	for (size_t i = 0; i < c->mounts.n && r == 0; i++)
		r = choose(c, i, chosen, &m[i], e);
	if (r == 0)
		r = record_attempt(c, "remove", e);
	if (r < 0)
		return r;
	r = c->l.ops->mounts_remove(&c->l.box, m, c->mounts.n, &gone, e);
	for (size_t i = 0; i < gone; i++)
		forget(rec, m[i].id);
	if (gone)
		saved = state_save(&c->l.st, r < 0 ? &sub : e);
	return r < 0 ? r : saved;
}

/* ---- both ---- */

static int change(struct change *c, bool adds, struct err *e)
{
	int r = box_read_policy(c->g, &c->l.st, &c->l.box, e);

	if (r < 0)
		return r;
	c->l.box.init_pid = c->l.box.pid;
	c->l.box.init_pidfd = c->l.st.pidfd;
	c->l.box.pidfd = -EBADF;
	r = adds ? add(c, e) : take_away(c, e);
	c->l.box.pidfd = -EBADF; /* of the stage: closed */
	return r;
}

static int cmd_mounts(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	bool adds = str_eq(argv[0], "add");
	struct change c = {.g = g, .l = LOADED_INIT, .file = argv[2]};
	struct bytes text;
	int r;

	(void) opts;
	(void) argc;
	if (!adds && !str_eq(argv[0], "remove"))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "mounts: expected add or remove, found \"%s\"", argv[0]);
	/* Standard input may be slow: nothing is locked yet. */
	r = cmd_read_file(g->a, c.file, JSON_MAX_SIZE, &text, e);
	if (str_eq(c.file, "-"))
		c.file = "standard input";
	if (r == 0)
		r = spec_parse_mounts(c.file, (const char *) text.v, text.n, g->a, &c.mounts, e);
	if (r == 0)
		r = box_load(g, argv[1], OP_MOUNTS, STATE_LOCK, false, &c.l, e);
	if (r < 0)
		return r;
	r = change(&c, adds, e);
	if (r < 0)
		audited_failure(g, AUDIT_UPDATE, argv[1], c.l.st.rec, e);
	box_close(&c.l);
	return r;
}

const struct command command_mounts = {
	.name = "mounts",
	.args = "add|remove CONTAINER FILE",
	.help = "add mounts to a container that lives, or take them away",
	.min_args = 3,
	.max_args = 3,
	.run = cmd_mounts,
};

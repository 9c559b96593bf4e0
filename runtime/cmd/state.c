/* SPDX-License-Identifier: Apache-2.0 */
/* state and list: what is known about containers. Neither parses config.json or the policy. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "cmd/inspected.h"
#include "spec/out.h"

/* The name of a uid without loading NSS modules: a static program reads /etc/passwd and nothing else. */
static const char *owner_name(uint32_t uid, struct arena *a)
{
	struct passwd *pw;
	FILE *f;

	if (uid == 0)
		return "root";
	f = fopen("/etc/passwd", "re");
	while (f && (pw = fgetpwent(f)))
		if (pw->pw_uid == uid) {
			fclose(f);
			return arena_strdup(a, pw->pw_name);
		}
	if (f)
		fclose(f);
	return arena_printf(a, "%u", uid);
}

static void fill(struct globals *g, const struct state *s, enum status st, struct out_state *o)
{
	const struct state_record *r = s->rec;
	struct err ignored = ERR_INIT;

	*o = (struct out_state){
		.oci_version = r->oci_version ? r->oci_version : OCI_VERSION,
		.id = r->id,
		.status = state_status_name(st),
		.bundle = r->bundle ? r->bundle : "",
		.pid = st == ST_STOPPED ? 0 : r->pid,
		.rootfs = r->rootfs ? r->rootfs : "",
		.created = state_created_rfc3339(r, g->a),
		.owner = owner_name(r->owner_uid, g->a),
		.annotations = &r->annotations,
	};
	if (r->backend >= POL_BACKEND_SEV) {
		const struct backend_ops *ops = backend_find(r->backend, &ignored);

		o->backend = ops ? ops->name : "?";
		o->measurement = r->measurement;
		o->policy_digest = r->policy_digest;
	}
}

struct state_opts {
	bool strength;
};

static int cmd_state(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	state_auto s = STATE_INIT;
	buf_auto b = BUF_WRITER(16u << 20);
	const struct state_opts *so = opts;
	struct out_strength strength;
	struct out_state o;
	int r;

	(void) argc;
	r = state_load(cmd_root(g), argv[0], STATE_NO_LOCK, false, g->a, &s, e);
	if (r < 0)
		return r;
	fill(g, &s, state_status(&s), &o);
	if (so->strength) {
		r = strength_of(g, argv[0], &strength, e);
		if (r < 0)
			return r;
		o.strength = &strength;
	}
	out_state(&b, &o, true);
	return cmd_print(&b, e);
}

static const struct opt state_opts_table[] = {
	{"strength", 0, OPT_FLAG, NULL, "measure its strength, too",
	 offsetof(struct state_opts, strength)},
};

const struct command command_state = {
	.name = "state",
	.args = "CONTAINER",
	.help = "print the state of a container (JSON)",
	.opts = state_opts_table,
	.n_opts = ARRAY_LEN(state_opts_table),
	.opts_size = sizeof(struct state_opts),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_state,
};

struct list_opts {
	const char *format;
	bool quiet, strength;
};

/* "56", "51 of 56", "51 of 56, drift" */
static const char *strength_text(const struct out_strength *s, struct arena *a)
{
	if (s->measured < 0 || (s->measured == s->decided && !s->drift))
		return arena_printf(a, "%d", s->decided);
	return arena_printf(a, "%d of %d%s", s->measured, s->decided, s->drift ? ", drift" : "");
}

/* strength: NULL = without that column */
static void list_row(struct buf *b, const struct out_state *o, const char *pid,
		     const char *strength, struct arena *a)
{
	char *line = arena_printf(a, "%-24s %-8s %-10s %-40s %-32s %s", o->id, pid, o->status,
				  o->bundle, o->created, o->owner);

	line = strength ? arena_printf(a, "%-*s %s\n",
				       (int) strlen(line) + 8 - (int) strlen(o->owner), line,
				       strength)
			: arena_printf(a, "%s\n", line);

	buf_put(b, line, strlen(line));
}

static const struct out_state header = {
	.id = "ID", .status = "STATUS", .bundle = "BUNDLE", .created = "CREATED", .owner = "OWNER"};

static int cmd_list(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct list_opts *lo = opts;
	bool json = str_eq0(lo->format, "json"), first = true;
	buf_auto b = BUF_WRITER(64u << 20);
	struct strs ids;
	int r;

	(void) argc, (void) argv;
	if (lo->format && !json && !str_eq(lo->format, "table"))
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--format: expected table or json, found \"%s\"", lo->format);
	r = state_ids(cmd_root(g), g->a, &ids, e);
	if (r < 0)
		return r;
	if (json)
		buf_put(&b, "[", 1);
	else if (!lo->quiet)
		list_row(&b, &header, "PID", lo->strength ? "STRENGTH" : NULL, g->a);
	for (size_t i = 0; i < ids.n; i++) {
		state_auto s = STATE_INIT;
		struct err sub = ERR_INIT;
		struct out_strength strength;
		const char *text = lo->strength ? "-" : NULL;
		struct out_state o;

		/* gone or half-made meanwhile: not an error of the list */
		if (state_load(cmd_root(g), ids.v[i], STATE_NO_LOCK, true, g->a, &s, &sub) < 0)
			continue;
		fill(g, &s, state_status(&s), &o);
		if (lo->strength && strength_of(g, ids.v[i], &strength, &sub) == 0) {
			o.strength = &strength;
			text = strength_text(&strength, g->a);
		}
		if (json) {
			if (!first)
				buf_put(&b, ",", 1);
			out_state(&b, &o, false);
		} else if (lo->quiet) {
			buf_put(&b, o.id, strlen(o.id));
			buf_put(&b, "\n", 1);
		} else {
			list_row(&b, &o, arena_printf(g->a, "%lld", (long long) o.pid), text, g->a);
		}
		first = false;
	}
	if (json)
		buf_put(&b, "]\n", 2);
	return cmd_print(&b, e);
}

static const struct opt list_table[] = {
	{"format", 'f', OPT_STR, "FORMAT", "table (default) or json",
	 offsetof(struct list_opts, format)},
	{"quiet", 'q', OPT_FLAG, NULL, "print ids only", offsetof(struct list_opts, quiet)},
	{"strength", 0, OPT_FLAG, NULL, "measure the strength of each container",
	 offsetof(struct list_opts, strength)},
};

const struct command command_list = {
	.name = "list",
	.args = "",
	.help = "list containers",
	.opts = list_table,
	.n_opts = ARRAY_LEN(list_table),
	.opts_size = sizeof(struct list_opts),
	.min_args = 0,
	.max_args = 0,
	.run = cmd_list,
};

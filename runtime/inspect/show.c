/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report as a table and as JSON. Texts in it are names of whoever made the mounts and cgroups: in the table, what would
 * control a terminal is a question mark.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "inspect/inspect.h"

enum { CELLS = 4, CELL_MIN = 10, CELL_MAX = 36, AT_FIRST = 4 };

static const char marks[INSPECT_VERDICT_MAX] = {
	[INSPECT_OK] = ' ',	[INSPECT_STRICTER] = ' ', [INSPECT_KNOWN] = '~',
	[INSPECT_UNSEEN] = '?', [INSPECT_DRIFT] = '!',
};

void inspect_end(const struct inspect *in, const struct policy *sealed, struct arena *a,
		 struct inspect_result *ret)
{
	ret->in = in;
	policy_score(sealed, a, &ret->decided);
	policy_score(&in->measured, a, &ret->measured);
	/* what the workload has given up by itself, or `update` has added, is no credit of the policy */
	if (ret->measured.total > ret->decided.total)
		ret->measured.total = ret->decided.total;
}

/* ---- the table ---- */

static size_t put_safe(struct buf *b, const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		unsigned char c = (unsigned char) *s;

		buf_put_u8(b, c < 0x20 || c == 0x7f ? '?' : c);
		n += (c & 0xc0) != 0x80; /* columns of UTF-8 */
	}
	return n;
}

static size_t pad(struct buf *b, size_t col, size_t to)
{
	do
		buf_put_u8(b, ' ');
	while (++col < to);
	return col;
}

static void put_line(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put_line(struct buf *b, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_safe(b, text);
	buf_put_u8(b, '\n');
}

static void put_cells(struct buf *b, char mark, const size_t at[CELLS],
		      const char *const cell[CELLS])
{
	size_t col = 2;

	buf_put_u8(b, ' ');
	buf_put_u8(b, (uint8_t) mark);
	for (size_t i = 0; i < CELLS; i++) {
		col = pad(b, col, at[i]);
		col += put_safe(b, cell[i]);
	}
	buf_put_u8(b, '\n');
}

static void cells_of(const struct inspect_row *r, const char *ret[CELLS])
{
	ret[0] = r->what;
	ret[1] = r->policy;
	ret[2] = r->kernel;
	ret[3] = inspect_verdict_name(r->verdict);
}

/* Where the columns are: as wide as their texts, but one that is very long does not move the others. */
static void columns(const struct inspect *in, size_t at[CELLS])
{
	at[0] = AT_FIRST;
	for (size_t c = 1; c < CELLS; c++) {
		size_t width = CELL_MIN;

		for (size_t i = 0; i < in->rows.n; i++) {
			const char *cell[CELLS];
			size_t n;

			cells_of(&in->rows.v[i], cell);
			n = strlen(cell[c - 1]);
			if (n <= CELL_MAX && n > width)
				width = n;
		}
		at[c] = at[c - 1] + width + 2;
	}
}

static void put_row(struct buf *b, const struct inspect_row *r, const size_t at[CELLS])
{
	const char *cell[CELLS];

	cells_of(r, cell);
	put_cells(b, marks[r->verdict], at, cell);
	if (!r->note)
		return;
	pad(b, 0, 8);
	put_line(b, "%s", r->note);
}

static void put_rows(struct buf *b, const struct inspect *in)
{
	static const char *const head[CELLS] = {"WHAT", "POLICY", "KERNEL", "VERDICT"};
	const char *group = "";
	size_t at[CELLS];
	pid_t pid = 0;

	columns(in, at);
	put_cells(b, ' ', at, head);
	for (size_t i = 0; i < in->rows.n; i++) {
		const struct inspect_row *r = &in->rows.v[i];

		if (r->pid != pid)
			put_line(b, "process %d", (int) r->pid);
		if (!str_eq(group, r->group) || r->pid != pid)
			put_line(b, "%s%s", r->pid ? "  " : "", r->group);
		put_row(b, r, at);
		group = r->group;
		pid = r->pid;
	}
}

static const struct score_row *same_row(const struct score *s, const char *what)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->rows[i].what, what))
			return &s->rows[i];
	return NULL;
}

static int points(const struct score *s, const char *what)
{
	const struct score_row *r = same_row(s, what);

	return r ? r->points : 0;
}

/* fn for each row in which the measured score is below the decided one; deductions have a row only when they apply. */
static void each_loss(const struct inspect_result *r,
		      void (*fn)(void *arg, const char *what, int decided, int measured), void *arg)
{
	for (size_t i = 0; i < r->decided.n; i++) {
		const struct score_row *d = &r->decided.rows[i];

		if (points(&r->measured, d->what) < d->points)
			fn(arg, d->what, d->points, points(&r->measured, d->what));
	}
	for (size_t i = 0; i < r->measured.n; i++) {
		const struct score_row *m = &r->measured.rows[i];

		if (!same_row(&r->decided, m->what) && m->points < 0)
			fn(arg, m->what, 0, m->points);
	}
}

static void put_loss(void *arg, const char *what, int decided, int measured)
{
	put_line(arg, "  %+4d  %s", measured - decided, what);
}

void inspect_show(struct buf *b, const struct inspect_result *r)
{
	const struct inspect *in = r->in;
	size_t drifts = in->n_verdict[INSPECT_DRIFT], unseen = in->n_verdict[INSPECT_UNSEEN];

	put_line(b, "container %s, process %d, %s", r->id, (int) r->pid, r->status);
	put_rows(b, in);
	if (in->others)
		put_line(b, "%zu other process%s compared", in->others,
			 in->others == 1 ? "" : "es");
	buf_put_u8(b, '\n');
	put_line(b, "strength: %d (%s) decided, %d (%s) measured", r->decided.total,
		 r->decided.label, r->measured.total, r->measured.label);
	each_loss(r, put_loss, b);
	if (drifts)
		put_line(b, "DRIFT: %s", inspect_drift_text(in, in->a));
	else
		put_line(b, "no drift");
	if (unseen)
		put_line(b, "%zu not seen: what the kernel does not show counts as not there",
			 unseen);
}

char *inspect_drift_text(const struct inspect *in, struct arena *a)
{
	char *s = arena_strdup(a, "");
	size_t n = 0, all = in->n_verdict[INSPECT_DRIFT];

	for (size_t i = 0; i < in->rows.n; i++) {
		const struct inspect_row *r = &in->rows.v[i];

		if (r->verdict != INSPECT_DRIFT)
			continue;
		if (n++ == 5)
			return arena_printf(a, "%s and %zu more", s, all - 5);
		s = r->pid ? arena_printf(a, "%s%s%s %s of process %d", s, *s ? ", " : "", r->group,
					  r->what, (int) r->pid)
			   : arena_printf(a, "%s%s%s %s", s, *s ? ", " : "", r->group, r->what);
	}
	return s;
}

/* ---- JSON ---- */

static const char *const json_verdicts[] = {
	[INSPECT_OK] = "ok",	       [INSPECT_STRICTER] = "stricter", [INSPECT_KNOWN] = "known",
	[INSPECT_UNSEEN] = "not-seen", [INSPECT_DRIFT] = "drift",
};
_Static_assert(ARRAY_LEN(json_verdicts) == INSPECT_VERDICT_MAX, "each verdict has a word");

static void json_loss(void *arg, const char *what, int decided, int measured)
{
	struct jsonw *w = arg;

	jw_obj(w);
	jw_kstr(w, "what", what);
	jw_ki64(w, "decided", decided);
	jw_ki64(w, "measured", measured);
	jw_obj_end(w);
}

static void json_strength(struct jsonw *w, const struct inspect_result *r)
{
	jw_key(w, "strength");
	jw_obj(w);
	jw_ki64(w, "decided", r->decided.total);
	jw_ki64(w, "measured", r->measured.total);
	jw_kstr(w, "label", r->measured.label);
	jw_ku64(w, "drift", r->in->n_verdict[INSPECT_DRIFT]);
	jw_ku64(w, "notSeen", r->in->n_verdict[INSPECT_UNSEEN]);
	jw_key(w, "lost");
	jw_arr(w);
	each_loss(r, json_loss, w);
	jw_arr_end(w);
	jw_obj_end(w);
}

static void json_row(struct jsonw *w, const struct inspect_row *r)
{
	jw_obj(w);
	jw_kstr(w, "group", r->group);
	jw_kstr(w, "what", r->what);
	jw_kstr(w, "policy", r->policy);
	jw_kstr(w, "kernel", r->kernel);
	jw_kstr(w, "verdict", json_verdicts[r->verdict]);
	if (r->note)
		jw_kstr(w, "note", r->note);
	if (r->pid)
		jw_ki64(w, "pid", r->pid);
	jw_obj_end(w);
}

void inspect_json(struct buf *b, const struct inspect_result *r)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "id", r->id);
	jw_kstr(&w, "status", r->status);
	jw_ki64(&w, "pid", r->pid);
	jw_kbool(&w, "drift", r->in->n_verdict[INSPECT_DRIFT] > 0);
	jw_ku64(&w, "otherProcesses", r->in->others);
	json_strength(&w, r);
	jw_key(&w, "rows");
	jw_arr(&w);
	for (size_t i = 0; i < r->in->rows.n; i++)
		json_row(&w, &r->in->rows.v[i]);
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_put_u8(b, '\n');
}

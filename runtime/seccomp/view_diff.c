/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two filters compared by what they do. Calls whose fate hangs on arguments are tried with all combinations of the
 * values at which a rule of either filter can change its mind; between those values, nothing changes.
 */
#include "seccomp/view.h"

#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "policy/page.h"

#define CORNERS 64
#define TRIES 200000 /* combinations of arguments for one call */
#define MUX_FUNCTIONS 25

enum change { SAME, NOW_ALLOWED, NOW_DENIED, CONDITIONS, ACTION, CHANGES };

static const struct {
	const char *label, *json;
} changes[CHANGES] = {
	[NOW_ALLOWED] = {"B allows", "allowed"},
	[NOW_DENIED] = {"B denies", "denied"},
	[CONDITIONS] = {"conditions", "conditions"},
	[ACTION] = {"otherwise", "action"},
};

struct differing {
	const struct view_call *a, *b;
	enum change change;
	uint64_t args[FILTER_ARGS]; /* CONDITIONS: a call that shows it */
	uint32_t ret_a, ret_b;
};

struct values {
	uint64_t v[CORNERS];
	size_t n;
};

/* Values for one argument, from the rules of both. An argument that no rule looks at has one. */
static void collect(const struct view *x, const struct view *y, const struct view_abi *abi,
		    const struct view_call *c, uint32_t index, struct values *ret)
{
	int ix = view_abi_index(&x->f, abi->token), iy = view_abi_index(&y->f, abi->token);
	uint64_t more[CORNERS];
	size_t n = 0, have;

	if (ix >= 0)
		n = view_corners(&x->f, (size_t) ix, c->nr, index, ret->v, CORNERS / 2);
	have = iy >= 0 ? view_corners(&y->f, (size_t) iy, c->nr, index, more, CORNERS / 2) : 0;
	for (size_t i = 0; i < have && n < CORNERS; i++)
		ret->v[n++] = more[i];
	if (index == 0 && (str_eq(c->name, "socketcall") || str_eq(c->name, "ipc")))
		for (uint64_t i = 0; i < MUX_FUNCTIONS && n < CORNERS; i++)
			ret->v[n++] = i;
	else if (n <= 4) /* 0 and the largest value, of each */
		n = n ? 1 : 0;
	if (n == 0)
		ret->v[n++] = 0;
	ret->n = n;
}

/* Finds arguments for which the two disagree. */
static bool disagree(const struct view *x, const struct view *y, const struct view_abi *abi,
		     struct differing *d)
{
	struct values val[FILTER_ARGS];
	size_t at[FILTER_ARGS] = {0};

	for (uint32_t i = 0; i < FILTER_ARGS; i++)
		collect(x, y, abi, d->a, i, &val[i]);
	for (size_t tries = 0; tries < TRIES; tries++) {
		size_t i = 0;

		for (size_t k = 0; k < FILTER_ARGS; k++)
			d->args[k] = val[k].v[at[k]];
		d->ret_a = seccomp_sim(&x->bpf, abi->audit, d->a->nr, d->args);
		d->ret_b = seccomp_sim(&y->bpf, abi->audit, d->a->nr, d->args);
		if (d->ret_a != d->ret_b)
			return true;
		while (i < FILTER_ARGS && ++at[i] == val[i].n)
			at[i++] = 0;
		if (i == FILTER_ARGS)
			return false;
	}
	return false;
}

static enum change compare(const struct view *x, const struct view *y, const struct view_abi *abi,
			   struct differing *d)
{
	const struct view_call *a = d->a, *b = d->b;

	if (a->n_out == 1 && b->n_out == 1) {
		if (a->out[0] == b->out[0])
			return SAME;
		if (a->verdict != VIEW_ALLOWED && b->verdict == VIEW_ALLOWED)
			return NOW_ALLOWED;
		return a->verdict == VIEW_ALLOWED && b->verdict != VIEW_ALLOWED ? NOW_DENIED
										: ACTION;
	}
	return disagree(x, y, abi, d) ? CONDITIONS : SAME;
}

static size_t differences(const struct view *x, const struct view *y, size_t abi,
			  struct differing **ret)
{
	const struct view_abi *p = &x->abi[abi], *q = &y->abi[abi];
	struct differing *v = arena_array(x->a, p->n_calls + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < p->n_calls && i < q->n_calls; i++) {
		v[n] = (struct differing){.a = &p->call[i], .b = &q->call[i]};
		v[n].change = compare(x, y, p, &v[n]);
		n += v[n].change != SAME;
	}
	*ret = v;
	return n;
}

/* ---- the page ---- */

static const char *example(struct arena *a, const struct differing *d)
{
	const char *text = arena_printf(a, "%s(", d->a->name);
	size_t last = FILTER_ARGS;

	while (last > 1 && d->args[last - 1] == 0)
		last--;
	for (size_t i = 0; i < last; i++)
		text = arena_printf(a, "%s%s%#llx", text, i ? ", " : "",
				    (unsigned long long) d->args[i]);
	return arena_printf(a, "%s): A %s, B %s", text, view_action(a, d->ret_a),
			    view_action(a, d->ret_b));
}

static void put_change(struct page *pg, struct arena *a, enum change want,
		       const struct differing *v, size_t n)
{
	size_t put = 0;

	for (size_t i = 0; i < n; i++) {
		const struct differing *d = &v[i];

		if (d->change != want)
			continue;
		if (want >= CONDITIONS || put == 0)
			page_row(pg, put ? "" : changes[want].label);
		put++;
		if (want == CONDITIONS)
			page_text(pg, example(a, d));
		else if (want == ACTION)
			page_printf(pg, "%s: A %s, B %s", d->a->name, view_action(a, d->a->out[0]),
				    view_action(a, d->b->out[0]));
		else
			page_text(pg, d->a->name);
		if (want >= CONDITIONS)
			page_end(pg);
	}
	if (put && want < CONDITIONS)
		page_end(pg);
}

static bool whole(const struct view_abi *p, const struct view_abi *q)
{
	return p->uniform || q->uniform;
}

static void put_uniform(struct page *pg, struct arena *a, const char *label,
			const struct view_abi *abi)
{
	page_row(pg, label);
	if (abi->uniform)
		page_printf(pg, "every call gives %s", view_action(a, abi->call[0].out[0]));
	else
		page_printf(pg, "%zu of %zu calls allowed, %zu with conditions",
			    abi->count[VIEW_ALLOWED], abi->n_calls, abi->count[VIEW_CONDITIONAL]);
	page_end(pg);
}

/* What happens to numbers that nobody knows yet. */
static const char *newer(struct arena *a, const struct view *l, const struct view_abi *abi)
{
	if (abi->newer_from < 0)
		return view_action(a, l->f.default_ret);
	return arena_printf(a, "ENOSYS from %lld on", (long long) abi->newer_from);
}

static void put_abi(struct page *pg, const struct view *x, const struct view *y, size_t abi,
		    const struct differing *v, size_t n)
{
	const struct view_abi *p = &x->abi[abi], *q = &y->abi[abi];

	page_head(pg, p->name);
	if (whole(p, q)) {
		put_uniform(pg, x->a, "A", p);
		put_uniform(pg, x->a, "B", q);
		return;
	}
	for (enum change c = SAME + 1; c < CHANGES; c++)
		put_change(pg, x->a, c, v, n);
	if (p->newer_from != q->newer_from) {
		page_row(pg, "newer calls");
		page_printf(pg, "A %s, B %s", newer(x->a, x, p), newer(x->a, y, q));
		page_end(pg);
	}
}

/* ---- JSON ---- */

static void json_actions(struct jsonw *w, struct arena *a, const char *key,
			 const struct view_call *c)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < c->n_out; i++)
		jw_str(w, view_action(a, c->out[i]));
	jw_arr_end(w);
}

static void json_change(struct jsonw *w, struct arena *a, const struct differing *d)
{
	jw_obj(w);
	jw_kstr(w, "name", d->a->name);
	jw_ki64(w, "number", d->a->nr);
	jw_kstr(w, "change", changes[d->change].json);
	json_actions(w, a, "a", d->a);
	json_actions(w, a, "b", d->b);
	if (d->change == CONDITIONS)
		jw_kstr(w, "example", example(a, d));
	jw_obj_end(w);
}

static void json_abi(struct jsonw *w, const struct view *x, const struct view *y, size_t abi,
		     const struct differing *v, size_t n)
{
	jw_obj(w);
	jw_kstr(w, "name", x->abi[abi].name);
	jw_key(w, "changes");
	jw_arr(w);
	for (size_t i = 0; i < n; i++)
		json_change(w, x->a, &v[i]);
	jw_arr_end(w);
	jw_kstr(w, "newerA", newer(x->a, x, &x->abi[abi]));
	jw_kstr(w, "newerB", newer(x->a, y, &y->abi[abi]));
	jw_obj_end(w);
}

size_t view_diff(struct buf *b, const struct view *x, const struct view *y, bool json)
{
	struct page pg = {.b = b};
	struct differing *v;
	struct jsonw w;
	size_t n, total = 0;

	jw_init(&w, b, true);
	if (json) {
		jw_obj(&w);
		jw_kstr(&w, "a", x->title);
		jw_kstr(&w, "b", y->title);
		jw_key(&w, "abis");
		jw_arr(&w);
	}
	for (size_t i = 0; i < x->n_abis && i < y->n_abis; i++) {
		size_t others = x->abi[i].newer_from != y->abi[i].newer_from;

		n = differences(x, y, i, &v);
		if (json)
			json_abi(&w, x, y, i, v, n);
		if (!json && total == 0 && n + others > 0) {
			page_row_value(&pg, "A", x->title);
			page_row_value(&pg, "B", y->title);
		}
		if (!json && n + others > 0)
			put_abi(&pg, x, y, i, v, n);
		total += n + others;
	}
	if (json) {
		jw_arr_end(&w);
		jw_obj_end(&w);
		buf_put(b, "\n", 1);
	}
	return total;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules decided about one container, for `kavach rules test` and `kavach policy`: as a page and as JSON. */
#include "base/jsonw.h"
#include "policy/page.h"
#include "policy/rules.h"

static const struct {
	const char *label; /* on the page */
	const char *word;  /* in JSON */
} kinds[] = {
	[VERDICT_MATCHES] = {"in force", "in-force"},
	[VERDICT_OTHER] = {"not about it", "other"},
	[VERDICT_SETS] = {"sets", "sets"},
	[VERDICT_HOLDS] = {"holds", "holds"},
	[VERDICT_BREAKS] = {"REFUSED", "refused"},
};

static void text(struct page *pg, const char *s)
{
	page_safe(pg, s);
}

static void row(struct page *pg, const struct rule_verdict *v)
{
	page_row(pg, kinds[v->kind].label);
	page_value(pg, v->file);
	page_break(pg);
	if (*v->key) {
		page_value(pg, v->key);
		page_to(pg, pg->col + 2);
	}
	text(pg, v->what);
	page_end(pg);
	if (v->found) {
		page_row(pg, "");
		if (v->place) {
			page_value(pg, v->place);
			page_to(pg, pg->col + 2);
		}
		text(pg, v->found);
		page_end(pg);
	}
	if (v->remedy) {
		page_row(pg, "");
		page_text(pg, "would satisfy it:");
		text(pg, v->remedy);
		page_end(pg);
	}
}

void rules_report_explain(struct buf *b, const struct rules_report *r)
{
	struct page pg = {.b = b};

	if (!r->n)
		return;
	page_head(&pg, "Site rules");
	for (size_t i = 0; i < r->n; i++)
		row(&pg, &r->v[i]);
}

void rules_report_json(struct jsonw *w, const struct rules_report *r)
{
	jw_kbool(w, "refused", r->refused);
	if (r->preset)
		jw_kstr(w, "preset", r->preset);
	jw_key(w, "rules");
	jw_arr(w);
	for (size_t i = 0; i < r->n; i++) {
		const struct rule_verdict *v = &r->v[i];

		jw_obj(w);
		jw_kstr(w, "verdict", kinds[v->kind].word);
		jw_kstr(w, "file", v->file);
		jw_kstr(w, "key", v->key);
		jw_kstr(w, "what", v->what);
		if (v->place)
			jw_kstr(w, "place", v->place);
		if (v->found)
			jw_kstr(w, "found", v->found);
		if (v->remedy)
			jw_kstr(w, "remedy", v->remedy);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

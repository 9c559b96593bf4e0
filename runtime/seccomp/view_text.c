/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen of a filter, for people on a screen of 80 columns and for programs. */
#include "seccomp/view.h"

#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "policy/page.h"

#define CONDITIONS_SHOWN 8

static const char *const verdict_names[VIEW_VERDICTS] = {
	[VIEW_ALLOWED] = "allowed",
	[VIEW_CONDITIONAL] = "conditional",
	[VIEW_ASKED] = "asked",
	[VIEW_DENIED] = "denied",
};

/* label: on the page; head: of the row; json: "kind" */
static const struct {
	const char *label, *json;
} kinds[VIEW_KINDS] = {
	[VIEW_HOLE] = {"way round", "hole"},	   [VIEW_BYPASS] = {"bypass", "bypass"},
	[VIEW_POINTER] = {"address", "pointer"},   [VIEW_TRUNCATED] = {"cut off", "truncated"},
	[VIEW_USELESS] = {"no effect", "useless"}, [VIEW_FALLBACK] = {"breaks", "fallback"},
	[VIEW_UNKNOWN] = {"unknown", "unknown"},
};

const char *view_action(struct arena *a, uint32_t ret)
{
	uint32_t data = ret & SECCOMP_RET_DATA;
	const char *name;

	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS: return "KILL_PROCESS";
	case SECCOMP_RET_KILL_THREAD: return "KILL_THREAD";
	case SECCOMP_RET_TRAP: return "TRAP";
	case SECCOMP_RET_USER_NOTIF: return "NOTIFY";
	case SECCOMP_RET_TRACE: return "TRACE";
	case SECCOMP_RET_LOG: return "LOG";
	case SECCOMP_RET_ALLOW: return "ALLOW";
	case SECCOMP_RET_ERRNO:
		name = data ? strerrorname_np((int) data) : NULL;
		return name ? name : arena_printf(a, "errno %u", data);
	default: return arena_printf(a, "action %#x", ret);
	}
}

const char *view_conditions(struct arena *a, const struct filter_rule *r)
{
	static const char *const ops[] = {
		[OP_NE] = "!=", [OP_LT] = "<",	[OP_LE] = "<=",
		[OP_EQ] = "==", [OP_GE] = ">=", [OP_GT] = ">",
	};
	const char *text = "";

	for (uint32_t i = 0; i < r->n_args; i++) {
		const struct pol_seccomp_arg *c = &r->args[i];
		const char *and = i ? " and " : "";

		if (c->op == OP_MASKED_EQ)
			text = arena_printf(a, "%s%sarg %u & %#llx == %#llx", text, and, c->index,
					    (unsigned long long) c->value,
					    (unsigned long long) c->value2);
		else
			text = arena_printf(a, "%s%sarg %u %s %#llx", text, and, c->index,
					    ops[c->op], (unsigned long long) c->value);
	}
	return text;
}

/* "ALLOW when arg 0 == 0x8, else EPERM" */
static const char *when(const struct view *l, const struct view_abi *abi, const struct view_call *c)
{
	int index = view_abi_index(&l->f, abi->token);
	const char *text = "", *say;
	size_t n = 0;

	for (size_t i = 0; index >= 0 && i < l->f.n_rules; i++) {
		const struct filter_rule *r = &l->f.rules[i];

		if (r->nr[index] != c->nr || r->n_args == 0)
			continue;
		if (n++ == CONDITIONS_SHOWN)
			return arena_printf(l->a, "%s, and so on", text);
		say = view_action(l->a, r->ret);
		text = arena_printf(l->a, "%s%s%s when %s", text, n > 1 ? "; " : "", say,
				    view_conditions(l->a, r));
	}
	if (n)
		return arena_printf(l->a, "%s; else %s", text, view_action(l->a, l->f.default_ret));
	for (size_t i = 0; i < c->n_out; i++)
		text = arena_printf(l->a, "%s%s%s", text, i ? " or " : "",
				    view_action(l->a, c->out[i]));
	return text;
}

/* ---- the page ---- */

struct tally {
	size_t known, n[VIEW_VERDICTS];
};

static struct tally tally_dangerous(const struct view *l)
{
	struct tally t = {0};

	for (size_t i = 0; seccomp_dangerous_name(i); i++) {
		const struct view_call *c = view_find(&l->abi[0], seccomp_dangerous_name(i));

		if (!c)
			continue;
		t.known++;
		t.n[c->verdict]++;
	}
	return t;
}

static void put_verdict(struct page *pg, const struct view *l, const char *engine)
{
	struct tally t = tally_dangerous(l);
	enum view_verdict d = view_verdict(&l->f.default_ret, 1);
	size_t holes = l->n_notes[VIEW_HOLE] + l->n_notes[VIEW_BYPASS];

	page_row(pg, "verdict");
	if (d == VIEW_ALLOWED)
		page_text(pg, "allows what it does not name;");
	else
		page_printf(pg, "%s what it does not name (%s);",
			    d == VIEW_ASKED ? "hands over" : "denies",
			    view_action(l->a, l->f.default_ret));
	page_printf(pg, "%zu of %zu dangerous calls denied,", t.n[VIEW_DENIED], t.known);
	if (t.n[VIEW_CONDITIONAL])
		page_printf(pg, "%zu limited,", t.n[VIEW_CONDITIONAL]);
	if (t.n[VIEW_ASKED])
		page_printf(pg, "%zu left to an agent,", t.n[VIEW_ASKED]);
	page_printf(pg, "%zu allowed;", t.n[VIEW_ALLOWED]);
	if (holes)
		page_printf(pg, "%zu %s found", holes,
			    holes == 1 ? "way round it" : "ways round it");
	else
		page_text(pg, "no known way round it");
	page_end(pg);
	if (engine) {
		page_row(pg, "judged");
		page_safe(pg, engine);
		page_end(pg);
	}
}

static void put_abi(struct page *pg, const struct view *l, const struct view_abi *abi)
{
	page_row(pg, abi->name);
	if (!abi->covered)
		page_text(pg, "not in the profile:");
	if (abi->uniform) {
		page_printf(pg, "every call gives %s", view_action(l->a, abi->call[0].out[0]));
		page_end(pg);
		return;
	}
	page_printf(pg, "%zu of %zu calls allowed,", abi->count[VIEW_ALLOWED], abi->n_calls);
	if (abi->count[VIEW_ASKED])
		page_printf(pg, "%zu left to an agent,", abi->count[VIEW_ASKED]);
	page_printf(pg, "%zu with conditions, %zu denied%s", abi->count[VIEW_CONDITIONAL],
		    abi->count[VIEW_DENIED], abi->newer_from >= 0 ? ";" : "");
	if (abi->newer_from >= 0)
		page_printf(pg, "numbers from %lld (newer than the profile) give ENOSYS",
			    (long long) abi->newer_from);
	page_end(pg);
}

/* One row for each way in which calls of a set end; names of calls that depend on arguments have rows of their own. */
static void put_calls(struct page *pg, const struct view *l, const struct view_abi *abi,
		      const struct view_call *const *v, size_t n)
{
	bool *done = arena_array(l->a, n + 1, sizeof(*done));

	for (enum view_verdict want = 0; want < VIEW_VERDICTS; want++)
		for (size_t i = 0; i < n; i++) {
			if (done[i] || v[i]->verdict != want)
				continue;
			page_row(pg, want == VIEW_CONDITIONAL ? v[i]->name
				     : want == VIEW_ALLOWED   ? "allowed"
							      : view_action(l->a, v[i]->out[0]));
			if (want == VIEW_CONDITIONAL) {
				page_text(pg, when(l, abi, v[i]));
				page_end(pg);
				continue;
			}
			for (size_t k = i; k < n; k++) {
				if (v[k]->verdict != want ||
				    (want != VIEW_ALLOWED && v[k]->out[0] != v[i]->out[0]))
					continue;
				done[k] = true;
				page_text(pg, v[k]->name);
			}
			page_end(pg);
		}
}

static void put_dangerous(struct page *pg, const struct view *l)
{
	const struct view_call **v;
	size_t n = 0, room = 0;

	while (seccomp_dangerous_name(room))
		room++;
	v = arena_array(l->a, room + 1, sizeof(*v));
	for (size_t i = 0; i < room; i++) {
		v[n] = view_find(&l->abi[0], seccomp_dangerous_name(i));
		n += v[n] != NULL;
	}
	page_head(pg, arena_printf(l->a, "Dangerous calls (%s)", l->abi[0].name));
	put_calls(pg, l, &l->abi[0], v, n);
}

static void put_all(struct page *pg, const struct view *l, const struct view_abi *abi)
{
	const struct view_call **v = arena_array(l->a, abi->n_calls + 1, sizeof(*v));

	if (abi->uniform)
		return;
	for (size_t i = 0; i < abi->n_calls; i++)
		v[i] = &abi->call[i];
	page_head(pg, arena_printf(l->a, "All calls (%s)", abi->name));
	put_calls(pg, l, abi, v, abi->n_calls);
}

static bool said_before(const struct view *l, const struct view_note *n)
{
	for (const struct view_note *o = l->notes; o != n; o = o->next)
		if (o->kind == n->kind && str_eq(o->text, n->text))
			return true;
	return false;
}

/* The ABIs of which the same is said: "x86_64, x86". */
static const char *abis_of(const struct view *l, const struct view_note *n)
{
	const char *text = NULL;

	for (const struct view_note *o = n; o; o = o->next)
		if (o->kind == n->kind && o->abi && str_eq(o->text, n->text))
			text = text ? arena_printf(l->a, "%s, %s", text, o->abi) : o->abi;
	return text;
}

static void put_notes(struct page *pg, const struct view *l)
{
	if (!l->notes)
		return;
	page_head(pg, "Remarks");
	for (const struct view_note *n = l->notes; n; n = n->next) {
		const char *abis;

		if (n->kind == VIEW_UNKNOWN || said_before(l, n))
			continue;
		abis = l->n_abis > 1 ? abis_of(l, n) : NULL;
		page_row(pg, kinds[n->kind].label);
		page_safe(pg, n->text);
		if (abis)
			page_safe(pg, arena_printf(l->a, "(%s)", abis));
		page_end(pg);
	}
	if (!l->n_notes[VIEW_UNKNOWN])
		return;
	page_row(pg, kinds[VIEW_UNKNOWN].label);
	page_printf(pg, "to libseccomp %s, so that rules about them are left out:",
		    seccomp_library(l->a));
	for (const struct view_note *n = l->notes; n; n = n->next)
		if (n->kind == VIEW_UNKNOWN)
			page_value(pg, n->call);
	page_end(pg);
}

void view_explain(struct buf *b, const struct view *l, bool calls, const char *engine)
{
	struct page pg = {.b = b};

	page_row(&pg, "filter");
	page_value(&pg, l->title);
	page_printf(&pg, "on %s, %zu instructions", l->machine,
		    l->bpf.n / sizeof(struct sock_filter));
	page_end(&pg);
	put_verdict(&pg, l, engine);
	page_head(&pg, "Calling conventions of the kernel");
	for (size_t i = 0; i < l->n_abis; i++)
		put_abi(&pg, l, &l->abi[i]);
	put_dangerous(&pg, l);
	put_notes(&pg, l);
	for (size_t i = 0; calls && i < l->n_abis; i++)
		put_all(&pg, l, &l->abi[i]);
}

/* ---- JSON ---- */

static void json_call(struct jsonw *w, const struct view *l, const struct view_abi *abi,
		      const struct view_call *c)
{
	jw_obj(w);
	jw_kstr(w, "name", c->name);
	jw_ki64(w, "number", c->nr);
	jw_kstr(w, "verdict", verdict_names[c->verdict]);
	jw_key(w, "actions");
	jw_arr(w);
	for (size_t i = 0; i < c->n_out; i++)
		jw_str(w, view_action(l->a, c->out[i]));
	jw_arr_end(w);
	if (c->verdict == VIEW_CONDITIONAL)
		jw_kstr(w, "when", when(l, abi, c));
	jw_obj_end(w);
}

static void json_abi(struct jsonw *w, const struct view *l, const struct view_abi *abi)
{
	jw_obj(w);
	jw_kstr(w, "name", abi->name);
	jw_kbool(w, "covered", abi->covered);
	for (enum view_verdict v = 0; v < VIEW_VERDICTS; v++)
		jw_ku64(w, verdict_names[v], abi->count[v]);
	if (abi->newer_from >= 0)
		jw_ki64(w, "enosysFrom", abi->newer_from);
	jw_key(w, "calls");
	jw_arr(w);
	for (size_t i = 0; i < abi->n_calls; i++)
		json_call(w, l, abi, &abi->call[i]);
	jw_arr_end(w);
	jw_obj_end(w);
}

void view_json(struct buf *b, const struct view *l, const char *engine)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "filter", l->title);
	jw_kstr(&w, "machine", l->machine);
	jw_kstr(&w, "default", view_action(l->a, l->f.default_ret));
	jw_ku64(&w, "instructions", l->bpf.n / sizeof(struct sock_filter));
	if (engine)
		jw_kstr(&w, "judged", engine);
	jw_key(&w, "abis");
	jw_arr(&w);
	for (size_t i = 0; i < l->n_abis; i++)
		json_abi(&w, l, &l->abi[i]);
	jw_arr_end(&w);
	jw_key(&w, "dangerous");
	jw_arr(&w);
	for (size_t i = 0; seccomp_dangerous_name(i); i++) {
		const struct view_call *c = view_find(&l->abi[0], seccomp_dangerous_name(i));

		if (c)
			json_call(&w, l, &l->abi[0], c);
	}
	jw_arr_end(&w);
	jw_key(&w, "remarks");
	jw_arr(&w);
	for (const struct view_note *n = l->notes; n; n = n->next) {
		jw_obj(&w);
		jw_kstr(&w, "kind", kinds[n->kind].json);
		if (n->abi)
			jw_kstr(&w, "abi", n->abi);
		if (n->call)
			jw_kstr(&w, "call", n->call);
		jw_kstr(&w, "text", n->text);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_put(b, "\n", 1);
}

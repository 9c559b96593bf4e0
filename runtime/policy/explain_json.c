/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON form of the explanation: the policy as it is sealed, the strength with its rows, and what the
 * page says in words: which namespaces are shared, which calls that matter the rules refuse.
 */
#include "policy/codec.h"
#include "policy/facts.h"

static void json_score(struct jsonw *w, const struct score *s)
{
	jw_key(w, "strength");
	jw_obj(w);
	jw_ku64(w, "total", (uint64_t) s->total);
	jw_kstr(w, "label", s->label);
	jw_key(w, "rows");
	jw_arr(w);
	for (size_t i = 0; i < s->n; i++) {
		const struct score_row *r = &s->rows[i];

		jw_obj(w);
		jw_kstr(w, "what", r->what);
		jw_ki64(w, "points", r->points);
		jw_ki64(w, "most", r->most);
		jw_kstr(w, "evidence", r->evidence);
		if (r->hint)
			jw_kstr(w, "hint", r->hint);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
}

static void json_namespaces(struct jsonw *w, const struct policy *p)
{
	static const struct {
		const char *key;
		enum fact_ns which;
	} rows[] = {{"own", FACT_NS_OWN}, {"joined", FACT_NS_JOINED}, {"host", FACT_NS_HOST}};

	jw_key(w, "namespaces");
	jw_obj(w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		jw_key(w, rows[i].key);
		jw_arr(w);
		for (size_t j = 0; j < ns_names_n; j++)
			if (fact_ns(p, (enum pol_ns_type) ns_names[j].val) == rows[i].which)
				jw_str(w, ns_names[j].name);
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

/* What happens to each call that matters: "allow", "deny", or "argument" when it depends on one. */
static void json_calls(struct jsonw *w, const struct policy *p)
{
	jw_key(w, "calls");
	jw_obj(w);
	for (size_t i = 0; fact_calls[i]; i++) {
		struct fact_call c = fact_filters_call(p, fact_calls[i]);

		jw_kstr(w, fact_calls[i],
			c.conditional		       ? "argument"
			: fact_action_denies(c.action) ? "deny"
						       : "allow");
	}
	jw_obj_end(w);
}

static void json_facts(struct jsonw *w, const struct policy *p)
{
	uint64_t caps = fact_caps(p);

	jw_key(w, "explain");
	jw_obj(w);
	json_namespaces(w, p);
	jw_key(w, "dangerousCapabilities");
	jw_arr(w);
	for (size_t i = 0; i < fact_caps_dangerous_n; i++)
		if (caps >> fact_caps_dangerous[i].cap & 1)
			jw_str(w, cap_names[fact_caps_dangerous[i].cap].name);
	jw_arr_end(w);
	json_calls(w, p);
	jw_kbool(w, "allDevices", fact_devices_open(p));
	jw_kbool(w, "noNetwork", fact_no_network(p));
	jw_kbool(w, "unprivilegedRoot", fact_userns_unprivileged(p));
	jw_key(w, "riskyMounts");
	jw_arr(w);
	for (size_t i = 0; i < p->mounts.n; i++)
		if (fact_mount_risk(&p->mounts.v[i]))
			jw_str(w, p->mounts.v[i].destination);
	jw_arr_end(w);
	jw_obj_end(w);
}

void policy_explain_json(struct buf *b, const struct policy *p, const struct score *s,
			 const char *digest_hex, const struct rules_report *rep,
			 const char *machine)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "digest", digest_hex);
	jw_key(&w, "policy");
	codec_json(&w, &policy_table, p);
	json_score(&w, s);
	json_facts(&w, p);
	if (rep && rep->n) {
		jw_key(&w, "site");
		jw_obj(&w);
		rules_report_json(&w, rep);
		jw_obj_end(&w);
	}
	if (machine) {
		jw_key(&w, "machine");
		jw_raw(&w, machine);
	}
	jw_obj_end(&w);
	buf_put(b, "\n", 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one screen, and as JSON. */
#include <stdarg.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "host/check.h"

#define WIDTH 79
#define FACT_COL 24

static const struct {
	const char *name, *colour;
} states[] = {
	[CHECK_OK] = {"ok", "\033[32m"},
	[CHECK_LIMITED] = {"limited", "\033[33m"},
	[CHECK_MISSING] = {"missing", "\033[31m"},
};

static const struct {
	const char *name, *title;
} groups[GROUP_MAX] = {
	[GROUP_HOST] = {"host", "Containers"},
	[GROUP_VM] = {"vm", "MicroVMs"},
	[GROUP_SNP] = {"snp", "Confidential VMs (AMD SEV-SNP)"},
};

static void put(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static void __attribute__((format(printf, 2, 3))) putf(struct buf *b, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(b, text);
}

/* Words from this column on, in lines that begin at `col`. */
static void put_wrapped(struct buf *b, const char *s, size_t at, size_t col)
{
	bool first = true;

	while (*s) {
		size_t n = strcspn(s, " ");

		if (!first && at + 1 + n > WIDTH) {
			putf(b, "\n%*s", (int) col, "");
			at = col;
			first = true;
		}
		if (!first) {
			put(b, " ");
			at++;
		}
		buf_put(b, s, n);
		at += n;
		s += n;
		s += strspn(s, " ");
		first = false;
	}
	put(b, "\n");
}

static void put_state(struct buf *b, const char *name, const char *colour, int width, bool on)
{
	putf(b, "%s%s%s%*s", on ? colour : "", name, on ? "\033[0m" : "",
	     width - (int) strlen(name), "");
}

static void put_row(struct buf *b, const struct check_row *row, const struct finding *f,
		    bool advise, bool colour)
{
	put(b, "  ");
	put_state(b, states[f->state].name, states[f->state].colour, 8, colour);
	putf(b, "%-14s", row->name);
	put_wrapped(b, f->fact ? f->fact : "", FACT_COL, FACT_COL);
	for (size_t i = 0; advise && i < f->fixes.n; i++) {
		putf(b, "%*sfix: ", FACT_COL, "");
		put_wrapped(b, f->fixes.v[i], FACT_COL + 5, FACT_COL + 5);
	}
}

/* The rows that stop a backend, "a, b, c". */
static const char *stoppers(const struct report *r, unsigned backend)
{
	char *list = arena_strdup(r->look->a, "");

	for (size_t i = 0; i < check_rows_n; i++)
		if (r->shown[i] && (r->found[i].stops >> backend & 1))
			list = arena_printf(r->look->a, "%s%s%s", list, *list ? ", " : "",
					    check_rows[i].name);
	return list;
}

static void put_verdicts(struct buf *b, const struct report *r, bool colour)
{
	static const char *const what[CHECK_BACKENDS] = {
		[CHECK_PROCESS] = "containers that share this kernel",
		[CHECK_VM] = "containers in a virtual machine of their own",
		[CHECK_SNP] = "containers in encrypted, attested memory",
	};

	putf(b, "kavach %s on Linux %s %s, for %s\n\n", r->look->version,
	     r->look->release ? r->look->release : "?", r->look->machine ? r->look->machine : "?",
	     r->look->user);
	for (unsigned i = 0; i < CHECK_BACKENDS; i++) {
		bool no = r->stopped >> i & 1;

		if (!(r->asked >> i & 1))
			continue;
		put(b, "  ");
		put_state(b, no ? "no" : "yes", states[no ? CHECK_MISSING : CHECK_OK].colour, 8,
			  colour);
		putf(b, "%-14s%s\n", check_backend_name(i), what[i]);
		if (no) {
			putf(b, "%*sstopped by: ", FACT_COL, "");
			put_wrapped(b, stoppers(r, i), FACT_COL + 12, FACT_COL + 12);
		}
	}
}

void check_screen(struct buf *b, const struct report *r, bool colour)
{
	if (!r->partial)
		put_verdicts(b, r, colour);
	for (unsigned g = 0; g < GROUP_MAX; g++) {
		bool first = true;

		for (size_t i = 0; i < check_rows_n; i++) {
			if (!r->shown[i] || check_rows[i].group != g)
				continue;
			if (first && !r->partial)
				putf(b, "\n%s%s%s%s\n", groups[g].title,
				     r->advise >> g & 1 ? "" : ": \"kavach check --backend ",
				     r->advise >> g & 1 ? "" : groups[g].name,
				     r->advise >> g & 1 ? "" : "\" has the fixes");
			first = false;
			put_row(b, &check_rows[i], &r->found[i], r->advise >> g & 1, colour);
		}
	}
}

static void json_row(struct jsonw *w, const struct check_row *row, const struct finding *f)
{
	jw_obj(w);
	jw_kstr(w, "name", row->name);
	jw_kstr(w, "group", groups[row->group].name);
	jw_kstr(w, "state", states[f->state].name);
	jw_kstr(w, "fact", f->fact ? f->fact : "");
	jw_key(w, "fixes");
	jw_arr(w);
	for (size_t i = 0; i < f->fixes.n; i++)
		jw_str(w, f->fixes.v[i]);
	jw_arr_end(w);
	jw_key(w, "stops");
	jw_arr(w);
	for (unsigned i = 0; i < CHECK_BACKENDS; i++)
		if (f->stops >> i & 1)
			jw_str(w, check_backend_name(i));
	jw_arr_end(w);
	jw_key(w, "values");
	jw_obj(w);
	for (size_t i = 0; i < f->n_values; i++)
		jw_kstr(w, f->values[i].key, f->values[i].val);
	jw_obj_end(w);
	jw_obj_end(w);
}

void check_json(struct buf *b, const struct report *r)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "version", r->look->version);
	jw_kstr(&w, "user", r->look->user);
	if (!r->partial) {
		jw_key(&w, "backends");
		jw_obj(&w);
		for (unsigned i = 0; i < CHECK_BACKENDS; i++)
			if (r->asked >> i & 1)
				jw_kbool(&w, check_backend_name(i), !(r->stopped >> i & 1));
		jw_obj_end(&w);
	}
	jw_key(&w, "rows");
	jw_arr(&w);
	for (size_t i = 0; i < check_rows_n; i++)
		if (r->shown[i])
			json_row(&w, &check_rows[i], &r->found[i]);
	jw_arr_end(&w);
	jw_obj_end(&w);
	put(b, "\n");
}

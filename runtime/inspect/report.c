/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a report, and the copy of the policy that only has what the kernel confirms. */
#include <string.h>

#include "inspect/inspect.h"

static const char *const verdict_names[] = {
	[INSPECT_OK] = "ok",	       [INSPECT_STRICTER] = "stricter", [INSPECT_KNOWN] = "known",
	[INSPECT_UNSEEN] = "not seen", [INSPECT_DRIFT] = "DRIFT",
};
_Static_assert(ARRAY_LEN(verdict_names) == INSPECT_VERDICT_MAX, "each verdict has a name");

const char *inspect_verdict_name(enum inspect_verdict v)
{
	return verdict_names[v];
}

static void *copy_of(struct arena *a, const void *v, size_t n, size_t size)
{
	return n ? arena_memdup(a, v, n * size) : NULL;
}

void inspect_begin(struct inspect *in, const struct policy *p, struct arena *a)
{
	struct policy *m;

	*in = (struct inspect){.p = p, .measured = *p, .a = a};
	m = &in->measured;
	/* lists that things are taken out of */
	m->ns.v = copy_of(a, p->ns.v, p->ns.n, sizeof(*p->ns.v));
	m->mounts.v = copy_of(a, p->mounts.v, p->mounts.n, sizeof(*p->mounts.v));
	m->masked.v = copy_of(a, p->masked.v, p->masked.n, sizeof(*p->masked.v));
	m->readonly.v = copy_of(a, p->readonly.v, p->readonly.n, sizeof(*p->readonly.v));
}

bool inspect_add(struct inspect *in, const char *group, const char *what, enum inspect_verdict v,
		 const char *policy, const char *kernel, const char *note)
{
	struct inspect_row *rows;

	if (in->other && !in->all && v != INSPECT_DRIFT && v != INSPECT_UNSEEN)
		return true;
	if (in->rows.n == in->cap) {
		in->cap = in->cap ? 2 * in->cap : 64;
		rows = arena_array(in->a, in->cap, sizeof(*rows));
		if (in->rows.n)
			memcpy(rows, in->rows.v, in->rows.n * sizeof(*rows));
		in->rows.v = rows;
	}
	in->rows.v[in->rows.n++] = (struct inspect_row){.group = group,
							.what = what,
							.policy = policy,
							.kernel = kernel,
							.note = note,
							.verdict = v,
							.pid = in->other};
	in->n_verdict[v]++;
	return v != INSPECT_DRIFT && v != INSPECT_UNSEEN;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The undo log: see state.h. A fixed array: create has a handful of side effects, known at build time. */
#include <assert.h>

#include "state/state.h"

void undo_push(struct undo *u, void (*fn)(void *arg), void *arg)
{
	assert(u->n < UNDO_MAX);
	u->v[u->n].fn = fn;
	u->v[u->n].arg = arg;
	u->n++;
}

void undo_run(struct undo *u)
{
	while (u->n) {
		u->n--;
		u->v[u->n].fn(u->v[u->n].arg);
	}
}

void undo_forget(struct undo *u)
{
	u->n = 0;
}

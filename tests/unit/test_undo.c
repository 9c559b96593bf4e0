/* SPDX-License-Identifier: Apache-2.0 */
/* libs: state cgroup policy host json base */
/* The undo log: newest first, once, and nothing after it was told to forget. */
#include "state/state.h"

#include "tests/unit/tap.h"

static char order[64];

static void note(void *arg)
{
	strcat(order, arg);
}

/* what a step of undoing may itself push is undone too */
static struct undo nested;

static void push_more(void *arg)
{
	strcat(order, "m");
	undo_push(&nested, note, arg);
}

int main(void)
{
	static char a[] = "a", b[] = "b", c[] = "c";
	struct undo u = {0};

	undo_run(&u);
	is_str(order, "", "an empty log does nothing");
	undo_push(&u, note, a);
	undo_push(&u, note, b);
	undo_push(&u, note, c);
	undo_run(&u);
	is_str(order, "cba", "reverts newest first");
	undo_run(&u);
	is_str(order, "cba", "reverts once");

	order[0] = 0;
	undo_push(&u, note, a);
	undo_forget(&u);
	undo_push(&u, note, b);
	undo_run(&u);
	is_str(order, "b", "what succeeded is not reverted");

	order[0] = 0;
	for (int i = 0; i < UNDO_MAX; i++)
		undo_push(&u, note, a);
	undo_run(&u);
	is_int(strlen(order), UNDO_MAX, "has room for all that it promises");

	order[0] = 0;
	undo_push(&nested, note, a);
	undo_push(&nested, push_more, b);
	undo_run(&nested);
	is_str(order, "mba", "an entry may push another one");
	return done();
}

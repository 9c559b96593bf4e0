/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks that run in the container's namespaces. */
#include <unistd.h>

#include "exec/ctx.h"
#include "hooks/hooks.h"

int stage_run_hooks(struct stage *s, enum hook_phase phase, char *const env[], struct err *e)
{
	const struct stage_boot *b = s->boot;
	const struct hook_state st = {
		.oci_version = b->oci_version,
		.id = b->id,
		.bundle = b->bundle,
		.pid = getpid(), /* as these hooks see it */
		.annotations = &b->annotations,
	};

	return hooks_run_phase(phase, &s->p->hooks[phase], &st, env, -EBADF, -EBADF, NULL, e);
}

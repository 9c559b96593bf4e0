/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks that run in the container's namespaces, and the state document that they get on stdin. */
#include <unistd.h>

#include "base/jsonw.h"
#include "exec/ctx.h"
#include "hooks/hooks.h"

#define STATE_MAX (4u << 20) /* annotations are bounded by the size of config.json */

static void write_state(struct buf *out, const struct stage_boot *b, const char *status)
{
	struct jsonw w;

	jw_init(&w, out, false);
	jw_obj(&w);
	jw_kstr(&w, "ociVersion", b->oci_version);
	jw_kstr(&w, "id", b->id);
	jw_kstr(&w, "status", status);
	jw_ki64(&w, "pid", getpid()); /* as these hooks see it */
	jw_kstr(&w, "bundle", b->bundle);
	if (b->annotations.n)
		jw_kkvs(&w, "annotations", &b->annotations);
	jw_obj_end(&w);
}

int stage_run_hooks(struct stage *s, enum hook_phase phase, char *const env[], struct err *e)
{
	const pol_hooks *hooks = &s->p->hooks[phase];
	buf_auto state = BUF_WRITER(STATE_MAX);

	if (!hooks->n)
		return 0;
	write_state(&state, s->boot, hook_phases[phase].status);
	if (state.bad)
		return err_set(e, -EFBIG, "the state document for hooks is too large");
	return hooks_run(phase, hooks, (const char *) state.p, state.n, env, -EBADF, -EBADF, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The state document that hooks and seccomp agents get (runtime.md, "State"). */
#include "base/jsonw.h"
#include "hooks/hooks.h"

#define STATE_MAX (4u << 20) /* annotations are bounded by the size of config.json */

void hook_state_json(struct jsonw *w, const struct hook_state *s, const char *status)
{
	jw_obj(w);
	jw_kstr(w, "ociVersion", s->oci_version);
	jw_kstr(w, "id", s->id);
	jw_kstr(w, "status", status);
	jw_ki64(w, "pid", s->pid);
	jw_kstr(w, "bundle", s->bundle);
	if (s->annotations && s->annotations->n)
		jw_kkvs(w, "annotations", s->annotations);
	jw_obj_end(w);
}

int hooks_run_phase(enum hook_phase phase, const pol_hooks *hooks, const struct hook_state *s,
		    char *const env[], int out_fd, int err_fd, const struct hook_stop *stop,
		    struct err *e)
{
	buf_auto doc = BUF_WRITER(STATE_MAX);
	struct jsonw w;

	if (!hooks->n)
		return 0;
	jw_init(&w, &doc, false);
	hook_state_json(&w, s, hook_phases[phase].status);
	if (doc.bad)
		return err_set(e, -EFBIG, "the state document for hooks is too large");
	return hooks_run(phase, hooks, (const char *) doc.p, doc.n, env, out_fd, err_fd, stop, e);
}

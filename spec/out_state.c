/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.md, "State": what hooks get on stdin and what `kavach state` and `kavach list` print. */
#include "spec/out.h"

#include "base/jsonw.h"

static void put_strength(struct jsonw *w, const struct out_strength *s)
{
	jw_key(w, "strength");
	jw_obj(w);
	jw_ki64(w, "decided", s->decided);
	jw_key(w, "measured");
	if (s->measured < 0)
		jw_null(w);
	else
		jw_i64(w, s->measured);
	jw_kstr(w, "label", s->label);
	jw_ku64(w, "drift", s->drift);
	jw_ku64(w, "notSeen", s->not_seen);
	jw_obj_end(w);
}

void out_state(struct buf *b, const struct out_state *s, bool pretty)
{
	struct jsonw w;

	jw_init(&w, b, pretty);
	jw_obj(&w);
	jw_kstr(&w, "ociVersion", s->oci_version);
	jw_kstr(&w, "id", s->id);
	/* optional in the spec when there is no process, but engines decode it: 0 as runc writes it */
	jw_ki64(&w, "pid", s->pid);
	jw_kstr(&w, "status", s->status);
	jw_kstr(&w, "bundle", s->bundle);
	if (s->rootfs)
		jw_kstr(&w, "rootfs", s->rootfs);
	if (s->created)
		jw_kstr(&w, "created", s->created);
	if (s->owner)
		jw_kstr(&w, "owner", s->owner);
	if (s->annotations && s->annotations->n)
		jw_kkvs(&w, "annotations", s->annotations);
	if (s->strength)
		put_strength(&w, s->strength);
	if (s->backend) {
		jw_kstr(&w, "backend", s->backend);
		jw_kstr(&w, "measurement", s->measurement);
		jw_kstr(&w, "policyDigest", s->policy_digest);
	}
	jw_obj_end(&w);
	if (pretty)
		buf_put_u8(b, '\n');
}

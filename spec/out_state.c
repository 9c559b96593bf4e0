/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.md, "State": what hooks get on stdin and what `kavach state` and `kavach list` print. */
#include "spec/out.h"

#include "base/jsonw.h"

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
	jw_obj_end(&w);
	if (pretty)
		buf_put_u8(b, '\n');
}

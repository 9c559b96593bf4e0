/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI documents that we write. */
#ifndef KAVACH_SPEC_OUT_H
#define KAVACH_SPEC_OUT_H

#include "base/buf.h"
#include "base/types.h"

#define OCI_VERSION "1.3.0"
#define OCI_VERSION_MIN "1.0.0"

/* What goes into a state document. */
struct out_state {
	const char *oci_version, *id, *status, *bundle;
	int64_t pid; /* 0 = stopped or not there yet */
	/* Below: not for hooks, only for `state` and `list`; NULL leaves them out. */
	const char *rootfs, *created, *owner;
	const struct kvs *annotations; /* NULL or empty: left out */
};

/* out_state: the state JSON, pretty (with a final newline) for people and engines, compact for hooks. */
void out_state(struct buf *b, const struct out_state *s, bool pretty);

/* out_features: the features document of this build (features.md); compile-time facts only. */
void out_features(struct buf *b);

/* out_spec_template: a config.json that runs `sh` in ./rootfs (`kavach spec`). */
void out_spec_template(struct buf *b, bool rootless, uint32_t uid, uint32_t gid);

#endif

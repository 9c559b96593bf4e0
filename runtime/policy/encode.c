/* SPDX-License-Identifier: Apache-2.0 */
/* The policy as one sealed byte string: magic, then the fields of policy_table, the version first. */
#include <string.h>

#include "base/sha256.h"
#include "policy/codec.h"

static const char magic[8] = "KVCHPOL"; /* with its NUL */

void policy_encode(struct buf *b, const struct policy *p)
{
	buf_put(b, magic, sizeof(magic));
	codec_encode(b, &policy_table, p);
}

int policy_decode(const void *p, size_t n, struct arena *a, const struct policy **ret,
		  struct err *e)
{
	struct buf b = BUF_READER(p, n);
	const void *m = buf_get(&b, sizeof(magic));
	struct policy *pol;
	uint64_t version;
	size_t start = b.pos;

	if (!m || memcmp(m, magic, sizeof(magic)))
		return err_set(e, -EBADMSG, "the stored policy is not a kavach policy");
	/* The version stands first so that a later build's policy is told from a damaged one. */
	version = buf_get_u64(&b);
	if (!b.bad && version != POLICY_VERSION)
		return err_set(e, -EPROTO,
			       "the stored policy has version %llu, this program knows version %d",
			       (unsigned long long) version, POLICY_VERSION);
	b.pos = start;
	pol = arena_new(a, struct policy);
	codec_decode(&b, &policy_table, pol, a);
	if (b.bad || buf_left(&b))
		return err_set(e, -EBADMSG, "the stored policy is damaged near byte %zu of %zu",
			       b.pos, n);
	*ret = pol;
	return 0;
}

void policy_digest(const void *encoded, size_t n, uint8_t ret[32])
{
	sha256(encoded, n, ret);
}

const struct pol_ns *pol_ns_find(const struct policy *p, enum pol_ns_type t)
{
	for (size_t i = 0; i < p->ns.n; i++)
		if (p->ns.v[i].type == t)
			return &p->ns.v[i];
	return NULL;
}

const char *pol_secret_dir(struct arena *a, const struct pol_secret *s)
{
	const char *slash = s->give == POL_SECRET_FILE && s->target ? strrchr(s->target, '/')
								    : NULL;

	return slash ? arena_strndup(a, s->target, (size_t) (slash - s->target)) : NULL;
}

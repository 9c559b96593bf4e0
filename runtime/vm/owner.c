/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/owner.h"

#include "attest/bytes.h"
#include "base/str.h"

/* AMD 56860, tables 75 and 76; AMD 55766, chapter C and table 50 */
#define ID_BLOCK 96u
#define ID_BLOCK_VERSION 80u
#define ID_BLOCK_POLICY 88u
#define ID_AUTH 4096u
#define ID_AUTH_AUTHOR 4u /* algorithm of the author key; 0: there is none */
#define DH_CERT 2084u
#define SESSION 128u

static const char *find(const struct kvs *l, const char *name)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (str_eq(l->v[i].key, name))
			return l->v[i].val;
	return NULL;
}

__attribute__((format(printf, 2, 3), cold)) static int refuse(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, -EINVAL, fmt, ap);
	va_end(ap);
	e->id = ERR_CONFIG;
	return -EINVAL;
}

static int decode(const char *name, const char *text, size_t n, struct arena *a, struct bytes *ret,
		  struct err *e)
{
	if (!base64_bytes(text, a, ret))
		return refuse(e, "annotations[\"%s\"]: expected base64 of %zu bytes", name, n);
	if (ret->n != n)
		return refuse(e, "annotations[\"%s\"]: expected base64 of %zu bytes, found %zu",
			      name, n, ret->n);
	return 0;
}

/* Two that belong together, and to these kinds of guest. */
static int pair(const struct vm_shape *s, bool here, const char *const names[2],
		const char *const text[2], const char *kinds, struct err *e)
{
	const char *found = text[0] ? names[0] : names[1];

	if (!text[0] && !text[1])
		return 0;
	if (!here && s->sev.kind == VM_SEV_NONE)
		return refuse(
			e,
			"annotations[\"%s\"]: only a guest of %s has one, this VM is not confidential",
			found, kinds);
	if (!here)
		return refuse(e,
			      "annotations[\"%s\"]: only a guest of %s has one, this one is of %s",
			      found, kinds, vm_sev_name(s->sev.kind));
	if (!text[0] || !text[1])
		return refuse(e, "annotations[\"%s\"]: expected \"%s\" with it", found,
			      text[0] ? names[1] : names[0]);
	return 1;
}

static int id_block(struct vm_shape *s, const struct kvs *l, struct arena *a, struct err *e)
{
	static const char *const names[] = {"io.kavach.id-block", "io.kavach.id-auth"};
	const char *const text[] = {find(l, names[0]), find(l, names[1])};
	struct vm_sev *v = &s->sev;
	uint64_t policy;
	int r = pair(s, v->kind == VM_SEV_SNP, names, text, "sev-snp", e);

	if (r <= 0)
		return r;
	r = decode(names[0], text[0], ID_BLOCK, a, &v->id_block, e);
	if (r == 0)
		r = decode(names[1], text[1], ID_AUTH, a, &v->id_auth, e);
	if (r < 0)
		return r;
	if (get_le32(v->id_block.v + ID_BLOCK_VERSION) != 1)
		return refuse(e, "annotations[\"%s\"]: expected version 1, found %u", names[0],
			      get_le32(v->id_block.v + ID_BLOCK_VERSION));
	/* the firmware would say the same, at the end of the launch and in fewer words */
	policy = get_le64(v->id_block.v + ID_BLOCK_POLICY);
	if (policy != v->policy)
		return refuse(
			e,
			"annotations[\"%s\"]: it is for the guest policy 0x%llx, this guest has "
			"0x%llx",
			names[0], (unsigned long long) policy, (unsigned long long) v->policy);
	v->author_key = get_le32(v->id_auth.v + ID_AUTH_AUTHOR) != 0;
	return 0;
}

static int session(struct vm_shape *s, const struct kvs *l, struct arena *a, struct err *e)
{
	static const char *const names[] = {"io.kavach.dh-cert", "io.kavach.session"};
	const char *const text[] = {find(l, names[0]), find(l, names[1])};
	struct vm_sev *v = &s->sev;
	struct bytes data;
	bool sev = v->kind == VM_SEV || v->kind == VM_SEV_ES;
	int r = pair(s, sev, names, text, "sev or sev-es", e);

	if (r == 0 && sev && !s->warning)
		s->warning = "an SEV guest without io.kavach.session: its owner cannot tell whether "
			     "it is the right one";
	if (r <= 0)
		return r;
	r = decode(names[0], text[0], DH_CERT, a, &data, e);
	if (r == 0)
		r = decode(names[1], text[1], SESSION, a, &data, e);
	if (r < 0)
		return r;
	v->dh_cert = text[0];
	v->session = text[1];
	return 0;
}

int vm_owner_apply(struct vm_shape *s, const struct kvs *annotations, struct arena *a,
		   struct err *e)
{
	int r = id_block(s, annotations, a, e);

	return r < 0 ? r : session(s, annotations, a, e);
}

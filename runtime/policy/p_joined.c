/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount namespace that exists already. Its root is the container's root: there is one, with somebody's processes in it,
 * and nothing may change under them. So whatever would be mounted, hidden, made read-only, made or pivoted there is
 * refused, and so is what needs a path of the host, which cannot be seen from there.
 */
#include "policy/pb.h"

static int refuse(struct pb *b, const char *place, const char *what, struct err *e)
{
	return pb_refuse(b, e, "%s: %s in the mount namespace \"%s\", which is joined", place, what,
			 pol_ns_find(b->p, POL_NS_MNT)->path);
}

static const struct pol_secret *first_file(const struct policy *p)
{
	for (size_t i = 0; i < p->secrets.n; i++)
		if (p->secrets.v[i].give == POL_SECRET_FILE)
			return &p->secrets.v[i];
	return NULL;
}

int pb_joined(struct pb *b, struct err *e)
{
	const struct pol_ns *ns = pol_ns_find(b->p, POL_NS_MNT);
	const struct spec_linux *l = b->l;
	const struct pol_secret *secret_file = first_file(b->p);
	const struct {
		const char *place;
		bool given;
		const char *what;
	} rows[] = {
		{"root.readonly", b->s->root->readonly.v, "nothing is made read-only"},
		{"the preset or the site's rules", b->p->rootfs_readonly,
		 "the root is not made read-only"},
		{"mounts[0]", b->s->mounts.n > 0, "nothing is mounted"},
		{"linux.devices[0]", l->devices.n > 0, "no device is made"},
		{"linux.maskedPaths[0]", l->maskedPaths.n > 0, "nothing is hidden"},
		{"linux.readonlyPaths[0]", l->readonlyPaths.n > 0, "nothing is made read-only"},
		{"the site's rules", b->p->masked.n || b->p->readonly.n,
		 "nothing is hidden or made read-only"},
		{"linux.rootfsPropagation", pb_given(l->rootfsPropagation),
		 "the propagation is not changed"},
		{"linux.mountLabel", pb_given(l->mountLabel), "nothing is mounted"},
		{"hooks.createContainer[0]", b->p->hooks[HOOK_CREATE_CONTAINER].n > 0,
		 "a path of the host is not to be found"},
		{secret_file ? secret_file->at : "", secret_file, "no secret is given as a file"},
		{"NOTIFY_SOCKET", b->in->notify_dir != NULL, "nothing is mounted"},
	};

	if (!ns->path)
		return 0;
	if (!str_eq(b->s->root->path, "/"))
		return pb_refuse(
			b, e,
			"root.path: expected \"/\", the root of the mount namespace \"%s\" that is "
			"joined, found \"%s\"",
			ns->path, b->s->root->path);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given)
			return refuse(b, rows[i].place, rows[i].what, e);
	b->p->devices.n = 0; /* the usual ones are its owner's */
	return 0;
}

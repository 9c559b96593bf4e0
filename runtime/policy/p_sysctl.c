/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl: only parameters that belong to a namespace of the container; everything else would
 * change the host. The table says which namespace answers for which names.
 *
 * Names come with dots or, when a part has a dot in it (an interface "eth0.100"), with slashes, as
 * sysctl(8) takes them: the first separator decides. The policy has the dotted form, in which such a dot
 * stands as a slash; whoever makes a file name of it swaps the two.
 */
#include "policy/pb.h"

static const struct {
	const char *name; /* ends in "." when it is a prefix */
	enum pol_ns_type ns;
} sysctls[] = {
	{"fs.mqueue.", POL_NS_IPC},
	{"kernel.domainname", POL_NS_UTS},
	{"kernel.msgmax", POL_NS_IPC},
	{"kernel.msgmnb", POL_NS_IPC},
	{"kernel.msgmni", POL_NS_IPC},
	{"kernel.sem", POL_NS_IPC},
	{"kernel.shm_rmid_forced", POL_NS_IPC},
	{"kernel.shmall", POL_NS_IPC},
	{"kernel.shmmax", POL_NS_IPC},
	{"kernel.shmmni", POL_NS_IPC},
	{"net.", POL_NS_NET},
	{"user.", POL_NS_USER},
};

/* With dots between the parts; NULL when a part is empty, "." or "..": it becomes a path in /proc/sys. */
static char *dotted(struct arena *a, const char *key)
{
	char *s = arena_strdup(a, key);
	size_t part = 0;

	if (s[strcspn(s, "./")] == '/')
		for (char *c = s; *c; c++)
			*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
	for (char *c = s;; c++) {
		if (*c && *c != '.') {
			part += *c != '/';
			continue;
		}
		if (!part) /* nothing, or nothing but dots of the file name */
			return NULL;
		part = 0;
		if (!*c)
			return s;
	}
}

static int check(const struct pb *b, const char *key, const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(sysctls); i++) {
		const char *rest = str_prefix(name, sysctls[i].name);

		if (!rest || (*rest != '\0') != str_has_suffix(sysctls[i].name, "."))
			continue;
		if (pol_ns_find(b->p, sysctls[i].ns))
			return 0;
		return pb_refuse(
			b, e,
			"linux.sysctl: \"%s\" needs a %s namespace in linux.namespaces, it would "
			"change the host",
			key, name_of(ns_names, ns_names_n, sysctls[i].ns));
	}
	if (str_eq(name, "kernel.hostname"))
		return pb_refuse(b, e, "linux.sysctl: \"%s\" is what the member hostname is for",
				 key);
	return pb_refuse(
		b, e,
		"linux.sysctl: \"%s\" is not a parameter of a namespace, it would change the host",
		key);
}

int pb_sysctl(struct pb *b, struct err *e)
{
	const struct kvs *s = &b->l->sysctl;
	struct kvs *ret = &b->p->sysctl;

	ret->v = arena_array(b->a, s->n, sizeof(*ret->v));
	for (size_t i = 0; i < s->n; i++) {
		char *name = dotted(b->a, s->v[i].key);
		size_t at = ret->n;
		int r;

		if (!name)
			return pb_refuse(b, e, "linux.sysctl: \"%s\" is not a name of a parameter",
					 s->v[i].key);
		r = check(b, s->v[i].key, name, e);
		if (r < 0)
			return r;
		if (str_eq(name, "kernel.domainname") && b->p->domainname &&
		    !str_eq(b->p->domainname, s->v[i].val))
			return pb_refuse(
				b, e,
				"linux.sysctl: \"%s\" says \"%s\", the member domainname \"%s\"",
				s->v[i].key, s->v[i].val, b->p->domainname);
		for (; at > 0 && strcmp(ret->v[at - 1].key, name) > 0; at--)
			ret->v[at] = ret->v[at - 1];
		if (at > 0 && str_eq(ret->v[at - 1].key, name))
			return pb_refuse(b, e, "linux.sysctl: \"%s\" is given twice", s->v[i].key);
		ret->v[at] = (struct kv){name, s->v[i].val};
		ret->n++;
	}
	return 0;
}

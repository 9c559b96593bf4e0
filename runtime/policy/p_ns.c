/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces, id maps, time offsets, host and domain name.
 *
 * A mount namespace other than ours is a condition for everything else: the root is assembled in it, or, in one that
 * exists already, is taken as it is (p_joined.c).
 */
#include "base/log.h"
#include "policy/pb.h"

/* Room for the kernel's struct new_utsname without the NUL. */
#define UTS_MAX 64

static bool host_has_ns(const struct host *h, long type)
{
	return type == POL_NS_TIME     ? h->time_ns
	       : type == POL_NS_CGROUP ? h->cgroup_ns
	       : type == POL_NS_USER   ? h->user_ns
				       : true;
}

/* Sorted by type, so that the order in the config does not change the digest. */
static void insert(struct pb *b, uint32_t type, char *path)
{
	struct pol_ns *v = b->p->ns.v;
	size_t at = b->p->ns.n;

	for (; at > 0 && v[at - 1].type > type; at--)
		v[at] = v[at - 1];
	v[at] = (struct pol_ns){.type = type, .path = path};
	b->p->ns.n++;
}

static int add_namespace(struct pb *b, size_t i, struct err *e)
{
	const struct spec_namespace *s = &b->l->namespaces.v[i];
	long type;
	int r;

	r = pb_word(b, ns_names, ns_names_n, s->type, &type, e, "linux.namespaces[%zu].type", i);
	if (r < 0)
		return r;
	if (pol_ns_find(b->p, (enum pol_ns_type) type))
		return pb_refuse(b, e, "linux.namespaces[%zu].type: \"%s\" is given twice", i,
				 s->type);
	if (!host_has_ns(b->h, type))
		return pb_refuse(b, e,
				 "linux.namespaces[%zu].type: this kernel has no %s namespaces", i,
				 s->type);
	insert(b, (uint32_t) type, pb_given(s->path));
	return 0;
}

void pb_copy_maps(struct pb *b, const spec_idmaps *s, pol_idmaps *ret)
{
	ret->v = arena_array(b->a, s->n, sizeof(*ret->v));
	ret->n = s->n;
	for (size_t i = 0; i < s->n; i++)
		ret->v[i] = (struct pol_idmap){s->v[i].containerID.v, s->v[i].hostID.v,
					       s->v[i].size.v};
}

bool pb_map_id(const pol_idmaps *map, uint64_t id, uint64_t n, uint64_t *ret)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct pol_idmap *m = &map->v[i];

		if (id < m->container || id - m->container >= m->size ||
		    n > m->size - (id - m->container))
			continue;
		*ret = m->host + (id - m->container);
		return true;
	}
	return false;
}

/* Whoever has no privileges gets them in a user namespace, also when the config, like the template of `spec`, has none:
 * crun does so too. */
static int add_user_namespace(struct pb *b, struct err *e)
{
	if (b->h->euid == 0 || pol_ns_find(b->p, POL_NS_USER))
		return 0;
	if (!b->h->user_ns)
		return pb_refuse(
			b, e,
			"linux.namespaces: without root privileges the container needs a user namespace, "
			"and this kernel has none");
	log_debug(
		"%s: linux.namespaces: without root privileges the container gets a user namespace, "
		"which the config does not have",
		b->config);
	insert(b, POL_NS_USER, NULL);
	return 0;
}

/* Root is the caller, and the ids above it are those that the caller has been given, in the order of the file. */
static void own_ids(struct pb *b, uint32_t self, const struct host_ranges *more, pol_idmaps *ret)
{
	uint64_t next = 1;

	ret->v = arena_array(b->a, 1 + more->n, sizeof(*ret->v));
	ret->v[ret->n++] = (struct pol_idmap){0, self, 1};
	for (size_t i = 0; i < more->n && next + more->v[i].n <= UINT32_MAX; i++) {
		ret->v[ret->n++] = (struct pol_idmap){next, more->v[i].first, more->v[i].n};
		next += more->v[i].n;
	}
}

static int id_maps(struct pb *b, struct err *e)
{
	const struct pol_ns *user = pol_ns_find(b->p, POL_NS_USER);
	const struct spec_linux *l = b->l;

	if (!user) {
		if (l->uidMappings.n || l->gidMappings.n)
			return pb_refuse(
				b, e,
				"linux.%s: id mappings need a user namespace in linux.namespaces",
				l->uidMappings.n ? "uidMappings" : "gidMappings");
		return 0;
	}
	if (user->path) {
		/* The owner of a namespace has written its maps. podman gives a dummy map here. */
		if (l->uidMappings.n || l->gidMappings.n)
			log_debug("%s: the id mappings are those of the joined user namespace",
				  b->config);
		return 0;
	}
	if (b->h->euid != 0 && !l->uidMappings.n && !l->gidMappings.n) {
		own_ids(b, b->h->euid, &b->h->subuid, &b->p->uid_map);
		own_ids(b, b->h->egid, &b->h->subgid, &b->p->gid_map);
		return 0;
	}
	if (!l->uidMappings.n || !l->gidMappings.n)
		return pb_refuse(b, e, "linux.%s: a new user namespace needs at least one mapping",
				 l->uidMappings.n ? "gidMappings" : "uidMappings");
	pb_copy_maps(b, &l->uidMappings, &b->p->uid_map);
	pb_copy_maps(b, &l->gidMappings, &b->p->gid_map);
	return 0;
}

static const struct name_val clocks[] = {{"monotonic", 1}, {"boottime", 2}};

static int time_offsets(struct pb *b, struct err *e)
{
	const struct pol_ns *ns = pol_ns_find(b->p, POL_NS_TIME);
	const struct spec_linux *l = b->l;
	struct pol_time_offset *v;

	if (!l->timeOffsets.n)
		return 0;
	if (!ns)
		return pb_refuse(
			b, e,
			"linux.timeOffsets: offsets need a time namespace in linux.namespaces");
	/* They can only be written before the first process is in it. */
	if (ns->path)
		return pb_refuse(
			b, e,
			"linux.timeOffsets: the offsets of the time namespace \"%s\" cannot be "
			"changed by joining it",
			ns->path);
	v = arena_array(b->a, l->timeOffsets.n, sizeof(*v));
	for (size_t i = 0; i < l->timeOffsets.n; i++) {
		const struct spec_timeoffset *s = &l->timeOffsets.v[i];
		long clock;
		int r = PB_WORD(b, clocks, s->clock, &clock, e, "linux.timeOffsets");

		if (r < 0)
			return r;
		v[i] = (struct pol_time_offset){(uint32_t) clock, s->secs.v, s->nanosecs.v};
	}
	b->p->time_offsets.v = v;
	b->p->time_offsets.n = l->timeOffsets.n;
	return 0;
}

static int uts_name(struct pb *b, const char *what, char *name, char **ret, struct err *e)
{
	if (str_empty(name))
		return 0;
	if (!pol_ns_find(b->p, POL_NS_UTS))
		return pb_refuse(
			b, e,
			"%s: \"%s\" needs a uts namespace in linux.namespaces, it would rename the "
			"host",
			what, name);
	if (strlen(name) > UTS_MAX)
		return pb_refuse(b, e, "%s: expected at most %d bytes, found %zu", what, UTS_MAX,
				 strlen(name));
	*ret = name;
	return 0;
}

int pb_namespaces(struct pb *b, struct err *e)
{
	int r;

	/* one more: add_user_namespace() */
	b->p->ns.v = arena_array(b->a, b->l->namespaces.n + 1, sizeof(*b->p->ns.v));
	for (size_t i = 0; i < b->l->namespaces.n; i++) {
		r = add_namespace(b, i, e);
		if (r < 0)
			return r;
	}
	if (!pol_ns_find(b->p, POL_NS_MNT))
		return pb_refuse(
			b, e,
			"linux.namespaces: a mount namespace is required, the root is assembled "
			"in it");
	r = add_user_namespace(b, e);
	if (r < 0)
		return r;
	b->grants_caps = pol_ns_find(b->p, POL_NS_USER) != NULL;
	r = id_maps(b, e);
	if (r < 0)
		return r;
	r = time_offsets(b, e);
	if (r < 0)
		return r;
	r = uts_name(b, "hostname", b->s->hostname, &b->p->hostname, e);
	if (r < 0)
		return r;
	return uts_name(b, "domainname", b->s->domainname, &b->p->domainname, e);
}

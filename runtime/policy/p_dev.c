/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes, and the rules of the device cgroup. */
#include <sys/stat.h>

#include "base/path.h"
#include "policy/pb.h"

#define ANY (-1)
enum { ACC_R = 1, ACC_W = 2, ACC_M = 4, ACC_ALL = 7 };

/* config-linux.md, "Default Devices": every container has them. */
static const struct pol_device defaults[] = {
	{(char *) "/dev/null", S_IFCHR, 1, 3, 0666, 0, 0, true},
	{(char *) "/dev/zero", S_IFCHR, 1, 5, 0666, 0, 0, true},
	{(char *) "/dev/full", S_IFCHR, 1, 7, 0666, 0, 0, true},
	{(char *) "/dev/random", S_IFCHR, 1, 8, 0666, 0, 0, true},
	{(char *) "/dev/urandom", S_IFCHR, 1, 9, 0666, 0, 0, true},
	{(char *) "/dev/tty", S_IFCHR, 5, 0, 0666, 0, 0, true},
};

static const struct pol_device *find_device(const struct policy *p, const char *path)
{
	for (size_t i = 0; i < p->devices.n; i++)
		if (str_eq(p->devices.v[i].path, path))
			return &p->devices.v[i];
	return NULL;
}

static bool same_device(const struct pol_device *a, const struct pol_device *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor &&
	       a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

static int add_device(struct pb *b, size_t i, struct err *e)
{
	static const struct name_val types[] = {
		{"c", S_IFCHR}, {"u", S_IFCHR}, {"b", S_IFBLK}, {"p", S_IFIFO}};
	const struct spec_device *s = &b->l->devices.v[i];
	const struct pol_device *old;
	struct pol_device d = {0};
	long type;
	int r;

	r = PB_WORD(b, types, s->type, &type, e, "linux.devices[%zu].type", i);
	if (r < 0)
		return r;
	if (str_empty(s->path) || s->path[0] != '/')
		return pb_refuse(b, e,
				 "linux.devices[%zu].path: expected an absolute path, found \"%s\"",
				 i, s->path ? s->path : "");
	d.path = path_clean(b->a, s->path);
	d.type = (uint32_t) type;
	d.mode = s->fileMode.set ? (uint32_t) s->fileMode.v & 07777 : 0666;
	d.uid = (uint32_t) s->uid.v;
	d.gid = (uint32_t) s->gid.v;
	if (type != S_IFIFO) {
		if (!s->major.set || !s->minor.set || s->major.v < 0 || s->minor.v < 0)
			return pb_refuse(
				b, e,
				"linux.devices[%zu]: major and minor are required for type \"%s\"",
				i, s->type);
		d.major = (uint32_t) s->major.v;
		d.minor = (uint32_t) s->minor.v;
	}
	old = find_device(b->p, d.path);
	if (old && !same_device(old, &d))
		return pb_refuse(
			b, e,
			"linux.devices[%zu].path: \"%s\" is given twice, with different properties",
			i, d.path);
	if (!old)
		b->p->devices.v[b->p->devices.n++] = d;
	return 0;
}

int pb_devices(struct pb *b, struct err *e)
{
	size_t n = b->l->devices.n;
	int r;

	r = pb_count(b, "linux.devices", n, e);
	if (r < 0)
		return r;
	b->p->devices.v = arena_array(b->a, n + ARRAY_LEN(defaults), sizeof(*b->p->devices.v));
	for (size_t i = 0; i < n; i++) {
		r = add_device(b, i, e);
		if (r < 0)
			return r;
	}
	/* One that the config describes itself is its own. */
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (!find_device(b->p, defaults[i].path))
			b->p->devices.v[b->p->devices.n++] = defaults[i];
	return 0;
}

/* ---- rules of the device cgroup ---- */

/* What every container may use, whatever its own rules say (as in runc): nodes may be made, but not
 * opened; the default devices; terminals. */
static const struct pol_device_rule always[] = {
	{true, 'c', ANY, ANY, ACC_M},	{true, 'b', ANY, ANY, ACC_M},
	{true, 'c', 1, 3, ACC_ALL},	/* null */
	{true, 'c', 1, 5, ACC_ALL},	/* zero */
	{true, 'c', 1, 7, ACC_ALL},	/* full */
	{true, 'c', 1, 8, ACC_ALL},	/* random */
	{true, 'c', 1, 9, ACC_ALL},	/* urandom */
	{true, 'c', 5, 0, ACC_ALL},	/* tty */
	{true, 'c', 5, 1, ACC_ALL},	/* console */
	{true, 'c', 5, 2, ACC_ALL},	/* ptmx */
	{true, 'c', 136, ANY, ACC_ALL}, /* pts */
};

bool pb_device_always(const struct pol_device_rule *r)
{
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (always[i].type == r->type && !(r->access & ~always[i].access) &&
		    (always[i].major == ANY || always[i].major == r->major) &&
		    (always[i].minor == ANY || always[i].minor == r->minor))
			return true;
	return false;
}

static uint32_t access_bits(const char *s)
{
	uint32_t bits = 0;

	if (str_empty(s))
		return ACC_ALL;
	for (; *s; s++)
		bits |= *s == 'r' ? ACC_R : *s == 'w' ? ACC_W : *s == 'm' ? ACC_M : 0;
	return bits;
}

/*
 * "a" with numbers or a part of the access stands for both kinds of device. It is written as two rules
 * here: cgroup v1 takes a line that starts with "a" for everything, whatever follows.
 */
static void add_rule(struct pol_resources *res, struct pol_device_rule r)
{
	if (r.type == 'a' && (r.major != ANY || r.minor != ANY || r.access != ACC_ALL)) {
		r.type = 'b';
		res->devices.v[res->devices.n++] = r;
		r.type = 'c';
	}
	res->devices.v[res->devices.n++] = r;
}

int pb_device_rules(struct pb *b, const struct spec_resources *s, struct pol_resources *ret,
		    struct err *e)
{
	static const struct name_val types[] = {{"a", 'a'}, {"b", 'b'}, {"c", 'c'}};
	size_t n = s ? s->devices.n : 0;

	ret->devices.v = arena_array(b->a, 1 + 2 * n + ARRAY_LEN(always), sizeof(*ret->devices.v));
	/* The list starts from nothing; said as a rule, because the kernel's own start differs by version. */
	add_rule(ret, (struct pol_device_rule){false, 'a', ANY, ANY, ACC_ALL});
	for (size_t i = 0; i < n; i++) {
		const struct spec_device_rule *d = &s->devices.v[i];
		long type = 'a';
		int r = pb_given(d->type) ? PB_WORD(b, types, d->type, &type, e,
						    "linux.resources.devices[%zu].type", i)
					  : 0;

		if (r < 0)
			return r;
		add_rule(ret, (struct pol_device_rule){
				      d->allow.v, (uint32_t) type, d->major.set ? d->major.v : ANY,
				      d->minor.set ? d->minor.v : ANY, access_bits(d->access)});
	}
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		add_rule(ret, always[i]);
	return 0;
}

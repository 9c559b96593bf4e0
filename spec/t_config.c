/* SPDX-License-Identifier: Apache-2.0 */
/* config.md: the top level of config.json, root and mounts. */
#include "spec/annot.h"
#include "spec/fields.h"

/* Ids are 32 bits and the last one is not an id; the kernel refuses empty ranges. */
static int idmap_check(const struct json_doc *d, const struct json_node *n, void *obj,
		       struct arena *a, struct err *e)
{
	const struct spec_idmap *m = obj;

	if (m->size.v == 0)
		return spec_refuse(d, n, "size", "at least 1", a, e);
	if (m->containerID.v + m->size.v - 1 > SPEC_ID_MAX ||
	    m->hostID.v + m->size.v - 1 > SPEC_ID_MAX)
		return spec_refuse(d, n, "size", "a range that ends at 4294967294 or before", a, e);
	return 0;
}

static const struct jfield idmap_f[] = {
	F_UINT(struct spec_idmap, containerID, .flags = J_REQUIRED, .max = SPEC_ID_MAX),
	F_UINT(struct spec_idmap, hostID, .flags = J_REQUIRED, .max = SPEC_ID_MAX),
	F_UINT(struct spec_idmap, size, .flags = J_REQUIRED, .max = UINT32_MAX),
};
const struct jtable spec_t_idmap = F_TABLE(struct spec_idmap, idmap_f, .check = idmap_check);

static const struct jfield root_f[] = {
	F_STR(struct spec_root, path, .flags = J_REQUIRED | J_NONEMPTY),
	F_BOOL(struct spec_root, readonly),
};
static const struct jtable root_t = F_TABLE(struct spec_root, root_f);

static int mount_check(const struct json_doc *d, const struct json_node *n, void *obj,
		       struct arena *a, struct err *e)
{
	const struct spec_mount *m = obj;

	(void) a;
	if (!m->uidMappings.n != !m->gidMappings.n)
		return json_err(d, n, e,
				"expected both \"uidMappings\" and \"gidMappings\", or neither");
	return 0;
}

/* A relative destination is deprecated, not wrong: it is taken as relative to "/" (S-06). */
static const struct jfield mount_f[] = {
	F_STR(struct spec_mount, destination, .flags = J_REQUIRED | J_NONEMPTY),
	F_STR(struct spec_mount, type),
	F_STR(struct spec_mount, source),
	F_STRS(struct spec_mount, options),
	F_OBJS(struct spec_mount, uidMappings, struct spec_idmap, &spec_t_idmap),
	F_OBJS(struct spec_mount, gidMappings, struct spec_idmap, &spec_t_idmap),
};
static const struct jtable mount_t = F_TABLE(struct spec_mount, mount_f, .check = mount_check);

static const struct jfield mounts_f[] = {
	F_OBJS(struct spec, mounts, struct spec_mount, &mount_t, .flags = J_REQUIRED | J_NONEMPTY),
};
const struct jtable spec_t_mounts = F_TABLE(struct spec, mounts_f);

/* Moves *s behind one number of a version: digits without a leading zero. */
static bool version_number(const char **s)
{
	size_t n = strspn(*s, "0123456789");

	if (n == 0 || (n > 1 && **s == '0'))
		return false;
	*s += n;
	return true;
}

/* Moves *s behind dot-separated identifiers; those of a pre-release that are numbers have no leading zero. */
static bool version_identifiers(const char **s, bool prerelease)
{
	static const char letters[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";

	for (;;) {
		size_t n = strspn(*s, letters);

		if (n == 0)
			return false;
		if (prerelease && n > 1 && **s == '0' && strspn(*s, "0123456789") == n)
			return false;
		*s += n;
		if (**s != '.')
			return true;
		(*s)++;
	}
}

/* Semantic Versioning 2.0.0 with major version 1. Minor and patch do not matter: a 1.x runtime accepts
 * every 1.y, and what is new in a later one is an unknown property. */
static bool is_version(const char *s)
{
	if (*s++ != '1' || *s++ != '.' || !version_number(&s) || *s++ != '.' || !version_number(&s))
		return false;
	if (*s == '-' && (s++, !version_identifiers(&s, true)))
		return false;
	if (*s == '+' && (s++, !version_identifiers(&s, false)))
		return false;
	return !*s;
}

/* Annotations that we act on have types (annot.h); of others we know nothing. */
static int check_annotation(const struct json_doc *d, const struct json_node *n, struct arena *a,
			    struct err *e)
{
	const struct annot_row *row = annot_find(n->key);
	bool value;

	if (!*n->key)
		return json_err(d, n, e, "bad name, expected a string that is not empty");
	if (!row)
		return 0;
	if (row->type == ANNOT_BOOL && !annot_bool(n->s, &value))
		return json_err(d, n, e, "expected one of 1, true, 0, false; found %s",
				json_found(a, n));
	if (row->type == ANNOT_PATH && !spec_is_path(n->s))
		return json_err(d, n, e, "expected %s, found %s", SPEC_PATH, json_found(a, n));
	return 0;
}

static int config_check(const struct json_doc *d, const struct json_node *n, void *obj,
			struct arena *a, struct err *e)
{
	const struct json_node *m = json_get(n, "annotations"), *c;
	int r;

	(void) obj;
	r = spec_check_each(d, n, "ociVersion", is_version, "a version 1.x.y", a, e);
	for (c = m ? m->child : NULL; c && r == 0; c = c->next)
		r = check_annotation(d, c, a, e);
	return r;
}

static const struct jfield config_f[] = {
	F_STR(struct spec, ociVersion, .flags = J_REQUIRED),
	F_OBJ(struct spec, root, struct spec_root, &root_t, .flags = J_REQUIRED),
	F_OBJS(struct spec, mounts, struct spec_mount, &mount_t),
	F_OBJ(struct spec, process, struct spec_process, &spec_t_process),
	F_STR(struct spec, hostname),
	F_STR(struct spec, domainname),
	F_OBJ(struct spec, hooks, struct spec_hooks, &spec_t_hooks),
	F_MAP(struct spec, annotations),
	{
		/* not F_OBJ(): "linux" is a macro in gnu11 */
		.name = "linux",
		.kind = J_OBJ,
		.off = FIELD_OFF(struct spec, linux_, struct spec_linux *),
		.sub = &spec_t_linux,
	},
	F_OBJ(struct spec, vm, struct spec_vm, &spec_t_vm),
};
const struct jtable spec_t_config = F_TABLE(struct spec, config_f, .check = config_check);
